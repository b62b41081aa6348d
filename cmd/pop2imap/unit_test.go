package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/discover"
	"github.com/pop2imap/pop2imap/internal/lab"
)

// TestServiceUnit runs the command line of the systemd unit as systemd would for the account alice: with the config in its place,
// the credentials that the unit loads, the state's folder, and nothing else in the environment.
func TestServiceUnit(t *testing.T) {
	unit, err := os.ReadFile("../../packaging/pop2imap@.service")
	if err != nil {
		t.Fatal(err)
	}
	ca, err := lab.NewTLS()
	if err != nil {
		t.Fatal(err)
	}
	maildrop, err := lab.StartPOP3(lab.POP3Options{User: "alice", Password: "old " + password, TLS: ca.Good.Config, Implicit: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(maildrop.Close)
	maildrop.SetMail(lab.Sample()[:5])
	mailbox, err := lab.StartIMAP(lab.IMAPOptions{User: "alice", Password: "new " + password, TLS: ca.Good.Config, Implicit: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mailbox.Close)
	dir := t.TempDir()
	_, from := maildrop.Addr()
	_, to := mailbox.Addr()
	write(t, filepath.Join(dir, "config.toml"), fmt.Sprintf("[accounts.alice]\nfrom = \"pop3s://alice@127.0.0.1:%d\"\n"+
		"to = \"imaps://alice@127.0.0.1:%d\"\nfrom_tls_fingerprint = \"sha256:%s\"\nto_tls_fingerprint = \"sha256:%[3]s\"\n",
		from, to, ca.Good.Fingerprint))

	fill := strings.NewReplacer("%i", "alice", "%S", dir, "/etc/pop2imap/config.toml", filepath.Join(dir, "config.toml"))
	secrets := map[string]string{"/etc/pop2imap/alice.from": "old " + password, "/etc/pop2imap/alice.to": "new " + password}
	for _, m := range regexp.MustCompile(`(?m)^LoadCredential=([^:]+):(.+)$`).FindAllStringSubmatch(string(unit), -1) {
		write(t, filepath.Join(dir, fill.Replace(m[1])), secrets[fill.Replace(m[2])])
	}
	line := regexp.MustCompile(`(?m)^ExecStart=/usr/bin/pop2imap (.+)$`).FindStringSubmatch(string(unit))
	if line == nil {
		t.Fatal("the unit starts nothing")
	}
	env := func(name string) string { return map[string]string{"CREDENTIALS_DIRECTORY": dir}[name] }
	var out, talk bytes.Buffer
	exit := run(t.Context(), strings.Fields(fill.Replace(line[1])), env, drawer(""), discover.Lookup{}, stdio{os.Stdin, &out, &talk})
	stored, err := mailbox.Messages("INBOX")
	if exit != 0 || out.String()+talk.String() != "" || len(stored) != 5 || err != nil {
		t.Errorf("exit %d, %d messages stored (%v), want 0, 5 and no word; it says\n%s%s", exit, len(stored), err, out.String(), talk.String())
	}
	if _, err := os.Stat(filepath.Join(dir, "pop2imap", "alice", "state.db")); err != nil {
		t.Errorf("the state is not where the unit has its folder: %v", err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
