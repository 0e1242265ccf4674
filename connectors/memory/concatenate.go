package memory

import "github.com/tarnlake/tarn/internal/vec"

// concatenatePieces joins pieces to one of full batches.
func concatenatePieces(pieces []*piece) *piece {
	out := &piece{}
	var run []*vec.Batch
	rows := 0
	flush := func() {
		if rows > 0 {
			joined := vec.Concatenate(run)
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
