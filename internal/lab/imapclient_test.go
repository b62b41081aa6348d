package lab

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

func startIMAP(t *testing.T, o IMAPOptions) *IMAP {
	t.Helper()
	o.User, o.Password = user, password
	s, err := StartIMAP(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// A bounded connection keeps the deadline that dial gave it, whatever imapclient wants.
type bounded struct{ net.Conn }

func (bounded) SetDeadline(time.Time) error      { return nil }
func (bounded) SetReadDeadline(time.Time) error  { return nil }
func (bounded) SetWriteDeadline(time.Time) error { return nil }

// imapTo connects and takes the greeting.
func imapTo(t *testing.T, s *IMAP) *imapclient.Client {
	t.Helper()
	c := imapclient.New(bounded{dial(t, s)}, nil)
	t.Cleanup(func() { c.Close() })
	if err := c.WaitGreeting(); err != nil {
		t.Fatal(err)
	}
	return c
}

// loggedIn connects and logs in.
func loggedIn(t *testing.T, s *IMAP) *imapclient.Client {
	t.Helper()
	c := imapTo(t, s)
	if err := c.Login(user, password).Wait(); err != nil {
		t.Fatal(err)
	}
	return c
}

// put appends a message.
func put(c *imapclient.Client, folder, raw string, o *imap.AppendOptions) (*imap.AppendData, error) {
	a := c.Append(folder, int64(len(raw)), o)
	_, err := a.Write([]byte(raw))
	if err := errors.Join(err, a.Close()); err != nil {
		return nil, err
	}
	return a.Wait()
}

func mustPut(t *testing.T, c *imapclient.Client, folder, raw string, o *imap.AppendOptions) *imap.AppendData {
	t.Helper()
	data, err := put(c, folder, raw, o)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// open selects a folder.
func open(t *testing.T, c *imapclient.Client, folder string, readOnly bool) *imap.SelectData {
	t.Helper()
	data, err := c.Select(folder, &imap.SelectOptions{ReadOnly: readOnly}).Wait()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// stored gives what is in a folder, behind the protocol's back.
func stored(t *testing.T, s *IMAP, folder string) []Stored {
	t.Helper()
	list, err := s.Messages(folder)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// holds fails unless a folder has these messages, in this order.
func holds(t *testing.T, s *IMAP, folder string, want ...string) {
	t.Helper()
	var got []string
	for _, m := range stored(t, s, folder) {
		got = append(got, string(m.Raw))
	}
	same(t, folder, got, want)
}

// refused fails unless err is a server's refusal with this code.
func refused(t *testing.T, err error, want imap.ResponseCode) {
	t.Helper()
	e, ok := errors.AsType[*imap.Error](err)
	if !ok || e.Type != imap.StatusResponseTypeNo || e.Code != want {
		t.Errorf("got %v, want NO [%s]", err, want)
	}
}

// rawIMAP logs in without imapclient.
func rawIMAP(t *testing.T, s *IMAP) *talk {
	t.Helper()
	w := talkOn(t, dial(t, s))
	w.wants("* OK")
	w.do(`a LOGIN "`+user+`" "`+password+`"`, "a OK")
	return w
}
