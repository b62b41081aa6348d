package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// release is for who builds without git, as from a tarball: -ldflags "-X main.release=v1.2.3". Else Go says it.
var release string

func (p *program) version() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print version, commit and date of this program",
		Long: `version prints the version, the commit that the program was built from, the date
of that commit, and the version of Go. What was built by go install
MODULE@VERSION knows of no commit: the version says which it is.`,
		Example: `  pop2imap version`,
		Args:    noArguments,
		RunE:    func(*cobra.Command, []string) error { return p.printVersion() },
	}
}

func (p *program) printVersion() error {
	_, err := fmt.Fprintln(p.out, thisProgram())
	return err
}

func thisProgram() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = new(debug.BuildInfo)
	}
	return built(release, info)
}

// built says from what a program was made. An empty release means that Go knows it, from git or from the module proxy.
func built(release string, info *debug.BuildInfo) string {
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	text := "pop2imap " + cmp.Or(release, info.Main.Version, "(devel)")
	if commit := settings["vcs.revision"]; commit != "" {
		text += fmt.Sprintf(", commit %.12s of %s", commit, settings["vcs.time"])
		if settings["vcs.modified"] == "true" {
			text += " with changes"
		}
	}
	return text + ", " + runtime.Version()
}
