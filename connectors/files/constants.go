package files

import (
	"context"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/vec"
)

// constants are the columns of a read that do not come from the file. The format's reader gives
// NULLs in their place.
type constants struct {
	columns []int // ordinals
	vectors []*vec.Vector
	all     []Column
}

func newConstants(columns []Column) *constants {
	c := &constants{all: columns}
	for i, column := range columns {
		if column.Constant != nil {
			c.columns = append(c.columns, i)
			c.vectors = append(c.vectors, vec.NewConst(column.Type, *column.Constant, 0))
		}
	}
	return c
}

// outside tells whether some constant lies outside its domain: then no row is wanted.
func (c *constants) outside(domains []connectors.Domain) bool {
	for i := range domains {
		d := &domains[i]
		if d.Column < 0 || d.Column >= len(c.all) {
			continue
		}
		if column := c.all[d.Column]; column.Constant != nil && !d.Contains(column.Type, *column.Constant) {
			return true
		}
	}
	return false
}

// convert appends the domains of columns that the file has.
func (c *constants) convert(out []scan.Domain, domains []connectors.Domain) []scan.Domain {
	for _, d := range domains {
		if d.Column >= 0 && d.Column < len(c.all) && c.all[d.Column].Constant == nil {
			out = append(out, scan.Domain(d))
		}
	}
	return out
}

// put sets the constant columns of a batch.
func (c *constants) put(b *vec.Batch) {
	for i, column := range c.columns {
		b.Cols[column].Alias(c.vectors[i])
		b.Cols[column].Len = b.Len
	}
}

// filter gives a filter that sees the constants; nil for none.
func (k *constants) filter(filter connectors.RowFilter) connectors.RowFilter {
	if filter == nil || len(k.columns) == 0 {
		return filter
	}
	return &constantFilter{filter, k}
}

// constantFilter puts the constants in before the filter looks.
type constantFilter struct {
	connectors.RowFilter
	constants *constants
}

func (f *constantFilter) Apply(stage int, b *vec.Batch) error {
	f.constants.put(b)
	return f.RowFilter.Apply(stage, b)
}

// constantSource puts the constants into what the reader gives.
type constantSource struct {
	vec.Source
	constants *constants
}

func (s *constantSource) Next(ctx context.Context) (*vec.Batch, error) {
	b, err := s.Source.Next(ctx)
	if b != nil {
		s.constants.put(b)
	}
	return b, err
}
