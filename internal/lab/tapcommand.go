package lab

import (
	"regexp"
	"strconv"
	"strings"
)

var literalEnd = regexp.MustCompile(`\{(\d+)(\+?)\}$`)

// literal says how long the literal is that follows a line, and whether it comes only if it is asked for. Out of range it
// is the greatest there can be, and is refused.
func literal(line string) (size int64, waits, is bool) {
	m := literalEnd.FindStringSubmatch(line)
	if m == nil {
		return 0, false, false
	}
	size, _ = strconv.ParseInt(m[1], 10, 64)
	return size, m[2] == "", true
}

// see takes in a line from the client, and says whether the connection goes on.
func (t *tap) see(line string) bool {
	if t.verb == "AUTHENTICATE" && t.asked.Load() {
		t.note("***")
		return true
	}
	t.verb = ""
	if t.command == "" {
		if tag, rest, tagged := strings.Cut(line, " "); tagged {
			t.tag, line = tag, rest
		}
	}
	t.command += line
	var more bool
	if t.literal, t.waits, more = literal(line); more {
		t.offered.Store(true)
		return true
	}
	return t.complete()
}

// complete notes a command that has come to its end, and asks the hook about it.
func (t *tap) complete() bool {
	command := hideIMAP(t.command)
	t.command = ""
	t.note(command)
	verb, _, _ := strings.Cut(command, " ")
	t.verb, t.fate = strings.ToUpper(verb), Execute
	if t.srv.o.Hook != nil {
		t.fate = t.srv.o.Hook(t.n, command)
	}
	t.mute.Store(t.fate == CutReply || t.fate == CutLate)
	return t.fate != Cut
}

func (t *tap) note(command string) { t.srv.note(hideIMAP(command)) }

// hideIMAP is a command without its secrets.
func hideIMAP(command string) string {
	f := strings.Split(command, " ")
	keep := len(f)
	switch strings.ToUpper(f[0]) {
	case "LOGIN":
		keep = 1
	case "AUTHENTICATE":
		keep = 2
	}
	if len(f) > keep {
		return strings.Join(f[:keep], " ") + " ***"
	}
	return command
}
