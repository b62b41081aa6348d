package units

import "github.com/dustin/go-humanize"

// Plural counts things in words: "1 message", "4,812 messages".
func Plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return humanize.Comma(int64(n)) + " " + noun
}
