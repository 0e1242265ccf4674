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
			summary, err := colstats.Unpack(f.Stats)
			if err != nil {
				return nil, err
			}
			if !p.summary(summary) {
				continue
			}
		}
		kept = append(kept, f)
	}
	return kept, nil
}

func (p *pruner) summary(s *colstats.Summary) bool {
	for _, d := range p.columns {
		c := s.Column(d.id)
		if c == nil || c.Physical != d.t.Physical() {
			continue
		}
		if !d.domain.Overlaps(d.t, c.Minimum, c.Maximum, c.Nulls > 0, c.Nulls < s.Rows) {
			return false
		}
	}
	return true
}
