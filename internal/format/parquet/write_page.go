package parquet

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"slices"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// pageFull tells whether the open page should be closed at this row.
func (l *leafWriter) pageFull() bool {
	return l.rows >= pageRows || len(l.plain)+4*len(l.lengths) >= pageBytesMost
}

// flushPage closes the open page; nextRow is the row group's row that the next page starts with.
func (l *leafWriter) flushPage(nextRow int64) error {
	if l.rows == 0 {
		return nil
	}
	if l.inDict {
		l.reviewDictionary()
	}
	image := l.appendLevels(l.work.image[:0])
	encoding := encPlain
	if l.inDict {
		encoding = encRLEDictionary
		l.usedDict = true
		l.boundsOfCodes()
		image = appendCodes(image, l.codes, l.dict.count)
	} else {
		l.bloomPlain()
		image, encoding = l.appendPlain(image)
	}
	l.work.image = image
	if !slices.Contains(l.encodings, encoding) {
		l.encodings = append(l.encodings, encoding)
	}
	info := pageInfo{offset: int64(len(l.chunk)), firstRow: l.chunkRows, nulls: int64(l.rows - l.values), bounds: l.bounds}
	if err := l.writePage(pageDataV1, encoding, l.rows, image); err != nil {
		return err
	}
	info.size = int32(int64(len(l.chunk)) - info.offset)
	l.pages = append(l.pages, info)
	l.groupBound.merge(&info.bounds)
	l.chunkRows = nextRow
	l.rows, l.values, l.bounds = 0, 0, valueBounds{}
	l.lengths = l.lengths[:0]
	l.plain, l.codes, l.definitions, l.repetitions = l.plain[:0], l.codes[:0], l.definitions[:0], l.repetitions[:0]
	clear(l.valid)
	if l.inDict && (len(l.dict.plain) > dictionaryBytes || l.dict.count > dictionaryEntries) {
		l.inDict, l.dictOff = false, true
	}
	return nil
}

// appendPlain encodes the open page's values that are in no dictionary: integers and strings by their
// differences and by their lengths where that is smaller.
func (l *leafWriter) appendPlain(image []byte) ([]byte, encodingID) {
	switch l.physical {
	case types.PhysBool:
		return appendBits(image, l.plain), encPlain
	case types.PhysInt16, types.PhysInt32, types.PhysInt64, types.PhysString:
		return l.appendSmaller(image)
	}
	return append(image, l.plain...), encPlain
}

// appendSmaller encodes the page in the way that was smaller last time, or by trying both. Numbers are read several
// times as fast as deltas, so plain ones must be smaller by a quarter.
func (l *leafWriter) appendSmaller(image []byte) ([]byte, encodingID) {
	choice := l.work.choice(l.ordinal)
	if choice.pages%choiceHolds == 0 && l.values >= vec.BatchSize {
		levels := len(image)
		// An error of trying comes again when the page is compressed.
		plain, _ := l.work.codec.Compress(l.appendAsPlain(l.work.packed[:0]))
		size := len(plain)
		l.work.packed = l.appendAsDeltas(l.work.packed[:0])
		deltas, _ := l.work.codec.Compress(l.work.packed)
		choice.plain = size*4 < len(deltas)*3 || l.element.physical == physByteArray && size < len(deltas)
		if choice.pages++; !choice.plain {
			return append(image[:levels], l.work.packed...), l.deltaEncoding()
		}
	} else if choice.pages%choiceHolds != 0 {
		choice.pages++
	}
	if choice.plain {
		return l.appendAsPlain(image), encPlain
	}
	return l.appendAsDeltas(image), l.deltaEncoding()
}

func (l *leafWriter) deltaEncoding() encodingID {
	if l.element.physical == physByteArray {
		return encDeltaLength
	}
	return encDeltaBinary
}

func (l *leafWriter) appendAsPlain(image []byte) []byte {
	if l.element.physical != physByteArray {
		return append(image, l.plain...)
	}
	text := l.plain
	for _, n := range l.lengths {
		image = appendPlainBytes(image, text[:n])
		text = text[n:]
	}
	return image
}

func (l *leafWriter) appendAsDeltas(image []byte) []byte {
	switch l.element.physical {
	case physInt32:
		return appendDeltas(image, as[int32](l.plain))
	case physInt64:
		return appendDeltas(image, as[int64](l.plain))
	}
	return append(appendDeltas(image, l.lengths), l.plain...)
}

// reviewSample gives the dictionary up when hardly one of the first page's first values repeats.
func (l *leafWriter) reviewSample() {
	if len(l.pages) > 0 || len(l.codes) < dictionarySample || len(l.codes) >= 2*dictionarySample+vec.BatchSize {
		return
	}
	if l.dict.count*10 > len(l.codes)*9 {
		l.dropDictionary()
	}
}

// reviewDictionary gives the dictionary up when the first page's values hardly repeat, or are much smaller as deltas.
func (l *leafWriter) reviewDictionary() {
	if len(l.pages) > 0 || l.values < 64 {
		return
	}
	if l.dict.count*dictionaryMinRepeat > l.values || l.dict.count >= dictionaryKept && l.deltasAreSmaller() {
		l.dropDictionary()
	}
}

// deltasAreSmaller compares the page of codes, and a share of its dictionary, which serves more pages, with deltas: of
// a key that the rows are sorted by these are a fraction.
func (l *leafWriter) deltasAreSmaller() bool {
	switch l.physical {
	case types.PhysInt16, types.PhysInt32, types.PhysInt64:
	default:
		return false
	}
	l.work.image = appendCodes(l.work.image[:0], l.codes, l.dict.count)
	l.decodePage()
	l.work.packed = l.appendAsDeltas(l.work.packed[:0])
	l.plain = l.plain[:0]
	return 2*len(l.work.packed) <= len(l.work.image)+len(l.dict.plain)/4
}

// decodePage makes the page's codes of numbers plain values.
func (l *leafWriter) decodePage() {
	width := len(l.dict.plain) / l.dict.count
	for _, code := range l.codes {
		l.plain = append(l.plain, l.dict.plain[int(code)*width:(int(code)+1)*width]...)
	}
}

// dropDictionary stores the first page's values without one.
func (l *leafWriter) dropDictionary() {
	l.inDict, l.dictOff = false, true
	if l.physical == types.PhysString {
		for _, code := range l.codes {
			l.addText(l.dict.value(code))
		}
	} else {
		l.decodePage()
	}
	l.sketchDictionary()
	l.dict, l.codes, l.dictMap, l.dictFrom = dictBuilder{}, nil, nil, 0
}

// boundsOfCodes finds the bounds of a page of strings; those of numbers are kept as they come.
func (l *leafWriter) boundsOfCodes() {
	if l.physical != types.PhysString {
		return
	}
	seen := make(vec.Bitmap, vec.BitmapWords(max(l.dict.count, 1)))
	for _, code := range l.codes {
		if !seen.Get(int(code)) {
			seen.Set(int(code))
			l.bounds.addBytes(l.dict.value(code))
		}
	}
}

// appendLevels encodes the open page's levels, with length prefixes.
func (l *leafWriter) appendLevels(image []byte) []byte {
	if l.maxRepetition > 0 {
		image = appendPrefixed(image, func(b []byte) []byte {
			return appendHybrid(b, l.repetitions, bitWidthOf(l.maxRepetition))
		})
	}
	if l.maxDefinition > 0 {
		image = appendPrefixed(image, func(b []byte) []byte {
			if l.nested {
				return appendHybrid(b, l.definitions, bitWidthOf(l.maxDefinition))
			}
			return appendValidity(b, l.valid, l.rows, l.rows-l.values)
		})
	}
	return image
}

func appendPrefixed(dst []byte, body func([]byte) []byte) []byte {
	at := len(dst)
	dst = body(append(dst, 0, 0, 0, 0))
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

func appendBits(dst, values []byte) []byte {
	for len(values) > 0 {
		n := min(8, len(values))
		var b byte
		for i, v := range values[:n] {
			b |= v << i
		}
		dst = append(dst, b)
		values = values[n:]
	}
	return dst
}

// writePage compresses a page image into the chunk, behind its header.
func (l *leafWriter) writePage(kind pageKind, encoding encodingID, values int, image []byte) error {
	if len(image) > math.MaxInt32 {
		return sqlerr.New(sqlerr.ProgramLimitExceeded, "page of column %q is too large for Parquet", l.path[0])
	}
	data, err := l.work.codec.Compress(image)
	if err != nil {
		return err
	}
	var w thriftWriter
	w.data = l.chunk
	start := len(l.chunk)
	w.open()
	w.i32(1, int32(kind))
	w.i32(2, int32(len(image)))
	w.i32(3, int32(len(data)))
	w.i32(4, int32(crc32.ChecksumIEEE(data)))
	if kind == pageDictionary {
		w.openField(7)
		w.i32(1, int32(values))
		w.i32(2, int32(encoding))
	} else {
		w.openField(5)
		w.i32(1, int32(values))
		w.i32(2, int32(encoding))
		w.i32(3, int32(encRLE))
		w.i32(4, int32(encRLE))
	}
	w.close()
	w.close()
	l.rawBytes += int64(len(w.data)-start) + int64(len(image))
	l.chunk = append(w.data, data...)
	return nil
}

// dictionaryPage gives the encoded dictionary page of the chunk, nil when there is none. The data
// pages stay in l.chunk.
func (l *leafWriter) dictionaryPage() ([]byte, error) {
	if !l.usedDict {
		return nil, nil
	}
	l.sketchDictionary()
	l.bloomDictionary()
	pages := l.chunk
	l.chunk = nil
	err := l.writePage(pageDictionary, encPlain, l.dict.count, l.dict.plain)
	page := l.chunk
	l.chunk = pages
	return page, err
}
