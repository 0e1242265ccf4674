package types

import (
	"fmt"
	"strings"
)

// Kind is the family of a SQL type.
type Kind uint8

// The kinds. Their order is part of the fragment codec; append only.
const (
	Unknown      Kind = iota // an untyped literal or NULL; PostgreSQL's "unknown"
	Bool                     // 1 byte a value, 0 or 1
	Int16                    // smallint
	Int32                    // integer
	Int64                    // bigint
	Float32                  // real
	Float64                  // double precision
	Decimal                  // decimal(p ≤ 38, s): int64 when p ≤ 18, else Int128, scaled by 10^s
	Text                     // text and varchar(n): Length is n, 0 for none
	Char                     // char(n): Length is n; values are stored without trailing blanks, only their text form pads
	Bytea                    // bytes
	Date                     // int32 days since 1970-01-01
	Time                     // int64 microseconds since midnight
	Timestamp                // int64 microseconds since 1970-01-01 00:00, no zone
	TimestampTZ              // int64 microseconds since 1970-01-01 00:00 UTC
	Interval                 // IntervalValue: months, days, microseconds
	UUID                     // 16 bytes, stored as Int128 in big-endian order of its halves
	JSON                     // text holding one JSON value
	Array                    // Elem
	Map                      // Key, Elem
	Row                      // Fields
	OID                      // PostgreSQL object identifier: int64 storage
	Name                     // PostgreSQL's catalog name type: text storage
	InternalChar             // PostgreSQL's "char": text storage, at most one byte
	RegClass                 // oid shown as a relation name: int64 storage
	RegType                  // oid shown as a type name: int64 storage
	RegProc                  // oid shown as a function name: int64 storage
	RegNamespace             // oid shown as a schema name: int64 storage
	Void                     // result of a function that gives nothing
	Int128Kind               // hugeint, inside aggregates only
	JSONB                    // as JSON, normalised on input
	numKinds
)

// Type is a SQL type. It is a small immutable value; compare with Equal.
type Type struct {
	Kind      Kind
	Precision uint8   // Decimal: total digits, 1..38
	Scale     uint8   // Decimal: digits after the point
	Length    int32   // Text, Char: declared length in characters; Time, Timestamp, TimestampTZ: 1 + FractionDigits; 0 is unbounded
	Elem      *Type   // Array, Map: element or value
	Key       *Type   // Map
	Fields    []Field // Row
}

// Field is a named member of a row type or a column of a schema.
type Field struct {
	Name     string
	Type     Type
	Nullable bool
}

// Schema lists the columns of a batch or a table, in order.
type Schema []Field

// Types gives the columns' types.
func (s Schema) Types() []Type {
	out := make([]Type, len(s))
	for i, f := range s {
		out[i] = f.Type
	}
	return out
}

// Of gives the type of a kind without modifiers.
func Of(k Kind) Type { return Type{Kind: k} }

// DecimalOf gives decimal(precision, scale).
func DecimalOf(precision, scale int) Type {
	return Type{Kind: Decimal, Precision: uint8(precision), Scale: uint8(scale)}
}

// ArrayOf gives elem[].
func ArrayOf(elem Type) Type { return Type{Kind: Array, Elem: &elem} }

// MapOf gives map(key, value).
func MapOf(key, value Type) Type { return Type{Kind: Map, Key: &key, Elem: &value} }

// RowOf gives row(fields).
func RowOf(fields ...Field) Type { return Type{Kind: Row, Fields: fields} }

// VarcharOf gives varchar(n).
func VarcharOf(n int) Type { return Type{Kind: Text, Length: int32(n)} }

// WithFraction gives a time, timestamp or timestamptz whose seconds have that many digits after the point.
func (t Type) WithFraction(digits int) Type {
	t.Length = int32(min(digits, MaxFractionDigits)) + 1
	return t
}

// FractionDigits tells how many digits after the point the seconds of a time, timestamp or timestamptz have.
func (t Type) FractionDigits() (digits int, declared bool) {
	switch t.Kind {
	case Time, Timestamp, TimestampTZ:
		if t.Length > 0 {
			return int(t.Length) - 1, true
		}
	}
	return MaxFractionDigits, false
}

// MaxFractionDigits is how finely time is measured: in microseconds.
const MaxFractionDigits = 6

// MaxDecimalPrecision is the widest decimal, and MaxInt64Precision the widest held in an int64.
const (
	MaxDecimalPrecision = 38
	MaxInt64Precision   = 18
)

// Equal tells whether two types are the same, modifiers included; row field names do not count.
func (t Type) Equal(o Type) bool {
	if t.Kind != o.Kind || t.Precision != o.Precision || t.Scale != o.Scale || t.Length != o.Length {
		return false
	}
	if !equalPtr(t.Elem, o.Elem) || !equalPtr(t.Key, o.Key) || len(t.Fields) != len(o.Fields) {
		return false
	}
	for i := range t.Fields {
		if !t.Fields[i].Type.Equal(o.Fields[i].Type) {
			return false
		}
	}
	return true
}

// Renames tells whether o, which is Equal to t, gives fields of rows other names than t does.
func (t Type) Renames(o Type) bool {
	if t.Elem != nil && t.Elem.Renames(*o.Elem) || t.Key != nil && t.Key.Renames(*o.Key) {
		return true
	}
	for i, f := range t.Fields {
		if name := o.Fields[i].Name; name != "" && name != f.Name || f.Type.Renames(o.Fields[i].Type) {
			return true
		}
	}
	return false
}

func equalPtr(a, b *Type) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}

// Physical is how a vector stores values of a type.
type Physical uint8

// The physical layouts; Width gives their bytes a value.
const (
	PhysNone Physical = iota // Unknown, Void: every value is NULL
	PhysBool                 // 1 byte, 0 or 1
	PhysInt16
	PhysInt32
	PhysInt64
	PhysInt128
	PhysFloat32
	PhysFloat64
	PhysInterval // IntervalValue, 16 bytes
	PhysString   // 16-byte view
	PhysList     // 8-byte (offset, length) into Children[0]; Map: Children[0] keys, Children[1] values
	PhysRow      // no buffer of its own; one child a field
)

// Width is the bytes a value takes in the vector's data buffer; 0 for PhysNone and PhysRow.
func (p Physical) Width() int {
	switch p {
	case PhysBool:
		return 1
	case PhysInt16:
		return 2
	case PhysInt32, PhysFloat32:
		return 4
	case PhysInt64, PhysFloat64, PhysList:
		return 8
	case PhysInt128, PhysInterval, PhysString:
		return 16
	}
	return 0
}

// Physical gives the layout that vectors of the type use.
func (t Type) Physical() Physical {
	switch t.Kind {
	case Bool:
		return PhysBool
	case Int16:
		return PhysInt16
	case Int32, Date:
		return PhysInt32
	case Int64, Time, Timestamp, TimestampTZ, OID, RegClass, RegType, RegProc, RegNamespace:
		return PhysInt64
	case Float32:
		return PhysFloat32
	case Float64:
		return PhysFloat64
	case Decimal:
		if t.Precision > MaxInt64Precision {
			return PhysInt128
		}
		return PhysInt64
	case UUID, Int128Kind:
		return PhysInt128
	case Interval:
		return PhysInterval
	case Text, Char, Bytea, JSON, JSONB, Name, InternalChar:
		return PhysString
	case Array, Map:
		return PhysList
	case Row:
		return PhysRow
	}
	return PhysNone
}

// IsNumeric tells whether arithmetic is defined on the type.
func (t Type) IsNumeric() bool { return t.Kind >= Int16 && t.Kind <= Decimal || t.Kind == Int128Kind }

// IsInteger tells whether the type is smallint, integer or bigint.
func (t Type) IsInteger() bool { return t.Kind >= Int16 && t.Kind <= Int64 }

// IsString tells whether values are character strings.
func (t Type) IsString() bool {
	switch t.Kind {
	case Text, Char, Name, InternalChar:
		return true
	}
	return false
}

// IsTemporal tells whether the type is a date, a time or a timestamp.
func (t Type) IsTemporal() bool { return t.Kind >= Date && t.Kind <= TimestampTZ }

// IsOID tells whether the type is oid or one of its reg… aliases.
func (t Type) IsOID() bool {
	switch t.Kind {
	case OID, RegClass, RegType, RegProc, RegNamespace:
		return true
	}
	return false
}

var kindNames = [numKinds]string{
	Unknown: "unknown", Bool: "boolean", Int16: "smallint", Int32: "integer", Int64: "bigint",
	Float32: "real", Float64: "double precision", Decimal: "numeric", Text: "text", Char: "character",
	Bytea: "bytea", Date: "date", Time: "time without time zone", Timestamp: "timestamp without time zone",
	TimestampTZ: "timestamp with time zone", Interval: "interval", UUID: "uuid", JSON: "json",
	Array: "array", Map: "map", Row: "record", OID: "oid", Name: "name", InternalChar: `"char"`,
	RegClass: "regclass", RegType: "regtype", RegProc: "regproc", RegNamespace: "regnamespace",
	Void: "void", Int128Kind: "hugeint", JSONB: "jsonb",
}

// String gives PostgreSQL's name of the kind without modifiers, as its messages use it.
func (k Kind) String() string {
	if k < numKinds {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Base gives the name without modifiers: "numeric", "character varying", "integer[]".
func (t Type) Base() string {
	switch t.Kind {
	case Text:
		if t.Length > 0 {
			return "character varying"
		}
	case Array:
		return t.Elem.Base() + "[]"
	case Map, Row:
		return t.String()
	}
	return t.Kind.String()
}

// String gives the name as PostgreSQL's format_type shows it: "numeric(12,2)", "character varying(10)".
func (t Type) String() string {
	switch t.Kind {
	case Decimal:
		if t.Precision == 0 {
			return "numeric"
		}
		return fmt.Sprintf("numeric(%d,%d)", t.Precision, t.Scale)
	case Text:
		if t.Length > 0 {
			return fmt.Sprintf("character varying(%d)", t.Length)
		}
	case Char:
		return fmt.Sprintf("character(%d)", max(t.Length, 1))
	case Time, Timestamp, TimestampTZ:
		if digits, declared := t.FractionDigits(); declared {
			name, rest, _ := strings.Cut(t.Kind.String(), " ")
			return fmt.Sprintf("%s(%d) %s", name, digits, rest)
		}
	case Array:
		return t.Elem.String() + "[]"
	case Map:
		return fmt.Sprintf("map(%s, %s)", t.Key, t.Elem)
	case Row:
		if len(t.Fields) == 0 {
			return "record"
		}
		var b strings.Builder
		b.WriteString("row(")
		for i, f := range t.Fields {
			if i > 0 {
				b.WriteString(", ")
			}
			if f.Name != "" {
				b.WriteString(f.Name + " ")
			}
			b.WriteString(f.Type.String())
		}
		return b.String() + ")"
	}
	return t.Kind.String()
}
