package sync

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A listener writes down what it is told of pauses.
type listener struct {
	Watcher
	told []string
}

func (l *listener) Notice(text string) { l.told = append(l.told, text) }
func (l *listener) Paused(until time.Time, why string) {
	if until.IsZero() {
		l.told = append(l.told, "over")
	} else {
		l.told = append(l.told, "until "+until.Format("15:04:05")+": "+why)
	}
}

// A pause is told before it begins, with its end; a long one also when it is over.
func TestPauseIsTold(t *testing.T) {
	for _, c := range []struct {
		name string
		long time.Duration
		stop bool
		want []string
	}{
		{"a short one", 1300 * time.Millisecond, false, []string{
			"the line is lost; trying again in 1.3s", "until END: the line is lost", "over"}},
		{"one of half a minute", 30 * time.Second, false, []string{
			"the line is lost; trying again in 30s", "until END: the line is lost", "going on after 30s: trying again", "over"}},
		{"a long one", 5 * time.Minute, false, []string{
			"the line is lost; trying again in 5m0s, at END", "until END: the line is lost", "going on after 5m0s: trying again", "over"}},
		{"stopped", 5 * time.Minute, true, []string{
			"the line is lost; trying again in 5m0s, at END", "until END: the line is lost", "over"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, stop := &listener{}, make(chan struct{})
				if c.stop {
					close(stop)
				}
				began := time.Now()
				err := newRun(Options{Watch: l, Stop: stop}).pause(context.Background(), c.long, "the line is lost", "trying again")
				if (err != nil) != c.stop || !c.stop && time.Since(began) != c.long {
					t.Errorf("after %s: %v", time.Since(began), err)
				}
				end := strings.NewReplacer("END", began.Add(c.long).Format("15:04:05"))
				for i, text := range c.want {
					c.want[i] = end.Replace(text)
				}
				if !slices.Equal(l.told, c.want) {
					t.Errorf("got  %q\nwant %q", l.told, c.want)
				}
			})
		})
	}
}
