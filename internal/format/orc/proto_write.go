package orc

import (
	"encoding/binary"
	"math"
)

// protoWriter appends the fields of a message.
type protoWriter struct{ data []byte }

func (w *protoWriter) key(field, wire int) {
	w.data = binary.AppendUvarint(w.data, uint64(field)<<3|uint64(wire))
}

func (w *protoWriter) uvarint(field int, v uint64) {
	w.key(field, wireVarint)
	w.data = binary.AppendUvarint(w.data, v)
}

func (w *protoWriter) zigzag(field int, v int64) { w.uvarint(field, zigzag(v)) }

func (w *protoWriter) double(field int, v float64) {
	w.key(field, wireFixed8)
	w.data = binary.LittleEndian.AppendUint64(w.data, math.Float64bits(v))
}

func (w *protoWriter) bytes(field int, b []byte) {
	w.key(field, wireBytes)
	w.data = binary.AppendUvarint(w.data, uint64(len(b)))
	w.data = append(w.data, b...)
}

func (w *protoWriter) string(field int, s string) { w.bytes(field, []byte(s)) }

func (w *protoWriter) packed(field int, values []uint64) {
	var list []byte
	for _, v := range values {
		list = binary.AppendUvarint(list, v)
	}
	w.bytes(field, list)
}

func zigzag(v int64) uint64 { return uint64(v)<<1 ^ uint64(v>>63) }
