package main

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/pop2imap/pop2imap/internal/units"
	"github.com/pop2imap/pop2imap/sync"
)

// refusalsShown is how many refused messages are told one by one; status has them all.
const refusalsShown = 10

// summary ends the account: what came of it on stdout, what went wrong on stderr.
func (s *screen) summary(r sync.Report, dry bool) {
	s.over(cameOf(r))
	s.wrong(r, dry)
	if r.Err != nil {
		s.failed(r.Err, aftermath(r))
	}
	text := s.tally(r)
	if dry {
		text = s.forecast(r)
	}
	s.keep(says(slog.LevelInfo, s.name, text, counts(r)...))
	if s.quiet || s.json || r.Err != nil && r.Listed == 0 {
		return
	}
	s.result("%s  %s", s.name, text)
}

// unsaid ends an account whose error nobody is to be bothered with. Only the file of the log has it.
func (s *screen) unsaid(r sync.Report) {
	s.over(cameOf(r))
	s.keep(failing(s.name, s.name, r.Err).with("now", "", aftermath(r)))
	s.keep(says(slog.LevelInfo, s.name, s.tally(r), counts(r)...))
}

// counts are those of a run for the log, by the names that --json has for them.
func counts(r sync.Report) []slog.Attr {
	return []slog.Attr{slog.Int("exit", reportExit(r)), slog.Int("listed", r.Listed), slog.Int("known", r.Known), slog.Int("new", r.New),
		slog.Int("copied", r.Copied), slog.Int("recognised", r.Recognised), slog.Int("refused", r.Refused), slog.Int("in_doubt", r.InDoubt),
		slog.Int("vanished", r.Vanished), slog.Int("left", r.Left), slog.Int("quarantined", r.Quarantined), slog.Int("deleted", r.Deleted),
		slog.Int64("bytes", r.Bytes), slog.Float64("seconds", r.Took.Seconds())}
}

// over takes what the account has not done out of the bar; the last one takes the bar away.
func (s *screen) over(came string) {
	s.change(func(p *part) {
		p.plan(0, 0)
		p.pause(time.Time{}, "")
		p.came = came
		if s.left--; s.left <= 0 {
			s.lower()
		}
	})
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
	s.tell(failing(s.name, s.name, err).with("now", "", now))
}

// wrong says what is wrong with single messages.
func (s *screen) wrong(r sync.Report, dry bool) {
	s.refused(r.Refusals)
	if r.Vanished > 0 {
		s.tell(says(slog.LevelWarn, s.name, fmt.Sprintf("vanished: the maildrop lists %s and does not give them", units.Plural(r.Vanished, "message"))).
			with("remedy", "what to do:  ", "nothing: the next run asks again"))
	}
	if n := r.InDoubt + r.Missing; n > 0 && r.Err == nil && !dry {
		s.tell(says(slog.LevelWarn, s.name, fmt.Sprintf("in doubt: %s sent, and not found at the destination", units.Plural(n, "message"))).
			with("remedy", "what to do:  ", "pop2imap status tells which; look for them there, or send them again with pop2imap retry"))
	}
}

// refused tells the first refused messages, and behind the last of them what to do.
func (s *screen) refused(list []sync.Outcome) {
	var told []entry
	for i, o := range list {
		if i == refusalsShown {
			told = append(told, says(slog.LevelWarn, s.name, fmt.Sprintf("… and %d more", len(list)-i)))
			break
		}
		told = append(told, says(slog.LevelWarn, s.name, fmt.Sprintf("refused: message %q of %d octets stays at the source", o.UIDL, size(o)),
			slog.String("uidl", o.UIDL)).with("server", "server said: ", o.Server))
	}
	for i, e := range told {
		if i == len(told)-1 {
			e = e.with("remedy", "what to do:  ", "mend what the server says, if you can; later runs try again, and pop2imap retry does at once")
		}
		s.tell(e)
	}
}

// aftermath says how things are after an error.
func aftermath(r sync.Report) string {
	var words []string
	say := func(n int, what string) {
		if n > 0 {
			words = append(words, units.Plural(n, "message")+" "+what)
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
	most := ""
	if r.AtMost && s.would > 0 {
		most = "at most "
	}
	words := []string{fmt.Sprintf("would copy %s%s of %s listed", most, humanize.Comma(int64(s.would)), units.Plural(r.Listed, "message"))}
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
		words = append(words, fmt.Sprintf("and to %s more", units.Plural(others-foldersShown, "folder")))
	}
	return words
}

// tally is the summary in one line.
func (s *screen) tally(r sync.Report) string {
	if r.Err != nil && r.Listed == 0 {
		return "it ended before the maildrop was listed"
	}
	words := []string{units.Plural(r.Listed, "message") + " listed"}
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
	add(&words, r.Changed, "changed by the server")
	left := "left"
	if s.again {
		left = "left to sync"
	}
	words = append(words, others(r, left)...)
	return fmt.Sprintf("%s, in %s", strings.Join(words, ", "), r.Took.Round(10*time.Millisecond))
}

// others says what became of the messages that were not copied, and of what was deleted.
func others(r sync.Report, left string) (words []string) {
	add(&words, r.Recognised, "found at the destination")
	add(&words, r.Refused, "refused")
	add(&words, r.Vanished, "vanished")
	add(&words, r.InDoubt+r.Missing, "in doubt")
	add(&words, r.Left, left)
	add(&words, r.Deleted, "deleted at the source")
	return words
}

// add adds what there is any of.
func add(words *[]string, n int, what string) {
	if n > 0 {
		*words = append(*words, humanize.Comma(int64(n))+" "+what)
	}
}
