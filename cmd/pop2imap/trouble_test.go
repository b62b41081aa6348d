package main

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

// clock stands still at a time such as 2026-11-25 03:00; "" is the real one.
func clock(at string) func() time.Time {
	if at == "" {
		return time.Now
	}
	t, err := time.ParseInLocation(minutes, at, time.Local)
	if err != nil {
		panic(err)
	}
	return func() time.Time { return t }
}

// A quietRound is a round with --quiet whose accounts end as a test says.
type quietRound struct {
	*round
	list []*candidate
	said bytes.Buffer
}

func newQuietRound(t *testing.T) *quietRound {
	t.Helper()
	store, err := state.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return &quietRound{round: &round{program: &program{now: clock("2026-11-25 03:00")}, wish: &wish{}, store: store},
		list: candidates(t, "pop3s://a@h", "imaps://a@i")}
}

// ends has the account end with an error, and gives what is said.
func (q *quietRound) ends(t *testing.T, err error) string {
	t.Helper()
	q.said.Reset()
	report := sync.Report{Err: err, Listed: 3, New: 3, Left: 3}
	s := newScreen(&terminal{look: look{quiet: true}, out: &q.said, err: &q.said}, q.list[0])
	q.conclude(t.Context(), q.list[0], s, report, reportExit(report))
	return q.said.String()
}

var (
	errAway = &sync.Error{Class: sync.Temporary, Err: errors.New("h is away"), Server: "-ERR [SYS/TEMP] later", Remedy: "call them"}
	errTerm = &stopped{&sync.Error{Class: sync.Stopped, Err: errors.New("terminated")}, 143}
)

func TestComplaint(t *testing.T) {
	q := newQuietRound(t)
	q.list[0].job.ComplainAfter = config.Span(time.Hour)
	if said := q.ends(t, errAway); said != "" {
		t.Errorf("it says %q at once", said)
	}
	q.now = clock("2026-11-25 04:00")
	if got, want := q.ends(t, errAway), "0  no run got through since 2026-11-25 03:00 (1 h, 2 runs): h is away: server said: -ERR [SYS/TEMP] later; "+
		"3 messages waiting; what to do: call them; nothing more is said until it is over\n"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestStoppedRunIsNoTrouble, and ends none.
func TestStoppedRunIsNoTrouble(t *testing.T) {
	q := newQuietRound(t)
	if said := q.ends(t, errTerm); !strings.HasPrefix(said, "0  terminated\n") {
		t.Errorf("it says %q", said)
	}
	if list, err := q.store.Accounts(t.Context()); len(list) != 0 || err != nil {
		t.Errorf("%d accounts are remembered, %v", len(list), err)
	}
	q.ends(t, errAway)
	q.ends(t, errTerm)
	q.now = clock("2026-11-25 09:00")
	q.ends(t, errTerm)
	if said := q.ends(t, errAway); !strings.Contains(said, "since 2026-11-25 03:00 (6 h, 2 runs)") {
		t.Errorf("it says %q", said)
	}
}

// TestWhatCannotBeRememberedIsSaid: each time, with what is wrong with the state.
func TestWhatCannotBeRememberedIsSaid(t *testing.T) {
	q := newQuietRound(t)
	q.ends(t, errAway)
	if err := q.store.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		said := q.ends(t, errAway)
		for _, want := range []string{"0  h is away\n", "  server said: -ERR [SYS/TEMP] later\n", "  what to do:  call them\n", "\n0  state ", "\n  what to do:  look at the disk"} {
			if !strings.Contains(said, want) {
				t.Errorf("it says\n%s\nwithout %q", said, want)
			}
		}
	}
}

func TestExtent(t *testing.T) {
	for _, c := range []struct {
		long time.Duration
		runs int
		want string
	}{
		{0, 1, "1 run"}, {59 * time.Second, 2, "2 runs"}, {-time.Hour, 1, "1 run"}, {time.Minute, 2, "1 min, 2 runs"},
		{6 * time.Hour, 25, "6 h, 25 runs"}, {8*time.Hour + 15*time.Minute + 59*time.Second, 33, "8 h 15 min, 33 runs"},
		{51*time.Hour + time.Minute, 1234, "2 d 3 h, 1,234 runs"}, {48*time.Hour + time.Minute, 3, "2 d, 3 runs"},
	} {
		began := time.Unix(0, 0)
		if got := extent(state.Trouble{Began: began, Runs: c.runs}, began.Add(c.long)); got != c.want {
			t.Errorf("%v: got %q, want %q", c.long, got, c.want)
		}
	}
}
