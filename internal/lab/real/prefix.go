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

// unpacked gives the paths that match one of the patterns in an unpacked server.
func unpacked(k Kind, patterns ...string) (paths []string) {
	for _, p := range patterns {
		found, _ := filepath.Glob(filepath.Join(prefix(k), p)) // fails for malformed patterns only
		paths = append(paths, found...)
	}
	return paths
}

// libraries is the environment in which the programs of an unpacked server find the libraries beside them.
func libraries(k Kind) []string {
	dirs := unpacked(k, "usr/lib/*-linux-gnu*", "lib/*-linux-gnu*", "usr/lib", "usr/lib/courier-authlib")
	return []string{"LD_LIBRARY_PATH=" + strings.Join(dirs, ":")}
}
