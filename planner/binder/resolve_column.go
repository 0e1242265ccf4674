package binder

import (
	"strings"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// maxNameParts is database.schema.table.column.
const maxNameParts = 4

// columnName resolves a name in an expression: a column, a lambda's parameter, a field or a whole
// row.
func (b *binder) columnName(sc *scope, ref *ast.ColumnRef) (expr.Expr, error) {
	parts := ref.Parts
	if len(parts) == 1 {
		return b.unqualified(sc, parts[0], ref.Pos)
	}
	if e := b.lambdaParameter(sc, parts[0]); e != nil {
		return b.fieldPath(e, parts[1:], ref.Pos)
	}
	schema, table, column := "", parts[0], parts[1]
	rest := parts[2:]
	r, err := b.findRelation(sc, "", table, ref.Pos)
	if err != nil {
		return nil, err
	}
	if r == nil && len(parts) > maxNameParts {
		return nil, b.fail(ref.Pos, sqlerr.SyntaxError, "improper qualified name (too many dotted names): %s", strings.Join(parts, "."))
	}
	if r == nil && len(parts) >= 3 {
		schema, table, column, rest = parts[0], parts[1], parts[2], parts[3:]
		if len(parts) >= 4 && b.env.Session != nil && parts[0] == b.env.Session.Database {
			schema, table, column, rest = parts[1], parts[2], parts[3], parts[4:]
		}
		if r, err = b.findRelation(sc, schema, table, ref.Pos); err != nil {
			return nil, err
		}
	}
	if r == nil {
		if value, err := b.unqualifiedIfAny(sc, parts[0], ref.Pos); err == nil && value != nil {
			if field, err := b.fieldPath(value, parts[1:], ref.Pos); err == nil {
				return field, nil
			}
		}
		return nil, b.missingRelation(sc, table, ref.Pos)
	}
	value, err := b.columnOf(r, column, ref.Pos)
	if err != nil {
		return nil, err
	}
	if value == nil {
		return nil, b.missingColumn(sc, r, column, ref.Pos)
	}
	if len(rest) > 0 && value.Type().Kind != types.Row {
		return nil, b.missingRelation(sc, parts[len(parts)-2], ref.Pos)
	}
	return b.fieldPath(value, rest, ref.Pos)
}

// isRelation tells whether a bare name means a relation and no column.
func (b *binder) isRelation(sc *scope, ref *ast.ColumnRef) bool {
	if len(ref.Parts) != 1 {
		return false
	}
	if e, err := b.unqualifiedIfAny(sc, ref.Parts[0], ref.Pos); e != nil || err != nil {
		return false
	}
	r, err := b.findRelation(sc, "", ref.Parts[0], ref.Pos)
	return r != nil && err == nil
}

func (b *binder) fieldPath(e expr.Expr, fields []string, at ast.Pos) (expr.Expr, error) {
	var err error
	for _, f := range fields {
		if e, err = b.field(operandAt(e, at), f, at); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func (b *binder) lambdaParameter(sc *scope, name string) expr.Expr {
	for i := len(sc.lambdas) - 1; i >= 0; i-- {
		frame := sc.lambdas[i]
		for j, n := range frame.names {
			if n == name {
				return &expr.Column{ID: frame.ids[j], Name: name, T: frame.types[j]}
			}
		}
	}
	return nil
}

// unqualified resolves a bare name: a column first, then a whole row.
func (b *binder) unqualified(sc *scope, name string, at ast.Pos) (expr.Expr, error) {
	e, err := b.unqualifiedIfAny(sc, name, at)
	if e != nil || err != nil {
		return e, err
	}
	r, err := b.findRelation(sc, "", name, at)
	if err != nil {
		return nil, err
	}
	if r != nil {
		return b.wholeRow(r, at)
	}
	return nil, b.missingColumn(sc, nil, name, at)
}

func (b *binder) unqualifiedIfAny(sc *scope, name string, at ast.Pos) (expr.Expr, error) {
	for s := sc; s != nil; s = s.parent {
		if e := b.lambdaParameter(s, name); e != nil {
			return e, nil
		}
		e, err := b.columnInLevel(s, name, at)
		if e != nil || err != nil {
			return e, err
		}
		for _, t := range s.aliases {
			if t.name == name {
				return t.expr, nil
			}
		}
	}
	return nil, nil
}

// columnInLevel looks for a bare column name among one level's relations.
func (b *binder) columnInLevel(sc *scope, name string, at ast.Pos) (expr.Expr, error) {
	var found expr.Expr
	for _, r := range sc.relations {
		if !r.byColumn || r.lateralOnly && !sc.lateral {
			continue
		}
		e, err := b.columnOf(r, name, at)
		if err != nil {
			return nil, err
		}
		if e == nil {
			continue
		}
		if found != nil {
			return nil, b.fail(at, sqlerr.AmbiguousColumn, "column reference %q is ambiguous", name)
		}
		if err := b.checkLateral(r, at); err != nil {
			return nil, err
		}
		found = e
	}
	return found, nil
}

// columnOf finds a column of one relation; nil when it has none of that name.
func (b *binder) columnOf(r *relation, name string, at ast.Pos) (expr.Expr, error) {
	var found expr.Expr
	for _, c := range r.columns {
		if c.name != name {
			continue
		}
		if found != nil {
			return nil, b.fail(at, sqlerr.AmbiguousColumn, "column reference %q is ambiguous", name)
		}
		found = c.value
	}
	switch {
	case found != nil:
		return b.refer(found, at), nil
	case name == "tableoid" && r.source != nil:
		return b.tableOID(r.source, at)
	}
	return nil, nil
}

// tableOID is the system column of that name: a constant, for a table here is always one.
func (b *binder) tableOID(t *connectors.Table, at ast.Pos) (expr.Expr, error) {
	name := &expr.Literal{Value: types.StringDatum(quoteName(t.Schema) + "." + quoteName(t.Name)), T: textType}
	class, err := b.fold(&expr.Cast{Arg: name, To: types.Of(types.RegClass)}, at)
	if err != nil {
		return nil, err
	}
	oid := types.Of(types.OID)
	if lit, ok := class.(*expr.Literal); ok {
		return &expr.Literal{Value: lit.Value, T: oid}, nil
	}
	return &expr.Cast{Arg: class, To: oid}, nil
}

func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// findRelation looks for a relation by name, level by level; nil when there is none.
func (b *binder) findRelation(sc *scope, schema, name string, at ast.Pos) (*relation, error) {
	for s := sc; s != nil; s = s.parent {
		var found *relation
		for _, r := range s.relations {
			if !r.byName || r.name != name || r.lateralOnly && !s.lateral || schema != "" && r.schema != schema {
				continue
			}
			if found != nil {
				return nil, b.fail(at, sqlerr.DuplicateAlias, "table reference %q is ambiguous", name)
			}
			found = r
		}
		if found != nil {
			return found, b.checkLateral(found, at)
		}
	}
	return nil, nil
}

func (b *binder) checkLateral(r *relation, at ast.Pos) error {
	if !r.lateralOnly || r.lateralOK {
		return nil
	}
	return b.fail(at, sqlerr.InvalidColumnReference, "invalid reference to FROM-clause entry for table %q", r.name).
		WithDetail("The combining JOIN type must be INNER or LEFT for a LATERAL reference.")
}

// missingRelation words the error for a qualifier that is not in FROM.
func (b *binder) missingRelation(sc *scope, name string, at ast.Pos) error {
	for s := sc; s != nil; s = s.parent {
		for _, r := range s.relations {
			switch {
			case r.table == name && r.name != name:
				return b.fail(at, sqlerr.UndefinedTable, "invalid reference to FROM-clause entry for table %q", name).
					WithHint("Perhaps you meant to reference the table alias %q.", r.name)
			case r.name == name:
				return b.fail(at, sqlerr.UndefinedTable, "invalid reference to FROM-clause entry for table %q", name).
					WithHint("There is an entry for table %q, but it cannot be referenced from this part of the query.", name)
			}
		}
	}
	return b.fail(at, sqlerr.UndefinedTable, "missing FROM-clause entry for table %q", name)
}

// missingColumn words the error for an unknown column, of relation r when the name was qualified.
func (b *binder) missingColumn(sc *scope, r *relation, name string, at ast.Pos) error {
	text := `column "` + name + `" does not exist`
	if r != nil {
		text = "column " + r.name + "." + name + " does not exist"
	}
	err := b.fail(at, sqlerr.UndefinedColumn, "%s", text)
	guess := guessColumn(sc, r, name)
	switch {
	case guess.exact != nil:
		return err.WithHint("There is a column named %q in table %q, but it cannot be referenced from this part of the query.",
			name, guess.exact.name)
	case len(guess.near) == 1:
		return err.WithHint("Perhaps you meant to reference the column %s.", guess.near[0])
	case len(guess.near) == 2:
		return err.WithHint("Perhaps you meant to reference the column %s or the column %s.", guess.near[0], guess.near[1])
	}
	return err
}

// columnGuess is what a misspelt column may have meant.
type columnGuess struct {
	exact *relation // has the column but hides it
	near  []string  // quoted names at the least distance, at most two
}

func guessColumn(sc *scope, only *relation, name string) columnGuess {
	var g columnGuess
	least := distanceLimit(name) + 1
	for s := sc; s != nil; s = s.parent {
		for _, r := range s.relations {
			if r.name == "" {
				continue
			}
			penalty := 0
			if only != nil && only != r {
				penalty = distanceLimit(name) // another relation: a name almost the same only
				if r.name == only.name {
					penalty = 0
				}
				penalty = max(penalty, editDistance(only.name, r.name))
			}
			for _, c := range r.columns {
				if c.name == name && (only == nil || only == r) {
					g.exact = r
				}
				d := editDistance(name, c.name) + penalty
				quoted := `"` + r.name + "." + c.name + `"`
				switch {
				case d < least:
					least, g.near = d, []string{quoted}
				case d == least && d <= distanceLimit(name) && !strings.Contains(strings.Join(g.near, " "), quoted):
					g.near = append(g.near, quoted)
				}
			}
		}
	}
	if len(g.near) > 2 {
		g.near = nil
	}
	return g
}
