package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/internal/doctor"
	"github.com/pop2imap/pop2imap/internal/units"
	"github.com/pop2imap/pop2imap/internal/wire"
)

// imapsPort is where a source that speaks IMAP as well is looked for (RFC 8314 §7.1).
const imapsPort = 993

func (p *program) doctor() *cobra.Command {
	w := wish{register: (*config.Job).Register, looks: true}
	w.progress = "never"
	cmd := &cobra.Command{
		Use:   "doctor [ACCOUNT...] | doctor --from URL --to URL",
		Short: "Look at servers and logins, say what to mend; change nothing",
		Long: `doctor looks at all that sync with the same flags needs: passwords, the state
and its disk, names, TLS, both logins, what the servers can do, what waits in
the maildrop, and the room there is for it. A line says what came of each, and
under what is not well it says what to do.

Nothing is changed at either end and no mail is retrieved: the maildrop is
listed, and the folder is looked at. No state is written. While a run of the
account is going on, the maildrop is left to it.

With 0 all is well, or there are only warnings; otherwise the exit code is that
which sync would end with.`,
		Example: `  pop2imap doctor
  pop2imap doctor --from pop3s://alice@pop.old.example --to imaps://alice@imap.new.example/INBOX
  pop2imap doctor office --quiet --json`,
		RunE: func(cmd *cobra.Command, names []string) error {
			return p.accounts(cmd, names, &w, "doctor", func(ctx context.Context, r *round, c *candidate, s *screen, err error) (int, any) {
				var findings []doctor.Finding
				if err == nil {
					findings = r.diagnose(ctx, c.job, s)
				} else {
					findings = []doctor.Finding{doctor.Failed("config", "", err)}
				}
				exit := r.sig.verdict(findings)
				s.diagnosis(findings)
				return exit, s.diagnosisLine(findings, exit)
			})
		},
	}
	w.register(&w.job, cmd.Flags())
	w.Register(cmd.Flags())
	w.look.register(cmd.Flags())
	cmd.Flags().Lookup("verbose").Usage = "all abilities of the servers; -vv adds the protocol, secrets hidden"
	cmd.Flags().SortFlags = false
	return cmd
}

// diagnose looks at one account. The first signal ends it: nothing is ever under way that would have to be finished.
func (r *round) diagnose(ctx context.Context, job *config.Job, s *screen) []doctor.Finding {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-r.sig.stop:
			cancel(errors.New("stopped before all was looked at"))
		case <-ctx.Done():
		}
	}()
	o := doctor.Options{Folder: job.Folder, Key: job.Key(), State: r.wish.State, MaxSize: int64(job.MaxSize), Rate: int64(job.Rate.Size),
		Connections: job.Connections, TwinPort: imapsPort}
	o.From = r.patient(ctx, job, &job.From, s)
	o.To = r.patient(ctx, job, &job.To, s)
	return doctor.Examine(ctx, o)
}

// patient is what the doctor is told of one end. A password that cannot be had is a finding like others.
func (p *program) patient(ctx context.Context, job *config.Job, end *config.End, s *screen) doctor.End {
	e := doctor.End{User: end.Endpoint.User, Auth: end.Endpoint.Auth, Server: wire.Server{Side: end.Side}}
	server, err := end.Server(job.Timeout, s.tracer(end.Side))
	if e.Err = err; err == nil {
		e.Server = server
		e.Secret, e.Err = end.Secret.Get(ctx, p.err)
	}
	return e
}

// verdict is the exit code of one account: that of its gravest failure.
func (s *signalled) verdict(findings []doctor.Finding) int {
	codes := []int{0}
	for _, f := range findings {
		if f.Level == doctor.Failure {
			codes = append(codes, exitCode(s.wrap(f.Err)))
		}
	}
	return gravest(codes...)
}

// A diagnosisJSON is the part of one account.
type diagnosisJSON struct {
	Account  string        `json:"account"`
	From     string        `json:"from"`
	To       string        `json:"to"`
	Exit     int           `json:"exit"`
	Findings []findingJSON `json:"findings"`
}

type findingJSON struct {
	Check  string `json:"check"`
	End    string `json:"end,omitempty"` // "from", "to", or none
	Level  string `json:"level"`         // ok, warning, failure
	Text   string `json:"text"`
	Server string `json:"server,omitempty"`
	Remedy string `json:"remedy,omitempty"`
}

// diagnosisLine has all that was found, with --quiet only what is not well.
func (s *screen) diagnosisLine(findings []doctor.Finding, exit int) diagnosisJSON {
	line := diagnosisJSON{s.name, s.from, s.to, exit, []findingJSON{}}
	for _, f := range findings {
		if !s.quiet || f.Level != doctor.OK {
			line.Findings = append(line.Findings, findingJSON{f.Check, f.End, f.Level.String(), f.Text, f.Server, f.Remedy})
		}
	}
	return line
}

// diagnosis shows the same.
func (s *screen) diagnosis(findings []doctor.Finding) {
	var text strings.Builder
	tally := map[doctor.Level]int{}
	for _, f := range findings {
		tally[f.Level]++
		if f.Level != doctor.OK || !s.quiet && (!f.Detail || s.verbose > 0) {
			printFinding(&text, f)
		}
	}
	if s.json || s.quiet && text.Len() == 0 {
		return
	}
	s.result("%s  %s -> %s\n%s  %s, %s", s.name, s.from, s.to, text.String(), units.Plural(tally[doctor.Warning], "warning"),
		units.Plural(tally[doctor.Failure], "failure"))
}

func printFinding(w io.Writer, f doctor.Finding) {
	fmt.Fprintf(w, "  %-7s  %s%s\n", f.Level, strings.TrimSpace(f.End+" "+f.Check)+": ", f.Text)
	if f.Server != "" {
		fmt.Fprintf(w, "    server said: %s\n", f.Server)
	}
	if f.Remedy != "" {
		fmt.Fprintf(w, "    what to do:  %s\n", f.Remedy)
	}
}
