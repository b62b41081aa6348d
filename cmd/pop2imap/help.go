package main

import (
	"embed"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/spf13/cobra"
)

// The topics are texts of their own: the first line says what each is about.
//
//go:embed help/*.txt
var topicFiles embed.FS

// A topic is something to read that is no command.
type topic struct{ name, short, text string }

// topics gives them by name, in the order of the alphabet.
func topics() []topic {
	files, err := topicFiles.ReadDir("help")
	if err != nil { // they are in the program
		panic(err)
	}
	var all []topic
	for _, f := range files {
		raw, err := topicFiles.ReadFile(path.Join("help", f.Name()))
		if err != nil {
			panic(err)
		}
		short, text, _ := strings.Cut(string(raw), "\n\n")
		all = append(all, topic{strings.TrimSuffix(f.Name(), ".txt"), short, text})
	}
	return all
}

// help is the command that shows the help of a command, or a topic. A topic goes before a command of the same name, which
// has --help too.
func (p *program) help() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "help [COMMAND | TOPIC]",
		Short: "Help about a command, or about a topic",
		Long: `help shows what --help shows of a command, or what there is to know about a
topic. Without either it lists them all.`,
		Example: `  pop2imap help sync
  pop2imap help gmail`,
		RunE: func(cmd *cobra.Command, args []string) error { return p.helpAbout(cmd.Root(), args) },
	}
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []string
		for _, c := range cmd.Root().Commands() {
			if c.IsAvailableCommand() {
				names = append(names, c.Name()+"\t"+c.Short)
			}
		}
		for _, t := range topics() {
			names = append(names, t.name+"\t"+t.short)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
	return cmd
}

func (p *program) helpAbout(root *cobra.Command, args []string) error {
	if len(args) == 1 {
		for _, t := range topics() {
			if t.name == args[0] {
				_, err := fmt.Fprintf(p.out, "%s\n\n%s", t.short, t.text)
				return err
			}
		}
	}
	cmd, rest, err := root.Find(args)
	if err != nil || len(rest) > 0 {
		return &usage{fmt.Errorf("there is no command and no topic %q", strings.Join(args, " "))}
	}
	cmd.InitDefaultHelpFlag() // as --help shows it
	return cmd.Help()
}

// helpWidth is what is set for: a terminal as it comes.
const helpWidth = 80

// usageText is what --help says below the text of a command. cobra's own does not break what flags say, and a template of
// cobra's would make the program a sixth larger.
func usageText(c *cobra.Command) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage:\n  %s\n", c.UseLine())
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "  %s [command]\n", c.CommandPath())
	}
	fmt.Fprintf(&b, "\nExamples:\n%s\n", c.Example)
	if c.HasAvailableSubCommands() {
		b.WriteString("\nAvailable Commands:\n")
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() || sub.Name() == "help" {
				fmt.Fprintf(&b, "  %-*s %s\n", sub.NamePadding(), sub.Name(), sub.Short)
			}
		}
	}
	fmt.Fprintf(&b, "\nFlags:\n%s\n", strings.TrimRight(c.LocalFlags().FlagUsagesWrapped(helpWidth), "\n"))
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\nUse \"%s [command] --help\" for more information about a command.\n", c.CommandPath())
	}
	_, err := io.WriteString(c.OutOrStderr(), b.String())
	return err
}

// listTopics has the help of the program itself end with the topics.
func listTopics(root *cobra.Command) {
	show := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		show(cmd, args)
		if cmd == root {
			printTopics(cmd.OutOrStdout())
		}
	})
}

func printTopics(w io.Writer) {
	fmt.Fprintln(w, "\nTopics, to be read with pop2imap help TOPIC:")
	for _, t := range topics() {
		fmt.Fprintf(w, "  %-14s%s\n", t.name, t.short)
	}
}
