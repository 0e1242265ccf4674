package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tarnlake/tarn/internal/vec"
)

var errDelta = errors.New("delta-encoded values are malformed")

// decodedPage is a page of one of the rarer encodings, decoded as a whole: into an array of the
// natural layout, or into text and views.
type decodedPage struct {
	buffer     []byte // memory for array, reused
	array      []byte
	text       []byte
	views      []vec.View
	sharesPage bool // text is the page's memory
}

func (d *decodedPage) decode(l *loader, encoding encodingID, data []byte, n int) error {
	switch physical := l.leaf.element.physical; {
	case encoding == encRLE && physical == physBoolean:
		return d.booleans(data, n)
	case encoding == encDeltaBinary && (physical == physInt32 || physical == physInt64):
		return d.deltaBinary(l, data, n)
	case encoding == encDeltaLength && physical == physByteArray:
		return d.deltaLength(data, n)
	case encoding == encDeltaByteArray && (physical == physByteArray || physical == physFixed):
		return d.deltaByteArray(l, data, n)
	case encoding == encByteStreamSplit && l.source > 0:
		return d.byteStreamSplit(l, data, n)
	}
	return fmt.Errorf("encoding %d of physical type %d is not supported", encoding, l.leaf.element.physical)
}

func (d *decodedPage) booleans(data []byte, n int) error {
	if len(data) < 4 || uint64(binary.LittleEndian.Uint32(data)) > uint64(len(data)-4) {
		return errValues
	}
	var h hybrid
	h.reset(data[4:4+binary.LittleEndian.Uint32(data)], 1)
	d.buffer = paddedBuffer(d.buffer, n)
	d.array = d.buffer
	var part [256]int32
	for at := 0; at < n; at += len(part) {
		m := min(len(part), n-at)
		if err := h.fill(part[:m]); err != nil {
			return err
		}
		for i, v := range part[:m] {
			d.array[at+i] = byte(v & 1)
		}
	}
	return nil
}

// finish converts fixed-width plain values that were made in raw.
func (d *decodedPage) finish(l *loader, raw []byte, n int) (err error) {
	if l.convert == nil {
		d.array, d.buffer = raw, raw
		return nil
	}
	d.array, d.buffer, err = l.array(raw, nil, n)
	return err
}

func (d *decodedPage) deltaBinary(l *loader, data []byte, n int) error {
	var reader deltaReader
	if err := reader.open(data, n); err != nil {
		return err
	}
	raw := paddedBuffer(d.buffer, n*l.source)
	var err error
	if l.source == 4 {
		err = readDeltas(&reader, as[int32](raw)[:n])
	} else {
		err = readDeltas(&reader, as[int64](raw)[:n])
	}
	if err != nil {
		return err
	}
	return d.finish(l, raw, n)
}

func (d *decodedPage) byteStreamSplit(l *loader, data []byte, n int) error {
	w := l.source
	if n > len(data)/w {
		return errValues
	}
	stride := len(data) / w
	raw := paddedBuffer(nil, n*w)
	for b := range w {
		stream := data[b*stride : b*stride+n]
		at := b
		for _, v := range stream {
			raw[at] = v
			at += w
		}
	}
	if l.storage == storeViews {
		d.text, d.views = raw, make([]vec.View, n)
		viewsOfFixed(d.views, raw, w, 0)
		return nil
	}
	return d.finish(l, raw, n)
}

func (d *decodedPage) deltaLength(data []byte, n int) error {
	lengths := make([]int32, min(n, 64*len(data)+1))
	if len(lengths) < n {
		return errValues
	}
	used, err := readAllDeltas(data, lengths)
	if err != nil {
		return err
	}
	d.text, d.views, d.sharesPage = data[used:], make([]vec.View, n), true
	at := 0
	for i, size := range lengths {
		if size < 0 || int(size) > len(d.text)-at {
			return errValues
		}
		d.views[i] = vec.ViewAt(d.text, at, int(size), 0)
		at += int(size)
	}
	return nil
}

// maxDeltaText bounds what prefixes may expand a page of strings to.
const maxDeltaText = 1 << 30

func (d *decodedPage) deltaByteArray(l *loader, data []byte, n int) error {
	if n > 64*len(data)+1 {
		return errValues
	}
	prefixes, suffixes := make([]int32, n), make([]int32, n)
	used, err := readAllDeltas(data, prefixes)
	if err != nil {
		return err
	}
	data = data[used:]
	if used, err = readAllDeltas(data, suffixes); err != nil {
		return err
	}
	data = data[used:]
	total, left, before := 0, len(data), int32(0)
	for i, prefix := range prefixes {
		suffix := suffixes[i]
		if prefix < 0 || suffix < 0 || prefix > before || int(suffix) > left {
			return errValues
		}
		before = prefix + suffix
		left -= int(suffix)
		if total += int(before); total > maxDeltaText {
			return errDelta
		}
	}
	text := make([]byte, total, total+slack)
	at, last := 0, 0
	d.views = make([]vec.View, n)
	for i, prefix := range prefixes {
		size := int(prefix + suffixes[i])
		copy(text[at:], text[last:last+int(prefix)])
		copy(text[at+int(prefix):], data[:suffixes[i]])
		data = data[suffixes[i]:]
		d.views[i] = vec.ViewAt(text, at, size, 0)
		last, at = at, at+size
		if l.source > 0 && size != l.source {
			return errValues
		}
	}
	if l.source > 0 && l.storage != storeViews {
		d.views = nil
		return d.finish(l, text, n)
	}
	d.text = text
	return nil
}

// deltaReader reads DELTA_BINARY_PACKED integers.
type deltaReader struct {
	data                  []byte
	at                    int
	blockSize, miniBlocks int
	total                 int // values that the head announces
	value, minimum        int64
	widths                []byte
	miniBlock, left       int
}

func (r *deltaReader) uvarint() (int, error) {
	v, n := binary.Uvarint(r.data[r.at:])
	if n <= 0 || v > 1<<31 {
		return 0, errDelta
	}
	r.at += n
	return int(v), nil
}

func (r *deltaReader) varint() (int64, error) {
	v, n := binary.Varint(r.data[r.at:])
	if n <= 0 {
		return 0, errDelta
	}
	r.at += n
	return v, nil
}

// open reads the head; the page must announce at least n values.
func (r *deltaReader) open(data []byte, n int) (err error) {
	*r = deltaReader{data: data}
	if n == 0 && len(data) == 0 {
		return nil
	}
	if r.blockSize, err = r.uvarint(); err != nil {
		return err
	}
	if r.miniBlocks, err = r.uvarint(); err != nil {
		return err
	}
	if r.total, err = r.uvarint(); err != nil {
		return err
	}
	if r.value, err = r.varint(); err != nil {
		return err
	}
	if r.miniBlocks == 0 || r.blockSize%r.miniBlocks != 0 || (r.blockSize/r.miniBlocks)%8 != 0 || r.blockSize == 0 || r.total < n {
		return errDelta
	}
	// A block of one value a bit at least is present for every blockSize values.
	if n > 1 && (n-1)/r.blockSize > len(data) {
		return errValues
	}
	r.miniBlock = r.miniBlocks
	return nil
}

// nextMiniBlock starts the next miniblock.
func (r *deltaReader) nextMiniBlock() error {
	if r.miniBlock == r.miniBlocks {
		var err error
		if r.minimum, err = r.varint(); err != nil {
			return err
		}
		if r.miniBlocks > len(r.data)-r.at {
			return errDelta
		}
		r.widths = r.data[r.at : r.at+r.miniBlocks]
		r.at += r.miniBlocks
		r.miniBlock = 0
	}
	r.left = r.blockSize / r.miniBlocks
	if r.widths[r.miniBlock] > 64 {
		return errDelta
	}
	return nil
}

// readDeltas decodes len(dst) values from an opened reader and moves behind the last miniblock used.
func readDeltas[T int32 | int64](r *deltaReader, dst []T) error {
	if len(dst) == 0 {
		return nil
	}
	dst[0] = T(r.value)
	dst = dst[1:]
	for len(dst) > 0 {
		if err := r.nextMiniBlock(); err != nil {
			return err
		}
		width := uint(r.widths[r.miniBlock])
		size := r.left * int(width) / 8
		take := min(r.left, len(dst))
		packed := r.data[r.at:]
		if need := (take*int(width) + 7) / 8; need > len(packed) {
			return errDelta
		}
		unpackDeltas(r, dst[:take], packed, width)
		dst = dst[take:]
		r.at += min(size, len(packed))
		r.miniBlock++
	}
	return nil
}

func unpackDeltas[T int32 | int64](r *deltaReader, dst []T, packed []byte, width uint) {
	value, minimum := r.value, r.minimum
	if width == 0 {
		for i := range dst {
			value += minimum
			dst[i] = T(value)
		}
		r.value = value
		return
	}
	mask := ^uint64(0) >> (64 - width)
	padded := packed[:len(packed)+slack]
	bit := uint(0)
	for i := range dst {
		at, shift := bit>>3, bit&7
		v := binary.LittleEndian.Uint64(padded[at:]) >> shift
		if shift+width > 64 {
			v |= uint64(padded[at+8]) << (64 - shift)
		}
		value += minimum + int64(v&mask)
		dst[i] = T(value)
		bit += width
	}
	r.value = value
}

// readAllDeltas fills dst and gives the bytes that the encoded block takes.
func readAllDeltas(data []byte, dst []int32) (used int, err error) {
	var r deltaReader
	if err := r.open(data, len(dst)); err != nil {
		return 0, err
	}
	if r.total != len(dst) && !(len(dst) == 0 && len(data) == 0) {
		return 0, errDelta
	}
	if err := readDeltas(&r, dst); err != nil {
		return 0, err
	}
	return r.at, nil
}
