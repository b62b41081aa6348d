package message_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/message"
)

const letter = "Received: by mx.example; Mon, 2 Jan 2006 15:04:05 -0700\n" +
	"From: Ann <ann@example.org>\n" +
	"Subject: a subject\n\tin two lines\n" +
	"Message-ID: <a@b>\n\n"

// Records hold fingerprints for good. When this fails, do not change want: change the code back.
func TestFingerprintStaysAsRecorded(t *testing.T) {
	const want = "e4143f42fdd65b9447297985b0cf7d8ca8551222869359541f03f60b4a0c02cf" // sha256sum of its five lines
	got := message.Fingerprint([]byte(letter))
	if hex.EncodeToString(got[:]) != want {
		t.Errorf("got %x, want %s", got, want)
	}
}

func TestFingerprintIsTheSame(t *testing.T) {
	top := strings.TrimSuffix(letter, "\n")
	for name, other := range map[string]string{
		"lines end with CRLF":       strings.ReplaceAll(letter, "\n", "\r\n"),
		"lines end with CR CR LF":   strings.ReplaceAll(letter, "\n", "\r\r\n"),
		"without the blank line":    top,
		"without the last line end": strings.TrimSuffix(top, "\n"),
		"with a body":               letter + "Subject: in the body\n",
		"Status at the end":         top + "Status: RO\n\n",
		"Status folded":             top + "Status:\n RO\n\n",
		"Return-Path at the top":    "Return-Path: <ann@example.org>\n" + letter,
		"names in another case":     top + "X-UIDL: 1\nx-uid: 2\nX-uIdL: 3\n",
		"Content-Length":            top + "Content-Length: 12\n",
		"X-IMAP and X-IMAPbase":     top + "X-IMAP: 1 2\nX-IMAPbase: 1 2\n",
		"X-Keywords, X-Status":      top + "X-Keywords:          \nX-Status: A\n",
		"X-Message-Flag":            top + "X-Message-Flag: Follow up\n",
		"X-Mozilla- whatever":       "X-Mozilla-Status: 0001\nX-Mozilla-Status2: 00000000\nX-Mozilla-Keys: \n" + letter,
		"X-Yahoo-Newman-Property":   top + "X-Yahoo-Newman-Property: groups\n",
		"mbox line at the top":      "From ann Mon Jan  2 15:04:05 2006\n" + letter,
		"a line without a colon":    top + "no field\n and more of it\n",
		"a blank continuation":      strings.Replace(letter, "a subject\n", "a subject\n \t \n", 1),
	} {
		t.Run(name, func(t *testing.T) {
			if message.Fingerprint([]byte(other)) != message.Fingerprint([]byte(letter)) {
				t.Errorf("%q and %q differ", other, letter)
			}
		})
	}
}

func TestFingerprintDiffers(t *testing.T) {
	for name, other := range map[string]string{
		"another subject":            strings.Replace(letter, "a subject", "A subject", 1),
		"more on the second line":    strings.Replace(letter, "two lines", "two lines.", 1),
		"folded elsewhere":           strings.Replace(letter, "a subject\n\tin", "a subject in\n", 1),
		"no subject":                 strings.Replace(letter, "Subject: a subject\n\tin two lines\n", "", 1),
		"fields in another order":    "Message-ID: <a@b>\n" + strings.Replace(letter, "Message-ID: <a@b>\n", "", 1),
		"one more field":             "Delivered-To: ann@example.org\n" + letter,
		"blank at the end of a line": strings.Replace(letter, "<a@b>", "<a@b> ", 1),
		"a field that begins so":     "Status-Code: 1\n" + letter,
		"a name with 8-bit octets":   "S\xfcbject: x\n" + letter, // Cyrus makes a field of it
		"a field that ends so":       "X-X-Status: 1\n" + letter,
		"the last field is missing":  strings.TrimSuffix(letter, "Message-ID: <a@b>\n\n"),
	} {
		t.Run(name, func(t *testing.T) {
			if message.Fingerprint([]byte(other)) == message.Fingerprint([]byte(letter)) {
				t.Errorf("%q and %q have the same", other, letter)
			}
		})
	}
}

// checkFingerprint holds that a message keeps its fingerprint when it comes another way.
func checkFingerprint(t *testing.T, raw []byte) {
	t.Helper()
	want := message.Fingerprint(raw)
	header := message.Split(raw)
	for name, other := range map[string][]byte{
		"header alone":  header,
		"CRLF":          bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n")),
		"LF":            bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")),
		"no blank line": bytes.TrimRight(header, "\r\n"),
		"Status on top": append([]byte("Status: RO\r\n"), raw...),
		"X-UIDL on top": append([]byte("X-UIDL: 1\r\nX-Mozilla-Status: 0001\r\n"), raw...),
	} {
		if message.Fingerprint(other) != want {
			t.Errorf("%s: another fingerprint: %.1000q", name, raw)
		}
	}
	if subject := append([]byte("Subject: another\r\n"), header...); message.Fingerprint(subject) == want {
		t.Errorf("the same fingerprint with one more field: %.1000q", raw)
	}
}
