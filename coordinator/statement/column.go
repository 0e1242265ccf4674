package statement

import (
	"context"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/coordinator/engine"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/binder"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// column makes a table's column of its definition.
func (r *run) column(ctx context.Context, def *ast.ColumnDef) (catalog.Column, error) {
	out := catalog.Column{Name: def.Name, NotNull: def.NotNull, Comment: def.Comment}
	if def.Type == nil {
		return out, r.fail(def.Pos, sqlerr.SyntaxError, "column %q has no type", def.Name)
	}
	var err error
	if out.Type, err = r.columnType(def.Name, def.Type); err != nil {
		return out, err
	}
	if err := r.collation(def.Collation); err != nil {
		return out, err
	}
	if len(def.Properties) > 0 {
		return out, r.fail(def.Properties[0].Pos, sqlerr.FeatureNotSupported, "properties of columns are not supported")
	}
	for i := range def.Constraints {
		if err := r.constraint(&def.Constraints[i]); err != nil {
			return out, err
		}
	}
	if def.Default != nil {
		out.Default, err = r.columnDefault(ctx, def.Name, out.Type, def.Default)
	}
	return out, err
}

// columnType gives the type that a column of that declaration is stored with.
func (r *run) columnType(column string, name *ast.TypeName) (types.Type, error) {
	switch name.Name {
	case "serial", "bigserial", "smallserial", "serial4", "serial8", "serial2":
		return types.Type{}, r.fail(name.Pos, sqlerr.FeatureNotSupported, "type %q is not supported", name.Name).
			WithHint("There are no sequences. Use bigint and number the rows in the query that writes them, for example with row_number().")
	}
	t, err := binder.ResolveType(name)
	if err != nil {
		return t, r.locate(err, name.Pos)
	}
	if t.Kind == types.Unknown || t.Kind == types.Void || t.Kind == types.Int128Kind {
		return t, r.fail(name.Pos, sqlerr.InvalidTableDefinition, "column %q has pseudo-type %s", column, t)
	}
	return t, nil
}

func (r *run) collation(name *ast.Name) error {
	if name == nil {
		return nil
	}
	switch name.Last() {
	case "C", "POSIX", "default", "ucs_basic", "C.UTF-8":
		return nil
	}
	return r.fail(name.Pos, sqlerr.UndefinedObject, "collation %q for encoding \"UTF8\" does not exist", name.Last()).
		WithHint("Texts are compared byte by byte, as under the collation \"C\".")
}

// constraint takes note of a constraint: keys inform readers, what would have to be checked on every
// row is refused.
func (r *run) constraint(c *ast.Constraint) error {
	switch c.Kind {
	case ast.ConstraintCheck:
		return r.fail(c.Pos, sqlerr.FeatureNotSupported, "CHECK constraints are not supported")
	case ast.ConstraintGenerated:
		return r.fail(c.Pos, sqlerr.FeatureNotSupported, "generated columns are not supported").
			WithHint("Compute the column in the query that writes the rows, or in a view.")
	}
	word := map[ast.ConstraintKind]string{ast.ConstraintPrimaryKey: "PRIMARY KEY", ast.ConstraintUnique: "UNIQUE", ast.ConstraintForeignKey: "FOREIGN KEY"}[c.Kind]
	r.warn(sqlerr.Warning, word+" constraints are not enforced", "")
	return nil
}

// columnDefault checks a column's default and gives its SQL text.
func (r *run) columnDefault(ctx context.Context, column string, t types.Type, e ast.Expr) (string, error) {
	if l, ok := e.(*ast.Literal); ok && l.Kind == ast.LitNull {
		return "", nil
	}
	if err := r.closedExpression(e, "DEFAULT"); err != nil {
		return "", err
	}
	q := &ast.Query{Pos: e.Offset(), Body: &ast.SelectCore{Pos: e.Offset(), Targets: []ast.Target{{Pos: e.Offset(), Expr: e}}}}
	bound, err := r.tx.BindQuery(ctx, engine.QueryText{SQL: r.sql, Statement: &ast.Select{Query: q}})
	if err != nil {
		return "", err
	}
	if len(bound.Parameters()) > 0 {
		return "", r.fail(ast.Leftmost(e), sqlerr.UndefinedParameter, "there is no parameter $1")
	}
	from := bound.Columns()[0].Type
	if l, ok := e.(*ast.Literal); ok && l.Kind == ast.LitString {
		_, err := types.Parse(t, l.Text, nil)
		return ast.Format(e), r.locate(err, e.Offset())
	}
	if !binder.CanAssign(from, t) {
		return "", r.fail(ast.Leftmost(e), sqlerr.DatatypeMismatch, "column %q is of type %s but default expression is of type %s", column, t, from).
			WithHint("You will need to rewrite or cast the expression.")
	}
	return ast.Format(e), nil
}

// storedType gives the type with which a query's column is stored in a new table.
func storedType(t types.Type) types.Type {
	switch t.Kind {
	case types.Unknown, types.Name, types.InternalChar:
		return types.Of(types.Text)
	case types.Int128Kind:
		return types.DecimalOf(types.MaxDecimalPrecision, 0)
	case types.OID, types.RegClass, types.RegType, types.RegProc, types.RegNamespace:
		return types.Of(types.Int64)
	case types.Decimal:
		if t.Precision == 0 {
			return types.DecimalOf(types.MaxDecimalPrecision, 16)
		}
	case types.Array:
		return types.ArrayOf(storedType(*t.Elem))
	}
	return t
}

// queryColumns names and types the columns of a relation that a query makes. names, when not empty,
// replace the query's first names; what is the statement for messages.
func (r *run) queryColumns(what string, names []ast.ColumnDef, given types.Schema) ([]catalog.Column, error) {
	if len(names) > len(given) {
		message := "too many column names were specified"
		if what == "VIEW" {
			message = "CREATE VIEW specifies more column names than columns"
		}
		return nil, r.fail(names[len(given)].Pos, sqlerr.SyntaxError, "%s", message)
	}
	out := make([]catalog.Column, len(given))
	seen := map[string]bool{}
	for i, field := range given {
		c := catalog.Column{Name: field.Name, Type: storedType(field.Type)}
		if i < len(names) {
			c.Name, c.Comment = names[i].Name, names[i].Comment
		}
		if field.Type.Kind == types.Void {
			return nil, sqlerr.New(sqlerr.InvalidTableDefinition, "column %q has pseudo-type void", c.Name)
		}
		if seen[c.Name] {
			e := sqlerr.New(sqlerr.DuplicateColumn, "column %q specified more than once", c.Name)
			if i < len(names) {
				return nil, r.locate(e, names[i].Pos)
			}
			return nil, e
		}
		seen[c.Name] = true
		out[i] = c
	}
	return out, nil
}

// closedExpression refuses columns and subqueries in an expression that stands alone.
func (r *run) closedExpression(e ast.Expr, clause string) error {
	var err error
	ast.Inspect(e, func(part ast.Expr) bool {
		switch p := part.(type) {
		case *ast.ColumnRef:
			err = r.fail(p.Pos, sqlerr.FeatureNotSupported, "cannot use column reference in %s expression", clause)
		case *ast.ScalarSubquery, *ast.Exists, *ast.InSubquery, *ast.ArraySubquery, *ast.Quantified:
			err = r.fail(p.Offset(), sqlerr.FeatureNotSupported, "cannot use subquery in %s expression", clause)
		case *ast.FuncCall:
			err = r.plainCall(p, clause)
		}
		return err == nil
	})
	return err
}

// plainCall refuses functions that need more than one row or give more than one.
func (r *run) plainCall(call *ast.FuncCall, clause string) error {
	if call.Over != nil {
		return r.fail(call.Pos, sqlerr.WindowingError, "window functions are not allowed in %s expressions", clause)
	}
	for _, o := range r.config.Registry.ByName(call.Name.Last()) {
		switch o.Impl.(type) {
		case fn.Aggregate, *fn.Aggregate:
			return r.fail(call.Pos, sqlerr.GroupingError, "aggregate functions are not allowed in %s expressions", clause)
		case fn.Table, *fn.Table:
			return r.fail(call.Pos, sqlerr.FeatureNotSupported, "set-returning functions are not allowed in %s expressions", clause)
		}
	}
	return nil
}
