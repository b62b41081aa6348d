package main

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/spf13/pflag"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/sync"
)

// scriptLines are the commands of all scripts, without what stands in their files.
func scriptLines(t *testing.T) (lines []string) {
	t.Helper()
	for _, text := range scripts(t, "*") {
		for line := range strings.Lines(string(txtar.Parse([]byte(text)).Comment)) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// scripts are the texts of those whose names match a pattern.
func scripts(t *testing.T, pattern string) (texts []string) {
	t.Helper()
	paths, err := filepath.Glob("testdata/script/" + pattern + ".txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d scripts, %v", len(paths), err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	return texts
}

// runs are those that run the program: what stands behind its name, and the exit code that is expected.
func runs(t *testing.T) (commands []string, exits map[int]bool) {
	t.Helper()
	exits = map[int]bool{}
	run := regexp.MustCompile(`^(?:exits (\d+)|exec) pop2imap\b(.*)$`)
	for _, line := range scriptLines(t) {
		m := run.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if code, err := strconv.Atoi(m[1]); err == nil {
			exits[code] = true
		}
		commands = append(commands, strings.TrimSpace(m[2]))
	}
	return commands, exits
}

// TestEachExitCodeIsProduced: by a script; or, where that takes a signal or a bug, by one of these tests, which has the number.
func TestEachExitCodeIsProduced(t *testing.T) {
	elsewhere := map[int]string{70: "TestPanicStaysInItsAccount", 130: "TestInterrupted", 143: "TestStopReachesAllAccounts"}
	_, exits := runs(t)
	for _, code := range append([]int{exitUsage}, gravity...) {
		if test := elsewhere[code]; test != "" {
			if !integersIn(t, test)[code] {
				t.Errorf("%s has no %d", test, code)
			}
		} else if !exits[code] {
			t.Errorf("no script ends with %d", code)
		}
	}
	for code := range exits {
		if !slices.Contains(append([]int{exitUsage}, gravity...), code) {
			t.Errorf("a script ends with %d, which is none of SPEC §5", code)
		}
	}
}

// integersIn gives those that stand in a test of this package.
func integersIn(t *testing.T, test string) map[int]bool {
	t.Helper()
	paths, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[int]bool{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Name.Name != test {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.INT {
					if n, err := strconv.Atoi(lit.Value); err == nil {
						found[n] = true
					}
				}
				return true
			})
		}
	}
	return found
}

// TestEachCommandIsInAScript: what a user can type, a script does.
func TestEachCommandIsInAScript(t *testing.T) {
	commands, _ := runs(t)
	for _, c := range everyCommand(program0().root()) {
		path := strings.TrimSpace(strings.TrimPrefix(c.CommandPath(), "pop2imap"))
		used := false
		for _, line := range commands {
			used = used || line == path || strings.HasPrefix(line, path+" ")
		}
		if !used {
			t.Errorf("no script has pop2imap %s", path)
		}
	}
}

// TestEachFlagIsInAScript: those of sync with sync, or as a variable; each other one with some command that has it.
func TestEachFlagIsInAScript(t *testing.T) {
	commands, _ := runs(t)
	variables := regexp.MustCompile(`(?m)^env (POP2IMAP_[A-Z_]+)=.`).FindAllString(strings.Join(scriptLines(t), "\n"), -1)
	used := func(command string, f *pflag.Flag) bool {
		form := "--" + f.Name + `(=| |$)`
		if f.Shorthand != "" {
			form += "|-" + f.Shorthand + "+( |$)"
		}
		like := regexp.MustCompile(`^` + command + `( .*)? (` + form + `)`)
		return slices.ContainsFunc(commands, like.MatchString)
	}
	found := map[string]bool{} // by some command
	for _, c := range everyCommand(program0().root()) {
		path := strings.TrimSpace(strings.TrimPrefix(c.CommandPath(), "pop2imap"))
		c.Flags().VisitAll(func(f *pflag.Flag) {
			found[f.Name] = found[f.Name] || used(path, f)
			variable := "env POP2IMAP_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_")) + "="
			if path == "sync" && !used(path, f) && !slices.ContainsFunc(variables, func(v string) bool { return strings.HasPrefix(v, variable) }) {
				t.Errorf("no script has pop2imap sync --%s", f.Name)
			}
		})
	}
	for name, ok := range found {
		if !ok && name != "version" { // of the root, whose path is empty
			t.Errorf("no script has --%s", name)
		}
	}
}

// TestEachFlagIsAVariable: of sync, each flag but --help can be set in the environment.
func TestEachFlagIsAVariable(t *testing.T) {
	values := map[string]string{"string": "x", "stringArray": "me@example.org", "bool": "true", "int": "3", "count": "2", "duration": "7s",
		"WHEN": "14d", "N": "5%", "LEVEL": "digest", "DATE": "2020-01-31", "SIZE": "5M", "SIZE/s": "5M", "AGE": "30d", "D": "8h", "MODE": "seen",
		"FOLDER": "Elsewhere", "FORMAT": "json", "URL": "https://ping.example/x", "sha256:HEX": "sha256:" + strings.Repeat("ab", 32)}
	cmd, _, err := program0().root().Find([]string{"sync"})
	if err != nil {
		t.Fatal(err)
	}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" {
			return
		}
		variable := "POP2IMAP_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value := values[f.Value.Type()]
		if value == "" {
			t.Errorf("this test has no value for --%s, of type %s", f.Name, f.Value.Type())
			return
		}
		before := f.Value.String()
		said, err := config.Hear(cmd.Flags(), nil, func(name string) string {
			if name == variable {
				return value
			}
			return ""
		})
		if err != nil || f.Value.String() == before || said.Sources[f.Name].Layer != "environment" {
			t.Errorf("%s=%s: %v, --%s is %s", variable, value, err, f.Name, f.Value)
		}
	})
}

// TestSummaryOfTheContract: the object at the end of --json has all that SPEC §4 shows, and in refusals too.
func TestSummaryOfTheContract(t *testing.T) {
	report := sync.Report{Refusals: []sync.Outcome{{UIDL: "x"}}}
	text, err := json.Marshal(summaryJSON{"summary", 3, []any{accountLine(account{}, report, 3)}})
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Accounts []map[string]json.RawMessage
	}
	var top map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(text, &top), json.Unmarshal(text, &got)); err != nil {
		t.Fatal(err)
	}
	var refusals []map[string]json.RawMessage
	if err := json.Unmarshal(got.Accounts[0]["refusals"], &refusals); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		object map[string]json.RawMessage
		keys   string
	}{
		{top, "type exit accounts"},
		{got.Accounts[0], "account from to exit listed known new copied recognised refused in_doubt vanished left quarantined deleted bytes " +
			"seconds flags refusals error"},
		{refusals[0], "uidl size code server"},
	} {
		for _, key := range strings.Fields(c.keys) {
			if _, ok := c.object[key]; !ok {
				t.Errorf("%q is not in %v", key, slices.Sorted(maps.Keys(c.object)))
			}
		}
	}
	if string(top["type"]) != `"summary"` || string(got.Accounts[0]["error"]) != "null" {
		t.Errorf("type %s, error %s", top["type"], got.Accounts[0]["error"])
	}
}
