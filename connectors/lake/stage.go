package lake

import (
	"context"
	"encoding/json"
	"log/slog"
	"path"
	"strings"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Files reads the fragments of a write: the files that its sinks made.
func Files(fragments []connectors.Fragment) (list []connectors.DataFile, rows int64, err error) {
	for _, f := range fragments {
		var part []connectors.DataFile
		if err := json.Unmarshal(f.Payload, &part); err != nil {
			return nil, 0, sqlerr.Internal("fragment of a write: %v", err)
		}
		list = append(list, part...)
		rows += f.Rows
	}
	return list, rows, nil
}

// Stage lists the files of a write in a transaction and gives the number of rows. When it fails the
// files are removed.
func (c *Connector) Stage(ctx context.Context, tx connectors.FileTransaction, target connectors.Target, mode connectors.WriteMode,
	spec connectors.PartitionSpec, fragments []connectors.Fragment) (rows int64, err error) {
	handle, err := connectors.ParseFileTable(target.Handle)
	if err != nil {
		return 0, err
	}
	list, rows, err := Files(fragments)
	if err != nil {
		return 0, err
	}
	if err = c.fail(FailStage); err == nil {
		err = tx.WriteFiles(ctx, handle.ID, mode, spec, list)
	}
	if err != nil {
		if left := c.Discard(context.WithoutCancel(ctx), handle.Location, list); left != nil {
			slog.WarnContext(ctx, "staged files were left behind", "table", target.Name, "error", left)
		}
		return 0, err
	}
	return rows, nil
}

// Discard removes files that will never be listed: those of a statement that failed, or of a
// transaction that was rolled back. What it cannot remove stays for VACUUM.
func (c *Connector) Discard(ctx context.Context, location string, list []connectors.DataFile) error {
	keys := make([]string, len(list))
	if len(list) == 0 {
		return nil
	}
	store, key, err := c.options.Stores.Locate(location)
	if err != nil {
		return err
	}
	for i, f := range list {
		if _, keys[i], err = c.place(location, f.Path); err != nil {
			return err
		}
	}
	return store.DeleteMany(ctx, parent(key), keys)
}

// parent is the directory that holds a table's: the table's own may go when it becomes empty.
func parent(key string) string {
	directory := path.Dir(strings.TrimSuffix(key, "/"))
	if directory == "." {
		return ""
	}
	return directory
}

// Unstage removes the files of a write that will never be committed.
func (c *Connector) Unstage(ctx context.Context, target connectors.Target, fragments []connectors.Fragment) error {
	handle, err := connectors.ParseFileTable(target.Handle)
	if err != nil {
		return err
	}
	list, _, err := Files(fragments)
	if err != nil {
		return err
	}
	return c.Discard(ctx, handle.Location, list)
}
