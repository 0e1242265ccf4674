package parquet

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Limits of pages and dictionaries.
const (
	pageRows            = 10 * vec.BatchSize
	pageBytesMost       = 1 << 20
	dictionaryBytes     = 1 << 20
	dictionaryEntries   = 1 << 17
	dictionaryMinRepeat = 3    // a first page's values must repeat so often on average
	dictionaryKept      = 256  // so small a dictionary stays
	dictionarySample    = 2048 // of its first values at most nine in ten may be distinct
)

// pageInfo is what the page index tells of a page.
type pageInfo struct {
	offset   int64 // in the chunk
	size     int32 // with header
	firstRow int64 // in the row group
	nulls    int64
	bounds   valueBounds
}

// leafWriter encodes one stored column: values into pages, pages into the chunk of the open row group.
type leafWriter struct {
	ordinal       int
	path          []string
	element       schemaElement
	typ           types.Type
	physical      types.Physical // of the vectors
	maxDefinition int
	maxRepetition int
	nested        bool // levels are kept as numbers
	bloom         bool // a Bloom filter is wanted
	work          *Workspace

	// The open page.
	rows, values int // levels, and values that are not null
	valid        vec.Bitmap
	definitions  []int32 // nested columns only
	repetitions  []int32
	plain        []byte  // values of a width; text
	lengths      []int32 // of the strings in plain
	codes        []int32
	bounds       valueBounds

	// The open row group.
	dict       dictBuilder
	inDict     bool // values of the open page are codes
	usedDict   bool
	encodings  []encodingID // of the chunk's pages
	dictOff    bool         // plain from the start: the last group gave its dictionary up
	chunk      []byte
	pages      []pageInfo
	chunkRows  int64
	levels     int64
	nulls      int64
	rawBytes   int64 // uncompressed pages with headers
	groupBound valueBounds
	// bloomHashes are of the row group's values.
	bloomHashes []uint64

	// The whole file.
	total     WrittenColumn
	fileBound valueBounds
	sketch    DistinctSketch

	dictMap  []int32 // codes of the vector dictionary dictMapID
	dictFrom uint64
}

func newLeafWriter(ordinal int, path []string, e schemaElement, t types.Type, definition, repetition int) *leafWriter {
	return &leafWriter{nested: len(path) > 1, ordinal: ordinal, path: path, element: e, typ: t, physical: t.Physical(), maxDefinition: definition, maxRepetition: repetition}
}

// beginGroup starts a row group.
func (l *leafWriter) beginGroup() {
	l.chunk, l.pages, l.chunkRows, l.levels, l.nulls, l.rawBytes = l.chunk[:0], l.pages[:0], 0, 0, 0, 0
	l.groupBound = valueBounds{}
	l.inDict = !l.dictOff && l.dictionaryAllowed()
	l.usedDict, l.encodings = false, l.encodings[:0]
	l.dictFrom = 0
	if l.inDict {
		l.dict.reset()
	}
}

func (l *leafWriter) dictionaryAllowed() bool {
	switch l.physical {
	case types.PhysBool, types.PhysInt128, types.PhysInterval, types.PhysNone:
		return false
	}
	return true
}

// appendFlat adds the rows listed of v, Flat or (for strings) Dict, without nested levels.
func (l *leafWriter) appendFlat(v *vec.Vector, rows []int32) error {
	present := rows
	if l.physical == types.PhysNone {
		present = nil
	} else if v.Valid != nil {
		present = l.work.index[:0]
		for _, r := range rows {
			if v.Valid.Get(int(r)) {
				present = append(present, r)
			}
		}
		l.work.index = present
	}
	if len(present) < len(rows) && l.maxDefinition == 0 {
		return sqlerr.New(sqlerr.NotNullViolation, "null value in column %q violates not-null constraint", l.path[0])
	}
	if l.maxDefinition > 0 {
		l.mark(v, rows, len(present))
	}
	l.rows += len(rows)
	l.nulls += int64(len(rows) - len(present))
	l.levels += int64(len(rows))
	if len(present) == 0 {
		return nil
	}
	return l.appendValues(v, present)
}

// mark notes which of the rows are there.
func (l *leafWriter) mark(v *vec.Vector, rows []int32, present int) {
	for need := vec.BitmapWords(l.rows+len(rows)) + 1; len(l.valid) < need; {
		l.valid = append(l.valid, 0)
	}
	switch present {
	case len(rows):
		setBits(l.valid, l.rows, len(rows))
	case 0:
	default:
		for i, r := range rows {
			if v.Valid.Get(int(r)) {
				l.valid.Set(l.rows + i)
			}
		}
	}
}

// memory is what the open row group holds.
func (l *leafWriter) memory() int64 {
	return int64(cap(l.chunk)+cap(l.plain)+4*cap(l.lengths)+4*cap(l.codes)+4*cap(l.dictMap)+8*cap(l.valid)+8*cap(l.bloomHashes)) + l.dict.memory()
}

// release gives memory back that is worth it. No row group is open.
func (l *leafWriter) release() {
	l.chunk, l.plain, l.lengths, l.codes, l.bloomHashes, l.dictMap, l.dictFrom = nil, nil, nil, nil, nil, nil, 0
	l.dict = dictBuilder{}
}

// appendValues adds the non-null values of v's rows listed in index to the open page.
func (l *leafWriter) appendValues(v *vec.Vector, index []int32) error {
	l.values += len(index)
	switch l.physical {
	case types.PhysString:
		l.appendStrings(v, index)
	case types.PhysBool:
		data := vec.Values[uint8](v)
		for _, i := range index {
			l.plain = append(l.plain, data[i])
			l.bounds.addInt(int64(data[i]))
			l.sketch.addHash(hashWord(uint64(data[i])))
		}
	case types.PhysInt128:
		l.appendWide(v, index)
	case types.PhysInterval:
		return l.appendIntervals(v, index)
	default:
		l.appendWords(v, index)
	}
	return nil
}

func widen[T int16 | int32 | int64](dst []uint64, src []T, index []int32) {
	dst = dst[:len(index)]
	for i, at := range index {
		dst[i] = uint64(int64(src[at]))
	}
}

// appendWords adds integers and floating-point numbers.
func (l *leafWriter) appendWords(v *vec.Vector, index []int32) {
	words := resize(&l.work.words, len(index))
	switch l.physical {
	case types.PhysInt16:
		widen(words, vec.Values[int16](v), index)
	case types.PhysInt32:
		widen(words, vec.Values[int32](v), index)
	case types.PhysInt64:
		widen(words, vec.Values[int64](v), index)
	case types.PhysFloat32:
		for i, at := range index {
			words[i] = uint64(math.Float32bits(vec.Values[float32](v)[at]))
		}
	case types.PhysFloat64:
		for i, at := range index {
			words[i] = math.Float64bits(vec.Values[float64](v)[at])
		}
	}
	width := 8
	if p := l.element.physical; p == physInt32 || p == physFloat {
		width = 4
	}
	switch l.physical {
	case types.PhysFloat32:
		for _, w := range words {
			l.bounds.addFloat(float64(math.Float32frombits(uint32(w))))
		}
	case types.PhysFloat64:
		for _, w := range words {
			l.bounds.addFloat(math.Float64frombits(w))
		}
	default:
		l.bounds.addInts(words)
	}
	if l.inDict {
		for _, w := range words {
			l.codes = append(l.codes, l.dict.word(w, width))
		}
		l.reviewSample()
		return
	}
	if l.physical == types.PhysFloat32 || l.physical == types.PhysFloat64 {
		for _, w := range words {
			l.sketch.addHash(hashWord(l.sketchWord(w)))
		}
	} else {
		for _, w := range words {
			l.sketch.addHash(hashWord(w))
		}
	}
	l.plain = appendWords(l.plain, words, width)
}

// appendWords appends the low width bytes, 4 or 8, of each word.
func appendWords(dst []byte, words []uint64, width int) []byte {
	at := len(dst)
	dst = slices.Grow(dst, len(words)*width)[:at+len(words)*width]
	if width == 8 {
		for i, w := range words {
			binary.LittleEndian.PutUint64(dst[at+8*i:], w)
		}
		return dst
	}
	for i, w := range words {
		binary.LittleEndian.PutUint32(dst[at+4*i:], uint32(w))
	}
	return dst
}

func (l *leafWriter) appendWide(v *vec.Vector, index []int32) {
	data := vec.Values[types.Int128](v)
	for _, i := range index {
		x := data[i]
		l.plain = binary.BigEndian.AppendUint64(l.plain, uint64(x.Hi))
		l.plain = binary.BigEndian.AppendUint64(l.plain, x.Lo)
		l.sketch.addHash(hashWord(x.Lo ^ hashWord(uint64(x.Hi))))
		if l.typ.Kind != types.UUID {
			l.bounds.addWide(x)
		}
	}
}

func (l *leafWriter) appendIntervals(v *vec.Vector, index []int32) error {
	data := vec.Values[types.IntervalValue](v)
	for _, i := range index {
		x := data[i]
		millis := x.Micros / 1000
		if x.Months < 0 || x.Days < 0 || x.Micros%1000 != 0 || millis < 0 || millis > math.MaxUint32 {
			return sqlerr.New(sqlerr.IntervalFieldOverflow, "interval in column %q cannot be stored in Parquet", l.path[0]).
				WithDetail("Parquet holds non-negative months, days and milliseconds only.")
		}
		l.plain = binary.LittleEndian.AppendUint32(l.plain, uint32(x.Months))
		l.plain = binary.LittleEndian.AppendUint32(l.plain, uint32(x.Days))
		l.plain = binary.LittleEndian.AppendUint32(l.plain, uint32(millis))
		l.sketch.addWord(uint64(x.Micros) ^ hashWord(uint64(x.Days)*31+uint64(x.Months)*930))
	}
	return nil
}

func (l *leafWriter) appendStrings(v *vec.Vector, index []int32) {
	if v.Enc == vec.Dict {
		if l.inDict && v.DictID != 0 {
			l.appendMapped(v, index)
			return
		}
		codes := v.Codes()
		for _, i := range index {
			l.appendString(v.Dict.Bytes(int(codes[i])))
		}
	} else {
		views := vec.Values[vec.View](v)
		for _, i := range index {
			l.appendString(views[i].Bytes(v.Buffers))
		}
	}
	if l.inDict {
		l.reviewSample()
	}
}

func (l *leafWriter) appendString(b []byte) {
	if l.inDict {
		l.codes = append(l.codes, l.dict.bytes(b))
		return
	}
	l.addText(b)
	l.sketchString(b)
}

// addText adds a string to those that are in no dictionary.
func (l *leafWriter) addText(b []byte) {
	l.plain = append(l.plain, b...)
	l.lengths = append(l.lengths, int32(len(b)))
	l.bounds.addBytes(b)
}

// sketchWord is what a fixed-width value counts as: floating-point numbers as the bits of the
// double, with one zero.
func (l *leafWriter) sketchWord(w uint64) uint64 {
	switch l.physical {
	case types.PhysFloat32:
		return math.Float64bits(float64(math.Float32frombits(uint32(w))) + 0)
	case types.PhysFloat64:
		return math.Float64bits(math.Float64frombits(w) + 0)
	}
	return w
}

// sketchString counts a string; char(n) without its blanks.
func (l *leafWriter) sketchString(b []byte) {
	if l.typ.Kind == types.Char {
		b = bytes.TrimRight(b, " ")
	}
	l.sketch.addBytes(b)
}

// sketchDictionary counts the dictionary's values.
func (l *leafWriter) sketchDictionary() {
	switch {
	case l.physical == types.PhysFloat32 || l.physical == types.PhysFloat64:
		for _, w := range l.dict.words {
			l.sketch.addWord(l.sketchWord(w))
		}
	case l.typ.Kind == types.Char:
		for code := range l.dict.count {
			l.sketchString(l.dict.value(int32(code)))
		}
	default:
		for _, h := range l.dict.hashes {
			l.sketch.addHash(h)
		}
	}
}

// appendMapped translates codes of the vector's dictionary to ours.
func (l *leafWriter) appendMapped(v *vec.Vector, index []int32) {
	if l.dictFrom != v.DictID || len(l.dictMap) != v.Dict.Len {
		l.dictFrom = v.DictID
		l.dictMap = append(l.dictMap[:0], make([]int32, v.Dict.Len)...)
	}
	codes := v.Codes()
	for _, i := range index {
		mapped := l.dictMap[codes[i]]
		if mapped == 0 {
			mapped = l.dict.bytes(v.Dict.Bytes(int(codes[i]))) + 1
			l.dictMap[codes[i]] = mapped
		}
		l.codes = append(l.codes, mapped-1)
	}
}
