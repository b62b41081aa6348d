package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	stdsync "sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/sync"
)

// An entry is one thing that a run says beside its results. Error ended an account, or the run; Warn is what somebody must see
// all the same; Info is what --quiet hides; Debug is what only -v shows.
type entry struct {
	level   slog.Level
	account string // "": none, or all
	text    string // for who reads it on stderr: whose, two spaces and what, the lines below it indented
	msg     string // what, in one line
	attrs   []slog.Attr
}

// says is an entry that has one line.
func says(level slog.Level, who, msg string, attrs ...slog.Attr) entry {
	return entry{level: level, account: who, text: who + "  " + msg, msg: msg, attrs: attrs}
}

// with gives the entry one fact more: in text a line below it, behind head.
func (e entry) with(key, head, value string) entry {
	e.text += "\n  " + head + value
	e.attrs = append(e.attrs, slog.String(key, value))
	return e
}

// failing is what failed, the server's own words, and what to do. Several errors that are one have what to do at the end.
func failing(who, account string, err error) entry {
	var text, faults, servers, todo []string
	for _, err := range apiece(err) {
		e, ok := errors.AsType[*sync.Error](err)
		if !ok {
			e = &sync.Error{Err: err}
		}
		lines := []string{e.Err.Error()}
		if e.Class == sync.Config { // a config file may have several faults
			lines = strings.Split(lines[0], "\n")
		}
		for _, line := range lines {
			line = sync.Clean(line)
			text, faults = append(text, who+"  "+line), append(faults, line)
		}
		if e.Server != "" {
			text, servers = append(text, "  server said: "+e.Server), append(servers, e.Server)
		}
		if advice := e.Advice(); exitCode(err) != exitUsage && advice != "" && !slices.Contains(todo, advice) {
			todo = append(todo, advice)
		}
	}
	e := entry{level: slog.LevelError, account: account, text: strings.Join(text, "\n"), msg: strings.Join(faults, "; "),
		attrs: []slog.Attr{slog.Int("exit", exitCode(err))}}
	if servers != nil {
		e.attrs = append(e.attrs, slog.String("server", strings.Join(servers, "; ")))
	}
	if todo != nil {
		e.text += "\n  what to do:  " + strings.Join(todo, "\n  what to do:  ")
		e.attrs = append(e.attrs, slog.String("remedy", strings.Join(todo, "; ")))
	}
	return e
}

// record is the entry for a machine.
func (e entry) record() slog.Record {
	r := slog.NewRecord(time.Now(), e.level, e.msg, 0)
	if e.account != "" {
		r.AddAttrs(slog.String("account", e.account))
	}
	r.AddAttrs(e.attrs...)
	return r
}

// A journal is where a run's entries go: to stderr, or to the file of --log-file, and then stderr has only what must not be
// missed. nil: there is none, and stderr is for people.
type journal struct {
	run *config.Run // says which, and how an entry looks there

	mu     stdsync.Mutex
	file   *os.File // nil: none is open
	failed bool     // not all is in the file, and somebody knows
}

// foreseen is the journal of a command line, or a config file, that was not understood: what reads objects from stderr gets one
// for that too. nil: stderr is for people.
func (p *program) foreseen(cmd *cobra.Command) *journal {
	if cmd.Flags().Lookup("log-format") == nil {
		return nil
	}
	run, f := &config.Run{}, pflag.NewFlagSet("", pflag.ContinueOnError)
	run.RegisterLog(f)
	f.ParseErrorsAllowlist.UnknownFlags = true
	f.SetOutput(io.Discard)
	f.Parse(p.args) // as far as it can be understood: what is wrong is told already
	config.Hear(f, nil, p.getenv)
	return &journal{run: run}
}

// logStarts begin the first line of a log.
var logStarts = []string{"time=", `{"time":`}

// open opens the file, if one is wanted. What is there stays, and must be a log.
func (j *journal) open() error {
	if j.run.LogFile == "" {
		return nil
	}
	if err := foreign(j.run.LogFile, "log-file", "log", logStarts...); err != nil {
		return err
	}
	file, err := os.OpenFile(j.run.LogFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fileError("log-file", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file != nil {
		j.file.Close() // it is another's now: what was to be said of it was said by write
	}
	j.file = file
	return nil
}

// follow opens the file anew where it was moved away since, as logrotate does.
func (j *journal) follow() error {
	if !j.inFile() {
		return nil
	}
	if here, err := j.file.Stat(); err == nil {
		if there, err := os.Stat(j.run.LogFile); err == nil && os.SameFile(here, there) {
			return nil
		}
	}
	return j.open()
}

// close ends the file.
func (j *journal) close() error {
	if j == nil || j.file == nil {
		return nil
	}
	if err := j.file.Close(); err != nil && !j.failed { // a network file system may say only now that it is full
		return fileError("log-file", err)
	}
	return nil
}

// inFile says whether the log goes to a file. Before that is open, stderr has all.
func (j *journal) inFile() bool { return j != nil && j.run.LogFile != "" }

// objects says whether stderr is for machines. Where there is a file, that is.
func (j *journal) objects() bool { return j != nil && j.run.LogFormat.JSON && !j.inFile() }

// write puts an entry into the file. The error is that of the first that could not be written; the run goes on, and others
// are tried: the disk may have room again.
func (j *journal) write(e entry) error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	var to slog.Handler = slog.NewTextHandler(j.file, nil)
	if j.run.LogFormat.JSON {
		to = slog.NewJSONHandler(j.file, nil)
	}
	err := to.Handle(context.Background(), e.record())
	if err == nil || j.failed {
		return nil
	}
	j.failed = true
	return fileError("log-file", err)
}

// show puts an entry on stderr.
func (j *journal) show(stderr io.Writer, e entry) {
	if j.objects() {
		slog.NewJSONHandler(stderr, nil).Handle(context.Background(), e.record()) // nobody is left who could be told that it failed
		return
	}
	fmt.Fprintln(stderr, e.text)
}

// tell says something of the run, above the bar.
func (t *terminal) tell(e entry) {
	t.keep(e)
	if e.level == slog.LevelInfo && (t.quiet || t.log.inFile() && !isTerminal(t.err)) || e.level < slog.LevelInfo && t.log.inFile() {
		return
	}
	t.show(e)
}

// keep puts an entry into the file alone.
func (t *terminal) keep(e entry) {
	if err := t.log.write(e); err != nil {
		t.show(failing(t.all, "", err))
	}
}

func (t *terminal) show(e entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bar.hide()
	t.log.show(t.err, e)
	t.bar.show()
}

// secret gets a password. What a command says that prints it must not spoil a log of objects.
func (s *screen) secret(ctx context.Context, of *config.Secret) (string, error) {
	if !s.log.objects() {
		return of.Get(ctx, s.err)
	}
	talk := &lineWriter{each: func(line string) {
		s.tell(says(slog.LevelWarn, s.name, sync.Clean(line), slog.String("by", "password command")))
	}}
	defer talk.flush()
	return of.Get(ctx, talk)
}

// A lineWriter passes on what is written, line by line. A line that does not end in time is cut.
type lineWriter struct {
	each func(line string)
	rest []byte
}

const lineMax = 4096

func (w *lineWriter) Write(p []byte) (int, error) {
	for _, c := range p {
		if c != '\n' {
			w.rest = append(w.rest, c)
		}
		if c == '\n' || len(w.rest) == lineMax {
			w.flush()
		}
	}
	return len(p), nil
}

func (w *lineWriter) flush() {
	if len(w.rest) > 0 {
		w.each(string(w.rest))
		w.rest = w.rest[:0]
	}
}
