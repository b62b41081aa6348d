package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	stdsync "sync"
	"time"

	"github.com/spf13/pflag"

	"github.com/pop2imap/pop2imap/internal/config"
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
}

func (l *look) registerProgress(f *pflag.FlagSet) {
	f.StringVar(&l.progress, "progress", "auto", "progress bar: auto (only on a terminal), always or never (`WHEN`)")
}

func (l *look) check() error {
	switch l.progress {
	case "auto", "always", "never":
		return nil
	}
	return &config.BadValue{Flag: "progress", Err: errors.New("not auto, always or never")}
}

// A terminal is what all accounts of a run share. Lines and bar are on it together, so each line goes through say.
type terminal struct {
	look
	out, err io.Writer

	all     string   // what the accounts are called together
	several bool     // that is no account's name
	log     *journal // nil: stderr alone

	dumb    bool // it is not one to draw on
	escapes bool // it may be sent escape sequences

	mu      stdsync.Mutex
	screens []*screen // of the accounts of this pass
	bar     *bar      // nil: none
	left    int       // accounts without a summary
	passes  passes

	report *reportFile // nil: none is wanted
}

// say says what nobody shall miss. Whose it is may stand before it.
func (t *terminal) say(format string, args ...any) {
	account := t.all
	if t.several {
		account = ""
	}
	t.tell(heard(account, t.all, fmt.Sprintf(format, args...)))
}

// heard is an entry made of what stderr has.
func heard(account, who, text string) entry {
	return entry{level: slog.LevelWarn, account: account, text: text,
		msg: strings.ReplaceAll(strings.TrimPrefix(text, who+"  "), "\n  ", "; ")}
}

// A screen shows the run of one account while it goes on, and its summary.
type screen struct {
	*terminal
	account
	prefix string // of lines that do not begin with the name
	part   part   // how far it is
	would  int    // messages that a dry run would copy
	again  bool   // only what went wrong before is tried
	atOnce bool   // what is copied and read back is deleted at the source in the same run

	home    string         // the folder of the account
	folders map[string]int // of those messages, where it is known
}

var _ sync.Watcher = (*screen)(nil)

func newScreen(t *terminal, c *candidate) *screen {
	s := &screen{terminal: t, account: c.account, folders: map[string]int{}}
	if c.job != nil {
		s.home, s.atOnce = c.job.Folder, c.job.Delete.On && c.job.Delete.Age == 0
	}
	if c.job != nil && c.job.Account != nil {
		s.prefix = s.name + "  "
	}
	return s
}

// say says it of the account, whose name begins the text.
func (s *screen) say(format string, args ...any) {
	s.tell(heard(s.name, s.name, fmt.Sprintf(format, args...)))
}

// open gives the screens of a pass over accounts.
func (t *terminal) open(list []*candidate) (all []*screen) {
	for _, c := range list {
		all = append(all, newScreen(t, c))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.screens, t.left = all, len(all)
	return all
}

// tracer shows the protocol with one server.
func (s *screen) tracer(side string) func(dir, line string) {
	if s.verbose < 2 {
		return nil
	}
	return func(dir, line string) {
		s.tell(entry{level: slog.LevelDebug, account: s.name, text: fmt.Sprintf("%s%-4s %s: %s", s.prefix, side, dir, line),
			msg: dir + ": " + line, attrs: []slog.Attr{slog.String("side", side)}})
	}
}

// Planned begins the bar, or changes what is left of it.
func (s *screen) Planned(messages int, octets int64) {
	s.change(func(p *part) {
		p.plan(messages, octets)
		if messages > 0 && s.bar == nil && s.wantsBar() {
			s.raise()
		}
	})
}

func (s *screen) Moved(octets int) { s.change(func(p *part) { p.move(octets) }) }

func (s *screen) Doing(what string) { s.change(func(p *part) { p.doing = what }) }

func (s *screen) Paused(until time.Time, why string) {
	s.change(func(p *part) { p.pause(until, sync.Clean(why)) })
}

// change changes how far the account is, and shows it.
func (s *screen) change(how func(*part)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	how(&s.part)
	s.bar.draw()
}

func (t *terminal) wantsBar() bool {
	return !t.quiet && (t.progress == "always" || t.progress == "auto" && isTerminal(t.err) && !t.dumb)
}

// raise makes the bar. At a terminal it is drawn anew even while nothing comes: time goes on, and so may the width change.
func (t *terminal) raise() {
	b := &bar{to: t.err, width: widthOf(t.err), escapes: t.escapes, gone: make(chan struct{}),
		line: func(columns int) string { return t.view(time.Now()).line(columns) }}
	t.bar = b
	if !isTerminal(t.err) {
		return
	}
	go func() {
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				t.mu.Lock()
				t.bar.draw()
				t.mu.Unlock()
			case <-b.gone:
				return
			}
		}
	}()
}

// lower takes the bar away.
func (t *terminal) lower() {
	if t.bar != nil {
		t.bar.hide()
		close(t.bar.gone)
		t.bar = nil
	}
}

func (s *screen) Done(o sync.Outcome) {
	s.mu.Lock()
	s.part.count(o)
	s.bar.draw()
	if o.Result == sync.WouldCopy {
		s.would++
		s.folders[o.Folder]++
	}
	s.mu.Unlock()
	s.report.line(messageLine(s.name, o))
	if s.json {
		s.line(messageLine(s.name, o))
	}
	if s.verbose > 0 && (!s.json || s.log.inFile()) {
		what := describe(o)
		s.tell(entry{level: slog.LevelDebug, account: s.name, text: s.prefix + what, msg: what,
			attrs: []slog.Attr{slog.String("result", string(o.Result)), slog.String("uidl", o.UIDL)}})
	}
}

func (s *screen) Notice(text string) { s.notice(s.name, text) }

func (t *terminal) notice(who, text string) {
	e := says(slog.LevelInfo, who, sync.Clean(text))
	if t.several && who == t.all {
		e.account = ""
	}
	t.tell(e)
}

// describe puts what became of a message into a line, without subject or address.
func describe(o sync.Outcome) string {
	words := []string{fmt.Sprintf("%-11s", o.Result), fmt.Sprintf("%q", o.UIDL)}
	words = append(words, fmt.Sprintf("%d octets", size(o)))
	if o.Size != 0 && o.Size != o.Listed {
		words = append(words, fmt.Sprintf("(listed as %d)", o.Listed))
	}
	switch o.Result {
	case sync.Copied:
		words = append(words, "to "+o.Folder, arrived(o), explained(o.Flags))
	case sync.Marked:
		words = append(words, "in "+o.Folder, explained(o.Flags))
	case sync.WouldCopy:
		words = append(words, rehearsed(o)...)
	case sync.Skipped:
		words = append(words, "("+o.Why+")")
	case sync.Recognised, sync.Changed:
		words = append(words, "in "+o.Folder)
	case sync.RefusedOne, sync.Gone:
		words = append(words, o.Server)
	}
	if o.Deleted != "" {
		words = append(words, "(deleted where it was kept: "+o.Deleted+")")
	}
	if o.Keep != "" {
		words = append(words, "(stays at the source: "+o.Keep+")")
	}
	return strings.TrimRight(strings.Join(words, " "), " ")
}

// rehearsed is what a dry run knows of a message, if it could have a look at the header.
func rehearsed(o sync.Outcome) (words []string) {
	if o.Folder != "" {
		words = append(words, "to "+o.Folder)
	}
	if !o.Date.IsZero() {
		words = append(words, arrived(o))
	}
	return append(words, explained(o.Flags))
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
