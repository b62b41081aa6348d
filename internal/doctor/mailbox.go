package doctor

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/pop2imap/pop2imap/internal/imap"
	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

// lookAtMailbox goes from the name of the host to the room that is left.
func (x *examination) lookAtMailbox(ctx context.Context) {
	e := &x.To
	if e.Err != nil {
		x.unprepared(ctx, e)
		return
	}
	trip, ok := x.reach(ctx, e)
	if !ok {
		return
	}
	var s *imap.Session
	if !x.dial(ctx, e, func(server wire.Server) (err error) {
		s, err = imap.Dial(ctx, server, imap.Login{User: e.User, Password: e.Secret, Auth: e.Auth})
		return err
	}) {
		return
	}
	defer s.Close(ctx)
	before, now := s.Abilities()
	x.abilities("to", before, now)
	x.lookAtExtensions(now)
	x.way.to, x.way.literals, x.way.reached = trip, slices.Contains(now, "LITERAL+"), true
	limit, err := x.lookAtFolderThere(ctx, s)
	if err == nil {
		x.lookAtLimit(limit, now)
		err = x.lookAtNames(ctx, s)
	}
	if err != nil {
		x.fail("folder", "to", err)
		return
	}
	x.lookAtQuota(ctx, s)
}

// lookAtExtensions says what would make a run faster or surer.
func (x *examination) lookAtExtensions(abilities []string) {
	has := func(name string) bool { return slices.Contains(abilities, name) }
	if has("UIDPLUS") {
		x.ok("uidplus", "to", "the server says where it stored a message (UIDPLUS)")
	} else {
		x.warn("uidplus", "to", "nothing: what was stored is looked up afterwards, which takes longer",
			"the server does not say where it stored a message (no UIDPLUS)")
	}
	switch {
	case !has("LITERAL+"):
		x.warn("literal", "to", "--imap-connections 4 is faster, and messages then arrive out of order",
			"each message has to wait for the server (no LITERAL+)")
	case has("MULTIAPPEND"):
		x.ok("literal", "to", "messages are sent without waiting, and stored many at a time (LITERAL+, MULTIAPPEND)")
	default:
		x.ok("literal", "to", "messages are sent without waiting (LITERAL+), and stored one at a time (no MULTIAPPEND)")
	}
}

// lookAtFolderThere says whether the folder is there. The error is one of the session, or of a folder that cannot be opened.
func (x *examination) lookAtFolderThere(ctx context.Context, s *imap.Session) (limit int64, err error) {
	f, err := s.Open(ctx, x.Folder, false)
	switch {
	case err != nil && sync.ClassOf(err) == sync.Missing:
		x.ok("folder", "to", "%q is not there yet: the first run makes it", x.Folder)
		return 0, nil
	case err != nil:
		return 0, err
	case f.UIDValidity == 0:
		x.warn("folder", "to", "nothing: each copy is found by its content, which takes longer",
			"%q is there, and the server does not number its messages for good (no UIDVALIDITY)", x.Folder)
	default:
		x.ok("folder", "to", "%q is there (UIDVALIDITY %d)", x.Folder, f.UIDValidity)
	}
	x.lookAtFlags(s.Keeps())
	return f.AppendLimit, nil
}

// lookAtFlags says what flags the folder keeps, as far as that can be seen without opening it for writing.
func (x *examination) lookAtFlags(permanent []string) {
	switch {
	case len(permanent) == 0:
		x.ok("flags", "to", "what flags the folder keeps, the server tells only when it is opened for writing, which doctor does not do")
	case slices.Contains(permanent, `\*`):
		x.ok("flags", "to", "the folder keeps all flags, new keywords too")
	default:
		x.warn("flags", "to", "nothing: the others, such as $Forwarded, may get lost there", "the folder keeps these flags only: %s",
			sync.Clean(strings.Join(permanent, " ")))
	}
}

// lookAtLimit compares the largest message that the server takes (RFC 7889) with what waits.
func (x *examination) lookAtLimit(limit int64, abilities []string) {
	for _, a := range abilities {
		if v, ok := strings.CutPrefix(a, "APPENDLIMIT="); ok && limit == 0 {
			limit, _ = strconv.ParseInt(v, 10, 63)
		}
	}
	if limit <= 0 {
		return
	}
	large := slices.DeleteFunc(slices.Clone(x.waiting), func(m sync.Listed) bool { return m.Size <= limit })
	if len(large) == 0 {
		x.ok("appendlimit", "to", "the server takes messages of up to %s", humanize.IBytes(uint64(limit)))
		return
	}
	x.warn("appendlimit", "to", fmt.Sprintf("have the limit raised; or leave them with --max-size %d, or they are listed as refused, and stay at the source",
		limit), "%s of those that wait: the server takes none of more than %s", larger(len(large)), humanize.IBytes(uint64(limit)))
}

func larger(n int) string {
	if n == 1 {
		return "1 message is too large"
	}
	return humanize.Comma(int64(n)) + " messages are too large"
}

// lookAtNames says how the server names folders, and what it has for what.
func (x *examination) lookAtNames(ctx context.Context, s *imap.Session) error {
	delimiter, prefix := s.Names()
	text := "folders lie side by side, none in another"
	if delimiter != "" {
		text = fmt.Sprintf("levels are divided by %q", delimiter)
	}
	if prefix != "" {
		text += fmt.Sprintf(", names begin with %q", prefix)
	}
	x.ok("namespace", "to", "%s", sync.Clean(text))
	uses, err := s.Uses(ctx)
	if err != nil {
		return err
	}
	var words []string
	for _, u := range uses {
		words = append(words, fmt.Sprintf("%s %q", u.Use, u.Folder))
	}
	if len(words) > 0 {
		x.ok("special-use", "to", "%s", sync.Clean(strings.Join(words, ", ")))
	}
	return nil
}

// lookAtQuota compares the room that is left with what waits. Of a folder that is not there, that of INBOX is told.
func (x *examination) lookAtQuota(ctx context.Context, s *imap.Session) {
	quotas, err := s.Quotas(ctx, x.Folder)
	if err == nil && len(quotas) == 0 && x.Folder != "INBOX" {
		quotas, err = s.Quotas(ctx, "INBOX")
	}
	if err != nil {
		x.warn("quota", "to", "ask whoever runs the server whether there is room", "%s", sync.Clean(err.Error()))
		return
	}
	if len(quotas) == 0 {
		x.ok("quota", "to", "the server tells of no limit")
	}
	for _, q := range quotas {
		need, unit, show := octets(x.waiting), "", func(n int64) string { return humanize.IBytes(uint64(n)) }
		switch q.Resource {
		case "STORAGE":
		case "MESSAGE":
			need, unit, show = int64(len(x.waiting)), " messages", humanize.Comma
		default:
			continue
		}
		room := max(q.Limit-q.Used, 0)
		text := fmt.Sprintf("room for %s%s (%s of %s used)", show(room), unit, show(max(q.Used, 0)), show(max(q.Limit, 0)))
		if need > room {
			x.warn("quota", "to", "make room in the account, or have its quota raised: what does not fit stays at the source",
				"%s, and %s%s wait", text, show(need), unit)
		} else {
			x.ok("quota", "to", "%s", text)
		}
	}
}
