package main

import (
	_ "embed"
	"fmt"
	"html"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

// pageStart begins each page: what begins so may be replaced (see foreign).
const pageStart = `<!DOCTYPE html>
<html lang="en"><head><meta name="generator" content="pop2imap report">
`

// pageHead forbids the browser to load or run anything, whatever the page may hold.
const pageHead = pageStart + `<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" ` +
	`content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
`

//go:embed html/style.css
var pageStyle string

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

// htmlPage is the whole page.
func htmlPage(list []portrait, made time.Time) string {
	m := markup{heading: "h2"}
	title := "Moved mail: " + plural(len(list), "account")
	if len(list) == 1 {
		title = "Moved mail: " + list[0].Name
	}
	m.WriteString(pageHead)
	m.put("<title>%s</title>", title)
	m.WriteString("<style>\n" + pageStyle + "</style>\n</head>\n<body>\n")
	m.put("<header>\n<h1>%s</h1>", title)
	m.put(`<p class="soft">As of %s, by %s</p>`, made.Format("2 January 2006, 15:04 MST"), thisProgram())
	m.put("</header>\n<main>")
	if len(list) == 0 {
		m.put(`<p class="lead">Nothing has been synced yet.</p>`)
	}
	if len(list) > 1 {
		m.heading = "h3"
		m.contents(list)
	}
	for i, r := range list {
		m.account(i, r, made)
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
func (m *markup) contents(list []portrait) {
	m.put(`<div class="panel">` + "\n<table>")
	m.put(`<thead><tr><th scope="col">Account</th><th scope="col">Moved</th><th scope="col">Refused</th><th scope="col">In doubt</th></tr></thead>`)
	for i, r := range list {
		m.put(`<tr><th scope="row"><a href="#a%d"><bdi>%s</bdi></a></th>`, i, r.Name)
		if r.overview == nil {
			m.put(`<td>0</td><td>0</td><td>0</td></tr>`)
			continue
		}
		m.put(`<td>%s</td><td>%s</td><td>%s</td></tr>`, comma(r.overview.All.Messages), comma(r.overview.Refused), comma(r.doubted()))
	}
	m.put("</table>\n</div>")
}

// account is the part of one account.
func (m *markup) account(i int, r portrait, now time.Time) {
	m.put(`<section id="a%d">`, i)
	if m.heading == "h3" {
		m.put(`<h2><bdi>%s</bdi></h2>`, r.Name)
	}
	m.put(`<p class="soft">From <bdi>%s</bdi> to <bdi>%s</bdi></p>`, r.Key.From, r.Key.To)
	defer m.put("</section>")
	if r.overview == nil {
		m.put(`<p class="lead">Nothing has been synced yet.</p>`)
		return
	}
	m.put(`<p class="lead">`)
	for _, sentence := range r.sentences() {
		m.put("%s", sentence)
	}
	m.put("</p>")
	m.pieces(r)
	m.todo(r)
	m.refusals(r)
	m.misses(r)
	m.keeps(r.overview)
	if r.overview.All.Messages > 0 {
		m.timeline(r.overview, now)
		m.put(`<div class="pair">`)
		m.table("Flags", "Flag", flagBars(r.overview))
		m.table("Sizes", "Each", sizeBars(r.overview.Sizes[:]))
		m.put("</div>")
		m.table("Folders", "Folder", folderBars(r.overview.Folders))
	}
}

// A portion is what all messages are divided into.
type portion struct {
	class, label string
	n            int
}

func (r portrait) pieces() []portion {
	o := r.overview
	sure := total(o.Same) + total(o.Altered)
	return []portion{{"same", "moved and read back", sure}, {"stored", "moved, not read back", o.All.Messages - sure},
		{"refused", "refused", o.Refused}, {"doubt", "in doubt", r.doubted()}, {"waiting", "waiting", r.waiting()}}
}

func (r portrait) doubted() int { return r.overview.Missing + r.overview.Intents }

// waiting is how many messages the last run left, if it could say so.
func (r portrait) waiting() int {
	if !r.ran || r.last.Ended.IsZero() {
		return 0
	}
	return r.last.Left
}

func (m *markup) pieces(r portrait) {
	all := 0
	for _, p := range r.pieces() {
		all += p.n
	}
	if all == 0 {
		return
	}
	m.put(`<div class="parts" aria-hidden="true">`)
	for _, p := range r.pieces() {
		if p.n > 0 {
			m.put(`<span class="%s" style="flex:%d 1 0"></span>`, p.class, p.n)
		}
	}
	m.put("</div>\n<ul class=\"legend\">")
	for _, p := range r.pieces() {
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
		m.put(`<p class="soft">And %s of which it is not known.</p>`, plural(n, "message"))
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

func (m *markup) refusals(r portrait) {
	if len(r.refused) == 0 {
		return
	}
	m.list(fmt.Sprintf("Refused: %s", plural(r.overview.Refused, "message")), r.overview.Refused-len(r.refused))
	for _, rec := range r.refused {
		m.put(`<li><p><bdi>%s</bdi></p>`, rec.Server)
		m.put(`<p class="soft">message <code><bdi>%s</bdi></code> of %s, tried %s, next not before %s</p></li>`, quote(rec.UIDL),
			humanize.IBytes(uint64(max(rec.Size, rec.Listed))), plural(rec.Tries, "time"), rec.NextTry.Local().Format("2 January 2006, 15:04 MST"))
	}
	m.put("</ol>\n</div>")
}

func (m *markup) misses(r portrait) {
	if len(r.missing) == 0 {
		return
	}
	m.list(fmt.Sprintf("Said to be stored, and not found there: %s", plural(r.overview.Missing, "message")), r.overview.Missing-len(r.missing))
	for _, rec := range r.missing {
		m.put(`<li><p>message <code><bdi>%s</bdi></code> of %s, in <bdi>%s</bdi></p>`, quote(rec.UIDL), humanize.IBytes(uint64(rec.Size)), rec.Folder)
		m.put(`<p class="soft">%s</p></li>`, digest(rec.Digest))
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
	for _, reason := range reasons[:min(len(reasons), listedMost)] {
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
