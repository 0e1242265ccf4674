package eval

import (
	"bytes"
	"unsafe"

	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// toCharacters converts any value to text, varchar(n), char(n), name or "char".
func (v *conversion) toCharacters() fn.Kernel {
	if v.from.IsString() || v.from.Kind == types.JSON || v.from.Kind == types.JSONB {
		return v.fitted(func(in *vec.Vector, r int, _ []byte) ([]byte, error) { return in.Bytes(r), nil })
	}
	switch v.from.Kind {
	case types.Bool:
		return v.fitted(func(in *vec.Vector, r int, dst []byte) ([]byte, error) {
			if vec.Values[uint8](in)[r] != 0 {
				return append(dst, "true"...), nil
			}
			return append(dst, "false"...), nil
		})
	case types.Int32:
		return v.fitted(func(in *vec.Vector, r int, dst []byte) ([]byte, error) {
			return appendInt(dst, int64(vec.Values[int32](in)[r])), nil
		})
	case types.Int64:
		return v.fitted(func(in *vec.Vector, r int, dst []byte) ([]byte, error) {
			return appendInt(dst, vec.Values[int64](in)[r]), nil
		})
	case types.Date:
		return v.fitted(func(in *vec.Vector, r int, dst []byte) ([]byte, error) {
			return types.AppendDate(dst, vec.Values[int32](in)[r]), nil
		})
	case types.RegClass, types.RegType, types.RegProc, types.RegNamespace:
		return v.fitted(v.catalogName)
	case types.Void, types.Unknown:
		return nil
	}
	return v.fitted(func(in *vec.Vector, r int, dst []byte) ([]byte, error) {
		return types.AppendText(dst, v.from, in.Datum(r), v.zone), nil
	})
}

func appendInt(dst []byte, x int64) []byte {
	return types.AppendDecimal(dst, types.Int128FromInt64(x), 0)
}

// fitted writes the text that format gives, cut to the target's length.
func (v *conversion) fitted(format func(in *vec.Vector, r int, dst []byte) ([]byte, error)) fn.Kernel {
	var scratch []byte
	return v.each(func(in, out *vec.Vector, r int) error {
		b, err := format(in, r, scratch[:0])
		if err == nil {
			if cap(b) > cap(scratch) && !v.from.IsString() {
				scratch = b
			}
			b, err = v.fit(b)
		}
		out.SetBytes(r, b)
		return err
	})
}

// fit cuts b as the target's type demands.
func (v *conversion) fit(b []byte) ([]byte, error) {
	limit := int(v.to.Length)
	switch v.to.Kind {
	case types.Name:
		return b[:types.PrefixOfCharacters(text(b), 63)], nil
	case types.InternalChar:
		return b[:min(len(b), 1)], nil
	case types.Char:
		limit = max(limit, 1)
	}
	if limit > 0 && len(b) > limit {
		at := types.CharacterOffset(text(b), limit)
		if v.assign && len(bytes.TrimRight(b[at:], " ")) > 0 {
			return nil, sqlerr.New(sqlerr.StringDataRightTruncation, "value too long for type %s", v.to)
		}
		b = b[:at]
	}
	if v.to.Kind == types.Char {
		b = bytes.TrimRight(b, " ")
	}
	return b, nil
}

// text views bytes as a string for the length of a call.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// catalogName writes the name behind an oid, or its number when there is none.
func (v *conversion) catalogName(in *vec.Vector, r int, dst []byte) ([]byte, error) {
	oid := vec.Values[int64](in)[r]
	if oid == 0 {
		return append(dst, '-'), nil
	}
	if v.session != nil && v.session.Lookup != nil {
		name, err := v.session.Lookup(v.from.Kind.String()+" name", types.IntDatum(oid))
		if err != nil {
			return nil, err
		}
		if !name.Null {
			return append(dst, name.Str...), nil
		}
	}
	return appendInt(dst, oid), nil
}

// fromCharacters reads the text form of any type.
func (v *conversion) fromCharacters() fn.Kernel {
	switch v.to.Kind {
	case types.Int16:
		return parseEach(v, types.ParseInt16)
	case types.Int32:
		return parseEach(v, types.ParseInt32)
	case types.Int64:
		return parseEach(v, types.ParseInt64)
	case types.Float64:
		return parseEach(v, types.ParseFloat64)
	case types.Date:
		return parseEach(v, types.ParseDate)
	case types.Timestamp:
		return parseEach(v, types.ParseTimestamp)
	case types.JSON:
		return v.eachString(func(b, _ []byte) ([]byte, error) { return b, types.ValidateJSON(b) })
	case types.RegClass, types.RegType, types.RegProc, types.RegNamespace:
		return v.each(v.catalogNumber)
	case types.Void:
		return nil
	}
	return v.each(func(in, out *vec.Vector, r int) error {
		d, err := types.Parse(v.to, in.Str(r), v.zone)
		if err != nil {
			d = types.NullDatum()
			out.SetDatum(r, d)
			return err
		}
		out.SetDatum(r, d)
		return nil
	})
}

func parseEach[T vec.Fixed](v *conversion, parse func([]byte) (T, error)) fn.Kernel {
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		values := vec.Values[T](out)
		for k := range kernel.Count(rows, n) {
			r := rowAt(rows, k)
			x, err := parse(args[0].Bytes(r))
			if err != nil {
				if err := v.fail(out, r, err); err != nil {
					return err
				}
			}
			values[r] = x
		}
		return nil
	}
}

// catalogNumber reads an oid or looks a name up.
func (v *conversion) catalogNumber(in, out *vec.Vector, r int) error {
	s := in.Str(r)
	if d, err := types.Parse(v.to, s, nil); err == nil {
		out.SetDatum(r, d)
		return nil
	}
	if v.session == nil || v.session.Lookup == nil {
		return sqlerr.New(sqlerr.FeatureNotSupported, "%s names cannot be resolved here", v.to.Kind)
	}
	d, err := v.session.Lookup(v.to.Kind.String(), in.Datum(r))
	if err != nil {
		out.SetDatum(r, types.IntDatum(0))
		return err
	}
	out.SetDatum(r, d)
	return nil
}
