package shell

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// interruptAsKey makes Ctrl-C on a terminal a key as any other, until the function it returns is
// called. The editor makes the terminal raw for each read only: a Ctrl-C between two of its reads
// would be a signal, and would flush what was typed ahead.
func interruptAsKey(in io.Reader) (asSignal func()) {
	file, ok := in.(*os.File)
	if !ok {
		return func() {}
	}
	before, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)
	if err != nil {
		return func() {}
	}
	state := *before
	state.Lflag &^= unix.ISIG
	if err := unix.IoctlSetTermios(int(file.Fd()), unix.TCSETS, &state); err != nil {
		return func() {}
	}
	return func() { _ = unix.IoctlSetTermios(int(file.Fd()), unix.TCSETS, before) }
}
