package memory

import (
	"context"
	"encoding/json"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/vec"
)

// Write opens a sink for one driver's share of the rows.
func (c *Connector) Write(_ context.Context, request connectors.WriteRequest) (connectors.PageSink, error) {
	return &sink{connector: c, request: request}, nil
}

// sink copies batches into a piece.
type sink struct {
	connector *Connector
	request   connectors.WriteRequest
	piece     piece
	waiting   []*vec.Batch // copies too small to be kept by themselves
	rows      int          // in waiting
	closed    bool
}

// Append copies the selected rows of a batch.
func (s *sink) Append(ctx context.Context, b *vec.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if b.Rows() == 0 {
		return nil
	}
	own := b.Clone()
	size := own.Bytes()
	if err := s.connector.pool.Reserve(size, "table "+s.request.Target.Name); err != nil {
		return err
	}
	s.piece.bytes += size
	s.piece.rows += int64(own.Len)
	if own.Len >= vec.BatchSize/2 {
		s.flush()
	}
	s.waiting = append(s.waiting, own)
	s.rows += own.Len
	if s.rows >= vec.BatchSize/2 {
		s.flush()
	}
	return nil
}

// flush makes one batch of those that wait. What that changes of their size is settled with the pool, past its limit if
// need be.
func (s *sink) flush() {
	switch len(s.waiting) {
	case 0:
		return
	case 1:
		s.piece.batches = append(s.piece.batches, s.waiting[0])
	default:
		joined := vec.Concatenate(s.waiting)
		before := int64(0)
		for _, b := range s.waiting {
			before += b.Bytes()
		}
		s.connector.pool.Release(before - joined.Bytes())
		s.piece.bytes -= before - joined.Bytes()
		s.piece.batches = append(s.piece.batches, joined)
	}
	s.waiting, s.rows = nil, 0
}

// Finish stages the rows. A sink that got none gives no fragment.
func (s *sink) Finish(context.Context) ([]connectors.Fragment, error) {
	s.flush()
	s.closed = true
	if s.piece.rows == 0 {
		return nil, nil
	}
	c := s.connector
	c.mu.Lock()
	c.last++
	id := c.last
	c.staged[id] = &s.piece
	c.mu.Unlock()
	if stats := s.request.Stats; stats != nil {
		stats.Rows.Add(s.piece.rows)
		stats.Bytes.Add(s.piece.bytes)
	}
	payload, err := json.Marshal(staging{id})
	if err != nil {
		return nil, err
	}
	return []connectors.Fragment{{Rows: s.piece.rows, Payload: payload}}, nil
}

// Abort forgets the rows.
func (s *sink) Abort(context.Context) error {
	if !s.closed {
		s.closed = true
		s.connector.pool.Release(s.piece.bytes)
		s.waiting, s.piece = nil, piece{}
	}
	return nil
}
