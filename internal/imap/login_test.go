package imap

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/sync"
)

// auths are what ?auth= may say (SPEC §2).
var auths = []string{"scram-sha-256", "cram-md5", "plain", "login", "oauthbearer", "xoauth2"}

// said gives the command with which the client proved who it is.
func said(commands []string) string {
	for _, c := range commands {
		verb, rest, _ := strings.Cut(strings.TrimSuffix(c, " ***"), " ")
		switch verb {
		case "AUTHENTICATE":
			return rest
		case "LOGIN":
			return "the command LOGIN"
		}
	}
	return ""
}

// denies is a script that lets everyone speak to the end of a login, and then answers so.
func denies(capabilities, reply string) func(*lab.Peer) {
	return func(p *lab.Peer) {
		p.Send("* OK [CAPABILITY IMAP4rev1 " + capabilities + "] ready\r\n")
		for tag, asked := "", 0; ; {
			line, err := p.ReadLine()
			if err != nil {
				return
			}
			words := strings.Split(line, " ")
			sasl := len(words) > 1 && words[1] == "AUTHENTICATE"
			if asked == 0 {
				tag = words[0]
			}
			if literal := literalTail.MatchString(line + "\r\n"); literal || sasl && len(words) == 3 {
				asked++
				p.Send("+ \r\n")
				continue
			}
			p.Send(strings.NewReplacer("%", tag, "LINE", line).Replace(reply))
			asked = 0
		}
	}
}

func TestEachMechanism(t *testing.T) {
	for _, auth := range append([]string{""}, auths...) {
		t.Run(auth, func(t *testing.T) {
			var mechs []string
			if auth != "" {
				mechs = check.Mechanisms
			}
			s := startIMAP(t, lab.IMAPOptions{Mechs: mechs})
			right := alice
			right.Auth = auth
			ss, err := Dial(t.Context(), at(s), right)
			if err != nil {
				t.Fatal(err)
			}
			defer ss.drop()
			if _, err := ss.Open(t.Context(), "INBOX", false); err != nil {
				t.Error(err)
			}
			want := strings.ToUpper(auth)
			if auth == "" {
				want = "the command LOGIN"
			}
			check.Equal(t, "mechanism", said(s.Commands()), want)

			wrong := right
			wrong.Password = `correct "horse??`
			e := check.Class(t, refused(t, at(s), wrong), sync.Login)
			check.Says(t, e, "cannot log in to 127.0.0.1 as "+user)
			if !strings.Contains(e.Remedy, "password") && !strings.Contains(e.Remedy, "token") {
				t.Errorf("remedy: %q", e.Remedy)
			}
		})
	}
}

func TestStrongestMechanismIsTaken(t *testing.T) {
	for _, c := range []struct{ name, offered, want string }{
		{"everything", "AUTH=XOAUTH2 AUTH=LOGIN AUTH=PLAIN AUTH=CRAM-MD5 AUTH=SCRAM-SHA-256", "SCRAM-SHA-256"},
		{"CRAM-MD5 and PLAIN", "AUTH=PLAIN AUTH=CRAM-MD5", "CRAM-MD5"},
		{"in lower case", "auth=plain", "PLAIN"},
		{"PLAIN and tokens", "AUTH=XOAUTH2 AUTH=PLAIN", "PLAIN"},
		{"LOGIN is no better than the command", "AUTH=LOGIN", "LOGIN"},
		{"LOGIN without the command", "AUTH=LOGIN LOGINDISABLED", "AUTHENTICATE LOGIN"},
		{"nothing", "", "LOGIN"},
		{"a password is no token", "AUTH=XOAUTH2", "LOGIN"},
		{"a token where there is nothing else", "AUTH=OAUTHBEARER LOGINDISABLED", "OAUTHBEARER"},
	} {
		t.Run(c.name, func(t *testing.T) {
			heard := make(chan string, 1)
			s := check.Script(t, func(p *lab.Peer) {
				p.Send("* OK [CAPABILITY IMAP4rev1 " + c.offered + "] ready\r\n")
				line, _ := p.ReadLine()
				heard <- line
			})
			check.Class(t, refused(t, at(s), alice), sync.Temporary)
			line := <-heard
			if !strings.Contains(line, c.want) || strings.Contains(line, "AUTHENTICATE") == (c.want == "LOGIN") {
				t.Errorf("we said %q, want %s", line, c.want)
			}
		})
	}
}

func TestNoWayToLogIn(t *testing.T) {
	for _, auth := range []string{"", "login"} {
		s := check.Script(t, denies("LOGINDISABLED AUTH=GSSAPI", "% NO\r\n"))
		e := check.Class(t, refused(t, at(s), Login{User: user, Password: password, Auth: auth}), sync.Unavailable)
		check.Says(t, e, "no way to log in")
		check.Equal(t, "remedy", e.Remedy, "the server may want TLS: use imaps:// or imap://")
	}
}

func TestMechanismThatTheServerLacks(t *testing.T) {
	for _, auth := range []string{"plain", "scram-sha-256", "xoauth2"} {
		t.Run(auth, func(t *testing.T) {
			l := alice
			l.Auth = auth
			s := startIMAP(t, lab.IMAPOptions{Mechs: []string{"CRAM-MD5"}})
			e := check.Class(t, refused(t, at(s), l), sync.Unavailable)
			if strings.Contains(e.Remedy, "check user name and password") {
				t.Errorf("the password is not at fault: %q", e.Remedy)
			}
			check.Equal(t, "mechanism", said(s.Commands()), strings.ToUpper(auth))
		})
	}
	t.Run("nobody knows it", func(t *testing.T) {
		for _, auth := range []string{"ntlm", "user", "apop"} {
			server := at(startIMAP(t, lab.IMAPOptions{}))
			check.Class(t, refused(t, server, Login{User: user, Password: password, Auth: auth}), sync.Config)
		}
	})
}

// A mechanism that is not offered must not get the secret with the command that asks for it.
func TestSecretStaysHereUntilItIsAskedFor(t *testing.T) {
	heard := make(chan string, 1)
	s := check.Script(t, func(p *lab.Peer) {
		p.Send("* OK [CAPABILITY IMAP4rev1 SASL-IR] ready\r\n")
		line, _ := p.ReadLine()
		heard <- line
	})
	check.Class(t, refused(t, at(s), Login{User: user, Password: password, Auth: "plain"}), sync.Temporary)
	check.Equal(t, "command", <-heard, "a1 AUTHENTICATE PLAIN")
}

func TestOneTryOnly(t *testing.T) {
	s := startIMAP(t, lab.IMAPOptions{Mechs: check.Mechanisms})
	check.Class(t, refused(t, at(s), Login{User: user, Password: "wrong"}), sync.Login)
	n := 0
	for _, c := range s.Commands() {
		if strings.HasPrefix(c, "AUTH") || strings.HasPrefix(c, "LOGIN") {
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
		{"% NO", "", sync.Login},
		{"% NO wrong", "", sync.Login},
		{"% no wrong", "", sync.Login},
		{"% BAD what", "", sync.Login},
		{"% NO [AUTHENTICATIONFAILED] wrong", "AUTHENTICATIONFAILED", sync.Login},
		{"% NO [authenticationfailed] wrong", "AUTHENTICATIONFAILED", sync.Login},
		{"% NO [AUTHORIZATIONFAILED] wrong", "AUTHORIZATIONFAILED", sync.Login},
		{"% NO [EXPIRED] old", "EXPIRED", sync.Login},
		{"% NO [CONTACTADMIN] locked", "CONTACTADMIN", sync.Login},
		{"% NO [UNAVAILABLE] later", "UNAVAILABLE", sync.Temporary},
		{"% NO [INUSE] later", "INUSE", sync.Temporary},
		{"% NO [LIMIT] too many", "LIMIT", sync.Temporary},
		{"% NO [SERVERBUG] oops", "SERVERBUG", sync.Temporary},
		{"% NO [PRIVACYREQUIRED] TLS", "PRIVACYREQUIRED", sync.Unavailable},
		{"% NO [NOPERM] never", "NOPERM", sync.Login},
		{"% NO [ALERT] Application-specific password required", "ALERT", sync.Login}, // Gmail
		{"% NO [WEBALERT https://x.example] log in", "WEBALERT", sync.Login},
		{"% NO [X-NEW] what is that", "X-NEW", sync.Login},
		{"% NO [\x1b[2J] no code", "", sync.Login},
		{"% NO [" + strings.Repeat("A", 500) + "] no code", "", sync.Login},
		{"% NO [AUTH no end", "", sync.Login},
		{"% NO text [UNAVAILABLE]", "", sync.Login},
		{"% NO \x1b]0;x\x07 forged\r\x80", "", sync.Login},
		{"* BYE too many failures\r\n% NO wrong", "", sync.Login},
		{"% WHAT", "", sync.Protocol},
		{"* BYE [UNAVAILABLE] going down\r\n", "UNAVAILABLE", sync.Temporary},
	} {
		for _, auth := range []string{"", "plain"} {
			t.Run(auth+" "+c.reply[:min(len(c.reply), 30)], func(t *testing.T) {
				l, reply := Login{User: user, Password: password, Auth: auth}, c.reply+"\r\n"
				if strings.HasSuffix(c.reply, "\r\n") { // and nothing more
					s := check.Script(t, func(p *lab.Peer) {
						p.Send("* OK ready\r\n")
						p.ReadLine()
						p.Send(c.reply)
					})
					check.Equal(t, "code", check.Class(t, refused(t, at(s), l), c.class).Code, c.code)
					return
				}
				s := check.Script(t, denies("AUTH=PLAIN LOGIN", reply))
				e := check.Class(t, refused(t, at(s), l), c.class)
				check.Equal(t, "code", e.Code, c.code)
			})
		}
	}
}

// A server that repeats what it does not understand must not bring a secret into an error or a trace.
func TestServerThatRepeatsTheSecret(t *testing.T) {
	for _, auth := range append([]string{""}, auths[1:]...) {
		for name, reply := range map[string]string{
			"refuses":       "% NO [ALERT] unknown: LINE or " + password + "\r\n",
			"in a code":     "% NO [" + check.Encoded(password) + "] LINE\r\n",
			"says BYE":      "* BYE LINE " + password + "\r\n% NO LINE\r\n",
			"untagged":      "* BAD LINE " + password + "\r\n* NO LINE\r\n% NO\r\n",
			"as it is":      "LINE\r\n",
			"with no tag":   "what is " + password + "\r\n",
			"lets us in":    "* OK LINE\r\n% OK hello " + password + "\r\n",
			"and a literal": "* " + password + " {99999999}\r\n",
			"as a status":   "% " + password + "\r\n",
		} {
			t.Run(auth+" "+name, func(t *testing.T) {
				s := check.Script(t, denies("SASL-IR", reply))
				server := at(s)
				server.Timeout = patience / 10
				var trace check.Trace
				server.Trace = trace.Note
				ss, err := Dial(t.Context(), server, Login{User: user, Password: password, Auth: auth})
				if err == nil {
					ss.drop()
				} else {
					check.Class(t, err, sync.ClassOf(err))
				}
				check.NoSecret(t, "the trace", trace.String())
			})
		}
	}
}

func TestNoSecretInTheTrace(t *testing.T) {
	for _, auth := range append([]string{""}, auths...) {
		server := at(startIMAP(t, lab.IMAPOptions{Mechs: check.Mechanisms}))
		if auth == "" {
			server = at(startIMAP(t, lab.IMAPOptions{}))
		}
		var trace check.Trace
		server.Trace = trace.Note
		ss, err := Dial(t.Context(), server, Login{User: user, Password: password, Auth: auth})
		if err != nil {
			t.Fatal(err)
		}
		ss.drop()
		got := trace.String()
		check.NoSecret(t, "the trace", got)
		if !strings.Contains(got, "S * OK ") || !strings.Contains(got, "***") {
			t.Errorf("%s: the trace does not tell enough:\n%s", auth, got)
		}
	}
}

// Most commands are not written by us, but by imapclient.
func TestTraceShowsWhatIsAsked(t *testing.T) {
	server := at(startIMAP(t, lab.IMAPOptions{}))
	var trace strings.Builder
	server.Trace = func(dir, line string) { trace.WriteString(dir + " " + line + "\n") }
	ss, err := Dial(t.Context(), server, Login{User: user, Password: password})
	if err != nil {
		t.Fatal(err)
	}
	f, err := ss.Open(t.Context(), "INBOX", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ss.Sizes(t.Context(), f, []uint32{1, 3}); err != nil {
		t.Fatal(err)
	}
	ss.drop() // before that its reader may write to the trace
	for _, want := range []string{`C \S+ EXAMINE "?INBOX"?`, `C \S+ UID FETCH 1,3 \(.*RFC822.SIZE.*\)`} {
		if !regexp.MustCompile(`(?m)^` + want + `$`).MatchString(trace.String()) {
			t.Errorf("no line %q in the trace:\n%s", want, trace.String())
		}
	}
}

// A line end in a secret would be a second command; a NUL or a ^A would end a field of it.
func TestSecretsThatCannotBeSent(t *testing.T) {
	for _, bad := range []string{"\r", "\n", "\x00", "\r\nx DELETE INBOX"} {
		for _, auth := range append([]string{""}, auths...) {
			for _, l := range []Login{{User: user + bad, Password: password, Auth: auth}, {User: user, Password: password + bad, Auth: auth}} {
				s := startIMAP(t, lab.IMAPOptions{Mechs: check.Mechanisms})
				check.Class(t, refused(t, at(s), l), sync.Config)
				check.Equal(t, "connections", s.Connections(), 0)
			}
		}
	}
}

func TestPasswordsComeThrough(t *testing.T) {
	for _, pass := range []string{"", "a", `\`, `"`, `a\"b`, "{5}", "bättery", "\xff\xfe", "%*", strings.Repeat("x", 300)} {
		for _, auth := range []string{"", "plain", "cram-md5"} {
			o := lab.IMAPOptions{User: user, Password: pass, Mechs: []string{"PLAIN", "CRAM-MD5"}}
			if auth == "" {
				o.Mechs = nil
			}
			s, err := lab.StartIMAP(o)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.Close)
			ss, err := Dial(t.Context(), at(s), Login{User: user, Password: pass, Auth: auth})
			if err != nil {
				t.Errorf("%q, %s: %v", pass, auth, err)
				continue
			}
			ss.drop()
		}
	}
}

// Whoever is let in before it has said the password is not where it wants to be.
func TestLetInTooEarly(t *testing.T) {
	for _, auth := range []string{"", "plain", "scram-sha-256"} {
		s := check.Script(t, func(p *lab.Peer) {
			p.Send("* OK [CAPABILITY IMAP4rev1] ready\r\n")
			caps("").with("LOGIN", "% OK\r\n", "AUTHENTICATE", "% OK\r\n").answer(p)
		})
		check.Class(t, refused(t, at(s), Login{User: user, Password: password, Auth: auth}), sync.Protocol)
	}
}

func TestNameIsGivenWhereItIsWanted(t *testing.T) {
	for _, reply := range []string{"* ID NIL\r\n% OK\r\n", "% NO\r\n", "% BAD\r\n"} {
		heard := make(chan string, 10)
		s := check.Script(t, loginless(func(p *lab.Peer) {
			for {
				line, err := p.ReadLine()
				if err != nil {
					close(heard)
					return
				}
				heard <- line
				p.Send(caps("ID").with("ID", reply).to(line))
			}
		}))
		enter(t, s).drop()
		var all []string
		for line := range heard {
			all = append(all, line)
		}
		if !slices.Contains(all, `T1 ID ("name" "pop2imap")`) {
			t.Errorf("we said %q", all)
		}
	}
}

func TestHangingUpInTheLogin(t *testing.T) {
	for _, command := range []string{"CAPABILITY", "LOGIN", "ID", "NAMESPACE", "LIST"} {
		t.Run(command, func(t *testing.T) {
			capabilities := map[bool]string{true: "ID NAMESPACE", false: "ID"}[command == "NAMESPACE"]
			s := check.Script(t, caps(capabilities).with("ID", "% OK\r\n", command, "").play)
			check.Class(t, refused(t, at(s), Login{User: user, Password: "ascii"}), sync.Temporary)
		})
	}
}
