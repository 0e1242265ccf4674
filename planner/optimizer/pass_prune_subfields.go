package optimizer

import (
	"slices"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
)

// pruneSubfields tells scans which fields of row columns are read, where not the whole row is: the
// others need not be read from files.
func pruneSubfields(c *Context) error {
	u := &subfieldUse{whole: idsSet{}, paths: map[logical.ColID][][]int{}}
	for _, o := range c.Plan.Output {
		u.whole[o.ID] = true
	}
	u.node(c.Plan.Root)
	return c.rewrite(func(n logical.Node) (logical.Node, error) {
		scan, ok := n.(*logical.Scan)
		if !ok {
			return n, nil
		}
		var subfields map[logical.ColID][][]int
		for i, id := range scan.IDs {
			if scan.Table.Columns[scan.Ordinals[i]].Type.Kind != types.Row || u.whole[id] || len(u.paths[id]) == 0 {
				continue
			}
			if subfields == nil {
				subfields = map[logical.ColID][][]int{}
			}
			subfields[id] = outermost(u.paths[id])
		}
		if subfields == nil {
			return n, nil
		}
		out := *scan
		out.Subfields = subfields
		return &out, nil
	})
}

// subfieldUse collects what is read of columns: the whole, or what lies at paths of field ordinals.
// Nodes are visited before their inputs, so what a projection passes on is known when it is reached.
type subfieldUse struct {
	whole idsSet
	paths map[logical.ColID][][]int
}

func (u *subfieldUse) node(n logical.Node) {
	switch n := n.(type) {
	case *logical.Project:
		for _, e := range n.Exprs {
			passed, isColumn := e.Expr.(*expr.Column)
			switch {
			case !isColumn:
				u.expr(e.Expr)
			case u.whole[e.ID]:
				u.whole[passed.ID] = true
			default:
				u.paths[passed.ID] = append(u.paths[passed.ID], u.paths[e.ID]...)
			}
		}
	case *logical.Scan, *logical.Filter, *logical.Join, *logical.Limit, *logical.Unnest:
		for _, e := range logical.Exprs(n) {
			u.expr(e)
		}
	case *logical.Sort, *logical.TopN, *logical.Aggregate, *logical.Window:
		eachColumn(n, func(id logical.ColID) { u.whole[id] = true })
	default:
		for _, in := range n.Inputs() {
			for _, id := range in.Columns() {
				u.whole[id] = true
			}
		}
	}
	for _, in := range n.Inputs() {
		u.node(in)
	}
}

func (u *subfieldUse) expr(e expr.Expr) {
	if id, path := fieldPath(e); len(path) > 0 {
		u.paths[id] = append(u.paths[id], path)
		return
	}
	if c, ok := e.(*expr.Column); ok {
		u.whole[c.ID] = true
		return
	}
	for _, child := range e.Children() {
		u.expr(child)
	}
}

// fieldPath gives the column and the ordinals of (column).field.field; no path for other expressions.
func fieldPath(e expr.Expr) (logical.ColID, []int) {
	var path []int
	for {
		switch x := e.(type) {
		case *expr.Column:
			slices.Reverse(path)
			return x.ID, path
		case *expr.Call:
			if x.Name != fn.FieldOf || len(x.Args) != 2 {
				return 0, nil
			}
			ordinal, ok := x.Args[1].(*expr.Literal)
			if !ok || ordinal.Value.Null {
				return 0, nil
			}
			path = append(path, int(ordinal.Value.I64))
			e = x.Args[0]
		default:
			return 0, nil
		}
	}
}

// outermost sorts paths and leaves out those below another.
func outermost(paths [][]int) (out [][]int) {
	paths = slices.Clone(paths)
	slices.SortFunc(paths, slices.Compare[[]int])
	for _, p := range paths {
		if last := len(out) - 1; last >= 0 && len(out[last]) <= len(p) && slices.Equal(out[last], p[:len(out[last])]) {
			continue
		}
		out = append(out, p)
	}
	return out
}
