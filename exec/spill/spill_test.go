package spill

import (
	"context"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

var columns = []types.Type{types.Of(types.Bool), types.Of(types.Int16), types.Of(types.Int32), types.Of(types.Int64),
	types.DecimalOf(30, 2), types.Of(types.Float64), types.Of(types.Interval), types.Of(types.Text),
	types.ArrayOf(types.Of(types.Text)), types.MapOf(types.Of(types.Text), types.Of(types.Int32)),
	types.RowOf(types.Field{Name: "a", Type: types.Of(types.Int32)}, types.Field{Name: "b", Type: types.Of(types.Text)}),
	types.Of(types.Unknown)}

func random(r *rand.Rand, t types.Type) types.Datum {
	if r.IntN(4) == 0 || t.Kind == types.Unknown {
		return types.NullDatum()
	}
	text := types.StringDatum(strings.Repeat("ab", r.IntN(20)))
	switch t.Kind {
	case types.Text:
		return text
	case types.Float64:
		return types.FloatDatum(r.Float64())
	case types.Interval:
		return types.Datum{Span: types.IntervalValue{Months: r.Int32(), Days: -r.Int32(), Micros: r.Int64()}}
	case types.Decimal:
		return types.Datum{I128: types.Int128{Lo: r.Uint64(), Hi: r.Int64()}}
	case types.Bool:
		return types.IntDatum(r.Int64N(2))
	case types.Array:
		return types.Datum{Items: []types.Datum{text, types.NullDatum(), text}[:r.IntN(4)]}
	case types.Map:
		return types.Datum{Items: []types.Datum{text, random(r, *t.Elem)}}
	case types.Row:
		return types.Datum{Items: []types.Datum{random(r, t.Fields[0].Type), text}}
	}
	return types.IntDatum(r.Int64N(1000))
}

func randomBatch(r *rand.Rand, n int) *vec.Batch {
	b := &vec.Batch{Len: n}
	for i, t := range columns {
		if i%5 == 2 {
			b.Cols = append(b.Cols, *vec.NewConst(t, random(r, t), n))
			continue
		}
		v := vec.NewFlat(t, 0)
		for range n {
			v.AppendDatum(random(r, t))
		}
		b.Cols = append(b.Cols, *v)
	}
	for i := range n {
		if r.IntN(3) > 0 {
			b.Sel = append(b.Sel, int32(i))
		}
	}
	return b
}

func checkSame(t *testing.T, got, want *vec.Batch) {
	t.Helper()
	want = want.Clone()
	if got.Rows() != want.Len {
		t.Fatalf("%d rows, want %d", got.Rows(), want.Len)
	}
	for c := range columns {
		for i := range want.Len {
			if g, w := got.Cols[c].Datum(i), want.Cols[c].Datum(i); !expr.SameDatum(g, w) {
				t.Fatalf("%s row %d: %v, want %v", columns[c], i, g, w)
			}
		}
	}
}

func TestBufferKeepsAndSpills(t *testing.T) {
	for _, limit := range []int64{memory.Unlimited, 40_000, 0} {
		directory := t.TempDir()
		pool := memory.NewRoot("test", limit)
		var written atomic.Int64
		buffer := NewBuffer(columns, pool, Policy{Directory: directory, Enabled: true, Written: &written, Operator: "Test"})
		r := rand.New(rand.NewPCG(1, 1))
		var batches []*vec.Batch
		for range 20 {
			b := randomBatch(r, 1+r.IntN(100))
			batches = append(batches, b)
			if err := buffer.Append(b); err != nil {
				t.Fatal(err)
			}
		}
		if (written.Load() > 0) != (limit < memory.Unlimited) {
			t.Fatalf("limit %d: %d bytes written", limit, written.Load())
		}
		if left, _ := os.ReadDir(directory); len(left) != 0 {
			t.Fatal("files with names:", left)
		}
		var next atomic.Int64
		reader := buffer.Reader(&next)
		at := 0
		for {
			b, err := reader.Next(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if b == nil {
				break
			}
			for batches[at].Rows() == 0 {
				at++
			}
			checkSame(t, b, batches[at])
			at++
		}
		if err := buffer.Close(); err != nil || pool.Used() != 0 {
			t.Fatal(err, pool.Used())
		}
	}
}

func TestBufferWithoutSpillingNamesTheSetting(t *testing.T) {
	buffer := NewBuffer(columns, memory.NewRoot("q", 10), Policy{Operator: "Hash Join"})
	err := buffer.Append(randomBatch(rand.New(rand.NewPCG(1, 1)), 100))
	if sqlerr.CodeOf(err) != sqlerr.OutOfMemory || !strings.Contains(err.Error(), "Hash Join") ||
		!strings.Contains(sqlerr.From(err).Hint, "spill.enabled") {
		t.Fatal(err)
	}
}

func TestFullDiskAndDamage(t *testing.T) {
	f, err := Create(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	b := randomBatch(rand.New(rand.NewPCG(1, 1)), 50)
	block, err := f.Write(b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.file.WriteAt([]byte{1, 2, 3}, block.Offset+5); err != nil {
		t.Fatal(err)
	}
	var dst vec.Batch
	if err := f.Read(block, columns, &dst); sqlerr.CodeOf(err) != sqlerr.DataCorrupted {
		t.Fatal(err)
	}
	_ = f.file.Close()
	if f.file, err = os.OpenFile("/dev/full", os.O_RDWR, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(b); sqlerr.CodeOf(err) != sqlerr.DiskFull {
		t.Fatal(err)
	}
	if _, err := Create("/dev/null/no", nil); sqlerr.CodeOf(err) != sqlerr.IOError {
		t.Fatal(err)
	}
}
