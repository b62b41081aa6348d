package lab

import (
	"strings"
	"testing"
)

func startScript(t *testing.T, play func(*Peer)) *Script {
	t.Helper()
	s, err := StartScript(play)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestScriptPlaysItsPartOnEachConnection(t *testing.T) {
	type result struct {
		number int
		line   string
		err    error
	}
	results := make(chan result, 2)
	s := startScript(t, func(p *Peer) {
		if p.Send("+OK no line end") != nil {
			return
		}
		line, err := p.Expect("user ")
		results <- result{p.Number, line, err}
		p.Send("\r\n-ERR and\x00 then\r\n")
	})
	for n, c := range []struct{ send, want, fault string }{
		{"USER alice\r\n", "USER alice", ""},
		{"user bob\n", "user bob", ""},
		{"USE\r\n", "USE", `the client sent "USE", not "user "`},
	} {
		w := talkOn(t, dial(t, s))
		w.send(c.send)
		r := <-results
		equal(t, "number", r.number, n+1)
		equal(t, "line", r.line, c.want)
		fault := ""
		if r.err != nil {
			fault = r.err.Error()
		}
		equal(t, "error", fault, c.fault)
		equal(t, "first line", w.line(), "+OK no line end\r\n")
		equal(t, "second line", w.line(), "-ERR and\x00 then\r\n")
		w.ends()
	}
}

func TestScriptEndsWhenItsClientIsGone(t *testing.T) {
	errs := make(chan error, 1)
	s := startScript(t, func(p *Peer) {
		_, err := p.Expect("QUIT")
		errs <- err
	})
	dial(t, s).Close()
	if err := <-errs; err == nil || !strings.Contains(err.Error(), `wait for "QUIT"`) {
		t.Errorf("error: %v", err)
	}
}

func TestScriptGoesOverToTLS(t *testing.T) {
	a := authority(t)
	errs := make(chan error, 1)
	s := startScript(t, func(p *Peer) {
		p.Expect("STLS")
		p.Send("+OK\r\n")
		err := p.StartTLS(a.Good.Config)
		errs <- err
		if err == nil {
			line, _ := p.ReadLine()
			p.Send("you said " + line + "\r\n")
		}
	})
	t.Run("and talks on inside", func(t *testing.T) {
		w := talkOn(t, dial(t, s))
		w.do("STLS", "+OK")
		if err := w.secure(a); err != nil {
			t.Fatal(err)
		}
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
		equal(t, "inside", w.do("hello", ""), "you said hello")
	})
	t.Run("but not if the client was hasty", func(t *testing.T) {
		w := talkOn(t, dial(t, s))
		w.send("STLS\r\nCAPA\r\n")
		w.wants("+OK")
		if err := <-errs; err == nil {
			t.Error("what came ahead of the handshake was accepted")
		}
	})
	t.Run("nor with a client that trusts another authority", func(t *testing.T) {
		w := talkOn(t, dial(t, s))
		w.do("STLS", "+OK")
		if err := w.secure(authority(t)); err == nil {
			t.Error("the client accepted the certificate")
		}
		if err := <-errs; err == nil || !strings.HasPrefix(err.Error(), "TLS handshake: ") {
			t.Errorf("the server's error: %v", err)
		}
	})
}
