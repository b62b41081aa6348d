package main

import (
	"fmt"
	"io"
	"strings"
	stdsync "sync"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/pflag"

	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/sync"
)

// look says how much the user wants to see.
type look struct {
	quiet    bool
	verbose  int
	json     bool
	progress string
}

func (l *look) register(f *pflag.FlagSet) {
	f.BoolVarP(&l.quiet, "quiet", "q", false, "nothing unless something is wrong: for cron")
	f.CountVarP(&l.verbose, "verbose", "v", "a line a message; -vv adds the protocol, secrets and bodies hidden")
	f.BoolVar(&l.json, "json", false, "JSON lines on stdout, the summary last")
	f.StringVar(&l.progress, "progress", "auto", "progress bar: auto (only on a terminal), always or never (`WHEN`)")
}

func (l *look) check() error {
	switch l.progress {
	case "auto", "always", "never":
		return nil
	}
	return &usage{fmt.Errorf("--progress can be auto, always or never, not %q", l.progress)}
}

// account is what the user calls the two ends.
type account struct{ name, from, to string }

// A screen shows a run while it goes on, and its summary. Lines and bar share the terminal, so each line goes through
// say.
type screen struct {
	look
	account
	out, err io.Writer

	mu  stdsync.Mutex
	bar *bar // nil: none
}

var _ sync.Watcher = (*screen)(nil)

func newScreen(io stdio, l *look, a account) *screen {
	return &screen{look: *l, account: a, out: io.out, err: io.err}
}

// say prints a line on stderr, above the bar.
func (s *screen) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bar.hide()
	fmt.Fprintf(s.err, format+"\n", args...)
	s.bar.show()
}

// tracer shows the protocol with one server.
func (s *screen) tracer(side string) func(dir, line string) {
	if s.verbose < 2 {
		return nil
	}
	return func(dir, line string) { s.say("%-4s %s: %s", side, dir, line) }
}

func (s *screen) Planned(messages int, octets int64) {
	if messages == 0 || s.quiet || s.progress == "never" || s.progress == "auto" && !isTerminal(s.err) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bar = newBar(s.err, s.name, messages, octets)
}

func (s *screen) Moved(octets int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bar.moved(octets)
}

func (s *screen) Done(o sync.Outcome) {
	s.mu.Lock()
	s.bar.done(o)
	s.mu.Unlock()
	switch {
	case s.json:
		s.line(messageLine(s.name, o))
	case s.verbose > 0:
		s.say("%s", describe(o))
	}
}

func (s *screen) Notice(text string) {
	if !s.quiet {
		s.say("%s  %s", s.name, sync.Clean(text))
	}
}

// describe puts what became of a message into a line, without subject or address.
func describe(o sync.Outcome) string {
	words := []string{fmt.Sprintf("%-10s", o.Result), fmt.Sprintf("%q", o.UIDL)}
	words = append(words, fmt.Sprintf("%d octets", size(o)))
	if o.Size != 0 && o.Size != o.Listed {
		words = append(words, fmt.Sprintf("(listed as %d)", o.Listed))
	}
	switch o.Result {
	case sync.Copied:
		words = append(words, "to "+o.Folder, arrived(o), explained(o.Flags))
	case sync.RefusedOne, sync.Gone:
		words = append(words, o.Server)
	}
	return strings.Join(words, " ")
}

func arrived(o sync.Outcome) string {
	if o.Date.IsZero() {
		return "without a date"
	}
	return fmt.Sprintf("of %s (%s)", o.Date.Format("2006-01-02 15:04:05 -0700"), o.DateWhy)
}

func explained(flags []message.Flag) string {
	var words []string
	for _, f := range flags {
		words = append(words, fmt.Sprintf("%s (%s)", f.Name, f.Why))
	}
	return strings.Join(words, " ")
}

// refusalsShown is how many refused messages are told one by one; status has them all.
const refusalsShown = 10

// summary ends the account: what came of it on stdout, what went wrong on stderr.
func (s *screen) summary(r sync.Report, exit int, dry bool) {
	s.mu.Lock()
	s.bar.hide()
	s.bar = nil
	s.mu.Unlock()
	if s.json {
		s.line(summaryLine(s.account, r, exit))
	}
	for i, o := range r.Refusals {
		if i == refusalsShown {
			s.say("%s  … and %d more", s.name, len(r.Refusals)-i)
			break
		}
		s.say("%s  refused: message %q of %d octets stays at the source\n  server said: %s", s.name, o.UIDL, size(o), o.Server)
	}
	if r.Err != nil {
		explain(s.err, s.name, r.Err)
		s.say("  %s", aftermath(r))
	}
	if !s.quiet && !s.json && (r.Err == nil || r.Listed > 0) {
		fmt.Fprintf(s.out, "%s  %s\n", s.name, tally(r, dry))
	}
}

// aftermath says how things are after an error.
func aftermath(r sync.Report) string {
	text := "nothing was changed at either end"
	if r.Copied > 0 {
		text = plural(r.Copied, "message") + " copied"
	}
	if r.InDoubt > 0 {
		text += fmt.Sprintf("; %s in doubt: the next run finds out", plural(r.InDoubt, "message"))
	}
	if r.Left > 0 {
		text += fmt.Sprintf("; %s wait for the next run", plural(r.Left, "message"))
	}
	return text
}

// tally is the summary in one line.
func tally(r sync.Report, dry bool) string {
	if dry {
		return fmt.Sprintf("would copy %s of %s listed (nothing was changed)", humanize.Comma(int64(r.Left)), plural(r.Listed, "message"))
	}
	words := []string{plural(r.Listed, "message") + " listed"}
	add := func(n int, what string) {
		if n > 0 {
			words = append(words, humanize.Comma(int64(n))+" "+what)
		}
	}
	add(r.Known, "known")
	add(r.Quarantined, "refused earlier")
	if r.Copied == 0 && r.New == 0 {
		words = append(words, "nothing new")
	} else {
		words = append(words, fmt.Sprintf("%s copied (%s)", humanize.Comma(int64(r.Copied)), humanize.IBytes(uint64(r.Bytes))))
	}
	add(r.Recognised, "found at the destination")
	add(r.Refused, "refused")
	add(r.Vanished, "vanished")
	add(r.InDoubt, "in doubt")
	add(r.Left, "left")
	return fmt.Sprintf("%s, in %s", strings.Join(words, ", "), r.Took.Round(10*time.Millisecond))
}

func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return humanize.Comma(int64(n)) + " " + noun
}
