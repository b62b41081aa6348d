package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/internal/page"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

// page is the command report: see package page.
func (p *program) page() *cobra.Command {
	var w wish
	var path string
	cmd := &cobra.Command{
		Use:   "report [ACCOUNT...]",
		Short: "A page for the browser about all that was moved",
		Long: `report writes a page for who would rather look than read: one file for any
browser, which loads nothing else. It shows all that was ever moved, by month
and by folder, with flags and sizes; what was read back at the destination; what
was refused, and why; and what to do about the rest. No subject and no address
of a mail is in it.

It reads the state, also while a run is going on, and talks to no server. An
account is called as in pop2imap status; without a name all are on the page.

(--report of pop2imap sync is something else: a JSON line for each message of
one run, for programs.)`,
		Example: `  pop2imap report --html mail.html
  pop2imap report alice --html alice.html`,
		RunE: func(cmd *cobra.Command, names []string) error {
			said, err := p.hearOfState(cmd.Flags(), &w)
			if err != nil {
				return err
			}
			if path == "" {
				return &usage{errors.New("say where the page is to go: --html FILE")}
			}
			if path != "-" {
				if err := foreign(path, "html", "report", page.Start); err != nil {
					return err
				}
			}
			list, err := portraits(cmd.Context(), w.State, said, names)
			if err != nil {
				return err
			}
			return p.putPage(path, page.HTML(list, time.Now(), thisProgram()))
		},
	}
	w.RegisterFiles(cmd.Flags())
	cmd.Flags().StringVar(&path, "html", "", "`FILE` for the page, readable by you alone; - is stdout. A page that was written by "+
		"report is replaced, nothing else is")
	return cmd
}

// portraits reads what the page shows from the state.
func portraits(ctx context.Context, path string, said *config.Said, names []string) (list []page.Account, err error) {
	store, err := state.OpenReadOnly(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, unknownJob(fmt.Errorf("nothing has been synced yet: there is no state at %s", path))
	}
	if err != nil {
		return nil, sync.StateError(err)
	}
	defer store.Close()
	accounts, err := store.Accounts(ctx)
	if err != nil {
		return nil, sync.StateError(err)
	}
	chosen, err := named(merge(accounts, said), names)
	if err != nil {
		return nil, err
	}
	for _, a := range chosen {
		portrait, err := a.portrait(ctx)
		if err != nil {
			return nil, sync.StateError(err)
		}
		list = append(list, portrait)
	}
	return list, nil
}

func (r remembered) portrait(ctx context.Context) (a page.Account, err error) {
	a = page.Account{Name: r.Name, From: r.Key.From, To: r.Key.To, Args: r.Name}
	if r.called != "" { // it is not in the config file
		a.Args = "--from URL --to URL"
	}
	if !r.synced {
		return a, nil
	}
	if a.Overview, err = r.Overview(ctx); err != nil {
		return a, err
	}
	if a.Refused, err = r.Refusals(ctx, page.Most); err != nil {
		return a, err
	}
	if a.Missing, err = r.Misses(ctx, page.Most); err != nil {
		return a, err
	}
	c, err := courseOf(ctx, r.Account)
	a.Last, a.Ran, a.Busy = c.last, c.ran, c.busy
	return a, err
}

// putPage writes the page, whole or not at all.
func (p *program) putPage(path, text string) error {
	if path == "-" {
		_, err := io.WriteString(p.out, text)
		return pageError(err)
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() { // a pipe, or a terminal
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return pageError(err)
		}
		_, err = io.WriteString(file, text)
		return pageError(errors.Join(err, file.Close()))
	}
	if real, err := filepath.EvalSymlinks(path); err == nil { // the link stays
		path = real
	}
	return pageError(replace(path, text, 0o600))
}

func pageError(err error) error {
	if err == nil {
		return nil
	}
	return fileError("html", err)
}
