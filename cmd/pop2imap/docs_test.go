package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// The documents are run: each command line in README.md and docs, in the order of the page, in a home of its own, between the
// servers of the script. What a page shows as output must be in the output. docs_page_test.go takes a page apart.

// repository is where the documents are, seen from this folder. Scripts run elsewhere.
var repository = func() string {
	dir, err := filepath.Abs("../..")
	if err != nil {
		panic(err)
	}
	return dir
}()

// notRun are lines of other programs, by how they begin, and why they are not run. Their syntax is looked at all the same.
var notRun = map[string]string{
	"go install ":      "it would write to the GOPATH of whoever runs the tests; CI builds the program",
	"make test":        "it is what runs this",
	"make bench":       "ten minutes; the tests of folder bench are those of go test ./...",
	"TMPDIR=/dev/shm ": "the same",
	"crontab -e":       "it is an editor",
	"systemctl ":       "it would start services of this machine; that packaging has the units is looked at",
	"journalctl ":      "the same",
	"systemctl edit ":  "it is an editor",
	"podman ":          "it needs an image; what the program is given in it is parsed",
	"thunderbird ":     "it needs a screen",
}

// reallyRun are other programs that are run, as far as they stay in the home of the page.
var reallyRun = regexp.MustCompile(`^(mkdir|chmod|cp|mv|rm|touch|install|tar) `)

// TestEveryDocumentIsRun: each page has a script that runs it, and the script names it once.
func TestEveryDocumentIsRun(t *testing.T) {
	all := strings.Join(scripts(t, "docs-*"), "")
	pages, err := filepath.Glob(filepath.Join(repository, "docs", "*.md"))
	if err != nil || len(pages) < 8 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, page := range append(pages, filepath.Join(repository, "README.md")) {
		name, _ := filepath.Rel(repository, page)
		if name == filepath.Join("docs", "terminal.md") { // TestRecording runs it
			continue
		}
		if n := strings.Count(all, "\ndocument "+filepath.ToSlash(name)+"\n"); n != 1 {
			t.Errorf("%s is run by %d scripts, want one", name, n)
		}
	}
}

// TestLinksOfTheDocuments: each file that a page links to is there, and so is each heading.
func TestLinksOfTheDocuments(t *testing.T) {
	pages, _ := filepath.Glob(filepath.Join(repository, "docs", "*.md"))
	for _, page := range append(pages, filepath.Join(repository, "README.md")) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\]\(([^)#\s]*)(#[^)\s]*)?\)`).FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			target := page
			if m[1] != "" {
				target = filepath.Join(filepath.Dir(page), m[1])
			}
			linked, err := os.ReadFile(target)
			if err != nil {
				t.Errorf("%s links to %s: %v", filepath.Base(page), m[1], err)
			} else if m[2] != "" && !slices.Contains(anchors(string(linked)), m[2][1:]) {
				t.Errorf("%s links to %s%s: there is no such heading", filepath.Base(page), m[1], m[2])
			}
		}
	}
}

// anchors gives what can stand behind # of a page, as GitHub makes it of the headings.
func anchors(text string) (names []string) {
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		name := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		names = append(names, strings.ReplaceAll(name, " ", "-"))
	}
	return names
}

// document PAGE: all of a page is run. Each file with a password that it names is there. Answers to init are in the script's
// file answers.
func document(ts *testscript.TestScript, _ bool, args []string) {
	d := &reader{ts: ts, home: ts.Getenv("WORK"), page: args[0]}
	text, err := os.ReadFile(filepath.Join(repository, filepath.FromSlash(d.page)))
	ts.Check(err)
	for _, name := range []string{"pass", "print-token", "secret-tool"} { // commands that a user has, and that print passwords
		ts.Check(os.MkdirAll(ts.MkAbs("bin"), 0o755))
		ts.Check(os.WriteFile(ts.MkAbs("bin/"+name), []byte("#!/bin/sh\nprintenv PASSWORD\n"), 0o755))
	}
	ts.Check(os.WriteFile(ts.MkAbs("password"), []byte(password+"\n"), 0o600))
	ts.Setenv("PATH", ts.MkAbs("bin")+string(os.PathListSeparator)+ts.Getenv("PATH"))
	ts.Setenv("POP2IMAP_STATE", "")
	for _, p := range takeApart(string(text)) {
		d.piece = p
		switch p.kind {
		case "toml":
			d.configure(p.text)
		case "ini":
			d.unit(p.text)
		default:
			d.command(p.text)
		}
	}
	ts.Logf("%s: %d command lines run", d.page, d.ran)
}

// A reader does what a page says.
type reader struct {
	ts    *testscript.TestScript
	home  string
	page  string
	piece piece
	ran   int
}

func (d *reader) fatalf(format string, args ...any) {
	d.ts.Fatalf("%s:%d: %s", d.page, d.piece.line, fmt.Sprintf(format, args...))
}

// command runs a line, or says why not.
func (d *reader) command(line string) {
	if m := crontab.FindStringSubmatch(line); m != nil {
		d.times(strings.Fields(m[1]))
		line = m[2]
	}
	line = strings.TrimPrefix(strings.TrimPrefix(line, "sudo "), "/usr/bin/")
	line = strings.Replace(line, "go run ./cmd/pop2imap", "pop2imap", 1)
	switch {
	case regexp.MustCompile(`^([A-Z_0-9]+=\S+ )*pop2imap( |$)`).MatchString(line):
		d.run(line)
	case reallyRun.MatchString(line):
		d.inHome(line)
		d.run(line)
	case regexp.MustCompile(`^[A-Z]+=\S*$`).MatchString(line): // of a crontab
	default:
		d.leave(line)
	}
}

// leave checks a line that is not run.
func (d *reader) leave(line string) {
	for begin := range notRun {
		if !strings.HasPrefix(line, begin) {
			continue
		}
		d.ts.Check(d.ts.Exec("sh", "-n", "-c", line))
		if at := strings.Index(line, " pop2imap "); strings.HasPrefix(line, "podman run ") {
			d.ts.Check(parses(line[at+1:])) // what stands behind the image
		}
		for _, unit := range regexp.MustCompile(`pop2imap[^\s']*`).FindAllString(line, -1) {
			if strings.Contains(begin, "ctl ") && !regexp.MustCompile(`^pop2imap@(\*|\w*\.(service|timer))$`).MatchString(unit) {
				d.fatalf("packaging has no unit %s", unit)
			}
		}
		return
	}
	d.fatalf("nobody knows whether this can be run: %s", line)
}

// run has the shell run a line as the user would, and looks for what the page shows of its output.
func (d *reader) run(line string) {
	line = d.here(line)
	switch {
	case strings.Contains(line, "pop2imap init"): // it overwrites nothing
		d.ts.Check(os.RemoveAll(filepath.Join(d.home, ".config", "pop2imap")))
		line = "<answers " + line
	case strings.Contains(line, "pop2imap secret set"):
		line = "<password " + line
	default:
		line = "</dev/null " + line
	}
	d.ts.Logf("%s:%d: %s", d.page, d.piece.line, line)
	expectExit(d.ts, false, []string{fmt.Sprint(d.piece.exit), "sh", "-c", line})
	d.ran++
	said := lookalike(d.ts.ReadFile("stdout")+d.ts.ReadFile("stderr"), d.home)
	for _, want := range d.piece.shown {
		if !shows(said, want) {
			d.fatalf("this is not what it prints: %s\nwhich is here, with numbers as N:\n%s", want, strings.Join(said, "\n"))
		}
	}
}

// inHome lets no line out of the home of the page.
func (d *reader) inHome(line string) {
	for _, word := range strings.Fields(d.here(line))[1:] {
		if strings.HasPrefix(word, "/") && word != "/dev/null" && !strings.HasPrefix(word, d.home) || strings.Contains(word, "..") {
			d.fatalf("%s would be touched by: %s", word, line)
		}
	}
}

// configure writes a piece of a config file. One that has both ends of an account begins the file anew, any other goes
// behind what is there.
func (d *reader) configure(text string) {
	path := filepath.Join(d.home, ".config", "pop2imap", "config.toml")
	d.ts.Check(os.MkdirAll(filepath.Dir(path), 0o700))
	text = d.here(text) + "\n"
	if before, err := os.ReadFile(path); err == nil && !regexp.MustCompile(`(?m)^from = `).MatchString(text) {
		text = string(before) + text
	}
	d.ts.Check(os.WriteFile(path, []byte(text), 0o600))
	d.ts.Logf("%s:%d: config.toml\n%s", d.page, d.piece.line, text)
	expectExit(d.ts, false, []string{"0", "pop2imap", "config", "validate"})
}

// here puts the servers and the home of the script for those of the page.
func (d *reader) here(text string) string {
	env := d.ts.Getenv
	text = url.ReplaceAllStringFunc(text, func(u string) string {
		m := url.FindStringSubmatch(u)
		end, known := hosts[m[1]]
		if !known {
			d.fatalf("no server of the script is %s", m[1])
		}
		return env(end)
	})
	text = regexp.MustCompile(`\balice@pop\.old\.example`).ReplaceAllLiteralString(text, strings.TrimPrefix(env("FROM"), "pop3s://"))
	text = regexp.MustCompile(`sha256:[0-9a-f]{64}`).ReplaceAllLiteralString(text, env("FINGERPRINT"))
	text = regexp.MustCompile(`(/home/alice|(/etc|/var/lib)/pop2imap)\b`).ReplaceAllStringFunc(text, func(dir string) string {
		return d.home + strings.TrimPrefix(dir, "/home/alice")
	})
	text = regexp.MustCompile(`/\S+\.pem\b`).ReplaceAllLiteralString(text, env("CA"))
	text = standIns.Replace(text)
	for _, m := range regexp.MustCompile(`password[_-]file(?: = ")? ?(/[^\s"]+)`).FindAllStringSubmatch(text, -1) {
		d.ts.Check(os.MkdirAll(filepath.Dir(m[1]), 0o700))
		d.ts.Check(os.WriteFile(m[1], []byte(password+"\n"), 0o600))
	}
	return text
}

// standIns are for what a page leaves open.
var standIns = strings.NewReplacer("ACCOUNT", "alice", "TOPIC", "gmail", "FILE.eml", "message.eml")

// hosts are those of the pages, and the server of the script that each is.
var hosts = map[string]string{"pop.old.example": "FROM", "imap.new.example": "TO", "imap.old.example": "TWIN",
	"imap.gmail.com": "TO", "pop.gmail.com": "FROM"}

var (
	url     = regexp.MustCompile(`\b(?:pop3s?|imaps?)://[^\s"'/?]*@([a-z0-9.-]+)`)
	crontab = regexp.MustCompile(`^((?:[0-9*/,-]+ +){5})(\S.*)$`)
)
