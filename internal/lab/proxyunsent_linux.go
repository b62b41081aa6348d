package lab

import (
	"net"
	"syscall"
	"unsafe"
)

// unsent is how many octets the other side's kernel has not yet acknowledged (tcp(7), SIOCOUTQ).
func unsent(c *net.TCPConn) int32 {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0
	}
	var n int32
	raw.Control(func(fd uintptr) {
		syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCOUTQ, uintptr(unsafe.Pointer(&n)))
	})
	return n
}
