package config

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/pop2imap/pop2imap/internal/rules"
)

// jobOf is the job of a command line.
func jobOf(t *testing.T, args ...string) (*Job, error) {
	t.Helper()
	j, f := new(Job), pflag.NewFlagSet("", pflag.ContinueOnError)
	j.Register(f)
	if err := f.Parse(append([]string{"--from", "pop3s://me@pop.example", "--to", "imaps://me@own.example@imap.example"}, args...)); err != nil {
		return nil, err
	}
	return j, j.Check()
}

// TestTwinSecret: the password of --from goes to the same host and user only, and not if there is one for the twin.
func TestTwinSecret(t *testing.T) {
	for name, c := range map[string]struct {
		url, env, want string // want "": there is none
	}{
		"same host and user":       {"imaps://me@pop.example", "", "for from"},
		"in other letters":         {"imaps://me@POP.example/Mail", "", "for from"},
		"another port":             {"imaps://me@pop.example:1993", "", "for from"},
		"another host":             {"imaps://me@imap.example", "", ""},
		"a host below it":          {"imaps://me@x.pop.example", "", ""},
		"another user":             {"imaps://you@pop.example", "", ""},
		"another host, own one":    {"imaps://me@imap.example", "own", "own"},
		"the same, and an own one": {"imaps://me@pop.example", "own", "own"},
	} {
		t.Run(name, func(t *testing.T) {
			j, err := jobOf(t, "--flags-from", c.url)
			if err != nil {
				t.Fatal(err)
			}
			env := map[string]string{"POP2IMAP_FROM_PASSWORD": "for from", "POP2IMAP_TO_PASSWORD": "for to", "POP2IMAP_TWIN_PASSWORD": c.env}
			j.Prepare(func(name string) string { return env[name] }, &Ring{Keyring: kept{}}, true)
			got, err := got(t, j.TwinSecret(), nil)
			if got != c.want || (err == nil) != (c.want != "") {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestEvidenceThatCannotBeRight(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string // "": it is right
	}{
		"nothing":             {nil, ""},
		"all of it":           {[]string{"--flags-from", "imaps://me@h", "--flags-from", "a b", "--identity", "me@h", "--sent", "Old/Sent", "--junk", "auto"}, ""},
		"a maildrop":          {[]string{"--flags-from", "pop3s://me@h"}, "it must begin with one of"},
		"two twins":           {[]string{"--flags-from", "imaps://me@h", "--flags-from", "imap://me@h"}, "one URL only"},
		"an empty source":     {[]string{"--flags-from", ""}, "it is empty"},
		"no address":          {[]string{"--identity", "me"}, "not an address"},
		"a name and address":  {[]string{"--identity", "Me <me@h>"}, "not an address"},
		"no folder for sent":  {[]string{"--sent", "/"}, "not auto, off"},
		"no folder for spam":  {[]string{"--junk", ""}, "not auto, off"},
		"a folder of control": {[]string{"--junk", "a\nb"}, "control character"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := jobOf(t, c.args...)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestOwnAddresses(t *testing.T) {
	j, err := jobOf(t, "--identity", "me@old.example")
	if want := []string{"me@old.example", "me@own.example"}; err != nil || !slices.Equal(j.Own(), want) {
		t.Errorf("got %q, %v; want %q: a user without @ is none", j.Own(), err, want)
	}
}

func TestRulesOfAnAccount(t *testing.T) {
	const account = "[accounts.a]\n" + ends // three lines
	for name, c := range map[string]struct {
		text, want string // want "": it is right
	}{
		"none":           {account, ""},
		"all keys":       {account + "[[accounts.a.rules]]\nheader = [\"To\", \"Cc\"]\naddress = \"@h\"\nlarger = \"1M\"\nolder = \"1y\"\nsent = false\nfolder = \"X\"\nflags = ['\\Seen']\n", ""},
		"an unknown key": {account + "[[accounts.a.rules]]\nlargr = 5\n", `:4: rule 1: unknown key "largr": did you mean larger?`},
		"a bad value":    {account + "[[accounts.a.rules]]\nlarger = 5\nskip = true\n[[accounts.a.rules]]\nlarger = \"much\"\n", ":4: rule 2: "},
		"no size":        {account + "[[accounts.a.rules]]\nlarger = \"x\"\n", ":4: rule 1: larger: not a size such as 500, 25M or 1.5G"},
		"no text":        {account + "[[accounts.a.rules]]\nheader = \"To\"\ncontains = 3\n", ":4: rule 1: contains: "},
		"no sense":       {account + "[[accounts.a.rules]]\nskip = true\n", ":4: rule 1: no condition"},
		"no tables":      {account + "rules = \"x\"\n", ":4: rules are tables"},
		"and a bad key":  {account + "foldr = \"x\"\n[[accounts.a.rules]]\nskip = true\n", ":4: unknown key"},
		"of no account":  {"[defaults]\nrules = 1\n" + account, ":2: rules are of one account"},
	} {
		t.Run(name, func(t *testing.T) {
			file, err := find(t, c.text)
			if err == nil {
				err = file.Accounts[0].Err
			}
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if name != "all keys" {
				return
			}
			job, err := (&Said{File: file}).Job(file.Accounts[0], (*Job).Register)
			if err != nil {
				t.Fatal(err)
			}
			action, _, ok := job.Rules().Match(rules.Subject{Header: []byte("Cc: a@h\r\n"), Size: 2 << 20, Date: day(2001), Now: day(2020)})
			if !ok || action.Folder != "X" || !slices.Equal(action.Flags, []string{`\Seen`}) {
				t.Errorf("got %+v %v, want folder X and \\Seen", action, ok)
			}
		})
	}
}

func day(year int) time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC) }
