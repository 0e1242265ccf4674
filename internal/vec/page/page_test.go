package page

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

var everyType = []types.Type{
	types.Of(types.Bool), types.Of(types.Int16), types.Of(types.Int32), types.Of(types.Int64), types.Of(types.Float32),
	types.Of(types.Float64), types.DecimalOf(12, 2), types.DecimalOf(38, 4), types.Of(types.Text), types.Of(types.Interval),
	types.Of(types.Unknown), types.ArrayOf(types.Of(types.Text)), types.MapOf(types.Of(types.Text), types.Of(types.Int64)),
	types.RowOf(types.Field{Name: "a", Type: types.Of(types.Int32)}, types.Field{Name: "b", Type: types.ArrayOf(types.Of(types.Int16))}),
}

func datum(r *rand.Rand, t types.Type) types.Datum {
	if r.IntN(5) == 0 || t.Kind == types.Unknown {
		return types.Datum{Null: true}
	}
	switch t.Physical() {
	case types.PhysBool:
		return types.BoolDatum(r.IntN(2) == 0)
	case types.PhysString:
		return types.Datum{Str: strings.Repeat("häßlich", r.IntN(4))}
	case types.PhysFloat32, types.PhysFloat64:
		return types.Datum{F64: float64(r.IntN(1000)) / 4}
	case types.PhysInt128:
		return types.Datum{I128: types.Int128{Lo: r.Uint64(), Hi: int64(r.IntN(9))}}
	case types.PhysInterval:
		return types.Datum{Span: types.IntervalValue{Months: int32(r.IntN(9)), Micros: r.Int64()}}
	case types.PhysList, types.PhysRow:
		var d types.Datum
		switch {
		case t.Key != nil:
			for range r.IntN(3) {
				key := datum(r, *t.Key)
				key.Null = false
				d.Items = append(d.Items, key, datum(r, *t.Elem))
			}
		case t.Elem != nil:
			for range r.IntN(4) {
				d.Items = append(d.Items, datum(r, *t.Elem))
			}
		default:
			for _, f := range t.Fields {
				d.Items = append(d.Items, datum(r, f.Type))
			}
		}
		return d
	}
	return types.IntDatum(int64(r.IntN(30000)))
}

// random makes a batch of every type in the encoding that r chooses, perhaps with a selection.
func random(r *rand.Rand, n int) *vec.Batch {
	b := &vec.Batch{Len: n}
	for _, t := range everyType {
		v := vec.NewFlat(t, 0)
		for range n {
			v.AppendDatum(datum(r, t))
		}
		switch r.IntN(3) {
		case 0:
			v = vec.NewConst(t, datum(r, t), n)
		case 1:
			if t.Physical() == types.PhysNone || t.Physical() == types.PhysRow {
				break
			}
			entries := vec.NewFlat(t, 0)
			for range 1 + r.IntN(n) {
				d := datum(r, t)
				for d.Null {
					d = datum(r, t)
				}
				entries.AppendDatum(d)
			}
			v = &vec.Vector{}
			v.ResizeDict(entries, 7, n)
			for i := range v.Codes() {
				v.Codes()[i] = int32(r.IntN(entries.Len))
			}
			v.MakeValid().Clear(r.IntN(n))
		}
		if v.Enc == vec.Flat && v.Children == nil {
			fillNulls(r, v)
		}
		b.Cols = append(b.Cols, *v)
	}
	if r.IntN(2) == 0 {
		b.Sel = []int32{}
		for i := range n {
			if i == 0 || r.IntN(3) > 0 {
				b.Sel = append(b.Sel, int32(i))
			}
		}
	}
	return b
}

// fillNulls gives the NULLs of a flat vector bytes that mean nothing, as operators leave them.
func fillNulls(r *rand.Rand, v *vec.Vector) {
	width := v.Type.Physical().Width()
	for i := range v.Len {
		for k := range width {
			if !v.Valid.Get(i) {
				v.Data[i*width+k] = byte(r.Uint32())
			}
		}
	}
}

// encode gives a page that lies in memory which held something else before.
func encode(b *vec.Batch) ([]byte, error) {
	var buffers Buffers
	p, err := Encode(b, &buffers)
	if err != nil {
		return nil, err
	}
	if framed, ok := p.Framed(); ok && (len(framed) != len(p.Bytes)+frameBytes || &framed[frameBytes] != &p.Bytes[0]) {
		panic("the frame is elsewhere")
	}
	for i := range p.Bytes {
		p.Bytes[i] = 0xa5
	}
	p.Release()
	p, err = Encode(b, &buffers)
	return p.Bytes, err
}

func same(t *testing.T, want, got *vec.Batch) {
	t.Helper()
	var compact vec.Batch
	want.Compact(&compact)
	if got.Len != compact.Len || got.Sel != nil {
		t.Fatal(got.Len, compact.Len)
	}
	for c := range compact.Cols {
		for i := range compact.Len {
			a, b := compact.Cols[c].Datum(i), got.Cols[c].Datum(i)
			if a.Null && b.Null {
				continue
			}
			if !reflect.DeepEqual(a, b) {
				t.Fatalf("column %d (%v, encoding %d) row %d: %v, want %v", c, compact.Cols[c].Type, compact.Cols[c].Enc, i, b, a)
			}
		}
	}
}

func TestPagesKeepEveryTypeInEveryEncoding(t *testing.T) {
	for seed := range uint64(200) {
		b := random(rand.New(rand.NewPCG(seed, 1)), 1+int(seed)%90)
		p, err := encode(b)
		if err != nil {
			t.Fatal(err)
		}
		var out vec.Batch
		if err := Decode(p, everyType, &out); err != nil {
			t.Fatal(seed, err)
		}
		same(t, b, &out)
		if Rows(p) != b.Rows() {
			t.Fatal(Rows(p))
		}
	}
}

// TestPagesTakeTheirOwnSize encodes few rows of strings that lie in large shared buffers.
func TestPagesTakeTheirOwnSize(t *testing.T) {
	v := vec.NewFlat(types.Of(types.Text), 0)
	for i := range 20_000 {
		v.AppendDatum(types.Datum{Str: strings.Repeat("x", 20+i%50)})
	}
	for range 50 { // as a join's output refers to many chunks
		v.Buffers = append(v.Buffers, make([]byte, 1<<20))
	}
	p, err := encode(&vec.Batch{Cols: []vec.Vector{*v}, Len: v.Len, Sel: []int32{7, 90, 19_999}})
	if err != nil {
		t.Fatal(err)
	}
	if len(p) > 400 {
		t.Fatalf("a page of %d bytes", len(p))
	}
}

func TestSmallDictionariesAndConstantsStayEncoded(t *testing.T) {
	text := types.Of(types.Text)
	entries := vec.NewFlat(text, 0)
	for _, s := range []string{"one", "a string longer than a view", "three"} {
		entries.AppendDatum(types.Datum{Str: s})
	}
	b := &vec.Batch{Len: 100, Cols: make([]vec.Vector, 2)}
	b.Cols[0].ResizeDict(entries, 5, 100)
	for i := range b.Cols[0].Codes() {
		b.Cols[0].Codes()[i] = int32(i % 3)
	}
	b.Cols[1] = *vec.NewConst(types.Of(types.Int64), types.IntDatum(7), 100)
	p, err := encode(b)
	if err != nil {
		t.Fatal(err)
	}
	var out vec.Batch
	if err := Decode(p, []types.Type{text, types.Of(types.Int64)}, &out); err != nil {
		t.Fatal(err)
	}
	same(t, b, &out)
	if out.Cols[0].Enc != vec.Dict || out.Cols[0].DictID != 0 || out.Cols[1].Enc != vec.Const {
		t.Fatal("columns came resolved, or with a number that means something else here")
	}
}

func TestDamageIsAnError(t *testing.T) {
	p, err := encode(random(rand.New(rand.NewPCG(3, 3)), 50))
	if err != nil {
		t.Fatal(err)
	}
	var out vec.Batch
	for at := range p {
		bad := append(vec.AlignedBytes(len(p))[:0], p...)
		bad[at] ^= 0x41
		if Decode(bad, everyType, &out) == nil {
			t.Fatalf("byte %d changed: no error", at)
		}
	}
	for n := range p {
		if Decode(p[:n], everyType, &out) == nil {
			t.Fatalf("cut at %d: no error", n)
		}
	}
	if Decode(p, everyType[1:], &out) == nil || Decode(p, append([]types.Type{types.Of(types.Int64)}, everyType...), &out) == nil {
		t.Fatal("other columns: no error")
	}
}

// FuzzDecode gives damage a right checksum, and reads every value of what is accepted.
func FuzzDecode(f *testing.F) {
	for seed := range uint64(8) {
		p, err := encode(random(rand.New(rand.NewPCG(seed, 2)), 1+int(seed)*5))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p := append(vec.AlignedBytes(len(data) + 8)[:0], data...)
		if len(p) >= headerBytes {
			sum := checksum(p)
			for i := range 8 {
				p[8+i] = byte(sum >> (8 * i))
			}
		}
		var out vec.Batch
		if Decode(p, everyType, &out) != nil {
			return
		}
		for c := range out.Cols {
			for i := range min(out.Len, 1000) {
				_ = out.Cols[c].Datum(i)
			}
		}
		if out.Len <= 1000 {
			if _, err := encode(&out); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func measure(b *testing.B, columns, rows int) {
	in := &vec.Batch{Len: rows}
	var of []types.Type
	for range columns {
		of = append(of, types.Of(types.Int64))
		in.Cols = append(in.Cols, *vec.NewFlat(types.Of(types.Int64), rows))
	}
	b.SetBytes(int64(8 * columns * rows))
	b.ReportAllocs()
	var out vec.Batch
	var buffers Buffers
	before := processorTime(b)
	for b.Loop() {
		p, err := Encode(in, &buffers)
		if err == nil {
			err = Decode(p.Bytes, of, &out)
		}
		p.Release()
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(8*columns*rows)*float64(b.N)/float64(processorTime(b)-before), "GB/cpu-s")
}

// processorTime is what the process has computed so far, in ns: on a busy machine the clock tells little.
func processorTime(b *testing.B) int64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return used.Utime.Nano() + used.Stime.Nano()
}

func BenchmarkPage1x2048(b *testing.B) { measure(b, 1, 2048) }
func BenchmarkPage4x680(b *testing.B)  { measure(b, 4, 680) }
func BenchmarkPage4x2048(b *testing.B) { measure(b, 4, 2048) }
func BenchmarkPage8x8192(b *testing.B) { measure(b, 8, 8192) }

func TestMemoryServesAgainOnceAllSharesAreBack(t *testing.T) {
	for n := 1; n <= 1<<mostBits; n += 1 + n/7 {
		number, size := class(n)
		if size < n || size > n+n/4+1<<leastBits || number < 0 || number >= classes {
			t.Fatalf("%d bytes: class %d of %d bytes", n, number, size)
		}
		if again, same := class(size); again != number || same != size {
			t.Fatalf("%d bytes: class %d of %d, not %d of %d", size, again, same, number, size)
		}
	}
	var buffers Buffers
	m := buffers.Take(50_000)
	p := m.Page(m.Bytes()[8:16])
	p.Share()
	p.Release()
	if other := buffers.Take(50_000); &other.Bytes()[0] == &m.Bytes()[0] {
		t.Fatal("memory was taken that is in use")
	}
	p.Release()
	defer func() {
		if recover() == nil {
			t.Fatal("a share that nobody has was given back")
		}
	}()
	p.Release()
}
