package lake

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/connectors/files"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/partition"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Options of a Connector.
type Options struct {
	// Stores finds the storage of tables.
	Stores objstore.Locator
	// Opener opens files.
	Opener *files.Opener
	// Lister lists the files of scans; nil where no coordinator runs.
	Lister connectors.FileLister
	// SplitBytes is how large a split may be; 0 is 32 MiB.
	SplitBytes int64
	// WriteMemory bounds what one sink buffers in open files; 0 is 256 MiB.
	WriteMemory int64
	// FailPoint, if set, is called before each step of a write; its error fails the step, and a test
	// may end the process in it.
	FailPoint func(step string) error
}

// Connector implements connectors.Connector, connectors.Writer and connectors.Warmer.
type Connector struct{ options Options }

// New makes a connector.
func New(options Options) *Connector {
	if options.SplitBytes <= 0 {
		options.SplitBytes = 32 << 20
	}
	if options.WriteMemory <= 0 {
		options.WriteMemory = 256 << 20
	}
	return &Connector{options}
}

// split is the payload of a connectors.Split.
type split struct {
	Path      string // relative to the table's location
	Size      int64
	ETag      string `json:",omitempty"`
	Partition string `json:",omitempty"`
	Piece     files.Piece
}

// Splits implements connectors.Connector.
func (c *Connector) Splits(ctx context.Context, scan connectors.Scan, feed connectors.FilterFeed) (connectors.SplitSource, error) {
	handle, err := connectors.ParseFileTable(scan.Handle)
	if err != nil {
		return nil, err
	}
	if err := checkPartitionFilter(handle, scan); err != nil {
		return nil, err
	}
	return c.splits(ctx, handle, scan, feed)
}

// checkPartitionFilter refuses to read all partitions of a table that says so.
func checkPartitionFilter(handle *connectors.FileTable, scan connectors.Scan) error {
	if handle.Properties["require_partition_filter"] != "true" || len(handle.Partition) == 0 {
		return nil
	}
	for _, d := range scan.Domains {
		bounded := d.Values != nil || d.Minimum != nil || d.Maximum != nil
		if bounded && d.Column >= 0 && d.Column < len(scan.Columns) && slices.Contains(handle.Partition, scan.Columns[d.Column].Ordinal) {
			return nil
		}
	}
	var names []string
	for _, ordinal := range handle.Partition {
		names = append(names, handle.Columns[ordinal].Name)
	}
	return sqlerr.New(sqlerr.ObjectNotInPrerequisiteState, "table %q must be read with a filter on a partition column: %s", scan.Name, strings.Join(names, ", ")).
		WithHint("Compare the column with constants: WHERE %s = ...; or ALTER TABLE %s SET (require_partition_filter = false).", names[0], scan.Name)
}

func (c *Connector) splits(ctx context.Context, handle *connectors.FileTable, scan connectors.Scan, feed connectors.FilterFeed) (connectors.SplitSource, error) {
	if c.options.Lister == nil {
		return nil, sqlerr.Internal("lake: splits are listed on a coordinator")
	}
	list, err := c.options.Lister.Files(ctx, scan)
	if err != nil {
		return nil, err
	}
	asCSV, asJSON, err := textOf(handle)
	if err != nil {
		return nil, err
	}
	s := &splitSource{connector: c, files: list.Files, handle: handle, csv: asCSV, json: asJSON, feed: feed, pruner: newPartitionPruner(handle, scan)}
	for i := range s.files {
		s.rest += s.files[i].Size
	}
	return s, nil
}

// splitSource cuts files into splits.
type splitSource struct {
	connector *Connector
	files     []connectors.DataFile
	handle    *connectors.FileTable
	csv       *files.CSV
	json      *files.JSON
	feed      connectors.FilterFeed
	pruner    *partitionPruner
	pieces    *files.Pieces // of files[0]
	rest      int64         // bytes of the files after it
}

// textOf gives the format of a CSV or JSON table, nil for others.
func textOf(handle *connectors.FileTable) (asCSV *files.CSV, asJSON *files.JSON, err error) {
	switch handle.Format {
	case "csv":
		asCSV, err = files.CSVOfTable(handle.Properties, len(handle.Columns)-len(handle.Partition))
	case "json":
		var keys []string
		for _, column := range handle.Columns {
			keys = append(keys, column.StorageName)
		}
		asJSON, err = files.JSONOfTable(handle.Properties, keys)
	}
	return asCSV, asJSON, err
}

// Next implements connectors.SplitSource.
func (s *splitSource) Next(ctx context.Context, most int) ([]connectors.Split, error) {
	var domains []connectors.Domain
	if s.feed != nil {
		domains, _ = s.feed.Domains()
	}
	var out []connectors.Split
	for len(s.files) > 0 && len(out) < most {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f := &s.files[0]
		if s.pieces == nil {
			s.rest -= f.Size
			keep, err := s.pruner.keep(f.Partition, domains)
			if err != nil {
				return nil, err
			}
			if !keep {
				s.files = s.files[1:]
				continue
			}
			store, key, err := s.connector.place(s.handle.Location, f.Path)
			if err != nil {
				return nil, err
			}
			object := objstore.Object{Path: key, Size: f.Size, ETag: f.ETag}
			if s.pieces, err = files.Cut(store, object, s.handle.Format, s.csv, s.json, s.connector.options.SplitBytes); err != nil {
				return nil, err
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
		payload, err := json.Marshal(split{f.Path, f.Size, f.ETag, f.Partition, piece})
		if err != nil {
			return nil, err
		}
		part := s.pieces.Part(piece)
		out = append(out, connectors.Split{Payload: payload, Rows: int64(float64(f.Rows) * part), Bytes: int64(float64(f.Size) * part), Affinity: piece.Affinity(f.Path)})
		if s.pieces.Slow() {
			break
		}
	}
	return out, nil
}

// Close implements connectors.SplitSource.
func (s *splitSource) Close() error {
	if s.pieces != nil {
		s.pieces.Close()
	}
	return nil
}

// partitionPruner tests partitions against domains that are learnt while splits are being handed out.
type partitionPruner struct {
	types []types.Type
	at    map[int]int // partition column by ordinal in Scan.Columns
}

func newPartitionPruner(handle *connectors.FileTable, scan connectors.Scan) *partitionPruner {
	p := &partitionPruner{types: handle.PartitionTypes(), at: map[int]int{}}
	for i, c := range scan.Columns {
		for at, ordinal := range handle.Partition {
			if c.Ordinal == ordinal {
				p.at[i] = at
			}
		}
	}
	return p
}

func (p *partitionPruner) keep(key string, domains []connectors.Domain) (bool, error) {
	if len(p.at) == 0 || len(domains) == 0 {
		return true, nil
	}
	values, err := partition.Values(p.types, key)
	if err != nil {
		return false, err
	}
	for i := range domains {
		if at, ok := p.at[domains[i].Column]; ok && !domains[i].Contains(p.types[at], values[at]) {
			return false, nil
		}
	}
	return true, nil
}

// Read implements connectors.Connector.
func (c *Connector) Read(ctx context.Context, request connectors.ReadRequest) (vec.Source, error) {
	handle, err := connectors.ParseFileTable(request.Scan.Handle)
	if err != nil {
		return nil, err
	}
	var s split
	if err := json.Unmarshal(request.Split.Payload, &s); err != nil {
		return nil, sqlerr.Internal("split of %q: %v", request.Scan.Name, err)
	}
	store, key, err := c.place(handle.Location, s.Path)
	if err != nil {
		return nil, err
	}
	values, err := partition.Values(handle.PartitionTypes(), s.Partition)
	if err != nil {
		return nil, err
	}
	asCSV, asJSON, err := textOf(handle)
	if err != nil {
		return nil, err
	}
	r := files.Request{Store: store, Object: objstore.Object{Path: key, Size: s.Size, ETag: s.ETag}, Format: handle.Format,
		CSV: asCSV, JSON: asJSON, Piece: s.Piece, Domains: request.Scan.Domains, Filter: request.Filter,
		Feed: request.Feed, Pool: request.Pool, Stats: request.Stats}
	for _, column := range request.Scan.Columns {
		wanted, err := fileColumn(handle, column, values)
		if err != nil {
			return nil, err
		}
		r.Columns = append(r.Columns, wanted)
	}
	return c.options.Opener.Open(ctx, r)
}

// Warm implements connectors.Warmer: it begins to read the files' footers.
func (c *Connector) Warm(ctx context.Context, scan connectors.Scan, splits []connectors.Split) {
	handle, err := connectors.ParseFileTable(scan.Handle)
	if err != nil {
		return
	}
	before := ""
	for i := range splits {
		var s split
		if json.Unmarshal(splits[i].Payload, &s) != nil {
			return
		}
		if s.Path == before { // another piece of the same file
			continue
		}
		before = s.Path
		if store, key, err := c.place(handle.Location, s.Path); err == nil {
			c.options.Opener.Warm(ctx, store, objstore.Object{Path: key, Size: s.Size, ETag: s.ETag}, handle.Format)
		}
	}
}

// fileColumn says how a scan's column is found in a file.
func fileColumn(handle *connectors.FileTable, column connectors.ScanColumn, values []types.Datum) (files.Column, error) {
	out := files.Column{Type: column.Type, Subfields: column.Subfields}
	for at, ordinal := range handle.Partition {
		if ordinal == column.Ordinal {
			out.Constant = &values[at]
			return out, nil
		}
	}
	for ordinal, c := range handle.Columns {
		if c.ID == column.ID {
			out.Name, out.Position = c.StorageName, ordinal
			for _, partitioned := range handle.Partition {
				if partitioned < ordinal {
					out.Position-- // files do not hold partition columns
				}
			}
			return out, nil
		}
	}
	return out, sqlerr.Internal("table has no column %d (%s)", column.ID, column.Name)
}

// place gives the store and the key of a table's file.
func (c *Connector) place(location, path string) (objstore.Store, string, error) {
	store, key, err := c.options.Stores.Locate(location)
	if err != nil {
		return nil, "", err
	}
	return store, objstore.Below(key, path), nil
}

func (c *Connector) fail(step string) error {
	if c.options.FailPoint == nil {
		return nil
	}
	return c.options.FailPoint(step)
}
