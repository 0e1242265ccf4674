package types

// OIDs of PostgreSQL's built-in types, as clients know them.
const (
	OIDBool        uint32 = 16
	OIDBytea       uint32 = 17
	OIDChar        uint32 = 18 // "char"
	OIDName        uint32 = 19
	OIDInt8        uint32 = 20
	OIDInt2        uint32 = 21
	OIDInt2Vector  uint32 = 22
	OIDInt4        uint32 = 23
	OIDRegProc     uint32 = 24
	OIDText        uint32 = 25
	OIDOID         uint32 = 26
	OIDOIDVector   uint32 = 30
	OIDJSON        uint32 = 114
	OIDFloat4      uint32 = 700
	OIDFloat8      uint32 = 701
	OIDUnknown     uint32 = 705
	OIDBPChar      uint32 = 1042
	OIDVarchar     uint32 = 1043
	OIDDate        uint32 = 1082
	OIDTime        uint32 = 1083
	OIDTimestamp   uint32 = 1114
	OIDTimestampTZ uint32 = 1184
	OIDInterval    uint32 = 1186
	OIDNumeric     uint32 = 1700
	OIDRegClass    uint32 = 2205
	OIDRegType     uint32 = 2206
	OIDRecord      uint32 = 2249
	OIDVoid        uint32 = 2278
	OIDUUID        uint32 = 2950
	OIDJSONB       uint32 = 3802
	OIDRegNamesp   uint32 = 4089
	OIDRecordArray uint32 = 2287
)

// builtinOID is one row of the correspondence between types and PostgreSQL's pg_type.
type builtinOID struct {
	kind       Kind
	oid, array uint32
	size       int16 // pg_type.typlen: bytes, -1 for variable, -2 for a C string
}

// builtinOIDs lists scalar types; of several rows with one kind the first is what values are sent as.
var builtinOIDs = [...]builtinOID{
	{Bool, OIDBool, 1000, 1}, {Bytea, OIDBytea, 1001, -1}, {InternalChar, OIDChar, 1002, 1}, {Name, OIDName, 1003, 64},
	{Int64, OIDInt8, 1016, 8}, {Int16, OIDInt2, 1005, 2}, {Int32, OIDInt4, 1007, 4}, {RegProc, OIDRegProc, 1008, 4},
	{Text, OIDText, 1009, -1}, {OID, OIDOID, 1028, 4}, {JSON, OIDJSON, 199, -1}, {Float32, OIDFloat4, 1021, 4},
	{Float64, OIDFloat8, 1022, 8}, {Char, OIDBPChar, 1014, -1}, {Date, OIDDate, 1182, 4}, {Time, OIDTime, 1183, 8},
	{Timestamp, OIDTimestamp, 1115, 8}, {TimestampTZ, OIDTimestampTZ, 1185, 8}, {Interval, OIDInterval, 1187, 16},
	{Decimal, OIDNumeric, 1231, -1}, {RegClass, OIDRegClass, 2210, 4}, {RegType, OIDRegType, 2211, 4},
	{Void, OIDVoid, 0, 4}, {UUID, OIDUUID, 2951, 16}, {JSONB, OIDJSONB, 3807, -1}, {RegNamespace, OIDRegNamesp, 4090, 4},
	{Text, OIDVarchar, 1015, -1}, {Int128Kind, OIDNumeric, 1231, -1}, {Row, OIDRecord, OIDRecordArray, -1},
}

func (t Type) builtin() (builtinOID, bool) {
	for _, b := range builtinOIDs {
		if b.kind == t.Kind && (t.Kind != Text || (t.Length > 0) == (b.oid == OIDVarchar)) {
			return b, true
		}
	}
	return builtinOID{}, false
}

// OID gives the type under which values are sent to clients: that of pg_type for PostgreSQL's own
// types, text for unknown and for maps, which it lacks.
func (t Type) OID() uint32 {
	if t.Kind == Array {
		elem := *t.Elem
		for elem.Kind == Array {
			elem = *elem.Elem
		}
		if b, ok := elem.builtin(); ok && b.array != 0 {
			return b.array
		}
		return 1009
	}
	if b, ok := t.builtin(); ok {
		return b.oid
	}
	return OIDText
}

// Typmod gives PostgreSQL's type modifier, -1 for none.
func (t Type) Typmod() int32 {
	switch t.Kind {
	case Decimal:
		if t.Precision > 0 {
			return int32(t.Precision)<<16 | int32(t.Scale) + 4
		}
	case Text:
		if t.Length > 0 {
			return t.Length + 4
		}
	case Char:
		return max(t.Length, 1) + 4
	case Time, Timestamp, TimestampTZ:
		return t.Length - 1
	case Array:
		return t.Elem.Typmod()
	}
	return -1
}

// Typlen gives the size that clients are told: bytes for types of fixed size, -1 for others.
func (t Type) Typlen() int16 {
	if b, ok := t.builtin(); ok && t.Kind != Array {
		return b.size
	}
	return -1
}

// FromOID gives the type that a client means by a pg_type OID without modifier. ok is false for
// types that do not exist here; 0 and unknown give Unknown.
func FromOID(oid uint32) (t Type, ok bool) {
	switch oid {
	case 0, OIDUnknown:
		return Type{}, true
	case OIDNumeric: // as a column of type numeric
		return DecimalOf(MaxDecimalPrecision, 16), true
	case 1231:
		return ArrayOf(DecimalOf(MaxDecimalPrecision, 16)), true
	case OIDInt2Vector:
		return ArrayOf(Of(Int16)), true
	case OIDOIDVector:
		return ArrayOf(Of(OID)), true
	}
	for _, b := range builtinOIDs {
		switch oid {
		case b.oid:
			return Of(b.kind), true
		case b.array:
			return ArrayOf(Of(b.kind)), true
		}
	}
	return Type{}, false
}
