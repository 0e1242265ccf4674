package vec

import (
	"strings"
	"testing"

	"github.com/tarnlake/tarn/internal/types"
)

func stringsVector(values ...string) *Vector {
	v := NewFlat(types.Of(types.Text), len(values))
	for i, s := range values {
		if s == "NULL" {
			v.SetDatum(i, types.NullDatum())
		} else {
			v.SetString(i, s)
		}
	}
	return v
}

func texts(v *Vector) string {
	var out []string
	for i := range v.Len {
		if v.IsNull(i) {
			out = append(out, "NULL")
		} else {
			out = append(out, v.Str(i))
		}
	}
	return strings.Join(out, "|")
}

func TestStringsOfEveryEncoding(t *testing.T) {
	long := strings.Repeat("long", 10)
	flat := stringsVector("a", "NULL", long, "exactly12byt", "thirteen byte", "")
	if got, want := texts(flat), "a|NULL|"+long+"|exactly12byt|thirteen byte|"; got != want {
		t.Fatalf("flat %s, want %s", got, want)
	}
	var picked Vector
	Gather(&picked, flat, []int32{5, 2, 1, 2, 4})
	if got, want := texts(&picked), "|"+long+"|NULL|"+long+"|thirteen byte"; got != want {
		t.Fatalf("gather %s, want %s", got, want)
	}
	dictionary := stringsVector("x", long)
	var coded Vector
	coded.ResizeDict(dictionary, 7, 4)
	copy(coded.Codes(), []int32{1, 0, 1, 0})
	coded.MakeValid().Clear(3)
	if got, want := texts(&coded), long+"|x|"+long+"|NULL"; got != want {
		t.Fatalf("dict %s, want %s", got, want)
	}
	var flattened, some Vector
	Flatten(&flattened, &coded)
	if flattened.Enc != Flat || texts(&flattened) != texts(&coded) {
		t.Fatalf("flatten %s", texts(&flattened))
	}
	Gather(&some, &coded, []int32{3, 0})
	if some.Enc != Dict || texts(&some) != "NULL|"+long {
		t.Fatalf("gather of codes %s", texts(&some))
	}
	constant := NewConst(types.Of(types.Text), types.StringDatum(long), 3)
	Flatten(&flattened, constant)
	if got := texts(&flattened); got != long+"|"+long+"|"+long {
		t.Fatalf("flattened constant %s", got)
	}
	null := NewConst(types.Of(types.Text), types.NullDatum(), 2)
	Flatten(&flattened, null)
	if got := texts(&flattened); got != "NULL|NULL" {
		t.Fatalf("flattened null %s", got)
	}
}

func TestListsRoundTrip(t *testing.T) {
	ints := func(v ...int64) types.Datum {
		var d types.Datum
		for _, x := range v {
			d.Items = append(d.Items, types.IntDatum(x))
		}
		return d
	}
	v := NewFlat(types.ArrayOf(types.Of(types.Int32)), 0)
	for _, d := range []types.Datum{ints(1, 2), types.NullDatum(), ints(), ints(7)} {
		v.AppendDatum(d)
	}
	var g Vector
	Gather(&g, v, []int32{3, 0, 1})
	if g.Datum(0).Items[0].I64 != 7 || len(g.Datum(1).Items) != 2 || !g.Datum(2).Null {
		t.Fatalf("gathered %v %v %v", g.Datum(0), g.Datum(1), g.Datum(2))
	}
}

func TestBitmap(t *testing.T) {
	b := make(Bitmap, 2)
	b.FillOnes(70)
	b.Clear(65)
	if b.CountSet(70) != 69 || b.Get(65) || !b.Get(69) || Bitmap(nil).CountSet(9) != 9 {
		t.Fatal(b)
	}
	c := make(Bitmap, 2)
	c.Set(65)
	c.Set(3)
	if and := AndInto(nil, b, c, 70); and.CountSet(70) != 1 || !and.Get(3) {
		t.Fatal(and)
	}
}

func TestCompactAndClone(t *testing.T) {
	b := &Batch{Cols: []Vector{*stringsVector("a", "b", "NULL", "d")}, Len: 4, Sel: []int32{1, 2}}
	c := b.Clone()
	b.Cols[0].SetString(1, "changed")
	if c.Rows() != 2 || texts(&c.Cols[0]) != "b|NULL" {
		t.Fatal(texts(&c.Cols[0]))
	}
}

func TestViewAtEqualsTheCheckedForms(t *testing.T) {
	data := []byte("the quick brown fox jumps over the lazy dog\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")
	for n := range 30 {
		want := View{}
		if n <= InlineLength {
			want = InlineView(data[3 : 3+n])
		} else {
			want = LongView(data[3:3+n], 5, 3)
		}
		if got := ViewAt(data, 3, n, 5); got != want {
			t.Errorf("%d bytes: %x, want %x", n, got, want)
		}
	}
}
