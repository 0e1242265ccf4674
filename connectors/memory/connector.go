package memory

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/vec"
)

// Name is the name under which the connector is registered.
const Name = "memory"

// Connector keeps tables in memory. It may be used by several goroutines at once.
type Connector struct {
	node string
	pool *memory.Pool

	mu       sync.Mutex
	last     int64 // the last id given
	contents map[int64]*content
	staged   map[int64]*piece
}

// New gives a connector without tables. Its splits demand the named node; pool bounds what all tables hold together.
func New(node string, pool *memory.Pool) *Connector {
	return &Connector{node: node, pool: pool, contents: map[int64]*content{}, staged: map[int64]*piece{}}
}

// content is what a table holds: immutable but for its statistics, which are made on demand.
type content struct {
	pieces  []*piece
	batches []*vec.Batch // of all pieces
	rows    int64
	bytes   int64

	counted sync.Once
	stats   connectors.TableStats
}

// piece is what one sink staged.
type piece struct {
	batches []*vec.Batch
	rows    int64
	bytes   int64
	holders int // contents that have it; the connector's mutex guards it
}

// handle is what a Table's or Scan's Handle holds.
type handle struct{ Content int64 }

// staging is what a Fragment's Payload holds.
type staging struct{ Piece int64 }

// stretch is what a Split's Payload holds: a range of the content's batches.
type stretch struct{ From, To int }

// batchesPerSplit makes splits of some 32,000 rows.
const batchesPerSplit = 16

// content finds what a handle refers to.
func (c *Connector) content(raw json.RawMessage, schema, name string) (*content, error) {
	var h handle
	if err := json.Unmarshal(raw, &h); err != nil {
		return nil, fmt.Errorf("memory: the handle of %s.%s: %w", schema, name, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if found := c.contents[h.Content]; found != nil {
		return found, nil
	}
	return nil, sqlerr.New(sqlerr.UndefinedTable, "relation %q does not exist", name).
		WithDetail("It was dropped after the statement had been planned.")
}

// Splits lists stretches of the table's batches.
func (c *Connector) Splits(_ context.Context, scan connectors.Scan, _ connectors.FilterFeed) (connectors.SplitSource, error) {
	found, err := c.content(scan.Handle, scan.Schema, scan.Name)
	if err != nil {
		return nil, err
	}
	return &splits{node: c.node, batches: found.batches}, nil
}

// splits is a connectors.SplitSource.
type splits struct {
	node    string
	batches []*vec.Batch
	next    int
}

func (s *splits) Next(ctx context.Context, most int) ([]connectors.Split, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var out []connectors.Split
	for s.next < len(s.batches) && len(out) < most {
		to := min(s.next+batchesPerSplit, len(s.batches))
		payload, err := json.Marshal(stretch{s.next, to})
		if err != nil {
			return nil, err
		}
		split := connectors.Split{Payload: payload, Node: s.node}
		for _, b := range s.batches[s.next:to] {
			split.Rows += int64(b.Len)
			split.Bytes += b.Bytes()
		}
		out = append(out, split)
		s.next = to
	}
	return out, nil
}

func (s *splits) Close() error {
	s.next = len(s.batches)
	return nil
}

// Read opens a split. Its batches share the table's memory.
func (c *Connector) Read(_ context.Context, request connectors.ReadRequest) (vec.Source, error) {
	found, err := c.content(request.Scan.Handle, request.Scan.Schema, request.Scan.Name)
	if err != nil {
		return nil, err
	}
	var s stretch
	if err := json.Unmarshal(request.Split.Payload, &s); err != nil {
		return nil, fmt.Errorf("memory: a split of %s.%s: %w", request.Scan.Schema, request.Scan.Name, err)
	}
	if s.From < 0 || s.From > s.To || s.To > len(found.batches) {
		return nil, fmt.Errorf("memory: %s.%s has no batches %d to %d", request.Scan.Schema, request.Scan.Name, s.From, s.To)
	}
	return &source{
		request: request,
		stored:  found.batches[s.From:s.To],
		batch:   vec.Batch{Cols: make([]vec.Vector, len(request.Scan.Columns))},
	}, nil
}

// source is the vec.Source of a split.
type source struct {
	request connectors.ReadRequest
	stored  []*vec.Batch // yet to be given
	batch   vec.Batch
}

// Next gives the next batch of which a row passes the filter.
func (s *source) Next(ctx context.Context) (*vec.Batch, error) {
	for len(s.stored) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		stored := s.stored[0]
		s.stored = s.stored[1:]
		s.batch.Len, s.batch.Sel = stored.Len, nil
		for i, column := range s.request.Scan.Columns {
			s.batch.Cols[i].Alias(&stored.Cols[column.Ordinal])
		}
		s.request.Stats.RowsRead.Add(int64(stored.Len))
		if err := s.filter(); err != nil {
			return nil, err
		}
		if rows := s.batch.Rows(); rows > 0 {
			s.request.Stats.RowsSelected.Add(int64(rows))
			return &s.batch, nil
		}
	}
	return nil, nil
}

func (s *source) filter() error {
	if s.request.Filter == nil {
		return nil
	}
	for stage := range s.request.Filter.Stages() {
		if err := s.request.Filter.Apply(stage, &s.batch); err != nil || s.batch.Rows() == 0 {
			return err
		}
	}
	return nil
}

// Close ends the source.
func (s *source) Close() error {
	s.stored = nil
	return nil
}
