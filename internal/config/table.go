package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/pflag"
)

// A table gives what stands at a key of the file, by the name of the flag.
type table map[string]entry

type entry struct {
	values []string // more than one only for a flag that may be repeated
	line   int
}

// key is how a flag is called in the file.
func key(flag string) string { return strings.ReplaceAll(flag, "-", "_") }

// table takes the keys of [defaults] or of an account. The error tells all that is wrong with them.
func (f *File) table(keys map[string]any, path ...string) (table, error) {
	t := table{}
	var wrong []error
	for _, name := range f.lines.inOrder(keys, path...) {
		line := f.lines.of(append(slices.Clone(path), name)...)
		flag, err := f.flag(name, path[0] == "accounts")
		if err != nil {
			wrong = append(wrong, f.at(line, "%w", err))
			continue
		}
		values, err := texts(keys[name], flag)
		if err == nil {
			err = set(flag, values)
		}
		if err != nil {
			wrong = append(wrong, f.at(line, "%s: %w", name, err))
			continue
		}
		t[flag.Name] = entry{values, line}
	}
	return t, errors.Join(wrong...)
}

// flag is the one that a key stands for. The error says what may have been meant.
func (f *File) flag(name string, inAccount bool) (*pflag.Flag, error) {
	one, all := f.ofAccount.Lookup(flagOf(name)), f.ofRun.Lookup(flagOf(name))
	switch {
	case one != nil && (inAccount || !ofOneAccount(one.Name)):
		return one, nil
	case one != nil:
		return nil, fmt.Errorf("%s is of one account: it belongs into [accounts.NAME]", name)
	case all != nil && !inAccount:
		return all, nil
	case all != nil:
		return nil, fmt.Errorf("%s is of the whole run: it belongs into [defaults]", name)
	}
	if name == "rules" {
		return nil, errors.New("rules are of one account: write [[accounts.NAME.rules]]")
	}
	if name == "password" || name == "from_password" || name == "to_password" {
		return nil, fmt.Errorf("%s: a password must not stand in this file: use from_password_command, from_password_file, "+
			"the same with to, or pop2imap secret set", name)
	}
	var known []string
	add := func(flag *pflag.Flag) {
		if inAccount || !ofOneAccount(flag.Name) {
			known = append(known, key(flag.Name))
		}
	}
	f.ofAccount.VisitAll(add)
	if inAccount {
		known = append(known, "rules")
	}
	if !inAccount {
		f.ofRun.VisitAll(add)
	}
	return nil, fmt.Errorf("unknown key %q%s", name, Meant(key(name), known))
}

// flagOf is the name of the flag that a key stands for: the key with dashes, but no key has a dash.
func flagOf(name string) string {
	if strings.Contains(name, "-") {
		return ""
	}
	return strings.ReplaceAll(name, "_", "-")
}

// ofOneAccount says whether a flag cannot be the same for two accounts.
func ofOneAccount(flag string) bool { return flag == "from" || flag == "to" }

// texts are the values of a key as they would be written behind the flag.
func texts(value any, flag *pflag.Flag) ([]string, error) {
	list, ok := value.([]any)
	if _, repeats := flag.Value.(pflag.SliceValue); ok && !repeats {
		return nil, errors.New("it takes one value, not a list")
	}
	if !ok {
		list = []any{value}
	}
	var words []string
	for _, v := range list {
		switch v := v.(type) {
		case string:
			words = append(words, v)
		case bool, int64, float64, toml.LocalDate:
			words = append(words, fmt.Sprint(v))
		case time.Time:
			words = append(words, v.Format(time.RFC3339))
		default:
			return nil, errors.New("it takes a text in quotes, a number, true or false, or a date")
		}
	}
	return words, nil
}

// set gives a flag its values, one but for a flag that may be repeated.
func set(flag *pflag.Flag, values []string) error {
	if isPath(flag) {
		values = atHome(values)
	}
	if list, ok := flag.Value.(pflag.SliceValue); ok {
		return list.Replace(values)
	}
	if err := flag.Value.Set(values[0]); err != nil {
		return plain(flag, err)
	}
	return nil
}

func isPath(flag *pflag.Flag) bool {
	placeholder, _ := pflag.UnquoteUsage(flag)
	return placeholder == "FILE" || flag.Name == "flags-from"
}

// atHome does for paths from where no shell has been what a shell does: else there would be a folder called ~.
func atHome(paths []string) []string {
	home, err := os.UserHomeDir()
	if err != nil {
		return paths
	}
	list := slices.Clone(paths)
	for i, path := range list {
		if rest, ok := strings.CutPrefix(path, "~/"); ok {
			list[i] = filepath.Join(home, rest)
		}
	}
	return list
}
