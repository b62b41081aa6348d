package bench

import (
	"bytes"
	"fmt"
)

// naive moves mail as a script does: RETR, APPEND, wait; one message at a time.
func naive(j job) error {
	from, sizes, err := enterPOP(j)
	if err != nil {
		return err
	}
	defer from.Close()
	to, _, err := enterIMAP(j)
	if err != nil {
		return err
	}
	defer to.Close()
	var m bytes.Buffer
	for i := range sizes {
		m.Reset()
		fmt.Fprintf(from.out, "RETR %d\r\n", i+1)
		if err := from.await("+OK"); err != nil {
			return err
		}
		if err := from.body(&m); err != nil {
			return err
		}
		fmt.Fprintf(to.out, "e APPEND %s {%d}\r\n", j.Folder, m.Len())
		if err := to.await("+"); err != nil {
			return err
		}
		to.out.Write(m.Bytes())
		to.out.WriteString("\r\n")
		if err := to.await("e"); err != nil {
			return err
		}
	}
	fmt.Fprint(to.out, "f LOGOUT\r\n")
	fmt.Fprint(from.out, "QUIT\r\n")
	if err := to.await("f"); err != nil {
		return err
	}
	return from.await("+OK")
}

// bare is a session with a maildrop that asks only what is there: all in one flight after the greeting.
func bare(j job) error {
	l, err := connect(j.POP, j.CA)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := l.await("+OK"); err != nil {
		return err
	}
	fmt.Fprintf(l.out, "USER %s\r\nPASS %s\r\nUIDL\r\nQUIT\r\n", j.User, j.Password)
	for range 3 {
		if err := l.await("+OK"); err != nil {
			return err
		}
	}
	for {
		s, err := l.hear()
		if err != nil {
			return err
		}
		if string(s) == "." {
			break
		}
	}
	return l.until("+OK")
}
