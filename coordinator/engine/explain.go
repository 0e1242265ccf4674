package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
	"github.com/tarnlake/tarn/planner/binder"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// explained is a planned EXPLAIN.
type explained struct {
	inner   *planned
	explain *ast.Explain
	format  string
	analyze bool
	// binding counts the requests that names and statistics needed.
	binding *objstore.Counters
}

func (e *Engine) planExplain(ctx context.Context, tx *Tx, request session.PlanRequest, explain *ast.Explain) (*session.Prepared, error) {
	out := &explained{explain: explain, format: "text", analyze: explain.Analyze, binding: &objstore.Counters{}}
	ctx = objstore.WithCounters(ctx, out.binding)
	if explain.Format != "" {
		out.format = strings.ToLower(explain.Format)
	}
	for _, o := range explain.Options {
		switch o.Name {
		case "analyze", "format":
		case "costs", "verbose", "buffers", "timing", "summary", "settings", "wal", "generic_plan", "memory", "type":
		default:
			return nil, sqlerr.New(sqlerr.SyntaxError, "unrecognized EXPLAIN option %q", o.Name)
		}
	}
	switch out.format {
	case "text", "json", "dot", "plan", "graphviz":
	default:
		return nil, sqlerr.New(sqlerr.InvalidParameterValue, "unrecognized value for EXPLAIN option \"format\": %q", out.format).
			WithHint("The formats are text, json, dot and plan.")
	}
	inner, err := e.bind(ctx, tx, request.SQL, explain.Statement, request.ParamTypes)
	if err != nil {
		return nil, err
	}
	if inner.bound.Kind == binder.Delete {
		return nil, sqlerr.New(sqlerr.FeatureNotSupported, "EXPLAIN of DELETE is not supported").
			WithHint("EXPLAIN SELECT * FROM … WHERE shows which partitions the predicate selects.")
	}
	out.inner = inner
	columns := types.Schema{{Name: "QUERY PLAN", Type: types.Of(types.Text)}}
	if out.format == "json" {
		columns[0].Type = types.Of(types.JSON)
	}
	return &session.Prepared{Plan: out, ParamTypes: inner.bound.Parameters, Columns: columns}, nil
}

func (e *Engine) executeExplain(ctx context.Context, tx *Tx, request session.ExecuteRequest, p *explained) (*session.Result, error) {
	request.Statement = p.explain.Statement
	planningContext := objstore.WithCounters(ctx, p.binding)
	inner, err := e.current(planningContext, tx, request, p.inner)
	if err != nil {
		return nil, err
	}
	started := time.Now()
	x, functions, err := e.physical(planningContext, tx, inner, request.Params)
	if err != nil {
		return nil, err
	}
	planning := time.Since(started)
	var actual func(int) *plan.Actual
	var execution time.Duration
	var executing objstore.Counters
	var elsewhere objstore.Usage
	if p.analyze {
		if inner.bound.Kind == binder.Insert {
			return nil, sqlerr.New(sqlerr.FeatureNotSupported, "EXPLAIN ANALYZE of a write is not supported").
				WithHint("EXPLAIN ANALYZE its SELECT instead.")
		}
		started = time.Now()
		ctx = objstore.WithCounters(ctx, &executing)
		running, err := e.run(ctx, tx, x, functions)
		if err != nil {
			return nil, err
		}
		for {
			b, err := running.Next(ctx)
			if err != nil {
				running.Close()
				return nil, err
			}
			if b == nil {
				break
			}
		}
		if err := running.Close(); err != nil {
			return nil, err
		}
		execution, actual = time.Since(started), running.Actual
		elsewhere = running.Storage()
	}
	lines, err := render(p, x, actual, planning, execution)
	if err != nil {
		return nil, err
	}
	if p.analyze && p.format == "text" {
		lines = append(lines, storageLines(p.binding.Usage(), executing.Usage().Plus(elsewhere))...)
	}
	t := types.Of(types.Text)
	if p.format == "json" {
		t = types.Of(types.JSON)
	}
	return &session.Result{Source: Lines(t, lines)}, nil
}

// storageLines says what was asked of remote storage, and about what that costs; nothing if nothing was.
func storageLines(planning, execution objstore.Usage) (lines []string) {
	for _, part := range []struct {
		name  string
		usage objstore.Usage
	}{{"Planning", planning}, {"Execution", execution}} {
		if u := part.usage; u.Total() > 0 {
			lines = append(lines, fmt.Sprintf("%s Storage: %s; %s read; $%.7f", part.name, u, memory.FormatBytes(u.BytesRead), u.Dollars()))
		}
	}
	return lines
}

func render(p *explained, x *executable, actual func(int) *plan.Actual, planning, execution time.Duration) ([]string, error) {
	switch p.format {
	case "json":
		text, err := plan.ExplainJSON(x.root, actual)
		return []string{text}, err
	case "dot", "graphviz":
		return strings.Split(strings.TrimRight(plan.ExplainDOT(x.root), "\n"), "\n"), nil
	case "plan":
		return encoded(x)
	}
	lines := plan.ExplainText(x.root, actual)
	if x.distribution != "" {
		lines = append(lines, "Distribution: "+x.distribution)
	}
	if p.analyze {
		lines = append(lines, fmt.Sprintf("Planning Time: %.3f ms", float64(planning)/1e6), fmt.Sprintf("Execution Time: %.3f ms", float64(execution)/1e6))
	}
	return lines, nil
}

// encoded gives the fragments of a plan, one in a line, as nodes get them; a plan that is not spread as such.
func encoded(x *executable) ([]string, error) {
	if x.placed == nil {
		text, err := plan.Encode(x.root)
		return []string{string(text)}, err
	}
	fragments, err := x.fragments()
	if err != nil {
		return nil, err
	}
	var lines []string
	for i := range fragments {
		text, err := plan.EncodeFragment(&fragments[i])
		if err != nil {
			return nil, err
		}
		lines = append(lines, string(text))
	}
	return lines, nil
}

// Lines is a source of one column of text, a row a line.
func Lines(t types.Type, lines []string) vec.Source {
	v := vec.NewFlat(t, len(lines))
	for i, line := range lines {
		v.SetString(i, line)
	}
	return &once{batch: &vec.Batch{Cols: []vec.Vector{*v}, Len: len(lines)}}
}

// Rows is a source of the given rows.
func Rows(columns types.Schema, rows [][]types.Datum) vec.Source {
	b := vec.NewBatch(columns.Types(), len(rows))
	for c := range b.Cols {
		for r := range rows {
			b.Cols[c].SetDatum(r, rows[r][c])
		}
	}
	return &once{batch: b}
}

// once gives one batch.
type once struct{ batch *vec.Batch }

func (o *once) Next(context.Context) (*vec.Batch, error) {
	b := o.batch
	o.batch = nil
	return b, nil
}

func (o *once) Close() error { return nil }

// withValues puts a partition's values and the statement's parameters into a predicate.
func withValues(predicate expr.Expr, values, params []types.Datum) expr.Expr {
	return expr.Rewrite(predicate, func(x expr.Expr) expr.Expr {
		switch x := x.(type) {
		case *expr.Column:
			return &expr.Literal{Value: values[x.ID], T: x.T}
		case *expr.Parameter:
			return &expr.Literal{Value: params[x.Index-1], T: x.T}
		}
		return x
	})
}
