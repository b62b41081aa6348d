package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// Who has an error looks for its text in docs/troubleshooting.md. So each heading of the third level there is what the program
// prints, with … for what differs; a script provokes them.

// notProvoked are headings that no script provokes, and why. That the program can print them is seen in its source.
var notProvoked = map[string]string{
	"cannot connect to …: no answer":                             "it takes as long as the kernel tries",
	"… was silent for …":                                         "internal/wire shows it, in the time of a test",
	"make room in the account, or have its quota raised":         "the lab has no quota; sync/refuse_test.go:TestWithoutRoomTheRestWaits",
	"the server is busy or wants less at a time":                 "internal/imap/refusal_test.go:TestThrottled",
	"the state lies in memory":                                   "internal/doctor/doctor_test.go:TestWhatIsNotWell",
	"the state lies on a network file system":                    "the same",
	"written by a newer program":                                 "state/state_test.go:TestOpenRefusesWhatIsNoState",
	"keep a large message on disk":                               "sync/spool_test.go:TestSpoolSaysThatOurDiskIsFull",
	"the file system cannot hold it":                             "it takes such a file system",
	"marked another message than the one that was to be deleted": "internal/pop3/delete_test.go:TestDeleteThatFailsRemovesNothing",
	"panic: …": "it is a bug; cmd/pop2imap/accounts_test.go:TestPanicStaysInItsAccount",
}

// headingsOf gives those of the page.
func headingsOf(ts *testscript.TestScript) (texts []string) {
	page, err := os.ReadFile(filepath.Join(repository, "docs", "troubleshooting.md"))
	ts.Check(err)
	for _, m := range regexp.MustCompile("(?m)^### `(.*)`$").FindAllStringSubmatch(string(page), -1) {
		texts = append(texts, m[1])
	}
	return texts
}

// wild makes a pattern of a text with … in it.
func wild(text string) *regexp.Regexp {
	return regexp.MustCompile(strings.ReplaceAll(regexp.QuoteMeta(text), "…", ".*"))
}

// heading TEXT: the command before has printed it, and it is a heading of the page.
func underHeading(ts *testscript.TestScript, _ bool, args []string) {
	if !slices.Contains(headingsOf(ts), args[0]) {
		ts.Fatalf("docs/troubleshooting.md has no heading ### `%s`", args[0])
	}
	if said := ts.ReadFile("stdout") + ts.ReadFile("stderr"); !wild(args[0]).MatchString(said) {
		ts.Fatalf("nothing like %q was printed", args[0])
	}
	e := serving(ts)
	e.headings = append(e.headings, args[0])
}

// headings: no other heading is on the page, but those that are not provoked.
func allHeadings(ts *testscript.TestScript, _ bool, _ []string) {
	met, words := serving(ts).headings, sourceWords(ts)
	page := headingsOf(ts)
	for _, h := range page {
		_, excused := notProvoked[h]
		switch {
		case excused == slices.Contains(met, h):
			ts.Fatalf("the heading %q: provoked %v, excused %v", h, !excused, excused)
		case excused && !slices.ContainsFunc(words, wild(h).MatchString):
			ts.Fatalf("the heading %q is in no text of the source", h)
		}
	}
	for h := range notProvoked {
		if !slices.Contains(page, h) {
			ts.Fatalf("there is no heading %q any more", h)
		}
	}
}

// sourceWords gives the texts in the program's source, with … for each verb of a format.
func sourceWords(ts *testscript.TestScript) (words []string) {
	verb := regexp.MustCompile(`%[-+# 0]*[0-9.]*[a-zA-Z]`)
	err := filepath.WalkDir(repository, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
				if s, err := strconv.Unquote(text.Value); err == nil {
					words = append(words, verb.ReplaceAllString(s, "…"))
				}
			}
			return true
		})
		return nil
	})
	ts.Check(err)
	return words
}
