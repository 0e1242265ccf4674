package binder

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// bindFolder binds every query of a folder against a schema.
func bindFolder(t *testing.T, schema, folder string, want int) {
	c := newTestCatalog()
	if err := c.create(readTestdata(t, schema)); err != nil {
		t.Fatal(err)
	}
	registry := testRegistry()
	files, err := filepath.Glob(filepath.Join(folder, "*.sql"))
	if err != nil || len(files) != want {
		t.Fatalf("%d queries in %s, want %d: %v", len(files), folder, want, err)
	}
	for _, file := range files {
		sql, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bindText(c, registry, strings.TrimSpace(string(sql))); err != nil {
			t.Errorf("%s: %s", filepath.Base(file), describeError(err))
		}
	}
}

func TestBindTPCH(t *testing.T) {
	bindFolder(t, "testdata/schemas/tpch.sql", "../../bench/queries/tpch", 22)
}

func TestBindTPCDS(t *testing.T) {
	bindFolder(t, "testdata/schemas/tpcds.sql", "../../bench/queries/tpcds", 99)
}
