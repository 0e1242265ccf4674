package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// This file measures writing: lineitem, partitioned by the month of l_shipdate (84 partitions), as Tarn's tables of
// Parquet and ORC files and by DuckDB's COPY TO Parquet, in the source's order (its default, the measure) and in any, all zstd, in turn in one run.

// target is one way to write.
type target struct {
	name   string
	engine Engine
	before string // run before write, not counted; "" is none
	write  string // the statement
	clear  []string
	check  string // what must be equal over all targets
	folder string // where the files are
	suffix string // that all files have; "" when the folder is the target's own
}

// written is what a target's turns came to: the fastest turn's seconds, the others' means and maxima.
type written struct {
	seconds []float64
	cpu     []float64
	peak    int64
	bytes   int64
	files   int
	rows    int64
	check   [][]cell
}

// months is the column that the tables are partitioned by.
const months = `date_trunc('month', l_shipdate)::date AS ship_month`

// checked is compared between all that was written.
const checked = `SELECT count(*), count(DISTINCT ship_month), sum(l_orderkey), sum(l_partkey), sum(l_suppkey), sum(l_linenumber), sum(l_quantity),
 sum(l_extendedprice), sum(l_discount), sum(l_tax), count(DISTINCT l_returnflag), count(DISTINCT l_linestatus), min(l_shipdate), max(l_commitdate),
 min(l_receiptdate), count(DISTINCT l_shipinstruct), max(l_shipmode), sum(length(l_comment)), min(l_comment), max(l_comment) FROM %s`

// writing measures the targets and prints a table.
func writing(ctx context.Context, o options, out io.Writer) error {
	t, duck, err := startWithDuckDB(ctx, o)
	if err != nil {
		return err
	}
	defer t.Close()
	defer duck.Close()
	folder, err := os.MkdirTemp("", "tarn-bench-write-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	targets := writeTargets(t, duck, folder, o)
	results := make([]written, len(targets))
	for turn := range o.runs {
		for i := range targets {
			if err := results[i].turn(ctx, &targets[i], o.timeout, turn == 0); err != nil {
				return fmt.Errorf("%s: %w", targets[i].name, err)
			}
			fmt.Fprintf(os.Stderr, "%s %.2f s, %.2f CPU s, %d MB in %d files\n", targets[i].name,
				results[i].seconds[turn], results[i].cpu[turn], results[i].bytes>>20, results[i].files)
		}
	}
	return writeComparison(out, o, targets, results)
}

// writeTargets lists what takes turns; the last is the measure.
func writeTargets(t *tarn, duck *peer, folder string, o options) []target {
	source := "lineitem"
	if o.below > 0 {
		source = fmt.Sprintf("lineitem WHERE l_orderkey < %d", o.below)
	}
	var targets []target
	for format := range strings.SplitSeq(o.formats, ",") {
		name := "written_" + format
		targets = append(targets, target{
			name: "tarn " + format, engine: t, folder: t.directory, suffix: "." + format,
			write: fmt.Sprintf("CREATE TABLE %s WITH (format = '%s', partitioned_by = ARRAY['ship_month'], compression = 'zstd') AS SELECT *, %s FROM %s",
				name, format, months, source),
			clear: []string{"DROP TABLE " + name, "VACUUM"},
			check: fmt.Sprintf(checked, name),
		})
	}
	for order := range strings.SplitSeq(o.orders, ",") {
		name := "duckdb parquet"
		if order == "false" {
			name += ", any order"
		}
		targets = append(targets, target{
			name: name, engine: duck, folder: folder, before: "SET preserve_insertion_order = " + order,
			write: fmt.Sprintf("COPY (SELECT *, %s FROM %s) TO '%s' (FORMAT parquet, PARTITION_BY (ship_month), COMPRESSION zstd)", months, source, folder),
			check: fmt.Sprintf(checked, fmt.Sprintf("read_parquet('%s/*/*.parquet', hive_partitioning = true)", folder)),
		})
	}
	return targets
}

// turn writes once, looks at what was written, and removes it.
func (w *written) turn(ctx context.Context, t *target, timeout time.Duration, check bool) error {
	if t.before != "" {
		if _, err := t.engine.Run(ctx, t.before); err != nil {
			return err
		}
	}
	for _, pid := range t.engine.PIDs() {
		resetPeak(pid)
	}
	a, err := runWithin(ctx, t.engine, t.write, timeout)
	if err != nil {
		return err
	}
	w.seconds, w.cpu = append(w.seconds, a.seconds), append(w.cpu, a.cpu)
	peak := int64(0)
	for _, pid := range t.engine.PIDs() {
		bytes, _ := peakBytes(pid)
		peak += bytes
	}
	w.peak = max(w.peak, peak)
	if w.bytes, w.files, err = t.size(); err != nil {
		return err
	}
	if check {
		answer, err := runWithin(ctx, t.engine, t.check, timeout)
		if err != nil {
			return err
		}
		w.check = answer.rows
		if len(answer.rows) == 1 && answer.rows[0][0] != nil {
			w.rows, _ = strconv.ParseInt((*answer.rows[0][0])[1:], 10, 64)
		}
	}
	for _, statement := range t.clear {
		if _, err := t.engine.Run(ctx, statement); err != nil {
			return err
		}
	}
	return t.removeFiles()
}

// files lists the target's files.
func (t *target) files() (paths []string, bytes int64, err error) {
	err = filepath.WalkDir(t.folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, t.suffix) {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		paths = append(paths, path)
		bytes += info.Size()
		return nil
	})
	return paths, bytes, err
}

func (t *target) size() (bytes int64, files int, err error) {
	paths, bytes, err := t.files()
	return bytes, len(paths), err
}

// removeFiles empties the target's folder of its files, so that every turn has the same disk.
func (t *target) removeFiles() error {
	paths, _, err := t.files()
	for _, path := range paths {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// writeComparison prints a line a target: what it did, and that against the last's.
func writeComparison(out io.Writer, o options, targets []target, results []written) error {
	base := results[len(results)-1]
	rate := func(w written) float64 { return float64(w.rows) / slices.Min(w.seconds) }
	fmt.Fprintf(out, "lineitem at scale %s, %d rows, by month of l_shipdate, zstd, %d threads, the fastest of %d turns; ratios are to %s.\n\n",
		o.scale, base.rows, o.threads, o.runs, targets[len(targets)-1].name)
	fmt.Fprintln(out, "| | M rows/s | ratio | CPU s | ratio | MB written | ratio | files | peak MB | ratio | answers |")
	fmt.Fprintln(out, "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|")
	var problems error
	for i, w := range results {
		verdict := "agree"
		if d := difference(base.check, w.check); d != "" {
			verdict = "**differ**"
			problems = errors.Join(problems, fmt.Errorf("%s differs: %s", targets[i].name, d))
		}
		fmt.Fprintf(out, "| %s | %.2f | %.2f | %.1f | %.2f | %.1f | %.3f | %d | %d | %.2f | %s |\n", targets[i].name,
			rate(w)/1e6, rate(w)/rate(base), slices.Min(w.cpu), slices.Min(w.cpu)/slices.Min(base.cpu),
			float64(w.bytes)/1e6, float64(w.bytes)/float64(base.bytes), w.files, w.peak>>20, float64(w.peak)/float64(max(base.peak, 1)), verdict)
	}
	return problems
}
