package csv

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/format/stream"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// MissingField is a pseudo-field of a ColumnRequest: every row is NULL.
const MissingField = scan.MissingField

// ColumnRequest asks for one column of the batches.
type ColumnRequest struct {
	Field int // ordinal in the record, or MissingField
	Type  types.Type
	Name  string // for error messages
}

// The terms of a scan.
type (
	RowFilter = scan.RowFilter
	Counters  = scan.Counters
)

// ReadOptions say what a Reader gives.
type ReadOptions struct {
	Columns []ColumnRequest
	Fields  int   // of a record
	Split   Split // the zero value is the whole file
	Filter  RowFilter
	// BatchSize is the most rows of a batch; 0 is vec.BatchSize.
	BatchSize int
	Pool      *memory.Pool
	Counters  Counters
	Zone      *time.Location // of timestamptz values without one; nil is UTC
	// Reject is told what IgnoreErrors leaves out; nil: nobody is. Lines are right in splits that know theirs.
	Reject func(stream.Reject)
}

// Reader is a vec.Source over a split of a file.
type Reader struct {
	name    string
	object  objstore.Object
	format  Format
	options ReadOptions
	in      stream.Input
	tokens  tokenizer
	columns []*converter // nil: missing field

	guess  *guesser // of a split that is Guessed
	offset int64    // of the block in the file
	stop   int64    // position in the file before which records begin
	opened int64    // position in the file up to which in gives bytes
	begin  int64    // of the first record
	ended  bool

	block       []byte // the memory behind tokens.data
	blockHeld   int64
	lent        bool // vectors refer to block
	ascii       bool // the block holds no byte above 0x7f
	started     bool
	wholeFile   bool
	longestNull uint32 // a longer field is not NULL; quoted ones count as longer
	memory      memory.Account

	bad    map[int]bool // rows of the batch to leave out
	batch  vec.Batch
	out    []vec.Vector
	sel    []int32
	failed error
}

// NewReader reads a split of an object.
func NewReader(store objstore.Store, object objstore.Object, format Format, options ReadOptions) (*Reader, error) {
	if options.Split.Length == 0 && options.Split.Offset == 0 {
		options.Split = Split{Length: object.Size, Line: 1}
	}
	r, err := newReader(objstore.Shown(store, object.Path), format, options)
	if err != nil {
		return nil, err
	}
	r.wholeFile = options.Split.Offset == 0
	r.object = object
	if options.Split.Guessed {
		r.guess = newGuesser(store, object, format, options)
		r.stop = options.Split.Offset + options.Split.Length
		r.tokens.line = 1
	}
	if objstore.IsDistant(store) {
		if err := r.memory.Grow(stream.AheadBytes(options.Split.Length)); err != nil {
			return nil, err
		}
	}
	if r.guess == nil {
		r.in = inUTF8(stream.Open(store, object, r.format.Compression, options.Split.Offset, options.Split.Length, options.Counters), r.name, r.format.Encoding)
	}
	return r, nil
}

func newReader(name string, format Format, options ReadOptions) (*Reader, error) {
	if err := format.check(); err != nil {
		return nil, err
	}
	if options.BatchSize <= 0 {
		options.BatchSize = vec.BatchSize
	}
	if options.Fields <= 0 {
		return nil, sqlerr.Internal("CSV file %q is read without its number of fields", name)
	}
	r := &Reader{name: name, format: format, options: options, stop: 1 << 62, memory: memory.NewAccount(options.Pool, "CSV scan")}
	for _, null := range format.Null {
		r.longestNull = max(r.longestNull, uint32(len(null)))
	}
	t := &r.tokens
	t.format, t.fields, t.line = format, options.Fields, options.Split.Line
	t.delimiter, t.newline = repeatByte(format.Delimiter), repeatByte(format.Newline)
	t.lines = make([]int64, options.BatchSize)
	for range options.Fields {
		t.slots = append(t.slots, -1)
	}
	for _, request := range options.Columns {
		if request.Field == MissingField {
			r.columns = append(r.columns, nil)
			continue
		}
		if request.Field < 0 || request.Field >= options.Fields {
			return nil, sqlerr.Internal("CSV file %q has no field %d", name, request.Field)
		}
		if t.slots[request.Field] < 0 {
			t.slots[request.Field] = int32(len(t.spans))
			t.spans = append(t.spans, make([]span, options.BatchSize)...)
		}
		r.columns = append(r.columns, &converter{reader: r, typ: request.Type, field: request.Field, slot: int(t.slots[request.Field])})
	}
	r.out = make([]vec.Vector, len(options.Columns))
	r.batch.Cols = make([]vec.Vector, len(options.Columns))
	return r, nil
}

// Next implements vec.Source.
func (r *Reader) Next(ctx context.Context) (*vec.Batch, error) {
	if r.failed != nil {
		return nil, r.failed
	}
	b, err := r.next(ctx)
	if err != nil {
		r.failed = r.numbered(ctx, err)
		return nil, r.failed
	}
	return b, nil
}

func (r *Reader) next(ctx context.Context) (*vec.Batch, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !r.started {
			r.started = true
			if err := r.start(ctx); err != nil {
				return nil, err
			}
		}
		rows, err := r.collect(ctx)
		if err != nil || rows == 0 {
			return nil, err
		}
		scan.Count(r.options.Counters.RowsRead, int64(rows))
		if err := r.convert(rows); err != nil {
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

// start passes over the byte order mark, skipped lines and the header.
func (r *Reader) start(ctx context.Context) error {
	if r.guess != nil {
		if err := r.startGuessed(ctx); err != nil {
			return err
		}
	}
	if err := r.fill(ctx); err != nil {
		return err
	}
	if !r.wholeFile {
		return nil
	}
	t := &r.tokens
	if t.end >= 3 && string(t.data[:3]) == string(byteOrderMark) {
		t.at = 3
	}
	for range r.format.Skip {
		if err := r.skipLine(ctx); err != nil {
			return err
		}
	}
	if r.format.Header {
		return r.skipHeader(ctx)
	}
	return nil
}

func (r *Reader) skipLine(ctx context.Context) error {
	t := &r.tokens
	for {
		for t.at < t.end {
			t.at++
			if t.data[t.at-1] == r.format.Newline {
				t.line++
				return nil
			}
		}
		if t.final {
			return nil
		}
		if err := r.fill(ctx); err != nil {
			return err
		}
	}
}

// skipHeader passes over one record of any number of fields.
func (r *Reader) skipHeader(ctx context.Context) error {
	t := &r.tokens
	for t.at < t.end {
		switch outcome, _ := t.record(); outcome {
		case recordTaken, recordBad:
			return nil
		case recordCut:
			if err := r.fill(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// fill makes the unread rest of the block and what follows it the block.
func (r *Reader) fill(ctx context.Context) error {
	t := &r.tokens
	rest := t.end - t.at
	if rest > maxRecord {
		return r.located(t.line, sqlerr.New(sqlerr.ProgramLimitExceeded, "CSV record is longer than %d bytes", maxRecord))
	}
	most := int64(stream.BlockSize)
	if r.object.Size > 0 && r.format.Encoding == UTF8 && r.format.Compression.Of(r.object.Path) == stream.None {
		most = min(most, r.object.Size+1) // small files are many
	}
	size := max(int(most), 2*rest, leastRead) + padding
	old := t.data[t.at:t.end]
	if r.lent || len(r.block) < size {
		if err := r.memory.Resize(&r.blockHeld, int64(len(old)+size)); err != nil {
			return err
		}
		r.block, r.lent = make([]byte, size), false
	}
	copy(r.block, old)
	if err := r.memory.Resize(&r.blockHeld, int64(len(r.block))); err != nil {
		return err
	}
	n, err := stream.ReadMore(ctx, r.read, r.block[rest:len(r.block)-padding], rest)
	if err != nil {
		return err
	}
	r.offset += int64(t.at)
	t.data, t.at, t.end, t.final = r.block, 0, rest+n, n == 0
	t.limit = int(min(int64(t.end), max(r.stop-r.offset, 0)))
	r.ascii = vec.IsASCII(r.block[:t.end])
	t.index()
	return nil
}

// collect finds the fields of the next batch of records, all in one block.
func (r *Reader) collect(ctx context.Context) (rows int, err error) {
	t := &r.tokens
	t.rows = 0
	for t.rows < r.options.BatchSize {
		if t.at >= t.limit {
			if r.offset+int64(t.at) >= r.stop {
				return t.rows, r.finish(ctx, r.offset+int64(t.at))
			}
			if t.final || t.rows > 0 {
				return t.rows, nil
			}
			if err := r.fill(ctx); err != nil {
				return 0, err
			}
			continue
		}
		start := t.at
		result, problem := t.record()
		switch result {
		case recordTaken:
			t.rows++
		case recordBad:
			if !r.format.IgnoreErrors {
				return 0, r.located(problem.line, problem.error)
			}
			scan.Count(r.options.Counters.Rejected, 1)
			if r.options.Reject != nil {
				r.options.Reject(stream.Reject{Line: problem.line, Text: stream.Shown(t.data[start:problem.next]), Error: problem.error.Message})
			}
			t.at = problem.next
		case recordCut:
			if t.rows > 0 {
				return t.rows, nil
			}
			if err := r.fill(ctx); err != nil {
				return 0, err
			}
		}
	}
	return t.rows, nil
}

// convert fills the batch from the collected records.
func (r *Reader) convert(rows int) error {
	clear(r.bad)
	for i, c := range r.columns {
		if c == nil {
			scan.Nulls(&r.out[i], r.options.Columns[i].Type, rows, nil)
		} else if err := c.convert(&r.out[i], rows); err != nil {
			return err
		}
		r.batch.Cols[i].Alias(&r.out[i])
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

// badValue reports a field that its column's type does not take, or marks its row to be left out.
func (r *Reader) badValue(row, field int, text []byte, err error) error {
	name := fmt.Sprint(field + 1)
	for _, request := range r.options.Columns {
		if request.Field == field && request.Name != "" {
			name = request.Name
		}
	}
	if r.format.IgnoreErrors {
		if r.bad == nil {
			r.bad = map[int]bool{}
		}
		r.bad[row] = true
		if r.options.Reject != nil {
			r.options.Reject(stream.Reject{Line: r.tokens.lines[row], Column: name, Text: stream.Shown(text), Error: sqlerr.From(err).Message})
		}
		return nil
	}
	return &lineError{r.tokens.lines[row], fmt.Sprintf(", column %s: %q", name, stream.Quoted(text)), sqlerr.From(err)}
}

func (r *Reader) located(line int64, e *sqlerr.Error) error { return &lineError{line, "", e} }

// lineError is an error whose line is counted from the split's first record.
type lineError struct {
	line  int64
	place string // in the line
	cause *sqlerr.Error
}

func (e *lineError) Error() string { return e.cause.Error() }

// numbered says where in the file an error is.
func (r *Reader) numbered(ctx context.Context, err error) error {
	var bad *lineError
	if !errors.As(err, &bad) {
		return err
	}
	if r.begin > 0 {
		at, line, err := recordAt(ctx, r.guess.store, r.guess.object, r.format, r.options.Split.Offset)
		if err == nil && at != r.begin {
			err = r.guess.unknown(r.options.Split.Offset)
		}
		if err != nil {
			return err
		}
		bad.line += line - 1
	}
	e := *bad.cause
	if r.format.Sampled && e.Hint == "" && bad.place != "" {
		e.Hint = "The types of the columns were guessed by the first records: name them by types => ..., or read text by all_varchar => true."
	}
	return e.In("CSV file %q, line %d%s", r.name, bad.line, bad.place)
}

// Close implements vec.Source.
func (r *Reader) Close() error {
	if r.in != nil {
		r.in.Close()
	}
	r.memory.Close()
	if r.failed == nil {
		r.failed = sqlerr.Internal("CSV reader is closed")
	}
	return nil
}
