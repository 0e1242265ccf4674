// Package enginetest is an engine for tests of sessions and of the wire: it answers statements from a
// list of prepared answers and keeps a log of what it was asked.
package enginetest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// Answer is what a statement gives.
type Answer struct {
	Columns  types.Schema
	Params   []types.Type
	Copy     session.CopyKind
	Affected int64
	PlanErr  error
	// Rows makes the source of an execution.
	Rows func(ctx context.Context, params []types.Datum, input vec.Source) (vec.Source, error)
}

// Engine is a session.Engine. Its log may be read at any time.
type Engine struct {
	// Answers by the text of the statement, without the semicolon.
	Answers map[string]Answer
	// Open counts sources that have not been closed.
	Open atomic.Int64
	// CommitErr, if set, is what the next commit fails with.
	CommitErr error

	mu  sync.Mutex
	log []string
}

// Log gives the calls since the last Log: "begin", "commit", "rollback", "savepoint 1", …
func (e *Engine) Log() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := e.log
	e.log = nil
	return out
}

func (e *Engine) note(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.log = append(e.log, fmt.Sprintf(format, args...))
}

type transaction struct {
	engine *Engine
	marks  int
}

// Begin opens a transaction.
func (e *Engine) Begin(context.Context, *session.State, ast.TransactionModes) (session.Transaction, error) {
	e.note("begin")
	return &transaction{engine: e}, nil
}

func (t *transaction) Commit(context.Context) error {
	if err := t.engine.CommitErr; err != nil {
		t.engine.CommitErr = nil
		t.engine.note("commit failed")
		return err
	}
	t.engine.note("commit")
	return nil
}

func (t *transaction) Rollback(context.Context) error {
	t.engine.note("rollback")
	return nil
}

func (t *transaction) Savepoint(context.Context) (int, error) {
	t.marks++
	t.engine.note("savepoint %d", t.marks)
	return t.marks, nil
}

func (t *transaction) RollbackTo(_ context.Context, mark int) error {
	t.engine.note("rollback to %d", mark)
	return nil
}

// Discard forgets nothing.
func (e *Engine) Discard(context.Context, *session.State) error {
	e.note("discard")
	return nil
}

// Plan finds the answer. "select * from series(n)" needs none: it gives the integers 1 to n, and
// "select v1, v2 …" of literals and casts of literals gives one row.
func (e *Engine) Plan(_ context.Context, state *session.State, request session.PlanRequest) (*session.Prepared, error) {
	if state.Tx == nil {
		return nil, sqlerr.Internal("planned outside a transaction")
	}
	text := e.text(request)
	answer, ok := e.Answers[text]
	if !ok {
		answer, ok = seriesAnswer(text)
	}
	if !ok {
		answer, ok = literalAnswer(request.Statement)
	}
	if !ok {
		return nil, sqlerr.New(sqlerr.UndefinedTable, "no answer to %q", text).At(int(request.Statement.Offset()) + 1)
	}
	if answer.PlanErr != nil {
		return nil, answer.PlanErr
	}
	return &session.Prepared{Columns: answer.Columns, ParamTypes: answer.Params, Copy: answer.Copy, Plan: answer}, nil
}

func (e *Engine) text(request session.PlanRequest) string {
	start, end := request.Statement.Span()
	text := request.SQL[start:end]
	if at := strings.Index(text, " for "); at >= 0 && strings.HasPrefix(text, "declare") {
		text = text[at+len(" for "):]
	}
	if at := strings.Index(text, " as "); at >= 0 && strings.HasPrefix(text, "prepare") {
		text = text[at+len(" as "):]
	}
	return strings.TrimSpace(text)
}

// Execute runs the answer.
func (e *Engine) Execute(ctx context.Context, state *session.State, request session.ExecuteRequest) (*session.Result, error) {
	if state.Tx == nil {
		return nil, sqlerr.Internal("executed outside a transaction")
	}
	answer := request.Prepared.Plan.(Answer)
	result := &session.Result{}
	if answer.Affected > 0 {
		result.Affected = func() int64 { return answer.Affected }
	}
	if answer.Rows == nil {
		return result, nil
	}
	source, err := answer.Rows(ctx, request.Params, request.Input)
	if err != nil {
		return nil, err
	}
	if source != nil {
		e.Open.Add(1)
		result.Source = &counted{Source: source, life: ctx, engine: e}
	}
	return result, nil
}

// counted notices when a source is closed, and ends with the execution's context.
type counted struct {
	vec.Source
	life   context.Context
	engine *Engine
	closed bool
}

func (c *counted) Next(ctx context.Context) (*vec.Batch, error) {
	if err := c.life.Err(); err != nil {
		return nil, err
	}
	return c.Source.Next(ctx)
}

func (c *counted) Close() error {
	if !c.closed {
		c.closed = true
		c.engine.Open.Add(-1)
	}
	return c.Source.Close()
}

func seriesAnswer(text string) (Answer, bool) {
	rest, ok := strings.CutPrefix(text, "select * from series(")
	n, err := strconv.Atoi(strings.TrimSuffix(rest, ")"))
	if !ok || err != nil {
		return Answer{}, false
	}
	return Answer{
		Columns: types.Schema{{Name: "i", Type: types.Of(types.Int32)}},
		Rows: func(context.Context, []types.Datum, vec.Source) (vec.Source, error) {
			return &Series{Last: int32(n)}, nil
		},
	}, true
}

// Series is a source of the integers from Next to Last.
type Series struct {
	At, Last int32
	Size     int           // of batches; 0 is vec.BatchSize
	Pause    time.Duration // before each batch
	batch    vec.Batch
}

// Next gives the next batch.
func (s *Series) Next(ctx context.Context) (*vec.Batch, error) {
	if s.Pause > 0 {
		select {
		case <-time.After(s.Pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	size := s.Size
	if size == 0 {
		size = vec.BatchSize
	}
	n := min(int(s.Last-s.At), size)
	if n <= 0 {
		return nil, nil
	}
	if s.batch.Cols == nil {
		s.batch.Cols = make([]vec.Vector, 1)
	}
	s.batch.Len = n
	s.batch.Cols[0].Resize(types.Of(types.Int32), n)
	values := vec.Values[int32](&s.batch.Cols[0])
	for i := range n {
		s.At++
		values[i] = s.At
	}
	return &s.batch, nil
}

// Close does nothing.
func (s *Series) Close() error { return nil }

// literalAnswer evaluates a SELECT of literals, for EXECUTE's arguments.
func literalAnswer(stmt ast.Statement) (Answer, bool) {
	sel, ok := stmt.(*ast.Select)
	if !ok {
		return Answer{}, false
	}
	core, ok := sel.Query.Body.(*ast.SelectCore)
	if !ok || len(core.From) > 0 || len(core.Targets) == 0 {
		return Answer{}, false
	}
	var columns types.Schema
	var row []types.Datum
	for _, target := range core.Targets {
		t, expr := types.Of(types.Text), target.Expr
		if cast, ok := expr.(*ast.Cast); ok {
			t, expr = typeNamed(cast.Type.Name), cast.X
		}
		literal, ok := expr.(*ast.Literal)
		if !ok {
			return Answer{}, false
		}
		if literal.Kind == ast.LitInteger && t.Kind == types.Text {
			t = types.Of(types.Int32)
		}
		d, err := types.Parse(t, literal.Text, nil)
		if literal.Kind == ast.LitNull {
			d, err = types.NullDatum(), nil
		}
		if err != nil {
			return Answer{PlanErr: err}, true
		}
		columns, row = append(columns, types.Field{Name: "?column?", Type: t, Nullable: true}), append(row, d)
	}
	return Answer{Columns: columns, Rows: func(context.Context, []types.Datum, vec.Source) (vec.Source, error) {
		return Rows(columns, row), nil
	}}, true
}

func typeNamed(name string) types.Type {
	switch name {
	case "int4":
		return types.Of(types.Int32)
	case "int8":
		return types.Of(types.Int64)
	}
	return types.Of(types.Text)
}

// Rows makes a source of one batch.
func Rows(columns types.Schema, rows ...[]types.Datum) vec.Source {
	b := vec.NewBatch(columns.Types(), len(rows))
	for i, row := range rows {
		for c, d := range row {
			b.Cols[c].SetDatum(i, d)
		}
	}
	return &batches{list: []*vec.Batch{b}}
}

type batches struct{ list []*vec.Batch }

func (b *batches) Next(context.Context) (*vec.Batch, error) {
	if len(b.list) == 0 {
		return nil, nil
	}
	next := b.list[0]
	b.list = b.list[1:]
	return next, nil
}

func (b *batches) Close() error { return nil }
