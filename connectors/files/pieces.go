package files

import (
	"context"
	"fmt"

	"github.com/tarnlake/tarn/internal/format/csv"
	"github.com/tarnlake/tarn/internal/format/json"
	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/objstore"
)

// Piece is a part of a file for one driver: of Parquet and ORC a share of the rows, of CSV a run of whole records, of
// JSON the records that begin in a run of bytes. The zero value is the whole file.
type Piece struct {
	scan.Share
	CSV  csv.Split  `json:",omitzero"`
	JSON json.Split `json:",omitzero"`
}

const (
	// finePieces is how many of the smallest pieces make a largest one. No piece reaches beyond what the largest, laid
	// end to end, would be: so a piece of any length has a node that it prefers.
	finePieces = 4
	// rounds is how many pieces what is left of a scan makes at least: drivers shall end at about the same time. This
	// is for Parquet, whose row groups are small: a piece that begins within a stripe of ORC costs more than is gained.
	rounds = 4
)

// first tells whether the piece begins the file.
func (p Piece) first() bool { return p.Part == 0 && p.CSV.Offset == 0 && p.JSON.Offset == 0 }

// Affinity names what a piece reads, for the choice of the node that reads it: the pieces of a large file
// have different ones, so that each node keeps a part of it.
func (p Piece) Affinity(path string) string {
	switch {
	case p.Part >= finePieces:
		return fmt.Sprintf("%s\x00%d", path, p.Part/finePieces)
	case p.CSV.Offset > 0:
		return fmt.Sprintf("%s\x00%d", path, p.CSV.Offset)
	case p.JSON.Offset > 0:
		return fmt.Sprintf("%s\x00%d", path, p.JSON.Offset)
	}
	return path
}

// Pieces cuts a file.
type Pieces struct {
	size  int64
	parts int
	next  int
	least int // parts of a piece
	csv   *csv.Splitter
	json  *json.Splitter
}

// Cut cuts a file into pieces of about target bytes; how text is read is nil but for the file's format.
func Cut(store objstore.Store, object objstore.Object, format string, asCSV *CSV, asJSON *JSON, target int64) (*Pieces, error) {
	p := &Pieces{size: object.Size, least: 1}
	switch format {
	case "orc":
		p.least = finePieces
		fallthrough
	case "parquet":
		target = max(target/finePieces, 1)
	}
	p.parts = int(max((object.Size+target-1)/target, 1))
	var err error
	switch {
	case asCSV != nil:
		p.csv, err = csv.NewSplitter(store, object, asCSV.Format, target)
	case asJSON != nil:
		p.json = json.NewSplitter(store, object, asJSON.Format, target)
	}
	return p, err
}

// Part is about how much of the file a piece is.
func (p *Pieces) Part(piece Piece) float64 {
	return float64(max(piece.Span, 1)) / float64(p.parts)
}

// Slow tells that Next reads through a file: only so are quoted line breaks told from others for certain.
// Readers had better begin with the first piece meanwhile.
func (p *Pieces) Slow() bool { return p.csv != nil && p.csv.Reads() }

// Next gives the next piece, false at the end. The last pieces of a scan are smaller than others: rest is how many bytes
// of other files follow.
func (p *Pieces) Next(ctx context.Context, rest int64) (Piece, bool, error) {
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
	first := p.next
	left := int64(p.parts-first) + rest/max(p.size/int64(p.parts), 1)
	span := max(int(min(left/rounds, finePieces)), p.least)
	span = min(span, finePieces-first%finePieces, p.parts-first)
	p.next += span
	return Piece{Share: scan.Share{Part: first, Span: span, Parts: p.parts}}, true, nil
}

// Close ends the cutting; it may be called after the end, and once.
func (p *Pieces) Close() {
	if p.csv != nil {
		p.csv.Close()
	}
}
