package trial

import (
	"time"

	"github.com/pop2imap/pop2imap/sync"
)

// A Watcher keeps what it is told.
type Watcher struct {
	Octets   int
	Results  map[sync.Result]int
	Notices  []string
	Doings   []string
	Pauses   []string           // why; "" where it went on
	OnDone   func(sync.Outcome) // nil: nothing
	OnNotice func(string)       // nil: nothing
}

var _ sync.Watcher = (*Watcher)(nil)

func (w *Watcher) Planned(int, int64)             {}
func (w *Watcher) Moved(n int)                    { w.Octets += n }
func (w *Watcher) Doing(what string)              { w.Doings = append(w.Doings, what) }
func (w *Watcher) Paused(_ time.Time, why string) { w.Pauses = append(w.Pauses, why) }

func (w *Watcher) Notice(text string) {
	w.Notices = append(w.Notices, text)
	if w.OnNotice != nil {
		w.OnNotice(text)
	}
}

func (w *Watcher) Done(o sync.Outcome) {
	if w.Results == nil {
		w.Results = map[sync.Result]int{}
	}
	w.Results[o.Result]++
	if w.OnDone != nil {
		w.OnDone(o)
	}
}
