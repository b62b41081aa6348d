package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// prometheus FILE: it is in Prometheus' text format.
func prometheus(ts *testscript.TestScript, _ bool, args []string) {
	_, err := exposed(ts.ReadFile(args[0]))
	ts.Check(err)
}

var (
	helpLine   = regexp.MustCompile(`^# HELP ([a-z0-9_]+) ([^\\]+)$`)
	typeLine   = regexp.MustCompile(`^# TYPE ([a-z0-9_]+) (gauge|counter)$`)
	sampleLine = regexp.MustCompile(`^(([a-z0-9_]+)(?:\{account="(?:[^"\\\n]|\\["\\n])*"\})?) ([-+0-9.e]+)$`)
)

// exposed reads the text format strictly: each family has its HELP, its TYPE and then its samples, none of them twice; only
// counters are a _total; the last line ends too. It gives the samples.
func exposed(text string) (map[string]float64, error) {
	samples, families, family := map[string]float64{}, map[string]bool{}, ""
	if !strings.HasSuffix(text, "\n") {
		return nil, errors.New("the last line has no end")
	}
	kind, filled := "", false
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if m := helpLine.FindStringSubmatch(line); m != nil {
			if families[m[1]] || family != "" && !filled {
				return nil, fmt.Errorf("%s begins twice, or nothing was in %s", m[1], family)
			}
			family, kind, filled, families[m[1]] = m[1], "", false, true
		} else if m := typeLine.FindStringSubmatch(line); m != nil {
			if kind = m[2]; m[1] != family || (kind == "counter") != strings.HasSuffix(family, "_total") {
				return nil, fmt.Errorf("not the TYPE of %s: %s", family, line)
			}
		} else if m := sampleLine.FindStringSubmatch(line); m != nil {
			value, err := strconv.ParseFloat(m[3], 64)
			if _, twice := samples[m[1]]; twice || m[2] != family || kind == "" || err != nil {
				return nil, fmt.Errorf("not a sample of %s, or again: %s", family, line)
			}
			samples[m[1]], filled = value, true
		} else if !strings.HasPrefix(line, "# ") || strings.HasPrefix(line, "# HELP") || strings.HasPrefix(line, "# TYPE") {
			return nil, fmt.Errorf("not understood: %s", line)
		}
	}
	return samples, nil
}

// TestMetrics: what they tell of a run, and how long the time of the last success is remembered.
func TestMetrics(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.prom")
	odd := "a \"b\" \\ c\nd\xff"
	at := time.Unix(1764061757, 250e6)
	write := func(ended time.Time, exit int, accounts ...any) map[string]float64 {
		t.Helper()
		m := metrics{began: ended.Add(-90 * time.Second), ended: ended, summary: summaryJSON{"summary", exit, accounts},
			delivered: map[string]int{odd: 4810}}
		if err := m.write(path); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		samples, err := exposed(string(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		return samples
	}
	wants := func(samples map[string]float64, want map[string]float64) {
		t.Helper()
		for name, value := range want {
			if got, ok := samples[name]; got != value || ok == (value == -1) {
				if value != -1 || ok {
					t.Errorf("%s is %v (there: %v), want %v", name, got, ok, value)
				}
			}
		}
	}
	const escaped = `{account="a \"b\" \\ c\nd?"}`
	good := accountJSON{Account: odd, Listed: 4812, Known: 2626, Quarantined: 1, Copied: 2184, Recognised: 3, Refused: 2, Vanished: 4, InDoubt: 5,
		Missing: 1, Left: 6, Deleted: 7, Bytes: 901775360, Seconds: 59.5}
	wants(write(at, 77, good, accountJSON{Account: "bob", Exit: 77}), map[string]float64{
		"pop2imap_last_run_timestamp_seconds": 1764061757.25, "pop2imap_last_run_duration_seconds": 90, "pop2imap_last_run_exit_code": 77,
		successOfRun: -1, successOfAccount + escaped: 1764061757.25, successOfAccount + `{account="bob"}`: -1,
		"pop2imap_account_exit_code" + escaped: 0, `pop2imap_account_exit_code{account="bob"}`: 77,
		"pop2imap_account_listed_messages" + escaped: 4812, "pop2imap_account_known_messages" + escaped: 2626,
		"pop2imap_account_quarantined_messages" + escaped: 1, "pop2imap_account_copied_messages" + escaped: 2184,
		"pop2imap_account_copied_bytes" + escaped: 901775360, "pop2imap_account_recognised_messages" + escaped: 3,
		"pop2imap_account_refused_messages" + escaped: 2, "pop2imap_account_vanished_messages" + escaped: 4,
		"pop2imap_account_in_doubt_messages" + escaped: 6, "pop2imap_account_left_messages" + escaped: 6,
		"pop2imap_account_deleted_messages" + escaped: 7, "pop2imap_account_duration_seconds" + escaped: 59.5,
		"pop2imap_account_delivered_messages" + escaped: 4810, `pop2imap_account_delivered_messages{account="bob"}`: -1,
	})
	wants(write(at.Add(time.Hour), 0, good, accountJSON{Account: "bob"}), map[string]float64{
		successOfRun: 1764065357.25, successOfAccount + escaped: 1764065357.25, successOfAccount + `{account="bob"}`: 1764065357.25})
	good.Exit = 4
	wants(write(at.Add(2*time.Hour), 4, good, accountJSON{Account: "bob"}), map[string]float64{
		successOfRun: 1764065357.25, successOfAccount + escaped: 1764065357.25, successOfAccount + `{account="bob"}`: 1764068957.25})
	wants(write(at.Add(3*time.Hour), 74, good), map[string]float64{
		successOfRun: 1764065357.25, successOfAccount + escaped: 1764065357.25, successOfAccount + `{account="bob"}`: -1})
	if list, err := os.ReadDir(filepath.Dir(path)); err != nil || len(list) != 1 {
		t.Errorf("%v, %v: want the file alone", list, err)
	}
}
