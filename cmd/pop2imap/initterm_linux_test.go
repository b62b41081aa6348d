package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pop2imap/pop2imap/internal/lab"
)

// A seat is a terminal with somebody at it, who sees what is written there.
type seat struct {
	t    *testing.T
	user *os.File // his side
	seen bytes.Buffer
}

// openTerminal gives a terminal, and the seat at it.
func openTerminal(t *testing.T) (terminal *os.File, s *seat) {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { user.Close() })
	number, err := unix.IoctlGetInt(int(user.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(user.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return terminal, &seat{t: t, user: user}
}

// sitDown starts a command at a terminal of its own.
func sitDown(t *testing.T, cmd *exec.Cmd) *seat {
	t.Helper()
	terminal, s := openTerminal(t)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return s
}

// reads waits for the words, behind those that it waited for before.
func (s *seat) reads(words string) {
	s.t.Helper()
	var text []byte
	for one := make([]byte, 1); !bytes.HasSuffix(text, []byte(words)); {
		if !s.something() {
			s.t.Fatalf("never saw %q, but %q", words, text)
		}
		if _, err := s.user.Read(one); err != nil {
			s.t.Fatalf("never saw %q in\n%s", words, text)
		}
		text = append(text, one[0])
		s.seen.WriteByte(one[0])
	}
}

// something waits until there is something to read, but not for ever.
func (s *seat) something() bool {
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(s.user.Fd()), Events: unix.POLLIN}}, 20_000)
		if err != unix.EINTR {
			return n > 0
		}
	}
}

func (s *seat) types(text string) {
	s.t.Helper()
	if _, err := s.user.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

// typesUnseen types what the terminal, which has asked for it, must not show.
func (s *seat) typesUnseen(text string) {
	s.t.Helper()
	if s.echoes() {
		s.t.Error("the terminal asks, and shows what is typed")
	}
	s.types(text)
}

// echoes says whether the terminal shows what is typed.
func (s *seat) echoes() bool {
	s.t.Helper()
	mode, err := unix.IoctlGetTermios(int(s.user.Fd()), unix.TCGETS)
	if err != nil {
		s.t.Fatal(err)
	}
	return mode.Lflag&unix.ECHO != 0
}

// atTerminal gives init for two servers, and their URLs.
func atTerminal(t *testing.T) (cmd *exec.Cmd, from, to, home string) {
	ca, err := lab.NewTLS()
	if err != nil {
		t.Fatal(err)
	}
	maildrop, err := lab.StartPOP3(lab.POP3Options{User: "alice", Password: password, TLS: ca.Good.Config, Implicit: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(maildrop.Close)
	mailbox, err := lab.StartIMAP(lab.IMAPOptions{User: "alice", Password: password, TLS: ca.Good.Config, Implicit: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mailbox.Close)
	home = t.TempDir()
	pem := filepath.Join(home, "ca.pem")
	if err := os.WriteFile(pem, ca.PEM, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd = exec.Command("pop2imap", "init", "--from-address", "alice@old.example")
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME=", "SSL_CERT_FILE="+pem)
	_, popPort := maildrop.Addr()
	_, imapPort := mailbox.Addr()
	return cmd, fmt.Sprintf("pop3s://alice@127.0.0.1:%d", popPort), fmt.Sprintf("imaps://alice@127.0.0.1:%d", imapPort), home
}

// Somebody at a terminal may get things wrong, and the terminal never shows a password.
func TestInitAtTerminal(t *testing.T) {
	cmd, from, to, home := atTerminal(t)
	s := sitDown(t, cmd)
	whole := strings.Replace(from, "alice@", "alice@old.example@", 1)
	s.reads("The new address (IMAP): ")
	s.types("alice at new.example\n")
	s.reads("one looks like alice@example.org\r\nThe new address (IMAP): ")
	s.types("alice@new.example\n")
	s.reads("The old server, as pop3s://USER@HOST: ")
	s.types(whole + "\n")
	s.reads("The new server, as imaps://USER@HOST/FOLDER: ")
	s.types(to + "\n")
	s.reads("Password for alice@old.example at 127.0.0.1 (empty: a command prints it): ")
	s.typesUnseen("not the p4ssword\n")
	s.reads("Password for alice at 127.0.0.1 (empty: a command prints it): ")
	s.typesUnseen("not the p4ssword\n")
	s.reads("cannot log in to 127.0.0.1 as alice@old.example")
	s.reads("Password for alice@old.example at 127.0.0.1, once more (empty: another user or server): ")
	s.typesUnseen("\n")
	s.reads("  2  " + from + "  (without the domain)")
	s.reads("number or pop3s://USER@HOST [1]: ")
	s.types("2\n")
	s.reads("Password for alice at 127.0.0.1 (empty: a command prints it): ")
	s.typesUnseen(password + "\n")
	s.reads("Password for alice at 127.0.0.1, once more (empty: another user or server): ")
	s.typesUnseen(password + "\n")
	s.reads("pop2imap sync alice --dry-run")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if seen := s.seen.String(); strings.Contains(seen, "p4ssword") || strings.Contains(seen, password) {
		t.Errorf("the terminal shows a password:\n%s", seen)
	}
	kept, err := os.ReadFile(filepath.Join(home, ".config/pop2imap/alice.from"))
	if err != nil || string(kept) != password+"\n" {
		t.Errorf("the file of the password has %d octets, %v", len(kept), err)
	}
}

// upToLogins starts an init that has both addresses, and answers all that it asks before it tries the logins.
func upToLogins(t *testing.T, cmd *exec.Cmd, from, to string) *seat {
	t.Helper()
	s := sitDown(t, cmd)
	s.reads("The old server, as pop3s://USER@HOST: ")
	s.types(from + "\n")
	s.reads("The new server, as imaps://USER@HOST/FOLDER: ")
	s.types(to + "\n")
	for range 2 {
		s.reads("(empty: a command prints it): ")
		s.typesUnseen(password + "\n")
	}
	return s
}

// TestInitKeyring keeps one password in the keyring and the other in a file, and does then what init says is next. A second init of
// the same name does not overwrite what is in the keyring.
func TestInitKeyring(t *testing.T) {
	cmd, from, to, home := atTerminal(t)
	env := append(cmd.Env, "KEYRING="+filepath.Join(home, "ring"), "POP2IMAP_FROM_PASSWORD=", "POP2IMAP_TO_PASSWORD=")
	const keep = "Keep the password for 127.0.0.1 in the keyring, which cron has not, and not in a file [y/N]: "
	cmd.Env = env
	cmd.Args = append(cmd.Args, "--to-address", "alice@new.example")
	s := upToLogins(t, cmd, from, to)
	s.reads(keep)
	s.types("maybe\n")
	s.reads("it can be y or n\r\n" + keep)
	s.types("y\n")
	s.reads(keep)
	s.types("\n")
	s.reads("alice.from  kept in the keyring\r\n")
	s.reads("pop2imap sync alice --dry-run\r\n")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	for _, args := range [][]string{{"config", "validate"}, {"sync", "alice", "--dry-run"}} {
		next := exec.Command("pop2imap", args...)
		next.Env = env
		if out, err := next.CombinedOutput(); err != nil || strings.Contains(string(out), password) {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
	if _, err := os.Stat(filepath.Join(home, ".config/pop2imap/alice.from")); !os.IsNotExist(err) {
		t.Errorf("there is a file of the password in the keyring: %v", err)
	}
	other := filepath.Join(home, "other", "config.toml")
	again := exec.Command("pop2imap", append(cmd.Args[1:], "--config", other)...)
	again.Env = env
	s = upToLogins(t, again, from, to)
	s.reads("The keyring has a password alice.from, which is not overwritten: this one goes to a file.\r\n" + keep)
	s.types("n\n")
	s.reads("pop2imap sync alice --dry-run")
	if err := again.Wait(); err != nil {
		t.Error(err)
	}
}

// A server of the user's own: its certificate is trusted when he says so, and the config remembers it.
func TestInitPinsACertificate(t *testing.T) {
	cmd, from, to, home := atTerminal(t)
	cmd.Env = append(cmd.Env, "SSL_CERT_FILE=/dev/null", "SSL_CERT_DIR=/nowhere", "POP2IMAP_FROM_PASSWORD=", "POP2IMAP_TO_PASSWORD=")
	cmd.Args = append(cmd.Args, "--to-address", "alice@new.example")
	s := upToLogins(t, cmd, from, to)
	const trust = "Is it your own server, and that its fingerprint? Trust it from now on [y/N]: "
	for _, e := range []string{"old", "new"} {
		s.reads("the certificate of 127.0.0.1 is not trusted")
		s.reads(trust)
		if e == "old" { // no is no
			s.types("\n")
			s.reads("number or pop3s://USER@HOST [1]: ")
			s.types("1\n")
			s.reads("(empty: a command prints it): ")
			s.typesUnseen(password + "\n")
			s.reads(trust)
		}
		s.types("y\n")
		s.reads("The login at 127.0.0.1 works.")
	}
	s.reads("next, see what would be copied")
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(home, ".config", "pop2imap", "config.toml"))
	if err != nil || bytes.Count(text, []byte("_tls_fingerprint = \"sha256:")) != 2 {
		t.Errorf("%v\n%s", err, text)
	}
}

// Ctrl-C at the question for a password leaves no file behind, and a terminal that shows again what is typed.
func TestInitInterrupted(t *testing.T) {
	cmd, from, to, home := atTerminal(t)
	s := sitDown(t, cmd)
	s.reads("The new address (IMAP): ")
	s.types("alice@new.example\n")
	s.reads("The old server, as pop3s://USER@HOST: ")
	s.types(from + "\n")
	s.reads("The new server, as imaps://USER@HOST/FOLDER: ")
	s.types(to + "\n")
	s.reads("(empty: a command prints it): ")
	s.typesUnseen("\x03")
	cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 130 {
		t.Errorf("exit code %d, want 130", got)
	}
	if !s.echoes() {
		t.Error("the terminal does not show any more what is typed")
	}
	if _, err := os.Stat(filepath.Join(home, ".config")); !os.IsNotExist(err) {
		t.Errorf(".config is there: %v", err)
	}
}

// TestStoppedWhileAsking stops the program just when it asks for a password. The terminal shows what is typed afterwards, to
// whoever has it next, also when a line comes late.
func TestStoppedWhileAsking(t *testing.T) {
	stop := make(chan struct{})
	close(stop)
	for range 100 {
		terminal, s := openTerminal(t)
		_, err := (&program{stdio: stdio{terminal, terminal, terminal}}).asker(stop)("Password: ")
		if err == nil || exitCode(err) != 130 {
			t.Fatalf("error %v, want that it is stopped", err)
		}
		if !s.echoes() {
			t.Fatal("the terminal does not show any more what is typed")
		}
		s.types("late\n")
		s.reads("Password: \r\nlate\r\n")
		if !s.echoes() {
			t.Fatal("the terminal shows no more what is typed, after a late line")
		}
	}
}

// TestAnswerAtTerminal shows what a terminal gives as a password.
func TestAnswerAtTerminal(t *testing.T) {
	for _, c := range []struct{ name, typed, want, wrong string }{
		{"a line", "pass word\n", "pass word", ""},
		{"Enter alone", "\n", "", ""},
		{"corrected by backspace", "pasz\x7fs\n", "pass", ""},
		{"more than one line: the second is for the next question", "one\ntwo\n", "one", ""},
		{"Ctrl-D", "\x04", "", "read a password from the terminal: EOF"},
		{"Ctrl-D twice after some", "some\x04\x04", "some", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			terminal, s := openTerminal(t)
			ask := (&program{stdio: stdio{terminal, terminal, terminal}}).asker(nil)
			var got string
			var err error
			answered := make(chan struct{})
			go func() {
				defer close(answered)
				got, err = ask("Password: ")
			}()
			s.reads("Password: ")
			s.typesUnseen(c.typed)
			<-answered
			if got != c.want || (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("got %q, %v; want %q, %q", got, err, c.want, c.wrong)
			}
		})
	}
}
