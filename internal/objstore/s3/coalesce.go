package s3

import (
	"cmp"
	"slices"

	"github.com/tarnlake/tarn/internal/objstore"
)

const (
	// mostGap is how many unwanted bytes are read to save a request: less than what a connection
	// delivers in the time of one.
	mostGap = 1 << 20
	// mostPiece is how much one request asks for; more is split, to use several connections.
	mostPiece = 8 << 20
)

// piece is one request: bytes [start, end) of an object, into targets, with gaps between them.
type piece struct {
	start, end int64
	targets    []target
}

// target is a part of a caller's buffer.
type target struct {
	offset int64 // in the object
	into   []byte
}

// coalesce makes requests of ranges. Targets of a piece are ascending and do not overlap.
func coalesce(ranges []objstore.Range, buffers [][]byte) []piece {
	var targets []target
	for i, r := range ranges {
		buffer := buffers[i][:r.Length]
		for at := r.Offset; len(buffer) > 0; {
			n := min(len(buffer), mostPiece)
			if len(buffer)-n < mostPiece/4 { // no small rests
				n = len(buffer)
			}
			targets = append(targets, target{at, buffer[:n]})
			at, buffer = at+int64(n), buffer[n:]
		}
	}
	slices.SortStableFunc(targets, func(a, b target) int { return cmp.Compare(a.offset, b.offset) })
	var pieces []piece
	for _, t := range targets {
		end := t.offset + int64(len(t.into))
		if n := len(pieces); n > 0 {
			last := &pieces[n-1]
			if gap := t.offset - last.end; gap >= 0 && gap <= mostGap && end-last.start <= mostPiece {
				last.targets, last.end = append(last.targets, t), end
				continue
			}
		}
		pieces = append(pieces, piece{t.offset, end, []target{t}})
	}
	return pieces
}

// rest gives where in the targets the byte at an offset goes: the target's unfilled part, or nil and
// the number of bytes to throw away before the next target.
func (p *piece) rest(offset int64) (into []byte, gap int64) {
	for _, t := range p.targets {
		switch end := t.offset + int64(len(t.into)); {
		case offset < t.offset:
			return nil, t.offset - offset
		case offset < end:
			return t.into[offset-t.offset:], 0
		}
	}
	return nil, 0
}
