package lab

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A maildrop of many years must be no obstacle: what grows with the square of its size does not come through before the
// deadline of the connection. What it takes in seconds depends on what else the machine does.
func TestPOP3ListsAHundredThousandMessages(t *testing.T) {
	const n = 100_000
	mail := make([]Mail, n)
	var uidl, list strings.Builder
	for i := range mail {
		mail[i] = Mail{UIDL: fmt.Sprintf("%08x4b41b536", i+1), Raw: []byte("A: 1\r\n\r\n")}
		fmt.Fprintf(&uidl, "%d %s\r\n", i+1, mail[i].UIDL)
		fmt.Fprintf(&list, "%d 8\r\n", i+1)
	}
	s := startPOP3(t, POP3Options{}, mail...)
	begin := time.Now()
	p := entered(t, s)
	p.do("STAT", "+OK 100000 800000")
	p.do("DELE 100000", "+OK")
	p.do("RSET", "+OK")
	p.send("UIDL\r\nLIST\r\n")
	p.wants("+OK")
	if p.body() != uidl.String() {
		t.Error("UIDL is not what it should be")
	}
	p.wants("+OK")
	if p.body() != list.String() {
		t.Error("LIST is not what it should be")
	}
	p.do("QUIT", "+OK")
	t.Logf("%v", time.Since(begin)) // some 0.1 s, 0.7 s with -race
}
