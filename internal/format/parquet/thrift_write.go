package parquet

import "encoding/binary"

// thriftWriter appends metadata in Thrift's compact protocol.
type thriftWriter struct {
	data  []byte
	last  int16
	stack []int16
}

func (w *thriftWriter) uvarint(v uint64) { w.data = binary.AppendUvarint(w.data, v) }
func (w *thriftWriter) varint(v int64)   { w.uvarint(uint64(v<<1) ^ uint64(v>>63)) }

func (w *thriftWriter) field(id int16, kind byte) {
	if delta := id - w.last; delta > 0 && delta <= 15 {
		w.data = append(w.data, byte(delta)<<4|kind)
	} else {
		w.data = append(w.data, kind)
		w.varint(int64(id))
	}
	w.last = id
}

func (w *thriftWriter) i32(id int16, v int32) {
	w.field(id, thriftI32)
	w.varint(int64(v))
}

func (w *thriftWriter) i16(id int16, v int16) {
	w.field(id, thriftI16)
	w.varint(int64(v))
}

func (w *thriftWriter) i8(id int16, v int8) {
	w.field(id, thriftI8)
	w.data = append(w.data, byte(v))
}

func (w *thriftWriter) i64(id int16, v int64) {
	w.field(id, thriftI64)
	w.varint(v)
}

func (w *thriftWriter) bool(id int16, v bool) {
	if v {
		w.field(id, thriftTrue)
	} else {
		w.field(id, thriftFalse)
	}
}

func (w *thriftWriter) bytes(id int16, b []byte) {
	w.field(id, thriftBinary)
	w.element(b)
}

func (w *thriftWriter) string(id int16, s string) { w.bytes(id, []byte(s)) }

// element appends a byte string as a member of a list.
func (w *thriftWriter) element(b []byte) {
	w.uvarint(uint64(len(b)))
	w.data = append(w.data, b...)
}

// list starts a list field of n members.
func (w *thriftWriter) list(id int16, kind byte, n int) {
	w.field(id, thriftList)
	if n < 15 {
		w.data = append(w.data, byte(n)<<4|kind)
		return
	}
	w.data = append(w.data, 0xf0|kind)
	w.uvarint(uint64(n))
}

// open starts a struct that is a list member; with openField it is a field. close ends either.
func (w *thriftWriter) open() {
	w.stack = append(w.stack, w.last)
	w.last = 0
}

func (w *thriftWriter) openField(id int16) {
	w.field(id, thriftStruct)
	w.open()
}

func (w *thriftWriter) close() {
	w.data = append(w.data, thriftStop)
	w.last = w.stack[len(w.stack)-1]
	w.stack = w.stack[:len(w.stack)-1]
}
