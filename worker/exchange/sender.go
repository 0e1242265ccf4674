package exchange

import (
	"context"
	"math/bits"
	"time"

	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/vec"
	"github.com/tarnlake/tarn/internal/vec/page"
)

const (
	// directRows is the number of rows from which a batch becomes a page of its own; smaller ones are
	// put together until there are pageRows, or the oldest has waited for patience.
	directRows = 512
	pageRows   = 1024
	patience   = 50 * time.Millisecond
)

// sender is one driver's writer to an Outbox.
type sender struct {
	outbox  *Outbox
	waiting []small // by stream
	turn    int     // RoundRobin: stream of the next batch

	hasher rows.Hasher
	keys   []*vec.Vector
	hashes []uint64
	all    []int32
	lists  [][]int32
}

// small is a stream's batches that are not yet worth a page.
type small struct {
	batches []*vec.Batch
	rows    int
	since   time.Time
}

func newSender(o *Outbox, driver int) *sender {
	return &sender{outbox: o, waiting: make([]small, len(o.streams)), turn: driver,
		keys: make([]*vec.Vector, len(o.config.Output.Keys)), lists: make([][]int32, len(o.streams))}
}

// Consume sends a batch's rows to those who shall get them.
func (s *sender) Consume(ctx context.Context, b *vec.Batch) error {
	switch s.outbox.config.Output.Kind {
	case plan.Hash:
		return s.partition(ctx, b)
	case plan.RoundRobin:
		s.turn++
		return s.send(ctx, s.turn%len(s.outbox.streams), b)
	}
	return s.send(ctx, 0, b)
}

// partition sends every row to the stream of its keys' hash.
func (s *sender) partition(ctx context.Context, b *vec.Batch) error {
	if len(s.outbox.streams) == 1 {
		return s.send(ctx, 0, b)
	}
	list := b.Sel
	if list == nil {
		for len(s.all) < b.Len {
			s.all = append(s.all, int32(len(s.all)))
		}
		list = s.all[:b.Len]
	}
	for i, key := range s.outbox.config.Output.Keys {
		s.keys[i] = &b.Cols[key]
	}
	if cap(s.hashes) < len(list) {
		s.hashes = make([]uint64, len(list))
	}
	hashes := s.hashes[:len(list)]
	s.hasher.Hash(s.keys, list, hashes)
	for i := range s.lists {
		s.lists[i] = s.lists[i][:0]
	}
	n := uint64(len(s.outbox.streams))
	for i, h := range hashes {
		to := partitionOf(h, n)
		s.lists[to] = append(s.lists[to], list[i])
	}
	for to, rows := range s.lists {
		if len(rows) == 0 {
			continue
		}
		part := *b
		part.Sel = rows
		if err := s.send(ctx, to, &part); err != nil {
			return err
		}
	}
	return nil
}

// partitionOf maps a hash of values to one of n tasks. It scrambles the hash again, so that the rows
// of one task still differ in the bits by which hash tables choose their partitions.
func partitionOf(h, n uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	h ^= h >> 33
	to, _ := bits.Mul64(h, n)
	return to
}

// send makes pages of rows, in order. The batch is copied.
func (s *sender) send(ctx context.Context, to int, b *vec.Batch) error {
	w := &s.waiting[to]
	if b.Rows() >= directRows {
		if err := s.flush(ctx, to); err != nil {
			return err
		}
		return s.page(ctx, to, b)
	}
	now := time.Now()
	if w.rows == 0 {
		w.since = now
	}
	w.batches, w.rows = append(w.batches, b.Clone()), w.rows+b.Rows()
	if w.rows >= pageRows || now.Sub(w.since) > patience {
		return s.flush(ctx, to)
	}
	return nil
}

func (s *sender) flush(ctx context.Context, to int) error {
	w := &s.waiting[to]
	if w.rows == 0 {
		return nil
	}
	batch := w.batches[0]
	if len(w.batches) > 1 {
		batch = vec.Concatenate(w.batches)
	}
	clear(w.batches)
	w.batches, w.rows = w.batches[:0], 0
	return s.page(ctx, to, batch)
}

// page encodes rows; those that are too many for one page become two.
func (s *sender) page(ctx context.Context, to int, b *vec.Batch) error {
	encoded, err := page.Encode(b, s.outbox.config.Buffers)
	if sqlerr.CodeOf(err) == sqlerr.ProgramLimitExceeded && b.Rows() > 1 {
		var all vec.Batch
		b.Compact(&all)
		list := make([]int32, all.Len)
		for i := range list {
			list[i] = int32(i)
		}
		for _, half := range [][]int32{list[:len(list)/2], list[len(list)/2:]} {
			part := all
			part.Sel = half
			if err := s.page(ctx, to, &part); err != nil {
				return err
			}
		}
		return nil
	}
	if err != nil {
		return err
	}
	return s.outbox.append(ctx, to, encoded)
}

// Merge sends what still waits.
func (s *sender) Merge(ctx context.Context) error {
	for to := range s.waiting {
		if err := s.flush(ctx, to); err != nil {
			return err
		}
	}
	return nil
}
