package bench

import (
	"fmt"
	"strings"
	"time"
)

// book is all that was measured, in the order of the cases.
type book struct {
	moves []row
	notes []string // lines about cases of another kind
}

var tables book

// A row is what one program did in one case.
type row struct {
	name, program string
	messages      int
	octets        int64
	usage
}

func (b *book) add(r row) { b.moves = append(b.moves, r) }
func (b *book) note(format string, values ...any) {
	b.notes = append(b.notes, fmt.Sprintf(format, values...))
}

// markdown is the tables as they stand in docs/performance.md.
func (b *book) markdown() string {
	var out strings.Builder
	if len(b.moves) > 0 {
		out.WriteString("\n| case | program | messages/s | MB/s | CPU s | CPU ms/MB | peak MiB | to floor | to naive |\n" +
			"|---|---|---:|---:|---:|---:|---:|---:|---:|\n")
	}
	for _, r := range b.moves {
		mb := float64(r.octets) / 1e6
		fmt.Fprintf(&out, "| %s | %s | %.0f | %.1f | %.2f | %.1f | %.0f | %s | %s |\n", r.name, r.program,
			rate(r.messages, r.Wall), mb/r.Wall.Seconds(), r.CPU.Seconds(), float64(r.CPU)/float64(time.Millisecond)/mb,
			float64(r.Peak)/1024, b.ratio(r, theFloor.name), b.ratio(r, theNaive.name))
	}
	if len(b.notes) > 0 {
		out.WriteString("\n| case | measured |\n|---|---|\n")
	}
	for _, n := range b.notes {
		out.WriteString(n + "\n")
	}
	return out.String()
}

// ratio compares messages/s with those of another program in the same case; "" if it was not run.
func (b *book) ratio(r row, program string) string {
	for _, o := range b.moves {
		if o.name == r.name && o.program == program && program != r.program {
			return fmt.Sprintf("%.2f", rate(r.messages, r.Wall)/rate(o.messages, o.Wall))
		}
	}
	return ""
}
