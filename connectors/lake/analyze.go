package lake

import (
	"context"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/colstats"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/types"
)

// Analyze reads the columns of a scan and gives packed sketches of their distinct values, for a
// catalog to keep in place of those that writes have added up. It is one reader's work: ANALYZE is
// rare, and should not take the machine from others.
func (c *Connector) Analyze(ctx context.Context, scan connectors.Scan, pool *memory.Pool) ([]byte, error) {
	collectors := make([]*colstats.Collector, len(scan.Columns))
	for i, column := range scan.Columns {
		switch column.Type.Physical() {
		case types.PhysList, types.PhysRow, types.PhysNone:
		default:
			collectors[i] = &colstats.Collector{ID: column.ID, Type: column.Type}
		}
	}
	handle, err := connectors.ParseFileTable(scan.Handle)
	if err != nil {
		return nil, err
	}
	splits, err := c.splits(ctx, handle, scan, nil)
	if err != nil {
		return nil, err
	}
	defer splits.Close()
	for {
		some, err := splits.Next(ctx, 16)
		if err != nil {
			return nil, err
		}
		if some == nil {
			break
		}
		for _, split := range some {
			if err := c.collect(ctx, scan, split, pool, collectors); err != nil {
				return nil, err
			}
		}
	}
	out := colstats.Sketches{}
	for _, collector := range collectors {
		if collector != nil {
			out[collector.ID] = &collector.Sketch
		}
	}
	return out.Pack(), nil
}

func (c *Connector) collect(ctx context.Context, scan connectors.Scan, split connectors.Split, pool *memory.Pool, collectors []*colstats.Collector) error {
	source, err := c.Read(ctx, connectors.ReadRequest{Scan: scan, Split: split, Pool: pool, Stats: &connectors.ScanStats{}})
	if err != nil {
		return err
	}
	defer source.Close()
	for {
		b, err := source.Next(ctx)
		if err != nil || b == nil {
			return err
		}
		for i, collector := range collectors {
			if collector != nil {
				collector.Add(&b.Cols[i], b.Sel)
			}
		}
	}
}
