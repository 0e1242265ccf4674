package catalog

import (
	"slices"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// view makes public.name, which reads all columns of what it depends on.
func view(t *testing.T, tx *Tx, name string, on ...*Table) *Table {
	t.Helper()
	c := CreateView{Name: Name{"public", name}, SQL: "SELECT 1", SearchPath: []string{"public"}, Columns: []Column{{Name: "id", Type: types.Of(types.Int64)}}}
	for _, o := range on {
		d := Dependency{Table: o.ID, Schema: "public", Name: o.Name}
		for _, column := range o.Columns {
			d.Columns = append(d.Columns, column.ID)
		}
		c.DependsOn = append(c.DependsOn, d)
	}
	v, err := tx.CreateView(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func fullError(err error) string {
	e := sqlerr.From(err)
	return string(e.Code) + " " + e.Message + "\nDETAIL: " + e.Detail + "\nHINT: " + e.Hint
}

// The texts are PostgreSQL 15's.
func TestDefinitionErrors(t *testing.T) {
	c := openTest(t, "memory:", Options{})
	ctx := t.Context()
	setup := begin(t, c)
	a := create(t, setup, orders("a"))
	b := create(t, setup, orders("b"))
	v := view(t, setup, "v", a)
	view(t, setup, "w", v, b)
	if _, err := setup.CreateSchema(ctx, Schema{Name: "dwh"}, false); err != nil {
		t.Fatal(err)
	}
	inSchema := orders("c")
	inSchema.Schema = "dwh"
	create(t, setup, inSchema)
	commit(t, setup)
	name := func(s string) Name { return Name{"public", s} }
	createWith := func(change func(c *CreateTable)) func(tx *Tx) error {
		return func(tx *Tx) error {
			spec := orders("new")
			change(&spec)
			_, err := tx.CreateTable(ctx, spec)
			return err
		}
	}
	alter := func(kind, table string, change Alter) func(tx *Tx) error {
		return func(tx *Tx) error { return tx.AlterRelation(kind, name(table), change) }
	}
	drop := func(kind string, names ...string) func(tx *Tx) error {
		return func(tx *Tx) error {
			var list []Name
			for _, n := range names {
				list = append(list, name(n))
			}
			_, err := tx.DropRelations(kind, list, false, false)
			return err
		}
	}
	hint := "\nHINT: Use DROP ... CASCADE to drop the dependent objects too."
	for _, test := range []struct {
		do   func(tx *Tx) error
		want string
	}{
		{createWith(func(c *CreateTable) { c.Name = name("a") }), "42P07 relation \"a\" already exists\nDETAIL: \nHINT: "},
		{createWith(func(c *CreateTable) { c.Name = name("v") }), "42P07 relation \"v\" already exists\nDETAIL: \nHINT: "},
		{createWith(func(c *CreateTable) { c.Schema = "nope" }), "3F000 schema \"nope\" does not exist\nDETAIL: \nHINT: "},
		{createWith(func(c *CreateTable) { c.Columns = append(c.Columns, c.Columns[0]) }), "42701 column \"id\" specified more than once\nDETAIL: \nHINT: "},
		{createWith(func(c *CreateTable) { c.Partition = []string{"dss"} }), "42703 column \"dss\" named in partition key does not exist\nDETAIL: \nHINT: Perhaps you meant \"ds\"."},
		{createWith(func(c *CreateTable) { c.Partition = []string{"id", "amount", "ds"} }), "42P16 cannot use all columns as partition columns\nDETAIL: \nHINT: "},
		{createWith(func(c *CreateTable) { c.Properties = map[string]string{"write_onec": "true"} }), "22023 unrecognized table property \"write_onec\"\nDETAIL: \nHINT: Perhaps you meant \"write_once\"."},
		{createWith(func(c *CreateTable) { c.Properties = map[string]string{"retention": "soon"} }), "22023 invalid value for table property \"retention\": \"soon\"\nDETAIL: \nHINT: It takes a duration such as '90 days' or '12 hours'."},
		{createWith(func(c *CreateTable) { c.Format = "avro" }), "0A000 table format \"avro\" is not supported\nDETAIL: \nHINT: Supported formats are PARQUET, ORC, CSV and JSON."},
		{func(tx *Tx) error { _, err := tx.CreateSchema(ctx, Schema{Name: "dwh"}, false); return err }, "42P06 schema \"dwh\" already exists\nDETAIL: \nHINT: "},
		{func(tx *Tx) error { _, err := tx.CreateSchema(ctx, Schema{Name: "pg_x"}, false); return err }, "42939 unacceptable schema name \"pg_x\"\nDETAIL: The prefix \"pg_\" is reserved for system schemas.\nHINT: "},
		{func(tx *Tx) error { _, err := tx.DropSchema("nope", false, false); return err }, "3F000 schema \"nope\" does not exist\nDETAIL: \nHINT: "},
		{func(tx *Tx) error { _, err := tx.DropSchema("dwh", false, false); return err }, "2BP01 cannot drop schema dwh because other objects depend on it\nDETAIL: table dwh.c depends on schema dwh" + hint},
		{drop("table", "nope"), "42P01 table \"nope\" does not exist\nDETAIL: \nHINT: "},
		{drop("view", "nope"), "42P01 view \"nope\" does not exist\nDETAIL: \nHINT: "},
		{drop("table", "v"), "42809 \"v\" is not a table\nDETAIL: \nHINT: Use DROP VIEW to remove a view."},
		{drop("view", "a"), "42809 \"a\" is not a view\nDETAIL: \nHINT: Use DROP TABLE to remove a table."},
		{drop("table", "a"), "2BP01 cannot drop table a because other objects depend on it\nDETAIL: view v depends on table a\nview w depends on view v" + hint},
		{drop("view", "v"), "2BP01 cannot drop view v because other objects depend on it\nDETAIL: view w depends on view v" + hint},
		{alter("table", "nope", RenameTo("", "x")), "42P01 relation \"nope\" does not exist\nDETAIL: \nHINT: "},
		{alter("table", "a", RenameTo("", "b")), "42P07 relation \"b\" already exists\nDETAIL: \nHINT: "},
		{alter("table", "a", RenameTo("nope", "")), "3F000 schema \"nope\" does not exist\nDETAIL: \nHINT: "},
		{alter("table", "a", AddColumn(Column{Name: "id", Type: types.Of(types.Int64)}, false)), "42701 column \"id\" of relation \"a\" already exists\nDETAIL: \nHINT: "},
		{alter("table", "a", DropColumn("idd", false, false)), "42703 column \"idd\" of relation \"a\" does not exist\nDETAIL: \nHINT: Perhaps you meant \"id\"."},
		{alter("table", "a", DropColumn("ds", false, false)), "42P16 cannot drop column \"ds\" because it is part of the partition key of relation \"a\"\nDETAIL: \nHINT: "},
		{alter("table", "a", DropColumn("amount", false, false)), "2BP01 cannot drop column amount of table a because other objects depend on it\nDETAIL: view v depends on column amount of table a\nview w depends on view v" + hint},
		{alter("table", "a", RenameColumn("id", "ds")), "42701 column \"ds\" of relation \"a\" already exists\nDETAIL: \nHINT: "},
		{alter("table", "a", ColumnType("amount", types.DecimalOf(14, 2))), "0A000 cannot alter type of a column used by a view or rule\nDETAIL: rule _RETURN on view v depends on column \"amount\"\nHINT: "},
		{func(tx *Tx) error { _, err := tx.DropUser(ctx, "nope", false); return err }, "42704 role \"nope\" does not exist\nDETAIL: \nHINT: "},
	} {
		tx := begin(t, c)
		if got := fullError(test.do(tx)); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
		if tx.Changes() != 0 {
			t.Errorf("%s left something staged", test.want)
		}
		tx.Rollback()
	}
	tx := begin(t, c)
	if err := tx.AlterRelation("table", name("b"), ColumnType("id", types.Of(types.Int16))); sqlerr.CodeOf(err) != sqlerr.FeatureNotSupported {
		t.Errorf("narrowing: %v", err)
	}
}

func TestDropCascadeAndNotices(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(Options) *Catalog) {
		c := open(Options{})
		tx := begin(t, c)
		a := create(t, tx, orders("a"))
		v := view(t, tx, "v", a)
		view(t, tx, "w", v)
		commit(t, tx)
		tx = begin(t, c)
		notices, err := tx.DropRelations("table", []Name{{"public", "none"}, {"public", "a"}, {"none", "a"}}, true, true)
		if err != nil {
			t.Fatal(err)
		}
		same(t, notices, `table "none" does not exist, skipping`, `schema "none" does not exist, skipping`,
			"drop cascades to 2 other objects\ndrop cascades to view v\ndrop cascades to view w")
		if tx.Resolve("public", "v") != nil || tx.Resolve("public", "w") != nil {
			t.Error("views outlive what they read")
		}
		view(t, tx, "v") // the name is free again
		commit(t, tx)
		tx = begin(t, c)
		if tx.Resolve("public", "a") != nil || tx.Resolve("public", "w") != nil || tx.Resolve("public", "v") == nil {
			t.Error("after the commit: ", tx.Definitions("public"))
		}
		notices, err = tx.DropSchema("public", false, true)
		if err != nil || len(notices) != 1 || notices[0] != "drop cascades to view v" {
			t.Errorf("%q, %v", notices, err)
		}
		commit(t, tx)
		tx = begin(t, c)
		if tx.Schema("public") != nil || len(tx.Definitions("public")) != 0 {
			t.Error("the schema is still there")
		}
		if made, err := tx.CreateSchema(t.Context(), Schema{Name: "public", Location: "/else"}, true); !made || err != nil {
			t.Errorf("%v, %v", made, err)
		}
		if made, err := tx.CreateSchema(t.Context(), Schema{Name: "public"}, true); made || err != nil {
			t.Errorf("%v, %v", made, err)
		}
		if x := create(t, tx, orders("x")); x.Location != "/else/x" {
			t.Errorf("location %q", x.Location)
		}
		commit(t, tx)
	})
}

func TestRenameKeepsViewsAndSwaps(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(Options) *Catalog) {
		c := open(Options{})
		tx := begin(t, c)
		live := create(t, tx, orders("live"))
		v := view(t, tx, "v", live)
		write(t, tx, live.ID, connectors.Append, file("old", 1, 0, 1))
		commit(t, tx)
		tx = begin(t, c)
		next := create(t, tx, orders("next"))
		write(t, tx, next.ID, connectors.Append, file("new", 1, 0, 1))
		rename := func(from, to string) {
			t.Helper()
			if err := tx.AlterRelation("table", Name{"public", from}, RenameTo("", to)); err != nil {
				t.Fatal(err)
			}
		}
		rename("live", "backup")
		rename("next", "live")
		done := commit(t, tx)
		if len(done.Versions) != 2 || done.Versions[live.ID] != 2 || done.Versions[next.ID] != 1 {
			t.Errorf("versions %v", done.Versions)
		}
		tx = begin(t, c)
		same(t, paths(t, c, tx.Resolve("public", "live")), "new")
		same(t, paths(t, c, tx.Resolve("public", "backup")), "old")
		if got := tx.ResolveWithin(v.ID, "public", "live"); got == nil || got.ID != live.ID || got.Name != "backup" {
			t.Errorf("the view reads %+v", got)
		}
		if _, err := tx.DropRelations("table", []Name{{"public", "backup"}}, false, false); sqlerr.CodeOf(err) != sqlerr.DependentObjectsStillExist {
			t.Errorf("dropping what a view reads: %v", err)
		}
		again := create(t, tx, orders("next")) // a directory of its own: next's belongs to live now
		if again.Location == next.Location || !strings.HasPrefix(again.Location, "/warehouse/public/next-") {
			t.Errorf("location %q", again.Location)
		}
		if err := tx.RenameSchema("public", "main"); err != nil {
			t.Fatal(err)
		}
		commit(t, tx)
		tx = begin(t, c)
		if tx.Resolve("public", "live") != nil {
			t.Error("the old schema name still resolves")
		}
		same(t, paths(t, c, tx.Resolve("main", "live")), "new")
	})
}

func TestReplacingViews(t *testing.T) {
	c := openTest(t, "memory:", Options{})
	tx := begin(t, c)
	a, b := create(t, tx, orders("a")), create(t, tx, orders("b"))
	v := view(t, tx, "v", a)
	w := view(t, tx, "w", v)
	commit(t, tx)
	tx = begin(t, c)
	replace := func(name string, columns []Column, on ...Dependency) error {
		_, err := tx.CreateView(t.Context(), CreateView{Name: Name{"public", name}, OrReplace: true, SQL: "SELECT 2", Columns: columns, DependsOn: on})
		return err
	}
	id := []Column{{Name: "id", Type: types.Of(types.Int64)}}
	want(t, replace("v", nil, Dependency{Table: b.ID}), sqlerr.InvalidTableDefinition, "cannot drop columns from view")
	want(t, replace("v", []Column{{Name: "x", Type: types.Of(types.Int64)}}), sqlerr.InvalidTableDefinition, `cannot change name of view column "id" to "x"`)
	want(t, replace("v", []Column{{Name: "id", Type: types.Of(types.Text)}}), sqlerr.InvalidTableDefinition, "from bigint to text")
	want(t, replace("v", id, Dependency{Table: w.ID}), sqlerr.InvalidRecursion, "cannot read itself")
	want(t, replace("a", id), sqlerr.WrongObjectType, `"a" is not a view`)
	if err := replace("v", id, Dependency{Table: b.ID, Schema: "public", Name: "b"}); err != nil {
		t.Fatal(err)
	}
	if err := replace("w", nil); err != nil { // nobody reads it
		t.Fatal(err)
	}
	commit(t, tx)
	tx = begin(t, c)
	if now := tx.Definition("public", "v"); now.ID != v.ID || now.ViewSQL != "SELECT 2" || now.DependsOn[0].Table != b.ID {
		t.Errorf("replaced: %+v", now)
	}
	if _, err := tx.DropRelations("table", []Name{{"public", "a"}}, false, false); err != nil {
		t.Errorf("nothing reads a any more: %v", err)
	}
}

func TestTemporaryTables(t *testing.T) {
	c := openTest(t, "memory:", Options{})
	temp := NewTemp("/tmp/session-1")
	start := func() *Tx {
		tx, err := c.Begin(t.Context(), Session{Temp: temp})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(tx.Rollback)
		return tx
	}
	tx := start()
	spec := orders("scratch")
	spec.Kind = connectors.Temporary
	table := create(t, tx, spec)
	if !strings.HasPrefix(table.Location, "/tmp/session-1/scratch-") {
		t.Errorf("location %q", table.Location)
	}
	write(t, tx, table.ID, connectors.Append, file("a", 1, 0, 10))
	if done := commit(t, tx); done.Number != c.Commit() {
		t.Errorf("a temporary table made commit %d", done.Number)
	}
	tx = start()
	found := tx.Resolve(TempSchema, "scratch")
	same(t, paths(t, c, found), "a")
	if found.Kind != connectors.Temporary || begin(t, c).Resolve(TempSchema, "scratch") != nil {
		t.Error("a temporary table must be seen by its session only")
	}
	write(t, tx, table.ID, connectors.Append, file("b", 1, 0, 10))
	same(t, paths(t, c, tx.Resolve(TempSchema, "scratch")), "a", "b")
	tx.Rollback()
	tx = start()
	same(t, paths(t, c, tx.Resolve(TempSchema, "scratch")), "a")
	stats, err := c.Statistics(t.Context(), scanOf(tx.Resolve(TempSchema, "scratch"), nil))
	if err != nil || stats.Rows != 10 || stats.Columns[0].Maximum.I64 != 9 || stats.Columns[0].Distinct < 9 {
		t.Errorf("statistics %+v, %v", stats, err)
	}
	_, err = tx.CreateView(t.Context(), CreateView{Name: Name{"public", "v"}, DependsOn: []Dependency{{Table: table.ID, Name: "scratch"}}})
	want(t, err, sqlerr.InvalidTableDefinition, `view "v" cannot depend on the temporary relation "scratch"`)
	if err := tx.AlterRelation("table", Name{TempSchema, "scratch"}, RenameTo("", "other")); err != nil {
		t.Fatal(err)
	}
	commit(t, tx)
	tx = start()
	if _, err := tx.DropRelations("table", []Name{{TempSchema, "other"}}, false, false); err != nil {
		t.Fatal(err)
	}
	if done := commit(t, tx); !slices.Equal(done.Garbage, []string{table.Location}) {
		t.Errorf("garbage %v", done.Garbage)
	}
	if start().Resolve(TempSchema, "other") != nil {
		t.Error("the table is still there")
	}
}
