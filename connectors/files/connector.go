package files

import (
	"container/list"
	"context"
	"encoding/json"
	"sync"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/partition"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// ConnectorName is the name under which tables that Resolve gives expect this connector.
const ConnectorName = "files"

// Options of a Connector.
type Options struct {
	// Stores finds what users may read.
	Stores objstore.Locator
	Opener *Opener
	// SplitBytes is how large a split may be; 0 is 32 MiB.
	SplitBytes int64
	// ParseType reads the name of a type, for read_csv's types; nil knows none.
	ParseType func(name string) (types.Type, error)
}

// Connector reads files that queries name.
type Connector struct {
	options Options

	mu       sync.Mutex
	listings map[string]*list.Element // by handle
	order    *list.List               // of *listing, front: most recently used
}

// New makes a connector.
func New(options Options) *Connector {
	if options.SplitBytes <= 0 {
		options.SplitBytes = 32 << 20
	}
	return &Connector{options: options, listings: map[string]*list.Element{}, order: list.New()}
}

// columnSource says where a column of a file table comes from.
type columnSource uint8

const (
	fromFile columnSource = iota
	fromPath              // a Hive partition value
	fromName              // the file's name
)

// fileSet is the Handle of a file table.
type fileSet struct {
	// Function is "" for the rows of the files, else the function that looks into them.
	Function string `json:",omitempty"`
	Patterns []string
	Format   string `json:",omitempty"`
	CSV      *CSV   `json:",omitempty"`
	JSON     *JSON  `json:",omitempty"`
	Columns  []fileSetColumn
	// Rejects: the rows are what is wrong with the files, whose own columns are Data.
	Rejects bool            `json:",omitempty"`
	Data    []fileSetColumn `json:",omitempty"`
	Strict  bool            `json:",omitempty"` // every file has every column
}

type fileSetColumn struct {
	Name   string
	Type   types.Type
	Source columnSource `json:",omitempty"`
	// Position is the field's place in a file, or the place among the path's values.
	Position int `json:",omitempty"`
}

// listing is what a fileSet stood for when it was resolved.
type listing struct {
	handle string
	files  []found
	stats  *connectors.TableStats
}

// maxListings bounds the listings that are remembered for plans not yet run.
const maxListings = 64

func (c *Connector) remember(l *listing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.listings[l.handle]; ok {
		c.order.Remove(old)
	}
	c.listings[l.handle] = c.order.PushFront(l)
	for c.order.Len() > maxListings {
		last := c.order.Back()
		delete(c.listings, last.Value.(*listing).handle)
		c.order.Remove(last)
	}
}

// listingOf gives the files of a handle: as they were listed when it was resolved, or now.
func (c *Connector) listingOf(ctx context.Context, handle json.RawMessage) (*listing, *fileSet, error) {
	var set fileSet
	if err := json.Unmarshal(handle, &set); err != nil {
		return nil, nil, sqlerr.Internal("file table handle: %v", err)
	}
	c.mu.Lock()
	known := c.listings[string(handle)]
	c.mu.Unlock()
	if known != nil {
		return known.Value.(*listing), &set, nil
	}
	files, err := find(ctx, c.options.Stores, set.Patterns)
	if err != nil {
		return nil, nil, err
	}
	l := &listing{handle: string(handle), files: files}
	c.remember(l)
	return l, &set, nil
}

// split is the payload of a connectors.Split.
type split struct {
	Path  string // as users write it
	Size  int64
	ETag  string
	Piece Piece
	// Values are the escaped partition values of the path.
	Values []string `json:",omitempty"`
}

// Splits implements connectors.Connector.
func (c *Connector) Splits(ctx context.Context, scan connectors.Scan, feed connectors.FilterFeed) (connectors.SplitSource, error) {
	l, set, err := c.listingOf(ctx, scan.Handle)
	if err != nil {
		return nil, err
	}
	if set.Function != "" {
		return &oneSplit{connectors.Split{Payload: json.RawMessage("{}")}, false}, nil
	}
	s := &splitSource{connector: c, set: set, scan: scan, feed: feed, files: l.files}
	for i := range s.files {
		s.rest += s.files[i].object.Size
	}
	return s, nil
}

type oneSplit struct {
	split connectors.Split
	given bool
}

func (s *oneSplit) Next(context.Context, int) ([]connectors.Split, error) {
	if s.given {
		return nil, nil
	}
	s.given = true
	return []connectors.Split{s.split}, nil
}

func (s *oneSplit) Close() error { return nil }

type splitSource struct {
	connector *Connector
	set       *fileSet
	scan      connectors.Scan
	feed      connectors.FilterFeed
	files     []found
	pieces    *Pieces // of files[0]
	rest      int64   // bytes of the files after it
	values    []string
}

// Next implements connectors.SplitSource.
func (s *splitSource) Next(ctx context.Context, most int) ([]connectors.Split, error) {
	var out []connectors.Split
	for len(s.files) > 0 && len(out) < most {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f := &s.files[0]
		if s.pieces == nil {
			s.rest -= f.object.Size
			wanted, err := s.open(f)
			if err != nil {
				return nil, err
			}
			if !wanted {
				s.files = s.files[1:]
				continue
			}
		}
		piece, more, err := s.pieces.Next(ctx, s.rest)
		if err != nil {
			return nil, err
		}
		if !more {
			s.files, s.pieces = s.files[1:], nil
			continue
		}
		payload, err := json.Marshal(split{f.shown, f.object.Size, f.object.ETag, piece, s.values})
		if err != nil {
			return nil, err
		}
		out = append(out, connectors.Split{Payload: payload, Bytes: int64(float64(f.object.Size) * s.pieces.Part(piece)), Affinity: piece.Affinity(f.shown)})
		if s.pieces.Slow() {
			break
		}
	}
	return out, nil
}

// open prepares to cut a file; false when its path puts it outside the domains.
func (s *splitSource) open(f *found) (bool, error) {
	s.values = nil
	for _, pair := range partition.Pairs(f.shown) {
		s.values = append(s.values, pair.Value)
	}
	domains := s.scan.Domains
	if s.feed != nil {
		domains = append(domains[:len(domains):len(domains)], feedDomains(s.feed)...)
	}
	columns, err := s.set.columns(s.scan.Columns, f.shown, s.values)
	if err != nil {
		return false, err
	}
	if newConstants(columns).outside(domains) {
		return false, nil
	}
	s.pieces, err = Cut(f.store, f.object, s.set.Format, s.set.CSV, s.set.JSON, s.connector.options.SplitBytes)
	return true, err
}

func (s *splitSource) Close() error {
	if s.pieces != nil {
		s.pieces.Close()
	}
	return nil
}

// columns says how the columns of a scan are got from a file.
func (set *fileSet) columns(wanted []connectors.ScanColumn, shown string, values []string) ([]Column, error) {
	out := make([]Column, len(wanted))
	for i, w := range wanted {
		if w.Ordinal < 0 || w.Ordinal >= len(set.Columns) {
			return nil, sqlerr.Internal("file table has no column %d", w.Ordinal)
		}
		column := set.Columns[w.Ordinal]
		out[i] = Column{Name: column.Name, Type: w.Type, Position: column.Position, Required: set.Strict, Subfields: w.Subfields}
		if set.Format == "orc" {
			out[i].Position = -1 // the columns are named as the files do
		}
		switch column.Source {
		case fromName:
			name := types.StringDatum(shown)
			out[i].Constant = &name
		case fromPath:
			value := types.NullDatum()
			if column.Position < len(values) {
				var err error
				if value, err = partition.Value(column.Type, values[column.Position]); err != nil {
					return nil, sqlerr.Wrap(err, sqlerr.InvalidTextRepresentation, "partition column %q in the path of file %q", column.Name, shown)
				}
			}
			out[i].Constant = &value
		}
	}
	return out, nil
}

// Read implements connectors.Connector.
func (c *Connector) Read(ctx context.Context, request connectors.ReadRequest) (vec.Source, error) {
	var set fileSet
	if err := json.Unmarshal(request.Scan.Handle, &set); err != nil {
		return nil, sqlerr.Internal("file table handle: %v", err)
	}
	if set.Function != "" {
		return c.look(ctx, &set, request)
	}
	var s split
	if err := json.Unmarshal(request.Split.Payload, &s); err != nil {
		return nil, sqlerr.Internal("split of files: %v", err)
	}
	store, key, err := c.options.Stores.Locate(s.Path)
	if err != nil {
		return nil, err
	}
	if set.Rejects {
		return c.readRejects(ctx, &set, &s, store, objstore.Object{Path: key, Size: s.Size, ETag: s.ETag}, request)
	}
	columns, err := set.columns(request.Scan.Columns, s.Path, s.Values)
	if err != nil {
		return nil, err
	}
	return c.options.Opener.Open(ctx, Request{Store: store, Object: objstore.Object{Path: key, Size: s.Size, ETag: s.ETag}, Format: set.Format,
		CSV: set.CSV, JSON: set.JSON, Columns: columns, Piece: s.Piece, Domains: request.Scan.Domains, Filter: request.Filter,
		Feed: request.Feed, Pool: request.Pool, Stats: request.Stats})
}
