// Walk goes through three steps, and says after each that it has come past.
package main

import (
	"fmt"

	"github.com/pop2imap/pop2imap/internal/step"
)

func main() {
	for _, name := range []string{"intent", "append", "outcome"} {
		step.At(name)
		fmt.Println("past", name)
	}
}
