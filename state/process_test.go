package state

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The test binary is also the other process: what POP2IMAP_STATE_TEST names, it does to the state in os.Args[1].
const asked = "POP2IMAP_STATE_TEST"

func TestMain(m *testing.M) {
	if what := os.Getenv(asked); what != "" {
		if err := others[what](context.Background(), os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// others is what another process can do. It tells its parent of each thing done in a line.
var others = map[string]func(ctx context.Context, path string) error{
	"commit": func(ctx context.Context, path string) error {
		a, err := theirs(ctx, path)
		for i := 0; err == nil; i++ {
			var ids []int64
			if ids, err = a.Begin(ctx, []Record{sample(fmt.Sprint(i))}); err == nil {
				fmt.Println("begun", ids[0])
				if err = a.Stored(ctx, at(ids[0], 1, uint32(i+1)), noon); err == nil {
					fmt.Println("stored", ids[0])
				}
			}
		}
		return err
	},
	"open": func(ctx context.Context, path string) error {
		bufio.NewReader(os.Stdin).ReadString('\n') // all start at once
		a, err := theirs(ctx, path)
		if err != nil {
			return err
		}
		_, err = a.Begin(ctx, []Record{sample("mine")})
		return err
	},
	"batch": func(ctx context.Context, path string) error {
		a, err := theirs(ctx, path)
		for i := 0; err == nil; i++ {
			var ids []int64
			if ids, err = a.Begin(ctx, slices.Repeat([]Record{sample(fmt.Sprint(i))}, 10)); err == nil {
				fmt.Println("begun", ids[9])
			}
		}
		return err
	},
	"lock": func(ctx context.Context, path string) error {
		a, err := theirs(ctx, path)
		if err != nil {
			return err
		}
		if _, err := a.Lock(); err != nil {
			return err
		}
		fmt.Println("locked")
		bufio.NewReader(os.Stdin).ReadString('\n') // until the parent ends it
		return nil
	},
}

// theirs opens the account that the parent knows as "alice" too.
func theirs(ctx context.Context, path string) (*Account, error) {
	s, err := Open(ctx, path)
	if err != nil {
		return nil, err
	}
	return s.Account(ctx, "alice", Key{"alice@pop.example", "alice@imap.example"})
}

// A process is another one that works on a state.
type process struct {
	*exec.Cmd
	in  *os.File
	out *bufio.Reader
	err bytes.Buffer
}

func start(t *testing.T, what, path string) *process {
	t.Helper()
	p := &process{Cmd: exec.CommandContext(t.Context(), os.Args[0], path)}
	p.Env = append(os.Environ(), asked+"="+what)
	in, feed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.Stdin, p.in, p.out, p.Stderr = in, feed, bufio.NewReader(out), &p.err
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	t.Cleanup(func() { feed.Close() })
	return p
}

// kill ends a process with SIGKILL and gives the lines it had written that were not read yet.
func (p *process) kill(t *testing.T) (lines []string) {
	t.Helper()
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for {
		line, err := p.out.ReadString('\n')
		if err != nil {
			p.Wait() // says "killed"
			return lines
		}
		lines = append(lines, strings.TrimSpace(line))
	}
}

func (p *process) line(t *testing.T) string {
	t.Helper()
	line, err := p.out.ReadString('\n')
	if err != nil {
		p.Wait()
		t.Fatalf("the other process: %v: %s", err, p.err.String())
	}
	return strings.TrimSpace(line)
}

func TestWhatWasCommittedSurvivesSIGKILL(t *testing.T) {
	for _, n := range []int{1, 2, 7, 100, 501} { // lines read before the kill, the last ones between Begin and Stored
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			p := start(t, "commit", path)
			var told []string
			for range n {
				told = append(told, p.line(t))
			}
			told = append(told, p.kill(t)...)

			phase := map[int64]Phase{}
			for _, r := range all(t, account(t, reopened(t, path))) {
				phase[r.ID] = r.Phase
				i, _ := strconv.Atoi(r.UIDL)
				want := sample(r.UIDL)
				want.ID, want.Phase = r.ID, r.Phase
				if r.Phase == PhaseStored {
					want.UIDValidity, want.UID, want.Ended = 1, uint32(i+1), noon
				}
				if r != want {
					t.Errorf("got  %+v\nwant %+v", r, want)
				}
			}
			var last int64
			for _, line := range told {
				word, number, _ := strings.Cut(line, " ")
				id, err := strconv.ParseInt(number, 10, 64)
				if err != nil {
					t.Fatalf("the other process said %q", line)
				}
				last = id
				if got := phase[id]; got == none || word == "stored" && got != PhaseStored {
					t.Errorf("record %d was %s, and is %v now", id, word, got)
				}
			}
			if most := int(last) + 1; len(phase) > most { // the one it was at may be there, untold
				t.Errorf("got %d records, want %d at most", len(phase), most)
			}
		})
	}
}

func TestABatchSurvivesSIGKILLWholeOrNotAtAll(t *testing.T) {
	for _, n := range []int{1, 3, 30} {
		path := filepath.Join(t.TempDir(), "state.db")
		p := start(t, "batch", path)
		var told []string
		for range n {
			told = append(told, p.line(t))
		}
		told = append(told, p.kill(t)...)
		var last int
		if _, err := fmt.Sscanf(told[len(told)-1], "begun %d", &last); err != nil {
			t.Fatalf("the other process said %q", told)
		}
		if got := len(all(t, account(t, reopened(t, path)))); got != last && got != last+10 {
			t.Errorf("got %d records, want %d, or the 10 more that it was at", got, last)
		}
	}
}

func TestFourProcessesOpenAMissingStateAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "state.db")
	var ps []*process
	for range 4 {
		ps = append(ps, start(t, "open", path))
	}
	for _, p := range ps {
		p.in.Close()
	}
	for _, p := range ps {
		if err := p.Wait(); err != nil {
			t.Errorf("%v: %s", err, p.err.String())
		}
	}
	s := reopened(t, path)
	if as, err := s.Accounts(t.Context()); err != nil || len(as) != 1 {
		t.Errorf("got %d accounts (%v), want 1", len(as), err)
	}
	if rs := all(t, account(t, s)); len(rs) != 4 {
		t.Errorf("got %d records, want 4", len(rs))
	}
	if got := files(t, filepath.Dir(path)); slices.ContainsFunc(got, func(name string) bool {
		return strings.Contains(name, ".part")
	}) {
		t.Errorf("left over: %q", got)
	}
}

func TestLockDiesWithItsProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	p := start(t, "lock", path)
	p.line(t)
	a := account(t, reopened(t, path))
	if _, err := a.Lock(); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "alice") {
		t.Errorf("while the other process lives: got %v, want ErrLocked with the account", err)
	}
	p.kill(t)
	unlock, err := a.Lock()
	if err != nil {
		t.Fatalf("after its death: %v", err)
	}
	unlock()
}

func TestReadOnlyWhileAnotherProcessWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	p := start(t, "commit", path)
	defer p.kill(t)
	for range 20 {
		p.line(t) // begun
		stored := p.line(t)
		s, err := OpenReadOnly(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		a, err := s.Find(t.Context(), Key{"alice@pop.example", "alice@imap.example"})
		if err != nil {
			t.Fatal(err)
		}
		c, err := a.Counts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(stored, "stored ") || c.Delivered == 0 {
			t.Fatalf("after %q: %+v", stored, c)
		}
		if id, _ := strconv.Atoi(stored[len("stored "):]); c.Delivered < id {
			t.Errorf("after %q only %d are stored", stored, c.Delivered)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
