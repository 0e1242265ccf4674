//go:build !linux

package demo

import "syscall"

// attached keeps the terminal's Ctrl-C from a child.
func attached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
