package parquet

import (
	"encoding/binary"
	"io"

	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// createdBy is how written files sign.
const createdBy = createdByPrefix + "version 1.0.0 (build 0)"

// Defaults of WriterOptions.
const (
	DefaultRowGroupRows  = 12 * pageRows // 245,760
	DefaultRowGroupBytes = 128 << 20
)

// SortColumn says that rows are sorted by a top-level column.
type SortColumn struct {
	Column     int
	Descending bool
	NullsFirst bool
}

// WriterOptions of a file.
type WriterOptions struct {
	Compression Compression
	Level       int // 0 is the fastest; zstd: 1, 3, 7 and up
	// RowGroupRows and RowGroupBytes (compressed) bound a row group; 0 is the default.
	RowGroupRows  int
	RowGroupBytes int64
	// SortedBy is recorded in the file; the caller sorts.
	SortedBy []SortColumn
	// FieldIDs, if not nil, are the columns' ids, recorded in the file.
	FieldIDs  []int32
	KeyValues map[string]string
	// Bloom lists the columns that get Bloom filters; nested ones and booleans get none.
	Bloom []int
	// Pool accounts for the buffered row group; nil accounts for nothing.
	Pool *memory.Pool
	// Workspace, if not nil, is shared with other writers and overrides Compression and Level.
	Workspace *Workspace
	// Edge, if not nil, is called between columns, every millisecond or so: the place to offer the CPU to
	// others. Its error ends the writing.
	Edge func() error
}

// WrittenColumn is what the writer saw of a top-level column.
type WrittenColumn struct {
	// Minimum and Maximum bound the non-null values, nil when unknown; long strings are cut.
	Minimum, Maximum *types.Datum
	Nulls            int64
	Distinct         DistinctSketch // of flat columns
	Compressed       int64          // bytes in the file
	Uncompressed     int64
}

// Summary describes a finished file.
type Summary struct {
	Rows      int64
	Bytes     int64
	RowGroups int
	Columns   []WrittenColumn
}

// Writer makes one Parquet file. It buffers the open row group in encoded form. It is used by one
// goroutine at a time; after an error it must not be used but for Close.
type Writer struct {
	out     io.Writer
	options WriterOptions
	schema  types.Schema
	nodes   []*outNode
	leaves  []*leafWriter
	work    *Workspace
	offset  int64
	rows    int64
	inGroup int // rows of the open row group
	groups  []rowGroupMeta
	indexes []chunkIndex
	memory  memory.Account
	flat    []vec.Vector
	columns []*vec.Vector
}

// chunkIndex is what the page index will say of one chunk.
type chunkIndex struct {
	leaf  *leafWriter
	pages []pageInfo
}

// NewWriter starts a file of the given columns; a column that is not Nullable refuses NULLs.
func NewWriter(out io.Writer, schema types.Schema, options WriterOptions) (*Writer, error) {
	if len(schema) == 0 {
		return nil, sqlerr.New(sqlerr.FeatureNotSupported, "a Parquet file needs at least one column")
	}
	if options.RowGroupRows <= 0 {
		options.RowGroupRows = DefaultRowGroupRows
	}
	if options.RowGroupBytes <= 0 {
		options.RowGroupBytes = DefaultRowGroupBytes
	}
	w := &Writer{out: out, options: options, schema: schema, memory: memory.NewAccount(options.Pool, "Parquet writer")}
	var b outBuilder
	for _, f := range schema {
		n, err := b.node(f, 0, 0)
		if err != nil {
			return nil, err
		}
		w.nodes = append(w.nodes, n)
	}
	w.leaves = b.leaves
	if w.work = options.Workspace; w.work == nil {
		var err error
		if w.work, err = NewWorkspace(options.Compression, options.Level); err != nil {
			return nil, err
		}
	}
	for _, l := range w.leaves {
		l.work = w.work
	}
	for _, column := range options.Bloom {
		if l := w.nodes[column].leaf; l != nil {
			l.bloom = l.physical != types.PhysBool && l.physical != types.PhysNone
		}
	}
	w.flat, w.columns = make([]vec.Vector, len(schema)), make([]*vec.Vector, len(schema))
	return w, w.write([]byte("PAR1"))
}

func (w *Writer) write(b []byte) error {
	n, err := w.out.Write(b)
	w.offset += int64(n)
	return err
}

// Append adds the selected rows of b.
func (w *Writer) Append(b *vec.Batch) error {
	if len(b.Cols) != len(w.schema) {
		return sqlerr.Internal("Parquet writer of %d columns got %d", len(w.schema), len(b.Cols))
	}
	for i := range b.Cols {
		if err := w.checkType(i, &b.Cols[i]); err != nil {
			return err
		}
		w.columns[i] = w.normalize(i, &b.Cols[i])
	}
	rows := b.Sel
	if rows == nil {
		rows = w.work.rows(b.Len)
	}
	for len(rows) > 0 {
		if w.inGroup == 0 {
			for _, l := range w.leaves {
				l.beginGroup()
			}
		}
		n := min(len(rows), w.options.RowGroupRows-w.inGroup, pageRows-w.inGroup%pageRows)
		for i, v := range w.columns {
			if err := w.nodes[i].append(v, rows[:n]); err != nil {
				return err
			}
			if err := w.edge(); err != nil {
				return err
			}
		}
		rows = rows[n:]
		w.inGroup += n
		w.rows += int64(n)
		if err := w.closePages(); err != nil {
			return err
		}
	}
	return w.account()
}

func (w *Writer) edge() error {
	if w.options.Edge == nil {
		return nil
	}
	return w.options.Edge()
}

func (w *Writer) checkType(i int, v *vec.Vector) error {
	if v.Type.Physical() != w.schema[i].Type.Physical() && v.Type.Kind != types.Unknown {
		return sqlerr.Internal("Parquet writer's column %q is %s, got %s", w.schema[i].Name, w.schema[i].Type, v.Type)
	}
	return nil
}

// normalize gives v as a Flat vector or, for strings, as Flat or Dict.
func (w *Writer) normalize(i int, v *vec.Vector) *vec.Vector {
	if v.Type.Kind == types.Unknown && w.schema[i].Type.Kind != types.Unknown {
		v = vec.NewConst(w.schema[i].Type, types.NullDatum(), v.Len)
	}
	if v.Enc == vec.Flat || v.Enc == vec.Dict && v.Type.Physical() == types.PhysString {
		return v
	}
	vec.Flatten(&w.flat[i], v)
	return &w.flat[i]
}

// closePages closes the pages that are full, and the row group when it is. Pages of flat columns
// end at the same rows, so that a reader skips rows in all columns alike.
func (w *Writer) closePages() error {
	full := w.inGroup%pageRows == 0 || w.inGroup >= w.options.RowGroupRows
	var buffered int64
	for _, l := range w.leaves {
		if full || l.pageFull() {
			if err := l.flushPage(int64(w.inGroup)); err != nil {
				return err
			}
			if err := w.edge(); err != nil {
				return err
			}
		}
		buffered += int64(len(l.chunk))
	}
	if w.inGroup >= w.options.RowGroupRows || buffered >= w.options.RowGroupBytes {
		return w.closeGroup()
	}
	return nil
}

// account reserves what the open row group holds.
func (w *Writer) account() error {
	if w.options.Pool == nil {
		return nil
	}
	held := int64(0)
	if w.options.Workspace == nil {
		held = w.work.Memory()
	}
	for _, l := range w.leaves {
		held += l.memory()
	}
	return w.memory.Set(held)
}

// Flush ends the open row group, as small as it is, and gives its memory back.
func (w *Writer) Flush() error {
	if err := w.closeGroup(); err != nil {
		return err
	}
	for _, l := range w.leaves {
		l.release()
	}
	return w.account()
}

// closeGroup writes the buffered chunks.
func (w *Writer) closeGroup() error {
	if w.inGroup == 0 {
		return nil
	}
	group := rowGroupMeta{rows: int64(w.inGroup)}
	for _, l := range w.leaves {
		if err := l.flushPage(int64(w.inGroup)); err != nil {
			return err
		}
		chunk, err := w.writeChunk(l)
		if err != nil {
			return err
		}
		group.bytes += chunk.uncompressed
		group.chunks = append(group.chunks, chunk)
		if err := w.edge(); err != nil {
			return err
		}
	}
	w.groups = append(w.groups, group)
	w.inGroup = 0
	return nil
}

func (w *Writer) writeChunk(l *leafWriter) (chunkMeta, error) {
	c := chunkMeta{physical: l.element.physical, codec: w.work.codec.id, values: l.levels}
	start := w.offset
	dictionary, err := l.dictionaryPage()
	if err != nil {
		return c, err
	}
	if dictionary != nil {
		c.dictOffset = w.offset
		if err := w.write(dictionary); err != nil {
			return c, err
		}
	}
	c.dataOffset = w.offset
	index := chunkIndex{leaf: l, pages: append([]pageInfo(nil), l.pages...)}
	for i := range index.pages {
		index.pages[i].offset += w.offset
	}
	w.indexes = append(w.indexes, index)
	if err := w.write(l.chunk); err != nil {
		return c, err
	}
	c.encodings = append([]encodingID(nil), l.encodings...)
	c.compressed, c.uncompressed = w.offset-start, l.rawBytes
	if filter := l.bloomFilter(); filter != nil {
		c.bloomOffset, c.bloomLength = w.offset, int32(len(filter))
		if err := w.write(filter); err != nil {
			return c, err
		}
	}
	c.stats.nulls = l.nulls
	l.fileBound.merge(&l.groupBound)
	c.stats.distinct = -1
	if l.usedDict && l.inDict {
		c.stats.distinct = int64(l.dict.count)
	}
	c.stats.minimum, c.stats.maximum, c.stats.minExact, c.stats.maxExact = l.encoded(&l.groupBound)
	l.total.Nulls += l.nulls
	l.total.Compressed += c.compressed
	l.total.Uncompressed += c.uncompressed
	return c, nil
}

// Rows is the number of rows appended; Bytes what has been written plus what the open row group holds.
func (w *Writer) Rows() int64 { return w.rows }

// Bytes estimates the file's size so far.
func (w *Writer) Bytes() int64 {
	n := w.offset
	for _, l := range w.leaves {
		n += int64(len(l.chunk)) + int64(len(l.plain)+len(l.dict.plain))/3 + int64(len(l.codes))
	}
	return n
}

// Finish writes the rest of the file. It does not close the underlying writer.
func (w *Writer) Finish() (Summary, error) {
	defer w.Close()
	if err := w.closeGroup(); err != nil {
		return Summary{}, err
	}
	if err := w.writeIndexes(); err != nil {
		return Summary{}, err
	}
	footer := w.footer()
	footer = binary.LittleEndian.AppendUint32(footer, uint32(len(footer)))
	if err := w.write(append(footer, "PAR1"...)); err != nil {
		return Summary{}, err
	}
	s := Summary{Rows: w.rows, Bytes: w.offset, RowGroups: len(w.groups)}
	for _, n := range w.nodes {
		s.Columns = append(s.Columns, n.summary())
	}
	return s, nil
}

// summary adds up a column's leaves.
func (n *outNode) summary() WrittenColumn {
	if n.leaf != nil {
		l := n.leaf
		l.total.Distinct = l.sketch
		l.total.Minimum, l.total.Maximum = l.datums(&l.fileBound)
		return l.total
	}
	var out WrittenColumn
	for _, child := range n.children {
		c := child.summary()
		out.Compressed += c.Compressed
		out.Uncompressed += c.Uncompressed
	}
	return out
}

// Close releases memory. It may be called at any time, also after Finish.
func (w *Writer) Close() {
	w.memory.Close()
	if w.options.Workspace == nil {
		w.work.Close()
	}
}
