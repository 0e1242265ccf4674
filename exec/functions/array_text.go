package functions

import (
	"strings"
	"time"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/types"
)

// joinItems writes elements with a separator between them; NULLs are left out unless null is given.
func joinItems(dst []byte, t types.Type, d types.Datum, separator string, null *string, first *bool, zone *time.Location) []byte {
	for _, item := range d.Items {
		if t.Elem.Kind == types.Array && !item.Null {
			dst = joinItems(dst, *t.Elem, item, separator, null, first, zone)
			continue
		}
		if item.Null && null == nil {
			continue
		}
		if !*first {
			dst = append(dst, separator...)
		}
		*first = false
		if item.Null {
			dst = append(dst, *null...)
		} else {
			dst = types.AppendText(dst, *t.Elem, item, zone)
		}
		if len(dst) > maxText {
			break // toText refuses it
		}
	}
	return dst
}

func arrayText() []fn.Overload {
	var out []fn.Overload
	join := withZone(func(dst []byte, r row, zone *time.Location) ([]byte, bool, error) {
		if r.null(0) || r.null(1) {
			return dst, false, nil
		}
		var null *string
		if r.given(2) && !r.null(2) {
			s := r.str(2)
			null = &s
		}
		first := true
		return joinItems(dst, r.args[0].Type, r.datum(0), r.str(1), null, &first, zone), true, nil
	})
	for _, name := range []string{"array_to_string", "array_join"} {
		base := []fn.Param{anyArray, {Name: "separator", Type: text}}
		with := append(base[:2:2], fn.Param{Name: "null", Type: text})
		a := called(returning(text, arrayRow(name, "The elements as text with a separator between them; NULLs are left out.", name+"(ARRAY[1, NULL, 3], ',') → 1,3", base, join)))
		b := called(returning(text, arrayRow(name, "The same with a text for NULLs.", name+"(ARRAY[1, NULL, 3], ',', '*') → 1,*,3", with, join)))
		a.Volatility, b.Volatility = fn.Stable, fn.Stable
		out = append(out, a, b)
	}
	split := toDatum(func(r row) (types.Datum, error) {
		if r.null(0) {
			return types.NullDatum(), nil
		}
		items, err := splitText(r)
		return types.Datum{Items: items}, err
	})
	s := params("s", text, "delimiter", text, "null", text)
	return append(out,
		called(returning(types.ArrayOf(text), arrayRow("string_to_array", "The parts of s between delimiters; a NULL delimiter splits into characters.", "string_to_array('a,b', ',') → {a,b}", s[:2], split))),
		called(returning(types.ArrayOf(text), arrayRow("string_to_array", "The same, parts equal to a text becoming NULL.", "string_to_array('a,-,b', ',', '-') → {a,NULL,b}", s, split))),
		returning(types.ArrayOf(text), arrayRow("split", "The parts of s between delimiters.", "split('a,b', ',') → {a,b}", s[:2:2], toDatum(func(r row) (types.Datum, error) {
			out := types.Datum{}
			if err := r.room(strings.Count(r.str(0), r.str(1))); err != nil {
				return out, err
			}
			for _, part := range strings.Split(r.str(0), r.str(1)) {
				out.Items = append(out.Items, types.StringDatum(strings.Clone(part)))
			}
			return out, nil
		}))),
	)
}

// splitText is string_to_array: an empty delimiter does not split, a NULL one splits everywhere.
func splitText(r row) ([]types.Datum, error) {
	s := r.str(0)
	parts := []string{}
	count := len(s)
	if !r.null(1) && r.str(1) != "" {
		count = strings.Count(s, r.str(1))
	}
	if err := r.room(count); err != nil {
		return nil, err
	}
	switch {
	case s == "":
	case r.null(1):
		parts = strings.Split(s, "")
	case r.str(1) == "":
		parts = []string{s}
	default:
		parts = strings.Split(s, r.str(1))
	}
	out := make([]types.Datum, len(parts))
	for i, part := range parts {
		if r.given(2) && !r.null(2) && r.str(2) == part {
			out[i] = types.NullDatum()
		} else {
			out[i] = types.StringDatum(strings.Clone(part))
		}
	}
	return out, nil
}
