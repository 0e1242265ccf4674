package page

import (
	"encoding/binary"
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/tarnlake/tarn/internal/vec"
)

// Page is a page with the share of the memory that it lies in. Whoever is handed a Page has one share,
// and gives it back by Release, or leaves it to the garbage collector.
type Page struct {
	Bytes  []byte
	memory *Memory // nil: left to the garbage collector
	frame  bool    // its length, twice, stands before it
}

// Of makes a Page of bytes that are left to the garbage collector.
func Of(bytes []byte) Page { return Page{Bytes: bytes} }

// Share adds a share: Release must be called once more.
func (p Page) Share() {
	if p.memory != nil {
		p.memory.shares.Add(1)
	}
}

// Release gives a share back; after the last one the memory serves other pages.
func (p Page) Release() {
	if p.memory != nil {
		p.memory.Release()
	}
}

// Framed gives the page after its length (two 32-bit numbers), as it is sent when it is not compressed;
// false when it does not lie so.
func (p Page) Framed() ([]byte, bool) {
	if !p.frame {
		return nil, false
	}
	return p.memory.bytes[:frameBytes+len(p.Bytes)], true
}

// frameBytes is the room for a page's length before it.
const frameBytes = 8

func (p *Page) setFrame() {
	binary.LittleEndian.PutUint32(p.memory.bytes, uint32(len(p.Bytes)))
	binary.LittleEndian.PutUint32(p.memory.bytes[4:], uint32(len(p.Bytes)))
	p.frame = true
}

// Buffers keeps the memory of pages that nobody needs any more for other pages: new memory would have to
// be cleared, and is dear to touch for the first time. The zero value is ready, and may be used
// concurrently; nil keeps nothing.
type Buffers struct {
	classes [classes]sync.Pool
}

// Sizes go from 4 kB to 64 MB by quarters of their powers of two; smaller pages are left to the garbage
// collector, and so are larger ones.
const (
	leastBits, mostBits = 12, 26
	classes             = (mostBits-leastBits)*4 + 1
)

// Memory is a piece of memory, on an 8-byte boundary, that several share.
type Memory struct {
	bytes  []byte
	shares atomic.Int32
	home   *sync.Pool // nil: the garbage collector
}

// class gives the number of the class whose sizes are the least of n bytes and more, and that size.
func class(n int) (number, size int) {
	if n <= 1<<leastBits {
		return 0, 1 << leastBits
	}
	power := bits.Len(uint(n-1)) - 1 // n lies above 1<<power, up to 1<<(power+1)
	quarter := (n - 1 - 1<<power) >> (power - 2)
	return (power-leastBits)*4 + quarter + 1, 1<<power + (quarter+1)<<(power-2)
}

// Take gives memory of n bytes with one share. What it holds is undefined.
func (b *Buffers) Take(n int) *Memory {
	if b == nil || n <= 1<<(leastBits-2) || n > 1<<mostBits {
		m := &Memory{bytes: vec.AlignedBytes(n)}
		m.shares.Store(1)
		return m
	}
	number, size := class(n)
	home := &b.classes[number]
	m, _ := home.Get().(*Memory)
	if m == nil {
		m = &Memory{bytes: vec.AlignedBytes(size), home: home}
	}
	m.bytes = m.bytes[:n]
	m.shares.Store(1)
	return m
}

// Bytes gives the memory.
func (m *Memory) Bytes() []byte { return m.bytes }

// Shrink leaves the first n bytes.
func (m *Memory) Shrink(n int) { m.bytes = m.bytes[:n] }

// Page makes a Page of a part of the memory. It takes over the caller's share.
func (m *Memory) Page(part []byte) Page { return Page{Bytes: part, memory: m} }

// Share adds n shares.
func (m *Memory) Share(n int) { m.shares.Add(int32(n)) }

// Release gives a share back.
func (m *Memory) Release() {
	if left := m.shares.Add(-1); left == 0 && m.home != nil {
		m.home.Put(m)
	} else if left < 0 {
		panic("page: memory was released too often")
	}
}
