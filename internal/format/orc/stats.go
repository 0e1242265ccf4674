package orc

import (
	"errors"
	"math"
	"strings"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/types"
)

var errUUID = errors.New("uuid is not of 16 bytes")

// ColumnStats is what the file tells of a field.
type ColumnStats struct {
	// Minimum and Maximum bound the non-null values, nil when unknown.
	Minimum, Maximum *types.Datum
	Nulls            int64 // -1: unknown
	Values           int64 // nulls included
}

// statsMessage is a ColumnStatistics message, decoded as far as a field's kind needs.
type statsMessage struct {
	values     int64
	low, high  *types.Datum
	known      bool // values was given
	maybeNulls bool
}

// decodeStats reads the statistics of values of a field.
func (f *File) decodeStats(n *node, data []byte) (out statsMessage, ok bool) {
	p := protoReader{data: data}
	out.maybeNulls = true
	for p.next() {
		switch p.field {
		case 1:
			out.values, out.known = p.size(), true
		case 10:
			out.maybeNulls = p.uvarint() != 0
		case 2, 3, 4, 6, 7, 9:
			if p.field == statsField(n.kind) {
				out.low, out.high = f.decodeBounds(n, p.bytes())
			} else {
				p.skip()
			}
		default:
			p.skip()
		}
	}
	if p.failed {
		return statsMessage{}, false
	}
	if f.meta.writerVersion == 0 && f.meta.writer == writerJava && n.kind != kindByte && n.kind != kindShort && n.kind != kindInt && n.kind != kindLong {
		out.low, out.high = nil, nil // the first writers' bounds were wrong now and then
	}
	return out, true
}

// statsField is the number of the message that holds a kind's bounds, 0 for none.
func statsField(kind typeKind) int {
	switch kind {
	case kindByte, kindShort, kindInt, kindLong:
		return 2
	case kindFloat, kindDouble:
		return 3
	case kindString, kindVarchar:
		return 4
	case kindDecimal:
		return 6
	case kindDate:
		return 7
	case kindTimestamp, kindInstant:
		return 9
	}
	return 0
}

func (f *File) decodeBounds(n *node, data []byte) (low, high *types.Datum) {
	switch n.kind {
	case kindByte, kindShort, kindInt, kindLong:
		return integerBounds(data, false)
	case kindDate:
		if low, high = integerBounds(data, true); f.hybridCalendar() {
			for _, d := range []*types.Datum{low, high} {
				if d != nil {
					d.I64 = prolepticDay(d.I64)
				}
			}
		}
		return low, high
	case kindFloat, kindDouble:
		return f.doubleBounds(data)
	case kindString, kindVarchar:
		return stringBounds(data)
	case kindDecimal:
		return decimalBounds(n, data)
	}
	return f.timestampBounds(data)
}

func integerBounds(data []byte, narrow bool) (low, high *types.Datum) {
	p := protoReader{data: data}
	for p.next() {
		if p.field != 1 && p.field != 2 {
			p.skip()
			continue
		}
		d := types.IntDatum(p.zigzag())
		if narrow {
			d.I64 = int64(int32(d.I64))
		}
		if p.field == 1 {
			low = &d
		} else {
			high = &d
		}
	}
	if p.failed {
		return nil, nil
	}
	return low, high
}

// doubleBounds leaves out NaN, which writers treat each in its own way; in our files there is none
// in the bounds' group of rows unless there are no bounds.
func (f *File) doubleBounds(data []byte) (low, high *types.Datum) {
	p := protoReader{data: data}
	for p.next() {
		if p.field != 1 && p.field != 2 {
			p.skip()
			continue
		}
		d := types.FloatDatum(math.Float64frombits(p.fixed64()))
		if d.F64 != d.F64 {
			return nil, nil
		}
		if p.field == 1 {
			low = &d
		} else if f.meta.writer == writerTarn {
			high = &d
		}
	}
	if p.failed {
		return nil, nil
	}
	return low, high
}

func stringBounds(data []byte) (low, high *types.Datum) {
	p := protoReader{data: data}
	for p.next() {
		switch p.field {
		case 1, 4:
			d := types.StringDatum(string(p.bytes()))
			low = &d
		case 2, 5:
			d := types.StringDatum(string(p.bytes()))
			high = &d
		default:
			p.skip()
		}
	}
	if p.failed {
		return nil, nil
	}
	return low, high
}

func decimalBounds(n *node, data []byte) (low, high *types.Datum) {
	p := protoReader{data: data}
	for p.next() {
		if p.field != 1 && p.field != 2 {
			p.skip()
			continue
		}
		d := parseDecimal(string(p.bytes()), n)
		if p.field == 1 {
			low = d
		} else {
			high = d
		}
	}
	if p.failed {
		return nil, nil
	}
	return low, high
}

// parseDecimal reads digits with a point as a value of the field's type, nil when it is none.
func parseDecimal(text string, n *node) *types.Datum {
	digits, negative := strings.CutPrefix(text, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	if len(fraction) > n.scale || len(whole)+n.scale > 60 || whole+fraction == "" {
		return nil
	}
	value, ok := types.Int128{}, true
	for _, c := range whole + fraction + strings.Repeat("0", n.scale-len(fraction)) {
		if c < '0' || c > '9' {
			return nil
		}
		if value, ok = value.MulChecked(types.Int128FromInt64(10)); !ok {
			return nil
		}
		if value, ok = value.AddChecked(types.Int128FromInt64(int64(c - '0'))); !ok {
			return nil
		}
	}
	if negative {
		value = value.Neg()
	}
	if n.typ.Physical() == types.PhysInt128 {
		return &types.Datum{I128: value}
	}
	short, fits := value.Int64()
	if !fits {
		return nil
	}
	d := types.IntDatum(short)
	return &d
}

// timestampBounds reads milliseconds in UTC and widens them by what they leave out: what is behind them, and
// of moments before 1970 what is before them, for Arrow's writer rounds towards zero.
func (f *File) timestampBounds(data []byte) (low, high *types.Datum) {
	if f.hybridCalendar() && f.meta.calendar != calendarUnknown {
		return nil, nil
	}
	const limit = math.MaxInt64 / 2000
	p := protoReader{data: data}
	for p.next() {
		if p.field != 3 && p.field != 4 {
			p.skip()
			continue
		}
		millis := p.zigzag()
		if millis < -limit || millis > limit {
			return nil, nil
		}
		if p.field == 3 {
			d := types.IntDatum(millis * 1000)
			if millis <= 0 && f.meta.writer != writerTarn {
				d.I64 -= 1000
			}
			low = &d
		} else {
			d := types.IntDatum(millis*1000 + 999)
			high = &d
		}
	}
	if p.failed {
		return nil, nil
	}
	return low, high
}

// statsOf gives what a message tells of a field in so many rows.
func (f *File) statsOf(n *node, data []byte, rows int64) ColumnStats {
	out := ColumnStats{Nulls: -1, Values: rows}
	if n.unsupported != "" || data == nil {
		return out
	}
	m, ok := f.decodeStats(n, data)
	if !ok || !m.known || m.values > rows {
		return out
	}
	if m.values > 0 || rows > 0 {
		out.Nulls = rows - m.values
	}
	out.Minimum, out.Maximum = m.low, m.high
	return out
}

// Stats gives the statistics of a field in the whole file.
func (f *File) Stats(field int) ColumnStats {
	n := f.fields[field]
	if n.id >= len(f.meta.statistics) {
		return ColumnStats{Nulls: -1, Values: f.meta.rows}
	}
	return f.statsOf(n, f.meta.statistics[n.id], f.meta.rows)
}

// StripeStats gives the statistics of a field in a stripe.
func (f *File) StripeStats(stripe, field int) ColumnStats {
	n, rows := f.fields[field], f.meta.stripes[stripe].rows
	if stripe >= len(f.meta.stripeStatistics) || n.id >= len(f.meta.stripeStatistics[stripe]) {
		return ColumnStats{Nulls: -1, Values: rows}
	}
	return f.statsOf(n, f.meta.stripeStatistics[stripe][n.id], rows)
}

// excludes tells whether statistics prove that no value lies in a domain.
func (n *node) excludes(d *Domain, wanted types.Type, stats ColumnStats) bool {
	if stats.Nulls != 0 && d.Nulls {
		return false
	}
	if stats.Nulls == stats.Values {
		return true
	}
	low, high := stats.Minimum, stats.Maximum
	if !n.typ.Equal(wanted) {
		_, cast, ok := adapt(n, wanted)
		if !ok {
			return false
		}
		if cast != nil {
			low, high = scan.CastBound(cast, n.typ, low), scan.CastBound(cast, n.typ, high)
		}
	}
	if low == nil && high == nil {
		return false
	}
	return d.Outside(low, high, wanted.Physical())
}
