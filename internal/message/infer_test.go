package message_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/message"
)

// received is what the receiving server prepends to what a sender wrote.
const received = "Received: from far.example (far.example [192.0.2.1]) by mx.example with ESMTP; 2 Jan 2006 15:04:05 -0700\n"

// told is what Infer says, one line an answer, in the order of the fields of an Inference, without the date.
func told(header string, f message.Facts) (lines []string) {
	f.Now = now
	i := message.Infer([]byte(header), f)
	for _, flag := range i.Flags {
		lines = append(lines, flag.Name+" by "+flag.Why)
	}
	for _, d := range i.Doubted {
		lines = append(lines, "not "+d.What+" by "+d.Said+": "+d.Why)
	}
	for what, why := range map[string]string{"deleted": i.Deleted, "junk": i.Junk, "sent": i.Sent, "list": i.List,
		"auto": i.Auto} {
		if why != "" {
			lines = append(lines, what+" by "+why)
		}
	}
	for _, m := range i.Marks {
		lines = append(lines, m.ID+" "+strings.Join(m.Flags, " ")+" by "+m.Why)
	}
	slices.Sort(lines)
	return lines
}

// A golden is a header and what Infer says of it.
type golden struct {
	header string
	want   []string
}

// check compares what Infer says with what is wanted, in any order.
func check(t *testing.T, f message.Facts, cases map[string]golden) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			want := slices.Sorted(slices.Values(c.want))
			if got := told(c.header, f); !slices.Equal(got, want) {
				t.Errorf("%q:\n got %q\nwant %q", c.header, got, want)
			}
		})
	}
}

type says = []string

const forgeable = "stands where a sender can write"

// flags are the flags that Infer gives, with or without trust.
func flags(header string, trust bool) (list []string) {
	for _, f := range message.Infer([]byte(header), message.Facts{Now: now, Trust: trust}).Flags {
		list = append(list, f.Name+" by "+f.Why)
	}
	return list
}

func TestWhereSignalsAreBelieved(t *testing.T) {
	const seen, answered, flagged = `\Seen by Status: R`, `\Answered by X-Status: A`, `\Flagged by X-Status: F`
	for name, c := range map[string]struct {
		header      string
		want, trust says // without --trust-headers, and with
	}{
		"nothing":                          {"", nil, nil},
		"no such field":                    {received + "Subject: x\n", nil, nil},
		"forged below Received":            {received + "Status: RO\nX-Status: AF\n", nil, says{seen, answered, flagged}},
		"added above Received":             {"Status: RO\n" + received, says{seen}, says{seen}},
		"between two Received":             {received + "Status: R\n" + received, nil, says{seen}},
		"one added, one forged":            {"Status: R\n" + received + "X-Status: F", says{seen}, says{seen, flagged}},
		"never delivered":                  {"Subject: x\nStatus: RO\nX-Status: A\n", says{seen, answered}, says{seen, answered}},
		"delivered, no Received":           {"Return-Path: <a@b>\nStatus: R\n", nil, says{seen}},
		"below Return-Path above Received": {"Return-Path: <a@b>\nStatus: R\n" + received, nil, says{seen}},
		"below Delivered-To":               {"Delivered-To: b\nStatus: R\n", nil, says{seen}},
		"below Authentication-Results":     {"Authentication-Results: x; none\nStatus: R\n", nil, says{seen}},
		"Received without a date":          {"Received: x\nStatus: R\n", nil, says{seen}},
		"Received in the body only":        {"Status: R\n\n" + received, says{seen}, says{seen}},
		"Status in the body only":          {"Subject: x\n\nStatus: R\n", nil, nil},
		"the line ends with CRLF":          {"Status: RO\r\nX-Status: F\r\n", says{seen, flagged}, says{seen, flagged}},
		"after a line that is no field":    {"From me Mon Jan\nStatus: R\n", says{seen}, says{seen}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := flags(c.header, false); !slices.Equal(got, c.want) {
				t.Errorf("without trust: got %q, want %q", got, c.want)
			}
			if got := flags(c.header, true); !slices.Equal(got, c.trust) {
				t.Errorf("with trust: got %q, want %q", got, c.trust)
			}
		})
	}
}

func TestDoubts(t *testing.T) {
	doubt := func(what, said, why string) string { return "not " + what + " by " + said + ": " + why }
	check(t, message.Facts{Junk: true, Identities: []string{"me@example.org"}}, map[string]golden{
		"flags that a sender can write": {received + "Status: RD\nX-Mozilla-Status: 0002\nX-Mozilla-Keys: work junk $label1\n", says{
			doubt(`\Seen`, "Status: R", forgeable), doubt(`\Deleted`, "Status: D", forgeable),
			doubt(`\Answered`, "X-Mozilla-Status: 0002", forgeable), doubt("keyword", "X-Mozilla-Keys", forgeable),
			doubt("$Junk", "X-Mozilla-Keys", forgeable), doubt("$label1", "X-Mozilla-Keys", forgeable)}},
		"spam that a sender can write": {received + "X-Spam-Flag: YES\n", says{doubt("spam", "X-Spam-Flag", forgeable)}},
		"a receipt that a sender wants": {received + "Disposition-Notification-To: a@b\n",
			says{doubt("$MDNSent", "Disposition-Notification-To", forgeable)}},
		"the same twice":                {received + "Status: R\nStatus: R\n", says{doubt(`\Seen`, "Status: R", forgeable)}},
		"a delivery status (RFC 3464)":  {"Status: 5.1.1\n", says{doubt("flags", "Status", "is not in the form that mail stores write")}},
		"own name on mail from outside": {received + "From: me@example.org\n", says{doubt("sent", "From", "Received says that it came from elsewhere")}},
	})
}

// What one header can say is bounded, also where it says it without end.
func TestBoundsOfAnInference(t *testing.T) {
	var many strings.Builder
	for i := range 5000 {
		word := "k" + strings.Repeat("x", i%40) + string(rune('a'+i%26))
		many.WriteString("X-Keywords: " + word + "\nX-Mozilla-Keys: " + word + "\nX-Label: a b" + word + "\nX-Spam-Flag: YES\n" +
			"In-Reply-To: <" + word + "@b>\nStatus: " + word + "\n")
	}
	head := "From: me@b\nX-Forwarded-Message-Id: " + strings.Repeat("<a@b> <c@d> ", 300) + "\n"
	for _, header := range []string{head + many.String(), received + many.String()} {
		i := message.Infer([]byte(header), message.Facts{Now: now, Junk: true, Identities: []string{"me@b"}})
		if len(i.Flags) > 32 || len(i.Doubted) > 32 || len(i.Marks) > 32 {
			t.Errorf("%d flags, %d doubts, %d marks", len(i.Flags), len(i.Doubted), len(i.Marks))
		}
	}
}
