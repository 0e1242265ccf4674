package parquet

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/tarnlake/tarn/internal/format/scan"
)

// Thrift's compact protocol, as far as Parquet's metadata needs it.

const (
	thriftStop   = 0
	thriftTrue   = 1
	thriftFalse  = 2
	thriftI8     = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
)

const maxThriftDepth = 32

var errThrift = errors.New("malformed metadata")

// thriftReader reads from data. After the first malformed item it is failed: every further call
// gives zero and every loop over fields or elements ends. It allocates nothing but what is
// taken of the budget; byte strings are slices of data.
type thriftReader struct {
	data   []byte
	at     int
	failed bool
	depth  int
	budget *scan.Budget
}

// take counts n bytes that are about to be allocated, and fails when there are none to be had.
func (r *thriftReader) take(n int) {
	if r.budget.Take(int64(n)) != nil {
		r.fail()
	}
}

func (r *thriftReader) fail() { r.failed, r.at = true, len(r.data) }

func (r *thriftReader) byte() byte {
	if r.at >= len(r.data) {
		r.fail()
		return 0
	}
	b := r.data[r.at]
	r.at++
	return b
}

func (r *thriftReader) uvarint() uint64 {
	if r.at < len(r.data) {
		if b := r.data[r.at]; b < 0x80 {
			r.at++
			return uint64(b)
		}
	}
	return r.longUvarint()
}

func (r *thriftReader) longUvarint() uint64 {
	v, n := binary.Uvarint(r.data[r.at:])
	if n <= 0 {
		r.fail()
		return 0
	}
	r.at += n
	return v
}

func (r *thriftReader) i64() int64 {
	v := r.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

func (r *thriftReader) i32() int32 {
	v := r.i64()
	if v != int64(int32(v)) {
		r.fail()
		return 0
	}
	return int32(v)
}

func (r *thriftReader) double() float64 {
	if len(r.data)-r.at < 8 {
		r.fail()
		return 0
	}
	v := binary.LittleEndian.Uint64(r.data[r.at:])
	r.at += 8
	return math.Float64frombits(v)
}

func (r *thriftReader) bytes() []byte {
	n := r.uvarint()
	if n > uint64(len(r.data)-r.at) {
		r.fail()
		return nil
	}
	b := r.data[r.at : r.at+int(n) : r.at+int(n)]
	r.at += int(n)
	return b
}

func (r *thriftReader) string() string { return string(r.bytes()) }

// fields calls visit for each field of a struct. visit consumes the value and returns true, or
// returns false to have it skipped. A boolean's value is its kind.
func (r *thriftReader) fields(visit func(id int16, kind byte) bool) {
	if r.depth++; r.depth > maxThriftDepth {
		r.fail()
	}
	id := int16(0)
	for !r.failed {
		head := r.byte()
		kind := head & 15
		if kind == thriftStop {
			break
		}
		if delta := int16(head >> 4); delta != 0 {
			id += delta
		} else {
			id = int16(r.i32())
		}
		if !visit(id, kind) {
			r.skip(kind)
		}
	}
	r.depth--
}

// list reads a list's head. Each element takes at least a byte, so a longer list is malformed.
func (r *thriftReader) list() (n int, kind byte) {
	head := r.byte()
	kind, n = head&15, int(head>>4)
	if n == 15 {
		long := r.uvarint()
		if long > uint64(len(r.data)-r.at) {
			r.fail()
			return 0, 0
		}
		n = int(long)
	}
	if n > len(r.data)-r.at {
		r.fail()
		return 0, 0
	}
	return n, kind
}

func (r *thriftReader) skip(kind byte) {
	switch kind {
	case thriftTrue, thriftFalse:
	case thriftI8:
		r.byte()
	case thriftI16, thriftI32, thriftI64:
		r.uvarint()
	case thriftDouble:
		r.double()
	case thriftBinary:
		r.bytes()
	case thriftList, thriftSet:
		n, element := r.list()
		for range n {
			if r.failed {
				return
			}
			r.skipElement(element)
		}
	case thriftMap:
		n := r.uvarint()
		if n == 0 {
			return
		}
		kinds := r.byte()
		for ; n > 0 && !r.failed; n-- {
			r.skipElement(kinds >> 4)
			r.skipElement(kinds & 15)
		}
	case thriftStruct:
		r.skipStruct()
	default:
		r.fail()
	}
}

func (r *thriftReader) skipStruct() {
	if r.depth++; r.depth > maxThriftDepth {
		r.fail()
	}
	for !r.failed {
		head := r.byte()
		if head&15 == thriftStop {
			break
		}
		if head>>4 == 0 {
			r.uvarint() // the field's number
		}
		r.skip(head & 15)
	}
	r.depth--
}

// skipElement skips a member of a list or map, where a boolean takes a byte.
func (r *thriftReader) skipElement(kind byte) {
	if kind == thriftTrue || kind == thriftFalse {
		r.byte()
		return
	}
	if r.depth++; r.depth > maxThriftDepth {
		r.fail()
	}
	r.skip(kind)
	r.depth--
}
