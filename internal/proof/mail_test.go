package proof_test

import (
	"bytes"
	"slices"

	"github.com/pop2imap/pop2imap/internal/lab"
)

// mail is a message of its own kind: its UIDL is its name.
func mail(name string) lab.Mail {
	return lab.Mail{UIDL: name, Raw: []byte("Received: from a by b; Mon, 3 Mar 2025 10:00:00 +0100\r\n" +
		"Message-ID: <" + name + "@example.org>\r\nSubject: " + name + "\r\n\r\nThis is " + name + ".\r\n.\r\nend\r\n")}
}

// anonymous is a message without a Message-ID.
func anonymous(name string) lab.Mail {
	return lab.Mail{UIDL: name, Raw: []byte("Subject: " + name + "\r\n\r\nThis is " + name + ".\r\n")}
}

// to is the message with a field that says into which folder it goes.
func to(folder string, m lab.Mail) lab.Mail {
	m.Raw = append([]byte("X-Folder: "+folder+"\r\n"), m.Raw...)
	return m
}

// folderOf is the folder that a message names; without a name it is one's own.
func folderOf(m lab.Mail) string {
	if name, ok := bytes.CutPrefix(m.Raw, []byte("X-Folder: ")); ok {
		name, _, _ = bytes.Cut(name, []byte("\r\n"))
		return string(name)
	}
	return "Sent"
}

// answer is a message of the user's own, an hour after the one that it answers. It goes to the folder for sent mail.
func answer(name, to string) lab.Mail {
	return lab.Mail{UIDL: name, Raw: []byte("From: me@example.org\r\nDate: Mon, 3 Mar 2025 11:00:00 +0100\r\nIn-Reply-To: <" + to +
		"@example.org>\r\nMessage-ID: <" + name + "@example.org>\r\n\r\nThis is " + name + ".\r\n")}
}

// as is the same message under another UIDL.
func as(m lab.Mail, uidl string) lab.Mail {
	m.UIDL = uidl
	return m
}

// sized is the message filled up to at least n octets.
func sized(m lab.Mail, n int) lab.Mail {
	line := []byte("filled up to its size, filled up to its size, filled up.\r\n")
	m.Raw = append(slices.Clone(m.Raw), bytes.Repeat(line, (n-len(m.Raw))/len(line)+1)...)
	return m
}
