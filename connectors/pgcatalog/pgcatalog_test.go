package pgcatalog

import (
	"context"
	"slices"
	"testing"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// fixture is a source with one schema, one table and one view.
type fixture struct{ objects *Objects }

func (f fixture) Objects(context.Context, string) (*Objects, error) { return f.objects, nil }
func (fixture) Session(string) Session {
	return Session{User: "ana", Database: "shop", SearchPath: []string{"pg_temp", "pg_catalog", "public"}}
}
func (fixture) Backends() []Backend { return []Backend{{PID: 7, User: "ana", Query: "SELECT 1"}} }
func (fixture) Settings(string) []Setting {
	return []Setting{{Name: "TimeZone", Value: "UTC", Type: "string"}}
}
func (fixture) Size(context.Context, string, *Relation) (rows, bytes int64, err error) {
	return 10, 9000, nil
}

func newFixture(t *testing.T) *Catalog {
	t.Helper()
	o := &Objects{
		Schemas: []Schema{{ID: 1, Name: "public"}, {ID: 2, Name: "sales", Owner: "ana"}},
		Relations: []Relation{
			{ID: 3, Schema: "public", Name: "t", Owner: "ana", Comment: "a table", Columns: []connectors.Column{
				{Name: "id", Type: types.Of(types.Int64), NotNull: true}, {Name: "price", Type: types.DecimalOf(12, 2), Default: "0", Comment: "in euros"},
				{Name: "names", Type: types.ArrayOf(types.VarcharOf(10))}}},
			{ID: 4, Schema: "sales", Name: "My View", Kind: connectors.View, ViewSQL: "SELECT 1", DependsOn: []int64{3},
				Columns: []connectors.Column{{Name: "x", Type: types.Of(types.Int32)}}},
			{ID: -1, Schema: "pg_temp", Name: "scratch", Kind: connectors.Temporary},
		},
	}
	c, err := New(fixture{o}, fn.NewRegistry([]fn.Overload{{Name: "upper", Params: []fn.Param{{Name: "s", Type: types.Of(types.Text)}}, ResultType: types.Of(types.Text), Doc: "Upper case.", Impl: fn.Scalar{}}}))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// readAll reads columns of a table as text.
func readAll(t *testing.T, c *Catalog, schema, name string, columns ...string) [][]string {
	t.Helper()
	tables, err := c.Tables()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(tables[schema], func(v connectors.VirtualTable) bool { return v.Name == name })
	if at < 0 {
		t.Fatalf("no table %s.%s", schema, name)
	}
	v := &tables[schema][at]
	var out [][]string
	for row, err := range v.Rows(t.Context(), connectors.VirtualQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		if len(row) != len(v.Columns) {
			t.Fatalf("%s: %d values for %d columns", name, len(row), len(v.Columns))
		}
		var cells []string
		for _, wanted := range columns {
			i := slices.IndexFunc(v.Columns, func(c connectors.Column) bool { return c.Name == wanted })
			cell := "NULL"
			if !row[i].Null {
				cell = types.Format(v.Columns[i].Type, row[i], nil)
			}
			cells = append(cells, cell)
		}
		out = append(out, cells)
	}
	return out
}

// Every table can be read, and its rows fit its columns.
func TestEveryTable(t *testing.T) {
	c := newFixture(t)
	tables, err := c.Tables()
	if err != nil {
		t.Fatal(err)
	}
	if len(tables["pg_catalog"]) < 130 || len(tables["information_schema"]) < 64 {
		t.Errorf("%d and %d tables", len(tables["pg_catalog"]), len(tables["information_schema"]))
	}
	for schema, list := range tables {
		for i := range list {
			readAll(t, c, schema, list[i].Name)
		}
	}
}

// The types that values are sent as have rows in pg_type, with arrays, and functions in pg_proc.
func TestTypes(t *testing.T) {
	c := newFixture(t)
	for kind := types.Bool; kind <= types.JSONB; kind++ {
		of := types.Of(kind)
		if kind == types.Array || kind == types.Map || kind == types.Int128Kind {
			continue
		}
		row := c.typeByOID[of.OID()]
		if row == nil {
			t.Errorf("%s (%d) has no row", of, of.OID())
			continue
		}
		if array := types.ArrayOf(of).OID(); kind != types.Void && (row.array != array || c.typeByOID[array] == nil || c.typeByOID[array].element != row.oid) {
			t.Errorf("%s: typarray is %d, values are sent as %d", of, row.array, array)
		}
		if row.length != int64(of.Typlen()) {
			t.Errorf("%s: typlen is %d, clients are told %d", of, row.length, of.Typlen())
		}
	}
	functions := map[string]bool{"0": true}
	for _, row := range readAll(t, c, "pg_catalog", "pg_proc", "oid") {
		if functions[row[0]] {
			t.Errorf("two functions with oid %s", row[0])
		}
		functions[row[0]] = true
	}
	for _, row := range readAll(t, c, "pg_catalog", "pg_type", "typname", "typinput", "typoutput", "typreceive", "typsend") {
		for _, f := range row[1:] {
			if !functions[f] {
				t.Errorf("%s: no function %s", row[0], f)
			}
		}
	}
}

func TestLookup(t *testing.T) {
	c := newFixture(t)
	ask := func(kind string, args ...types.Datum) types.Datum {
		t.Helper()
		d, known, err := c.Lookup(t.Context(), "", kind, args)
		if err != nil || !known {
			t.Errorf("%s: %v, known %v", kind, err, known)
		}
		return d
	}
	table, view := ask("regclass", str("t")), ask("regclass", str(`sales."My View"`))
	if table.I64 != firstObjectOID+3 || view.I64 != firstObjectOID+4 {
		t.Errorf("oids %d and %d", table.I64, view.I64)
	}
	for _, check := range []struct {
		kind string
		arg  types.Datum
		want string
	}{
		{"regclass name", table, "t"}, {"regclass name", view, `sales."My View"`}, {"regclass name", num(1259), "pg_class"},
		{"regtype name", num(1043), "character varying"}, {"regtype name", num(1015), "character varying[]"}, {"regtype name", num(18), `"char"`},
		{"regnamespace name", num(11), "pg_catalog"}, {"regproc name", num(1242), "boolin"}, {"pg_get_userbyid", num(10), "tarn"},
		{"pg_get_userbyid", oid(userOID("ana")), "ana"}, {"pg_get_viewdef", view, " SELECT 1;"}, {"obj_description", table, "a table"},
	} {
		if got := ask(check.kind, check.arg); got.Str != check.want {
			t.Errorf("%s(%v) = %q, want %q", check.kind, check.arg.I64, got.Str, check.want)
		}
	}
	for _, check := range []struct {
		name string
		want int64
	}{{"int4", 23}, {"integer", 23}, {"numeric(12,2)", 1700}, {"varchar(10)[]", 1015}, {`"char"`, 18}, {"char", 1042}, {"pg_catalog.text", 25},
		{"timestamp with time zone", 1184}, {"Timestamptz", 1184}, {"t", (firstObjectOID + 3) | rowTypeBit}} {
		if got := ask("regtype", str(check.name)); got.I64 != check.want {
			t.Errorf("%s is %d, want %d", check.name, got.I64, check.want)
		}
	}
	if got := ask("format_type", num(1700), num(12<<16|2+4)); got.Str != "numeric(12,2)" {
		t.Errorf("format_type: %q", got.Str)
	}
	if got := ask("col_description", table, num(2)); got.Str != "in euros" {
		t.Errorf("col_description: %q", got.Str)
	}
	if ask("relation is visible", view).I64 != 0 || ask("relation is visible", table).I64 != 1 {
		t.Error("visibility follows the search path")
	}
	if !ask("to_regclass", str("no.such")).Null || !ask("to_regtype", str("nope")).Null {
		t.Error("to_reg… of what does not exist is NULL")
	}
	for kind, code := range map[string]sqlerr.Code{"regclass": sqlerr.UndefinedTable, "regtype": sqlerr.UndefinedObject, "regproc": sqlerr.UndefinedFunction, "regnamespace": sqlerr.InvalidSchemaName} {
		if _, _, err := c.Lookup(t.Context(), "", kind, []types.Datum{str("nope")}); sqlerr.CodeOf(err) != code {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if _, known, _ := c.Lookup(t.Context(), "", "weather", nil); known {
		t.Error("an unknown question was answered")
	}
}

func TestObjects(t *testing.T) {
	c := newFixture(t)
	classes := readAll(t, c, "pg_catalog", "pg_class", "oid", "relname", "relkind", "relpersistence", "reltuples", "relnatts")
	for _, want := range [][]string{{"16387", "t", "r", "p", "10", "3"}, {"16388", "My View", "v", "p", "-1", "1"}, {"805306369", "scratch", "r", "t", "10", "0"}} {
		if !slices.ContainsFunc(classes, func(row []string) bool { return slices.Equal(row, want) }) {
			t.Errorf("pg_class lacks %v", want)
		}
	}
	oids := map[string]bool{}
	for _, row := range classes {
		if oids[row[0]] {
			t.Errorf("two relations with oid %s", row[0])
		}
		oids[row[0]] = true
	}
	columns := readAll(t, c, "information_schema", "columns", "table_name", "column_name", "data_type", "is_nullable", "numeric_precision", "numeric_scale", "column_default", "udt_name")
	for _, want := range [][]string{{"t", "id", "bigint", "NO", "64", "0", "NULL", "int8"}, {"t", "price", "numeric", "YES", "12", "2", "0", "numeric"},
		{"t", "names", "ARRAY", "YES", "NULL", "NULL", "NULL", "_varchar"}} {
		if !slices.ContainsFunc(columns, func(row []string) bool { return slices.Equal(row, want) }) {
			t.Errorf("columns lacks %v", want)
		}
	}
	if got := readAll(t, c, "pg_catalog", "pg_depend", "refobjid", "deptype"); !slices.ContainsFunc(got, func(row []string) bool { return slices.Equal(row, []string{"16387", "n"}) }) {
		t.Errorf("the view's dependency is missing: %v", got)
	}
}
