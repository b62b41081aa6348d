package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/pop2imap/pop2imap/sync"
)

// refusalsShown is how many refused messages are told one by one; status has them all.
const refusalsShown = 10

// summary ends the account: what came of it on stdout, what went wrong on stderr.
func (s *screen) summary(r sync.Report, dry bool) {
	s.over()
	s.wrong(r, dry)
	if r.Err != nil {
		s.failed(r.Err, aftermath(r))
	}
	if s.quiet || s.json || r.Err != nil && r.Listed == 0 {
		return
	}
	text := s.tally(r)
	if dry {
		text = s.forecast(r)
	}
	s.result("%s  %s", s.name, text)
}

// over takes what the account has not done out of the bar; the last one takes the bar away.
func (s *screen) over() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bar.planned(&s.part, 0, 0)
	if s.left--; s.left <= 0 {
		s.bar.hide()
		s.bar = nil
	}
}

// result prints a line on stdout.
func (t *terminal) result(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bar.hide()
	fmt.Fprintf(t.out, format+"\n", args...)
	t.bar.show()
}

// failed says why an account's run ended early, and how things are now.
func (s *screen) failed(err error, now string) {
	var text strings.Builder
	explain(&text, s.name, err)
	s.say("%s  %s", text.String(), now)
}

// wrong says what is wrong with single messages.
func (s *screen) wrong(r sync.Report, dry bool) {
	for i, o := range r.Refusals {
		if i == refusalsShown {
			s.say("%s  … and %d more", s.name, len(r.Refusals)-i)
			break
		}
		s.say("%s  refused: message %q of %d octets stays at the source\n  server said: %s", s.name, o.UIDL, size(o), o.Server)
	}
	if len(r.Refusals) > 0 {
		s.say("  what to do:  mend what the server says, if you can; later runs try again, and pop2imap retry does at once")
	}
	if r.Vanished > 0 {
		s.say("%s  vanished: %s listed in the maildrop, and not given\n  what to do:  nothing: the next run asks again",
			s.name, plural(r.Vanished, "message"))
	}
	if n := r.InDoubt + r.Missing; n > 0 && r.Err == nil && !dry {
		s.say("%s  in doubt: %s sent, and not found at the destination\n"+
			"  what to do:  pop2imap status tells which; look for them there, or send them again with pop2imap retry",
			s.name, plural(n, "message"))
	}
}

// aftermath says how things are after an error.
func aftermath(r sync.Report) string {
	var words []string
	say := func(n int, what string) {
		if n > 0 {
			words = append(words, plural(n, "message")+" "+what)
		}
	}
	say(r.Copied, "copied")
	say(r.Deleted, "deleted at the source")
	say(r.InDoubt+r.Missing, "in doubt: the next run finds out")
	if len(words) == 0 {
		words = []string{"nothing was changed at either end"}
	}
	waits := "wait for the next run"
	if r.Left == 1 {
		waits = "waits for the next run"
	}
	say(r.Left, waits)
	return strings.Join(words, "; ")
}

// forecast is the summary of a dry run in one line.
func (s *screen) forecast(r sync.Report) string {
	words := []string{fmt.Sprintf("would copy %s of %s listed", humanize.Comma(int64(s.would)), plural(r.Listed, "message"))}
	words = append(words, s.elsewhere(s.folders)...)
	add(&words, r.Known, "known")
	add(&words, r.Quarantined, "refused earlier")
	add(&words, r.Recognised, "found at the destination")
	add(&words, r.Refused, "refused")
	add(&words, r.InDoubt, "in doubt")
	add(&words, r.Left-s.would, "left")
	add(&words, r.Deletable, "would be deleted at the source")
	if s.atOnce && !s.again && s.would > 0 {
		words = append(words, "of the new what is read back would be deleted too")
	}
	return strings.Join(words, ", ") + " (nothing was changed)"
}

// foldersShown is how many folders the summary names; --json has them all.
const foldersShown = 5

// elsewhere says how many messages went to other folders than the account's.
func (s *screen) elsewhere(folders map[string]int) (words []string) {
	others := 0
	for _, name := range slices.Sorted(maps.Keys(folders)) {
		if name == s.home || name == "" {
			continue
		}
		if others++; others <= foldersShown {
			words = append(words, fmt.Sprintf("%s of them to %s", humanize.Comma(int64(folders[name])), sync.Clean(name)))
		}
	}
	if others > foldersShown {
		words = append(words, fmt.Sprintf("and to %s more", plural(others-foldersShown, "folder")))
	}
	return words
}

// tally is the summary in one line.
func (s *screen) tally(r sync.Report) string {
	words := []string{plural(r.Listed, "message") + " listed"}
	add(&words, r.Known, "known")
	add(&words, r.Quarantined, "refused earlier")
	switch tried := r.New - r.Left + r.Missing; {
	case s.again && tried == 0 && r.Err == nil:
		words[0] = "nothing to retry: " + words[0]
	case r.Copied == 0 && r.New == 0:
		words = append(words, "nothing new")
	default:
		words = append(words, fmt.Sprintf("%s copied (%s)", humanize.Comma(int64(r.Copied)), humanize.IBytes(uint64(r.Bytes))))
	}
	words = append(words, s.elsewhere(r.Folders)...)
	add(&words, r.Recognised, "found at the destination")
	add(&words, r.Refused, "refused")
	add(&words, r.Vanished, "vanished")
	add(&words, r.InDoubt+r.Missing, "in doubt")
	left := "left"
	if s.again {
		left = "left to sync"
	}
	add(&words, r.Left, left)
	add(&words, r.Deleted, "deleted at the source")
	return fmt.Sprintf("%s, in %s", strings.Join(words, ", "), r.Took.Round(10*time.Millisecond))
}

// add adds what there is any of.
func add(words *[]string, n int, what string) {
	if n > 0 {
		*words = append(*words, humanize.Comma(int64(n))+" "+what)
	}
}

func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return humanize.Comma(int64(n)) + " " + noun
}
