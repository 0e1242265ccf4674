package json

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/format/stream"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// ColumnRequest asks for one column of the batches.
type ColumnRequest struct {
	Key     string
	Type    types.Type
	Missing bool // no key: every row is NULL
}

// The terms of a scan.
type (
	RowFilter = scan.RowFilter
	Counters  = scan.Counters
)

// ReadOptions say what a Reader gives.
type ReadOptions struct {
	Columns []ColumnRequest
	// Keys are those of all columns of the table: none of them is taken for another in other case.
	Keys   []string
	Split  Split
	Filter RowFilter
	// BatchSize is the most rows of a batch; 0 is vec.BatchSize.
	BatchSize int
	Pool      *memory.Pool
	Counters  Counters
	Zone      *time.Location // of timestamptz values without one; nil is UTC
	// Reject is told what IgnoreErrors leaves out; nil: nobody is.
	Reject func(stream.Reject)
}

// Reader is a vec.Source over a split of a file.
type Reader struct {
	format  Format
	options ReadOptions
	records *records
	columns []*column // nil: missing

	starts []uint32     // of the batch's records in the block
	bad    map[int]bool // rows of the batch to leave out
	wrong  []valueError // of them, if somebody is to be told
	batch  vec.Batch
	out    []vec.Vector
	sel    []int32
	failed error
}

// NewReader reads a split of an object.
func NewReader(store objstore.Store, object objstore.Object, format Format, options ReadOptions) (*Reader, error) {
	if options.BatchSize <= 0 {
		options.BatchSize = vec.BatchSize
	}
	if options.Zone == nil {
		options.Zone = time.UTC
	}
	r := &Reader{format: format, options: options}
	r.records = newRecords(store, object, &r.format, options.Split, options.Counters, options.Pool)
	var wanted []string
	for _, request := range options.Columns {
		if request.Missing {
			r.columns = append(r.columns, nil)
			continue
		}
		slot := slices.Index(wanted, request.Key)
		if slot < 0 {
			slot = len(wanted)
			wanted = append(wanted, request.Key)
		}
		r.columns = append(r.columns, &column{reader: r, name: request.Key, typ: request.Type, slot: slot})
	}
	r.records.top = newObjectScanner(&r.records.scanner, wanted, options.Keys)
	for i := range r.records.top.spans {
		r.records.top.spans[i] = make([]span, options.BatchSize)
	}
	r.starts = make([]uint32, options.BatchSize)
	r.out = make([]vec.Vector, len(options.Columns))
	r.batch.Cols = make([]vec.Vector, len(options.Columns))
	if objstore.IsDistant(store) {
		if err := r.records.memory.Grow(stream.AheadBytes(r.records.split.Length)); err != nil {
			r.records.close()
			return nil, err
		}
	}
	return r, nil
}

// Next implements vec.Source.
func (r *Reader) Next(ctx context.Context) (*vec.Batch, error) {
	if r.failed != nil {
		return nil, r.failed
	}
	b, err := r.next(ctx)
	if err != nil {
		r.failed = err
		return nil, err
	}
	return b, nil
}

func (r *Reader) next(ctx context.Context) (*vec.Batch, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !r.records.started {
			if err := r.records.start(ctx); err != nil {
				return nil, err
			}
		}
		rows, err := r.collect(ctx)
		if err != nil || rows == 0 {
			return nil, err
		}
		scan.Count(r.options.Counters.RowsRead, int64(rows))
		if err := r.convert(ctx, rows); err != nil {
			return nil, err
		}
		if err := scan.Keep(r.options.Filter, &r.batch); err != nil {
			return nil, err
		}
		if n := r.batch.Rows(); n > 0 {
			scan.Count(r.options.Counters.RowsSelected, int64(n))
			return &r.batch, nil
		}
	}
}

// collect finds the values of the next batch of records, all in one block.
func (r *Reader) collect(ctx context.Context) (rows int, err error) {
	for rows < r.options.BatchSize {
		begin, result := r.records.next(rows)
		switch result {
		case recordTaken:
			r.starts[rows] = uint32(begin)
			rows++
		case recordsEnd:
			return rows, nil
		case recordCut:
			if rows > 0 {
				return rows, nil
			}
			if err := r.records.fill(ctx); err != nil {
				return 0, err
			}
		case recordBad:
			if !r.format.IgnoreErrors || !r.records.mayPassOver() {
				return 0, r.records.problem(ctx, begin)
			}
			if err := r.rejectRecord(ctx, begin); err != nil {
				return 0, err
			}
			r.records.passOver()
			scan.Count(r.options.Counters.Rejected, 1)
		}
	}
	return rows, nil
}

// convert fills the batch from the collected records.
func (r *Reader) convert(ctx context.Context, rows int) error {
	clear(r.bad)
	for i, c := range r.columns {
		if c == nil {
			scan.Nulls(&r.out[i], r.options.Columns[i].Type, rows, nil)
		} else if err := c.convert(&r.out[i], r.records.top.spans[c.slot][:rows]); err != nil {
			return r.placed(ctx, err)
		}
		r.batch.Cols[i].Alias(&r.out[i])
	}
	if err := r.rejectValues(ctx); err != nil {
		return err
	}
	r.batch.Len, r.batch.Sel = rows, nil
	if len(r.bad) == 0 {
		return nil
	}
	scan.Count(r.options.Counters.Rejected, int64(len(r.bad)))
	r.sel = stream.Good(r.sel, rows, r.bad)
	r.batch.Sel = r.sel
	return nil
}

// valueError is a value that its column does not take.
type valueError struct {
	row   int
	key   string
	text  string
	cause *sqlerr.Error
}

func (e *valueError) Error() string { return e.cause.Error() }

// refuse reports such a value, or marks its row to be left out.
func (r *Reader) refuse(row int, key string, text []byte, err error) error {
	if r.format.IgnoreErrors {
		if r.options.Reject != nil {
			r.wrong = append(r.wrong, valueError{row, key, stream.Shown(text), sqlerr.From(err)})
		}
		if r.bad == nil {
			r.bad = map[int]bool{}
		}
		r.bad[row] = true
		return nil
	}
	return &valueError{row, key, stream.Quoted(text), sqlerr.From(err)}
}

// rejectRecord tells of the record that was found bad at begin.
func (r *Reader) rejectRecord(ctx context.Context, begin int) error {
	if r.options.Reject == nil {
		return nil
	}
	line, err := r.records.line(ctx, begin)
	if err != nil {
		return err
	}
	problem := sqlerr.From(r.records.problem(ctx, begin))
	text := r.records.data[begin:r.records.end]
	if n := bytes.IndexByte(text, '\n'); n >= 0 {
		text = text[:n]
	}
	message := problem.Message
	if problem.Detail != "" {
		message += ": " + problem.Detail
	}
	r.options.Reject(stream.Reject{Line: line, Text: stream.Shown(text), Error: message})
	return nil
}

// rejectValues tells of the batch's values that are not their columns'.
func (r *Reader) rejectValues(ctx context.Context) error {
	for _, bad := range r.wrong {
		line, err := r.records.line(ctx, int(r.starts[bad.row]))
		if err != nil {
			return err
		}
		r.options.Reject(stream.Reject{Line: line, Column: bad.key, Text: bad.text, Error: bad.cause.Message})
	}
	r.wrong = r.wrong[:0]
	return nil
}

// placed says where in the file a value error is.
func (r *Reader) placed(ctx context.Context, err error) error {
	var bad *valueError
	if !errors.As(err, &bad) {
		return err
	}
	line, err := r.records.line(ctx, int(r.starts[bad.row]))
	if err != nil {
		return err
	}
	e := *bad.cause
	if r.format.Sampled && e.Hint == "" {
		e.Hint = "The types of the columns were guessed by the first records: look at more of them by sample_size => n, or at all by -1, or name the columns => 'name type, ...'."
	}
	return e.In("JSON file %q, line %d, key %q: %s", objstore.Shown(r.records.store, r.records.object.Path), line, bad.key, bad.text)
}

// Close implements vec.Source.
func (r *Reader) Close() error {
	r.records.close()
	if r.failed == nil {
		r.failed = sqlerr.Internal("JSON reader is closed")
	}
	return nil
}
