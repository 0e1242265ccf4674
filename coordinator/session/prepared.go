package session

import (
	"context"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// runPrepare is SQL's PREPARE.
func (s *Session) runPrepare(ctx context.Context, p *Portal, tree *ast.Prepare) error {
	if s.statements[tree.Name] != nil {
		return sqlerr.New(sqlerr.DuplicatePreparedStatement, "prepared statement %q already exists", tree.Name)
	}
	st := &Statement{SQL: p.Statement.SQL, Tree: tree.Statement, Tag: TagOf(tree.Statement)}
	if err := s.ensureTransaction(ctx); err != nil {
		return err
	}
	var err error
	st.Prepared, err = s.manager.config.Engine.Plan(ctx, &s.state,
		PlanRequest{SQL: st.SQL, Statement: st.Tree, TypeNames: tree.Types})
	if err != nil {
		return err
	}
	return s.Keep(tree.Name, st)
}

func (s *Session) runDeallocate(tree *ast.Deallocate) error {
	if tree.Name == "" {
		clear(s.statements)
		return nil
	}
	if _, err := s.Statement(tree.Name); err != nil {
		return err
	}
	s.CloseStatement(tree.Name)
	return nil
}

// describeExecute finds what EXECUTE will run. EXECUTE IMMEDIATE is planned here.
func (s *Session) describeExecute(ctx context.Context, st *Statement, tree *ast.Execute) (*Prepared, error) {
	target, err := s.executeTarget(ctx, st, tree)
	if err != nil {
		return nil, err
	}
	if want := len(target.Prepared.ParamTypes); want != len(tree.Args) {
		return nil, sqlerr.New(sqlerr.SyntaxError, "wrong number of parameters for prepared statement %q", tree.Name).
			WithDetail("Expected %d parameters but got %d.", want, len(tree.Args))
	}
	return &Prepared{Columns: target.Prepared.Columns, Copy: target.Prepared.Copy, Plan: target}, nil
}

func (s *Session) executeTarget(ctx context.Context, st *Statement, tree *ast.Execute) (*Statement, error) {
	if tree.Immediate == nil {
		return s.Statement(tree.Name)
	}
	return s.Prepare(ctx, st.SQL, tree.Immediate, nil)
}

// runExecute is SQL's EXECUTE: its portal hands on the rows of an inner one.
func (s *Session) runExecute(ctx context.Context, p *Portal, tree *ast.Execute) error {
	target, ok := p.Statement.Prepared.Plan.(*Statement)
	if !ok {
		return sqlerr.Internal("EXECUTE was not described")
	}
	params, err := s.evaluate(ctx, p, tree.Args, target.Prepared.ParamTypes)
	if err != nil {
		return err
	}
	p.inner = s.newPortal("", target, params)
	if err := p.inner.Run(ctx, 0); err != nil {
		return err
	}
	if target.Prepared.Columns == nil {
		p.tag, p.phase = p.inner.Tag(), portalFinished
	}
	return nil
}

// evaluate computes EXECUTE's arguments: one row of casts, by the engine.
func (s *Session) evaluate(ctx context.Context, p *Portal, args []ast.Expr, want []types.Type) ([]types.Datum, error) {
	if len(args) == 0 {
		return nil, nil
	}
	core := &ast.SelectCore{Pos: ast.NoPos}
	for i, arg := range args {
		cast := &ast.Cast{Pos: ast.Pos(arg.Offset()), X: arg, Type: typeNameOf(want[i])}
		core.Targets = append(core.Targets, ast.Target{Pos: cast.Pos, Expr: cast})
	}
	tree := &ast.Select{Query: &ast.Query{Pos: ast.NoPos, Body: core}}
	st, err := s.Prepare(ctx, p.Statement.SQL, tree, nil)
	if err != nil {
		return nil, err
	}
	row := s.newPortal("", st, nil)
	defer row.close()
	if err := row.Run(ctx, 1); err != nil {
		return nil, err
	}
	b, from, to, err := row.Next(ctx)
	if err != nil {
		return nil, err
	}
	if b == nil || to == from {
		return nil, sqlerr.Internal("EXECUTE's arguments gave no row")
	}
	if b.Sel != nil {
		from = int(b.Sel[from])
	}
	params := make([]types.Datum, len(args))
	for i := range params {
		params[i] = b.Cols[i].Datum(from)
	}
	return params, nil
}

// internalTypeNames are PostgreSQL's own names of types, as a TypeName carries them.
var internalTypeNames = map[types.Kind]string{
	types.Bool: "bool", types.Int16: "int2", types.Int32: "int4", types.Int64: "int8", types.Float32: "float4",
	types.Float64: "float8", types.Decimal: "numeric", types.Text: "text", types.Char: "bpchar", types.Bytea: "bytea",
	types.Date: "date", types.Time: "time", types.Timestamp: "timestamp", types.TimestampTZ: "timestamptz",
	types.Interval: "interval", types.UUID: "uuid", types.JSON: "json", types.JSONB: "jsonb", types.OID: "oid",
	types.Name: "name", types.InternalChar: "char", types.RegClass: "regclass", types.RegType: "regtype",
	types.RegProc: "regproc", types.RegNamespace: "regnamespace",
}

// typeNameOf writes a type as the parser would.
func typeNameOf(t types.Type) *ast.TypeName {
	out := &ast.TypeName{Pos: ast.NoPos, Schema: "pg_catalog", Name: internalTypeNames[t.Kind]}
	switch t.Kind {
	case types.Array:
		elem := typeNameOf(*t.Elem)
		elem.ArrayDims++
		return elem
	case types.Map:
		return &ast.TypeName{Pos: ast.NoPos, Name: "map", Args: []ast.TypeArg{{Pos: ast.NoPos, Type: typeNameOf(*t.Key)},
			{Pos: ast.NoPos, Type: typeNameOf(*t.Elem)}}}
	case types.Row:
		out = &ast.TypeName{Pos: ast.NoPos, Name: "row"}
		for _, f := range t.Fields {
			out.Args = append(out.Args, ast.TypeArg{Pos: ast.NoPos, Name: f.Name, Type: typeNameOf(f.Type)})
		}
	case types.Decimal:
		if t.Precision > 0 {
			out.Modifiers = []int64{int64(t.Precision), int64(t.Scale)}
		}
	case types.Text:
		if t.Length > 0 {
			out.Name, out.Modifiers = "varchar", []int64{int64(t.Length)}
		}
	case types.Char:
		out.Modifiers = []int64{int64(max(t.Length, 1))}
	case types.Time, types.Timestamp, types.TimestampTZ:
		if digits, declared := t.FractionDigits(); declared {
			out.Modifiers = []int64{int64(digits)}
		}
	}
	return out
}
