package files

import (
	"context"

	"github.com/tarnlake/tarn/internal/format/csv"
	"github.com/tarnlake/tarn/internal/objstore"
)

// Piece is a part of a file for one driver: of Parquet and ORC piece Part of Parts about equal ones, of CSV
// a run of whole records. The zero value is the whole file.
type Piece struct {
	Part  int       `json:",omitempty"`
	Parts int       `json:",omitempty"`
	CSV   csv.Split `json:",omitzero"`
}

// first tells whether the piece begins the file.
func (p Piece) first() bool { return p.Part == 0 && p.CSV.Offset == 0 }

// Pieces cuts a file.
type Pieces struct {
	parts    int
	next     int
	splitter *csv.Splitter
}

// Cut cuts a file into pieces of about target bytes; format is nil for Parquet and ORC. A large CSV file is
// read through while its pieces are asked for: only so are quoted line breaks told from others.
func Cut(store objstore.Store, object objstore.Object, format *CSV, target int64) (*Pieces, error) {
	p := &Pieces{parts: int(max((object.Size+target-1)/target, 1))}
	if format == nil {
		return p, nil
	}
	var err error
	p.splitter, err = csv.NewSplitter(store, object, format.Format, target)
	return p, err
}

// Count is about how many pieces there will be.
func (p *Pieces) Count() int { return p.parts }

// Next gives the next piece, false at the end.
func (p *Pieces) Next(ctx context.Context) (Piece, bool, error) {
	if p.splitter != nil {
		split, more, err := p.splitter.Next(ctx)
		return Piece{CSV: split}, more, err
	}
	if p.next == p.parts {
		return Piece{}, false, nil
	}
	p.next++
	return Piece{Part: p.next - 1, Parts: p.parts}, true, nil
}
