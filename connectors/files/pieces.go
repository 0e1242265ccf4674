package files

import (
	"context"

	"github.com/tarnlake/tarn/internal/objstore"
)

// Piece is a part of a file for one driver: for Parquet piece Part of Parts about equal ones.
type Piece struct {
	Part  int `json:",omitempty"`
	Parts int `json:",omitempty"`
}

// Pieces cuts a file.
type Pieces struct {
	parts int
	next  int
}

// Cut cuts a file into pieces of about target bytes.
func Cut(object objstore.Object, format string, target int64) *Pieces {
	return &Pieces{parts: int(max((object.Size+target-1)/target, 1))}
}

// Count is about how many pieces there will be.
func (p *Pieces) Count() int { return p.parts }

// Next gives the next piece, false at the end. It may read the file.
func (p *Pieces) Next(context.Context) (Piece, bool, error) {
	if p.next == p.parts {
		return Piece{}, false, nil
	}
	p.next++
	return Piece{Part: p.next - 1, Parts: p.parts}, true, nil
}
