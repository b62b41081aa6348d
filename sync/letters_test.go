package sync_test

import (
	"bytes"
	"slices"

	"github.com/pop2imap/pop2imap/internal/lab"
)

// mail is a message of its own kind: its UIDL is its name.
func mail(name string) lab.Mail {
	raw := "Received: from a by b; Mon, 3 Mar 2025 10:00:00 +0100\r\nMessage-ID: <" + name + "@example.org>\r\n" +
		"Subject: " + name + "\r\n\r\nThis is " + name + ".\r\n.\r\nend\r\n"
	return lab.Mail{UIDL: name, Raw: []byte(raw)}
}

// anonymous is a message without a Message-ID.
func anonymous(name string) lab.Mail {
	return lab.Mail{UIDL: name, Raw: []byte("Subject: " + name + "\r\n\r\nThis is " + name + ".\r\n")}
}

// as is the same message under another UIDL.
func as(m lab.Mail, uidl string) lab.Mail {
	m.UIDL = uidl
	return m
}

// sized is the message filled up to n octets.
func sized(m lab.Mail, n int) lab.Mail {
	line := []byte("filled up to its size, filled up to its size, filled up.\r\n")
	raw := append(slices.Clone(m.Raw), bytes.Repeat(line, (n-len(m.Raw))/len(line))...)
	for len(raw) < n-2 {
		raw = append(raw, 'x')
	}
	m.Raw = append(raw, "\r\n"[:n-len(raw)]...)
	return m
}
