package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pop2imap/pop2imap/sync"
)

// kept is a keyring in memory; with err it is broken.
type kept struct {
	secrets map[string]string
	err     error
}

func (k kept) Get(label string) (string, error) {
	if k.err != nil {
		return "", k.err
	}
	if secret, ok := k.secrets[label]; ok {
		return secret, nil
	}
	return "", ErrNotKept
}

func (k kept) Set(label, secret string) error { k.secrets[label] = secret; return k.err }
func (k kept) Delete(label string) error      { delete(k.secrets, label); return k.err }

// got is a secret as a run gets it.
func got(t *testing.T, s *Secret, ask func(string) (string, error)) (string, error) {
	t.Helper()
	if err := s.Ask(t.Context(), ask); err != nil {
		return "", err
	}
	return s.Get(t.Context(), os.Stderr)
}

// Of several places for a password the error names the one that has none.
func TestEmptySecretSaysWhose(t *testing.T) {
	file := filepath.Join(t.TempDir(), "old")
	if err := os.WriteFile(file, []byte("\npassword\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		secret       Secret
		want, remedy string
	}{
		{Secret{File: file}, "the first line of " + file + " is empty", "write the password there"},
		{Secret{Command: "true", side: "from"}, "the command in --from-password-command printed none", "run it by hand"},
	} {
		_, err := got(t, &c.secret, nil)
		if e, ok := errors.AsType[*sync.Error](err); !ok || !strings.HasSuffix(e.Err.Error(), c.want) || !strings.HasPrefix(e.Advice(), c.remedy) {
			t.Errorf("got %v, want %q, and what to do: %s", err, c.want, c.remedy)
		}
	}
}

func TestSecrets(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file("alice.from", "from systemd\n", 0o440) // it has an access list, which shows as the group's mode
	all := map[string]string{"POP2IMAP_FROM_PASSWORD": "from env", "CREDENTIALS_DIRECTORY": dir}
	credentials := map[string]string{"CREDENTIALS_DIRECTORY": dir}
	ring := kept{secrets: map[string]string{"alice.from": "from the keyring"}}
	ask := func(prompt string) (string, error) { return "asked with " + prompt, nil }
	for _, c := range []struct {
		name    string
		secret  Secret
		env     map[string]string
		keyring kept
		ask     func(string) (string, error)
		want    string // "": an error of class Config
	}{
		{"a file", Secret{File: file("a", "pass word \r\nsecond line\n", 0o600), Command: "echo no"}, all, ring, ask, "pass word "},
		{"a file without a line end", Secret{File: file("b", "x", 0o400)}, nil, kept{}, nil, "x"},
		{"an empty file", Secret{File: file("c", "\n", 0o600)}, nil, kept{}, ask, ""},
		{"a file for the group", Secret{File: file("d", "x", 0o640)}, nil, kept{}, ask, ""},
		{"a file for all", Secret{File: file("e", "x", 0o604)}, nil, kept{}, ask, ""},
		{"no such file", Secret{File: dir + "/none"}, nil, kept{}, ask, ""},
		{"a command", Secret{Command: "printf 'a b\\nc\\n'"}, all, ring, nil, "a b"},
		{"a command that fails", Secret{Command: "echo x; exit 1"}, nil, kept{}, ask, ""},
		{"a command without end", Secret{Command: "yes"}, nil, kept{}, ask, ""},
		{"the environment", Secret{}, all, ring, ask, "from env"},
		{"the keyring", Secret{}, credentials, ring, ask, "from the keyring"},
		{"systemd's credentials", Secret{}, credentials, kept{}, ask, "from systemd"},
		{"a broken keyring goes before nothing", Secret{}, credentials, kept{err: errors.New("locked")}, ask, "from systemd"},
		{"a prompt", Secret{who: "a at h"}, nil, kept{}, ask, "asked with Password for a at h: "},
		{"nowhere", Secret{}, nil, kept{}, nil, ""},
	} {
		c.secret.label, c.secret.variables = "alice.from", []string{"POP2IMAP_FROM_PASSWORD"}
		c.secret.getenv, c.secret.keyring = func(name string) string { return c.env[name] }, &Ring{Keyring: c.keyring}
		got, err := got(t, &c.secret, c.ask)
		if got != c.want || (c.want == "") != (err != nil) {
			t.Errorf("%s: got %q, %v", c.name, got, err)
		}
		if err != nil && sync.ClassOf(err) != sync.Config {
			t.Errorf("%s: class %v", c.name, sync.ClassOf(err))
		}
	}
}

// TestPasswordGoesToItsOwnServerOnly: what the environment and the keyring have for one account no other gets.
func TestPasswordGoesToItsOwnServerOnly(t *testing.T) {
	env := map[string]string{"POP2IMAP_FROM_PASSWORD": "common", "POP2IMAP_MY_OFFICE_FROM_PASSWORD": "its own"}
	ring := kept{secrets: map[string]string{"alice.from": "of account alice", "alice@h.from": "of alice at h"}}
	for _, c := range []struct {
		name    string
		account *Account
		from    string
		env     map[string]string
		alone   bool
		want    string // "": none
	}{
		{"one account", &Account{Name: "bob"}, "pop3s://a@h", env, true, "common"},
		{"several accounts", &Account{Name: "bob"}, "pop3s://a@h", env, false, ""},
		{"its own variable", &Account{Name: "my-office"}, "pop3s://a@h", env, false, "its own"},
		{"its own variable before the common one", &Account{Name: "my-office"}, "pop3s://a@h", env, true, "its own"},
		{"the keyring by the account", &Account{Name: "alice"}, "pop3s://alice@h", nil, false, "of account alice"},
		{"--from: the keyring by user and host", nil, "pop3s://alice@h", nil, true, "of alice at h"},
		{"--from: another host", nil, "pop3s://alice@evil", nil, true, ""},
		{"--from: another port", nil, "pop3s://alice@h:1995", nil, true, ""},
	} {
		j := Job{Account: c.account, From: End{Side: "from"}, To: End{Side: "to"}}
		var err error
		if j.From.Endpoint, err = ParseFrom(c.from); err != nil {
			t.Fatal(err)
		}
		j.Prepare(func(name string) string { return c.env[name] }, &Ring{Keyring: ring}, c.alone)
		got, err := got(t, &j.From.Secret, nil)
		if got != c.want || (c.want == "") != (err != nil) {
			t.Errorf("%s: got %q, %v, want %q", c.name, got, err, c.want)
		}
	}
}

// TestKeyringThatFailedIsNotAskedAgain: the second account does not wait for what the first has waited for.
func TestKeyringThatFailedIsNotAskedAgain(t *testing.T) {
	r, asked := Ring{}, 0
	for _, fails := range []error{ErrNotKept, errors.New("locked"), nil} {
		r.Do(t.Context(), func() error { asked++; return fails })
	}
	if asked != 2 {
		t.Errorf("asked %d times, want 2: a password that is not there is no failure", asked)
	}
}

func TestKeyringThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		err := new(Ring).Do(t.Context(), func() error { <-t.Context().Done(); return nil })
		if err == nil || !strings.Contains(err.Error(), "is it locked?") || time.Since(began) != keyringTime {
			t.Errorf("got %v after %s", err, time.Since(began))
		}
	})
}

func TestNoSessionBusNoKeyring(t *testing.T) {
	if _, err := os.Stat("/run/user"); err == nil {
		t.Skip("there may be a bus in /run/user")
	}
	_, err := SystemKeyring{Getenv: func(string) string { return "" }}.Get("alice.from")
	if err == nil || !strings.Contains(err.Error(), "no session bus") {
		t.Errorf("got %v", err)
	}
}
