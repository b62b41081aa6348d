package real

import (
	"os"
	"path/filepath"
	"strings"
)

// prefix is where install.sh has unpacked a server.
func prefix(k Kind) string {
	lab := os.Getenv("POP2IMAP_LAB")
	if lab == "" {
		lab = "/opt/pop2imap-lab"
	}
	return filepath.Join(lab, string(k))
}

// libraries is the environment in which the programs of an unpacked server find the libraries beside them.
func libraries(k Kind) []string {
	var dirs []string
	for _, pattern := range []string{"usr/lib/*-linux-gnu*", "lib/*-linux-gnu*", "usr/lib", "usr/lib/courier-authlib"} {
		found, _ := filepath.Glob(filepath.Join(prefix(k), pattern)) // the patterns are well-formed
		dirs = append(dirs, found...)
	}
	return []string{"LD_LIBRARY_PATH=" + strings.Join(dirs, ":")}
}
