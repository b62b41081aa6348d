package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/sync"
)

// An explanation is what the user asks of one message.
type explanation struct {
	trust      bool
	identities []string
	junk       config.Filing
	json       bool
	run        config.Run
}

// explain is the command that shows what a message tells of itself.
func (p *program) explain() *cobra.Command {
	var e explanation
	cmd := &cobra.Command{
		Use:   "explain FILE.eml [ACCOUNT]",
		Short: "Show what would be inferred from one message, and why",
		Long: `explain reads the header of a message in a file ("-": from standard input), and
shows the date of arrival and the flags that would be inferred from it, whether
it is an own message, spam, of a mailing list, and the reason for each; and what
it says that is not believed, and why. For an account of the config file it says
to which folder it would go, too: by the account's rules, --sent and --junk. It
connects to nothing and prints neither subject nor addresses.`,
		Example: `  pop2imap explain message.eml
  pop2imap explain message.eml alice
  pop2imap explain --identity alice@old.example --junk auto - < message.eml`,
		Args: oneFileOfAnAccount,
		RunE: func(cmd *cobra.Command, args []string) error {
			said, err := p.hear(cmd.Flags(), e.run.Config)
			if err != nil {
				return err
			}
			job := &config.Job{TrustHeaders: e.trust, Identities: e.identities, Junk: e.junk}
			if len(args) == 2 {
				if job, err = p.onlyJob(said, args[1:]); err != nil {
					return err
				}
			}
			return p.explainFile(args[0], job, e.json)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&e.trust, "trust-headers", false, "believe what mail stores, clients and spam filters write even where a sender could have written it")
	f.StringArrayVar(&e.identities, "identity", nil, "own address (`ADDR`), repeatable: finds own messages and what they answer")
	e.junk = "off"
	f.Var(&e.junk, "junk", "whether spam is marked, and where it goes: off, auto, or a `FOLDER`")
	e.run.RegisterConfig(f)
	f.BoolVar(&e.json, "json", false, "one JSON line")
	f.SortFlags = false
	return cmd
}

// oneFile wants the name of one file.
func oneFile(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return &usage{errors.New("the file of a message is needed, or - for standard input")}
	case len(args) > 1:
		return &usage{unexpected(cmd, args[1])}
	}
	return nil
}

func (p *program) explainFile(name string, job *config.Job, json bool) error {
	header, size, err := p.readMessage(name)
	if err != nil {
		return err
	}
	i := message.Infer(header, factsOf(job))
	if json {
		printJSON(p.out, explainedLine(i))
		return nil
	}
	printInference(p.out, i)
	if job.Account != nil {
		printFate(p.out, filer{job}, header, size, i)
	}
	return nil
}

// readMessage gives the header and the size of the message in a file; "-" is standard input.
func (p *program) readMessage(name string) (header []byte, size int64, err error) {
	in := p.in
	if name != "-" {
		if in, err = os.Open(name); err == nil {
			defer in.Close()
		}
	}
	if err == nil {
		header, size, err = measure(in)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = &usage{err}
	case err != nil:
		err = &sync.Error{Class: sync.Storage, Err: fmt.Errorf("read a message: %w", err)}
	}
	return header, size, err
}

// maxExplained is how much of a header is looked at, in octets. The longest in real mail are of some hundred KiB.
const maxExplained = 4 << 20

// readHeader reads up to the blank line.
func readHeader(in io.Reader) (header []byte, err error) {
	lines := bufio.NewReader(io.LimitReader(in, maxExplained))
	for {
		line, err := lines.ReadBytes('\n')
		header = append(header, line...)
		if err == io.EOF || err == nil && len(bytes.TrimRight(line, "\r\n")) == 0 {
			return header, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// printInference prints a line for each thing that a message tells.
func printInference(w io.Writer, i message.Inference) {
	line := func(what, format string, args ...any) {
		fmt.Fprintf(w, "%-12s  %s\n", what, fmt.Sprintf(format, args...))
	}
	if i.Date.IsZero() {
		line("date", "none: the destination would take its own clock")
	} else {
		line("date", "%s  (%s)", i.Date.Format("2 Jan 2006 15:04:05 -0700"), i.DateWhy)
	}
	for _, f := range i.Flags {
		line("flag", "%s  (%s)", f.Name, f.Why)
	}
	if len(i.Flags) == 0 {
		line("flag", "none")
	}
	for _, m := range i.Marks {
		line("marks", "another message with %s  (%s)", strings.Join(m.Flags, " "), m.Why)
	}
	for _, told := range []struct{ what, why string }{{"own message", i.Sent}, {"spam", i.Junk}, {"by a machine", i.Auto},
		{"deleted", i.Deleted}} {
		if told.why != "" {
			line(told.what, "(%s)", told.why)
		}
	}
	for _, d := range i.Doubted {
		line("not believed", "%s  (%s: %s)", d.What, d.Said, d.Why)
	}
}

// An inferenceJSON is what explain prints with --json. "" means that the message does not tell, or is none such.
type inferenceJSON struct {
	Type    string            `json:"type"`
	Date    string            `json:"date"`
	DateWhy string            `json:"date_why"`
	Flags   map[string]string `json:"flags"` // and why
	Sent    string            `json:"sent"`
	Junk    string            `json:"junk"`
	Auto    string            `json:"auto"`
	Deleted string            `json:"deleted"`
	Marks   []markJSON        `json:"marks"`
	Doubted []doubtedJSON     `json:"not_believed"`
}

// A markJSON leaves out which message it is about.
type markJSON struct {
	Flags []string `json:"flags"`
	Why   string   `json:"why"`
}

type doubtedJSON struct {
	What string `json:"what"`
	Said string `json:"said"`
	Why  string `json:"why"`
}

func explainedLine(i message.Inference) inferenceJSON {
	j := inferenceJSON{Type: "explain", DateWhy: i.DateWhy, Flags: reasons(i.Flags), Sent: i.Sent, Junk: i.Junk, Auto: i.Auto,
		Deleted: i.Deleted, Marks: []markJSON{}, Doubted: []doubtedJSON{}}
	if !i.Date.IsZero() {
		j.Date = i.Date.Format(time.RFC3339)
	}
	for _, m := range i.Marks {
		j.Marks = append(j.Marks, markJSON{m.Flags, m.Why})
	}
	for _, d := range i.Doubted {
		j.Doubted = append(j.Doubted, doubtedJSON(d))
	}
	return j
}
