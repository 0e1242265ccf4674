package files_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

func TestReadJSON(t *testing.T) {
	s := newShelf(t)
	s.write("a.jsonl", []byte("{\"id\":1,\"name\":\"ann\",\"tags\":[\"x\"]}\n{\"name\":\"bob\",\"id\":2,\"more\":0.5}\n"))
	s.write("b.json", []byte("[{\"id\":\"three\",\n\"NAME\":\"cy\"},{\"id\":4}]"))
	table := s.table("", "a.jsonl")
	same(t, columns(table), "id bigint", "name text", "tags text[]", "more double precision")
	same(t, s.rows(table), "1|ann|{x}|NULL", "2|bob|NULL|0.5")
	table = s.table("read_json", "{a,b}.json*", "union_by_name", true, "filename", true)
	same(t, columns(table), "id json", "name text", "tags text[]", "more double precision", "NAME text", "filename text")
	same(t, s.rows(table), "\"three\"|NULL|NULL|NULL|cy|"+s.directory+"/b.json",
		"1|ann|{x}|NULL|NULL|"+s.directory+"/a.jsonl", "2|bob|NULL|0.5|NULL|"+s.directory+"/a.jsonl", "4|NULL|NULL|NULL|NULL|"+s.directory+"/b.json")
	table = s.table("read_ndjson", "a.jsonl", "columns", "name text, id decimal(10, 2), none text")
	same(t, columns(table), "name text", "id numeric(10,2)", "none text")
	same(t, s.rows(table), "ann|1.00|NULL", "bob|2.00|NULL")
	same(t, columns(s.table("read_json", "a.jsonl", "names", "more, id, unseen")), "more double precision", "id bigint", "unseen json")
	for _, wrong := range []struct {
		name    string
		value   any
		message string
	}{
		{"formt", "array", `read_json has no option "formt"`}, {"format", "xml", `invalid value for JSON option "format": "xml"`},
		{"sample_size", 0, `invalid value for JSON option "sample_size": "0"`}, {"columns", "id", `option "columns" of read_json must list names and types`},
		{"names", "id, id", `column "id" specified more than once`},
	} {
		_, err := s.call("read_json", "a.jsonl", wrong.name, wrong.value)
		code := sqlerr.InvalidParameterValue
		if wrong.name == "names" {
			code = sqlerr.DuplicateColumn
		}
		wantError(t, err, code, wrong.message)
	}
	_, err := s.tryRows(s.table("read_json", "b.json", "columns", "id decimal(10, 2)"))
	wantError(t, err, sqlerr.InvalidTextRepresentation, `invalid input syntax for type numeric: "three"`)
	s.write("empty.json", nil)
	_, err = s.call("", "empty.json")
	wantError(t, err, sqlerr.InvalidParameterValue, `JSON file "`+s.directory+`/empty.json" is empty: its columns cannot be told`)
	same(t, s.rows(s.table("read_json", "empty.json", "columns", "id text")))
}

// TestLargeJSON reads a file that is cut, by its lines, and the same compressed, which is not.
func TestLargeJSON(t *testing.T) {
	s := newShelf(t)
	var plain, packed bytes.Buffer
	for i := range 3000 {
		fmt.Fprintf(&plain, "{\"id\": %d, \"text\": %q}\n", i, strings.Repeat("y", i%50))
	}
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(plain.Bytes())
	_ = z.Close()
	s.write("large.json", plain.Bytes())
	s.write("large.json.gz", packed.Bytes())
	s.split(4 << 10)
	for _, path := range []string{"large.json", "large.json.gz"} {
		rows := s.rows(s.table("", path))
		if len(rows) != 3000 || rows[2999] != "9|"+strings.Repeat("y", 9) {
			t.Errorf("%s: %d rows", path, len(rows))
		}
	}
}
