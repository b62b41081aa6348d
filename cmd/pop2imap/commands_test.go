package main

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pop2imap/pop2imap/internal/config"
)

// program0 is a program that nothing is known to.
func program0() *program {
	return &program{getenv: func(string) string { return "" }, stdio: stdio{os.Stdin, os.Stdout, os.Stderr}}
}

// everyCommand gives all commands, with those that others contain.
func everyCommand(c *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{c}
	for _, sub := range c.Commands() {
		all = append(all, everyCommand(sub)...)
	}
	return all
}

// TestEveryCommandIsDescribed: each has a line, a text and an example, and each of its flags says what it is for.
func TestEveryCommandIsDescribed(t *testing.T) {
	for _, c := range everyCommand(program0().root()) {
		t.Run(c.CommandPath(), func(t *testing.T) {
			if c.Short == "" || c.Long == "" || c.Example == "" {
				t.Errorf("Short %q, Long %q, Example %q: none may be empty", c.Short, c.Long, c.Example)
			}
			if strings.HasSuffix(c.Short, ".") {
				t.Errorf("Short ends with a full stop: %q", c.Short)
			}
			if c.HasParent() && !strings.Contains(c.Example, c.CommandPath()) {
				t.Errorf("no example has %q: %s", c.CommandPath(), c.Example)
			}
			c.Flags().VisitAll(func(f *pflag.Flag) {
				value, usage := pflag.UnquoteUsage(f)
				if len(usage) < 10 || value == "string" || value == "stringArray" || value == "duration" || value == "int" {
					t.Errorf("--%s %s has the usage %q: say what it is, and what stands behind it", f.Name, value, usage)
				}
			})
		})
	}
}

// TestHelpIsNarrow: a terminal of 80 columns breaks no line of --help but for command lines, which are to be copied whole.
func TestHelpIsNarrow(t *testing.T) {
	for _, c := range everyCommand(program0().root()) {
		var help strings.Builder
		c.SetOut(&help)
		if err := c.Help(); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(help.String()) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 80 && !strings.HasPrefix(line, "  pop2imap ") {
				t.Errorf("%s: %d columns: %s", c.CommandPath(), n, line)
			}
		}
	}
}

// contract are the flags of sync in SPEC §3.
var contract = strings.Fields(`from to folder dry-run delete max-delete verify since until max-messages max-size flags seen-before flags-from
	trust-headers sent junk identity no-dedup jobs imap-connections rate state config quiet verbose json progress log-format log-file
	report ping metrics timeout settle`)

// TestFlagsOfTheContract: no flag of sync is missing that was there, and none of them is without words.
func TestFlagsOfTheContract(t *testing.T) {
	sync, _, err := program0().root().Find([]string{"sync"})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range contract {
		f := sync.Flags().Lookup(name)
		if f == nil {
			t.Errorf("sync has no flag --%s", name)
		}
		if f != nil && f.Usage == "" {
			t.Errorf("--%s is not described", name)
		}
	}
}

// TestExamplesParse runs the parser over each command line in the examples and topics: commands and flags are there, values
// are right, and both ends can be read.
func TestExamplesParse(t *testing.T) {
	lines := map[string][]string{}
	for _, c := range everyCommand(program0().root()) {
		lines[c.CommandPath()] = commandLines(c.Long + "\n" + c.Example)
	}
	for _, topic := range topics() {
		lines["topic "+topic.name] = commandLines(topic.text)
	}
	total := 0
	for _, where := range slices.Sorted(maps.Keys(lines)) {
		for _, line := range lines[where] {
			total++
			if err := parses(line); err != nil {
				t.Errorf("%s: %s: %v", where, line, err)
			}
		}
	}
	if total < 20 {
		t.Errorf("%d command lines found, want at least 20", total)
	}
}

// commandLines gives those of a text that begin with the program's name, maybe behind the time of a crontab.
func commandLines(text string) (lines []string) {
	text = strings.ReplaceAll(text, "\\\n", " ")
	for _, m := range regexp.MustCompile(`(?m)^ {2,}(?:\S+ \* \* \* \*  )?(pop2imap(?: .*)?)$`).FindAllStringSubmatch(text, -1) {
		lines = append(lines, m[1])
	}
	return lines
}

func parses(line string) error {
	line, _, _ = strings.Cut(line, " > ")
	line, _, _ = strings.Cut(line, " < ")
	var args []string
	for _, word := range regexp.MustCompile(`'[^']*'|\S+`).FindAllString(line, -1)[1:] {
		args = append(args, strings.Trim(word, "'"))
	}
	root := program0().root()
	cmd, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	for flag, parse := range map[string]func(string) (config.Endpoint, error){"from": config.ParseFrom, "to": config.ParseTo} {
		if f := cmd.Flags().Lookup(flag); f != nil && f.Changed {
			if _, err := parse(f.Value.String()); err != nil {
				return err
			}
		}
	}
	return nil
}

// TestTopics: short lines, plain ASCII, and no flag that no command has.
func TestTopics(t *testing.T) {
	flags := map[string]bool{"--help": true}
	for _, c := range everyCommand(program0().root()) {
		c.Flags().VisitAll(func(f *pflag.Flag) { flags["--"+f.Name] = true })
	}
	var names []string
	for _, topic := range topics() {
		names = append(names, topic.name)
		if topic.short == "" || strings.Contains(topic.short, "\n") || len(topic.text) < 500 {
			t.Errorf("%s: the summary %q is no line, or the text of %d octets is none", topic.name, topic.short, len(topic.text))
		}
		for line := range strings.Lines(topic.text) {
			line = strings.TrimRight(line, "\n")
			if len(line) > 80 || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("%s: longer than 80, or not ASCII: %q", topic.name, line)
			}
		}
		for _, m := range regexp.MustCompile(`(?:^|[ (])(--[a-z][a-z-]+)`).FindAllStringSubmatch(topic.text, -1) {
			if !flags[m[1]] && m[1] != "--now" { // systemctl's
				t.Errorf("%s speaks of %s, which no command has", topic.name, m[1])
			}
		}
	}
	if want := strings.Fields("config cron exit-codes flags gmail microsoft365 safety"); !slices.Equal(names, want) {
		t.Errorf("topics %v, want %v", names, want)
	}
}

// TestExitCodesTopic: the topic has each exit code there is, and the order of gravity.
func TestExitCodesTopic(t *testing.T) {
	for _, topic := range topics() {
		if topic.name != "exit-codes" {
			continue
		}
		for _, code := range append(gravity, exitUsage) {
			if !regexp.MustCompile(`(?m)^ +` + strconv.Itoa(code) + `  [A-Z]`).MatchString(topic.text) {
				t.Errorf("%d is not there", code)
			}
		}
	}
}
