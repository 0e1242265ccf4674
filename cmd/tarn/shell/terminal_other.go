//go:build !linux

package shell

import "io"

func interruptAsKey(io.Reader) (asSignal func()) { return func() {} }
