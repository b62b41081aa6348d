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
