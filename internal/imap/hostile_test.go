package imap

import (
	"bufio"
	"io"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

// wary is a session that takes 5,000 responses for too many: the limit itself takes minutes on a busy machine.
func wary(t *testing.T, capabilities string, play func(*lab.Peer)) *Session {
	t.Helper()
	s, err := dial(t.Context(), at(check.Script(t, loginless(func(p *lab.Peer) {
		caps(capabilities).answerUntil(p, "LIST")
		play(p)
	}))), alice, 5000)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.drop)
	return s
}

// A server that sends without end, or what makes no sense, while a batch is in flight or a FETCH under way, costs
// bounded memory and time, and never makes a message that may be stored one that is not.
func TestHostileServer(t *testing.T) {
	for _, c := range []struct{ name, once, flood string }{
		{"an EXPUNGE flood", "", "* 1 EXPUNGE\r\n"},
		{"an EXISTS flood", "", "* 4294967295 EXISTS\r\n"},
		{"a flood of flags", "", "* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n"},
		{"a flood of FETCH", "", "* 1 FETCH (UID 99 RFC822.SIZE 1)\r\n"},
		{"a flood of lists", "", "* LIST () \"/\" x\r\n"},
		{"a flood of continuations", "", "+ go\r\n"},
		{"replies that nobody asked for", "", "p77 OK\r\n"},
		{"replies to imapclient", "", "T77 OK\r\n"},
		{"an endless line", "* OK ", strings.Repeat("x", 1000)},
		{"an endless FETCH", "* 1 FETCH (", "FLAGS () "},
		{"a literal of 4 GB", "* 1 FETCH (UID 1 BODY[] {4294967295}\r\n", strings.Repeat("x", 1000)},
		{"a literal of 4 GB in a name", "* LIST () \"/\" {4294967295}\r\n", strings.Repeat("x", 1000)},
		{"a literal beyond all numbers", "* X {99999999999999999999}\r\n", strings.Repeat("x", 1000)},
		{"literals without end", "* X ", "{1}\r\nx"},
		{"a literal of 60 MB held in memory", "* 1 FETCH (UID 1 ENVELOPE ({60000000}\r\n", strings.Repeat("x", 1000)},
	} {
		flood := strings.Repeat(c.flood, 100)
		t.Run(c.name+", in flight", func(t *testing.T) {
			s := wary(t, multi, func(p *lab.Peer) {
				e := ear{p, bufio.NewReader(p.Conn)}
				e.append()
				e.p.Send(c.once)
				for e.p.Send(flood) == nil {
				}
			})
			check.Soon(t, "the answer", func() {
				a := s.Append(t.Context(), inbox, letters("a", "b")).Wait(t.Context())
				e := check.Class(t, a[1].Err, sync.Protocol)
				check.Equal(t, "unsent", e.Unsent, false)
			})
		})
		t.Run(c.name+", in FETCH", func(t *testing.T) {
			s := wary(t, "", func(p *lab.Peer) {
				caps("").with("UID FETCH", "").answer(p)
				p.Send(c.once)
				for p.Send(flood) == nil {
				}
			})
			check.Soon(t, "reading", func() {
				err := s.Read(t.Context(), sync.Folder{Name: "INBOX", UIDValidity: 7}, []uint32{1}, func(_ uint32, body io.Reader) error {
					_, err := io.Copy(io.Discard, body)
					return err
				})
				check.Class(t, err, sync.Protocol)
			})
		})
	}
}

// What is offered only before TLS, or instead of it, is not taken: no byte of a secret goes over a line in cleartext
// that was asked to be protected.
func TestPREAUTHWithoutAnOfferOfTLS(t *testing.T) {
	heard := make(chan string, 1)
	s := check.Script(t, func(p *lab.Peer) {
		p.Send("* PREAUTH welcome\r\n")
		line, _ := p.ReadLine()
		heard <- line
	})
	server := at(s)
	server.Security = wire.StartTLS
	check.Class(t, refused(t, server, alice), sync.Protocol)
	check.Equal(t, "said", <-heard, "")
}
