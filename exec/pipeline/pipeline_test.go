package pipeline_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// counter gives each driver n batches of one row, or blocks for ever.
type counter struct {
	n      int
	block  bool
	opened atomic.Int64
	closed atomic.Int64
}

func (c *counter) Open(context.Context, *pipeline.Driver) (vec.Source, error) {
	c.opened.Add(1)
	return &counting{c, 0}, nil
}
func (c *counter) Close() error { c.closed.Add(1); return nil }

type counting struct {
	counter *counter
	at      int
}

func (c *counting) Next(ctx context.Context) (*vec.Batch, error) {
	if c.at == c.counter.n {
		if c.counter.block {
			return nil, slots.Block(ctx, func() error {
				<-ctx.Done()
				return context.Cause(ctx)
			})
		}
		return nil, nil
	}
	c.at++
	return &vec.Batch{Len: 1, Cols: []vec.Vector{*vec.NewConst(types.Of(types.Int64), types.IntDatum(1), 1)}}, nil
}
func (c *counting) Close() error { return nil }

// stage is a transform made of functions.
type stage struct {
	process func(b *vec.Batch, emit pipeline.Emit) error
	finish  func(emit pipeline.Emit) error
	closed  atomic.Int64
}

func (s *stage) New(*pipeline.Driver) (pipeline.Transform, error) { return &transform{s}, nil }
func (s *stage) Close() error                                     { return nil }

type transform struct{ *stage }

func (t *transform) Process(_ context.Context, b *vec.Batch, emit pipeline.Emit) error {
	return t.process(b, emit)
}
func (t *transform) Finish(_ context.Context, emit pipeline.Emit) error {
	if t.finish != nil {
		return t.finish(emit)
	}
	return nil
}
func (t *transform) Close() error { t.closed.Add(1); return nil }

// tally counts the rows that arrive.
type tally struct{ rows, merged, finalized, closed atomic.Int64 }

func (s *tally) Local(*pipeline.Driver) (pipeline.LocalSink, error) { return s, nil }
func (s *tally) Consume(_ context.Context, b *vec.Batch) error {
	s.rows.Add(int64(b.Rows()))
	return nil
}
func (s *tally) Merge(context.Context) error    { s.merged.Add(1); return nil }
func (s *tally) Finalize(context.Context) error { s.finalized.Add(1); return nil }
func (s *tally) Close() error                   { s.closed.Add(1); return nil }

func environment() *pipeline.Environment {
	return (&pipeline.Environment{Drivers: 2, Slots: slots.New(1).Group(1)}).WithDefaults()
}

func simple(source *counter, s *stage, sink *tally) *pipeline.Pipeline {
	node := pipeline.NewStats().Node(1, "Test")
	p := &pipeline.Pipeline{Sink: sink, SinkNode: node}
	branch := &pipeline.Branch{Source: source, Node: node, Emits: true}
	if s != nil {
		p.Stages = []*pipeline.Stage{{Operator: s, Node: node}}
		branch.Next = p.Stages[0]
	}
	p.Branches = []*pipeline.Branch{branch}
	return p
}

func TestRunCountsAndClosesOnce(t *testing.T) {
	defer goleak.VerifyNone(t)
	source, sink := &counter{n: 10}, &tally{}
	s := &stage{process: func(b *vec.Batch, emit pipeline.Emit) error { return emit(b) }, finish: func(emit pipeline.Emit) error {
		return emit(&vec.Batch{Len: 1})
	}}
	p := simple(source, s, sink)
	if err := pipeline.Run(context.Background(), environment(), []*pipeline.Pipeline{p}); err != nil {
		t.Fatal(err)
	}
	if sink.rows.Load() != 22 || sink.merged.Load() != 2 || sink.finalized.Load() != 1 || sink.closed.Load() != 1 ||
		source.closed.Load() != 1 || s.closed.Load() != 2 {
		t.Fatalf("%d rows, %d merged, %d finalized, %d %d %d closed", sink.rows.Load(), sink.merged.Load(), sink.finalized.Load(),
			sink.closed.Load(), source.closed.Load(), s.closed.Load())
	}
	if n := p.Branches[0].Node; n.Rows.Load() != 20 || n.Batches.Load() != 20 || n.Nanos.Load() <= 0 {
		t.Fatalf("statistics: %d rows, %d batches, %d ns", n.Rows.Load(), n.Batches.Load(), n.Nanos.Load())
	}
}

func TestPanicFailsTheQueryAlone(t *testing.T) {
	defer goleak.VerifyNone(t)
	s := &stage{process: func(*vec.Batch, pipeline.Emit) error { panic("a defect") }}
	sink := &tally{}
	other := simple(&counter{block: true}, nil, &tally{})
	err := pipeline.Run(context.Background(), environment(), []*pipeline.Pipeline{simple(&counter{n: 1}, s, sink), other})
	if sqlerr.CodeOf(err) != sqlerr.InternalError || !strings.Contains(err.Error(), "a defect") ||
		!strings.Contains(sqlerr.From(err).Detail, "pipeline_test.go") {
		t.Fatal(err)
	}
	if sink.finalized.Load() != 0 || sink.closed.Load() != 1 {
		t.Fatal("the failed sink was finalized, or not closed")
	}
}

func TestStopInterruptsReadersOfAllDrivers(t *testing.T) {
	defer goleak.VerifyNone(t)
	source, sink := &counter{n: 3, block: true}, &tally{}
	var seen atomic.Int64
	s := &stage{process: func(b *vec.Batch, emit pipeline.Emit) error {
		if seen.Add(1) == 6 {
			if err := emit(b); err != nil {
				return err
			}
			return pipeline.ErrStop
		}
		return emit(b)
	}}
	if err := pipeline.Run(context.Background(), environment(), []*pipeline.Pipeline{simple(source, s, sink)}); err != nil {
		t.Fatal(err)
	}
	if sink.rows.Load() != 6 || sink.finalized.Load() != 1 {
		t.Fatal(sink.rows.Load(), sink.finalized.Load())
	}
}

func TestAfterWaitsAndErrorsStopWhatFollows(t *testing.T) {
	defer goleak.VerifyNone(t)
	first, second := &tally{}, &tally{}
	slow := &stage{process: func(b *vec.Batch, emit pipeline.Emit) error { time.Sleep(time.Millisecond); return emit(b) }}
	check := &stage{process: func(b *vec.Batch, emit pipeline.Emit) error {
		if first.finalized.Load() != 1 || first.closed.Load() != 0 {
			return errors.New("the pipeline before has not ended, or its sink is closed")
		}
		return emit(b)
	}}
	a, b := simple(&counter{n: 5}, slow, first), simple(&counter{n: 5}, check, second)
	b.After = []*pipeline.Pipeline{a}
	if err := pipeline.Run(context.Background(), environment(), []*pipeline.Pipeline{b, a}); err != nil {
		t.Fatal(err)
	}
	if first.closed.Load() != 1 || second.rows.Load() != 10 {
		t.Fatal("not closed, or rows lost")
	}
	failure := errors.New("first failure")
	fail := simple(&counter{n: 1}, &stage{process: func(*vec.Batch, pipeline.Emit) error { return failure }}, &tally{})
	source := &counter{n: 5}
	b = simple(source, nil, &tally{})
	b.After = []*pipeline.Pipeline{fail}
	if err := pipeline.Run(context.Background(), environment(), []*pipeline.Pipeline{b, fail}); !errors.Is(err, failure) {
		t.Fatal(err)
	}
	if source.opened.Load() != 0 || source.closed.Load() != 1 {
		t.Fatal("the following pipeline ran, or was not closed")
	}
}

func TestParallelRunsEachOnceAndReportsErrorsAndPanics(t *testing.T) {
	defer goleak.VerifyNone(t)
	e := environment()
	var sum atomic.Int64
	if err := e.Parallel(context.Background(), 100, func(_ context.Context, i int) error { sum.Add(int64(i)); return nil }); err != nil || sum.Load() != 4950 {
		t.Fatal(err, sum.Load())
	}
	failure := errors.New("failure")
	if err := e.Parallel(context.Background(), 100, func(_ context.Context, i int) error {
		if i == 50 {
			return failure
		}
		return nil
	}); !errors.Is(err, failure) {
		t.Fatal(err)
	}
	if err := e.Parallel(context.Background(), 2, func(context.Context, int) error { panic("x") }); sqlerr.CodeOf(err) != sqlerr.InternalError {
		t.Fatal(err)
	}
}
