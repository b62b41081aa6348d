package pop3

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/sync"
)

// oddMail are messages that something on the way might change.
var oddMail = []struct{ name, raw string }{
	{"ordinary", "A: 1\r\n\r\nbody\r\n"},
	{"dots", "A: 1\r\n\r\n.\r\n..\r\n.x\r\nx.\r\n"},
	{"bare LF", "A: 1\n\n.\n..\nbody\n"},
	{"bare CR", "A: 1\r\n\r\na\rb\r\r\n\r.\r\n"},
	{"NUL and 8-bit", "A: \xfc\r\n\r\n\x00\xff\x80\r\n"},
	{"no line end at the end", "A: 1\r\n\r\nx"},
	{"header only", "A: 1\r\n"},
	{"empty", ""},
	{"a dot only", "."},
	{"a long line", "A: 1\r\n\r\n" + strings.Repeat("x", 200_000) + "\r\n"},
	{"a long line of dots", strings.Repeat(".", 150_000)},
	{"many lines", strings.Repeat(".line\r\n", 30_000)},
}

func oddMaildrop() (mail []lab.Mail, numbers []int) {
	for i, m := range oddMail {
		mail = append(mail, lab.Mail{UIDL: fmt.Sprint(i), Raw: []byte(m.raw)})
		numbers = append(numbers, i+1)
	}
	return mail, numbers
}

// numbered are messages of which nothing is known but the number.
func numbered(numbers ...int) (messages []sync.Listed) {
	for _, n := range numbers {
		messages = append(messages, sync.Listed{Number: n})
	}
	return messages
}

// servers are ways to serve the same mail.
var servers = map[string]lab.POP3Options{
	"pipelining": {}, "no pipelining": {NoPipelining: true}, "no CAPA": {NoCAPA: true}, "LF only": {LFOnly: true},
}

// expected is what must arrive of a message; on a server of LF only nobody can tell a CR before LF from a line end.
func expected(raw string, o lab.POP3Options) string {
	want := string(canonical([]byte(raw)))
	if o.LFOnly {
		want = strings.ReplaceAll(want, "\r\r\n", "\r\n")
	}
	return want
}

func TestRetrieveGivesEachOctet(t *testing.T) {
	for name, o := range servers {
		t.Run(name, func(t *testing.T) {
			mail, numbers := oddMaildrop()
			s := enter(t, startPOP3(t, o, mail...))
			at := 0
			err := s.Retrieve(t.Context(), numbered(numbers...), func(n int, body io.Reader, err error) error {
				check.Equal(t, "number", n, numbers[at])
				m := oddMail[at]
				at++
				if err != nil {
					return err
				}
				got, err := io.ReadAll(body)
				if want := expected(m.raw, o); string(got) != want {
					t.Errorf("%s: got %d octets %.80q, want %d octets %.80q", m.name, len(got), got, len(want), want)
				}
				return err
			})
			if err != nil || at != len(numbers) {
				t.Fatalf("got %d messages and %v", at, err)
			}
			if err := s.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	for name, o := range servers {
		t.Run(name, func(t *testing.T) {
			mail, numbers := oddMaildrop()
			s := enter(t, startPOP3(t, o, mail...))
			got := map[int]string{}
			err := s.Headers(t.Context(), numbers[:8], func(n int, header []byte) error {
				got[n] = string(header)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for i, m := range oddMail[:8] {
				want := expected(m.raw, o)
				if header, _, ok := strings.Cut(want, "\r\n\r\n"); ok {
					want = header + "\r\n\r\n"
				}
				check.Equal(t, m.name, got[i+1], want)
			}
			if err := s.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestHeadersPassOverWhatIsGone(t *testing.T) {
	s := enter(t, startPOP3(t, lab.POP3Options{}, lab.Mail{Raw: []byte("A: 1\r\n\r\n")}))
	var got []int
	err := s.Headers(t.Context(), []int{7, 1, 8}, func(n int, header []byte) error {
		got = append(got, n)
		return nil
	})
	if err != nil || fmt.Sprint(got) != "[1]" {
		t.Errorf("got %v and %v", got, err)
	}
}

func TestHeadersWithoutTOP(t *testing.T) {
	s := enter(t, startPOP3(t, lab.POP3Options{NoTOP: true}, lab.Mail{Raw: []byte("A: 1\r\n\r\n")}))
	if listed(t, s).HasTop {
		t.Error("TOP is said to be there")
	}
	err := s.Headers(t.Context(), []int{1}, func(int, []byte) error {
		t.Error("a header")
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// A header that is too long is kept in part, the rest is read and thrown away.
func TestHeaderOf3MiB(t *testing.T) {
	raw := append([]byte("A: 1\r\n"), bytes.Repeat([]byte("B: 2\r\n"), 3<<20/6)...)
	s := enter(t, startPOP3(t, lab.POP3Options{}, lab.Mail{Raw: raw}, lab.Mail{Raw: []byte("C: 3\r\n\r\n")}))
	var sizes []int
	err := s.Headers(t.Context(), []int{1, 2}, func(_ int, header []byte) error {
		sizes = append(sizes, len(header))
		return nil
	})
	if err != nil || fmt.Sprint(sizes) != fmt.Sprint([]int{headerMax, 8}) {
		t.Errorf("got %v and %v", sizes, err)
	}
}

func TestHeaderWithoutAnEnd(t *testing.T) {
	s := enter(t, check.Script(t, func(p *lab.Peer) {
		answers("+OK\r\n", welcoming("TOP", ""))(p)
		for p.Send(strings.Repeat("A: 1\r\n", 1000)) == nil {
		}
	}))
	if err := s.conn.Send("TOP 1 0"); err != nil {
		t.Fatal(err)
	}
	check.Soon(t, "the header", func() {
		err := s.header(new(bytes.Buffer), 100, 100_000)
		check.Class(t, err, sync.Protocol)
	})
	if _, err := s.List(t.Context()); err == nil {
		t.Error("the session goes on")
	}
}

func TestAnErrorOfEachComesBack(t *testing.T) {
	enough := errors.New("enough")
	mail := []lab.Mail{{Raw: []byte("A: 1\r\n\r\nbody\r\n")}, {Raw: []byte("B: 2\r\n\r\n")}}
	t.Run("headers", func(t *testing.T) {
		s := enter(t, startPOP3(t, lab.POP3Options{}, mail...))
		if err := s.Headers(t.Context(), []int{1, 2}, func(int, []byte) error { return enough }); err != enough {
			t.Errorf("got %v", err)
		}
	})
	for _, read := range []int64{0, 3, 1 << 20} {
		t.Run(fmt.Sprintf("bodies, after %d octets", read), func(t *testing.T) {
			server := startPOP3(t, lab.POP3Options{}, mail...)
			s := enter(t, server)
			calls := 0
			err := s.Retrieve(t.Context(), numbered(1, 2), func(_ int, body io.Reader, _ error) error {
				calls++
				io.Copy(io.Discard, io.LimitReader(body, read))
				return enough
			})
			if err != enough || calls != 1 {
				t.Errorf("got %v after %d calls", err, calls)
			}
			if err := s.Close(t.Context()); err == nil {
				t.Error("QUIT was sent behind a body that was not read")
			}
		})
	}
}

func TestBodyThatIsNotReadToItsEnd(t *testing.T) {
	s := enter(t, startPOP3(t, lab.POP3Options{}, lab.Mail{Raw: []byte("A: 1\r\n\r\n")}, lab.Mail{}))
	err := s.Retrieve(t.Context(), numbered(1, 2), func(int, io.Reader, error) error { return nil })
	if err == nil || sync.ClassOf(err) != sync.Bug {
		t.Errorf("got %v", err)
	}
}

func TestRefusedMessageIsVanished(t *testing.T) {
	for _, c := range []struct{ name, reply, code string }{
		{"no reason", "-ERR", ""},
		{"deleted", "-ERR no such message", ""},
		{"a code nobody knows", "-ERR [X-CORRUPT] unreadable", "X-CORRUPT"},
		{"what Dovecot says of a message it cannot read", "-ERR [SYS/TEMP] Internal error occurred.", "SYS/TEMP"},
		{"or for good", "-ERR [SYS/PERM] unreadable", "SYS/PERM"},
		{"brackets without a code", "-ERR [not there any more] x", ""},
		{"control characters", "-ERR \x1b[2J", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := enter(t, startPOP3(t, lab.POP3Options{Hook: replying("RETR 2", c.reply+"\r\n")}, lab.Mail{Raw: []byte("A: 1")}, lab.Mail{Raw: []byte("A: 2")}, lab.Mail{Raw: []byte("A: 3")}))
			var got []string
			err := s.Retrieve(t.Context(), numbered(1, 2, 3), func(n int, body io.Reader, err error) error {
				if err != nil {
					e := check.Class(t, err, sync.Vanished)
					check.Equal(t, "code", e.Code, c.code)
					check.Equal(t, "server", e.Server, sync.Clean(c.reply))
					if body != nil {
						t.Error("a body with the refusal")
					}
					return nil
				}
				raw, err := io.ReadAll(body)
				got = append(got, string(raw))
				return err
			})
			if err != nil || strings.Join(got, "") != "A: 1\r\nA: 3\r\n" {
				t.Errorf("got %q and %v", got, err)
			}
			if err := s.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCutBodyIsNoMessage(t *testing.T) {
	const whole = "+OK\r\nA: 1\r\n\r\n..b\r\n.\r\n"
	for at := range len(whole) {
		t.Run(fmt.Sprintf("after %d octets", at), func(t *testing.T) {
			s := enter(t, startPOP3(t, lab.POP3Options{Hook: func(_ int, line string) (string, bool) {
				if line == "RETR 1" {
					return whole[:at], true
				}
				return "", false
			}}, lab.Mail{}))
			err := s.Retrieve(t.Context(), numbered(1), func(_ int, body io.Reader, err error) error {
				if err != nil {
					t.Errorf("it counts as refused: %v", err)
					return err
				}
				got, err := io.ReadAll(body) // which takes io.EOF only for the end
				if err == nil {
					t.Errorf("it counts as whole: %q", got)
				}
				return nil // a caller that looks away: the next call must say it all the same
			})
			check.Class(t, err, sync.Temporary)
			if err := s.Close(t.Context()); err == nil {
				t.Error("QUIT went well on a broken line")
			}
		})
	}
}

func TestRETRAnsweredWithNonsense(t *testing.T) {
	for _, reply := range []string{"A: 1\r\n\r\n", "+ERR Server error\r\n", "\r\n", "+ok\r\n.\r\n"} {
		s := enter(t, startPOP3(t, lab.POP3Options{Hook: replying("RETR 1", reply)}, lab.Mail{}))
		err := s.Retrieve(t.Context(), numbered(1, 1), func(int, io.Reader, error) error {
			t.Error("a message")
			return nil
		})
		check.Class(t, err, sync.Protocol)
	}
}

func TestClose(t *testing.T) {
	t.Run("says QUIT once", func(t *testing.T) {
		server := startPOP3(t, lab.POP3Options{})
		s := enter(t, server)
		if err := closed(t.Context(), s); err != nil {
			t.Error(err)
		}
		s.Abandon()
		if err := s.Close(t.Context()); err == nil {
			t.Error("closed twice")
		}
		check.Equal(t, "QUIT", strings.Count(strings.Join(server.Commands(), "|"), "QUIT"), 1)
	})
	t.Run("refused", func(t *testing.T) {
		s := enter(t, check.Script(t, answers("+OK\r\n", welcoming("QUIT", "-ERR some messages were not removed\r\n"))))
		check.Class(t, closed(t.Context(), s), sync.Temporary)
	})
	t.Run("without an answer", func(t *testing.T) {
		s := enter(t, check.Script(t, answers("+OK\r\n", welcoming("QUIT", ""))))
		check.Class(t, closed(t.Context(), s), sync.Temporary)
	})
	t.Run("nothing depends on the answer", func(t *testing.T) {
		heard := make(chan string, 1)
		s := enter(t, check.Script(t, func(p *lab.Peer) {
			answers("+OK\r\n", welcoming("QUIT", ""))(p)
			heard <- "QUIT"
		}))
		if err := s.Headers(t.Context(), nil, nil); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Errorf("got %v from a server that does not answer", err)
		}
		check.Equal(t, "heard", <-heard, "QUIT")
	})
	t.Run("abandoned", func(t *testing.T) {
		server := startPOP3(t, lab.POP3Options{}, lab.Mail{UIDL: "a"})
		s := enter(t, server)
		s.Abandon()
		s.Abandon()
		if _, err := s.List(t.Context()); err == nil {
			t.Error("listed after Abandon")
		}
		if err := s.Close(t.Context()); err == nil {
			t.Error("closed after Abandon")
		}
		enter(t, server) // the server gives the maildrop to the next
		if strings.Contains(strings.Join(server.Commands(), "|"), "QUIT") {
			t.Error("QUIT was sent")
		}
	})
}
