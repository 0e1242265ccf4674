package test

import (
	"context"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tarnlake/tarn/cmd/tarn/node"
	"github.com/tarnlake/tarn/cmd/tarn/wiring"
	"github.com/tarnlake/tarn/exec/functions"
	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/planner/optimizer"
	"github.com/tarnlake/tarn/planner/parser"
	"github.com/tarnlake/tarn/test/cluster"
	"github.com/tarnlake/tarn/test/coverage"
	"github.com/tarnlake/tarn/test/s3test"
	"github.com/tarnlake/tarn/test/sqllogic"
)

// cell is one way to run every .slt file; all must give the same answers.
type cell struct {
	name     string
	options  wiring.Options
	disabled string // optimizer passes
	s3       bool   // tables lie in a bucket
	workers  int    // besides the coordinator
}

func matrix() []cell {
	var switchable []string
	for _, p := range optimizer.Passes() {
		if !p.Required {
			switchable = append(switchable, p.Name)
		}
	}
	return []cell{
		{name: "default", options: wiring.Options{Drivers: 2}},
		{name: "batch_1", options: wiring.Options{Drivers: 1, BatchSize: 1}},
		{name: "batch_3", options: wiring.Options{Drivers: 2, BatchSize: 3}},
		{name: "dictionary", options: wiring.Options{Drivers: 2, Force: pipeline.Force{Dictionary: true}}},
		{name: "selection", options: wiring.Options{Drivers: 1, Force: pipeline.Force{Selection: true}}},
		{name: "spill", options: wiring.Options{Drivers: 2, ForceSpill: true}},
		{name: "s3", options: wiring.Options{Drivers: 2}, s3: true},
		{name: "workers_1", options: wiring.Options{Drivers: 2}, workers: 1},
		{name: "workers_3", options: wiring.Options{Drivers: 1}, workers: 3},
		{name: "optimizer_off", options: wiring.Options{Drivers: 2}, disabled: strings.Join(switchable, ",") + ",dynamic_filters"},
	}
}

// startServer runs a server in this process and gives its URL.
func startServer(t testing.TB, c cell) string {
	t.Helper()
	ctx := context.Background()
	options := c.options
	options.Config = config.Default()
	options.Config.Server.PgListen, options.Config.Server.HTTPListen = "127.0.0.1:0", ""
	options.InMemory, options.AnyPath = true, true
	if c.s3 {
		server := s3test.Start(t)
		options.Config.Storage.Warehouse = "s3://" + s3test.Bucket + "/warehouse"
		options.Config.Storage.S3.Endpoint, options.Config.Storage.S3.PathStyle = server.URL, true
		options.Config.Storage.S3.AccessKeyID, options.Config.Storage.S3.SecretAccessKey = s3test.AccessKey, s3test.SecretKey
	}
	if c.workers > 0 {
		options.Config.Settings["distribute_from_rows"] = "0"
	}
	if c.disabled != "" {
		options.Config.Settings["disabled_passes"] = c.disabled
	}
	system, err := wiring.Open(ctx, options)
	if err != nil {
		t.Fatal(err)
	}
	n, err := node.Start(ctx, node.Options{Config: options.Config, Version: "test", Engine: system.Engine, Parse: parser.Parse, Listen: true})
	if err != nil {
		t.Fatal(err)
	}
	system.UseSessions(n.Manager())
	endCluster := func() {}
	if c.workers > 0 {
		endCluster = cluster.Attach(t, system, c.workers, nil)
		requireSpread(t, "postgres://tester@"+n.Address()+"/tarn")
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		n.Stop(ctx)
		endCluster()
		if err := system.Close(); err != nil {
			t.Error(err)
		}
	})
	return "postgres://tester@" + n.Address() + "/tarn"
}

// requireSpread fails when a small query would not run on the workers: then nothing would be tested.
func requireSpread(t testing.TB, url string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgconn.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	results, err := conn.Exec(ctx, "EXPLAIN SELECT count(*) FROM tpch.sf0_01.nation; SELECT count(*) FROM tpch.sf0_01.nation").ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, row := range results[0].Rows {
		lines = append(lines, string(row[0]))
	}
	if text := strings.Join(lines, "\n"); !strings.Contains(text, "Exchange Gather") {
		t.Fatalf("not spread:\n%s", text)
	}
}

func suites(t testing.TB) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir("sql", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".slt") {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil || len(paths) == 0 {
		t.Fatal("no .slt files", err)
	}
	return paths
}

// TestSQL runs every suite in every cell of the matrix.
func TestSQL(t *testing.T) {
	paths := suites(t)
	for _, c := range matrix() {
		t.Run(c.name, func(t *testing.T) {
			seen, ran := coverage.New(), 0
			if c.name == "default" {
				c.options.Ran, c.options.Folded = seen.Plan, seen.Expression
			}
			url := startServer(t, c)
			for _, path := range paths {
				name := strings.TrimSuffix(strings.TrimPrefix(path, "sql/"), ".slt")
				t.Run(name, func(t *testing.T) {
					ran++
					runSuite(t, path, url)
				})
			}
			if c.name == "default" && ran == len(paths) {
				requireCoverage(t, seen)
			}
		})
	}
}

// notExercised lists what no statement of one process without users can reach.
var notExercised = map[string]string{
	"operator Exchange": "stands only where rows change process",
	// The parser spells trim as btrim and leaves a unary plus out.
	"function trim(text)": "", "function trim(text, text)": "", "function +(smallint)": "", "function +(integer)": "",
	"function +(bigint)": "", "function +(numeric)": "", "function +(real)": "", "function +(double precision)": "",
}

// requireCoverage fails when no statement has used some function, operator or join.
func requireCoverage(t *testing.T, seen *coverage.Collector) {
	for _, what := range seen.Missing(functions.Registry(), notExercised) {
		t.Errorf("no .slt statement exercises %s", what)
	}
}

func runSuite(t *testing.T, path, url string) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	file, err := sqllogic.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgconn.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	server := &sqllogic.Server{Name: "tarn", Conn: conn}
	failures := 0
	for _, r := range file.Records {
		if !server.Applies(r) {
			continue
		}
		if err := server.Run(ctx, r); err != nil {
			t.Errorf("%s:%d: %v\n%s", path, r.Line, err, r.SQL)
			if failures++; failures == 20 || conn.IsClosed() {
				t.Fatal("the rest of the file is not run")
			}
		}
	}
}
