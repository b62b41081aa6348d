package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/pop2imap/pop2imap/sync"
)

// ofRun are the flags of a run in these tests, and where their values go.
func ofRun() (*pflag.FlagSet, *Run) {
	f, r := pflag.NewFlagSet("test", pflag.ContinueOnError), new(Run)
	r.RegisterCopying(f)
	return f, r
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func find(t *testing.T, text string) (*File, error) {
	t.Helper()
	flags, _ := ofRun()
	return Find(write(t, text), flags, func(string) string { return "" })
}

// sourcesOf tells where the settings of the first account come from, by their key.
func sourcesOf(t *testing.T, said *Said) map[string]Source {
	t.Helper()
	list, err := said.OfAccount(said.File.Accounts[0])
	if err != nil {
		t.Fatal(err)
	}
	from := map[string]Source{}
	for _, s := range list {
		from[s.Key] = s.Source
	}
	return from
}

const ends = "from = \"pop3s://a@h\"\nto = \"imaps://b@i\"\n"

// No shell has seen what stands in the file and in the environment.
func TestPathsAtHome(t *testing.T) {
	t.Setenv("HOME", "/home/alice")
	file, err := find(t, "[accounts.alice]\n"+ends+"from_password_file = \"~/old\"\nflags_from = [\"~/.thunderbird/x\", \"imaps://a@h\"]\n"+
		"folder = \"~/x\"\n")
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"POP2IMAP_STATE": "~/s.db", "POP2IMAP_TO_PASSWORD_FILE": "~alice/new"}
	flags, run := ofRun()
	said, err := Hear(flags, file, func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	job, err := said.Job(file.Accounts[0], (*Job).Register)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{job.From.Secret.File, job.FlagsFrom[0], job.FlagsFrom[1], job.Folder, run.State, job.To.Secret.File}
	want := []string{"/home/alice/old", "/home/alice/.thunderbird/x", "imaps://a@h", "~/x", "/home/alice/s.db", "~alice/new"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// A variable is one text, and a flag that may be repeated takes several.
func TestListsInTheEnvironment(t *testing.T) {
	file, err := find(t, "[accounts.alice]\n"+ends)
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"POP2IMAP_IDENTITY": "a@h, b@h", "POP2IMAP_FLAGS_FROM": "imaps://a@h"}
	flags, _ := ofRun()
	said, err := Hear(flags, file, func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	job, err := said.Job(file.Accounts[0], (*Job).Register)
	if err != nil || !slices.Equal(job.Identities, []string{"a@h", "b@h"}) || !slices.Equal(job.FlagsFrom, []string{"imaps://a@h"}) {
		t.Errorf("got %q, %q, %v", job.Identities, job.FlagsFrom, err)
	}
}

// TestPrecedence: a flag goes before the environment, that before the account, that before [defaults].
func TestPrecedence(t *testing.T) {
	file, err := find(t, "[defaults]\nsettle = \"4s\"\ntimeout = \"4s\"\npatience = \"4s\"\nmax_messages = 4\njobs = 7\n"+
		"[accounts.alice]\n"+ends+"settle = \"3s\"\ntimeout = \"3s\"\npatience = \"3s\"\n")
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"POP2IMAP_SETTLE": "2s", "POP2IMAP_TIMEOUT": "2s"}
	f, r := ofRun()
	new(Job).Register(f)
	if err := f.Parse([]string{"--settle", "1s"}); err != nil {
		t.Fatal(err)
	}
	said, err := Hear(f, file, func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	j, err := said.Job(file.Accounts[0], (*Job).Register)
	if err != nil {
		t.Fatal(err)
	}
	from := sourcesOf(t, said)
	if got, want := []time.Duration{j.Settle, j.Timeout, j.Patience}, []time.Duration{time.Second, 2 * time.Second, 3 * time.Second}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if j.MaxMessages != 4 || r.Jobs != 7 || j.Name() != "alice" {
		t.Errorf("max_messages %d, want 4; jobs %d, want 7; name %s", j.MaxMessages, r.Jobs, j.Name())
	}
	for flag, want := range map[string]Source{"settle": {"flag", 0}, "timeout": {"environment", 0}, "patience": {"account", 12},
		"max-messages": {"defaults", 5}, "verify": {}, "from": {"account", 8}} {
		if from[key(flag)] != want {
			t.Errorf("%s comes from %+v, want %+v", flag, from[key(flag)], want)
		}
	}
}

// TestNearerPasswordWins: of two ways to a password the one that is said nearer to the command counts.
func TestNearerPasswordWins(t *testing.T) {
	file, err := find(t, "[defaults]\nto_password_command = \"c\"\n[accounts.alice]\n"+ends+"from_password_file = \"f\"\nto_password_file = \"f\"\n")
	if err != nil {
		t.Fatal(err)
	}
	f, _ := ofRun()
	new(Job).Register(f)
	if err := f.Parse([]string{"--from-password-command", "x"}); err != nil {
		t.Fatal(err)
	}
	said, err := Hear(f, file, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	j, err := said.Job(file.Accounts[0], (*Job).Register)
	if err != nil {
		t.Fatal(err)
	}
	if s := j.From.Secret; s.File != "" || s.Command != "x" {
		t.Errorf("from: file %q, command %q, want the command of the flag", s.File, s.Command)
	}
	if s := j.To.Secret; s.File != "f" || s.Command != "" {
		t.Errorf("to: file %q, command %q, want the file of the account", s.File, s.Command)
	}
}

// TestKeysAreTheFlags: each flag of an account can be said in the file, and has the effect of the flag.
func TestKeysAreTheFlags(t *testing.T) {
	values := map[string]string{"from": `"pop3s://a@h"`, "to": `"imaps://b@i"`, "folder": `"X"`, "delete": `"14d"`, "max-delete": "5",
		"verify": `"digest"`, "no-dedup": "true", "since": "2020-01-31", "until": "2021-01-31T12:00:00+01:00", "max-messages": "5", "max-size": `"25M"`,
		"flags": `"seen"`, "seen-before": `"30d"`, "trust-headers": "true", "flags-from": `["imaps://a@h", "profile"]`, "identity": `["a@h"]`, "sent": `"off"`, "junk": `"Spam"`, "rate": `"500K/s"`, "imap-connections": "2", "settle": `"1s"`,
		"timeout": `"1m"`, "patience": `"1m"`, "complain-after": `"2d"`, "from-password-file": `"f"`, "to-password-command": `"c"`, "from-tls-ca": `"ca"`,
		"from-tls-fingerprint": `"sha256:` + strings.Repeat("ab", 32) + `"`}
	alike := map[string]string{"to-password-file": "from-password-file", "from-password-command": "to-password-command",
		"to-tls-ca": "from-tls-ca", "to-tls-fingerprint": "from-tls-fingerprint"}
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	new(Job).Register(flags)
	text := "[accounts.alice]\n"
	flags.VisitAll(func(flag *pflag.Flag) {
		value := values[flag.Name] + values[alike[flag.Name]]
		if value == "" {
			t.Errorf("this test has no value for --%s", flag.Name)
		}
		text += key(flag.Name) + " = " + value + "\n"
	})
	file, err := find(t, text)
	if err != nil || file.Accounts[0].Err != nil {
		t.Fatal(err, file.Accounts[0].Err)
	}
	from := sourcesOf(t, &Said{File: file})
	flags.VisitAll(func(flag *pflag.Flag) {
		if from[key(flag.Name)].Layer != "account" {
			t.Errorf("%s comes from %+v", flag.Name, from[key(flag.Name)])
		}
	})
}

// TestFaultsHaveLines: what is wrong is told with file, line and key, and with what may have been meant.
func TestFaultsHaveLines(t *testing.T) {
	const before = "[defaults]\nverify = \"size\"\n\n" // three lines
	for _, c := range []struct {
		name, text string
		want       []string // what the error says
		ofAccount  bool     // the others can run
	}{
		{"not TOML", "[defaults\n", []string{":1: "}, false},
		{"twice the same key", before + "[accounts.a]\n" + ends + "folder = \"X\"\nfolder = \"Y\"\n", []string{":8: ", "folder"}, false},
		{"an unknown table", before + "[account.a]\n" + ends, []string{`:4: unknown table or key "account": did you mean accounts?`}, false},
		{"an unknown default", "[defaults]\nverfy = \"size\"\n", []string{`:2: unknown key "verfy": did you mean verify?`}, false},
		{"a default of one account", "[defaults]\nfrom = \"pop3s://a@h\"\n", []string{":2: from is of one account: it belongs into [accounts.NAME]"}, false},
		{"a bad default", "[defaults]\njobs = \"many\"\n", []string{":2: jobs: "}, false},
		{"two of them", "[defaults]\nverfy = 1\nsettle = \"soon\"\n", []string{":2: unknown", ":3: settle: "}, false},
		{"accounts that are none", "accounts = 5\n", []string{":1: accounts must be a table"}, false},
		{"an unknown key", before + "[accounts.a]\n" + ends + "from_pasword_file = \"f\"\n",
			[]string{`:7: unknown key "from_pasword_file": did you mean from_password_file?`}, true},
		{"a key with dashes", before + "[accounts.a]\n" + ends + "max-size = 5\n", []string{`:7: unknown key "max-size": did you mean max_size?`}, true},
		{"a key of the run", before + "[accounts.a]\n" + ends + "jobs = 5\n", []string{":7: jobs is of the whole run: it belongs into [defaults]"}, true},
		{"a password", before + "[accounts.a]\n" + ends + "from_password = \"hunter2\"\n", []string{":7: from_password: a password must not stand", "from_password_command"}, true},
		{"a bad value", before + "[accounts.a]\n" + ends + "max_size = \"much\"\n", []string{":7: max_size: not a size"}, true},
		{"a list", before + "[accounts.a]\n" + ends + "folder = [\"a\", \"b\"]\n", []string{":7: folder: it takes one value"}, true},
		{"a table for a value", before + "[accounts.a]\n" + ends + "folder = {x = 1}\n", []string{":7: folder: it takes a text in quotes"}, true},
		{"a password in the URL", before + "[accounts.a]\nfrom = \"pop3s://a:hunter2@h\"\nto = \"imaps://b@i\"\n", []string{":5: from: a password must not stand"}, true},
		{"no end", before + "[accounts.a]\nfrom = \"pop3s://a@h\"\n", []string{":4: to: it is missing"}, true},
		{"the default is at fault", "[defaults]\nimap_connections = 100\n[accounts.a]\n" + ends, []string{":2: imap_connections: it can be 1 to 20"}, true},
		{"no table", before + "[accounts]\na = 5\n", []string{":5: accounts.a must be a table"}, true},
		{"in braces", before + "[accounts]\na = {from = \"pop3s://a@h\", too = \"x\"}\n", []string{`:5: unknown key "too": did you mean to?`}, true},
		{"dotted", before + "[accounts]\na.from = \"pop3s://a@h\"\na.too = \"x\"\n", []string{`:6: unknown key "too": did you mean to?`}, true},
		{"a name for no file", "[accounts.\"a/b\"]\n" + ends, []string{":1: an account's name is"}, true},
		{"a name that goes up", "[accounts.\"..\"]\n" + ends, []string{":1: an account's name is"}, true},
		{"two faults in one", before + "[accounts.a]\n" + ends + "folder = 5\nx = 1\ny = 2\n", []string{`:8: unknown key "x"`, `:9: unknown key "y"`}, true},
	} {
		file, err := find(t, c.text)
		if c.ofAccount {
			if err != nil || len(file.Accounts) == 0 {
				t.Errorf("%s: %v, want an account that cannot run", c.name, err)
				continue
			}
			err = file.Accounts[0].Err
		}
		if err == nil || sync.ClassOf(err) != sync.Config {
			t.Errorf("%s: got %v, want one of class Config", c.name, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "config.toml:") {
				t.Errorf("%s: got %v, want %s", c.name, err, want)
			}
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the password is in %v", c.name, err)
		}
	}
}

// TestAccountsAreKeptApart: of two that would get each other's password, or do the same, the second cannot run.
func TestAccountsAreKeptApart(t *testing.T) {
	other := "from = \"pop3s://c@h\"\nto = \"imaps://b@i\"\n"
	file, err := find(t, "[accounts.a-b]\n"+ends+"[accounts.a_b]\n"+other+"[accounts.c]\n"+ends+"[accounts.d]\n"+strings.ReplaceAll(ends, "h", "k"))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"", "accounts a_b and a-b (line 1) would have the same variable POP2IMAP_A_B_FROM_PASSWORD",
		"accounts c and a-b (line 1) have the same two ends", ""} {
		got := file.Accounts[i].Err
		if (want == "") != (got == nil) || got != nil && !strings.Contains(got.Error(), want) {
			t.Errorf("account %s: got %v, want %s", file.Accounts[i].Name, got, want)
		}
	}
}

func TestFileThatOthersCanWrite(t *testing.T) {
	flags, _ := ofRun()
	path := write(t, "[accounts.a]\n"+ends)
	for mode, ok := range map[os.FileMode]bool{0o600: true, 0o644: true, 0o664: false, 0o646: false} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := Find(path, flags, os.Getenv)
		if ok != (err == nil) || err != nil && sync.ClassOf(err) != sync.Config {
			t.Errorf("mode %04o: got %v", mode, err)
		}
	}
}

func TestWhereTheFileIs(t *testing.T) {
	home, xdg := t.TempDir(), t.TempDir()
	put := func(dir string) {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte("[accounts.a]\n"+ends), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(home + "/.config/pop2imap")
	for _, c := range []struct{ name, xdg, want string }{
		{"in the home", "", home + "/.config/pop2imap/config.toml"},
		{"XDG_CONFIG_HOME without one", xdg, ""},
		{"a relative XDG_CONFIG_HOME", "x", home + "/.config/pop2imap/config.toml"},
	} {
		flags, _ := ofRun()
		file, err := Find("", flags, func(name string) string {
			return map[string]string{"HOME": home, "XDG_CONFIG_HOME": c.xdg}[name]
		})
		got := ""
		if file != nil {
			got = file.Path
		}
		if got != c.want && got != "/etc/pop2imap/config.toml" || err != nil {
			t.Errorf("%s: got %q, %v, want %q", c.name, got, err, c.want)
		}
	}
	flags, _ := ofRun()
	if _, err := Find(home+"/none", flags, os.Getenv); err == nil || sync.ClassOf(err) != sync.Config {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestNearest(t *testing.T) {
	words := []string{"from", "to", "folder", "from_password_file", "from_password_command"}
	for name, want := range map[string]string{"form": "from", "Folder": "folder", "from_pasword_comand": "from_password_command", "t": "to", "": "to"} {
		if got := nearest(name, words); got != want {
			t.Errorf("%q: got %s, want %s", name, got, want)
		}
	}
	if got := nearest("x", nil); got != "" {
		t.Errorf("of none: %q", got)
	}
}
