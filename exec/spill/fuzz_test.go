package spill

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/vec"
)

// FuzzCodec writes random batches and reads them back; and reads any bytes as a batch, which must end
// in rows whose values can be touched or in an error, with memory in proportion.
func FuzzCodec(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	for n := range 5 {
		b := randomBatch(r, n*7)
		f.Add(uint64(n), uint8(n*7), encodeBatch(nil, b))
	}
	f.Add(uint64(9), uint8(1), []byte{3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, seed uint64, rows uint8, raw []byte) {
		want := randomBatch(rand.New(rand.NewPCG(seed, 5)), int(rows))
		var got vec.Batch
		if err := decodeBatch(encodeBatch(nil, want), want.Rows(), columns, &got); err != nil {
			t.Fatal(err)
		}
		checkSame(t, &got, want)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var damaged vec.Batch
		err := decodeBatch(raw, int(rows), columns, &damaged)
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20+64*uint64(len(raw)) {
			t.Fatalf("%d bytes allocated for %d", grown, len(raw))
		}
		if err != nil {
			if sqlerr.CodeOf(err) != sqlerr.DataCorrupted {
				t.Fatal(err)
			}
			return
		}
		for c := range damaged.Cols {
			for i := range damaged.Len {
				_ = damaged.Cols[c].Datum(i)
			}
		}
	})
}
