// Package input is the connector of rows that exist once and in one process only: what a client sends
// with COPY FROM STDIN, and listings that a statement has made. A Source is handed in, named by a
// Table for the time of one plan, and read by that plan's one split.
package input

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Name is the name under which the connector is registered.
const Name = "input"

// Connector holds the sources that plans are about to read. It may be used by several goroutines.
type Connector struct {
	node string

	mu      sync.Mutex
	last    int64
	sources map[int64]vec.Source
}

// New makes a connector whose splits demand the named node.
func New(node string) *Connector { return &Connector{node: node, sources: map[int64]vec.Source{}} }

type handle struct{ Source int64 }

// Table names a source. It can be read once. release is to be called when the plan has ended: it
// closes a source that was never read.
func (c *Connector) Table(name string, columns types.Schema, rows vec.Source) (t *connectors.Table, release func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	id := c.last
	c.sources[id] = rows
	encoded, err := json.Marshal(handle{id})
	if err != nil { // plain data: cannot fail
		panic(sqlerr.Internal("input handle: %v", err))
	}
	t = &connectors.Table{Connector: Name, Name: name, Kind: connectors.Virtual, Handle: encoded}
	for i, f := range columns {
		t.Columns = append(t.Columns, connectors.Column{ID: int32(i + 1), Name: f.Name, Type: f.Type, NotNull: !f.Nullable})
	}
	return t, func() {
		if source := c.take(id); source != nil {
			_ = source.Close()
		}
	}
}

func (c *Connector) take(id int64) vec.Source {
	c.mu.Lock()
	defer c.mu.Unlock()
	source := c.sources[id]
	delete(c.sources, id)
	return source
}

// Splits gives the one split.
func (c *Connector) Splits(_ context.Context, scan connectors.Scan, _ connectors.FilterFeed) (connectors.SplitSource, error) {
	return &splits{list: []connectors.Split{{Payload: scan.Handle, Node: c.node}}}, nil
}

type splits struct{ list []connectors.Split }

func (s *splits) Next(context.Context, int) ([]connectors.Split, error) {
	list := s.list
	s.list = nil
	return list, nil
}

func (s *splits) Close() error { return nil }

// Read hands the source out.
func (c *Connector) Read(_ context.Context, request connectors.ReadRequest) (vec.Source, error) {
	var h handle
	if err := json.Unmarshal(request.Split.Payload, &h); err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	rows := c.take(h.Source)
	if rows == nil {
		return nil, sqlerr.Internal("input %q has been read already", request.Scan.Name)
	}
	return &source{rows: rows, request: request, batch: vec.Batch{Cols: make([]vec.Vector, len(request.Scan.Columns))}}, nil
}

// source picks the scan's columns and applies its filter.
type source struct {
	rows    vec.Source
	request connectors.ReadRequest
	batch   vec.Batch
}

// Next gives the next batch of which a row passes the filter.
func (s *source) Next(ctx context.Context) (*vec.Batch, error) {
	for {
		in, err := s.rows.Next(ctx)
		if err != nil || in == nil {
			return nil, err
		}
		s.batch.Len, s.batch.Sel = in.Len, in.Sel
		for i, column := range s.request.Scan.Columns {
			s.batch.Cols[i].Alias(&in.Cols[column.Ordinal])
		}
		rows := int64(in.Rows())
		s.request.Stats.RowsRead.Add(rows)
		if filter := s.request.Filter; filter != nil {
			for stage := range filter.Stages() {
				if err := filter.Apply(stage, &s.batch); err != nil {
					return nil, err
				}
			}
		}
		if passed := s.batch.Rows(); passed > 0 {
			s.request.Stats.RowsSelected.Add(int64(passed))
			return &s.batch, nil
		}
	}
}

// Close closes the source.
func (s *source) Close() error { return s.rows.Close() }
