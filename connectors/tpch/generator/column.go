package generator

import (
	"hash/fnv"

	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// ColumnInfo describes a column. None holds NULL.
type ColumnInfo struct {
	Name string
	Type types.Type
	// Words lists all values of a column that has few, in the order of their codes; nil for the others.
	Words []string
}

func key(name string) ColumnInfo     { return ColumnInfo{Name: name, Type: types.Of(types.Int64)} }
func integer(name string) ColumnInfo { return ColumnInfo{Name: name, Type: types.Of(types.Int32)} }
func day(name string) ColumnInfo     { return ColumnInfo{Name: name, Type: types.Of(types.Date)} }
func money(name string) ColumnInfo   { return ColumnInfo{Name: name, Type: types.DecimalOf(15, 2)} }

// text describes a text column by the longest text that the specification allows.
func text(name string, length int) ColumnInfo {
	return ColumnInfo{Name: name, Type: types.VarcharOf(length)}
}

// oneOf describes a text column that is stored as codes into its words.
func oneOf(name string, length int, words []string) ColumnInfo {
	return ColumnInfo{Name: name, Type: types.VarcharOf(length), Words: words}
}

// dictionary is a column's words as a vector. Its id is a hash of the words.
type dictionary struct {
	words *vec.Vector // nil for a column without
	id    uint64
}

func newDictionary(c ColumnInfo) dictionary {
	if c.Words == nil {
		return dictionary{}
	}
	d := dictionary{words: vec.NewFlat(c.Type, len(c.Words))}
	hash := fnv.New64a()
	for i, word := range c.Words {
		d.words.SetString(i, word)
		hash.Write(append([]byte(word), 0))
	}
	d.id = hash.Sum64()
	return d
}

type number interface{ ~uint8 | ~int32 | ~int64 }

// values gives a column's values, or codes, as 64-bit and as 32-bit numbers; the caller knows which they are.
func values(v *vec.Vector) (long []int64, short []int32) {
	return vec.Values[int64](v), vec.Values[int32](v)
}

// draw fills a column that takes one draw a row: low … low+span-1.
func draw[T number](out []T, x lehmer, low T, span int64) {
	for i := range out {
		x = x.next()
		out[i] = low + T(x.pick(span))
	}
}

// sequence writes consecutive numbers.
func sequence[T number](out []T, first T) {
	for i := range out {
		out[i] = first + T(i)
	}
}
