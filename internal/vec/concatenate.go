package vec

import "github.com/tarnlake/tarn/internal/types"

// Concatenate copies the rows of one or more batches without selections into one batch of flat columns. Buffers of strings are shared.
func Concatenate(batches []*Batch) *Batch {
	out := &Batch{Cols: make([]Vector, len(batches[0].Cols))}
	for _, b := range batches {
		out.Len += b.Len
	}
	for column := range out.Cols {
		joined := &out.Cols[column]
		joined.Resize(batches[0].Cols[column].Type, out.Len)
		at := 0
		for _, b := range batches {
			var flat Vector
			Flatten(&flat, &b.Cols[column])
			putRows(joined, at, &flat)
			at += b.Len
		}
	}
	return out
}

// putRows copies the rows of a flat vector to the rows of another from at on.
func putRows(to *Vector, at int, from *Vector) {
	switch physical := to.Type.Physical(); physical {
	case types.PhysList, types.PhysRow:
		for row := range from.Len {
			to.SetDatum(at+row, from.Datum(row))
		}
		return
	case types.PhysString:
		views := Values[View](to)[at : at+from.Len]
		first := uint64(len(to.Buffers))
		for row, view := range Values[View](from)[:from.Len] {
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
