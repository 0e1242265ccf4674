package engine

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/binder"
	"github.com/tarnlake/tarn/planner/estimate"
	"github.com/tarnlake/tarn/planner/fragment"
	"github.com/tarnlake/tarn/planner/logical"
	"github.com/tarnlake/tarn/planner/optimizer"
	"github.com/tarnlake/tarn/planner/parser"
	"github.com/tarnlake/tarn/planner/parser/ast"
	"github.com/tarnlake/tarn/planner/physical"
)

// planned is a bound statement, and the state of the catalog in which it was bound.
type planned struct {
	bound      *binder.Bound
	write      *binder.WriteSpec
	parameters []types.Type
	snapshot   int64
	changes    int
	// token is the transaction's when virtual tables are read, whose handles name it, or files that were listed
	// in it.
	token string
	// listed: files were listed for the first execution. used tells that it was.
	listed bool
	used   atomic.Bool
}

func (e *Engine) planQuery(ctx context.Context, tx *Tx, request session.PlanRequest) (*session.Prepared, error) {
	p, err := e.bind(ctx, tx, request.SQL, request.Statement, request.ParamTypes)
	if err != nil {
		return nil, err
	}
	out := &session.Prepared{Plan: p, ParamTypes: p.bound.Parameters}
	if p.bound.Kind == binder.Query {
		out.Columns = resultColumns(p.bound.Plan)
	}
	return out, nil
}

func parseQuery(sql string) (*ast.Query, error) {
	statement, err := parser.ParseOne(sql)
	if err != nil {
		return nil, err
	}
	query, ok := statement.(*ast.Select)
	if !ok {
		return nil, sqlerr.Internal("not a query: %.40s", sql)
	}
	return query.Query, nil
}

func resultColumns(p *logical.Plan) types.Schema {
	out := make(types.Schema, len(p.Output))
	for i, o := range p.Output {
		info := p.Columns.Info(o.ID)
		out[i] = types.Field{Name: o.Name, Type: info.Type, Nullable: info.Nullable}
	}
	return out
}

func (e *Engine) bind(ctx context.Context, tx *Tx, sql string, statement ast.Statement, parameters []types.Type) (*planned, error) {
	return e.bindWith(ctx, &names{tx: tx}, sql, statement, parameters)
}

func (e *Engine) bindWith(ctx context.Context, n *names, sql string, statement ast.Statement, parameters []types.Type) (*planned, error) {
	tx := n.tx
	functions := tx.FunctionSession(ctx)
	p := &planned{parameters: parameters, snapshot: tx.Snapshot(), changes: tx.Changes()}
	bound, err := binder.Bind(ctx, statement, binder.Env{
		Catalog: n, Registry: e.config.Registry, Session: functions, SQL: sql, ParameterTypes: parameters,
		Fold:       func(x expr.Expr) (types.Datum, error) { return e.config.Fold(x, functions) },
		ParseQuery: parseQuery,
	})
	if err != nil {
		return nil, err
	}
	p.bound, p.write = bound, n.write
	p.listed = slices.ContainsFunc(bound.Tables, func(t *connectors.Table) bool { return t.Listed })
	if p.listed || slices.ContainsFunc(bound.Tables, func(t *connectors.Table) bool { return t.Kind == connectors.Virtual }) {
		p.token = tx.Token()
	}
	return p, nil
}

// current gives p, bound again if the catalog has moved since, or files are to be listed anew.
func (e *Engine) current(ctx context.Context, tx *Tx, request session.ExecuteRequest, p *planned) (*planned, error) {
	again := p.listed && p.used.Swap(true)
	if !again && p.snapshot == tx.Snapshot() && p.changes == tx.Changes() && (p.token == "" || p.token == tx.Token()) {
		return p, nil
	}
	anew, err := e.bind(ctx, tx, request.SQL, request.Statement, p.bound.Parameters)
	if err != nil {
		return nil, err
	}
	if p.bound.Kind == binder.Query && !sameColumns(resultColumns(p.bound.Plan), resultColumns(anew.bound.Plan)) {
		return nil, sqlerr.New(sqlerr.FeatureNotSupported, "cached plan must not change result type")
	}
	return anew, nil
}

func sameColumns(a, b types.Schema) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Name != b[i].Name || !a[i].Type.Equal(b[i].Type) {
			return false
		}
	}
	return true
}

func (e *Engine) executeQuery(ctx context.Context, tx *Tx, request session.ExecuteRequest, p *planned) (*session.Result, error) {
	p, err := e.current(ctx, tx, request, p)
	if err != nil {
		return nil, err
	}
	if p.bound.Kind == binder.Delete {
		return e.executeDelete(ctx, tx, p, request.Params)
	}
	x, functions, err := e.physical(ctx, tx, p, request.Params)
	if err != nil {
		return nil, err
	}
	if p.bound.Kind == binder.Insert {
		return e.executeInsert(ctx, tx, p, x, functions)
	}
	running, err := e.run(ctx, tx, x, functions)
	if err != nil {
		return nil, err
	}
	return &session.Result{Source: running}, nil
}

// executable is a plan that can run.
type executable struct {
	root   plan.Node      // with Exchanges in it if it is spread
	placed *fragment.Plan // nil: it runs in this process
	// distribution tells, in a cluster, why the plan is spread or is not.
	distribution string
}

// fragments cuts the plan at its Exchanges.
func (x *executable) fragments() ([]plan.Fragment, error) {
	if x.placed == nil {
		return []plan.Fragment{{Root: x.root, Single: true, Output: plan.Output{Readers: 1}}}, nil
	}
	return x.placed.Cut()
}

// physical optimizes a copy of p's plan with the parameters' values in it, and spreads it over the
// workers that there are. A write that shall make few files stays together.
func (e *Engine) physical(ctx context.Context, tx *Tx, p *planned, params []types.Datum) (*executable, *fn.Session, error) {
	functions := tx.FunctionSession(ctx)
	logicalPlan, err := optimizer.WithParameters(p.bound.Plan, params)
	if err != nil {
		return nil, nil, err
	}
	statistics := &statistics{ctx: ctx, tx: tx}
	disabled := map[string]bool{}
	for _, name := range tx.State.Settings.Names("disabled_passes") {
		disabled[name] = true
	}
	env := optimizer.Env{Registry: e.config.Registry, Statistics: statistics, Disabled: disabled,
		Fold:   func(x expr.Expr) (types.Datum, error) { return e.config.Fold(x, functions) },
		Verify: logical.Verify}
	if _, err := optimizer.Optimize(ctx, logicalPlan, env); err != nil {
		return nil, nil, err
	}
	if statistics.failed != nil {
		return nil, nil, statistics.failed
	}
	statistics.read = &scanned{}
	root, err := physical.Plan(ctx, logicalPlan, physical.Env{Registry: e.config.Registry,
		Estimate: estimate.New(logicalPlan, statistics), DynamicFilters: !disabled[optimizer.DynamicFilters]})
	if err != nil {
		return nil, nil, err
	}
	if statistics.failed != nil {
		return nil, nil, statistics.failed
	}
	x := &executable{root: root}
	if err := e.spread(tx, x, statistics.read); err != nil {
		return nil, nil, err
	}
	return x, functions, nil
}

// run starts a plan.
func (e *Engine) run(ctx context.Context, tx *Tx, x *executable, functions *fn.Session) (Running, error) {
	fragments, err := x.fragments()
	if err != nil {
		return nil, err
	}
	ticket, err := e.admit(ctx, tx, x.root, functions)
	if err != nil {
		return nil, err
	}
	request := RunRequest{Fragments: fragments, Drivers: tx.drivers, Session: functions, Progress: tx.State.Progress,
		Splits: func(ctx context.Context, scan *plan.Scan, feed connectors.FilterFeed) (connectors.SplitSource, error) {
			c, ok := e.config.Connectors[scan.Scan.Connector]
			if !ok {
				return nil, sqlerr.Internal("no connector %q", scan.Scan.Connector)
			}
			return c.Splits(ctx, scan.Scan, feed)
		}}
	if ticket == nil {
		return e.config.Runner.Run(ctx, request)
	}
	return e.runAdmitted(ctx, ticket, request)
}
