package files

import (
	"context"
	"fmt"

	"github.com/tarnlake/tarn/internal/format/csv"
	"github.com/tarnlake/tarn/internal/format/json"
	"github.com/tarnlake/tarn/internal/objstore"
)

// Piece is a part of a file for one driver: of Parquet and ORC piece Part of Parts about equal ones, of CSV
// a run of whole records, of JSON the records that begin in a run of bytes. The zero value is the whole file.
type Piece struct {
	Part  int        `json:",omitempty"`
	Parts int        `json:",omitempty"`
	CSV   csv.Split  `json:",omitzero"`
	JSON  json.Split `json:",omitzero"`
}

// first tells whether the piece begins the file.
func (p Piece) first() bool { return p.Part == 0 && p.CSV.Offset == 0 && p.JSON.Offset == 0 }

// Affinity names what a piece reads, for the choice of the node that reads it: the pieces of a large file
// have different ones, so that each node keeps a part of it.
func (p Piece) Affinity(path string) string {
	switch {
	case p.Part > 0:
		return fmt.Sprintf("%s\x00%d", path, p.Part)
	case p.CSV.Offset > 0:
		return fmt.Sprintf("%s\x00%d", path, p.CSV.Offset)
	case p.JSON.Offset > 0:
		return fmt.Sprintf("%s\x00%d", path, p.JSON.Offset)
	}
	return path
}

// Pieces cuts a file.
type Pieces struct {
	parts int
	next  int
	csv   *csv.Splitter
	json  *json.Splitter
}

// Cut cuts a file into pieces of about target bytes; the formats are nil but for the
// file's.
func Cut(store objstore.Store, object objstore.Object, asCSV *CSV, asJSON *JSON, target int64) (*Pieces, error) {
	p := &Pieces{parts: int(max((object.Size+target-1)/target, 1))}
	var err error
	switch {
	case asCSV != nil:
		p.csv, err = csv.NewSplitter(store, object, asCSV.Format, target)
	case asJSON != nil:
		p.json = json.NewSplitter(store, object, asJSON.Format, target)
	}
	return p, err
}

// Count is about how many pieces there will be.
func (p *Pieces) Count() int { return p.parts }

// Slow tells that Next reads through a file: only so are quoted line breaks told from others for certain.
// Readers had better begin with the first piece meanwhile.
func (p *Pieces) Slow() bool { return p.csv != nil && p.csv.Reads() }

// Next gives the next piece, false at the end.
func (p *Pieces) Next(ctx context.Context) (Piece, bool, error) {
	switch {
	case p.csv != nil:
		split, more, err := p.csv.Next(ctx)
		return Piece{CSV: split}, more, err
	case p.json != nil:
		split, more, err := p.json.Next(ctx)
		return Piece{JSON: split}, more, err
	}
	if p.next == p.parts {
		return Piece{}, false, nil
	}
	p.next++
	return Piece{Part: p.next - 1, Parts: p.parts}, true, nil
}

// Close ends the cutting; it may be called after the end, and once.
func (p *Pieces) Close() {
	if p.csv != nil {
		p.csv.Close()
	}
}
