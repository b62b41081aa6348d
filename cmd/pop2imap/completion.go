package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// completion is the command that prints what a shell needs to complete commands, flags and their values.
func (p *program) completion() *cobra.Command {
	shells := []string{"bash", "zsh", "fish"}
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print what makes bash, zsh or fish complete this command",
		Long: `completion prints a script for bash, zsh or fish. With it the Tab key completes
commands, flags, and the values of flags that take one of a few. The packages
bring it along; this is for a program that was installed by hand.`,
		Example: `  pop2imap completion bash > ~/.local/share/bash-completion/completions/pop2imap
  pop2imap completion zsh > "${fpath[1]}/_pop2imap"
  pop2imap completion fish > ~/.config/fish/completions/pop2imap.fish`,
		ValidArgs: shells,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(shells, args[0]) {
				return &usage{fmt.Errorf("the name of one shell is needed: %s", strings.Join(shells, ", "))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch root := cmd.Root(); args[0] {
			case "bash":
				return root.GenBashCompletionV2(p.out, true)
			case "zsh":
				return root.GenZshCompletion(p.out)
			default:
				return root.GenFishCompletion(p.out, true)
			}
		},
	}
}

// choices are the values of flags that take one of a few, or have some with a name.
var choices = map[string][]string{
	"delete":     {"never", "verified"},
	"flags":      {"infer", "seen", "unseen"},
	"junk":       {"off", "auto"},
	"level":      {"size", "digest"},
	"log-format": {"text", "json"},
	"progress":   {"auto", "always", "never"},
	"sent":       {"auto", "off"},
	"verify":     {"off", "size", "digest"},
}

// complete says of each command and flag what can stand behind it. A shell proposes the files of the folder where nothing
// is said, which is right where the help says FILE.
func (p *program) complete(cmd *cobra.Command) {
	switch {
	case cmd.ValidArgs != nil || cmd.ValidArgsFunction != nil || strings.Contains(cmd.Use, "FILE"):
	case strings.Contains(cmd.Use, "[ACCOUNT...]"):
		cmd.ValidArgsFunction = p.accountNames
	default:
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if what, _ := pflag.UnquoteUsage(f); what == "FILE" {
			return
		}
		values := cobra.FixedCompletions(choices[f.Name], cobra.ShellCompDirectiveNoFileComp)
		if err := cmd.RegisterFlagCompletionFunc(f.Name, values); err != nil { // each is there, and once
			panic(err)
		}
	})
	for _, c := range cmd.Commands() {
		p.complete(c)
	}
}

// accountNames gives the accounts of the config file that are not on the command line yet; none if there is no such file, or
// one that cannot be read: this is not the place to say so.
func (p *program) accountNames(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	path, err := cmd.Flags().GetString("config")
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	if said, err := p.hear(cmd.Flags(), path); err == nil && said.File != nil {
		names = slices.DeleteFunc(said.File.Names(), func(name string) bool { return slices.Contains(args, name) })
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
