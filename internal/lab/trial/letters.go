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

// Sized is the message filled up to n octets with whole lines. It must have n, or two fewer at least.
func Sized(m lab.Mail, n int) lab.Mail {
	line := []byte("filled up to its size, filled up to its size, filled up.\r\n")
	raw := slices.Clone(m.Raw)
	for n-len(raw) >= len(line)+2 {
		raw = append(raw, line...)
	}
	if n > len(raw) {
		raw = append(raw, bytes.Repeat([]byte("x"), n-len(raw)-2)...)
		raw = append(raw, "\r\n"...)
	}
	m.Raw = raw
	return m
}
