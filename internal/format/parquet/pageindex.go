package parquet

import (
	"context"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/objstore/metadata"
)

// rowRange is a run of rows of a row group.
type rowRange struct{ from, to int }

// columnIndex is what the page index tells of a chunk's pages.
type columnIndex struct {
	onlyNulls      []bool
	minima, maxima [][]byte
	nulls          []int64 // nil: unknown
	firstRows      []int64
}

// worthIndex is the size of a row group's wanted chunks from which on its page index is looked at.
const worthIndex = 1 << 20

// neededRows gives the runs of rows of a row group that may lie in all domains, by the page indexes
// of their columns; nil means all rows.
func (r *Reader) neededRows(ctx context.Context, group int, domains []Domain) ([]rowRange, error) {
	if len(domains) == 0 || r.wantedBytes(group) < worthIndex {
		return nil, nil
	}
	var needed []rowRange
	for i := range domains {
		d := &domains[i]
		request := r.options.Columns[d.Column]
		if request.Field < 0 || !r.file.fields[request.Field].flat() || !scan.Prunable(request.Type) {
			continue
		}
		l := r.file.fields[request.Field].leaf
		chunk := &r.file.meta.groups[group].chunks[l.column]
		if chunk.columnIndexLength <= 0 || chunk.offsetIndexLength <= 0 {
			continue
		}
		index, err := r.readIndex(ctx, group, l.column, chunk)
		if err != nil {
			return nil, r.damaged(err, group, l.path, "page index")
		}
		runs := r.matchingPages(d, l, index, int(r.file.meta.groups[group].rows))
		if needed == nil {
			needed = runs
		} else {
			needed = intersect(needed, runs)
		}
	}
	return needed, nil
}

// wantedBytes is the size of the chunks that are read of a row group.
func (r *Reader) wantedBytes(group int) (total int64) {
	for _, request := range r.options.Columns {
		if request.Field >= 0 {
			for _, l := range r.file.fields[request.Field].leaves(nil) {
				total += r.file.meta.groups[group].chunks[l.column].compressed
			}
		}
	}
	return total
}

// readIndex gives the page index of a chunk, which is kept.
func (r *Reader) readIndex(ctx context.Context, group, column int, chunk *chunkMeta) (*columnIndex, error) {
	key := metadata.Of(r.file.store, r.file.object, metadata.PageIndex, group, column)
	return metadata.Load(ctx, r.options.Metadata, key, func() (*columnIndex, int64, error) {
		index, err := r.fetchIndex(ctx, chunk)
		return &index, 2*int64(chunk.columnIndexLength) + 64*int64(len(index.firstRows)), err
	})
}

func (r *Reader) fetchIndex(ctx context.Context, chunk *chunkMeta) (columnIndex, error) {
	size := r.file.object.Size
	ranges := []objstore.Range{{Offset: chunk.columnIndexOffset, Length: int64(chunk.columnIndexLength)},
		{Offset: chunk.offsetIndexOffset, Length: int64(chunk.offsetIndexLength)}}
	budget, release := scan.PoolBudget(ctx, r.options.Pool, "Parquet page index")
	defer release()
	var buffers [][]byte
	for _, x := range ranges {
		if x.Offset < 0 || x.Offset > size || x.Length > size-x.Offset {
			return columnIndex{}, errThrift
		}
		if err := budget.Take(x.Length); err != nil {
			return columnIndex{}, err
		}
		buffers = append(buffers, make([]byte, x.Length))
	}
	if err := r.fetch(ctx, ranges, buffers); err != nil {
		return columnIndex{}, err
	}
	x, err := decodeIndex(buffers[0], buffers[1], budget)
	if short := budget.Err(); short != nil {
		return x, short
	}
	return x, err
}

func decodeIndex(bounds, locations []byte, budget *scan.Budget) (x columnIndex, err error) {
	const memory = 2 * 24 // of an entry: a bound, at most
	r := &thriftReader{data: bounds, budget: budget}
	r.fields(func(id int16, kind byte) bool {
		if kind != thriftList || id < 1 || id == 4 || id > 5 {
			return false
		}
		n, element := r.list()
		for range n {
			if r.take(memory); r.failed {
				break
			}
			switch {
			case id == 1 && (element == thriftTrue || element == thriftFalse):
				x.onlyNulls = append(x.onlyNulls, r.byte() == thriftTrue)
			case id == 2 && element == thriftBinary:
				x.minima = append(x.minima, r.bytes())
			case id == 3 && element == thriftBinary:
				x.maxima = append(x.maxima, r.bytes())
			case id == 5 && element == thriftI64:
				x.nulls = append(x.nulls, r.i64())
			default:
				r.fail()
			}
		}
		return true
	})
	o := &thriftReader{data: locations, budget: budget}
	o.fields(func(id int16, kind byte) bool {
		if id != 1 || kind != thriftList {
			return false
		}
		n, _ := o.list()
		for range n {
			if o.take(memory); o.failed {
				break
			}
			first := int64(-1)
			o.fields(func(id int16, kind byte) bool {
				if id != 3 || kind != thriftI64 {
					return false
				}
				first = o.i64()
				return true
			})
			if before := len(x.firstRows); first < 0 || before > 0 && first <= x.firstRows[before-1] || before == 0 && first != 0 {
				o.fail()
			}
			x.firstRows = append(x.firstRows, first)
		}
		return true
	})
	n := len(x.firstRows)
	if r.failed || o.failed || n == 0 || len(x.onlyNulls) != n || len(x.minima) != n || len(x.maxima) != n || x.nulls != nil && len(x.nulls) != n {
		return x, errThrift
	}
	return x, nil
}

// matchingPages gives the rows of the pages that may hold values of d; never nil.
func (r *Reader) matchingPages(d *Domain, l *leaf, x *columnIndex, rows int) []rowRange {
	target := r.options.Columns[d.Column].Type
	out := []rowRange{}
	scan.Count(r.options.Counters.Pages, int64(len(x.firstRows)))
	for p := range x.firstRows {
		from, to := int(x.firstRows[p]), rows
		if p+1 < len(x.firstRows) {
			to = min(int(x.firstRows[p+1]), rows)
		}
		keep := d.Nulls && (x.onlyNulls[p] || x.nulls == nil || x.nulls[p] > 0)
		if !keep && !x.onlyNulls[p] {
			low, high := r.file.bounds(l, &statistics{minimum: x.minima[p], maximum: x.maxima[p]})
			if !l.typ.Equal(target) {
				low, high = castBounds(l, target, low, high)
			}
			keep = !d.Outside(low, high, target.Physical())
		}
		if !keep || from >= to {
			scan.Count(r.options.Counters.PagesPruned, 1)
			continue
		}
		if n := len(out); n > 0 && out[n-1].to == from {
			out[n-1].to = to
		} else {
			out = append(out, rowRange{from, to})
		}
	}
	return out
}

func intersect(a, b []rowRange) []rowRange {
	out := []rowRange{}
	for len(a) > 0 && len(b) > 0 {
		if from, to := max(a[0].from, b[0].from), min(a[0].to, b[0].to); from < to {
			out = append(out, rowRange{from, to})
		}
		if a[0].to < b[0].to {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return out
}
