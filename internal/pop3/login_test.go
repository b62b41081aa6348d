package pop3

import (
	"slices"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

// auths are what ?auth= may say (SPEC §2).
var auths = []string{"scram-sha-256", "cram-md5", "plain", "login", "oauthbearer", "xoauth2", "apop", "user"}

// said gives the command with which the client proved who it is.
func said(commands []string) string {
	for _, c := range commands {
		verb, rest, _ := strings.Cut(c, " ")
		switch verb {
		case "AUTH":
			return rest
		case "APOP", "USER":
			return verb
		}
	}
	return ""
}

func TestEachMechanism(t *testing.T) {
	for _, auth := range auths {
		t.Run(auth, func(t *testing.T) {
			var mechs []string
			if auth != "apop" && auth != "user" {
				mechs = check.Mechanisms
			}
			s := startPOP3(t, lab.POP3Options{Mechs: mechs, APOP: auth == "apop"}, lab.Mail{UIDL: "a"})
			right := alice
			right.Auth = auth
			ss, err := Dial(t.Context(), at(s), right)
			if err != nil {
				t.Fatal(err)
			}
			defer ss.Abandon()
			check.Equal(t, "messages", len(listed(t, ss).Messages), 1)
			check.Equal(t, "mechanism", said(s.Commands()), strings.ToUpper(auth))

			wrong := right
			wrong.Password = "correct horse??"
			e := check.Class(t, refused(t, at(s), wrong), sync.Login)
			check.Equal(t, "code", e.Code, "AUTH")
			check.Says(t, e, "cannot log in to 127.0.0.1 as "+user)
			check.Advises(t, e, "tried with ?auth="+auth+"; --from ")
		})
	}
}

func TestStrongestMechanismIsTaken(t *testing.T) {
	authority := check.Authority(t)
	for _, c := range []struct {
		name  string
		mechs []string
		apop  bool
		tls   bool
		want  string
	}{
		{"nothing but USER", nil, false, false, "USER"},
		{"a timestamp", nil, true, false, "APOP"},
		{"a timestamp over TLS", nil, true, true, "USER"},
		{"everything", check.Mechanisms, true, false, "SCRAM-SHA-256"},
		{"everything, over TLS", check.Mechanisms, true, true, "SCRAM-SHA-256"},
		{"CRAM-MD5 and PLAIN", []string{"PLAIN", "CRAM-MD5"}, true, false, "CRAM-MD5"},
		{"PLAIN in cleartext, with a timestamp", []string{"PLAIN"}, true, false, "APOP"},
		{"PLAIN over TLS, with a timestamp", []string{"PLAIN", "LOGIN"}, true, true, "PLAIN"},
		{"PLAIN and tokens", []string{"XOAUTH2", "PLAIN"}, false, true, "PLAIN"},
		{"LOGIN is no better than USER", []string{"LOGIN"}, false, true, "USER"},
		{"a password is no token", []string{"XOAUTH2"}, false, true, "USER"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := lab.POP3Options{Mechs: c.mechs, APOP: c.apop, TLS: authority.Good.Config, Implicit: c.tls}
			s := startPOP3(t, o)
			server := at(s)
			if c.tls {
				server.Security, server.Roots = wire.ImplicitTLS, authority.Pool
			}
			ss, err := Dial(t.Context(), server, alice)
			if err != nil {
				t.Fatal(err)
			}
			ss.Abandon()
			check.Equal(t, "mechanism", said(s.Commands()), c.want)
		})
	}
}

// With PIPELINING, USER and PASS go together, if they mean the same to every server. Nothing goes with them.
func TestOneFlight(t *testing.T) {
	authority := check.Authority(t)
	for _, c := range []struct {
		name string
		l    Login
		o    lab.POP3Options
		want string // mechanism
	}{
		{"ASCII", Login{User: "alice", Password: "correct horse"}, lab.POP3Options{}, "USER"},
		{"no PIPELINING", Login{User: "alice", Password: "correct horse"}, lab.POP3Options{NoPipelining: true}, "PLAIN"},
		{"no ASCII", alice, lab.POP3Options{}, "PLAIN"},
		{"a blank at the end", Login{User: "alice", Password: "correct "}, lab.POP3Options{}, "PLAIN"},
		{"a blank in the name", Login{User: "al ice", Password: "correct"}, lab.POP3Options{}, "PLAIN"},
		{"too long", Login{User: "alice", Password: strings.Repeat("x", 250)}, lab.POP3Options{}, "PLAIN"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.o.User, c.o.Password = c.l.User, c.l.Password
			c.o.Mechs, c.o.TLS, c.o.Implicit = []string{"PLAIN"}, authority.Good.Config, true
			s, err := lab.StartPOP3(c.o)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			server := at(s)
			server.Security, server.Roots = wire.ImplicitTLS, authority.Pool
			ss, err := Dial(t.Context(), server, c.l)
			if err != nil {
				t.Fatal(err)
			}
			defer ss.Abandon()
			check.Equal(t, "mechanism", said(s.Commands()), c.want)
			listed(t, ss)
			bad := c.l
			bad.Password = "y" + c.l.Password[1:]
			check.Class(t, refused(t, server, bad), sync.Login)
		})
	}
}

func TestTokensWhereThereIsNothingElse(t *testing.T) {
	capa := "+OK\r\nSASL XOAUTH2 OAUTHBEARER\r\n.\r\n"
	s := check.Script(t, answers("+OK\r\n", map[string]string{"CAPA": capa, "AUTH OAUTHBEARER": "+ \r\n",
		"QUIT": "+OK\r\n", check.Encoded("n,a=" + user)[:20]: "+OK\r\n"}))
	enter(t, s)
}

func TestMechanismThatTheServerLacks(t *testing.T) {
	for _, auth := range []string{"plain", "scram-sha-256", "apop"} {
		l := alice
		l.Auth = auth
		s := startPOP3(t, lab.POP3Options{})
		err := refused(t, at(s), l)
		e := check.Class(t, err, sync.Unavailable)
		if strings.Contains(e.Remedy, "password") {
			t.Errorf("the password is not at fault: %q", e.Remedy)
		}
		if slices.Contains(s.Commands(), "USER "+user) {
			t.Error("another mechanism was tried")
		}
	}
	t.Run("nobody knows it", func(t *testing.T) {
		check.Class(t, refused(t, at(startPOP3(t, lab.POP3Options{})), Login{user, password, "ntlm"}), sync.Config)
	})
}

func TestOneTryOnly(t *testing.T) {
	s := startPOP3(t, lab.POP3Options{Mechs: check.Mechanisms, APOP: true})
	wrong := Login{User: user, Password: "wrong"}
	check.Class(t, refused(t, at(s), wrong), sync.Login)
	n := 0
	for _, c := range s.Commands() {
		if strings.HasPrefix(c, "AUTH") || strings.HasPrefix(c, "PASS") || strings.HasPrefix(c, "APOP") {
			n++
		}
	}
	check.Equal(t, "tries", n, 1)
}

func TestRefusedLogin(t *testing.T) {
	for _, c := range []struct {
		reply, code string
		class       sync.Class
	}{
		{"-ERR", "", sync.Login},
		{"-ERR wrong", "", sync.Login},
		{"-ERR [AUTH] wrong", "AUTH", sync.Login},
		{"-ERR [auth] wrong", "AUTH", sync.Login},
		{"-ERR [IN-USE] locked", "IN-USE", sync.Temporary},
		{"-ERR [LOGIN-DELAY] not so fast", "LOGIN-DELAY", sync.Temporary},
		{"-ERR [SYS/TEMP] later", "SYS/TEMP", sync.Temporary},
		{"-ERR [SYS/TEMP/DISK] later", "SYS/TEMP/DISK", sync.Temporary}, // RFC 2449 §8: known by what it begins with
		{"-ERR [SYS/PERM] never", "SYS/PERM", sync.Unavailable},
		{"-ERR [IN-USE/2] locked", "IN-USE/2", sync.Temporary},
		{"-ERR [SYS/TEMPORARILY] no code", "SYS/TEMPORARILY", sync.Login},
		{"-ERR [X-NEW] what is that", "X-NEW", sync.Login},
		{"-ERR [no code] at all", "", sync.Login},
		{"-ERR [\x1b[2J] no code", "", sync.Login},
		{"-ERR [" + strings.Repeat("A", 500) + "] no code", "", sync.Login},
		{"-ERR [AUTH no end", "", sync.Login},
		{"-ERR text [IN-USE]", "", sync.Login},
		{"-ERR \x1b]0;x\x07 forged\r\x80", "", sync.Login},
	} {
		for _, auth := range []string{"user", "apop", "plain"} {
			t.Run(auth+" "+c.reply[:min(len(c.reply), 30)], func(t *testing.T) {
				replies := map[string]string{"USER": "+OK\r\n", "PASS": c.reply + "\r\n", "APOP": c.reply + "\r\n",
					"AUTH": "+ \r\n", check.Encoded("\x00" + user)[:16]: c.reply + "\r\n"}
				s := check.Script(t, answers("+OK <1@lab>\r\n", replies))
				e := check.Class(t, refused(t, at(s), Login{user, password, auth}), c.class)
				check.Equal(t, "code", e.Code, c.code)
			})
		}
	}
}

// A server that repeats what it does not understand must not bring a secret into an error or a trace.
func TestServerThatRepeatsTheSecret(t *testing.T) {
	for _, auth := range []string{"user", "plain", "login", "apop", "cram-md5", "xoauth2", "oauthbearer"} {
		t.Run(auth, func(t *testing.T) {
			s := check.Script(t, func(p *lab.Peer) {
				p.Send("+OK <1@lab>\r\n")
				for n := 0; ; {
					line, err := p.ReadLine()
					switch {
					case err != nil:
						return
					case line == "CAPA":
						p.Send("-ERR\r\n")
					case strings.HasPrefix(line, "USER"):
						p.Send("+OK\r\n")
					case strings.HasPrefix(line, "AUTH"), auth == "login" && n == 0 && line == check.Encoded(user):
						p.Send("+ \r\n")
					default:
						p.Send("-ERR [AUTH] unknown command: " + line + " or " + password + "\r\n")
					}
				}
			})
			server := at(s)
			var trace check.Trace
			server.Trace = trace.Note
			check.Class(t, refused(t, server, Login{user, password, auth}), sync.Login)
			check.NoSecret(t, "the trace", trace.String())
		})
	}
}

func TestNoSecretInTheTrace(t *testing.T) {
	for _, auth := range auths {
		server := at(startPOP3(t, lab.POP3Options{Mechs: check.Mechanisms, APOP: true}))
		var trace check.Trace
		server.Trace = trace.Note
		ss, err := Dial(t.Context(), server, Login{user, password, auth})
		if err != nil {
			t.Fatal(err)
		}
		ss.Abandon()
		got := trace.String()
		check.NoSecret(t, "the trace", got)
		if !strings.Contains(got, "C CAPA\n") || !strings.Contains(got, "S +OK ") || !strings.Contains(got, "***") {
			t.Errorf("%s: the trace does not tell enough:\n%s", auth, got)
		}
	}
}

// A line end in a secret would be a second command; a NUL or a ^A would end a field of it.
func TestSecretsThatCannotBeSent(t *testing.T) {
	for _, bad := range []string{"\r", "\n", "\x00", "\r\nDELE 1"} {
		for _, auth := range append([]string{""}, auths...) {
			for _, l := range []Login{{user + bad, password, auth}, {user, password + bad, auth}} {
				s := startPOP3(t, lab.POP3Options{Mechs: check.Mechanisms, APOP: true})
				check.Class(t, refused(t, at(s), l), sync.Config)
				check.Equal(t, "connections", s.Connections(), 0)
			}
		}
	}
}

func TestUTF8IsSwitchedOnWhereItIsKnown(t *testing.T) {
	for _, c := range []struct {
		name, reply string
	}{{"accepted", "+OK\r\n"}, {"refused", "-ERR no\r\n"}} {
		t.Run(c.name, func(t *testing.T) {
			s := startPOP3(t, lab.POP3Options{ExtraCapa: []string{"UTF8 USER"}, Hook: replying("UTF8", c.reply)})
			enter(t, s)
			check.Equal(t, "commands", strings.Join(s.Commands()[:3], "|"), "CAPA|UTF8|USER "+user)
		})
	}
}

func TestHangingUpInTheLogin(t *testing.T) {
	for _, command := range []string{"CAPA", "UTF8", "USER", "PASS"} {
		t.Run(command, func(t *testing.T) {
			hangUp := func(_ int, line string) (string, bool) { return "", strings.HasPrefix(line, command) }
			s := startPOP3(t, lab.POP3Options{ExtraCapa: []string{"UTF8"}, Hook: hangUp})
			check.Class(t, refused(t, at(s), alice), sync.Temporary)
		})
	}
}
