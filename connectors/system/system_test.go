package system

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// scanOf reads the named columns of a table.
func scanOf(t *testing.T, table *connectors.Table, names ...string) connectors.Scan {
	t.Helper()
	scan := connectors.Scan{Connector: table.Connector, Handle: table.Handle}
	for _, name := range names {
		found := false
		for i, c := range table.Columns {
			if c.Name == name {
				scan.Columns = append(scan.Columns, connectors.ScanColumn{Ordinal: i, ID: c.ID, Name: c.Name, Type: c.Type})
				found = true
			}
		}
		if !found {
			t.Fatalf("no column %s", name)
		}
	}
	return scan
}

func read(t *testing.T, c *Connector, request connectors.ReadRequest) (out []string, err error) {
	t.Helper()
	splits, err := c.Splits(t.Context(), request.Scan, nil)
	if err != nil {
		return nil, err
	}
	some, _ := splits.Next(t.Context(), 10)
	if len(some) != 1 || some[0].Node != "here" {
		t.Fatalf("splits %+v", some)
	}
	if rest, _ := splits.Next(t.Context(), 10); rest != nil {
		t.Fatalf("more splits: %+v", rest)
	}
	request.Split = some[0]
	source, err := c.Read(t.Context(), request)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	for {
		b, err := source.Next(t.Context())
		if err != nil || b == nil {
			return out, err
		}
		var rows vec.Batch
		b.Compact(&rows)
		for i := range rows.Len {
			var cells []string
			for column := range rows.Cols {
				d := rows.Cols[column].Datum(i)
				switch {
				case d.Null:
					cells = append(cells, "NULL")
				case rows.Cols[column].Type.Kind == types.Text:
					cells = append(cells, d.Str)
				default:
					cells = append(cells, fmt.Sprint(d.I64+int64(d.F64)))
				}
			}
			out = append(out, strings.Join(cells, "|"))
		}
	}
}

func TestTables(t *testing.T) {
	now := time.UnixMicro(1_000_000_000)
	c := New("here", map[string][]connectors.VirtualTable{SchemaName: {
		Queries(func(context.Context) ([]Query, error) {
			return []Query{{ID: "q1", User: "ada", State: "running", SQL: "SELECT 1", Created: now, Started: now, Ended: now.Add(time.Second), SplitsDone: 3, SplitsTotal: 3},
				{ID: "q2", User: "bob", State: "queued", SQL: "SELECT 2", Created: now, ErrorCode: "53300"}}, nil
		}),
		QueryLog(func(context.Context) ([]Query, error) { return nil, errors.New("log is gone") }),
		Settings(func(context.Context, string) ([]Setting, error) {
			return []Setting{{Name: "timezone", Value: "UTC", Session: true}}, nil
		}),
		Metrics(func(context.Context) ([]Metric, error) { return []Metric{{Name: "queries_total", Value: 7}}, nil }),
		Nodes(func(context.Context) ([]Node, error) { return []Node{{Name: "n1", CPUs: 2}}, nil }),
		ResourceGroups(func(context.Context) ([]ResourceGroup, error) {
			return []ResourceGroup{{Name: "etl", QueueTimeout: 2 * time.Second}}, nil
		}),
		Functions(fn.NewRegistry([]fn.Overload{
			{Name: "upper", Params: []fn.Param{{Type: types.Of(types.Text)}}, ResultType: types.Of(types.Text), Doc: "Upper case.", Impl: fn.Scalar{}},
			{Name: "count", Params: []fn.Param{{Name: "value", Family: fn.Any}}, ResultType: types.Of(types.Int64), Impl: fn.Aggregate{}},
		})),
	}})
	for _, check := range []struct {
		table   string
		columns string
		want    []string
	}{
		{"queries", "query_id user_name state elapsed_ms progress error_code started_at", []string{"q1|ada|running|1000|1|NULL|1000000000", "q2|bob|queued|NULL|NULL|53300|NULL"}},
		{"settings", "settable value name", []string{"1|UTC|timezone"}},
		{"metrics", "value name", []string{"7|queries_total"}},
		{"nodes", "name cpus", []string{"n1|2"}},
		{"resource_groups", "queue_timeout_ms", []string{"2000"}},
		{"functions", "name kind arguments result description", []string{`count|aggregate|value "any"|bigint|NULL`, "upper|scalar|text|text|Upper case."}},
	} {
		got, err := read(t, c, connectors.ReadRequest{Scan: scanOf(t, c.Resolve("", SchemaName, check.table), strings.Fields(check.columns)...)})
		if err != nil || strings.Join(got, "\n") != strings.Join(check.want, "\n") {
			t.Errorf("%s: %q, %v; want %q", check.table, got, err, check.want)
		}
	}
	if _, err := read(t, c, connectors.ReadRequest{Scan: scanOf(t, c.Resolve("", SchemaName, "query_log"), "query")}); err == nil || err.Error() != "log is gone" {
		t.Errorf("a failing lister: %v", err)
	}
	if c.Resolve("", SchemaName, "nope") != nil || c.Resolve("", "other", "queries") != nil {
		t.Error("a table that is not there was found")
	}
	if len(c.Tables(SchemaName)) != 7 || c.Tables(SchemaName)[0].Name != "functions" || c.Schemas()[0] != SchemaName {
		t.Error("the lists of tables are wrong")
	}
}

// evens keeps rows whose first column is even.
type evens struct{}

func (evens) Stages() int       { return 1 }
func (evens) Columns(int) []int { return []int{0} }
func (evens) Apply(_ int, b *vec.Batch) error {
	sel := []int32{}
	for i := range b.Len {
		if b.Cols[0].Datum(i).I64%2 == 0 {
			sel = append(sel, int32(i))
		}
	}
	b.Sel = sel
	return nil
}

func TestManyRowsFiltersAndDomains(t *testing.T) {
	var asked connectors.VirtualQuery
	stopped := false
	numbers := connectors.VirtualTable{Name: "numbers", Columns: connectors.VirtualColumns("label n", types.Of(types.Text), types.Of(types.Int64)),
		Rows: func(_ context.Context, q connectors.VirtualQuery) iter.Seq2[[]types.Datum, error] {
			asked = q
			return func(yield func([]types.Datum, error) bool) {
				for i := range int64(5000) {
					if q.Wants(1, types.Of(types.Int64), types.IntDatum(i)) && !yield([]types.Datum{types.StringDatum("row"), types.IntDatum(i)}, nil) {
						stopped = true
						return
					}
				}
			}
		}}
	c := New("here", map[string][]connectors.VirtualTable{"x": {numbers}})
	table := c.Resolve("tx-1", "x", "numbers")
	scan := scanOf(t, table, "n", "label")
	high := types.IntDatum(4499)
	scan.Domains = []connectors.Domain{{Column: 0, Maximum: &high}}
	stats := &connectors.ScanStats{}
	got, err := read(t, c, connectors.ReadRequest{Scan: scan, Filter: evens{}, Stats: stats})
	if err != nil || len(got) != 2250 || got[2249] != "4498|row" {
		t.Errorf("%d rows, %v", len(got), err)
	}
	if stats.RowsRead.Load() != 4500 || stats.RowsSelected.Load() != 2250 {
		t.Errorf("read %d, selected %d", stats.RowsRead.Load(), stats.RowsSelected.Load())
	}
	if asked.Transaction != "tx-1" || len(asked.Domains) != 1 || asked.Domains[0].Column != 1 {
		t.Errorf("asked %+v", asked)
	}
	source, err := c.Read(t.Context(), connectors.ReadRequest{Scan: scanOf(t, table, "n")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := source.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	source.Close()
	if !stopped {
		t.Error("closing a source must stop its lister")
	}
}
