package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/internal/discover"
	"github.com/pop2imap/pop2imap/internal/imap"
	"github.com/pop2imap/pop2imap/internal/pop3"
	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

// A setup is what init makes an account of.
type setup struct {
	*program
	q        *prompter
	name     string // of the account
	path     string // of the config file
	from, to newEnd
}

// A newEnd is one of the two ends, as it becomes known.
type newEnd struct {
	side     string // "from" or "to"
	what     string // to the user
	kind     discover.Kind
	parse    func(string) (config.Endpoint, error)
	given    string // address, as the user wrote it
	address  discover.Address
	endpoint config.Endpoint
	password string // "": the command prints it
	command  string
	keyring  bool // the password goes there, and not to a file
	ca       string
	pin      config.Fingerprint
}

// init is the command that writes the first config file.
func (p *program) init() *cobra.Command {
	s := &setup{program: p,
		from: newEnd{side: "from", what: "old", kind: discover.POP3, parse: config.ParseFrom},
		to:   newEnd{side: "to", what: "new", kind: discover.IMAP, parse: config.ParseTo}}
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Find the servers, try the logins, and write a config file",
		Long: `init asks for the old mail address and the new one, finds their servers, lets
you correct what it found, tries both logins, and writes a config file with one
account. Both addresses are noted there as yours, which tells own sent mail. It
changes nothing on a server and overwrites no file.

The servers are looked for in the SRV records of the domain, in its autoconfig,
in Thunderbird's database, in both for the owner of its mail exchanger, and at
the usual names. Your address is told to autoconfig.DOMAIN of your own domain
only; all others are told the domain. Without TLS no server is proposed.

A password that you type goes to a file of its own beside the config,
ACCOUNT.from or ACCOUNT.to, which nobody else can read, or to the keyring, if
there is one and you say so at a terminal; or name a command that prints it,
such as: pass show mail/old. It is never in the config itself.

Answers can come from a pipe: a line each for the two addresses unless they are
flags, the old server, the new one, the old password and the new one (an empty
line, and the command in the next). An empty line takes the first server that
was found, if more than DNS speaks for it; a number takes that one; or it is a
URL.`,
		Example: `  pop2imap init
  pop2imap init --name alice --from-address alice@old.example --to-address alice@new.example`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := config.Hear(cmd.Flags(), nil, p.getenv); err != nil {
				return err
			}
			return s.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVar(&s.name, "name", "", "`NAME` of the account (default: the old address up to the @)")
	f.StringVar(&s.from.given, "from-address", "", "the old mail address: `ADDR`")
	f.StringVar(&s.to.given, "to-address", "", "the new one: `ADDR`")
	for _, e := range []*newEnd{&s.from, &s.to} {
		config.RegisterTrust(f, e.side, &e.ca, &e.pin)
	}
	f.StringVarP(&s.path, "config", "c", "", "`FILE` to write (default $XDG_CONFIG_HOME/pop2imap/config.toml)")
	f.SortFlags = false
	return cmd
}

// run is init. The first SIGINT or SIGTERM ends it: nothing has been begun that would have to be finished.
func (s *setup) run(ctx context.Context) error {
	next, err := s.place()
	if err != nil {
		return err
	}
	ctx, sig := signals(ctx, &terminal{look: look{quiet: true}})
	defer sig.release()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-sig.stop:
			cancel(errors.New("stopped by a signal"))
		case <-ctx.Done():
		}
	}()
	s.q = s.prompter(sig.stop)
	for _, step := range []func(context.Context) error{s.addresses, s.servers, s.secrets, s.logins, s.keyrings} {
		if err := step(ctx); err != nil {
			return sig.wrap(err)
		}
	}
	if err := s.write(ctx); err != nil {
		return sig.wrap(err)
	}
	_, err = fmt.Fprintf(s.out, "wrote %s\nnext, see what would be copied:\n  pop2imap sync %s --dry-run%s\n", s.path, s.name, next)
	return err
}

// place fills in the paths, which the config file names whole, and refuses a config that is there. It gives the flag for the
// next command.
func (s *setup) place() (next string, err error) {
	for _, e := range []*newEnd{&s.from, &s.to} {
		if e.ca == "" {
			continue
		}
		if e.ca, err = filepath.Abs(e.ca); err != nil {
			return "", err
		}
		if _, err = (&config.End{Side: e.side, CA: e.ca}).Server(loginTime, nil); err != nil {
			return "", err
		}
	}
	if s.path == "" {
		if s.path = config.OwnPlace(s.getenv); s.path == "" {
			return "", &sync.Error{Class: sync.Config, Err: errors.New("no place for the config: HOME is not set"),
				Remedy: "say where it shall be with --config FILE"}
		}
	} else {
		if s.path, err = filepath.Abs(s.path); err != nil {
			return "", err
		}
		next = " --config '" + strings.ReplaceAll(s.path, "'", `'\''`) + "'"
	}
	return next, absent(s.path, addByHand)
}

// accountName is what can be a key of TOML and the name of a file as it is.
var accountName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)

func (s *setup) addresses(context.Context) error {
	for _, e := range []*newEnd{&s.from, &s.to} {
		take := func(answer string) (err error) {
			e.address, err = discover.ParseAddress(answer)
			return err
		}
		if e.given != "" {
			if err := take(e.given); err != nil {
				return &usage{fmt.Errorf("--%s-address: %w", e.side, err)}
			}
		} else if err := s.q.until(fmt.Sprintf("The %s address (%s): ", e.what, e.kind), take); err != nil {
			return err
		}
	}
	if s.name == "" {
		s.name = strings.Trim(regexp.MustCompile(`[^A-Za-z0-9]+`).ReplaceAllString(s.from.address.Local, "-"), "-")
	}
	if !accountName.MatchString(s.name) {
		return &usage{errors.New("--name can have letters from a to z, digits, - and _")}
	}
	for _, e := range []*newEnd{&s.from, &s.to} {
		if err := absent(s.passwordFile(e), otherNames); err != nil {
			return err
		}
	}
	return nil
}

// servers finds both, and lets the user decide.
func (s *setup) servers(ctx context.Context) error {
	for _, e := range []*newEnd{&s.from, &s.to} {
		s.q.say("Looking for the %s server of %s …", e.kind, e.address.Domain)
		found, err := s.lookup.Find(ctx, e.address, e.kind)
		if ctx.Err() != nil {
			return &sync.Error{Class: sync.Stopped, Err: context.Cause(ctx)}
		}
		if err != nil {
			s.q.say("  %s", sync.Clean(err.Error()))
		}
		s.show(e, found)
		if err := s.q.until(question(e, found), func(answer string) error { return s.decide(e, found, answer) }); err != nil {
			return err
		}
	}
	return nil
}

// show prints what was found, and by whom.
func (s *setup) show(e *newEnd, found []discover.Candidate) {
	for i, c := range found {
		s.q.say("  %d  %s  (%s)", i+1, c.String(), sync.Clean(c.Source))
		if c.Unproved {
			s.q.say("     it is not in %s, and only DNS, which can be forged, leads there: is it your provider's?", e.address.Domain)
		}
		if c.OAuth() {
			s.q.say("     it takes OAuth 2 only: not a password, but a command that prints an access token")
		}
	}
}

func question(e *newEnd, found []discover.Candidate) string {
	example := "pop3s://USER@HOST"
	if e.kind == discover.IMAP {
		example = "imaps://USER@HOST/FOLDER"
	}
	if len(found) == 0 {
		return fmt.Sprintf("The %s server, as %s: ", e.what, example)
	}
	return fmt.Sprintf("The %s server, a number or %s [1]: ", e.what, example)
}

// decide takes what the user says. Enter is a yes only from somebody who has seen what it is to.
func (s *setup) decide(e *newEnd, found []discover.Candidate, answer string) (err error) {
	if answer == "" && len(found) > 0 {
		if found[0].Unproved && s.q.ask == nil {
			return fmt.Errorf("nothing but DNS says that %s is the server: say 1, or its URL", found[0].Host)
		}
		answer = "1"
	}
	n, err := strconv.Atoi(answer)
	switch {
	case err == nil && n >= 1 && n <= len(found):
		e.endpoint = found[n-1].Endpoint
		return nil
	case answer == "":
		return fmt.Errorf("the %s server is needed", e.what)
	}
	e.endpoint, err = e.parse(answer)
	return err
}

// secrets asks for both passwords.
func (s *setup) secrets(context.Context) error {
	for _, e := range []*newEnd{&s.from, &s.to} {
		if err := s.secret(e); err != nil {
			return err
		}
	}
	return nil
}

func (s *setup) secret(e *newEnd) (err error) {
	e.command = ""
	e.password, err = s.q.secret(fmt.Sprintf("Password for %s at %s (empty: a command prints it): ", e.endpoint.User, e.endpoint.Host))
	if err != nil || e.password != "" {
		return err
	}
	return s.q.until("The command: ", func(answer string) error {
		if e.command = answer; answer == "" {
			return fmt.Errorf("a password for %s, or a command that prints it, is needed", e.endpoint.Host)
		}
		return nil
	})
}

// logins tries both. At a terminal the user can mend what is wrong.
func (s *setup) logins(ctx context.Context) error {
	for _, e := range []*newEnd{&s.from, &s.to} {
		for try := 1; ; try++ {
			err := s.logIn(ctx, e)
			if err == nil {
				break
			}
			if try == s.q.tries() || sync.ClassOf(err) == sync.Stopped {
				return err
			}
			explain(s.err, s.name, err)
			if pinned, err := s.pin(e, err); err != nil {
				return err
			} else if pinned {
				continue
			}
			if err := s.again(e, sync.ClassOf(err) == sync.Login); err != nil {
				return err
			}
		}
		s.q.say("The login at %s works.", e.endpoint.Host)
	}
	return nil
}

// pin asks whether a certificate that nobody vouches for is to be trusted all the same: a user who runs the server knows it.
func (s *setup) pin(e *newEnd, why error) (pinned bool, err error) {
	cert, ok := errors.AsType[*wire.Untrusted](why)
	if !ok {
		return false, nil
	}
	err = s.q.until("Is it your own server, and that its fingerprint? Trust it from now on [y/N]: ", yes(&pinned))
	if pinned {
		e.pin = cert.Sum[:]
	}
	return pinned, err
}

// again asks once more for what a login needs. Where that was refused the password comes first, unseen: who has mistyped it
// types it next, whatever the question is. Many servers know their users without the domain (RFC 6186 §4).
func (s *setup) again(e *newEnd, refused bool) (err error) {
	if refused && e.command == "" {
		e.password, err = s.q.secret(fmt.Sprintf("Password for %s at %s, once more (empty: another user or server): ", e.endpoint.User, e.endpoint.Host))
		if err != nil || e.password != "" {
			return err
		}
	}
	was := []discover.Candidate{{Endpoint: e.endpoint, Source: "tried"}}
	if short := e.endpoint; strings.HasSuffix(short.User, "@"+e.address.Domain) {
		short.User = e.address.Local
		was = append(was, discover.Candidate{Endpoint: short, Source: "without the domain"})
	}
	s.show(e, was)
	if err := s.q.until(question(e, was), func(answer string) error { return s.decide(e, was, answer) }); err != nil {
		return err
	}
	return s.secret(e)
}

// loginTime is the longest silence while somebody waits at a terminal.
const loginTime = 30 * time.Second

// logIn tries one, and changes nothing: at the maildrop nothing is retrieved.
func (s *setup) logIn(ctx context.Context, e *newEnd) error {
	var job config.Job
	job.Register(pflag.NewFlagSet("", pflag.ContinueOnError))
	job.From.URL, job.To.URL = s.from.endpoint.String(), s.to.endpoint.String()
	job.From.Secret.Command, job.To.Secret.Command = s.from.command, s.to.command
	job.From.CA, job.From.Pin, job.To.CA, job.To.Pin = s.from.ca, s.from.pin, s.to.ca, s.to.pin
	if err := job.Check(); err != nil {
		return err
	}
	end := &job.From
	if e.kind == discover.IMAP {
		end = &job.To
	}
	server, err := end.Server(loginTime, nil)
	if err != nil {
		return err
	}
	secret := e.password
	if secret == "" {
		if secret, err = end.Secret.Get(ctx, s.err); err != nil {
			return err
		}
	}
	var session interface{ Close(context.Context) error }
	if e.kind == discover.IMAP {
		session, err = imap.Dial(ctx, server, imap.Login{User: e.endpoint.User, Password: secret, Auth: e.endpoint.Auth})
	} else {
		session, err = pop3.Dial(ctx, server, pop3.Login{User: e.endpoint.User, Password: secret, Auth: e.endpoint.Auth})
	}
	if err != nil {
		return err
	}
	return session.Close(ctx)
}
