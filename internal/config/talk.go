package config

import (
	"errors"
	"net/url"

	"github.com/spf13/pflag"
)

// registerTalk registers what says whom else a run tells how it goes.
func (r *Run) registerTalk(f *pflag.FlagSet) {
	f.Var(&r.Ping, "ping", "tell a watchdog such as healthchecks.io: POST to URL/start when a run begins, to `URL` when it ended "+
		"with 0, and to URL/fail otherwise, but for signals, and what --quiet keeps silent (--complain-after). The URL is a "+
		"secret: the config file keeps it better")
	f.StringVar(&r.Metrics, "metrics", "", "write to `FILE` how the run ended, for the textfile collector of Prometheus' "+
		"node_exporter. Each cron job needs its own")
	r.RegisterLog(f)
}

// RegisterLog registers what says where that goes which a run tells.
func (r *Run) RegisterLog(f *pflag.FlagSet) {
	f.Var(&r.LogFormat, "log-format", "what is said on stderr, or in --log-file, as text or json: a line is then one object (`FORMAT`)")
	f.StringVar(&r.LogFile, "log-file", "", "append to `FILE` what is said, with the time, and a summary of each account. stderr keeps the "+
		"errors")
}

// A Ping is the URL of a watchdog; nil inside: none. Whoever knows it can say that all is well: no error tells it.
type Ping struct {
	*url.URL
	text string
}

func (p *Ping) Set(text string) error {
	if text == "" {
		*p = Ping{}
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return errors.New("not a URL that begins with https:// or http:// and a host")
	}
	*p = Ping{u, text}
	return nil
}

func (p *Ping) String() string { return p.text }
func (p *Ping) Type() string   { return "URL" }

// A LogFormat says how a line of the log looks. The zero value is text.
type LogFormat struct{ JSON bool }

func (l *LogFormat) Set(text string) error {
	if text != "text" && text != "json" {
		return errors.New("not text or json")
	}
	l.JSON = text == "json"
	return nil
}

func (l *LogFormat) String() string {
	if l.JSON {
		return "json"
	}
	return "text"
}

func (l *LogFormat) Type() string { return "FORMAT" }
