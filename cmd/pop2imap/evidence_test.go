package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pop2imap/pop2imap/internal/lab"
)

// crlfFile reads a file of the script as a message.
func crlfFile(ts *testscript.TestScript, name string) []byte {
	return canonical([]byte(ts.ReadFile(name)))
}

// mail FILE…: the maildrop holds these messages. The UIDL of each is the name of its file up to the dot.
func setMail(ts *testscript.TestScript, _ bool, args []string) {
	var list []lab.Mail
	for _, name := range args {
		list = append(list, lab.Mail{UIDL: strings.TrimSuffix(filepath.Base(name), filepath.Ext(name)), Raw: crlfFile(ts, name)})
	}
	serving(ts).maildrop.SetMail(list)
}

// twin PASSWORD FILE FLAGS…: an IMAP server, $TWIN, with messages of May 2011 in its INBOX, each with its flags.
func startTwin(ts *testscript.TestScript, _ bool, args []string) {
	e := serving(ts)
	s, err := lab.StartIMAP(lab.IMAPOptions{User: "alice", Password: args[0], TLS: e.ca.Good.Config, Implicit: true})
	ts.Check(err)
	ts.Defer(s.Close)
	for pair := range slices.Chunk(args[1:], 2) {
		_, err := s.Put("INBOX", crlfFile(ts, pair[0]), strings.Fields(pair[1]), time.Date(2011, 5, 6, 7, 8, 9, 0, time.UTC))
		ts.Check(err)
	}
	_, port := s.Addr()
	ts.Setenv("TWIN", fmt.Sprintf("imaps://alice@127.0.0.1:%d", port))
}

// flagged FOLDER FLAGS…: the folder holds as many messages, in this order, with these flags.
func flagged(ts *testscript.TestScript, _ bool, args []string) {
	stored, err := serving(ts).mailbox.Messages(args[0])
	ts.Check(err)
	var got []string
	for _, m := range stored {
		slices.Sort(m.Flags)
		got = append(got, strings.Join(m.Flags, " "))
	}
	if !slices.Equal(got, args[1:]) {
		ts.Fatalf("flags in %s: got %q, want %q", args[0], got, args[1:])
	}
}
