package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/sync"
)

// The exit codes of SPEC §5 that are no class of an error.
const (
	exitRefused = 3
	exitDoubt   = 4
	exitUsage   = 64
)

// exits gives the exit code of each class of error.
var exits = map[sync.Class]int{
	sync.Bug:         70,
	sync.Refused:     3,
	sync.Vanished:    3,
	sync.Full:        3,
	sync.Missing:     78,
	sync.Temporary:   75,
	sync.Unavailable: 69,
	sync.Protocol:    76,
	sync.Login:       77,
	sync.Storage:     74,
	sync.Config:      78,
	sync.Stopped:     130,
}

// gravity puts the exit codes in order: where several apply, the first that does is taken.
var gravity = []int{130, 143, 70, 74, 78, 77, 76, 69, exitDoubt, exitRefused, 75, 0}

// gravest is the exit code that says most.
func gravest(codes ...int) int {
	for _, g := range gravity {
		for _, c := range codes {
			if c == g {
				return g
			}
		}
	}
	return exits[sync.Bug]
}

// usage is a mistake in the command line.
type usage struct{ err error }

func (u *usage) Error() string { return u.err.Error() }

func unexpected(cmd *cobra.Command, arg string) error {
	if !cmd.HasParent() {
		var names []string
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				names = append(names, c.Name())
			}
		}
		return fmt.Errorf("there is no command %q%s", arg, config.Meant(arg, names))
	}
	return fmt.Errorf("%s takes no argument such as %q", cmd.CommandPath(), arg)
}

// badFlag says what is wrong with a flag: its name, with the nearest that there is, or its value.
func badFlag(cmd *cobra.Command, err error) error {
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return config.Unfit(bad)
	}
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok && unknown.GetSpecifiedShortnames() == "" {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
		err = fmt.Errorf("%w%s", err, config.Meant("--"+unknown.GetSpecifiedName(), names))
	}
	return &usage{err}
}

// stopped is how a run ends on a signal.
type stopped struct {
	error
	exit int
}

func (s *stopped) Unwrap() error { return s.error }

// exitCode is that of an error that ended the program.
func exitCode(err error) int {
	if _, ok := errors.AsType[*usage](err); ok {
		return exitUsage
	}
	if _, ok := errors.AsType[*config.BadValue](err); ok {
		return exitUsage
	}
	if s, ok := errors.AsType[*stopped](err); ok {
		return s.exit
	}
	return exits[sync.ClassOf(err)]
}

// reportExit is the exit code of a run.
func reportExit(r sync.Report) int {
	codes := []int{0}
	if r.Refused+r.Vanished > 0 {
		codes = append(codes, exitRefused)
	}
	if r.InDoubt+r.Missing > 0 {
		codes = append(codes, exitDoubt)
	}
	if r.Err != nil {
		codes = append(codes, exitCode(r.Err))
	}
	return gravest(codes...)
}

// complain says an error that ended the program before or outside a run.
func (p *program) complain(cmd *cobra.Command, err error) {
	if p.log == nil {
		p.log = p.foreseen(cmd)
	}
	e := failing("pop2imap", "", err)
	if exitCode(err) == exitUsage {
		e = e.with("remedy", "what to do:  ", cmd.CommandPath()+" --help shows what there is; nothing was touched")
	}
	if err := p.log.write(e); err != nil {
		explain(p.err, "pop2imap", err)
	}
	p.log.show(p.err, e)
}

// explain prints what failed, the server's own words, and what to do.
func explain(w io.Writer, who string, err error) { fmt.Fprintln(w, failing(who, who, err).text) }

// apiece takes apart errors that were made one, and say no more together.
func apiece(whole error) (list []error) {
	err := whole
	if e, ok := whole.(*sync.Error); ok && e.Remedy == "" {
		err = e.Err
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if _, classed := errors.AsType[*sync.Error](err); !ok || !classed {
		return []error{whole}
	}
	for _, one := range joined.Unwrap() {
		list = append(list, apiece(one)...)
	}
	return list
}
