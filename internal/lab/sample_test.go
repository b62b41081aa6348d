package lab

import (
	"bytes"
	"fmt"
	"io"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset"
)

// header gives a message's header with LF line ends.
func header(m Mail) string {
	return strings.ReplaceAll(string(head(m.Raw, 0)), "\r\n", "\n")
}

func TestSampleIsAlwaysTheSame(t *testing.T) {
	first, second := Sample(), Sample()
	if len(first) < 36 || len(first) > 42 {
		t.Errorf("%d messages", len(first))
	}
	for i, m := range first {
		equal(t, "UIDL", second[i].UIDL, m.UIDL)
		if !bytes.Equal(m.Raw, second[i].Raw) {
			t.Errorf("%s is different each time", m.UIDL)
		}
		m.Raw[0] = 0
	}
	if bytes.IndexByte(Sample()[0].Raw, 0) >= 0 {
		t.Error("the octets are not the caller's own")
	}
}

func TestSampleIsFitForAMaildrop(t *testing.T) {
	uidl := regexp.MustCompile(`^[!-~]{1,70}$`) // RFC 1939 §7
	seen := make(map[string]bool)
	all := Sample()
	equal(t, "first UIDL", all[0].UIDL, "888848456.M923064P417.mx.example.org") // 1998-03-02 14:20:56 UTC
	equal(t, "last UIDL", all[len(all)-1].UIDL, "000000284b41b536")
	for _, m := range all {
		if !uidl.MatchString(m.UIDL) || seen[m.UIDL] {
			t.Errorf("UIDL %q", m.UIDL)
		}
		seen[m.UIDL] = true
		bare := strings.ReplaceAll(string(m.Raw), "\r\n", "")
		if strings.ContainsAny(bare, "\r\n\x00") || !bytes.HasSuffix(m.Raw, []byte("\r\n")) {
			t.Errorf("%s has a bare CR or LF, a NUL, or no last CRLF", m.UIDL)
		}
		if !strings.Contains(string(m.Raw), "\r\n\r\n") {
			t.Errorf("%s has no end of its header", m.UIDL)
		}
	}
}

// Nobody who exists may be written to, nor looked up.
func TestSampleNamesNobodyWhoExists(t *testing.T) {
	host := regexp.MustCompile(`(?i)(?:@|://|\bby |\bfrom )([a-z0-9-]+(?:\.[a-z0-9-]+)+)`)
	reserved := regexp.MustCompile(`(?i)(^|\.)example\.(org|com|net)$`)
	address := regexp.MustCompile(`\b\d{1,3}(?:\.\d{1,3}){3}\b`)
	documented := regexp.MustCompile(`^(192\.0\.2|198\.51\.100)\.`) // RFC 5737
	hosts := 0
	for _, m := range Sample() {
		for _, found := range host.FindAllStringSubmatch(string(m.Raw), -1) {
			hosts++
			if !reserved.MatchString(found[1]) {
				t.Errorf("%s names %s", m.UIDL, found[1])
			}
		}
		for _, ip := range address.FindAllString(header(m), -1) {
			if !documented.MatchString(ip) {
				t.Errorf("%s names %s", m.UIDL, ip)
			}
		}
	}
	if hosts < 100 {
		t.Errorf("only %d hosts found", hosts)
	}
}

func TestSampleIsAsVariousAsItSays(t *testing.T) {
	has := func(pattern string) func(Mail) bool {
		re := regexp.MustCompile(pattern)
		return func(m Mail) bool { return re.Match(m.Raw) }
	}
	top := func(pattern string) func(Mail) bool {
		re := regexp.MustCompile(`\A` + pattern)
		return func(m Mail) bool { return re.MatchString(header(m)) }
	}
	lacks := func(field string) func(Mail) bool {
		return func(m Mail) bool { return !strings.Contains("\n"+header(m), "\n"+field+": ") }
	}
	all := Sample()
	same := func(m Mail) bool {
		return slices.ContainsFunc(all, func(o Mail) bool { return o.UIDL != m.UIDL && bytes.Equal(o.Raw, m.Raw) })
	}
	for _, c := range []struct {
		name     string
		is       func(Mail) bool
		min, max int
	}{
		{"answers", has(`\nIn-Reply-To: <[^\r]*\r\nReferences: <`), 7, 99},
		{"enclosures", has(`(?s)multipart/mixed.*base64.*attachment`), 4, 99},
		{"encoded words", has(`Subject: =\?`), 6, 99},
		{"bodies in UTF-8 as they are", has(`utf-8\r\nContent-Transfer-Encoding: 8bit`), 2, 99},
		{"bodies in quoted-printable", has(`Content-Transfer-Encoding: quoted-printable`), 4, 99},
		{"bodies in ISO-8859-1", has(`charset=iso-8859-1`), 2, 99},
		{"Status: RO on top", top(`Status: RO\n`), 2, 2},
		{"Status: O on top", top(`Status: O\n`), 1, 1},
		{"X-Status: A at the top", top(`Status: RO\nX-Status: A\n`), 1, 1},
		{"X-Status: F on top", top(`X-Status: F\n`), 1, 1},
		{"no Message-ID", lacks("Message-ID"), 1, 1},
		{"no Date", lacks("Date"), 1, 1},
		{"neither Received nor Date", func(m Mail) bool { return lacks("Received")(m) && lacks("Date")(m) }, 1, 1},
		{"another's, with Date alone", func(m Mail) bool {
			return lacks("Received")(m) && !lacks("Date")(m) && !strings.Contains(header(m), "From: "+alice)
		}, 1, 1},
		{"the same twice", same, 2, 2},
		{"lines that begin with a dot", has(`\r\n\.\r\n\.\.\r\n`), 1, 1},
		{"8-bit header", func(m Mail) bool { return regexp.MustCompile(`[^\x00-\x7f]`).MatchString(header(m)) }, 1, 1},
		{"a line of 2,000 octets", func(m Mail) bool {
			return slices.ContainsFunc(strings.Split(string(m.Raw), "\r\n"), func(l string) bool { return len(l) == 2000 })
		}, 1, 1},
		{"an empty body", func(m Mail) bool { return len(head(m.Raw, 0)) == len(m.Raw) }, 1, 1},
		{"some 200 KB", func(m Mail) bool { return len(m.Raw) > 190<<10 && len(m.Raw) < 220<<10 }, 1, 1},
	} {
		n := 0
		for _, m := range all {
			if c.is(m) {
				n++
			}
		}
		if n < c.min || n > c.max {
			t.Errorf("%s: %d messages, want %d to %d", c.name, n, c.min, c.max)
		}
	}
}

func TestSampleIsInTheOrderOfItsArrival(t *testing.T) {
	received := regexp.MustCompile(`(?s)\nReceived: .*?;\s+([^\n]*)\n`)
	years, zones := make(map[int]bool), make(map[int]bool)
	var last time.Time
	repeated := make(map[string]bool)
	for _, m := range Sample() {
		found := received.FindStringSubmatch("\n" + header(m))
		if found == nil || repeated[string(m.Raw)] {
			continue
		}
		repeated[string(m.Raw)] = true
		at, err := mail.ParseDate(found[1])
		if err != nil || at.Before(last) {
			t.Errorf("%s came at %s, after %s: %v", m.UIDL, found[1], last, err)
		}
		last = at
		years[at.Year()] = true
	}
	for _, m := range Sample() {
		h, err := mail.ReadMessage(bytes.NewReader(m.Raw))
		if err != nil {
			t.Errorf("%s: %v", m.UIDL, err)
			continue
		}
		if d, err := h.Header.Date(); err == nil {
			_, offset := d.Zone()
			zones[offset] = true
		}
	}
	if !years[1998] || !years[2025] || len(years) < 15 || len(zones) < 10 {
		t.Errorf("years %v, zones %v", years, zones)
	}
}

func TestSampleCanBeRead(t *testing.T) {
	words := make(map[string]bool)
	for _, m := range Sample() {
		e, err := message.Read(bytes.NewReader(m.Raw))
		if err != nil {
			t.Errorf("%s: %v", m.UIDL, err)
			continue
		}
		subject, err := e.Header.Text("Subject")
		if err != nil && !strings.Contains(subject, "unverschl") {
			t.Errorf("%s: subject %q: %v", m.UIDL, subject, err)
		}
		words[subject] = true
		err = e.Walk(func(_ []int, part *message.Entity, err error) error {
			kind, _, _ := part.Header.ContentType()
			if err == nil && !strings.HasPrefix(kind, "multipart/") { // those are read by Walk
				_, err = io.Copy(io.Discard, part.Body)
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", m.UIDL, err)
		}
	}
	for _, subject := range []string{"Grüße aus Köln", "¿Qué tal?", "こんにちは", "Καλημέρα ☀️", "שלום", "Verträge für März"} {
		if !words[subject] {
			t.Errorf("no message is about %s", subject)
		}
	}
}

func TestSampleGoesThroughBothServers(t *testing.T) {
	all := Sample()
	from, to := startPOP3(t, POP3Options{}, all...), startIMAP(t, IMAPOptions{})
	p, c := entered(t, from), loggedIn(t, to)
	var want []string
	for i, m := range all {
		p.do(fmt.Sprintf("RETR %d", i+1), "+OK")
		raw := unstuffed(p.body())
		equal(t, m.UIDL, raw, string(m.Raw))
		mustPut(t, c, "INBOX", raw, nil)
		want = append(want, string(m.Raw))
	}
	holds(t, to, "INBOX", want...)
	same(t, "FETCH", fetched(t, c, "INBOX", &imap.FetchItemBodySection{Peek: true}), want)
}
