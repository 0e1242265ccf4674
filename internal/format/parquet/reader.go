package parquet

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/objstore/metadata"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
	"github.com/tarnlake/tarn/internal/vec/page"
)

// The terms of a scan.
type (
	ColumnRequest = scan.ColumnRequest
	RowFilter     = scan.RowFilter
	Counters      = scan.Counters
	Domain        = scan.Domain
)

// Pseudo-fields of a ColumnRequest.
const (
	MissingField  = scan.MissingField
	PositionField = scan.PositionField
)

// ReadOptions say what a Reader gives.
type ReadOptions struct {
	Columns []ColumnRequest
	// RowGroups to read, in this order; nil is all.
	RowGroups []int
	// Filter excludes rows; nil keeps all.
	Filter RowFilter
	// Domains, if not nil, gives the present domains (columns are ordinals in Columns); it is asked
	// before each row group.
	Domains func() []Domain
	// BatchSize is the number of rows decoded at a time, 0 for vec.BatchSize; up to eight times as
	// many when the filter lets few rows through.
	BatchSize int
	// Metadata keeps page indexes and Bloom filters; nil keeps nothing.
	Metadata *metadata.Cache
	// Buffers keeps memory for readers to come; nil keeps none.
	Buffers *page.Buffers
	// Pool accounts for buffers; nil accounts for nothing.
	Pool     *memory.Pool
	Counters Counters
}

// Reader is a vec.Source over a part of a file.
type Reader struct {
	file     *File
	options  ReadOptions
	groups   []int
	columns  []column
	assemble *scan.Assembler
	memory   memory.Account

	group    int // the open row group
	left     int // rows of it not yet consumed
	opened   int // row groups opened or passed over
	planned  int // how many of groups have been planned to be read ahead, or not to be
	ahead    *scan.Ahead
	position int64
	needed   []rowRange // rows of the row group still to read; nil: all

	failed error
}

// Reader starts reading. It does no I/O yet.
func (f *File) Reader(options ReadOptions) (*Reader, error) {
	r := &Reader{file: f, options: options, groups: options.RowGroups, memory: memory.NewAccount(options.Pool, "Parquet scan")}
	if r.options.BatchSize <= 0 {
		r.options.BatchSize = vec.BatchSize
	}
	if r.groups == nil {
		for g := range f.meta.groups {
			r.groups = append(r.groups, g)
		}
	}
	for _, g := range r.groups {
		if g < 0 || g >= len(f.meta.groups) {
			return nil, sqlerr.Internal("Parquet file %q has no row group %d", f.shown(), g)
		}
	}
	for _, request := range options.Columns {
		c, err := r.newColumn(request)
		if err != nil {
			return nil, err
		}
		r.columns = append(r.columns, c)
	}
	r.assemble = scan.NewAssembler(r, len(r.columns), options.Filter, r.options.BatchSize, options.Counters)
	r.ahead = scan.NewAhead(f.store, f.object, options.Pool, options.Counters, slack)
	return r, nil
}

func (r *Reader) newColumn(request ColumnRequest) (column, error) {
	f := r.file
	switch {
	case request.Field == MissingField:
		return &nullColumn{typ: request.Type}, nil
	case request.Field == PositionField:
		return &positionColumn{reader: r}, nil
	case request.Field < 0 || request.Field >= len(f.fields):
		return nil, sqlerr.Internal("Parquet file %q has no field %d", f.shown(), request.Field)
	}
	n := f.fields[request.Field]
	if !n.flat() {
		return r.newNestedColumn(n, request.Type, request.Subfields)
	}
	adapted, cast, ok := adapt(*n.leaf, request.Type)
	if !ok {
		return nil, f.mismatch(n.name, n.typ, request.Type)
	}
	return &flatColumn{reader: r, loader: newLoader(&adapted), target: request.Type, cast: cast}, nil
}

func (f *File) mismatch(name string, found, wanted types.Type) error {
	return sqlerr.New(sqlerr.DatatypeMismatch, "column %q of Parquet file %q has type %s, which cannot be read as %s",
		name, f.shown(), found, wanted)
}

// Next implements vec.Source.
func (r *Reader) Next(ctx context.Context) (b *vec.Batch, err error) {
	if r.failed != nil {
		return nil, r.failed
	}
	defer func() {
		if err != nil {
			r.failed = err
		}
	}()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if r.left == 0 {
			if more, err := r.nextGroup(ctx); err != nil || !more {
				return nil, err
			}
			continue
		}
		n := r.nextNeeded()
		if n == 0 {
			continue
		}
		b, err := r.assemble.Next(ctx, n)
		r.advance(n)
		if b != nil || err != nil {
			return b, err
		}
	}
}

// nextNeeded passes over rows that the page index excludes and gives the size of the next range, 0
// when the row group has no more.
func (r *Reader) nextNeeded() int {
	if r.needed == nil {
		return min(r.assemble.RangeRows(), r.left)
	}
	at := int(r.file.meta.groups[r.group].rows) - r.left
	for len(r.needed) > 0 && r.needed[0].to <= at {
		r.needed = r.needed[1:]
	}
	if len(r.needed) == 0 {
		r.left = 0
		return 0
	}
	if gap := r.needed[0].from - at; gap > 0 {
		r.assemble.Skip(gap)
		r.advance(gap)
		at += gap
	}
	return min(r.assemble.RangeRows(), r.needed[0].to-at)
}

// panicked turns a panic while decoding into an error: the file is damaged in a way that no check saw.
func (r *Reader) panicked(p any, group int, column string) error {
	return r.file.corruptAt(group, column, "%v", p).WithDetail("%s", debug.Stack())
}

// Skip implements scan.Loader.
func (r *Reader) Skip(at, n int) { r.columns[at].skip(n) }

// Read implements scan.Loader; nothing but decoding happens in it, so a panic is the file's fault.
func (r *Reader) Read(ctx context.Context, at int, dst *vec.Vector, n int, pick []int32) (err error) {
	c := r.columns[at]
	defer func() {
		if p := recover(); p != nil {
			err = r.panicked(p, r.group, c.name())
		}
	}()
	if err := c.read(ctx, dst, n, pick); err != nil {
		return r.valueError(c, err, pick)
	}
	return nil
}

// nextGroup opens the next row group that may hold wanted rows.
func (r *Reader) nextGroup(ctx context.Context) (bool, error) {
	for len(r.groups) > 0 {
		g := r.groups[0]
		r.noteIdle()
		r.ahead.Pass(r.opened)
		r.groups, r.opened, r.planned = r.groups[1:], r.opened+1, max(r.planned-1, -1)
		rows := r.file.meta.groups[g].rows
		scan.Count(r.options.Counters.RowGroups, 1)
		if rows == 0 {
			continue
		}
		excluded, err := r.excludes(ctx, g)
		if err != nil {
			return false, err
		}
		if excluded {
			scan.Count(r.options.Counters.RowGroupsPruned, 1)
			continue
		}
		r.group, r.left, r.position = g, int(rows), r.file.firstRow[g]
		r.readAhead(ctx)
		for _, c := range r.columns {
			if err := c.open(g); err != nil {
				return false, r.columnError(c, err)
			}
		}
		return true, nil
	}
	return false, nil
}

// excludes tells whether the present domains leave nothing of a row group: by its statistics, its
// Bloom filters, its page index. It sets the rows that are needed.
func (r *Reader) excludes(ctx context.Context, group int) (excluded bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = r.panicked(p, group, "?")
		}
	}()
	r.needed = nil
	if r.options.Domains == nil {
		return false, nil
	}
	domains := r.options.Domains()
	if r.prune(group, domains) {
		return true, nil
	}
	if absent, err := r.bloomExcludes(ctx, group, domains); absent || err != nil {
		if absent {
			scan.Count(r.options.Counters.PrunedByBloom, 1)
		}
		return absent, err
	}
	if r.needed, err = r.neededRows(ctx, group, domains); r.needed == nil || len(r.needed) > 0 {
		return false, err
	}
	scan.Count(r.options.Counters.PrunedByIndex, 1)
	return true, err
}

// valueError is columnError for an error that may be one row's.
func (r *Reader) valueError(c column, err error, pick []int32) error {
	cause, row, ok := scan.RefusedRow(err, pick)
	if !ok {
		return r.columnError(c, err)
	}
	row += r.position - r.file.firstRow[r.group]
	located := *cause
	return located.In("Parquet file %q, row group %d, column %q, row %d", r.file.shown(), r.group, c.name(), row)
}

// columnError adds file, row group and column to an error.
func (r *Reader) columnError(c column, err error) error {
	return r.damaged(err, r.group, c.name(), "")
}

// damaged adds file, row group and column to an error; one that is not of the store, nor of memory
// or a cancel, says that the file is damaged, in the part that is named if one is.
func (r *Reader) damaged(err error, group int, column, part string) error {
	var known *sqlerr.Error
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &known) && known.Code != sqlerr.InternalError:
		if known.Where != "" || known.Code == sqlerr.OutOfMemory {
			return err
		}
		located := *known
		return located.In("Parquet file %q, row group %d, column %q", r.file.shown(), group, column)
	}
	if part != "" {
		part += ": "
	}
	return r.file.corruptAt(group, column, "%s%v", part, err)
}

func (r *Reader) advance(n int) {
	r.left -= n
	r.position += int64(n)
}

// Prefetch implements scan.Loader: it reads the first bytes of the chunks of columns that have none yet, together.
func (r *Reader) Prefetch(ctx context.Context, columns []int) error {
	var ranges []objstore.Range
	var buffers [][]byte
	var chunks []*chunkStream
	for _, at := range columns {
		for _, s := range r.columns[at].streams() {
			if s.fresh && s.end > s.at {
				s.fresh = false
				size := min(s.end-s.at, windowSize)
				if adopted, err := s.adopt(ctx, size); err != nil {
					return err
				} else if adopted {
					continue
				}
				if err := s.grow(int(size)); err != nil {
					return err
				}
				ranges = append(ranges, objstore.Range{Offset: s.at, Length: size})
				buffers = append(buffers, s.window)
				chunks = append(chunks, s)
			}
		}
	}
	if len(ranges) == 0 {
		return nil
	}
	if err := r.fetch(ctx, ranges, buffers); err != nil {
		return err
	}
	for _, s := range chunks {
		s.windowStart = s.at
		s.askNext(ctx)
	}
	return nil
}

func (r *Reader) fetch(ctx context.Context, ranges []objstore.Range, buffers [][]byte) error {
	return scan.Fetch(ctx, r.file.store, r.file.object, r.options.Counters, ranges, buffers)
}

// Close implements vec.Source.
func (r *Reader) Close() error {
	r.ahead.Close()
	for _, c := range r.columns {
		for _, s := range c.streams() {
			s.drop()
		}
	}
	r.memory.Close()
	r.groups, r.left, r.columns = nil, 0, nil
	if r.failed == nil {
		r.failed = fmt.Errorf("reader is closed")
	}
	return nil
}
