package json

import (
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// nestedColumn is what a column of arrays, maps or rows has beside.
type nestedColumn struct {
	members []*column // element; key and value; fields
	spans   [][]span  // of each member of an array or map
	owners  []int32   // the record of each element
	object  *objectScanner
}

func (c *column) member(name string, t types.Type) *column {
	return &column{reader: c.reader, name: name, typ: t}
}

// wrongKind refuses a value that is not of the kind that the type needs.
func (c *column) wrongKind(i int, s span, what string) error {
	return c.refuse(i, s, sqlerr.New(sqlerr.InvalidTextRepresentation, "a JSON %s is needed for type %s", what, c.typ))
}

func (c *column) owner(i int) int32 {
	if c.rows != nil {
		return c.rows[i]
	}
	return int32(i)
}

func (c *column) lists(dst *vec.Vector, spans []span) error {
	n := c.nested
	if n == nil {
		n = &nestedColumn{members: []*column{c.member(c.name+"[]", *c.typ.Elem)}, spans: make([][]span, 1)}
		c.nested = n
	}
	items, owners := n.spans[0][:0], n.owners[:0]
	lists := vec.Values[vec.List](dst)[:len(spans)]
	scan := &c.reader.records.scanner
	for i, s := range spans {
		lists[i] = vec.List{Offset: int32(len(items))}
		switch s.kind() {
		case kindArray:
		case kindNull:
			c.setNull(i)
			continue
		default:
			if err := c.wrongKind(i, s, "array"); err != nil {
				return err
			}
			continue
		}
		at := scan.blankLines(int(s.at) + 1)
		for scan.at(at) != ']' {
			var item span
			at, item = scan.value(at)
			items, owners = append(items, item), append(owners, c.owner(i))
			if at = scan.blankLines(at); scan.at(at) == ',' {
				at = scan.blankLines(at + 1)
			}
		}
		lists[i].Length = int32(len(items)) - lists[i].Offset
	}
	n.spans[0], n.owners = items, owners
	n.members[0].rows = owners
	return n.members[0].convert(&dst.Children[0], items)
}

func (c *column) structs(dst *vec.Vector, spans []span) error {
	n := c.nested
	if n == nil {
		n = &nestedColumn{}
		var names []string
		for _, f := range c.typ.Fields {
			names = append(names, f.Name)
			n.members = append(n.members, c.member(c.name+"."+f.Name, f.Type))
		}
		n.object = newObjectScanner(&c.reader.records.scanner, names, nil)
		c.nested = n
	}
	for f := range n.object.spans {
		if len(n.object.spans[f]) < len(spans) {
			n.object.spans[f] = make([]span, max(len(spans), 2*len(n.object.spans[f])))
		}
	}
	for i, s := range spans {
		if s.kind() == kindObject {
			n.object.scan(int(s.at), i)
			continue
		}
		for f := range n.object.spans {
			n.object.spans[f][i] = span{}
		}
		c.setNull(i)
		if s.kind() != kindNull {
			if err := c.wrongKind(i, s, "object"); err != nil {
				return err
			}
		}
	}
	for f, m := range n.members {
		m.rows = c.rows
		slot := n.object.slots[c.typ.Fields[f].Name].slot
		if err := m.convert(&dst.Children[f], n.object.spans[slot][:len(spans)]); err != nil {
			return err
		}
	}
	return nil
}

func (c *column) maps(dst *vec.Vector, spans []span) error {
	n := c.nested
	if n == nil {
		n = &nestedColumn{members: []*column{c.member(c.name+" (key)", *c.typ.Key), c.member(c.name+"[]", *c.typ.Elem)}, spans: make([][]span, 2)}
		c.nested = n
	}
	keys, values, owners := n.spans[0][:0], n.spans[1][:0], n.owners[:0]
	lists := vec.Values[vec.List](dst)[:len(spans)]
	scan := &c.reader.records.scanner
	for i, s := range spans {
		first := len(keys)
		lists[i] = vec.List{Offset: int32(first)}
		switch s.kind() {
		case kindObject:
		case kindNull:
			c.setNull(i)
			continue
		default:
			if err := c.wrongKind(i, s, "object"); err != nil {
				return err
			}
			continue
		}
		known := map[string]int{}
		at := scan.blankLines(int(s.at) + 1)
		for scan.at(at) != '}' {
			var key, value span
			at, key = scan.str(at + 1)
			at, value = scan.value(scan.colon(at))
			text := string(types.UnescapeJSON(key.text(scan.data)))
			if before, twice := known[text]; twice {
				values[before] = value
			} else {
				known[text] = len(keys)
				keys, values, owners = append(keys, key), append(values, value), append(owners, c.owner(i))
			}
			if at = scan.blankLines(at); scan.at(at) == ',' {
				at = scan.blankLines(at + 1)
			}
		}
		lists[i].Length = int32(len(keys) - first)
	}
	n.spans[0], n.spans[1], n.owners = keys, values, owners
	for k, m := range n.members {
		m.rows = owners
		if err := m.convert(&dst.Children[k], n.spans[k]); err != nil {
			return err
		}
	}
	return nil
}
