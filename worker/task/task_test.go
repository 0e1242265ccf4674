package task_test

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/exec/op/optest"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/worker/task"
)

func numbers(n int) *optest.Tables {
	t := optest.Table{Types: []types.Type{types.Of(types.Int64)}}
	for i := range n {
		t.Rows = append(t.Rows, optest.Row{types.IntDatum(int64(i))})
	}
	return &optest.Tables{Tables: map[string]optest.Table{"t": t}}
}

func env(tables *optest.Tables) task.Env {
	return task.Env{Connectors: map[string]connectors.Connector{"tables": tables}, Drivers: 2, Pool: memory.NewRoot("query", memory.Unlimited)}
}

func TestStreamGivesAllRows(t *testing.T) {
	defer goleak.VerifyNone(t)
	tables := numbers(5000)
	stream, stats, err := task.Run(context.Background(), tables.Scan("t"), env(tables))
	if err != nil {
		t.Fatal(err)
	}
	sum, rows := int64(0), 0
	for {
		b, err := stream.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			break
		}
		for _, row := range optest.Rows(b) {
			sum += row[0].I64
			rows++
		}
	}
	if rows != 5000 || sum != 5000*4999/2 || stats.ByID(0).Rows.Load() != 5000 {
		t.Fatal(rows, sum)
	}
	if err := stream.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestClosingEarlyEndsTheTask(t *testing.T) {
	defer goleak.VerifyNone(t)
	tables := numbers(50_000)
	e := env(tables)
	scan := tables.Scan("t")
	join := &plan.NestedLoopJoin{Left: scan, Right: tables.Scan("t")}
	join.Out = append(scan.Out, scan.Out...)
	plan.Number(join)
	stream, _, err := task.Run(context.Background(), join, e)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := stream.Next(context.Background()); err != nil || b == nil {
		t.Fatal(b, err)
	}
	start := time.Now()
	_ = stream.Close()
	if took := time.Since(start); took > 100*time.Millisecond {
		t.Fatalf("closing took %v", took)
	}
	if e.Pool.Used() != 0 {
		t.Fatal("memory not returned:", e.Pool.Used())
	}
	if _, err := stream.Next(context.Background()); sqlerr.CodeOf(err) != sqlerr.QueryCanceled {
		t.Fatal(err)
	}
}

func TestSlowReaderHoldsDriversBack(t *testing.T) {
	defer goleak.VerifyNone(t)
	tables := numbers(50_000)
	e := env(tables)
	stream, stats, err := task.Run(context.Background(), tables.Scan("t"), e)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	if n := stats.ByID(0).Rows.Load(); n > 2000 {
		t.Fatalf("%d rows were produced for a reader that does not read", n)
	}
	_ = stream.Close()
}

// slowSplits lists splits as a worker does that asks another node for them.
type slowSplits struct{ connectors.SplitSource }

func (s slowSplits) Next(ctx context.Context, most int) (splits []connectors.Split, err error) {
	err = slots.Block(ctx, func() error {
		time.Sleep(2 * time.Millisecond)
		splits, err = s.SplitSource.Next(ctx, min(most, 1))
		return err
	})
	return splits, err
}

func TestDriversThatWaitForSplitsHoldNoSlot(t *testing.T) {
	defer goleak.VerifyNone(t)
	tables := numbers(300)
	tables.SplitRows = 10
	e := env(tables)
	e.Drivers, e.Slots = 4, slots.New(1).Group(1)
	e.Splits = func(ctx context.Context, scan *plan.Scan, feed connectors.FilterFeed) (connectors.SplitSource, error) {
		source, err := tables.Splits(ctx, scan.Scan, feed)
		return slowSplits{source}, err
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	stream, _, err := task.Run(ctx, tables.Scan("t"), e)
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for {
		b, err := stream.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			break
		}
		rows += b.Rows()
	}
	if rows != 300 {
		t.Fatal(rows)
	}
	if err := stream.Close(); err != nil {
		t.Fatal(err)
	}
}
