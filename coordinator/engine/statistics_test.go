package engine

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
)

// unreadable is a TableFunctions whose files cannot be asked.
type unreadable struct{}

func (unreadable) Resolve(context.Context, string, []TableArgument) (*connectors.Table, error) {
	return nil, nil
}

func (unreadable) Stats(context.Context, *connectors.Table) (connectors.TableStats, error) {
	return connectors.TableStats{Rows: 5}, sqlerr.New(sqlerr.DataCorrupted, "not a Parquet file")
}

func scanOf(connector string, handle json.RawMessage) *logical.Scan {
	return &logical.Scan{Ordinals: []int{0}, IDs: []logical.ColID{1}, Table: &connectors.Table{Connector: connector, Name: "t", Handle: handle,
		Columns: []connectors.Column{{ID: 1, Name: "a", Type: types.Of(types.Int64)}}}}
}

func TestStatisticsThatCannotBeRead(t *testing.T) {
	open, err := catalog.Open(t.Context(), "memory:", catalog.Options{Warehouse: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	closed, err := catalog.Open(t.Context(), "memory:", catalog.Options{Warehouse: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	stopped, stop := context.WithCancelCause(t.Context())
	reason := sqlerr.New(sqlerr.QueryCanceled, "canceling statement due to statement timeout")
	stop(reason)
	handle := (&connectors.FileTable{ID: 77, Commit: 1, Columns: []connectors.FileColumn{{ID: 1, Name: "a", Type: types.Of(types.Int64)}}}).Encode()
	for _, c := range []struct {
		name   string
		ctx    context.Context
		in     *catalog.Catalog
		scan   *logical.Scan
		failed func(error) bool
	}{
		{"a catalog without the table", t.Context(), open, scanOf(catalog.ConnectorName, handle), func(err error) bool { return sqlerr.CodeOf(err) == sqlerr.SnapshotTooOld }},
		{"a catalog that does not answer", t.Context(), closed, scanOf(catalog.ConnectorName, handle), func(err error) bool { return err != nil && sqlerr.CodeOf(err) != sqlerr.SnapshotTooOld }},
		{"a canceled query", stopped, open, scanOf(catalog.ConnectorName, handle), func(err error) bool { return errors.Is(err, reason) }},
		{"damaged files", t.Context(), open, scanOf("files", nil), func(err error) bool { return err == nil }},
		{"damaged files of a canceled query", stopped, open, scanOf("files", nil), func(err error) bool { return errors.Is(err, reason) }},
	} {
		s := &statistics{ctx: c.ctx, tx: &Tx{Engine: New(Config{Catalog: c.in, Functions: unreadable{}})}}
		if stats := s.Scan(c.scan); stats.Rows != 0 || !c.failed(s.failed) {
			t.Errorf("%s: %+v, failed %v", c.name, stats, s.failed)
		}
	}
}
