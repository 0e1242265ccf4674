package op

import (
	"math"
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
	slowPiece  = 20 * time.Millisecond // pieces should take less
	fastPiece  = time.Millisecond      // those that do may be as large as they come
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

// took tells how long a piece has taken.
func (p *pace) took(count int, spent time.Duration) {
	switch {
	case spent > slowPiece:
		p.rows = max(1, int(int64(count)*int64(slowPiece/2)/int64(spent)))
	case spent < fastPiece:
		p.rows = math.MaxInt32
	}
}
