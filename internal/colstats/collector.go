package colstats

import (
	"math"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Collector gathers statistics of one column. It is used by one goroutine.
type Collector struct {
	ID     int32
	Type   types.Type
	Sketch Sketch

	rows, nulls, bytes int64
	any                bool // a minimum and maximum are known
	low, high          types.Datum
	used               []bool // of a dictionary: the entries that rows refer to
}

// Rows is the number of rows added.
func (c *Collector) Rows() int64 { return c.rows }

// Column gives what was gathered.
func (c *Collector) Column() Column {
	out := Column{ID: c.ID, Physical: c.Type.Physical(), Nulls: c.nulls, Bytes: c.bytes, Distinct: c.Sketch.Estimate()}
	if !c.any {
		return out
	}
	low, high := c.low, c.high
	if out.Physical == types.PhysString {
		low.Str = lowerBound(low.Str)
		var bounded bool
		if high.Str, bounded = upperBound(high.Str); !bounded {
			out.Minimum = &low
			return out
		}
	}
	out.Minimum, out.Maximum = &low, &high
	return out
}

// Add takes the rows of v listed (nil: all).
func (c *Collector) Add(v *vec.Vector, rows []int32) {
	count := v.Len
	if rows != nil {
		count = len(rows)
	}
	if count == 0 {
		return
	}
	c.rows += int64(count)
	switch v.Enc {
	case vec.Const:
		c.addConst(v, count)
		return
	case vec.Dict:
		c.addDict(v, rows)
		return
	}
	if v.Valid != nil || v.Type.Kind == types.Unknown {
		valid := make([]int32, 0, count)
		for i := range count {
			row := int32(i)
			if rows != nil {
				row = rows[i]
			}
			if !v.IsNull(int(row)) {
				valid = append(valid, row)
			}
		}
		c.nulls += int64(count - len(valid))
		if len(valid) == 0 {
			return
		}
		rows = valid
	}
	c.bytes += c.values(v, rows)
}

func (c *Collector) addConst(v *vec.Vector, count int) {
	if v.IsNull(0) {
		c.nulls += int64(count)
		return
	}
	c.bytes += c.values(v, []int32{0}) * int64(count)
}

func (c *Collector) addDict(v *vec.Vector, rows []int32) {
	c.used = slices.Grow(c.used[:0], v.Dict.Len)[:v.Dict.Len]
	clear(c.used)
	codes := v.Codes()
	text := c.Type.Physical() == types.PhysString
	var views []vec.View
	if text {
		views = vec.Values[vec.View](v.Dict)
	}
	note := func(row int32) {
		if v.Valid != nil && !v.Valid.Get(int(row)) {
			c.nulls++
			return
		}
		c.used[codes[row]] = true
		if text {
			c.bytes += int64(views[codes[row]].Len())
		}
	}
	if rows == nil {
		for row := range codes {
			note(int32(row))
		}
	} else {
		for _, row := range rows {
			note(row)
		}
	}
	entries := make([]int32, 0, v.Dict.Len)
	for entry, used := range c.used {
		if used {
			entries = append(entries, int32(entry))
		}
	}
	if len(entries) > 0 {
		c.values(v.Dict, entries)
	}
}

// values notes non-null values of a flat vector, at least one, and gives the strings' bytes.
func (c *Collector) values(v *vec.Vector, rows []int32) int64 {
	switch c.Type.Physical() {
	case types.PhysBool:
		addIntegers(c, vec.Values[uint8](v)[:stored(v)], rows)
	case types.PhysInt16:
		addIntegers(c, vec.Values[int16](v)[:stored(v)], rows)
	case types.PhysInt32:
		addIntegers(c, vec.Values[int32](v)[:stored(v)], rows)
	case types.PhysInt64:
		addIntegers(c, vec.Values[int64](v)[:stored(v)], rows)
	case types.PhysFloat32:
		addFloats(c, vec.Values[float32](v)[:stored(v)], rows)
	case types.PhysFloat64:
		addFloats(c, vec.Values[float64](v)[:stored(v)], rows)
	case types.PhysString:
		return c.addStrings(v, rows)
	case types.PhysInt128, types.PhysInterval:
		c.addWide(v, rows)
	}
	return 0
}

type integer interface {
	uint8 | int16 | int32 | int64
}

func addIntegers[T integer](c *Collector, values []T, rows []int32) {
	var low, high T
	if rows == nil {
		low, high = values[0], values[0]
		for _, x := range values {
			low, high = min(low, x), max(high, x)
			c.Sketch.add(mix(uint64(int64(x))))
		}
	} else {
		low, high = values[rows[0]], values[rows[0]]
		for _, row := range rows {
			x := values[row]
			low, high = min(low, x), max(high, x)
			c.Sketch.add(mix(uint64(int64(x))))
		}
	}
	c.bound(types.IntDatum(int64(low)), types.IntDatum(int64(high)))
}

func addFloats[T float32 | float64](c *Collector, values []T, rows []int32) {
	if rows == nil {
		for _, x := range values {
			c.addFloat(float64(x))
		}
		return
	}
	for _, row := range rows {
		c.addFloat(float64(values[row]))
	}
}

func (c *Collector) addFloat(x float64) {
	c.Sketch.add(mix(math.Float64bits(x + 0))) // −0 + 0 = 0
	if !c.any {
		c.any, c.low, c.high = true, types.FloatDatum(x), types.FloatDatum(x)
		return
	}
	if types.CompareFloats(x, c.low.F64) < 0 {
		c.low.F64 = x
	}
	if types.CompareFloats(x, c.high.F64) > 0 {
		c.high.F64 = x
	}
}

func (c *Collector) addStrings(v *vec.Vector, rows []int32) int64 {
	views := vec.Values[vec.View](v)[:stored(v)]
	padded := c.Type.Kind == types.Char
	first := 0
	if rows != nil {
		first = int(rows[0])
	}
	low := views[first].String(v.Buffers)
	if padded {
		low = strings.TrimRight(low, " ")
	}
	high, total := low, int64(0)
	count := len(views)
	if rows != nil {
		count = len(rows)
	}
	for i := range count {
		at := i
		if rows != nil {
			at = int(rows[i])
		}
		s := views[at].String(v.Buffers)
		total += int64(len(s))
		if padded {
			s = strings.TrimRight(s, " ")
		}
		low, high = min(low, s), max(high, s)
		c.Sketch.add(xxh3.HashString(s))
	}
	if c.any && low >= c.low.Str && high <= c.high.Str {
		return total
	}
	c.bound(types.StringDatum(cloneBound(low)), types.StringDatum(cloneBound(high)))
	return total
}

// cloneBound copies enough of s to bound it later.
func cloneBound(s string) string {
	return string(append([]byte(nil), s[:min(len(s), boundLength+1)]...))
}

func (c *Collector) addWide(v *vec.Vector, rows []int32) {
	one := func(row int) {
		d := v.Datum(row)
		if c.Type.Physical() == types.PhysInterval {
			c.Sketch.add(mix(uint64(d.Span.Micros) ^ mix(uint64(d.Span.Days)*31+uint64(d.Span.Months)*930)))
		} else {
			c.Sketch.add(mix(d.I128.Lo ^ mix(uint64(d.I128.Hi))))
		}
		c.bound(d, d)
	}
	if rows == nil {
		for row := range stored(v) {
			one(row)
		}
		return
	}
	for _, row := range rows {
		one(int(row))
	}
}

func (c *Collector) bound(low, high types.Datum) {
	if !c.any {
		c.any, c.low, c.high = true, low, high
		return
	}
	if types.CompareDatums(c.Type, low, c.low) < 0 {
		c.low = low
	}
	if types.CompareDatums(c.Type, high, c.high) > 0 {
		c.high = high
	}
}

// mix spreads a word over 64 bits; Parquet's writer does the same, so that sketches merge.
func mix(x uint64) uint64 {
	x ^= x >> 32
	x *= 0xd6e8feb86659fd93
	x ^= x >> 32
	x *= 0xd6e8feb86659fd93
	return x ^ x>>32
}

// stored is the number of values in v's Data.
func stored(v *vec.Vector) int {
	if v.Enc == vec.Const {
		return 1
	}
	return v.Len
}
