package kernel

import (
	"bytes"
	"math"
	"time"

	"github.com/tarnlake/tarn/internal/types"
)

// AppendJSON appends a value as PostgreSQL's to_json (or, spaced, to_jsonb) writes it: numbers and
// booleans bare, timestamps in ISO form, arrays and rows nested, everything else as a string.
func AppendJSON(dst []byte, t types.Type, d types.Datum, spaced bool, zone *time.Location) []byte {
	if d.Null {
		return append(dst, "null"...)
	}
	comma, colon := ",", ":"
	if spaced {
		comma, colon = ", ", ": "
	}
	switch t.Kind {
	case types.Bool:
		if d.I64 != 0 {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case types.JSON, types.JSONB:
		if spaced && t.Kind == types.JSON {
			if out, err := types.AppendJSONB(dst, []byte(d.Str)); err == nil {
				return out
			}
		}
		return append(dst, d.Str...)
	case types.Int16, types.Int32, types.Int64, types.Decimal, types.Int128Kind:
		return types.AppendText(dst, t, d, zone)
	case types.Float32, types.Float64:
		if !math.IsNaN(d.F64) && !math.IsInf(d.F64, 0) {
			return appendJSONFloat(dst, t, d, spaced)
		}
	case types.Date, types.Timestamp, types.TimestampTZ:
		return append(appendISO(append(dst, '"'), t, d, zone), '"')
	case types.Array:
		dst = append(dst, '[')
		for i, item := range d.Items {
			if i > 0 {
				dst = append(dst, comma...)
			}
			dst = AppendJSON(dst, *t.Elem, item, spaced, zone)
		}
		return append(dst, ']')
	case types.Map:
		dst = append(dst, '{')
		for i := 0; i+1 < len(d.Items); i += 2 {
			if i > 0 {
				dst = append(dst, comma...)
			}
			dst = types.AppendJSONString(dst, types.Format(*t.Key, d.Items[i], zone))
			dst = AppendJSON(append(dst, colon...), *t.Elem, d.Items[i+1], spaced, zone)
		}
		return append(dst, '}')
	case types.Row:
		dst = append(dst, '{')
		for i, item := range d.Items {
			if i > 0 {
				dst = append(dst, comma...)
			}
			dst = types.AppendJSONString(dst, FieldName(t, i))
			dst = AppendJSON(append(dst, colon...), t.Fields[i].Type, item, spaced, zone)
		}
		return append(dst, '}')
	}
	return types.AppendJSONString(dst, types.Format(t, d, zone))
}

// FieldName is a row field's name, f1, f2 … where it has none.
func FieldName(t types.Type, i int) string {
	if name := t.Fields[i].Name; name != "" {
		return name
	}
	return "f" + types.Int128FromInt64(int64(i)+1).String()
}

// appendJSONFloat writes a float; jsonb holds numbers as numeric, without exponent.
func appendJSONFloat(dst []byte, t types.Type, d types.Datum, spaced bool) []byte {
	text := types.AppendText(nil, t, d, nil)
	if spaced {
		if out, err := types.AppendJSONB(dst, text); err == nil {
			return out
		}
	}
	return append(dst, text...)
}

// appendISO writes a date or timestamp with T between date and time and a full zone offset.
func appendISO(dst []byte, t types.Type, d types.Datum, zone *time.Location) []byte {
	start := len(dst)
	dst = types.AppendText(dst, t, d, zone)
	if t.Kind != types.Timestamp && t.Kind != types.TimestampTZ {
		return dst
	}
	dst, era := bytes.CutSuffix(dst, []byte(" BC"))
	if at := bytes.IndexByte(dst[start:], ' '); at >= 0 {
		dst[start+at] = 'T'
	}
	if t.Kind == types.TimestampTZ && len(dst)-start > 3 && (dst[len(dst)-3] == '+' || dst[len(dst)-3] == '-') {
		dst = append(dst, ":00"...)
	}
	if era {
		dst = append(dst, " BC"...)
	}
	return dst
}
