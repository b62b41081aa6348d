package message_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/message"
)

// docs/flags.md has each signal and each reason for a date, and the tests that it names exist.
func TestDocsOfFlagsAreTrue(t *testing.T) {
	text, err := os.ReadFile("../../docs/flags.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	for _, field := range message.SignalFields() {
		if !strings.Contains(page, "`"+field+"`") {
			t.Errorf("%s is a signal, and not in docs/flags.md", field)
		}
	}
	for _, why := range reasons {
		if !strings.Contains(page, why) {
			t.Errorf("%q is a reason for a date, and not in docs/flags.md", why)
		}
	}
	named := regexp.MustCompile(`([\w/]+_test\.go):((?:Test|Fuzz)\w+)`).FindAllStringSubmatch(page, -1)
	if len(named) < 20 {
		t.Errorf("docs/flags.md names %d tests", len(named))
	}
	for _, n := range named {
		source, err := os.ReadFile("../../" + n[1])
		if err != nil || !strings.Contains(string(source), "\nfunc "+n[2]+"(") {
			t.Errorf("docs/flags.md names %s, which does not exist: %v", n[0], err)
		}
	}
	for row := range strings.Lines(page) {
		if strings.HasPrefix(row, "| `") && !strings.Contains(row, "_test.go:") {
			t.Errorf("a signal without its test: %s", row)
		}
	}
}
