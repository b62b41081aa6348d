// Command pop2imap moves mail out of a POP3 maildrop into an IMAP mailbox: every message once, byte for byte.
//
// The program is [run]: arguments in, exit code out. One file holds one command (initcmd.go, sync.go with retry, doctor.go,
// verify.go, status.go, configure.go, secret.go, demo.go, explain.go, rules.go, help.go with the topics, completion.go,
// man.go, version.go); place.go says where messages go, witness.go what --flags-from is, accounts.go which accounts a command
// works on, dispatch.go runs them side by side, and every.go one time after the other; what a run looks like is in text.go,
// log.go, lines.go (JSON) and bar.go, progress.go knows how far it is, standing.go tells that who asks by a signal, exit.go says
// which exit code an error has, trouble.go what is not worth a mail from cron yet, and pass.go tells others how a run went
// (ping.go, metrics.go). The report for the browser is in htmlreport.go.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/internal/discover"
	"github.com/pop2imap/pop2imap/sync"
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50) // what waits for the other server is most of our memory: garbage shall not double it
	}
	os.Exit(run(context.Background(), os.Args[1:], os.Getenv, config.SystemKeyring{Getenv: os.Getenv}, discover.Lookup{},
		stdio{os.Stdin, os.Stdout, os.Stderr}))
}

// stdio is what the program reads and writes. Results go to out, talk to err.
type stdio struct {
	in       *os.File
	out, err io.Writer
}

// run is the program. servers is how init looks for servers; the zero value asks the world.
func run(ctx context.Context, args []string, getenv func(string) string, k config.Keyring, servers discover.Lookup, io stdio) int {
	return (&program{getenv: getenv, keyring: k, lookup: servers, stdio: io, now: time.Now}).run(ctx, args)
}

func (p *program) run(ctx context.Context, args []string) int {
	asks() // whoever asks too early, or a command that has nothing to tell, must not kill it
	p.args = args
	out := &output{Writer: p.out}
	p.out = out
	root := p.root()
	root.SetArgs(args)
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.err)
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil {
		p.complain(cmd, err)
		p.exit = exitCode(err)
	}
	if err := p.log.close(); err != nil {
		explain(p.err, "pop2imap", err)
	}
	if out.err != nil {
		err := &sync.Error{Class: sync.Storage, Err: fmt.Errorf("the output is not whole: %w", out.err),
			Remedy: "make room where it goes, and run it again"}
		explain(p.err, "pop2imap", err)
		p.exit = gravest(p.exit, exitCode(err))
	}
	return p.exit
}

// output is stdout. What a command does goes on when its words cannot be written; that is said once, at the end.
type output struct {
	io.Writer
	err error // of the first that could not
}

func (o *output) Write(words []byte) (int, error) {
	if o.err == nil {
		_, o.err = o.Writer.Write(words)
	}
	return len(words), nil
}

// program is one run of the command.
type program struct {
	stdio
	getenv  func(string) string
	keyring config.Keyring
	lookup  discover.Lookup
	now     func() time.Time // by which trouble lasts; nothing else asks it
	args    []string
	log     *journal // of the run; nil: stderr is for people
	exit    int      // when there is no error

	shortest   time.Duration            // that --every may be; 0: see config
	fileSystem func(path string) string // doctor.FileSystem; nil: that
}

func (p *program) root() *cobra.Command {
	version := false
	root := &cobra.Command{
		Use:   "pop2imap",
		Short: "Move mail out of a POP3 maildrop into an IMAP mailbox",
		Long: `pop2imap copies every message of a POP3 maildrop into an IMAP folder: once, byte
for byte, in order, with its arrival date and the flags that can be inferred.
The same command again copies only what is new. It may be interrupted at any
instant and run again. It deletes nothing unless you ask for it, and then only
what was found at the destination afterwards.`,
		Example: `  pop2imap demo
  pop2imap init
  pop2imap sync --from pop3s://alice@pop.old.example --to imaps://alice@imap.new.example/INBOX
  pop2imap status`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArguments,
	}
	root.Flags().BoolVar(&version, "version", false, "what pop2imap version says")
	root.RunE = func(cmd *cobra.Command, _ []string) error {
		if version {
			return p.printVersion()
		}
		return cmd.Help()
	}
	root.SetFlagErrorFunc(badFlag)
	root.AddCommand(p.init(), p.sync(), p.doctor(), p.verify(), p.retry(), p.status(), p.page(), p.config(), p.secret(), p.demo(),
		p.explain(), p.rules(), p.version(), p.completion(), p.man())
	root.SetHelpCommand(p.help())
	root.InitDefaultHelpCmd()
	root.SetUsageFunc(usageText)
	listTopics(root)
	p.complete(root)
	return root
}

// noArguments refuses what nobody would look at.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return &usage{unexpected(cmd, args[0])}
	}
	return nil
}
