package lake

import (
	"context"
	"path"
	"strconv"
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
	if options.Table != 0 {
		return done, nil
	}
	roots, err := history.Roots(ctx)
	if err != nil {
		return done, err
	}
	for _, root := range roots {
		if err := c.sweep(ctx, history, root, options.Grace, &done); err != nil {
			return done, err
		}
	}
	return done, nil
}

// sweep deletes the files that writers have left in tables which never came to be: files named as
// sinks name theirs, at no table's location.
func (c *Connector) sweep(ctx context.Context, history connectors.FileHistory, root string, grace time.Duration, done *Vacuumed) error {
	store, key, err := c.options.Stores.Locate(root)
	if err != nil {
		return err
	}
	key = objstore.Below(key, "")
	old := time.Now().Add(-grace)
	var candidates []string
	err = objstore.Walk(ctx, store, key, func(o objstore.Object) error {
		if !o.Modified.After(old) && ours(o.Path) {
			candidates = append(candidates, o.Path[len(key):])
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, tables, err := history.Referenced(ctx, root) // asked after listing: see clean
	if err != nil {
		return err
	}
	var doomed []string
	for _, path := range candidates {
		if !within(root+"/"+path, tables) {
			doomed = append(doomed, key+path)
		}
	}
	done.Orphans += len(doomed)
	if err := store.DeleteMany(ctx, key, doomed); err != nil {
		return err
	}
	return removeTemporary(ctx, store, key, grace, done)
}

// ours tells whether a file is named as sinks name theirs: part-<attempt>-<n>.<format>.
func ours(name string) bool {
	base, isPart := strings.CutPrefix(path.Base(name), "part-")
	stem, extension, dotted := strings.Cut(base, ".")
	dash := strings.LastIndexByte(stem, '-')
	if !isPart || !dotted || dash < 1 {
		return false
	}
	_, err := strconv.Atoi(stem[dash+1:])
	return err == nil && (extension == "parquet" || extension == "orc" || strings.HasPrefix(extension, "csv") || strings.HasPrefix(extension, "json"))
}

// removeTemporary removes what crashed writers have not given its name yet.
func removeTemporary(ctx context.Context, store objstore.Store, prefix string, grace time.Duration, done *Vacuumed) error {
	local, ok := store.(interface {
		RemoveTemporary(ctx context.Context, prefix string, age time.Duration) (int, error)
	})
	if !ok {
		return nil
	}
	removed, err := local.RemoveTemporary(ctx, prefix, grace)
	done.Orphans += removed
	return err
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
	if err := store.DeleteMany(ctx, parent(key), doomed); err != nil {
		return err
	}
	if err := removeTemporary(ctx, store, key, grace, done); err != nil {
		return err
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
