package optest

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"strconv"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Row is one row of values.
type Row []types.Datum

// Table is an input of a case.
type Table struct {
	Types []types.Type
	Rows  []Row
}

// Tables is a connector over tables in memory. Each split is a slice of rows; batches come in random
// encodings and under random selections.
type Tables struct {
	Tables map[string]Table
	Seed   uint64
	// SplitRows is the number of rows a split, 100 by default.
	SplitRows int
	// Endless names a table whose splits give their rows again and again.
	Endless string
}

// Scan gives a plan node that reads all of a table.
func (c *Tables) Scan(name string) *plan.Scan {
	t := c.Tables[name]
	scan := &plan.Scan{Scan: connectors.Scan{Connector: "tables", Name: name}}
	for i, typ := range t.Types {
		column := "c" + strconv.Itoa(i)
		scan.Scan.Columns = append(scan.Scan.Columns, connectors.ScanColumn{Ordinal: i, Name: column, Type: typ})
		scan.Output = append(scan.Output, i)
		scan.Out = append(scan.Out, types.Field{Name: column, Type: typ, Nullable: true})
	}
	return scan
}

type splitList struct{ rest []connectors.Split }

func (s *splitList) Next(_ context.Context, most int) ([]connectors.Split, error) {
	n := min(most, len(s.rest))
	if n == 0 {
		return nil, nil
	}
	out := s.rest[:n]
	s.rest = s.rest[n:]
	return out, nil
}

func (s *splitList) Close() error { return nil }

// Splits cuts the table.
func (c *Tables) Splits(_ context.Context, scan connectors.Scan, _ connectors.FilterFeed) (connectors.SplitSource, error) {
	size := c.SplitRows
	if size == 0 {
		size = 100
	}
	out := &splitList{}
	for at := 0; at < len(c.Tables[scan.Name].Rows); at += size {
		payload, err := json.Marshal([2]int{at, min(at+size, len(c.Tables[scan.Name].Rows))})
		if err != nil {
			return nil, err
		}
		out.rest = append(out.rest, connectors.Split{Payload: payload})
	}
	return out, nil
}

// Read gives a split's rows.
func (c *Tables) Read(_ context.Context, request connectors.ReadRequest) (vec.Source, error) {
	var bounds [2]int
	if err := json.Unmarshal(request.Split.Payload, &bounds); err != nil {
		return nil, err
	}
	return &reader{table: c.Tables[request.Scan.Name], at: bounds[0], end: bounds[1], filter: request.Filter,
		random: rand.New(rand.NewPCG(c.Seed, uint64(bounds[0]))), columns: request.Scan.Columns, stats: request.Stats, start: bounds[0], endless: c.Endless == request.Scan.Name}, nil
}

type reader struct {
	table   Table
	at, end int
	filter  connectors.RowFilter
	random  *rand.Rand
	columns []connectors.ScanColumn
	stats   *connectors.ScanStats
	start   int
	endless bool
}

func (r *reader) Close() error { return nil }

func (r *reader) Next(context.Context) (*vec.Batch, error) {
	if r.endless && r.at == r.end {
		r.at = r.start
	}
	n := min(r.end-r.at, 1+r.random.IntN(70))
	if n <= 0 {
		return nil, nil
	}
	rows := r.table.Rows[r.at : r.at+n]
	r.at += n
	r.stats.RowsRead.Add(int64(n))
	b := r.encode(rows)
	if r.filter != nil {
		for stage := range r.filter.Stages() {
			if err := r.filter.Apply(stage, b); err != nil {
				return nil, err
			}
		}
	}
	return b, nil
}

// encode makes a batch of rows, sometimes with rows in between that are not selected.
func (r *reader) encode(rows []Row) *vec.Batch {
	places := make([]int, 0, 2*len(rows)) // row of each position, -1: garbage
	var selected []int32
	sparse := r.random.IntN(2) == 0
	for i := range rows {
		for sparse && r.random.IntN(3) == 0 {
			places = append(places, -1)
		}
		selected = append(selected, int32(len(places)))
		places = append(places, i)
	}
	b := &vec.Batch{Len: len(places)}
	if sparse {
		b.Sel = selected
	}
	for _, c := range r.columns {
		values := make([]types.Datum, len(places))
		for at, i := range places {
			if i < 0 {
				i = r.random.IntN(len(rows))
			}
			values[at] = rows[i][c.Ordinal]
		}
		b.Cols = append(b.Cols, *r.column(c.Type, values, selected))
	}
	return b
}

// column encodes values: constant where the selected ones are equal, else flat or as a dictionary.
func (r *reader) column(t types.Type, values []types.Datum, selected []int32) *vec.Vector {
	same := true
	for _, i := range selected {
		same = same && Text(t, values[i]) == Text(t, values[selected[0]])
	}
	if same && r.random.IntN(2) == 0 {
		return vec.NewConst(t, values[selected[0]], len(values))
	}
	if t.Physical() != types.PhysNone && t.Physical() != types.PhysRow && r.random.IntN(3) == 0 {
		if v := dictionary(t, values); v != nil {
			return v
		}
	}
	v := vec.NewFlat(t, 0)
	for _, d := range values {
		v.AppendDatum(d)
	}
	return v
}

func dictionary(t types.Type, values []types.Datum) *vec.Vector {
	entries, codes := vec.NewFlat(t, 0), map[string]int32{}
	v := &vec.Vector{}
	list := make([]int32, len(values))
	var nulls []int
	for i, d := range values {
		if d.Null {
			nulls = append(nulls, i)
			continue
		}
		text := Text(t, d)
		code, known := codes[text]
		if !known {
			code = int32(entries.Len)
			codes[text] = code
			entries.AppendDatum(d)
		}
		list[i] = code
	}
	if entries.Len == 0 {
		return nil
	}
	v.ResizeDict(entries, 0, len(values))
	copy(v.Codes(), list)
	if nulls != nil {
		valid := v.MakeValid()
		for _, i := range nulls {
			valid.Clear(i)
		}
	}
	return v
}
