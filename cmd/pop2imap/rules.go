package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/internal/message"
)

// rules is the command that looks at the rules of the config file.
func (p *program) rules() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rules",
		Short: "Try the rules of an account on a message",
		Long: `Rules stand in the config file. The first one of which all conditions hold says
what is done with a message:

  [[accounts.alice.rules]]
  header = "List-Id"
  contains = "golang"
  folder = "Lists/Go/{year}"

  [[accounts.alice.rules]]
  larger = "20M"
  older = "5y"
  skip = true

Conditions: header with equals, contains, matches (a regular expression) or
address; larger, smaller; older, newer; sent, junk (true or false). Actions:
folder, with {year}, {month} and {list} in it; flags; skip (it is not copied).
What no rule sends elsewhere goes to the folder for sent mail or for spam
(--sent, --junk), or to the account's.`,
		Example: `  pop2imap rules test message.eml alice
  pop2imap sync alice --dry-run -v`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.rulesTest())
	return cmd
}

func (p *program) rulesTest() *cobra.Command {
	var run config.Run
	cmd := &cobra.Command{
		Use:   "test FILE.eml [ACCOUNT]",
		Short: "Show which rule one message meets, and where it would go",
		Long: `test reads a message in a file ("-": from standard input), and shows what each
rule misses in it up to the one that matches, and what would become of the
message. ACCOUNT can be left out if the config file has one only. It connects to
nothing.`,
		Example: `  pop2imap rules test message.eml alice`,
		Args:    oneFileOfAnAccount,
		RunE: func(cmd *cobra.Command, args []string) error {
			said, err := p.hear(cmd.Flags(), run.Config)
			if err != nil {
				return err
			}
			job, err := p.onlyJob(said, args[1:])
			if err != nil {
				return err
			}
			return p.testRules(args[0], job)
		},
	}
	run.RegisterConfig(cmd.Flags())
	return cmd
}

// oneFileOfAnAccount wants the name of one file, and perhaps that of an account.
func oneFileOfAnAccount(cmd *cobra.Command, args []string) error {
	if len(args) > 2 {
		return &usage{unexpected(cmd, args[2])}
	}
	return oneFile(cmd, args[:min(len(args), 1)])
}

// onlyJob gives the job of the account that is named, or of the only one.
func (p *program) onlyJob(said *config.Said, names []string) (*config.Job, error) {
	if said.File == nil {
		return nil, config.NoFile(p.getenv)
	}
	accounts, err := said.File.Choose(names)
	if err != nil {
		return nil, err
	}
	if len(accounts) > 1 {
		return nil, &usage{fmt.Errorf("name one of the accounts: %s", strings.Join(said.File.Names(), ", "))}
	}
	return said.Job(accounts[0], (*config.Job).Register)
}

func (p *program) testRules(name string, job *config.Job) error {
	header, size, err := p.readMessage(name)
	if err != nil {
		return err
	}
	told := message.Infer(header, factsOf(job))
	if job.Rules() == nil {
		fmt.Fprintln(p.out, "the account has no rules")
	} else {
		for _, line := range job.Rules().Explain(subject(header, size, told)) {
			fmt.Fprintln(p.out, line)
		}
	}
	printFate(p.out, filer{job}, header, size, told)
	return nil
}

// factsOf are what is known of a message of an account, without the maildrop.
func factsOf(job *config.Job) message.Facts {
	return message.Facts{Now: time.Now(), Trust: job.TrustHeaders, Identities: job.Own(), Junk: job.Junk != "off"}
}

// printFate says what would become of a message.
func printFate(w io.Writer, f filer, header []byte, size int64, told message.Inference) {
	if why := f.skip(header, size, told); why != "" {
		fmt.Fprintf(w, "%-12s  (%s)\n", "left", why)
		return
	}
	place, why := f.placeWhy(header, size, told)
	if why != "" {
		why = "  (" + why + ")"
	}
	fmt.Fprintf(w, "%-12s  %s%s\n", "folder", f.folderName(place), why)
	for _, flag := range place.Flags {
		fmt.Fprintf(w, "%-12s  %s  (%s)\n", "flag", flag.Name, flag.Why)
	}
}

// measure gives the header of a message, and the octets that it has with CRLF line ends.
func measure(in io.Reader) (header []byte, size int64, err error) {
	count := &crlfCount{}
	lines := bufio.NewReader(io.TeeReader(in, count))
	if header, err = readHeader(lines); err == nil {
		_, err = io.Copy(io.Discard, lines)
	}
	return header, count.octets, err
}

// A crlfCount counts what is written to it, with CRLF line ends.
type crlfCount struct {
	octets int64
	last   byte
}

func (n *crlfCount) Write(p []byte) (int, error) {
	for _, c := range p {
		if n.octets++; c == '\n' && n.last != '\r' {
			n.octets++
		}
		n.last = c
	}
	return len(p), nil
}
