package config

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pop2imap/pop2imap/internal/units"
	"github.com/pop2imap/pop2imap/sync"
)

// The values below are flags (pflag.Value). The zero value of each means that it was not given. What String gives, Set
// takes: so a value goes from the command line to each account.

// A Size is a number of octets: 500, 25M, 1.5GiB.
type Size = units.Size

// An Age is a time span: 12h, 30d, 2w, 1y (365 days).
type Age = units.Age

// A Rate is a size a second: 500K/s, or 500K.
type Rate struct{ Size }

func (r *Rate) Set(text string) error {
	return r.Size.Set(strings.TrimSuffix(strings.TrimSpace(text), "/s"))
}

func (r *Rate) Type() string { return "SIZE/s" }

// A Date is a day in the local time zone, or an instant with its own.
type Date struct {
	time.Time
	day bool
}

func (d *Date) Set(text string) (err error) {
	if d.Time, err = time.ParseInLocation(time.DateOnly, text, time.Local); err == nil {
		d.day = true
		return nil
	}
	if d.Time, err = time.Parse(time.RFC3339, text); err == nil {
		d.day = false
		return nil
	}
	return errors.New("not a date such as 2020-01-31 or 2020-01-31T12:00:00+01:00")
}

func (d *Date) String() string {
	if d.IsZero() {
		return ""
	}
	if d.day {
		return d.Format(time.DateOnly)
	}
	return d.Format(time.RFC3339)
}

func (d *Date) Type() string { return "DATE" }

// End is the first instant after the date; zero stays zero.
func (d *Date) End() time.Time {
	if d.day {
		return d.AddDate(0, 0, 1)
	}
	return d.Time
}

// A Mode says how flags are set.
type Mode sync.FlagMode

var modes = []string{sync.Infer: "infer", sync.Seen: "seen", sync.Unseen: "unseen"}

func (m *Mode) Set(text string) error {
	for i, name := range modes {
		if text == name {
			*m = Mode(i)
			return nil
		}
	}
	return fmt.Errorf("not one of %s", strings.Join(modes, ", "))
}

func (m *Mode) String() string { return modes[*m] }
func (m *Mode) Type() string   { return "MODE" }

// A Level says how closely a copy is looked at.
type Level sync.Level

var levels = []sync.Level{sync.Unproved, sync.BySize, sync.ByDigest}

func (l *Level) Set(text string) error {
	for _, level := range levels {
		if text == level.String() {
			*l = Level(level)
			return nil
		}
	}
	return errors.New("not one of off, size, digest")
}

func (l *Level) String() string { return sync.Level(*l).String() }
func (l *Level) Type() string   { return "LEVEL" }

// proof is a level at which something is looked at.
type proof struct{ *Level }

func (p proof) Set(text string) error {
	if p.Level.Set(text) != nil || *p.Level == Level(sync.Unproved) {
		return errors.New("not size or digest")
	}
	return nil
}

// A Deletion says when a message is deleted at the source. The zero value is never.
type Deletion struct {
	On  bool
	Age Age // since it was delivered
}

func (d *Deletion) Set(text string) error {
	switch text {
	case "never":
		*d = Deletion{}
		return nil
	case "verified":
		*d = Deletion{On: true}
		return nil
	}
	var age Age
	if age.Set(text) != nil {
		return errors.New("not never, verified, or an age such as 14d")
	}
	*d = Deletion{On: true, Age: age}
	return nil
}

func (d *Deletion) String() string {
	switch {
	case !d.On:
		return "never"
	case d.Age == 0:
		return "verified"
	}
	return d.Age.String()
}

func (d *Deletion) Type() string { return "WHEN" }

// A Limit is a number of messages, or a share of them: 500, 10%.
type Limit struct{ Most, Percent int }

func (l *Limit) Set(text string) error {
	digits, share := strings.CutSuffix(text, "%")
	n, err := strconv.ParseUint(digits, 10, 31)
	if err != nil || n == 0 || share && n > 100 { // 0 is "no limit" to package sync, and would not be to the user
		return errors.New("not a number such as 500 or 10% (to delete nothing: --delete never)")
	}
	if *l = (Limit{Most: int(n)}); share {
		*l = Limit{Percent: int(n)}
	}
	return nil
}

func (l *Limit) String() string {
	switch {
	case l.Percent > 0:
		return strconv.Itoa(l.Percent) + "%"
	case l.Most > 0:
		return strconv.Itoa(l.Most)
	}
	return ""
}

func (l *Limit) Type() string { return "N" }

// A Fingerprint is the SHA-256 of a certificate.
type Fingerprint []byte

func (f *Fingerprint) Set(text string) error {
	digits, ok := strings.CutPrefix(strings.ToLower(text), "sha256:")
	sum, err := hex.DecodeString(strings.ReplaceAll(digits, ":", ""))
	if !ok || err != nil || len(sum) != 32 {
		return errors.New("not sha256: and 64 hex digits")
	}
	*f = sum
	return nil
}

func (f *Fingerprint) String() string {
	if len(*f) == 0 {
		return ""
	}
	return "sha256:" + hex.EncodeToString(*f)
}

func (f *Fingerprint) Type() string { return "sha256:HEX" }
