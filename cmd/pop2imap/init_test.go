package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/internal/discover"
	"github.com/pop2imap/pop2imap/internal/lab/dns"
)

// autoconfigHosts are the only web servers that the pop2imap of a script can see.
var autoconfigHosts = []string{"autoconfig.new.example", "autoconfig.old.example"}

// labLookup is the world of a script: the servers of startNames, and nothing else.
func labLookup() discover.Lookup {
	return discover.Lookup{Resolver: dns.Resolver(os.Getenv("LAB_DNS")),
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			host, port, _ := net.SplitHostPort(addr)
			if web := os.Getenv("LAB_WEB"); web != "" && port == "443" && slices.Contains(autoconfigHosts, host) {
				return new(net.Dialer).DialContext(ctx, network, web)
			}
			return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
		}}
}

// names [oauth] [autoconfig]: DNS says that the maildrop is the one of old.example, and autoconfig of new.example that the
// mailbox is there, of a user without his domain. With autoconfig not DNS, but that of old.example knows the maildrop.
func startNames(ts *testscript.TestScript, _ bool, args []string) {
	e := serving(ts)
	_, pop := e.maildrop.Addr()
	_, imap := e.mailbox.Addr()
	srv := dns.Records{"_pop3s._tcp.old.example.": {dns.SRV(0, 1, uint16(pop), "localhost.")}}
	if slices.Contains(args, "autoconfig") {
		srv = nil
	}
	names, err := dns.Start(srv)
	ts.Check(err)
	ts.Defer(names.Close)
	auth := "password-cleartext"
	if slices.Contains(args, "oauth") {
		auth = "OAuth2"
	}
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind, port := "imap", imap
		switch address := r.URL.Query().Get("emailaddress"); {
		case address == "alice@new.example":
		case address == "alice@old.example" && slices.Contains(args, "autoconfig"):
			kind, port = "pop3", pop
		default:
			http.NotFound(w, r)
			return
		}
		fmt.Fprintf(w, `<clientConfig version="1.1"><emailProvider id="x.example"><incomingServer type="%s"><hostname>127.0.0.1</hostname>
<port>%d</port><socketType>SSL</socketType><username>%%EMAILLOCALPART%%</username><authentication>%s</authentication>
</incomingServer></emailProvider></clientConfig>`, kind, port, auth)
	}))
	web.TLS = e.ca.Good.Config.Clone()
	web.StartTLS()
	ts.Defer(web.Close)
	ts.Setenv("LAB_DNS", names.Addr())
	ts.Setenv("LAB_WEB", web.Listener.Addr().String())
}

// expand FILE: $FROM, $TO and $PASSWORD in the file become what they are.
func expand(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	ts.Check(os.WriteFile(path, []byte(os.Expand(ts.ReadFile(path), ts.Getenv)), 0o600))
}

// modes FILE MODE…: what others may do with it.
func modes(ts *testscript.TestScript, _ bool, args []string) {
	for ; len(args) > 1; args = args[2:] {
		info, err := os.Stat(ts.MkAbs(args[0]))
		ts.Check(err)
		if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[1] {
			ts.Fatalf("%s has mode %s, want %s", args[0], got, args[1])
		}
	}
}

// TestConfigText writes what is hard to quote, and reads it back as the config is read.
func TestConfigText(t *testing.T) {
	from, err := config.ParseFrom(`pop3s://a%22b%5Cc@pop.old.example:1995?auth=plain`)
	if err != nil {
		t.Fatal(err)
	}
	to, err := config.ParseTo("imaps://alice@new.example@imap.new.example/Alte Post/2024")
	if err != nil {
		t.Fatal(err)
	}
	command := "printf '%s\\n' \"ü\t$X\" # \x01\x7f"
	s := &setup{name: "alice", path: `/home/a "b"\c/config.toml`,
		from: newEnd{side: "from", endpoint: from, password: password},
		to:   newEnd{side: "to", endpoint: to, command: command}}
	var got struct{ Accounts map[string]map[string]string }
	if err := toml.Unmarshal([]byte(s.text()), &got); err != nil {
		t.Fatalf("%v in\n%s", err, s.text())
	}
	want := map[string]string{"from": from.String(), "to": to.String(),
		"from_password_file": `/home/a "b"\c/alice.from`, "to_password_command": command}
	if len(got.Accounts) != 1 || fmt.Sprint(got.Accounts["alice"]) != fmt.Sprint(want) {
		t.Errorf("got  %q\nwant %q", got.Accounts, want)
	}
	if e, err := config.ParseTo(got.Accounts["alice"]["to"]); err != nil || e != to {
		t.Errorf("the destination is read back as %+v, %v; want %+v", e, err, to)
	}
	if strings.Contains(s.text(), password) {
		t.Error("the password is in the config")
	}
}

// TestNothingLeft fails the last of three steps: what the two before wrote is gone then, and what was there before is not.
func TestNothingLeft(t *testing.T) {
	for _, c := range []struct {
		name     string
		from, to bool // in the keyring
	}{{"two files", false, false}, {"one of them in the keyring", true, false}, {"both in the keyring", true, true}} {
		t.Run(c.name, func(t *testing.T) {
			dir, ring := t.TempDir(), t.TempDir()
			s := &setup{program: &program{keyring: drawer(ring), stdio: stdio{out: io.Discard}}, name: "alice", path: filepath.Join(dir, "config.toml"),
				from: newEnd{side: "from", password: "a", keyring: c.from}, to: newEnd{side: "to", password: "b", keyring: c.to}}
			if err := os.WriteFile(s.path, []byte("mine"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := s.write(t.Context()); err == nil || !strings.Contains(err.Error(), "is there already, and is not overwritten") {
				t.Errorf("error %v, want that it is there already", err)
			}
			left, err := filepath.Glob(filepath.Join(dir, "*"))
			kept, _ := filepath.Glob(filepath.Join(ring, "*"))
			if err != nil || len(left) != 1 || len(kept) != 0 {
				t.Errorf("left are %v and %v, %v; want config.toml alone", left, kept, err)
			}
			if text, err := os.ReadFile(s.path); err != nil || string(text) != "mine" {
				t.Errorf("the config is %q, %v", text, err)
			}
		})
	}
}

// TestPrompterStops frees somebody who is asked and does not want to answer any more.
func TestPrompterStops(t *testing.T) {
	in, _, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	stop := make(chan struct{})
	close(stop)
	q := (&program{stdio: stdio{in, io.Discard, io.Discard}}).prompter(stop)
	if answer, err := q.line("? "); err == nil || exitCode(err) != 130 {
		t.Errorf("%q, %v; want that it is stopped", answer, err)
	}
}
