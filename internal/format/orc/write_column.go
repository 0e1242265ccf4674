package orc

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"unsafe"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// outColumn writes a column, at the top or a member of another.
type outColumn struct {
	id         int
	name       string
	typ        types.Type
	kind       typeKind
	attributes [][2]string
	required   bool
	bloom      bool
	children   []*outColumn

	rows       int      // of the open stripe
	nulls      int      // of the open stripe
	presence   []uint64 // a bit a row
	groupRows  []int    // rows before each row group
	places     [][]uint64
	groupStats [][]byte
	blooms     [][]byte
	hashes     []uint64

	data   outStream // floats, text, decimals
	ints   intWriter // integers, seconds
	second intWriter // lengths, nanoseconds, scales
	bytes  []byte    // tinyint, or a boolean each: encoded when the stripe ends
	dict   dictionary

	group, stripe, file outStats
	compressed, plain   int64 // bytes in the file

	present []int32
	flat    vec.Vector
}

// newOutColumn lays a column out; next numbers columns.
func newOutColumn(f types.Field, next *int, codec *compressor) (*outColumn, error) {
	c := &outColumn{id: *next, name: f.Name, typ: f.Type, required: !f.Nullable}
	*next++
	c.data.compressor, c.ints.out.compressor, c.second.out.compressor = codec, codec, codec
	var members []types.Field
	switch f.Type.Kind {
	case types.Bool:
		c.kind = kindBoolean
	case types.Int16:
		c.kind = kindShort
	case types.Int32:
		c.kind = kindInt
	case types.Int64, types.OID, types.RegClass, types.RegType, types.RegProc, types.RegNamespace:
		c.kind = kindLong
	case types.Time:
		c.kind, c.attributes = kindLong, [][2]string{{"iceberg.long-type", "TIME"}}
	case types.Float32:
		c.kind = kindFloat
	case types.Float64:
		c.kind = kindDouble
	case types.Text:
		if c.kind = kindString; f.Type.Length > 0 {
			c.kind = kindVarchar
		}
	case types.JSON, types.JSONB:
		c.kind, c.attributes = kindString, [][2]string{{jsonAttribute, f.Type.Kind.String()}}
	case types.Name, types.InternalChar, types.Unknown:
		c.kind = kindString
	case types.Char:
		c.kind = kindChar
	case types.Bytea:
		c.kind = kindBinary
	case types.UUID:
		c.kind, c.attributes = kindBinary, [][2]string{{"iceberg.binary-type", "UUID"}}
	case types.Date:
		c.kind = kindDate
	case types.Timestamp:
		c.kind = kindTimestamp
	case types.TimestampTZ:
		c.kind = kindInstant
	case types.Decimal:
		c.kind = kindDecimal
	case types.Array:
		c.kind, members = kindList, []types.Field{{Name: "element", Type: *f.Type.Elem, Nullable: true}}
	case types.Map:
		c.kind, members = kindMap, []types.Field{{Name: "key", Type: *f.Type.Key, Nullable: true}, {Name: "value", Type: *f.Type.Elem, Nullable: true}}
	case types.Row:
		c.kind, members = kindStruct, slices.Clone(f.Type.Fields)
		for i := range members {
			members[i].Nullable = true
		}
	default:
		return nil, sqlerr.New(sqlerr.FeatureNotSupported, "columns of type %s cannot be stored in ORC files", f.Type).
			WithHint("Cast column %q to text or bytea, or store it as Parquet.", f.Name)
	}
	for _, m := range members {
		child, err := newOutColumn(m, next, codec)
		if err != nil {
			return nil, err
		}
		c.children = append(c.children, child)
	}
	c.ints.signed, c.second.signed = !c.stringLike(), c.kind == kindDecimal // codes and lengths are not
	c.beginStripe()
	return c, nil
}

// each calls visit for the column and all below it, in the order of their numbers.
func (c *outColumn) each(visit func(*outColumn)) {
	visit(c)
	for _, child := range c.children {
		child.each(visit)
	}
}

func (c *outColumn) beginStripe() {
	c.rows, c.nulls, c.presence = 0, 0, c.presence[:0]
	c.groupRows, c.places, c.groupStats, c.blooms = c.groupRows[:0], c.places[:0], c.groupStats[:0], c.blooms[:0]
	c.data.reset()
	c.ints.out.reset()
	c.second.out.reset()
	c.bytes = c.bytes[:0]
	c.stripe.reset()
	c.dict.reset(c.stringLike())
}

func (c *outColumn) stringLike() bool {
	return c.kind == kindString || c.kind == kindVarchar || c.kind == kindChar
}

// beginGroup notes where a row group begins.
func (c *outColumn) beginGroup() {
	c.groupRows = append(c.groupRows, c.rows)
	c.places = append(c.places, c.place())
}

// place gives the positions of the next value in the streams other than PRESENT.
func (c *outColumn) place() (to []uint64) {
	switch c.kind {
	case kindShort, kindInt, kindLong, kindDate:
		return c.ints.position(to)
	case kindFloat, kindDouble:
		return c.data.position(to)
	case kindDecimal:
		return c.second.position(c.data.position(to))
	case kindTimestamp, kindInstant:
		return c.second.position(c.ints.position(to))
	case kindString, kindVarchar, kindChar:
		if c.dict.open {
			return []uint64{uint64(len(c.dict.codes))}
		}
		return c.second.position(c.data.position(to))
	case kindBinary:
		return c.second.position(c.data.position(to))
	case kindList, kindMap:
		return c.second.position(to)
	case kindBoolean:
		return []uint64{uint64(len(c.bytes))}
	}
	return nil
}

// endGroup closes the row group's statistics.
func (c *outColumn) endGroup() {
	c.groupStats = append(c.groupStats, c.group.encode(c))
	if c.bloom {
		c.blooms = append(c.blooms, bloomOf(c.hashes))
		c.hashes = c.hashes[:0]
	}
	c.stripe.merge(&c.group)
	c.group.reset()
	if c.dict.open && c.dict.tooLarge() {
		c.giveDictionaryUp()
	}
}

// append adds the rows listed of v, which is Flat or, for strings, Dict.
func (c *outColumn) append(v *vec.Vector, rows []int32) error {
	if v.Enc != vec.Flat && (v.Enc != vec.Dict || !c.stringLike()) {
		vec.Flatten(&c.flat, v)
		v = &c.flat
	}
	present := rows
	if v.MayHaveNulls() {
		c.present = c.present[:0]
		for _, r := range rows {
			if !v.IsNull(int(r)) {
				c.present = append(c.present, r)
			}
		}
		if present = c.present; len(present) < len(rows) && c.required {
			return sqlerr.New(sqlerr.NotNullViolation, "null value in column %q violates not-null constraint", c.name)
		}
	}
	c.mark(v, rows, len(present) == len(rows))
	c.group.values += int64(len(present))
	c.group.nulls += int64(len(rows) - len(present))
	return c.add(v, present)
}

// mark notes which rows are present.
func (c *outColumn) mark(v *vec.Vector, rows []int32, all bool) {
	for len(c.presence)*64 < c.rows+len(rows) {
		c.presence = append(c.presence, 0)
	}
	for i, r := range rows {
		if at := c.rows + i; all || !v.IsNull(int(r)) {
			c.presence[at>>6] |= 1 << (at & 63)
		} else {
			c.nulls++
		}
	}
	c.rows += len(rows)
}

// add adds the values of rows, none of which is NULL.
func (c *outColumn) add(v *vec.Vector, rows []int32) error {
	switch c.kind {
	case kindBoolean:
		values := vec.Values[uint8](v)
		for _, r := range rows {
			c.bytes = append(c.bytes, values[r])
			c.group.addInt(int64(values[r]))
		}
	case kindShort:
		addInts(c, vec.Values[int16](v), rows)
	case kindInt, kindDate:
		addInts(c, vec.Values[int32](v), rows)
	case kindLong:
		addInts(c, vec.Values[int64](v), rows)
	case kindFloat:
		values := vec.Values[float32](v)
		for _, r := range rows {
			c.group.addFloat(float64(values[r]))
			c.hashFloat(float64(values[r]))
			c.data.raw = binary.LittleEndian.AppendUint32(c.data.raw, math.Float32bits(values[r]))
		}
		c.data.seal()
	case kindDouble:
		values := vec.Values[float64](v)
		for _, r := range rows {
			c.group.addFloat(values[r])
			c.hashFloat(values[r])
			c.data.raw = binary.LittleEndian.AppendUint64(c.data.raw, math.Float64bits(values[r]))
		}
		c.data.seal()
	case kindDecimal:
		c.addDecimals(v, rows)
	case kindTimestamp, kindInstant:
		return c.addTimestamps(vec.Values[int64](v), rows)
	case kindBinary, kindString, kindVarchar, kindChar:
		c.addStrings(v, rows)
	case kindList, kindMap:
		return c.addLists(v, rows)
	case kindStruct:
		for i, child := range c.children {
			if err := child.append(&v.Children[i], rows); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *outColumn) hashFloat(v float64) {
	if c.bloom {
		c.hashes = append(c.hashes, hashLong(int64(math.Float64bits(v))))
	}
}

func addInts[T int16 | int32 | int64](c *outColumn, values []T, rows []int32) {
	if len(rows) == 0 {
		return
	}
	low, high := int64(values[rows[0]]), int64(values[rows[0]])
	var lo uint64
	var hi int64
	for _, r := range rows {
		v := int64(values[r])
		low, high = min(low, v), max(high, v)
		var carry uint64
		lo, carry = bits.Add64(lo, uint64(v), 0)
		hi += v>>63 + int64(carry)
		c.ints.add(v)
		if c.bloom {
			c.hashes = append(c.hashes, hashLong(v))
		}
	}
	c.group.merge(&outStats{some: true, lowInt: low, highInt: high, sum: types.Int128{Lo: lo, Hi: hi}})
}

func (c *outColumn) addDecimals(v *vec.Vector, rows []int32) {
	wide := v.Type.Physical() == types.PhysInt128
	for _, r := range rows {
		value := types.Int128{}
		if wide {
			value = vec.Values[types.Int128](v)[r]
		} else {
			value = types.Int128FromInt64(vec.Values[int64](v)[r])
		}
		c.group.addWide(value)
		if short, fits := value.Int64(); fits {
			c.data.raw = binary.AppendUvarint(c.data.raw, zigzag(short))
		} else {
			c.data.raw = appendWideVarint(c.data.raw, value)
		}
		c.second.add(int64(c.typ.Scale))
	}
	c.data.seal()
}

// appendWideVarint appends a zigzag number of up to 128 bits, seven bits a byte.
func appendWideVarint(dst []byte, v types.Int128) []byte {
	sign := uint64(v.Hi >> 63)
	lo, hi := v.Lo<<1^sign, (uint64(v.Hi)<<1|v.Lo>>63)^sign
	for hi > 0 || lo >= 0x80 {
		dst = append(dst, byte(lo)|0x80)
		lo, hi = lo>>7|hi<<57, hi>>7
	}
	return append(dst, byte(lo))
}

func (c *outColumn) addTimestamps(values []int64, rows []int32) error {
	for _, r := range rows {
		v := values[r]
		seconds := floorDiv(v, 1_000_000)
		nanos := (v - seconds*1_000_000) * 1000
		if seconds < 0 && nanos > 999_999 { // the format rounds towards zero
			if seconds++; seconds == 0 {
				return sqlerr.New(sqlerr.DatetimeFieldOverflow, "timestamps within the second before 1970 cannot be stored in ORC files").
					WithDetail("The format does not tell them from those of the first second of 1970.").
					WithHint("Store column %q as Parquet.", c.name)
			}
		}
		c.group.addInt(v)
		if c.bloom {
			c.hashes = append(c.hashes, hashLong(floorDiv(v, 1000)))
		}
		c.ints.add(seconds - baseSeconds)
		c.second.add(packNanos(nanos))
	}
	return nil
}

// packNanos cuts zeros off: the lowest three bits tell how many, less one.
func packNanos(nanos int64) int64 {
	if nanos == 0 || nanos%100 != 0 {
		return nanos << 3
	}
	nanos /= 100
	zeros := int64(1)
	for nanos%10 == 0 && zeros < 7 {
		nanos /= 10
		zeros++
	}
	return nanos<<3 | zeros
}

func (c *outColumn) addLists(v *vec.Vector, rows []int32) error {
	lists := vec.Values[vec.List](v)
	var members []int32
	for _, r := range rows {
		l := lists[r]
		c.second.add(int64(l.Length))
		for i := range l.Length {
			members = append(members, l.Offset+i)
		}
	}
	for i, child := range c.children {
		if err := child.append(&v.Children[i], members); err != nil {
			return err
		}
	}
	return nil
}

// uuidBytes gives a UUID's 16 bytes.
func uuidBytes(v types.Int128) []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 16), uint64(v.Hi))
	return binary.BigEndian.AppendUint64(b, v.Lo)
}

// memory is what the column holds, without members.
func (c *outColumn) memory() int64 {
	n := c.data.memory() + c.ints.out.memory() + c.second.out.memory() + int64(cap(c.bytes)+8*cap(c.presence)+8*cap(c.hashes))
	return n + c.dict.memory() + int64(unsafe.Sizeof(*c))
}

// release gives memory back. No stripe is open.
func (c *outColumn) release() {
	for _, s := range []*outStream{&c.data, &c.ints.out, &c.second.out} {
		s.raw, s.done = nil, nil
	}
	c.bytes, c.presence, c.hashes, c.dict = nil, nil, nil, dictionary{}
	c.dict.reset(c.stringLike())
}

// size is about what the column will take in the file, without members.
func (c *outColumn) size() int64 {
	return c.data.size() + c.ints.out.size() + c.second.out.size() + int64(len(c.bytes)/8+len(c.presence)) + c.dict.size()
}
