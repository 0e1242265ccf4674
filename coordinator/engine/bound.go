package engine

import (
	"context"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
	"github.com/tarnlake/tarn/planner/binder"
	"github.com/tarnlake/tarn/planner/logical"
	"github.com/tarnlake/tarn/planner/optimizer"
	"github.com/tarnlake/tarn/planner/parser"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// QueryText is a query or an INSERT that another statement needs.
type QueryText struct {
	SQL        string // what positions count in
	Statement  ast.Statement
	Parameters []types.Type
	// Given holds tables without a name in SQL: the tree names them "".name.
	Given map[string]*connectors.Table
}

// BoundQuery is a bound query or INSERT. It holds for the transaction's present state.
type BoundQuery struct {
	tx      *Tx
	planned *planned
	direct  []*connectors.Table
}

// Reference is a relation that a query names, and the ordinals of the columns that it reads.
type Reference struct {
	Table   *connectors.Table
	Columns []int
}

// BindQuery binds a query on behalf of another statement.
func (tx *Tx) BindQuery(ctx context.Context, text QueryText) (*BoundQuery, error) {
	n := &names{tx: tx, given: text.Given}
	p, err := tx.Engine.bindWith(ctx, n, text.SQL, text.Statement, text.Parameters)
	if err != nil {
		return nil, err
	}
	return &BoundQuery{tx: tx, planned: p, direct: n.direct}, nil
}

// Columns describes the rows.
func (q *BoundQuery) Columns() types.Schema { return resultColumns(q.planned.bound.Plan) }

// Parameters gives the types of $1, $2, ….
func (q *BoundQuery) Parameters() []types.Type { return q.planned.bound.Parameters }

// Run starts the query.
func (q *BoundQuery) Run(ctx context.Context, params []types.Datum) (Running, error) {
	x, functions, err := q.tx.Engine.physical(ctx, q.tx, q.planned, params)
	if err != nil {
		return nil, err
	}
	return q.tx.Engine.run(ctx, q.tx, x, functions)
}

// Rows runs the query and gives its rows; it is for few.
func (q *BoundQuery) Rows(ctx context.Context, params []types.Datum) (rows [][]types.Datum, err error) {
	running, err := q.Run(ctx, params)
	if err != nil {
		return nil, err
	}
	defer func() {
		if closed := running.Close(); err == nil {
			err = closed
		}
	}()
	return CollectRows(ctx, running)
}

// Each runs the query and gives its batches to take, each valid until take returns.
func (q *BoundQuery) Each(ctx context.Context, params []types.Datum, take func(*vec.Batch) error) error {
	running, err := q.Run(ctx, params)
	if err != nil {
		return err
	}
	return drain(ctx, running, take)
}

// drain gives the batches of a query to take and closes the query.
func drain(ctx context.Context, running Running, take func(*vec.Batch) error) (err error) {
	defer func() {
		if closed := running.Close(); err == nil {
			err = closed
		}
	}()
	for {
		b, err := running.Next(ctx)
		if err != nil || b == nil {
			return err
		}
		if err := take(b); err != nil {
			return err
		}
	}
}

// CollectRows reads a source to its end.
func CollectRows(ctx context.Context, source vec.Source) ([][]types.Datum, error) {
	var rows [][]types.Datum
	for {
		b, err := source.Next(ctx)
		if err != nil || b == nil {
			return rows, err
		}
		var compact vec.Batch
		b.Compact(&compact)
		for i := range compact.Len {
			row := make([]types.Datum, len(compact.Cols))
			for c := range row {
				row[c] = compact.Cols[c].Datum(i)
			}
			rows = append(rows, row)
		}
	}
}

// QueryRows runs a query given as text.
func (tx *Tx) QueryRows(ctx context.Context, sql string) ([][]types.Datum, error) {
	statement, err := parser.ParseOne(sql)
	if err != nil {
		return nil, err
	}
	q, err := tx.BindQuery(ctx, QueryText{SQL: sql, Statement: statement})
	if err != nil {
		return nil, err
	}
	return q.Rows(ctx, nil)
}

// Write runs an INSERT and gives the number of rows.
func (q *BoundQuery) Write(ctx context.Context, params []types.Datum) (int64, error) {
	if q.planned.bound.Kind != binder.Insert {
		return 0, sqlerr.Internal("not an INSERT")
	}
	x, functions, err := q.tx.Engine.physical(ctx, q.tx, q.planned, params)
	if err != nil {
		return 0, err
	}
	result, err := q.tx.Engine.executeInsert(ctx, q.tx, q.planned, x, functions)
	if err != nil {
		return 0, err
	}
	return result.Affected(), nil
}

// WriteSerially is Write with one driver: it makes as few files as their size allows.
func (q *BoundQuery) WriteSerially(ctx context.Context, params []types.Datum) (int64, error) {
	q.tx.drivers = 1
	defer func() { q.tx.drivers = 0 }()
	return q.Write(ctx, params)
}

// InsertInto appends the query's rows to a table with as many columns, cast as on assignment, and
// gives their number.
func (q *BoundQuery) InsertInto(ctx context.Context, params []types.Datum, table *connectors.Table) (int64, error) {
	p := q.writePlan(table.Target())
	bound := &binder.Bound{Kind: binder.Insert, Plan: p, Parameters: q.planned.bound.Parameters, Target: table}
	insert := &BoundQuery{tx: q.tx, planned: &planned{bound: bound}}
	return insert.Write(ctx, params)
}

// WriteFragments writes the query's rows to a target and gives what the sinks report.
func (q *BoundQuery) WriteFragments(ctx context.Context, params []types.Datum, target connectors.Target) ([]connectors.Fragment, error) {
	bound := &binder.Bound{Kind: binder.Insert, Plan: q.writePlan(target), Parameters: q.planned.bound.Parameters}
	x, functions, err := q.tx.Engine.physical(ctx, q.tx, &planned{bound: bound}, params)
	if err != nil {
		return nil, err
	}
	return q.tx.Engine.collect(ctx, q.tx, x, functions)
}

// writePlan puts a Write on the query.
func (q *BoundQuery) writePlan(target connectors.Target) *logical.Plan {
	from := q.planned.bound.Plan
	columns := from.Columns.Clone()
	project := &logical.Project{Input: from.Root}
	write := &logical.Write{Input: project, Target: target}
	seen := map[logical.ColID]bool{}
	for i, o := range from.Output {
		info, to := *columns.Info(o.ID), target.Columns[i].Type
		id := o.ID
		e := expr.Expr(columns.Ref(o.ID))
		if !info.Type.Equal(to) {
			e = &expr.Cast{Arg: e, To: to, Assign: true}
		}
		if _, same := e.(*expr.Column); !same || seen[id] {
			id = columns.Add(info.Name, to, info.Nullable)
		}
		seen[id] = true
		project.Exprs = append(project.Exprs, logical.Computed{ID: id, Expr: e})
		write.Source = append(write.Source, id)
	}
	write.RowsID = columns.Add("rows", types.Of(types.Int64), false)
	write.PayloadID = columns.Add("payload", types.Of(types.JSON), true)
	return &logical.Plan{Root: write, Columns: columns, Parameters: from.Parameters,
		Output: []logical.OutputColumn{{ID: write.RowsID, Name: "rows"}, {ID: write.PayloadID, Name: "payload"}}}
}

// References lists the relations that the query itself names, not those inside views. Of a table it
// lists the columns that are read, of a view all.
func (q *BoundQuery) References(ctx context.Context) ([]Reference, error) {
	read, err := q.columnsRead(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Reference, len(q.direct))
	for i, t := range q.direct {
		out[i].Table = t
		for ordinal := range t.Columns {
			if t.Kind == connectors.View || read[t][ordinal] {
				out[i].Columns = append(out[i].Columns, ordinal)
			}
		}
	}
	return out, nil
}

// columnsRead prunes a copy of the plan and looks at what its scans still give.
func (q *BoundQuery) columnsRead(ctx context.Context) (map[*connectors.Table]map[int]bool, error) {
	p, err := optimizer.WithParameters(q.planned.bound.Plan, nil)
	if err != nil {
		return nil, err
	}
	disabled := map[string]bool{}
	for _, pass := range optimizer.Passes() {
		disabled[pass.Name] = pass.Name != "prune_columns"
	}
	env := optimizer.Env{Registry: q.tx.Engine.config.Registry, Statistics: &statistics{ctx: ctx, tx: q.tx}, Disabled: disabled,
		Fold: func(x expr.Expr) (types.Datum, error) { return q.tx.Engine.config.Fold(x, q.tx.FunctionSession(ctx)) }}
	if _, err := optimizer.Optimize(ctx, p, env); err != nil {
		return nil, err
	}
	read := map[*connectors.Table]map[int]bool{}
	for n := range logical.Nodes(p.Root) {
		if scan, ok := n.(*logical.Scan); ok {
			if read[scan.Table] == nil {
				read[scan.Table] = map[int]bool{}
			}
			for _, ordinal := range scan.Ordinals {
				read[scan.Table][ordinal] = true
			}
		}
	}
	return read, nil
}

// TableStatistics gives what is known of all rows of a table.
func (tx *Tx) TableStatistics(ctx context.Context, t *connectors.Table) (connectors.TableStats, error) {
	scan := &logical.Scan{Table: t}
	for i := range t.Columns {
		scan.Ordinals, scan.IDs = append(scan.Ordinals, i), append(scan.IDs, logical.ColID(i+1))
	}
	s := &statistics{ctx: ctx, tx: tx}
	stats := s.Scan(scan)
	return stats, s.failed
}
