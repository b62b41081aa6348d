package message_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/message"
	"pgregory.net/rapid"
)

// Values that a sender would choose.
var values = []string{"O", "0000", "0000001a-0000", "Unread", "R", "RO", "AFT", "0001", "1007", "00800000", "0a000000", "work junk $label1", "$Phishing",
	"0000001a-04dd; flags=x", "Opened,Starred,Sent,Important", "1", "work", "YES", "Yes, score=9", "Spam", "*********", "9",
	"SFV:SPM;CAT:PHSH", "internal/draft", "1 2 work", "me@example.org", "<a@b>", "multipart/report; report-type=disposition-notification",
	"from x by y with Microsoft SMTP Server; 1 Jan 2000 10:00 GMT", "from x by y with POP3 (fetchmail); 1 Jan 2000 10:00 GMT",
	"by 10.0.0.1 with HTTP; 1 Jan 2000 10:00 GMT", "1 Jan 2000 10:00 GMT", "Fwd: x"}

// foreignHeader draws the header of a message as a sender may write it: fields without the blank line, CRLF.
func foreignHeader(t *rapid.T) string {
	names := append(message.SignalFields(), "Received", "From", "To", "In-Reply-To", "References", "Subject", "Date",
		"X-Forwarded-Message-Id", "Content-Type", "List-Id", "Return-Path", "Delivered-To", "Delivery-Date", "X-Received")
	slices.Sort(names)
	line := rapid.Custom(func(t *rapid.T) string {
		if rapid.IntRange(0, 9).Draw(t, "odd") == 0 {
			return rapid.StringMatching(`[^\r\n]{1,30}`).Draw(t, "line")
		}
		value := rapid.OneOf(rapid.SampledFrom(values), rapid.StringMatching(`[^\r\n]{0,30}`)).Draw(t, "value")
		return rapid.SampledFrom(names).Draw(t, "name") + ": " + value
	})
	var header strings.Builder
	for _, l := range rapid.SliceOfN(line, 0, 12).Draw(t, "lines") {
		if l = strings.TrimLeft(l, " \t"); l != "" {
			header.WriteString(l + "\r\n")
		}
	}
	return header.String()
}

// What a delivery prepends to a message: with Received as RFC 5321 §4.4 wants it, or at least one of the others.
var deliveries = []string{
	"Received: from far.example (far.example [192.0.2.1]) by mx.example with ESMTP; 2 Jan 2006 15:04:05 -0700\r\n",
	"Received: from localhost (far.example [192.0.2.1]) by mx.example with SMTP; 2 Jan 2006 15:04:05 -0700\r\n",
	"Received: by mx.example; 2 Jan 2006 15:04:05 -0700\r\n",
	"Return-Path: <a@b>\r\nDelivered-To: me@example.org\r\nReceived: from far.example ([192.0.2.1]) by mx.example with LMTP; 2 Jan 2006 15:04 GMT\r\n",
	"Return-Path: <a@b>\r\n",
	"Delivered-To: me@example.org\r\n",
	"Envelope-To: me@example.org\r\n",
}

// No header that an outside author can write sets a flag, takes one away, makes the message an own one, marks another,
// or counts as a mark of deletion: below what a delivery prepends it changes nothing, whatever else is known.
func TestNoSenderChangesAFlag(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		above := rapid.SampledFrom(deliveries).Draw(t, "delivery")
		stamp := rapid.SampledFrom([]string{"", "X-Mozilla-Status: 0003\r\n", "X-Mozilla-Status: 0000\r\n", "X-Spam-Flag: YES\r\n"}).Draw(t, "stamp")
		stamped := strings.Contains(above, "Received") // what filters say has its place above one
		f := message.Facts{Now: now, Junk: stamped && rapid.Bool().Draw(t, "junk"), Accessed: rapid.Bool().Draw(t, "accessed"), Identities: me}
		header := foreignHeader(t)
		bare := message.Infer([]byte(stamp+above+"\r\n"), f)
		full := message.Infer([]byte(stamp+above+header+"\r\n"), f)
		if !reflect.DeepEqual(full.Flags, bare.Flags) {
			t.Errorf("flags: got %q, want %q", full.Flags, bare.Flags)
		}
		if full.Deleted != bare.Deleted || full.Sent != "" || full.Marks != nil || stamped && full.Junk != bare.Junk {
			t.Errorf("deleted %q, sent %q, marks %q, junk %q; without the sender's fields %q", full.Deleted, full.Sent, full.Marks, full.Junk, bare)
		}
	})
}

// Beside a server that writes Status itself, the sender's last field is never the last.
func TestNoSenderForgesTheServersStatus(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := message.Facts{Now: now, ServerStatus: true, Accessed: rapid.Bool().Draw(t, "accessed")}
		status := rapid.SampledFrom([]string{"RO", " O", "R ", "  "}).Draw(t, "status")
		end := "Status: " + status + "\r\n\r\n"
		bare := message.Infer([]byte(deliveries[0]+end), f)
		full := message.Infer([]byte(deliveries[0]+foreignHeader(t)+end), f)
		if !reflect.DeepEqual(full.Flags, bare.Flags) {
			t.Errorf("got %q, want %q", full.Flags, bare.Flags)
		}
	})
}

func FuzzInfer(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed), "", byte(0))
	}
	for _, name := range message.SignalFields() {
		for _, value := range values {
			f.Add([]byte(name+": "+value+"\r\n"+byMe), "1136196000.1.a", byte(31))
		}
	}
	f.Fuzz(func(t *testing.T, header []byte, uidl string, facts byte) {
		checkInference(t, header, uidl, facts)
	})
}

// checkInference holds what Infer says against its contract. The bits of facts are those of [message.Facts].
func checkInference(t *testing.T, header []byte, uidl string, facts byte) {
	t.Helper()
	f := message.Facts{Now: now, UIDL: uidl, Trust: facts&1 != 0, Junk: facts&2 != 0, ServerStatus: facts&4 != 0,
		Accessed: facts&8 != 0}
	if facts&16 != 0 {
		f.Identities = me
	}
	i := message.Infer(header, f)
	checkFlags(t, i.Flags, f)
	if i.Date.IsZero() != (i.DateWhy == "") {
		t.Errorf("date %v because of %q", i.Date, i.DateWhy)
	}
	for _, d := range i.Doubted {
		if d.What == "" || d.Said == "" || d.Why == "" {
			t.Errorf("a doubt without its reason: %q", d)
		}
	}
	if len(i.Marks) > 0 && i.Sent == "" {
		t.Errorf("marks of what is no own message: %q", i.Marks)
	}
	if f.Trust || f.ServerStatus {
		return
	}
	for _, above := range deliveries[:2] {
		forged := message.Infer(append([]byte(above), header...), message.Facts{Now: now, Junk: true, Identities: me})
		if len(forged.Flags) > 0 || forged.Sent != "" || forged.Junk != "" || forged.Deleted != "" {
			t.Errorf("believed below a Received: %q", forged)
		}
	}
}

// checkFlags holds that each flag comes once, can be written in APPEND, and is none that makes a message vanish.
func checkFlags(t *testing.T, list []message.Flag, f message.Facts) {
	t.Helper()
	names := map[string]bool{}
	for _, flag := range list {
		name := strings.ToLower(flag.Name)
		if names[name] || flag.Why == "" || name == `\deleted` || name == `\recent` {
			t.Errorf("flag %q in %q", flag, list)
		}
		if strings.ContainsAny(strings.TrimPrefix(name, `\`), "(){ %*\"\\]@\r\n\x00") || len(name) > 50 {
			t.Errorf("flag %q cannot be written", flag)
		}
		if !f.Junk && (name == "$junk" || name == "$phishing") {
			t.Errorf("%s, and nobody asked", name)
		}
		names[name] = true
	}
}
