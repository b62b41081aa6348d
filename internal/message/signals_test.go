package message_test

import (
	"testing"

	"github.com/pop2imap/pop2imap/internal/message"
)

const garbled = ": is not in the form that mail stores write"

func TestStatus(t *testing.T) {
	seen, answered, flagged, draft := `\Seen by Status: R`, `\Answered by X-Status: A`, `\Flagged by X-Status: F`, `\Draft by X-Status: T`
	broken, xBroken := "not flags by Status"+garbled, "not flags by X-Status"+garbled
	check(t, message.Facts{}, map[string]golden{
		"old, not read":               {"Status: O\n", nil},
		"new":                         {"Status: N\n", nil},
		"unread":                      {"Status: U\n", nil},
		"letters in another order":    {"Status: OR\n", says{seen}},
		"blanks between the letters":  {"Status: R O\n", says{seen}},
		"the empty Status of UW":      {"Status:   \n", nil},
		"deleted":                     {"Status: RD\nX-Status: D\n", says{seen, "deleted by Status: D"}},
		"deleted in X-Status":         {"X-Status: D\n", says{"deleted by X-Status: D"}},
		"replied as mutt wrote it":    {"Status: r\n", nil},
		"a word that has the letters": {"Status: Read\nX-Status: AFFECTED\n", says{broken, xBroken}},
		"a word between the letters":  {"Status: R x R\n", says{broken}},
		"letter of the other field":   {"Status: A\nX-Status: R\n", says{broken, xBroken}},
		"X-Status of KMail":           {"X-Status: RT\n", says{xBroken}},
		"all of X-Status":             {"X-Status: TFA\n", says{draft, flagged, answered}},
		"X-Status in small letters":   {"X-Status: f\n", says{xBroken}},
		"name in small letters":       {"x-status: F\n", says{flagged}},
		"the same letter twice":       {"Status: RR\n", says{seen}},
		"the same field twice":        {"Status: R\nStatus: RO\n", says{seen}},
		"two fields that disagree":    {"Status: O\nStatus: R\n", says{seen}},
		"8-bit octets":                {"Status: R\xff\n", says{broken}},
		"blank X-Status":              {"X-Status:    \n", nil},
	})
}

func TestMozilla(t *testing.T) {
	check(t, message.Facts{Junk: true}, map[string]golden{
		"nothing":            {"X-Mozilla-Status: 0000\nX-Mozilla-Status2: 00000000\n", nil},
		"read":               {"X-Mozilla-Status: 0001\n", says{`\Seen by X-Mozilla-Status: 0001`}},
		"replied":            {"X-Mozilla-Status: 0002\n", says{`\Answered by X-Mozilla-Status: 0002`}},
		"marked":             {"X-Mozilla-Status: 0004\n", says{`\Flagged by X-Mozilla-Status: 0004`}},
		"forwarded":          {"X-Mozilla-Status: 1000\n", says{"$Forwarded by X-Mozilla-Status: 1000"}},
		"expunged":           {"X-Mozilla-Status: 0009\n", says{`\Seen by X-Mozilla-Status: 0001`, "deleted by X-Mozilla-Status: 0008"}},
		"queued, partial":    {"X-Mozilla-Status: 0c00\n", nil},
		"all that counts":    {"X-Mozilla-Status: 1007\n", says{`\Seen by X-Mozilla-Status: 0001`, `\Answered by X-Mozilla-Status: 0002`, `\Flagged by X-Mozilla-Status: 0004`, "$Forwarded by X-Mozilla-Status: 1000"}},
		"as Thunderbird":     {"X-Account-Key: account1\nX-UIDL: 7\nX-Mozilla-Status: 0001\nX-Mozilla-Status2: 00000000\nX-Mozilla-Keys:        \n" + received, says{`\Seen by X-Mozilla-Status: 0001`}},
		"receipt sent":       {"X-Mozilla-Status2: 00800000\n", says{"$MDNSent by X-Mozilla-Status2: 00800000"}},
		"thread ignored":     {"X-Mozilla-Status2: 00040000\n", says{"$muted by X-Mozilla-Status2: 00040000"}},
		"label 5":            {"X-Mozilla-Status2: 0a000000\n", says{"$label5 by X-Mozilla-Status2: 0a000000"}},
		"label 6":            {"X-Mozilla-Status2: 0c000000\n", nil},
		"attachment":         {"X-Mozilla-Status2: 10000000\n", nil},
		"no number":          {"X-Mozilla-Status: wxyz\nX-Mozilla-Status2: 1\n", says{"not flags by X-Mozilla-Status" + garbled, "not flags by X-Mozilla-Status2" + garbled}},
		"five digits":        {"X-Mozilla-Status: 00001\n", says{"not flags by X-Mozilla-Status" + garbled}},
		"keys":               {"X-Mozilla-Keys: $label1 work $LABEL2          \n", says{"$label1 by X-Mozilla-Keys", "work by X-Mozilla-Keys", "$label2 by X-Mozilla-Keys"}},
		"keys in two cases":  {"X-Mozilla-Keys: work Work\n", says{"work by X-Mozilla-Keys"}},
		"junk":               {"X-Mozilla-Keys: junk\n", says{"$Junk by X-Mozilla-Keys", "junk by X-Mozilla-Keys"}},
		"not junk":           {"X-Mozilla-Keys: nonjunk\n", says{"$NotJunk by X-Mozilla-Keys"}},
		"a draft":            {"X-Mozilla-Draft-Info: internal/draft; vcard=0; receipt=0\n", says{`\Draft by X-Mozilla-Draft-Info`}},
		"no draft":           {"X-Mozilla-Draft-Info: internal/x\n", nil},
		"below the Received": {received + "X-Mozilla-Draft-Info: internal/draft\n", says{`not \Draft by X-Mozilla-Draft-Info: ` + forgeable}},
	})
}

func TestKeywords(t *testing.T) {
	const refused = "not keyword by X-Keywords: cannot be a keyword"
	check(t, message.Facts{}, map[string]golden{
		"blank":                       {"X-Keywords:                    \n", nil},
		"between blanks":              {"X-Keywords: work  home\n", says{"work by X-Keywords", "home by X-Keywords"}},
		"between commas":              {"X-Keywords: work,home, x\n", says{"work by X-Keywords", "home by X-Keywords", "x by X-Keywords"}},
		"not of the mailbox":          {"X-IMAPbase: 1136196000 17 work\nX-Keywords: work home\n", says{"work by X-Keywords", "not keyword by X-Keywords: X-IMAPbase does not have it"}},
		"the mailbox has none":        {"X-Keywords: work\nX-IMAPbase: 1136196000 17\n", says{"not keyword by X-Keywords: X-IMAPbase does not have it"}},
		"X-IMAPbase of the sender":    {"X-Keywords: work\n" + received + "X-IMAPbase: 1 1\n", says{"work by X-Keywords"}},
		"of the sender":               {received + "X-Keywords: work\n", says{"not keyword by X-Keywords: " + forgeable}},
		"no atom: backslash":          {`X-Keywords: \Deleted` + "\n", says{refused}},
		"no atom: parenthesis":        {"X-Keywords: a)b\n", says{refused}},
		"no atom: bracket":            {"X-Keywords: a]b\n", says{refused}},
		"no atom: asterisk":           {"X-Keywords: a*\n", says{refused}},
		"no atom: 8-bit":              {"X-Keywords: gr\xc3\xbcn\n", says{refused}},
		"an address":                  {"X-Keywords: ann@example.org\n", says{refused}},
		"of fifty octets":             {"X-Keywords: 12345678901234567890123456789012345678901234567890\n", says{"12345678901234567890123456789012345678901234567890 by X-Keywords"}},
		"of one more":                 {"X-Keywords: 123456789012345678901234567890123456789012345678901\n", says{refused}},
		"other names of the same":     {"X-Keywords: NonJunk NotJunk forwarded $FORWARDED\n", says{"$NotJunk by X-Keywords", "$Forwarded by X-Keywords"}},
		"junk, and nobody wants that": {"X-Keywords: Junk\n", says{"junk by X-Keywords"}},
	})
}

func TestEvolution(t *testing.T) {
	check(t, message.Facts{Junk: true}, map[string]golden{
		"nothing":         {"X-Evolution: 0000001a-0000\n", nil},
		"seen, answered":  {"X-Evolution: 0000001a-0011\n", says{`\Answered by X-Evolution: 0001`, `\Seen by X-Evolution: 0010`}},
		"to all":          {"X-Evolution: 0000001a-0040\n", says{`\Answered by X-Evolution: 0040`}},
		"draft, flagged":  {"X-Evolution: 0000001a-000c\n", says{`\Draft by X-Evolution: 0004`, `\Flagged by X-Evolution: 0008`}},
		"deleted":         {"X-Evolution: 0000001a-0002\n", says{"deleted by X-Evolution: 0002"}},
		"junk":            {"X-Evolution: 0000001a-0080\n", says{"$Junk by X-Evolution: 0080", "junk by X-Evolution: 0080"}},
		"not junk":        {"X-Evolution: 0000001a-0200\n", says{"$NotJunk by X-Evolution: 0200"}},
		"forwarded":       {"X-Evolution: 0000001a-0400\n", says{"$Forwarded by X-Evolution: 0400"}},
		"keywords":        {"X-Evolution: 0000001a-0000; flags=$Labelwork,todo; tags=label=later\n", says{"$Labelwork by X-Evolution", "todo by X-Evolution"}},
		"another form":    {"X-Evolution: 00001a-10\n", says{"not flags by X-Evolution" + garbled}},
		"of the sender":   {received + "X-Evolution: 0000001a-0010\n", says{`not \Seen by X-Evolution: 0010: ` + forgeable}},
		"its other notes": {"X-Evolution-Source: pop://x\nX-Evolution-POP3-UID: 7\n", nil},
	})
}

func TestGmailLabels(t *testing.T) {
	const seen = `\Seen by X-Gmail-Labels: not Unread`
	check(t, message.Facts{Junk: true}, map[string]golden{
		"unread":               {"X-Gmail-Labels: Inbox,Unread\n", nil},
		"read":                 {"X-GM-THRID: 1\nX-Gmail-Labels: Inbox,Category Updates\n" + received, says{seen}},
		"opened, own label":    {"X-Gmail-Labels: Opened,work\n", says{seen, "work by X-Gmail-Labels"}},
		"archived, own label":  {"X-Gmail-Labels: Archived,work\n", says{seen, "work by X-Gmail-Labels"}},
		"inbox, own label":     {"X-Gmail-Labels: Inbox,work\n", says{"work by X-Gmail-Labels"}}, // "work" may mean Unread
		"Dutch":                {"X-Gmail-Labels: Inbox,Ongelezen\n", says{"Ongelezen by X-Gmail-Labels"}},
		"starred, important":   {"X-Gmail-Labels: Starred,Important,Unread\n", says{`\Flagged by X-Gmail-Labels: Starred`, "$Important by X-Gmail-Labels: Important"}},
		"draft":                {"X-Gmail-Labels: Drafts\n", says{`\Draft by X-Gmail-Labels: Draft`, seen}},
		"spam":                 {"X-Gmail-Labels: Spam,Unread\n", says{"$Junk by X-Gmail-Labels: Spam", "junk by X-Gmail-Labels: Spam"}},
		"trash":                {"X-Gmail-Labels: Trash\n", says{seen, "deleted by X-Gmail-Labels: Trash"}},
		"sent":                 {"X-Gmail-Labels: Sent\n", says{seen, "sent by X-Gmail-Labels: Sent"}},
		"encoded":              {"X-Gmail-Labels: =?UTF-8?Q?Inbox,Starred,Unread?=\n", says{`\Flagged by X-Gmail-Labels: Starred`}},
		"a label of two words": {"X-Gmail-Labels: Opened,\"at work\"\n", says{seen, "not keyword by X-Gmail-Labels: cannot be a keyword"}},
		"empty":                {"X-Gmail-Labels:\n", nil},
		"of the sender":        {received + "X-Gmail-Labels: Sent,Opened\n", says{`not \Seen by X-Gmail-Labels: not Unread: ` + forgeable}},
	})
}

func TestOtherClients(t *testing.T) {
	check(t, message.Facts{}, map[string]golden{
		"X-Label":            {"X-Label: work\n", says{"work by X-Label"}},
		"X-Label, two words": {"X-Label: at work\n", says{"not keyword by X-Label: cannot be a keyword"}},
		"X-Label, empty":     {"X-Label:\n", nil},
		"X-Unsent":           {"X-Unsent: 1\n", says{`\Draft by X-Unsent: 1`}},
		"X-Unsent, no":       {"X-Unsent: 0\n", nil},
		"what says nothing": {"X-UID: 7\nX-UIDL: 7\nX-Account-Key: account1\nX-IMAP: 1 2\nX-Message-Flag: Follow up\nImportance: high\n" +
			"X-Priority: 1 (Highest)\nPriority: urgent\nX-MSMail-Priority: High\nX-Microsoft-Antispam: BCL:9;\n" +
			"X-MS-Exchange-Organization-AuthAs: Internal\nContent-Length: 7\n", nil},
	})
}

func TestReceipts(t *testing.T) {
	for _, field := range []string{"Disposition-Notification-To", "Return-Receipt-To", "X-Confirm-Reading-To"} {
		ask := field + ": a@b\n"
		check(t, message.Facts{Trust: true}, map[string]golden{
			field + ", read":   {received + "Status: R\n" + ask, says{`\Seen by Status: R`, "$MDNSent by " + field}},
			field + ", unread": {received + ask, nil},
			field + ", empty":  {received + "Status: R\n" + field + ":\n", says{`\Seen by Status: R`}},
		})
		check(t, message.Facts{Trust: true, Identities: me}, map[string]golden{
			field + ", own": {byMe + ask, says{ownSeen, neverLft}},
		})
		check(t, message.Facts{Accessed: true}, map[string]golden{
			field + " of a sender": {received + ask, says{`\Seen by LAST`, "not $MDNSent by " + field + ": " + forgeable}},
		})
	}
}

func TestJunk(t *testing.T) {
	const exchange = "Received: from a.example (192.0.2.1) by AB1.prod.outlook.com (10.0.0.1) with Microsoft SMTP\n Server (version=TLS1_2) id 15.20; 2 Jan 2006 15:04:05 +0000\n"
	spam := func(said string) says { return says{"$Junk by " + said, "junk by " + said} }
	forged := func(said string) says { return says{"not spam by " + said + ": " + forgeable} }
	check(t, message.Facts{Junk: true}, map[string]golden{
		"SpamAssassin":                {"Return-Path: <a@b>\nX-Spam-Flag: YES\n" + received, spam("X-Spam-Flag")},
		"SpamAssassin, status":        {"X-Spam-Status: Yes, score=9.1 required=5.0\n" + received, spam("X-Spam-Status")},
		"SpamAssassin says no":        {"X-Spam-Flag: NO\nX-Spam-Status: No, score=1\n" + received, nil},
		"rspamd":                      {"X-Spam: Yes\n" + received, spam("X-Spam")},
		"bogofilter":                  {"X-Bogosity: Spam, tests=bogofilter\n" + received, spam("X-Bogosity")},
		"bogofilter, ham":             {"X-Bogosity: Ham, tests=bogofilter\n" + received, nil},
		"DSPAM":                       {"X-DSPAM-Result: Spam\n" + received, spam("X-DSPAM-Result")},
		"five stars":                  {"X-Spam-Level: *****\n" + received, spam("X-Spam-Level")},
		"four stars":                  {"X-Spam-Level: ****\n" + received, nil},
		"five stars, and No":          {"X-Spam-Level: *****\nX-Spam-Status: No, score=5.1 required=8\n" + received, says{"not spam by X-Spam-Level: another field says that it is not"}},
		"below the Received":          {received + "X-Spam-Flag: YES\n", forged("X-Spam-Flag")},
		"delivered, no Received":      {"Return-Path: <a@b>\nX-Spam-Flag: YES\n", forged("X-Spam-Flag")},
		"the client says it is not":   {"X-Mozilla-Keys: nonjunk\nX-Spam-Flag: YES\n" + received, says{"$NotJunk by X-Mozilla-Keys", "not spam by X-Spam-Flag: the user said that it is not"}},
		"the client says it is":       {"X-Mozilla-Keys: junk\nX-Spam-Flag: NO\n" + received, spam("X-Mozilla-Keys")},
		"Exchange, 5":                 {exchange + "X-MS-Exchange-Organization-SCL: 5\n", spam("X-MS-Exchange-Organization-SCL")},
		"Exchange, 4":                 {exchange + "X-MS-Exchange-Organization-SCL: 4\n", nil},
		"Exchange, -1":                {exchange + "X-MS-Exchange-Organization-SCL: -1\n", nil},
		"SCL, another server":         {received + "X-MS-Exchange-Organization-SCL: 9\n" + exchange, forged("X-MS-Exchange-Organization-SCL")},
		"Forefront, spam":             {exchange + "X-Forefront-Antispam-Report: CIP:192.0.2.1;SFV:SPM;SCL:5;CAT:SPM;\n", spam("X-Forefront-Antispam-Report: SPM")},
		"Forefront, no spam":          {exchange + "X-Forefront-Antispam-Report: CIP:192.0.2.1;SFV:NSPM;SCL:1;\n", nil},
		"Forefront, phishing":         {exchange + "X-Forefront-Antispam-Report: CAT:HPHISH;SFV:NSPM\n", append(spam("X-Forefront-Antispam-Report: HPHISH"), "$Phishing by X-Forefront-Antispam-Report: HPHISH")},
		"Forefront of another":        {received + "X-Forefront-Antispam-Report: SFV:SPM\n", forged("X-Forefront-Antispam-Report: SPM")},
		"a text that is no verdict":   {"X-Spam-Flag: perhaps\nX-Spam-Level: x\nX-MS-Exchange-Organization-SCL: x\n" + received, nil},
		"the name of the client":      {"Received: from Microsoft SMTP Server (evil [192.0.2.1]) by mx.example with ESMTP; x\nX-MS-Exchange-Organization-SCL: 9\n", forged("X-MS-Exchange-Organization-SCL")},
		"a keyword for phishing":      {"X-Keywords: $Phishing\n" + received, append(spam("X-Keywords"), "$Phishing by X-Keywords")},
		"never delivered, and marked": {"X-Spam-Flag: YES\n", spam("X-Spam-Flag")},
	})
	check(t, message.Facts{}, map[string]golden{
		"nobody asked": {"X-Spam-Flag: YES\n" + received, says{"junk by X-Spam-Flag"}},
	})
	check(t, message.Facts{Junk: true, Trust: true}, map[string]golden{
		"trusted": {received + "X-Spam-Flag: YES\n", spam("X-Spam-Flag")},
	})
}

func TestAccessed(t *testing.T) {
	check(t, message.Facts{Accessed: true}, map[string]golden{
		"LAST covers it":                 {received, says{`\Seen by LAST`}},
		"a client says unread":           {"X-Mozilla-Status: 0000\n" + received, says{`not \Seen by LAST: X-Mozilla-Status says that it was not read`}},
		"Status says unread":             {"Status: O\n" + received, says{`not \Seen by LAST: Status says that it was not read`}},
		"Evolution says unread":          {"X-Evolution: 0000001a-0000\n" + received, says{`not \Seen by LAST: X-Evolution says that it was not read`}},
		"Gmail says unread":              {"X-Gmail-Labels: Unread\n" + received, says{`not \Seen by LAST: X-Gmail-Labels says that it was not read`}},
		"a sender says unread":           {received + "Status: O\nX-Mozilla-Status: 0000\nX-Evolution: 0000001a-0000\nX-Gmail-Labels: Unread\n", says{`\Seen by LAST`}},
		"the status of UW is not of use": {received + "Status: O\n\n", says{`\Seen by LAST`}},
	})
}
