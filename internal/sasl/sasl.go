// Package sasl proves who we are to a POP3 or an IMAP server (RFC 4422): it picks the strongest mechanism that both
// sides know, and runs the exchange. It leaves the protocols' own logins (USER, APOP, LOGIN) to their packages.
//
// Its errors have classes: Config for a secret that a mechanism cannot carry, Protocol for a server that breaks the
// exchange or does not prove itself. None of them quotes a secret.
package sasl

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-sasl"
	"github.com/xdg-go/scram"

	"github.com/pop2imap/pop2imap/sync"
)

// Mechanisms are those this package knows, strongest first. A token is no password, so the two that carry a token
// come last: they are taken by name, or where a server has nothing else.
var Mechanisms = []string{"SCRAM-SHA-256", "CRAM-MD5", "PLAIN", "LOGIN", "OAUTHBEARER", "XOAUTH2"}

// Choose gives the strongest mechanism among those offered (names in any case), or "".
func Choose(offered []string) string {
	for _, m := range Mechanisms {
		if slices.ContainsFunc(offered, func(o string) bool { return strings.EqualFold(o, m) }) {
			return m
		}
	}
	return ""
}

// New gives the client side of a mechanism. For OAUTHBEARER and XOAUTH2 secret is the token.
// Host and port name the server, for OAUTHBEARER.
func New(mechanism, user, secret, host string, port int) (sasl.Client, error) {
	if strings.ContainsAny(user+secret, "\x00\x01\r\n") { // NUL and ^A end a field (RFC 4616 §2, RFC 7628 §3.1)
		return nil, config("a control character in user name, password or token")
	}
	switch mechanism {
	case "PLAIN":
		return sasl.NewPlainClient("", user, secret), nil
	case "LOGIN":
		return &steps{mechanism: mechanism, answers: []string{user, secret}}, nil
	case "CRAM-MD5":
		return &cramMD5{user, secret}, nil
	case "SCRAM-SHA-256":
		c, err := scram.SHA256.NewClient(user, secret, "")
		if err != nil {
			return nil, config("SCRAM does not allow this user name or password (RFC 4013)") // err may quote them
		}
		return &scramClient{conv: c.NewConversation()}, nil
	case "XOAUTH2":
		return &bearer{mechanism, fmt.Sprintf("user=%s\x01auth=Bearer %s\x01\x01", user, secret), ""}, nil
	case "OAUTHBEARER": // RFC 7628 §3.1
		first := fmt.Sprintf("n,a=%s,\x01host=%s\x01port=%d\x01auth=Bearer %s\x01\x01", saslname(user), host, port, secret)
		return &bearer{mechanism, first, "\x01"}, nil
	}
	return nil, config("unknown SASL mechanism %q", mechanism)
}

func config(format string, args ...any) error {
	return &sync.Error{Class: sync.Config, Err: fmt.Errorf(format, args...)}
}

// fault is an error of the server.
func fault(format string, args ...any) error {
	return &sync.Error{Class: sync.Protocol, Err: fmt.Errorf(format, args...)}
}

// saslname escapes a name for a GS2 header (RFC 5801 §4).
func saslname(s string) string {
	return strings.NewReplacer("=", "=3D", ",", "=2C").Replace(s)
}

// A Line carries one exchange over a protocol.
type Line interface {
	// Begin sends the command that opens the exchange. first is the initial response in base64, or "" for none.
	Begin(mechanism, first string) error
	// Next waits for the server: a challenge in base64, or the end of the exchange (done), good if err is nil.
	Next() (challenge string, done bool, err error)
	// Answer sends a response in base64, or "*" to give up.
	Answer(line string) error
}

// rounds is how many challenges we answer: no mechanism here has more than three, and a server may not stop asking.
const rounds = 8

// Run goes through an exchange. With initial set the first response goes with the command (RFC 4959, RFC 5034 §4).
// It returns what the server's last line said, or why we gave up.
func Run(c sasl.Client, l Line, initial bool) error {
	mechanism, held, err := c.Start() // held goes in answer to the first, empty challenge
	if err != nil {
		return fault("begin %s: %w", mechanism, err)
	}
	command := ""
	if initial && held != nil {
		command, held = cmp.Or(encode(held), "="), nil
	}
	if err := l.Begin(mechanism, command); err != nil {
		return err
	}
	for n := range rounds {
		challenge, done, err := l.Next()
		if done || err != nil {
			return finish(c, err, n > 0 || command != "")
		}
		answer := held
		if held == nil {
			if answer, err = respond(c, challenge); err != nil {
				return giveUp(l, err)
			}
		}
		held = nil
		if err := l.Answer(encode(answer)); err != nil {
			return err
		}
	}
	return giveUp(l, fault("the server does not stop asking (%s)", mechanism))
}

func respond(c sasl.Client, challenge string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(challenge)
	if err != nil {
		return nil, fault("the server's challenge is not base64")
	}
	answer, err := c.Next(raw)
	if err != nil {
		return nil, fault("the server broke the exchange: %s", sync.Clean(err.Error())) // which may quote the server
	}
	return answer, nil
}

// giveUp cancels the exchange and waits for the server to say so (RFC 4422 §3.4).
func giveUp(l Line, why error) error {
	if err := l.Answer("*"); err == nil {
		l.Next()
	}
	return why
}

// finish looks twice at a success: we must have said who we are, and a mechanism may know whether the server has too.
func finish(c sasl.Client, err error, said bool) error {
	if err != nil {
		return err
	}
	if !said {
		return fault("the server let us in before we said who we are")
	}
	if s, ok := c.(*scramClient); ok && !s.conv.Valid() {
		return fault("the server did not prove that it knows the password (SCRAM)")
	}
	return nil
}

func encode(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
