package binder

import (
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/logical"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// cte is a WITH item.
type cte struct {
	name    string
	item    *ast.CTE
	scope   *scope // where it was defined
	number  int
	columns []resultColumn
	node    logical.Node
	// inline is set when the query reads columns of the queries around it: then every reference binds
	// the text anew.
	inline bool
	used   bool
	// recursive tells that the query refers to itself; recursion is set while it is being bound.
	recursive bool
	recursion *recursion
}

// with binds the items of a WITH clause in order of their dependence.
func (b *binder) with(sc *scope, w *ast.With) error {
	if w == nil {
		return nil
	}
	for i, item := range w.CTEs {
		for _, before := range w.CTEs[:i] {
			if before.Name == item.Name {
				return b.fail(item.Pos, sqlerr.DuplicateAlias, "WITH query name %q specified more than once", item.Name)
			}
		}
	}
	order, err := b.withOrder(w)
	if err != nil {
		return err
	}
	for _, item := range order {
		sc.hidden = append(sc.hidden, &cte{name: item.Name, item: item})
	}
	for _, item := range order {
		c := &cte{name: item.Name, item: item, scope: sc}
		c.recursive = w.Recursive && refersTo(item.Query, item.Name)
		if err := b.bindCTE(c); err != nil {
			return err
		}
		sc.hidden = sc.hidden[1:]
		sc.ctes = append(sc.ctes, c)
	}
	return nil
}

// bindCTE binds a definition.
func (b *binder) bindCTE(c *cte) error {
	b.names++
	c.number = b.names
	r, err := b.cteResult(c)
	if err != nil {
		return err
	}
	c.columns, c.node = r.columns, r.node
	c.inline = len(logical.FreeColumns(r.node)) > 0
	return nil
}

// cteResult binds the query of a WITH item and names its columns.
func (b *binder) cteResult(c *cte) (*result, error) {
	inner := c.scope.child()
	var r *result
	var err error
	if c.recursive {
		r, err = b.recursiveQuery(inner, c)
	} else {
		r, err = b.query(inner, c.item.Query, true)
	}
	if err != nil {
		return nil, err
	}
	return r, b.nameColumns(c, r.columns)
}

// nameColumns applies a WITH item's column list.
func (b *binder) nameColumns(c *cte, columns []resultColumn) error {
	if len(c.item.Columns) > len(columns) {
		return b.fail(c.item.Pos, sqlerr.InvalidColumnReference, "WITH query %q has %d columns available but %d columns specified",
			c.name, len(columns), len(c.item.Columns))
	}
	for i, name := range c.item.Columns {
		columns[i].name = name
	}
	return nil
}

// wrapWith adds a With for the definitions of the scope that were referred to.
func (b *binder) wrapWith(sc *scope, r *result) {
	w := &logical.With{Body: r.node}
	for _, c := range sc.ctes {
		if !c.used || c.inline {
			continue
		}
		d := logical.Definition{Name: c.number, Label: c.name, Input: c.node}
		if c.item.Materialized != ast.MaterializeDefault {
			always := c.item.Materialized == ast.MaterializeAlways
			d.Materialize = &always
		}
		w.Definitions = append(w.Definitions, d)
	}
	if len(w.Definitions) > 0 {
		r.node = w
	}
}

// findCTE looks for a WITH item from sc outwards.
func (sc *scope) findCTE(name string) *cte {
	for s := sc; s != nil; s = s.parent {
		for _, c := range s.ctes {
			if c.name == name {
				return c
			}
		}
		if s.recursion != nil && s.recursion.cte.name == name {
			return s.recursion.cte
		}
	}
	return nil
}

// findHidden looks for a WITH item that cannot be referenced yet.
func (sc *scope) findHidden(name string) *cte {
	for s := sc; s != nil; s = s.parent {
		for _, c := range s.hidden {
			if c.name == name {
				return c
			}
		}
	}
	return nil
}

// cteRelation makes a FROM item that reads a WITH item.
func (b *binder) cteRelation(sc *scope, c *cte, at ast.Pos) (logical.Node, []resultColumn, error) {
	if c.recursion != nil {
		return b.selfReference(sc, c, at)
	}
	c.used = true
	if c.inline {
		r, err := b.cteResult(c)
		if err != nil {
			return nil, nil, err
		}
		return r.node, r.columns, nil
	}
	node, columns := b.cteRef(c.number, c.columns)
	return node, columns, nil
}

// cteRef reads a definition under new column numbers.
func (b *binder) cteRef(number int, columns []resultColumn) (*logical.CTERef, []resultColumn) {
	ref := &logical.CTERef{Name: number}
	out := make([]resultColumn, len(columns))
	for i, c := range columns {
		info := b.columns.Info(c.id)
		id := b.column(info.Name, info.Type, info.Nullable)
		ref.IDs, ref.Source = append(ref.IDs, id), append(ref.Source, c.id)
		out[i] = resultColumn{id, c.name, c.at}
	}
	return ref, out
}

// withOrder sorts the items of WITH RECURSIVE so that each comes after those that it refers to.
func (b *binder) withOrder(w *ast.With) ([]*ast.CTE, error) {
	if !w.Recursive {
		return w.CTEs, nil
	}
	const (
		unseen = iota
		open
		done
	)
	state := make([]int, len(w.CTEs))
	var out []*ast.CTE
	var visit func(i int) error
	visit = func(i int) error {
		state[i] = open
		for j, other := range w.CTEs {
			if j == i || !refersTo(w.CTEs[i].Query, other.Name) {
				continue
			}
			if state[j] == open {
				return b.fail(other.Pos, sqlerr.FeatureNotSupported, "mutual recursion between WITH items is not implemented")
			}
			if state[j] == unseen {
				if err := visit(j); err != nil {
					return err
				}
			}
		}
		state[i] = done
		out = append(out, w.CTEs[i])
		return nil
	}
	for i := range w.CTEs {
		if state[i] == unseen {
			if err := visit(i); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}
