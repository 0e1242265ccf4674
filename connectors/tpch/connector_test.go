package tpch

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// scanOf makes a scan of some of a table's columns, by name.
func scanOf(t *testing.T, c *Connector, schema, name string, columns ...string) connectors.Scan {
	t.Helper()
	table := c.Table(schema, name)
	if table == nil {
		t.Fatalf("there is no table %s.%s", schema, name)
	}
	scan := connectors.Scan{Connector: table.Connector, Schema: schema, Name: name, Handle: table.Handle}
	for _, want := range columns {
		for ordinal, column := range table.Columns {
			if column.Name == want {
				scan.Columns = append(scan.Columns, connectors.ScanColumn{
					Ordinal: ordinal, ID: column.ID, Name: column.Name, Type: column.Type,
				})
			}
		}
	}
	if len(scan.Columns) != len(columns) {
		t.Fatalf("not all of %v are columns of %s", columns, name)
	}
	return scan
}

// run reads all splits, calling each with every batch.
func run(t *testing.T, c *Connector, request connectors.ReadRequest, each func(*vec.Batch)) *connectors.ScanStats {
	t.Helper()
	ctx := context.Background()
	request.Stats = &connectors.ScanStats{}
	source, err := c.Splits(ctx, request.Scan, request.Feed)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	for {
		splits, err := source.Next(ctx, 3)
		if err != nil {
			t.Fatal(err)
		}
		if splits == nil {
			return request.Stats
		}
		for _, request.Split = range splits {
			reader, err := c.Read(ctx, request)
			if err != nil {
				t.Fatal(err)
			}
			for batch, err := reader.Next(ctx); batch != nil || err != nil; batch, err = reader.Next(ctx) {
				if err != nil {
					t.Fatal(err)
				}
				each(batch)
			}
			if err := reader.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// sum adds up one column of the selected rows.
func sum(batch *vec.Batch, column int) (rows int, total int64) {
	values := vec.Values[int64](&batch.Cols[column])
	if batch.Sel == nil {
		for _, v := range values {
			total += v
		}
		return batch.Len, total
	}
	for _, row := range batch.Sel {
		total += values[row]
	}
	return len(batch.Sel), total
}

// TestScan: the sums are DuckDB 1.0.0's over its own tables of scale 1.
func TestScan(t *testing.T) {
	c := New()
	rows, total := 0, int64(0)
	stats := run(t, c, connectors.ReadRequest{Scan: scanOf(t, c, "sf1", "lineitem", "l_suppkey", "l_extendedprice")}, func(b *vec.Batch) {
		n, cents := sum(b, 1)
		rows, total = rows+n, total+cents
	})
	if rows != 6_001_215 || total != 22957731090120 {
		t.Errorf("lineitem has %d rows worth %d cents", rows, total)
	}
	if stats.RowsRead.Load() != 6_001_215 || stats.RowsSelected.Load() != 6_001_215 {
		t.Errorf("counted %d rows read and %d selected", stats.RowsRead.Load(), stats.RowsSelected.Load())
	}
}

// TestNoColumns: a scan may want nothing but the number of rows.
func TestNoColumns(t *testing.T) {
	c := New()
	rows := 0
	run(t, c, connectors.ReadRequest{Scan: scanOf(t, c, "sf0.01", "lineitem")}, func(b *vec.Batch) { rows += b.Len })
	if rows != 60_175 {
		t.Errorf("lineitem has %d rows at scale 0.01", rows)
	}
}

func number(n int64) *types.Datum {
	d := types.IntDatum(n)
	return &d
}

func TestDomainsOnKeys(t *testing.T) {
	c := New()
	for _, test := range []struct {
		table, column string
		domain        connectors.Domain
		rows          int
	}{
		{"orders", "o_orderkey", connectors.Domain{Minimum: number(33), Maximum: number(36)}, 4},
		{"orders", "o_orderkey", connectors.Domain{Minimum: number(8), Maximum: number(31)}, 0},
		{"orders", "o_orderkey", connectors.Domain{Maximum: number(7)}, 7},
		{"part", "p_partkey", connectors.Domain{Minimum: number(1991)}, 10},
		{"partsupp", "ps_partkey", connectors.Domain{Minimum: number(3), Maximum: number(4)}, 8},
		{"nation", "n_nationkey", connectors.Domain{Maximum: number(2)}, 3},
		{"customer", "c_custkey", connectors.Domain{Values: []types.Datum{types.IntDatum(7), types.IntDatum(9)}}, 3},
		{"customer", "c_custkey", connectors.Domain{Values: []types.Datum{}}, 0},
		{"customer", "c_custkey", connectors.Domain{Minimum: number(1 << 62), Maximum: number(1<<63 - 1)}, 0},
		{"supplier", "s_suppkey", connectors.Domain{Minimum: number(-1 << 63), Maximum: number(1<<63 - 1)}, 100},
	} {
		scan := scanOf(t, c, "sf0.01", test.table, test.column)
		scan.Domains = []connectors.Domain{test.domain}
		rows := 0
		run(t, c, connectors.ReadRequest{Scan: scan}, func(b *vec.Batch) { rows += b.Len })
		if rows != test.rows {
			t.Errorf("%s within %+v: %d rows, want %d", test.table, test.domain, rows, test.rows)
		}
	}
}

// discounts lets rows of one discount pass, then rows of few pieces.
type discounts struct{ applied [2]int }

func (*discounts) Stages() int             { return 2 }
func (*discounts) Columns(stage int) []int { return []int{2 * stage} }
func (d *discounts) Apply(stage int, b *vec.Batch) error {
	d.applied[stage]++
	values := vec.Values[int64](&b.Cols[2*stage])
	var passed []int32
	for row := range int32(b.Len) {
		if stage == 0 && values[row] == 7 {
			passed = append(passed, row)
		}
	}
	for _, row := range b.Sel {
		if stage == 1 && values[row] < 200 {
			passed = append(passed, row)
		}
	}
	if passed == nil {
		passed = []int32{}
	}
	b.Sel = passed
	return nil
}

// TestFilter: the count and sum are DuckDB 1.0.0's of
// select count(*), sum(l_extendedprice) from lineitem where l_discount = 0.07 and l_quantity < 2.
func TestFilter(t *testing.T) {
	c := New()
	scan := scanOf(t, c, "sf0.01", "lineitem", "l_discount", "l_extendedprice", "l_quantity")
	rows, total := 0, int64(0)
	filter := &discounts{}
	stats := run(t, c, connectors.ReadRequest{Scan: scan, Filter: filter}, func(b *vec.Batch) {
		n, cents := sum(b, 1)
		rows, total = rows+n, total+cents
	})
	if rows != 110 || total != 14872314 {
		t.Errorf("%d rows worth %d cents pass", rows, total)
	}
	if stats.RowsSelected.Load() != int64(rows) || stats.RowsRead.Load() != 60_175 {
		t.Errorf("counted %d of %d rows", stats.RowsSelected.Load(), stats.RowsRead.Load())
	}
}

// learnt is a feed that has something to say from the start.
type learnt []connectors.Domain

func (l learnt) Domains() ([]connectors.Domain, uint64) { return l, 1 }
func (learnt) Wait(context.Context)                     {}

func TestDynamicDomains(t *testing.T) {
	c := New()
	scan := scanOf(t, c, "sf0.1", "orders", "o_orderkey")
	feed := learnt{{Column: 0, Minimum: number(599_975)}}
	rows := 0
	count := func(b *vec.Batch) { rows += b.Len }
	run(t, c, connectors.ReadRequest{Scan: scan, Feed: feed}, count)
	if rows != 2 {
		t.Errorf("%d orders from 599975 on, want 2", rows)
	}
	// A reader of a split that was listed before the feed knew reads nothing.
	payload, _ := json.Marshal(piece{0, 1000})
	reader, err := c.Read(context.Background(), connectors.ReadRequest{
		Scan: scan, Feed: feed, Split: connectors.Split{Payload: payload}, Stats: &connectors.ScanStats{},
	})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := reader.Next(context.Background()); b != nil || err != nil {
		t.Errorf("a split that the feed excludes gives %v, %v", b, err)
	}
}

func TestMetadata(t *testing.T) {
	c := New()
	for _, schema := range []string{"sf1", "sf0.01", "sf0_01", "sf3000"} {
		if !c.HasSchema(schema) || c.Table(schema, "lineitem") == nil {
			t.Errorf("no schema %s", schema)
		}
	}
	for _, schema := range []string{"", "sf", "sf0", "1", "public", "sf99999", "sf1e2"} {
		if c.HasSchema(schema) || c.Table(schema, "lineitem") != nil {
			t.Errorf("there is a schema %q", schema)
		}
	}
	if c.Table("sf1", "line_item") != nil {
		t.Error("there is a table line_item")
	}
	if names := strings.Join(c.Tables(), " "); names != "part partsupp supplier customer orders lineitem nation region" {
		t.Errorf("tables: %s", names)
	}
	table := c.Table("sf1", "orders")
	var described []string
	for _, column := range table.Columns {
		described = append(described, column.Name+" "+column.Type.String())
	}
	const want = "o_orderkey bigint, o_custkey bigint, o_orderstatus character varying(1), o_totalprice numeric(15,2), " +
		"o_orderdate date, o_orderpriority character varying(15), o_clerk character varying(15), " +
		"o_shippriority integer, o_comment character varying(79)"
	if got := strings.Join(described, ", "); got != want {
		t.Errorf("orders is (%s), want (%s)", got, want)
	}
}

func TestStats(t *testing.T) {
	c := New()
	stats, err := c.Stats(c.Table("sf1", "lineitem"))
	if err != nil {
		t.Fatal(err)
	}
	if stats.Rows != 6_001_215 || !stats.Exact {
		t.Errorf("lineitem has %v rows", stats.Rows)
	}
	orderKey := stats.Columns[0]
	if orderKey.Distinct != 1_500_000 || orderKey.Minimum.I64 != 1 || orderKey.Maximum.I64 != 6_000_000 {
		t.Errorf("l_orderkey: %+v", orderKey)
	}
	if stats.Bytes < 600e6 || stats.Bytes > 2e9 {
		t.Errorf("lineitem takes %v bytes", stats.Bytes)
	}
	if large, err := c.Stats(c.Table("sf20000", "lineitem")); err != nil || large.Exact || large.Rows != 120e9 {
		t.Errorf("lineitem at scale 20000: %v rows, %v", large.Rows, err)
	}
}

func TestCancelled(t *testing.T) {
	c := New()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	payload, _ := json.Marshal(piece{0, 1000})
	reader, err := c.Read(ctx, connectors.ReadRequest{
		Scan: scanOf(t, c, "sf1", "orders", "o_orderkey"), Split: connectors.Split{Payload: payload}, Stats: &connectors.ScanStats{},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Next(ctx); err == nil {
		t.Error("a cancelled reader goes on")
	}
}

func TestBadHandles(t *testing.T) {
	c := New()
	for _, handle := range []string{``, `{"Table":5,"Scale":"x"}`, `{"Table":99,"Scale":"1"}`} {
		scan := connectors.Scan{Schema: "sf1", Name: "orders", Handle: json.RawMessage(handle)}
		if _, err := c.Splits(context.Background(), scan, nil); err == nil {
			t.Errorf("Splits takes the handle %q", handle)
		}
		if _, err := c.Read(context.Background(), connectors.ReadRequest{Scan: scan}); err == nil {
			t.Errorf("Read takes the handle %q", handle)
		}
	}
}
