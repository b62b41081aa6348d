package sync_test

import (
	"fmt"
	"testing"


	"github.com/pop2imap/pop2imap/internal/lab"
)

// many are n messages of which LIST says that they have size octets; 0: what they have.
func many(n int, size int64) (list []lab.Mail) {
	for i := range n {
		m := mail(fmt.Sprintf("m%04d", i))
		m.Size = size
		list = append(list, m)
	}
	return list
}

// The room that such messages have in memory is theirs by what they are, not by what LIST says.
func TestListThatExaggerates(t *testing.T) {
	all := many(40, 1<<20)
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, all...)
	w.wants(w.run(), "40 listed, 40 new, 40 copied")
	w.holds(all...)
}
