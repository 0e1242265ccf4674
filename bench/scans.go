package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tarnlake/tarn/connectors/tpch/generator"
	"github.com/tarnlake/tarn/internal/types"
)

// scanFile is one of the files that hold the same rows of lineitem.
type scanFile struct {
	format string // parquet or orc
	writer string // duckdb, tarn, or orc for ORC C++
	codec  string
	path   string
}

// scanShape is what is read of each file.
type scanShape struct {
	name    string
	columns []string
	where   string
}

// scanRun is what an engine took for a shape of a file: the fastest run and the least CPU time.
type scanRun struct {
	seconds, cpu float64
	differs      string
}

// scans is a run of the mode -scans.
type scans struct {
	o        options
	tarn     *tarn
	duckdb   Engine
	orc      Engine
	files    []scanFile
	shapes   []scanShape
	expected map[string][][]cell // by shape, the answer that came first
	runs     map[string]*scanRun // by shape, file and engine
}

// scanLineitem writes the same rows of lineitem in several formats, by several writers, and measures how fast they
// are read.
func scanLineitem(ctx context.Context, o options, out io.Writer) error {
	s := &scans{o: o, expected: map[string][][]cell{}, runs: map[string]*scanRun{}}
	s.o.dir = filepath.Join(filepath.Dir(o.dir), fmt.Sprintf("scans-%d", o.rows))
	if err := os.MkdirAll(s.o.dir, 0o755); err != nil {
		return err
	}
	s.listFiles()
	if err := s.write(ctx, filepath.Join(o.dir, "lineitem.parquet")); err != nil || o.prepare {
		return err
	}
	server := s.o
	server.setup = "" // the queries name the files
	var err error
	if s.tarn, err = startServer(ctx, server); err != nil {
		return err
	}
	defer s.tarn.Close()
	if s.duckdb, err = startPeer(s.o, "duckdb"); err != nil {
		return err
	}
	defer s.duckdb.Close()
	if s.orc, err = startPeer(s.o, "orc"); err != nil {
		return err
	}
	defer s.orc.Close()
	if err := s.listShapes(ctx); err != nil {
		return err
	}
	for range o.runs + 1 {
		if err := s.turn(ctx); err != nil {
			return err
		}
	}
	return s.report(ctx, out)
}

func (s *scans) listFiles() {
	for _, codec := range strings.Split(s.o.codecs, ",") {
		for _, kind := range [][2]string{{"parquet", "duckdb"}, {"parquet", "tarn"}, {"orc", "tarn"}, {"orc", "orc"}} {
			f := scanFile{format: kind[0], writer: kind[1], codec: codec}
			f.path = filepath.Join(s.o.dir, f.writer+"-"+f.codec+"."+f.format)
			s.files = append(s.files, f)
		}
	}
}

// write makes the files that are missing, all of one Parquet file that DuckDB writes.
func (s *scans) write(ctx context.Context, source string) error {
	var server *tarn
	first := s.files[0].path
	for _, f := range s.files {
		if _, err := os.Stat(f.path); err == nil {
			continue
		}
		fmt.Fprintf(os.Stderr, "writing %s\n", f.path)
		from, rows := source, strconv.Itoa(s.o.rows)
		if f.path != first {
			from = first
		}
		if f.writer != "tarn" {
			command := exec.CommandContext(ctx, s.o.python, filepath.Join(s.o.folder, "peers.py"), "copy",
				"--source", from, "--rows", rows, "--codec", f.codec, "--out", f.path)
			command.Stderr = os.Stderr
			if err := command.Run(); err != nil {
				return fmt.Errorf("writing %s: %w", f.path, err)
			}
			continue
		}
		if server == nil {
			var err error
			if server, err = startServer(ctx, s.o); err != nil {
				return err
			}
			defer server.Close()
		}
		if _, err := server.Run(ctx, fmt.Sprintf("COPY (SELECT * FROM read_parquet('%s') ORDER BY l_orderkey, l_linenumber) TO '%s' (FORMAT %s, COMPRESSION %s)",
			from, f.path, f.format, f.codec)); err != nil {
			return fmt.Errorf("writing %s: %w", f.path, err)
		}
	}
	return nil
}

// listShapes decides what is read; the filter keeps a hundredth of the rows, from the middle of the sorted key.
func (s *scans) listShapes(ctx context.Context) error {
	var all []string
	for _, c := range lineitem().Columns() {
		all = append(all, c.Name)
	}
	a, err := s.tarn.Run(ctx, fmt.Sprintf("SELECT max(l_orderkey) FROM read_parquet('%s')", s.files[0].path))
	if err != nil {
		return err
	}
	last, err := strconv.Atoi(show(a.rows[0][0]))
	if err != nil {
		return err
	}
	s.shapes = []scanShape{
		{name: "16 columns", columns: all},
		{name: "4 columns", columns: []string{"l_orderkey", "l_extendedprice", "l_shipdate", "l_shipmode"}},
		{name: "16 columns, 1 %", columns: all, where: fmt.Sprintf(" WHERE l_orderkey > %d AND l_orderkey <= %d", last/2, last/2+last/100)},
	}
	return nil
}

func lineitem() generator.Table {
	tables := generator.Tables()
	return tables[slices.IndexFunc(tables, func(t generator.Table) bool { return t.Name() == "lineitem" })]
}

// query aggregates all values of the columns, as cheaply as they can be aggregated without being left undecoded.
func (shape *scanShape) query(f scanFile) string {
	kinds := map[string]types.Kind{}
	for _, c := range lineitem().Columns() {
		kinds[c.Name] = c.Type.Kind
	}
	list := []string{"count(*)"}
	for _, name := range shape.columns {
		switch kinds[name] {
		case types.Date:
			list = append(list, fmt.Sprintf("max(%s), min(%s)", name, name))
		case types.Int32, types.Int64, types.Decimal:
			list = append(list, fmt.Sprintf("sum(%s)", name))
		default:
			list = append(list, fmt.Sprintf("sum(length(%s))", name))
		}
	}
	return fmt.Sprintf("SELECT %s FROM read_%s('%s')%s", strings.Join(list, ", "), f.format, f.path, shape.where)
}

// turn lets every engine read every file once in every shape.
func (s *scans) turn(ctx context.Context) error {
	for i := range s.shapes {
		shape := &s.shapes[i]
		for _, f := range s.files {
			if err := s.take(ctx, s.tarn, shape, f, shape.query(f)); err != nil {
				return err
			}
			if f.format == "parquet" {
				if err := s.take(ctx, s.duckdb, shape, f, shape.query(f)); err != nil {
					return err
				}
			} else if shape.where == "" { // ORC C++ as Python has it knows no filters
				request, err := json.Marshal(map[string]any{"path": f.path, "columns": shape.columns})
				if err != nil {
					return err
				}
				if err := s.take(ctx, s.orc, shape, f, string(request)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (shape *scanShape) key(f scanFile, engine string) string {
	return shape.name + "|" + f.path + "|" + engine
}

// take measures one engine once. ORC C++ only counts rows; all other answers to a shape must agree.
func (s *scans) take(ctx context.Context, e Engine, shape *scanShape, f scanFile, sql string) error {
	a, err := runWithin(ctx, e, sql, s.o.timeout)
	if err != nil {
		return fmt.Errorf("%s, %s: %w", e.Name(), sql, err)
	}
	key := shape.key(f, e.Name())
	m := s.runs[key]
	if m == nil { // the run that warms up
		s.runs[key] = &scanRun{seconds: a.seconds, cpu: a.cpu}
		m = s.runs[key]
	}
	m.seconds, m.cpu = min(m.seconds, a.seconds), min(m.cpu, a.cpu)
	want := s.expected[shape.name]
	switch {
	case want == nil:
		s.expected[shape.name] = a.rows
	case e == s.orc && show(a.rows[0][0]) != show(want[0][0]):
		m.differs = "counts " + show(a.rows[0][0]) + " rows"
	case e != s.orc && m.differs == "":
		m.differs = difference(want, a.rows)
	}
	return nil
}

var bytesShown = regexp.MustCompile(`Bytes: ([0-9.]+ [kMG]?B) in ([0-9]+) requests`)

// bytesRead gives what EXPLAIN ANALYZE says was read.
func (s *scans) bytesRead(ctx context.Context, shape *scanShape, f scanFile) string {
	a, err := s.tarn.Run(ctx, "EXPLAIN ANALYZE "+shape.query(f))
	if err != nil {
		return err.Error()
	}
	for _, row := range a.rows {
		if m := bytesShown.FindStringSubmatch(show(row[0])); m != nil {
			return m[1]
		}
	}
	return "?"
}
