package demo

import "syscall"

// attached makes a child end with this process, and keeps the terminal's Ctrl-C from it.
func attached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
