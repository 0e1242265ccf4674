package orc

import (
	"io"
	"slices"

	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

const (
	magic = "ORC"
	// rowGroupRows is how many rows an entry of the row index stands for.
	rowGroupRows = 10_000
	// DefaultStripeBytes bounds the compressed size of a stripe.
	DefaultStripeBytes = 64 << 20
	// maxStripeRows bounds a stripe of columns that take next to nothing.
	maxStripeRows = 500 * rowGroupRows
)

// WriterOptions of a file.
type WriterOptions struct {
	Compression Compression
	Level       int   // 0 is the fastest; zstd: 1, 3, 7 and up
	StripeBytes int64 // compressed; 0 is DefaultStripeBytes
	KeyValues   map[string]string
	// Bloom lists the columns that get Bloom filters; nested ones, booleans, decimals and bytes get none.
	Bloom []int
	// Pool accounts for the buffered stripe; nil accounts for nothing.
	Pool *memory.Pool
	// Workspace, if not nil, is shared with other writers and overrides Compression and Level.
	Workspace *Workspace
	// Edge, if not nil, is called between columns, every millisecond or so: the place to offer the CPU to
	// others. Its error ends the writing.
	Edge func() error
}

// WrittenColumn is what the writer saw of a top-level column.
type WrittenColumn struct {
	// Minimum and Maximum bound the non-null values, nil when unknown.
	Minimum, Maximum *types.Datum
	Nulls            int64
	Compressed       int64 // bytes in the file, members left out
}

// Summary describes a finished file.
type Summary struct {
	Rows    int64
	Bytes   int64
	Stripes int
	Columns []WrittenColumn
}

// Writer makes one ORC file. It buffers the open stripe in encoded form. It is used by one goroutine
// at a time; after an error it must not be used but for Close.
type Writer struct {
	out        io.Writer
	options    WriterOptions
	schema     types.Schema
	root       *outColumn
	codec      *compressor
	offset     int64
	rows       int64
	inStripe   int // rows of the open stripe
	inGroup    int // rows of the open row group
	stripes    []stripeInfo
	statistics protoWriter // of stripes
	memory     memory.Account
	scratch    []vec.Vector
	flat       []vec.Vector
	identity   []int32
}

// NewWriter starts a file of the given columns; a column that is not Nullable refuses NULLs.
func NewWriter(out io.Writer, schema types.Schema, options WriterOptions) (*Writer, error) {
	if len(schema) == 0 {
		return nil, sqlerr.New(sqlerr.FeatureNotSupported, "an ORC file needs at least one column")
	}
	if options.StripeBytes <= 0 {
		options.StripeBytes = DefaultStripeBytes
	}
	w := &Writer{out: out, options: options, schema: schema, memory: memory.NewAccount(options.Pool, "ORC writer")}
	work := options.Workspace
	var err error
	if work == nil {
		if work, err = NewWorkspace(options.Compression, options.Level); err != nil {
			return nil, err
		}
	}
	w.codec = work.codec
	next := 0
	if w.root, err = newOutColumn(types.Field{Type: types.RowOf(schema...)}, &next, w.codec); err != nil {
		return nil, err
	}
	for i, f := range schema {
		w.root.children[i].required = !f.Nullable
	}
	for _, column := range options.Bloom {
		switch c := w.root.children[column]; c.kind {
		case kindShort, kindInt, kindLong, kindFloat, kindDouble, kindString, kindVarchar, kindTimestamp, kindInstant:
			c.bloom = true
		}
	}
	w.scratch, w.flat = make([]vec.Vector, len(schema)), make([]vec.Vector, len(schema))
	return w, w.write([]byte(magic))
}

func (w *Writer) write(b []byte) error {
	n, err := w.out.Write(b)
	w.offset += int64(n)
	return err
}

// Append adds the selected rows of b.
func (w *Writer) Append(b *vec.Batch) error {
	if len(b.Cols) != len(w.schema) {
		return sqlerr.Internal("ORC writer of %d columns got %d", len(w.schema), len(b.Cols))
	}
	rows := b.Sel
	if rows == nil {
		for len(w.identity) < b.Len {
			w.identity = append(w.identity, int32(len(w.identity)))
		}
		rows = w.identity[:b.Len]
	}
	columns := make([]*vec.Vector, len(b.Cols))
	for i := range b.Cols {
		var err error
		if columns[i], err = w.normalize(i, &b.Cols[i]); err != nil {
			return err
		}
	}
	for len(rows) > 0 {
		if w.inGroup == 0 {
			w.root.each((*outColumn).beginGroup)
		}
		n := min(len(rows), rowGroupRows-w.inGroup)
		if err := w.appendRows(columns, rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
		if w.inGroup == rowGroupRows {
			w.endGroup()
			if w.inStripe >= maxStripeRows || w.buffered() >= w.options.StripeBytes {
				if err := w.closeStripe(); err != nil {
					return err
				}
			}
		}
	}
	return w.account()
}

func (w *Writer) appendRows(columns []*vec.Vector, rows []int32) error {
	for i, v := range columns {
		if err := w.root.children[i].append(v, rows); err != nil {
			return err
		}
		if err := w.edge(); err != nil {
			return err
		}
	}
	w.root.rows += len(rows)
	w.root.group.values += int64(len(rows))
	w.inGroup += len(rows)
	w.inStripe += len(rows)
	w.rows += int64(len(rows))
	return nil
}

func (w *Writer) edge() error {
	if w.options.Edge == nil {
		return nil
	}
	return w.options.Edge()
}

// normalize checks a vector's type and makes it Flat or, for strings, Dict.
func (w *Writer) normalize(i int, v *vec.Vector) (*vec.Vector, error) {
	wanted := w.schema[i].Type
	if v.Type.Kind == types.Unknown && wanted.Kind != types.Unknown {
		w.scratch[i] = *vec.NewConst(wanted, types.NullDatum(), v.Len)
		v = &w.scratch[i]
	}
	if v.Type.Physical() != wanted.Physical() {
		return nil, sqlerr.Internal("ORC writer's column %q is %s, got %s", w.schema[i].Name, wanted, v.Type)
	}
	if v.Enc == vec.Flat || v.Enc == vec.Dict && wanted.Physical() == types.PhysString {
		return v, nil
	}
	vec.Flatten(&w.flat[i], v)
	return &w.flat[i], nil
}

func (w *Writer) endGroup() {
	w.root.each((*outColumn).endGroup)
	w.inGroup = 0
}

// buffered is about what the open stripe will take in the file.
func (w *Writer) buffered() (n int64) {
	w.root.each(func(c *outColumn) { n += c.size() })
	return n
}

// account reserves what the open stripe holds.
func (w *Writer) account() error {
	if w.options.Pool == nil {
		return nil
	}
	var held int64
	w.root.each(func(c *outColumn) { held += c.memory() })
	return w.memory.Set(held)
}

// Flush ends the open stripe, as small as it is, and gives its memory back.
func (w *Writer) Flush() error {
	if err := w.closeStripe(); err != nil {
		return err
	}
	w.root.each((*outColumn).release)
	return w.account()
}

// Rows is the number of rows appended.
func (w *Writer) Rows() int64 { return w.rows }

// Bytes estimates the file's size so far.
func (w *Writer) Bytes() int64 { return w.offset + w.buffered() }

// Finish writes the rest of the file. It does not close the underlying writer.
func (w *Writer) Finish() (Summary, error) {
	defer w.Close()
	if err := w.closeStripe(); err != nil {
		return Summary{}, err
	}
	tail, err := w.tail()
	if err != nil {
		return Summary{}, err
	}
	if err := w.write(tail); err != nil {
		return Summary{}, err
	}
	s := Summary{Rows: w.rows, Bytes: w.offset, Stripes: len(w.stripes)}
	for _, c := range w.root.children {
		out := WrittenColumn{Nulls: c.file.nulls, Compressed: c.compressed}
		out.Minimum, out.Maximum = c.file.datums(c)
		s.Columns = append(s.Columns, out)
	}
	return s, nil
}

// keyValues lists the file's own metadata in order.
func (w *Writer) keyValues() (out [][2]string) {
	for key, value := range w.options.KeyValues {
		out = append(out, [2]string{key, value})
	}
	slices.SortFunc(out, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	return out
}

// Close releases memory. It may be called at any time, also after Finish.
func (w *Writer) Close() {
	w.memory.Close()
	if w.options.Workspace == nil {
		w.codec.Close()
	}
}
