package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
)

// The numbers by which statfs(2) knows file systems that do not keep a state safe.
var unsafe = map[int64]string{0x01021994: "tmpfs", 0x858458f6: "tmpfs", // the latter is ramfs
	0x6969: "nfs", 0xff534d42: "cifs", 0xfe534d42: "smb", 0x517b: "smb", 0x01021997: "9p", 0x5346414f: "afs", 0x00c36400: "ceph"}

// FileSystem gives the kind of the file system on which path is, or will be, if a state is not safe there: "tmpfs" (it is
// gone after a restart), or the name of a network file system. "" for any other, and where the system does not tell.
func FileSystem(path string) string {
	path, err := filepath.Abs(path)
	for err == nil {
		var stat syscall.Statfs_t
		err = syscall.Statfs(path, &stat)
		if err == nil {
			return unsafe[int64(uint32(stat.Type))]
		}
		if parent := filepath.Dir(path); errors.Is(err, fs.ErrNotExist) && parent != path {
			path, err = parent, nil
		}
	}
	return ""
}

// writable says why we may not write to a file, or in a folder, without doing so (access(2)).
func writable(path string) error {
	const write = 2 // W_OK
	if err := syscall.Access(path, write); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
