package binder

import (
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// insertion is the state of one INSERT.
type insertion struct {
	*binder
	stmt   *ast.Insert
	table  *connectors.Table
	values []expr.Expr // by column ordinal
	static map[int]types.Datum
	query  *result
}

// insert binds INSERT INTO and INSERT OVERWRITE.
func (b *binder) insert(s *ast.Insert) (*Bound, error) {
	sc := &scope{}
	table, err := b.writeTarget(sc, s.Table)
	if err != nil {
		return nil, err
	}
	switch {
	case s.OnConflict:
		return nil, b.fail(s.Pos, sqlerr.FeatureNotSupported, "ON CONFLICT is not supported").
			WithHint("Tables have no unique constraints; INSERT OVERWRITE replaces whole partitions.")
	case len(s.Returning) > 0:
		return nil, b.fail(s.Pos, sqlerr.FeatureNotSupported, "RETURNING is not supported")
	}
	if err := b.with(sc, s.With); err != nil {
		return nil, err
	}
	in := &insertion{binder: b, stmt: s, table: table, values: make([]expr.Expr, len(table.Columns)),
		static: map[int]types.Datum{}}
	if err := in.bindStatic(); err != nil {
		return nil, err
	}
	columns, err := in.targetColumns()
	if err != nil {
		return nil, err
	}
	if err := in.bindSource(sc, columns); err != nil {
		return nil, err
	}
	if err := in.fillDefaults(); err != nil {
		return nil, err
	}
	return in.finish(sc)
}

// writeTarget resolves a table that rows can be written to.
func (b *binder) writeTarget(sc *scope, ref *ast.TableRef) (*connectors.Table, error) {
	table, err := b.resolveTable(sc, ref)
	if err != nil {
		return nil, err
	}
	switch table.Kind {
	case connectors.View:
		return nil, b.fail(ref.Pos, sqlerr.ObjectNotInPrerequisiteState, "cannot insert into view %q", table.Name).
			WithHint("Write to the tables that the view reads.")
	case connectors.Virtual:
		return nil, b.fail(ref.Pos, sqlerr.InsufficientPrivilege, "permission denied: %q is a system catalog", table.Name)
	}
	return table, nil
}

func (in *insertion) columnNamed(name string, at ast.Pos) (int, error) {
	var names []string
	for i, c := range in.table.Columns {
		if c.Name == name {
			return i, nil
		}
		names = append(names, c.Name)
	}
	err := in.fail(at, sqlerr.UndefinedColumn, "column %q of relation %q does not exist", name, in.table.Name)
	if near := nearest(name, names); near != "" {
		return 0, err.WithHint("Perhaps you meant the column %q.", near)
	}
	return 0, err
}

// bindStatic binds PARTITION (col = value).
func (in *insertion) bindStatic() error {
	for _, p := range in.stmt.Partition {
		i, err := in.columnNamed(p.Column, p.Pos)
		if err != nil {
			return err
		}
		if !contains(in.table.Partition, i) {
			return in.fail(p.Pos, sqlerr.InvalidColumnReference, "column %q is not a partition column of %q", p.Column, in.table.Name)
		}
		if p.Value == nil {
			continue
		}
		x, err := in.operand(&scope{clause: clauseInsert}, p.Value)
		if err != nil {
			return err
		}
		e, err := in.assign(x, in.table.Columns[i])
		if err != nil {
			return err
		}
		if !isConstant(e) {
			return in.fail(x.place(), sqlerr.FeatureNotSupported, "PARTITION (…) needs constants")
		}
		if e, err = in.foldLiteral(e, x.place()); err != nil {
			return err
		}
		in.values[i] = e
		if lit, ok := e.(*expr.Literal); ok {
			in.static[i] = lit.Value
		}
	}
	return nil
}

func (b *binder) foldLiteral(e expr.Expr, at ast.Pos) (expr.Expr, error) {
	if _, ok := e.(*expr.Literal); ok {
		return e, nil
	}
	return b.fold(e, at)
}

// targetColumns lists the ordinals that the source's columns go to: the column list, else all columns
// that PARTITION does not fix, its dynamic ones last.
func (in *insertion) targetColumns() ([]int, error) {
	if len(in.stmt.Columns) > 0 {
		return in.listedColumns()
	}
	dynamic := map[int]bool{}
	var last []int
	for _, p := range in.stmt.Partition {
		i, _ := in.columnNamed(p.Column, p.Pos)
		if p.Value == nil {
			dynamic[i] = true
			last = append(last, i)
		}
	}
	var out []int
	for i := range in.table.Columns {
		if in.values[i] == nil && !dynamic[i] {
			out = append(out, i)
		}
	}
	return append(out, last...), nil
}

func (in *insertion) listedColumns() ([]int, error) {
	var out []int
	for _, c := range in.stmt.Columns {
		i, err := in.columnNamed(c.Name, c.Pos)
		if err != nil {
			return nil, err
		}
		if contains(out, i) || in.values[i] != nil {
			return nil, in.fail(c.Pos, sqlerr.DuplicateColumn, "column %q specified more than once", c.Name)
		}
		out = append(out, i)
	}
	return out, nil
}

// bindSource binds the query or VALUES and assigns its columns.
func (in *insertion) bindSource(sc *scope, columns []int) error {
	q := in.stmt.Query
	if q == nil {
		in.query = &result{node: oneRow()}
		return nil
	}
	inner := sc.child()
	if v, ok := q.Body.(*ast.Values); ok && q.With == nil && len(q.OrderBy) == 0 && q.Limit == nil && q.Offset == nil {
		return in.bindValues(inner, v, columns)
	}
	r, err := in.binder.query(inner, q, false)
	if err != nil {
		return err
	}
	in.query = r
	if err := in.checkWidth(columns, len(r.columns), func(i int) ast.Pos { return r.columns[i].at }); err != nil {
		return err
	}
	for i, c := range r.columns {
		x := in.armOperand(r, i)
		if x.Type().Kind == types.Unknown {
			if err := in.typeColumn(r, i, in.table.Columns[columns[i]].Type); err != nil {
				return err
			}
			x.Expr = in.columnRef(c.id)
		}
		if in.values[columns[i]], err = in.assign(operandAt(in.columnRef(c.id), c.at), in.table.Columns[columns[i]]); err != nil {
			return err
		}
	}
	return nil
}

func (in *insertion) checkWidth(columns []int, given int, at func(int) ast.Pos) error {
	if given > len(columns) {
		return in.fail(at(len(columns)), sqlerr.SyntaxError, "INSERT has more expressions than target columns")
	}
	if given < len(columns) && (len(in.stmt.Columns) > 0 || len(in.stmt.Partition) > 0) {
		where := ast.NoPos
		if given < len(in.stmt.Columns) {
			where = in.stmt.Columns[given].Pos
		}
		return in.fail(where, sqlerr.SyntaxError, "INSERT has more target columns than expressions")
	}
	return nil
}

// bindValues assigns every item of VALUES to its column's type; DEFAULT stands for the column's
// default.
func (in *insertion) bindValues(sc *scope, v *ast.Values, columns []int) error {
	if len(v.Rows) == 0 {
		return in.fail(v.Pos, sqlerr.SyntaxError, "VALUES needs at least one row")
	}
	width := len(v.Rows[0])
	rows := make([][]expr.Expr, len(v.Rows))
	for i, row := range v.Rows {
		if len(row) != width {
			return in.fail(ast.Leftmost(row[0]), sqlerr.SyntaxError, "VALUES lists must all be the same length")
		}
		if err := in.checkWidth(columns, width, func(i int) ast.Pos { return ast.Leftmost(row[i]) }); err != nil {
			return err
		}
		for j, item := range row {
			e, err := in.valueItem(sc, item, in.table.Columns[columns[j]])
			if err != nil {
				return err
			}
			rows[i] = append(rows[i], e)
		}
	}
	ids := make([]logical.ColID, width)
	for j := range width {
		nullable := false
		for _, row := range rows {
			nullable = nullable || in.nullable(row[j])
		}
		c := in.table.Columns[columns[j]]
		ids[j] = in.column(c.Name, c.Type, nullable)
		in.values[columns[j]] = in.columnRef(ids[j])
	}
	in.query = &result{node: in.valuesNode(ids, rows)}
	return nil
}

func (in *insertion) valueItem(sc *scope, item ast.Expr, c connectors.Column) (expr.Expr, error) {
	if _, ok := item.(*ast.Default); ok {
		return in.defaultValue(c)
	}
	x, err := within(sc, clauseInsert, func() (operand, error) { return in.operand(sc, item) })
	if err != nil {
		return nil, err
	}
	return in.assign(x, c)
}

// assign converts a value to a column's type by assignment's rules.
func (b *binder) assign(x operand, c connectors.Column) (expr.Expr, error) {
	if castRule(x.Type(), c.Type) < assignment {
		return nil, b.fail(x.place(), sqlerr.DatatypeMismatch, "column %q is of type %s but expression is of type %s", c.Name,
			c.Type.Base(), x.Type().Base()).WithHint("You will need to rewrite or cast the expression.")
	}
	if x.Type().Kind == types.Unknown && c.Type.IsString() && c.Type.Length > 0 {
		return b.assignText(x, c.Type)
	}
	e, err := b.convert(x, c.Type)
	if cast, ok := e.(*expr.Cast); ok {
		cast.Assign = true
	}
	return e, err
}

// assignText stores an untyped literal in a column with a length, which refuses what is too long.
func (b *binder) assignText(x operand, to types.Type) (expr.Expr, error) {
	text, err := b.convert(x, textType)
	if err != nil {
		return nil, err
	}
	cast := &expr.Cast{Arg: text, To: to, Assign: true, Position: b.position(x.near())}
	if !isConstant(text) {
		return cast, nil
	}
	return b.fold(cast, ast.NoPos)
}

// fillDefaults gives the columns that no value was assigned to their default or NULL.
func (in *insertion) fillDefaults() error {
	for i, c := range in.table.Columns {
		if in.values[i] != nil {
			continue
		}
		e, err := in.defaultValue(c)
		if err != nil {
			return err
		}
		in.values[i] = e
	}
	return nil
}

func (b *binder) defaultValue(c connectors.Column) (expr.Expr, error) {
	if c.Default == "" {
		return &expr.Literal{Value: types.NullDatum(), T: c.Type}, nil
	}
	if b.env.ParseQuery == nil {
		return nil, sqlerr.Internal("no parser for the default of column %q", c.Name)
	}
	q, err := b.env.ParseQuery("SELECT " + c.Default)
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.InvalidColumnDefinition, "the default of column %q cannot be read", c.Name)
	}
	core, ok := q.Body.(*ast.SelectCore)
	if !ok || len(core.Targets) != 1 {
		return nil, sqlerr.New(sqlerr.InvalidColumnDefinition, "the default of column %q is not an expression", c.Name)
	}
	sql := b.sql
	b.sql = ""
	defer func() { b.sql = sql }()
	x, err := b.operand(&scope{clause: clauseInsert}, core.Targets[0].Expr)
	if err != nil {
		return nil, err
	}
	return b.assign(x, c)
}

// finish projects the values in the table's order and writes them.
func (in *insertion) finish(sc *scope) (*Bound, error) {
	c := in.computing(in.query.node, in.values...)
	ids := make([]logical.ColID, len(in.values))
	for i, e := range in.values {
		ids[i] = c.column(e)
	}
	node := in.query.node
	if len(c.computed) > 0 || node != c.node {
		node = c.project(ids)
	}
	target, err := in.env.Catalog.BeginWrite(in.ctx, WriteSpec{Table: in.table, Overwrite: in.stmt.Overwrite, Static: in.static})
	if err != nil {
		return nil, in.locate(err, in.stmt.Table.Pos)
	}
	source := &result{node: node}
	in.wrapWith(sc, source)
	w := &logical.Write{Input: source.node, Target: target, Source: ids,
		RowsID: in.column("rows", bigintType, false), PayloadID: in.column("payload", types.Of(types.JSON), true)}
	r := &result{node: w, columns: []resultColumn{{w.RowsID, "rows", ast.NoPos}, {w.PayloadID, "payload", ast.NoPos}}}
	return &Bound{Kind: Insert, Plan: in.plan(r), Target: in.table, Overwrite: in.stmt.Overwrite}, nil
}
