package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/pflag"

	"github.com/pop2imap/pop2imap/internal/rules"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

// fileMax is more than anybody writes by hand, in octets.
const fileMax = 4 << 20

// A File is the config file (SPEC §6), checked. Its keys are the names of flags with "_" for "-": there is no other list of
// them. What is wrong with an account is kept with it, so that the others can run.
type File struct {
	Path     string
	Accounts []*Account // in the order of the file

	ofRun, ofAccount *pflag.FlagSet // the keys; values are tried on them
	lines            lines
	defaults         table
}

// An Account is what the file says of one.
type Account struct {
	Name string
	Err  error // why it cannot run: a *[sync.Error] of class Config, that names each bad key with its line; nil: it can

	file  *File
	table table
	rules *rules.Rules // nil: none
}

// Find reads the config file at path, or where path is "" the first that is there of
// $XDG_CONFIG_HOME/pop2imap/config.toml and /etc/pop2imap/config.toml; nil if none is. ofRun are the flags that are of a
// run as a whole: they can stand in [defaults] only, and are set while values are tried.
//
// Errors have class Config: the file is not there (only if path is not ""), others can write it, or something outside
// the accounts is wrong in it; each fault is named with its line. In the last case the file is returned all the same.
func Find(path string, ofRun *pflag.FlagSet, getenv func(string) string) (*File, error) {
	if path != "" {
		return read(path, ofRun)
	}
	for _, path := range places(getenv) {
		f, err := read(path, ofRun)
		if !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
	}
	return nil, nil
}

// NoFile says that there is no config file, and where it was looked for.
func NoFile(getenv func(string) string) error {
	return &sync.Error{Class: sync.Config, Err: fmt.Errorf("there is no config file: looked for %s", strings.Join(places(getenv), " and ")),
		Remedy: "pop2imap init writes one; name another with --config FILE"}
}

// places are where a config file can be.
func places(getenv func(string) string) (list []string) {
	if own := OwnPlace(getenv); own != "" {
		list = append(list, own)
	}
	return append(list, "/etc/pop2imap/config.toml")
}

// OwnPlace is where the config file of the user is, or would be (XDG Base Directory Specification); "" if he has no home.
func OwnPlace(getenv func(string) string) string {
	dir := getenv("XDG_CONFIG_HOME")
	if home := getenv("HOME"); !filepath.IsAbs(dir) && home != "" { // what is not absolute is to be ignored
		dir = filepath.Join(home, ".config")
	}
	if !filepath.IsAbs(dir) {
		return ""
	}
	return filepath.Join(dir, "pop2imap", "config.toml")
}

func read(path string, ofRun *pflag.FlagSet) (*File, error) {
	text, err := unshared(path)
	if err != nil {
		return nil, err
	}
	f := &File{Path: path, ofRun: pflag.NewFlagSet("", pflag.ContinueOnError), ofAccount: pflag.NewFlagSet("", pflag.ContinueOnError)}
	new(Job).Register(f.ofAccount)
	ofRun.VisitAll(func(flag *pflag.Flag) {
		if flag.Name != "config" { // too late for that
			f.ofRun.AddFlag(flag)
		}
	})
	var top map[string]any
	if err := toml.Unmarshal(text, &top); err != nil {
		return nil, f.unreadable(err)
	}
	f.lines = linesOf(text)
	if err := f.take(top); err != nil {
		return f, fault(err)
	}
	return f, nil
}

// unshared reads a file that nobody else can write: the commands in it would be run.
func unshared(path string) ([]byte, error) {
	wrong := func(err error) error {
		return &sync.Error{Class: sync.Config, Err: fmt.Errorf("read the config: %w", err)}
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, wrong(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, wrong(err)
	}
	if mode := info.Mode(); mode.IsRegular() && mode.Perm()&0o022 != 0 {
		return nil, &sync.Error{Class: sync.Config, Err: fmt.Errorf("others can write the config %s (mode %04o), and so have commands run",
			path, mode.Perm()), Remedy: "chmod go-w " + path}
	}
	text, err := io.ReadAll(io.LimitReader(file, fileMax+1))
	if err == nil && len(text) > fileMax {
		err = fmt.Errorf("%s is larger than %d octets", path, fileMax)
	}
	if err != nil {
		return nil, wrong(err)
	}
	return text, nil
}

// unreadable is what is wrong with a file that is not TOML.
func (f *File) unreadable(err error) error {
	if e, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, _ := e.Position()
		err = f.at(line, "%s", strings.TrimPrefix(e.Error(), "toml: "))
	}
	return &sync.Error{Class: sync.Config, Err: err, Remedy: "mend the file, which is TOML: texts stand in quotes, lists in brackets"}
}

func fault(err error) error {
	return &sync.Error{Class: sync.Config, Err: err, Remedy: "mend the file, and look again with pop2imap config validate"}
}

// at is an error on a line of the file.
func (f *File) at(line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %w", f.Path, line, fmt.Errorf(format, args...))
}

// take takes what the file holds, and gives all that is wrong outside the accounts.
func (f *File) take(top map[string]any) error {
	var wrong []error
	for _, name := range f.lines.inOrder(top) {
		if name != "defaults" && name != "accounts" {
			wrong = append(wrong, f.at(f.lines.of(name), "unknown table or key %q%s", name,
				Meant(name, []string{"defaults", "accounts"})))
		}
	}
	defaults, err := f.subtables(top, "defaults")
	if err == nil {
		f.defaults, err = f.table(defaults, "defaults")
	}
	wrong = append(wrong, err)
	accounts, err := f.subtables(top, "accounts")
	wrong = append(wrong, err)
	for _, name := range f.lines.inOrder(accounts, "accounts") {
		a := &Account{Name: name, file: f}
		if err := a.take(accounts); err != nil {
			a.Err = fault(err)
		}
		f.Accounts = append(f.Accounts, a)
	}
	f.distinct()
	return errors.Join(wrong...)
}

// Choose gives the accounts with these names, in this order, or all of the file when none is named. A name that is not
// there is a [BadValue] that tells the nearest.
func (f *File) Choose(names []string) ([]*Account, error) {
	if len(names) == 0 && len(f.Accounts) == 0 {
		return nil, &sync.Error{Class: sync.Config, Err: fmt.Errorf("the config %s has no account", f.Path),
			Remedy: "write one, [accounts.NAME] with from and to, or say --from and --to"}
	}
	if len(names) == 0 {
		return f.Accounts, nil
	}
	var list []*Account
	for _, name := range names {
		i := slices.IndexFunc(f.Accounts, func(a *Account) bool { return a.Name == name })
		if i < 0 {
			return nil, bad("", "the config %s has no account %q%s", f.Path, name, Meant(name, f.Names()))
		}
		if !slices.Contains(list, f.Accounts[i]) {
			list = append(list, f.Accounts[i])
		}
	}
	return list, nil
}

// Names are those of all accounts.
func (f *File) Names() (names []string) {
	for _, a := range f.Accounts {
		names = append(names, a.Name)
	}
	return names
}

// subtables gives the table at the last of the names; nil if there is none.
func (f *File) subtables(in map[string]any, path ...string) (map[string]any, error) {
	name := path[len(path)-1]
	t, ok := in[name].(map[string]any)
	if _, there := in[name]; there && !ok {
		return nil, f.at(f.lines.of(path...), "%s must be a table", strings.Join(path, "."))
	}
	return t, nil
}

// take takes what the file holds of the account. The error tells all that is wrong.
func (a *Account) take(accounts map[string]any) error {
	keys, err := a.file.subtables(accounts, "accounts", a.Name)
	if err != nil {
		return err
	}
	// The name goes into the names of files and of variables in the environment.
	if strings.Trim(a.Name, nameLetters) != "" || len(a.Name) > 64 || !filepath.IsLocal(a.Name) {
		return a.file.at(a.Line(), "an account's name is 1 to 64 letters, digits, and . _ - + @")
	}
	keys = maps.Clone(keys)
	wrong := a.takeRules(keys)
	a.table, err = a.file.table(keys, "accounts", a.Name)
	if err := errors.Join(wrong, err); err != nil {
		return err
	}
	_, _, _, err = a.job((*Job).Register) // with nothing else said: so that each fault has its line
	if bad, ok := errors.AsType[*BadValue](err); ok {
		return a.file.at(a.lineOf(bad.Flag), "%s: %w", key(bad.Flag), bad.Err)
	}
	return err
}

const nameLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+@"

// Line is where the account begins.
func (a *Account) Line() int { return a.file.lines.of("accounts", a.Name) }

// lineOf is where the value of a flag stands that the account has, or the account itself.
func (a *Account) lineOf(flag string) int {
	for _, t := range []table{a.table, a.file.defaults} {
		if e, ok := t[flag]; ok {
			return e.line
		}
	}
	return a.Line()
}

// distinct marks accounts that cannot be told from an earlier one.
func (f *File) distinct() {
	names, ends := map[string]*Account{}, map[state.Key]*Account{}
	for _, a := range f.Accounts {
		if a.Err != nil {
			continue
		}
		job, _, _, _ := a.job((*Job).Register) // its error would be in a.Err
		variable := a.variable("from")
		if b := names[variable]; b != nil {
			a.Err = fault(f.at(a.Line(), "accounts %s and %s (line %d) would have the same variable %s", a.Name, b.Name, b.Line(), variable))
		} else if b := ends[job.Key()]; b != nil {
			a.Err = fault(f.at(a.Line(), "accounts %s and %s (line %d) have the same two ends", a.Name, b.Name, b.Line()))
		}
		names[variable], ends[job.Key()] = a, a
	}
}
