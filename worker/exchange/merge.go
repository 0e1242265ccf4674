package exchange

import (
	"context"

	"github.com/tarnlake/tarn/exec/order"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/vec"
	"github.com/tarnlake/tarn/internal/vec/page"
)

// merge gives the rows of producers that are sorted each, in the order of all.
type merge struct {
	box   *inbox
	order []plan.SortKey
	size  int
	begun bool
	runs  []*mergeRun
	heads order.Heads
	out   vec.Batch
}

// mergeRun is where the merge stands in one producer's rows.
type mergeRun struct {
	feeder *feeder
	taken  int64
	batch  vec.Batch
	row    int
	keys   []byte
	ends   []int // of each row's key

	list   []int32 // rows taken for the output being made …
	places []int32 // … and where they go
}

func newMerge(box *inbox, order []plan.SortKey, size int) *merge {
	m := &merge{box: box, order: order, size: size}
	for _, f := range box.feeders {
		m.runs = append(m.runs, &mergeRun{feeder: f})
	}
	return m
}

func (r *mergeRun) key() []byte {
	from := 0
	if r.row > 0 {
		from = r.ends[r.row-1]
	}
	return r.keys[from:r.ends[r.row]]
}

// load waits for a run's next page; false at its end.
func (m *merge) load(ctx context.Context, r *mergeRun) (bool, error) {
	m.box.pool.Release(r.taken)
	r.taken = 0
	p, err := m.box.take(ctx, r.feeder)
	if p.Bytes == nil || err != nil {
		return false, err
	}
	r.taken = int64(len(p.Bytes))
	if err := page.Decode(p.Bytes, m.box.columns, &r.batch); err != nil {
		return false, err
	}
	r.row, r.keys, r.ends = 0, r.keys[:0], r.ends[:0]
	for i := range r.batch.Len {
		for _, k := range m.order {
			r.keys = order.AppendKey(r.keys, &r.batch.Cols[k.Column], i, k)
		}
		r.ends = append(r.ends, len(r.keys))
	}
	return true, nil
}

func (m *merge) begin(ctx context.Context) error {
	m.begun = true
	for i, r := range m.runs {
		more, err := m.load(ctx, r)
		if err != nil {
			return err
		}
		if more {
			m.heads.Add(i, r.key())
		}
	}
	return nil
}

// Next merges up to a batch, or to the end of one run's page: its rows must be taken before the next
// page replaces it.
func (m *merge) Next(ctx context.Context) (*vec.Batch, error) {
	if !m.begun {
		if err := m.begin(ctx); err != nil {
			return nil, err
		}
	}
	if m.heads.Len() > 0 {
		if r := m.runs[m.heads.First()]; r.row == r.batch.Len {
			if err := m.refill(ctx, r); err != nil {
				return nil, err
			}
		}
	}
	rows := int32(0)
	for int(rows) < m.size && m.heads.Len() > 0 {
		r := m.runs[m.heads.First()]
		r.list, r.places = append(r.list, int32(r.row)), append(r.places, rows)
		rows++
		r.row++
		if r.row == r.batch.Len {
			break
		}
		m.heads.Advance(r.key())
	}
	if rows == 0 {
		return nil, nil
	}
	m.collect(rows)
	return &m.out, nil
}

// refill replaces the page that the first run has come to the end of.
func (m *merge) refill(ctx context.Context, r *mergeRun) error {
	more, err := m.load(ctx, r)
	switch {
	case err != nil:
		return err
	case more:
		m.heads.Advance(r.key())
	default:
		m.heads.Drop()
	}
	return nil
}

// collect makes the output of the rows that were chosen.
func (m *merge) collect(rows int32) {
	var parts []*vec.Batch
	places := make([]int32, rows)
	at := int32(0)
	for _, r := range m.runs {
		if len(r.list) == 0 {
			continue
		}
		part := &vec.Batch{Len: len(r.list), Cols: make([]vec.Vector, len(r.batch.Cols))}
		for c := range part.Cols {
			vec.Gather(&part.Cols[c], &r.batch.Cols[c], r.list)
		}
		parts = append(parts, part)
		for _, place := range r.places {
			places[place] = at
			at++
		}
		r.list, r.places = r.list[:0], r.places[:0]
	}
	if len(parts) == 1 {
		m.out = *parts[0]
		return
	}
	all := vec.Concatenate(parts)
	m.out.Len, m.out.Sel = int(rows), nil
	if len(m.out.Cols) != len(all.Cols) {
		m.out.Cols = make([]vec.Vector, len(all.Cols))
	}
	for c := range all.Cols {
		vec.Gather(&m.out.Cols[c], &all.Cols[c], places)
	}
}

// Close gives the pages' memory back.
func (m *merge) Close() error {
	for _, r := range m.runs {
		m.box.pool.Release(r.taken)
		r.taken = 0
	}
	return nil
}
