package lake

import (
	"context"
	"strings"
	"time"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/objstore"
)

// VacuumOptions say what VACUUM removes.
type VacuumOptions struct {
	Table int64 // 0 is all tables
	// History is how long replaced files stay; negative leaves it to each table.
	History time.Duration
	// Grace is the age from which a file that nobody lists counts as left over; it must exceed the
	// longest write. DefaultGrace is a day.
	Grace time.Duration
}

// DefaultGrace is the age of orphans that VACUUM removes.
const DefaultGrace = 24 * time.Hour

// Vacuumed counts what VACUUM removed.
type Vacuumed struct {
	Tables   int
	Replaced int // files that no snapshot needs any more
	Orphans  int // files that were never listed
}

// Vacuum removes the files that no snapshot in retention and no running statement reads, and those
// that crashed writes have left.
func (c *Connector) Vacuum(ctx context.Context, history connectors.FileHistory, options VacuumOptions) (Vacuumed, error) {
	var done Vacuumed
	expired, err := history.Expire(ctx, options.Table, options.History)
	if err != nil {
		return done, err
	}
	for _, u := range expired {
		if u.Owned {
			if err := c.clean(ctx, history, u, options.Grace, &done); err != nil {
				return done, err
			}
		}
		if err := history.Forget(ctx, u); err != nil {
			return done, err
		}
		done.Tables++
	}
	return done, nil
}

// clean deletes one table's unneeded files. Orphans are looked for first and checked against the
// catalog afterwards, so that a write which commits meanwhile keeps its files.
func (c *Connector) clean(ctx context.Context, history connectors.FileHistory, u connectors.Unreferenced, grace time.Duration, done *Vacuumed) error {
	store, key, err := c.options.Stores.Locate(u.Location)
	if err != nil {
		return err
	}
	key = objstore.Below(key, "")
	if err := c.fail(FailVacuumList); err != nil {
		return err
	}
	old := time.Now().Add(-grace)
	var candidates []string
	err = objstore.Walk(ctx, store, key, func(o objstore.Object) error {
		if !o.Modified.After(old) {
			candidates = append(candidates, o.Path[len(key):])
		}
		return nil
	})
	if err != nil {
		return err
	}
	listed, nested, err := history.Referenced(ctx, u.Location)
	if err != nil {
		return err
	}
	var doomed []string
	for _, path := range u.Paths {
		doomed = append(doomed, key+path)
	}
	for _, path := range candidates {
		if !listed[path] && !within(u.Location+"/"+path, nested) {
			doomed = append(doomed, key+path)
			done.Orphans++
		}
	}
	done.Replaced += len(u.Paths)
	if err := c.fail(FailVacuumDelete); err != nil {
		return err
	}
	if err := store.DeleteMany(ctx, doomed); err != nil {
		return err
	}
	if local, ok := store.(interface {
		RemoveTemporary(ctx context.Context, prefix string, age time.Duration) (int, error)
	}); ok {
		removed, err := local.RemoveTemporary(ctx, key, grace)
		if err != nil {
			return err
		}
		done.Orphans += removed
	}
	return c.fail(FailVacuumForget)
}

// The steps of VACUUM at which Options.FailPoint is called.
const (
	FailVacuumList   = "vacuum.list"   // the history has been cut
	FailVacuumDelete = "vacuum.delete" // before files are deleted
	FailVacuumForget = "vacuum.forget" // they are gone, but still in the catalog
)

func within(path string, locations []string) bool {
	for _, location := range locations {
		if strings.HasPrefix(path, location+"/") {
			return true
		}
	}
	return false
}
