package memory

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

func newConnector() (*Connector, *memory.Pool) {
	pool := memory.NewRoot("tables", memory.Unlimited)
	return New("here", pool), pool
}

func columns() []connectors.Column {
	return []connectors.Column{
		{ID: 1, Name: "id", Type: types.Of(types.Int64)},
		{ID: 2, Name: "name", Type: types.Of(types.Text)},
		{ID: 3, Name: "tags", Type: types.ArrayOf(types.Of(types.Int32))},
	}
}

// rows makes a batch of rows first … first+n-1. Every fifth name is NULL and every third is long.
func rows(first, n int) *vec.Batch {
	b := vec.NewBatch([]types.Type{types.Of(types.Int64), types.Of(types.Text), types.ArrayOf(types.Of(types.Int32))}, n)
	for i := range n {
		id := first + i
		b.Cols[0].SetDatum(i, types.IntDatum(int64(id)))
		switch {
		case id%5 == 0:
			b.Cols[1].SetDatum(i, types.NullDatum())
		case id%3 == 0:
			b.Cols[1].SetString(i, fmt.Sprintf("the name of number %d", id))
		default:
			b.Cols[1].SetString(i, fmt.Sprint("n", id))
		}
		b.Cols[2].SetDatum(i, types.Datum{Items: make([]types.Datum, id%3)})
	}
	return b
}

// stage writes batches through one sink.
func stage(t testing.TB, c *Connector, table *connectors.Table, batches ...*vec.Batch) []connectors.Fragment {
	t.Helper()
	ctx := context.Background()
	sink, err := c.Write(ctx, connectors.WriteRequest{Target: c.Target(table), Stats: &connectors.WriteStats{}})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		if err := sink.Append(ctx, b); err != nil {
			t.Fatal(err)
		}
	}
	fragments, err := sink.Finish(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return fragments
}

func appendTo(t testing.TB, c *Connector, table *connectors.Table, batches ...*vec.Batch) *connectors.Table {
	t.Helper()
	next, err := c.Append(table, stage(t, c, table, batches...))
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// read gives a table's rows, as "id name tags", in order of id.
func read(t testing.TB, c *Connector, table *connectors.Table, filter connectors.RowFilter) []string {
	t.Helper()
	ctx := context.Background()
	scan := connectors.Scan{Schema: table.Schema, Name: table.Name, Handle: table.Handle}
	for _, ordinal := range []int{2, 0, 1} { // another order than the table's
		column := table.Columns[ordinal]
		scan.Columns = append(scan.Columns, connectors.ScanColumn{Ordinal: ordinal, ID: column.ID, Type: column.Type})
	}
	source, err := c.Splits(ctx, scan, nil)
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		id   int64
		text string
	}
	var found []row
	for splits, err := source.Next(ctx, 2); splits != nil || err != nil; splits, err = source.Next(ctx, 2) {
		if err != nil {
			t.Fatal(err)
		}
		for _, split := range splits {
			if split.Node != "here" {
				t.Fatalf("a split wants node %q", split.Node)
			}
			reader, err := c.Read(ctx, connectors.ReadRequest{
				Scan: scan, Split: split, Filter: filter, Stats: &connectors.ScanStats{},
			})
			if err != nil {
				t.Fatal(err)
			}
			for b, err := reader.Next(ctx); b != nil || err != nil; b, err = reader.Next(ctx) {
				if err != nil {
					t.Fatal(err)
				}
				for i := range b.Rows() {
					at := i
					if b.Sel != nil {
						at = int(b.Sel[i])
					}
					name := "NULL"
					if !b.Cols[2].IsNull(at) {
						name = strings.Clone(b.Cols[2].Str(at))
					}
					id := b.Cols[1].Datum(at).I64
					found = append(found, row{id, fmt.Sprint(id, " ", name, " ", len(b.Cols[0].Datum(at).Items))})
				}
			}
		}
	}
	slices.SortFunc(found, func(a, b row) int { return int(a.id - b.id) })
	var out []string
	for _, r := range found {
		out = append(out, r.text)
	}
	return out
}

// want gives what read gives for rows first … last.
func want(first, last int) []string {
	var out []string
	for id := first; id <= last; id++ {
		name := fmt.Sprint("n", id)
		if id%5 == 0 {
			name = "NULL"
		} else if id%3 == 0 {
			name = fmt.Sprintf("the name of number %d", id)
		}
		out = append(out, fmt.Sprint(id, " ", name, " ", id%3))
	}
	return out
}

func check(t testing.TB, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		if len(got) > 10 {
			got = got[:10]
		}
		t.Fatalf("%d rows wanted, got other ones: %q …", len(want), got)
	}
}

func TestAppendAndRead(t *testing.T) {
	c, pool := newConnector()
	empty := c.Create("public", "t", connectors.Temporary, columns())
	check(t, read(t, c, empty, nil), nil)
	// Sizes that are kept as they are, that are joined, and both in one sink.
	table := appendTo(t, c, empty, rows(1, 2048), rows(2049, 2), rows(2051, 1), rows(2052, 5000), rows(7052, 100))
	check(t, read(t, c, table, nil), want(1, 7151))
	more := appendTo(t, c, table, rows(7152, 49))
	check(t, read(t, c, more, nil), want(1, 7200))
	check(t, read(t, c, table, nil), want(1, 7151))
	check(t, read(t, c, empty, nil), nil)
	for _, version := range []*connectors.Table{table, empty, more} {
		c.Drop(version)
		c.Drop(version)
	}
	if left := pool.Used(); left != 0 {
		t.Errorf("%d bytes are left of dropped tables", left)
	}
}

func TestSelectionAndEncodings(t *testing.T) {
	c, _ := newConnector()
	empty := c.Create("public", "t", connectors.Temporary, columns())
	one := rows(1, 10)
	one.Sel = []int32{0, 1, 2}
	two := rows(4, 3)
	coded := vec.Vector{}
	words := vec.NewFlat(types.Of(types.Text), 2)
	words.SetString(0, "n4")
	words.SetString(1, "the name of number 6")
	coded.ResizeDict(words, 1, 3)
	copy(coded.Codes(), []int32{0, 0, 1})
	coded.MakeValid().Clear(1)
	two.Cols[1] = coded
	three := rows(7, 1)
	three.Cols[0] = *vec.NewConst(types.Of(types.Int64), types.IntDatum(7), 1)
	table := appendTo(t, c, empty, one, two, three)
	one.Cols[0].SetDatum(0, types.IntDatum(99)) // what was appended is a copy
	check(t, read(t, c, table, nil), want(1, 7))
}

func TestReplace(t *testing.T) {
	c, pool := newConnector()
	empty := c.Create("public", "t", connectors.Temporary, columns())
	before := appendTo(t, c, empty, rows(1, 100))
	after, err := c.Replace(before, stage(t, c, before, rows(500, 50)))
	if err != nil {
		t.Fatal(err)
	}
	check(t, read(t, c, after, nil), want(500, 549))
	check(t, read(t, c, before, nil), want(1, 100))
	nothing, err := c.Replace(after, nil)
	if err != nil {
		t.Fatal(err)
	}
	check(t, read(t, c, nothing, nil), nil)
	for _, version := range []*connectors.Table{empty, before, after, nothing} {
		c.Drop(version)
	}
	if pool.Used() != 0 {
		t.Errorf("%d bytes are left of dropped tables", pool.Used())
	}
}

// TestManySmallWrites: single-row inserts end in few batches, and older versions stay as they were.
func TestManySmallWrites(t *testing.T) {
	c, pool := newConnector()
	table := c.Create("public", "t", connectors.Temporary, columns())
	var kept *connectors.Table
	for id := 1; id <= 1000; id++ {
		next := appendTo(t, c, table, rows(id, 1))
		if id == 101 {
			kept = table
		} else {
			c.Drop(table)
		}
		table = next
	}
	check(t, read(t, c, table, nil), want(1, 1000))
	check(t, read(t, c, kept, nil), want(1, 100))
	found, err := c.content(table.Handle, "", "")
	if err != nil {
		t.Fatal(err)
	}
	if len(found.batches) > 2*mostSmall {
		t.Errorf("%d batches hold 1000 rows", len(found.batches))
	}
	c.Drop(kept)
	if pool.Used() != found.bytes {
		t.Errorf("the pool counts %d bytes of %d", pool.Used(), found.bytes)
	}
	c.Drop(table)
	if pool.Used() != 0 {
		t.Errorf("%d bytes are left of dropped tables", pool.Used())
	}
}

func TestAbortAndDiscard(t *testing.T) {
	c, pool := newConnector()
	table := c.Create("public", "t", connectors.Temporary, columns())
	ctx := context.Background()
	sink, err := c.Write(ctx, connectors.WriteRequest{Target: c.Target(table)})
	if err != nil {
		t.Fatal(err)
	}
	if err := sink.Append(ctx, rows(1, 100)); err != nil {
		t.Fatal(err)
	}
	if err := sink.Abort(ctx); err != nil {
		t.Fatal(err)
	}
	fragments := stage(t, c, table, rows(1, 100))
	c.Discard(fragments)
	c.Discard(fragments)
	if pool.Used() != 0 {
		t.Errorf("%d bytes are left of abandoned writes", pool.Used())
	}
	if _, err := c.Append(table, fragments); err == nil {
		t.Error("discarded fragments can be appended")
	}
	if fragments := stage(t, c, table); fragments != nil {
		t.Error("a sink without rows gives fragments")
	}
}

func TestOutOfMemory(t *testing.T) {
	pool := memory.NewRoot("tables", 1<<20)
	c := New("here", pool)
	table := c.Create("public", "big", connectors.Temporary, columns())
	ctx := context.Background()
	sink, err := c.Write(ctx, connectors.WriteRequest{Target: c.Target(table)})
	if err != nil {
		t.Fatal(err)
	}
	for err == nil && pool.Used() <= 1<<20 {
		err = sink.Append(ctx, rows(1, 2048))
	}
	if err == nil || !strings.Contains(err.Error(), "table big") {
		t.Errorf("a table outgrows its pool: %v", err)
	}
	if err := sink.Abort(ctx); err != nil || pool.Used() != 0 {
		t.Errorf("%d bytes are left, %v", pool.Used(), err)
	}
}

func TestDroppedWhileRead(t *testing.T) {
	c, _ := newConnector()
	table := appendTo(t, c, c.Create("public", "t", connectors.Temporary, columns()), rows(1, 10))
	c.Drop(table)
	_, err := c.Splits(context.Background(), connectors.Scan{Name: "t", Handle: table.Handle}, nil)
	if err == nil || !strings.Contains(err.Error(), `relation "t" does not exist`) {
		t.Errorf("a dropped table: %v", err)
	}
}

// even lets rows of even id pass; the id is the second column of a scan by read.
type even struct{}

func (even) Stages() int       { return 1 }
func (even) Columns(int) []int { return []int{1} }
func (even) Apply(_ int, b *vec.Batch) error {
	passed := []int32{}
	for row, id := range vec.Values[int64](&b.Cols[1])[:b.Len] {
		if id%2 == 0 {
			passed = append(passed, int32(row))
		}
	}
	b.Sel = passed
	return nil
}

func TestFilter(t *testing.T) {
	c, _ := newConnector()
	table := appendTo(t, c, c.Create("public", "t", connectors.Temporary, columns()), rows(1, 1), rows(2, 3000))
	var evens []string
	for _, text := range want(1, 3001) {
		var id int
		fmt.Sscan(text, &id)
		if id%2 == 0 {
			evens = append(evens, text)
		}
	}
	check(t, read(t, c, table, even{}), evens)
}

func TestStats(t *testing.T) {
	c, _ := newConnector()
	table := c.Create("public", "t", connectors.Temporary, columns())
	if stats, err := c.Stats(table); err != nil || stats.Rows != 0 || !stats.Exact {
		t.Errorf("an empty table: %+v, %v", stats, err)
	}
	table = appendTo(t, c, table, rows(1, 2048), rows(2049, 2048), rows(4097, 20_000))
	stats, err := c.Stats(table)
	if err != nil {
		t.Fatal(err)
	}
	id, name := stats.Columns[0], stats.Columns[1]
	if stats.Rows != 24_096 || id.Minimum.I64 != 1 || id.Maximum.I64 != 24_096 || id.NullFraction != 0 {
		t.Errorf("id: %+v", id)
	}
	if id.Distinct < 20_000 || id.Distinct > 24_096 {
		t.Errorf("id is said to have %v different values", id.Distinct)
	}
	if name.NullFraction < 0.199 || name.NullFraction > 0.2 || name.Minimum.Str != "n1" || name.Maximum.Str != "the name of number 9999" {
		t.Errorf("name: %+v, %s … %s", name, name.Minimum.Str, name.Maximum.Str)
	}
	few := c.Create("public", "few", connectors.Temporary, columns()[:1])
	repeated := vec.NewBatch([]types.Type{types.Of(types.Int64)}, 20_000)
	for i := range repeated.Len {
		repeated.Cols[0].SetDatum(i, types.IntDatum(int64(i%7)-3))
	}
	stats, err = c.Stats(appendTo(t, c, few, repeated))
	if err != nil || stats.Columns[0].Distinct != 7 || stats.Columns[0].Minimum.I64 != -3 {
		t.Errorf("seven values: %+v, %v", stats.Columns[0], err)
	}
}

// TestConcurrentWriters: sinks of several drivers and readers of older versions do not disturb each other.
func TestConcurrentWriters(t *testing.T) {
	c, _ := newConnector()
	table := appendTo(t, c, c.Create("public", "t", connectors.Temporary, columns()), rows(1, 100))
	fragments := make([][]connectors.Fragment, 8)
	var group sync.WaitGroup
	for driver := range fragments {
		group.Go(func() {
			fragments[driver] = stage(t, c, table, rows(101+driver*100, 60), rows(161+driver*100, 40))
			check(t, read(t, c, table, nil), want(1, 100))
		})
	}
	group.Wait()
	all, err := c.Append(table, slices.Concat(fragments...))
	if err != nil {
		t.Fatal(err)
	}
	check(t, read(t, c, all, nil), want(1, 900))
}

func TestBadPayloads(t *testing.T) {
	c, _ := newConnector()
	table := appendTo(t, c, c.Create("public", "t", connectors.Temporary, columns()), rows(1, 10))
	for _, payload := range []string{``, `{"From":0,"To":2}`, `{"From":-1,"To":0}`, `{"From":1,"To":0}`} {
		if _, err := c.Read(context.Background(), connectors.ReadRequest{
			Scan:  connectors.Scan{Handle: table.Handle},
			Split: connectors.Split{Payload: json.RawMessage(payload)},
		}); err == nil {
			t.Errorf("Read takes the split %q", payload)
		}
	}
	if _, err := c.Append(table, []connectors.Fragment{{Payload: json.RawMessage(`{"Piece":12345}`)}}); err == nil {
		t.Error("Append takes an unknown fragment")
	}
}
