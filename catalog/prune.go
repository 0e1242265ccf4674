package catalog

import (
	"slices"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/colstats"
	"github.com/tarnlake/tarn/internal/types"
)

// pruner tells which partitions and files may hold rows of a scan's domains.
type pruner struct {
	types      []types.Type // of the partition columns
	partitions []partitionDomain
	columns    []columnDomain
}

type partitionDomain struct {
	at     int // in the partition's values
	domain *connectors.Domain
}

type columnDomain struct {
	id     int32
	t      types.Type
	domain *connectors.Domain
}

func newPruner(handle *connectors.FileTable, columns []connectors.ScanColumn, domains []connectors.Domain) *pruner {
	p := &pruner{types: handle.PartitionTypes()}
	for i := range domains {
		d := &domains[i]
		if d.Column < 0 || d.Column >= len(columns) {
			continue
		}
		column := columns[d.Column]
		if at := slices.Index(handle.Partition, column.Ordinal); at >= 0 {
			p.partitions = append(p.partitions, partitionDomain{at, d})
		} else {
			p.columns = append(p.columns, columnDomain{column.ID, column.Type, d})
		}
	}
	return p
}

// partition tells whether a partition may hold rows of the domains.
func (p *pruner) partition(part *Partition) bool {
	for _, d := range p.partitions {
		if !d.domain.Contains(p.types[d.at], part.Values[d.at]) {
			return false
		}
	}
	return true
}

// files leaves out files whose statistics exclude the domains, and empty ones.
func (p *pruner) files(files []connectors.DataFile) ([]connectors.DataFile, error) {
	kept := make([]connectors.DataFile, 0, len(files))
	for _, f := range files {
		if f.Rows == 0 && len(f.Stats) > 0 {
			continue
		}
		if len(p.columns) > 0 && len(f.Stats) > 0 {
			wanted, err := p.stats(f.Stats)
			if err != nil {
				return nil, err
			}
			if !wanted {
				continue
			}
		}
		kept = append(kept, f)
	}
	return kept, nil
}

// stats tells whether a file with these packed statistics may hold rows of the domains.
func (p *pruner) stats(packed []byte) (bool, error) {
	var bounds colstats.Bounds
	for _, d := range p.columns {
		rows, found, err := colstats.Lookup(packed, d.id, &bounds)
		if err != nil {
			return false, err
		}
		if !found || !sameScale(bounds.Physical, d.t.Physical()) {
			continue
		}
		var low, high *types.Datum
		if bounds.Low {
			low = &bounds.Minimum
		}
		if bounds.High {
			high = &bounds.Maximum
		}
		if !d.domain.Overlaps(d.t, low, high, bounds.Nulls > 0, bounds.Nulls < rows) {
			return false, nil
		}
	}
	return true, nil
}

// sameScale tells whether bounds of a file's column compare with values of the table's: it may have
// been widened since.
func sameScale(file, table types.Physical) bool {
	integer := func(p types.Physical) bool {
		return p == types.PhysInt16 || p == types.PhysInt32 || p == types.PhysInt64
	}
	float := func(p types.Physical) bool { return p == types.PhysFloat32 || p == types.PhysFloat64 }
	return file == table || integer(file) && integer(table) || float(file) && float(table)
}
