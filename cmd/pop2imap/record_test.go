package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	stdsync "sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/internal/lab"
)

var record = flag.Bool("record", false, "write docs/terminal.md")

// A stage is one account between two servers, that can be told to be slow, busy, or to refuse something.
type stage struct {
	env []string

	maildrop *lab.POP3

	mu      stdsync.Mutex
	stored  int
	hold    int           // the message at which the mailbox waits for goOn; 0: none
	goOn    chan struct{} // as long as it is open
	waiting chan bool     // it waits
	cutAt   string        // the command at which the maildrop's line dies
	busy    int           // so many logins find the maildrop in use; one after the line died
}

// oldMail are messages of usual sizes.
func oldMail(n int) (list []lab.Mail) {
	for i := range n {
		body := bytes.Repeat([]byte("What was written years ago, and is still kept.\r\n"), 100+37*i%900)
		list = append(list, lab.Mail{UIDL: fmt.Sprintf("letter-%03d", i+1),
			Raw: fmt.Appendf(nil, "Message-ID: <%d@example.org>\r\nDate: 3 Mar 2025 10:00:00 +0100\r\n\r\n%s", i, body)})
	}
	return list
}

const virus = "Message-ID: <virus@example.org>\r\n\r\nX5O!P%\r\n"

func (m *stage) pop3(_ int, line string) (string, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.cutAt != "" && strings.HasPrefix(line, m.cutAt):
		m.cutAt, m.busy = "", 3
		return "", true
	case m.busy > 0 && strings.HasPrefix(line, "PASS "):
		m.busy--
		return "-ERR [IN-USE] another session has the maildrop\r\n", false
	}
	return "", false
}

func (m *stage) append(_ int64, raw []byte) error {
	m.mu.Lock()
	m.stored++
	goOn, waits := m.goOn, m.stored == m.hold
	m.mu.Unlock()
	if waits {
		m.waiting <- true
		<-goOn
	}
	if string(raw) == virus {
		return &imap.Error{Type: imap.StatusResponseTypeNo, Code: "CONTENTREJECTED", Text: "this looks like a virus"}
	}
	return nil
}

// holdAt has the mailbox wait before so many more messages are stored, until the function that it gives is called.
func (m *stage) holdAt(n int) (goOn func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stored, m.hold, m.goOn, m.waiting = 0, n, make(chan struct{}), make(chan bool, 1)
	return stdsync.OnceFunc(func() { close(m.goOn) })
}

// waits until the mailbox waits.
func (m *stage) waits(t *testing.T) {
	select {
	case <-m.waiting:
	case <-time.After(2 * time.Minute):
		t.Fatal("the mailbox got too few messages")
	}
}

func setStage(t *testing.T, mail []lab.Mail) *stage {
	m := &stage{}
	ca, err := lab.NewTLS()
	if err != nil {
		t.Fatal(err)
	}
	m.maildrop, err = lab.StartPOP3(lab.POP3Options{User: "alice", Password: password, TLS: ca.Good.Config, Implicit: true, Hook: m.pop3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.maildrop.Close)
	m.maildrop.SetMail(mail)
	mailbox, err := lab.StartIMAP(lab.IMAPOptions{User: "alice", Password: password, TLS: ca.Good.Config, Implicit: true, RefuseAppend: m.append})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mailbox.Close)
	_, popPort := m.maildrop.Addr()
	_, imapPort := mailbox.Addr()
	dir := t.TempDir()
	config := filepath.Join(dir, "config.toml")
	text := fmt.Sprintf("[accounts.alice]\nfrom = \"pop3s://alice@localhost:%d\"\nto = \"imaps://alice@localhost:%d\"\n", popPort, imapPort)
	for path, text := range map[string]string{config: text, filepath.Join(dir, "ca.pem"): string(ca.PEM)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m.env = []string{"POP2IMAP_CONFIG=" + config, "POP2IMAP_STATE=" + filepath.Join(dir, "state.db"), "SSL_CERT_FILE=" + filepath.Join(dir, "ca.pem"),
		"POP2IMAP_FROM_PASSWORD=" + password, "POP2IMAP_TO_PASSWORD=" + password, "POP2IMAP_SETTLE=1s",
		"POP2IMAP_RATE=2M"} // or it would be over before the bar knows how fast it goes
	return m
}

// A recording is a document with what was to be seen.
type recording struct {
	strings.Builder
	*pane
}

// shot waits until the pane shows an expression, and puts what it shows then into the document.
func (r *recording) shot(words, what string) {
	r.t.Helper()
	screen := r.shows(what)
	fmt.Fprintf(r, "\n%s\n\n", words)
	for line := range strings.Lines(screen + "\n") {
		r.WriteString(strings.TrimRight("    "+strings.TrimRight(line, "\n"), " ") + "\n")
	}
}

// anew is an empty screen.
func (r *recording) anew(columns int, command string) {
	r.resize(columns)
	r.types("clear; tmux -S " + r.socket + " clear-history; tmux -S " + r.socket + " wait-for -S clean")
	r.tmux("wait-for", "clean")
	r.shows(`\A\$\z`)
	r.types(command)
}

const preface = `# What it looks like

Captures of a terminal, made by running the program between two servers of the laboratory (` + "`internal/lab`" + `) in tmux,
at ` + "`--rate 2M`" + `; the servers fail as it is wanted. A test holds the page to them; it is made again by

    go test ./cmd/pop2imap -run TestRecording -args -record

## A first run
`

// TestRecording makes docs/terminal.md again, and compares it with what is there, or writes that.
func TestRecording(t *testing.T) {
	t.Parallel()
	m := setStage(t, oldMail(400))
	r := &recording{pane: openPane(t, 80, m.env)}
	r.WriteString(preface)
	goOn := m.holdAt(150)
	r.anew(80, "pop2imap sync alice")
	r.shot("In 80 columns there are messages, octets, speed and the time that is left. The bar has the room that they leave:", `^alice [1-9]\d+/400, .* left .*\|`)
	goOn()
	r.shot("When it is over the bar is gone:", `400 copied.*\n\$$`)

	r.WriteString("\n## A second run\n")
	r.anew(80, "pop2imap sync alice")
	r.shot("", `nothing new.*\n\$$`)

	r.WriteString("\n## In 40 columns\n")
	m.maildrop.SetMail(oldMail(500))
	goOn = m.holdAt(60)
	r.anew(40, "pop2imap sync alice")
	r.shot("What matters least is left out. The terminal may be made narrower or wider at any time.", `^alice [1-9]\d*/100, .* left$`)
	goOn()
	r.shows(`in \S+s\n\$$`)

	r.WriteString("\n## A line that is lost, and a maildrop that is in use\n")
	m.maildrop.SetMail(oldMail(600))
	m.mu.Lock()
	m.cutAt = "RETR 570"
	m.mu.Unlock()
	r.anew(80, "pop2imap sync alice")
	r.shot("It says why it pauses and for how long, which is longer each time; the bar counts down:", `(?s:(IN-USE.*){3})^alice .*paused 00:0[1-9]`)
	r.shot("and goes on:", `copied.*\n\$$`)

	r.WriteString("\n## Asked by a signal\n")
	m.maildrop.SetMail(oldMail(800))
	goOn = m.holdAt(150)
	r.anew(80, "pop2imap sync alice --progress never &")
	m.waits(t)
	r.types("kill -USR1 $!; wait")
	r.shot("", `^  alice  copying.*$`)
	goOn()
	r.shows(`200 copied.*\n[^$]*\$\z`)

	r.WriteString("\n## Ctrl-C\n")
	m.maildrop.SetMail(oldMail(1000))
	goOn = m.holdAt(50)
	r.anew(80, "pop2imap sync alice --progress never; echo \"exit code $?\"")
	m.waits(t)
	r.tmux("send-keys", "C-c")
	r.shows(`once more`)
	goOn()
	r.shot("Once: what is under way is finished and remembered, and the next run goes on from there:", `exit code.*\n\$$`)
	r.anew(80, "pop2imap sync alice --progress never")
	r.shows(`in \S+s\n\$$`)

	r.WriteString("\n## A message that is refused\n")
	m.maildrop.SetMail(append(oldMail(1000), lab.Mail{UIDL: "virus", Raw: []byte(virus)}))
	r.anew(80, "pop2imap sync alice; echo \"exit code $?\"")
	r.shot("", `exit code.*\n\$$`)

	r.WriteString("\n## A wrong password\n")
	r.anew(80, "POP2IMAP_FROM_PASSWORD=mistyped pop2imap sync alice; echo \"exit code $?\"")
	r.shot("", `exit code.*\n\$$`)
	if strings.Contains(r.String(), password) {
		t.Fatal("a password is in it")
	}
	text := strings.ReplaceAll(r.String(), "\n\n\n", "\n")
	path := filepath.Join(repository, "docs", "terminal.md")
	if *record {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	there, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if likeness(text) != likeness(string(there)) {
		t.Errorf("it looks otherwise than docs/terminal.md has it (go test ./cmd/pop2imap -run TestRecording -args -record):\n%s", text)
	}
}

// likeness is a recording without what is another each time: numbers, where they make a line break, and how far a bar is.
func likeness(text string) string {
	text = regexp.MustCompile(`[\s█]+`).ReplaceAllString(text, "")
	return regexp.MustCompile(`[0-9.,:]+([KMG]iB|ms|s)?`).ReplaceAllString(text, "N")
}
