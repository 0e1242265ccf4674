package orc

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
	// Share of the file is read.
	Share scan.Share
	// Filter excludes rows; nil keeps all.
	Filter RowFilter
	// Domains, if not nil, gives the present domains (columns are ordinals in Columns); it is asked
	// before each stripe.
	Domains func() []Domain
	// BatchSize is the number of rows decoded at a time, 0 for vec.BatchSize; up to eight times as
	// many when the filter lets few rows through.
	BatchSize int
	// Metadata keeps stripe footers, row indexes and Bloom filters; nil keeps nothing.
	Metadata *metadata.Cache
	// Pool accounts for buffers; nil accounts for nothing.
	Pool *memory.Pool
	// Counters count row groups of the row index, or stripes without one, as row groups.
	Counters Counters
}

// rowRange is rows [from, to) of a stripe.
type rowRange struct{ from, to int }

// portion is what is read of a stripe.
type portion struct {
	stripe int
	rows   rowRange
}

// Reader is a vec.Source over a part of a file.
type Reader struct {
	file     *File
	options  ReadOptions
	portions []portion
	columns  []column
	indexed  []int // columns of the file, members too, whose row index is of use
	assemble *scan.Assembler
	memory   memory.Account
	ctx      context.Context // of the running call

	stripe   *openStripe
	row      int        // of the stripe, next to be read
	needed   []rowRange // rows of the stripe still to read
	position int64      // of row in the file
	streams  []*input
	ahead    *scan.Ahead
	opened   int    // portions opened or passed over
	asked    bool   // for the next portion
	eager    bool   // the next Prefetch fetches all columns
	idle     []bool // columns of which nothing was read in the last portion
	touched  []bool // in this one
	failed   error
}

// Reader starts reading. It does no I/O yet.
func (f *File) Reader(options ReadOptions) (*Reader, error) {
	r := &Reader{file: f, options: options, portions: f.cut(options.Share), memory: memory.NewAccount(options.Pool, "ORC scan")}
	if r.options.BatchSize <= 0 {
		r.options.BatchSize = vec.BatchSize
	}
	for _, request := range options.Columns {
		c, err := r.newColumn(request)
		if err != nil {
			return nil, err
		}
		r.columns = append(r.columns, c)
		if stored, ok := c.(*storedColumn); ok {
			stored.each(func(m *storedColumn) { r.indexed = append(r.indexed, m.node.id) })
		}
	}
	r.assemble = scan.NewAssembler(r, len(r.columns), options.Filter, r.options.BatchSize, options.Counters)
	r.ahead = scan.NewAhead(f.store, f.object, options.Pool, options.Counters, slack)
	r.idle, r.touched = make([]bool, len(r.columns)), make([]bool, len(r.columns))
	return r, nil
}

// cut gives a share of the file: stripes, or row groups when the parts are much smaller than stripes.
func (f *File) cut(share scan.Share) (out []portion) {
	stride := f.meta.stride
	byGroup := stride > 0 && 2*len(f.meta.stripes) < share.Parts
	for s := range f.meta.stripes {
		info := &f.meta.stripes[s]
		if info.rows == 0 {
			continue
		}
		if !byGroup {
			if share.Holds(info.firstRow, info.rows, f.meta.rows) {
				out = append(out, portion{s, rowRange{0, int(info.rows)}})
			}
			continue
		}
		from := int64(-1)
		for first := int64(0); first < info.rows; first += stride {
			rows := min(stride, info.rows-first)
			if !share.Holds(info.firstRow+first, rows, f.meta.rows) {
				continue
			}
			if from < 0 {
				from = first
				out = append(out, portion{s, rowRange{int(from), 0}})
			}
			out[len(out)-1].rows.to = int(first + rows)
		}
	}
	return out
}

// Next implements vec.Source.
func (r *Reader) Next(ctx context.Context) (b *vec.Batch, err error) {
	if r.failed != nil {
		return nil, r.failed
	}
	r.ctx = ctx
	defer func() {
		r.ctx = nil
		if err != nil {
			r.failed = err
		}
	}()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if len(r.needed) == 0 {
			if more, err := r.nextStripe(); err != nil || !more {
				return nil, err
			}
			continue
		}
		if gap := r.needed[0].from - r.row; gap > 0 {
			r.assemble.Skip(gap)
			r.advance(gap)
		}
		n := min(r.assemble.RangeRows(), r.needed[0].to-r.row)
		b, err := r.assemble.Next(ctx, n)
		r.advance(n)
		if r.row == r.needed[0].to {
			r.needed = r.needed[1:]
		}
		if b != nil || err != nil {
			return b, err
		}
	}
}

func (r *Reader) advance(n int) {
	r.row += n
	r.position += int64(n)
}

// nextStripe opens the next stripe that may hold wanted rows.
func (r *Reader) nextStripe() (more bool, err error) {
	for len(r.portions) > 0 {
		p := r.portions[0]
		r.ahead.Pass(r.opened)
		r.portions, r.opened, r.asked = r.portions[1:], r.opened+1, false
		if err := r.openPortion(p); err != nil {
			return false, err
		}
		if len(r.needed) > 0 {
			return true, nil
		}
	}
	return false, nil
}

func (r *Reader) openPortion(p portion) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = r.panicked(p, "")
		}
	}()
	f := r.file
	info := &f.meta.stripes[p.stripe]
	s := &openStripe{reader: r, number: p.stripe, info: info, groups: 1}
	if f.meta.stride > 0 {
		s.groups = int((info.rows + f.meta.stride - 1) / f.meta.stride)
	}
	r.stripe, r.row, r.position, r.needed = s, 0, info.firstRow, nil
	var domains []Domain
	if r.options.Domains != nil {
		domains = r.options.Domains()
	}
	groups := int64(f.groupsOf(p.rows))
	scan.Count(r.options.Counters.RowGroups, groups)
	if f.stripeExcluded(p.stripe, r.options.Columns, domains) {
		scan.Count(r.options.Counters.RowGroupsPruned, groups)
		return nil
	}
	if s.footer, err = r.stripeFooter(r.ctx, p.stripe); err != nil {
		return err
	}
	needed := []rowRange{p.rows}
	whole := p.rows.from == 0 && p.rows.to == int(info.rows)
	if !whole || len(domains) > 0 || r.options.Filter != nil {
		if err := s.loadIndex(r.ctx, r.indexed); err != nil {
			return r.located("", err)
		}
		if needed, err = s.wantedRows(p.rows, domains); err != nil {
			return err
		}
		kept := int64(0)
		for _, part := range needed {
			kept += int64(f.groupsOf(part))
		}
		scan.Count(r.options.Counters.RowGroupsPruned, groups-kept)
	}
	r.needed = needed
	s.partial = len(needed) != 1 || needed[0] != rowRange{0, int(info.rows)}
	if len(needed) == 0 {
		return nil
	}
	for _, c := range r.columns {
		if err := c.open(s); err != nil {
			return r.located(c.name(), err)
		}
	}
	r.beginPortion()
	return nil
}

// groupsOf counts the row groups of a range that begins with one.
func (f *File) groupsOf(rows rowRange) int {
	if f.meta.stride == 0 {
		return 1
	}
	return int((int64(rows.to-rows.from) + f.meta.stride - 1) / f.meta.stride)
}

// wantedEnd gives the first row group behind the wanted ones that group belongs to; beyond all when
// the rest of the stripe is wanted.
func (r *Reader) wantedEnd(group int) int {
	stride := int(r.file.meta.stride)
	for _, part := range r.needed {
		if group*stride < part.to {
			return (part.to + stride - 1) / stride
		}
	}
	return r.stripe.groups
}

// Skip implements scan.Loader.
func (r *Reader) Skip(at, n int) { r.columns[at].skip(n) }

// Read implements scan.Loader; nothing but decoding happens in it, so a panic is the file's fault.
func (r *Reader) Read(_ context.Context, at int, dst *vec.Vector, n int, pick []int32) (err error) {
	c := r.columns[at]
	defer func() {
		if p := recover(); p != nil {
			err = r.panicked(p, c.name())
		}
	}()
	if err := c.read(dst, n, pick); err != nil {
		return r.valueError(c.name(), r.placed(c, err), pick)
	}
	return nil
}

// placed adds to an error of a damaged column how far its streams had been read.
func (r *Reader) placed(c column, err error) error {
	var known *sqlerr.Error
	stored, ok := c.(*storedColumn)
	if !ok || errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	last := int64(0)
	for _, in := range stored.values.inputs(nil) {
		last = max(last, in.next)
	}
	return fmt.Errorf("before byte %d: %w", last, err)
}

// Prefetch implements scan.Loader: it reads the first bytes of the streams of columns that have none
// at hand, together.
func (r *Reader) Prefetch(ctx context.Context, columns []int) (err error) {
	name := ""
	defer func() {
		if p := recover(); p != nil {
			err = r.panicked(p, name)
		}
	}()
	r.streams = r.streams[:0]
	columns = r.eagerly(columns)
	r.askNext(ctx)
	for _, at := range columns {
		name = r.columns[at].name()
		r.streams = r.columns[at].inputs(r.streams)
	}
	var ranges []objstore.Range
	var buffers [][]byte
	for _, in := range r.streams {
		if adopted, err := in.adopt(ctx); err != nil {
			return err
		} else if adopted {
			continue
		}
		if part, buffer := in.prefetch(); buffer != nil {
			ranges, buffers = append(ranges, part), append(buffers, buffer)
			if err := in.account(); err != nil {
				return err
			}
		}
	}
	if len(ranges) == 0 {
		return nil
	}
	if err := r.fetch(ctx, ranges, buffers); err != nil {
		return err
	}
	for _, in := range r.streams {
		in.askNext(ctx)
	}
	return nil
}

// panicked turns a panic while decoding into an error: the file is damaged in a way that no check saw.
func (r *Reader) panicked(p any, column string) error {
	return r.file.corruptAt(r.stripe.number, column, "%v", p).WithDetail("%s", debug.Stack())
}

// valueError is located for an error that may be one row's.
func (r *Reader) valueError(column string, err error, pick []int32) error {
	cause, row, ok := scan.RefusedRow(err, pick)
	if !ok {
		return r.located(column, err)
	}
	row += r.position - r.stripe.info.firstRow
	located := *cause
	return located.In("ORC file %q, stripe %d, column %q, row %d", r.file.shown(), r.stripe.number, column, row)
}

// located adds file, stripe and column to an error.
func (r *Reader) located(column string, err error) error {
	var known *sqlerr.Error
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &known) && known.Code != sqlerr.InternalError:
		if known.Where != "" || known.Code == sqlerr.OutOfMemory || known.Code == sqlerr.DataCorrupted {
			return err
		}
		located := *known
		return located.In("ORC file %q, stripe %d, column %q", r.file.shown(), r.stripe.number, column)
	}
	return r.file.corruptAt(r.stripe.number, column, "%v", err)
}

// Close implements vec.Source.
func (r *Reader) Close() error {
	r.ahead.Close()
	r.memory.Close()
	r.portions, r.needed, r.columns, r.stripe = nil, nil, nil, nil
	if r.failed == nil {
		r.failed = fmt.Errorf("reader is closed")
	}
	return nil
}

// newColumn makes what reads a requested column.
func (r *Reader) newColumn(request ColumnRequest) (column, error) {
	f := r.file
	switch {
	case request.Field == MissingField:
		return &nullColumn{typ: request.Type}, nil
	case request.Field == PositionField:
		return &positionColumn{reader: r}, nil
	case request.Field < 0 || request.Field >= len(f.fields):
		return nil, sqlerr.Internal("ORC file %q has no field %d", f.shown(), request.Field)
	}
	n := f.fields[request.Field]
	if n.unsupported != "" {
		return nil, sqlerr.New(sqlerr.FeatureNotSupported, "column %q of ORC file %q holds %s, which cannot be read", n.name, f.shown(), n.unsupported)
	}
	c, err := r.newStored(n, request.Type, n.name, request.Subfields, false)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (f *File) mismatch(name string, found, wanted types.Type) error {
	return sqlerr.New(sqlerr.DatatypeMismatch, "column %q of ORC file %q has type %s, which cannot be read as %s",
		name, f.shown(), found, wanted)
}
