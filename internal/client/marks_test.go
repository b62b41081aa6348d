package client_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestMbox(t *testing.T) {
	top, _ := strings.CutSuffix(letter(1), "\n\nText 1.\nMore.\n")
	body := "\n\nText 1.\nMore.\n"
	moz := func(lines string) string { return "From - Mon Jan  2 15:04:05 2006\n" + lines + letter(1) }
	end := func(lines string) string {
		return "From ann@example.org Mon Jan  2 15:04:05 2006\n" + top + "\n" + lines + body[1:]
	}
	const base = "X-IMAPbase: 1136239445 0000000007 work $label1 NonJunk\n"
	for name, c := range map[string]struct{ mbox, want string }{
		"no field of a client": {end(""), "unknown"},

		"Thunderbird: unread":        {moz("X-Mozilla-Status: 0000\nX-Mozilla-Status2: 00000000\n"), ""},
		"Thunderbird: read":          {moz("X-Mozilla-Status: 0001\nX-Mozilla-Status2: 00000000\n"), `\Seen`},
		"Thunderbird: all":           {moz("X-Mozilla-Status: 1007\n"), `$Forwarded \Answered \Flagged \Seen`},
		"Thunderbird: expunged":      {moz("X-Mozilla-Status: 0009\n"), `\Seen deleted`},
		"Thunderbird: only a part":   {moz("X-Mozilla-Status: 0401\n"), `\Seen`},
		"Thunderbird: receipt sent":  {moz("X-Mozilla-Status: 0001\nX-Mozilla-Status2: 00800000\n"), `$MDNSent \Seen`},
		"Thunderbird: ignored":       {moz("X-Mozilla-Status: 0000\nX-Mozilla-Status2: 00040000\n"), "$muted"},
		"Thunderbird: labels":        {moz("X-Mozilla-Status: 0000\nX-Mozilla-Status2: 06000000\n"), "$label3"},
		"Thunderbird: no such label": {moz("X-Mozilla-Status: 0000\nX-Mozilla-Status2: 0C000000\n"), ""},
		"Thunderbird: tags": {moz("X-Mozilla-Status: 0000\nX-Mozilla-Keys: $label1 work NonJunk" + strings.Repeat(" ", 58) + "\n"),
			"$NotJunk $label1 work"},
		"Thunderbird: tag that is no atom": {moz("X-Mozilla-Status: 0000\nX-Mozilla-Keys: \\Deleted a(b * w\xf6rk ok\n"), "ok"},
		"Thunderbird: after compacting": {moz("X-Mozilla-Status: 0001\nX-Mozilla-Status2: 00000000\nX-Mozilla-Keys: \n" +
			"X-Account-Key: account1\nX-UIDL: 1\n"), `\Seen`},
		"Thunderbird: the line above is bare":     {strings.Replace(moz("X-Mozilla-Status: 0001\n"), "From - Mon Jan  2 15:04:05 2006", "From ", 1), `\Seen`},
		"Thunderbird: Status came along":          {strings.Replace(moz("X-Mozilla-Status: 0001\n"), "\n\n", "\nStatus: O\nX-Status: F\n\n", 1), `\Seen`},
		"Thunderbird: a second one came along":    {moz("X-Mozilla-Status: 0000\nX-Mozilla-Status: 0001\n"), ""},
		"Thunderbird: forged below":               {moz("X-UIDL: 1\n" + "Return-Path: <>\nX-Mozilla-Status: 0001\n"), "unknown"},
		"Thunderbird: came along with a message":  {strings.Replace(moz("X-Mozilla-Status: 0001\n"), "From -", "From a", 1), "unknown"},
		"Thunderbird: came along, Status is ours": {strings.Replace(end("Status: O\n"), "Received", "X-Mozilla-Status: 0001\nReceived", 1), ""},
		"Thunderbird: not four digits":            {moz("X-Mozilla-Status: 00001\n"), "unknown"},
		"Thunderbird: not hexadecimal":            {moz("X-Mozilla-Status: seen\n"), "unknown"},
		"Thunderbird: Status2 is nonsense":        {moz("X-Mozilla-Status: 0001\nX-Mozilla-Status2: ffff\n"), `\Seen`},
		"Thunderbird: bits of the other half":     {moz("X-Mozilla-Status: 0000\nX-Mozilla-Status2: 00000007\n"), ""},
		"Status and X-Status":                     {end("Status: RO\nX-Status: AFT\n"), `\Answered \Draft \Flagged \Seen`},
		"Status: old":                             {end("Status: O\n"), ""},
		"Status: empty":                           {end("Status:  \n"), ""},
		"Status: deleted":                         {end("Status: RO\nX-Status: D\n"), `\Seen deleted`},
		"Status is of something else":             {end("Status: 5.1.1\n"), "unknown"},
		"X-Status alone":                          {end("X-Status: A\n"), `\Answered and perhaps others`},
		"X-Status of KMail":                       {end("Status: R\nX-Status: RC\n"), `\Seen`},
		"Status twice: the client's comes last":   {end("Status: RO\nSubject: x\nStatus: O\n"), ""},
		"X-Keywords that no X-IMAPbase lists":     {end("Status: O\nX-Keywords: work\n"), ""},

		"server: all of its fields": {end(base + "Status: RO\nX-Status: A\nX-Keywords: work $label1 other           \nX-UID: 7\n"),
			`$label1 \Answered \Seen work`},
		"server: nothing set":         {end(base + "X-UID: 7\n"), ""},
		"server: keywords, no Status": {end(base + "X-Keywords: NonJunk\nX-UID: 7\n"), "$NotJunk"},
		"server: it has not written":  {end(base + "Status: RO\n"), "unknown"},
		"server: UID beyond the last": {end(base + "Status: RO\nX-UID: 8\n"), "unknown"},
		"server: UID goes down": {"From x Mon Jan  2 15:04:05 2006\n" + base + "X-UID: 5\n\n\n" + end("Status: RO\nX-UID: 5\n"),
			"unknown"},
		"server: UID goes up": {"From x Mon Jan  2 15:04:05 2006\n" + base + "X-UID: 5\n\n\n" + end("Status: RO\nX-UID: 6\n"), `\Seen`},
		"server: the folder's internal data": {"From MAILER-DAEMON Mon Jan  2 15:04:05 2006\nX-IMAP: 1136239445 0000000007 work\n" +
			"Status: RO\n\ntext\n\n" + end("Status: O\nX-Keywords: work\nX-UID: 6\n"), "work"},

		"Evolution":                    {end("X-Evolution: 0000000a-0010\n"), `\Seen`},
		"Evolution: unread":            {end("Status: RO\nX-Evolution: 0000000a-0000\n"), ""},
		"Evolution: all":               {end("X-Evolution: 0000000a-06dd\n"), `$Forwarded $Junk $NotJunk \Answered \Draft \Flagged \Seen`},
		"Evolution: deleted":           {end("X-Evolution: 0000000a-0012\n"), `\Seen deleted`},
		"Evolution: keywords":          {end("X-Evolution: 0000000a-0000; flags=work,$Label1; tags=label=x\n"), "$Label1 work"},
		"Evolution: not the last":      {end("X-Evolution: 0000000a-0010\nStatus: O\n"), ""},
		"Evolution: file of a server":  {end(base + "X-Evolution: 0000000a-0010\n"), "unknown"},
		"Evolution: not in its format": {end("X-Evolution: seen\n"), "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			for ends, mbox := range map[string]string{"LF": c.mbox, "CRLF": strings.ReplaceAll(c.mbox, "\n", "\r\n")} {
				path := filepath.Join(write(t, map[string]string{"mbox": mbox}), "mbox")
				if got := said(t, open(t, path), subject("", letter(1))); got != c.want {
					t.Errorf("%s: got %q, want %q", ends, got, c.want)
				}
			}
		})
	}
}

func TestMboxTellsMessagesApart(t *testing.T) {
	const from = "From ann@example.org Mon Jan  2 15:04:05 2006\n"
	first, second := "Status: O\n"+letter(1), "Status: RO\n"+letter(2)
	for name, mbox := range map[string]string{
		"blank line between":         from + first + "\n" + from + second,
		"two blank lines":            from + first + "\n\n" + from + second,
		"text that begins so":        from + first + "\nFrom here on: a list.\n\n" + from + second,
		"quoted by its writer":       from + first + "\n>" + from + "\n" + from + second,
		"no blank line before it":    from + first + from + "Status: RO\n" + letter(3) + "\n" + from + second,
		"a wrong Content-Length":     from + "Status: O\nContent-Length: 100000\n" + letter(1) + "\n" + from + second,
		"a long line above":          from + first + "\nFrom x 1:00 2006" + strings.Repeat(" ", 1<<17) + "\n" + second,
		"a zone behind the date":     from + first + "\nFrom x Mon Jan  2 15:04:05 2006 +0100\n" + second,
		"remote from, as UUCP wrote": from + first + "\nFrom x Mon Jan  2 15:04:05 2006 remote from y\n" + second,
	} {
		t.Run(name, func(t *testing.T) {
			c := open(t, filepath.Join(write(t, map[string]string{"mbox": mbox}), "mbox"))
			if got := said(t, c, subject("", letter(1))); got != "" {
				t.Errorf("the first: got %q, want no flag", got)
			}
			if got := said(t, c, subject("", letter(2))); got != `\Seen` {
				t.Errorf(`the second: got %q, want \Seen`, got)
			}
		})
	}
}

func TestTrash(t *testing.T) {
	inbox := kept("a", "0008", letter(1)) + kept("b", "0001", letter(2))
	dir := write(t, map[string]string{"Inbox": inbox, "Trash": kept("a", "0001", letter(1)) + kept("b", "0001", letter(2)),
		"m/cur/": "", "m/new/": "", "m/.Trash/cur/1:2,S": letter(3), "m/.Trash/new/": ""})
	c := open(t, dir)
	for n, want := range map[int]string{1: `\Seen deleted`, 2: `\Seen`, 3: `\Seen deleted`} {
		if got := said(t, c, subject("", letter(n))); got != want {
			t.Errorf("letter %d: got %q, want %q", n, got, want)
		}
	}
}

func TestMaildir(t *testing.T) {
	for name, c := range map[string]struct{ file, want string }{
		"new":                  {"new/1136239445.a.b", ""},
		"seen":                 {"cur/1136239445.a.b:2,S", `\Seen`},
		"not seen":             {"cur/1136239445.a.b:2,", ""},
		"no letters at all":    {"cur/1136239445.a.b", ""},
		"all":                  {"cur/1136239445.a.b:2,DFPRS", `$Forwarded \Answered \Draft \Flagged \Seen`},
		"trashed":              {"cur/1136239445.a.b:2,ST", `\Seen deleted`},
		"keywords":             {"cur/1136239445.a.b,S=10,W=20:2,Sab", `$NotJunk \Seen work`},
		"an unknown keyword":   {"cur/1136239445.a.b:2,z", ""},
		"another kind of info": {"cur/1136239445.a.b:1,S", ""},
		"letters of a server":  {"cur/1136239445.a.b:2,S,x", `\Seen`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := write(t, map[string]string{c.file: letter(1), "cur/": "", "new/": "",
				"dovecot-keywords": "0 work\n1 NonJunk\n2 w(rong\nx y\n99 z\n"})
			if got := said(t, open(t, dir), subject("", letter(1))); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestCourierKeywords(t *testing.T) {
	const list = "work\nhome\n\n1:0 1\n2:1 9 -1 x\n3:\n4\n5:0\n6:0\n"
	dir := write(t, map[string]string{"courierimapkeywords/:list": list, "courierimapkeywords/5": "home\n",
		"courierimapkeywords/.7.6": "new\nest\n", "courierimapkeywords/.3.6": "old\n", "courierimapkeywords/6": "older\n",
		"cur/1:2,": letter(1), "cur/2:2,S": letter(2), "cur/3:2,": letter(3), "cur/4": letter(4), "cur/5:2,": letter(5),
		"new/6": letter(6)})
	c := open(t, dir)
	for n, want := range map[int]string{1: "home work", 2: `\Seen home`, 3: "", 4: "", 5: "home", 6: "est new"} {
		if got := said(t, c, subject("", letter(n))); got != want {
			t.Errorf("message %d: got %q, want %q", n, got, want)
		}
	}
}

// A status of Thunderbird in a message of another Maildir came with it.
func TestMaildirHeadersAreNotBelieved(t *testing.T) {
	dir := write(t, map[string]string{"cur/1:2,": "X-Mozilla-Status: 0001\nStatus: RO\n" + letter(1), "new/": ""})
	if got := said(t, open(t, dir), subject("", letter(1))); got != "" {
		t.Errorf("got %q, want no flag", got)
	}
}

func TestDates(t *testing.T) {
	const never = "Date: Mon, 2 Jan 2006 15:04:05 -0700\nMessage-ID: <never@example.org>\n"
	const base = "X-IMAPbase: 1136239445 0000000007\nX-UID: 7\n"
	modified := time.Date(2005, 3, 4, 5, 6, 7, 0, time.UTC) // of all Maildir files; 1104537600 is two months earlier
	for name, c := range map[string]struct {
		path, text, ask string
		want            string
	}{
		"mbox of a server, never travelled":   {"x", "From a Tue Jan  3 15:04:05 2006\n" + never + base + "\n", never + "\n", "2006-01-03 15:04:05"},
		"with a zone":                         {"x", "From a Tue Jan  3 15:04:05 2006 +0200\n" + never + base + "\n", never + "\n", "2006-01-03 13:04:05"},
		"mbox of a server, Received":          {"x", "From a Tue Jan  3 15:04:05 2006\n" + base + letter(1), letter(1), ""},
		"mbox of a client":                    {"x", "From a Tue Jan  3 15:04:05 2006\n" + never + "Status: O\n\n", never + "\n", ""},
		"Thunderbird":                         {"x", "From - Tue Jan  3 15:04:05 2006\nX-Mozilla-Status: 0001\n" + never + "\n", never + "\n", ""},
		"no date above":                       {"x", "From \n" + never + base + "\n", never + "\n", ""},
		"30 February above":                   {"x", "From a Tue Feb 30 15:04:05 2006\n" + never + base + "\n", never + "\n", ""},
		"before 1990":                         {"x", "From a Tue Jan  3 15:04:05 1989\n" + never + base + "\n", never + "\n", ""},
		"in the future":                       {"x", "From a Tue Jan  3 15:04:05 2999\n" + never + base + "\n", never + "\n", ""},
		"Maildir of a server, named earlier":  {"x/cur/1104537600.a.b:2,", letter(1), letter(1), "2005-01-01 00:00:00"},
		"Maildir of a server, named later":    {"x/cur/1136239445.a.b:2,", letter(1), letter(1), "2005-03-04 05:06:07"},
		"Maildir of a server, named anything": {"x/cur/1.a.b:2,", letter(1), letter(1), "2005-03-04 05:06:07"},
		"Maildir of a client":                 {"y/cur/1104537600.a.b:2,", letter(1), letter(1), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.HasPrefix(name, "mbox of a server, never") {
				c.want = time.Date(2006, 1, 3, 15, 4, 5, 0, time.Local).UTC().Format(time.DateTime)
			}
			files := map[string]string{c.path: c.text}
			root, _, isMaildir := strings.Cut(c.path, "/")
			if isMaildir {
				files[root+"/new/"] = ""
				files["x/dovecot-uidlist"] = "3 V1136239445 N2\n"
			}
			dir := write(t, files)
			if err := os.Chtimes(filepath.Join(dir, c.path), modified, modified); err != nil {
				t.Fatal(err)
			}
			testimony, found, err := open(t, filepath.Join(dir, root)).Know(t.Context(), subject("", c.ask))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if !testimony.Date.IsZero() {
				got = testimony.Date.UTC().Format(time.DateTime)
			}
			if got != c.want || (got == "") != (testimony.Why == "") {
				t.Errorf("found %t: got %q, %q, want %q", found, got, testimony.Why, c.want)
			}
		})
	}
}

// Copies with the same flags and other dates have no date.
func TestDatesThatDiffer(t *testing.T) {
	dir := write(t, map[string]string{"cur/1104537600.a:2,S": letter(1), "cur/1104537601.b:2,S": letter(1), "new/": "",
		"dovecot-uidlist": ""})
	testimony, found, err := open(t, dir).Know(t.Context(), subject("", letter(1)))
	if err != nil || !found || !testimony.Date.IsZero() || testimony.Why != "" {
		t.Errorf("got %v, %t, %v, want it without a date", testimony, found, err)
	}
	if got := fmt.Sprint(testimony.Flags); got != `[{\Seen Maildir: S}]` {
		t.Errorf("got %s", got)
	}
}
