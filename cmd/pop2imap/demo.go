package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/pop2imap/pop2imap/internal/lab"
)

// Who has the mail in the demo. Nobody else can log in, and the servers are gone a second later.
const (
	demoUser     = "alice@example.org"
	demoPassword = "not a secret"
	demoFolder   = "Old mail"
)

func (p *program) demo() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "The whole job on embedded servers with sample mail",
		Long: `demo starts a POP3 server with a few dozen sample messages and an empty IMAP
server, both inside this program and on this machine only, runs sync twice, and
shows what is in the mailbox then. It needs nothing and leaves nothing behind.`,
		Example: `  pop2imap demo`,
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return p.show(cmd.Context()) },
	}
}

// show is the demo.
func (p *program) show(ctx context.Context) error {
	ca, err := lab.NewTLS()
	if err != nil {
		return err
	}
	maildrop, err := lab.StartPOP3(lab.POP3Options{User: demoUser, Password: demoPassword, TLS: ca.Good.Config, Implicit: true})
	if err != nil {
		return fmt.Errorf("start the POP3 server: %w", err)
	}
	defer maildrop.Close()
	maildrop.SetMail(lab.Sample())
	mailbox, err := lab.StartIMAP(lab.IMAPOptions{User: demoUser, Password: demoPassword, TLS: ca.Good.Config, Implicit: true})
	if err != nil {
		return fmt.Errorf("start the IMAP server: %w", err)
	}
	defer mailbox.Close()
	dir, err := os.MkdirTemp("", "pop2imap-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	_, popPort := maildrop.Addr()
	_, imapPort := mailbox.Addr()
	args := []string{"sync",
		"--from", fmt.Sprintf("pop3s://%s@127.0.0.1:%d", demoUser, popPort),
		"--to", fmt.Sprintf("imaps://%s@127.0.0.1:%d/%s", demoUser, imapPort, strings.ReplaceAll(demoFolder, " ", "%20"))}
	hidden := []string{"--config", os.DevNull, "--state", filepath.Join(dir, "state.db"),
		"--from-tls-fingerprint", "sha256:" + ca.Good.Fingerprint, "--to-tls-fingerprint", "sha256:" + ca.Good.Fingerprint}
	fmt.Fprintf(p.out, "A POP3 server with %d messages and an empty IMAP server run inside this program.\n", len(maildrop.Mail()))
	for _, title := range []string{"The first run copies everything:", "The second run finds nothing new:"} {
		fmt.Fprintf(p.out, "\n%s\n\n  $ pop2imap %s\n\n", title, strings.Join(args, " "))
		sync := &program{getenv: p.demoEnvironment, keyring: p.keyring, lookup: p.lookup, stdio: p.stdio, fileSystem: noSystem}
		if p.exit = sync.run(ctx, append(args, hidden...)); p.exit != 0 {
			return nil
		}
	}
	return p.compare(maildrop, mailbox)
}

// demoEnvironment has the passwords, what is known of the terminal, and nothing that the user may have set for real runs.
func (p *program) demoEnvironment(name string) string {
	switch {
	case strings.HasSuffix(name, "_PASSWORD"):
		return demoPassword
	case name == "TERM" || name == "NO_COLOR":
		return p.getenv(name)
	}
	return ""
}

// noSystem is the file system of a state that is not meant to last.
func noSystem(string) string { return "" }

// compare prints what is in the folders, and whether it is what was in the maildrop.
func (p *program) compare(maildrop *lab.POP3, mailbox *lab.IMAP) error {
	fmt.Fprint(p.out, "\nIn the mailbox now:\n\n")
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  FOLDER\tARRIVED\tSIZE\tFLAGS")
	sent := maildrop.Mail()
	taken := make([]bool, len(sent))
	all, same := 0, 0
	for _, folder := range mailbox.Folders() {
		stored, err := mailbox.Messages(folder)
		if err != nil {
			return err
		}
		for _, m := range stored {
			fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", folder, m.Date.Format("2006-01-02 15:04:05 -0700"),
				humanize.IBytes(uint64(m.Size)), strings.Join(m.Flags, " "))
		}
		all += len(stored)
		same += inOrder(stored, sent, taken)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(p.out, "\n%d messages in the maildrop, %d in the mailbox, %d of them the same octet for octet and in the same order.\n",
		len(sent), all, same)
	if same != len(sent) || same != all {
		return fmt.Errorf("the mailbox is not what it should be")
	}
	return nil
}

// inOrder counts the messages of a folder that are, in their order, among those that were sent and not taken yet.
func inOrder(stored []lab.Stored, sent []lab.Mail, taken []bool) (same int) {
	at := 0
	for _, m := range stored {
		for ; at < len(sent); at++ {
			if !taken[at] && bytes.Equal(m.Raw, canonical(sent[at].Raw)) {
				taken[at] = true
				same++
				break
			}
		}
	}
	return same
}

// canonical is a message as POP3 sends it: each line ends in CRLF.
func canonical(raw []byte) []byte {
	raw = bytes.ReplaceAll(bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
	if len(raw) > 0 && !bytes.HasSuffix(raw, []byte("\n")) {
		raw = append(raw, "\r\n"...)
	}
	return raw
}
