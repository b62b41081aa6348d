package pop3

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/sync"
)

// five are messages with odd UIDLs.
func five() (mail []lab.Mail) {
	for _, uidl := range []string{"one", "a b  c", "\xff\x80", ".", "one"} {
		mail = append(mail, lab.Mail{UIDL: uidl, Raw: []byte("A: 1\r\n\r\n")})
	}
	return mail
}

// left gives what the maildrop still holds.
func left(s *lab.POP3) string {
	var uidls []string
	for _, m := range s.Mail() {
		uidls = append(uidls, m.UIDL)
	}
	return strings.Join(uidls, "|")
}

// begun gives the commands that begin with a verb.
func begun(s *lab.POP3, verb string) (commands []string) {
	for _, c := range s.Commands() {
		if strings.HasPrefix(c, verb) {
			commands = append(commands, c)
		}
	}
	return commands
}

func TestDelete(t *testing.T) {
	for name, o := range servers {
		t.Run(name, func(t *testing.T) {
			server := startPOP3(t, o, five()...)
			s := enter(t, server)
			all := listed(t, s).Messages
			if err := s.Delete(t.Context(), []sync.Listed{all[1], all[3], all[2], all[4]}); err != nil {
				t.Fatal(err)
			}
			check.Equal(t, "before QUIT", left(server), "one|a b  c|\xff\x80|.|one")
			if err := s.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			check.Equal(t, "after QUIT", left(server), "one")
			// from the last to the first, against numbers that shift
			check.Equal(t, "commands", strings.Join(begun(server, "DELE"), "|"), "DELE 5|DELE 4|DELE 3|DELE 2")
		})
	}
}

func TestDeleteOf1000(t *testing.T) {
	mail := make([]lab.Mail, 1000)
	for i := range mail {
		mail[i] = lab.Mail{UIDL: fmt.Sprint("u", i)}
	}
	server := startPOP3(t, lab.POP3Options{}, mail...)
	s := enter(t, server)
	if err := s.Delete(t.Context(), listed(t, s).Messages[1:]); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	check.Equal(t, "left", left(server), "u0")
	commands := server.Commands()
	for i, c := range commands[len(commands)-2-2*999 : len(commands)-2] {
		if verb := []string{"UIDL ", "DELE "}[i/999]; !strings.HasPrefix(c, verb) {
			t.Fatalf("command %d is %q, want %s: all are confirmed before the first is deleted", i, c, verb)
		}
	}
}

func TestNothingIsDeleted(t *testing.T) {
	server := startPOP3(t, lab.POP3Options{}, five()...)
	s := enter(t, server)
	if err := s.Delete(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	check.Equal(t, "left", left(server), "one|a b  c|\xff\x80|.|one")
}

func TestDeleteAndAbandon(t *testing.T) {
	server := startPOP3(t, lab.POP3Options{}, five()...)
	s := enter(t, server)
	if err := s.Delete(t.Context(), listed(t, s).Messages); err != nil {
		t.Fatal(err)
	}
	s.Abandon()
	enter(t, server)
	check.Equal(t, "left", left(server), "one|a b  c|\xff\x80|.|one")
}

// Whatever is wrong with one message, no message is removed, and QUIT is not sent.
func TestDeleteThatFailsRemovesNothing(t *testing.T) {
	for _, c := range []struct {
		name, command, reply string // reply "": hang up
		class                sync.Class
		deletes              bool // DELE may have been sent
	}{
		{"numbers shifted", "UIDL 2", "+OK 2 \xff\x80", sync.Protocol, false},
		{"another number", "UIDL 2", "+OK 3 a b  c", sync.Protocol, false},
		{"a UIDL that begins so", "UIDL 2", "+OK 2 a b  cd", sync.Protocol, false},
		{"a UIDL that is shorter", "UIDL 2", "+OK 2 a b", sync.Protocol, false},
		{"another case", "UIDL 2", "+OK 2 A B  C", sync.Protocol, false},
		{"no UIDL", "UIDL 2", "+OK 2", sync.Protocol, false},
		{"no number", "UIDL 2", "+OK a b  c", sync.Protocol, false},
		{"nothing", "UIDL 2", "+OK", sync.Protocol, false},
		{"a listing", "UIDL 2", "+OK\r\n2 a b  c\r\n.", sync.Protocol, false},
		{"nonsense", "UIDL 2", "2 a b  c", sync.Protocol, false},
		{"it is gone", "UIDL 2", "-ERR no such message", sync.Temporary, false},
		{"UIDL is refused for good", "UIDL 2", "-ERR [SYS/PERM] no", sync.Unavailable, false},
		{"hangs up in UIDL", "UIDL 2", "", sync.Temporary, false},
		{"the first is another", "UIDL 1", "+OK 1 two", sync.Protocol, false},
		{"the last is another", "UIDL 5", "+OK 5 five", sync.Protocol, false},
		{"one reply too many", "UIDL 2", "+OK 2 a b  c\r\n+OK 2 a b  c", sync.Protocol, false},
		{"DELE is refused", "DELE 2", "-ERR not that one", sync.Temporary, true},
		{"DELE is refused for now", "DELE 2", "-ERR [SYS/TEMP] later", sync.Temporary, true},
		{"DELE is refused for good", "DELE 2", "-ERR [SYS/PERM] read only", sync.Unavailable, true},
		{"the last DELE is refused", "DELE 1", "-ERR not that one", sync.Temporary, true},
		{"the first DELE is refused", "DELE 5", "-ERR not that one", sync.Temporary, true},
		{"DELE is answered with nonsense", "DELE 2", "250 OK", sync.Protocol, true},
		{"hangs up in DELE", "DELE 2", "", sync.Temporary, true},
	} {
		for _, slow := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, pipelining: %v", c.name, !slow), func(t *testing.T) {
				o := lab.POP3Options{NoPipelining: slow}
				o.Hook = func(_ int, line string) (string, bool) {
					if line != c.command {
						return "", false
					}
					if c.reply == "" {
						return "", true
					}
					return c.reply + "\r\n", false
				}
				server := startPOP3(t, o, five()...)
				s := enter(t, server)
				check.Class(t, s.Delete(t.Context(), listed(t, s).Messages), c.class)
				if err := s.Close(t.Context()); err == nil {
					t.Error("QUIT went well")
				}
				s.Abandon()
				server.Close() // when the session is over
				check.Equal(t, "left", left(server), "one|a b  c|\xff\x80|.|one")
				if got := begun(server, "QUIT"); got != nil {
					t.Error("QUIT was sent")
				}
				if got := begun(server, "DELE"); got != nil && !c.deletes {
					t.Errorf("sent: %v", got)
				}
			})
		}
	}
}

func TestMessageWithoutUIDLIsNotDeleted(t *testing.T) {
	server := startPOP3(t, lab.POP3Options{NoUIDL: true}, five()...)
	s := enter(t, server)
	before := server.Commands()
	check.Class(t, s.Delete(t.Context(), []sync.Listed{{Number: 1, UIDL: "one"}, {Number: 2}}), sync.Bug)
	if got := server.Commands(); !reflect.DeepEqual(got, before) {
		t.Errorf("sent: %v", got[len(before):])
	}
	if err := s.Close(t.Context()); err == nil {
		t.Error("QUIT was sent")
	}
}

// Only +OK to QUIT says that the messages are gone (RFC 1939 §6).
func TestDeletedOnlyByOKToQUIT(t *testing.T) {
	for _, c := range []struct {
		name, reply, says string
		class             sync.Class
	}{
		{"some deleted messages not removed", "-ERR some deleted messages not removed\r\n", "not removed", sync.Temporary},
		{"for good", "-ERR [SYS/PERM] read only\r\n", "read only", sync.Unavailable},
		{"no reply", "", "closed the connection", sync.Temporary},
		{"half a reply", "+OK by", "closed the connection", sync.Temporary},
		{"nonsense", "bye\r\n", "neither", sync.Protocol},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := enter(t, startPOP3(t, lab.POP3Options{Hook: func(_ int, line string) (string, bool) {
				if line == "QUIT" {
					return c.reply, true
				}
				return "", false
			}}, five()...))
			if err := s.Delete(t.Context(), listed(t, s).Messages); err != nil {
				t.Fatal(err)
			}
			err := s.Close(t.Context())
			check.Class(t, err, c.class)
			check.Says(t, err, c.says)
		})
	}
}
