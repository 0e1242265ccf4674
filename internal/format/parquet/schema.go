package parquet

import (
	"fmt"
	"strings"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/types"
)

// nodeKind says how a node of the schema tree assembles into a vector.
type nodeKind uint8

const (
	nodeLeaf nodeKind = iota
	nodeList
	nodeMap
	nodeRow
)

// node is a field of the file's schema after the wrapping groups of lists and maps are folded away.
type node struct {
	name       string
	kind       nodeKind
	typ        types.Type // how its values appear; Unknown when unsupported says why
	leaf       *leaf      // nodeLeaf
	children   []*node    // list: element; map: key, value; row: fields
	definition int        // level from which on the value itself (a list: even an empty one) is not null
	entries    int        // list and map: definition level from which on there is an element
	repetition int        // list and map: repetition level of a further element
	optional   bool
}

// leaf is a stored column.
type leaf struct {
	column        int // ordinal of the column chunk
	path          string
	element       schemaElement
	typ           types.Type
	unsupported   string
	maxDefinition int
	maxRepetition int
}

// flat tells whether a field is one stored column with at most one definition level.
func (n *node) flat() bool {
	return n.kind == nodeLeaf && n.leaf.maxRepetition == 0 && n.leaf.maxDefinition <= 1
}

// leaves appends the stored columns below n, in order.
func (n *node) leaves(into []*leaf) []*leaf {
	if n.kind == nodeLeaf {
		return append(into, n.leaf)
	}
	for _, child := range n.children {
		into = child.leaves(into)
	}
	return into
}

const maxSchemaDepth = 64

type schemaBuilder struct {
	elements []schemaElement
	at       int
	columns  int
	budget   *scan.Budget
}

// buildSchema folds the flat list of elements into the file's fields.
func buildSchema(elements []schemaElement, budget *scan.Budget) (fields []*node, columns int, err error) {
	b := &schemaBuilder{elements: elements, at: 1, budget: budget}
	if elements[0].children < 0 || int(elements[0].children) >= len(elements) && elements[0].children > 0 {
		return nil, 0, fmt.Errorf("schema root has %d children but there are %d elements", elements[0].children, len(elements))
	}
	for range elements[0].children {
		field, err := b.field(0, 0, "", 0)
		if err != nil {
			return nil, 0, err
		}
		fields = append(fields, field)
	}
	return fields, b.columns, nil
}

func (b *schemaBuilder) next() (schemaElement, error) {
	if b.at >= len(b.elements) {
		return schemaElement{}, fmt.Errorf("schema ends early")
	}
	e := b.elements[b.at]
	b.at++
	switch {
	case e.repetition < required || e.repetition > repeated:
		return e, fmt.Errorf("field %q has repetition %d", e.name, e.repetition)
	case e.children < 0 || int(e.children) > len(b.elements)-b.at:
		return e, fmt.Errorf("field %q has %d children", e.name, e.children)
	case e.children == 0 && (!e.hasPhysical || e.physical < physBoolean || e.physical > physFixed):
		return e, fmt.Errorf("field %q has no valid physical type", e.name)
	case e.children == 0 && e.physical == physFixed && (e.typeLength <= 0 || e.typeLength > 1<<20):
		return e, fmt.Errorf("field %q has length %d", e.name, e.typeLength)
	}
	return e, nil
}

// field reads one field below a parent with these levels.
func (b *schemaBuilder) field(definition, repetition int, path string, depth int) (*node, error) {
	e, err := b.next()
	if err != nil {
		return nil, err
	}
	if depth > maxSchemaDepth {
		return nil, fmt.Errorf("schema is nested deeper than %d", maxSchemaDepth)
	}
	if err := b.budget.Take(int64(len(path) + len(e.name) + 1)); err != nil { // names of parents may be long
		return nil, err
	}
	path = strings.TrimPrefix(path+"."+e.name, ".")
	switch e.repetition {
	case optional:
		n, err := b.body(e, definition+1, repetition, path, depth)
		if err == nil {
			n.optional = true
		}
		return n, err
	case repeated: // an unannotated repeated field is a list that is never null
		element, err := b.body(e, definition+1, repetition+1, path, depth)
		if err != nil {
			return nil, err
		}
		return listOf(e.name, element, definition, definition+1, repetition+1), nil
	}
	return b.body(e, definition, repetition, path, depth)
}

func listOf(name string, element *node, definition, entries, repetition int) *node {
	return &node{name: name, kind: nodeList, typ: types.ArrayOf(element.typ), children: []*node{element},
		definition: definition, entries: entries, repetition: repetition}
}

// body reads what a field holds; definition is the level from which on the field is present.
func (b *schemaBuilder) body(e schemaElement, definition, repetition int, path string, depth int) (*node, error) {
	if e.children == 0 {
		return b.leafNode(e, definition, repetition, path), nil
	}
	switch {
	case e.logical.kind == logicalList && e.children == 1:
		return b.list(e, definition, repetition, path, depth)
	case e.logical.kind == logicalMap && e.children == 1:
		return b.mapNode(e, definition, repetition, path, depth)
	}
	n := &node{name: e.name, kind: nodeRow, definition: definition}
	for range e.children {
		child, err := b.field(definition, repetition, path, depth+1)
		if err != nil {
			return nil, err
		}
		n.children = append(n.children, child)
	}
	n.typ = rowType(n.children)
	return n, nil
}

func rowType(children []*node) types.Type {
	fields := make([]types.Field, len(children))
	for i, child := range children {
		fields[i] = types.Field{Name: child.name, Type: child.typ, Nullable: child.optional}
	}
	return types.RowOf(fields...)
}

// list reads the repeated field inside a LIST group: the standard three levels, or the older forms
// in which the repeated field is the element itself.
func (b *schemaBuilder) list(e schemaElement, definition, repetition int, path string, depth int) (*node, error) {
	if b.at >= len(b.elements) {
		return nil, fmt.Errorf("schema ends early")
	}
	inner := b.elements[b.at]
	if inner.repetition != repeated {
		return nil, fmt.Errorf("list %q has no repeated field", path)
	}
	if inner.children == 1 && inner.name != "array" && inner.name != e.name+"_tuple" && inner.logical.kind == logicalNone {
		b.at++
		element, err := b.field(definition+1, repetition+1, path+"."+inner.name, depth+1)
		if err != nil {
			return nil, err
		}
		return listOf(e.name, element, definition, definition+1, repetition+1), nil
	}
	inner, err := b.next()
	if err != nil {
		return nil, err
	}
	element, err := b.body(inner, definition+1, repetition+1, path+"."+inner.name, depth+1)
	if err != nil {
		return nil, err
	}
	return listOf(e.name, element, definition, definition+1, repetition+1), nil
}

func (b *schemaBuilder) mapNode(e schemaElement, definition, repetition int, path string, depth int) (*node, error) {
	inner, err := b.next()
	if err != nil {
		return nil, err
	}
	if inner.repetition != repeated || inner.children < 1 || inner.children > 2 {
		return nil, fmt.Errorf("map %q has no repeated key and value", path)
	}
	n := &node{name: e.name, kind: nodeMap, definition: definition, entries: definition + 1, repetition: repetition + 1}
	for range inner.children {
		child, err := b.field(definition+1, repetition+1, path+"."+inner.name, depth+1)
		if err != nil {
			return nil, err
		}
		n.children = append(n.children, child)
	}
	if len(n.children) == 1 { // a set of keys, written by old Hive
		n.kind, n.typ = nodeList, types.ArrayOf(n.children[0].typ)
		return n, nil
	}
	n.typ = types.MapOf(n.children[0].typ, n.children[1].typ)
	return n, nil
}

func (b *schemaBuilder) leafNode(e schemaElement, definition, repetition int, path string) *node {
	l := &leaf{column: b.columns, path: path, element: e, maxDefinition: definition, maxRepetition: repetition}
	b.columns++
	l.typ, l.unsupported = leafType(e)
	return &node{name: e.name, kind: nodeLeaf, typ: l.typ, leaf: l, definition: definition}
}

// leafType gives the SQL type of a stored column. Nanoseconds become microseconds, rounded down;
// UTC-adjusted timestamps are timestamptz; unsigned integers widen; INT96 is a timestamp.
func leafType(e schemaElement) (t types.Type, unsupported string) {
	l := e.logical
	switch l.kind {
	case logicalDecimal:
		return decimalType(e)
	case logicalDate:
		if e.physical == physInt32 {
			return types.Of(types.Date), ""
		}
	case logicalTime:
		if e.physical == physInt32 && l.unit == unitMillis || e.physical == physInt64 {
			return types.Of(types.Time), ""
		}
	case logicalTimestamp:
		if e.physical == physInt64 && l.utc {
			return types.Of(types.TimestampTZ), ""
		}
		if e.physical == physInt64 {
			return types.Of(types.Timestamp), ""
		}
	case logicalInteger:
		if e.physical == physInt32 || e.physical == physInt64 {
			return integerType(e), ""
		}
	case logicalString, logicalEnum:
		if e.physical == physByteArray || e.physical == physFixed {
			return types.Of(types.Text), ""
		}
	case logicalJSON:
		if e.physical == physByteArray {
			return types.Of(types.JSON), ""
		}
	case logicalUUID:
		if e.physical == physFixed && e.typeLength == 16 {
			return types.Of(types.UUID), ""
		}
	case logicalFloat16:
		if e.physical == physFixed && e.typeLength == 2 {
			return types.Of(types.Float32), ""
		}
	case logicalInterval:
		if e.physical == physFixed && e.typeLength == 12 {
			return types.Of(types.Interval), ""
		}
	}
	return plainType(e.physical), ""
}

func integerType(e schemaElement) types.Type {
	l := e.logical
	switch {
	case e.physical == physInt64 && !l.signed && l.bitWidth == 64:
		return types.DecimalOf(20, 0)
	case e.physical == physInt64:
		return types.Of(types.Int64)
	case l.bitWidth == 8, l.bitWidth == 16 && l.signed:
		return types.Of(types.Int16)
	case l.bitWidth == 32 && !l.signed:
		return types.Of(types.Int64)
	}
	return types.Of(types.Int32)
}

func decimalType(e schemaElement) (types.Type, string) {
	precision, scale := e.logical.precision, e.logical.scale
	if precision < 1 || scale < 0 || scale > precision {
		return types.Type{}, fmt.Sprintf("decimal(%d,%d) is not valid", precision, scale)
	}
	if precision > types.MaxDecimalPrecision {
		return types.Type{}, fmt.Sprintf("decimal(%d,%d) has more than %d digits", precision, scale, types.MaxDecimalPrecision)
	}
	switch e.physical {
	case physInt32, physInt64, physByteArray, physFixed:
		return types.DecimalOf(int(precision), int(scale)), ""
	}
	return types.Type{}, "decimals cannot be stored as floating point"
}

func plainType(p physicalType) types.Type {
	switch p {
	case physBoolean:
		return types.Of(types.Bool)
	case physInt32:
		return types.Of(types.Int32)
	case physInt64:
		return types.Of(types.Int64)
	case physInt96:
		return types.Of(types.Timestamp)
	case physFloat:
		return types.Of(types.Float32)
	case physDouble:
		return types.Of(types.Float64)
	}
	return types.Of(types.Bytea)
}
