package bench

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// A line is a connection over TLS. What is said is buffered until flush, or until something is heard by talk.
type line struct {
	net.Conn
	in  *bufio.Reader
	out *bufio.Writer
}

func connect(address, ca string) (*line, error) {
	pem, err := os.ReadFile(ca)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	c, err := tls.Dial("tcp", address, &tls.Config{RootCAs: pool})
	if err != nil {
		return nil, err
	}
	_ = c.SetDeadline(time.Now().Add(time.Hour)) // no measurement lasts so long
	return &line{c, bufio.NewReaderSize(c, 64<<10), bufio.NewWriterSize(c, 64<<10)}, nil
}

// hear reads a line, without its end. It is valid until the next one.
func (l *line) hear() ([]byte, error) {
	s, err := l.in.ReadSlice('\n')
	return bytes.TrimRight(s, "\r\n"), err
}

// await sends what was said, and reads up to a line that begins with word. A refusal is an error.
func (l *line) await(word string) error {
	if err := l.out.Flush(); err != nil {
		return err
	}
	return l.until(word)
}

// until reads up to a line that begins with word.
func (l *line) until(word string) error {
	for {
		s, err := l.hear()
		if err != nil {
			return err
		}
		first, rest, _ := strings.Cut(string(s), " ")
		switch {
		case first == "-ERR", first != "*" && (strings.HasPrefix(rest, "NO ") || strings.HasPrefix(rest, "BAD ")):
			return fmt.Errorf("the server said %q", s)
		case first == word:
			return nil
		}
	}
}

// enterPOP logs in, and gives the sizes of the messages as LIST says.
func enterPOP(j job) (*line, []int, error) {
	l, err := connect(j.POP, j.CA)
	if err != nil {
		return nil, nil, err
	}
	fmt.Fprintf(l.out, "USER %s\r\nPASS %s\r\nLIST\r\n", j.User, j.Password)
	for range 4 { // the greeting is one
		if err := l.await("+OK"); err != nil {
			return nil, nil, err
		}
	}
	var sizes []int
	for {
		s, err := l.hear()
		if err != nil {
			return nil, nil, err
		}
		if string(s) == "." {
			break
		}
		_, size, _ := bytes.Cut(s, []byte(" "))
		n, err := strconv.Atoi(string(size))
		if err != nil {
			return nil, nil, err
		}
		sizes = append(sizes, n)
	}
	if j.Most > 0 && j.Most < len(sizes) {
		sizes = sizes[:j.Most]
	}
	return l, sizes, nil
}

// enterIMAP logs in, makes the folder and opens it with EXAMINE. multi says whether the server has MULTIAPPEND.
func enterIMAP(j job) (l *line, multi bool, err error) {
	if l, err = connect(j.IMAP, j.CA); err != nil {
		return nil, false, err
	}
	fmt.Fprintf(l.out, "a LOGIN %s %s\r\nb CAPABILITY\r\nc CREATE %s\r\nd EXAMINE %s\r\n", j.User, j.Password,
		j.Folder, j.Folder)
	if err = l.await("a"); err != nil {
		return nil, false, err
	}
	for !multi {
		s, err := l.hear()
		if err != nil {
			return nil, false, err
		}
		if bytes.HasPrefix(s, []byte("b ")) {
			break
		}
		multi = bytes.Contains(s, []byte(" MULTIAPPEND"))
	}
	return l, multi, l.until("d")
}

// body appends a message to buf: dots unstuffed, up to the line with the dot (RFC 1939 §3).
func (l *line) body(buf *bytes.Buffer) error {
	for start := true; ; {
		s, err := l.in.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull {
			return err
		}
		if start && len(s) > 0 && s[0] == '.' {
			if string(s) == ".\r\n" {
				return nil
			}
			s = s[1:]
		}
		buf.Write(s)
		start = err == nil
	}
}
