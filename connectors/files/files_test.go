package files_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/connectors/files"
	"github.com/tarnlake/tarn/internal/format/orc"
	"github.com/tarnlake/tarn/internal/format/parquet"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/objstore/metadata"
	"github.com/tarnlake/tarn/internal/partition"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// shelf is a directory of files and a connector that may read it.
type shelf struct {
	t         *testing.T
	directory string
	connector *files.Connector
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	directory := t.TempDir()
	stores, err := objstore.NewLocalLocator(directory)
	if err != nil {
		t.Fatal(err)
	}
	return &shelf{t, directory, files.New(files.Options{Stores: stores, Opener: files.NewOpener(metadata.New(16<<20), nil), ParseType: parseType})}
}

// split makes the connector cut files into small splits.
func (s *shelf) split(bytes int64) {
	stores, err := objstore.NewLocalLocator(s.directory)
	if err != nil {
		s.t.Fatal(err)
	}
	s.connector = files.New(files.Options{Stores: stores, Opener: files.NewOpener(metadata.New(16<<20), nil), ParseType: parseType, SplitBytes: bytes})
}

// parquet writes a file of columns "name type" and rows of integers and strings.
func batchOf(schema types.Schema, rows [][]any) *vec.Batch {
	b := vec.NewBatch(schema.Types(), len(rows))
	for i, r := range rows {
		for c, v := range r {
			b.Cols[c].SetDatum(i, datum(v))
		}
	}
	return b
}

func (s *shelf) parquet(name string, schema types.Schema, rows ...[]any) {
	s.t.Helper()
	b := batchOf(schema, rows)
	var out bytes.Buffer
	w, err := parquet.NewWriter(&out, schema, parquet.WriterOptions{RowGroupRows: 2})
	if err != nil {
		s.t.Fatal(err)
	}
	for i := range rows {
		b.Sel = []int32{int32(i)}
		if err := w.Append(b); err != nil {
			s.t.Fatal(err)
		}
	}
	if _, err := w.Finish(); err != nil {
		s.t.Fatal(err)
	}
	s.write(name, out.Bytes())
}

func (s *shelf) orc(name string, schema types.Schema, rows ...[]any) {
	s.t.Helper()
	b := batchOf(schema, rows)
	var out bytes.Buffer
	w, err := orc.NewWriter(&out, schema, orc.WriterOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := w.Append(b); err != nil {
		s.t.Fatal(err)
	}
	if _, err := w.Finish(); err != nil {
		s.t.Fatal(err)
	}
	s.write(name, out.Bytes())
}

func (s *shelf) write(name string, data []byte) {
	s.t.Helper()
	path := filepath.Join(s.directory, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func datum(v any) types.Datum {
	switch v := v.(type) {
	case nil:
		return types.NullDatum()
	case int:
		return types.IntDatum(int64(v))
	case bool:
		return types.BoolDatum(v)
	case string:
		return types.StringDatum(v)
	}
	panic(fmt.Sprint(v))
}

func schema(fields ...any) types.Schema {
	var out types.Schema
	for i := 0; i < len(fields); i += 2 {
		out = append(out, types.Field{Name: fields[i].(string), Type: types.Of(fields[i+1].(types.Kind)), Nullable: true})
	}
	return out
}

// parseType knows two types.
func parseType(name string) (types.Type, error) {
	switch name {
	case "decimal(10, 2)":
		return types.DecimalOf(10, 2), nil
	case "text":
		return types.Of(types.Text), nil
	}
	return types.Type{}, sqlerr.New(sqlerr.UndefinedObject, "type %q does not exist", name)
}

// call resolves function(path, options…), a name and a value each.
func (s *shelf) call(function, path string, options ...any) (*connectors.Table, error) {
	if path != "" && !filepath.IsAbs(path) && !strings.Contains(path, "://") {
		path = s.directory + "/" + path
	}
	args := []files.Argument{{Value: types.StringDatum(path), Type: types.Of(types.Text)}}
	for i := 0; i < len(options); i += 2 {
		a := files.Argument{Name: options[i].(string), Value: datum(options[i+1])}
		switch options[i+1].(type) {
		case bool:
			a.Type = types.Of(types.Bool)
		case int:
			a.Type = types.Of(types.Int32)
		default:
			a.Type = types.Of(types.Text)
		}
		args = append(args, a)
	}
	return s.connector.Resolve(s.t.Context(), function, args)
}

func (s *shelf) table(function, path string, options ...any) *connectors.Table {
	s.t.Helper()
	table, err := s.call(function, path, options...)
	if err != nil {
		s.t.Fatal(err)
	}
	return table
}

func columns(t *connectors.Table) []string {
	var out []string
	for _, c := range t.Columns {
		out = append(out, c.Name+" "+c.Type.String())
	}
	return out
}

// rows reads a table; its lines are sorted.
func (s *shelf) rows(table *connectors.Table, domains ...connectors.Domain) []string {
	s.t.Helper()
	out, err := s.tryRows(table, domains...)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

func (s *shelf) tryRows(table *connectors.Table, domains ...connectors.Domain) ([]string, error) {
	scan := connectors.Scan{Connector: table.Connector, Handle: table.Handle, Domains: domains}
	for i, c := range table.Columns {
		scan.Columns = append(scan.Columns, connectors.ScanColumn{Ordinal: i, ID: c.ID, Name: c.Name, Type: c.Type})
	}
	ctx := context.Background()
	splits, err := s.connector.Splits(ctx, scan, nil)
	if err != nil {
		return nil, err
	}
	var out []string
	for {
		some, err := splits.Next(ctx, 2)
		if err != nil || some == nil {
			slices.Sort(out)
			return out, err
		}
		for _, split := range some {
			source, err := s.connector.Read(ctx, connectors.ReadRequest{Scan: scan, Split: split, Stats: &connectors.ScanStats{}})
			if err != nil {
				return nil, err
			}
			for {
				b, err := source.Next(ctx)
				if err != nil {
					return nil, err
				}
				if b == nil {
					break
				}
				out = append(out, lines(s.t, b)...)
			}
			source.Close()
		}
	}
}

func lines(t *testing.T, b *vec.Batch) (out []string) {
	var compact vec.Batch
	b.Compact(&compact)
	for row := range compact.Len {
		var cells []string
		for c := range compact.Cols {
			text := "NULL"
			if d := compact.Cols[c].Datum(row); !d.Null {
				var err error
				if text, err = partition.Format(compact.Cols[c].Type, d); err != nil {
					text = types.Format(compact.Cols[c].Type, d, nil)
				}
			}
			cells = append(cells, text)
		}
		out = append(out, strings.Join(cells, "|"))
	}
	return out
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func wantError(t *testing.T, err error, code sqlerr.Code, text string) {
	t.Helper()
	if sqlerr.CodeOf(err) != code || err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("error %s %v, want %s %q", sqlerr.CodeOf(err), err, code, text)
	}
}

func TestPathsAndPatterns(t *testing.T) {
	s := newShelf(t)
	ab := schema("a", types.Int64, "b", types.Text)
	s.parquet("one.parquet", ab, []any{1, "x"}, []any{2, nil}, []any{3, "z"})
	s.parquet("dir/two.parquet", ab, []any{4, "w"})
	s.parquet("dir/deep/three.pq", ab, []any{5, "v"})
	s.write("dir/_SUCCESS", nil)
	s.write("dir/_temporary/0.parquet", []byte("junk"))
	s.write("dir/.two.parquet.crc", []byte("junk"))
	table := s.table("", "one.parquet")
	same(t, columns(table), "a bigint", "b text")
	same(t, s.rows(table), "1|x", "2|NULL", "3|z")
	same(t, s.rows(s.table("read_parquet", "*.parquet")), "1|x", "2|NULL", "3|z")
	same(t, s.rows(s.table("", "{one,dir/two}.parquet")), "1|x", "2|NULL", "3|z", "4|w")
	same(t, s.rows(s.table("read_parquet", "dir/")), "4|w", "5|v")
	same(t, s.rows(s.table("read_parquet", "dir")), "4|w", "5|v")
	same(t, s.rows(s.table("", "file://"+s.directory+"/dir/**/t*.p*")), "4|w", "5|v")
	same(t, s.rows(s.table("", "dir/two.parquet", "filename", true)), "4|w|"+s.directory+"/dir/two.parquet")
	low := types.IntDatum(3)
	same(t, s.rows(table, connectors.Domain{Column: 0, Minimum: &low}), "3|z") // row groups of two
	for _, c := range []struct {
		function, path string
		options        []any
		code           sqlerr.Code
		text           string
	}{
		{"", "none.parquet", nil, sqlerr.UndefinedFile, "No such file or directory"},
		{"", "none/*.parquet", nil, sqlerr.UndefinedFile, "no files match"},
		{"", "/etc/passwd", nil, sqlerr.InsufficientPrivilege, `local path "/etc/passwd" is not allowed`},
		{"", "../x.parquet", nil, sqlerr.InsufficientPrivilege, "is not allowed"},
		{"", "s3://bucket/x.parquet", nil, sqlerr.FeatureNotSupported, "s3://"},
		{"", "dir/_SUCCESS", nil, sqlerr.WrongObjectType, "cannot tell the format"},
		{"read_parquet", "dir/_temporary/0.parquet", nil, sqlerr.DataCorrupted, "0.parquet"},
		{"read_parquet", "one.parquet", []any{"headr", true}, sqlerr.InvalidParameterValue, `no option "headr"`},
		{"read_parquet", "one.parquet", []any{"filename", "yes"}, sqlerr.InvalidParameterValue, `option "filename"`},
		{"read_parquet", "", nil, sqlerr.InvalidParameterValue, "is empty"},
	} {
		_, err := s.call(c.function, c.path, c.options...)
		wantError(t, err, c.code, c.text)
	}
	if table, err := s.call("no_such_function", "x"); table != nil || err != nil {
		t.Errorf("an unknown function gives %v, %v", table, err)
	}
}

func TestLinksDoNotLeaveTheRoot(t *testing.T) {
	s := newShelf(t)
	secret := filepath.Join(t.TempDir(), "secret.parquet")
	if err := os.WriteFile(secret, []byte("PAR1"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, s.directory+"/link.parquet"); err != nil {
		t.Fatal(err)
	}
	_, err := s.call("", "link.parquet")
	if err == nil || strings.Contains(err.Error(), "Parquet") {
		t.Errorf("a link out of the root: %v", err)
	}
}

func TestUnionByName(t *testing.T) {
	s := newShelf(t)
	s.parquet("1.parquet", schema("a", types.Int32, "b", types.Text), []any{1, "x"})
	s.parquet("2.parquet", schema("B", types.Text, "c", types.Date, "a", types.Int64), []any{"y", 17744, 1 << 40})
	table := s.table("read_parquet", "*.parquet", "union_by_name", true)
	same(t, columns(table), "a bigint", "b text", "c date")
	same(t, s.rows(table), "1099511627776|y|2018-08-01", "1|x|NULL")
	_, err := s.tryRows(s.table("read_parquet", "*.parquet")) // the first file's columns, found by name
	wantError(t, err, sqlerr.NumericValueOutOfRange, "")
	s.parquet("3.parquet", schema("a", types.Int32), []any{7})
	_, err = s.tryRows(s.table("read_parquet", "{1,3}.parquet"))
	wantError(t, err, sqlerr.UndefinedColumn, `has no column "b"`)
	s.parquet("4.parquet", schema("a", types.Text), []any{"no"})
	_, err = s.call("read_parquet", "*.parquet", "union_by_name", true)
	wantError(t, err, sqlerr.DatatypeMismatch, `column "a" has type text`)
}

func TestHivePartitions(t *testing.T) {
	s := newShelf(t)
	a := schema("a", types.Int64)
	s.parquet("t/ds=2018-08-01/code=007/x.parquet", a, []any{1})
	s.parquet("t/ds=2018-08-02/code=a%2Fb/x.parquet", a, []any{2})
	s.parquet("t/ds=2018-08-02/code=__HIVE_DEFAULT_PARTITION__/x.parquet", a, []any{3})
	table := s.table("", "t/")
	same(t, columns(table), "a bigint", "ds date", "code text")
	if !slices.Equal(table.Partition, []int{1, 2}) {
		t.Errorf("partition columns %v", table.Partition)
	}
	same(t, s.rows(table), "1|2018-08-01|007", "2|2018-08-02|a/b", "3|2018-08-02|NULL")
	same(t, s.rows(table, connectors.Domain{Column: 1, Values: []types.Datum{types.IntDatum(17745)}}), "2|2018-08-02|a/b", "3|2018-08-02|NULL")
	same(t, columns(s.table("", "t/", "hive_partitioning", false)), "a bigint")
	s.parquet("u/n=1/x.parquet", schema("n", types.Text, "a", types.Int64), []any{"file's", 1})
	same(t, s.rows(s.table("", "u/")), "1|1")
	same(t, columns(s.table("", "u/")), "n bigint", "a bigint")
}

func TestLooking(t *testing.T) {
	s := newShelf(t)
	s.parquet("one.parquet", schema("a", types.Int64, "b", types.Text), []any{1, "x"}, []any{2, nil}, []any{3, "z"})
	got := s.rows(s.table("glob", "*"))
	if len(got) != 1 || !strings.HasPrefix(got[0], s.directory+"/one.parquet|") {
		t.Errorf("glob: %q", got)
	}
	same(t, s.rows(s.table("glob", "none*")))
	same(t, s.rows(s.table("parquet_schema", "one.parquet")), s.directory+"/one.parquet|a|bigint|true|0", s.directory+"/one.parquet|b|text|true|0")
	meta := s.rows(s.table("parquet_metadata", "one.parquet"))
	if len(meta) != 4 || !strings.Contains(meta[0], "|0|2|0|a|bigint|2|0|") || !strings.Contains(meta[3], "|1|1|1|b|text|1|0|1|z|z|") {
		t.Errorf("metadata: %q", meta)
	}
	s.orc("one.orc", schema("a", types.Int64, "b", types.Text), []any{1, "x"}, []any{2, nil}, []any{3, "z"})
	meta = s.rows(s.table("orc_metadata", "one.orc"))
	if len(meta) != 2 || !strings.Contains(meta[0], "|0|3|") || !strings.HasSuffix(meta[0], "|0|a|bigint|3|0|1|3|zstd|tarn 1.0.0") || !strings.HasSuffix(meta[1], "|1|b|text|3|1|x|z|zstd|tarn 1.0.0") {
		t.Errorf("metadata: %q", meta)
	}
	if _, err := s.tryRows(s.table("orc_metadata", "one.parquet")); sqlerr.CodeOf(err) != sqlerr.DataCorrupted {
		t.Error(err)
	}
}

func TestStats(t *testing.T) {
	s := newShelf(t)
	s.parquet("1.parquet", schema("a", types.Int64, "b", types.Text), []any{1, "x"}, []any{2, nil})
	s.parquet("2.parquet", schema("a", types.Int64, "b", types.Text), []any{9, "y"}, []any{nil, nil})
	stats, err := s.connector.Stats(t.Context(), s.table("", "*.parquet"))
	if err != nil || stats.Rows != 4 || !stats.Exact {
		t.Fatalf("%+v, %v", stats, err)
	}
	if a, b := stats.Columns[0], stats.Columns[1]; a.Minimum.I64 != 1 || a.Maximum.I64 != 9 || a.NullFraction != 0.25 || b.NullFraction != 0.5 || b.Maximum.Str != "y" {
		t.Errorf("a %+v, b %+v", a, b)
	}
}

func TestDiscover(t *testing.T) {
	s := newShelf(t)
	s.parquet("t/ds=2018-08-01/x.parquet", schema("a", types.Int64, "b", types.Text), []any{1, "x"})
	s.parquet("t/ds=2018-08-02/x.parquet", schema("a", types.Int64), []any{2})
	found, err := s.connector.Discover(t.Context(), files.Discovery{Location: s.directory + "/t"})
	if err != nil {
		t.Fatal(err)
	}
	same(t, columns(&connectors.Table{Columns: found.Columns}), "a bigint", "b text", "ds date")
	same(t, found.Partition, "ds")
	if f := found.Files[1]; found.Format != "parquet" || f.Path != "ds=2018-08-02/x.parquet" || f.Partition != "2018-08-02" || f.Rows != 1 || len(f.Stats) == 0 {
		t.Errorf("found %+v", found)
	}
	_, err = s.connector.Discover(t.Context(), files.Discovery{Location: s.directory + "/t", Partition: []string{"ds"},
		Columns: []connectors.Column{{Name: "a", Type: types.Of(types.Int64)}, {Name: "ds", Type: types.Of(types.Int32)}}})
	wantError(t, err, sqlerr.InvalidTextRepresentation, `partition column "ds"`)
	_, err = s.connector.Discover(t.Context(), files.Discovery{Location: s.directory + "/none"})
	wantError(t, err, sqlerr.UndefinedFile, "no files match")
}

func TestReadCSV(t *testing.T) {
	s := newShelf(t)
	s.write("a.csv", []byte("id,name,ds\n1,ann,2018-08-01\n2,,2018-08-02\n"))
	s.write("b.csv", []byte("name,id\nbob,x3\n"))
	s.write("plain.txt", []byte("1|x\n2|y\n"))
	s.write("empty.csv", nil)
	table := s.table("", "a.csv")
	same(t, columns(table), "id bigint", "name text", "ds date")
	same(t, s.rows(table), "1|ann|2018-08-01", "2|NULL|2018-08-02")
	same(t, s.rows(s.table("read_csv", "a.csv", "filename", true))[:1], "1|ann|2018-08-01|"+s.directory+"/a.csv")
	table = s.table("read_csv", "{a,b}.csv", "union_by_name", true)
	same(t, columns(table), "id text", "name text", "ds date")
	same(t, s.rows(table), "1|ann|2018-08-01", "2|NULL|2018-08-02", "x3|bob|NULL")
	same(t, columns(s.table("read_csv", "a.csv", "header", false, "all_varchar", true)), "column0 text", "column1 text", "column2 text")
	same(t, s.rows(s.table("read_csv", "plain.txt", "delim", "|", "header", false)), "1|x", "2|y")
	same(t, columns(s.table("read_csv", "plain.txt", "delim", "|", "names", "n, word")), "n bigint", "word text")
	table = s.table("read_csv", "a.csv", "names", "number, who", "types", "decimal(10, 2)")
	same(t, columns(table), "number numeric(10,2)", "who text", "ds date")
	same(t, s.rows(table), "1.00|ann|2018-08-01", "2.00|NULL|2018-08-02")
	for _, wrong := range []struct{ option, value, message string }{{"names", "a,b,c,d", "is told of 4 columns, but file"}, {"names", "a,a", `column "a" specified more than once`},
		{"types", "nope", `type "nope" does not exist`}} {
		if _, err := s.call("read_csv", "a.csv", wrong.option, wrong.value); err == nil || !strings.Contains(err.Error(), wrong.message) {
			t.Errorf("%s = %s: %v", wrong.option, wrong.value, err)
		}
	}
	_, err := s.call("read_csv", "a.csv", "hedaer", true)
	wantError(t, err, sqlerr.InvalidParameterValue, `read_csv has no option "hedaer"`)
	_, err = s.call("", "empty.csv")
	wantError(t, err, sqlerr.InvalidParameterValue, "is empty")
	s.write("bad.csv", []byte("id\n"+strings.Repeat("1\n", 30_000)+"oops\n"))
	_, err = s.tryRows(s.table("", "bad.csv"))
	wantError(t, err, sqlerr.InvalidTextRepresentation, "oops")
}

func TestNamesThatDifferByCaseOnlyAreColumnsOfTheirOwn(t *testing.T) {
	s := newShelf(t)
	s.parquet("1.parquet", schema("a", types.Int64, "A", types.Text, "b", types.Int64), []any{1, "x", 2})
	table := s.table("", "1.parquet")
	same(t, columns(table), "a bigint", "A text", "b bigint")
	same(t, s.rows(table), "1|x|2")
	s.write("1.csv", []byte("1,2\n"))
	table = s.table("read_csv", "1.csv", "header", false, "names", "x,X")
	same(t, columns(table), "x bigint", "X bigint")
	same(t, s.rows(table), "1|2")
}

func TestUnionByNameWidensDecimals(t *testing.T) {
	s := newShelf(t)
	a := func(typ types.Type) types.Schema { return types.Schema{{Name: "a", Type: typ, Nullable: true}} }
	s.parquet("1.parquet", a(types.DecimalOf(5, 1)), []any{15})
	s.parquet("2.parquet", a(types.DecimalOf(5, 2)), []any{125})
	s.parquet("3.parquet", a(types.Of(types.Int64)), []any{7})
	table := s.table("read_parquet", "{1,2}.parquet", "union_by_name", true)
	same(t, columns(table), "a numeric(6,2)")
	same(t, s.rows(table), "1.25", "1.50")
	table = s.table("read_parquet", "*.parquet", "union_by_name", true)
	same(t, columns(table), "a numeric(21,2)")
	same(t, s.rows(table), "1.25", "1.50", "7.00")
}

func TestEmptyCSVFilesHaveNoColumnsToTell(t *testing.T) {
	s := newShelf(t)
	s.write("1.csv", nil)
	s.write("2.csv", []byte("a,b\n1,x\n"))
	for _, union := range []bool{false, true} {
		table := s.table("read_csv", "*.csv", "union_by_name", union)
		same(t, columns(table), "a bigint", "b text")
		same(t, s.rows(table), "1|x")
	}
	table := s.table("read_csv", "1.csv", "names", "n, word, more", "types", "decimal(10, 2)")
	same(t, columns(table), "n numeric(10,2)", "word text", "more text")
	same(t, s.rows(table))
	_, err := s.call("read_csv", "1.csv")
	wantError(t, err, sqlerr.InvalidParameterValue, "is empty")
}
