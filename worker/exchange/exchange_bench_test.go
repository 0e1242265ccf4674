package exchange

import (
	"context"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/rpc"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// wire is a Transfer whose receiver wants all rows.
type wire struct{ *rpc.Client }

func (wire) Stop(context.Context, string, rpc.StopRequest) error { return nil }

// send moves batches of bigint columns from one task to another over HTTP, signed, and counts what both
// sides compute for it together; local: without TCP.
func send(b *testing.B, kind plan.ExchangeKind, columns, rows int, local bool) {
	in := &vec.Batch{Len: rows}
	node := &plan.Exchange{Kind: kind, Source: 1}
	for range columns {
		in.Cols = append(in.Cols, *vec.NewFlat(types.Of(types.Int64), rows))
		node.Out = append(node.Out, types.Field{Type: types.Of(types.Int64)})
	}
	for c := range in.Cols {
		values := vec.Values[int64](&in.Cols[c])
		for r := range values {
			values[r] = int64(r*7919 + c)
		}
	}
	client := rpc.NewClient("secret", nil)
	pool := memory.NewRoot("test", 1<<30)
	output := plan.Output{Kind: kind}
	if kind == plan.Hash {
		output.Keys = []int{0}
	}
	outbox, err := NewOutbox(OutboxConfig{Output: output, Consumers: []int{1}, Pool: pool, Buffers: client.Buffers()})
	if err != nil {
		b.Fatal(err)
	}
	mux := rpc.NewMux("secret", nil)
	rpc.HandlePages(mux, outbox.Pages)
	server := httptest.NewServer(mux)
	defer server.Close()
	if local {
		listener, err := rpc.ListenLocally(strings.TrimPrefix(server.URL, "http://"))
		if err != nil {
			b.Fatal(err)
		}
		go func() { _ = server.Config.Serve(listener) }() // until the server is closed
	}
	ctx := context.Background()
	inlets := NewInlets(ctx, InletsConfig{Transfer: wire{client}, Pool: pool, BatchSize: 2048,
		Inlets: []rpc.Inlet{{Source: 1, Producers: []rpc.Producer{{Address: strings.TrimPrefix(server.URL, "http://")}}}}})
	source, err := inlets.Open(ctx, node, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(8 * columns * rows))
	before := processorTime(b)
	b.ResetTimer()
	go func() {
		sink, err := outbox.Local(&pipeline.Driver{})
		for i := 0; i < b.N && err == nil; i++ {
			err = sink.Consume(ctx, in)
		}
		if err == nil {
			err = sink.Merge(ctx)
		}
		if err != nil {
			outbox.Fail(err)
		}
		_ = outbox.Finalize(ctx)
	}()
	got := 0
	for {
		batch, err := source.Next(ctx)
		if err != nil {
			b.Fatal(err)
		}
		if batch == nil {
			break
		}
		got += batch.Rows()
	}
	if got != b.N*rows {
		b.Fatalf("%d rows of %d", got, b.N*rows)
	}
	b.ReportMetric(float64(8*columns*rows)*float64(b.N)/float64(processorTime(b)-before), "GB/cpu-s")
	inlets.Close(false)
	outbox.Drop()
}

// processorTime is what the process has computed so far, in ns: on a busy machine the clock tells little.
func processorTime(b *testing.B) int64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return used.Utime.Nano() + used.Stime.Nano()
}

func BenchmarkGather4x2048(b *testing.B) { send(b, plan.Gather, 4, 2048, false) }
func BenchmarkGather8x2048(b *testing.B) { send(b, plan.Gather, 8, 2048, false) }
func BenchmarkHash4x2048(b *testing.B)   { send(b, plan.Hash, 4, 2048, false) }

// Two processes of one machine.
func BenchmarkLocalGather4x2048(b *testing.B) { send(b, plan.Gather, 4, 2048, true) }
func BenchmarkLocalGather8x2048(b *testing.B) { send(b, plan.Gather, 8, 2048, true) }
