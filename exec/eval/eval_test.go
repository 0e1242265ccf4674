package eval

import (
	"slices"
	"testing"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

var (
	integer4 = types.Of(types.Int32)
	textType = types.Of(types.Text)
)

func column(id int, t types.Type) expr.Expr {
	return &expr.Column{ID: expr.ColumnID(id), T: t}
}

func literal(t types.Type, s string) expr.Expr {
	d, err := types.Parse(t, s, nil)
	if err != nil {
		panic(err)
	}
	return &expr.Literal{Value: d, T: t}
}

// batchOf reads columns from texts; NULL is "∅".
func batchOf(t *testing.T, columns []types.Type, rows ...[]string) *vec.Batch {
	t.Helper()
	b := vec.NewBatch(columns, len(rows))
	for r, row := range rows {
		for c, s := range row {
			d := types.NullDatum()
			if s != "∅" {
				var err error
				if d, err = types.Parse(columns[c], s, nil); err != nil {
					t.Fatal(err)
				}
			}
			b.Cols[c].SetDatum(r, d)
		}
	}
	return b
}

func texts(v *vec.Vector, rows []int32, n int) []string {
	var out []string
	for k := range n {
		r := k
		if rows != nil {
			r = int(rows[k])
		}
		if d := v.Datum(r); d.Null {
			out = append(out, "∅")
		} else {
			out = append(out, types.Format(v.Type, d, nil))
		}
	}
	return out
}

func evaluate(t *testing.T, e expr.Expr, b *vec.Batch, input []types.Type) ([]string, error) {
	t.Helper()
	evaluator, err := Compile(e, input, Env{Registry: fn.NewRegistry(nil)})
	if err != nil {
		return nil, err
	}
	v, err := evaluator.Eval(b)
	if err != nil {
		return nil, err
	}
	return texts(v, b.Sel, b.Rows()), nil
}

func TestLaterConjunctsSpareRejectedRows(t *testing.T) {
	input := []types.Type{integer4, textType}
	b := batchOf(t, input, []string{"1", "10"}, []string{"2", "x"}, []string{"1", "∅"}, []string{"1", "30"})
	number := &expr.Cast{Arg: column(1, textType), To: integer4}
	guard := &expr.Compare{Op: expr.Equal, Left: column(0, integer4), Right: literal(integer4, "1")}
	large := &expr.Compare{Op: expr.Greater, Left: number, Right: literal(integer4, "20")}
	predicate, err := CompilePredicate(&expr.And{Args: []expr.Expr{guard, large}}, input, Env{})
	if err != nil {
		t.Fatal(err)
	}
	sel, err := predicate.Select(b, nil)
	if err != nil || !slices.Equal(sel, []int32{3}) {
		t.Fatalf("selected %v, %v", sel, err)
	}
	bare, _ := CompilePredicate(large, input, Env{})
	if _, err := bare.Select(b, nil); sqlerr.CodeOf(err) != sqlerr.InvalidTextRepresentation {
		t.Fatalf("without the guard: %v", err)
	}
	if sel, err := bare.Select(b, []int32{0, 2, 3}); err != nil || !slices.Equal(sel, []int32{3}) {
		t.Fatalf("through a selection: %v, %v", sel, err)
	}
}

func TestConditionalsAreLazy(t *testing.T) {
	input := []types.Type{integer4, textType}
	b := batchOf(t, input, []string{"1", "10"}, []string{"2", "x"}, []string{"∅", "∅"}, []string{"3", "40"})
	number := &expr.Cast{Arg: column(1, textType), To: integer4}
	two := &expr.Compare{Op: expr.Equal, Left: column(0, integer4), Right: literal(integer4, "2")}
	for _, c := range []struct {
		name string
		e    expr.Expr
		want []string
	}{
		{"case", &expr.Case{Whens: []expr.When{{Condition: two, Result: literal(integer4, "-1")}}, Else: number, T: integer4},
			[]string{"10", "-1", "∅", "40"}},
		{"case without else", &expr.Case{Whens: []expr.When{{Condition: &expr.Not{Arg: two}, Result: number}}, T: integer4},
			[]string{"10", "∅", "∅", "40"}},
		{"coalesce", &expr.Coalesce{Args: []expr.Expr{column(0, integer4), number}, T: integer4}, []string{"1", "2", "∅", "3"}},
		{"try", &expr.Try{Arg: number}, []string{"10", "∅", "∅", "40"}},
		{"try cast", &expr.Cast{Arg: column(1, textType), To: integer4, Try: true}, []string{"10", "∅", "∅", "40"}},
		{"or", &expr.Or{Args: []expr.Expr{two, &expr.Compare{Op: expr.Less, Left: number, Right: literal(integer4, "20")}}},
			[]string{"t", "t", "∅", "f"}},
		{"and", &expr.And{Args: []expr.Expr{&expr.Not{Arg: two}, &expr.Compare{Op: expr.Less, Left: number, Right: literal(integer4, "20")}}},
			[]string{"t", "f", "∅", "f"}},
		{"in", &expr.In{Arg: column(0, integer4), List: []expr.Expr{literal(integer4, "3"), literal(integer4, "2")}},
			[]string{"f", "t", "∅", "t"}},
		{"not in with null", &expr.Not{Arg: &expr.In{Arg: column(0, integer4), List: []expr.Expr{literal(integer4, "3"),
			&expr.Literal{Value: types.NullDatum(), T: integer4}}}}, []string{"∅", "∅", "∅", "f"}},
		{"distinct", &expr.Compare{Op: expr.Distinct, Left: column(0, integer4), Right: &expr.Literal{Value: types.NullDatum(), T: integer4}},
			[]string{"t", "t", "f", "t"}},
	} {
		got, err := evaluate(t, c.e, b, input)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v; want %v", c.name, got, err, c.want)
		}
	}
}

func TestDictionaryEntriesOfFilteredRowsDoNotRaise(t *testing.T) {
	dict := batchOf(t, []types.Type{textType}, []string{"7"}, []string{"bad"}, []string{"9"}).Cols[0]
	var v vec.Vector
	v.ResizeDict(&dict, 1, 4)
	copy(vec.Values[int32](&v), []int32{0, 1, 2, 0})
	b := &vec.Batch{Cols: []vec.Vector{v}, Len: 4, Sel: []int32{0, 2, 3}}
	number := &expr.Cast{Arg: column(0, textType), To: integer4}
	got, err := evaluate(t, number, b, []types.Type{textType})
	if err != nil || !slices.Equal(got, []string{"7", "9", "7"}) {
		t.Fatal(got, err)
	}
	b.Sel = nil
	if _, err := evaluate(t, number, b, []types.Type{textType}); sqlerr.CodeOf(err) != sqlerr.InvalidTextRepresentation {
		t.Fatal(err)
	}
	got, err = evaluate(t, &expr.Cast{Arg: column(0, textType), To: integer4, Try: true}, b, []types.Type{textType})
	if err != nil || !slices.Equal(got, []string{"7", "∅", "9", "7"}) {
		t.Fatal(got, err)
	}
}
