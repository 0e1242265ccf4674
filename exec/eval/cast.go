package eval

import (
	"time"

	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// conversion is one cast being compiled.
type conversion struct {
	from, to types.Type
	try      bool // a value that does not convert becomes NULL
	assign   bool // too long a string is an error instead of being cut
	zone     *time.Location
	session  *fn.Session
}

func (c *compiler) cast(e *expr.Cast) (node, error) {
	arg, err := c.node(e.Arg)
	if err != nil {
		return nil, err
	}
	from := e.Arg.Type()
	if isRelabel(from, e.To) {
		if d, ok := constantOf(arg); ok {
			return newLiteral(e.To, d), nil
		}
		return &relabelNode{arg: arg, t: e.To}, nil
	}
	if d, ok := constantOf(arg); ok && d.Null {
		return newLiteral(e.To, d), nil
	}
	zone, err := c.env.Zone()
	if err != nil {
		return nil, err
	}
	v := conversion{from: from, to: e.To, try: e.Try, assign: e.Assign, zone: zone, session: c.env.Session}
	k := v.kernel()
	if k == nil {
		return nil, sqlerr.New(sqlerr.CannotCoerce, "cannot cast type %s to %s", from.Base(), e.To.Base()).At(e.Position)
	}
	n := &callNode{args: []node{arg}, kernel: k, result: e.To, strict: true, position: e.Position}
	return n.prepare(!from.IsTemporal() && !e.To.IsTemporal() && !from.IsOID() && !e.To.IsOID()), nil
}

// CanCast tells whether values of one type can be cast to another at all.
func CanCast(from, to types.Type) bool {
	if isRelabel(from, to) {
		return true
	}
	v := conversion{from: from, to: to, zone: time.UTC}
	return v.kernel() != nil
}

// isRelabel tells that a cast changes no value.
func isRelabel(from, to types.Type) bool {
	switch {
	case from.Kind == types.Unknown:
		return true
	case from.Equal(to):
		return true
	case to.Kind == types.Text:
		switch from.Kind {
		case types.Text, types.Char:
			return to.Length == 0 || from.Length > 0 && from.Length <= to.Length
		case types.JSON, types.JSONB, types.Name, types.InternalChar:
			return to.Length == 0
		}
	case to.Kind == types.Char:
		return from.Kind == types.Char && (to.Length == 0 || from.Length > 0 && from.Length <= to.Length)
	case from.Kind == to.Kind && (to.Kind == types.Time || to.Kind == types.Timestamp || to.Kind == types.TimestampTZ):
		return to.Length == 0 || from.Length > 0 && from.Length <= to.Length
	case to.Kind == types.JSON:
		return from.Kind == types.JSONB
	case to.IsOID():
		return from.IsOID()
	case to.Kind == types.Decimal && from.Kind == types.Decimal:
		return to.Scale == from.Scale && to.Precision >= from.Precision && to.Physical() == from.Physical()
	}
	return false
}

// castMayFail tells whether some value of from has no counterpart in to.
func castMayFail(from, to types.Type) bool {
	switch {
	case isRelabel(from, to), to.IsString() && !to.IsOID() && from.Kind != types.Unknown:
		return false
	case from.IsInteger() && to.IsInteger():
		return from.Kind > to.Kind
	case from.IsInteger() && (to.Kind == types.Float32 || to.Kind == types.Float64):
		return false
	case from.IsInteger() && to.Kind == types.Decimal:
		return int(to.Precision)-int(to.Scale) < integerDigits(from.Kind)
	case from.Kind == types.Decimal && to.Kind == types.Decimal:
		return to.Precision-to.Scale < from.Precision-from.Scale+1 && (to.Scale < from.Scale || to.Precision-to.Scale < from.Precision-from.Scale)
	case from.Kind == types.Decimal && to.Kind == types.Float64, from.Kind == types.Float32 && to.Kind == types.Float64:
		return false
	}
	return true
}

func integerDigits(k types.Kind) int {
	switch k {
	case types.Int16:
		return 5
	case types.Int32:
		return 10
	}
	return 19
}

// relabelNode gives its operand another type of the same layout.
type relabelNode struct {
	arg node
	t   types.Type
	out vec.Vector
}

func (n *relabelNode) eval(f *frame, rows []int32) (*vec.Vector, error) {
	v, err := n.arg.eval(f, rows)
	if err != nil {
		return nil, err
	}
	if v.Type.Kind == types.Unknown {
		n.out.ResizeConst(n.t, f.n)
		n.out.SetDatum(0, types.NullDatum())
		return &n.out, nil
	}
	n.out.Alias(v)
	n.out.Type = n.t
	return &n.out, nil
}

// kernel chooses the loop for a cast; nil when there is no such cast.
func (v *conversion) kernel() fn.Kernel {
	digits, declared := v.to.FractionDigits()
	convert := v.unrounded()
	if convert == nil || !declared || digits == types.MaxFractionDigits {
		return convert
	}
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		if err := convert(args, n, rows, out); err != nil {
			return err
		}
		values := vec.Values[int64](out)
		for k := range kernel.Count(rows, n) {
			r := rowAt(rows, k)
			values[r] = types.RoundFraction(v.to, values[r])
		}
		return nil
	}
}

// unrounded is kernel but for the digits of seconds that the target declares.
func (v *conversion) unrounded() fn.Kernel {
	from, to := v.from.Kind, v.to.Kind
	switch {
	case to == types.Array && from == types.Array:
		return v.arrays()
	case to == types.Map && from == types.Map:
		return v.maps()
	case to == types.Row && from == types.Row && len(v.from.Fields) == len(v.to.Fields):
		return v.rows()
	case v.to.IsString():
		return v.toCharacters()
	case v.from.IsString():
		return v.fromCharacters()
	case isNumber(v.from) && isNumber(v.to):
		return v.numbers()
	case isMoment(from) && isMoment(to):
		return v.moments()
	}
	return v.others()
}

func isNumber(t types.Type) bool { return t.IsNumeric() || t.Kind == types.Bool || t.IsOID() }

func isMoment(k types.Kind) bool { return k >= types.Date && k <= types.Interval }

func (v *conversion) others() fn.Kernel {
	from, to := v.from.Kind, v.to.Kind
	switch {
	case to == types.JSONB && from == types.JSON:
		return v.eachString(func(b, scratch []byte) ([]byte, error) { return types.AppendJSONB(scratch, b) })
	case (from == types.JSONB || from == types.JSON) && (isNumber(v.to) || to == types.Array):
		return v.fromJSON()
	case to == types.JSON || to == types.JSONB:
		return v.toJSON()
	}
	return nil
}

// fail makes row r of out NULL under TRY, else gives the error.
func (v *conversion) fail(out *vec.Vector, r int, err error) error {
	if !v.try {
		return err
	}
	out.SetNull(r)
	return nil
}

// each runs convert for every row listed; it is for conversions that cost far more than a call.
func (v *conversion) each(convert func(in, out *vec.Vector, r int) error) fn.Kernel {
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		for k := range kernel.Count(rows, n) {
			r := rowAt(rows, k)
			if err := convert(args[0], out, r); err != nil {
				if err := v.fail(out, r, err); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// eachString is each for conversions from bytes to bytes; scratch is empty and may be used up.
func (v *conversion) eachString(convert func(b, scratch []byte) ([]byte, error)) fn.Kernel {
	var scratch []byte
	return v.each(func(in, out *vec.Vector, r int) error {
		b, err := convert(in.Bytes(r), scratch[:0])
		if err != nil {
			out.SetBytes(r, nil)
			return err
		}
		scratch = b
		out.SetBytes(r, b)
		return nil
	})
}
