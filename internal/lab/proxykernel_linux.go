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

// narrow lets clients see a line as it is elsewhere: on that of this machine packets have 64 KB, and the kernels at both
// ends hold megabytes before a client notices that it is slow.
func narrow(l *net.TCPListener) {
	raw, err := l.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) {
		syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, 1400)
		syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 128<<10)
	})
}
