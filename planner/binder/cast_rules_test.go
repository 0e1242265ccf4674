package binder

import (
	"testing"

	"github.com/tarnlake/tarn/exec/eval"
	"github.com/tarnlake/tarn/internal/types"
)

// TestCastsExist wants the evaluator to know every cast that the binder may write.
func TestCastsExist(t *testing.T) {
	sample := func(k types.Kind) types.Type {
		switch k {
		case types.Decimal:
			return types.DecimalOf(20, 3)
		case types.Char:
			return types.Type{Kind: types.Char, Length: 5}
		}
		return types.Of(k)
	}
	for from := types.Bool; from <= types.JSONB; from++ {
		for to := types.Bool; to <= types.JSONB; to++ {
			switch {
			case from == to, from == types.Array, from == types.Map, from == types.Row, to == types.Array, to == types.Map, to == types.Row,
				from == types.Int128Kind, to == types.Int128Kind:
				continue
			}
			a, b := sample(from), sample(to)
			if castRule(a, b) >= explicitOnly && !eval.CanCast(a, b) {
				t.Errorf("the evaluator cannot cast %s to %s", a, b)
			}
		}
	}
}
