package main

import (
	"testing"

	"github.com/spf13/pflag"
)

// TestChoicesAreTaken: what a shell proposes for a flag, the flag takes.
func TestChoicesAreTaken(t *testing.T) {
	for _, c := range everyCommand(program0().root()) {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			for _, value := range choices[f.Name] {
				if err := c.Flags().Set(f.Name, value); err != nil {
					t.Errorf("%s --%s does not take %q: %v", c.CommandPath(), f.Name, value, err)
				}
			}
		})
	}
}

// TestChoicesAreProposed: a flag that takes one of a few words, as the name of its value says, has them proposed.
func TestChoicesAreProposed(t *testing.T) {
	words := map[string]bool{"WHEN": true, "LEVEL": true, "MODE": true, "FORMAT": true}
	seen := 0
	for _, c := range everyCommand(program0().root()) {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if what, _ := pflag.UnquoteUsage(f); !words[what] {
				return
			}
			seen++
			if len(choices[f.Name]) == 0 {
				t.Errorf("%s --%s: nothing is proposed", c.CommandPath(), f.Name)
			}
		})
	}
	if seen < 5 {
		t.Errorf("%d such flags, want at least 5", seen)
	}
}
