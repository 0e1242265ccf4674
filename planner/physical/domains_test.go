package physical

import (
	"reflect"
	"testing"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/types"
)

// The arms of an OR over one column may say other things of other columns, whose types mean nothing to it.
func TestDomainOfDisjunctionComparesAsItsColumn(t *testing.T) {
	double, text := types.Of(types.Float64), types.Of(types.Text)
	x, name := &expr.Column{ID: 0, T: double}, &expr.Column{ID: 1, T: text}
	number := func(v float64) expr.Expr { return &expr.Literal{Value: types.FloatDatum(v), T: double} }
	in := func(values ...float64) expr.Expr {
		e := &expr.In{Arg: x}
		for _, v := range values {
			e.List = append(e.List, number(v))
		}
		return e
	}
	unlike := &expr.Compare{Op: expr.NotEqual, Left: name, Right: &expr.Literal{Value: types.StringDatum("a"), T: text}}
	values := func(e expr.Expr) (out []float64) {
		domains := Domains(e)
		if len(domains) != 1 || domains[0].Column != 0 {
			t.Fatal(domains)
		}
		for _, v := range domains[0].Values {
			out = append(out, v.F64)
		}
		return append(out, domains[0].Minimum.F64, domains[0].Maximum.F64)
	}
	either := &expr.Or{Args: []expr.Expr{in(64.5, 7), &expr.And{Args: []expr.Expr{in(3, 4), unlike}}}}
	if got := values(either); !reflect.DeepEqual(got, []float64{3, 4, 7, 64.5, 3, 64.5}) {
		t.Error(got)
	}
	ranges := &expr.Or{Args: []expr.Expr{
		&expr.And{Args: []expr.Expr{&expr.Compare{Op: expr.Greater, Left: x, Right: number(5)}, &expr.Compare{Op: expr.Less, Left: x, Right: number(9)}}},
		&expr.And{Args: []expr.Expr{&expr.Compare{Op: expr.Greater, Left: x, Right: number(-1)}, &expr.Compare{Op: expr.Less, Left: x, Right: number(20)}, unlike}}}}
	if got := values(ranges); !reflect.DeepEqual(got, []float64{-1, 20}) {
		t.Error(got)
	}
	both := &expr.And{Args: []expr.Expr{in(8, 64.5, 3), either}}
	if got := values(both); !reflect.DeepEqual(got, []float64{3, 64.5, 3, 64.5}) {
		t.Error(got)
	}
}
