package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/internal/units"
	"github.com/pop2imap/pop2imap/sync"
)

// pingTimeout is for one request: a watchdog answers within a second, and one that does not must not hold a run for long.
const pingTimeout = 10 * time.Second

// pingTries is how often a request is made until it gets through.
const pingTries = 2

// A pinger tells a watchdog of one pass, as healthchecks.io has it: that it began, and that all went well, or not. Whether that
// gets through means nothing to the run.
type pinger struct {
	to      config.Ping
	rid     string // tells the watchdog which end belongs to which beginning
	client  *http.Client
	timeout time.Duration
	fail    func(text string)

	cancel context.CancelFunc
	began  chan struct{} // closed when the beginning was told, or cannot be
}

// newPinger is for one pass. fail gets a notice of what does not get through.
func newPinger(to config.Ping, timeout time.Duration, fail func(text string)) *pinger {
	transport := http.DefaultTransport.(*http.Transport).Clone() // it knows HTTPS_PROXY
	// A run may take hours: then the line is forgotten on the way, and what a server says meanwhile Go prints on stderr.
	transport.DisableKeepAlives = true
	return &pinger{to: to, rid: randomUUID(), timeout: timeout, fail: fail, began: make(chan struct{}),
		client: &http.Client{Transport: transport, CheckRedirect: redirect}}
}

// begin tells that the pass begins, beside it. end must follow.
func (p *pinger) begin(ctx context.Context) {
	ctx, p.cancel = context.WithCancel(ctx)
	go func() {
		defer close(p.began)
		p.send(ctx, "start", "")
	}()
}

// end tells how the pass ended. Who stopped it knows that; and temporary trouble that nobody is told of for now is not the
// watchdog's business either: its own patience, which it has for runs that do not come, is the measure until then.
func (p *pinger) end(ctx context.Context, exit int, complained bool, text string) {
	if exit == 130 || exit == 143 {
		p.cancel()
	}
	<-p.began // so that the watchdog hears both in their order
	p.cancel()
	switch {
	case exit == 0:
		p.send(ctx, "", text)
	case exit == 130 || exit == 143 || exit == exits[sync.Temporary] && !complained:
	default:
		p.send(ctx, "fail", text)
	}
}

// send makes a request until it gets through, or nothing more can be hoped for.
func (p *pinger) send(ctx context.Context, what, text string) {
	var err error
	for range pingTries {
		var again bool
		if again, err = p.post(ctx, what, text); !again || ctx.Err() != nil {
			break
		}
	}
	if err != nil && ctx.Err() == nil {
		p.fail(fmt.Sprintf("--ping: %s: %v", p.to.Host, err))
	}
}

// post makes a request once, and says whether another may get through where this one did not. No error has the URL.
func (p *pinger) post(ctx context.Context, what, text string) (again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.address(what), strings.NewReader(text))
	if err != nil {
		return false, errors.New("no request can be made of the URL")
	}
	req.Header.Set("Content-Type", "text/plain; charset=utf-8")
	req.Header.Set("User-Agent", "pop2imap")
	answer, err := p.client.Do(req)
	if err != nil {
		return true, p.unheard(err)
	}
	answer.Body.Close()
	if answer.StatusCode/100 == 2 {
		return false, nil
	}
	again = answer.StatusCode/100 == 5 || answer.StatusCode == http.StatusTooManyRequests
	return again, fmt.Errorf("the answer is %d %s", answer.StatusCode, http.StatusText(answer.StatusCode))
}

// address is the URL for what there is to say. A query stays as it is.
func (p *pinger) address(what string) string {
	u := *p.to.URL
	if what != "" {
		u = *u.JoinPath(what)
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += "rid=" + p.rid
	return u.String()
}

var (
	errUncovered = errors.New("it sends on from https to http")
	errInCircles = errors.New("it sends on more than 5 times")
)

// redirect follows a watchdog that has moved, but tells nobody where from: that is a secret.
func redirect(req *http.Request, via []*http.Request) error {
	req.Header.Del("Referer")
	switch {
	case via[0].URL.Scheme == "https" && req.URL.Scheme != "https":
		return errUncovered
	case len(via) > 5:
		return errInCircles
	}
	return nil
}

// unheard says why there was no answer, as far as the words are certain not to have the URL in them, nor a proxy's password.
func (p *pinger) unheard(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %v", p.timeout)
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return errors.New(sync.Clean(e.Error()))
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return errors.New(sync.Clean(e.Error()))
	}
	for _, known := range []error{errUncovered, errInCircles} {
		if errors.Is(err, known) {
			return known
		}
	}
	return errors.New("no answer that is HTTP")
}

// meanings say in a few words what an exit code is about.
var meanings = map[int]string{0: "all is well", exitRefused: "messages were refused, or vanished", exitDoubt: "messages are in doubt",
	69: "a server refuses service, or its certificate is not trusted", 70: "a bug", 74: "state or disk", 75: "temporary trouble",
	76: "a server broke the protocol", 77: "a login was refused", 78: "config or a password", 130: "stopped", 143: "stopped"}

// pingText tells who looks at the watchdog what came of a pass, without an address.
func pingText(summary summaryJSON) string {
	text := fmt.Sprintf("exit code %d: %s\n", summary.Exit, meanings[summary.Exit])
	for _, line := range summary.Accounts {
		if a, ok := line.(accountJSON); ok {
			text += pingLine(a) + "\n"
		}
	}
	return text
}

func pingLine(a accountJSON) string {
	name, _, address := strings.Cut(a.Account, "@")
	if address {
		name += "@…"
	}
	text := sync.Clean(name) + ": "
	if a.Exit != 0 {
		text += fmt.Sprintf("exit code %d, %s", a.Exit, meanings[a.Exit])
		if a.Listed == 0 {
			return text
		}
		text += "; "
	}
	words := []string{units.Plural(a.Listed, "message") + " listed"}
	add(&words, a.Known, "known")
	add(&words, a.Quarantined, "refused earlier")
	add(&words, a.Copied, "copied")
	add(&words, a.Recognised, "found at the destination")
	add(&words, a.Refused, "refused")
	add(&words, a.Vanished, "vanished")
	add(&words, a.InDoubt+a.Missing, "in doubt")
	add(&words, a.Left, "left")
	add(&words, a.Deleted, "deleted at the source")
	return fmt.Sprintf("%s%s; %s in %.1f s", text, strings.Join(words, ", "), humanize.IBytes(uint64(a.Bytes)), a.Seconds)
}

// randomUUID is as RFC 9562 §5.4 has it.
func randomUUID() string {
	var u [16]byte
	rand.Read(u[:]) // it never fails
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}
