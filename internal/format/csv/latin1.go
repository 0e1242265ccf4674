package csv

import (
	"context"

	"github.com/tarnlake/tarn/internal/format/stream"
)

// inUTF8 converts an input to UTF-8.
func inUTF8(in stream.Input, format *Format) stream.Input {
	if format.Encoding == Latin1 {
		return &latin1Input{in: in}
	}
	return in
}

// latin1Input turns ISO 8859-1 into UTF-8.
type latin1Input struct {
	in     stream.Input
	buffer []byte
}

func (l *latin1Input) Read(ctx context.Context, p []byte) (int, error) {
	if l.buffer == nil {
		l.buffer = make([]byte, stream.BlockSize/2)
	}
	n, err := l.in.Read(ctx, l.buffer[:min(len(l.buffer), len(p)/2)])
	at := 0
	for _, c := range l.buffer[:n] {
		if c < 0x80 {
			p[at] = c
			at++
		} else {
			p[at], p[at+1] = 0xc0|c>>6, 0x80|c&0x3f
			at += 2
		}
	}
	return at, err
}

func (l *latin1Input) Close() { l.in.Close() }
