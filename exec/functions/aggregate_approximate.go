package functions

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"sort"

	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/colstats"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

const (
	sketchBits      = 11 // registers: the ones that colstats estimates from, 2.3 % standard error
	sketchRegisters = 1 << sketchBits
	fewHashes       = 192 // below this a group keeps the hashes themselves, and the count is exact
)

// distinctState is a HyperLogLog sketch that starts as a sorted set of hashes.
type distinctState struct {
	hashes []uint64
	ranks  []uint8
}

// scramble makes every bit of a hash depend on all others: registers and ranks come from different
// ends of it.
func scramble(h uint64) uint64 {
	h = (h ^ h>>33) * 0xFF51AFD7ED558CCD
	h = (h ^ h>>33) * 0xC4CEB9FE1A85EC53
	return h ^ h>>33
}

func (d *distinctState) add(h uint64) {
	if d.ranks != nil {
		d.rank(h)
		return
	}
	at, found := slices.BinarySearch(d.hashes, h)
	if found {
		return
	}
	if len(d.hashes) < fewHashes {
		d.hashes = slices.Insert(d.hashes, at, h)
		return
	}
	d.spread()
	d.rank(h)
}

// spread turns the set into registers.
func (d *distinctState) spread() {
	d.ranks = make([]uint8, sketchRegisters)
	for _, h := range d.hashes {
		d.rank(h)
	}
	d.hashes = nil
}

func (d *distinctState) rank(h uint64) {
	at := h >> (64 - sketchBits)
	rank := uint8(bits.LeadingZeros64(h<<sketchBits|1<<(sketchBits-1))) + 1
	if rank > d.ranks[at] {
		d.ranks[at] = rank
	}
}

func (d *distinctState) count() int64 {
	if d.ranks == nil {
		return int64(len(d.hashes))
	}
	return int64(math.Round(colstats.SketchOf(d.ranks).Estimate()))
}

// pack writes a state: hashes as 8 bytes each, or all registers, told apart by the length.
func (d *distinctState) pack() []byte {
	if d.ranks != nil {
		return d.ranks
	}
	out := make([]byte, 0, 8*len(d.hashes))
	for _, h := range d.hashes {
		out = binary.LittleEndian.AppendUint64(out, h)
	}
	return out
}

func (d *distinctState) merge(packed []byte) {
	if len(packed) == sketchRegisters {
		if d.ranks == nil {
			d.spread()
		}
		for i, rank := range packed {
			d.ranks[i] = max(d.ranks[i], rank)
		}
		return
	}
	for ; len(packed) >= 8; packed = packed[8:] {
		d.add(binary.LittleEndian.Uint64(packed))
	}
}

// distinctCounts is the accumulator of approx_distinct.
type distinctCounts struct {
	states []distinctState
	hashes []uint64
	held   int64
}

func (c *distinctCounts) Resize(n int) { c.states = grow(c.states, n) }
func (c *distinctCounts) Reset() {
	clear(c.states)
	c.states, c.held = c.states[:0], 0
}
func (c *distinctCounts) Bytes() int64 { return int64(cap(c.states))*48 + c.held }

func (c *distinctCounts) Update(groups []int32, args []*vec.Vector, rows []int32) error {
	v := args[0]
	if cap(c.hashes) < v.Len {
		c.hashes = make([]uint64, v.Len)
	}
	hashes := c.hashes[:v.Len]
	kernel.Hash(hashes, v, rows, true)
	for k, g := range groups {
		at := rowAt(rows, k)
		if v.MayHaveNulls() && v.IsNull(at) {
			continue
		}
		c.grown(&c.states[g], func(s *distinctState) { s.add(scramble(hashes[at])) })
	}
	return nil
}

// grown runs a change and accounts for the memory that it took.
func (c *distinctCounts) grown(s *distinctState, change func(*distinctState)) {
	before := cap(s.hashes)*8 + cap(s.ranks)
	change(s)
	c.held += int64(cap(s.hashes)*8 + cap(s.ranks) - before)
}

func (c *distinctCounts) Merge(groups []int32, partial []*vec.Vector, rows []int32) error {
	for k, g := range groups {
		if at := rowAt(rows, k); !partial[0].IsNull(at) {
			c.grown(&c.states[g], func(s *distinctState) { s.merge(partial[0].Bytes(at)) })
		}
	}
	return nil
}

func (c *distinctCounts) Partial(from, n int, out []*vec.Vector) error {
	out[0].Resize(bytea, n)
	for i := range n {
		out[0].SetBytes(i, c.states[from+i].pack())
	}
	return nil
}

func (c *distinctCounts) Final(from, n int, out *vec.Vector) error {
	out.Resize(bigint, n)
	o := vec.Values[int64](out)
	for i := range n {
		o[i] = c.states[from+i].count()
	}
	return nil
}

// digest is a t-digest: centroids that are small at both ends of the distribution.
type digest struct {
	means, weights []float64 // sorted by mean, after compress
	pending        []float64 // means and weights in turn
	low, high      float64
}

const digestSize = 200

func (d *digest) add(x, weight float64) {
	if len(d.means) == 0 && len(d.pending) == 0 {
		d.low, d.high = x, x
	}
	d.low, d.high = math.Min(d.low, x), math.Max(d.high, x)
	d.pending = append(d.pending, x, weight)
	if len(d.pending) >= 10*digestSize {
		d.compress()
	}
}

type centroid struct{ mean, weight float64 }

// compress merges neighbours as long as their share of the distribution's scale stays small.
func (d *digest) compress() {
	if len(d.pending) == 0 {
		return
	}
	all := make([]centroid, 0, len(d.means)+len(d.pending)/2)
	total := 0.0
	for i := range d.means {
		all = append(all, centroid{d.means[i], d.weights[i]})
		total += d.weights[i]
	}
	for i := 0; i < len(d.pending); i += 2 {
		all = append(all, centroid{d.pending[i], d.pending[i+1]})
		total += d.pending[i+1]
	}
	sort.Slice(all, func(a, b int) bool { return all[a].mean < all[b].mean })
	d.means, d.weights, d.pending = d.means[:0], d.weights[:0], d.pending[:0]
	scale := func(q float64) float64 { return digestSize / (2 * math.Pi) * math.Asin(2*min(q, 1)-1) }
	done, start := 0.0, scale(0)
	current := all[0]
	for _, c := range all[1:] {
		if scale((done+current.weight+c.weight)/total)-start <= 1 {
			current.mean += (c.mean - current.mean) * c.weight / (current.weight + c.weight)
			current.weight += c.weight
			continue
		}
		d.means, d.weights = append(d.means, current.mean), append(d.weights, current.weight)
		done += current.weight
		start = scale(done / total)
		current = c
	}
	d.means, d.weights = append(d.means, current.mean), append(d.weights, current.weight)
}

// quantile interpolates between the middles of neighbouring centroids.
func (d *digest) quantile(q float64) float64 {
	total := 0.0
	for _, w := range d.weights {
		total += w
	}
	target, before := q*total, 0.0
	lastMiddle, lastMean := 0.0, d.low
	for i, mean := range d.means {
		middle := before + d.weights[i]/2
		if target < middle {
			if middle == lastMiddle {
				return mean
			}
			return lastMean + (mean-lastMean)*(target-lastMiddle)/(middle-lastMiddle)
		}
		before += d.weights[i]
		lastMiddle, lastMean = middle, mean
	}
	if total == lastMiddle {
		return d.high
	}
	return lastMean + (d.high-lastMean)*(target-lastMiddle)/(total-lastMiddle)
}

// digests is the accumulator of approx_percentile: x, [weight,] fraction or fractions.
type digests struct {
	states   []digest
	fraction types.Datum
	known    bool
	call     fn.Call
}

func (a *digests) Resize(n int) { a.states = grow(a.states, n) }
func (a *digests) Reset()       { clear(a.states); a.states = a.states[:0] }
func (a *digests) Bytes() int64 {
	n := int64(cap(a.states)) * 96
	for i := range a.states {
		s := &a.states[i]
		n += int64(cap(s.means)+cap(s.weights)+cap(s.pending)) * 8
	}
	return n
}

func (a *digests) Update(groups []int32, args []*vec.Vector, rows []int32) error {
	last := args[len(args)-1]
	for k, g := range groups {
		at := rowAt(rows, k)
		if !a.known && !last.IsNull(at) {
			a.fraction, a.known = last.Datum(at), true
		}
		if args[0].IsNull(at) {
			continue
		}
		weight := 1.0
		if len(args) == 3 {
			if args[1].IsNull(at) {
				continue
			}
			weight = floatAt(args[1], at)
		}
		if weight > 0 {
			a.states[g].add(floatAt(args[0], at), weight)
		}
	}
	return nil
}

func (a *digests) Merge(groups []int32, partial []*vec.Vector, rows []int32) error {
	for k, g := range groups {
		at := rowAt(rows, k)
		if !a.known && !partial[0].IsNull(at) {
			a.fraction, a.known = partial[0].Datum(at), true
		}
		items := partial[1].Datum(at).Items
		for i := 2; i+1 < len(items); i += 2 {
			s := &a.states[g]
			if i == 2 {
				if len(s.means) == 0 && len(s.pending) == 0 {
					s.low, s.high = items[0].F64, items[1].F64
				}
				s.low, s.high = math.Min(s.low, items[0].F64), math.Max(s.high, items[1].F64)
			}
			low, high := s.low, s.high
			s.add(items[i].F64, items[i+1].F64)
			s.low, s.high = math.Min(low, s.low), math.Max(high, s.high)
			if len(s.means) == 0 && len(s.pending) == 2 {
				s.low, s.high = low, high
			}
		}
	}
	return nil
}

func (a *digests) Partial(from, n int, out []*vec.Vector) error {
	out[0].Resize(a.call.Args[len(a.call.Args)-1], n)
	out[1].Resize(types.ArrayOf(double), n)
	for i := range n {
		s := &a.states[from+i]
		s.compress()
		d := a.fraction
		d.Null = d.Null || !a.known
		out[0].SetDatum(i, d)
		items := []types.Datum{}
		for c := range s.means {
			if c == 0 {
				items = append(items, types.FloatDatum(s.low), types.FloatDatum(s.high))
			}
			items = append(items, types.FloatDatum(s.means[c]), types.FloatDatum(s.weights[c]))
		}
		out[1].SetDatum(i, types.Datum{Items: items})
	}
	return nil
}

func (a *digests) Final(from, n int, out *vec.Vector) error {
	out.Resize(a.call.Result, n)
	for i := range n {
		s := &a.states[from+i]
		s.compress()
		d := types.NullDatum()
		if len(s.means) > 0 && a.known {
			var err error
			if d, err = a.answer(s); err != nil {
				return err
			}
		}
		out.SetDatum(i, d)
	}
	return nil
}

func (a *digests) answer(s *digest) (types.Datum, error) {
	if a.fraction.Items == nil {
		if err := checkFraction(a.fraction.F64); err != nil {
			return types.NullDatum(), err
		}
		return types.FloatDatum(s.quantile(a.fraction.F64)), nil
	}
	out := types.Datum{Items: []types.Datum{}}
	for _, f := range a.fraction.Items {
		if err := checkFraction(f.F64); err != nil {
			return types.NullDatum(), err
		}
		out.Items = append(out.Items, types.FloatDatum(s.quantile(f.F64)))
	}
	return out, nil
}

func approximateAggregates() []fn.Overload {
	distinct := fn.Aggregate{New: accumulate(func(fn.Call) fn.Accumulator { return &distinctCounts{} }), Partial: partialTypes(bytea),
		IgnoresOrder: true, DistinctIsNoop: true, EmptyIsZero: true}
	percentile := fn.Aggregate{New: accumulate(func(call fn.Call) fn.Accumulator { return &digests{call: call} }),
		Partial: func(call fn.Call) []types.Type {
			return []types.Type{call.Args[len(call.Args)-1], types.ArrayOf(double)}
		}, IgnoresOrder: true}
	fractions := types.ArrayOf(double)
	const doc = "About the value at a fraction of the ordered values (t-digest)."
	row := func(name, doc, example string, p []fn.Param, result types.Type, impl fn.Aggregate) fn.Overload {
		return statisticsRow(aggregateRow(name, doc, example, p, result, impl))
	}
	out := aliases([]fn.Overload{row("approx_distinct", "About the number of distinct values (HyperLogLog, 2.3 % standard error).", "approx_distinct(x) → 3", []fn.Param{family("x", fn.Any)}, bigint, distinct)},
		"approx_count_distinct", "ndv")
	return append(out,
		row("approx_percentile", doc, "approx_percentile(x, 0.5) → 2", params("x", double, "fraction", double), double, percentile),
		row("approx_percentile", doc, "approx_percentile(x, ARRAY[0.5, 0.9]) → {2,3}", params("x", double, "fractions", fractions), fractions, percentile),
		row("approx_percentile", doc+" Values count by weight.", "approx_percentile(x, w, 0.5) → 2", params("x", double, "weight", double, "fraction", double), double, percentile),
	)
}
