package doctor

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/pop2imap/pop2imap/internal/pop3"
	"github.com/pop2imap/pop2imap/internal/units"
	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

// lookAtMaildrop goes from the name of the host to what waits.
func (x *examination) lookAtMaildrop(ctx context.Context) {
	e := &x.From
	if x.busy {
		return
	}
	if e.Err != nil {
		x.unprepared(ctx, e)
		return
	}
	trip, ok := x.reach(ctx, e)
	if !ok {
		return
	}
	var s *pop3.Session
	if !x.dial(ctx, e, func(server wire.Server) (err error) {
		s, err = pop3.Dial(ctx, server, pop3.Login{User: e.User, Password: e.Secret, Auth: e.Auth})
		return err
	}) {
		return
	}
	defer s.Abandon() // it may follow Close
	listing, err := s.List(ctx)
	if err != nil {
		x.fail("maildrop", "from", err)
		return
	}
	before, now := s.Abilities()
	x.abilities("from", before, now)
	x.lookAtUIDLs(listing.Messages, slices.Contains(now, "UIDL"))
	x.lookAtHabits(listing, now)
	x.weigh(ctx, listing)
	x.way.from, x.way.pipelined = trip, slices.Contains(now, "PIPELINING")
	s.Close(ctx) // nothing was retrieved, so nothing depends on it
}

// lookAtUIDLs says whether messages can be told apart by what UIDL says (RFC 1939 §7).
func (x *examination) lookAtUIDLs(messages []sync.Listed, announced bool) {
	times := map[string]int{}
	empty, long, shared := 0, 0, 0
	for _, m := range messages {
		switch {
		case m.UIDL == "":
			empty++
		case len(m.UIDL) > 70:
			long++
		}
		times[m.UIDL]++
	}
	for _, m := range messages {
		if m.UIDL != "" && times[m.UIDL] > 1 {
			shared++
		}
	}
	const slower = "nothing: such messages are told apart by header and content, which takes each run longer; they are not deleted at the source"
	switch {
	case len(messages) == 0 && !announced:
		x.warn("uidl", "from", slower, "the server does not announce UIDL")
	case len(messages) > 0 && empty == len(messages):
		x.warn("uidl", "from", slower, "the server has no UIDL")
	case empty > 0:
		x.warn("uidl", "from", slower, "%s without a UIDL", units.Plural(empty, "message"))
	}
	if shared > 0 {
		x.warn("uidl", "from", "nothing: each is copied as often as it is listed; ask whoever runs the server, for other programs will "+
			"lose some of them", "%s share their UIDL with another", units.Plural(shared, "message"))
	}
	if empty+shared == 0 && len(messages) > 0 {
		text := "each message has its own"
		if long > 0 {
			text += fmt.Sprintf("; %s more than the 70 octets that RFC 1939 allows, which does no harm here", have(long))
		}
		x.ok("uidl", "from", "%s", text)
	}
}

func have(n int) string {
	if n == 1 {
		return "one has"
	}
	return humanize.Comma(int64(n)) + " have"
}

// patient is how long a server may want between two logins before it matters to a cron job.
const patient = time.Minute

// lookAtHabits says what the server does of its own accord, or cannot do.
func (x *examination) lookAtHabits(l sync.Listing, abilities []string) {
	if l.LoginDelay > patient {
		x.warn("login-delay", "from", fmt.Sprintf("let at least %s pass between two runs, and before the first one now", l.LoginDelay),
			"the server wants %s between two logins", l.LoginDelay)
	}
	switch days := expire(abilities); {
	case days == "0":
		x.warn("expire", "from", "if the mail shall stay there too, have the server keep what POP3 retrieves, in the settings of "+
			"the account", "EXPIRE 0: the server may delete by itself what was retrieved, or hide it, also with --delete never")
	case days != "" && days != "NEVER":
		x.warn("expire", "from", fmt.Sprintf("run sync more often than every %s days", days),
			"EXPIRE %s: the server may delete by itself what is older than so many days", days)
	}
	if !slices.Contains(abilities, "PIPELINING") {
		x.ok("pipelining", "from", "messages are asked for one at a time (no PIPELINING)")
	}
	if l.Partial {
		x.ok("maildrop", "from", "the server lists only its oldest few hundred messages at a time: sync goes on until there are no more")
	}
	if !l.HasTop && len(l.Messages) > 0 {
		x.warn("top", "from", "nothing; if the folder is empty, --no-dedup saves the looking",
			"the server has no TOP: what the folder has already can be recognised only when it has been retrieved")
	}
}

// expire gives what CAPA says of EXPIRE (RFC 2449 §6.7): a number of days, "NEVER", or nothing.
func expire(abilities []string) string {
	for _, a := range abilities {
		f := strings.Fields(a)
		if len(f) < 2 || f[0] != "EXPIRE" {
			continue
		}
		if _, err := strconv.ParseUint(f[1], 10, 31); err == nil || f[1] == "NEVER" {
			return f[1]
		}
	}
	return ""
}

// weigh says how much there is, and how much of it waits.
func (x *examination) weigh(ctx context.Context, l sync.Listing) {
	waiting, err := sync.Waiting(ctx, x.account, l)
	if err != nil {
		x.fail("state", "", err)
		return
	}
	all := len(waiting)
	waiting = slices.DeleteFunc(waiting, func(m sync.Listed) bool { return x.MaxSize > 0 && m.Size > x.MaxSize })
	text := fmt.Sprintf("%s listed, %s; %s to be copied, %s", units.Plural(len(l.Messages), "message"), size(l.Messages),
		humanize.Comma(int64(len(waiting))), size(waiting))
	if left := all - len(waiting); left > 0 {
		text += fmt.Sprintf("; %s left for --max-size", humanize.Comma(int64(left)))
	}
	x.ok("maildrop", "from", "%s", text)
	x.waiting, x.listed = waiting, true
}

// lookForTwin says whether the source's host speaks IMAP as well: then it can be asked for flags and dates.
func (x *examination) lookForTwin(ctx context.Context) {
	if x.TwinPort == 0 || x.From.Err != nil || !x.listed {
		return
	}
	const impatient = 10 * time.Second // a firewall may say nothing at all
	server := x.From.Server
	server.Port, server.Security, server.Timeout = x.TwinPort, wire.ImplicitTLS, min(server.Timeout, impatient)
	c, err := wire.Dial(ctx, server)
	if err != nil {
		x.ok("twin", "from", "no IMAP on port %d of %s: flags and dates are inferred", x.TwinPort, server.Host)
		return
	}
	c.Close()
	host := server.Host
	if x.TwinPort != 993 || strings.Contains(host, ":") {
		host = net.JoinHostPort(host, strconv.Itoa(x.TwinPort))
	}
	u := url.URL{Scheme: "imaps", User: url.User(x.From.User), Host: host}
	x.ok("twin", "from", "%s answers on port %d as well: if that is the same mailbox, --flags-from %s takes over its flags and dates",
		server.Host, x.TwinPort, u.String())
}

func size(list []sync.Listed) string { return humanize.IBytes(uint64(octets(list))) }

// octets is at most what an int64 holds: a server may list any size.
func octets(list []sync.Listed) (n int64) {
	for _, m := range list {
		n += min(m.Size, math.MaxInt64-n)
	}
	return n
}
