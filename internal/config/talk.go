package config

import (
	"errors"

	"github.com/spf13/pflag"
)

// registerTalk registers what says whom else a run tells how it goes.
func (r *Run) registerTalk(f *pflag.FlagSet) {
	f.Var(&r.LogFormat, "log-format", "what is said on stderr, or in --log-file, as text or json: a line is then one object (`FORMAT`)")
	f.StringVar(&r.LogFile, "log-file", "", "append to `FILE` what is said, with the time, and a summary of each account. stderr keeps the "+
		"errors")
}

// A LogFormat says how a line of the log looks. The zero value is text.
type LogFormat struct{ JSON bool }

func (l *LogFormat) Set(text string) error {
	if text != "text" && text != "json" {
		return errors.New("not text or json")
	}
	l.JSON = text == "json"
	return nil
}

func (l *LogFormat) String() string {
	if l.JSON {
		return "json"
	}
	return "text"
}

func (l *LogFormat) Type() string { return "FORMAT" }
