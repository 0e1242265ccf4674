package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// options are the command's flags.
type options struct {
	suite   string
	scale   string
	dir     string
	engines string
	queries string
	folder  string
	python  string
	// environment is added to that of servers.
	environment []string
	pythonS3    string
	s3server    string
	tarn        string
	url         string
	setup       string
	threads     int
	workers     int
	runs        int
	timeout     time.Duration
	out         string
	dataBy      string
	prepare     bool
	clients     bool
	each        int
	cpu         *int // which CPU a server is kept to; nil: any

	scans  bool
	rows   int
	codecs string

	isolation bool
	span      time.Duration
	on        string
	memory    string
	share     float64
	mixtures  string

	texts bool

	write   bool
	formats string
	orders  string
	below   int64
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, readFlags()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func readFlags() options {
	var o options
	flag.StringVar(&o.suite, "suite", "tpch", "the queries: tpch or tpcds")
	flag.StringVar(&o.scale, "scale", "1", "the scale factor")
	flag.StringVar(&o.dir, "data", "data/bench", "where the Parquet files lie, or are put when there are none")
	flag.StringVar(&o.engines, "engines", "tarn,duckdb,polars", "which engines (tarn, cluster, pair, duckdb, polars; on S3: tarn-s3 and duckdb-s3, for which every file is new, and tarn-cached), in the order in which they take turns; the first peer, else the first, is the measure")
	flag.StringVar(&o.queries, "queries", "", "which queries, for example 1,6,18-22; empty: all")
	flag.StringVar(&o.folder, "folder", "bench", "the folder of peers.py and queries/")
	flag.StringVar(&o.python, "python", "python3", "the Python that has the packages of requirements.txt")
	flag.StringVar(&o.pythonS3, "python-s3", ".cache/bench-s3/bin/python", "the Python of the engine duckdb-s3, with DuckDB and its extension httpfs")
	flag.StringVar(&o.s3server, "s3server", "bin/s3server", "the S3 server of the engines that read from S3; make s3server builds it")
	flag.StringVar(&o.tarn, "tarn", "bin/tarn", "the tarn binary, of which a server is started")
	flag.StringVar(&o.url, "url", "", "a running tarn server instead, for example postgres://localhost:5439/tarn?pid=1234 (its process id is needed for CPU and memory)")
	flag.StringVar(&o.setup, "setup", "CREATE OR REPLACE VIEW {table} AS SELECT * FROM read_parquet('{path}')", "the statement that makes a table of a file known to tarn")
	flag.IntVar(&o.threads, "threads", 2, "threads for each engine")
	flag.IntVar(&o.workers, "workers", 2, "workers of the engine cluster; each has a CPU of its own, as far as there are CPUs")
	flag.IntVar(&o.runs, "runs", 3, "timed runs of each query, after one that warms up; the fastest counts")
	flag.DurationVar(&o.timeout, "timeout", 10*time.Minute, "the longest that a query may take")
	flag.StringVar(&o.out, "out", "", "a file for the table; empty: standard output")
	flag.StringVar(&o.dataBy, "writer", "duckdb", "who writes missing TPC-H files: duckdb, from the rows of our generator, or tarn")
	flag.BoolVar(&o.prepare, "prepare", false, "only make the files")
	flag.BoolVar(&o.clients, "clients", false, "measure many clients, cancels and a slow reader of a tarn server instead")
	flag.IntVar(&o.each, "each", 200, "with -clients: statements of each of fifty clients")
	flag.BoolVar(&o.scans, "scans", false, "measure scans of the first rows of lineitem (of -scale) in Parquet and ORC instead, beside DuckDB and ORC C++")
	flag.IntVar(&o.rows, "rows", 10_000_000, "with -scans: how many rows")
	flag.StringVar(&o.codecs, "codecs", "zstd,snappy,none", "with -scans: which codecs")
	flag.BoolVar(&o.isolation, "isolation", false, "measure how resource groups isolate people's queries from loops of CREATE TABLE AS instead (TPC-H's tables)")
	flag.DurationVar(&o.span, "span", time.Minute, "with -isolation: how long each mixture runs")
	flag.StringVar(&o.on, "on", "server,cluster", "with -isolation: on one server, on a coordinator and 3 workers, or on both")
	flag.StringVar(&o.mixtures, "mixtures", "idle,etl,groups,one,hog", "with -isolation: which of the mixtures")
	flag.Float64Var(&o.share, "share", 0, "with -isolation: the part of a CPU that each node of the cluster has of its own, for example 0.5 (by control groups, as root); 0: they share all CPUs")
	flag.StringVar(&o.memory, "memory", "4GB", "with -isolation: memory.limit of each process")
	flag.BoolVar(&o.texts, "texts", false, "measure reading lineitem as CSV and as JSON lines beside DuckDB instead (TPC-H's tables)")
	flag.BoolVar(&o.write, "write", false, "measure writing lineitem, partitioned by month, beside DuckDB's COPY instead (TPC-H's tables)")
	flag.StringVar(&o.formats, "formats", "parquet,orc", "with -write: the formats of tarn's tables")
	flag.StringVar(&o.orders, "orders", "false,true", "with -write: the values of DuckDB's preserve_insertion_order to measure; the last is the measure")
	flag.Int64Var(&o.below, "below", 0, "with -write: only rows of l_orderkey below this; 0: all")
	flag.Parse()
	return o
}

func run(ctx context.Context, o options) error {
	if o.clients {
		o.dir = os.TempDir() // no files are read
		return concurrency(ctx, o, os.Stdout)
	}
	var err error
	if o.dir, err = filepath.Abs(filepath.Join(o.dir, o.suite+"-sf"+o.scale)); err != nil {
		return err
	}
	queries, err := loadQueries(filepath.Join(o.folder, "queries", o.suite), o.queries)
	if err != nil {
		return err
	}
	if err := prepareData(ctx, o); err != nil {
		return err
	}
	if o.scans {
		return scanLineitem(ctx, o, os.Stdout)
	}
	if o.prepare {
		return nil
	}
	if o.isolation {
		return isolation(ctx, o, os.Stdout)
	}
	if o.texts {
		return texts(ctx, o, os.Stdout)
	}
	if o.write {
		return writing(ctx, o, os.Stdout)
	}
	engines, err := startEngines(ctx, o)
	for _, e := range engines {
		defer e.Close()
	}
	if err != nil {
		return err
	}
	results, err := measure(ctx, engines, queries, o.runs, o.timeout)
	if err != nil {
		return err
	}
	return writeReport(o, results)
}

// writeReport writes the table to the file that the flags name, or to standard output.
func writeReport(o options, results *results) error {
	text := report(o, results)
	if o.out == "" {
		fmt.Print(text)
		return nil
	}
	return os.WriteFile(o.out, []byte(text), 0o644)
}

// query is one of a suite's queries.
type query struct {
	number int
	sql    string
}

// loadQueries reads the queries of a folder, q01.sql and so on, that a list like 1,6,18-22 names.
func loadQueries(folder, list string) ([]query, error) {
	wanted, err := parseList(list)
	if err != nil {
		return nil, err
	}
	paths, err := filepath.Glob(filepath.Join(folder, "q*.sql"))
	if err != nil {
		return nil, err
	}
	var out []query
	for _, path := range paths {
		number, err := strconv.Atoi(strings.TrimSuffix(filepath.Base(path)[1:], ".sql"))
		if err != nil {
			return nil, fmt.Errorf("%s is no qNN.sql", path)
		}
		if list != "" && !wanted[number] {
			continue
		}
		sql, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		out = append(out, query{number, string(sql)})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no queries of %q in %s", list, folder)
	}
	return out, nil
}

// parseList reads a list of numbers and ranges.
func parseList(list string) (map[int]bool, error) {
	out := map[int]bool{}
	if list == "" {
		return out, nil
	}
	for part := range strings.SplitSeq(list, ",") {
		low, high, isRange := strings.Cut(part, "-")
		if !isRange {
			high = low
		}
		first, err := strconv.Atoi(low)
		if err != nil {
			return nil, fmt.Errorf("%q is no list of queries", list)
		}
		last, err := strconv.Atoi(high)
		if err != nil || last < first {
			return nil, fmt.Errorf("%q is no list of queries", list)
		}
		for n := first; n <= last; n++ {
			out[n] = true
		}
	}
	return out, nil
}
