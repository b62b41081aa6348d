package pop3

import (
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/sync"
)

// What servers say in plain text when another session is in the way is worth another try. What they say of a user or a
// password never is: that may lock the account.
func TestRefusalInPlainText(t *testing.T) {
	for _, c := range []struct {
		text  string
		class sync.Class
	}{
		{"Your mailbox is already locked", sync.Temporary},                                               // hMailServer
		{"maildrop already locked", sync.Temporary},                                                      // RFC 1939 §4
		{"Can't get lock.  Mailbox in use", sync.Temporary},                                              // UW
		{"Unable to lock maildrop", sync.Temporary},                                                      // Cyrus
		{"/var/spool/pop/." + user + ".pop lock busy!  Is another session active? (11)", sync.Temporary}, // qpopper
		{"Too many open connections (4 of 4 from 192.0.2.1)", sync.Temporary},                            // Cyrus
		{"TOO MANY SIMULTANEOUS CONNECTIONS", sync.Temporary},

		{"Your account is already locked", sync.Login},
		{"Your mailbox is locked", sync.Login},
		{"Mailbox is already locked: too many failed logins", sync.Login},
		{"Invalid password, or mailbox in use", sync.Login},
		{"Too many connections with a wrong password", sync.Login},
		{"Too many login attempts", sync.Login},
		{"Authentication failed", sync.Login},
		{"[AUTH] mailbox is already locked", sync.Login},
		{"[X-NEW] mailbox is already locked", sync.Login},
		{"no user mailbox in use", sync.Login}, // the name below
		{"logon failure", sync.Login},
		{"", sync.Login},
	} {
		t.Run(c.text, func(t *testing.T) {
			for _, auth := range []string{"user", "apop", "plain"} {
				name := user
				if strings.Contains(c.text, "no user") {
					name = "mailbox in use"
				}
				reply := "-ERR " + c.text + "\r\n"
				s := check.Script(t, answers("+OK <1@lab>\r\n", map[string]string{"USER": "+OK\r\n", "PASS": reply, "APOP": reply,
					"AUTH": "+ \r\n", check.Encoded("\x00" + name)[:12]: reply}))
				e := check.Class(t, refused(t, at(s), Login{name, password, auth}), c.class)
				if c.class == sync.Temporary && strings.Contains(e.Remedy, "check user name") {
					t.Errorf("remedy: %q", e.Remedy)
				}
			}
		})
	}
}

// Who waits for a login is told what for.
func TestWhatALoginWaitsFor(t *testing.T) {
	s := &Session{link: &link{}, login: alice}
	for text, want := range map[string]string{
		"[IN-USE] somebody has it":   "the maildrop is in use: server said: -ERR [IN-USE] somebody has it",
		"[LOGIN-DELAY] not so fast":  "it is too early after the last login: server said: -ERR [LOGIN-DELAY] not so fast",
		"maildrop already locked":    "the maildrop cannot be had just now: server said: -ERR maildrop already locked",
		"[SYS/TEMP] come back later": "login refused: server said: -ERR [SYS/TEMP] come back later",
		"[AUTH] who are you":         "login refused: server said: -ERR [AUTH] who are you",
	} {
		if got := s.denial(text).Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestPauseBeforeTheNextLogin(t *testing.T) {
	for _, c := range []struct {
		text  string
		pause time.Duration
	}{
		{"[LOGIN-DELAY] Logins must be at least 10 minutes apart", 10 * time.Minute}, // Cyrus
		{"[LOGIN-DELAY] Logins must be at least 1 minute apart", time.Minute},
		{"[LOGIN-DELAY] wait 90 seconds", 90 * time.Second},
		{"[LOGIN-DELAY] wait 30s, please", 30 * time.Second},
		{"[LOGIN-DELAY] Wait 5 Min", 5 * time.Minute},
		{"[LOGIN-DELAY/x] wait 90 SECONDS", 90 * time.Second},
		{"[LOGIN-DELAY] not so fast", 7 * time.Second}, // of CAPA
		{"[LOGIN-DELAY] wait 999999 minutes", 7 * time.Second},
		{"[LOGIN-DELAY] wait 99999999999999999999 seconds", 7 * time.Second},
		{"[LOGIN-DELAY] wait -1 seconds", time.Second}, // a dash
		{"[LOGIN-DELAY] 3 sessions", 7 * time.Second},
		{"[IN-USE] wait 90 seconds", 0},
		{"wait 90 seconds", 0},
	} {
		s := startPOP3(t, lab.POP3Options{ExtraCapa: []string{"LOGIN-DELAY 7"},
			Hook: replying("PASS "+password, "-ERR "+c.text+"\r\n")})
		err := refused(t, at(s), alice)
		want := sync.Temporary
		if c.text[0] != '[' {
			want = sync.Login
		}
		check.Equal(t, c.text, check.Class(t, err, want).Pause, c.pause)
	}
}

func TestLoginDelay(t *testing.T) {
	for _, c := range []struct {
		capa string
		want time.Duration
	}{
		{"LOGIN-DELAY 300", 5 * time.Minute},
		{"login-delay 10 user", 10 * time.Second},
		{"LOGIN-DELAY 0", 0},
		{"LOGIN-DELAY 86400", 24 * time.Hour},
		{"LOGIN-DELAY 86401", 0},
		{"LOGIN-DELAY 9223372036854775807", 0},
		{"LOGIN-DELAY 18446744073709551617", 0},
		{"LOGIN-DELAY -1", 0},
		{"LOGIN-DELAY +1", 0},
		{"LOGIN-DELAY 1e3", 0},
		{"LOGIN-DELAY", 0},
		{"LOGIN-DELAY USER", 0},
		{"X", 0},
	} {
		s := enter(t, startPOP3(t, lab.POP3Options{ExtraCapa: []string{c.capa}}))
		check.Equal(t, c.capa, listed(t, s).LoginDelay, c.want)
	}
}

func FuzzRefusal(f *testing.F) {
	for _, text := range []string{"", "[IN-USE] x", "[sys/temp/disk]", "[LOGIN-DELAY] 10 minutes", "[AUTH", "[]", "mailbox in use",
		"[X] mailbox already locked", "wrong password: mailbox in use", "[LOGIN-DELAY] 999999 mins", "\x1b[2J\u202e" + password} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := &Session{link: &link{hide: []string{password}}, login: alice}
		e := s.denial(text)
		if e.Code != "" && !strings.HasPrefix(strings.ToUpper(text), "["+e.Code+"]") {
			t.Errorf("the code %q is not in front", e.Code)
		}
		if strings.ContainsAny(e.Code, " ]\r\n\x00\x1b") {
			t.Errorf("code %q", e.Code)
		}
		class, ok := e.Class, e.Class == sync.Login
		if e.Code != "" { // the part before a "/" decides, or the whole
			for known, c := range codes {
				ok = ok || c.class == class && (e.Code == known || strings.HasPrefix(e.Code, known+"/"))
			}
		} else {
			ok = ok || class == sync.Temporary && !strings.Contains(strings.ToLower(text), "password")
		}
		if !ok {
			t.Errorf("%q has class %d", text, class)
		}
		if e.Pause < 0 || e.Pause > pauseMax || e.Pause != 0 && !strings.HasPrefix(e.Code, "LOGIN-DELAY") {
			t.Errorf("%q: pause %v", text, e.Pause)
		}
		if strings.Contains(e.Error(), password) || e.Server != sync.Clean(e.Server) {
			t.Errorf("shown: %q", e.Server)
		}
	})
}
