// Package page writes what was moved for people who would rather look than read: one page for any browser, which loads nothing
// else. How it looks is in page.go, what it says in words.go, what is counted in rows.go.
package page

import (
	_ "embed"
	"encoding/hex"
	"fmt"
	"html"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/pop2imap/pop2imap/internal/units"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

// An Account is what the page shows of one.
type Account struct {
	Name     string
	From, To string          // as in state.Key
	Args     string          // with which a command works on it: "alice", "--from URL --to URL"
	Overview *state.Overview // nil: nothing was synced yet
	Refused  []state.Record  // the first of them, see Most
	Missing  []state.Record  // the first of them
	Last     state.Run
	Ran      bool // Last is one
	Busy     bool // it is still going on
}

// Most is how many refused or missing messages are on the page one by one; status has them all.
const Most = 200

// Start begins each page, and no other file.
const Start = `<!DOCTYPE html>
<html lang="en"><head><meta name="generator" content="pop2imap report">
`

// head forbids the browser to load or run anything, whatever the page may hold.
const head = Start + `<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" ` +
	`content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
`

//go:embed style.css
var style string

// A markup is a page that is being written. All that is not a constant of this file goes through put, which escapes it: words
// of servers, UIDLs and folders can hold anything. (html/template would make the program a sixth larger.)
type markup struct {
	strings.Builder
	heading string // of panels: h2, or h3 below the names of accounts
}

// put writes a format, with arguments that are text or numbers. Text must stand between tags, or between double quotes.
func (m *markup) put(format string, args ...any) {
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			args[i] = html.EscapeString(sync.Clean(text))
		}
	}
	fmt.Fprintf(m, format+"\n", args...)
}

// HTML is the whole page, made at that time by a program of that name.
func HTML(list []Account, made time.Time, program string) string {
	m := markup{heading: "h2"}
	title := "Moved mail: " + units.Plural(len(list), "account")
	if len(list) == 1 {
		title = "Moved mail: " + list[0].Name
	}
	m.WriteString(head)
	m.put("<title>%s</title>", title)
	m.WriteString("<style>\n" + style + "</style>\n</head>\n<body>\n")
	m.put("<header>\n<h1>%s</h1>", title)
	m.put(`<p class="soft">As of %s, by %s</p>`, made.Format("2 January 2006, 15:04 MST"), program)
	m.put("</header>\n<main>")
	if len(list) == 0 {
		m.put(`<p class="lead">Nothing has been synced yet.</p>`)
	}
	if len(list) > 1 {
		m.heading = "h3"
		m.contents(list)
	}
	for i, a := range list {
		m.account(i, a, made)
	}
	m.put("</main>")
	m.put("<footer>Made from what pop2imap remembers, without asking a server. A month is one of UTC. " +
		"This page loads nothing, and has no subject and no address of a mail in it.</footer>")
	m.put("</body>\n</html>")
	return m.String()
}

// panel begins one.
func (m *markup) panel(title string) {
	m.put(`<div class="panel">`)
	m.put("<%[1]s>%[2]s</%[1]s>", m.heading, title)
}

// contents is a table of the accounts.
func (m *markup) contents(list []Account) {
	m.put(`<div class="panel">` + "\n<table>")
	m.put(`<thead><tr><th scope="col">Account</th><th scope="col">Moved</th><th scope="col">Refused</th><th scope="col">In doubt</th></tr></thead>`)
	for i, a := range list {
		m.put(`<tr><th scope="row"><a href="#a%d"><bdi>%s</bdi></a></th>`, i, a.Name)
		if a.Overview == nil {
			m.put(`<td>0</td><td>0</td><td>0</td></tr>`)
			continue
		}
		m.put(`<td>%s</td><td>%s</td><td>%s</td></tr>`, comma(a.Overview.All.Messages), comma(a.Overview.Refused), comma(a.doubted()))
	}
	m.put("</table>\n</div>")
}

// account is the part of one account.
func (m *markup) account(i int, a Account, now time.Time) {
	m.put(`<section id="a%d">`, i)
	if m.heading == "h3" {
		m.put(`<h2><bdi>%s</bdi></h2>`, a.Name)
	}
	m.put(`<p class="soft">From <bdi>%s</bdi> to <bdi>%s</bdi></p>`, a.From, a.To)
	defer m.put("</section>")
	if a.Overview == nil {
		m.put(`<p class="lead">Nothing has been synced yet.</p>`)
		return
	}
	m.put(`<p class="lead">`)
	for _, sentence := range a.sentences() {
		m.put("%s", sentence)
	}
	m.put("</p>")
	m.pieces(a)
	m.todo(a)
	m.refusals(a)
	m.misses(a)
	m.keeps(a.Overview)
	if a.Overview.All.Messages > 0 {
		m.timeline(a.Overview, now)
		m.put(`<div class="pair">`)
		m.table("Flags", "Flag", flagBars(a.Overview))
		m.table("Sizes", "Each", sizeBars(a.Overview.Sizes[:]))
		m.put("</div>")
		m.table("Folders", "Folder", folderBars(a.Overview.Folders))
	}
}

// A portion is what all messages are divided into.
type portion struct {
	class, label string
	n            int
}

func (a Account) pieces() []portion {
	o := a.Overview
	sure := total(o.Same) + total(o.Altered)
	return []portion{{"same", "moved and read back", sure}, {"stored", "moved, not read back", o.All.Messages - sure},
		{"refused", "refused", o.Refused}, {"doubt", "in doubt", a.doubted()}, {"waiting", "waiting", a.waiting()}}
}

func (a Account) doubted() int { return a.Overview.Missing + a.Overview.Intents }

// waiting is how many messages the last run left, if it could say so.
func (a Account) waiting() int {
	if !a.Ran || a.Last.Ended.IsZero() {
		return 0
	}
	return a.Last.Left
}

func (m *markup) pieces(a Account) {
	all := 0
	for _, p := range a.pieces() {
		all += p.n
	}
	if all == 0 {
		return
	}
	m.put(`<div class="parts" aria-hidden="true">`)
	for _, p := range a.pieces() {
		if p.n > 0 {
			m.put(`<span class="%s" style="flex:%d 1 0"></span>`, p.class, p.n)
		}
	}
	m.put("</div>\n<ul class=\"legend\">")
	for _, p := range a.pieces() {
		if p.n > 0 {
			m.put(`<li><i class="%s"></i>%s %s <span class="soft">(%s)</span></li>`, p.class, comma(p.n), p.label, share(p.n, all))
		}
	}
	m.put("</ul>")
}

// timeline draws when the messages arrived. The table says the same.
func (m *markup) timeline(o *state.Overview, now time.Time) {
	bars, unit := timeBars(o.Months, now)
	m.panel("When they arrived")
	defer m.put("</div>")
	if len(bars) == 0 {
		m.put(`<p>It is not known of any message: the destination was told no date, or an older pop2imap stored them.</p>`)
		return
	}
	m.put(`<div class="columns" aria-hidden="true">`)
	for _, b := range bars {
		some := ""
		if b.Messages > 0 {
			some = "some"
		}
		m.put(`<span class="%s" style="height:%.1f%%"></span>`, some, percent(b.Messages, highest(bars)))
	}
	m.put("</div>\n" + `<div class="ticks" aria-hidden="true">`)
	for _, b := range bars {
		m.put(`<span>%s</span>`, b.tick)
	}
	m.put("</div>")
	if n := o.Undated.Messages; n > 0 {
		m.put(`<p class="soft">And %s of which it is not known.</p>`, units.Plural(n, "message"))
	}
	m.put("<details><summary>The same as a table</summary>\n<table>")
	m.put(`<thead><tr><th scope="col">%s</th><th scope="col">Messages</th><th scope="col">Size</th></tr></thead>`, capital(unit))
	for _, b := range bars {
		m.put(`<tr><th scope="row">%s</th><td>%s</td><td>%s</td></tr>`, b.label, comma(b.Messages), humanize.IBytes(uint64(b.Octets)))
	}
	m.put("</table></details>")
}

// table is a table in which a bar goes with each number.
func (m *markup) table(title, what string, bars []row) {
	m.panel(title)
	m.put("<table>")
	m.put(`<thead><tr><th scope="col">%s</th><th scope="col">Messages</th><th scope="col">Size</th></tr></thead>`, what)
	for _, b := range bars {
		m.put(`<tr><th scope="row"><bdi>%s</bdi>`, b.label)
		if b.code != "" {
			m.put(`<code>%s</code>`, b.code)
		}
		if b.Messages > 0 {
			m.put(`<span class="bar" style="width:%.1f%%"></span>`, percent(b.Messages, highest(bars)))
		}
		m.put(`</th><td>%s</td><td>%s</td></tr>`, comma(b.Messages), humanize.IBytes(uint64(b.Octets)))
	}
	m.put("</table>\n</div>")
}

func (m *markup) refusals(a Account) {
	if len(a.Refused) == 0 {
		return
	}
	m.list(fmt.Sprintf("Refused: %s", units.Plural(a.Overview.Refused, "message")), a.Overview.Refused-len(a.Refused))
	for _, rec := range a.Refused {
		m.put(`<li><p><bdi>%s</bdi></p>`, rec.Server)
		m.put(`<p class="soft">message <code><bdi>%s</bdi></code> of %s, tried %s, next not before %s</p></li>`, quote(rec.UIDL),
			humanize.IBytes(uint64(max(rec.Size, rec.Listed))), units.Plural(rec.Tries, "time"), rec.NextTry.Local().Format("2 January 2006, 15:04 MST"))
	}
	m.put("</ol>\n</div>")
}

func (m *markup) misses(a Account) {
	if len(a.Missing) == 0 {
		return
	}
	m.list(fmt.Sprintf("Said to be stored, and not found there: %s", units.Plural(a.Overview.Missing, "message")), a.Overview.Missing-len(a.Missing))
	for _, rec := range a.Missing {
		m.put(`<li><p>message <code><bdi>%s</bdi></code> of %s, in <bdi>%s</bdi></p>`, quote(rec.UIDL), humanize.IBytes(uint64(rec.Size)), rec.Folder)
		m.put(`<p class="soft">%s</p></li>`, "sha256:"+hex.EncodeToString(rec.Digest[:]))
	}
	m.put("</ol>\n</div>")
}

// list begins a list of messages, of which more are left out.
func (m *markup) list(title string, more int) {
	m.panel(title)
	if more > 0 {
		m.put(`<p class="soft">The first of them; pop2imap status lists %s more.</p>`, comma(more))
	}
	m.put(`<ol class="words">`)
}

// keeps tells what stays at the source whatever --delete says.
func (m *markup) keeps(o *state.Overview) {
	why := maps.Clone(o.Kept)
	for reason, n := range o.Altered {
		why[reason] += n
	}
	if len(why) == 0 {
		return
	}
	m.panel("Never deleted at the source")
	m.put("<table>")
	m.put(`<thead><tr><th scope="col">Because</th><th scope="col">Messages</th></tr></thead>`)
	reasons := slices.Sorted(maps.Keys(why))
	for _, reason := range reasons[:min(len(reasons), Most)] {
		m.put(`<tr><th scope="row"><bdi>%s</bdi></th><td>%s</td></tr>`, reason, comma(why[reason]))
	}
	m.put("</table>\n</div>")
}

func comma(n int) string { return humanize.Comma(int64(n)) }

// share is a percentage. 100 are all, and 0 none.
func share(n, of int) string {
	if p := math.Floor(1000*float64(n)/float64(of)) / 10; p > 0 {
		return fmt.Sprintf("%.4g%%", p)
	}
	return "under 0.1%"
}

func percent(n, of int) float64 { return 100 * float64(n) / float64(of) }

// quote shows a UIDL, which may be any octets.
func quote(uidl string) string { return fmt.Sprintf("%q", uidl) }

func capital(word string) string { return strings.ToUpper(word[:1]) + word[1:] }
