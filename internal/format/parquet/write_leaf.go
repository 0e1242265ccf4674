package parquet

import (
	"bytes"
	"encoding/binary"
	"math"

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
	dictionaryMinRepeat = 3 // a first page's values must repeat so often on average
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
	compressor    *compressor

	// The open page.
	rows, values int // levels, and values that are not null
	valid        vec.Bitmap
	definitions  []int32 // nested columns only
	repetitions  []int32
	plain        []byte
	codes        []int32
	bounds       valueBounds

	// The open row group.
	dict       dictBuilder
	inDict     bool // values of the open page are codes
	usedDict   bool
	dictOff    bool // plain from the start: the last group gave its dictionary up
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

	words    []uint64 // scratch
	index    []int32
	image    []byte
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
	l.usedDict = false
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

// appendFlat adds rows [from, to) of v, Flat or (for strings) Dict, without nested levels.
func (l *leafWriter) appendFlat(v *vec.Vector, from, to int) error {
	n := to - from
	valid := v.Valid
	if l.physical == types.PhysNone {
		valid = make(vec.Bitmap, vec.BitmapWords(to))
	}
	nulls := 0
	if valid != nil {
		nulls = n - countBits(valid, from, n)
	}
	if nulls > 0 && l.maxDefinition == 0 {
		return sqlerr.New(sqlerr.NotNullViolation, "null value in column %q violates not-null constraint", l.path[0])
	}
	if l.maxDefinition > 0 {
		need := vec.BitmapWords(l.rows+n) + 1
		for len(l.valid) < need {
			l.valid = append(l.valid, 0)
		}
		if nulls == 0 {
			setBits(l.valid, l.rows, n)
		} else {
			copyBitmap(l.valid, l.rows, valid, from, n)
		}
	}
	l.rows += n
	l.nulls += int64(nulls)
	l.levels += int64(n)
	if nulls == n {
		return nil
	}
	index := l.index[:0]
	if nulls == 0 {
		for i := from; i < to; i++ {
			index = append(index, int32(i))
		}
	} else {
		for i := from; i < to; i++ {
			if valid.Get(i) {
				index = append(index, int32(i))
			}
		}
	}
	l.index = index
	return l.appendValues(v, index)
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
	words := resize(&l.words, len(index))
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
		return
	}
	for _, w := range words {
		l.sketch.addHash(hashWord(l.sketchWord(w)))
	}
	if width == 8 {
		for _, w := range words {
			l.plain = binary.LittleEndian.AppendUint64(l.plain, w)
		}
		return
	}
	for _, w := range words {
		l.plain = binary.LittleEndian.AppendUint32(l.plain, uint32(w))
	}
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
		l.sketch.AddWord(uint64(x.Micros) ^ hashWord(uint64(x.Days)*31+uint64(x.Months)*930))
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
		return
	}
	views := vec.Values[vec.View](v)
	for _, i := range index {
		l.appendString(views[i].Bytes(v.Buffers))
	}
}

func (l *leafWriter) appendString(b []byte) {
	if l.inDict {
		l.codes = append(l.codes, l.dict.bytes(b))
		return
	}
	l.plain = appendPlainBytes(l.plain, b)
	l.bounds.addBytes(b)
	l.sketchString(b)
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
	l.sketch.AddBytes(b)
}

// sketchDictionary counts the dictionary's values.
func (l *leafWriter) sketchDictionary() {
	switch {
	case l.physical == types.PhysFloat32 || l.physical == types.PhysFloat64:
		for _, w := range l.dict.words {
			l.sketch.AddWord(l.sketchWord(w))
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
