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
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

// page is the command report. How the page looks is in page.go, what it says in words.go, and what is counted
// in rows.go.
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
				if err := foreign(path, "html", "report", pageStart); err != nil {
					return err
				}
			}
			list, err := portraits(cmd.Context(), w.State, said, names)
			if err != nil {
				return err
			}
			return p.putPage(path, htmlPage(list, time.Now()))
		},
	}
	w.RegisterFiles(cmd.Flags())
	cmd.Flags().StringVar(&path, "html", "", "`FILE` for the page, readable by you alone; - is stdout. A page that was written by "+
		"report is replaced, nothing else is")
	return cmd
}

// A portrait is what the page shows of one account.
type portrait struct {
	remembered
	overview *state.Overview // nil: nothing was synced yet
	refused  []state.Record  // the first of them
	missing  []state.Record  // the first of them
	course
}

// portraits reads them from the state.
func portraits(ctx context.Context, path string, said *config.Said, names []string) (list []portrait, err error) {
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
		r := portrait{remembered: a}
		if a.synced {
			err = r.read(ctx)
		}
		if err != nil {
			return nil, sync.StateError(err)
		}
		list = append(list, r)
	}
	return list, nil
}

// listedMost is how many refused or missing messages are on the page one by one; status has them all.
const listedMost = 200

func (r *portrait) read(ctx context.Context) (err error) {
	if r.overview, err = r.Overview(ctx); err != nil {
		return err
	}
	if r.refused, err = r.Refusals(ctx, listedMost); err != nil {
		return err
	}
	if r.missing, err = r.Misses(ctx, listedMost); err != nil {
		return err
	}
	r.course, err = courseOf(ctx, r.Account)
	return err
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
