package vec

import (
	"context"

	"github.com/tarnlake/tarn/internal/types"
)

// Batch is a set of rows: columns of equal length and an optional selection.
type Batch struct {
	Cols []Vector
	Len  int     // rows in every column
	Sel  []int32 // rows that exist, ascending; nil: all Len rows
}

// Rows is the number of selected rows.
func (b *Batch) Rows() int {
	if b.Sel != nil {
		return len(b.Sel)
	}
	return b.Len
}

// NewBatch gives a batch of n zeroed, valid rows.
func NewBatch(columnTypes []types.Type, n int) *Batch {
	b := &Batch{Cols: make([]Vector, len(columnTypes)), Len: n}
	for i, t := range columnTypes {
		b.Cols[i] = *NewFlat(t, n)
	}
	return b
}

// Compact makes dst the selected rows of b without a selection; columns are shared when there was
// none. dst's memory is reused.
func (b *Batch) Compact(dst *Batch) {
	dst.Len, dst.Sel = b.Rows(), nil
	if cap(dst.Cols) < len(b.Cols) {
		dst.Cols = make([]Vector, len(b.Cols))
	}
	dst.Cols = dst.Cols[:len(b.Cols)]
	for i := range b.Cols {
		if b.Sel == nil {
			dst.Cols[i].Alias(&b.Cols[i])
		} else {
			Gather(&dst.Cols[i], &b.Cols[i], b.Sel)
		}
	}
}

// Clone gives an independent, compacted copy of the selected rows.
func (b *Batch) Clone() *Batch {
	out := &Batch{Cols: make([]Vector, len(b.Cols)), Len: b.Rows()}
	for i := range b.Cols {
		if b.Sel == nil {
			out.Cols[i].CopyFrom(&b.Cols[i])
		} else {
			Gather(&out.Cols[i], &b.Cols[i], b.Sel)
			if b.Cols[i].Enc == Const || b.Cols[i].Type.Physical() == types.PhysList {
				var own Vector
				own.CopyFrom(&out.Cols[i])
				out.Cols[i] = own
			}
		}
	}
	return out
}

// Bytes estimates the memory that the batch's columns hold.
func (b *Batch) Bytes() int64 {
	var n int64
	for i := range b.Cols {
		n += b.Cols[i].Bytes64()
	}
	return n
}

// Bytes64 estimates the memory that the vector holds; a dictionary is not counted, a shared string
// buffer is counted in full.
func (v *Vector) Bytes64() int64 {
	n := int64(len(v.Data)) + int64(len(v.Valid))*8
	for _, buf := range v.Buffers {
		n += int64(len(buf))
	}
	for i := range v.Children {
		n += v.Children[i].Bytes64()
	}
	return n
}

// Source gives batches. Next returns nil at the end, and from then on; the batch is valid until the
// next call. Next may block and returns soon after ctx is done. A Source is used by one goroutine
// at a time; Close may be called once, at any moment at which Next is not running.
type Source interface {
	Next(ctx context.Context) (*Batch, error)
	Close() error
}
