package input

import (
	"context"
	"testing"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// list gives its batches and notes that it was closed.
type list struct {
	batches []*vec.Batch
	closed  int
}

func (l *list) Next(context.Context) (*vec.Batch, error) {
	if len(l.batches) == 0 {
		return nil, nil
	}
	b := l.batches[0]
	l.batches = l.batches[1:]
	return b, nil
}

func (l *list) Close() error {
	l.closed++
	return nil
}

// even keeps the even values of the first column.
type even struct{}

func (even) Stages() int       { return 1 }
func (even) Columns(int) []int { return []int{0} }
func (even) Apply(_ int, b *vec.Batch) error {
	var kept []int32
	for i, v := range vec.Values[int64](&b.Cols[0]) {
		if v%2 == 0 {
			kept = append(kept, int32(i))
		}
	}
	b.Sel = kept
	if kept == nil {
		b.Sel = []int32{}
	}
	return nil
}

func numbers(from, n int64) *vec.Batch {
	b := vec.NewBatch([]types.Type{types.Of(types.Text), types.Of(types.Int64)}, int(n))
	for i := range n {
		b.Cols[0].SetString(int(i), "row")
		b.Cols[1].SetDatum(int(i), types.IntDatum(from+i))
	}
	return b
}

func TestInputIsReadOnce(t *testing.T) {
	c := New("here")
	rows := &list{batches: []*vec.Batch{numbers(1, 1), numbers(2, 3)}}
	columns := types.Schema{{Name: "a", Type: types.Of(types.Text), Nullable: true}, {Name: "b", Type: types.Of(types.Int64)}}
	table, release := c.Table("t", columns, rows)
	if len(table.Columns) != 2 || table.Columns[0].NotNull || !table.Columns[1].NotNull {
		t.Fatalf("columns %+v", table.Columns)
	}
	scan := connectors.Scan{Connector: Name, Name: "t", Handle: table.Handle, Columns: []connectors.ScanColumn{{Ordinal: 1, Name: "b", Type: types.Of(types.Int64)}}}
	from, err := c.Splits(t.Context(), scan, nil)
	if err != nil {
		t.Fatal(err)
	}
	splits, err := from.Next(t.Context(), 10)
	if err != nil || len(splits) != 1 || splits[0].Node != "here" {
		t.Fatalf("splits %+v, %v", splits, err)
	}
	request := connectors.ReadRequest{Scan: scan, Split: splits[0], Filter: even{}, Stats: &connectors.ScanStats{}}
	source, err := c.Read(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	var got []int64
	for {
		b, err := source.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			break
		}
		for _, row := range b.Sel {
			got = append(got, b.Cols[0].Datum(int(row)).I64)
		}
	}
	if len(got) != 2 || got[0] != 2 || got[1] != 4 {
		t.Errorf("rows %v", got)
	}
	if read, selected := request.Stats.RowsRead.Load(), request.Stats.RowsSelected.Load(); read != 4 || selected != 2 {
		t.Errorf("read %d, selected %d", read, selected)
	}
	if _, err := c.Read(t.Context(), request); err == nil {
		t.Error("read twice")
	}
	if err := source.Close(); err != nil {
		t.Fatal(err)
	}
	if release(); rows.closed != 1 {
		t.Errorf("closed %d times", rows.closed)
	}
}

func TestReleaseClosesUnreadInput(t *testing.T) {
	rows := &list{}
	_, release := New("").Table("t", nil, rows)
	if release(); rows.closed != 1 {
		t.Errorf("closed %d times", rows.closed)
	}
}
