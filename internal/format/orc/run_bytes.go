package orc

import (
	"encoding/binary"
	"math/bits"

	"github.com/tarnlake/tarn/internal/vec"
)

// byteReader decodes run-length encoded bytes.
type byteReader struct {
	in     input
	left   int // of the run
	repeat bool
	value  byte
	lag    int // values to pass over before the next ones
}

func (b *byteReader) open(r *Reader, s *streamInfo) {
	b.in.open(r, s)
	b.left, b.lag = 0, 0
}

func (b *byteReader) seek(p *positions) {
	b.in.seek(p)
	b.left, b.lag = 0, p.count(1<<20)
}

// run makes sure that a run is open.
func (b *byteReader) run() error {
	if b.left > 0 {
		return nil
	}
	if err := b.in.fill(2); err != nil {
		return err
	}
	head := b.in.buffer[b.in.at]
	b.in.at++
	if b.repeat = head < 128; b.repeat {
		b.left, b.value = int(head)+3, b.in.buffer[b.in.at]
		b.in.at++
		return nil
	}
	b.left = 256 - int(head)
	return nil
}

func (b *byteReader) skip(n int) error {
	for n > 0 {
		if err := b.run(); err != nil {
			return err
		}
		m := min(n, b.left)
		if !b.repeat {
			if err := b.in.skip(int64(m)); err != nil {
				return err
			}
		}
		b.left -= m
		n -= m
	}
	return nil
}

// settle passes over what a seek has left to do.
func (b *byteReader) settle() error {
	lag := b.lag
	b.lag = 0
	return b.skip(lag)
}

func (b *byteReader) read(dst []byte) error {
	if b.lag > 0 {
		if err := b.settle(); err != nil {
			return err
		}
	}
	for len(dst) > 0 {
		if err := b.run(); err != nil {
			return err
		}
		m := min(len(dst), b.left)
		if b.repeat {
			for i := range dst[:m] {
				dst[i] = b.value
			}
		} else if err := b.in.read(dst[:m]); err != nil {
			return err
		}
		b.left -= m
		dst = dst[m:]
	}
	return nil
}

// bitReader decodes run-length encoded bits, the first one highest in its byte.
type bitReader struct {
	bytes   byteReader
	rest    uint64 // bits of the last byte read that are not used yet, the first one lowest
	left    int
	lag     int // bits
	scratch []byte
}

func (b *bitReader) open(r *Reader, s *streamInfo) {
	b.bytes.open(r, s)
	b.rest, b.left, b.lag = 0, 0, 0
}

func (b *bitReader) seek(p *positions) {
	b.bytes.seek(p)
	b.rest, b.left, b.lag = 0, 0, p.count(1<<20)
}

// read sets the first n bits of dst, whose words hold them and zeros behind.
func (b *bitReader) read(dst vec.Bitmap, n int) error {
	if b.lag > 0 {
		lag := b.lag
		b.lag = 0
		if err := b.skip(lag); err != nil {
			return err
		}
	}
	words := vec.BitmapWords(n)
	more := max(n-b.left+7, 0) / 8
	if cap(b.scratch) < more+8 {
		b.scratch = make([]byte, more+8)
	}
	data := b.scratch[:more+8]
	if err := b.bytes.read(data[:more]); err != nil {
		return err
	}
	clear(data[more:])
	held, left := b.rest, b.left
	for w := range words {
		var next uint64
		if w*8 < more {
			next = bits.Reverse64(binary.BigEndian.Uint64(data[w*8:]))
		}
		dst[w] = held | next<<left
		held = next >> (64 - left)
	}
	total := b.left + more*8
	b.left = total - n
	if b.left > 0 { // the unused bits of the last byte, or of the rest before it
		if more > 0 {
			b.rest = uint64(bits.Reverse8(data[more-1])) >> (8 - b.left)
		} else {
			b.rest >>= n
		}
	} else {
		b.rest = 0
	}
	if tail := uint(n) & 63; tail != 0 {
		dst[words-1] &= 1<<tail - 1
	}
	return nil
}

func (b *bitReader) skip(n int) error {
	m := min(n, b.left)
	b.rest >>= m
	b.left -= m
	n -= m
	n += b.lag
	b.lag = 0
	if n == 0 {
		return nil
	}
	if err := b.bytes.settle(); err != nil {
		return err
	}
	if err := b.bytes.skip(n / 8); err != nil {
		return err
	}
	if n %= 8; n > 0 {
		var last [1]byte
		if err := b.bytes.read(last[:]); err != nil {
			return err
		}
		b.rest, b.left = uint64(bits.Reverse8(last[0]))>>n, 8-n
	}
	return nil
}
