package catalog

import (
	"slices"
	"testing"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

func TestSyncFilesOfExternalTables(t *testing.T) {
	c := openTest(t, "memory:", Options{})
	tx := begin(t, c)
	external := orders("raw")
	external.Kind, external.Location = connectors.External, "/lake/raw"
	table := create(t, tx, external)
	first, second := file("a.csv", 17000, 0, 10), file("b.csv", 17001, 10, 20)
	if err := tx.SyncFiles(t.Context(), table.ID, nil, []connectors.DataFile{first, second}); err != nil {
		t.Fatal(err)
	}
	want(t, tx.WriteFiles(t.Context(), table.ID, connectors.Append, nil, []connectors.DataFile{file("c.csv", 1, 0, 1)}),
		sqlerr.WrongObjectType, "cannot change rows of external table")
	owned := create(t, tx, orders("own"))
	want(t, tx.SyncFiles(t.Context(), owned.ID, nil, nil), sqlerr.WrongObjectType, "not an external table")
	commit(t, tx)

	tx = begin(t, c)
	changed := first
	changed.ETag, changed.Rows = "later", 11
	if err := tx.SyncFiles(t.Context(), table.ID, []connectors.DataFile{first, second}, []connectors.DataFile{changed}); err != nil {
		t.Fatal(err)
	}
	commit(t, tx)
	tx = begin(t, c)
	listed, err := tx.ListFiles(t.Context(), table.ID)
	if err != nil || len(listed) != 1 || listed[0].ETag != "later" || listed[0].Rows != 11 {
		t.Errorf("files %v, %v", listed, err)
	}
	versions, err := tx.Versions(t.Context(), table.ID)
	if err != nil || !slices.ContainsFunc(versions, func(v Version) bool { return v.Operation == "SYNC" && v.Files == 1 }) {
		t.Errorf("versions %v, %v", versions, err)
	}
}

func TestAlterSchema(t *testing.T) {
	c := openTest(t, "memory:", Options{})
	tx := begin(t, c)
	if _, err := tx.CreateSchema(t.Context(), Schema{Name: "dwh"}, false); err != nil {
		t.Fatal(err)
	}
	commit(t, tx)
	tx = begin(t, c)
	if err := tx.AlterSchema("dwh", func(s *Schema) { s.Comment, s.Properties["a"] = "warehouse", "b" }); err != nil {
		t.Fatal(err)
	}
	want(t, tx.AlterSchema("nosuch", func(*Schema) {}), sqlerr.InvalidSchemaName, "does not exist")
	commit(t, tx)
	if s := begin(t, c).Schema("dwh"); s == nil || s.Comment != "warehouse" || s.Properties["a"] != "b" {
		t.Errorf("schema %+v", s)
	}
}
