package vec

import (
	"unsafe"

	"github.com/tarnlake/tarn/internal/types"
)

// BatchSize is the number of rows that operators hand on at a time; sources may give more.
const BatchSize = 2048

// Encoding says how a vector's Data is to be read.
type Encoding uint8

// The encodings.
const (
	Flat  Encoding = iota // Data holds Len values
	Const                 // Data holds one value, the same for all Len rows; null iff Valid's bit 0 is clear
	Dict                  // Data holds Len int32 codes into Dict; codes of null rows are in range
)

// Vector is one column of Len rows.
type Vector struct {
	Type  types.Type
	Enc   Encoding
	Len   int
	Valid Bitmap // nil: no nulls. Flat and Dict: a bit a row. Const: bit 0
	// Data holds fixed-width values, views, lists or codes, 8-byte aligned; see Values.
	Data []byte
	// Buffers hold the bytes of views longer than InlineLength.
	Buffers [][]byte
	// Dict is the dictionary of a Dict vector: Flat, without nulls, at least one entry if Len > 0.
	Dict *Vector
	// DictID is equal only for equal dictionaries; 0 is unknown.
	DictID uint64
	// Children: Array: elements. Map: keys, values. Row: the fields, each of Len rows.
	Children []Vector

	heap     []byte // the buffer that SetBytes appends to, Buffers[heapAt]
	heapAt   int
	heapOpen bool
	borrowed bool // Data and Children are another vector's: never written again
}

// Fixed lists the Go types that Data may hold.
type Fixed interface {
	bool | uint8 | int16 | int32 | int64 | uint64 | float32 | float64 |
		types.Int128 | types.IntervalValue | View | List
}

// Values gives v.Data as values of T, which must be the Go type of v's Physical layout (or int32
// for the codes of a Dict vector). Its length is that of Data: at least Len, or 1 for Const.
func Values[T Fixed](v *Vector) []T {
	var zero T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(v.Data))), len(v.Data)/int(unsafe.Sizeof(zero)))
}

// Codes gives the dictionary codes of a Dict vector.
func (v *Vector) Codes() []int32 { return Values[int32](v)[:v.Len] }

// AlignedBytes gives n bytes aligned to 8, zeroed.
func AlignedBytes(n int) []byte {
	words := make([]uint64, (n+7)/8)
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), len(words)*8)[:n]
}

// Resize makes v a Flat vector of type t with n rows, all valid, reusing its memory. Values keep
// whatever bytes were there; the caller writes every one that it marks valid.
func (v *Vector) Resize(t types.Type, n int) {
	v.Type, v.Enc, v.Len, v.Valid, v.Dict, v.DictID = t, Flat, n, nil, nil, 0
	v.Buffers, v.heapOpen = v.Buffers[:0:0], false
	if v.heap != nil {
		v.heap = nil
	}
	if v.borrowed {
		v.Children = nil
	}
	v.resizeData(t.Physical().Width() * n)
	v.resizeChildren(t, n)
}

func (v *Vector) resizeData(bytes int) {
	if v.borrowed || cap(v.Data) < bytes {
		v.Data, v.borrowed = AlignedBytes(max(bytes, 64)), false
	}
	v.Data = v.Data[:bytes]
}

func (v *Vector) resizeChildren(t types.Type, n int) {
	switch t.Kind {
	case types.Array:
		v.childCount(1)
		v.Children[0].Resize(*t.Elem, 0)
	case types.Map:
		v.childCount(2)
		v.Children[0].Resize(*t.Key, 0)
		v.Children[1].Resize(*t.Elem, 0)
	case types.Row:
		v.childCount(len(t.Fields))
		for i := range t.Fields {
			v.Children[i].Resize(t.Fields[i].Type, n)
		}
	default:
		v.Children = nil
	}
}

func (v *Vector) childCount(n int) {
	if cap(v.Children) < n {
		v.Children = make([]Vector, n)
	}
	v.Children = v.Children[:n]
}

// ResizeConst makes v a Const vector of n rows over one value (to be set at index 0), reusing memory.
func (v *Vector) ResizeConst(t types.Type, n int) {
	v.Resize(t, 1)
	v.Enc, v.Len = Const, n
}

// ResizeDict makes v a Dict vector of n codes over dict, reusing memory; the caller writes the codes.
func (v *Vector) ResizeDict(dict *Vector, id uint64, n int) {
	v.Type, v.Enc, v.Len, v.Valid, v.Dict, v.DictID = dict.Type, Dict, n, nil, dict, id
	v.Buffers, v.heapOpen, v.heap, v.Children = nil, false, nil, nil
	v.resizeData(4 * n)
}

// NewFlat gives a new flat vector of n rows, all valid, zeroed.
func NewFlat(t types.Type, n int) *Vector {
	v := &Vector{}
	v.Resize(t, n)
	clear(v.Data)
	return v
}

// NewConst gives a constant vector of n rows.
func NewConst(t types.Type, d types.Datum, n int) *Vector {
	v := &Vector{}
	v.ResizeConst(t, n)
	v.SetDatum(0, d)
	return v
}

// MakeValid gives v a bitmap of its own with all rows valid, reusing old memory where it is its own.
func (v *Vector) MakeValid() Bitmap {
	n := v.Len
	if v.Enc == Const {
		n = 1
	}
	v.Valid = make(Bitmap, BitmapWords(max(n, 1)))
	v.Valid.FillOnes(n)
	return v.Valid
}

// SetNull marks row i of a Flat or Const vector as NULL.
func (v *Vector) SetNull(i int) {
	if v.Valid == nil {
		v.MakeValid()
	}
	v.Valid.Clear(i)
}

// IsNull tells whether row i is NULL, under any encoding.
func (v *Vector) IsNull(i int) bool {
	if v.Type.Kind == types.Unknown {
		return true
	}
	if v.Valid == nil {
		return false
	}
	if v.Enc == Const {
		i = 0
	}
	return !v.Valid.Get(i)
}

// MayHaveNulls is false only when no row is NULL.
func (v *Vector) MayHaveNulls() bool { return v.Valid != nil || v.Type.Kind == types.Unknown }

// SetBytes stores a copy of b as the string of row i of a Flat (or Const, i = 0) string vector.
func (v *Vector) SetBytes(i int, b []byte) {
	views := Values[View](v)
	if len(b) <= InlineLength {
		views[i] = InlineView(b)
		return
	}
	if !v.heapOpen || len(v.heap)+len(b) > 1<<30 {
		v.heapOpen, v.heapAt = true, len(v.Buffers)
		v.heap = make([]byte, 0, max(len(b), 4096))
		v.Buffers = append(v.Buffers, v.heap)
	}
	at := len(v.heap)
	v.heap = append(v.heap, b...)
	v.Buffers[v.heapAt] = v.heap
	views[i] = LongView(b, v.heapAt, at)
}

// SetString stores a copy of s as the string of row i.
func (v *Vector) SetString(i int, s string) {
	v.SetBytes(i, unsafe.Slice(unsafe.StringData(s), len(s)))
}

// Bytes gives the string of row i under any encoding; it must not be written.
func (v *Vector) Bytes(i int) []byte {
	switch v.Enc {
	case Const:
		i = 0
	case Dict:
		return v.Dict.Bytes(int(Values[int32](v)[i]))
	}
	return Values[View](v)[i].Bytes(v.Buffers)
}

// Str is Bytes as a string, without copying and under the same lifetime.
func (v *Vector) Str(i int) string {
	b := v.Bytes(i)
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// Base gives the flat vector that holds the values and how rows map to it: index nil means row i is
// value i; constant means every row is value 0. Kernels thus see one shape (Velox's DecodedVector).
func (v *Vector) Base() (flat *Vector, index []int32, constant bool) {
	switch v.Enc {
	case Const:
		return v, nil, true
	case Dict:
		return v.Dict, v.Codes(), false
	}
	return v, nil, false
}

// Alias makes v a shallow copy of src that never writes src's memory.
func (v *Vector) Alias(src *Vector) {
	*v = *src
	v.heap, v.heapOpen, v.borrowed = nil, false, true
}

// ShareChildren gives v src's children.
func (v *Vector) ShareChildren(src *Vector) {
	v.Children = make([]Vector, len(src.Children))
	for i := range src.Children {
		v.Children[i].Alias(&src.Children[i])
	}
}
