package orc

import (
	"sync/atomic"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/types"
)

// prunable gives the field that a domain speaks of, nil when its statistics tell nothing.
func (f *File) prunable(columns []ColumnRequest, d *Domain) *node {
	request := columns[d.Column]
	if request.Field < 0 || !f.fields[request.Field].flat() || !scan.Prunable(request.Type) {
		return nil
	}
	if n := f.fields[request.Field]; n.kind != kindChar && n.typ.Kind != types.Unknown {
		return n
	}
	return nil
}

// stripeExcluded tells whether the footer proves that no row of a stripe lies in all domains.
func (f *File) stripeExcluded(stripe int, columns []ColumnRequest, domains []Domain) bool {
	for i := range domains {
		d := &domains[i]
		request := columns[d.Column]
		if request.Field == MissingField && !d.Nulls {
			return true
		}
		if n := f.prunable(columns, d); n != nil && n.excludes(d, request.Type, f.StripeStats(stripe, request.Field)) {
			return true
		}
	}
	return false
}

// wantedRows gives the rows of a range that may lie in all domains, by the row index.
func (s *openStripe) wantedRows(within rowRange, domains []Domain) ([]rowRange, error) {
	f := s.reader.file
	stride := int(f.meta.stride)
	if stride == 0 || len(domains) == 0 {
		return []rowRange{within}, nil
	}
	first, last := within.from/stride, (within.to+stride-1)/stride
	keep := make([]bool, last)
	for g := first; g < last; g++ {
		keep[g] = true
	}
	kept := func() (n int64) {
		for _, k := range keep {
			if k {
				n++
			}
		}
		return n
	}
	left := kept()
	count := func(by *atomic.Int64) {
		now := kept()
		scan.Count(by, left-now)
		left = now
	}
	for i := range domains {
		d := &domains[i]
		n := f.prunable(s.reader.options.Columns, d)
		if n == nil || s.index[n.id] == nil {
			continue
		}
		wanted := s.reader.options.Columns[d.Column].Type
		for g := first; g < last; g++ {
			rows := min(int64(stride), s.info.rows-int64(g)*int64(stride))
			keep[g] = keep[g] && !n.excludes(d, wanted, f.statsOf(n, s.index[n.id][g].statistics, rows))
		}
		count(s.reader.options.Counters.PrunedByIndex)
		if err := s.bloomKeeps(keep, n, d, wanted); err != nil {
			return nil, err
		}
		count(s.reader.options.Counters.PrunedByBloom)
	}
	var out []rowRange
	for g := first; g < last; g++ {
		if !keep[g] {
			continue
		}
		from, to := g*stride, min((g+1)*stride, within.to)
		if len(out) > 0 && out[len(out)-1].to == from {
			out[len(out)-1].to = to
		} else {
			out = append(out, rowRange{from, to})
		}
	}
	return out, nil
}
