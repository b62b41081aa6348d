package main

import (
	"fmt"
	"time"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/internal/rules"
	"github.com/pop2imap/pop2imap/sync"
)

// A filer says where the messages of an account go: by its rules, else by --sent and --junk, else into its folder.
type filer struct{ job *config.Job }

// into gives a run what it needs of that.
func (f filer) into(o *sync.Options) {
	if f.job.Rules() != nil {
		o.Narrow.Skip = f.skip
	}
	if f.job.Rules() != nil || f.job.Sent != "off" || f.job.Junk != "off" {
		o.Place = f.place
	}
}

// match gives what the first rule that matches wants, and why.
func (f filer) match(header []byte, size int64, told message.Inference) (rules.Action, string, bool) {
	if f.job.Rules() == nil {
		return rules.Action{}, "", false
	}
	return f.job.Rules().Match(subject(header, size, told))
}

// subject is a message as rules look at it.
func subject(header []byte, size int64, told message.Inference) rules.Subject {
	return rules.Subject{Header: header, Size: size, Date: told.Date, Now: time.Now(), Sent: told.Sent != "", Junk: told.Junk != ""}
}

// skip is a sync.Narrow.Skip.
func (f filer) skip(header []byte, size int64, told message.Inference) (why string) {
	if action, reason, ok := f.match(header, size, told); ok && action.Skip {
		return reason
	}
	return ""
}

// place is a sync.Options.Place.
func (f filer) place(header []byte, size int64, told message.Inference) sync.Placement {
	p, _ := f.placeWhy(header, size, told)
	return p
}

// placeWhy says where a message goes, and why. The folder of a rule goes before that of sent mail, that before that of
// spam.
func (f filer) placeWhy(header []byte, size int64, told message.Inference) (p sync.Placement, why string) {
	action, reason, _ := f.match(header, size, told)
	for _, name := range action.Flags {
		p.Flags = append(p.Flags, message.Flag{Name: name, Why: reason})
	}
	switch {
	case action.Folder != "":
		p.Folder, why = action.Folder, reason
	case told.Sent != "" && f.job.Sent != "off":
		p.Folder, p.Use = filed(f.job.Sent, `\Sent`)
		why = "own message"
	case told.Junk != "" && f.job.Junk != "off":
		p.Folder, p.Use = filed(f.job.Junk, `\Junk`)
		why = "spam"
	}
	return p, why
}

// filed gives a folder by its name, or else by its use.
func filed(to config.Filing, use string) (folder, special string) {
	if to == "auto" {
		return "", use
	}
	return string(to), ""
}

// folderName says in words where a placement is.
func (f filer) folderName(p sync.Placement) string {
	switch {
	case p.Folder != "":
		return p.Folder
	case p.Use != "":
		return fmt.Sprintf("the one for %s", p.Use)
	case f.job.Folder != "":
		return f.job.Folder
	}
	return "that of the account"
}
