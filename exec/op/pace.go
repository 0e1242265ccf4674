package op

import (
	"time"

	"github.com/tarnlake/tarn/internal/vec"
)

// pace cuts batches whose rows are slow to evaluate into pieces: between them a cancel is noticed,
// and what they make (long strings, mostly) stays small. Batches of ordinary expressions pass whole,
// but for the first.
type pace struct {
	rows     int // most in a piece
	identity []int32
}

const (
	firstPiece = 256
	mostRows   = 1 << 20               // no batch is longer
	growth     = 8                     // a piece has at most so many times the rows of the one before it
	slowPiece  = 20 * time.Millisecond // pieces should take less
)

// piece gives the rows of b from the given one on that are to be evaluated next, and how many they
// are; nil rows are all.
func (p *pace) piece(b *vec.Batch, from int) (rows []int32, count int) {
	if p.rows == 0 {
		p.rows = firstPiece
	}
	total := b.Rows()
	count = min(p.rows, total-from)
	if count == total {
		return b.Sel, count
	}
	if b.Sel != nil {
		return b.Sel[from : from+count], count
	}
	for len(p.identity) < b.Len {
		p.identity = append(p.identity, int32(len(p.identity)))
	}
	return p.identity[from : from+count], count
}

// took tells how long a piece has taken. Pieces grow by steps, and only after one that was as long as it might be: a
// few rows at the end of a batch tell little.
func (p *pace) took(count int, spent time.Duration) {
	fit := int(min(int64(count)*int64(slowPiece/2)/max(int64(spent), 1), mostRows))
	switch {
	case spent > slowPiece:
		p.rows = max(1, fit)
	case count == p.rows && fit > count:
		p.rows = min(count*growth, fit)
	}
}
