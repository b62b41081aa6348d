// Package bench measures how fast the real command moves mail between real servers on this machine. It holds no code
// that the program uses: `make bench` runs it.
package bench

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab/real"
)

// BenchmarkDovecot moves 10,000 messages of 8 KB from Dovecot to Dovecot, over TLS at both ends, and then runs again
// with nothing new.
func BenchmarkDovecot(b *testing.B) {
	const messages, octets = 10_000, 8 << 10
	program := filepath.Join(b.TempDir(), "pop2imap")
	if out, err := exec.Command("go", "build", "-o", program, "../cmd/pop2imap").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	from, to := real.Start(b, real.Dovecot, nil), real.Start(b, real.Dovecot, nil)
	from.Put(b, letters(messages, octets))
	sync := func() {
		cmd := exec.Command(program, "sync", "--state", filepath.Join(b.TempDir(), "state.db"),
			"--from", fmt.Sprintf("pop3s://%s@127.0.0.1:%d", from.User, from.POP3S), "--from-tls-ca", from.CA,
			"--to", fmt.Sprintf("imaps://%s@127.0.0.1:%d/Bench", to.User, to.IMAPS), "--to-tls-ca", to.CA)
		cmd.Env = append(os.Environ(), "POP2IMAP_FROM_PASSWORD="+from.Password, "POP2IMAP_TO_PASSWORD="+to.Password)
		if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("10,000 messages listed")) {
			b.Fatalf("%v\n%s", err, out)
		}
	}
	for b.Loop() {
		sync()
	}
	b.ReportMetric(float64(messages*b.N)/b.Elapsed().Seconds(), "messages/s")
	b.ReportMetric(float64(messages*octets*b.N)/b.Elapsed().Seconds()/1e6, "MB/s")
	if got := len(to.Stored(b, "Bench")); got != messages*b.N {
		b.Fatalf("%d messages at the destination, want %d", got, messages*b.N)
	}
}

// letters makes messages of that many octets each, all different.
func letters(n, octets int) (mail [][]byte) {
	line := []byte("The quick brown fox jumps over the lazy dog, again and again, and never twice.\n")
	for i := range n {
		m := fmt.Appendf(nil, "Received: from a.example.com by b.example.com; Mon, 02 Mar 2020 %02d:%02d:%02d +0000\n"+
			"From: bob@example.com\nTo: alice@example.org\nSubject: letter %d\nMessage-ID: <%d@example.com>\n\n",
			i/3600, i/60%60, i%60, i, i)
		m = append(m, bytes.Repeat(line, octets/len(line)+1)...)
		mail = append(mail, append(m[:octets-1:octets-1], '\n'))
	}
	return mail
}
