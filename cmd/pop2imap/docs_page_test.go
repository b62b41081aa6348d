package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// A piece is what there is to be done of a page: a command line, or a part of a config file.
type piece struct {
	line  int    // of the page
	kind  string // "", "toml", "ini"
	text  string
	shown []string // what the page says that it prints
	exit  int      // what the page says that it ends with: <!-- exits 75 --> in front of it
}

var (
	fence     = regexp.MustCompile("^```([a-z]*)$")
	saysExit  = regexp.MustCompile(`^<!-- exits ([0-9]+) -->$`)
	inline    = regexp.MustCompile("`([^`]+)`")
	firstTOML = regexp.MustCompile(`^(\[|[a-z_]+ += )`)
)

// pictures are blocks without a command line, by how they begin: the tree of the sources, the life of a record.
var pictures = []string{"cmd/pop2imap/ ", "new ──► intent ──"}

// takeApart gives the pieces of a page in order. Blocks are indented by four, or stand between lines of ```.
func takeApart(text string) (pieces []piece) {
	lines := append(strings.Split(text, "\n"), "")
	exit, prose, begin := 0, "", 0
	speak := func() { // what stands in `…` in the words since the last block
		for _, m := range inline.FindAllStringSubmatch(prose, -1) {
			if code := strings.Join(strings.Fields(m[1]), " "); strings.HasPrefix(code, "pop2imap ") {
				pieces = append(pieces, piece{line: begin, text: code, exit: exit})
			}
		}
		prose = ""
	}
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if m := saysExit.FindStringSubmatch(line); m != nil {
			speak()
			exit, _ = strconv.Atoi(m[1])
			continue
		}
		m := fence.FindStringSubmatch(line)
		indented := strings.HasPrefix(line, "    ") && (i == 0 || lines[i-1] == "")
		if m == nil && !indented {
			if prose == "" {
				begin = i + 1
			}
			if prose += line + "\n"; line == "" {
				speak()
			}
			continue
		}
		speak()
		kind, at := "", i+1
		var block []string
		if m != nil {
			for kind, i = m[1], i+1; i < len(lines) && lines[i] != "```"; i++ {
				block = append(block, lines[i])
			}
			at++
		} else {
			for ; i < len(lines) && (strings.HasPrefix(lines[i], "    ") || lines[i] == "" && i+1 < len(lines) && strings.HasPrefix(lines[i+1], "    ")); i++ {
				block = append(block, strings.TrimPrefix(lines[i], "    "))
			}
			i--
		}
		pieces = append(pieces, ofBlock(kind, at, exit, block)...)
		exit = 0
	}
	return pieces
}

// ofBlock gives the pieces of one block: a config file as a whole, or its lines. Where lines begin with "$ ", the others are
// what is printed.
func ofBlock(kind string, at, exit int, block []string) (pieces []piece) {
	whole := strings.Join(block, "\n")
	for _, begin := range pictures {
		if strings.HasPrefix(whole, begin) {
			return nil
		}
	}
	if kind == "" && firstTOML.MatchString(whole) {
		kind = "toml"
	}
	if kind == "toml" || kind == "ini" {
		return []piece{{line: at, kind: kind, text: whole}}
	}
	console := strings.HasPrefix(whole, "$ ")
	for i := 0; i < len(block); i++ {
		line, begin := block[i], at+i
		for strings.HasSuffix(line, `\`) && i+1 < len(block) {
			i++
			line = strings.TrimSuffix(line, `\`) + strings.TrimLeft(block[i], " ")
		}
		command, prompted := strings.CutPrefix(line, "$ ")
		switch {
		case strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#"):
		case console && !prompted:
			last := &pieces[len(pieces)-1]
			last.shown = append(last.shown, strings.TrimRight(line, " "))
		default:
			pieces = append(pieces, piece{line: begin, text: strings.TrimRight(command, " "), exit: exit})
		}
	}
	return pieces
}

// What differs from run to run, and what it is compared as. The order counts.
var varies = []struct {
	what *regexp.Regexp
	as   string
}{
	{regexp.MustCompile(`(127\.0\.0\.1|localhost)(:\d+)?|(pop|imap)\.(old\.example|new\.example|gmail\.com)(:\d+)?`), "HOST"},
	{regexp.MustCompile(`(alice|you(@|%40)gmail\.com)@HOST`), "USER@HOST"},
	{regexp.MustCompile(`as (alice|you@gmail\.com)\b`), "as USER"},
	{regexp.MustCompile(`sha256:[0-9a-f]+…?`), "sha256:HEX"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d( [+-]\d{4})?)?`), "WHEN"},
	{regexp.MustCompile(`\b\d[\d,.]* ?[KMGT]?i?B\b`), "SIZE"},
	{regexp.MustCompile(`\b(\d+h)?(\d+m)?\d+(\.\d+)?(ms|µs|s|m|h)\b`), "TIME"},
	{regexp.MustCompile(`\b\d[\d,]*`), "N"},
	{regexp.MustCompile(`\bN (message|time|account|warning|failure|connection)s?\b`), "N ${1}s"},
}

// lookalike gives the lines of a text, with what varies taken out. home is that of the page.
func lookalike(text, home string) []string {
	if home != "" {
		text = strings.ReplaceAll(text, home, "/home/alice")
	}
	for _, v := range varies {
		text = v.what.ReplaceAllString(text, v.as)
	}
	return strings.Split(text, "\n")
}

// shows says whether a line is among those said. … stands for anything. Behind a prompt the page has the answer.
func shows(said []string, want string) bool {
	want = lookalike(want, "")[0]
	pattern := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(want), "…", ".*") + "$")
	for _, line := range said {
		line = strings.TrimRight(line, " ")
		if pattern.MatchString(line) || strings.HasSuffix(line, ":") && strings.HasPrefix(want, line) {
			return true
		}
	}
	return false
}

// times checks the five fields of a crontab's line.
func (d *reader) times(fields []string) {
	most := []int{59, 23, 31, 12, 7}
	for i, f := range fields {
		for part := range strings.SplitSeq(f, ",") {
			m := regexp.MustCompile(`^(?:\*|(\d+)(?:-(\d+))?)(?:/(\d+))?$`).FindStringSubmatch(part)
			if m == nil {
				d.fatalf("%q is no time of a crontab", f)
			}
			for _, number := range m[1:] {
				if n, _ := strconv.Atoi(number); n > most[i] {
					d.fatalf("%q in a crontab is more than %d", f, most[i])
				}
			}
		}
	}
}

// unit has systemd look at a drop-in for one of our units, where there is a systemd. The first line is # and its name.
func (d *reader) unit(text string) {
	name := regexp.MustCompile(`^# (pop2imap@\.(?:service|timer))\b`).FindStringSubmatch(text)
	if name == nil {
		d.fatalf("the drop-in does not begin with # and the name of one of our units")
	}
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		return
	}
	dir := d.ts.MkAbs("units")
	d.ts.Check(os.MkdirAll(filepath.Join(dir, name[1]+".d"), 0o755))
	for _, u := range []string{"pop2imap@.service", "pop2imap@.timer"} {
		text, err := os.ReadFile(filepath.Join(repository, "packaging", u))
		d.ts.Check(err)
		text = []byte(strings.ReplaceAll(string(text), "/usr/bin/pop2imap", "/bin/true"))
		d.ts.Check(os.WriteFile(filepath.Join(dir, u), text, 0o644))
	}
	d.ts.Check(os.WriteFile(filepath.Join(dir, name[1]+".d", "docs.conf"), []byte(text+"\n"), 0o644))
	out, err := exec.Command("systemd-analyze", "verify", "--man=no", filepath.Join(dir, strings.Replace(name[1], "@", "@alice", 1))).CombinedOutput()
	if err != nil || strings.Contains(string(out), dir) {
		d.fatalf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// TestTakeApart: what a page can have, and what is made of it.
func TestTakeApart(t *testing.T) {
	page := "# A page\n\nSay `pop2imap\nstatus`, not `--all`, nor `pop2imap`:\n\n    pop2imap sync \\\n        --quiet\n    */5 * * * *  pop2imap sync\n\n" +
		"```\n$ pop2imap doctor\nall is well\n\n```\n\n<!-- exits 77 -->\n\n    $ pop2imap sync\n    cannot\n\n    $ pop2imap status\n\nA file:\n\n    [defaults]\n\n    x = 1\n"
	want := []piece{
		{line: 3, text: "pop2imap status"},
		{line: 6, text: "pop2imap sync --quiet"},
		{line: 8, text: "*/5 * * * *  pop2imap sync"},
		{line: 11, text: "pop2imap doctor", shown: []string{"all is well"}},
		{line: 18, text: "pop2imap sync", shown: []string{"cannot"}, exit: 77},
		{line: 21, text: "pop2imap status", exit: 77},
		{line: 25, kind: "toml", text: "[defaults]\n\nx = 1"},
	}
	got := takeApart(page)
	if len(got) != len(want) {
		t.Fatalf("got %d pieces, want %d: %+v", len(got), len(want), got)
	}
	for i := range want {
		if g, w := got[i], want[i]; g.line != w.line || g.kind != w.kind || g.text != w.text || g.exit != w.exit || strings.Join(g.shown, "|") != strings.Join(w.shown, "|") {
			t.Errorf("piece %d: got %+v, want %+v", i, g, w)
		}
	}
}

// TestShows: numbers, hosts and answers may differ, words may not.
func TestShows(t *testing.T) {
	said := lookalike("alice  5 messages listed, 5 copied (3.1 KiB), in 110ms\nPassword for alice at 127.0.0.1:1234: \n  ok       from tls: TLS 1.3; to pin it\n", "")
	for _, c := range []struct {
		line string
		want bool
	}{
		{"alice  4,812 messages listed, 4,812 copied (880 MiB), in 9m58.2s", true},
		{"alice  1 message listed, 1 copied (1 KiB), in 1s", true},
		{"alice  4,812 messages listed, 2 known, 4,812 copied (880 MiB), in 9m58.2s", false},
		{"Password for alice at pop.old.example: (not shown)", true},
		{"  ok       from tls: TLS 1.3; …", true},
		{"  failure  from tls: TLS 1.3; …", false},
	} {
		if got := shows(said, c.line); got != c.want {
			t.Errorf("%q: %v, want %v", c.line, got, c.want)
		}
	}
}
