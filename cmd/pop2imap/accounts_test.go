package main

import (
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
	stdsync "sync"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/pflag"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/sync"
)

// accounts N [wrong-password=I] [no-host=I] [bad-certificate=I]: config.toml has N accounts a01, a02, …; each has a maildrop of
// its own with five messages, and a folder of its name at $TO.
func startAccounts(ts *testscript.TestScript, _ bool, args []string) {
	e := serving(ts)
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	text := "[defaults]\nfrom_password_command = \"printenv PASSWORD\"\nto_password_command = \"printenv PASSWORD\"\n"
	for i := 1; i <= n; i++ {
		is := func(fault string) bool { return slices.Contains(args, fmt.Sprintf("%s=%d", fault, i)) }
		tls := e.ca.Good.Config
		if is("bad-certificate") {
			tls = e.ca.Expired.Config
		}
		s, err := lab.StartPOP3(lab.POP3Options{User: "alice", Password: password, TLS: tls, Implicit: true})
		ts.Check(err)
		e.others = append(e.others, s)
		s.SetMail(lab.Sample()[:5])
		_, port := s.Addr()
		if is("no-host") {
			port = 1
		}
		text += fmt.Sprintf("\n[accounts.a%02d]\nfrom = \"pop3s://alice@127.0.0.1:%d\"\nto = \"%s/a%02d\"\n", i, port, ts.Getenv("TO"), i)
		if is("wrong-password") {
			text += "from_password_command = \"echo wrong\"\n"
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs("config.toml"), []byte(text), 0o600))
	ts.Setenv("POP2IMAP_CONFIG", ts.MkAbs("config.toml"))
}

// cat-account FILE NAME FROM TO: a config file gets one more account.
func catAccount(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0]) + fmt.Sprintf("\n[accounts.%s]\nfrom = %q\nto = %q\n", args[1], args[2], args[3])
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// candidates makes them of pairs FROM TO.
func candidates(t *testing.T, pairs ...string) (list []*candidate) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		job := new(config.Job)
		f := pflag.NewFlagSet("", pflag.ContinueOnError)
		job.Register(f)
		if err := f.Parse([]string{"--from", pairs[i], "--to", pairs[i+1]}); err != nil {
			t.Fatal(err)
		}
		if err := job.Check(); err != nil {
			t.Fatal(err)
		}
		list = append(list, &candidate{job: job, account: account{name: strconv.Itoa(i / 2)}})
	}
	return list
}

// TestDispatch begins accounts one by one until no more may, and ends the oldest, again and again: which ones run together
// is then no matter of time.
func TestDispatch(t *testing.T) {
	for _, c := range []struct {
		name  string
		jobs  int
		pairs []string
		want  string // as they begin; "|": none may before one has ended
	}{
		{"one after the other, in order", 1, []string{"pop3s://a@h", "imaps://a@i", "pop3s://b@k", "imaps://b@i", "pop3s://c@l", "imaps://c@i"}, "0|1|2|"},
		{"as many as --jobs says", 2, []string{"pop3s://a@h", "imaps://a@i", "pop3s://b@k", "imaps://b@i", "pop3s://c@l", "imaps://c@i"}, "01|2||"},
		{"two at a host, and others go on", 4, []string{"pop3s://a@h", "imaps://a@i", "pop3s://b@h", "imaps://b@i", "pop3s://c@h", "imaps://c@i", "pop3s://d@k", "imaps://d@i"}, "013|2|||"},
		{"another port is another host", 4, []string{"pop3s://a@h", "imaps://a@i", "pop3s://b@h", "imaps://b@i", "pop3://c@h", "imaps://c@i"}, "012|||"},
		{"one maildrop into two folders", 4, []string{"pop3s://a@h", "imaps://a@i", "pop3s://a@h", "imaps://a@i/X"}, "0|1|"},
		{"two maildrops into one folder", 4, []string{"pop3s://a@h", "imaps://a@i", "pop3s://b@k", "imap://a@i"}, "0|1|"},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := candidates(t, c.pairs...)
			synctest.Test(t, func(t *testing.T) {
				began, end := make(chan int, len(list)), make([]chan bool, len(list))
				for i := range end {
					end[i] = make(chan bool)
				}
				go dispatch(list, c.jobs, nil, func(i int) {
					began <- i
					<-end[i]
				})
				got, running := "", []int{}
				for synctest.Wait(); ; synctest.Wait() { // until nothing moves any more
					var now []int
					for len(began) > 0 {
						now = append(now, <-began)
					}
					slices.Sort(now)
					for _, i := range now {
						got += strconv.Itoa(i)
					}
					if running = append(running, now...); len(running) == 0 {
						break
					}
					got += "|"
					end[running[0]] <- true
					running = running[1:]
				}
				if got != c.want {
					t.Errorf("they began as %s, want %s", got, c.want)
				}
			})
		})
	}
}

// TestManyAtOnce counts what is at work at any time, with all the machine has.
func TestManyAtOnce(t *testing.T) {
	var pairs []string
	for i := range 200 {
		pairs = append(pairs, fmt.Sprintf("pop3s://u%d@h%d", i, i%3), fmt.Sprintf("imaps://u%d@i", i))
	}
	list := candidates(t, pairs...)
	var mu stdsync.Mutex
	hosts, all, did := map[string]int{}, 0, 0
	dispatch(list, 5, nil, func(i int) {
		host := list[i].job.From.Endpoint.Host
		count := func(n int) {
			mu.Lock()
			defer mu.Unlock()
			hosts[host] += n
			all += n
			if hosts[host] > 2 || all > 5 {
				t.Errorf("%d at %s, %d in all", hosts[host], host, all)
			}
		}
		count(1)
		count(-1)
		mu.Lock()
		did++
		mu.Unlock()
	})
	if did != len(list) {
		t.Errorf("%d of %d accounts were worked on", did, len(list))
	}
}

// TestPanicStaysInItsAccount: the others are worked on, and the exit code of that one is 70.
func TestPanicStaysInItsAccount(t *testing.T) {
	var out bytes.Buffer
	list := candidates(t, "pop3s://a@h", "imaps://a@i", "pop3s://b@k", "imaps://b@i", "pop3s://c@l", "imaps://c@i")
	r := &round{program: &program{}, sig: &signalled{stop: make(chan struct{})}}
	term := &terminal{out: &out, err: &out}
	screens := term.open(list)
	exits := make([]int, len(list))
	dispatch(list, 3, r.sig.stop, func(i int) {
		exits[i], _ = r.contained(t.Context(), list[i], screens[i], func(_ context.Context, _ *round, c *candidate, s *screen, err error) (int, any) {
			if c == list[1] && err == nil {
				panic("what?")
			}
			report := sync.Report{Err: err}
			s.summary(report, false)
			return reportExit(report), nil
		})
	})
	if want := []int{0, 70, 0}; !slices.Equal(exits, want) {
		t.Errorf("exit codes %v, want %v", exits, want)
	}
	for _, want := range []string{"1  panic: what?", "what to do:  report it", "0  0 messages listed", "2  0 messages listed"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got\n%s\nwant %s", out.String(), want)
		}
	}
}

// TestStopReachesAllAccounts stops the program while two accounts have a batch at the server and a third waits for them:
// each finishes its batch, and the third does not begin.
func TestStopReachesAllAccounts(t *testing.T) {
	ca, err := lab.NewTLS()
	if err != nil {
		t.Fatal(err)
	}
	has, goOn := make(chan bool, 2), make(chan bool) // a server has the second message; it may go on
	var text strings.Builder
	var mailboxes []*lab.IMAP
	var maildrops []*lab.POP3
	for i := range 3 {
		maildrop, err := lab.StartPOP3(lab.POP3Options{User: "alice", Password: password, TLS: ca.Good.Config, Implicit: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(maildrop.Close)
		maildrop.SetMail(lab.Sample()[:5])
		appends := 0
		mailbox, err := lab.StartIMAP(lab.IMAPOptions{User: "alice", Password: password, TLS: ca.Good.Config, Implicit: true,
			RefuseAppend: func(int64, []byte) error {
				if appends++; appends == 2 {
					has <- true
					<-goOn
				}
				return nil
			}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(mailbox.Close)
		mailboxes, maildrops = append(mailboxes, mailbox), append(maildrops, maildrop)
		_, from := maildrop.Addr()
		_, to := mailbox.Addr()
		fmt.Fprintf(&text, "[accounts.a%d]\nfrom = \"pop3s://alice@127.0.0.1:%d\"\nto = \"imaps://alice@127.0.0.1:%d\"\n", i, from, to)
		fmt.Fprintf(&text, "from_tls_fingerprint = \"sha256:%s\"\nto_tls_fingerprint = \"sha256:%[1]s\"\n", ca.Good.Fingerprint)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("pop2imap", "sync", "--jobs", "2", "--config", filepath.Join(dir, "config.toml"), "--state", filepath.Join(dir, "state.db"),
		"--from-password-command", "printenv PASSWORD", "--to-password-command", "printenv PASSWORD")
	cmd.Env = append(os.Environ(), "PASSWORD="+password)
	var talk strings.Builder
	said := &lines{to: &talk, line: make(chan string, 100)}
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-has
	<-has
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if line := <-said.line; !strings.Contains(line, "3 accounts  stopping") {
		t.Errorf("it says %q", line)
	}
	close(goOn)
	err = cmd.Wait()
	if e, ok := errors.AsType[*exec.ExitError](err); !ok || e.ExitCode() != 143 {
		t.Errorf("%v, want exit code 143\n%s", err, talk.String())
	}
	for i, want := range []int{5, 5, 0} {
		if stored, err := mailboxes[i].Messages("INBOX"); err != nil || len(stored) != want {
			t.Errorf("account %d: %d messages stored, %v, want %d", i, len(stored), err, want)
		}
	}
	if n := maildrops[2].Connections(); n != 0 {
		t.Errorf("%d connections of the account that was waiting", n)
	}
	if want := "a2  stopped before it began"; !strings.Contains(talk.String(), want) {
		t.Errorf("got\n%s\nwant %s", talk.String(), want)
	}
}
