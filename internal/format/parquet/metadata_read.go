package parquet

import (
	"bytes"
	"errors"
	"unsafe"

	"github.com/tarnlake/tarn/internal/format/scan"
)

// What items of a footer take in memory: twice their size, for lists grow by doubling, and for the
// elements of the schema also the fields made of them.
const (
	elementMemory = 2*int(unsafe.Sizeof(schemaElement{})) + 2*int(unsafe.Sizeof(node{})) + int(unsafe.Sizeof(leaf{}))
	groupMemory   = 2*int(unsafe.Sizeof(rowGroupMeta{})) + 16
	chunkMemory   = 2 * int(unsafe.Sizeof(chunkMeta{}))
	sortingMemory = 2 * int(unsafe.Sizeof(sortingColumn{}))
	pairMemory    = 128
)

var errIncomplete = errors.New("metadata lacks a required field")

// decodeFileMeta reads the footer. Slices of statistics refer to data.
func decodeFileMeta(data []byte, budget *scan.Budget) (*fileMeta, error) {
	r := &thriftReader{data: data, budget: budget}
	m := &fileMeta{rows: -1}
	var bad error
	r.fields(func(id int16, kind byte) bool {
		switch {
		case id == 1 && kind == thriftI32:
			m.version = r.i32()
		case id == 2 && kind == thriftList:
			n, _ := r.list()
			for range n {
				if r.failed {
					break
				}
				r.take(elementMemory)
				m.schema = append(m.schema, r.schemaElement())
			}
		case id == 3 && kind == thriftI64:
			m.rows = r.i64()
		case id == 4 && kind == thriftList:
			n, _ := r.list()
			for range n {
				if r.failed || bad != nil {
					break
				}
				r.take(groupMemory)
				var g rowGroupMeta
				if g, bad = r.rowGroup(); bad == nil {
					m.groups = append(m.groups, g)
				}
			}
		case id == 5 && kind == thriftList:
			m.keyValues = r.keyValues()
		case id == 6 && kind == thriftBinary:
			m.createdBy = r.string()
		case id == 8 && kind == thriftStruct:
			m.encrypted = true
			return false
		default:
			return false
		}
		return true
	})
	switch {
	case budget.Err() != nil:
		return nil, budget.Err()
	case bad != nil:
		return nil, bad
	case r.failed:
		return nil, errThrift
	case len(m.schema) == 0 || m.rows < 0:
		return nil, errIncomplete
	}
	return m, nil
}

func (r *thriftReader) keyValues() map[string]string {
	n, _ := r.list()
	out := map[string]string{}
	for range n {
		if r.failed {
			break
		}
		var key, value string
		r.fields(func(id int16, kind byte) bool {
			switch {
			case id == 1 && kind == thriftBinary:
				key = r.string()
			case id == 2 && kind == thriftBinary:
				value = r.string()
			default:
				return false
			}
			return true
		})
		r.take(pairMemory + len(key) + len(value))
		out[key] = value
	}
	return out
}

func (r *thriftReader) schemaElement() schemaElement {
	var e schemaElement
	converted := int32(-1)
	var scale, precision int32
	r.fields(func(id int16, kind byte) bool {
		switch {
		case id == 1 && kind == thriftI32:
			e.physical, e.hasPhysical = physicalType(r.i32()), true
		case id == 2 && kind == thriftI32:
			e.typeLength = r.i32()
		case id == 3 && kind == thriftI32:
			e.repetition = repetition(r.i32())
		case id == 4 && kind == thriftBinary:
			e.name = r.string()
			r.take(len(e.name))
		case id == 5 && kind == thriftI32:
			e.children = r.i32()
		case id == 6 && kind == thriftI32:
			converted = r.i32()
		case id == 7 && kind == thriftI32:
			scale = r.i32()
		case id == 8 && kind == thriftI32:
			precision = r.i32()
		case id == 9 && kind == thriftI32:
			e.fieldID = r.i32()
		case id == 10 && kind == thriftStruct:
			e.logical = r.logicalType()
		default:
			return false
		}
		return true
	})
	if e.logical.kind == logicalNone {
		e.logical = fromConverted(converted, scale, precision)
	}
	return e
}

func (r *thriftReader) logicalType() logicalType {
	var l logicalType
	r.fields(func(member int16, kind byte) bool {
		if kind != thriftStruct {
			return false
		}
		l.kind = logicalKind(member)
		r.fields(func(id int16, kind byte) bool {
			switch {
			case l.kind == logicalDecimal && id == 1 && kind == thriftI32:
				l.scale = r.i32()
			case l.kind == logicalDecimal && id == 2 && kind == thriftI32:
				l.precision = r.i32()
			case (l.kind == logicalTime || l.kind == logicalTimestamp) && id == 1:
				l.utc = kind == thriftTrue
			case (l.kind == logicalTime || l.kind == logicalTimestamp) && id == 2 && kind == thriftStruct:
				r.fields(func(unit int16, _ byte) bool {
					l.unit = timeUnit(unit)
					return false
				})
			case l.kind == logicalInteger && id == 1 && kind == thriftI8:
				l.bitWidth = int8(r.byte())
			case l.kind == logicalInteger && id == 2:
				l.signed = kind == thriftTrue
			default:
				return false
			}
			return true
		})
		return true
	})
	return l
}

// fromConverted maps the older ConvertedType.
func fromConverted(converted, scale, precision int32) logicalType {
	switch converted {
	case 0:
		return logicalType{kind: logicalString}
	case 1, 2:
		return logicalType{kind: logicalMap}
	case 3:
		return logicalType{kind: logicalList}
	case 4:
		return logicalType{kind: logicalEnum}
	case 5:
		return logicalType{kind: logicalDecimal, scale: scale, precision: precision}
	case 6:
		return logicalType{kind: logicalDate}
	case 7:
		return logicalType{kind: logicalTime, unit: unitMillis, utc: true}
	case 8:
		return logicalType{kind: logicalTime, unit: unitMicros, utc: true}
	case 9:
		return logicalType{kind: logicalTimestamp, unit: unitMillis, utc: true}
	case 10:
		return logicalType{kind: logicalTimestamp, unit: unitMicros, utc: true}
	case 11, 12, 13, 14:
		return logicalType{kind: logicalInteger, bitWidth: 8 << (converted - 11)}
	case 15, 16, 17, 18:
		return logicalType{kind: logicalInteger, bitWidth: 8 << (converted - 15), signed: true}
	case 19:
		return logicalType{kind: logicalJSON}
	case 21:
		return logicalType{kind: logicalInterval}
	}
	return logicalType{}
}

func (r *thriftReader) rowGroup() (g rowGroupMeta, bad error) {
	g.rows = -1
	r.fields(func(id int16, kind byte) bool {
		switch {
		case id == 1 && kind == thriftList:
			n, _ := r.list()
			g.chunks = make([]chunkMeta, 0, min(n, 1024))
			for range n {
				if r.failed {
					break
				}
				r.take(chunkMemory)
				g.chunks = append(g.chunks, r.columnChunk())
				if !g.chunks[len(g.chunks)-1].valid {
					r.fail()
				}
			}
		case id == 2 && kind == thriftI64:
			g.bytes = r.i64()
		case id == 3 && kind == thriftI64:
			g.rows = r.i64()
		case id == 4 && kind == thriftList:
			n, _ := r.list()
			for range n {
				if r.failed {
					break
				}
				r.take(sortingMemory)
				g.sorting = append(g.sorting, r.sortingColumn())
			}
		default:
			return false
		}
		return true
	})
	if !r.failed && g.rows < 0 {
		return g, errIncomplete
	}
	return g, nil
}

func (r *thriftReader) sortingColumn() sortingColumn {
	s := sortingColumn{last: true}
	r.fields(func(id int16, kind byte) bool {
		switch {
		case id == 1 && kind == thriftI32:
			s.column = r.i32()
		case id == 2:
			s.descending = kind == thriftTrue
		case id == 3:
			s.last = kind == thriftFalse
		default:
			return false
		}
		return true
	})
	return s
}

func (r *thriftReader) columnChunk() chunkMeta {
	var c chunkMeta
	r.fields(func(id int16, kind byte) bool {
		switch {
		case id == 1 && kind == thriftBinary:
			c.otherFile = len(r.bytes()) > 0
		case id == 3 && kind == thriftStruct:
			r.columnMeta(&c)
		case id == 4 && kind == thriftI64:
			c.offsetIndexOffset = r.i64()
		case id == 5 && kind == thriftI32:
			c.offsetIndexLength = r.i32()
		case id == 6 && kind == thriftI64:
			c.columnIndexOffset = r.i64()
		case id == 7 && kind == thriftI32:
			c.columnIndexLength = r.i32()
		case id == 8 && kind == thriftStruct:
			c.encrypted, c.valid = true, true
			return false
		default:
			return false
		}
		return true
	})
	return c
}

func (r *thriftReader) columnMeta(c *chunkMeta) {
	c.stats = statistics{nulls: -1, distinct: -1}
	seen := 0
	r.fields(func(id int16, kind byte) bool {
		switch {
		case id == 1 && kind == thriftI32:
			c.physical = physicalType(r.i32())
			seen |= 1
		case id == 4 && kind == thriftI32:
			c.codec = codecID(r.i32())
			seen |= 2
		case id == 5 && kind == thriftI64:
			c.values = r.i64()
			seen |= 4
		case id == 6 && kind == thriftI64:
			c.uncompressed = r.i64()
		case id == 7 && kind == thriftI64:
			c.compressed = r.i64()
			seen |= 8
		case id == 9 && kind == thriftI64:
			c.dataOffset = r.i64()
			seen |= 16
		case id == 11 && kind == thriftI64:
			c.dictOffset = r.i64()
		case id == 12 && kind == thriftStruct:
			c.stats = r.statistics(c.physical)
		case id == 14 && kind == thriftI64:
			c.bloomOffset = r.i64()
		case id == 15 && kind == thriftI32:
			c.bloomLength = r.i32()
		default:
			return false
		}
		return true
	})
	c.valid = seen == 31 && c.values >= 0 && c.compressed >= 0 && c.dataOffset >= 0 && c.dictOffset >= 0 &&
		c.start()+c.compressed >= 0
}

// statistics prefers the fields with a defined order. The older min and max compared byte arrays as
// signed bytes, so they are trusted for numbers only, and for byte arrays when both are equal.
func (r *thriftReader) statistics(physical physicalType) statistics {
	s := statistics{nulls: -1, distinct: -1}
	var oldMinimum, oldMaximum []byte
	r.fields(func(id int16, kind byte) bool {
		switch {
		case id == 1 && kind == thriftBinary:
			oldMaximum = r.bytes()
		case id == 2 && kind == thriftBinary:
			oldMinimum = r.bytes()
		case id == 3 && kind == thriftI64:
			s.nulls = r.i64()
		case id == 4 && kind == thriftI64:
			s.distinct = r.i64()
		case id == 5 && kind == thriftBinary:
			s.maximum = r.bytes()
		case id == 6 && kind == thriftBinary:
			s.minimum = r.bytes()
		default:
			return false
		}
		return true
	})
	if s.minimum == nil && s.maximum == nil && oldMinimum != nil && oldMaximum != nil {
		switch physical {
		case physInt32, physInt64, physFloat, physDouble, physBoolean:
			s.minimum, s.maximum, s.signed = oldMinimum, oldMaximum, true
		case physByteArray, physFixed:
			if bytes.Equal(oldMinimum, oldMaximum) {
				s.minimum, s.maximum = oldMinimum, oldMaximum
			}
		}
	}
	return s
}
