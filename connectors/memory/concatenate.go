package memory

import (
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// concatenatePieces joins pieces to one of full batches.
func concatenatePieces(pieces []*piece) *piece {
	out := &piece{}
	var run []*vec.Batch
	rows := 0
	flush := func() {
		if rows > 0 {
			joined := concatenate(run)
			out.batches = append(out.batches, joined)
			out.rows += int64(joined.Len)
			out.bytes += joined.Bytes()
			run, rows = nil, 0
		}
	}
	for _, p := range pieces {
		for _, b := range p.batches {
			if rows+b.Len > vec.BatchSize {
				flush()
			}
			run = append(run, b)
			rows += b.Len
		}
	}
	flush()
	return out
}

// concatenate copies the rows of batches without selections into one batch of flat columns. Buffers of strings are shared.
func concatenate(batches []*vec.Batch) *vec.Batch {
	out := &vec.Batch{Cols: make([]vec.Vector, len(batches[0].Cols))}
	for _, b := range batches {
		out.Len += b.Len
	}
	for column := range out.Cols {
		joined := &out.Cols[column]
		joined.Resize(batches[0].Cols[column].Type, out.Len)
		at := 0
		for _, b := range batches {
			var flat vec.Vector
			vec.Flatten(&flat, &b.Cols[column])
			putRows(joined, at, &flat)
			at += b.Len
		}
	}
	return out
}

// putRows copies the rows of a flat vector to the rows of another from at on.
func putRows(to *vec.Vector, at int, from *vec.Vector) {
	switch physical := to.Type.Physical(); physical {
	case types.PhysList, types.PhysRow:
		for row := range from.Len {
			to.SetDatum(at+row, from.Datum(row))
		}
		return
	case types.PhysString:
		views := vec.Values[vec.View](to)[at : at+from.Len]
		first := uint64(len(to.Buffers))
		for row, view := range vec.Values[vec.View](from)[:from.Len] {
			if !view.Inline() {
				view.Tail += first // the number of the buffer is in the low half
			}
			views[row] = view
		}
		to.Buffers = append(to.Buffers, from.Buffers...)
	default:
		width := physical.Width()
		copy(to.Data[at*width:], from.Data[:from.Len*width])
	}
	if from.MayHaveNulls() {
		for row := range from.Len {
			if from.IsNull(row) {
				to.SetNull(at + row)
			}
		}
	}
}
