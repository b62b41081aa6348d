package config

import (
	"errors"

	"github.com/spf13/pflag"
)

// Blame says of a [BadValue] that was found late where the value stands: in the environment, or on a line of [defaults]; then
// the error has class Config.
func (s *Said) Blame(err error) error {
	bad, ok := errors.AsType[*BadValue](err)
	if !ok {
		return err
	}
	if from := s.Sources[bad.Flag]; from.Layer == "defaults" {
		return fault(s.File.at(from.Line, "%s: %w", key(bad.Flag), bad.Err))
	}
	return ofEnvironment(s.Sources, err)
}

// ofEnvironment is Blame without the file: its values were tried when it was read.
func ofEnvironment(sources Sources, err error) error {
	bad, ok := errors.AsType[*BadValue](err)
	if !ok || sources[bad.Flag].Layer != "environment" {
		return err
	}
	return refuse(bad.Flag, sources[bad.Flag], bad.Err)
}

// Unfit is what is wrong with a value on the command line.
func Unfit(err *pflag.InvalidValueError) error {
	return &BadValue{Flag: err.GetFlag().Name, Err: plain(err.GetFlag(), err.Unwrap())}
}

// plain says in words what a flag can be that is of one of pflag's own types. The others do so themselves.
func plain(flag *pflag.Flag, err error) error {
	switch flag.Value.Type() {
	case "int", "count":
		return errors.New("not a whole number such as 4")
	case "bool":
		return errors.New("not true or false")
	case "duration":
		return errors.New("not a time span such as 30s, 2m or 1h")
	}
	return err
}
