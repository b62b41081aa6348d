package state

import (
	"testing"
	"time"
)

func met(t *testing.T, a *Account, at time.Time, anew bool) Trouble {
	t.Helper()
	got, err := a.TroubleMet(t.Context(), at, anew)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// A troubleStep is what a run says of trouble, and what there is of it then.
type troubleStep struct {
	minute int    // since noon
	verb   string // "met", "anew" (met by a run that had got somewhere), "told", "over"
	began  int    // minute
	runs   int    // 0: there is none
	told   int    // minute; -1: not yet
}

func TestTrouble(t *testing.T) {
	for name, steps := range map[string][]troubleStep{
		"it lasts, is told once, and passes": {{0, "met", 0, 1, -1}, {15, "met", 0, 2, -1}, {16, "told", 0, 2, 16},
			{30, "met", 0, 3, 16}, {31, "told", 0, 3, 16}, {45, "over", 0, 0, 0}, {60, "met", 60, 1, -1}},
		"a run that got somewhere begins it anew": {{0, "met", 0, 1, -1}, {15, "met", 0, 2, -1}, {30, "anew", 30, 1, -1}, {45, "met", 30, 2, -1}},
		"the first run had got somewhere":         {{0, "anew", 0, 1, -1}, {15, "met", 0, 2, -1}},
		"what was told goes on until it passes":   {{0, "met", 0, 1, -1}, {5, "told", 0, 1, 5}, {30, "anew", 0, 2, 5}},
		"the clock was ahead":                     {{600, "met", 600, 1, -1}, {15, "met", 15, 2, -1}, {30, "met", 15, 3, -1}},
		"nothing was there to tell, or to forget": {{0, "over", 0, 0, 0}, {1, "told", 0, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			s := opened(t)
			a := account(t, s)
			for i, step := range steps {
				take(t, a, step)
				want := Trouble{}
				if step.runs > 0 {
					want = Trouble{Began: minute(step.began), Runs: step.runs}
					if step.told >= 0 {
						want.Told = minute(step.told)
					}
				}
				for _, a := range []*Account{a, account(t, reopened(t, s.path))} {
					if got, ok, err := a.Trouble(t.Context()); got != want || ok != (step.runs > 0) || err != nil {
						t.Errorf("after step %d got %+v, %v (%v), want %+v", i+1, got, ok, err, want)
					}
				}
			}
		})
	}
}

func minute(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

func take(t *testing.T, a *Account, step troubleStep) {
	t.Helper()
	var err error
	switch at := minute(step.minute); step.verb {
	case "met", "anew":
		got := met(t, a, at, step.verb == "anew")
		if now, _, err := a.Trouble(t.Context()); err != nil || got != now {
			t.Errorf("TroubleMet gave %+v, and %+v is there (%v)", got, now, err)
		}
	case "told":
		err = a.TroubleTold(t.Context(), at)
	case "over":
		err = a.TroubleOver(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Whoever is kept out by a run that goes on can say so all the same, and of its account alone.
func TestTroubleOfAnAccountThatAnotherRunHas(t *testing.T) {
	s := opened(t)
	a := account(t, s)
	bob, err := s.Account(t.Context(), "bob", Key{"bob", "bob"})
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := a.Lock()
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	met(t, account(t, reopened(t, s.path)), noon, false)
	if err := bob.TroubleOver(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, ok, err := a.Trouble(t.Context()); got != (Trouble{Began: noon, Runs: 1}) || !ok || err != nil {
		t.Errorf("got %+v, %v (%v)", got, ok, err)
	}
	if got, ok, err := bob.Trouble(t.Context()); ok || err != nil {
		t.Errorf("bob has %+v (%v)", got, err)
	}
}
