package catalog

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// TestDeadlinesAnywhere cuts transactions off at random moments: each is either done or not, and
// the catalog lives on.
func TestDeadlinesAnywhere(t *testing.T) {
	onAll(t, func(t *testing.T, open func(Options) *Catalog) {
		c := open(Options{})
		setup := begin(t, c)
		table := create(t, setup, orders("orders"))
		commit(t, setup)
		wanted, cut := 0, 0
		for i := range 150 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(6000))*time.Microsecond)
			err := appendOne(ctx, c, table, fmt.Sprintf("f%d", i))
			cancel()
			switch {
			case err == nil:
				wanted++
			case errors.Is(err, context.DeadlineExceeded), sqlerr.CodeOf(err) == sqlerr.QueryCanceled:
				cut++
			default:
				t.Fatalf("%d: %s %v", i, sqlerr.CodeOf(err), err)
			}
		}
		tx := begin(t, c)
		found := len(paths(t, c, tx.Resolve("public", "orders")))
		// A commit that was cut off while its end was under way may have happened.
		if found < wanted || found > wanted+cut {
			t.Errorf("%d files; %d commits succeeded, %d were cut off", found, wanted, cut)
		}
	})
}

func appendOne(ctx context.Context, c *Catalog, table *Table, name string) error {
	tx, err := c.Begin(ctx, Session{})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := tx.WriteFiles(ctx, table.ID, connectors.Append, nil, []connectors.DataFile{file(name, 1, 0, 1)}); err != nil {
		return err
	}
	if _, err := tx.ListFiles(ctx, table.ID); err != nil {
		return err
	}
	_, err = tx.Commit(ctx)
	return err
}
