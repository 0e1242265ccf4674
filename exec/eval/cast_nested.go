package eval

import (
	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// inner gives the conversion of a part, nil when there is none.
func (v *conversion) inner(from, to types.Type) func(in *vec.Vector, rows []int32, out *vec.Vector) error {
	if isRelabel(from, to) {
		return func(in *vec.Vector, _ []int32, out *vec.Vector) error {
			out.Alias(in)
			out.Type = to
			return nil
		}
	}
	part := *v
	part.from, part.to = from, to
	k := part.kernel()
	if k == nil {
		return nil
	}
	return func(in *vec.Vector, rows []int32, out *vec.Vector) error {
		var flat vec.Vector
		rows = kernel.Valid(nil, rows, in.Valid, in.Len)
		kernel.Flatten(&flat, in, rows)
		out.Resize(to, in.Len)
		clear(out.Data)
		if rows == nil || len(rows) > 0 {
			if err := k([]*vec.Vector{&flat}, in.Len, rows, out); err != nil {
				return err
			}
		}
		if flat.Valid != nil {
			out.Valid = vec.AndInto(nil, out.Valid, flat.Valid, in.Len)
		}
		return nil
	}
}

// elements lists the children's rows that the lists at rows refer to.
func elements(lists []vec.List, rows []int32, n int) []int32 {
	out := []int32{}
	for k := range kernel.Count(rows, n) {
		l := lists[rowAt(rows, k)]
		for i := range l.Length {
			out = append(out, l.Offset+i)
		}
	}
	return out
}

func (v *conversion) arrays() fn.Kernel {
	convert := v.inner(*v.from.Elem, *v.to.Elem)
	if convert == nil {
		return nil
	}
	return v.lists(convert)
}

func (v *conversion) maps() fn.Kernel {
	keys, values := v.inner(*v.from.Key, *v.to.Key), v.inner(*v.from.Elem, *v.to.Elem)
	if keys == nil || values == nil {
		return nil
	}
	return v.lists(keys, values)
}

// lists converts the children and keeps the lists as they are.
func (v *conversion) lists(parts ...func(in *vec.Vector, rows []int32, out *vec.Vector) error) fn.Kernel {
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		in := args[0]
		lists := vec.Values[vec.List](in)
		copy(vec.Values[vec.List](out), lists)
		wanted := elements(lists, rows, n)
		for i, convert := range parts {
			if err := convert(&in.Children[i], sortedUnique(wanted), &out.Children[i]); err != nil {
				return err
			}
		}
		return nil
	}
}

// sortedUnique makes an ascending list without repetitions; lists mostly lie in order already.
func sortedUnique(rows []int32) []int32 {
	ordered := true
	for i := 1; i < len(rows) && ordered; i++ {
		ordered = rows[i-1] < rows[i]
	}
	if ordered {
		return rows
	}
	most := int32(0)
	for _, r := range rows {
		most = max(most, r)
	}
	seen := make(vec.Bitmap, vec.BitmapWords(int(most)+1))
	for _, r := range rows {
		seen.Set(int(r))
	}
	return kernel.Valid(nil, nil, seen, int(most)+1)
}

func (v *conversion) rows() fn.Kernel {
	parts := make([]func(in *vec.Vector, rows []int32, out *vec.Vector) error, len(v.to.Fields))
	for i := range parts {
		if parts[i] = v.inner(v.from.Fields[i].Type, v.to.Fields[i].Type); parts[i] == nil {
			return nil
		}
	}
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		for i, convert := range parts {
			if err := convert(&args[0].Children[i], rows, &out.Children[i]); err != nil {
				return err
			}
		}
		return nil
	}
}

// fromJSON reads a JSON scalar as a number or boolean, or an array of such.
func (v *conversion) fromJSON() fn.Kernel {
	if v.to.Kind == types.Array {
		return nil
	}
	return v.each(func(in, out *vec.Vector, r int) error {
		b := in.Bytes(r)
		kind, fits := jsonKind(b), false
		switch kind {
		case "numeric":
			fits = v.to.Kind != types.Bool
		case "boolean":
			fits = v.to.Kind == types.Bool
		}
		if !fits {
			out.SetDatum(r, types.NullDatum())
			return sqlerr.New(sqlerr.InvalidParameterValue, "cannot cast jsonb %s to type %s", kind, v.to.Base())
		}
		d, err := parseJSONNumber(v.to, string(b))
		out.SetDatum(r, d)
		return err
	})
}

// parseJSONNumber reads a number as numeric does before it becomes an integer, so that 1.0 is one.
func parseJSONNumber(t types.Type, s string) (types.Datum, error) {
	d, err := types.Parse(t, s, nil)
	if err == nil || !t.IsInteger() {
		return d, err
	}
	x, err := types.ParseDecimal([]byte(s), types.MaxDecimalPrecision, 0)
	low, high, name := integerRange(t)
	if whole, ok := x.Int64(); err == nil && ok && whole >= low && whole <= high {
		return types.IntDatum(whole), nil
	}
	return types.IntDatum(0), rangeError(name)
}

func jsonKind(b []byte) string {
	for len(b) > 0 && (b[0] == ' ' || b[0] >= '\t' && b[0] <= '\r') {
		b = b[1:]
	}
	if len(b) == 0 {
		return "null"
	}
	switch c := b[0]; {
	case c == '{':
		return "object"
	case c == '[':
		return "array"
	case c == '"':
		return "string"
	case c == 't' || c == 'f':
		return "boolean"
	case c == 'n':
		return "null"
	}
	return "numeric"
}

// toJSON writes a value as JSON.
func (v *conversion) toJSON() fn.Kernel {
	switch v.from.Kind {
	case types.Void, types.Unknown:
		return nil
	}
	return v.each(func(in, out *vec.Vector, r int) error {
		out.SetBytes(r, kernel.AppendJSON(nil, v.from, in.Datum(r), v.to.Kind == types.JSONB, v.zone))
		return nil
	})
}
