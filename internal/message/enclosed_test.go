package message_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/message"
)

func TestEnclosed(t *testing.T) {
	const (
		mixed    = "Content-Type: multipart/mixed; boundary=\"b\"\n"
		report   = "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n"
		text     = "--b\nContent-Type: text/plain\n\nhello\n"
		attached = "--b\nContent-Type: message/rfc822\nContent-Disposition: attachment\n\nSubject: x\nMessage-ID: <a@b>\n\nbody\n"
		receipt  = "--b\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;x\nOriginal-Message-ID: <c@d>\n\n"
	)
	for name, c := range map[string]struct {
		header, body string
		want         string
	}{
		"a forward":                    {mixed, text + attached + "--b--\n", "<a@b> $Forwarded"},
		"two forwards":                 {mixed, attached + strings.Replace(attached, "<a@b>", "<e@f>", 1) + "--b--\n", "<a@b> $Forwarded, <e@f> $Forwarded"},
		"with a preamble":              {mixed, "not to be seen\n" + attached, "<a@b> $Forwarded"},
		"cut off":                      {mixed, text + attached[:len(attached)-len("body\n")], "<a@b> $Forwarded"},
		"cut off in the header":        {mixed, text + attached[:40], ""},
		"a receipt":                    {report, text + receipt + "--b--\n", "<c@d> $MDNSent"},
		"a receipt with what it is of": {report, text + receipt + attached + "--b--\n", "<c@d> $MDNSent"},
		"no parts":                     {"Content-Type: text/plain\n", attached, ""},
		"no boundary":                  {"Content-Type: multipart/mixed\n", attached, ""},
		"no Content-Type":              {"", attached, ""},
		"garbled":                      {"Content-Type: multipart/mixed; boundary=\"b\n", attached, ""},
		"behind the end":               {mixed, text + "--b--\n\nContent-Type: message/rfc822\n\nMessage-ID: <a@b>\n", ""},
		"attached to what is attached": {mixed, "--b\nContent-Type: message/rfc822\n\nMessage-ID: <a@b>\nContent-Type: multipart/mixed; boundary=bb\n\n" +
			strings.ReplaceAll(strings.ReplaceAll(attached, "--b", "--bb"), "<a@b>", "<inner@b>") + "--bb--\n--b--\n", "<a@b> $Forwarded"},
		"without a Message-ID": {mixed, strings.Replace(attached, "Message-ID", "X-ID", 1), ""},
		"named in the text":    {mixed, text + "Content-Type: message/rfc822\n\nMessage-ID: <a@b>\n", ""},
	} {
		crlf := strings.NewReplacer("\n", "\r\n")
		var got []string
		for _, m := range message.Enclosed([]byte(crlf.Replace(c.header+"\n")), []byte(crlf.Replace(c.body))) {
			got = append(got, fmt.Sprint(m.ID, " ", strings.Join(m.Flags, " ")))
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// However much is enclosed, what it says is bounded.
func TestEnclosedIsBounded(t *testing.T) {
	var body strings.Builder
	for i := range 100 {
		fmt.Fprintf(&body, "--b\r\nContent-Type: message/disposition-notification\r\n\r\nOriginal-Message-ID: <%d@a> <%[1]d@b> <%[1]d@c>\r\n\r\n", i)
	}
	got := message.Enclosed([]byte("Content-Type: multipart/report; boundary=b\r\n\r\n"), []byte(body.String()))
	if len(got) != 32 {
		t.Errorf("got %d marks, want 32", len(got))
	}
}
