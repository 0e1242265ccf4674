package types

// Datum is one constant value of some Type, held by value: a literal in a plan, a partition value,
// a minimum or maximum. Which field is set follows from the type's Physical layout.
type Datum struct {
	Null  bool
	I64   int64         // PhysBool (0 or 1), PhysInt16, PhysInt32, PhysInt64
	F64   float64       // PhysFloat32, PhysFloat64
	I128  Int128        // PhysInt128
	Str   string        // PhysString
	Span  IntervalValue // PhysInterval
	Items []Datum       // Array: elements; Row: fields; Map: keys and values alternating
}

// NullDatum is the NULL of any type.
func NullDatum() Datum { return Datum{Null: true} }

// BoolDatum, IntDatum, FloatDatum and StringDatum make non-null values.
func BoolDatum(b bool) Datum {
	if b {
		return Datum{I64: 1}
	}
	return Datum{}
}

// IntDatum makes a value of any type stored in at most 64 bits.
func IntDatum(v int64) Datum { return Datum{I64: v} }

// FloatDatum makes a real or double precision value.
func FloatDatum(v float64) Datum { return Datum{F64: v} }

// StringDatum makes a value of any type stored as bytes.
func StringDatum(s string) Datum { return Datum{Str: s} }

// Bool reads a boolean value.
func (d Datum) Bool() bool { return d.I64 != 0 }

// IntervalValue is PostgreSQL's interval: the three parts never mix by themselves.
type IntervalValue struct {
	Micros int64
	Days   int32
	Months int32
}

// Compare orders intervals as PostgreSQL does: a month counts 30 days, a day 24 hours.
func (v IntervalValue) Compare(o IntervalValue) int { return v.normal().Compare(o.normal()) }

func (v IntervalValue) normal() Int128 {
	days := int64(v.Months)*30 + int64(v.Days)
	return MulInt64(days, 86_400_000_000).Add(Int128FromInt64(v.Micros))
}
