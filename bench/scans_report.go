package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"
)

// report writes the tables: each file's time and the peer's, and the ratios that compare files.
func (s *scans) report(ctx context.Context, out io.Writer) error {
	fmt.Fprintf(out, "## Scans of lineitem, %d rows, %d threads\n\n%s, %d CPUs; %s, %s. The fastest of %d runs in turn; the least CPU seconds.\n\n",
		s.o.rows, s.o.threads, time.Now().Format("2006-01-02"), runtime.NumCPU(), s.duckdb.Version(), s.orc.Version(), s.o.runs+1)
	fmt.Fprintln(out, "| shape | file | MB | read by tarn | tarn s | CPU s | peer | s | CPU s | tarn/peer s | CPU | to our Parquet s | CPU | to the full scan s |")
	fmt.Fprintln(out, "|---|---|---:|---:|---:|---:|---|---:|---:|---:|---:|---:|---:|---:|")
	for i := range s.shapes {
		for _, f := range s.files {
			s.reportFile(ctx, out, &s.shapes[i], f)
		}
	}
	for key, m := range s.runs {
		if m.differs != "" {
			fmt.Fprintf(out, "\nWRONG: %s: %s\n", key, m.differs)
		}
	}
	return ctx.Err()
}

func (s *scans) reportFile(ctx context.Context, out io.Writer, shape *scanShape, f scanFile) {
	info, err := os.Stat(f.path)
	if err != nil {
		return
	}
	own := s.runs[shape.key(f, "tarn")]
	fmt.Fprintf(out, "| %s | %s %s by %s | %d | %s | %.3f | %.2f |", shape.name, f.format, f.codec, f.writer,
		info.Size()>>20, s.bytesRead(ctx, shape, f), own.seconds, own.cpu)
	peer := ""
	for _, name := range []string{"duckdb", "orc"} {
		if s.runs[shape.key(f, name)] != nil {
			peer = name
		}
	}
	if peer != "" {
		m := s.runs[shape.key(f, peer)]
		fmt.Fprintf(out, " %s | %.3f | %.2f | **%.2f** | %.2f |", peer, m.seconds, m.cpu, own.seconds/m.seconds, own.cpu/m.cpu)
	} else {
		fmt.Fprint(out, " – | | | | |")
	}
	if f.format == "orc" {
		parquet := f
		parquet.format, parquet.writer = "parquet", "tarn"
		for _, g := range s.files {
			if g.format == parquet.format && g.writer == parquet.writer && g.codec == f.codec {
				parquet = g
			}
		}
		m := s.runs[shape.key(parquet, "tarn")]
		fmt.Fprintf(out, " **%.2f** | %.2f |", own.seconds/m.seconds, own.cpu/m.cpu)
	} else {
		fmt.Fprint(out, " – | |")
	}
	if shape.where != "" {
		full := s.runs[s.shapes[0].key(f, "tarn")]
		fmt.Fprintf(out, " **%.3f** |", own.seconds/full.seconds)
	} else {
		fmt.Fprint(out, " – |")
	}
	fmt.Fprintln(out)
}
