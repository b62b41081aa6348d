package sasl

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/xdg-go/scram"

	"github.com/pop2imap/pop2imap/sync"
)

const (
	user   = "alice@example.org"
	secret = "tanstaaftanstaaf"
)

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		offered string
		want    string
	}{
		{"", ""},
		{"GSSAPI NTLM", ""},
		{"PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256 XOAUTH2", "SCRAM-SHA-256"},
		{"LOGIN PLAIN", "PLAIN"},
		{"XOAUTH2 OAUTHBEARER", "OAUTHBEARER"},
		{"xoauth2 Login", "LOGIN"},
		{"SCRAM-SHA-256-PLUS", ""},
	} {
		if got := Choose(strings.Fields(c.offered)); got != c.want {
			t.Errorf("of %q: got %q, want %q", c.offered, got, c.want)
		}
	}
}

// A talk is a Line whose server says these things, "+" and a challenge, or how it ends, and which hears us.
type talk struct {
	says  []string
	heard []string
}

var errRefused = errors.New("refused")

func (l *talk) Begin(mechanism, first string) error {
	l.heard = append(l.heard, strings.TrimSpace("AUTH "+mechanism+" "+first))
	return nil
}

func (l *talk) Answer(line string) error {
	l.heard = append(l.heard, line)
	return nil
}

func (l *talk) Next() (string, bool, error) {
	if len(l.says) == 0 {
		return "", true, errRefused
	}
	word := l.says[0]
	l.says = l.says[1:]
	if word == "OK" {
		return "", true, nil
	}
	return strings.TrimPrefix(word, "+"), false, nil
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func run(t *testing.T, mechanism string, initial bool, says ...string) ([]string, error) {
	t.Helper()
	c, err := New(mechanism, user, secret, "pop.example.org", 995)
	if err != nil {
		t.Fatal(err)
	}
	l := &talk{says: says}
	err = Run(c, l, initial)
	return l.heard, err
}

// The exchanges as the RFCs have them; CRAM-MD5's digest was computed apart (openssl dgst -md5 -hmac).
func TestExchanges(t *testing.T) {
	plain := b64("\x00" + user + "\x00" + secret)
	bearer := b64("n,a=" + user + ",\x01host=pop.example.org\x01port=995\x01auth=Bearer " + secret + "\x01\x01")
	xoauth := b64("user=" + user + "\x01auth=Bearer " + secret + "\x01\x01")
	const postoffice = "<1896.697170952@postoffice.reston.mci.net>"
	denied := "+" + b64(`{"status":"invalid_token"}`)
	cram := b64(user + " b913a602c7eda7a495b4e6e7334d3890")
	for _, c := range []struct {
		mechanism string
		initial   bool
		says      []string
		want      []string
		err       error
	}{
		{"PLAIN", false, []string{"+", "OK"}, []string{"AUTH PLAIN", plain}, nil},
		{"PLAIN", true, []string{"OK"}, []string{"AUTH PLAIN " + plain}, nil},
		{"PLAIN", false, []string{"+"}, []string{"AUTH PLAIN", plain}, errRefused},
		{"LOGIN", true, []string{"+VXNlcm5hbWU6", "+UGFzc3dvcmQ6", "OK"},
			[]string{"AUTH LOGIN", b64(user), b64(secret)}, nil},
		{"LOGIN", false, []string{"+", "+", "OK"}, []string{"AUTH LOGIN", b64(user), b64(secret)}, nil},
		{"CRAM-MD5", true, []string{"+" + b64(postoffice), "OK"}, []string{"AUTH CRAM-MD5", cram}, nil},
		{"OAUTHBEARER", false, []string{"+", "OK"}, []string{"AUTH OAUTHBEARER", bearer}, nil},
		{"OAUTHBEARER", true, []string{denied}, []string{"AUTH OAUTHBEARER " + bearer, "AQ=="}, errRefused},
		{"XOAUTH2", false, []string{"+", "OK"}, []string{"AUTH XOAUTH2", xoauth}, nil},
		{"XOAUTH2", false, []string{"+", denied}, []string{"AUTH XOAUTH2", xoauth, ""}, errRefused},
	} {
		got, err := run(t, c.mechanism, c.initial, c.says...)
		if !slices.Equal(got, c.want) || err != c.err {
			t.Errorf("%s %v:\ngot  %q, %v\nwant %q, %v", c.mechanism, c.says, got, err, c.want, c.err)
		}
	}
}

func TestNamesInABearersHeaderAreEscaped(t *testing.T) {
	c, err := New("OAUTHBEARER", "a,b=c", secret, "h", 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, first, _ := c.Start(); !strings.HasPrefix(string(first), "n,a=a=2Cb=3Dc,\x01") {
		t.Errorf("got %q", first)
	}
}

// What a server does wrong is no matter of the password, and is cancelled (RFC 4422 §3.4).
func TestServersThatBreakTheExchange(t *testing.T) {
	forever := slices.Repeat([]string{"+"}, 1000)
	for _, c := range []struct {
		name, mechanism string
		says            []string
		cancelled       bool
	}{
		{"asks once more", "PLAIN", []string{"+", "+", "OK"}, true},
		{"asks for a third answer", "LOGIN", []string{"+", "+", "+", "OK"}, true},
		{"does not stop asking CRAM-MD5", "CRAM-MD5", forever, true},
		{"does not stop asking XOAUTH2", "XOAUTH2", forever, true},
		{"does not stop asking OAUTHBEARER", "OAUTHBEARER", forever, true},
		{"sends no base64", "CRAM-MD5", []string{"+<1@x>", "OK"}, true},
		{"lets us in at once", "PLAIN", []string{"OK"}, false},
		{"lets us in at once with SCRAM", "SCRAM-SHA-256", []string{"OK"}, false},
		{"lets us in before it has proved itself", "SCRAM-SHA-256", []string{"+", "OK"}, false},
		{"sends nonsense for SCRAM", "SCRAM-SHA-256", []string{"+", "+" + b64("\x1b[2J"), "OK"}, true},
		{"sends another nonce", "SCRAM-SHA-256", []string{"+", "+" + b64("r=x,s=c2FsdA==,i=4096"), "OK"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			heard, err := run(t, c.mechanism, false, c.says...)
			if err == nil || sync.ClassOf(err) != sync.Protocol || err.Error() != sync.Clean(err.Error()) {
				t.Errorf("got %q of class %d", err, sync.ClassOf(err))
			}
			if got := heard[len(heard)-1] == "*"; got != c.cancelled || len(heard) > 12 {
				t.Errorf("we said %q", heard)
			}
		})
	}
}

// A scramServer answers as RFC 5802 has it, but for what a test changes.
type scramServer struct {
	*talk
	conv   *scram.ServerConversation
	change func(challenge string) string
	last   string
}

func (l *scramServer) Answer(line string) error {
	l.last = line
	return l.talk.Answer(line)
}

func (l *scramServer) Next() (string, bool, error) {
	raw, err := base64.StdEncoding.DecodeString(l.last)
	switch n := len(l.heard); {
	case l.last == "*", err != nil:
		return "", true, errRefused
	case n == 1:
		return "", false, nil
	case n == 4:
		if l.conv.Valid() {
			return "", true, nil
		}
		return "", true, errRefused
	}
	answer, _ := l.conv.Step(string(raw)) // with wrong credentials too it gives an answer: e=…
	return b64(l.change(answer)), false, nil
}

func scramWith(t *testing.T, password string, change func(string) string) (*scramServer, error) {
	t.Helper()
	c, err := scram.SHA256.NewClient(user, secret, "")
	if err != nil {
		t.Fatal(err)
	}
	stored, err := c.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "salt", Iters: 4096})
	if err != nil {
		t.Fatal(err)
	}
	server, err := scram.SHA256.NewServer(func(string) (scram.StoredCredentials, error) { return stored, nil })
	if err != nil {
		t.Fatal(err)
	}
	if change == nil {
		change = func(s string) string { return s }
	}
	l := &scramServer{talk: &talk{}, conv: server.NewConversation(), change: change}
	client, err := New("SCRAM-SHA-256", user, password, "h", 1)
	if err != nil {
		t.Fatal(err)
	}
	return l, Run(client, l, false)
}

func TestSCRAM(t *testing.T) {
	if l, err := scramWith(t, secret, nil); err != nil || l.last != "" {
		t.Errorf("right password: %v, and last we said %q", err, l.last)
	}
	if l, err := scramWith(t, "wrong", nil); err != errRefused || l.last == "*" {
		t.Errorf("wrong password: %v, and last we said %q: the server's last word was not waited for", err, l.last)
	}
	for name, change := range map[string]func(string) string{
		"another signature": func(s string) string {
			if strings.HasPrefix(s, "v=") {
				return "v=" + b64(strings.Repeat("x", 32))
			}
			return s
		},
		"too few iterations":  wants("1"),
		"a billion":           wants("1000000000"),
		"more than 64 bits":   wants("99999999999999999999"),
		"negative iterations": wants("-1"),
	} {
		if _, err := scramWith(t, secret, change); err == nil || sync.ClassOf(err) != sync.Protocol {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// wants changes the number of iterations that a server asks for.
func wants(iterations string) func(string) string {
	return func(s string) string { return strings.Replace(s, "i=4096", "i="+iterations, 1) }
}

func TestSecretsThatCannotBeCarried(t *testing.T) {
	for _, mechanism := range Mechanisms {
		for _, bad := range []string{"\x00", "\x01auth=x", "\r\n", "\n"} {
			for _, who := range [][2]string{{user + bad, secret}, {user, secret + bad}} {
				_, err := New(mechanism, who[0], who[1], "h", 1)
				isConfig(t, fmt.Sprintf("%s %q", mechanism, who), err)
			}
		}
	}
	_, err := New("SCRAM-SHA-256", user, secret+"\ue000", "h", 1) // private use (RFC 3454 §C.3)
	isConfig(t, "SCRAM with a private character", err)
	_, err = New("NTLM", user, secret, "h", 1)
	isConfig(t, "NTLM", err)
}

func isConfig(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil || sync.ClassOf(err) != sync.Config {
		t.Errorf("%s: got %v", what, err)
	} else if strings.Contains(err.Error(), secret) {
		t.Errorf("%s: the secret is in %q", what, err)
	}
}
