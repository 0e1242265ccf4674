package parquet

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/pierrec/lz4/v4"
)

// TestHadoopLZ4 reads the framing of Hadoop's codec, in one block and in several, and what writers that
// left it out wrote under the same name.
func TestHadoopLZ4(t *testing.T) {
	want := bytes.Repeat([]byte("some words that come again and again; "), 300)
	block := func(data []byte) []byte {
		out := make([]byte, lz4.CompressBlockBound(len(data)))
		n, err := lz4.CompressBlock(data, out, nil)
		if err != nil || n == 0 {
			t.Fatal(n, err)
		}
		return out[:n]
	}
	framed := func(parts ...[]byte) (out []byte) {
		for _, p := range parts {
			packed := block(p)
			out = binary.BigEndian.AppendUint32(out, uint32(len(p)))
			out = binary.BigEndian.AppendUint32(out, uint32(len(packed)))
			out = append(out, packed...)
		}
		return out
	}
	var pool codecPool
	for name, data := range map[string][]byte{"one block": framed(want), "three blocks": framed(want[:700], want[700:4000], want[4000:]), "raw": block(want)} {
		got, err := pool.decompress(codecLZ4Hadoop, nil, data, len(want))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		if _, err := pool.decompress(codecLZ4Hadoop, nil, data[:len(data)-3], len(want)); err == nil {
			t.Errorf("%s: a cut page is read", name)
		}
	}
}

// TestListsOfOldWriters reads the shapes that the format's compatibility rules list.
func TestListsOfOldWriters(t *testing.T) {
	group := func(name string, rep repetition, kind logicalKind, children int32) schemaElement {
		return schemaElement{name: name, repetition: rep, logical: logicalType{kind: kind}, children: children}
	}
	value := func(name string, rep repetition) schemaElement {
		return schemaElement{name: name, repetition: rep, hasPhysical: true, physical: physInt32}
	}
	for name, c := range map[string]struct {
		elements []schemaElement
		want     string
	}{
		"two levels":         {[]schemaElement{group("l", optional, logicalList, 1), value("element", repeated)}, "integer[]"},
		"three levels":       {[]schemaElement{group("l", optional, logicalList, 1), group("list", repeated, logicalNone, 1), value("element", optional)}, "integer[]"},
		"any names":          {[]schemaElement{group("l", optional, logicalList, 1), group("bag", repeated, logicalNone, 1), value("array_element", optional)}, "integer[]"},
		"a group of two":     {[]schemaElement{group("l", optional, logicalList, 1), group("element", repeated, logicalNone, 2), value("a", required), value("b", optional)}, "row(a integer, b integer)[]"},
		"named array":        {[]schemaElement{group("l", optional, logicalList, 1), group("array", repeated, logicalNone, 1), value("a", required)}, "row(a integer)[]"},
		"named after it":     {[]schemaElement{group("l", optional, logicalList, 1), group("l_tuple", repeated, logicalNone, 1), value("a", required)}, "row(a integer)[]"},
		"no annotation":      {[]schemaElement{value("l", repeated)}, "integer[]"},
		"a group without it": {[]schemaElement{group("l", repeated, logicalNone, 1), value("a", required)}, "row(a integer)[]"},
		"a map":              {[]schemaElement{group("l", optional, logicalMap, 1), group("map", repeated, logicalNone, 2), value("key", required), value("value", optional)}, "map(integer, integer)"},
		"a set":              {[]schemaElement{group("l", optional, logicalMap, 1), group("map", repeated, logicalNone, 1), value("key", required)}, "integer[]"},
	} {
		fields, columns, err := buildSchema(append([]schemaElement{group("root", required, logicalNone, 1)}, c.elements...), nil)
		if err != nil || len(fields) != 1 || columns == 0 || fields[0].typ.String() != c.want {
			t.Errorf("%s: %v, %v, want %s", name, fields, err, c.want)
		}
	}
}

// TestBoundsOfOldWriters: the older minimum and maximum are by signed order, which unsigned integers do not have.
func TestBoundsOfOldWriters(t *testing.T) {
	bound := func(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }
	for name, c := range map[string]struct {
		older, signed bool
		low, high     uint32
		known         bool
	}{
		"signed, older":          {true, true, 1, 5, true},
		"unsigned, older":        {true, false, 0x8000_0000, 5, false},
		"one unsigned, older":    {true, false, 5, 5, true},
		"unsigned, newer fields": {false, false, 5, 0x8000_0000, true},
	} {
		var w thriftWriter
		w.open()
		if c.older {
			w.bytes(1, bound(c.high))
			w.bytes(2, bound(c.low))
		} else {
			w.bytes(5, bound(c.high))
			w.bytes(6, bound(c.low))
		}
		w.close()
		stats := (&thriftReader{data: w.data}).statistics(physInt32)
		l := &leaf{element: schemaElement{physical: physInt32, logical: logicalType{kind: logicalInteger, bitWidth: 32, signed: c.signed}}}
		l.typ, _ = leafType(l.element)
		low, high := (&File{meta: &fileMeta{}}).bounds(l, &stats)
		if known := low != nil && high != nil && low.I64 == int64(c.low) && high.I64 == int64(c.high); known != c.known {
			t.Errorf("%s: %v, %v", name, low, high)
		}
	}
}
