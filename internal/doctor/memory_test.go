package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/trial"
	"github.com/pop2imap/pop2imap/state"
)

// remembered makes a state in which the account had a run that is over.
func (w *world) remembered(then func(context.Context, *state.Account)) {
	w.Helper()
	a, done := w.Memory()
	defer done()
	then(w.Context(), a)
}

// intents begins to store messages with these UIDLs.
func (w *world) intents(a *state.Account, uidls ...string) []int64 {
	w.Helper()
	var records []state.Record
	for _, u := range uidls {
		records = append(records, state.Record{UIDL: u, Folder: "INBOX", Listed: 20, Size: 20, Begun: time.Now()})
	}
	ids, err := a.Begin(w.Context(), records)
	if err != nil {
		w.Fatal(err)
	}
	return ids
}

// version makes a state that says that it is of that version.
func (w *world) version(n int) {
	w.Helper()
	w.remembered(func(context.Context, *state.Account) {})
	w.Edit(fmt.Sprintf("PRAGMA user_version = %d", n))
}

func must(t trial.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestState(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(*world)
		want string
	}{
		{"none yet, and folders to be made", func(w *world) { w.o.State = filepath.Join(filepath.Dir(w.o.State), "a", "b", "state.db") }, `
ok state: there is none yet: the first run makes DIR/state.db
ok from maildrop: 0 messages listed, 0 B; 0 to be copied, 0 B
`},
		{"of another account", func(w *world) {
			w.remembered(func(context.Context, *state.Account) {})
			w.o.Key.From = "bob@pop.example"
		}, `
ok state: DIR/state.db does not know this account yet: the first run enters it
ok from maildrop: 0 messages listed, 0 B; 0 to be copied, 0 B
`},
		{"one message delivered, two waiting", func(w *world) {
			w.remembered(func(ctx context.Context, a *state.Account) {
				must(w.T, a.Stored(ctx, []state.Place{{ID: w.intents(a, "a")[0], UIDValidity: 1, UID: 1}}, time.Now()))
			})
			w.POP.SetMail(mail("a", "b", "c"))
		}, `
ok state: DIR/state.db can be read; 1 message delivered, 0 of them read back at the destination
ok from maildrop: 3 messages listed, 60 B; 2 to be copied, 40 B
`},
		{"messages refused and in doubt", func(w *world) {
			w.remembered(func(ctx context.Context, a *state.Account) {
				ids := w.intents(a, "a", "b", "c")
				must(w.T, a.Refused(ctx, ids[0], "TOOBIG", "NO", time.Now(), time.Now().Add(time.Hour)))
			})
			w.POP.SetMail(mail("a", "b", "c", "d"))
		}, `
ok state: DIR/state.db can be read; 0 messages delivered, 0 of them read back at the destination
warning state: 1 message refused by the destination
  do: pop2imap status tells the server's reasons; pop2imap retry tries them now
warning state: 2 messages in doubt
  do: the next run finds out what can be found out; pop2imap status shows the rest
ok from maildrop: 4 messages listed, 80 B; 1 to be copied, 20 B
`},
		{"a run that was killed", func(w *world) {
			w.remembered(func(ctx context.Context, a *state.Account) {
				_, err := a.RunStarted(ctx, time.Now())
				must(w.T, err)
			})
		}, `
ok state: DIR/state.db can be read; 0 messages delivered, 0 of them read back at the destination
ok lock: the last run was interrupted: the next one settles what it left open
ok from maildrop: 0 messages listed, 0 B; 0 to be copied, 0 B
`},
		{"a run that is going on", func(w *world) {
			w.remembered(func(ctx context.Context, a *state.Account) {
				_, err := a.RunStarted(ctx, time.Now())
				must(w.T, err)
				unlock, err := a.Lock()
				must(w.T, err)
				w.Cleanup(unlock)
			})
		}, `
ok state: DIR/state.db can be read; 0 messages delivered, 0 of them read back at the destination
warning lock: a run of this account is going on: the maildrop is left to it
  do: wait until it is done, and run doctor again
`},
		{"others can read it", func(w *world) {
			w.remembered(func(context.Context, *state.Account) {})
			must(w.T, os.Chmod(w.o.State, 0o644))
		}, `
warning state: others can read DIR/state.db (mode 0644): it tells who gets how much mail
  do: chmod 600 DIR/state.db
ok state: DIR/state.db can be read; 0 messages delivered, 0 of them read back at the destination
ok from maildrop: 0 messages listed, 0 B; 0 to be copied, 0 B
`},
		{"of an older program", func(w *world) { w.version(1) }, `
ok state: DIR/state.db is of an older program: the first run brings it up to date, and leaves a backup of it
ok from maildrop: 0 messages listed, 0 B; 0 to be copied, 0 B
`},
		{"of a newer program", func(w *world) { w.version(999) }, `
failure state: state DIR/state.db: open: written by a newer program (version 999, this one knows N)
  do: use the newer pop2imap, or another file with --state
ok from maildrop: 0 messages listed, 0 B; 0 to be copied, 0 B
`},
		{"a file that is no state", func(w *world) { must(w.T, os.WriteFile(w.o.State, []byte("Dear diary"), 0o600)) }, `
failure state: state DIR/state.db: open: the state is damaged: file is not a database (26)
  do: restore it from a backup, or name another file with --state: what the destination holds is recognised then
ok from maildrop: 0 messages listed, 0 B; 0 to be copied, 0 B
`},
		{"a file in the place of its folder", func(w *world) {
			must(w.T, os.WriteFile(w.o.State, nil, 0o600))
			w.o.State = filepath.Join(w.o.State, "state.db")
		}, `
failure state: open the state: stat DIR/state.db: not a directory
  do: look at the disk: is it full, read-only, or another user's?
ok from maildrop: 0 messages listed, 0 B; 0 to be copied, 0 B
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := create(t, setting{mail: []lab.Mail{}})
			dir := filepath.Dir(w.o.State)
			c.make(w)
			before := names(t, dir)
			findings := slices.DeleteFunc(w.examine(t.Context()), func(f Finding) bool {
				return !slices.Contains([]string{"state", "lock", "maildrop"}, f.Check)
			})
			got := strings.ReplaceAll(w.print(findings, OK), dir, "DIR")
			if want := strings.TrimPrefix(c.want, "\n"); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			if n := w.POP.Connections(); c.name == "a run that is going on" && n > 0 {
				t.Errorf("%d connections to the maildrop", n)
			}
			if after := names(t, dir); !slices.Equal(before, after) {
				t.Errorf("there were %q, now there are %q", before, after)
			}
		})
	}
}

func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestFileSystem(t *testing.T) {
	if info, err := os.Stat("/dev/shm"); err != nil || !info.IsDir() {
		t.Skip("no /dev/shm")
	}
	if got := FileSystem("/dev/shm/not/there/state.db"); got != "tmpfs" {
		t.Errorf("got %q, want tmpfs", got)
	}
	if got := FileSystem("/proc/state.db"); got != "" {
		t.Errorf("got %q for what is neither in memory nor on a network", got)
	}
}
