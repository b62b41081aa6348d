package lab

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-sasl"
	"github.com/xdg-go/scram"
)

// errDenied is what a mechanism says to wrong credentials.
var errDenied = errors.New("wrong user name, password or token")

// verifier gives the server's side of a SASL mechanism (RFC 4422). Its Next takes nil for "no initial response",
// gives nil for an empty challenge, and ends with done, or with an error when the client did not prove itself.
func verifier(mechanism, user, secret string) (sasl.Server, error) {
	switch strings.ToUpper(mechanism) {
	case "PLAIN": // RFC 4616: authorization identity, user, password
		return &dialogue{prompts: []string{""}, good: func(a []string) bool {
			f := strings.Split(a[0], "\x00")
			return len(f) == 3 && (f[0] == "" || f[0] == user) && f[1] == user && f[2] == secret
		}}, nil
	case "LOGIN":
		return &dialogue{prompts: []string{"Username:", "Password:"}, good: func(a []string) bool {
			return a[0] == user && a[1] == secret
		}}, nil
	case "CRAM-MD5": // RFC 2195
		const challenge = "<1896.697170952@lab.example.org>"
		return &dialogue{prompts: []string{challenge}, good: func(a []string) bool {
			mac := hmac.New(md5.New, []byte(secret))
			mac.Write([]byte(challenge))
			return a[0] == user+" "+hex.EncodeToString(mac.Sum(nil))
		}}, nil
	case "XOAUTH2":
		const denial = `{"status":"400","schemes":"Bearer"}`
		return &dialogue{prompts: []string{""}, denial: denial, good: func(a []string) bool {
			return a[0] == fmt.Sprintf("user=%s\x01auth=Bearer %s\x01\x01", user, secret)
		}}, nil
	case "OAUTHBEARER":
		return &dialogue{prompts: []string{""}, denial: `{"status":"invalid_token"}`, good: func(a []string) bool {
			return goodBearer(a[0], user, secret)
		}}, nil
	case "SCRAM-SHA-256":
		return scramVerifier(user, secret)
	}
	return nil, fmt.Errorf("unknown SASL mechanism %q", mechanism)
}

// openDoorWith is openDoor for a server with these mechanisms: each must be known.
func openDoorWith(mechs []string, user, secret string) (*door, error) {
	for _, m := range mechs {
		if _, err := verifier(m, user, secret); err != nil {
			return nil, err
		}
	}
	return openDoor()
}

// offers says whether a mechanism is among those of a server. Their names are the same in any case (RFC 4422 §3.1).
func offers(mechs []string, mechanism string) bool {
	return slices.ContainsFunc(mechs, func(m string) bool { return strings.EqualFold(m, mechanism) })
}

// goodBearer checks the client's message of RFC 7628 §3.1: GS2 header, then key=value pairs between ^A.
func goodBearer(message, user, token string) bool {
	header, pairs, _ := strings.Cut(message, "\x01")
	name := strings.NewReplacer("=", "=3D", ",", "=2C").Replace(user)
	if header != "n,a="+name+"," || !strings.HasSuffix(pairs, "\x01\x01") {
		return false
	}
	for _, pair := range strings.Split(strings.TrimSuffix(pairs, "\x01\x01"), "\x01") {
		if key, value, _ := strings.Cut(pair, "="); key == "auth" {
			return value == "Bearer "+token
		}
	}
	return false
}

// A dialogue sends its prompts, each to be answered, and judges the answers. With a denial, wrong credentials are
// first told so in one more challenge.
type dialogue struct {
	prompts []string
	denial  string
	good    func(answers []string) bool
	answers []string
}

func (d *dialogue) Next(response []byte) (challenge []byte, done bool, err error) {
	if response != nil {
		d.answers = append(d.answers, string(response))
	}
	n := len(d.answers)
	switch {
	case n < len(d.prompts):
		return nonEmpty(d.prompts[n]), false, nil
	case n == len(d.prompts) && d.good(d.answers):
		return nil, true, nil
	case n == len(d.prompts) && d.denial != "":
		return []byte(d.denial), false, nil
	}
	return nil, false, errDenied
}

func nonEmpty(s string) []byte {
	if s == "" {
		return nil
	}
	return []byte(s)
}

// scramSide is SCRAM (RFC 5802). What the server says last, its own proof, goes as a challenge with an empty answer:
// neither POP3 nor IMAP can send it with success.
type scramSide struct{ conv *scram.ServerConversation }

func scramVerifier(user, secret string) (sasl.Server, error) {
	c, err := scram.SHA256.NewClient(user, secret, "")
	if err != nil {
		return nil, fmt.Errorf("prepare SCRAM: %w", err)
	}
	stored, err := c.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "salt of the lab.", Iters: 4096})
	if err != nil {
		return nil, fmt.Errorf("prepare SCRAM: %w", err)
	}
	server, err := scram.SHA256.NewServer(func(name string) (scram.StoredCredentials, error) {
		if name != user {
			return scram.StoredCredentials{}, errDenied
		}
		return stored, nil
	})
	if err != nil {
		return nil, fmt.Errorf("prepare SCRAM: %w", err)
	}
	return &scramSide{server.NewConversation()}, nil
}

func (s *scramSide) Next(response []byte) (challenge []byte, done bool, err error) {
	if response == nil {
		return nil, false, nil
	}
	if s.conv.Done() {
		return nil, s.conv.Valid(), nil
	}
	answer, err := s.conv.Step(string(response))
	if err != nil {
		return nil, false, errDenied
	}
	return []byte(answer), false, nil
}
