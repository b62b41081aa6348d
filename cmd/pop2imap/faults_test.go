package main

import (
	"bytes"
	"strconv"
	"strings"
	stdsync "sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pop2imap/pop2imap/internal/lab"
)

// faults are what the servers of a script do wrong. Each happens once, but for refusal, answer, and who is away.
type faults struct {
	mu                stdsync.Mutex
	cutPOP3, cutReply string // the beginning of a command
	lie, full         bool
	away, busy        bool // the POP3 server, the maildrop
	refused           []byte
	stalled           chan struct{} // until it is closed no message is stored; nil: none waits

	answered, reply string        // a POP3 command that begins so gets this reply, each time
	hung            string        // a POP3 command that begins so gets none
	goOn            chan struct{} // nil, or closed when its session may end
}

func (f *faults) pop3(_ int, line string) (reply string, drop bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away {
		return "", true
	}
	if f.answered != "" && strings.HasPrefix(line, f.answered) {
		return f.reply + "\r\n", false
	}
	if f.hung != "" && strings.HasPrefix(line, f.hung) {
		goOn := f.goOn
		f.mu.Unlock() // others go on
		<-goOn
		f.mu.Lock()
		return "", true
	}
	if f.busy && (strings.HasPrefix(line, "AUTH ") || strings.HasPrefix(line, "PASS ")) {
		return "-ERR [IN-USE] somebody else has it\r\n", false
	}
	if f.cutPOP3 == "" || !strings.HasPrefix(line, f.cutPOP3) {
		return "", false
	}
	f.cutPOP3 = ""
	return "", true
}

func (f *faults) imap(_ int, command string) lab.Fate {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cutReply != "" && strings.HasPrefix(command, f.cutReply) {
		f.cutReply = ""
		return lab.CutReply
	}
	if f.lie && strings.HasPrefix(command, "APPEND") {
		f.lie = false
		return lab.Lie
	}
	return lab.Execute
}

func (f *faults) append(_ int64, raw []byte) error {
	f.mu.Lock()
	stalled := f.stalled
	f.mu.Unlock()
	if stalled != nil {
		<-stalled
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.full {
		return &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeOverQuota, Text: "mailbox is full"}
	}
	if f.refused == nil || !bytes.Equal(raw, f.refused) {
		return nil
	}
	return &imap.Error{Type: imap.StatusResponseTypeNo, Text: "not this one"}
}

// set changes the faults of a script.
func set(ts *testscript.TestScript, change func(*faults)) {
	f := &serving(ts).faults
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

// cut pop3|imap COMMAND: the line is cut at the next command that begins so; of imap the reply is lost.
func cut(ts *testscript.TestScript, _ bool, args []string) {
	set(ts, func(f *faults) {
		if args[0] == "pop3" {
			f.cutPOP3 = args[1]
		} else {
			f.cutReply = args[1]
		}
	})
}

// busy: the maildrop is in use; ! busy: no longer.
func busy(ts *testscript.TestScript, over bool, _ []string) {
	set(ts, func(f *faults) { f.busy = !over })
}

// stall: the mailbox stores nothing more for as long as the script runs.
func stall(ts *testscript.TestScript, _ bool, _ []string) {
	stalled := make(chan struct{})
	ts.Defer(func() { close(stalled) })
	set(ts, func(f *faults) { f.stalled = stalled })
}

// lie: the next APPEND is answered with OK, and nothing is stored.
func lie(ts *testscript.TestScript, _ bool, _ []string) { set(ts, func(f *faults) { f.lie = true }) }

// away: the POP3 server hangs up on all; ! away: it is back.
func away(ts *testscript.TestScript, back bool, _ []string) {
	set(ts, func(f *faults) { f.away = !back })
}

// refuse I: the mailbox does not take message I of the sample; refuse all: it is full; refuse nothing: it takes all.
func refuse(ts *testscript.TestScript, _ bool, args []string) {
	var raw []byte
	if args[0] != "nothing" && args[0] != "all" {
		raw = sample(ts, args[0])
	}
	set(ts, func(f *faults) { f.refused, f.full = raw, args[0] == "all" })
}

// sample gives message I of the sample, as IMAP has it.
func sample(ts *testscript.TestScript, number string) []byte {
	n, err := strconv.Atoi(number)
	ts.Check(err)
	return canonical(lab.Sample()[n-1].Raw)
}

// put FOLDER I…: somebody else stores messages of the sample.
func putBefore(ts *testscript.TestScript, _ bool, args []string) {
	for _, number := range args[1:] {
		_, err := serving(ts).mailbox.Put(args[0], sample(ts, number), nil, time.Time{})
		ts.Check(err)
	}
}

// remove FOLDER I…: somebody deletes messages of the sample.
func remove(ts *testscript.TestScript, _ bool, args []string) {
	mailbox := serving(ts).mailbox
	there, err := mailbox.Messages(args[0])
	ts.Check(err)
	for _, number := range args[1:] {
		raw := sample(ts, number)
		for _, m := range there {
			if bytes.Equal(m.Raw, raw) {
				ts.Check(mailbox.Remove(args[0], m.UID))
			}
		}
	}
}

// left I…: the maildrop holds these messages of the sample, and no other.
func left(ts *testscript.TestScript, _ bool, args []string) {
	got := serving(ts).maildrop.Mail()
	if len(got) != len(args) {
		ts.Fatalf("%d messages in the maildrop, want %d", len(got), len(args))
	}
	for i, number := range args {
		if !bytes.Equal(canonical(got[i].Raw), sample(ts, number)) {
			ts.Fatalf("message %d of the maildrop is not message %s of the sample", i+1, number)
		}
	}
}
