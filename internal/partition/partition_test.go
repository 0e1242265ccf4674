package partition

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

func days(year, month, day int) int64 {
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Unix() / 86_400
}

func TestPathAndKey(t *testing.T) {
	date, text := types.Of(types.Date), types.Of(types.Text)
	columnTypes := []types.Type{date, text}
	for _, c := range []struct {
		day  int64
		name types.Datum
		want string
	}{
		{days(2018, 8, 1), types.StringDatum("a b"), "ds=2018-08-01/name=a b"},
		{days(1, 1, 1), types.StringDatum("a/b=c%:"), "ds=0001-01-01/name=a%2Fb%3Dc%25%3A"},
		{days(-5, 2, 28), types.NullDatum(), "ds=-0005-02-28/name=" + NullName},
		{days(12345, 2, 28), types.StringDatum(".."), "ds=12345-02-28/name=%2E%2E"},
		{0, types.StringDatum(NullName), "ds=1970-01-01/name=%5F_HIVE_DEFAULT_PARTITION__"},
		{-1, types.StringDatum("Größe\n\x7f"), "ds=1969-12-31/name=Größe%0A%7F"},
		{math.MaxInt32, types.StringDatum("x"), "ds=infinity/name=x"},
	} {
		values := []types.Datum{types.IntDatum(c.day), c.name}
		path, err := Path([]string{"ds", "name"}, columnTypes, values)
		if err != nil || path != c.want {
			t.Errorf("path %q (%v), want %q", path, err, c.want)
		}
		key, err := Key(columnTypes, values)
		if err != nil {
			t.Fatal(err)
		}
		if again := PathOfKey([]string{"ds", "name"}, key); again != path {
			t.Errorf("from the key %q: path %q, want %q", key, again, path)
		}
		back, err := Values(columnTypes, key)
		if err != nil || back[0].I64 != c.day || back[1].Null != c.name.Null || back[1].Str != c.name.Str {
			t.Errorf("%q reads back as %v (%v)", key, back, err)
		}
		pairs := Pairs("s3://bucket/t/" + path + "/part-0.parquet")
		if len(pairs) != 2 || pairs[0].Name != "ds" || pairs[1].Name != "name" || !strings.HasSuffix(path, pairs[1].Value) {
			t.Errorf("%q has pairs %v", path, pairs)
		}
	}
}

func TestEmptyStringIsNull(t *testing.T) {
	key, _ := Key([]types.Type{types.Of(types.Text)}, []types.Datum{types.StringDatum("")})
	if key != NullName {
		t.Errorf("key %q", key)
	}
}

func TestTextsReadBack(t *testing.T) {
	kinds := []types.Type{
		types.Of(types.Bool), types.Of(types.Int16), types.Of(types.Int32), types.Of(types.Int64),
		types.Of(types.Float32), types.Of(types.Float64), types.DecimalOf(12, 2), types.DecimalOf(38, 10),
		types.Of(types.Text), types.Of(types.Date), types.Of(types.Time), types.Of(types.Timestamp),
		types.Of(types.TimestampTZ), types.Of(types.UUID),
	}
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(kinds).Draw(t, "type")
		d := drawDatum(t, kind)
		key, err := Key([]types.Type{kind}, []types.Datum{d})
		if err != nil {
			t.Fatal(err)
		}
		back, err := Values([]types.Type{kind}, key)
		if err != nil {
			t.Fatalf("%s %q: %v", kind, key, err)
		}
		if kind.Kind == types.Text && d.Str == "" {
			if !back[0].Null {
				t.Fatal("the empty string must read back as NULL")
			}
			return
		}
		if types.CompareDatums(kind, d, back[0]) != 0 {
			t.Fatalf("%s: %+v → %q → %+v", kind, d, key, back[0])
		}
		if strings.ContainsAny(key, "/\x00\n") {
			t.Fatalf("key %q holds a separator", key)
		}
	})
}

func drawDatum(t *rapid.T, kind types.Type) types.Datum {
	switch kind.Kind {
	case types.Bool:
		return types.BoolDatum(rapid.Bool().Draw(t, "v"))
	case types.Int16:
		return types.IntDatum(int64(rapid.Int16().Draw(t, "v")))
	case types.Int32:
		return types.IntDatum(int64(rapid.Int32().Draw(t, "v")))
	case types.Int64:
		return types.IntDatum(rapid.Int64().Draw(t, "v"))
	case types.Float32:
		return types.FloatDatum(float64(rapid.Float32().Draw(t, "v")))
	case types.Float64:
		return types.FloatDatum(rapid.Float64().Draw(t, "v"))
	case types.Decimal:
		if kind.Physical() == types.PhysInt64 {
			return types.IntDatum(rapid.Int64Range(-999_999_999_999, 999_999_999_999).Draw(t, "v"))
		}
		return types.Datum{I128: types.MulInt64(rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b"))}
	case types.Date:
		return types.IntDatum(rapid.Int64Range(days(-4000, 1, 1), days(99_999, 12, 31)).Draw(t, "v"))
	case types.Time:
		return types.IntDatum(rapid.Int64Range(0, 86_400_000_000-1).Draw(t, "v"))
	case types.Timestamp, types.TimestampTZ:
		return types.IntDatum(rapid.Int64Range(days(-4000, 1, 1)*86_400_000_000, days(99_999, 12, 31)*86_400_000_000).Draw(t, "v"))
	case types.UUID:
		return types.Datum{I128: types.Int128{Lo: rapid.Uint64().Draw(t, "l"), Hi: rapid.Int64().Draw(t, "h")}}
	}
	return types.StringDatum(strings.ReplaceAll(rapid.String().Draw(t, "v"), "\x00", "")) // no text holds a NUL
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct {
		kind types.Type
		text string
		code sqlerr.Code
	}{
		{types.Of(types.Date), "2018-02-30", sqlerr.InvalidDatetimeFormat},
		{types.Of(types.Date), "2018-02-28 10:00", sqlerr.InvalidDatetimeFormat},
		{types.Of(types.Int16), "70000", sqlerr.NumericValueOutOfRange},
		{types.Of(types.Int32), "1x", sqlerr.InvalidTextRepresentation},
		{types.DecimalOf(4, 2), "100", sqlerr.NumericValueOutOfRange},
		{types.DecimalOf(4, 2), "1.234", sqlerr.InvalidTextRepresentation},
		{types.Of(types.Bool), "maybe", sqlerr.InvalidTextRepresentation},
		{types.Of(types.UUID), "12", sqlerr.InvalidTextRepresentation},
		{types.ArrayOf(types.Of(types.Int32)), "{}", sqlerr.FeatureNotSupported},
	} {
		if v, err := Parse(c.kind, c.text); sqlerr.CodeOf(err) != c.code {
			t.Errorf("%s %q: %v, %v; want %s", c.kind, c.text, v, err, c.code)
		}
	}
}

func TestUnescapeIsLenient(t *testing.T) {
	for in, want := range map[string]string{"a%2fb": "a/b", "100%": "100%", "%zz": "%zz", "a+b": "a+b", "%4": "%4"} {
		if got := Unescape(in); got != want {
			t.Errorf("%q → %q, want %q", in, got, want)
		}
	}
}
