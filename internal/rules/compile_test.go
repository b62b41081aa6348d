package rules_test

import (
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/rules"
)

const (
	skip = "\nskip = true"
	sent = "sent = true\n"
)

func TestBadRules(t *testing.T) {
	for name, c := range map[string]struct{ rule, want string }{
		"nothing at all":             {``, "rule 1: no condition: add header, larger"},
		"no condition":               {`folder = "A"`, "rule 1: no condition: add header, larger"},
		"no action":                  {`sent = true`, "rule 1: no action: add folder, flags or skip"},
		"skip is false":              {sent + `skip = false`, "rule 1: no action"},
		"no flags":                   {sent + `flags = []`, "rule 1: no action"},
		"skip with a folder":         {sent + `folder = "A"` + skip, "rule 1: skip: what is not copied has neither"},
		"skip with flags":            {sent + `flags = ["a"]` + skip, "rule 1: skip: what is not copied has neither"},
		"equals and contains":        {"header = \"A\"\nequals = \"x\"\ncontains = \"y\"" + skip, "rule 1: equals and contains: only one"},
		"matches and address":        {"header = \"A\"\nmatches = \"x\"\naddress = \"a@b\"" + skip, "rule 1: matches and address: only one"},
		"header alone":               {`header = "A"` + skip, "rule 1: header: add what its value must be"},
		"contains nothing":           {"header = \"A\"\ncontains = \"\"" + skip, "rule 1: header: add what its value must be"},
		"contains without header":    {`contains = "x"` + skip, "rule 1: contains: add header"},
		"address without header":     {`address = "a@b"` + skip, "rule 1: address: add header"},
		"header with no names":       {"header = []\nequals = \"x\"" + skip, "rule 1: equals: add header"},
		"header with a colon":        {"header = \"A:\"\nequals = \"x\"" + skip, `rule 1: header: "A:" is not the name of a field`},
		"empty name in a list":       {"header = [\"A\", \"\"]\nequals = \"x\"" + skip, `rule 1: header: "" is not the name`},
		"header with a blank":        {"header = \"A B\"\nequals = \"x\"" + skip, `rule 1: header: "A B" is not the name`},
		"header outside ASCII":       {"header = \"Ä\"\nequals = \"x\"" + skip, `rule 1: header: "Ä" is not the name`},
		"no regular expression":      {"header = \"A\"\nmatches = \"(x\"" + skip, "rule 1: matches: not a regular expression (error parsing regexp: missing closing )"},
		"look-ahead is not RE2":      {"header = \"A\"\nmatches = '(?=x)'" + skip, "rule 1: matches: not a regular expression"},
		"huge regular expression":    {"header = \"A\"\nmatches = '((a{100}){100}){100}'" + skip, "rule 1: matches: not a regular expression"},
		"address without @":          {"header = \"A\"\naddress = \"bob\"" + skip, `rule 1: address: "bob" is not an address`},
		"address without domain":     {"header = \"A\"\naddress = \"bob@\"" + skip, `rule 1: address: "bob@" is not an address`},
		"address with a name":        {"header = \"A\"\naddress = \"Bob <bob@x>\"" + skip, `rule 1: address: "Bob <bob@x>" is not an address`},
		"larger than less":           {"larger = -1" + skip, "rule 1: larger: not a size"},
		"smaller than less":          {"smaller = -1" + skip, "rule 1: smaller: not a size"},
		"no size lies between":       {"larger = 10\nsmaller = 11" + skip, "rule 1: larger and smaller: no message"},
		"no age":                     {`older = "30"` + skip, `rule 1: older: "30" is not an age such as 12h, 30d`},
		"no age either":              {`newer = "soon"` + skip, `rule 1: newer: "soon" is not an age such as 12h, 30d`},
		"no age lies between":        {"older = \"2w\"\nnewer = \"14d\"" + skip, "rule 1: older and newer: no message"},
		"deleted":                    {sent + `flags = ['\Deleted']`, `rule 1: flags: \Deleted would make the message vanish`},
		"recent":                     {sent + `flags = ['\recent']`, `rule 1: flags: \recent is set by the server alone`},
		"no system flag":             {sent + `flags = ['\Junk']`, `rule 1: flags: \Junk is not known: there are`},
		"keyword with a blank":       {sent + `flags = ["a b"]`, `rule 1: flags: "a b" is not a keyword`},
		"keyword with a parenthesis": {sent + `flags = ["a)"]`, `rule 1: flags: "a)" is not a keyword`},
		"keyword outside ASCII":      {sent + `flags = ["ä"]`, `rule 1: flags: "ä" is not a keyword`},
		"empty keyword":              {sent + `flags = [""]`, `rule 1: flags: "" is not a keyword`},
		"keyword with a line end":    {sent + `flags = ["a\r\nb"]`, `rule 1: flags: "a\r\nb" is not a keyword`},
		"only a slash":               {sent + `folder = "/"`, "rule 1: folder: a level of it has no name"},
		"empty level":                {sent + `folder = "A//B"`, "rule 1: folder: a level of it has no name"},
		"the folder above":           {sent + `folder = "A/../B"`, `rule 1: folder: ".." is not a name`},
		"this folder":                {sent + `folder = "."`, `rule 1: folder: "." is not a name`},
		"blank at the end":           {sent + `folder = "A /B"`, `rule 1: folder: "A " begins or ends with a blank`},
		"only a blank":               {sent + `folder = " "`, `rule 1: folder: " " begins or ends with a blank`},
		"control character":          {sent + `folder = "A\tB"`, "rule 1: folder: control characters"},
		"right-to-left override":     {sent + `folder = "A\u202EB"`, "rule 1: folder: control characters"},
		"line separator":             {sent + `folder = "A\u2028B"`, "rule 1: folder: control characters"},
		"wildcard *":                 {sent + `folder = "A*"`, `rule 1: folder: "A*": to a server * and % stand for many`},
		"wildcard %":                 {sent + `folder = "A%"`, `rule 1: folder: "A%": to a server * and % stand for many`},
		"unknown filling":            {sent + `folder = "A/{day}"`, `rule 1: folder: "{day}": in braces there can only be {year}`},
		"brace not closed":           {sent + `folder = "A/{list"`, `rule 1: folder: "{list": in braces`},
		"brace not opened":           {sent + `folder = "A/list}"`, `rule 1: folder: "}": in braces`},
		"brace in braces":            {sent + `folder = "A/{{list}}"`, `rule 1: folder: "{{list}}": in braces`},
		"{list} as a top folder":     {sent + `folder = "{list}"`, "rule 1: folder: a sender could choose the Trash"},
		"{list} in a top folder":     {sent + `folder = "T{list}/A"`, "rule 1: folder: a sender could choose the Trash"},
		"{list} just below INBOX":    {sent + `folder = "inbox/{list}"`, "rule 1: folder: a sender could choose the Trash"},
		"too long":                   {sent + `folder = "` + strings.Repeat("x", 256) + `"`, "rule 1: folder: its name can become 256 octets long"},
		"can become too long":        {sent + `folder = "A/{list}{list}{list}{list}"`, "rule 1: folder: its name can become 258 octets long"},
		"the second of two":          {sent + "skip = true\n[[rules]]\nskip = true", "rule 2: no condition"},
		"both of two":                {"skip = true\n[[rules]]\nskip = true", "\nrule 2: no condition"},
	} {
		t.Run(name, func(t *testing.T) {
			list, err := decode("[[rules]]\n" + c.rule + "\n")
			if err != nil {
				t.Fatalf("decode: %v", err)
			}
			if _, err := rules.Compile(list); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestWhatIsNoRuleIsRefusedByTheDecoder(t *testing.T) {
	for name, c := range map[string]struct{ rule, want string }{
		"unknown key":       {`subject = "x"`, "missing in the target"},
		"size that is none": {`larger = "much"`, "not a size such as 500, 25M or 1.5G"},
		"age without unit":  {`older = 30`, "integer"},
		"sent is a word":    {`sent = "yes"`, "string"},
		"header is a table": {`header = {a = 1}`, "inline table"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := decode("[[rules]]\n" + c.rule + "\n"); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
