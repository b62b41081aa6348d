package cuts

import (
	"net"
	"slices"
	"strings"
	stdsync "sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/trial"
	"github.com/pop2imap/pop2imap/sync"
)

// persistent is a run that tries again by itself.
func persistent(o *sync.Options) { o.Patience = time.Minute }

// once is a trap that springs at the n-th command that begins so.
func once(prefix string, n int) func(string) bool {
	var t trial.Trap
	t.Set(prefix, n)
	return t.Springs
}

// The line to the maildrop breaks in the middle, and before the next login the maildrop is another: the first message is
// gone, one has come to the front, and so each message has another number.
func TestRunGoesOnWithOtherNumbers(t *testing.T) {
	for name, reply := range map[string]string{"before the reply": "", "in the body": "+OK\r\nMessage-ID: <b@x>\r\nDat"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			drops := once("RETR", 2)
			var w *world
			w = create(t, lab.POP3Options{Hook: func(_ int, command string) (string, bool) {
				if !drops(command) {
					return "", false
				}
				w.POP.SetMail([]lab.Mail{mail("new"), mail("c"), mail("b"), mail("d")})
				return reply, true
			}}, lab.IMAPOptions{}, mail("a"), mail("b"), mail("c"))
			w.ends(w.Run(persistent))
			if got := w.Asked("UIDL"); len(got) < 2 {
				t.Errorf("got %q, want a new listing", got)
			}
			w.Holds(mail("a"), mail("new"), mail("c"), mail("b"), mail("d"))
			w.changesNothing()
		})
	}
}

// The line to the mailbox breaks in the middle of an APPEND; stored or not, the same run goes on, with a new listing.
func TestRunSettlesAndGoesOn(t *testing.T) {
	for name, fate := range map[string]lab.Fate{"not stored": lab.Cut, "stored": lab.CutReply} {
		for _, n := range []int{1, 2} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				drops := once("APPEND", n)
				var w *world
				w = create(t, lab.POP3Options{}, lab.IMAPOptions{Hook: func(_ int, command string) lab.Fate {
					if !drops(command) {
						return lab.Execute
					}
					w.POP.SetMail(append([]lab.Mail{mail("new")}, three...))
					return fate
				}}, three...)
				w.ends(w.Run(persistent))
				got := w.There()
				slices.Sort(got)
				want := []string{string(three[0].Raw), string(three[1].Raw), string(three[2].Raw), string(mail("new").Raw)}
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Errorf("the mailbox holds\n%q\nwant\n%q", got, want)
				}
				w.changesNothing()
			})
		}
	}
}

func TestLoginThatIsPutOff(t *testing.T) {
	for name, c := range map[string]struct {
		reply  string
		capa   []string
		atMost time.Duration
		least  time.Duration
	}{
		"in use":                     {"-ERR [IN-USE] another program has it", nil, 10 * time.Second, time.Second},
		"a temporary failure":        {"-ERR [SYS/TEMP] not now", nil, 10 * time.Second, time.Second},
		"a delay, by CAPA":           {"-ERR [LOGIN-DELAY] too soon", []string{"LOGIN-DELAY 2"}, 10 * time.Second, 2 * time.Second},
		"a delay, in the text alone": {"-ERR [LOGIN-DELAY] wait 2 seconds", nil, 10 * time.Second, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := create(t, lab.POP3Options{Hook: lab.RefuseLogins(1, c.reply), ExtraCapa: c.capa}, lab.IMAPOptions{}, three...)
			r := w.Run(persistent)
			w.ends(r)
			if r.Took < c.least || r.Took > c.atMost {
				t.Errorf("it took %v, want %v to %v", r.Took, c.least, c.atMost)
			}
			if n := len(w.Asked("PASS")); n != 2 {
				t.Errorf("got %d logins, want 2", n)
			}
			w.Holds(three...)
			w.changesNothing()
		})
	}
}

func TestThrottledAppend(t *testing.T) {
	no := func(code imap.ResponseCode, text string) *imap.Error {
		return &imap.Error{Type: imap.StatusResponseTypeNo, Code: code, Text: text}
	}
	for name, c := range map[string]struct {
		refusal *imap.Error
		least   time.Duration
	}{
		"LIMIT":     {no("LIMIT", "slowly"), time.Second},
		"INUSE":     {no("INUSE", "busy"), time.Second},
		"Microsoft": {no("", "Request is throttled. Suggested Backoff Time: 2000 milliseconds"), 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := 0
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{RefuseAppend: func(int64, []byte) error {
				if n++; n == 2 {
					return c.refusal
				}
				return nil
			}}, three...)
			r := w.Run(persistent)
			w.ends(r)
			if r.Took < c.least {
				t.Errorf("it took %v, want %v", r.Took, c.least)
			}
			w.Holds(three...)
			w.changesNothing()
		})
	}
}

// Microsoft's server greets with BYE when an account has done too much.
func TestThrottledLogin(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, three...)
	bye, err := lab.StartScript(func(p *lab.Peer) {
		if err := p.Send("* BYE Request is throttled. Suggested Backoff Time: 2000 milliseconds\r\n"); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer bye.Close()
	m := &moved{at: bye}
	w.To = m
	w.OnNotice = func(text string) {
		if strings.Contains(text, "throttled") {
			m.to(w.IMAP)
		}
	}
	r := w.Run(persistent)
	w.ends(r)
	if n := bye.Connections(); n != 1 || r.Took < 2*time.Second {
		t.Errorf("it came %d times and took %v; want once, and to wait 2 s", n, r.Took)
	}
	w.Holds(three...)
	w.changesNothing()
}

// A moved place is where it was told to be last.
type moved struct {
	mu stdsync.Mutex
	at trial.Place
}

func (m *moved) Addr() (string, int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.at.Addr()
}

func (m *moved) to(at trial.Place) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = at
}

// restarts lets a line go down when down is called, and come back when connecting has failed twice.
func (w *world) restarts(to trial.Place, at *trial.Place) (down func()) {
	line := w.proxy(to, lab.ProxyOptions{})
	m := &moved{at: line}
	*at = m
	failed := 0
	w.OnNotice = func(text string) {
		if !strings.Contains(text, "refused") {
			return
		}
		if failed++; failed == 2 {
			m.to(w.proxy(to, lab.ProxyOptions{}))
		}
	}
	w.Cleanup(func() {
		if failed < 2 {
			w.Errorf("connecting failed %d times, want 2", failed)
		}
	})
	return line.Close
}

// A server is started anew: its lines break, and its port is closed for a while.
func TestServerIsStartedAnew(t *testing.T) {
	t.Run("POP3", func(t *testing.T) {
		t.Parallel()
		springs := once("RETR", 2)
		var down func()
		w := create(t, lab.POP3Options{Hook: func(_ int, command string) (string, bool) {
			if springs(command) {
				down()
			}
			return "", false
		}}, lab.IMAPOptions{}, three...)
		down = w.restarts(w.POP, &w.From)
		w.ends(w.Run(persistent))
		w.Holds(three...)
		w.changesNothing()
	})
	for name, fate := range map[string]lab.Fate{"IMAP, not stored": lab.Cut, "IMAP, stored": lab.Execute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			springs := once("APPEND", 2)
			var down func()
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{Hook: func(_ int, command string) lab.Fate {
				if !springs(command) {
					return lab.Execute
				}
				down()
				return fate
			}}, three...)
			down = w.restarts(w.IMAP, &w.To)
			w.ends(w.Run(persistent))
			w.Holds(three...)
			w.changesNothing()
		})
	}
}

// A run that gets nowhere ends in a while, and says why.
func TestNobodyThere(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, three...)
	w.From = nowhere{ln.Addr().(*net.TCPAddr)}
	r := w.Run(func(o *sync.Options) { o.Patience = 2 * time.Second })
	if sync.ClassOf(r.Err) != sync.Temporary || !strings.Contains(r.Err.Error(), "refused") {
		t.Errorf("got %v", r.Err)
	}
	if r.Took > 10*time.Second {
		t.Errorf("it took %v", r.Took)
	}
}

type nowhere struct{ *net.TCPAddr }

func (n nowhere) Addr() (string, int) { return n.IP.String(), n.Port }
