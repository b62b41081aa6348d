package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestManualHasAll: a page for each command that help shows, with all its flags, and one for each topic, by themselves.
func TestManualHasAll(t *testing.T) {
	root := program0().root()
	pages, err := manual(root, "")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]*cobra.Command{}
	for _, c := range everyCommand(root) {
		if c.HasParent() && c.IsAvailableCommand() {
			want["man1/"+strings.ReplaceAll(c.CommandPath(), " ", "-")+".1"] = c
		}
	}
	if len(want) < 15 {
		t.Errorf("%d commands, want at least 15", len(want))
	}
	for path, c := range want {
		page := strings.ReplaceAll(pages[path], `\-`, "-")
		if page == "" {
			t.Errorf("%s is not there", path)
			continue
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && !strings.Contains(page, "--"+f.Name) {
				t.Errorf("%s does not have --%s", path, f.Name)
			}
		})
	}
	for _, topic := range topics() {
		if pages["man7/pop2imap-"+topic.name+".7"] == "" {
			t.Errorf("there is no page for the topic %s", topic.name)
		}
	}
}
