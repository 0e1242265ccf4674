package lake_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/connectors/files"
	"github.com/tarnlake/tarn/connectors/lake"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/objstore/metadata"
	"github.com/tarnlake/tarn/internal/partition"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// house is a catalog, a warehouse and the connector over both.
type house struct {
	t         *testing.T
	catalog   *catalog.Catalog
	connector *lake.Connector
	directory string
	options   lake.Options
	attempts  int
}

func newHouse(t *testing.T) *house {
	t.Helper()
	directory := t.TempDir()
	c, err := catalog.Open(t.Context(), "memory:", catalog.Options{Warehouse: directory})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	stores, err := objstore.NewLocalLocator(directory)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, catalog: c, directory: directory, options: lake.Options{Stores: stores, Opener: files.NewOpener(metadata.New(16<<20), nil), Lister: c}}
	h.connector = lake.New(h.options)
	return h
}

func (h *house) begin() *catalog.Tx {
	h.t.Helper()
	tx, err := h.catalog.Begin(h.t.Context(), catalog.Session{User: "ada"})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(tx.Rollback)
	return tx
}

func (h *house) commit(tx *catalog.Tx) {
	h.t.Helper()
	if _, err := tx.Commit(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) create(tx *catalog.Tx, c catalog.CreateTable) *catalog.Table {
	h.t.Helper()
	table, err := tx.CreateTable(h.t.Context(), c)
	if err != nil {
		h.t.Fatal(err)
	}
	return table
}

// sales is public.name(id bigint, who text, day date, region text), partitioned by day and region.
func sales(name string) catalog.CreateTable {
	return catalog.CreateTable{Name: catalog.Name{Schema: "public", Name: name}, Partition: []string{"day", "region"}, Columns: []catalog.Column{
		{Name: "id", Type: types.Of(types.Int64)}, {Name: "who", Type: types.Of(types.Text)},
		{Name: "day", Type: types.Of(types.Date)}, {Name: "region", Type: types.Of(types.Text)}}}
}

// row is a row of a table as datums.
type row []types.Datum

func saleRow(id int64, who string, day int64, region string) row {
	r := row{types.IntDatum(id), types.StringDatum(who), types.IntDatum(day), types.StringDatum(region)}
	if who == "" {
		r[1] = types.NullDatum()
	}
	if region == "" {
		r[3] = types.NullDatum()
	}
	return r
}

func batchOf(columns []connectors.Column, rows []row) *vec.Batch {
	columnTypes := make([]types.Type, len(columns))
	for i, c := range columns {
		columnTypes[i] = c.Type
	}
	b := vec.NewBatch(columnTypes, len(rows))
	for i, r := range rows {
		for c, d := range r {
			b.Cols[c].SetDatum(i, d)
		}
	}
	return b
}

// write runs an INSERT's sink over rows in batches of a size and stages the result.
func (h *house) write(tx *catalog.Tx, table *connectors.Table, mode connectors.WriteMode, spec connectors.PartitionSpec, size int, rows ...row) {
	h.t.Helper()
	if err := h.tryWrite(tx, table, mode, spec, size, rows...); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) tryWrite(tx *catalog.Tx, table *connectors.Table, mode connectors.WriteMode, spec connectors.PartitionSpec, size int, rows ...row) error {
	h.attempts++
	ctx := h.t.Context()
	pool := memory.NewRoot("test", memory.Unlimited)
	sink, err := h.connector.Write(ctx, connectors.WriteRequest{Target: table.Target(), Attempt: fmt.Sprintf("a%d", h.attempts), Pool: pool})
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(rows, size) {
		if err := sink.Append(ctx, batchOf(table.Columns, chunk)); err != nil {
			sink.Abort(ctx)
			return err
		}
	}
	fragments, err := sink.Finish(ctx)
	if err != nil {
		return err
	}
	if left := pool.Used(); left != 0 {
		h.t.Errorf("the sink left %d bytes reserved", left)
	}
	staged, err := h.connector.Stage(ctx, tx, table.Target(), mode, spec, fragments)
	if err == nil && staged != int64(len(rows)) {
		h.t.Errorf("%d rows staged, want %d", staged, len(rows))
	}
	return err
}

// read gives the rows of a table as text, in order.
func (h *house) read(table *connectors.Table, domains ...connectors.Domain) []string {
	h.t.Helper()
	out, _ := h.readStats(table, domains...)
	return out
}

func (h *house) readStats(table *connectors.Table, domains ...connectors.Domain) ([]string, *connectors.ScanStats) {
	h.t.Helper()
	if table == nil {
		h.t.Fatal("no such table")
	}
	ctx := h.t.Context()
	scan := connectors.Scan{Connector: table.Connector, Name: table.Name, Handle: table.Handle, Domains: domains}
	for i, c := range table.Columns {
		scan.Columns = append(scan.Columns, connectors.ScanColumn{Ordinal: i, ID: c.ID, Name: c.Name, Type: c.Type})
	}
	splits, err := h.connector.Splits(ctx, scan, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	defer splits.Close()
	stats := &connectors.ScanStats{}
	var out []string
	for {
		some, err := splits.Next(ctx, 3)
		if err != nil {
			h.t.Fatal(err)
		}
		if some == nil {
			slices.Sort(out)
			return out, stats
		}
		for _, split := range some {
			source, err := h.connector.Read(ctx, connectors.ReadRequest{Scan: scan, Split: split, Stats: stats})
			if err != nil {
				h.t.Fatal(err)
			}
			out = append(out, rowsOf(h.t, source)...)
		}
	}
}

func rowsOf(t *testing.T, source vec.Source) (out []string) {
	t.Helper()
	defer source.Close()
	for {
		b, err := source.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			return out
		}
		var compact vec.Batch
		b.Compact(&compact)
		for i := range compact.Len {
			var cells []string
			for c := range compact.Cols {
				cells = append(cells, cell(t, compact.Cols[c].Type, compact.Cols[c].Datum(i)))
			}
			out = append(out, strings.Join(cells, "|"))
		}
	}
}

func cell(t *testing.T, kind types.Type, d types.Datum) string {
	if d.Null {
		return "NULL"
	}
	text, err := partition.Format(kind, d)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// tree lists the files below the warehouse.
func (h *house) tree() []string {
	var out []string
	filepath.WalkDir(h.directory, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			name, _ := filepath.Rel(h.directory, path)
			out = append(out, name)
		}
		return nil
	})
	return out
}

func TestWriteAndReadPartitions(t *testing.T) {
	for _, size := range []int{1, 3, 2048} {
		h := newHouse(t)
		tx := h.begin()
		h.create(tx, sales("sales"))
		table := tx.Resolve("public", "sales")
		rows := []row{saleRow(1, "ann", 17744, "eu"), saleRow(2, "a name longer than twelve bytes", 17745, "a/b=c%"),
			saleRow(3, "", 17744, "eu"), saleRow(4, "dan", 17745, ""), saleRow(5, "eve", 17744, "..")}
		h.write(tx, table, connectors.Append, nil, size, rows...)
		all := []string{"1|ann|2018-08-01|eu", "2|a name longer than twelve bytes|2018-08-02|a/b=c%", "3|NULL|2018-08-01|eu",
			"4|dan|2018-08-02|NULL", "5|eve|2018-08-01|.."}
		same(t, h.read(tx.Resolve("public", "sales")), all...)
		h.commit(tx)
		same(t, h.tree(), "public/sales/day=2018-08-01/region=%2E%2E/part-a1-0.parquet", "public/sales/day=2018-08-01/region=eu/part-a1-1.parquet",
			"public/sales/day=2018-08-02/region=__HIVE_DEFAULT_PARTITION__/part-a1-2.parquet", "public/sales/day=2018-08-02/region=a%2Fb%3Dc%25/part-a1-3.parquet")
		tx = h.begin()
		table = tx.Resolve("public", "sales")
		same(t, h.read(table), all...)
		eu := connectors.Domain{Column: 3, Values: []types.Datum{types.StringDatum("eu")}}
		same(t, h.read(table, eu), all[0], all[2])
		same(t, h.read(table, connectors.Domain{Column: 3, Values: []types.Datum{}, Nulls: true}), all[3])
		low := types.IntDatum(4)
		got, stats := h.readStats(table, connectors.Domain{Column: 0, Minimum: &low})
		same(t, got, all[3:]...)
		if stats.Files.Load() != 2 {
			t.Errorf("%d files read, want 2", stats.Files.Load())
		}
	}
}

func TestOverwrite(t *testing.T) {
	h := newHouse(t)
	tx := h.begin()
	h.create(tx, sales("sales"))
	table := tx.Resolve("public", "sales")
	h.write(tx, table, connectors.Append, nil, 10, saleRow(1, "a", 1, "eu"), saleRow(2, "b", 1, "us"), saleRow(3, "c", 2, "eu"))
	h.commit(tx)
	tx = h.begin()
	table = tx.Resolve("public", "sales")
	h.write(tx, table, connectors.OverwriteDynamic, nil, 10, saleRow(9, "x", 1, "us"))
	same(t, h.read(tx.Resolve("public", "sales")), "1|a|1970-01-02|eu", "3|c|1970-01-03|eu", "9|x|1970-01-02|us")
	day := types.IntDatum(1)
	h.write(tx, table, connectors.OverwriteStatic, connectors.PartitionSpec{&day, nil}, 10)
	same(t, h.read(tx.Resolve("public", "sales")), "3|c|1970-01-03|eu")
	h.write(tx, table, connectors.OverwriteStatic, nil, 10, saleRow(7, "z", 5, "eu"))
	same(t, h.read(tx.Resolve("public", "sales")), "7|z|1970-01-06|eu")
	same(t, h.read(h.begin().Resolve("public", "sales")), "1|a|1970-01-02|eu", "2|b|1970-01-02|us", "3|c|1970-01-03|eu")
	h.commit(tx)
	same(t, h.read(h.begin().Resolve("public", "sales")), "7|z|1970-01-06|eu")
}

func TestColumnsByID(t *testing.T) {
	h := newHouse(t)
	tx := h.begin()
	h.create(tx, sales("sales"))
	h.write(tx, tx.Resolve("public", "sales"), connectors.Append, nil, 10, saleRow(1, "a", 1, "eu"))
	h.commit(tx)
	alter := func(changes ...catalog.Alter) {
		t.Helper()
		tx := h.begin()
		if err := tx.AlterRelation("table", catalog.Name{Schema: "public", Name: "sales"}, changes...); err != nil {
			t.Fatal(err)
		}
		h.commit(tx)
	}
	alter(catalog.RenameColumn("who", "buyer"), catalog.RenameColumn("region", "area"))
	alter(catalog.AddColumn(catalog.Column{Name: "who", Type: types.Of(types.Int32)}, false))
	tx = h.begin()
	table := tx.Resolve("public", "sales")
	same(t, h.read(table), "1|a|1970-01-02|eu|NULL")
	h.write(tx, table, connectors.Append, nil, 10, append(saleRow(2, "b", 1, "us"), types.IntDatum(77)))
	h.commit(tx)
	same(t, h.read(h.begin().Resolve("public", "sales")), "1|a|1970-01-02|eu|NULL", "2|b|1970-01-02|us|77")
	same(t, h.tree(), "public/sales/day=1970-01-02/region=eu/part-a1-0.parquet", "public/sales/day=1970-01-02/region=us/part-a2-0.parquet")
	alter(catalog.DropColumn("buyer", false, false))
	alter(catalog.AddColumn(catalog.Column{Name: "buyer", Type: types.Of(types.Text)}, false))
	same(t, h.read(h.begin().Resolve("public", "sales")), "1|1970-01-02|eu|NULL|NULL", "2|1970-01-02|us|77|NULL")
	alter(catalog.ColumnType("who", types.Of(types.Int64)))
	tx = h.begin()
	table = tx.Resolve("public", "sales")
	h.write(tx, table, connectors.Append, nil, 10, row{types.IntDatum(3), types.IntDatum(1), types.StringDatum("eu"), types.IntDatum(1 << 40), types.StringDatum("carl")})
	same(t, h.read(tx.Resolve("public", "sales")), "1|1970-01-02|eu|NULL|NULL", "2|1970-01-02|us|77|NULL", "3|1970-01-02|eu|1099511627776|carl")
	h.commit(tx)
	tx = h.begin()
	past, err := tx.AtVersion(t.Context(), table.ID, 2)
	if err != nil {
		t.Fatal(err)
	}
	same(t, h.read(past), "1|a|1970-01-02|eu")
	if past.Columns[1].Name != "buyer" {
		t.Errorf("version 2 calls the column %q", past.Columns[1].Name)
	}
}

func TestSortedFilesAndTargetSize(t *testing.T) {
	h := newHouse(t)
	tx := h.begin()
	c := sales("sales")
	c.Partition, c.SortedBy = nil, []string{"region", "id"}
	c.Properties = map[string]string{"target_file_size": "16kB", "compression": "none"}
	h.create(tx, c)
	table := tx.Resolve("public", "sales")
	var rows []row
	for i := range int64(5000) {
		rows = append(rows, saleRow((i*7919)%5000, fmt.Sprintf("customer number %d", i), i%9, []string{"us", "eu", ""}[i%3]))
	}
	h.write(tx, table, connectors.Append, nil, 300, rows...)
	h.commit(tx)
	if n := len(h.tree()); n < 3 {
		t.Errorf("%d files of 16 kB", n)
	}
	if got := h.read(h.begin().Resolve("public", "sales")); len(got) != 5000 {
		t.Errorf("%d rows", len(got))
	}
	// Each file comes in order: region, NULL last, then id.
	tx = h.begin()
	list, err := tx.ListFiles(t.Context(), table.ID)
	if err != nil {
		t.Fatal(err)
	}
	var total int64
	for _, f := range list {
		total += f.Rows
		if f.Size > 80<<10 {
			t.Errorf("file of %d bytes", f.Size)
		}
		only := h.readFile(table, f)
		keys := make([]string, len(only))
		for i, line := range only {
			cells := strings.Split(line, "|")
			keys[i] = strings.ReplaceAll(cells[3], "NULL", "zz") + fmt.Sprintf("%8s", cells[0])
		}
		if !slices.IsSorted(keys) {
			t.Errorf("file %s is not sorted: %q", f.Path, keys[:5])
		}
	}
	if total != 5000 {
		t.Errorf("the files have %d rows", total)
	}
}

// readFile gives the rows of one file in its own order.
func (h *house) readFile(table *connectors.Table, f connectors.DataFile) []string {
	h.t.Helper()
	store, key, err := h.options.Stores.Locate(h.directory + "/public/" + table.Name + "/" + f.Path)
	if err != nil {
		h.t.Fatal(err)
	}
	r := files.Request{Store: store, Object: objstore.Object{Path: key, Size: f.Size, ETag: f.ETag}, Format: "parquet"}
	for _, c := range table.Columns {
		r.Columns = append(r.Columns, files.Column{Name: c.Name, Type: c.Type})
	}
	source, err := h.options.Opener.Open(h.t.Context(), r)
	if err != nil {
		h.t.Fatal(err)
	}
	return rowsOf(h.t, source)
}

func TestManyPartitionsStayBounded(t *testing.T) {
	h := newHouse(t)
	h.options.WriteMemory = 1 << 20
	h.connector = lake.New(h.options)
	tx := h.begin()
	h.create(tx, sales("sales"))
	table := tx.Resolve("public", "sales")
	var rows []row
	for i := range int64(40_000) {
		rows = append(rows, saleRow(i, strings.Repeat("x", int(i%50)), i%200, "eu"))
	}
	h.write(tx, table, connectors.Append, nil, 2048, rows...)
	h.commit(tx)
	stats, err := h.catalog.Statistics(t.Context(), connectors.Scan{Handle: h.begin().Resolve("public", "sales").Handle})
	if err != nil || stats.Rows != 40_000 || !stats.Exact {
		t.Fatalf("statistics %+v, %v", stats, err)
	}
	if id := stats.Columns[0]; id.Minimum.I64 != 0 || id.Maximum.I64 != 39_999 || id.Distinct < 37_000 || id.Distinct > 40_000 {
		t.Errorf("id: %+v", id)
	}
	if who := stats.Columns[1]; who.NullFraction != 0.02 || who.AverageWidth != 25 || who.Distinct < 45 || who.Distinct > 53 {
		t.Errorf("who: %+v", who)
	}
	if day := stats.Columns[2]; day.Distinct != 200 || day.Maximum.I64 != 199 {
		t.Errorf("day: %+v", day)
	}
	if got := h.read(h.begin().Resolve("public", "sales")); len(got) != 40_000 {
		t.Errorf("%d rows", len(got))
	}
}

func TestPartitionFilterIsRequired(t *testing.T) {
	h := newHouse(t)
	tx := h.begin()
	spec := sales("sales")
	spec.Properties = map[string]string{"require_partition_filter": "true"}
	h.create(tx, spec)
	h.write(tx, tx.Resolve("public", "sales"), connectors.Append, nil, 10, saleRow(1, "a", 1, "eu"), saleRow(2, "b", 2, "us"))
	table := tx.Resolve("public", "sales")
	scan := connectors.Scan{Name: table.Name, Handle: table.Handle}
	for i, c := range table.Columns {
		scan.Columns = append(scan.Columns, connectors.ScanColumn{Ordinal: i, ID: c.ID, Name: c.Name, Type: c.Type})
	}
	one := types.IntDatum(1)
	for _, domains := range [][]connectors.Domain{nil, {{Column: 0, Minimum: &one}}, {{Column: 2}}} {
		scan.Domains = domains
		_, err := h.connector.Splits(t.Context(), scan, nil)
		if sqlerr.CodeOf(err) != sqlerr.ObjectNotInPrerequisiteState || !strings.Contains(err.Error(), "filter on a partition column: day, region") {
			t.Errorf("%+v: %v", domains, err)
		}
	}
	same(t, h.read(table, connectors.Domain{Column: 2, Minimum: &one, MinimumExclusive: true}), "2|b|1970-01-03|us")
	scan.Domains = nil
	if _, err := h.connector.Analyze(t.Context(), scan, nil); err != nil {
		t.Errorf("ANALYZE reads all partitions: %v", err)
	}
}

// TestLittleMemory writes 40 MB into several partitions with a pool of 32 MB.
func TestLittleMemory(t *testing.T) {
	h := newHouse(t)
	tx := h.begin()
	h.create(tx, sales("sales"))
	table := tx.Resolve("public", "sales")
	pool := memory.NewRoot("test", 32<<20)
	sink, err := h.connector.Write(t.Context(), connectors.WriteRequest{Target: table.Target(), Attempt: "a", Pool: pool})
	if err != nil {
		t.Fatal(err)
	}
	for batch := range int64(100) {
		rows := make([]row, 2000)
		for i := range rows {
			rows[i] = saleRow(batch*2000+int64(i), fmt.Sprintf("%x", sha256.Sum256([]byte{byte(i), byte(i >> 8), byte(batch)}))+strings.Repeat("y", 140), batch%4, "eu")
		}
		if err := sink.Append(t.Context(), batchOf(table.Columns, rows)); err != nil {
			t.Fatal(err)
		}
	}
	fragments, err := sink.Finish(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	written, rows, err := lake.Files(fragments)
	if err != nil || rows != 200_000 || len(written) != 4 { // row groups are ended early, files are not
		t.Errorf("%d rows in %d files, %v", rows, len(written), err)
	}
	if pool.Used() != 0 || pool.Peak() > 32<<20 {
		t.Errorf("%d bytes left, peak %d", pool.Used(), pool.Peak())
	}
}

func TestRefusedWritesLeaveNothing(t *testing.T) {
	h := newHouse(t)
	tx := h.begin()
	c := sales("once")
	c.Properties = map[string]string{"write_once": "true"}
	c.Columns[0].NotNull = true
	h.create(tx, c)
	table := tx.Resolve("public", "once")
	h.write(tx, table, connectors.Append, nil, 10, saleRow(1, "a", 1, "eu"))
	h.commit(tx)
	before := h.tree()
	tx = h.begin()
	err := h.tryWrite(tx, table, connectors.Append, nil, 10, saleRow(2, "b", 1, "eu"))
	if sqlerr.CodeOf(err) != sqlerr.ObjectNotInPrerequisiteState || !strings.Contains(err.Error(), "partition day=1970-01-02/region=eu of write-once table") {
		t.Errorf("a second write: %v", err)
	}
	same(t, h.tree(), before...)
	bad := saleRow(3, "b", 2, "eu")
	bad[0] = types.NullDatum()
	many := make([]row, 3000)
	for i := range many {
		many[i] = saleRow(4, "b", 2, "us")
	}
	err = h.tryWrite(tx, table, connectors.Append, nil, 2500, append(many, bad)...)
	if sqlerr.CodeOf(err) != sqlerr.NotNullViolation {
		t.Errorf("NULL in a NOT NULL column: %v", err)
	}
	same(t, h.tree(), before...)
	h.write(tx, table, connectors.Append, nil, 10, saleRow(2, "b", 2, "eu"))
	h.write(tx, table, connectors.OverwriteDynamic, nil, 10, saleRow(5, "b", 1, "eu"))
	h.commit(tx)
	same(t, h.read(h.begin().Resolve("public", "once")), "2|b|1970-01-03|eu", "5|b|1970-01-02|eu")
}

func TestCSVTables(t *testing.T) {
	for _, c := range []struct {
		properties map[string]string
		first      string
	}{
		{nil, "id,who\n1,ann\n2,\"with, comma\"\n3,\n4,\"\"\"\"\n"},
		{map[string]string{"delimiter": "\\t", "header": "false", "null_string": "NULL"}, "1\tann\n2\twith, comma\n3\tNULL\n4\t\"\"\"\"\n"},
		{map[string]string{"compression": "gzip"}, ""},
	} {
		h := newHouse(t)
		tx := h.begin()
		spec := sales("sales")
		spec.Format, spec.Properties = "csv", c.properties
		h.create(tx, spec)
		h.write(tx, tx.Resolve("public", "sales"), connectors.Append, nil, 2, saleRow(1, "ann", 1, "eu"), saleRow(2, "with, comma", 1, "eu"),
			saleRow(3, "", 1, "eu"), saleRow(4, `"`, 1, "eu"))
		h.commit(tx)
		rows := []string{`1|ann|1970-01-02|eu`, `2|with, comma|1970-01-02|eu`, `3|NULL|1970-01-02|eu`, `4|"|1970-01-02|eu`}
		same(t, h.read(h.begin().Resolve("public", "sales")), rows...)
		same(t, h.read(h.begin().Resolve("public", "sales"), connectors.Domain{Column: 0, Values: []types.Datum{types.IntDatum(99)}}))
		written, err := os.ReadFile(filepath.Join(h.directory, h.tree()[0]))
		if err != nil || c.first != "" && string(written) != c.first {
			t.Errorf("%v: wrote %q, %v; want %q", c.properties, written, err, c.first)
		}
		tx = h.begin()
		err = tx.AlterRelation("table", catalog.Name{Schema: "public", Name: "sales"}, catalog.RenameColumn("who", "buyer"),
			catalog.AddColumn(catalog.Column{Name: "who", Type: types.Of(types.Int32)}, false))
		if err != nil {
			t.Fatal(err)
		}
		h.write(tx, tx.Resolve("public", "sales"), connectors.Append, nil, 2, append(saleRow(5, "x", 1, "eu"), types.IntDatum(7)))
		h.commit(tx)
		for i := range rows {
			rows[i] += "|NULL"
		}
		same(t, h.read(h.begin().Resolve("public", "sales")), append(rows, "5|x|1970-01-02|eu|7")...)
		stats, err := h.catalog.Statistics(t.Context(), connectors.Scan{Handle: h.begin().Resolve("public", "sales").Handle})
		if err != nil || stats.Rows != 5 || stats.Columns[0].Maximum.I64 != 5 || stats.Columns[1].NullFraction != 0.2 {
			t.Errorf("statistics %+v, %v", stats, err)
		}
	}
}

func TestLargeCSVFilesAreCut(t *testing.T) {
	h := newHouse(t)
	h.options.SplitBytes = 4 << 10
	h.connector = lake.New(h.options)
	tx := h.begin()
	spec := sales("sales")
	spec.Format, spec.Partition = "csv", nil
	h.create(tx, spec)
	var rows []row
	for i := range int64(2000) {
		rows = append(rows, saleRow(i, fmt.Sprintf("line\nbreak \"%d\"", i), i, "eu"))
	}
	h.write(tx, tx.Resolve("public", "sales"), connectors.Append, nil, 500, rows...)
	got := h.read(tx.Resolve("public", "sales"))
	if len(got) != 2000 || !slices.Contains(got, "1999|line\nbreak \"1999\"|1975-06-23|eu") {
		t.Errorf("%d rows", len(got))
	}
}

func TestExternalTables(t *testing.T) {
	h := newHouse(t)
	outside := t.TempDir()
	for name, text := range map[string]string{"day=2018-08-01/a.csv": "id;who\n1;ann\n2;bob\n", "day=2018-08-02/b.csv": "who;id\ncy;3\n", "_SUCCESS": ""} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(outside, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(outside, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stores, err := objstore.NewLocalLocator(h.directory, outside)
	if err != nil {
		t.Fatal(err)
	}
	h.options.Stores = stores
	h.connector = lake.New(h.options)
	found, err := files.New(files.Options{Stores: stores, Opener: h.options.Opener}).Discover(t.Context(), files.Discovery{Location: "file://" + outside + "/"})
	if err != nil {
		t.Fatal(err)
	}
	if found.Format != "csv" || !found.Header || found.Delimiter != ";" {
		t.Errorf("found %+v", found)
	}
	tx := h.begin()
	spec := catalog.CreateTable{Name: catalog.Name{Schema: "public", Name: "raw"}, Kind: connectors.External, Format: found.Format, Location: "file://" + outside + "/",
		Partition: found.Partition, Properties: map[string]string{"header": "true", "delimiter": found.Delimiter}}
	for _, c := range found.Columns {
		spec.Columns = append(spec.Columns, catalog.Column{Name: c.Name, Type: c.Type})
	}
	table := h.create(tx, spec)
	if err := tx.SetExternalFiles(table.ID, found.Files); err != nil {
		t.Fatal(err)
	}
	h.commit(tx)
	tx = h.begin()
	raw := tx.Resolve("public", "raw")
	same(t, h.read(raw), "1|ann|2018-08-01", "2|bob|2018-08-01", "3|cy|2018-08-02")
	same(t, h.read(raw, connectors.Domain{Column: 2, Values: []types.Datum{types.IntDatum(17745)}}), "3|cy|2018-08-02")
	err = h.tryWrite(tx, raw, connectors.Append, nil, 10, row{types.IntDatum(9), types.StringDatum("x"), types.IntDatum(1)})
	if sqlerr.CodeOf(err) != sqlerr.WrongObjectType {
		t.Errorf("a write to an external table: %v", err)
	}
	stats, err := h.catalog.Statistics(t.Context(), connectors.Scan{Handle: raw.Handle})
	if err != nil || stats.Exact {
		t.Errorf("guessed rows must not count as exact: %+v, %v", stats, err)
	}
	if _, err := tx.DropRelations("table", []catalog.Name{{Schema: "public", Name: "raw"}}, false, false); err != nil {
		t.Fatal(err)
	}
	h.commit(tx)
	if _, err := h.connector.Vacuum(t.Context(), h.catalog, lake.VacuumOptions{History: 0, Grace: 0}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(outside + "/day=2018-08-01/a.csv"); err != nil {
		t.Errorf("an external table's file is gone: %v", err)
	}
}
