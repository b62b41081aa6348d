package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pop2imap/pop2imap/sync"
)

// man is the command that writes the manual pages, for who makes a package. They say what --help says.
func (p *program) man() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages of this program",
		Long: `man writes DIR/man1 with a page for each command, and DIR/man7 with one for each
topic. SOURCE_DATE_EPOCH is their date.`,
		Hidden: true,
		Example: `  pop2imap man ~/.local/share/man
  man pop2imap-sync`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return &usage{fmt.Errorf("the folder for the pages is needed")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			pages, err := manual(cmd.Root(), p.getenv("SOURCE_DATE_EPOCH"))
			if err != nil {
				return err
			}
			for name, text := range pages {
				if err := writePage(filepath.Join(args[0], name), text); err != nil {
					return &sync.Error{Class: sync.Storage, Err: fmt.Errorf("write a manual page: %w", err)}
				}
			}
			return nil
		},
	}
}

func writePage(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

// manual gives all pages by their path, such as man1/pop2imap-sync.1. epoch is their date in seconds since 1970
// (reproducible-builds.org), or empty for pages without one.
func manual(root *cobra.Command, epoch string) (map[string]string, error) {
	date := ""
	if epoch != "" {
		seconds, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			return nil, &usage{fmt.Errorf("SOURCE_DATE_EPOCH is no number: %w", err)}
		}
		date = time.Unix(seconds, 0).UTC().Format(time.DateOnly)
	}
	pages := map[string]string{}
	add := func(section int, name, short string, body func(io.Writer)) {
		var b strings.Builder
		fmt.Fprintf(&b, ".TH %s %d \"%s\" pop2imap \"pop2imap\"\n.ad l\n.nh\n", strings.ToUpper(name), section, date)
		fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(name), roff(short))
		body(&b)
		pages[fmt.Sprintf("man%d/%s.%d", section, name, section)] = b.String()
	}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Hidden {
			return
		}
		add(1, pageOf(c), c.Short, func(w io.Writer) { writeCommand(w, c) })
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
	for _, t := range topics() {
		add(7, "pop2imap-"+t.name, t.short, func(w io.Writer) {
			fmt.Fprintln(w, ".SH DESCRIPTION")
			writeText(w, t.text)
			fmt.Fprint(w, ".SH SEE ALSO\n.BR pop2imap (1)\n")
		})
	}
	return pages, nil
}

// pageOf is the name of a command's page.
func pageOf(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

func writeCommand(w io.Writer, c *cobra.Command) {
	use := c.UseLine()
	if c.HasAvailableSubCommands() {
		use += " COMMAND"
	}
	fmt.Fprintf(w, ".SH SYNOPSIS\n%s\n.SH DESCRIPTION\n", roff(use))
	writeText(w, c.Long)
	var others []string
	if c.HasAvailableSubCommands() {
		fmt.Fprintln(w, ".SH COMMANDS")
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				fmt.Fprintf(w, ".TP\n.BR %s (1)\n%s.\n", roff(pageOf(sub)), roff(sub.Short))
			}
		}
	}
	if c.HasParent() {
		others = append(others, fmt.Sprintf(".BR %s (1)", roff(pageOf(c.Parent()))))
	}
	if c.HasAvailableLocalFlags() {
		fmt.Fprintln(w, ".SH OPTIONS")
		c.LocalFlags().VisitAll(func(f *pflag.Flag) { writeFlag(w, f) })
	}
	fmt.Fprintln(w, ".SH EXAMPLES")
	writeText(w, c.Example)
	for _, t := range topics() {
		others = append(others, fmt.Sprintf(".BR %s (7)", roff("pop2imap-"+t.name)))
	}
	fmt.Fprintf(w, ".SH SEE ALSO\n%s\n", strings.Join(others, ",\n"))
}

func writeFlag(w io.Writer, f *pflag.Flag) {
	if f.Hidden {
		return
	}
	value, usage := pflag.UnquoteUsage(f)
	fmt.Fprint(w, ".TP\n")
	if f.Shorthand != "" {
		fmt.Fprintf(w, "\\fB\\-%s\\fR, ", f.Shorthand)
	}
	fmt.Fprintf(w, "\\fB%s\\fR", roff("--"+f.Name))
	if value != "" && value != "count" {
		fmt.Fprintf(w, " \\fI%s\\fR", roff(value))
	}
	fmt.Fprintf(w, "\n%s", roff(usage))
	if !slices.Contains([]string{"", "false", "0", "0s", "[]"}, f.DefValue) {
		fmt.Fprintf(w, " (default %s)", roff(f.DefValue))
	}
	fmt.Fprintln(w)
}

// writeText sets a text of the help: paragraphs are filled, indented lines stay as they are, and a line in capitals is a
// heading.
func writeText(w io.Writer, text string) {
	const filled, literal = ".PP", ".RS 2\n.nf"
	now, empty := "", 0 // empty: lines before this one
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if line == "" {
			empty++
			continue
		}
		kind := filled
		if strings.HasPrefix(line, "  ") {
			kind, line = literal, line[2:]
		}
		heading := kind == filled && strings.ToUpper(line) == line
		if now == literal && kind != literal {
			fmt.Fprintln(w, ".fi\n.RE")
		}
		if now == filled && kind == literal && empty > 0 {
			fmt.Fprintln(w, ".sp")
		}
		switch {
		case heading:
			kind, line = "", ".SS "+roff(line)
		case now == literal && kind == literal:
			line = strings.Repeat("\n", empty) + roff(line)
		case kind == literal:
			line = literal + "\n" + roff(line)
		case now == literal || now == filled && empty > 0:
			line = filled + "\n" + roff(line)
		default:
			line = roff(line)
		}
		fmt.Fprintln(w, line)
		now, empty = kind, 0
	}
	if now == literal {
		fmt.Fprintln(w, ".fi\n.RE")
	}
}

// roff writes a line so that troff prints it as it is, on a page that is copied from as well (groff_char(7)).
func roff(line string) string {
	line = strings.NewReplacer(`\`, `\e`, "-", `\-`, "^", `\(ha`, "~", `\(ti`, "'", `\(aq`, "`", `\(ga`, `"`, `\(dq`).Replace(line)
	if strings.HasPrefix(line, ".") {
		line = `\&` + line
	}
	return line
}
