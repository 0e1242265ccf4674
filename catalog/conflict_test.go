package catalog

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// TestConflicts runs two transactions side by side: first commits, then second.
func TestConflicts(t *testing.T) {
	day := func(n int64) connectors.PartitionSpec { v := types.IntDatum(n); return connectors.PartitionSpec{&v} }
	type action = func(t *testing.T, tx *Tx, table *Table) error
	writes := func(mode connectors.WriteMode, spec connectors.PartitionSpec, files ...connectors.DataFile) action {
		return func(t *testing.T, tx *Tx, table *Table) error {
			return tx.WriteFiles(t.Context(), table.ID, mode, spec, files)
		}
	}
	alter := func(changes ...Alter) action {
		return func(_ *testing.T, tx *Tx, table *Table) error {
			return tx.AlterRelation("table", Name{"public", "orders"}, changes...)
		}
	}
	creates := func(change func(c *CreateTable)) action {
		return func(t *testing.T, tx *Tx, _ *Table) error {
			spec := orders("fresh")
			change(&spec)
			_, err := tx.CreateTable(t.Context(), spec)
			return err
		}
	}
	drop := func(_ *testing.T, tx *Tx, _ *Table) error {
		_, err := tx.DropRelations("table", []Name{{"public", "orders"}}, false, false)
		return err
	}
	truncate := func(_ *testing.T, tx *Tx, table *Table) error { return tx.Truncate(table.ID) }
	onTable := func(t *testing.T, tx *Tx, table *Table) error {
		view(t, tx, "reader", table)
		return nil
	}
	dropSchema := func(_ *testing.T, tx *Tx, _ *Table) error { _, err := tx.DropSchema("side", false, true); return err }
	inSide := func(c *CreateTable) { c.Schema = "side" }
	appendDay1, appendDay2 := writes(connectors.Append, nil, file("a1", 1, 0, 1)), writes(connectors.Append, nil, file("a2", 2, 0, 1))
	overwriteDay1 := writes(connectors.OverwriteDynamic, nil, file("o1", 1, 0, 1))
	const serialization, duplicate = sqlerr.SerializationFailure, sqlerr.DuplicateTable
	for _, test := range []struct {
		name          string
		first, second action
		code          sqlerr.Code
	}{
		{"append, append", appendDay1, appendDay1, ""},
		{"overwrite, append", overwriteDay1, appendDay1, ""},
		{"append, overwrite", appendDay1, overwriteDay1, serialization},
		{"append elsewhere, overwrite", appendDay2, overwriteDay1, ""},
		{"overwrite, overwrite", overwriteDay1, overwriteDay1, serialization},
		{"overwrite, static overwrite without rows", overwriteDay1, writes(connectors.OverwriteStatic, day(1)), serialization},
		{"append of a new partition, static overwrite", writes(connectors.Append, nil, file("n", 5, 0, 1)), writes(connectors.OverwriteStatic, day(5)), serialization},
		{"append, static overwrite elsewhere", appendDay1, writes(connectors.OverwriteStatic, day(2)), ""},
		{"append, truncate", appendDay2, truncate, serialization},
		{"truncate, append", truncate, appendDay1, ""},
		{"truncate, overwrite", truncate, overwriteDay1, serialization},
		{"delete, overwrite", func(_ *testing.T, tx *Tx, table *Table) error {
			return tx.DeletePartitions(table.ID, []string{"1970-01-02"})
		}, overwriteDay1, serialization},
		{"alter, append", alter(Comment("x")), appendDay1, serialization},
		{"append, alter", appendDay1, alter(Comment("x")), ""},
		{"alter, alter", alter(Comment("x")), alter(Comment("y")), serialization},
		{"drop, append", drop, appendDay1, serialization},
		{"append, drop", appendDay1, drop, ""},
		{"drop, drop", drop, drop, serialization},
		{"drop, alter", drop, alter(Comment("y")), serialization},
		{"drop, view", drop, onTable, serialization},
		{"view, drop", onTable, drop, serialization},
		{"create, create", creates(func(*CreateTable) {}), creates(func(*CreateTable) {}), duplicate},
		{"create, create if not exists", creates(func(*CreateTable) {}), creates(func(c *CreateTable) { c.IfNotExists = true }), serialization},
		{"create, rename", creates(func(*CreateTable) {}), alter(RenameTo("", "fresh")), serialization},
		{"rename, create", alter(RenameTo("", "fresh")), creates(func(*CreateTable) {}), duplicate},
		{"rename away, create", alter(RenameTo("", "gone")), creates(func(c *CreateTable) { c.Name.Name = "orders"; c.OrReplace = true }), serialization},
		{"create in schema, drop schema", creates(inSide), dropSchema, serialization},
		{"drop schema, create in schema", dropSchema, creates(inSide), serialization},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := openTest(t, "memory:", Options{})
			setup := begin(t, c)
			table := create(t, setup, orders("orders"))
			write(t, setup, table.ID, connectors.Append, file("base1", 1, 0, 1), file("base2", 2, 0, 1))
			if _, err := setup.CreateSchema(t.Context(), Schema{Name: "side"}, false); err != nil {
				t.Fatal(err)
			}
			commit(t, setup)
			first, second := begin(t, c), begin(t, c)
			if err := test.first(t, first, table); err != nil {
				t.Fatal(err)
			}
			if err := test.second(t, second, table); err != nil {
				t.Fatal(err)
			}
			commit(t, first)
			before := c.Commit()
			_, err := second.Commit(t.Context())
			if err == nil && test.code != "" || err != nil && sqlerr.CodeOf(err) != test.code {
				t.Fatalf("second commit: %v, want %q", err, test.code)
			}
			if err != nil {
				if c.Commit() != before {
					t.Error("a failed commit took a number")
				}
				if test.code == serialization && !strings.Contains(err.Error(), "could not serialize access due to concurrent update") {
					t.Errorf("wording: %v", err)
				}
			}
		})
	}
}

func TestWriteOnceAppendsConflict(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(Options) *Catalog) {
		c := open(Options{})
		tx := begin(t, c)
		spec := orders("orders")
		spec.Properties = map[string]string{"write_once": "true"}
		table := create(t, tx, spec)
		commit(t, tx)
		first, second := begin(t, c), begin(t, c)
		write(t, first, table.ID, connectors.Append, file("a", 1, 0, 1))
		write(t, second, table.ID, connectors.Append, file("b", 1, 0, 1))
		commit(t, first)
		_, err := second.Commit(t.Context())
		want(t, err, sqlerr.SerializationFailure, "could not serialize")
		same(t, paths(t, c, begin(t, c).Resolve("public", "orders")), "a")
	})
}

// TestConcurrentAppends has many writers append at once: none may fail, nothing may be lost.
func TestConcurrentAppends(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(Options) *Catalog) {
		c := open(Options{})
		tx := begin(t, c)
		table := create(t, tx, orders("orders"))
		commit(t, tx)
		const writers, each = 8, 10
		var group sync.WaitGroup
		for w := range int64(writers) {
			group.Add(1)
			go func() {
				defer group.Done()
				for i := range int64(each) {
					tx, err := c.Begin(context.Background(), Session{})
					if err == nil {
						err = tx.WriteFiles(context.Background(), table.ID, connectors.Append, nil, []connectors.DataFile{file(fmt.Sprintf("f%d-%d", w, i), i%3, w*100+i, w*100+i+1)})
					}
					if err == nil {
						_, err = tx.Commit(context.Background())
					}
					if err != nil {
						t.Error(err)
					}
				}
			}()
		}
		group.Wait()
		tx = begin(t, c)
		if got := paths(t, c, tx.Resolve("public", "orders")); len(got) != writers*each {
			t.Errorf("%d files, want %d", len(got), writers*each)
		}
		partitions, err := tx.Partitions(t.Context(), table.ID)
		if err != nil || len(partitions) != 3 {
			t.Fatalf("%d partitions, %v", len(partitions), err)
		}
		var rows int64
		for _, p := range partitions {
			rows += p.Rows
		}
		versions, err := tx.Versions(t.Context(), table.ID)
		if err != nil || rows != writers*each || versions[0].Rows != rows || versions[0].Number != writers*each+1 || versions[0].Files != rows {
			t.Errorf("%d rows; versions start with %+v, %v", rows, versions[0], err)
		}
	})
}
