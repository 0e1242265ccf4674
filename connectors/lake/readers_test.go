package lake_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/connectors/lake"
)

// TestReadersSeeAllOrNothing has readers look on while one transaction after the other overwrites a
// partition in each of three tables and swaps a fourth, and VACUUM removes what was replaced.
func TestReadersSeeAllOrNothing(t *testing.T) {
	onBothCatalogs(t, func(t *testing.T, location, directory string) {
		s, err := openSite(location, directory, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer s.catalog.Close()
		s.prepare(t)
		const generations, readers = 4, 5
		stop := make(chan struct{})
		var group sync.WaitGroup
		for range readers {
			group.Add(1)
			go func() {
				defer group.Done()
				for last := int64(0); ; {
					select {
					case <-stop:
						return
					default:
					}
					now, err := s.look()
					if err != nil {
						t.Error(err)
						return
					}
					if now < last {
						t.Errorf("generation %d after %d", now, last)
					}
					last = now
					time.Sleep(5 * time.Millisecond) // leave the writer some of two cores
				}
			}()
		}
		for generation := int64(1); generation <= generations; generation++ {
			if err := s.nightly(generation); err != nil {
				t.Error(err)
				break
			}
			// Files that are being written count as left over after an hour.
			if _, err := s.connector.Vacuum(t.Context(), s.catalog, lake.VacuumOptions{History: 0, Grace: time.Hour}); err != nil {
				t.Error(err)
			}
		}
		close(stop)
		group.Wait()
		if found := s.generation(t); found != generations {
			t.Errorf("generation %d", found)
		}
		s.checkVacuum(t, directory)
	})
}

// look reads the four tables in one transaction; all rows must be of one generation, which it gives.
func (s *site) look() (int64, error) {
	ctx := context.Background()
	tx, err := s.catalog.Begin(ctx, catalog.Session{})
	if err != nil {
		return 0, err
	}
	defer tx.Rollback()
	found := int64(-1)
	for _, name := range []string{"t0", "t1", "t2", "swapped"} {
		table := tx.Resolve("public", name)
		if table == nil {
			return 0, fmt.Errorf("%s is missing", name)
		}
		id := table.Columns[0]
		scan := connectors.Scan{Handle: table.Handle, Columns: []connectors.ScanColumn{{Ordinal: 0, ID: id.ID, Name: id.Name, Type: id.Type}}}
		splits, err := s.connector.Splits(ctx, scan, nil)
		if err != nil {
			return 0, err
		}
		some, err := splits.Next(ctx, 10)
		if err != nil {
			return 0, err
		}
		rows := 0
		for _, split := range some {
			source, err := s.connector.Read(ctx, connectors.ReadRequest{Scan: scan, Split: split})
			if err != nil {
				return 0, err
			}
			for {
				b, err := source.Next(ctx)
				if err != nil {
					return 0, fmt.Errorf("%s: %w", name, err)
				}
				if b == nil {
					break
				}
				for i := range b.Len {
					generation := b.Cols[0].Datum(i).I64
					if found < 0 {
						found = generation
					}
					if generation != found {
						return 0, fmt.Errorf("%s is of generation %d, what was read before of %d", name, generation, found)
					}
					rows++
				}
			}
			source.Close()
		}
		if rows != 2 {
			return 0, fmt.Errorf("%s has %d rows", name, rows)
		}
	}
	return found, nil
}

// TestVacuumCanBeCutOff fails VACUUM at each of its steps: what it must keep stays, and doing it
// again finishes the work.
func TestVacuumCanBeCutOff(t *testing.T) {
	directory := memoryDir(t)
	step := ""
	s, err := openSite(filepath.Join(memoryDir(t), "catalog.db"), directory, func(at string) error {
		if at == step {
			return errors.New("cut off")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.catalog.Close()
	s.prepare(t)
	for i, at := range []string{lake.FailVacuumList, lake.FailVacuumDelete, "store.delete", lake.FailVacuumForget} {
		if err := s.nightly(int64(i + 1)); err != nil {
			t.Fatal(err)
		}
		step = at
		if _, err := s.connector.Vacuum(t.Context(), s.catalog, lake.VacuumOptions{History: 0, Grace: 0}); err == nil || !strings.Contains(err.Error(), "cut off") {
			t.Fatalf("%s: %v", at, err)
		}
		step = ""
		if found := s.generation(t); found != int64(i+1) {
			t.Errorf("%s: generation %d", at, found)
		}
		s.checkVacuum(t, directory)
	}
}

func TestAnalyze(t *testing.T) {
	h := newHouse(t)
	tx := h.begin()
	h.create(tx, sales("sales"))
	var rows []row
	for i := range int64(3000) {
		rows = append(rows, saleRow(i, fmt.Sprint("customer ", i%700), i%3, "eu"))
	}
	h.write(tx, tx.Resolve("public", "sales"), connectors.Append, nil, 1000, rows...)
	h.write(tx, tx.Resolve("public", "sales"), connectors.OverwriteDynamic, nil, 1000, rows[:900]...)
	h.commit(tx)
	tx = h.begin()
	table := tx.Resolve("public", "sales")
	scan := connectors.Scan{Handle: table.Handle}
	for i, c := range table.Columns {
		scan.Columns = append(scan.Columns, connectors.ScanColumn{Ordinal: i, ID: c.ID, Name: c.Name, Type: c.Type})
	}
	packed, err := h.connector.Analyze(t.Context(), scan, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.SetSketches(table.ID, packed); err != nil {
		t.Fatal(err)
	}
	h.commit(tx)
	stats, err := h.catalog.Statistics(t.Context(), connectors.Scan{Handle: h.begin().Resolve("public", "sales").Handle})
	if err != nil || stats.Rows != 900 {
		t.Fatalf("%+v, %v", stats, err)
	}
	if id, who := stats.Columns[0].Distinct, stats.Columns[1].Distinct; id < 840 || id > 900 || who < 650 || who > 750 {
		t.Errorf("%v ids, %v customers", id, who)
	}
}
