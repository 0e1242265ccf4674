package parquet

import (
	"context"

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
	if pick != nil {
		n = len(pick)
	}
	dst.ResizeConst(c.typ, n)
	dst.SetDatum(0, types.NullDatum())
	return nil
}

// positionColumn numbers the rows of the file.
type positionColumn struct{ reader *Reader }

func (c *positionColumn) name() string            { return "" }
func (c *positionColumn) open(int) error          { return nil }
func (c *positionColumn) streams() []*chunkStream { return nil }
func (c *positionColumn) skip(int)                {}
func (c *positionColumn) read(_ context.Context, dst *vec.Vector, n int, pick []int32) error {
	base := c.reader.position
	if pick != nil {
		dst.Resize(types.Of(types.Int64), len(pick))
		out := vec.Values[int64](dst)[:len(pick)]
		for i, at := range pick {
			out[i] = base + int64(at)
		}
		return nil
	}
	dst.Resize(types.Of(types.Int64), n)
	out := vec.Values[int64](dst)[:n]
	for i := range out {
		out[i] = base + int64(i)
	}
	return nil
}
