package scan

import (
	"context"

	"github.com/tarnlake/tarn/internal/vec"
)

// Loader decodes the columns of a range of rows for an Assembler.
type Loader interface {
	// Prefetch fetches what Read of the columns will need at first, together.
	Prefetch(ctx context.Context, columns []int) error
	// Read makes dst the next n rows of a column or, when pick is not nil, those that it lists
	// (ascending). dst refers to memory that stays untouched until the column's next Read.
	Read(ctx context.Context, column int, dst *vec.Vector, n int, pick []int32) error
	// Skip passes over n rows of a column, without decoding anything yet.
	Skip(column, n int)
}

// maxRange is how many batches' rows a filter sees at once at most.
const maxRange = 8

// Assembler makes batches of a row range: it decodes the columns of the filter's first stage, lets
// the filter narrow the selection, and decodes the others only for the rows that are left. When few
// rows are left the batch is compacted.
type Assembler struct {
	loader    Loader
	filter    RowFilter // nil keeps all
	counters  Counters
	batchSize int
	rangeRows int
	stages    [][]int // columns to load before each stage of the filter
	rest      []int   // columns that no stage needs

	batch   vec.Batch
	main    []vec.Vector // column i as read
	spare   []vec.Vector // column i after compaction
	inSpare []bool
	pick    []int32 // rows of the range that the batch holds; nil: all
	pickOwn [2][]int32
	done    []int // columns loaded in this range
}

// NewAssembler assigns each column to the first stage that needs it.
func NewAssembler(loader Loader, columns int, filter RowFilter, batchSize int, counters Counters) *Assembler {
	a := &Assembler{loader: loader, filter: filter, counters: counters, batchSize: batchSize, rangeRows: batchSize}
	a.main, a.spare, a.inSpare = make([]vec.Vector, columns), make([]vec.Vector, columns), make([]bool, columns)
	a.batch.Cols = make([]vec.Vector, columns)
	taken := make([]bool, columns)
	if filter != nil {
		for s := range filter.Stages() {
			var load []int
			for _, c := range filter.Columns(s) {
				if !taken[c] {
					taken[c] = true
					load = append(load, c)
				}
			}
			a.stages = append(a.stages, load)
		}
	}
	for c := range taken {
		if !taken[c] {
			a.rest = append(a.rest, c)
		}
	}
	return a
}

// RangeRows is how many rows Next should be asked for.
func (a *Assembler) RangeRows() int { return a.rangeRows }

// Skip passes over n rows of all columns.
func (a *Assembler) Skip(n int) {
	for _, load := range a.stages {
		a.skip(load, n)
	}
	a.skip(a.rest, n)
}

func (a *Assembler) skip(columns []int, n int) {
	for _, c := range columns {
		a.loader.Skip(c, n)
	}
}

// Next consumes n rows and gives those that the filter lets through, nil if none. The batch is valid
// until the next call.
func (a *Assembler) Next(ctx context.Context, n int) (*vec.Batch, error) {
	b := &a.batch
	b.Len, b.Sel, a.pick = n, nil, nil
	clear(a.inSpare)
	Count(a.counters.RowsRead, int64(n))
	loaded := 0
	done := a.done[:0]
	for stage, load := range a.stages {
		if err := a.load(ctx, n, load, done); err != nil {
			return nil, err
		}
		done = append(done, load...)
		a.done = done
		loaded = stage + 1
		if err := a.filter.Apply(stage, b); err != nil {
			return nil, err
		}
		if b.Rows() == 0 {
			break
		}
	}
	a.adapt(b.Rows(), n)
	if b.Rows() == 0 {
		for _, load := range a.stages[loaded:] {
			a.skip(load, n)
		}
		a.skip(a.rest, n)
		return nil, nil
	}
	if err := a.load(ctx, n, a.rest, done); err != nil {
		return nil, err
	}
	Count(a.counters.RowsSelected, int64(b.Rows()))
	return b, nil
}

// adapt chooses the next range's size so that selective filters still give batches worth handing on.
func (a *Assembler) adapt(selected, n int) {
	switch {
	case a.filter == nil:
	case selected*8 < n && a.rangeRows < maxRange*a.batchSize:
		a.rangeRows *= 2
	case selected > a.batchSize && a.rangeRows > a.batchSize:
		a.rangeRows /= 2
	}
}

// load reads columns for the rows that are still selected; done lists the columns already in the batch.
func (a *Assembler) load(ctx context.Context, n int, columns, done []int) error {
	if len(columns) == 0 {
		return nil
	}
	b := &a.batch
	if b.Sel != nil {
		if a.pick == nil && len(b.Sel)*4 < n || a.pick != nil && len(b.Sel)*2 < len(a.pick) {
			a.compact(done)
		}
	}
	if err := a.loader.Prefetch(ctx, columns); err != nil {
		return err
	}
	for _, at := range columns {
		if err := a.loader.Read(ctx, at, &a.main[at], n, a.pick); err != nil {
			return err
		}
		b.Cols[at].Alias(&a.main[at])
	}
	return nil
}

// compact drops the rows that are not selected.
func (a *Assembler) compact(done []int) {
	b := &a.batch
	own := &a.pickOwn[0]
	if a.pick != nil && len(a.pickOwn[0]) > 0 && &a.pick[0] == &a.pickOwn[0][0] {
		own = &a.pickOwn[1]
	}
	*own = append((*own)[:0], b.Sel...)
	if a.pick != nil {
		for i, at := range b.Sel {
			(*own)[i] = a.pick[at]
		}
	}
	for _, at := range done {
		from, to := &a.main[at], &a.spare[at]
		if a.inSpare[at] {
			from, to = to, from
		}
		vec.Gather(to, from, b.Sel)
		a.inSpare[at] = !a.inSpare[at]
		b.Cols[at].Alias(to)
	}
	a.pick = *own
	b.Len, b.Sel = len(a.pick), nil
}
