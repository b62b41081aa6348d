package lab

import (
	"strings"
	"testing"
)

func startPOP3(t *testing.T, o POP3Options, mail ...Mail) *POP3 {
	t.Helper()
	o.User, o.Password = user, password
	s, err := StartPOP3(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.SetMail(mail)
	return s
}

// popTo connects and takes the greeting.
func popTo(t *testing.T, s *POP3) *talk {
	t.Helper()
	p := talkOn(t, dial(t, s))
	p.wants("+OK")
	return p
}

// entered connects and logs in.
func entered(t *testing.T, s *POP3) *talk {
	t.Helper()
	p := popTo(t, s)
	p.do("USER "+user, "+OK")
	p.do("PASS "+password, "+OK")
	return p
}

// unstuffed takes the dots off that the server put before dots.
func unstuffed(wire string) string {
	return strings.TrimPrefix(strings.ReplaceAll("\n"+wire, "\n.", "\n"), "\n")
}
