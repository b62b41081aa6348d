package trial

import (
	"bytes"
	"slices"

	"github.com/pop2imap/pop2imap/internal/lab"
)

// Mail is a message of its own kind: its UIDL is its name.
func Mail(name string) lab.Mail {
	raw := "Received: from a by b; Mon, 3 Mar 2025 10:00:00 +0100\r\nMessage-ID: <" + name + "@example.org>\r\n" +
		"Subject: " + name + "\r\n\r\nThis is " + name + ".\r\n.\r\nend\r\n"
	return lab.Mail{UIDL: name, Raw: []byte(raw)}
}

// Anonymous is a message without a Message-ID.
func Anonymous(name string) lab.Mail {
	return lab.Mail{UIDL: name, Raw: []byte("Subject: " + name + "\r\n\r\nThis is " + name + ".\r\n")}
}

// As is the same message under another UIDL.
func As(m lab.Mail, uidl string) lab.Mail {
	m.UIDL = uidl
	return m
}

// Sized is the message filled up to n octets. It must not have more.
func Sized(m lab.Mail, n int) lab.Mail {
	line := []byte("filled up to its size, filled up to its size, filled up.\r\n")
	raw := append(slices.Clone(m.Raw), bytes.Repeat(line, (n-len(m.Raw))/len(line))...)
	for len(raw) < n-2 {
		raw = append(raw, 'x')
	}
	m.Raw = append(raw, "\r\n"[:n-len(raw)]...)
	return m
}
