package orc

import (
	"encoding/binary"
	"errors"
)

var errProto = errors.New("metadata is malformed")

// Wire types of protocol buffers.
const (
	wireVarint = 0
	wireFixed8 = 1
	wireBytes  = 2
	wireFixed4 = 5
)

// protoReader walks a message's fields: next moves to a field, and one of the value methods, or
// skip, must then be called. After failed is set all values are zero and next gives false.
type protoReader struct {
	data   []byte
	at     int
	field  int
	wire   int
	failed bool
}

func (p *protoReader) next() bool {
	if p.failed || p.at >= len(p.data) {
		return false
	}
	key := p.rawVarint()
	p.field, p.wire = int(key>>3), int(key&7)
	if p.field <= 0 || key>>3 > 1<<29 {
		p.failed = true
	}
	return !p.failed
}

func (p *protoReader) rawVarint() uint64 {
	v, n := binary.Uvarint(p.data[p.at:])
	if n <= 0 {
		p.failed = true
		return 0
	}
	p.at += n
	return v
}

func (p *protoReader) expect(wire int) bool {
	if p.wire != wire {
		p.failed = true
	}
	return !p.failed
}

func (p *protoReader) uvarint() uint64 {
	if !p.expect(wireVarint) {
		return 0
	}
	return p.rawVarint()
}

// size is uvarint for lengths and offsets, which int64 holds.
func (p *protoReader) size() int64 {
	v := p.uvarint()
	if v > 1<<62 {
		p.failed = true
		return 0
	}
	return int64(v)
}

func (p *protoReader) zigzag() int64 {
	v := p.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

func (p *protoReader) fixed64() uint64 {
	if !p.expect(wireFixed8) || len(p.data)-p.at < 8 {
		p.failed = true
		return 0
	}
	v := binary.LittleEndian.Uint64(p.data[p.at:])
	p.at += 8
	return v
}

// bytes gives a part of the message's own memory.
func (p *protoReader) bytes() []byte {
	if !p.expect(wireBytes) {
		return nil
	}
	n := p.rawVarint()
	if p.failed || n > uint64(len(p.data)-p.at) {
		p.failed = true
		return nil
	}
	b := p.data[p.at : p.at+int(n) : p.at+int(n)]
	p.at += int(n)
	return b
}

// varints appends the values of a repeated field, packed or not.
func (p *protoReader) varints(to []uint64) []uint64 {
	if p.wire == wireVarint {
		return append(to, p.rawVarint())
	}
	inner := protoReader{data: p.bytes()}
	for !inner.failed && inner.at < len(inner.data) {
		to = append(to, inner.rawVarint())
	}
	p.failed = p.failed || inner.failed
	return to
}

// skip passes over the field's value.
func (p *protoReader) skip() {
	switch p.wire {
	case wireVarint:
		p.rawVarint()
	case wireFixed8:
		p.at += 8
	case wireFixed4:
		p.at += 4
	case wireBytes:
		p.bytes()
	default:
		p.failed = true
	}
	if p.at > len(p.data) {
		p.failed = true
	}
}
