package rules_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/pop2imap/pop2imap/internal/rules"
)

// decode reads [[rules]] tables as the config file has them. An unknown key is an error.
func decode(text string) ([]rules.Rule, error) {
	var file struct{ Rules []rules.Rule }
	err := toml.NewDecoder(strings.NewReader(text)).DisallowUnknownFields().Decode(&file)
	return file.Rules, err
}

// compiled are the rules of a text that has no mistake.
func compiled(t testing.TB, text string) *rules.Rules {
	t.Helper()
	list, err := decode(text)
	if err != nil {
		t.Fatalf("decode %s: %v", text, err)
	}
	r, err := rules.Compile(list)
	if err != nil {
		t.Fatalf("compile %s: %v", text, err)
	}
	return r
}

var now = time.Date(2024, time.July, 31, 12, 0, 0, 0, time.UTC)

// arrived is a message that is so old.
func arrived(header string, days int) rules.Subject {
	return rules.Subject{Header: []byte(header), Size: 1000, Date: now.AddDate(0, 0, -days), Now: now}
}

func TestHeaderConditions(t *testing.T) {
	for name, c := range map[string]struct {
		rule, header string
		want         bool
	}{
		"contains a part":                    {`header = "List-Id"` + "\n" + `contains = "golang"`, "List-Id: <golang-nuts.x>\n", true},
		"contains, case":                     {`header = "LIST-ID"` + "\n" + `contains = "GoLang"`, "list-id: <GOLANG.x>\n", true},
		"contains something else":            {`header = "List-Id"` + "\n" + `contains = "golang"`, "List-Id: <rust.x>\n", false},
		"no such field":                      {`header = "List-Id"` + "\n" + `contains = "golang"`, "Subject: golang\n", false},
		"field is in the body":               {`header = "A"` + "\n" + `contains = "x"`, "B: 1\n\nA: x\n", false},
		"second field of that name":          {`header = "A"` + "\n" + `contains = "x"`, "A: 1\nA: x\n", true},
		"one of several names":               {`header = ["To", "Cc"]` + "\n" + `contains = "bob"`, "To: eve\nCc: bob\n", true},
		"none of several names":              {`header = ["To", "Cc"]` + "\n" + `contains = "bob"`, "To: eve\nBcc: bob\n", false},
		"equals":                             {`header = "A"` + "\n" + `equals = "x y"`, "A: X Y \n", true},
		"equals a part only":                 {`header = "A"` + "\n" + `equals = "x"`, "A: x y\n", false},
		"equals, folded with a tab":          {`header = "A"` + "\n" + `equals = "x y"`, "A: x\r\n\ty\r\n", true},
		"contains, folded":                   {`header = "A"` + "\n" + `contains = "x y"`, "A: 1 x\r\n y 2\r\n", true},
		"encoded-word":                       {`header = "A"` + "\n" + `equals = "Grüße"`, "A: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n", true},
		"encoded-word, case of a letter":     {`header = "A"` + "\n" + `contains = "ÄRGER"`, "A: =?iso-8859-1?q?=E4rger?=\n", true},
		"encoded-words side by side":         {`header = "A"` + "\n" + `contains = "Grüße"`, "A: =?utf-8?q?Gr=C3=BC?=\r\n =?utf-8?b?w59l?=\n", true},
		"encoded-word, KOI8-R":               {`header = "A"` + "\n" + `contains = "Привет"`, "A: =?koi8-r?b?8NLJ18XU?=\n", true},
		"encoded-word, ISO-2022-JP":          {`header = "A"` + "\n" + `contains = "日本"`, "A: =?iso-2022-jp?b?GyRCRnxLXBsoQg==?=\n", true},
		"unknown charset gives its octets":   {`header = "A"` + "\n" + `contains = "abc"`, "A: =?no-such?q?a?= =?no-such?q?bc?=\n", true},
		"as it stands":                       {`header = "A"` + "\n" + `contains = "=?utf-8?q?"`, "A: =?utf-8?q?x?=\n", true},
		"encoded-word that is none":          {`header = "A"` + "\n" + `contains = "=?utf-8?b?!"`, "A: =?utf-8?b?!?=\n", true},
		"8-bit as it stands":                 {`header = "A"` + "\n" + `contains = "ü"`, "A: 1 \xc3\xbc\n", true},
		"8-bit that is not UTF-8":            {`header = "A"` + "\n" + `contains = "x"`, "A: \xfc x\n", true},
		"regular expression":                 {`header = "A"` + "\n" + `matches = '^\[[a-z]+\]'`, "A: [go] 1\n", true},
		"regular expression, case":           {`header = "A"` + "\n" + `matches = 'go'`, "A: GO\n", false},
		"regular expression, case no":        {`header = "A"` + "\n" + `matches = '(?i)go'`, "A: GO\n", true},
		"regular expression, decoded":        {`header = "A"` + "\n" + `matches = '^Gr.ße$'`, "A: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n", true},
		"regular expression, does not fit":   {`header = "A"` + "\n" + `matches = '^go$'`, "A: go 1\n", false},
		"value beyond 16 KiB":                {`header = "A"` + "\n" + `contains = "x"`, "A: " + strings.Repeat("y", 20000) + "x\n", false},
		"value beyond 128 KiB":               {`header = "A"` + "\n" + `contains = "x"`, strings.Repeat("A: "+strings.Repeat("y", 16000)+"\n", 9) + "A: x\n", false},
		"value below much that is not asked": {`header = "A"` + "\n" + `contains = "x"`, strings.Repeat("B: "+strings.Repeat("y", 16000)+"\n", 9) + "A: x\n", true},
		"address":                            {`header = "From"` + "\n" + `address = "Bob@Example.org"`, "From: Bob <bob@EXAMPLE.org>\n", true},
		"address without name":               {`header = "From"` + "\n" + `address = "bob@example.org"`, "From: bob@example.org\n", true},
		"second address":                     {`header = "To"` + "\n" + `address = "bob@x.org"`, "To: a@x, \"B, O\" <bob@x.org>\n", true},
		"address within another":             {`header = "From"` + "\n" + `address = "bob@x.org"`, "From: notbob@x.org\n", false},
		"address goes on":                    {`header = "From"` + "\n" + `address = "bob@x.org"`, "From: bob@x.org.evil\n", false},
		"address in a quoted name":           {`header = "From"` + "\n" + `address = "bob@x.org"`, "From: \"bob@x.org\" <e@evil>\n", false},
		"address in a name":                  {`header = "From"` + "\n" + `address = "bob@x.org"`, "From: bob@x.org <e@evil>\n", false},
		"address in a comment":               {`header = "From"` + "\n" + `address = "bob@x.org"`, "From: e@evil (bob@x.org)\n", false},
		"address in a comment in a comment":  {`header = "From"` + "\n" + `address = "bob@x.org"`, "From: ((\\)) bob@x.org) <e@evil>\n", false},
		"address in an encoded-word":         {`header = "From"` + "\n" + `address = "bob@x.org"`, "From: =?utf-8?q?bob@x.org_?= <e@evil>\n", false},
		"address after a comment":            {`header = "From"` + "\n" + `address = "bob@x.org"`, "From: (Bob) bob@x.org\n", true},
		"address in a group":                 {`header = "To"` + "\n" + `address = "bob@x.org"`, "To: Friends:bob@x.org;\n", true},
		"address behind a route":             {`header = "To"` + "\n" + `address = "bob@x.org"`, "To: <@a,@b:bob@x.org>\n", true},
		"address, quote not closed":          {`header = "From"` + "\n" + `address = "bob@x.org"`, "From: \"Bob <bob@x.org>\n", true},
		"address, comment not closed":        {`header = "From"` + "\n" + `address = "bob@x.org"`, "From: Bob :( <bob@x.org>\n", true},
		"address, angle not closed":          {`header = "From"` + "\n" + `address = "bob@x.org"`, "From: Bob <bob@x.org\n", true},
		"address, other local case":          {`header = "From"` + "\n" + `address = "bob@kx.org"`, "From: bob@\u212ax.org\n", false}, // KELVIN SIGN
		"domain":                             {`header = "From"` + "\n" + `address = "@Example.org"`, "From: <bob@example.ORG>\n", true},
		"domain of a quoted local part":      {`header = "From"` + "\n" + `address = "@x.org"`, "From: \"a b\"@x.org\n", true},
		"domain below it":                    {`header = "From"` + "\n" + `address = "@x.org"`, "From: bob@sub.x.org\n", false},
		"domain of a route":                  {`header = "From"` + "\n" + `address = "@a"`, "From: <@a,@b:bob@x.org>\n", false},
		"domain that ends so":                {`header = "From"` + "\n" + `address = "@x.org"`, "From: bob@evilx.org\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			r := compiled(t, "[[rules]]\n"+c.rule+"\nskip = true\n")
			if _, _, ok := r.Match(arrived(c.header, 0)); ok != c.want {
				t.Errorf("%s on %q: got %v, want %v", c.rule, c.header, ok, c.want)
			}
		})
	}
}

func TestOtherConditions(t *testing.T) {
	for name, c := range map[string]struct {
		rule string
		s    rules.Subject
		want bool
	}{
		"larger":                      {`larger = "1K"`, rules.Subject{Size: 1025}, true},
		"just as large":               {`larger = "1K"`, rules.Subject{Size: 1024}, false},
		"larger, a number":            {`larger = 1024`, rules.Subject{Size: 1025}, true},
		"smaller":                     {`smaller = "1K"`, rules.Subject{Size: 1023}, true},
		"just as small":               {`smaller = "1K"`, rules.Subject{Size: 1024}, false},
		"between":                     {"larger = 10\nsmaller = 12", rules.Subject{Size: 11}, true},
		"larger, but not smaller":     {"larger = 10\nsmaller = 12", rules.Subject{Size: 12}, false},
		"older":                       {`older = "30d"`, arrived("", 31), true},
		"just as old":                 {`older = "30d"`, arrived("", 30), false},
		"older, no date":              {`older = "30d"`, rules.Subject{Now: now}, false},
		"newer":                       {`newer = "30d"`, arrived("", 30), true},
		"not newer":                   {`newer = "30d"`, arrived("", 31), false},
		"newer, not yet arrived":      {`newer = "30d"`, arrived("", -1), true},
		"newer, no date":              {`newer = "30d"`, rules.Subject{Now: now}, false},
		"between two ages":            {"older = \"1w\"\nnewer = \"2w\"", arrived("", 8), true},
		"sent":                        {`sent = true`, rules.Subject{Sent: true}, true},
		"not sent, and shall be":      {`sent = true`, rules.Subject{}, false},
		"not sent":                    {`sent = false`, rules.Subject{}, true},
		"sent, and shall not be":      {`sent = false`, rules.Subject{Sent: true}, false},
		"junk":                        {`junk = true`, rules.Subject{Junk: true}, true},
		"not junk, and shall be":      {`junk = true`, rules.Subject{Sent: true}, false},
		"junk, and shall not be":      {`junk = false`, rules.Subject{Junk: true}, false},
		"one of two conditions holds": {"sent = true\njunk = true", rules.Subject{Sent: true}, false},
		"both conditions hold":        {"sent = true\njunk = true", rules.Subject{Sent: true, Junk: true}, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := compiled(t, "[[rules]]\n"+c.rule+"\nskip = true\n")
			if _, _, ok := r.Match(c.s); ok != c.want {
				t.Errorf("%s: got %v, want %v", c.rule, ok, c.want)
			}
		})
	}
}

const several = `
[[rules]]
header = ["From", "Sender"]
address = "@bank.example"
larger = "1M"
flags = ["\\flagged"]

[[rules]]
header = "List-Id"
matches = "golang"
newer = "30d"
sent = false
folder = "Lists/{list}/{year}"
flags = ["\\SEEN", "$Junk", "\\Seen", "$junk"]

[[rules]]
header = "List-Id"
contains = "golang"
older = "2w"
folder = "Old {month}"

[[rules]]
junk = true
skip = true
`

func TestFirstMatchWins(t *testing.T) {
	r := compiled(t, several)
	bank := arrived("From: <a@bank.example>\nList-Id: golang\n", 1)
	bank.Size = 1<<20 + 1
	junk := arrived("List-Id: rust\n", 1)
	junk.Junk = true
	for name, c := range map[string]struct {
		s      rules.Subject
		want   rules.Action
		reason string
	}{
		"the first, though others match": {bank, rules.Action{Flags: []string{`\Flagged`}},
			`rule 1: From or Sender has the address "@bank.example" and larger than 1048576 octets`},
		"the second": {arrived("List-Id: <golang-dev.x>\n", 1), rules.Action{Folder: "Lists/golang-dev/2024", Flags: []string{`\Seen`, "$Junk"}},
			`rule 2: List-Id matches "golang" and newer than 30d and not sent`},
		"the third": {arrived("List-Id: <golang-dev.x>\n", 31), rules.Action{Folder: "Old 06"},
			`rule 3: List-Id contains "golang" and older than 2w`},
		"no name for {list}: the next": {arrived("List-Id: <.golang>\n", 20), rules.Action{Folder: "Old 07"},
			`rule 3: List-Id contains "golang" and older than 2w`},
		"the last": {junk, rules.Action{Skip: true}, "rule 4: junk"},
		"none":     {arrived("List-Id: rust\n", 1), rules.Action{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, reason, ok := r.Match(c.s)
			if got.Folder != c.want.Folder || !slices.Equal(got.Flags, c.want.Flags) || got.Skip != c.want.Skip ||
				reason != c.reason || ok != (c.reason != "") {
				t.Errorf("got %+v, %q, %v, want %+v, %q", got, reason, ok, c.want, c.reason)
			}
		})
	}
}

func TestNoRules(t *testing.T) {
	r := compiled(t, "")
	if got, reason, ok := r.Match(arrived("A: 1\n", 1)); ok || reason != "" {
		t.Errorf("got %+v, %q, %v", got, reason, ok)
	}
	if lines := r.Explain(arrived("A: 1\n", 1)); len(lines) > 0 {
		t.Errorf("got %q, want nothing", lines)
	}
}

func TestExplain(t *testing.T) {
	r := compiled(t, several)
	for name, c := range map[string]struct {
		s    rules.Subject
		want []string
	}{
		"the third matches": {arrived("List-Id: <.golang>\nSender: a@bank.example\n", 20), []string{
			"rule 1 does not match: it wants larger than 1048576 octets",
			"rule 2 does not match: it wants a List-Id, for {list} in its folder",
			`rule 3: List-Id contains "golang" and older than 2w`,
		}},
		"none matches": {rules.Subject{Header: []byte("List-Id: golang\n"), Now: now}, []string{
			`rule 1 does not match: it wants From or Sender has the address "@bank.example"`,
			"rule 2 does not match: it wants newer than 30d",
			"rule 3 does not match: it wants older than 2w",
			"rule 4 does not match: it wants junk",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := r.Explain(c.s); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// What Match gives is the caller's: it may be changed without harm to the rules.
func TestFlagsOfAnActionAreItsOwn(t *testing.T) {
	r := compiled(t, "[[rules]]\nsent = false\nflags = [\"a\"]\n")
	first, _, _ := r.Match(arrived("", 0))
	first.Flags[0] = "b"
	if second, _, _ := r.Match(arrived("", 0)); second.Flags[0] != "a" {
		t.Errorf("got %q, want a", second.Flags)
	}
}
