package message_test

import (
	"testing"

	"github.com/pop2imap/pop2imap/internal/message"
)

var me = []string{"alice", "me@example.org", "Me.Too@example.net"}

const (
	byMe     = "From: Me <me@example.org>\nTo: ann@example.com\n"
	bySMTP   = "Received: from [192.0.2.5] (home.example [203.0.113.5]) by smtp.example with ESMTPSA id 7 for <ann@example.com>; 2 Jan 2006 10:00 GMT\n"
	byWeb    = "Received: by 10.36.33.130 with HTTP; Mon, 2 Jan 2006 15:04:05 -0700 (PST)\n"
	inside   = "Received: by 2002:a17:906:7a1a:b0:a3f:12:34 with SMTP id a; 2 Jan 2006 10:01 GMT\n"
	ownSeen  = `\Seen by own message`
	neverLft = "sent by From, no Received"
	wentOut  = "sent by From, Received of a submission"
	came     = "not sent by From: Received says that it came from elsewhere"
)

func delivered(field string) says {
	return says{"not sent by From: " + field + " says that it was delivered here"}
}

func TestSent(t *testing.T) {
	check(t, message.Facts{Identities: me}, map[string]golden{
		"a copy that never left":        {byMe, says{ownSeen, neverLft}},
		"the case of letters":           {"From: <ME@Example.ORG>\n", says{ownSeen, neverLft}},
		"without a display name":        {"From: me@example.org\n", says{ownSeen, neverLft}},
		"with a comment":                {"From: me@example.org (ann@example.com)\n", says{ownSeen, neverLft}},
		"another address of the user":   {"From: me.too@example.net\n", says{ownSeen, neverLft}},
		"plus-addressing is another":    {"From: me+x@example.org\n", nil},
		"dots are another":              {"From: metoo@example.net\n", nil},
		"a user name is no address":     {"From: alice\n", nil},
		"somebody else":                 {"From: Ann <ann@example.com>\n", nil},
		"the user's name, quoted":       {"From: \"me@example.org\" <ann@example.com>\n", nil},
		"the user's name, bare":         {"From: me@example.org <ann@example.com>\n", nil},
		"the user's name, in a comment": {"From: ann@example.com (me@example.org)\n", nil},
		"two authors":                   {"From: me@example.org, ann@example.com\n", nil},
		"two From fields":               {byMe + "From: ann@example.com\n", nil},
		"no From":                       {"To: me@example.org\n", nil},
		"sent by SMTP with a login":     {bySMTP + byMe, says{ownSeen, wentOut}},
		"sent by webmail":               {byWeb + byMe, says{ownSeen, wentOut}},
		"within the provider":           {inside + byWeb + byMe, says{ownSeen, wentOut}},
		"X-Received of Gmail":           {"X-Received: by 2002:a17:906:7a1a:b0:a3f:12:34 with SMTP id a; x\n" + bySMTP + byMe, says{ownSeen, wentOut}},

		"to oneself, the copy":                  {"From: me@example.org\nTo: me@example.org\n", says{ownSeen, neverLft}},
		"to oneself, received":                  {"Return-Path: <me@example.org>\n" + bySMTP + "From: me@example.org\nTo: me@example.org\n", delivered("Return-Path")},
		"to oneself, no Return-Path":            {bySMTP + "From: me@example.org\nTo: Me <me@example.org>\n", says{"not sent by From: it was sent to the user, too"}},
		"a copy to oneself":                     {bySMTP + byMe + "Cc: ann@example.com, Me <ME@example.org>\n", says{"not sent by From: it was sent to the user, too"}},
		"a blind copy to oneself":               {"Delivered-To: me@example.org\n" + bySMTP + byMe, delivered("Delivered-To")},
		"spoofed":                               {received + byMe, says{came}},
		"spoofed, with a forged hop":            {received + bySMTP + byMe, says{came}},
		"spoofed, Delivered-To":                 {"Delivered-To: me@example.org\n" + received + byMe, delivered("Delivered-To")},
		"spoofed, Return-Path only":             {"Return-Path: <a@b>\n" + byMe, delivered("Return-Path")},
		"spoofed, X-Original-To":                {"X-Original-To: me@example.org\n" + byMe, delivered("X-Original-To")},
		"spoofed, Envelope-To":                  {"Envelope-to: me@example.org\n" + byMe, delivered("Envelope-To")},
		"spoofed, Authentication-Results":       {"Authentication-Results: mx; spf=fail\n" + bySMTP + byMe, delivered("Authentication-Results")},
		"the client claims a login":             {"Received: from x with ESMTPSA by y by mx.example with SMTP id 7; x\n" + byMe, says{came}},
		"from elsewhere, passed on by the user": {bySMTP + received + byMe, says{came}},
		"below a hop a mark of the queue":       {bySMTP + byMe + "X-Mozilla-Status: 0800\n", says{ownSeen, wentOut}},
		"an address in the quoted name":         {"From: \"ann@example.com, Me\" <me@example.org>\n", says{ownSeen, neverLft}},
		"a quoted local part":                   {"From: \"me\"@example.org\n", nil},
		"a hop that is only internal":           {inside + byMe, says{came}},
		"a hop without a protocol":              {"Received: (qmail 7 invoked by uid 0); 2 Jan 2006 10:00 GMT\n" + byMe, says{came}},
		"a hop without a sender":                {"Received: by mx.example with SMTP; 2 Jan 2006 10:00 GMT\n" + bySMTP + byMe, says{came}},
		"back from a list":                      {"List-Id: <x.example.org>\n" + byMe, says{"not sent by From: it came back from a mailing list", "auto by List-Id", "list by x.example.org"}},
		"a draft":                               {"X-Unsent: 1\n" + byMe, says{`\Draft by X-Unsent: 1`, "not sent by From: it is a draft"}},
		"waits to be sent":                      {"X-Mozilla-Status: 0801\n" + byMe, says{`\Seen by X-Mozilla-Status: 0001`, "not sent by From: X-Mozilla-Status: 0800 says that it waits to be sent"}},
	})
	check(t, message.Facts{}, map[string]golden{"no identities": {byMe, nil}})
}

func TestMarks(t *testing.T) {
	const replied = `<a@b> \Answered \Seen by In-Reply-To`
	own := func(more ...string) says { return append(says{ownSeen, neverLft}, more...) }
	check(t, message.Facts{Identities: me}, map[string]golden{
		"no reply":                       {byMe + "Message-ID: <x@y>\nReferences:\n", own()},
		"a reply":                        {byMe + "Subject: Re: x\nIn-Reply-To: <a@b>\nReferences: <r@s> <a@b>\n", own(replied)},
		"References only":                {byMe + "References: <r@s>\n <t@u>\n <a@b>\n", own(`<a@b> \Answered \Seen by References`)},
		"a sentence in In-Reply-To":      {byMe + "In-Reply-To: Your message of Monday. <a@b>\n", own(replied)},
		"two parents":                    {byMe + "In-Reply-To: <a@b> <c@d> <a@b>\n", own(replied, `<c@d> \Answered \Seen by In-Reply-To`)},
		"In-Reply-To without <>":         {byMe + "In-Reply-To: a@b\nReferences: <c@d>\n", own(`<c@d> \Answered \Seen by References`)},
		"a forward of Thunderbird":       {byMe + "Subject: x\nX-Forwarded-Message-Id: <a@b>\nReferences: <r@s>\n", own("<a@b> $Forwarded by X-Forwarded-Message-Id")},
		"a forward":                      {byMe + "Subject: Fwd: x\nReferences: <a@b>\n", own("<a@b> $Forwarded by References of a forward")},
		"a forward in small letters":     {byMe + "Subject: fw: x\nIn-Reply-To: <a@b>\n", own("<a@b> $Forwarded by In-Reply-To of a forward")},
		"a forward in German":            {byMe + "Subject: WG: x\nIn-Reply-To: <a@b>\n", own("<a@b> $Forwarded by In-Reply-To of a forward")},
		"a forward in French":            {byMe + "Subject: TR : x\nIn-Reply-To: <a@b>\n", own("<a@b> $Forwarded by In-Reply-To of a forward")},
		"a forward, encoded":             {byMe + "Subject: =?utf-8?Q?RV:_=C3=BCber?=\nIn-Reply-To: <a@b>\n", own("<a@b> $Forwarded by In-Reply-To of a forward")},
		"a forward in brackets":          {byMe + "Subject: [Fwd: x]\nIn-Reply-To: <a@b>\n", own("<a@b> $Forwarded by In-Reply-To of a forward")},
		"a forward of nothing":           {byMe + "Subject: Fwd: x\n", own()},
		"a reply to a forward":           {byMe + "Subject: Re: Fwd: x\nIn-Reply-To: <a@b>\n", own(replied)},
		"a subject that only looks so":   {byMe + "Subject: Independence: x\nIn-Reply-To: <a@b>\n", own(replied)},
		"a subject in a strange charset": {byMe + "Subject: =?x-none?Q?x?=\nIn-Reply-To: <a@b>\n", own(replied)},
		"a confirmation": {byMe + "Content-Type: multipart/report; report-type=disposition-notification;\n boundary=x\n" +
			"In-Reply-To: <a@b>\nAuto-Submitted: auto-replied\n",
			own("<a@b> $MDNSent by In-Reply-To of a confirmation", "auto by Auto-Submitted: auto-replied")},
		"a delivery report":    {byMe + "Content-Type: multipart/report; report-type=delivery-status\nAuto-Submitted: auto-replied\nIn-Reply-To: <a@b>\n", own("auto by Auto-Submitted: auto-replied")},
		"a vacation notice":    {byMe + "Auto-Submitted: auto-replied (vacation)\nIn-Reply-To: <a@b>\n", own("auto by Auto-Submitted")},
		"a reply that says no": {byMe + "Auto-Submitted: no\nIn-Reply-To: <a@b>\n", own(replied)},
		"a draft of a reply":   {"X-Unsent: 1\n" + byMe + "In-Reply-To: <a@b>\n", says{`\Draft by X-Unsent: 1`, "not sent by From: it is a draft"}},
		"somebody's reply":     {"From: ann@example.com\nIn-Reply-To: <a@b>\n", nil},
		"a spoofed reply":      {received + byMe + "In-Reply-To: <a@b>\n", says{came}},
		"a reply via a list":   {received + byMe + "In-Reply-To: <a@b>\nPrecedence: list\n", says{came, "auto by Precedence: list"}},
	})
}

func TestListsAndMachines(t *testing.T) {
	check(t, message.Facts{}, map[string]golden{
		"List-Id":               {"List-Id: Go, the list <golang.example.org>\n", says{"auto by List-Id", "list by golang.example.org"}},
		"List-Id without <>":    {"List-Id: golang.example.org \n", says{"auto by List-Id", "list by golang.example.org"}},
		"List-Id, not ASCII":    {"List-Id: <g\xc3\xb6.example.org>\n", says{"auto by List-Id"}},
		"two List-Ids":          {"List-Id: <a.b>\nList-Id: <c.d>\n", says{"auto by List-Id", "list by a.b"}},
		"Precedence: bulk":      {"Precedence: Bulk\n", says{"auto by Precedence: bulk"}},
		"Precedence: junk":      {"Precedence: junk\n", says{"auto by Precedence: junk"}},
		"another Precedence":    {"Precedence: first-class\n", nil},
		"a machine":             {"Auto-Submitted: auto-generated; x=y\n", says{"auto by Auto-Submitted: auto-generated"}},
		"another machine":       {"Auto-Submitted: x-other\n", says{"auto by Auto-Submitted"}},
		"no machine":            {"Auto-Submitted: no\n", nil},
		"List-Post only":        {"List-Post: <mailto:a@b>\n", says{"auto by List-Post"}},
		"List-Unsubscribe only": {"List-Unsubscribe: <mailto:a@b>\n", says{"auto by List-Unsubscribe"}},
	})
}
