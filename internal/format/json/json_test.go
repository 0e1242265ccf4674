package json

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// TestMutatedTexts compares with encoding/json on texts made of pieces of JSON in any order.
func TestMutatedTexts(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 18))
	pieces := []string{"{", "}", "[", "]", ",", ":", "\"a\":", "\"b\" : ", "\"", "\\", "\\u12", "\\ud800", "\\udc00", "null", "true", "fals", "-1.5e3", "0", "12345678901234567", "1e999", "\n", " ", "\x00", "\xff", "é",
		"\"some longer string of text\"", "{\"a\":1}\n", "{\"k\":[{}]}", "\"2020-01-02\"", "\"A\":"}
	all := seeds()
	for range 800 {
		text := []byte(all[random.IntN(len(all))])
		for range random.IntN(4) {
			at := random.IntN(len(text) + 1)
			piece := pieces[random.IntN(len(pieces))]
			text = append(text[:at:at], append([]byte(piece), text[min(len(text), at+random.IntN(3)):]...)...)
		}
		t.Run("", func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Logf("text %q", text)
				}
			}()
			compare(t, text, uint8(random.IntN(32)), uint8(random.IntN(4)))
		})
	}
}

func object(data []byte) (oneObject, objstore.Object) {
	return oneObject{data: data}, objstore.Object{Path: "f.json", Size: int64(len(data))}
}

func columns(fields ...any) (out []ColumnRequest) {
	for i := 0; i < len(fields); i += 2 {
		out = append(out, ColumnRequest{Key: fields[i].(string), Type: fields[i+1].(types.Type)})
	}
	return out
}

func TestTypesOfValues(t *testing.T) {
	text := types.Of(types.Text)
	list := types.ArrayOf(types.Of(types.Int64))
	row := types.RowOf(types.Field{Name: "x", Type: types.Of(types.Int32)}, types.Field{Name: "Y", Type: types.ArrayOf(text)})
	for _, c := range []struct {
		t             types.Type
		value, result string
	}{
		{text, `"plain"`, "plain"}, {text, `"a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00 and more"`, "a\"\\/\b\f\n\r\té😀 and more"}, {text, `1.50`, "1.50"}, {text, `{"a": [1]}`, `{"a": [1]}`}, {text, `true`, "true"},
		{types.VarcharOf(3), `"äöü"`, "äöü"}, {types.VarcharOf(3), `"äöü  "`, "äöü"}, {types.VarcharOf(3), `"\"a    "`, `"a `}, {types.Of(types.JSON), ` [1, "x"] `, `[1, "x"]`}, {types.Of(types.JSON), `"x\n"`, `"x\n"`}, {types.Of(types.JSONB), `{"b":1,"a":2,"b":3}`, `{"a": 2, "b": 3}`},
		{types.Of(types.Int64), `-9223372036854775808`, "-9223372036854775808"}, {types.Of(types.Int64), `"12"`, "12"}, {types.Of(types.Int64), `1.5e3`, "1500"}, {types.Of(types.Int32), `2.0`, "2"},
		{types.Of(types.Int64), `1234567890123456`, "1234567890123456"}, {types.Of(types.Int64), `-123456789`, "-123456789"}, {types.Of(types.Int16), `-32768`, "-32768"},
		{types.Of(types.Float64), `0.1`, "0.1"}, {types.Of(types.Float64), `-0`, "-0"}, {types.Of(types.Float64), `9007199254740993`, "9.007199254740992e+15"}, {types.Of(types.Float64), `"NaN"`, "NaN"},
		{types.Of(types.Float32), `1.25`, "1.25"}, {types.DecimalOf(10, 2), `12.345`, "12.35"}, {types.DecimalOf(38, 0), `12345678901234567890123456789012345678`, "12345678901234567890123456789012345678"},
		{types.Of(types.Bool), `true`, "t"}, {types.Of(types.Bool), `false`, "f"}, {types.Of(types.Bool), `"yes"`, "t"}, {types.Of(types.Date), `"1969-12-31"`, "1969-12-31"},
		{types.Of(types.Timestamp), `"2020-02-29T12:00:00.5"`, "2020-02-29 12:00:00.5"}, {types.Of(types.TimestampTZ), `"2020-02-29T12:00:00+02:00"`, "2020-02-29 10:00:00+00"}, {types.Of(types.Time), `"12:34:56"`, "12:34:56"},
		{types.Of(types.UUID), `"00112233-4455-6677-8899-aabbccddeeff"`, "00112233-4455-6677-8899-aabbccddeeff"}, {types.Of(types.Bytea), `"\\x6162"`, `\x6162`}, {types.Of(types.Interval), `"1 day"`, "1 day"},
		{list, `[1, null ,3]`, "{1,NULL,3}"}, {list, `[ ]`, "{}"}, {types.ArrayOf(list), `[[1],[],null,[2,3]]`, "{{1},{},NULL,{2,3}}"},
		{row, `{"y": ["p","q"], "x": 5, "z": {}}`, `(5,"{p,q}")`}, {row, `{}`, "(,)"}, {types.ArrayOf(row), `[{"x":1},null,{"Y":[]}]`, `{"(1,)",NULL,"(,{})"}`},
		{types.MapOf(text, types.Of(types.Int64)), `{"a": 1, "b": null, "a": 3}`, "{a=3,b=NULL}"},
	} {
		data := []byte("{\"other\":[{\"v\":0}],\"v\":" + c.value + "}\n{\"v\":null}\n{}\n")
		got, err := drain(data, DefaultFormat(), ReadOptions{Columns: columns("v", c.t)})
		if err != nil || !reflect.DeepEqual(got, [][]string{{c.result}, {"NULL"}, {"NULL"}}) {
			t.Errorf("%s as %s gives %q, %v; want %q", c.value, c.t, got, err, c.result)
		}
	}
}

func TestBadValuesNameTheirPlace(t *testing.T) {
	for _, c := range []struct {
		t              types.Type
		value          string
		code           sqlerr.Code
		message, where string
	}{
		{types.Of(types.Int64), `9223372036854775808`, sqlerr.NumericValueOutOfRange, `value "9223372036854775808" is out of range for type bigint`, `9223372036854775808`},
		{types.Of(types.Int16), `40000`, sqlerr.NumericValueOutOfRange, `value "40000" is out of range for type smallint`, `40000`},
		{types.Of(types.Int64), `1.5`, sqlerr.InvalidTextRepresentation, `invalid input syntax for type bigint: "1.5"`, `1.5`},
		{types.Of(types.Int64), `1e30`, sqlerr.NumericValueOutOfRange, "", `1e30`},
		{types.Of(types.Int64), `{"x":1}`, sqlerr.InvalidTextRepresentation, `a JSON object is no bigint`, `{"x":1}`},
		{types.Of(types.Int32), `"one"`, sqlerr.InvalidTextRepresentation, `invalid input syntax for type integer: "one"`, `"one"`},
		{types.Of(types.Float64), `1e400`, sqlerr.NumericValueOutOfRange, `"1e400" is out of range for type double precision`, `1e400`},
		{types.DecimalOf(4, 2), `100`, sqlerr.NumericValueOutOfRange, `numeric field overflow`, `100`},
		{types.Of(types.Text), `"a\u0000"`, sqlerr.UntranslatableCharacter, `unsupported Unicode escape sequence`, `"a\u0000"`},
		{types.VarcharOf(2), `"abc"`, sqlerr.StringDataRightTruncation, `value too long for type character varying(2)`, `"abc"`},
		{types.Of(types.Date), `"2020-02-30"`, sqlerr.DatetimeFieldOverflow, `date/time field value out of range: "2020-02-30"`, `"2020-02-30"`},
		{types.ArrayOf(types.Of(types.Int64)), `[1,"x"]`, sqlerr.InvalidTextRepresentation, `invalid input syntax for type bigint: "x"`, `"x"`},
		{types.ArrayOf(types.Of(types.Int64)), `7`, sqlerr.InvalidTextRepresentation, `a JSON array is needed for type bigint[]`, `7`},
		{types.RowOf(types.Field{Name: "x", Type: types.Of(types.Bool)}), `{"x":"maybe"}`, sqlerr.InvalidTextRepresentation, `invalid input syntax for type boolean: "maybe"`, `"maybe"`},
	} {
		data := []byte("{\"v\":null}\n\n{\"v\":" + c.value + "}\n{}\n")
		_, err := drain(data, DefaultFormat(), ReadOptions{Columns: columns("v", c.t)})
		e := sqlerr.From(orUnknown(err))
		key := map[types.Kind]string{types.Array: "v[]", types.Row: "v.x"}[c.t.Kind]
		if key == "" || c.value == "7" {
			key = "v"
		}
		if where := fmt.Sprintf("JSON file \"f.json\", line 3, key %q: %s", key, c.where); e.Code != c.code || c.message != "" && e.Message != c.message || e.Where != where {
			t.Errorf("%s as %s: %s %q in %q, want %s %q in %q", c.value, c.t, e.Code, e.Message, e.Where, c.code, c.message, where)
		}
		var rejected atomic.Int64
		got, err := drain(data, Format{IgnoreErrors: true}, ReadOptions{Columns: columns("v", c.t), Counters: Counters{Rejected: &rejected}})
		if err != nil || len(got) != 2 || rejected.Load() != 1 {
			t.Errorf("%s as %s without errors: %q, %d rejected, %v", c.value, c.t, got, rejected.Load(), err)
		}
	}
}

func orUnknown(err error) error {
	if err == nil {
		return fmt.Errorf("no error")
	}
	return err
}

func TestBadRecordsNameTheirPlace(t *testing.T) {
	deep := strings.Repeat("[", 2000) + strings.Repeat("]", 2000)
	for _, c := range []struct {
		text, message, detail string
		line                  int
	}{
		{"{\"a\":1}\n{\"a\":}\n", "invalid input syntax for type json", `Expected JSON value, but found "}".`, 2},
		{"{\"a\":1}\n{\"a\":1", "invalid input syntax for type json", "The input string ended unexpectedly.", 2},
		{"{\"a\":\"x\ny\"}\n", "invalid input syntax for type json", `Token ""x" is invalid.`, 1},
		{"\n\n{\"a\":01}", "invalid input syntax for type json", `Token "01" is invalid.`, 3},
		{"{\"a\":1}\n17\n", "invalid input syntax for type json", `Expected an object, but found "17".`, 2},
		{"{\"a\":1}\n{} {}\n", "invalid input syntax for type json", `Expected the end of the line, but found "{}".`, 2},
		{"{\"a\":\"\\ud800\"}", "invalid input syntax for type json", "Unicode high surrogate must be followed by a low surrogate, and a low one follow a high one.", 1},
		{"{\"a\":1}\n{\"b\":" + deep + "}", "JSON is nested deeper than 1000 levels", "", 2},
		{"{\"a\":1}\n{\"b\":\"\xff\"}", `invalid byte sequence for encoding "UTF8"`, "", 2},
		{"[{\"a\":1},\n{\"a\":2}\n{\"a\":3}]", "invalid input syntax for type json", `Found "{"a":3}]".`, 3},
		{"[{\"a\":1}\n", "invalid input syntax for type json", "Found the end of the file.", 2},
		{"[{\"a\":1}]\n]", "invalid input syntax for type json", `Expected the end of the file, but found "]".`, 2},
	} {
		_, err := drain([]byte(c.text), DefaultFormat(), ReadOptions{Columns: columns("a", types.Of(types.Int64))})
		e := sqlerr.From(orUnknown(err))
		if where := fmt.Sprintf("JSON file \"f.json\", line %d", c.line); e.Message != c.message || e.Detail != c.detail || e.Where != where {
			t.Errorf("%.40q: %q, %q in %q; want %q, %q in %q", c.text, e.Message, e.Detail, e.Where, c.message, c.detail, where)
		}
	}
}

// TestSplitsKnowTheirLines reads a large file in splits, and finds the line of an error in a late one.
func TestSplitsKnowTheirLines(t *testing.T) {
	var out bytes.Buffer
	for i := range 20_000 {
		fmt.Fprintf(&out, "{\"id\":%d,\"text\":%q}\n", i, strings.Repeat("x", i%300))
	}
	out.WriteString("{\"id\":\"oops\"}\n")
	store, file := object(out.Bytes())
	splitter := NewSplitter(store, file, DefaultFormat(), 100_000)
	rows, splits := 0, 0
	for {
		split, more, err := splitter.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			break
		}
		splits++
		got, err := drainObject(store, file, DefaultFormat(), ReadOptions{Split: split, Columns: columns("id", types.Of(types.Int64))})
		if rows += len(got); err != nil {
			if e := sqlerr.From(err); e.Where != `JSON file "f.json", line 20001, key "id": "oops"` {
				t.Errorf("%v in %q", err, e.Where)
			}
		}
	}
	if splits < 30 || rows < 19_000 {
		t.Errorf("%d rows in %d splits", rows, splits)
	}
}

func TestInfer(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":1,"b":2.5,"c":true,"d":"x"}`:                                    "a bigint, b double precision, c boolean, d text",
		`{"a":1} {"a":2.5}`:                                                   "a double precision",
		`{"a":1} {"a":"x"}`:                                                   "a json",
		`{"a":12345678901234567890}`:                                          "a numeric(38,0)",
		`{"a":1234567890123456789012345678901234567890}`:                      "a double precision",
		`{"a":null} {"b":[]} {"c":{}}`:                                        "a json, b json[], c json",
		`{"a":"2020-01-01"} {"a":"2020-01-01T01:02:03"}`:                      "a timestamp without time zone",
		`{"a":"2020-01-01","b":"2020-01-01 10:00:00Z","c":"10:00:00"}`:        "a date, b timestamp with time zone, c time without time zone",
		`{"a":"2020-13-01","b":"2020-01-01x","c":""}`:                         "a text, b text, c text",
		`{"a":[1,2],"b":[[1.5],["x"]]}`:                                       "a bigint[], b json[][]",
		`{"a":{"x":1,"y":{"z":[{"k":true}]}}} {"a":{"w":"s"}}`:                "a row(x bigint, y row(z row(k boolean)[]), w text)",
		`{"a":{"x":1}} {"a":[1]}`:                                             "a json",
		`{"a":1,"A":"x","a\u0062":2}`:                                         "a bigint, A text, ab bigint",
		`{"a":` + strings.Repeat(`{"n":`, 20) + `1` + strings.Repeat(`}`, 21): "a " + strings.Repeat("row(n ", 15) + "row(n json" + strings.Repeat(")", 16),
		`[{"b":1},{"a":[{"x":"2020-01-01"},{"x":null,"y":"12:00"}]}]`:         "b bigint, a row(x date, y text)[]",
	} {
		store, file := object([]byte(text))
		sample, err := Infer(context.Background(), store, file, DefaultFormat(), 1)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got []string
		for _, f := range sample.Schema() {
			got = append(got, f.Name+" "+f.Type.String())
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s is seen as %q, want %q", text, strings.Join(got, ", "), want)
		}
	}
	wide := "{\"a\":{"
	for i := range 300 {
		wide += fmt.Sprintf("\"k%d\":%d,", i, i)
	}
	store, file := object([]byte(wide + "\"last\":0}}"))
	if sample, err := Infer(context.Background(), store, file, DefaultFormat(), 1); err != nil || sample.Schema()[0].Type.Kind != types.JSON {
		t.Errorf("an object of 300 keys: %v, %v", sample, err)
	}
}
