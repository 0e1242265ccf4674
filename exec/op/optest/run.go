package optest

import (
	"context"
	"fmt"
	"math"
	"sort"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/exec/build"
	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Case is a plan with its inputs and its answer.
type Case struct {
	Name     string
	Tables   map[string]Table
	Plan     func(c *Tables) plan.Node
	Registry *fn.Registry
	Want     []Row
	Ordered  bool // the order of rows counts
	NoSpill  bool // the plan has no operator that spills
}

// large tells that tiny batches would take too long.
func (c *Case) large() bool {
	n := 0
	for _, t := range c.Tables {
		n += len(t.Rows)
	}
	return n > 3000
}

// configuration is one way to run a case.
type configuration struct {
	batch, drivers int
	dictionary     bool
	selection      bool
	spill          bool
	seed           uint64
}

func (c configuration) String() string {
	return fmt.Sprintf("batch=%d,drivers=%d,dictionary=%t,selection=%t,spill=%t", c.batch, c.drivers, c.dictionary, c.selection, c.spill)
}

var configurations = []configuration{
	{batch: 2048, drivers: 1}, {batch: 2048, drivers: 2, seed: 1}, {batch: 1, drivers: 1, seed: 2}, {batch: 3, drivers: 2, seed: 3},
	{batch: 2048, drivers: 2, dictionary: true, seed: 4}, {batch: 3, drivers: 1, dictionary: true, selection: true, seed: 5},
	{batch: 2048, drivers: 2, dictionary: true, selection: true, seed: 6}, {batch: 2048, drivers: 1, spill: true, seed: 7},
	{batch: 2048, drivers: 2, spill: true, seed: 8}, {batch: 3, drivers: 2, spill: true, dictionary: true, selection: true, seed: 9},
}

// Run runs the case under every configuration and compares rows. It also checks that all memory is
// returned and no goroutine is left.
func Run(t *testing.T, c Case) {
	t.Helper()
	for _, how := range configurations {
		if how.spill && c.NoSpill || how.batch < 2048 && c.large() {
			continue
		}
		rows, node, stats, err := execute(t, c, how)
		if err != nil {
			t.Fatalf("%s [%s]: %v", c.Name, how, err)
		}
		compare(t, c, how, node.Schema().Types(), rows)
		root := stats.ByID(node.Head().ID)
		if root == nil || root.Rows.Load() != int64(len(rows)) {
			t.Fatalf("%s [%s]: the root's statistics do not count its %d rows", c.Name, how, len(rows))
		}
		if t.Failed() {
			return
		}
	}
}

// Fails runs the case and gives its error; the test fails without one.
func Fails(t *testing.T, c Case) error {
	t.Helper()
	_, _, _, err := execute(t, c, configuration{batch: 2048, drivers: 2})
	if err == nil {
		t.Fatalf("%s: no error", c.Name)
	}
	return err
}

// Environment is what cases run in; tests may change what it returns.
func Environment(t *testing.T, tables *Tables, registry *fn.Registry) *pipeline.Environment {
	if registry == nil {
		registry = fn.NewRegistry(nil)
	}
	e := &pipeline.Environment{Registry: registry, Connectors: map[string]connectors.Connector{"tables": tables},
		Pool: memory.NewRoot("query", memory.Unlimited), Slots: slots.New(2).Group(1), Drivers: 2,
		Spill: pipeline.Spill{Directory: t.TempDir(), Enabled: true}}
	return e.WithDefaults()
}

func execute(t *testing.T, c Case, how configuration) ([]Row, plan.Node, *pipeline.Stats, error) {
	t.Helper()
	tables := &Tables{Tables: c.Tables, Seed: how.seed}
	e := Environment(t, tables, c.Registry)
	e.BatchSize, e.Drivers = how.batch, how.drivers
	e.Force = pipeline.Force{Dictionary: how.dictionary, Selection: how.selection}
	e.Spill.Force = how.spill
	root := c.Plan(tables)
	plan.Number(root)
	rows, stats, err := Execute(context.Background(), root, e)
	if used := e.Pool.Used(); used != 0 {
		t.Fatalf("%s [%s]: %d bytes not returned", c.Name, how, used)
	}
	if err := goleak.Find(goleak.IgnoreCurrent()); err != nil {
		t.Fatalf("%s [%s]: %v", c.Name, how, err)
	}
	return rows, root, stats, err
}

// Execute runs a plan to its end.
func Execute(ctx context.Context, root plan.Node, e *pipeline.Environment) ([]Row, *pipeline.Stats, error) {
	stats := pipeline.NewStats()
	output := pipeline.NewOutput(2)
	pipelines, err := build.Build(root, e, stats, output)
	if err != nil {
		return nil, stats, err
	}
	done := make(chan error)
	go func() {
		err := pipeline.Run(ctx, e, pipelines)
		_ = output.Close()
		done <- err
	}()
	var rows []Row
	for b := range output.Batches() {
		rows = append(rows, Rows(b)...)
	}
	return rows, stats, <-done
}

// Rows gives a batch's rows as values.
func Rows(b *vec.Batch) []Row {
	var out []Row
	for i := range b.Rows() {
		at := i
		if b.Sel != nil {
			at = int(b.Sel[i])
		}
		row := make(Row, len(b.Cols))
		for c := range b.Cols {
			row[c] = b.Cols[c].Datum(at)
		}
		out = append(out, row)
	}
	return out
}

// Text shows a value such that equal values show equal.
func Text(t types.Type, d types.Datum) string {
	switch {
	case d.Null:
		return "NULL"
	case len(d.Items) > 0 || t.Kind == types.Array || t.Kind == types.Row:
		return fmt.Sprint(d.Items)
	}
	switch t.Physical() {
	case types.PhysFloat32, types.PhysFloat64:
		if math.IsNaN(d.F64) {
			return "NaN"
		}
		return fmt.Sprint(d.F64 + 0)
	case types.PhysInt128:
		return d.I128.String()
	case types.PhysString:
		return "'" + d.Str + "'"
	case types.PhysInterval:
		return fmt.Sprint(d.Span)
	}
	return fmt.Sprint(d.I64)
}

func texts(columns []types.Type, rows []Row, ordered bool) []string {
	out := make([]string, len(rows))
	for i, row := range rows {
		parts := make([]string, len(row))
		for c := range row {
			parts[c] = Text(columns[c], row[c])
		}
		out[i] = strings.Join(parts, " | ")
	}
	if !ordered {
		sort.Strings(out)
	}
	return out
}

func compare(t *testing.T, c Case, how configuration, columns []types.Type, rows []Row) {
	t.Helper()
	for _, row := range rows {
		if len(row) != len(columns) {
			t.Fatalf("%s [%s]: %d columns, want %d", c.Name, how, len(row), len(columns))
		}
	}
	got, want := texts(columns, rows, c.Ordered), texts(columns, c.Want, c.Ordered)
	for i := 0; i < len(got) || i < len(want); i++ {
		g, w := "(no row)", "(no row)"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Fatalf("%s [%s]: %d rows, want %d; row %d:\n got  %s\n want %s", c.Name, how, len(got), len(want), i, g, w)
		}
	}
}

// Cancel starts a plan, cancels it after a while and fails when it does not end within 100 ms.
func Cancel(t *testing.T, name string, root plan.Node, e *pipeline.Environment, after time.Duration) {
	t.Helper()
	plan.Number(root)
	ctx, cancel := context.WithCancel(context.Background())
	finished := make(chan error, 1)
	go func() {
		_, _, err := Execute(ctx, root, e)
		finished <- err
	}()
	select {
	case err := <-finished:
		cancel()
		t.Fatalf("%s ended before it was cancelled: %v", name, err)
	case <-time.After(after):
	}
	start := time.Now()
	cancel()
	err := <-finished
	if took := time.Since(start); took > 100*time.Millisecond {
		t.Errorf("%s took %v to notice a cancel", name, took)
	}
	if err == nil {
		t.Errorf("%s ended without an error", name)
	}
	if used := e.Pool.Used(); used != 0 {
		t.Errorf("%s: %d bytes not returned after a cancel", name, used)
	}
}
