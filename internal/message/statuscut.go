package message

import (
	"bytes"
	"errors"
	"io"
)

// statusRoom is how much of a message is searched for the end of its header.
const statusRoom = 1 << 20

// A StatusCut reads a message without the Status that the maildrop's own server ends its header with, see
// [TrailingStatus]: that one is no part of the message, and changes from session to session. All else comes octet for
// octet. It keeps the header, of at most 1 MiB; a longer one comes as it is.
type StatusCut struct {
	Header []byte // with the Status; nil before the first Read, and if there was none to cut
	Cut    int64  // octets that were left out

	in  io.Reader
	out io.Reader // nil before the first Read
}

// CutStatus reads body without its Status.
func CutStatus(body io.Reader) *StatusCut { return &StatusCut{in: body} }

// Read implements [io.Reader]. An error of the message comes as it is.
func (c *StatusCut) Read(p []byte) (int, error) {
	if c.out == nil {
		if err := c.begin(); err != nil {
			return 0, err
		}
	}
	return c.out.Read(p)
}

// begin reads up to the end of the header.
func (c *StatusCut) begin() error {
	var first bytes.Buffer
	for first.Len() < statusRoom && !headerEnds(first.Bytes()) {
		if _, err := io.CopyN(&first, c.in, int64(max(4<<10, first.Len()))); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
	}
	header := Split(first.Bytes())
	if _, rest, ok := TrailingStatus(header); ok && headerEnds(first.Bytes()) {
		c.Header, c.Cut = bytes.Clone(header), int64(len(header)-len(rest))
		first.Next(len(header))
		c.out = io.MultiReader(bytes.NewReader(rest), &first, c.in)
		return nil
	}
	c.out = io.MultiReader(&first, c.in)
	return nil
}

// headerEnds says whether the blank line that ends the header is there.
func headerEnds(raw []byte) bool {
	header := Split(raw)
	return len(header) < len(raw) || bytes.HasSuffix(header, []byte("\n\n")) || bytes.HasSuffix(header, []byte("\n\r\n")) ||
		bytes.Equal(header, []byte("\n")) || bytes.Equal(header, []byte("\r\n"))
}
