package config

import (
	"errors"
	"strings"
	"time"
)

// A Span is a time that may pass: 90m, 6h, 2d. The zero value is none, and can be said: 0.
type Span time.Duration

func (s *Span) Set(text string) error {
	var age Age
	if age.Set(text) == nil {
		*s = Span(age)
		return nil
	}
	d, err := time.ParseDuration(strings.TrimSpace(text))
	if err != nil || d < 0 {
		return errors.New("not a time such as 90m, 6h or 2d")
	}
	*s = Span(d)
	return nil
}

func (s *Span) String() string {
	if d := time.Duration(*s); d == 0 || d%time.Hour != 0 {
		return d.String()
	}
	age := Age(*s)
	return age.String()
}

func (s *Span) Type() string { return "D" }
