package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// mechanisms are those of the arguments auth=MECH.
func mechanisms(args []string) (list []string) {
	for _, a := range args {
		if mech, ok := strings.CutPrefix(a, "auth="); ok {
			list = append(list, strings.ToUpper(mech))
		}
	}
	return list
}

// answer COMMAND REPLY: the maildrop says so (\r\n between lines) to each command that begins so; answer nothing: it does as it should.
func answerSo(ts *testscript.TestScript, _ bool, args []string) {
	set(ts, func(f *faults) {
		f.answered, f.reply = "", ""
		if args[0] != "nothing" {
			f.answered, f.reply = args[0], strings.ReplaceAll(args[1], `\r\n`, "\r\n")
		}
	})
}

// hang COMMAND: the maildrop never answers a command that begins so; hang nothing: it does, and sessions that waited end.
func hang(ts *testscript.TestScript, _ bool, args []string) {
	command := args[0]
	if command == "nothing" {
		command = ""
	}
	serving(ts).faults.hang(command)
}

func (f *faults) hang(command string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.hung = command; f.goOn != nil {
		close(f.goOn)
		f.goOn = nil
	}
	if command != "" {
		f.goOn = make(chan struct{})
	}
}

// [!] said pop3|imap REGEXP: a command that matches was sent to this server since it started.
func said(ts *testscript.TestScript, neg bool, args []string) {
	commands := serving(ts).maildrop.Commands
	if args[0] == "imap" {
		commands = serving(ts).mailbox.Commands
	}
	re := regexp.MustCompile(args[1])
	for _, c := range commands() {
		if re.MatchString(c) {
			if neg {
				ts.Fatalf("it was sent %q", c)
			}
			return
		}
	}
	if !neg {
		ts.Fatalf("it was sent nothing like %s, only %q", args[1], commands())
	}
}

// plain stdout|stderr FILE: the file gets what was printed, with words in the place of what is never the same, for cmp.
func plain(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	for _, v := range []struct{ value, word string }{
		{":" + ts.Getenv("FROM_PORT"), ":FROM_PORT"}, {":" + ts.Getenv("TO_PORT"), ":TO_PORT"}, {ts.Getenv("WORK"), "WORK"},
		{ts.Getenv("FINGERPRINT"), "FINGERPRINT"},
	} {
		if len(v.value) > 1 {
			text = strings.ReplaceAll(text, v.value, v.word)
		}
	}
	now := time.Now().Year() // an hour later, as of a refused message, may be next year
	for _, v := range []struct{ like, word string }{
		{fmt.Sprintf(`(%d|%d)-\d\d-\d\d[ T]\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)?`, now, now+1), "NOW"},
		{`, in [0-9.]+m?s`, ", in TIME"},
		{`"seconds":[0-9.e-]+`, `"seconds":SECONDS`},
		{`port \d+ answers in \S+`, "port PORT answers in TIME"},
		{`good for \d+ days, until [0-9-]+`, "good for DAYS, until DATE"},
		{`\(\S+s and \S+s\)`, "(TIME and TIME)"},
	} {
		text = regexp.MustCompile(v.like).ReplaceAllString(text, v.word)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

func b64(secret string) string { return base64.StdEncoding.EncodeToString([]byte(secret)) }

// sums looks at the summary in JSON, if the last line on stdout is one: at its exit code, and at the equations of SPEC §4.
func sums(ts *testscript.TestScript, exit int) {
	out := strings.TrimRight(ts.ReadFile("stdout"), "\n")
	last := out[strings.LastIndexByte(out, '\n')+1:]
	if !strings.HasPrefix(last, `{"type":"summary"`) {
		return
	}
	var summary struct {
		Exit     int
		Accounts []accountJSON
	}
	ts.Check(json.Unmarshal([]byte(last), &summary))
	if summary.Exit != exit {
		ts.Fatalf("the summary says exit %d, and it is %d", summary.Exit, exit)
	}
	for _, a := range summary.Accounts {
		if a.Listed != a.Known+a.Quarantined+a.New {
			ts.Fatalf("%s: %d listed are not %d known, %d quarantined and %d new", a.Account, a.Listed, a.Known, a.Quarantined, a.New)
		}
		if a.New != a.Copied+a.Recognised+a.Refused+a.InDoubt+a.Vanished+a.Left {
			ts.Fatalf("%s: %d new are not what became of them: %s", a.Account, a.New, last)
		}
	}
}
