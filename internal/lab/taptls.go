package lab

import (
	"crypto/tls"
	"regexp"
	"slices"

	"github.com/emersion/go-imap/v2"
)

var capabilities = regexp.MustCompile(`^(\S+ CAPABILITY|\S+ OK \[CAPABILITY) IMAP4rev1`)

// announce adds to a list of capabilities what imapserver does not know.
func (t *tap) announce(p []byte) []byte {
	at := capabilities.FindIndex(p)
	if at == nil {
		return p
	}
	more := ""
	if t.offersTLS() {
		more += " STARTTLS"
	}
	if t.in && t.srv.has(imap.CapMultiAppend) {
		more += " MULTIAPPEND"
	}
	return slices.Concat(p[:at[1]], []byte(more), p[at[1]:])
}

func (t *tap) offersTLS() bool {
	return t.srv.o.TLS != nil && !t.srv.o.Implicit && !t.secure && !t.in
}

// startTLS is imapserver's STARTTLS, but that we go on reading what is said inside. What was sent ahead of the handshake
// ends it (RFC 9051 §6.2.1).
func (t *tap) startTLS() error {
	if _, err := t.Write([]byte(t.tag + " OK begin TLS\r\n")); err != nil {
		return err
	}
	if t.r.Buffered() > 0 {
		return t.cut()
	}
	c := tls.Server(t.Conn, t.srv.o.TLS)
	if err := c.Handshake(); err != nil {
		return err
	}
	t.use(c)
	t.secure = true
	return nil
}
