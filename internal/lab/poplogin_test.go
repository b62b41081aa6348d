package lab

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/sasl"
)

var mechanisms = []string{"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER"}

func TestPOP3UserAndPass(t *testing.T) {
	for _, c := range []struct{ name, user, password, want string }{
		{"right", user, password, "+OK"},
		{"wrong password", user, "wrong", "-ERR [AUTH]"},
		{"wrong user", "bob", password, "-ERR [AUTH]"},
		{"no password", user, "", "-ERR [AUTH]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := popTo(t, startPOP3(t, POP3Options{}))
			p.do("USER "+c.user, "+OK")
			p.do("PASS "+c.password, c.want)
		})
	}
}

func TestPOP3APOP(t *testing.T) {
	digest := func(stamp, secret string) string {
		sum := md5.Sum([]byte(stamp + secret))
		return hex.EncodeToString(sum[:])
	}
	s := startPOP3(t, POP3Options{APOP: true})
	stamps := make(map[string]bool)
	for _, c := range []struct{ name, secret, want string }{
		{"right", password, "+OK"}, {"wrong", "wrong", "-ERR [AUTH]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := talkOn(t, dial(t, s))
			stamp := regexp.MustCompile(`<.*>`).FindString(p.wants("+OK"))
			stamps[stamp] = true
			p.do("APOP "+user+" "+digest(stamp, c.secret), c.want)
		})
	}
	equal(t, "different timestamps", len(stamps), 2)
	t.Run("no timestamp in the greeting", func(t *testing.T) {
		p := popTo(t, startPOP3(t, POP3Options{APOP: true, Greeting: "+OK hello"}))
		p.do("APOP "+user+" "+digest("", password), "-ERR [AUTH]")
	})
}

// popExchange carries a SASL exchange over POP3.
type popExchange struct{ *talk }

func (x popExchange) Begin(mechanism, first string) error {
	x.send(strings.TrimRight("AUTH "+mechanism+" "+first, " ") + "\r\n")
	return nil
}

func (x popExchange) Next() (challenge string, done bool, err error) {
	line := strings.TrimRight(x.line(), "\r\n")
	if challenge, more := strings.CutPrefix(line, "+ "); more {
		return challenge, false, nil
	}
	if !strings.HasPrefix(line, "+OK") {
		err = fmt.Errorf("%s", line)
	}
	return "", true, err
}

func (x popExchange) Answer(line string) error {
	x.send(line + "\r\n")
	return nil
}

func TestPOP3Mechanisms(t *testing.T) {
	s := startPOP3(t, POP3Options{Mechs: mechanisms}, mails("one\r\n")...)
	for _, m := range mechanisms {
		for _, initial := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, initial response %t", m, initial), func(t *testing.T) {
				err := authenticate(t, popTo(t, s), m, "wrong", initial)
				if err == nil || !strings.Contains(err.Error(), "[AUTH]") {
					t.Errorf("with a wrong secret: %v", err)
				}
				p := popTo(t, s)
				if err := authenticate(t, p, m, password, initial); err != nil {
					t.Fatal(err)
				}
				p.do("STAT", "+OK 1 5")
				p.do("QUIT", "+OK")
			})
		}
	}
}

func authenticate(t *testing.T, p *talk, mechanism, secret string, initial bool) error {
	t.Helper()
	c, err := sasl.New(mechanism, user, secret, "mail.example.org", 110)
	if err != nil {
		t.Fatal(err)
	}
	return sasl.Run(c, popExchange{p}, initial)
}

func TestPOP3ExchangeThatGoesWrong(t *testing.T) {
	for _, c := range []struct{ name, answer string }{
		{"cancelled", "*"}, {"not base64", "!!"}, {"empty", ""},
		{"another's name", base64.StdEncoding.EncodeToString([]byte("bob\x00" + user + "\x00" + password))},
		{"two fields", base64.StdEncoding.EncodeToString([]byte(user + "\x00" + password))},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := popTo(t, startPOP3(t, POP3Options{Mechs: []string{"plain"}}))
			p.do("AUTH PLAIN", "+ ")
			p.do(c.answer, "-ERR")
			p.do("NOOP", "-ERR")
			p.do("AUTH PLAIN !!", "-ERR")
			if err := authenticate(t, p, "PLAIN", password, true); err != nil {
				t.Error("afterwards:", err)
			}
		})
	}
}

func TestPOP3BearerMessages(t *testing.T) { // RFC 7628 §3.1
	s := startPOP3(t, POP3Options{Mechs: mechanisms})
	for _, c := range []struct {
		name, message string
		good          bool
	}{
		{"as it should be", "n,a=" + user + ",\x01host=h\x01port=1\x01auth=Bearer " + password + "\x01\x01", true},
		{"without host and port", "n,a=" + user + ",\x01auth=Bearer " + password + "\x01\x01", true},
		{"another's name", "n,a=bob,\x01auth=Bearer " + password + "\x01\x01", false},
		{"another scheme", "n,a=" + user + ",\x01auth=Basic " + password + "\x01\x01", false},
		{"no token", "n,a=" + user + ",\x01host=h\x01\x01", false},
		{"not ended", "n,a=" + user + ",\x01auth=Bearer " + password + "\x01", false},
		{"nothing", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := popTo(t, s)
			p.do("AUTH OAUTHBEARER", "+ ")
			message := base64.StdEncoding.EncodeToString([]byte(c.message))
			if c.good {
				p.do(message, "+OK")
				p.do("QUIT", "+OK")
				return
			}
			challenge := p.do(message, "+ ")
			denial, err := base64.StdEncoding.DecodeString(challenge[len("+ "):])
			if err != nil || string(denial) != `{"status":"invalid_token"}` {
				t.Errorf("challenge %q: %q, %v", challenge, denial, err)
			}
			p.do("AQ==", "-ERR [AUTH]")
		})
	}
}

func TestPOP3CommandsHideSecrets(t *testing.T) {
	s := startPOP3(t, POP3Options{Mechs: mechanisms, APOP: true})
	p := popTo(t, s)
	p.do("APOP "+user+" 0123456789abcdef", "-ERR")
	p.do("user "+user, "+OK")
	p.do("pass wrong", "-ERR")
	for _, m := range []string{"PLAIN", "LOGIN"} {
		authenticate(t, p, m, "wrong", true)
	}
	p.do("USER "+user, "+OK")
	p.do("PASS "+password, "+OK")
	p.do("LIST 1", "-ERR")
	want := []string{"APOP " + user + " ***", "user " + user, "pass ***", "AUTH PLAIN ***", "AUTH LOGIN", "***", "***",
		"USER " + user, "PASS ***", "LIST 1"}
	same(t, "Commands", s.Commands(), want)
}
