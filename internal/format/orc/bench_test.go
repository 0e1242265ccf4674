package orc

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// BenchmarkRead reads the files named by ORC_FILES, separated by colons, or else a file of numbers,
// dates and strings that it writes: all columns, and each alone. It reports the process's CPU time,
// which a busy machine does not stretch.
func BenchmarkRead(b *testing.B) {
	names := strings.Split(os.Getenv("ORC_FILES"), ":")
	if names[0] == "" {
		names = []string{benchmarkFile(b)}
	}
	for _, name := range names {
		f, err := Open(context.Background(), openStore(b, filepath.Dir(name)), filepath.Base(name))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(filepath.Base(name)+"/all", func(b *testing.B) { benchmarkScan(b, f, readable(f)) })
		for _, c := range readable(f) {
			b.Run(filepath.Base(name)+"/"+f.Schema()[c.Field].Name, func(b *testing.B) { benchmarkScan(b, f, []ColumnRequest{c}) })
		}
	}
}

func cpuNanoseconds(b *testing.B) int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func benchmarkScan(b *testing.B, f *File, columns []ColumnRequest) {
	start := cpuNanoseconds(b)
	for b.Loop() {
		r, err := f.Reader(ReadOptions{Columns: columns})
		if err != nil {
			b.Fatal(err)
		}
		for {
			batch, err := r.Next(context.Background())
			if err != nil {
				b.Fatal(err)
			}
			if batch == nil {
				break
			}
		}
		r.Close()
	}
	cpu := float64(cpuNanoseconds(b)-start) / float64(b.N)
	b.ReportMetric(cpu/1e6, "cpu-ms/op")
	b.ReportMetric(cpu/float64(f.Rows())/float64(len(columns)), "cpu-ns/value")
}

// benchmarkFile writes 200,000 rows.
func benchmarkFile(b *testing.B) string {
	schema := types.Schema{{Name: "key", Type: types.Of(types.Int64)}, {Name: "price", Type: types.DecimalOf(15, 2)}, {Name: "flag", Type: types.Of(types.Text)},
		{Name: "day", Type: types.Of(types.Date)}, {Name: "comment", Type: types.Of(types.Text)}, {Name: "ratio", Type: types.Of(types.Float64)}}
	var batches []*vec.Batch
	for first := int64(0); first < 200_000; first += 2000 {
		batch := vec.NewBatch(schema.Types(), 2000)
		for i := range 2000 {
			n := first + int64(i)
			mixed := n * 0x9e3779b9 % 1_000_003
			for c, d := range []types.Datum{types.IntDatum(n / 4), types.IntDatum(mixed * 97), types.StringDatum([]string{"A", "N", "R"}[mixed%3]),
				types.IntDatum(8000 + mixed%2500), types.StringDatum(strings.Repeat("furiously final ", int(mixed%3)) + string(rune('a'+mixed%26))),
				types.FloatDatum(float64(mixed) / 7)} {
				batch.Cols[c].SetDatum(i, d)
			}
		}
		batches = append(batches, batch)
	}
	path := filepath.Join(b.TempDir(), "benchmark.orc")
	writeFile(b, path, schema, batches, WriterOptions{})
	return path
}
