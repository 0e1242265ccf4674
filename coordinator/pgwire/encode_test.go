package pgwire

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// sample is a type with values and what pgx's text form of each must be.
type sample struct {
	typ    types.Type
	values []string // text forms, as PostgreSQL prints them
}

func samples() []sample {
	text := types.Of(types.Text)
	return []sample{
		{types.Of(types.Bool), []string{"t", "f"}},
		{types.Of(types.Int16), []string{"0", "-32768", "32767"}},
		{types.Of(types.Int32), []string{"0", "-2147483648", "2147483647"}},
		{types.Of(types.Int64), []string{"0", "-9223372036854775808", "9223372036854775807"}},
		{types.Of(types.Float32), []string{"0", "1.5", "-3.4028235e+38", "NaN", "Infinity", "1e-05"}},
		{types.Of(types.Float64), []string{"0", "0.1", "1e+15", "123456789012345.6", "-Infinity", "NaN", "5e-324"}},
		{types.DecimalOf(12, 2), []string{"0.00", "1.10", "-0.01", "9999999999.99", "10000.00", "100.05"}},
		{types.DecimalOf(5, 0), []string{"0", "10000", "-99999"}},
		{types.DecimalOf(18, 7), []string{"0.0000001", "1.0000000", "-12345678901.7654321"}},
		{types.DecimalOf(38, 16), []string{"0.0000000000000000", "1234567890123456789012.1234567890123456", "-0.0000000000000001", "100000000.0000000000000000"}},
		{types.DecimalOf(38, 0), []string{"99999999999999999999999999999999999999", "-1"}},
		{types.DecimalOf(38, 38), []string{"0.99999999999999999999999999999999999999", "-0.00000000000000000000000000000000000001"}},
		{text, []string{"", "plain", "ünïcode and longer than twelve"}},
		{types.VarcharOf(20), []string{"short", "exactly twelve..."}},
		{types.Type{Kind: types.Char, Length: 5}, []string{"ab   ", "abcde"}},
		{types.Of(types.Bytea), []string{`\x`, `\x00ff10`, `\x000102030405060708090a0b0c0d0e0f`}},
		{types.Of(types.Date), []string{"1970-01-01", "2000-01-01", "1999-12-31", "infinity", "0001-01-01", "9999-12-31"}},
		{types.Of(types.Time), []string{"00:00:00", "23:59:59.999999", "12:30:00"}},
		{types.Of(types.Timestamp), []string{"2000-01-01 00:00:00", "1969-12-31 23:59:59.999999", "2018-08-01 04:05:06.7", "infinity", "-infinity"}},
		{types.Of(types.TimestampTZ), []string{"2000-01-01 00:00:00+00", "2026-11-21 10:11:12.000013+00", "infinity"}},
		{types.Of(types.Interval), []string{"00:00:00", "1 year 2 mons 3 days 04:05:06.7", "-1 days -00:00:01"}},
		{types.Of(types.UUID), []string{"00000000-0000-0000-0000-000000000000", "d4f98c26-0025-40b0-b3fe-6de438f1455f"}},
		{types.Of(types.JSON), []string{`{"a": [1, 2]}`, "null"}},
		{types.Of(types.JSONB), []string{`{"a": [1, 2]}`, "null"}},
		{types.Of(types.OID), []string{"0", "4294967295"}},
		{types.Of(types.Name), []string{"pg_class"}},
		{types.Of(types.InternalChar), []string{"r"}},
		{types.ArrayOf(types.Of(types.Int32)), []string{"{}", "{1,NULL,3}", "{-1}"}},
		{types.ArrayOf(text), []string{`{a,"b c",NULL,"","x\"y"}`}},
		{types.ArrayOf(types.Of(types.Bool)), []string{"{t,f}"}},
		{types.ArrayOf(types.DecimalOf(10, 2)), []string{"{1.50,NULL}"}},
		{types.ArrayOf(types.ArrayOf(types.Of(types.Int64))), []string{"{{1,2},{3,4}}", "{}"}},
		{types.ArrayOf(types.Of(types.Timestamp)), []string{`{"2000-01-01 00:00:00",infinity}`}},
	}
}

// encodings gives the same rows as flat, dictionary and constant vectors, the last row NULL.
func encodings(t *testing.T, s sample) map[string]*vec.Vector {
	t.Helper()
	flat := vec.NewFlat(s.typ, len(s.values)+1)
	dictionary := vec.NewFlat(s.typ, len(s.values))
	for i, text := range s.values {
		d, err := types.Parse(s.typ, text, nil)
		if err != nil {
			t.Fatalf("%s %q: %v", s.typ, text, err)
		}
		flat.SetDatum(i, d)
		dictionary.SetDatum(i, d)
	}
	flat.SetDatum(len(s.values), types.NullDatum())
	var coded vec.Vector
	coded.ResizeDict(dictionary, 1, len(s.values)+1)
	for i := range s.values {
		coded.Codes()[i] = int32(i)
	}
	coded.Codes()[len(s.values)] = 0
	coded.SetNull(len(s.values))
	out := map[string]*vec.Vector{"flat": flat, "dictionary": &coded}
	first, _ := types.Parse(s.typ, s.values[0], nil)
	out["constant"] = vec.NewConst(s.typ, first, 1)
	return out
}

// rowsOf encodes a one-column batch and takes the values out of the DataRow messages.
func rowsOf(t *testing.T, v *vec.Vector, format int16) [][]byte {
	t.Helper()
	e := newEncoder(types.Schema{{Type: v.Type}}, []int16{format}, nil)
	e.use(&vec.Batch{Cols: []vec.Vector{*v}, Len: v.Len})
	var out []byte
	for from := 0; from < v.Len; {
		out, from = e.appendRows(out, from, v.Len, 1)
		out, from = e.appendRows(out, from, v.Len, 1<<30)
	}
	var values [][]byte
	for len(out) > 0 {
		length := int(binary.BigEndian.Uint32(out[1:]))
		body := out[5 : 1+length]
		if out[0] != 'D' || binary.BigEndian.Uint16(body) != 1 {
			t.Fatalf("bad frame %x", out)
		}
		n := int32(binary.BigEndian.Uint32(body[2:]))
		if n < 0 {
			values = append(values, nil)
		} else {
			if int(n) != len(body)-6 {
				t.Fatalf("value of %d bytes in a frame of %d", n, len(body))
			}
			values = append(values, body[6:])
		}
		out = out[1+length:]
	}
	return values
}

func TestEveryTypeInTextForm(t *testing.T) {
	for _, s := range samples() {
		for name, v := range encodings(t, s) {
			for i, got := range rowsOf(t, v, textFormat) {
				if v.IsNull(i) {
					if got != nil {
						t.Errorf("%s %s: null became %q", s.typ, name, got)
					}
				} else if string(got) != s.values[i] {
					t.Errorf("%s %s: got %q, want %q", s.typ, name, got, s.values[i])
				}
			}
		}
	}
}

// TestEveryTypeInBinaryForm has pgx read our binary form and write it back as text and as binary.
func TestEveryTypeInBinaryForm(t *testing.T) {
	pgx := pgtype.NewMap()
	for _, s := range samples() {
		for name, v := range encodings(t, s) {
			for i, got := range rowsOf(t, v, binaryFormat) {
				if v.IsNull(i) {
					if got != nil {
						t.Errorf("%s %s: null became %x", s.typ, name, got)
					}
					continue
				}
				if err := readByPgx(pgx, s.typ, got, s.values[i]); err != nil {
					t.Errorf("%s %s %q: %v", s.typ, name, s.values[i], err)
				}
				back, err := decodeBinary(s.typ, got)
				if err != nil {
					t.Errorf("%s %q does not decode: %v", s.typ, s.values[i], err)
				} else if text := types.Format(s.typ, back, nil); text != s.values[i] {
					t.Errorf("%s: %q decodes to %q", s.typ, s.values[i], text)
				}
			}
		}
	}
}

// readByPgx scans the binary form and the expected text into the same Go type and compares.
func readByPgx(m *pgtype.Map, t types.Type, binaryForm []byte, text string) error {
	oid := t.OID()
	kind, ok := m.TypeForOID(oid)
	if !ok {
		return fmt.Errorf("pgx does not know OID %d", oid)
	}
	fromBinary, err := kind.Codec.DecodeValue(m, oid, pgtype.BinaryFormatCode, binaryForm)
	if err != nil {
		return err
	}
	fromText, err := kind.Codec.DecodeValue(m, oid, pgtype.TextFormatCode, []byte(text))
	if err != nil {
		return err
	}
	if f, isFloat := fromText.(float64); isFloat && math.IsNaN(f) && math.IsNaN(fromBinary.(float64)) {
		return nil
	}
	if f, isFloat := fromText.(float32); isFloat && math.IsNaN(float64(f)) && math.IsNaN(float64(fromBinary.(float32))) {
		return nil
	}
	if !reflect.DeepEqual(normal(fromBinary), normal(fromText)) {
		return fmt.Errorf("binary gives %v, text %v", fromBinary, fromText)
	}
	return nil
}

// normal makes numerics comparable whatever their exponent, and moments whatever their location.
func normal(v any) string {
	switch v := v.(type) {
	case pgtype.Numeric:
		f, _ := v.Value()
		text := fmt.Sprint(f)
		if strings.Contains(text, ".") {
			text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
		}
		return text
	case time.Time:
		return v.UTC().String()
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = normal(item)
		}
		return strings.Join(parts, ",")
	}
	return fmt.Sprintf("%#v", v)
}

func TestNumericParametersAreRounded(t *testing.T) {
	pgx := pgtype.NewMap()
	for _, c := range []struct{ in, want string }{
		{"1.005", "1.01"}, {"1.004999", "1.00"}, {"-2.675", "-2.68"}, {"0.00001", "0.00"}, {"12345678.9", "12345678.90"},
		{"99999999.994", "99999999.99"}, {"0.5", "0.50"}, {"0.00499999999999999999999", "0.00"}, {"0.005", "0.01"},
	} {
		var n pgtype.Numeric
		if err := n.Scan(c.in); err != nil {
			t.Fatal(err)
		}
		b, err := pgx.Encode(pgtype.NumericOID, pgtype.BinaryFormatCode, n, nil)
		if err != nil {
			t.Fatal(err)
		}
		decimal := types.DecimalOf(10, 2)
		d, err := decodeBinary(decimal, b)
		if err != nil || types.Format(decimal, d, nil) != c.want {
			t.Errorf("%s: %s %v, want %s", c.in, types.Format(decimal, d, nil), err, c.want)
		}
	}
	var n pgtype.Numeric
	_ = n.Scan("99999999.995")
	b, _ := pgx.Encode(pgtype.NumericOID, pgtype.BinaryFormatCode, n, nil)
	if _, err := decodeBinary(types.DecimalOf(10, 2), b); err == nil {
		t.Error("overflow by rounding passed")
	}
}

func TestRowsThroughASelection(t *testing.T) {
	v := vec.NewFlat(types.Of(types.Int32), 4)
	copy(vec.Values[int32](v), []int32{10, 11, 12, 13})
	e := newEncoder(types.Schema{{Type: v.Type}}, nil, nil)
	e.use(&vec.Batch{Cols: []vec.Vector{*v}, Len: 4, Sel: []int32{1, 3}})
	out, next := e.appendRows(nil, 0, 2, 1<<20)
	if want := "D\x00\x00\x00\x0c\x00\x01\x00\x00\x00\x0211D\x00\x00\x00\x0c\x00\x01\x00\x00\x00\x0213"; string(out) != want || next != 2 {
		t.Fatalf("%q", out)
	}
}

func benchmarkBatch() (types.Schema, *vec.Batch) {
	schema := types.Schema{{Type: types.Of(types.Int64)}, {Type: types.Of(types.Int32)}, {Type: types.Of(types.Float64)}, {Type: types.Of(types.Text)},
		{Type: types.Of(types.Timestamp)}, {Type: types.Of(types.Date)}, {Type: types.DecimalOf(12, 2)}, {Type: types.Of(types.Bool)}}
	b := vec.NewBatch(schema.Types(), vec.BatchSize)
	for i := range vec.BatchSize {
		vec.Values[int64](&b.Cols[0])[i] = int64(i) * 1_000_003
		vec.Values[int32](&b.Cols[1])[i] = int32(i)
		vec.Values[float64](&b.Cols[2])[i] = float64(i) * 1.25
		b.Cols[3].SetString(i, fmt.Sprintf("customer-%d", i%100))
		vec.Values[int64](&b.Cols[4])[i] = 1_500_000_000_000_000 + int64(i)*1_000_000
		vec.Values[int32](&b.Cols[5])[i] = 17000 + int32(i)
		vec.Values[int64](&b.Cols[6])[i] = int64(i) * 199
		vec.Values[uint8](&b.Cols[7])[i] = uint8(i & 1)
	}
	return schema, b
}

func BenchmarkEncodeText(b *testing.B)   { benchmarkEncode(b, textFormat) }
func BenchmarkEncodeBinary(b *testing.B) { benchmarkEncode(b, binaryFormat) }

func benchmarkEncode(b *testing.B, format int16) {
	schema, batch := benchmarkBatch()
	e := newEncoder(schema, []int16{format}, nil)
	out := make([]byte, 0, 1<<20)
	b.ReportAllocs()
	for b.Loop() {
		e.use(batch)
		out, _ = e.appendRows(out[:0], 0, batch.Len, 1<<30)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/vec.BatchSize, "ns/row")
}

func TestEncodingRowsDoesNotAllocate(t *testing.T) {
	schema, batch := benchmarkBatch()
	for _, format := range []int16{textFormat, binaryFormat} {
		e := newEncoder(schema, []int16{format}, nil)
		out := make([]byte, 0, 1<<20)
		if n := testing.AllocsPerRun(3, func() {
			e.use(batch)
			out, _ = e.appendRows(out[:0], 0, batch.Len, 1<<30)
		}); n > 0 {
			t.Errorf("format %d: %v allocations a batch", format, n)
		}
	}
}

func TestISOIntervals(t *testing.T) {
	for text, want := range map[string]string{"1 year 2 mons 3 days 04:05:06.7": "P1Y2M3DT4H5M6.7S", "00:00:00": "PT0S", "-1 days -00:00:01": "P-1DT-1S", "-13 mons": "P-1Y-1M",
		"1 day": "P1D", "00:00:00.000001": "PT0.000001S", "-00:01:30.5": "PT-1M-30.5S"} {
		v, err := types.ParseInterval([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(appendISOInterval(nil, v)); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
