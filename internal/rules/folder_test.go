package rules_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/pop2imap/pop2imap/internal/rules"
)

func TestFolder(t *testing.T) {
	east := time.FixedZone("", 14*3600)
	for name, c := range map[string]struct {
		folder, header string
		date           time.Time
		want           string // "": the rule does not match
	}{
		"as it stands":              {"A/B ü", "", now, "A/B ü"},
		"slashes at the ends":       {"/A/B/", "", now, "A/B"},
		"INBOX in any case":         {"inbox", "", now, "INBOX"},
		"below INBOX":               {"Inbox/inbox", "", now, "INBOX/inbox"},
		"year and month":            {"{year}/{month}", "", now, "2024/07"},
		"within text":               {"Mail {year}-{month}.", "", now, "Mail 2024-07."},
		"in the offset of the date": {"{year}-{month}", "", time.Date(2023, 12, 31, 12, 0, 0, 0, time.UTC).In(east), "2024-01"},
		"early year":                {"{year}", "", time.Date(990, 1, 1, 0, 0, 0, 0, time.UTC), "0990"},
		"no date":                   {"{year}", "", time.Time{}, ""},
		"no date, and none needed":  {"A", "", time.Time{}, "A"},
		"year of five digits":       {"{year}", "", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), ""},
		"year before the first":     {"{month}", "", time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), ""},
		"list":                      {"L/{list}", "List-Id: Go nuts <golang-nuts.googlegroups.com>\n", now, "L/golang-nuts"},
		"list in capitals":          {"L/{list}", "LIST-ID: <Golang-NUTS.Example>\n", now, "L/golang-nuts"},
		"list, folded":              {"L/{list}", "List-Id: Go\r\n <go.x>\r\n", now, "L/go"},
		"list within text":          {"L/a {list} b", "List-Id: <go.x>\n", now, "L/a go b"},
		"list without <>":           {"L/{list}", "List-Id: go.x\n", now, "L/go"},
		"list not closed":           {"L/{list}", "List-Id: Go <go.x\n", now, "L/go"},
		"list, <> in the name":      {"L/{list}", "List-Id: \"<a.b>\" <go.x>\n", now, "L/go"},
		"list without a dot":        {"L/{list}", "List-Id: <go>\n", now, "L/go"},
		"list with + and _":         {"L/{list}", "List-Id: <go_c++x.y>\n", now, "L/go_c++x"},
		"no list":                   {"L/{list}", "Subject: x\n", now, ""},
		"list is empty":             {"L/{list}", "List-Id:\n", now, ""},
		"list is <>":                {"L/{list}", "List-Id: x <>\n", now, ""},
		"list begins with a dot":    {"L/{list}", "List-Id: <../../x>\n", now, ""},
		"list of what is cleaned":   {"L/{list}", "List-Id: <*%/.x>\n", now, ""},
		"list with levels":          {"L/{list}", "List-Id: <a/b\\c.x>\n", now, "L/a-b-c"},
		"list with wildcards":       {"L/{list}", "List-Id: <a*b%c.x>\n", now, "L/a-b-c"},
		"list with controls":        {"L/{list}", "List-Id: <a\x00b\x7fc\rd.x>\n", now, "L/a-b-c-d"},
		"list with braces":          {"L/{list}", "List-Id: <{year}.x>\n", now, "L/year"},
		"list as modified UTF-7":    {"L/{list}", "List-Id: <&AOQ-&.x>\n", now, "L/aoq"},
		"list with 8-bit":           {"L/{list}", "List-Id: <a\xc3\xbcb\xff.x>\n", now, "L/a-b"},
		"list of 100 letters":       {"L/{list}", "List-Id: <" + strings.Repeat("x", 100) + ".y>\n", now, "L/" + strings.Repeat("x", 64)},
		"cut before a hyphen":       {"L/{list}", "List-Id: <" + strings.Repeat("x", 63) + "-y.z>\n", now, "L/" + strings.Repeat("x", 63)},
		"the first that has one":    {"L/{list}", "List-Id: <>\nList-Id: <go.x>\nList-Id: <c.x>\n", now, "L/go"},
		"as long as can be":         {strings.Repeat("x", 255), "", now, strings.Repeat("x", 255)},
	} {
		t.Run(name, func(t *testing.T) {
			r := compiled(t, "[[rules]]\nsent = false\nfolder = \""+c.folder+"\"\n")
			got, _, ok := r.Match(rules.Subject{Header: []byte(c.header), Date: c.date, Now: now})
			if got.Folder != c.want || ok != (c.want != "") {
				t.Errorf("%q of %q: got %q, %v, want %q", c.folder, c.header, got.Folder, ok, c.want)
			}
		})
	}
}

// Whatever the header and the date: the folder has the levels of the template, and only what a template may have in each.
func TestNoHeaderBreaksOutOfTheFolder(t *testing.T) {
	level := rapid.SampledFrom([]string{"A", "Bü c", "{list}", "{year}", "x-{month}{list}", "{list} y", "{list}.{year}"})
	octets := rapid.OneOf(rapid.SliceOf(rapid.Byte()), rapid.Custom(func(t *rapid.T) []byte {
		return []byte(rapid.StringOf(rapid.SampledFrom([]rune("aZ0./*%\\{}<>&-+_\"\x00\r\t ü\u202e"))).Draw(t, "text"))
	}))
	matched := 0
	rapid.Check(t, func(t *rapid.T) {
		levels := append([]string{"Lists"}, rapid.SliceOfN(level, 0, 3).Draw(t, "levels")...)
		template := strings.Join(levels, "/")
		no := false
		r, err := rules.Compile([]rules.Rule{{Sent: &no, Folder: template}})
		if err != nil {
			t.Fatalf("%q: %v", template, err)
		}
		header := append([]byte("List-Id: "), octets.Draw(t, "value")...)
		date := time.Unix(rapid.Int64().Draw(t, "date"), 0)
		action, _, ok := r.Match(rules.Subject{Header: header, Date: date, Now: now})
		if !ok {
			return
		}
		matched++
		checkFolder(t, template, action.Folder)
	})
	if matched == 0 {
		t.Error("no message had a folder")
	}
}

// checkFolder holds a folder against what its template allows.
func checkFolder(t interface{ Errorf(string, ...any) }, template, folder string) {
	pattern := regexp.QuoteMeta(template)
	for filling, allowed := range map[string]string{"list": `[a-z0-9]([a-z0-9_+-]{0,62}[a-z0-9])?`, "year": `[0-9]{4}`, "month": `[01][0-9]`} {
		pattern = strings.ReplaceAll(pattern, `\{`+filling+`\}`, "("+allowed+")")
	}
	if !regexp.MustCompile(`^` + pattern + `$`).MatchString(folder) {
		t.Errorf("%q became %q", template, folder)
	}
	if strings.ContainsAny(folder, "*%\x00\r\n\x7f") || strings.Count(folder, "/") != strings.Count(template, "/") || len(folder) > 255 {
		t.Errorf("%q became %q", template, folder)
	}
}

// Of a header nobody knows what it holds: the rules are the same for it each time, say nothing of it, and keep it in the
// folder that they name.
func FuzzMatch(f *testing.F) {
	r := compiled(f, several+`
[[rules]]
header = ["From", "To", "Subject"]
address = "bob@x.org"
folder = "Bob"
[[rules]]
header = "Subject"
matches = '(a|b)*c{2,5}$'
flags = ["x"]
[[rules]]
sent = false
folder = "Lists/{list}"
`)
	known := map[string]bool{}
	for _, seed := range []string{
		"From: \"a@b\" (c@d (e)) <@x,@y:bob@x.org>\n", "List-Id: Go <golang.x>\n", "Subject: =?utf-8?q?cc?=\n", "To: ((((\"\\\"\n",
	} {
		f.Add([]byte(seed), int64(1000), int64(0))
	}
	f.Fuzz(func(t *testing.T, header []byte, size, date int64) {
		s := rules.Subject{Header: header, Size: size, Date: time.Unix(date, 0), Now: now}
		action, reason, ok := r.Match(s)
		lines := r.Explain(s)
		if ok != (reason != "") || ok && lines[len(lines)-1] != reason || !ok && len(lines) != 7 {
			t.Errorf("match: %v, %q; explained as %q", ok, reason, lines)
		}
		if known[reason] = true; len(known) > 8 {
			t.Errorf("a reason that depends on the mail: %q", reason)
		}
		if strings.HasPrefix(action.Folder, "Lists/") && strings.Count(action.Folder, "/") == 1 {
			checkFolder(t, "Lists/{list}", action.Folder)
		}
		if action.Skip && (action.Folder != "" || len(action.Flags) > 0) {
			t.Errorf("skipped, and %+v", action)
		}
	})
}
