package binder

import (
	"strings"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// functionTable is f(…) in FROM, or several side by side in ROWS FROM.
func (b *binder) functionTable(sc *scope, f *ast.FunctionTable) (*fromItem, error) {
	lateral := sc.lateral
	sc.lateral = true
	defer func() { sc.lateral = lateral }()
	if len(f.Functions) == 1 && !f.Ordinality {
		item, err := b.fileFunction(sc, f)
		if item != nil || err != nil {
			return item, err
		}
	}
	u := &logical.Unnest{Input: oneRow()}
	rel := &relation{byName: true, byColumn: true, at: f.Pos}
	for _, one := range f.Functions {
		if len(one.ColumnDefs) > 0 || len(f.ColumnDefs) > 0 {
			return nil, b.fail(f.Pos, sqlerr.SyntaxError,
				"a column definition list is only allowed for functions returning \"record\"")
		}
		if err := b.addFunction(sc, u, rel, one.Call, onlyAlias(f.Alias, len(f.Functions))); err != nil {
			return nil, err
		}
	}
	return b.finishFunctions(u, rel, f.Ordinality, f.Alias, f.Pos)
}

// unnestTable is UNNEST(a, b): one column for each array.
func (b *binder) unnestTable(sc *scope, f *ast.UnnestTable) (*fromItem, error) {
	u := &logical.Unnest{Input: oneRow()}
	rel := &relation{byName: true, byColumn: true, at: f.Pos}
	lateral := sc.lateral
	sc.lateral = true
	defer func() { sc.lateral = lateral }()
	for _, a := range f.Args {
		call := &ast.FuncCall{Pos: f.Pos, Name: ast.Name{Pos: f.Pos, Parts: []string{"unnest"}}, Args: []ast.Expr{a}}
		if err := b.addFunction(sc, u, rel, call, onlyAlias(f.Alias, len(f.Args))); err != nil {
			return nil, err
		}
	}
	return b.finishFunctions(u, rel, f.Ordinality, f.Alias, f.Pos)
}

// onlyAlias is the alias that names the column of a single function; among several they keep theirs.
func onlyAlias(alias *ast.Alias, functions int) *ast.Alias {
	if functions > 1 {
		return nil
	}
	return alias
}

// addFunction adds one function to the Unnest, or a scalar one as a single row.
func (b *binder) addFunction(sc *scope, u *logical.Unnest, rel *relation, call ast.Expr, alias *ast.Alias) error {
	name := outputName(call)
	if rel.name == "" {
		rel.name = name
	}
	e, ok := call.(*ast.FuncCall)
	if !ok {
		return b.addScalar(sc, u, rel, call, alias)
	}
	fname, err := b.functionName(e)
	if err != nil {
		return err
	}
	args, _, err := b.functionArguments(sc, e)
	if err != nil {
		return err
	}
	c, why := b.choose(b.env.Registry.ByName(fname), args)
	if c == nil {
		return b.noFunction(fname, args, e.Pos, why)
	}
	if !isTable(c.overload) {
		return b.addScalar(sc, u, rel, call, alias)
	}
	if err := b.checkPlainCall(fname, e); err != nil {
		return err
	}
	if len(u.Functions) == 0 && len(rel.columns) > 0 {
		return b.fail(e.Pos, sqlerr.FeatureNotSupported, "ROWS FROM takes set-returning functions only")
	}
	columns, bound, err := b.tableColumns(c, args, e.Pos)
	if err != nil {
		return err
	}
	u.Input = b.attach(u.Input, bound.Args...)
	tc := logical.TableCall{Function: c.overload.ID, Name: c.overload.Name, Args: bound.Args}
	for _, col := range columns {
		id := b.column(col.Name, col.Type, true)
		tc.IDs = append(tc.IDs, id)
		colName := col.Name
		if len(columns) == 1 {
			colName = scalarColumnName(name, alias)
		}
		rel.columns = append(rel.columns, relationColumn{colName, b.columnRef(id)})
	}
	u.Functions = append(u.Functions, tc)
	return nil
}

// scalarColumnName names the column of a function with one: the alias, else the function.
func scalarColumnName(function string, alias *ast.Alias) string {
	if alias != nil && alias.Name != "" {
		return alias.Name
	}
	return function
}

func (b *binder) functionArguments(sc *scope, e *ast.FuncCall) ([]argument, []sortExpr, error) {
	type bound struct {
		args  []argument
		order []sortExpr
	}
	out, err := within(sc, clauseFromFunction, func() (bound, error) {
		args, order, err := b.arguments(sc, e)
		return bound{args, order}, err
	})
	return out.args, out.order, err
}

// addScalar is a plain function or SQL's own (current_date, coalesce) in FROM: a table of one row.
func (b *binder) addScalar(sc *scope, u *logical.Unnest, rel *relation, call ast.Expr, alias *ast.Alias) error {
	if len(u.Functions) > 0 {
		return b.fail(call.Offset(), sqlerr.FeatureNotSupported, "ROWS FROM takes set-returning functions only")
	}
	e, err := within(sc, clauseFromFunction, func() (expr.Expr, error) { return b.typed(sc, call) })
	if err != nil {
		return err
	}
	name := outputName(call)
	id := b.column(name, e.Type(), b.nullable(e))
	c := b.computing(u.Input, e)
	u.Input = &logical.Project{Input: c.node, Exprs: append(c.pass(u.Input.Columns()), logical.Computed{ID: id, Expr: e})}
	rel.columns = append(rel.columns, relationColumn{scalarColumnName(name, alias), b.columnRef(id)})
	return nil
}

// finishFunctions adds WITH ORDINALITY and the alias.
func (b *binder) finishFunctions(u *logical.Unnest, rel *relation, ordinality bool, alias *ast.Alias, at ast.Pos) (*fromItem, error) {
	if ordinality {
		id := b.column("ordinality", bigintType, false)
		if len(u.Functions) > 0 {
			u.OrdinalityID = id
		} else {
			one := &expr.Literal{Value: types.IntDatum(1), T: bigintType}
			c := b.computing(u.Input)
			u.Input = &logical.Project{Input: u.Input, Exprs: append(c.pass(u.Input.Columns()), logical.Computed{ID: id, Expr: one})}
		}
		rel.columns = append(rel.columns, relationColumn{"ordinality", b.columnRef(id)})
	}
	if alias != nil && alias.Name != "" {
		rel.name = alias.Name
	}
	if err := b.aliasColumns(rel, alias, at); err != nil {
		return nil, err
	}
	var node logical.Node = u
	if len(u.Functions) == 0 {
		node = u.Input
	}
	return &fromItem{node, []*relation{rel}, rel.columns}, nil
}

// tableColumns calls a set-returning overload and gives its columns.
func (b *binder) tableColumns(c *candidate, args []argument, at ast.Pos) (types.Schema, *expr.Call, error) {
	var impl fn.Table
	switch t := c.overload.Impl.(type) {
	case fn.Table:
		impl = t
	case *fn.Table:
		impl = *t
	}
	converted, err := b.convertArguments(c, args)
	if err != nil {
		return nil, nil, err
	}
	converted = arrange(c, converted)
	call := fn.Call{Name: c.overload.Name, Session: b.env.Session}
	for _, a := range converted {
		call.Args = append(call.Args, a.Type())
		var constant *types.Datum
		if lit, ok := a.(*expr.Literal); ok {
			constant = &lit.Value
		}
		call.Constants = append(call.Constants, constant)
	}
	columns, err := impl.Columns(call)
	if err != nil {
		return nil, nil, b.locate(err, at)
	}
	return columns, &expr.Call{Function: c.overload.ID, Name: c.overload.Name, Args: converted, Position: b.position(at)}, nil
}

// fileFunction asks the catalog for read_parquet('…') and its like; nil when the function is none of
// its own.
func (b *binder) fileFunction(sc *scope, f *ast.FunctionTable) (*fromItem, error) {
	e, ok := f.Functions[0].Call.(*ast.FuncCall)
	if !ok {
		return nil, nil
	}
	name, err := b.functionName(e)
	if err != nil || len(b.env.Registry.ByName(name)) > 0 {
		return nil, err
	}
	args, _, err := b.functionArguments(sc, e)
	if err != nil {
		return nil, err
	}
	call := TableFunctionCall{Name: name}
	for _, a := range args {
		if !readsFiles(name) && (a.lambda != nil || !isConstant(a.Expr)) {
			return nil, b.noFunction(name, args, e.Pos, none)
		}
		value, err := b.constantArgument(a)
		if err != nil {
			return nil, err
		}
		call.Args = append(call.Args, value)
	}
	table, err := b.env.Catalog.ResolveTableFunction(b.ctx, call)
	if err != nil {
		return nil, b.locate(err, e.Pos)
	}
	if table == nil {
		if kind, ok := typeKind(name); ok && kind != types.Unknown {
			return nil, nil
		}
		return nil, b.noFunction(name, args, e.Pos, none)
	}
	return b.resolvedTable(table, name, f.Alias, f.Pos)
}

// readsFiles tells whether a name looks like one of the catalog's table functions.
func readsFiles(name string) bool {
	return strings.HasPrefix(name, "read_") || strings.HasSuffix(name, "_metadata") || name == "glob"
}

func (b *binder) constantArgument(a argument) (TableFunctionArgument, error) {
	out := TableFunctionArgument{Name: a.name}
	if a.lambda != nil || !isConstant(a.Expr) {
		return out, b.fail(a.place(), sqlerr.FeatureNotSupported, "arguments of this table function must be constants")
	}
	e, err := b.resolveUnknown(a.operand)
	if err != nil {
		return out, err
	}
	if _, ok := e.(*expr.Literal); !ok {
		if e, err = b.fold(e, a.place()); err != nil {
			return out, err
		}
	}
	lit, ok := e.(*expr.Literal)
	if !ok {
		return out, b.fail(a.place(), sqlerr.FeatureNotSupported, "arguments of this table function must be constants")
	}
	out.Value, out.Type = lit.Value, lit.T
	return out, nil
}
