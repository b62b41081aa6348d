package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/sync"
)

// secret is the command for the passwords in the keyring.
func (p *program) secret() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "secret",
		Short: "Keep passwords in the system's keyring",
		Long: `secret keeps the passwords of an account in the keyring of this session: Secret
Service (GNOME, KDE, KeePassXC), the macOS keychain, or Windows' credentials.
ACCOUNT is one of the config file, or USER@HOST[:PORT] for --from and --to, as
in their URL. "twin" is the IMAP server of --flags-from, where that is not the
one of --from.

sync takes a password from there when no file, no command and no variable in the
environment has it.`,
		Example: `  pop2imap secret set alice from
  pop2imap secret set alice@imap.new.example to
  pop2imap secret test alice from`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		p.keeping("set", "Keep a password, read without echo or from stdin", p.keep),
		p.keeping("test", "Whether a password is there; it is not shown", p.kept),
		p.keeping("delete", "Forget a password", p.forget))
	return cmd
}

// keeping is one of its commands: do gets the label of the password.
func (p *program) keeping(name, short string, do func(ctx context.Context, label string) error) *cobra.Command {
	var w wish
	cmd := &cobra.Command{
		Use:     name + " ACCOUNT from|to|twin",
		Short:   short,
		Long:    "secret " + name + ": " + strings.ToLower(short[:1]) + short[1:] + ".\nThe last argument says of which end it is.",
		Example: fmt.Sprintf("  pop2imap secret %s alice from\n  pop2imap secret %[1]s alice@imap.new.example to", name),
		Args: func(_ *cobra.Command, args []string) error { // a third could be the password: it is not repeated
			if len(args) != 2 || !slices.Contains([]string{"from", "to", "twin"}, args[1]) {
				return &usage{errors.New("two arguments are needed: ACCOUNT, and from, to or twin")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			said, err := p.hear(cmd.Flags(), w.Config)
			if err != nil {
				return err
			}
			if err := keepable(said.File, args[0]); err != nil {
				return err
			}
			return do(cmd.Context(), args[0]+"."+args[1])
		},
	}
	w.RegisterConfig(cmd.Flags())
	return cmd
}

// keepable refuses a name under which nobody would look for a password.
func keepable(file *config.File, name string) error {
	var known []string
	if file != nil {
		known = file.Names()
	}
	for _, k := range known {
		if name == k {
			return nil
		}
	}
	if i := strings.LastIndexByte(name, '@'); i > 0 && i < len(name)-1 {
		return nil
	}
	return &usage{fmt.Errorf("there is no account %q in the config, and it is not USER@HOST%s", name, config.Meant(name, known))}
}

func (p *program) keep(ctx context.Context, label string) error {
	ctx, sig := signals(ctx, &terminal{look: look{quiet: true}}) // at once they would leave the terminal without echo
	defer sig.release()
	secret, err := p.readSecret(label, p.asker(sig.stop))
	if err == nil && secret == "" {
		err = &sync.Error{Class: sync.Config, Err: errors.New("the password is empty: nothing was kept")}
	}
	if err != nil {
		return sig.wrap(err)
	}
	return p.inKeyring(ctx, label, "kept", func() error { return p.keyring.Set(label, secret) })
}

// readSecret asks at a terminal, or reads the first line of stdin.
func (p *program) readSecret(label string, ask asker) (string, error) {
	if ask != nil {
		return ask("Password for " + label + ": ")
	}
	line, err := bufio.NewReader(io.LimitReader(p.in, 64<<10)).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", &sync.Error{Class: sync.Config, Err: fmt.Errorf("read the password: %w", err)}
	}
	return strings.TrimRight(line, "\r\n"), nil
}

func (p *program) kept(ctx context.Context, label string) error {
	return p.inKeyring(ctx, label, "there", func() error {
		_, err := p.keyring.Get(label)
		return err
	})
}

func (p *program) forget(ctx context.Context, label string) error {
	return p.inKeyring(ctx, label, "forgotten", func() error { return p.keyring.Delete(label) })
}

func (p *program) inKeyring(ctx context.Context, label, result string, do func() error) error {
	err := (&config.Ring{Keyring: p.keyring}).Do(ctx, do)
	switch {
	case errors.Is(err, config.ErrNotKept):
		return &sync.Error{Class: sync.Config, Err: fmt.Errorf("the keyring has no password %s", label)}
	case err != nil:
		return &sync.Error{Class: sync.Config, Err: fmt.Errorf("password %s in the keyring: %w", label, err),
			Remedy: "use a password file or a password command where there is no keyring"}
	}
	fmt.Fprintf(p.out, "%s  %s\n", label, result)
	return nil
}
