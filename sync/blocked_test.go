package sync_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/sync"
)

func patient(o *sync.Options) { o.Patience = time.Minute }

// A message that the one server cannot give, or the other not take, now or ever, stops no other one.
func TestMessageThatBlocks(t *testing.T) {
	a, b, c, d := mail("a"), mail("b"), mail("c"), mail("d")
	dated := as(b, "b")
	dated.Raw = bytes.Replace(b.Raw, []byte("10:00:00"), []byte("11:11:11"), 1)
	for name, f := range map[string]struct {
		pop   lab.POP3Options
		imap  lab.IMAPOptions
		words string
	}{
		"the line is lost as it is retrieved": {pop: lab.POP3Options{Hook: func(_ int, line string) (string, bool) {
			return "", line == "RETR 2"
		}}, words: "4 sessions in a row ended at it: "},
		"the line is lost as it is stored": {imap: lab.IMAPOptions{Hook: func(_ int, command string) lab.Fate {
			if strings.HasPrefix(command, "APPEND ") && strings.Contains(command, "11:11:11") {
				return lab.Cut
			}
			return lab.Execute
		}}, words: "4 sessions in a row ended at it: "},
		"the server always has trouble with it": {imap: refusing("This is b", no(imap.ResponseCodeServerBug)), words: "NO [SERVERBUG]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := create(t, f.pop, f.imap, a, dated, c, d)
			r := w.run(patient)
			w.wants(r, "4 listed, 4 new, 3 copied, 1 refused")
			if r.Err != nil || len(r.Refusals) != 1 || !strings.HasPrefix(r.Refusals[0].Server, f.words) {
				t.Errorf("got %v, refusals %+v, want one with %q", r.Err, r.Refusals, f.words)
			}
			w.Holds(a, c, d)
			w.wants(w.run(), "4 listed, 3 known, 1 quarantined")
			w.wants(w.run(patient, func(o *sync.Options) { o.Retry = true }), "4 listed, 3 known, 1 new, 1 refused")
			if got := w.Records(); len(got) != 4 {
				t.Errorf("got %d records, want 4", len(got))
			}
		})
	}
}

// Where none gets through it is not the first one that is to blame: all keep waiting, and for a while their order is kept.
func TestServerThatBlocks(t *testing.T) {
	for name, c := range map[string]struct {
		sessions int
		want     string
	}{
		"twice": {2, "4 listed, 4 new, 4 copied"}, "three times": {3, "4 listed, 4 new, 4 copied"}, "ever": {99, "4 listed, 4 new, 4 left"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := 0
			o := lab.IMAPOptions{RefuseAppend: func(int64, []byte) error {
				if now > c.sessions {
					return nil
				}
				return no(imap.ResponseCodeUnavailable)
			}}
			o.Hook = func(session int, _ string) lab.Fate {
				now = session
				return lab.Execute
			}
			w := create(t, lab.POP3Options{}, o, letters(4)...)
			r := w.run(patient)
			if got := counts(r); got != c.want || (r.Err == nil) != (r.Left == 0) {
				t.Errorf("got %s (%v), want %s", got, r.Err, c.want)
			}
			if c.sessions < 3 {
				w.Holds(letters(4)...)
			}
		})
	}
}
