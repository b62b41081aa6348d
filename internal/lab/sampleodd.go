package lab

import "strings"

// marked is mail that a client or a server once wrote into: flags in the header, above what came from outside.
func marked() []letter {
	const from = "Bob Baker <bob@example.com>"
	return []letter{
		{at: at(2000, 1, 3, 8, 0, -500), zone: -500, via: "post.example.com", top: "Status: RO\n", from: from,
			subject: "read long ago", id: "<20000103.0800@example.com>", rest: plain("Nothing broke.\n")},
		{at: at(2000, 1, 4, 8, 0, -500), zone: -500, via: "post.example.com", top: "Status: O\n", from: from,
			subject: "seen in the list, never opened",
			id:      "<20000104.0800@example.com>", rest: plain("Still nothing.\n")},
		{at: at(2000, 2, 29, 8, 0, -500), zone: -600, via: "post.example.com", top: "Status: RO\nX-Status: A\n",
			from:    from,
			subject: "Lunch?", id: "<20000229.0800@example.com>", rest: plain("At noon, on the leap day?\n")},
		{at: at(2000, 3, 1, 8, 0, -500), zone: -800, via: "post.example.com", top: "X-Status: F\n", from: from,
			subject: "IMPORTANT: the varnish",
			id:      "<20000301.0800@example.com>", rest: plain("Open the window first.\n")},
	}
}

// oddities is mail that is correct, or nearly, and that programs stumble over.
func oddities() []letter {
	invoice := letter{at: at(2020, 4, 1, 6, 30, 200), zone: 0, via: "billing.example.com", from: "billing@example.com",
		subject: "Invoice 4711",
		id:      "<invoice-4711@billing.example.com>", rest: plain("Please pay 12.50 within 14 days.\n")}
	again := invoice // the same octets once more
	again.at = invoice.at.AddDate(0, 0, 1)
	again.whole = string(invoice.raw())
	return []letter{
		invoice, again,
		{at: at(2005, 5, 5, 5, 5, 0), zone: 0, via: "dots.example.com", from: "dot@dots.example.com", subject: "Dots",
			id:   "<dots@dots.example.com>",
			rest: plain(".\n..\n...\n.hidden\n. \nA dot alone ends a message, unless there are two.\n.\n")},
		{at: at(2007, 7, 7, 7, 7, 200), zone: -930, via: "long.example.net", from: "long@long.example.net",
			subject: "One long line",
			id:      "<long@long.example.net>",
			rest:    plain("before\n" + strings.Repeat("0123456789", 200) + "\nafter\n")},
		{at: at(2010, 10, 10, 10, 10, 200), zone: 545, via: "empty.example.org",
			from:    "Nobody <nobody@empty.example.org>",
			subject: "(eom) nothing in here", id: "<empty@empty.example.org>", rest: plain("")},
		{at: at(2012, 12, 12, 12, 12, 100), zone: 100, via: "mail.example.net", from: "scanner@example.net",
			subject: "Scan without a Message-ID", rest: plain("Page 1 of 1.\n")},
	}
}

// misshapen is mail whose header breaks the rules.
func misshapen() []letter {
	return []letter{
		{at: at(2001, 2, 3, 4, 5, -500), whole: "Date: Sat, 3 Feb 2001 04:05:06 -0500\n" +
			"From: cron@example.org\nTo: alice@example.org\nSubject: only Date tells when\n" +
			"Message-ID: <cron.20010203@example.org>\n\nbackup: ok\n"},
		{at: at(2014, 6, 6, 6, 6, 200), whole: "From: printer@example.org\nTo: alice@example.org\n" +
			"Subject: no date at all\nMessage-ID: <toner@printer.example.org>\n\nToner low.\n"},
		{at: at(2002, 11, 30, 12, 0, 100), zone: 100, via: "old.example.com", from: "Max <max@old.example.com>",
			subject: latin1("Schöne Grüße, unverschlüsselt"), id: "<3de8a1c0@old.example.com>",
			rest: plain(latin1("Die Betreffzeile hat acht Bit: größer.\n"))},
		{at: at(2025, 6, 30, 23, 59, 200), zone: -1100, via: "mta.example.net", from: "Zoe <zoe@example.net>",
			subject: "two subjects", id: "<a@b@c@example.net>",
			rest: "Subject: the second one\nX-Empty:\nX-Folded: one\n two\n\tthree\n" +
				plain("And a Message-ID with too many signs.\n")},
	}
}
