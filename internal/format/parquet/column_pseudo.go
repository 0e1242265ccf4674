package parquet

import (
	"context"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// nullColumn gives NULL for a column that the file does not have.
type nullColumn struct{ typ types.Type }

func (c *nullColumn) name() string            { return "" }
func (c *nullColumn) open(int) error          { return nil }
func (c *nullColumn) streams() []*chunkStream { return nil }
func (c *nullColumn) skip(int)                {}
func (c *nullColumn) read(_ context.Context, dst *vec.Vector, n int, pick []int32) error {
	scan.Nulls(dst, c.typ, n, pick)
	return nil
}

// positionColumn numbers the rows of the file.
type positionColumn struct{ reader *Reader }

func (c *positionColumn) name() string            { return "" }
func (c *positionColumn) open(int) error          { return nil }
func (c *positionColumn) streams() []*chunkStream { return nil }
func (c *positionColumn) skip(int)                {}
func (c *positionColumn) read(_ context.Context, dst *vec.Vector, n int, pick []int32) error {
	scan.Positions(dst, c.reader.position, n, pick)
	return nil
}
