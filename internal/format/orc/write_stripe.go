package orc

import "encoding/binary"

// finished is a column's part of a stripe, encoded.
type finished struct {
	encoding columnEncoding
	index    []byte
	bloom    []byte
	streams  []finishedStream
}

type finishedStream struct {
	kind streamKind
	data []byte
}

// finish encodes what the column holds of the stripe.
func (c *outColumn) finish(codec *compressor) (f finished, err error) {
	add := func(kind streamKind, s interface{ finish() ([]byte, error) }) {
		data, failed := s.finish()
		if err == nil {
			err = failed
		}
		f.streams = append(f.streams, finishedStream{kind, data})
	}
	f.encoding.kind = encodeDirectV2
	present := make([][]uint64, len(c.groupRows))
	if c.nulls > 0 {
		out := &outStream{compressor: codec}
		bits := make([]byte, (c.rows+7)/8)
		for i := range bits {
			bits[i] = reversedBits(byte(c.presence[i>>3] >> (8 * (i & 7))))
		}
		present = writeBits(out, bits, c.groupRows)
		add(streamPresent, out)
	}
	switch c.kind {
	case kindBoolean:
		f.encoding.kind = encodeDirect
		c.finishBooleans()
		add(streamData, &c.data)
	case kindFloat, kindDouble:
		f.encoding.kind = encodeDirect
		add(streamData, &c.data)
	case kindShort, kindInt, kindLong, kindDate:
		add(streamData, &c.ints)
	case kindDecimal:
		add(streamData, &c.data)
		add(streamSecondary, &c.second)
	case kindTimestamp, kindInstant:
		add(streamData, &c.ints)
		add(streamSecondary, &c.second)
	case kindString, kindVarchar, kindChar, kindBinary:
		if c.dict.open {
			f.encoding = columnEncoding{kind: encodeDictionaryV2, dictionarySize: uint64(len(c.dict.ends))}
			c.finishDictionary()
			add(streamData, &c.ints)
			add(streamLength, &c.second)
			add(streamDictionary, &c.data)
			break
		}
		add(streamData, &c.data)
		add(streamLength, &c.second)
	case kindList, kindMap:
		add(streamLength, &c.second)
	case kindStruct:
		f.encoding.kind = encodeDirect
	}
	if err != nil {
		return f, err
	}
	c.plain += c.data.total + c.ints.out.total + c.second.out.total
	return f, c.finishIndexes(&f, present, codec)
}

// finishIndexes encodes the row index and the Bloom filters.
func (c *outColumn) finishIndexes(f *finished, present [][]uint64, codec *compressor) (err error) {
	var index, blooms protoWriter
	for i, stats := range c.groupStats {
		var entry protoWriter
		if positions := append(present[i], c.places[i]...); len(positions) > 0 {
			entry.packed(1, positions)
		}
		entry.bytes(2, stats)
		index.bytes(1, entry.data)
	}
	if f.index, err = codec.appendSection(nil, index.data); err != nil || !c.bloom {
		return err
	}
	f.encoding.bloomEncoding = 1
	for _, filter := range c.blooms {
		blooms.bytes(1, filter)
	}
	f.bloom, err = codec.appendSection(nil, blooms.data)
	return err
}

func reversedBits(b byte) byte {
	b = b>>4 | b<<4
	b = b>>2&0x33 | b&0x33<<2
	return b>>1&0x55 | b&0x55<<1
}

// writeBits encodes bits, the first one highest, and gives the positions of those listed.
func writeBits(out *outStream, bits []byte, starts []int) (places [][]uint64) {
	done := 0
	for _, start := range starts {
		out.raw = appendByteRuns(out.raw, bits[done:start>>3])
		done = start >> 3
		places = append(places, append(out.position(nil), 0, uint64(start&7)))
	}
	out.raw = appendByteRuns(out.raw, bits[done:])
	return places
}

func (c *outColumn) finishBooleans() {
	bits := make([]byte, (len(c.bytes)+7)/8)
	for i, b := range c.bytes {
		bits[i>>3] |= b << (7 - i&7)
	}
	starts := make([]int, len(c.places))
	for i, place := range c.places {
		starts[i] = int(place[0])
	}
	c.places = writeBits(&c.data, bits, starts)
}

// finishDictionary writes the entries in order of their bytes, and the codes.
func (c *outColumn) finishDictionary() {
	d := &c.dict
	order, place := d.sorted()
	for _, code := range order {
		c.direct(d.entry(code))
	}
	at := 0
	for i, start := range c.places {
		for ; at < int(start[0]); at++ {
			c.ints.add(int64(place[d.codes[at]]))
		}
		c.places[i] = c.ints.position(nil)
	}
	for ; at < len(d.codes); at++ {
		c.ints.add(int64(place[d.codes[at]]))
	}
}

// closeStripe writes the open stripe.
func (w *Writer) closeStripe() error {
	if w.inStripe == 0 {
		return nil
	}
	if w.inGroup > 0 {
		w.endGroup()
	}
	parts, err := w.finishColumns()
	if err != nil {
		return err
	}
	var footer protoWriter
	info := stripeInfo{offset: w.offset, rows: int64(w.inStripe)}
	if err := w.writeStreams(parts, &info, &footer); err != nil {
		return err
	}
	for _, f := range parts {
		var e protoWriter
		e.uvarint(1, uint64(f.encoding.kind))
		if f.encoding.kind == encodeDictionaryV2 {
			e.uvarint(2, f.encoding.dictionarySize)
		}
		if f.encoding.bloomEncoding > 0 {
			e.uvarint(3, f.encoding.bloomEncoding)
		}
		footer.bytes(2, e.data)
	}
	footer.string(3, "UTC")
	section, err := w.codec.appendSection(nil, footer.data)
	if err != nil {
		return err
	}
	info.footerLength = int64(len(section))
	if err := w.write(section); err != nil {
		return err
	}
	w.noteStripe(info, parts)
	return nil
}

// finishColumns ends the stripe's columns and gives what each has, by column number.
func (w *Writer) finishColumns() (parts []finished, err error) {
	w.root.each(func(c *outColumn) {
		f, failed := c.finish(w.codec)
		if err == nil {
			err = failed
		}
		if err == nil {
			err = w.edge()
		}
		parts = append(parts, f)
	})
	return parts, err
}

// writeStreams writes the index of all columns, then their data, and lists both in the footer.
func (w *Writer) writeStreams(parts []finished, info *stripeInfo, footer *protoWriter) error {
	write := func(kind streamKind, column int, data []byte) error {
		var s protoWriter
		s.uvarint(1, uint64(kind))
		s.uvarint(2, uint64(column))
		s.uvarint(3, uint64(len(data)))
		footer.bytes(1, s.data)
		return w.write(data)
	}
	for id, f := range parts {
		if err := write(streamRowIndex, id, f.index); err != nil {
			return err
		}
		if f.bloom != nil {
			if err := write(streamBloomUTF8, id, f.bloom); err != nil {
				return err
			}
		}
	}
	info.indexLength = w.offset - info.offset
	for id, f := range parts {
		for _, s := range f.streams {
			if err := write(s.kind, id, s.data); err != nil {
				return err
			}
		}
	}
	info.dataLength = w.offset - info.offset - info.indexLength
	return nil
}

// noteStripe keeps what the file's end will say of the stripe, and begins the next.
func (w *Writer) noteStripe(info stripeInfo, parts []finished) {
	w.stripes = append(w.stripes, info)
	var statistics protoWriter
	id := 0
	w.root.each(func(c *outColumn) {
		statistics.bytes(1, c.stripe.encode(c))
		c.file.merge(&c.stripe)
		for _, s := range parts[id].streams {
			c.compressed += int64(len(s.data))
		}
		id++
		c.beginStripe()
	})
	w.statistics.bytes(1, statistics.data)
	w.inStripe = 0
}

// tail encodes metadata, footer and postscript.
func (w *Writer) tail() ([]byte, error) {
	metadata, err := w.codec.appendSection(nil, w.statistics.data)
	if err != nil {
		return nil, err
	}
	footer, err := w.codec.appendSection(nil, w.footer())
	if err != nil {
		return nil, err
	}
	var ps protoWriter
	ps.uvarint(1, uint64(len(footer)))
	ps.uvarint(2, uint64(w.codec.kind))
	if w.codec.kind != compressNone {
		ps.uvarint(3, defaultBlockSize)
	}
	ps.packed(4, []uint64{0, 12})
	ps.uvarint(5, uint64(len(metadata)))
	ps.uvarint(6, writerVersion)
	ps.string(8000, "ORC")
	out := append(append(metadata, footer...), ps.data...)
	return append(out, byte(len(ps.data))), nil
}

// writerVersion promises readers that no old writer's fault is in the file.
const writerVersion = 9

func (w *Writer) footer() []byte {
	var f protoWriter
	f.uvarint(1, uint64(len(magic)))
	f.uvarint(2, uint64(w.offset))
	for _, s := range w.stripes {
		var m protoWriter
		for at, v := range []int64{s.offset, s.indexLength, s.dataLength, s.footerLength, s.rows} {
			m.uvarint(1+at, uint64(v))
		}
		f.bytes(3, m.data)
	}
	w.root.each(func(c *outColumn) { f.bytes(4, c.typeMessage()) })
	for _, pair := range w.keyValues() {
		var m protoWriter
		m.string(1, pair[0])
		m.string(2, pair[1])
		f.bytes(5, m.data)
	}
	f.uvarint(6, uint64(w.rows))
	w.root.each(func(c *outColumn) { f.bytes(7, c.file.encode(c)) })
	f.uvarint(8, rowGroupRows)
	f.uvarint(9, writerTarn)
	f.uvarint(11, calendarProleptic)
	f.string(12, "tarn 1.0.0")
	return f.data
}

// typeMessage describes the column's type.
func (c *outColumn) typeMessage() []byte {
	var m protoWriter
	m.uvarint(1, uint64(c.kind))
	var children []byte
	for _, child := range c.children {
		children = binary.AppendUvarint(children, uint64(child.id))
	}
	if len(children) > 0 {
		m.bytes(2, children)
	}
	if c.kind == kindStruct {
		for _, child := range c.children {
			m.string(3, child.name)
		}
	}
	switch c.kind {
	case kindVarchar, kindChar:
		m.uvarint(4, uint64(max(c.typ.Length, 1)))
	case kindDecimal:
		m.uvarint(5, uint64(c.typ.Precision))
		m.uvarint(6, uint64(c.typ.Scale))
	}
	for _, pair := range c.attributes {
		var a protoWriter
		a.string(1, pair[0])
		a.string(2, pair[1])
		m.bytes(7, a.data)
	}
	return m.data
}
