package imap

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/internal/lab/real"
)

// courierNew plays a folder that never held a message, at Courier: until it is SELECTed, which may be refused, each EXAMINE
// gives it another UIDVALIDITY.
func courierNew(refuses bool, said chan<- string) func(*lab.Peer) {
	return loginless(func(p *lab.Peer) {
		defer close(said)
		validity, firm := 7, false
		for {
			line, err := p.ReadLine()
			if err != nil {
				return
			}
			_, command, _ := strings.Cut(line, " ")
			said <- command
			opens := strings.HasPrefix(command, "EXAMINE") || strings.HasPrefix(command, "SELECT")
			if opens && !firm {
				validity++
			}
			answer := fmt.Sprintf("* OK [UIDVALIDITY %d]\r\n* OK [UIDNEXT 1]\r\n%% OK\r\n", validity)
			r := caps("").with("EXAMINE", answer, "SELECT", answer)
			if refuses {
				r = r.with("SELECT", "% NO not you\r\n")
			}
			firm = firm || strings.HasPrefix(command, "SELECT") && !refuses
			if p.Send(r.to(line)) != nil {
				return
			}
		}
	})
}

// A folder that never held a message is SELECTed, so that its UIDs begin to mean something, and then left open for reading.
func TestFolderThatNeverHeldAMessage(t *testing.T) {
	for _, refuses := range []bool{false, true} {
		t.Run(fmt.Sprint("SELECT refused: ", refuses), func(t *testing.T) {
			said := make(chan string, 100)
			s := enter(t, check.Script(t, courierNew(refuses, said)))
			f, err := s.Open(t.Context(), "INBOX", true)
			if err != nil {
				t.Fatal(err)
			}
			check.Equal(t, "the folder that is examined", s.selected, "INBOX")
			again, err := s.Open(t.Context(), "INBOX", false)
			if err != nil {
				t.Fatal(err)
			}
			check.Equal(t, "the same UIDVALIDITY", again.UIDValidity == f.UIDValidity, !refuses)
			s.drop()
			all := ""
			for command := range said {
				all += "\n" + command
			}
			if !strings.HasSuffix(all, "EXAMINE INBOX\nSELECT INBOX\nEXAMINE INBOX\nEXAMINE INBOX") {
				t.Errorf("said:%s", all)
			}
		})
	}
}

// Whatever their clocks say meanwhile, an INBOX that was never opened before stays the same at real servers.
func TestNewInboxAtRealServers(t *testing.T) {
	for _, kind := range real.Kinds {
		t.Run(string(kind), func(t *testing.T) {
			s, f := realSession(t, real.Start(t, kind, nil), "INBOX")
			for began := time.Now(); time.Since(began) < 2*time.Second; {
				again, err := s.Open(t.Context(), "INBOX", false)
				if err != nil {
					t.Fatal(err)
				}
				check.Equal(t, "UIDVALIDITY", again.UIDValidity, f.UIDValidity)
				if t.Failed() {
					return
				}
			}
		})
	}
}
