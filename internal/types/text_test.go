package types

import (
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

var namedTypes = map[string]Type{
	"boolean": Of(Bool), "smallint": Of(Int16), "integer": Of(Int32), "bigint": Of(Int64), "real": Of(Float32),
	"double precision": Of(Float64), "numeric(10,2)": DecimalOf(10, 2), "numeric(38,10)": DecimalOf(38, 10),
	"numeric(3,3)": DecimalOf(3, 3), "date": Of(Date), "time": Of(Time), "timestamp": Of(Timestamp),
	"timestamptz": Of(TimestampTZ), "interval": Of(Interval), "uuid": Of(UUID), "bytea": Of(Bytea), "json": Of(JSON),
	"jsonb": Of(JSONB), "integer[]": ArrayOf(Of(Int32)), "text[]": ArrayOf(Of(Text)),
	"integer[][]": ArrayOf(ArrayOf(Of(Int32))), "oid": Of(OID), `"char"`: Of(InternalChar),
}

// parseAndPrint gives the text form of what the input reads as, or the error as the file writes it.
func parseAndPrint(t Type, input string, zone *time.Location) string {
	d, err := Parse(t, input, zone)
	if err == nil {
		return Format(t, d, zone)
	}
	var e *sqlerr.Error
	if !errors.As(err, &e) {
		return "not a user error: " + err.Error()
	}
	out := "!" + string(e.Code) + " " + e.Message
	if e.Detail != "" {
		out += " | " + e.Detail
	}
	return out
}

func TestTextAgainstPostgres(t *testing.T) {
	content, err := os.ReadFile("testdata/text.txt")
	if err != nil {
		t.Fatal(err)
	}
	zone, err := LoadZone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	cases := 0
	for line := range strings.Lines(string(content)) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			continue
		}
		field := strings.SplitN(line, "\t", 3)
		typ, ok := namedTypes[field[0]]
		if !ok || len(field) != 3 {
			t.Fatalf("bad line %q", line)
		}
		cases++
		input := strings.ReplaceAll(field[1], "<NL>", "\n")
		if got := strings.ReplaceAll(parseAndPrint(typ, input, zone), "\n", "<NL>"); got != field[2] {
			t.Errorf("%s %q:\n got %s\nwant %s", field[0], input, got, field[2])
		}
	}
	if cases < 400 {
		t.Fatalf("only %d cases read", cases)
	}
}

func TestTextOfStringsAndNested(t *testing.T) {
	row := RowOf(Field{Name: "a", Type: Of(Int32)}, Field{Name: "b", Type: Of(Text)})
	dict := MapOf(Of(Text), Of(Int32))
	for _, c := range []struct {
		t           Type
		input, want string
	}{
		{VarcharOf(3), "añb", "añb"}, {VarcharOf(3), "añb  ", "añb"},
		{VarcharOf(3), "añbc", "!22001 value too long for type character varying(3)"},
		{Type{Kind: Char, Length: 4}, "ab ", "ab  "}, {Type{Kind: Char, Length: 4}, "", "    "},
		{Type{Kind: Char, Length: 2}, "abc", "!22001 value too long for type character(2)"},
		{row, `(1,"a ""b""")`, `(1,"a ""b""")`}, {row, "(,)", "(,)"}, {row, `(1,"")`, `(1,"")`},
		{row, "(1)", `!22P02 malformed record literal: "(1)" | Too few columns.`},
		{row, "(1,2,3)", `!22P02 malformed record literal: "(1,2,3)" | Too many columns.`},
		{row, "1", `!22P02 malformed record literal: "1" | Missing left parenthesis.`},
		{dict, `{a=1, "b c"=NULL}`, `{a=1,"b c"=NULL}`}, {dict, "{}", "{}"},
		{dict, "{a}", `!22P02 malformed array literal: "{a}" | Unexpected end of input.`},
		{dict, "{a=1", `!22P02 malformed array literal: "{a=1" | Unexpected end of input.`},
	} {
		if got := parseAndPrint(c.t, c.input, nil); got != c.want {
			t.Errorf("%s %q: %s, want %s", c.t, c.input, got, c.want)
		}
	}
}

func TestTextRoundTrips(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	zone, _ := LoadZone("America/New_York")
	for range 20_000 {
		f := math.Float64frombits(r.Uint64())
		moment := r.Int64N(8e18) - 2e17
		for _, c := range []struct {
			t Type
			d Datum
		}{
			{Of(Float64), FloatDatum(f)}, {Of(Float32), FloatDatum(float64(float32(f)))},
			{Of(Timestamp), IntDatum(moment)}, {Of(TimestampTZ), IntDatum(moment)},
			{Of(Date), IntDatum(int64(r.Int32N(1e6) - 5e5))}, {Of(Time), IntDatum(r.Int64N(MicrosPerDay))},
			{Of(Interval), Datum{Span: IntervalValue{Months: int32(r.Uint32() >> 1), Days: int32(r.Uint32()), Micros: int64(r.Uint64())}}},
			{DecimalOf(38, 10), Datum{I128: MulInt64(int64(r.Uint64()), r.Int64N(1e18))}},
			{Of(Bytea), StringDatum(string([]byte{byte(r.Uint32()), byte(r.Uint32())}))},
			{Of(UUID), Datum{I128: Int128{r.Uint64(), int64(r.Uint64())}}},
		} {
			text := Format(c.t, c.d, zone)
			back, err := Parse(c.t, text, zone)
			if c.t.Kind == TimestampTZ && err == nil && back.I64-c.d.I64 == MicrosPerHour {
				continue // the doubled hour in autumn
			}
			if err != nil || CompareDatums(c.t, back, c.d) != 0 {
				t.Fatalf("%s %+v: %q reads as %+v, %v", c.t, c.d, text, back, err)
			}
		}
	}
}

// Whatever text a type reads, it writes so that it reads back as the same value.
func FuzzParse(f *testing.F) {
	content, err := os.ReadFile("testdata/text.txt")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
		if field := strings.SplitN(line, "\t", 3); len(field) == 3 {
			f.Add(field[1])
		}
	}
	zone, _ := LoadZone("Europe/Berlin")
	f.Fuzz(func(t *testing.T, s string) {
		for name, typ := range namedTypes {
			d, err := Parse(typ, s, zone)
			if err != nil {
				var user *sqlerr.Error
				if !errors.As(err, &user) {
					t.Fatalf("%s %q: %v", name, s, err)
				}
				continue
			}
			text := Format(typ, d, zone)
			back, err := Parse(typ, text, zone)
			if typ.Kind == TimestampTZ && err == nil && back.I64-d.I64 == MicrosPerHour {
				continue // the doubled hour in autumn
			}
			if err != nil || typ.Kind != JSON && CompareDatums(typ, back, d) != 0 {
				t.Fatalf("%s %q reads as %+v, written %q, which reads as %+v, %v", name, s, d, text, back, err)
			}
		}
	})
}
