package parquet

import (
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// outNode is a field of a file to be written.
type outNode struct {
	element  schemaElement
	typ      types.Type
	kind     nodeKind
	children []*outNode // list: element; map: key, value; row: fields
	leaf     *leafWriter
	// definition is the level from which on the value itself is there.
	definition int
	repetition int // of the elements, for lists and maps
}

// maxOutDepth bounds the nesting of written types.
const maxOutDepth = 32

type outBuilder struct {
	leaves []*leafWriter
	path   []string
	depth  int
}

// node plans how a field is stored, below these levels.
func (b *outBuilder) node(f types.Field, definition, repetition int) (*outNode, error) {
	if b.depth++; b.depth > maxOutDepth {
		return nil, sqlerr.New(sqlerr.ProgramLimitExceeded, "column %q is nested too deeply", f.Name)
	}
	b.path = append(b.path, f.Name)
	defer func() { b.depth--; b.path = b.path[:len(b.path)-1] }()
	n := &outNode{typ: f.Type, element: schemaElement{name: f.Name}, definition: definition, repetition: repetition}
	if f.Nullable {
		n.element.repetition = optional
		n.definition++
	}
	var children []types.Field
	var under string
	switch f.Type.Kind {
	case types.Array:
		n.kind, under = nodeList, "list"
		n.element.logical.kind = logicalList
		children = []types.Field{{Name: "element", Type: *f.Type.Elem, Nullable: true}}
	case types.Map:
		n.kind, under = nodeMap, "key_value"
		n.element.logical.kind = logicalMap
		children = []types.Field{{Name: "key", Type: *f.Type.Key}, {Name: "value", Type: *f.Type.Elem, Nullable: true}}
	case types.Row:
		n.kind = nodeRow
		children = f.Type.Fields
		if len(children) == 0 {
			return nil, sqlerr.New(sqlerr.FeatureNotSupported, "column %q has a row type without fields", f.Name)
		}
	default:
		if err := storedAs(&n.element, f.Type); err != nil {
			return nil, err
		}
		n.leaf = newLeafWriter(len(b.leaves), append([]string(nil), b.path...), n.element, f.Type, n.definition, repetition)
		b.leaves = append(b.leaves, n.leaf)
		return n, nil
	}
	definition = n.definition
	if under != "" {
		definition++
		repetition++
		n.repetition = repetition
		b.path = append(b.path, under)
		defer func() { b.path = b.path[:len(b.path)-1] }()
	}
	for _, child := range children {
		if n.kind == nodeRow {
			child.Nullable = true
		}
		c, err := b.node(child, definition, repetition)
		if err != nil {
			return nil, err
		}
		n.children = append(n.children, c)
	}
	return n, nil
}

// storedAs chooses the physical and logical type of a leaf.
func storedAs(e *schemaElement, t types.Type) error {
	e.hasPhysical = true
	switch t.Kind {
	case types.Bool:
		e.physical = physBoolean
	case types.Int16:
		e.physical, e.logical = physInt32, logicalType{kind: logicalInteger, bitWidth: 16, signed: true}
	case types.Int32:
		e.physical = physInt32
	case types.Int64, types.OID, types.RegClass, types.RegType, types.RegProc, types.RegNamespace:
		e.physical = physInt64
	case types.Float32:
		e.physical = physFloat
	case types.Float64:
		e.physical = physDouble
	case types.Decimal:
		e.logical = logicalType{kind: logicalDecimal, precision: int32(t.Precision), scale: int32(t.Scale)}
		switch {
		case t.Precision == 0:
			return sqlerr.New(sqlerr.FeatureNotSupported, "numeric without a precision cannot be stored in Parquet")
		case t.Precision <= 9:
			e.physical = physInt32
		case t.Precision <= types.MaxInt64Precision:
			e.physical = physInt64
		default:
			e.physical, e.typeLength = physFixed, 16
		}
	case types.Int128Kind:
		e.physical, e.typeLength = physFixed, 16
		e.logical = logicalType{kind: logicalDecimal, precision: types.MaxDecimalPrecision}
	case types.Text, types.Char, types.Name, types.InternalChar, types.Unknown:
		e.physical, e.logical.kind = physByteArray, logicalString
	case types.JSON, types.JSONB:
		e.physical, e.logical.kind = physByteArray, logicalJSON
	case types.Bytea:
		e.physical = physByteArray
	case types.Date:
		e.physical, e.logical.kind = physInt32, logicalDate
	case types.Time:
		e.physical, e.logical = physInt64, logicalType{kind: logicalTime, unit: unitMicros}
	case types.Timestamp, types.TimestampTZ:
		e.physical, e.logical = physInt64, logicalType{kind: logicalTimestamp, unit: unitMicros, utc: t.Kind == types.TimestampTZ}
	case types.Interval:
		e.physical, e.typeLength, e.logical.kind = physFixed, 12, logicalInterval
	case types.UUID:
		e.physical, e.typeLength, e.logical.kind = physFixed, 16, logicalUUID
	default:
		return sqlerr.New(sqlerr.FeatureNotSupported, "type %s cannot be stored in Parquet", t)
	}
	return nil
}

// write appends the schema elements of n and its children.
func (n *outNode) write(w *thriftWriter, fieldID int32) {
	e := n.element
	e.fieldID = fieldID
	switch n.kind {
	case nodeLeaf:
		e.write(w)
		return
	case nodeRow:
		e.children = int32(len(n.children))
		e.write(w)
	default:
		e.children = 1
		e.write(w)
		name := "list"
		if n.kind == nodeMap {
			name = "key_value"
		}
		middle := schemaElement{name: name, repetition: repeated, children: int32(len(n.children))}
		middle.write(w)
	}
	for _, child := range n.children {
		child.write(w, 0)
	}
}

// elements counts the schema elements that write appends.
func (n *outNode) elements() int {
	count := 1
	if n.kind == nodeList || n.kind == nodeMap {
		count++
	}
	for _, child := range n.children {
		count += child.elements()
	}
	return count
}

func (e *schemaElement) write(w *thriftWriter) {
	w.open()
	if e.hasPhysical {
		w.i32(1, int32(e.physical))
	}
	if e.typeLength > 0 {
		w.i32(2, e.typeLength)
	}
	w.i32(3, int32(e.repetition))
	w.string(4, e.name)
	if e.children > 0 {
		w.i32(5, e.children)
	}
	if converted := e.logical.converted(); converted >= 0 {
		w.i32(6, converted)
	}
	if e.logical.kind == logicalDecimal {
		w.i32(7, e.logical.scale)
		w.i32(8, e.logical.precision)
	}
	if e.fieldID > 0 {
		w.i32(9, e.fieldID)
	}
	if e.logical.kind != logicalNone && e.logical.kind != logicalInterval {
		w.openField(10)
		e.logical.write(w)
		w.close()
	}
	w.close()
}

// converted gives the older annotation, -1 for none.
func (l *logicalType) converted() int32 {
	switch l.kind {
	case logicalString:
		return 0
	case logicalMap:
		return 1
	case logicalList:
		return 3
	case logicalDecimal:
		return 5
	case logicalDate:
		return 6
	case logicalInteger:
		return 16 // INT_16 is the only one written
	case logicalTimestamp:
		if l.utc {
			return 10
		}
	case logicalJSON:
		return 19
	case logicalInterval:
		return 21
	}
	return -1
}

func (l *logicalType) write(w *thriftWriter) {
	w.openField(int16(l.kind))
	switch l.kind {
	case logicalDecimal:
		w.i32(1, l.scale)
		w.i32(2, l.precision)
	case logicalTime, logicalTimestamp:
		w.bool(1, l.utc)
		w.openField(2)
		w.openField(int16(l.unit))
		w.close()
		w.close()
	case logicalInteger:
		w.i8(1, l.bitWidth)
		w.bool(2, l.signed)
	}
	w.close()
}
