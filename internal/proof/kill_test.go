package proof_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab/real"
)

// TestKilledBetweenRealServers ends the program by SIGKILL fifty times at moments that are drawn, while mail goes on arriving. Then
// it must come to the end with each of two thousand messages once.
func TestKilledBetweenRealServers(t *testing.T) {
	if !thorough() {
		t.Skip("make test-kill")
	}
	for _, to := range []real.Kind{real.Dovecot, real.Cyrus} {
		t.Run(string(to), func(t *testing.T) { killed(t, to) })
	}
}

func killed(t *testing.T, kind real.Kind) {
	m := &migration{T: t, from: real.Start(t, real.Dovecot, nil), to: real.Start(t, kind, nil)}
	var err error
	if m.program, err = program(); err != nil {
		t.Fatal(err)
	}
	if m.dir, err = os.MkdirTemp(scratch, "kill-"); err != nil {
		t.Fatal(err)
	}
	all := many(2000)
	come := 1000
	m.from.Put(t, all[:come])
	random := rand.New(rand.NewPCG(3, 0))
	for kills := 0; kills < 50; {
		// By the clock, while it begins or when it has settled what the one before left open; or at a step, after UIDL and LIST
		// have given a line for each message.
		wait := time.Duration(random.IntN(2))*settle + time.Duration(1+random.IntN(400))*time.Millisecond
		step := 0
		if random.IntN(3) > 0 {
			wait, step = time.Minute, 2*come+50+random.IntN(250)
		}
		if !m.killed(wait, step) {
			continue
		}
		kills++
		t.Logf("kill %d after %s or at step %d: %d of %d messages are at the destination", kills, wait, step,
			len(m.to.Stored(t, "INBOX")), come)
		m.from.Put(t, all[come:come+20])
		come += 20
	}
	m.ends()
	m.same(all)
	m.ends()
	m.same(all)
}

// many are messages of up to 20 KB, of which every tenth is the same as the one before.
func many(n int) [][]byte {
	all := make([][]byte, n)
	for i := range all {
		if i%10 == 9 {
			all[i] = all[i-1]
			continue
		}
		all[i] = sized(mail(fmt.Sprint(i)), 200+i*7919%20_000).Raw
	}
	return all
}

// settle has to outlast the process of Dovecot that goes on storing what a client had sent that is gone.
const settle = time.Second

// A migration is between two real servers.
type migration struct {
	*testing.T
	from, to *real.Server
	program  string
	dir      string
}

func (m *migration) command(ctx context.Context, out io.Writer) *exec.Cmd {
	cmd := exec.CommandContext(ctx, m.program, "sync", "--settle", settle.String(), "--state", filepath.Join(m.dir, "state.db"),
		"--from", fmt.Sprintf("pop3+insecure://%s@127.0.0.1:%d", m.from.User, m.from.POP3),
		"--to", fmt.Sprintf("imap+insecure://%s@127.0.0.1:%d", m.to.User, m.to.IMAP))
	cmd.Env = append(os.Environ(), "POP2IMAP_FROM_PASSWORD="+m.from.Password, "POP2IMAP_TO_PASSWORD="+m.to.Password)
	cmd.Stdout, cmd.Stderr = out, out
	return cmd
}

// killed runs the program until it has to be killed or kills itself, and says whether that happened before its end.
func (m *migration) killed(wait time.Duration, step int) bool {
	m.Helper()
	ctx, cancel := context.WithTimeout(m.Context(), wait)
	defer cancel()
	var said bytes.Buffer
	cmd := m.command(ctx, &said)
	if step > 0 {
		cmd.Env = append(cmd.Env, fmt.Sprintf("POP2IMAP_CRASH_AT=%d", step))
	}
	err := cmd.Run()
	if cmd.ProcessState == nil {
		m.Fatalf("start the program: %v", err)
	}
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() && status.Signal() == syscall.SIGKILL {
		return true
	}
	if !cmd.ProcessState.Success() {
		m.Fatalf("%v\n%s", err, said.String())
	}
	return false
}

// ends runs the program to its end.
func (m *migration) ends() {
	m.Helper()
	ctx, cancel := context.WithTimeout(m.Context(), 5*time.Minute)
	defer cancel()
	var said strings.Builder
	if err := m.command(ctx, &said).Run(); err != nil {
		m.Fatalf("%v\n%s\n%s", err, said.String(), m.to.Log())
	}
}

// same checks that the destination has each message as often as the source.
func (m *migration) same(want [][]byte) {
	m.Helper()
	missing := map[[32]byte]int{}
	for _, raw := range want {
		missing[sha256.Sum256(raw)]++
	}
	stored := m.to.Stored(m.T, "INBOX")
	for _, s := range stored {
		missing[sha256.Sum256(s.Raw)]--
	}
	lost, surplus := 0, 0
	for _, n := range missing {
		lost += max(n, 0)
		surplus += max(-n, 0)
	}
	if len(stored) != len(want) || lost+surplus > 0 {
		m.Errorf("%d messages of %d at the destination: %d are missing, %d too many", len(stored), len(want), lost, surplus)
	}
}
