package config

import (
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// A Source says where the value of a flag comes from.
type Source struct {
	Layer string // "flag", "environment", "account", "defaults"; "": built in
	Line  int    // of the file, for the latter two
}

// Sources are by the name of the flag.
type Sources map[string]Source

// A layer gives the values that one source has for a flag; none: it has not any.
type layer func(flag string) (values []string, line int)

// Said is all that is said of a run: by flags, in the environment, and by the config file. A flag goes before the
// environment, that before the account, that before [defaults].
type Said struct {
	File    *File   // nil: there is none
	Sources Sources // of the flags

	given, environment layer
}

// Hear gives the flags of a command that were not set on the command line what the environment (POP2IMAP_…) and the
// [defaults] of the file say. file may be nil. A value in the environment that is none is a [BadValue].
func Hear(f *pflag.FlagSet, file *File, getenv func(string) string) (*Said, error) {
	s := &Said{File: file, given: given(f), environment: func(flag string) ([]string, int) {
		if value := getenv(variable(flag)); value != "" && flag != "help" {
			return []string{value}, 0
		}
		return nil, 0
	}}
	var err error
	s.Sources, err = complete(f, s.given, s.environment, nil, file.layer())
	return s, err
}

// apart gives the parts of a list with commas.
func apart(list string) (parts []string) {
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// Job gives the job of an account, with the flags that register gives it. The error is the account's, or a [BadValue].
func (s *Said) Job(a *Account, register func(*Job, *pflag.FlagSet)) (*Job, error) {
	if a.Err != nil {
		return nil, a.Err
	}
	j, _, _, err := a.job(register, s.given, s.environment)
	return j, err
}

// job gives the job that the file and what goes before it make of an account, its flags, and where they come from. --from
// and --to are never another account's.
func (a *Account) job(register func(*Job, *pflag.FlagSet), before ...layer) (*Job, *pflag.FlagSet, Sources, error) {
	j, f := &Job{Account: a}, pflag.NewFlagSet("", pflag.ContinueOnError)
	register(j, f)
	layers := make([]layer, 2, len(layerNames))
	for i, l := range before {
		layers[i] = func(flag string) ([]string, int) {
			if l == nil || ofOneAccount(flag) {
				return nil, 0
			}
			return l(flag)
		}
	}
	sources, err := complete(f, append(layers, a.table.layer(), a.file.layer())...)
	if err != nil {
		return nil, nil, nil, err
	}
	return j, f, sources, ofEnvironment(sources, j.check())
}

// A Setting is one flag as it is in force.
type Setting struct {
	Key, Value string // the value as it could stand in the file
	Source
}

// OfAccount gives the settings of an account that can run, without those that nobody has set. What a command says is
// left out, and where a ping goes: they may hold a secret.
func (s *Said) OfAccount(a *Account) ([]Setting, error) {
	_, f, sources, err := a.job((*Job).Register, s.given, s.environment)
	return settings(f, sources), err
}

// OfRun gives those of f that are of the run.
func (s *Said) OfRun(f *pflag.FlagSet) (list []Setting) {
	ofRun := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.VisitAll(func(flag *pflag.Flag) {
		if s.File.ofRun.Lookup(flag.Name) != nil {
			ofRun.AddFlag(flag)
		}
	})
	return settings(ofRun, s.Sources)
}

func settings(f *pflag.FlagSet, sources Sources) (list []Setting) {
	f.VisitAll(func(flag *pflag.Flag) {
		value := flag.Value.String()
		switch t := flag.Value.Type(); {
		case value == "":
			return
		case t == "stringArray":
			if value = quoted(flag.Value.(pflag.SliceValue).GetSlice()); value == "[]" {
				return
			}
		case strings.HasSuffix(flag.Name, "-command") || flag.Name == "ping":
			value = `"..."`
		case t != "bool" && t != "int" && t != "count":
			value = strconv.Quote(value)
		}
		list = append(list, Setting{key(flag.Name), value, sources[flag.Name]})
	})
	return list
}

// quoted is a list of texts as the file has it.
func quoted(list []string) string {
	words := make([]string, len(list))
	for i, text := range list {
		words[i] = strconv.Quote(text)
	}
	return "[" + strings.Join(words, ", ") + "]"
}

func (t table) layer() layer {
	return func(flag string) ([]string, int) { return t[flag].values, t[flag].line }
}

// layer is that of [defaults].
func (f *File) layer() layer {
	if f == nil {
		return nil
	}
	return f.defaults.layer()
}

// variable is how a flag is called in the environment.
func variable(flag string) string {
	return "POP2IMAP_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// given is what the command line says, as it is now: later f may be completed.
func given(f *pflag.FlagSet) layer {
	values := map[string][]string{}
	f.Visit(func(flag *pflag.Flag) {
		if list, ok := flag.Value.(pflag.SliceValue); ok {
			values[flag.Name] = list.GetSlice()
		} else {
			values[flag.Name] = []string{flag.Value.String()}
		}
	})
	return func(flag string) ([]string, int) { return values[flag], 0 }
}

var layerNames = []string{"flag", "environment", "account", "defaults"}

// complete gives each flag the value of the first layer that has one. There is one for each of layerNames; nil: it has
// nothing.
func complete(f *pflag.FlagSet, layers ...layer) (Sources, error) {
	sources, values := Sources{}, map[string][]string{}
	f.VisitAll(func(flag *pflag.Flag) {
		for i := len(layers) - 1; i >= 0; i-- {
			if layers[i] == nil {
				continue
			}
			if v, line := layers[i](flag.Name); v != nil {
				values[flag.Name], sources[flag.Name] = v, Source{layerNames[i], line}
			}
		}
	})
	for _, side := range []string{"from", "to"} {
		outdo(sources, side+"-password-file", side+"-password-command")
	}
	for name, from := range sources {
		flag, list := f.Lookup(name), values[name]
		if _, repeats := flag.Value.(pflag.SliceValue); repeats && from.Layer == "environment" { // a variable is one text
			list = apart(list[0])
		}
		if err := set(flag, list); err != nil {
			return nil, refuse(name, from, err)
		}
	}
	return sources, nil
}

// outdo drops that of two ways to the same thing which comes from a later layer: a --from-password-command goes before
// the account's from_password_file.
func outdo(sources Sources, a, b string) {
	rank := func(flag string) int {
		for i, name := range layerNames {
			if sources[flag].Layer == name {
				return i
			}
		}
		return len(layerNames)
	}
	switch {
	case rank(a) < rank(b):
		delete(sources, b)
	case rank(b) < rank(a):
		delete(sources, a)
	}
}

// refuse says whose value is bad. The file's were tried before.
func refuse(flag string, from Source, err error) error {
	bad := &BadValue{Flag: flag, Err: err}
	if from.Layer == "environment" {
		bad.Name = variable(flag)
	}
	return bad
}
