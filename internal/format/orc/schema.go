package orc

import (
	"fmt"

	"github.com/tarnlake/tarn/internal/types"
)

// jsonAttribute tells of a string column that its values are JSON.
const jsonAttribute = "tarn.json-type"

// node is a column of the file, nested or not.
type node struct {
	id          int // number in the footer's list of types
	kind        typeKind
	name        string
	typ         types.Type
	scale       int    // decimals: the declared scale
	unsupported string // why the column cannot be read; "" when it can
	children    []*node
}

const (
	// maxDepth bounds the nesting of types.
	maxDepth = 100
	// maxUnionKinds is how many tags there are.
	maxUnionKinds = 256
)

// buildSchema gives the fields of the root; a root that is no struct is the one field.
func buildSchema(list []typeInfo) (fields []*node, err error) {
	if len(list) == 0 {
		return nil, fmt.Errorf("footer lists no types")
	}
	used := make([]bool, len(list))
	root, err := buildNode(list, used, 0, 0)
	if err != nil {
		return nil, err
	}
	if root.kind == kindStruct {
		return root.children, nil
	}
	root.name = "_col0"
	return []*node{root}, nil
}

func buildNode(list []typeInfo, used []bool, id, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("types are nested more than %d deep", maxDepth)
	}
	used[id] = true
	t := &list[id]
	n := &node{id: id, kind: t.kind}
	for i, child := range t.children {
		if child <= uint64(id) || child >= uint64(len(list)) || used[child] {
			return nil, fmt.Errorf("type %d has type %d as a member", id, child)
		}
		c, err := buildNode(list, used, int(child), depth+1)
		if err != nil {
			return nil, err
		}
		if i < len(t.names) {
			c.name = t.names[i]
		}
		n.children = append(n.children, c)
	}
	return n, n.setType(t)
}

// flatKind gives the type of columns without members or parameters.
func flatKind(kind typeKind) (types.Kind, bool) {
	switch kind {
	case kindBoolean:
		return types.Bool, true
	case kindByte, kindShort:
		return types.Int16, true
	case kindInt:
		return types.Int32, true
	case kindLong:
		return types.Int64, true
	case kindFloat:
		return types.Float32, true
	case kindDouble:
		return types.Float64, true
	case kindString:
		return types.Text, true
	case kindBinary:
		return types.Bytea, true
	case kindTimestamp:
		return types.Timestamp, true
	case kindInstant:
		return types.TimestampTZ, true
	case kindDate:
		return types.Date, true
	}
	return 0, false
}

func (n *node) setType(t *typeInfo) error {
	wanted := 0
	switch n.kind {
	case kindList:
		wanted = 1
	case kindMap:
		wanted = 2
	case kindStruct, kindUnion:
		wanted = len(n.children)
	}
	if len(n.children) != wanted || n.kind == kindStruct && len(t.names) != len(n.children) {
		return fmt.Errorf("type %d has %d members and %d names", n.id, len(n.children), len(t.names))
	}
	for _, c := range n.children {
		if c.unsupported != "" {
			n.unsupported = c.unsupported
			return nil
		}
	}
	switch n.kind {
	case kindVarchar:
		n.typ = types.Of(types.Text)
		if t.length > 0 && t.length <= 10_485_760 {
			n.typ = types.VarcharOf(int(t.length))
		}
	case kindChar:
		n.typ = types.Type{Kind: types.Char, Length: int32(min(max(t.length, 1), 10_485_760))}
	case kindDecimal:
		precision, scale := t.precision, t.scale
		if precision == 0 { // Hive 0.11: no limit; every value has its own scale
			precision, scale = types.MaxDecimalPrecision, 10
		}
		if precision > types.MaxDecimalPrecision || scale > precision {
			return fmt.Errorf("type %d is decimal(%d,%d)", n.id, precision, scale)
		}
		n.scale = int(scale)
		n.typ = types.DecimalOf(int(precision), int(scale))
	case kindList:
		n.typ = types.ArrayOf(n.children[0].typ)
	case kindMap:
		n.typ = types.MapOf(n.children[0].typ, n.children[1].typ)
	case kindStruct:
		fields := make([]types.Field, len(n.children))
		for i, c := range n.children {
			fields[i] = types.Field{Name: c.name, Type: c.typ, Nullable: true}
		}
		n.typ = types.RowOf(fields...)
		if len(fields) == 0 {
			n.unsupported = "structs without fields"
		}
	case kindUnion:
		n.typ = unionType(n.children)
		if len(n.children) == 0 || len(n.children) > maxUnionKinds {
			n.unsupported = fmt.Sprintf("unions of %d kinds", len(n.children))
		}
	default:
		kind, known := flatKind(n.kind)
		if !known {
			n.unsupported = fmt.Sprintf("values of ORC type %d", n.kind)
		}
		n.typ = types.Of(kind)
		switch { // as Iceberg notes them
		case n.kind == kindLong && t.attributes["iceberg.long-type"] == "TIME":
			n.typ = types.Of(types.Time)
		case n.kind == kindBinary && t.attributes["iceberg.binary-type"] == "UUID":
			n.typ = types.Of(types.UUID)
		case n.kind == kindString && t.attributes[jsonAttribute] == types.JSON.String():
			n.typ = types.Of(types.JSON)
		case n.kind == kindString && t.attributes[jsonAttribute] == types.JSONB.String():
			n.typ = types.Of(types.JSONB)
		}
	}
	if n.unsupported != "" {
		n.typ = types.Type{}
	}
	return nil
}

// flat tells whether the column has no members.
func (n *node) flat() bool { return len(n.children) == 0 && n.unsupported == "" }
