package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/internal/units"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

func (p *program) status() *cobra.Command {
	var w wish
	cmd := &cobra.Command{
		Use:   "status [ACCOUNT...]",
		Short: "What is done, waiting, refused and in doubt, from the state alone",
		Long: `status reads the state, also while a run is going on, and talks to no server. An
account is called as in the config file, or else by its user name at the source,
with host or folder where two have the same; without a name all are shown.`,
		Example: `  pop2imap status
  pop2imap status alice --json`,
		RunE: func(cmd *cobra.Command, names []string) error {
			said, err := p.hearOfState(cmd.Flags(), &w)
			if err != nil {
				return err
			}
			return p.report(cmd.Context(), &w, said, names)
		},
	}
	w.RegisterFiles(cmd.Flags())
	cmd.Flags().BoolVar(&w.json, "json", false, "one JSON line an account")
	return cmd
}

// standing is what the state says of one account.
type standing struct {
	*state.Account
	counts  state.Counts
	keeps   map[string]int
	refused []state.Record
	missing []state.Record
	intents []state.Record
	trouble state.Trouble // without runs: there is none
	course
}

// A course is that of the last run of an account.
type course struct {
	last state.Run
	ran  bool // there was one
	busy bool // it is still going on
}

func courseOf(ctx context.Context, a *state.Account) (l course, err error) {
	if l.last, l.ran, err = a.LastRun(ctx); err == nil && l.ran && l.last.Ended.IsZero() {
		l.busy, err = a.Locked()
	}
	return l, err
}

// hearOfState is hear for a command that only needs to know where the state is.
func (p *program) hearOfState(f *pflag.FlagSet, w *wish) (*config.Said, error) {
	said, err := p.hear(f, w.Config)
	if err == nil {
		w.State, err = config.StatePath(w.State, p.getenv)
	}
	return said, err
}

func (p *program) report(ctx context.Context, w *wish, said *config.Said, names []string) error {
	store, err := state.OpenReadOnly(ctx, w.State)
	never := errors.Is(err, fs.ErrNotExist)
	if err != nil && !never {
		return sync.StateError(err)
	}
	var accounts []*state.Account
	if !never {
		defer store.Close()
		if accounts, err = store.Accounts(ctx); err != nil {
			return sync.StateError(err)
		}
	}
	all := merge(accounts, said)
	chosen, err := named(all, names)
	if err != nil {
		return err
	}
	if never {
		fmt.Fprintf(p.err, "nothing has been synced yet: there is no state at %s\n", w.State)
	}
	for _, a := range chosen {
		st := standing{Account: a.Account}
		if a.synced {
			if st, err = stand(ctx, a.Account); err != nil {
				return sync.StateError(err)
			}
		}
		if w.json {
			printJSON(p.out, st.json())
		} else {
			st.print(p.out)
		}
	}
	return nil
}

// remembered is an account of the state, or of the config file only.
type remembered struct {
	*state.Account
	synced bool
	called string // what it may be called too; "": nothing else
}

// merge calls the accounts of the state as the config file does, and adds those of which the state knows nothing yet.
func merge(accounts []*state.Account, said *config.Said) (all []remembered) {
	for _, a := range accounts {
		all = append(all, remembered{a, true, a.Name})
	}
	if said.File == nil {
		return apart(all)
	}
	for _, a := range said.File.Accounts {
		job, err := said.Job(a, (*config.Job).Register)
		if err != nil { // sync says so; here it would hide the others
			continue
		}
		i := slices.IndexFunc(all, func(r remembered) bool { return r.Key == job.Key() })
		if i < 0 {
			all = append(all, remembered{&state.Account{Name: a.Name, Key: job.Key()}, false, ""})
		} else {
			all[i].Name, all[i].called = a.Name, ""
		}
	}
	all = apart(all)
	slices.SortStableFunc(all, func(a, b remembered) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// named gives those of the names, or all when there are none. Names need not be of one account only.
func named(all []remembered, names []string) (chosen []remembered, err error) {
	var known []string
	for _, a := range all {
		known = append(known, a.Name, a.called)
		if len(names) == 0 || slices.Contains(names, a.Name) || a.called != "" && slices.Contains(names, a.called) {
			chosen = append(chosen, a)
		}
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, &usage{fmt.Errorf("neither state nor config has an account %q%s", name, config.Meant(name, known))}
		}
	}
	return chosen, nil
}

func stand(ctx context.Context, a *state.Account) (s standing, err error) {
	s.Account = a
	if s.counts, err = a.Counts(ctx); err != nil {
		return s, err
	}
	if s.keeps, err = a.Keeps(ctx); err != nil {
		return s, err
	}
	if s.refused, err = a.RefusedList(ctx); err != nil {
		return s, err
	}
	if s.missing, err = a.MissingList(ctx); err != nil {
		return s, err
	}
	if s.intents, err = a.Intents(ctx); err != nil {
		return s, err
	}
	if s.course, err = courseOf(ctx, a); err != nil {
		return s, err
	}
	s.trouble, _, err = a.Trouble(ctx)
	return s, err
}

// print shows an account on a few lines.
func (s standing) print(w io.Writer) {
	fmt.Fprintf(w, "%s  %s -> %s\n", s.Name, s.Key.From, s.Key.To)
	fmt.Fprintf(w, "  done:      %s\n", s.done())
	for _, why := range slices.Sorted(maps.Keys(s.keeps)) {
		fmt.Fprintf(w, "    %s will not be deleted at the source: %s\n", units.Plural(s.keeps[why], "message"), why)
	}
	switch {
	case !s.ran || s.last.Ended.IsZero():
	case s.last.Error != "" && s.last.Listed == 0:
		fmt.Fprintln(w, "  waiting:   not known: the last run did not see the maildrop")
	default:
		fmt.Fprintf(w, "  waiting:   %s when the last run ended\n", units.Plural(s.last.Left, "message"))
	}
	fmt.Fprintf(w, "  refused:   %s\n", units.Plural(s.counts.Refused, "message"))
	for _, r := range s.refused {
		fmt.Fprintf(w, "    %q, %d octets, tried %s, next not before %s\n      server said: %s\n", r.UIDL, r.Size,
			units.Plural(r.Tries, "time"), r.NextTry.Local().Format(time.DateTime), r.Server)
	}
	doubted, n := s.counts.Doubted, len(s.intents) // those are as many as a batch has: nobody wants to see them one by one
	if s.busy {
		doubted -= n
		fmt.Fprintf(w, "  under way: %s\n", units.Plural(n, "message"))
	}
	fmt.Fprintf(w, "  in doubt:  %s\n", units.Plural(doubted, "message"))
	if n > 0 && !s.busy {
		fmt.Fprintf(w, "    the reply to %s was lost: the next run finds out\n", units.Plural(n, "message"))
	}
	for _, r := range s.missing {
		fmt.Fprintf(w, "    %q, %d octets, sha256 %x: the destination said that it stored it, and it was not found there\n",
			r.UIDL, r.Size, r.Digest[:6])
	}
	if len(s.missing) > 0 {
		fmt.Fprintln(w, "    look for them there, or send them again with pop2imap retry")
	}
	fmt.Fprintf(w, "  last run:  %s\n", s.lastRun())
	if s.trouble.Runs > 0 {
		fmt.Fprintf(w, "  trouble:   %s\n", lasting(s.trouble))
	}
}

func (s standing) done() string {
	words := []string{units.Plural(s.counts.Delivered, "message")}
	add(&words, s.counts.Verified+s.counts.Deleted, "read back at the destination")
	add(&words, s.counts.Deleted, "deleted at the source")
	return strings.Join(words, ", ")
}

func (s standing) lastRun() string {
	if !s.ran {
		return "never"
	}
	began := s.last.Began.Local().Format(time.DateTime)
	switch {
	case s.busy:
		return "began " + began + ", and is under way"
	case s.last.Ended.IsZero():
		return "began " + began + ", and was interrupted"
	}
	words := []string{began, units.Plural(s.last.Copied, "message") + " copied"}
	add(&words, s.last.Recognised, "found at the destination")
	add(&words, s.last.Deleted, "deleted at the source")
	text := strings.Join(words, ", ")
	if s.last.Error != "" {
		text += "\n    it ended with: " + sync.Clean(s.last.Error)
	}
	return text
}

// A standingJSON is the line of an account.
type standingJSON struct {
	Type     string         `json:"type"`
	Account  string         `json:"account"`
	From     string         `json:"from"`
	To       string         `json:"to"`
	Done     int            `json:"done"`
	Waiting  int            `json:"waiting"`
	Refused  int            `json:"refused"`
	InDoubt  int            `json:"in_doubt"`
	Refusal  []refusalJSON  `json:"refusals"`
	LastRun  *runJSON       `json:"last_run"`
	Verified int            `json:"verified"` // of those: read back, and not deleted
	Deleted  int            `json:"deleted"`  // of those: at the source
	Keep     map[string]int `json:"keep"`     // of those: never to be deleted, by the reason
	Doubts   []doubtJSON    `json:"doubts"`
	Trouble  *troubleJSON   `json:"trouble"` // null: the last run got through
}

type doubtJSON struct {
	UIDL   string `json:"uidl"`
	Size   int64  `json:"size"`
	Digest string `json:"digest"`
	Folder string `json:"folder"`
	Why    string `json:"why"` // "missing": it was said to be stored; "intent": the reply was not read
}

type runJSON struct {
	Began      string  `json:"began"`
	Ended      *string `json:"ended"`   // null: under way, or interrupted
	Running    bool    `json:"running"` // it is under way, and so are the messages in doubt that are intents
	Copied     int     `json:"copied"`
	Recognised int     `json:"recognised"`
	Deleted    int     `json:"deleted"`
	Error      *string `json:"error"`
}

func (s standing) json() standingJSON {
	j := standingJSON{Type: "status", Account: s.Name, From: s.Key.From, To: s.Key.To, Done: s.counts.Delivered,
		Verified: s.counts.Verified, Deleted: s.counts.Deleted, Waiting: s.last.Left, Refused: s.counts.Refused,
		InDoubt: s.counts.Doubted, Refusal: []refusalJSON{}, Keep: s.keeps, Doubts: []doubtJSON{}}
	for _, r := range s.refused {
		j.Refusal = append(j.Refusal, refusalJSON{r.UIDL, r.Size, r.Code, r.Server})
	}
	for _, r := range slices.Concat(s.missing, s.intents) {
		j.Doubts = append(j.Doubts, doubtJSON{r.UIDL, r.Size, digest(r.Digest), r.Folder, r.Phase.String()})
	}
	if s.ran {
		j.LastRun = &runJSON{Began: s.last.Began.Format(time.RFC3339), Running: s.busy, Copied: s.last.Copied,
			Recognised: s.last.Recognised, Deleted: s.last.Deleted, Error: orNull(s.last.Error)}
		if !s.last.Ended.IsZero() {
			j.LastRun.Ended = orNull(s.last.Ended.Format(time.RFC3339))
		}
	}
	if s.trouble.Runs > 0 {
		j.Trouble = troubleLine(s.trouble)
	}
	return j
}

// orNull is nil for "".
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
