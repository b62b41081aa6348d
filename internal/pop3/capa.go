package pop3

import (
	"slices"
	"strings"
	"time"
)

// capaMax is how many lines CAPA may have.
const capaMax = 1000

// capabilities are what CAPA says: upper-case names with their arguments. nil: the server has no CAPA (RFC 2449 §5).
type capabilities map[string][]string

func (c capabilities) has(name string) bool { _, ok := c[name]; return ok }

// Abilities gives what CAPA says before the login, once TLS has begun, and what it says after it: "SASL PLAIN", in capitals
// and in alphabetical order. A server without CAPA gives none. After is known when the maildrop has been listed.
func (s *Session) Abilities() (before, after []string) { return s.first.lines(), s.caps.lines() }

func (c capabilities) lines() (lines []string) {
	for name, args := range c {
		lines = append(lines, strings.Join(append([]string{name}, args...), " "))
	}
	slices.Sort(lines)
	return lines
}

// capa asks what the server can do. That it cannot say so is normal.
func (s *Session) capa() (capabilities, error) {
	if err := s.send("CAPA"); err != nil {
		return nil, err
	}
	return s.readCAPA()
}

// readCAPA reads the reply.
func (s *Session) readCAPA() (capabilities, error) {
	if _, err := s.reply("CAPA"); err != nil {
		return nil, s.lost
	}
	caps := capabilities{}
	err := readLines(s.w, capaMax, func(line string) error {
		if f := strings.Fields(strings.ToUpper(line)); len(f) > 0 {
			caps[f[0]] = f[1:]
		}
		return nil
	})
	if err != nil {
		return nil, s.lose(err)
	}
	return caps, nil
}

// loginDelay is how long the server wants to be left alone between two logins (RFC 2449 §6.5); 0: it does not say. More
// than a day is nonsense.
func (c capabilities) loginDelay() time.Duration {
	args := c["LOGIN-DELAY"]
	if len(args) == 0 {
		return 0
	}
	n, err := parseNumber(args[0])
	if err != nil || n > int64(pauseMax/time.Second) {
		return 0
	}
	return time.Duration(n) * time.Second
}
