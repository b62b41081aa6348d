package sync

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/pop2imap/pop2imap/internal/message"
)

// A mailbox is a folder of the destination into which this run puts messages.
type mailbox struct {
	Folder         // as it was when it was opened
	shelf   *shelf // what it has that no record claims; nil: not looked through
	refusal error  // why it takes nothing; nil: it does

	batch  []*item // what waits to be sent there, in the maildrop's order
	octets int64   // of that
	share  int64   // of the window, that it holds
}

// placement says where a message goes.
func (r *run) placement(header []byte, size int64, told message.Inference) Placement {
	if r.Place == nil {
		return Placement{}
	}
	return r.Place(header, size, told)
}

// mailbox gives the folder of a placement. It is opened, and looked through, when the first message needs it. That needs
// the connection for itself: land waits for what is on its way; nil: nothing is.
func (r *run) mailbox(ctx context.Context, p Placement, land func(context.Context) error) (*mailbox, error) {
	name, ok := r.folderOf(p)
	if box := r.opened(name); ok && box != nil {
		return box, nil
	}
	if land != nil {
		if err := land(ctx); err != nil {
			return nil, err
		}
	}
	if err := r.login(ctx); err != nil {
		return nil, err
	}
	if !ok {
		var err error
		if name, err = r.special(ctx, p.Use); err != nil {
			return nil, err
		}
	}
	name, err := r.spelt(ctx, name)
	if err != nil {
		return nil, err
	}
	if box := r.opened(name); box != nil {
		return box, nil
	}
	return r.newMailbox(ctx, name)
}

// folderOf gives the name of a folder, if that is known without asking.
func (r *run) folderOf(p Placement) (name string, ok bool) {
	switch {
	case p.Folder != "":
		name, ok = r.tidy(p.Folder), true
	case p.Use != "":
		name, ok = r.uses[p.Use]
	default:
		return r.Folder, true
	}
	return cmp.Or(r.spellings[name], name), ok
}

// tidy spells a name in one way only. A folder under two names would be two for the memory: a copy could then be taken for
// that of two messages.
func (r *run) tidy(name string) string {
	tidy := func(name string) string {
		name = strings.Trim(name, "/")
		if first, rest, _ := strings.Cut(name, "/"); strings.EqualFold(first, "INBOX") { // RFC 9051 §5.1
			return strings.TrimSuffix("INBOX/"+rest, "/")
		}
		return name
	}
	if name = tidy(name); name == tidy(r.Folder) {
		return r.Folder
	}
	return name
}

// spelt gives the name under which the memory knows a folder that the server knows by several: that of the account, one that
// records have, or the usual one. Once a folder has a name it keeps it, so that each record finds its copy.
func (r *run) spelt(ctx context.Context, name string) (string, error) {
	if s := r.spellings[name]; s != "" {
		return s, nil
	}
	list := r.dest.Spellings(name)
	best := list[0]
	if slices.Contains(list, r.Folder) {
		best = r.Folder
	} else if r.State != nil && len(list) > 1 {
		for _, s := range slices.Backward(list) { // the usual one is asked for last, and wins
			known, err := r.State.KnowsFolder(ctx, s)
			if err != nil {
				return "", StateError(err)
			}
			if known {
				best = s
			}
		}
	}
	r.spellings[name] = best
	return best, nil
}

// elsewhere gives the folders into which a server's filter may have put mail, as the memory knows them.
func (r *run) elsewhere(ctx context.Context) ([]string, error) {
	list, err := r.dest.Elsewhere(ctx)
	for i := range list {
		if err == nil {
			list[i], err = r.spelt(ctx, r.tidy(list[i]))
		}
	}
	return list, err
}

// special finds the folder with a special use, once in a run. Where there is none it is called by its use.
func (r *run) special(ctx context.Context, use string) (string, error) {
	name, err := r.dest.Special(ctx, use)
	if err != nil {
		return "", err
	}
	name = r.tidy(cmp.Or(name, strings.TrimPrefix(use, `\`)))
	r.uses[use] = name
	return name, nil
}

// opened gives a folder that is open already, or nil.
func (r *run) opened(name string) *mailbox {
	for _, box := range r.boxes {
		if box.Name == name {
			return box
		}
	}
	return nil
}

// home is the folder of the account.
func (r *run) home() Folder {
	if box := r.opened(r.Folder); box != nil {
		return box.Folder
	}
	return Folder{Name: r.Folder}
}

// newMailbox opens a folder and looks through it. One that cannot be opened takes nothing, and does not stop the others.
func (r *run) newMailbox(ctx context.Context, name string) (*mailbox, error) {
	box := &mailbox{Folder: Folder{Name: name}}
	err := r.open(ctx, box)
	if err == nil {
		err = r.browse(ctx, box)
	}
	if err != nil && !r.alone(name, err) {
		return nil, err
	}
	box.refusal = err
	r.boxes = append(r.boxes, box)
	return box, nil
}

func (r *run) open(ctx context.Context, box *mailbox) error {
	f, err := r.dest.Open(ctx, box.Name, !r.DryRun)
	if r.DryRun && err != nil && ClassOf(err) == Missing {
		r.notice("the folder %q does not exist: it would be created", box.Name)
		f, err = Folder{Name: box.Name, Created: true}, nil
	}
	if err != nil {
		return err
	}
	box.Folder = f
	if f.Created && !r.DryRun {
		r.notice("created the folder %q", box.Name)
	}
	return nil
}

// alone says whether an error is about that folder alone: then the others go on without it. The folder of the account is
// another matter: its user named it, and wants to know.
func (r *run) alone(folder string, err error) bool {
	if folder == r.Folder {
		return false
	}
	switch ClassOf(err) {
	case Unavailable, Config:
		return true
	case Missing: // it is made anew once
		return r.remade
	}
	return false
}

// leaveOut notes that a folder cannot be looked into, and that the others go on.
func (r *run) leaveOut(folder string, err error) {
	r.notice("the folder %q is left out: %v", folder, err)
}

// shut refuses a message whose folder takes none, unsent.
func (r *run) shut(ctx context.Context, it *item) error {
	code, words := wordsOf(it.box.refusal)
	return r.refuseUnsent(ctx, it.todo, it.box.Folder, it.intent(r), code, words)
}

// wordsOf gives what the server said, or in its place what we say.
func wordsOf(err error) (code, words string) {
	if e, ok := errors.AsType[*Error](err); ok && e.Server != "" {
		return e.Code, e.Server
	}
	return "", err.Error()
}

// placeAll learns the UIDs of what this run stored at a server that does not tell them (no UIDPLUS).
func (r *run) placeAll(ctx context.Context) error {
	for _, box := range r.boxes {
		if box.refusal != nil {
			continue
		}
		err := r.place(ctx, box.Folder)
		if err != nil && r.alone(box.Name, err) { // for another run
			r.leaveOut(box.Name, err)
		} else if err != nil {
			return err
		}
	}
	return nil
}

func (r *run) place(ctx context.Context, f Folder) error {
	if r.dest == nil || r.DryRun {
		return nil
	}
	_, err := r.seek(ctx, f, nil, false)
	return err
}
