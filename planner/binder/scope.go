package binder

import (
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/logical"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// scope is one query level: what names mean in it, and what its expressions have asked for.
type scope struct {
	parent *scope
	// relations is the namespace of FROM, in order.
	relations []*relation
	// ctes are the WITH items of this level, visible below too.
	ctes []*cte
	// hidden are WITH items that exist but cannot be referenced yet.
	hidden []*cte
	// selecting is the SELECT whose clauses are being bound; nil for VALUES, LIMIT and the like.
	selecting *selection
	clause    clause
	// lateral tells that lateral-only relations can be seen: inside LATERAL and functions in FROM.
	lateral bool
	// conditional names the construct (CASE, COALESCE) around the expression being bound, where
	// set-returning functions are not allowed.
	conditional string
	lambdas     []*lambdaFrame
	// aliases are output columns that QUALIFY may name.
	aliases []target
	// recursion is set while the terms of a recursive query are bound.
	recursion *recursion
	// Where a recursive reference may not stand: sublink marks a subquery of an expression, nullSide
	// counts the outer joins around the FROM item being bound, within names EXCEPT or INTERSECT.
	sublink  bool
	nullSide int
	// keepOrder keeps the columns of ORDER BY in the plan though they are no output, for ARRAY(query).
	keepOrder bool
	within    string
}

// relation is an item of a FROM clause as names see it.
type relation struct {
	name    string // alias or table name, "" for a join without alias
	schema  string // of a table without alias
	table   string // the table's own name where an alias hides it
	source  *connectors.Table
	columns []relationColumn
	// byName: name.column works; byColumn: column alone works.
	byName, byColumn bool
	// lateralOnly: visible only to LATERAL items further right; lateralOK is false where even they may
	// not refer to it.
	lateralOnly, lateralOK bool
	at                     ast.Pos
}

// relationColumn is a named value: a column, or what USING merged.
type relationColumn struct {
	name  string
	value expr.Expr
}

// clause is the part of a SELECT being bound, for messages.
type clause uint8

const (
	clauseNone clause = iota
	clauseSelect
	clauseWhere
	clauseOn
	clauseGroupBy
	clauseHaving
	clauseOrderBy
	clauseDistinctOn
	clauseLimit
	clauseOffset
	clauseValues
	clauseFromFunction
	clauseWindowPartition
	clauseWindowOrder
	clauseFrameRows
	clauseFrameRange
	clauseFrameGroups
	clauseFilter
	clauseQualify
	clauseInsert
	clauseAsOf
)

// name is how messages call the clause.
func (c clause) name() string {
	return [...]string{"", "SELECT", "WHERE", "JOIN conditions", "GROUP BY", "HAVING", "ORDER BY", "DISTINCT ON",
		"LIMIT", "OFFSET", "VALUES", "functions in FROM", "window PARTITION BY", "window ORDER BY", "window ROWS",
		"window RANGE", "window GROUPS", "FILTER", "QUALIFY", "VALUES", "AS OF"}[c]
}

// within runs bind in another clause of the scope.
func within[T any](sc *scope, c clause, bind func() (T, error)) (T, error) {
	outer := sc.clause
	sc.clause = c
	out, err := bind()
	sc.clause = outer
	return out, err
}

// child opens the scope of a subquery.
func (sc *scope) child() *scope { return &scope{parent: sc} }

// distance counts the query levels from sc up to outer; -1 if outer is not around sc.
func (sc *scope) distance(outer *scope) int {
	n := 0
	for s := sc; s != nil; s = s.parent {
		if s == outer {
			return n
		}
		n++
	}
	return -1
}

// addRelations puts the items of a FROM clause into scope, owned by it.
func (b *binder) addRelations(sc *scope, list []*relation) {
	sc.relations = append(sc.relations, list...)
	for _, r := range list {
		b.own(sc, r)
	}
}

// own records whose columns a relation's are.
func (b *binder) own(sc *scope, r *relation) {
	if r.name == "" {
		return
	}
	for _, c := range r.columns {
		if column, ok := c.value.(*expr.Column); ok {
			b.owners[column.ID] = owner{sc, r.name, c.name}
		}
	}
}

// checkNames refuses one name for two items of a FROM clause.
func (b *binder) checkNames(have, add []*relation) error {
	for _, r := range add {
		if !r.byName || r.name == "" {
			continue
		}
		for _, h := range have {
			if h.byName && h.name == r.name && (h.schema == r.schema || h.schema == "" || r.schema == "") {
				return b.fail(ast.NoPos, sqlerr.DuplicateAlias, "table name %q specified more than once", r.name)
			}
		}
	}
	return nil
}

// refer makes an expression of a relation's column, remembering where it was written.
func (b *binder) refer(value expr.Expr, at ast.Pos) expr.Expr {
	return expr.Rewrite(value, func(e expr.Expr) expr.Expr {
		if c, ok := e.(*expr.Column); ok {
			fresh := &expr.Column{ID: c.ID, Name: c.Name, T: c.T}
			b.places[fresh] = at
			return fresh
		}
		return e
	})
}

// columnRef makes a reference to a column of the plan under construction.
func (b *binder) columnRef(id logical.ColID) *expr.Column { return b.columns.Ref(id) }
