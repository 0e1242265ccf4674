package parquet

import "slices"

// writeIndexes writes the page index: where each page lies, and its bounds.
func (w *Writer) writeIndexes() error {
	columns := len(w.leaves)
	for i := range w.indexes {
		x := &w.indexes[i]
		chunk := &w.groups[i/columns].chunks[i%columns]
		var t thriftWriter
		if x.columnIndex(&t) {
			chunk.columnIndexOffset, chunk.columnIndexLength = w.offset, int32(len(t.data))
			if err := w.write(t.data); err != nil {
				return err
			}
		}
		var o thriftWriter
		x.offsetIndex(&o)
		chunk.offsetIndexOffset, chunk.offsetIndexLength = w.offset, int32(len(o.data))
		if err := w.write(o.data); err != nil {
			return err
		}
	}
	return nil
}

// columnIndex encodes the pages' bounds; false when a page that holds values has none.
func (x *chunkIndex) columnIndex(w *thriftWriter) bool {
	n := len(x.pages)
	minima, maxima, empty := make([][]byte, n), make([][]byte, n), make([]bool, n)
	for i := range x.pages {
		p := &x.pages[i]
		minima[i], maxima[i], _, _ = x.leaf.encoded(&p.bounds)
		empty[i] = !p.bounds.some && !p.bounds.nan
		if !empty[i] && (minima[i] == nil || maxima[i] == nil) {
			return false
		}
	}
	w.open()
	w.list(1, thriftTrue, n)
	for _, e := range empty {
		if e {
			w.data = append(w.data, thriftTrue)
		} else {
			w.data = append(w.data, thriftFalse)
		}
	}
	w.list(2, thriftBinary, n)
	for _, b := range minima {
		w.element(b)
	}
	w.list(3, thriftBinary, n)
	for _, b := range maxima {
		w.element(b)
	}
	w.i32(4, 0) // unordered
	w.list(5, thriftI64, n)
	for i := range x.pages {
		w.varint(x.pages[i].nulls)
	}
	w.close()
	return true
}

func (x *chunkIndex) offsetIndex(w *thriftWriter) {
	w.open()
	w.list(1, thriftStruct, len(x.pages))
	for i := range x.pages {
		p := &x.pages[i]
		w.open()
		w.i64(1, p.offset)
		w.i32(2, p.size)
		w.i64(3, p.firstRow)
		w.close()
	}
	w.close()
}

// footer encodes the file's metadata.
func (w *Writer) footer() []byte {
	var t thriftWriter
	t.open()
	t.i32(1, 2)
	elements := 1
	for _, n := range w.nodes {
		elements += n.elements()
	}
	t.list(2, thriftStruct, elements)
	root := schemaElement{name: "schema", children: int32(len(w.nodes))}
	root.write(&t)
	for i, n := range w.nodes {
		id := int32(0)
		if i < len(w.options.FieldIDs) {
			id = w.options.FieldIDs[i]
		}
		n.write(&t, id)
	}
	t.i64(3, w.rows)
	t.list(4, thriftStruct, len(w.groups))
	for i := range w.groups {
		w.writeGroup(&t, i)
	}
	if len(w.options.KeyValues) > 0 {
		keys := make([]string, 0, len(w.options.KeyValues))
		for k := range w.options.KeyValues {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		t.list(5, thriftStruct, len(keys))
		for _, k := range keys {
			t.open()
			t.string(1, k)
			t.string(2, w.options.KeyValues[k])
			t.close()
		}
	}
	t.string(6, createdBy)
	t.list(7, thriftStruct, len(w.leaves)) // column orders: all by their type
	for range w.leaves {
		t.open()
		t.openField(1)
		t.close()
		t.close()
	}
	t.close()
	return t.data
}

func (w *Writer) writeGroup(t *thriftWriter, at int) {
	g := &w.groups[at]
	t.open()
	t.list(1, thriftStruct, len(g.chunks))
	var compressed int64
	for c := range g.chunks {
		w.writeColumnChunk(t, &g.chunks[c], w.leaves[c])
		compressed += g.chunks[c].compressed
	}
	t.i64(2, g.bytes)
	t.i64(3, g.rows)
	if sorted := w.sortedLeaves(); len(sorted) > 0 {
		t.list(4, thriftStruct, len(sorted))
		for _, s := range sorted {
			t.open()
			t.i32(1, s.column)
			t.bool(2, s.descending)
			t.bool(3, !s.last)
			t.close()
		}
	}
	t.i64(5, g.chunks[0].start())
	t.i64(6, compressed)
	t.i16(7, int16(at))
	t.close()
}

// sortedLeaves gives the sort order by stored columns; it ends at the first nested one.
func (w *Writer) sortedLeaves() (out []sortingColumn) {
	for _, s := range w.options.SortedBy {
		n := w.nodes[s.Column]
		if n.leaf == nil {
			break
		}
		out = append(out, sortingColumn{column: int32(n.leaf.ordinal), descending: s.Descending, last: !s.NullsFirst})
	}
	return out
}

func (w *Writer) writeColumnChunk(t *thriftWriter, c *chunkMeta, l *leafWriter) {
	t.open()
	t.i64(2, 0)
	t.openField(3)
	t.i32(1, int32(c.physical))
	encodings := append([]encodingID{encRLE}, c.encodings...)
	t.list(2, thriftI32, len(encodings))
	for _, e := range encodings {
		t.varint(int64(e))
	}
	t.list(3, thriftBinary, len(l.path))
	for _, name := range l.path {
		t.element([]byte(name))
	}
	t.i32(4, int32(c.codec))
	t.i64(5, c.values)
	t.i64(6, c.uncompressed)
	t.i64(7, c.compressed)
	t.i64(9, c.dataOffset)
	if c.dictOffset > 0 {
		t.i64(11, c.dictOffset)
	}
	t.openField(12)
	t.i64(3, c.stats.nulls)
	if c.stats.distinct >= 0 {
		t.i64(4, c.stats.distinct)
	}
	if c.stats.maximum != nil {
		t.bytes(5, c.stats.maximum)
	}
	if c.stats.minimum != nil {
		t.bytes(6, c.stats.minimum)
	}
	if c.stats.maximum != nil {
		t.bool(7, c.stats.maxExact)
	}
	if c.stats.minimum != nil {
		t.bool(8, c.stats.minExact)
	}
	t.close()
	if c.bloomLength > 0 {
		t.i64(14, c.bloomOffset)
		t.i32(15, c.bloomLength)
	}
	t.close()
	if c.offsetIndexLength > 0 {
		t.i64(4, c.offsetIndexOffset)
		t.i32(5, c.offsetIndexLength)
	}
	if c.columnIndexLength > 0 {
		t.i64(6, c.columnIndexOffset)
		t.i32(7, c.columnIndexLength)
	}
	t.close()
}
