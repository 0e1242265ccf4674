package scan

import (
	"errors"
	"testing"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

func TestStringsThatDoNotFit(t *testing.T) {
	char := types.Type{Kind: types.Char, Length: 3}
	for _, c := range []struct {
		from, to types.Type
		values   []string
		want     []string // nil: an error about the last value
		code     sqlerr.Code
	}{
		{types.Of(types.Text), types.VarcharOf(3), []string{"", "abc", "żół", "ab    "}, []string{"", "abc", "żół", "ab "}, ""},
		{types.VarcharOf(9), types.VarcharOf(3), []string{"abc", "abcd"}, nil, sqlerr.StringDataRightTruncation},
		{types.Of(types.Text), types.VarcharOf(3), []string{"żółw"}, nil, sqlerr.StringDataRightTruncation},
		{types.Of(types.Text), char, []string{"a  ", "   ", "abc       "}, []string{"a", "", "abc"}, ""},
		{types.Of(types.Bytea), char, []string{"a", "abcd"}, nil, sqlerr.StringDataRightTruncation},
		{types.Of(types.Text), types.Of(types.JSON), []string{`{"a": 1}`, "7"}, []string{`{"a": 1}`, "7"}, ""},
		{types.Of(types.Text), types.Of(types.JSON), []string{"7", "{"}, nil, sqlerr.InvalidTextRepresentation},
	} {
		check := Strings(c.from, c.to)
		flat := vec.NewFlat(c.to, 0)
		for _, s := range c.values {
			flat.AppendDatum(types.StringDatum(s))
		}
		entries := &vec.Vector{}
		entries.CopyFrom(flat)
		flat.AppendDatum(types.NullDatum())
		dict := &vec.Vector{}
		dict.ResizeDict(entries, 5, flat.Len)
		for i := range entries.Len {
			dict.Codes()[i] = int32(i)
		}
		dict.Codes()[entries.Len] = 0
		dict.SetNull(entries.Len)
		for _, src := range []*vec.Vector{flat, dict} {
			var dst vec.Vector
			err := check(&dst, src)
			var bad *ValueError
			if c.want == nil {
				if !errors.As(err, &bad) || bad.At != len(c.values)-1 || sqlerr.CodeOf(bad.Cause) != c.code {
					t.Errorf("%s as %s: %v", c.from, c.to, err)
				}
				continue
			}
			if err != nil || dst.Len != len(c.want)+1 || !dst.IsNull(len(c.want)) {
				t.Fatalf("%s as %s: %v", c.from, c.to, err)
			}
			for i, want := range c.want {
				if got := dst.Datum(i); got.Null || got.Str != want {
					t.Errorf("%s as %s: %q, want %q", c.from, c.to, got.Str, want)
				}
			}
		}
	}
	for _, c := range [][2]types.Type{{types.Of(types.Text), types.Of(types.Text)}, {types.VarcharOf(3), types.VarcharOf(5)}, {types.Of(types.Text), types.Of(types.Bytea)}, {types.Of(types.JSONB), types.Of(types.JSON)}} {
		if Strings(c[0], c[1]) != nil {
			t.Errorf("%s as %s is checked", c[0], c[1])
		}
	}
	if Within(types.Of(types.Time), 0, 10)(&vec.Vector{}, vec.NewConst(types.Of(types.Int64), types.IntDatum(11), 1)) == nil {
		t.Error("a number above the bound passes")
	}
}

// TestUnusedEntriesRaiseNothing: an entry of a dictionary that no row has may be too long.
func TestUnusedEntriesRaiseNothing(t *testing.T) {
	entries := vec.NewFlat(types.VarcharOf(2), 0)
	for _, s := range []string{"a", "too long"} {
		entries.AppendDatum(types.StringDatum(s))
	}
	for rows := 1; rows < 4; rows++ { // fewer than entries, and more
		v := &vec.Vector{}
		v.ResizeDict(entries, 1, rows)
		clear(v.Codes())
		var dst vec.Vector
		if err := Strings(types.Of(types.Text), types.VarcharOf(2))(&dst, v); err != nil || dst.Datum(rows-1).Str != "a" {
			t.Error(err)
		}
		v.Codes()[rows-1] = 1
		if Strings(types.Of(types.Text), types.VarcharOf(2))(&dst, v) == nil {
			t.Error("a string that is too long passes")
		}
		v.SetNull(rows - 1)
		if err := Strings(types.Of(types.Text), types.VarcharOf(2))(&dst, v); err != nil || !dst.IsNull(rows-1) {
			t.Error(err)
		}
	}
}
