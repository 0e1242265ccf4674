package parquet

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// ColumnStats is what the footer tells of a field in a row group or in the file.
type ColumnStats struct {
	// Minimum and Maximum bound the non-null values, nil when unknown.
	Minimum, Maximum *types.Datum
	Nulls            int64 // -1: unknown
	Distinct         int64 // -1: unknown
	Values           int64 // nulls included
	Compressed       int64 // bytes in the file
	Uncompressed     int64
}

// GroupStats gives the statistics of a field in a row group, of its own type. For nested fields
// only the sizes are known.
func (f *File) GroupStats(group, field int) ColumnStats {
	n := f.fields[field]
	out := ColumnStats{Nulls: -1, Distinct: -1, Values: f.meta.groups[group].rows}
	for _, l := range n.leaves(nil) {
		chunk := &f.meta.groups[group].chunks[l.column]
		out.Compressed += chunk.compressed
		out.Uncompressed += chunk.uncompressed
	}
	if n.flat() {
		stats := &f.meta.groups[group].chunks[n.leaf.column].stats
		out.Nulls, out.Distinct = stats.nulls, stats.distinct
		if !n.optional {
			out.Nulls = 0
		}
		out.Minimum, out.Maximum = f.bounds(n.leaf, stats)
	}
	return out
}

// Stats gives the statistics of a field in the whole file. Distinct is the largest of any row group.
func (f *File) Stats(field int) ColumnStats {
	var out ColumnStats
	for g := range f.meta.groups {
		s := f.GroupStats(g, field)
		if g == 0 {
			out = s
			continue
		}
		out.Values += s.Values
		out.Compressed += s.Compressed
		out.Uncompressed += s.Uncompressed
		out.Distinct = max(out.Distinct, s.Distinct)
		if out.Nulls < 0 || s.Nulls < 0 {
			out.Nulls = -1
		} else {
			out.Nulls += s.Nulls
		}
		physical := f.fields[field].typ.Physical()
		out.Minimum = widest(out.Minimum, s.Minimum, physical, -1)
		out.Maximum = widest(out.Maximum, s.Maximum, physical, 1)
	}
	return out
}

func widest(a, b *types.Datum, physical types.Physical, sign int) *types.Datum {
	if a == nil || b == nil {
		return nil
	}
	if scan.Compare(*b, *a, physical) == sign {
		return b
	}
	return a
}

// bounds decodes a chunk's minimum and maximum where their order is the type's own.
func (f *File) bounds(l *leaf, stats *statistics) (minimum, maximum *types.Datum) {
	if l.unsupported != "" || l.element.physical == physInt96 {
		return nil, nil
	}
	if stats.signed && l.element.logical.kind == logicalInteger && !l.element.logical.signed && !bytes.Equal(stats.minimum, stats.maximum) {
		return nil, nil
	}
	switch l.typ.Kind {
	case types.Interval, types.UUID, types.Unknown:
		return nil, nil
	}
	minimum, maximum = decodeBound(l, stats.minimum), decodeBound(l, stats.maximum)
	if p := l.typ.Physical(); p == types.PhysFloat32 || p == types.PhysFloat64 {
		// NaN, greater than all, is left out of other writers' bounds.
		if !strings.HasPrefix(f.meta.createdBy, createdByPrefix) {
			maximum = nil
		}
		if minimum != nil && minimum.F64 != minimum.F64 {
			minimum = nil
		}
		if maximum != nil && maximum.F64 != maximum.F64 {
			maximum = nil
		}
	}
	return minimum, maximum
}

// createdByPrefix starts the name under which our Writer signs.
const createdByPrefix = "tarn "

func decodeBound(l *leaf, b []byte) *types.Datum {
	if b == nil {
		return nil
	}
	if d, ok := simpleBound(l, b); ok {
		return &d
	}
	loader := newLoader(l)
	if l.element.physical == physByteArray {
		if loader.storage == storeViews {
			d := types.StringDatum(string(b))
			return &d
		}
		v, ok := bigEndian(b)
		if !ok {
			return nil
		}
		return decimalDatum(l.typ, v)
	}
	if loader.storage == storeViews {
		d := types.StringDatum(string(b))
		return &d
	}
	if l.element.physical == physBoolean {
		if len(b) != 1 {
			return nil
		}
		d := types.IntDatum(int64(b[0] & 1))
		return &d
	}
	if len(b) != loader.source {
		return nil
	}
	padded := append(make([]byte, 0, len(b)+slack), b...)
	var v vec.Vector
	v.Resize(l.typ, 1)
	array, _, err := loader.array(padded, nil, 1)
	if err != nil {
		return nil
	}
	if loader.storage == storeInt32 {
		d := types.IntDatum(int64(as[int32](array)[0]))
		return &d
	}
	copy(v.Data, array)
	d := v.Datum(0)
	return &d
}

// simpleBound decodes numbers that vectors hold as the file does, and strings.
func simpleBound(l *leaf, b []byte) (d types.Datum, ok bool) {
	e := &l.element
	switch p := l.typ.Physical(); {
	case e.physical == physInt32 && len(b) == 4 && e.logical.kind != logicalTime && (e.logical.kind != logicalInteger || e.logical.signed) && p != types.PhysInt128:
		return types.IntDatum(int64(int32(binary.LittleEndian.Uint32(b)))), true
	case e.physical == physInt64 && len(b) == 8 && p == types.PhysInt64 && e.logical.unit != unitMillis && e.logical.unit != unitNanos:
		return types.IntDatum(int64(binary.LittleEndian.Uint64(b))), true
	case e.physical == physDouble && len(b) == 8 && p == types.PhysFloat64:
		return types.FloatDatum(math.Float64frombits(binary.LittleEndian.Uint64(b))), true
	case e.physical == physByteArray && p == types.PhysString:
		return types.StringDatum(string(b)), true
	}
	return d, false
}

func decimalDatum(t types.Type, v types.Int128) *types.Datum {
	if t.Physical() == types.PhysInt128 {
		return &types.Datum{I128: v}
	}
	short, ok := v.Int64()
	if !ok {
		return nil
	}
	d := types.IntDatum(short)
	return &d
}

// prune tells whether no row of the group can lie in all domains.
func (r *Reader) prune(group int, domains []Domain) bool {
	for i := range domains {
		if r.excluded(group, &domains[i]) {
			return true
		}
	}
	return false
}

// excluded tells whether the footer proves that no row of the group lies in d.
func (r *Reader) excluded(group int, d *Domain) bool {
	request := r.options.Columns[d.Column]
	if request.Field == MissingField {
		return !d.Nulls
	}
	if request.Field < 0 || !r.file.fields[request.Field].flat() || !scan.Prunable(request.Type) {
		return false
	}
	n := r.file.fields[request.Field]
	stats := r.file.GroupStats(group, request.Field)
	if stats.Nulls != 0 && d.Nulls {
		return false
	}
	if stats.Nulls == stats.Values {
		return true
	}
	low, high := stats.Minimum, stats.Maximum
	if !n.typ.Equal(request.Type) {
		if low, high = castBounds(n.leaf, request.Type, low, high); low == nil && high == nil {
			return false
		}
	}
	physical := request.Type.Physical()
	return d.Outside(low, high, physical)
}

// castBounds converts bounds as the column's values are converted; the casts are monotone.
func castBounds(l *leaf, to types.Type, low, high *types.Datum) (newLow, newHigh *types.Datum) {
	adapted, cast, ok := adapt(*l, to)
	if !ok {
		return nil, nil
	}
	convert := func(d *types.Datum) *types.Datum {
		if d == nil {
			return nil
		}
		if cast == nil {
			if adapted.typ.Physical() == types.PhysInt128 && l.typ.Physical() != types.PhysInt128 {
				return &types.Datum{I128: types.Int128FromInt64(d.I64)}
			}
			return d
		}
		return scan.CastBound(cast, l.typ, d)
	}
	return convert(low), convert(high)
}
