package client

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A Maildir is a folder in which each message is a file, in new or, once a client has seen it there, in cur.
type maildir struct {
	path    string
	letters map[rune]string     // Dovecot's keywords
	words   map[string][]string // Courier's keywords, by the name of the message
	served  bool                // a mail server keeps it: the dates are those of arrival, not of a download
	mozilla bool                // Thunderbird keeps it: the flags are in the header
	trash   bool
}

// What Dovecot and Courier keep in a Maildir that they serve.
var servers = []string{"dovecot-uidlist", "courierimapuiddb", "courierpop3dsizelist"}

// readMaildir reads one Maildir, without those in it.
func (c *Client) readMaildir(ctx context.Context, path string) error {
	m := maildir{path: path, mozilla: exists(path + ".msf"), trash: isTrash(path)}
	for _, name := range servers {
		m.served = m.served || exists(filepath.Join(path, name))
	}
	var err error
	if m.letters, err = dovecotKeywords(path); err != nil {
		return err
	}
	if m.words, err = courierKeywords(path); err != nil {
		return err
	}
	for _, part := range []string{"cur", "new"} {
		if err := c.readPart(ctx, m, filepath.Join(path, part)); err != nil {
			return err
		}
	}
	return nil
}

// readPart reads cur or new, a thousand names at a time.
func (c *Client) readPart(ctx context.Context, m maildir, path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	for {
		entries, err := folder.ReadDir(1000)
		for _, entry := range entries {
			if !entry.Type().IsRegular() || strings.HasPrefix(entry.Name(), ".") {
				continue
			}
			err := c.readOne(ctx, m, filepath.Join(path, entry.Name()))
			if err != nil && !errors.Is(err, fs.ErrNotExist) { // its client has renamed or removed it
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// readOne reads a message.
func (c *Client) readOne(ctx context.Context, m maildir, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return split(patient{ctx, f}, false, func(s *sheet) {
		n := notes{rest: s.header}
		var v *verdict
		if m.mozilla {
			n = takeNotes(s.header, true)
			v = n.mozilla()
		} else {
			v = m.verdict(info.Name())
		}
		if v != nil && m.trash && v.deleted == "" {
			v.deleted = inTrash
		}
		var date time.Time
		if m.served {
			date = arrived(info)
		}
		c.add(s, n, v, date, "Maildir")
	})
}

// arrived is when a file was delivered: Dovecot and Courier hold INTERNALDATE as its time of modification, and its
// name begins with the seconds when it came into this Maildir (https://cr.yp.to/proto/maildir.html). A copy of the
// file that did not keep its time is later than its name says.
func arrived(info fs.FileInfo) time.Time {
	modified := info.ModTime().Truncate(time.Second)
	if digits := nameTime.FindStringSubmatch(info.Name()); digits != nil {
		seconds, _ := strconv.ParseInt(digits[1], 10, 64)
		if named := time.Unix(seconds, 0); named.Before(modified) {
			return named
		}
	}
	return modified
}

var nameTime = regexp.MustCompile(`^(\d{9,10})\.`)

// Behind the name of a file stand letters for its flags. Windows has no colon in names.
var nameInfo = regexp.MustCompile(`[:;!]2,([A-Za-z,]*)$`)

var infoFlags = map[rune]string{'D': `\Draft`, 'F': `\Flagged`, 'P': "$Forwarded", 'R': `\Answered`, 'S': `\Seen`}

// verdict is what the name of a file says. No letters are no flags.
func (m maildir) verdict(name string) *verdict {
	v := &verdict{whole: true}
	parts := nameInfo.FindStringSubmatch(name)
	if parts == nil {
		parts = []string{"", ""}
	}
	v.keywords(m.words[strings.TrimSuffix(name, parts[0])], "courierimapkeywords")
	for _, letter := range parts[1] {
		if flag := infoFlags[letter]; flag != "" {
			v.set(flag, "Maildir: "+string(letter))
		}
		if word := m.letters[letter]; word != "" {
			v.keywords([]string{word}, "dovecot-keywords")
		}
		if letter == 'T' {
			v.deleted = "Maildir: T"
		}
	}
	return v
}

// dovecotKeywords reads which keyword each of the letters a to z stands for: lines of a number from 0 on and a name.
func dovecotKeywords(path string) (map[rune]string, error) {
	text, err := readStart(filepath.Join(path, "dovecot-keywords"))
	if err != nil {
		return nil, err
	}
	keywords := map[rune]string{}
	for line := range strings.Lines(text) {
		number, name, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		if n, err := strconv.Atoi(number); err == nil && n >= 0 && n < 26 {
			keywords['a'+rune(n)] = name
		}
	}
	return keywords, nil
}
