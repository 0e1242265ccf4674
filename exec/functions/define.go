package functions

import (
	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

var (
	boolean     = types.Of(types.Bool)
	smallint    = types.Of(types.Int16)
	integer     = types.Of(types.Int32)
	bigint      = types.Of(types.Int64)
	real4       = types.Of(types.Float32)
	double      = types.Of(types.Float64)
	text        = types.Of(types.Text)
	bytea       = types.Of(types.Bytea)
	date        = types.Of(types.Date)
	timeOfDay   = types.Of(types.Time)
	timestamp   = types.Of(types.Timestamp)
	timestampTZ = types.Of(types.TimestampTZ)
	interval    = types.Of(types.Interval)
	uuid        = types.Of(types.UUID)
	jsonType    = types.Of(types.JSON)
	jsonbType   = types.Of(types.JSONB)
	hugeint     = types.Of(types.Int128Kind)
	void        = types.Of(types.Void)
)

// params names exact parameters: params("s", text, "n", integer).
func params(pairs ...any) []fn.Param {
	var out []fn.Param
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, fn.Param{Name: pairs[i].(string), Type: pairs[i+1].(types.Type)})
	}
	return out
}

// family names one parameter of a family.
func family(name string, f fn.Family) fn.Param { return fn.Param{Name: name, Family: f} }

// fixed makes a kernel that needs nothing of its call.
func fixed(k fn.Kernel) fn.Scalar {
	return fn.Scalar{New: func(fn.Call) (fn.Kernel, error) { return k, nil }}
}

// rowAt gives the k-th row of a list, nil standing for all rows.
func rowAt(rows []int32, k int) int {
	if rows == nil {
		return k
	}
	return int(rows[k])
}

// mask is -1 for a column and 0 for a constant: the value of row r lies at r & mask.
func mask(v *vec.Vector) int {
	if v.Enc == vec.Const {
		return 0
	}
	return -1
}

// map1, map2 and map3 adapt Go functions over fixed-width values; f costs far more than its call.
func map1[A, R vec.Fixed](f func(A) R) fn.Scalar {
	return fixed(func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		a, o, ma := vec.Values[A](args[0]), vec.Values[R](out), mask(args[0])
		for k := range kernel.Count(rows, n) {
			r := rowAt(rows, k)
			o[r] = f(a[r&ma])
		}
		return nil
	})
}

func map2[A, B, R vec.Fixed](f func(A, B) R) fn.Scalar {
	return fixed(func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		a, b, o, ma, mb := vec.Values[A](args[0]), vec.Values[B](args[1]), vec.Values[R](out), mask(args[0]), mask(args[1])
		for k := range kernel.Count(rows, n) {
			r := rowAt(rows, k)
			o[r] = f(a[r&ma], b[r&mb])
		}
		return nil
	})
}

// try1 and try2 adapt functions that may raise an error.
func try1[A, R vec.Fixed](f func(A) (R, error)) fn.Scalar { return fixed(tryKernel1(f)) }

func tryKernel1[A, R vec.Fixed](f func(A) (R, error)) fn.Kernel {
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		a, o, ma := vec.Values[A](args[0]), vec.Values[R](out), mask(args[0])
		for k := range kernel.Count(rows, n) {
			r := rowAt(rows, k)
			x, err := f(a[r&ma])
			if err != nil {
				return err
			}
			o[r] = x
		}
		return nil
	}
}

func try2[A, B, R vec.Fixed](f func(A, B) (R, error)) fn.Scalar { return fixed(tryKernel2(f)) }

func tryKernel2[A, B, R vec.Fixed](f func(A, B) (R, error)) fn.Kernel {
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		a, b, o, ma, mb := vec.Values[A](args[0]), vec.Values[B](args[1]), vec.Values[R](out), mask(args[0]), mask(args[1])
		for k := range kernel.Count(rows, n) {
			r := rowAt(rows, k)
			x, err := f(a[r&ma], b[r&mb])
			if err != nil {
				return err
			}
			o[r] = x
		}
		return nil
	}
}

// row gives a function the arguments of one row.
type row struct {
	args []*vec.Vector
	at   int
	call *fn.Call
}

func (r row) index(i int) int { return r.at & mask(r.args[i]) }

func (r row) null(i int) bool         { return r.args[i].IsNull(r.at) }
func (r row) bytes(i int) []byte      { return r.args[i].Bytes(r.index(i)) }
func (r row) str(i int) string        { return r.args[i].Str(r.index(i)) }
func (r row) bool(i int) bool         { return vec.Values[uint8](r.args[i])[r.index(i)] != 0 }
func (r row) int32(i int) int32       { return vec.Values[int32](r.args[i])[r.index(i)] }
func (r row) int64(i int) int64       { return vec.Values[int64](r.args[i])[r.index(i)] }
func (r row) float(i int) float64     { return vec.Values[float64](r.args[i])[r.index(i)] }
func (r row) datum(i int) types.Datum { return r.args[i].Datum(r.index(i)) }
func (r row) wide(i int) types.Int128 { return r.datum(i).Unscaled(r.args[i].Type) }
func (r row) given(i int) bool        { return i < len(r.args) }
func (r row) span(i int) types.IntervalValue {
	return vec.Values[types.IntervalValue](r.args[i])[r.index(i)]
}

// budget adds up what the results of one batch take. The query's memory is asked at every stride, so
// that a batch of long values fails before it is made.
type budget struct {
	session     *fn.Session
	used, asked int64
}

const budgetStride = 16 << 20

func (b *budget) add(bytes int) error {
	if b.used += int64(bytes); b.used < b.asked+budgetStride {
		return nil
	}
	b.asked = b.used
	return b.session.HasRoom(2 * b.used)
}

// datumBytes is about what a boxed value takes in memory, without its own text.
const datumBytes = 112

// room asks for memory for boxed values.
func (r row) room(values int) error {
	if values < budgetStride/datumBytes {
		return nil
	}
	return r.call.Session.HasRoom(2 * datumBytes * int64(values))
}

// toText makes a function whose result is a string: f appends it to dst; ok = false is NULL.
func toText(f func(dst []byte, r row) (out []byte, ok bool, err error)) fn.Scalar {
	return fn.Scalar{New: func(call fn.Call) (fn.Kernel, error) {
		var scratch []byte
		return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
			memory := budget{session: call.Session}
			for k := range kernel.Count(rows, n) {
				at := rowAt(rows, k)
				b, ok, err := f(scratch[:0], row{args, at, &call})
				if err == nil && len(b) > vec.InlineLength {
					if err = memory.add(len(b)); len(b) > maxText {
						err = tooLongText()
					}
				}
				if err != nil {
					return err
				}
				scratch = b[:0]
				if !ok {
					out.SetNull(at)
					b = nil
				}
				out.SetBytes(at, b)
			}
			return nil
		}, nil
	}}
}

// appendText is toText for functions that neither fail nor give NULL.
func appendText(f func(dst []byte, r row) []byte) fn.Scalar {
	return toText(func(dst []byte, r row) ([]byte, bool, error) { return f(dst, r), true, nil })
}

// toFixed makes a function whose result has fixed width; ok = false is NULL.
func toFixed[R vec.Fixed](f func(r row) (value R, ok bool, err error)) fn.Scalar {
	return fn.Scalar{New: func(call fn.Call) (fn.Kernel, error) {
		return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
			o := vec.Values[R](out)
			for k := range kernel.Count(rows, n) {
				at := rowAt(rows, k)
				x, ok, err := f(row{args, at, &call})
				if err != nil {
					return err
				}
				if !ok {
					out.SetNull(at)
				}
				o[at] = x
			}
			return nil
		}, nil
	}}
}

// value is toFixed for functions that neither fail nor give NULL.
func value[R vec.Fixed](f func(r row) R) fn.Scalar {
	return toFixed(func(r row) (R, bool, error) { return f(r), true, nil })
}

// flag is value for booleans.
func flag(f func(r row) bool) fn.Scalar {
	return value(func(r row) uint8 { return asFlag(f(r)) })
}

func asFlag(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// toDatum makes a function over any types, one boxed value a row: for nested results.
func toDatum(f func(r row) (types.Datum, error)) fn.Scalar {
	return fn.Scalar{New: func(call fn.Call) (fn.Kernel, error) {
		return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
			for k := range kernel.Count(rows, n) {
				at := rowAt(rows, k)
				d, err := f(row{args, at, &call})
				if err != nil {
					return err
				}
				out.SetDatum(at, d)
			}
			return nil
		}, nil
	}}
}
