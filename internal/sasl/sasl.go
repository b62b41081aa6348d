// Package sasl proves who we are to a POP3 or an IMAP server (RFC 4422): it picks the strongest mechanism that both
// sides know, and runs the exchange. It leaves the protocols' own logins (USER, APOP, LOGIN) to their packages.
package sasl

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-sasl"
	"github.com/xdg-go/scram"
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
			return nil, fmt.Errorf("prepare user name or password for SCRAM: not allowed by RFC 4013") // err may quote the secret
		}
		return &scramClient{conv: c.NewConversation()}, nil
	case "XOAUTH2":
		return &bearer{mechanism, fmt.Sprintf("user=%s\x01auth=Bearer %s\x01\x01", user, secret), ""}, nil
	case "OAUTHBEARER": // RFC 7628 §3.1
		first := fmt.Sprintf("n,a=%s,\x01host=%s\x01port=%d\x01auth=Bearer %s\x01\x01", saslname(user), host, port, secret)
		return &bearer{mechanism, first, "\x01"}, nil
	}
	return nil, fmt.Errorf("unknown SASL mechanism %q", mechanism)
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

// Run goes through an exchange. With initial set the first response goes with the command (RFC 4959, RFC 5034 §4).
// It returns what the server's last line said, or why we gave up.
func Run(c sasl.Client, l Line, initial bool) error {
	mechanism, first, err := c.Start()
	if err != nil {
		return err
	}
	held := first // goes in answer to the first, empty challenge
	command := ""
	if initial && first != nil {
		command, held = encode(first), nil
		if command == "" {
			command = "="
		}
	}
	if err := l.Begin(mechanism, command); err != nil {
		return err
	}
	for {
		challenge, done, err := l.Next()
		if done || err != nil {
			return finish(c, err)
		}
		answer, fault := held, error(nil)
		if held == nil {
			answer, fault = respond(c, challenge)
		}
		held = nil
		if fault != nil {
			return giveUp(l, fault)
		}
		if err := l.Answer(encode(answer)); err != nil {
			return err
		}
	}
}

func respond(c sasl.Client, challenge string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(challenge)
	if err != nil {
		return nil, fmt.Errorf("the server's challenge is not base64")
	}
	return c.Next(raw)
}

// giveUp cancels the exchange and waits for the server to say so (RFC 4422 §3.4).
func giveUp(l Line, fault error) error {
	if err := l.Answer("*"); err != nil {
		return fault
	}
	l.Next()
	return fault
}

// finish asks a mechanism that knows whether the server proved itself too.
func finish(c sasl.Client, err error) error {
	if s, ok := c.(*scramClient); ok && err == nil && !s.conv.Valid() {
		return fmt.Errorf("the server did not prove that it knows the password (SCRAM)")
	}
	return err
}

func encode(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// steps answers each challenge, whatever it says, with the next answer: LOGIN, whose prompts differ among servers.
type steps struct {
	mechanism string
	answers   []string
}

func (s *steps) Start() (string, []byte, error) { return s.mechanism, nil, nil }

func (s *steps) Next([]byte) ([]byte, error) {
	if len(s.answers) == 0 {
		return nil, sasl.ErrUnexpectedServerChallenge
	}
	a := s.answers[0]
	s.answers = s.answers[1:]
	return []byte(a), nil
}

type cramMD5 struct{ user, secret string }

func (c *cramMD5) Start() (string, []byte, error) { return "CRAM-MD5", nil, nil }

func (c *cramMD5) Next(challenge []byte) ([]byte, error) { // RFC 2195 §2
	mac := hmac.New(md5.New, []byte(c.secret))
	mac.Write(challenge)
	return []byte(c.user + " " + hex.EncodeToString(mac.Sum(nil))), nil
}

type scramClient struct{ conv *scram.ClientConversation }

func (s *scramClient) Start() (string, []byte, error) {
	first, err := s.conv.Step("")
	return "SCRAM-SHA-256", []byte(first), err
}

func (s *scramClient) Next(challenge []byte) ([]byte, error) {
	if s.conv.Done() {
		return nil, nil
	}
	answer, err := s.conv.Step(string(challenge))
	return []byte(answer), err
}

// bearer sends a token. A challenge after it is a refusal in JSON: its answer only fetches the server's last word.
type bearer struct{ mechanism, first, afterRefusal string }

func (b *bearer) Start() (string, []byte, error) { return b.mechanism, []byte(b.first), nil }

func (b *bearer) Next([]byte) ([]byte, error) { return []byte(b.afterRefusal), nil }
