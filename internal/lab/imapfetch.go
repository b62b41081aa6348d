package lab

import (
	"bufio"
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-message/textproto"
)

// Fetch gives the octets that were appended, whatever they look like.
func (s *imapSession) Fetch(w *imapserver.FetchWriter, set imap.NumSet, o *imap.FetchOptions) error {
	peek := func(b *imap.FetchItemBodySection) bool { return b.Peek }
	if !s.examined && !(len(o.BodySection) == 0 || all(o.BodySection, peek)) {
		seen := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagSeen}}
		if err := s.mark(set, seen); err != nil {
			return err
		}
	}
	s.srv.boxMu.Lock()
	hits, err := s.hits(set)
	for i, h := range hits { // as they are now: others may change flags while we write
		hits[i].m = h.m.clone()
	}
	s.srv.boxMu.Unlock()
	for _, h := range hits {
		if err == nil {
			err = h.fetch(w, o)
		}
	}
	return err
}

func all[T any](list []T, is func(T) bool) bool {
	return !slices.ContainsFunc(list, func(t T) bool { return !is(t) })
}

func (h hit) fetch(to *imapserver.FetchWriter, o *imap.FetchOptions) error {
	w := to.CreateMessage(h.seq)
	w.WriteUID(imap.UID(h.m.UID))
	if o.Flags {
		var flags []imap.Flag
		for _, f := range h.m.Flags {
			flags = append(flags, imap.Flag(f))
		}
		w.WriteFlags(flags)
	}
	if o.InternalDate {
		w.WriteInternalDate(h.m.Date)
	}
	if o.RFC822Size {
		w.WriteRFC822Size(h.m.Size)
	}
	if o.Envelope {
		header, _ := textproto.ReadHeader(bufio.NewReader(bytes.NewReader(h.m.Raw)))
		w.WriteEnvelope(imapserver.ExtractEnvelope(header))
	}
	if o.BodyStructure != nil {
		w.WriteBodyStructure(imapserver.ExtractBodyStructure(bytes.NewReader(h.m.Raw)))
	}
	var err error
	for _, b := range o.BodySection {
		octets := section(h.m.Raw, b)
		l := w.WriteBodySection(b, int64(len(octets)))
		_, written := l.Write(octets)
		err = errors.Join(err, written, l.Close())
	}
	return errors.Join(err, w.Close()) // unless it is closed imapserver hangs
}

// section is what BODY[…] gives (RFC 9051 §6.4.5). The parts of a multipart are left to imapserver.
func section(raw []byte, b *imap.FetchItemBodySection) []byte {
	if len(b.Part) > 0 {
		return imapserver.ExtractBodySection(bytes.NewReader(raw), b)
	}
	header := head(raw, 0)
	switch {
	case b.Specifier == imap.PartSpecifierText:
		raw = raw[len(header):]
	case len(b.HeaderFields) > 0:
		raw = fields(header, func(name string) bool { return contains(b.HeaderFields, name) })
	case len(b.HeaderFieldsNot) > 0:
		raw = fields(header, func(name string) bool { return !contains(b.HeaderFieldsNot, name) })
	case b.Specifier == imap.PartSpecifierHeader:
		raw = header
	}
	if p := b.Partial; p != nil {
		raw = raw[min(p.Offset, int64(len(raw))):]
		raw = raw[:min(p.Size, int64(len(raw)))]
	}
	return raw
}

func contains(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}

// fields gives the fields that are wanted, folded lines with them, and the blank line.
func fields(header []byte, want func(name string) bool) []byte {
	var out []byte
	wanted := false
	for line := range bytes.Lines(header) {
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			break
		}
		if line[0] != ' ' && line[0] != '\t' {
			name, _, is := bytes.Cut(line, []byte(":"))
			wanted = is && want(string(bytes.TrimRight(name, " \t")))
		}
		if wanted {
			out = append(out, line...)
		}
	}
	return append(out, "\r\n"...)
}
