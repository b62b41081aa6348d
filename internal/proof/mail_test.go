package proof_test

import (
	"bytes"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/trial"
)

var mail, anonymous, as, sized = trial.Mail, trial.Anonymous, trial.As, trial.Sized

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
