package config

import (
	"testing"
	"time"
)

// A pass a minute is the most that servers are asked for, and a dry run is made once.
func TestEvery(t *testing.T) {
	for _, c := range []struct {
		name string
		run  Run
		good bool
	}{
		{"one pass", Run{}, true},
		{"a dry run", Run{DryRun: true}, true},
		{"each quarter of an hour", Run{Every: 15 * time.Minute}, true},
		{"each minute", Run{Every: time.Minute}, true},
		{"each minute, nearly", Run{Every: time.Minute - 1}, false},
		{"less than nothing", Run{Every: -time.Hour}, false},
		{"each second, in a test", Run{Every: time.Second, Shortest: time.Second}, true},
	} {
		c.run.Jobs, c.run.State = 1, "state.db"
		if err := c.run.Check(nil); (err == nil) != c.good {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
