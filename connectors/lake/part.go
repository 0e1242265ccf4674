package lake

import (
	"context"
	"fmt"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/vec"
)

// part is the open end of one partition in a sink: rows that wait, and the file being written.
type part struct {
	sink    *sink
	key     string // partition.Key
	path    string // directory below the table's location, "" or ending in "/"
	waiting rowBuffer
	lastUse int64

	out     objstore.Writer
	name    string // relative to the table's location
	pool    *memory.Pool
	encoder encoder
	call    context.Context // of the call of the encoder that is under way
}

// edge is an edge within a call of the encoder.
func (p *part) edge() error { return slots.Edge(p.call) }

const (
	// enoughRows is how many rows are worth a call of the encoder.
	enoughRows = vec.BatchSize
	// fewRows wait for others even when they come together.
	fewRows = enoughRows / 8
	// mostRows are encoded at once when they are selected.
	mostRows = 4 * enoughRows
)

// add takes the selected rows of b, whose columns are the data columns.
func (p *part) add(ctx context.Context, b *vec.Batch) error {
	if len(p.sink.layout.sorted) == 0 && p.waiting.rows() == 0 && b.Rows() >= fewRows {
		return p.encodePieces(ctx, *b)
	}
	before := p.waiting.bytes
	p.waiting.add(p.sink.layout.schema, b)
	p.sink.buffered += p.waiting.bytes - before
	if len(p.sink.layout.sorted) == 0 && p.waiting.rows() >= enoughRows {
		return p.flush(ctx)
	}
	return nil
}

// flush writes the waiting rows, in order if the table has one.
func (p *part) flush(ctx context.Context) error {
	if p.waiting.rows() == 0 {
		return nil
	}
	rows := p.waiting.batch()
	if keys := p.sink.layout.sorted; len(keys) > 0 {
		if err := p.close(ctx); err != nil { // each file is one sorted run
			return err
		}
		order := sortedOrder(rows, keys)
		for len(order) > 0 {
			n := min(len(order), vec.BatchSize)
			piece := gather(rows, order[:n])
			if err := p.encode(ctx, piece); err != nil {
				return err
			}
			order = order[n:]
		}
	} else if err := p.encode(ctx, rows); err != nil {
		return err
	}
	p.sink.buffered -= p.waiting.bytes
	p.waiting.reset(false)
	return nil
}

// encodePieces encodes rows a piece at a time, so that files end near their target size.
func (p *part) encodePieces(ctx context.Context, b vec.Batch) error {
	for len(b.Sel) > mostRows {
		piece := b
		piece.Sel = b.Sel[:mostRows]
		if err := p.encode(ctx, &piece); err != nil {
			return err
		}
		b.Sel = b.Sel[mostRows:]
	}
	return p.encode(ctx, &b)
}

func gather(b *vec.Batch, rows []int32) *vec.Batch {
	out := &vec.Batch{Cols: make([]vec.Vector, len(b.Cols)), Len: len(rows)}
	for i := range b.Cols {
		vec.Gather(&out.Cols[i], &b.Cols[i], rows)
	}
	return out
}

// encode gives rows to the open file, opening one if need be, and ends it when it is large enough.
func (p *part) encode(ctx context.Context, b *vec.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if p.encoder == nil {
		if err := p.open(ctx); err != nil {
			return err
		}
	}
	if err := p.sink.connector.fail(FailAppend); err != nil {
		return err
	}
	p.call = ctx
	if err := p.encoder.Append(b); err != nil {
		return err
	}
	if p.encoder.Bytes() >= p.sink.layout.targetSize {
		return p.close(ctx)
	}
	return nil
}

func (p *part) open(ctx context.Context) error {
	if err := p.sink.connector.fail(FailCreate); err != nil {
		return err
	}
	p.name = fmt.Sprintf("%spart-%s-%d.%s", p.path, p.sink.attempt, p.sink.fileCount, p.sink.layout.extension())
	p.sink.fileCount++
	out, err := p.sink.store.Create(ctx, p.sink.prefix+p.name)
	if err != nil {
		return err
	}
	if p.sink.pool != nil {
		p.pool = p.sink.pool.Child("file", memory.Unlimited)
	}
	encoder, err := p.sink.layout.encoder(out, p.pool, p.edge, len(p.sink.layout.sorted) > 0)
	if err != nil {
		out.Abort()
		return err
	}
	p.out, p.encoder = out, encoder
	p.sink.open++
	return nil
}

// close ends the open file. Making it durable goes on in the background; see sink.settle.
func (p *part) close(ctx context.Context) error {
	if p.encoder == nil {
		return nil
	}
	if err := p.sink.connector.fail(FailFinish); err != nil {
		return err
	}
	p.call = ctx
	summary, sketches, err := p.encoder.Finish()
	if err != nil {
		return err
	}
	p.encoder.Close()
	file := connectors.DataFile{Path: p.name, Rows: summary.Rows, Partition: p.key, Stats: summary.Pack(), Sketches: sketches.Pack()}
	out := p.out
	p.encoder, p.out = nil, nil
	p.sink.open--
	return p.sink.settle(ctx, out, file)
}

// shrink gives the memory of the open file back, closing the file where nothing less helps.
func (p *part) shrink(ctx context.Context) error {
	before := p.held()
	p.call = ctx
	if err := p.encoder.Flush(); err != nil {
		return err
	}
	if 2*p.held() >= before {
		return p.close(ctx)
	}
	return nil
}

// abort drops the open file.
func (p *part) abort() {
	if p.encoder != nil {
		p.encoder.Close()
		p.out.Abort()
		p.encoder, p.out = nil, nil
		p.sink.open--
	}
}

// held is the memory that the part uses.
func (p *part) held() int64 {
	n := p.waiting.bytes
	if p.encoder != nil && p.pool != nil {
		n += p.pool.Used()
	} else if p.encoder != nil {
		n += p.encoder.Bytes()
	}
	if buffering, ok := p.out.(interface{ Buffered() int64 }); ok {
		n += buffering.Buffered()
	}
	return n
}
