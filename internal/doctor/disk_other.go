//go:build !linux

package doctor

// FileSystem gives the kind of the file system on which path is, or will be, if a state is not safe there; here the system
// is not asked.
func FileSystem(string) string { return "" }

// writable says why we may not write to a file, or in a folder; here only a run finds out.
func writable(string) error { return nil }
