package sasl

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/emersion/go-sasl"
	"github.com/xdg-go/scram"
)

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
	if s.conv.Done() || strings.HasPrefix(string(challenge), "e=") { // an error (RFC 5802 §7): its last word follows
		return nil, nil
	}
	if n := iterations(string(challenge)); n > iterationsMax {
		return nil, fmt.Errorf("%d iterations are wanted for SCRAM", n)
	}
	answer, err := s.conv.Step(string(challenge))
	return []byte(answer), err
}

// iterationsMax is seconds of our time, which nothing could interrupt. Servers want 4,096 to 600,000.
const iterationsMax = 10_000_000

// iterations gives what the server's first message wants (RFC 5802 §5.1), or 0.
func iterations(challenge string) int64 {
	for field := range strings.SplitSeq(challenge, ",") {
		if count, ok := strings.CutPrefix(field, "i="); ok {
			n, _ := strconv.ParseInt(count, 10, 64) // of a number too large: the largest
			return n
		}
	}
	return 0
}

// bearer sends a token. A challenge after it is a refusal in JSON: its answer only fetches the server's last word.
type bearer struct{ mechanism, first, afterRefusal string }

func (b *bearer) Start() (string, []byte, error) { return b.mechanism, []byte(b.first), nil }

func (b *bearer) Next([]byte) ([]byte, error) { return []byte(b.afterRefusal), nil }
