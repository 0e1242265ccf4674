package engine

import (
	"context"
	"log/slog"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/logical"
	"github.com/tarnlake/tarn/planner/physical"
)

// statistics answers the estimator from the catalog or the relation's own source.
type statistics struct {
	ctx  context.Context
	tx   *Tx
	read *scanned // if not nil, what is asked is added here
	// failed is why planning must end: the query was canceled, or the catalog does not answer, without
	// which the query could not list its files either.
	failed error
}

// Scan gives what is known of a scan's rows: nothing if statistics are damaged or files cannot be
// asked. Whoever plans must look at failed afterwards.
func (s *statistics) Scan(scan *logical.Scan) connectors.TableStats {
	stats := s.of(scan)
	if cluster := s.tx.Engine.config.Cluster; s.read != nil && cluster != nil && cluster.Spreads(scan.Table.Connector, scan.Table.Schema) {
		s.read.scans++
		s.read.rows, s.read.bytes = s.read.rows+stats.Rows, s.read.bytes+stats.Bytes
		s.read.unknown = s.read.unknown || stats.Rows == 0 && stats.Bytes == 0 && !stats.Exact
	}
	return stats
}

func (s *statistics) of(scan *logical.Scan) connectors.TableStats {
	t := scan.Table
	for _, r := range s.tx.Engine.config.Relations {
		if stats, ok := r.Stats(t); ok {
			return stats
		}
	}
	if s.failed != nil {
		return connectors.TableStats{}
	}
	request := physical.ScanRequest(scan)
	var stats connectors.TableStats
	var err error
	switch {
	case t.Connector == catalog.ConnectorName:
		stats, err = s.tx.Engine.config.Catalog.Statistics(s.ctx, request)
	case s.tx.Engine.config.Functions != nil:
		stats, err = s.tx.Engine.config.Functions.Stats(s.ctx, t)
	}
	if err == nil {
		return stats
	}
	switch {
	case s.ctx.Err() != nil:
		s.failed = context.Cause(s.ctx)
	case t.Connector == catalog.ConnectorName && sqlerr.CodeOf(err) != sqlerr.DataCorrupted:
		s.failed = err
	default:
		slog.WarnContext(s.ctx, "a query is planned without the statistics of a table", "schema", t.Schema, "table", t.Name, "error", err)
	}
	return connectors.TableStats{}
}
