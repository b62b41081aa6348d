package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/pop2imap/pop2imap/internal/config"
)

// metrics are what --metrics tells Prometheus of a pass, in the format that the textfile collector of node_exporter reads
// (Prometheus' text-based exposition format, 0.0.4). All are gauges: they are of the last run, or of now.
type metrics struct {
	began, ended time.Time
	summary      summaryJSON
	delivered    map[string]int // by account, as far as it is known
}

// metricsStart begins a file of metrics: the format has it as a comment.
const metricsStart = "# pop2imap --metrics"

// The two times that outlive a run that failed: the next file has them from the one before.
const (
	successOfRun     = "pop2imap_last_success_timestamp_seconds"
	successOfAccount = "pop2imap_account_last_success_timestamp_seconds"
)

// ofAccounts are the metrics of each account, by what --json says of it.
var ofAccounts = []struct {
	name, help string
	value      func(accountJSON) float64
}{
	{"exit_code", "Exit code of the account in the last run: pop2imap help exit-codes.", func(a accountJSON) float64 { return float64(a.Exit) }},
	{"duration_seconds", "How long the last run took.", func(a accountJSON) float64 { return a.Seconds }},
	{"listed_messages", "Messages in the maildrop; 0 where the last run did not get so far.", func(a accountJSON) float64 { return float64(a.Listed) }},
	{"known_messages", "Of those: delivered before the last run.", func(a accountJSON) float64 { return float64(a.Known) }},
	{"quarantined_messages", "Of those: refused before, and not yet due for another try.", func(a accountJSON) float64 { return float64(a.Quarantined) }},
	{"copied_messages", "Messages that the last run copied.", func(a accountJSON) float64 { return float64(a.Copied) }},
	{"copied_bytes", "Octets of the messages that the last run copied.", func(a accountJSON) float64 { return float64(a.Bytes) }},
	{"recognised_messages", "Messages that the last run found at the destination.", func(a accountJSON) float64 { return float64(a.Recognised) }},
	{"refused_messages", "Messages that the destination refused in the last run.", func(a accountJSON) float64 { return float64(a.Refused) }},
	{"vanished_messages", "Messages that the maildrop lists and did not give.", func(a accountJSON) float64 { return float64(a.Vanished) }},
	{"in_doubt_messages", "Messages of which nobody knows whether they were stored.", func(a accountJSON) float64 { return float64(a.InDoubt + a.Missing) }},
	{"left_messages", "Messages that the last run left for the next.", func(a accountJSON) float64 { return float64(a.Left) }},
	{"deleted_messages", "Messages that the last run deleted at the source.", func(a accountJSON) float64 { return float64(a.Deleted) }},
}

// checkMetrics looks, before anything is touched, whether the file can be written at the end.
func checkMetrics(path string) error {
	if path == "" {
		return nil
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() { // it would not be any more
		return &config.BadValue{Flag: "metrics", Err: fmt.Errorf("%s is no file", path)}
	}
	if err := foreign(path, "metrics", "file of metrics", metricsStart); err != nil {
		return err
	}
	file, err := beside(path)
	if err != nil {
		return fileError("metrics", err)
	}
	file.Close()
	if err := os.Remove(file.Name()); err != nil {
		return fileError("metrics", err)
	}
	return nil
}

// write puts them in the place of those that were there: the collector sees these, or those, and never a part.
func (m metrics) write(path string) error {
	err := foreign(path, "metrics", "file of metrics", metricsStart) // meanwhile it may be: the state of this run, if that is called so
	if bad, ok := errors.AsType[*config.BadValue](err); ok {
		err = bad.Err
	}
	if err != nil {
		return fileError("metrics", err)
	}
	before, err := successes(path)
	if err != nil {
		return fileError("metrics", err)
	}
	if err := replace(path, m.text(before), 0o644); err != nil { // the collector is another user
		return fileError("metrics", err)
	}
	return nil
}

// successes gives the values of the two times in a file that an earlier run wrote, by name and labels.
func successes(path string) (map[string]string, error) {
	found := map[string]string{}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return found, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := lines.Text()
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || !strings.HasPrefix(line, successOfRun+" ") && !strings.HasPrefix(line, successOfAccount+"{") {
			continue
		}
		if _, err := strconv.ParseFloat(line[at+1:], 64); err == nil {
			found[line[:at]] = line[at+1:]
		}
	}
	return found, lines.Err()
}

// text is the file. before are the times of the last success until now.
func (m metrics) text(before map[string]string) string {
	var accounts []accountJSON
	for _, line := range m.summary.Accounts {
		if a, ok := line.(accountJSON); ok {
			accounts = append(accounts, a)
		}
	}
	success := func(name string, exit int) string {
		if exit == 0 {
			return number(seconds(m.ended))
		}
		return before[name]
	}
	e := &exposition{}
	fmt.Fprintf(e, "%s: of the run that ended last. Each cron job needs a file of its own.\n", metricsStart)
	e.family("pop2imap_last_run_timestamp_seconds", "When the last run ended.")
	e.sample("", number(seconds(m.ended)))
	e.family("pop2imap_last_run_duration_seconds", "How long it took.")
	e.sample("", number(m.ended.Sub(m.began).Seconds()))
	e.family("pop2imap_last_run_exit_code", "Its exit code: pop2imap help exit-codes.")
	e.sample("", strconv.Itoa(m.summary.Exit))
	e.family(successOfRun, "When the last run ended that had exit code 0.")
	e.sample("", success(successOfRun, m.summary.Exit))
	e.family(successOfAccount, "When the last run ended in which the account had exit code 0.")
	for _, a := range accounts {
		e.sample(label(a), success(successOfAccount+label(a), a.Exit))
	}
	for _, f := range ofAccounts {
		e.family("pop2imap_account_"+f.name, f.help)
		for _, a := range accounts {
			e.sample(label(a), number(f.value(a)))
		}
	}
	e.family("pop2imap_account_delivered_messages", "Messages that the state knows as delivered.")
	for _, a := range accounts {
		if n, ok := m.delivered[a.Account]; ok {
			e.sample(label(a), strconv.Itoa(n))
		}
	}
	return e.String()
}

// An exposition is a text of gauges.
type exposition struct {
	strings.Builder
	name, help string // of the family that is to come
	begun      bool   // it has
}

func (e *exposition) family(name, help string) { e.name, e.help, e.begun = name, help, false }

// sample adds one to the family; "": it has no value.
func (e *exposition) sample(label, value string) {
	if value == "" {
		return
	}
	if !e.begun {
		fmt.Fprintf(e, "# HELP %s %s\n# TYPE %[1]s gauge\n", e.name, e.help)
		e.begun = true
	}
	fmt.Fprintf(e, "%s%s %s\n", e.name, label, value)
}

var escapeLabel = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func label(a accountJSON) string {
	return `{account="` + escapeLabel.Replace(strings.ToValidUTF8(a.Account, "?")) + `"}`
}

// seconds are those since 1970, to the millisecond.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
