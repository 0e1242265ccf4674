package functions

import (
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// windowFunc is a window function without state of its own.
type windowFunc func(p *fn.WindowPartition, out *vec.Vector) error

func (f windowFunc) Evaluate(p *fn.WindowPartition, out *vec.Vector) error { return f(p, out) }

func window(f windowFunc) fn.Window {
	return fn.Window{New: func(fn.Call) (fn.WindowEvaluator, error) { return f, nil }}
}

func windowRow(name, doc, example string, p []fn.Param, result types.Type, impl fn.Window) fn.Overload {
	return fn.Overload{Name: name, Params: p, ResultType: result, Nulls: fn.Called, Category: categoryWindow, Doc: doc, Example: example, Impl: impl}
}

func rankingWindows() []fn.Overload {
	return []fn.Overload{
		windowRow("row_number", "Number of the row within its partition, from 1.", "row_number() OVER (ORDER BY x) → 1", nil, bigint, window(rowNumber)),
		windowRow("rank", "Number of the first of the row's peers: with gaps.", "rank() OVER (ORDER BY x) → 1", nil, bigint, window(rank)),
		windowRow("dense_rank", "Number of the row's group of peers: without gaps.", "dense_rank() OVER (ORDER BY x) → 1", nil, bigint, window(denseRank)),
		windowRow("percent_rank", "(rank - 1) / (rows - 1), 0 for a single row.", "percent_rank() OVER (ORDER BY x) → 0", nil, double, window(percentRank)),
		windowRow("cume_dist", "Share of the partition's rows that come before the row or are its peers.", "cume_dist() OVER (ORDER BY x) → 1", nil, double, window(cumeDist)),
		windowRow("ntile", "Number of the bucket when the partition is cut into n parts of nearly equal size.", "ntile(2) OVER (ORDER BY x) → 1", params("n", integer), integer, window(ntile)),
	}
}

func rowNumber(p *fn.WindowPartition, out *vec.Vector) error {
	out.Resize(bigint, p.Rows)
	o := vec.Values[int64](out)
	for i := range o {
		o[i] = int64(i) + 1
	}
	return nil
}

func rank(p *fn.WindowPartition, out *vec.Vector) error {
	out.Resize(bigint, p.Rows)
	o := vec.Values[int64](out)
	for i := range o {
		o[i] = int64(p.PeerStart[i]) + 1
	}
	return nil
}

func denseRank(p *fn.WindowPartition, out *vec.Vector) error {
	out.Resize(bigint, p.Rows)
	o := vec.Values[int64](out)
	number := int64(0)
	for i := range o {
		if int(p.PeerStart[i]) == i {
			number++
		}
		o[i] = number
	}
	return nil
}

func percentRank(p *fn.WindowPartition, out *vec.Vector) error {
	out.Resize(double, p.Rows)
	o := vec.Values[float64](out)
	for i := range o {
		o[i] = 0
		if p.Rows > 1 {
			o[i] = float64(p.PeerStart[i]) / float64(p.Rows-1)
		}
	}
	return nil
}

func cumeDist(p *fn.WindowPartition, out *vec.Vector) error {
	out.Resize(double, p.Rows)
	o := vec.Values[float64](out)
	for i := range o {
		o[i] = float64(p.PeerEnd[i]) / float64(p.Rows)
	}
	return nil
}

// ntile takes the bucket count of the partition's first row, as PostgreSQL does.
func ntile(p *fn.WindowPartition, out *vec.Vector) error {
	out.Resize(integer, p.Rows)
	if p.Rows == 0 {
		return nil
	}
	if p.Args[0].IsNull(0) {
		for i := range p.Rows {
			out.SetNull(i)
		}
		return nil
	}
	buckets := int(vec.Values[int32](p.Args[0])[0])
	if buckets <= 0 {
		return errorf(sqlerr.Code("22014"), "argument of ntile must be greater than zero")
	}
	o := vec.Values[int32](out)
	size, larger := p.Rows/buckets, p.Rows%buckets
	for i := range o {
		if cut := larger * (size + 1); i < cut {
			o[i] = int32(i/(size+1)) + 1
		} else {
			o[i] = int32(larger+(i-cut)/max(size, 1)) + 1
		}
	}
	return nil
}
