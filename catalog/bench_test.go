package catalog

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/colstats"
	"github.com/tarnlake/tarn/internal/types"
)

// wide makes a table of 30 columns and files of it in many partitions.
func wide(b *testing.B, c *Catalog, partitions, files int) (*Table, []connectors.DataFile) {
	b.Helper()
	spec := CreateTable{Name: Name{"public", "wide"}, Partition: []string{"ds"}, Columns: []Column{{Name: "ds", Type: types.Of(types.Date)}}}
	for i := range 30 {
		spec.Columns = append(spec.Columns, Column{Name: fmt.Sprint("c", i), Type: types.Of(types.Int64)})
	}
	tx, err := c.Begin(b.Context(), Session{})
	if err != nil {
		b.Fatal(err)
	}
	table, err := tx.CreateTable(b.Context(), spec)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := tx.Commit(b.Context()); err != nil {
		b.Fatal(err)
	}
	var list []connectors.DataFile
	for i := range files {
		f := file(fmt.Sprint("f", i), int64(i%partitions), int64(i), int64(i+1))
		s := colstats.Summary{Rows: 1000}
		for column := range int32(30) {
			low, high := types.IntDatum(int64(i*1000)), types.IntDatum(int64(i*1000+999))
			s.Columns = append(s.Columns, colstats.Column{ID: column + 2, Physical: types.PhysInt64, Distinct: 1000, Minimum: &low, Maximum: &high})
		}
		f.Rows, f.Stats = 1000, s.Pack()
		list = append(list, f)
	}
	return table, list
}

func BenchmarkCommit1000Files(b *testing.B) {
	c, err := Open(b.Context(), filepath.Join(b.TempDir(), "catalog.db"), Options{Warehouse: "/w"})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	table, list := wide(b, c, 250, 1000)
	for b.Loop() {
		tx, err := c.Begin(b.Context(), Session{})
		if err != nil {
			b.Fatal(err)
		}
		if err := tx.WriteFiles(b.Context(), table.ID, connectors.OverwriteDynamic, nil, list); err != nil {
			b.Fatal(err)
		}
		if _, err := tx.Commit(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPlan prunes 50,000 files in 250 partitions.
func BenchmarkPlan(b *testing.B) {
	c, err := Open(b.Context(), filepath.Join(b.TempDir(), "catalog.db"), Options{Warehouse: "/w"})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	table, list := wide(b, c, 250, 50_000)
	tx, _ := c.Begin(b.Context(), Session{})
	if err := tx.WriteFiles(b.Context(), table.ID, connectors.Append, nil, list); err != nil {
		b.Fatal(err)
	}
	if _, err := tx.Commit(b.Context()); err != nil {
		b.Fatal(err)
	}
	tx, _ = c.Begin(b.Context(), Session{})
	defer tx.Rollback()
	found := tx.Resolve("public", "wide")
	one := []connectors.Domain{{Column: 0, Values: []types.Datum{types.IntDatum(7)}}}
	low := types.IntDatum(49_990_000)
	pruned := []connectors.Domain{{Column: 5, Minimum: &low}}
	for _, test := range []struct {
		name    string
		domains []connectors.Domain
		cached  bool
		files   int
	}{{"partition", one, false, 200}, {"partition-cached", one, true, 200}, {"all", nil, false, 50_000}, {"pruned", pruned, false, 10}, {"pruned-cached", pruned, true, 10}} {
		b.Run(test.name, func(b *testing.B) {
			for b.Loop() {
				if !test.cached {
					c.data = newDataCache()
				}
				list, err := c.Files(b.Context(), scanOf(found, test.domains))
				if err != nil || len(list.Files) != test.files {
					b.Fatal(len(list.Files), err)
				}
			}
		})
	}
	b.Run("statistics", func(b *testing.B) {
		for b.Loop() {
			if _, err := c.Statistics(b.Context(), scanOf(found, nil)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("begin-resolve", func(b *testing.B) {
		for b.Loop() {
			tx, _ := c.Begin(b.Context(), Session{})
			tx.Resolve("public", "wide")
			tx.Rollback()
		}
	})
}
