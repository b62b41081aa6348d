//go:build crashpoints

package step

import (
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
)

var (
	count   atomic.Int64
	crashAt = crashStep() // 0: nowhere
	list    = listFile()  // nil: none
)

func at(name string) {
	n := count.Add(1)
	if list != nil {
		if _, err := fmt.Fprintf(list, "%d %s\n", n, name); err != nil {
			panic(fmt.Sprintf("write step %d: %v", n, err))
		}
	}
	if n == crashAt {
		crash()
	}
}

func crash() {
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		panic(fmt.Sprintf("kill the own process: %v", err))
	}
	select {}
}

func crashStep() int64 {
	text := os.Getenv("POP2IMAP_CRASH_AT")
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		panic(fmt.Sprintf("POP2IMAP_CRASH_AT is %q, not the number of a step", text))
	}
	return n
}

func listFile() *os.File {
	name := os.Getenv("POP2IMAP_STEPS")
	if name == "" {
		return nil
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		panic(fmt.Sprintf("POP2IMAP_STEPS: %v", err))
	}
	return file
}
