package state

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

// marking is a mark of the message whose UIDL is that of a sample.
func marking(uidl, flag string, written time.Time) Mark {
	return Mark{MessageID: sample(uidl).MessageID, Flag: flag, Written: written}
}

func TestMarksAreKeptWithTheIntent(t *testing.T) {
	a := account(t, opened(t))
	other, err := a.store.Account(t.Context(), "bob", Key{"bob@pop.example", "bob@imap.example"})
	if err != nil {
		t.Fatal(err)
	}
	answered := marking("a", `\Answered`, noon)
	ids, err := a.Begin(t.Context(), []Record{sample("reply")}, answered, marking("a", `\Seen`, time.Time{}), marking("b", "$Forwarded", noon))
	if err != nil || len(ids) != 1 {
		t.Fatalf("got %v, %v", ids, err)
	}
	later := marking("a", `\Answered`, noon.Add(time.Hour))
	if _, err := a.Recognised(t.Context(), sample("second reply"), later, marking("a", `\Answered`, noon)); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Begin(t.Context(), []Record{{ID: 99}}, marking("c", `\Seen`, noon)); !errors.Is(err, ErrMove) {
		t.Errorf("got %v, want ErrMove", err)
	}
	for _, c := range []struct {
		name string
		a    *Account
		ids  []string
		want string
	}{
		{"two flags, and of two answers the later", a, []string{"<a@example>"},
			fmt.Sprint(map[string][]Mark{"<a@example>": {later, marking("a", `\Seen`, time.Time{})}})},
		{"several messages", a, []string{"<b@example>", "<x@example>"},
			fmt.Sprint(map[string][]Mark{"<b@example>": {marking("b", "$Forwarded", noon)}})},
		{"an intent that was none", a, []string{"<c@example>"}, "map[]"},
		{"none", a, nil, "map[]"},
		{"another account", other, []string{"<a@example>"}, "map[]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.a.Marks(t.Context(), c.ids)
			for _, list := range got {
				for i := range list {
					list[i].Last = 0 // TestMarked has to do with it
				}
			}
			if err != nil || fmt.Sprint(got) != c.want {
				t.Errorf("got %v (%v), want %s", got, err, c.want)
			}
		})
	}
	if err := errors.Join(other.Unmark(t.Context()), a.Unmark(t.Context()), a.Unmark(t.Context())); err != nil {
		t.Fatal(err)
	}
	if got, err := a.Marks(t.Context(), []string{"<a@example>", "<b@example>"}); err != nil || len(got) != 0 {
		t.Errorf("after Unmark: got %v, %v", got, err)
	}
}

// Marked gives what this run has stored, or one before it that broke off, and nothing else.
func TestMarked(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(*Account, int64) error // of the run that stored the message
		want bool
	}{
		{"this run", func(*Account, int64) error { return nil }, true},
		{"a run that was killed", func(a *Account, _ int64) error { return another(t, a) }, true},
		{"a run that broke off", func(a *Account, id int64) error {
			return errors.Join(a.RunEnded(t.Context(), Run{ID: id, Ended: noon, Error: "the line"}), another(t, a))
		}, true},
		{"an earlier run", func(a *Account, id int64) error {
			return errors.Join(a.RunEnded(t.Context(), Run{ID: id, Ended: noon}), another(t, a))
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := account(t, opened(t))
			id, err := a.RunStarted(t.Context(), noon)
			if err != nil {
				t.Fatal(err)
			}
			want := []int64{}
			for _, phase := range []string{"stored", "unplaced", "verified", "missing", "deleted", "refused", "intent"} {
				r := sample("a")
				r.Run = id
				r.UIDL = phase
				r = place(t, a, r, phase)
				if c.want && (phase == "stored" || phase == "unplaced") {
					want = append(want, r.ID)
				}
			}
			unmarked := sample("b")
			unmarked.Run = id
			place(t, a, unmarked, "stored")
			if err := c.end(a, id); err != nil {
				t.Fatal(err)
			}
			if _, err := a.Begin(t.Context(), []Record{sample("reply")}, marking("a", `\Answered`, noon)); err != nil {
				t.Fatal(err)
			}
			after := sample("a")
			after.UIDL, after.Run = "listed behind the reply", id
			place(t, a, after, "stored")
			got := []int64{}
			recs, err := a.Marked(t.Context())
			for _, r := range recs {
				got = append(got, r.ID)
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("got %v (%v), want %v", got, err, want)
			}
		})
	}
}

// another begins another run.
func another(t *testing.T, a *Account) error {
	_, err := a.RunStarted(t.Context(), noon)
	return err
}
