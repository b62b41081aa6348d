package message_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/message"
)

// Hops as programs that fetch mail leave them.
const (
	local  = "Received: from localhost (localhost [127.0.0.1]) by home.example (Postfix) with ESMTP; 9 Jan 2006 10:00 GMT\n"
	fetch  = "Received: from pop.example [203.0.113.7] by localhost with POP3 (fetchmail-6.3.26); 9 Jan 2006 09:59 GMT\n"
	mx     = "Received: from far.example (far.example [192.0.2.1]) by mx.example with ESMTP; 2 Jan 2006 10:00 GMT\n"
	far    = "Received: from desk (desk [198.51.100.1]) by far.example with ESMTPSA; 1 Jan 2006 10:00 GMT\n"
	forged = "Received: from x by y with POP3 (fetchmail-6.3.26); 1 Jan 2000 10:00 GMT\n" +
		"Received: from x by y with SMTP; 1 Jan 2000 10:00 GMT\n"
)

func TestArrivalBehindAFetch(t *testing.T) {
	const (
		delivered = "Received, before it was fetched  2-Jan-2006 10:00:00 +0000"
		usual     = "Received  2-Jan-2006 10:00:00 +0000"
		date      = "Date: 1 Jan 2006 09:00 GMT\n"
	)
	for name, c := range map[string]struct{ header, want string }{
		"no fetch":                          {mx + far, usual},
		"fetchmail on top":                  {fetch + mx + far, delivered},
		"handed to an MTA":                  {local + fetch + mx + far, delivered},
		"fetched twice":                     {local + fetch + local + fetch + mx + far, delivered},
		"getmail":                           {"Received: from pop.example (203.0.113.7) by home.example with POP3; 9 Jan 2006 10:00 GMT\n" + mx, delivered},
		"mpop":                              {"Received: from pop.example by home.example with POP3S (mpop 1.4); 9 Jan 2006 10:00 GMT\n" + mx, delivered},
		"by IMAP":                           {"Received: from phobos [127.0.0.1] by localhost with IMAP (fetchmail-5.9.0); 9 Jan 2006 10:00 GMT\n" + mx, delivered},
		"imported into Gmail":               {"Received: by gmailapi.google.com with HTTPREST; 9 Jan 2006 10:00 GMT\n" + mx, delivered},
		"qmail took it over":                {"Received: (qmail 7 invoked by uid 0); 9 Jan 2006 10:00 GMT\n" + fetch + mx, delivered},
		"the MTA is on IPv6":                {"Received: from localhost (localhost [IPv6:::1]) by h; 9 Jan 2006 10:00 GMT\n" + fetch + mx, delivered},
		"nothing below":                     {fetch + date, "Date  1-Jan-2006 09:00:00 +0000"},
		"nothing below, no Date":            {local + fetch, "Received, when it was fetched  9-Jan-2006 10:00:00 +0000"},
		"below it no date":                  {fetch + "Received: by x\n" + far, "Received, before it was fetched  1-Jan-2006 10:00:00 +0000"},
		"Date behind the fetch":             {fetch + "Date: 11 Jan 2006 10:00 GMT\n", "Received, when it was fetched  9-Jan-2006 09:59:00 +0000"},
		"Date a day behind it":              {fetch + "Date: 10 Jan 2006 09:59 GMT\n", "Date 10-Jan-2006 09:59:00 +0000"},
		"the sender forged one":             {mx + forged, usual},
		"forged below a fetch":              {fetch + mx + forged, delivered},
		"forged below a hop without a date": {"Received: from far.example ([192.0.2.1]) by mx.example with ESMTP\n" + mx + forged, usual},
		"only forged dates":                 {"Received: from far.example ([192.0.2.1]) by mx.example with ESMTP\n" + forged, "Received  1-Jan-2000 10:00:00 +0000"},
		"the client calls itself localhost": {
			"Received: from localhost (evil.example [192.0.2.6]) by mx.example with ESMTP; 2 Jan 2006 10:00 GMT\n" + forged, usual},
		"the client calls itself [127.0.0.1]": {
			"Received: from [127.0.0.1] (evil.example [192.0.2.6]) by mx.example with ESMTP; 2 Jan 2006 10:00 GMT\n" + forged, usual},
		"the client calls itself fetchmail": {
			"Received: from fetchmail (evil.example [192.0.2.6]) by mx.example with ESMTP; 2 Jan 2006 10:00 GMT\n" + forged, usual},
		"the client is on IPv6": {
			"Received: from localhost (evil.example [IPv6:2001:db8::6]) by mx.example with ESMTP; 2 Jan 2006 10:00 GMT\n" + forged, usual},
		"the client's name is bare": {
			"Received: from fetchmailer.example by mx.example with ESMTP; 2 Jan 2006 10:00 GMT\n" + forged, usual},
	} {
		t.Run(name, func(t *testing.T) {
			if got := arrived(c.header); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestArrivalWithoutReceived(t *testing.T) {
	const (
		delivery = "Delivery-Date: Mon, 02 Jan 2006 10:00:00 +0100\n"
		date     = "Date: 1 Jan 2006 10:00 GMT\n"
		resent   = "Resent-Date: 3 Jan 2006 10:00 GMT\n"
		google   = "X-Received: by 2002:a05:6000:1 with SMTP id a; 4 Jan 2006 10:00 GMT\n"
		original = "X-Original-Date: 5 Jan 2006 10:00 GMT\n"
		file     = "1136196000.M20046P2137.mail.example" // 2 Jan 2006 10:00
	)
	for name, c := range map[string]struct{ header, uidl, want string }{
		"Delivery-Date over all":      {original + google + resent + date + delivery, file, "Delivery-Date  2-Jan-2006 10:00:00 +0100"},
		"UIDL over Date":              {original + google + resent + date, file, "UIDL  2-Jan-2006 10:00:00 +0000"},
		"Received over UIDL":          {mx, "1136100000.1.a", "Received  2-Jan-2006 10:00:00 +0000"},
		"Date over Resent-Date":       {original + google + resent + date, "", "Date  1-Jan-2006 10:00:00 +0000"},
		"Resent-Date over X-Received": {original + google + resent, "", "Resent-Date  3-Jan-2006 10:00:00 +0000"},
		"X-Received over the last":    {original + google, "", "X-Received  4-Jan-2006 10:00:00 +0000"},
		"X-Original-Date":             {original, "", "X-Original-Date  5-Jan-2006 10:00:00 +0000"},
		"Date that cannot be read":    {"Date: Whenever\n" + resent, "", "Resent-Date  3-Jan-2006 10:00:00 +0000"},
		"Delivery-Date in the future": {"Delivery-Date: 1 Jan 2030 10:00 GMT\n" + date, "", "Date  1-Jan-2006 10:00:00 +0000"},

		"no message but a UIDL":      {"", file, "UIDL  2-Jan-2006 10:00:00 +0000"},
		"UIDL of nine digits":        {"", "936180000.7.host", "UIDL  1-Sep-1999 10:00:00 +0000"},
		"UIDL of Courier, with size": {"", file + ",S=1234", "UIDL  2-Jan-2006 10:00:00 +0000"},
		"UIDL before 1990":           {"", "0100000000.7.host", ""},
		"UIDL in the future":         {"", "9999999999.7.host", ""},
		"UIDL of Cyrus":              {"", "1136196000.17", ""},
		"UIDL of Dovecot":            {"", "0000001143b8f7e0", ""},
		"UIDL with more digits":      {"", "11361960001.7.host", ""},
		"UIDL with words before":     {"", "x1136196000.7.host", ""},
	} {
		t.Run(name, func(t *testing.T) {
			at, got := message.Arrival([]byte(c.header), c.uidl, now)
			if !at.IsZero() {
				got += " " + at.Format(imapLayout)
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// A thousand hops within one machine, and then a fetch: the time that it takes is in proportion.
func TestArrivalBehindManyHops(t *testing.T) {
	start := time.Now()
	header := strings.Repeat(local, 20000) + fetch + mx
	if got := arrived(header); got != "Received, before it was fetched  2-Jan-2006 10:00:00 +0000" {
		t.Errorf("got %q", got)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("%v for %d KiB", took, len(header)>>10)
	}
}
