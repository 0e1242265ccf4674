package order

import (
	"strings"
	"testing"

	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// A constant stands for far more text than it holds: its rows' keys are encoded a few at a time.
func TestLongKeysAreEncodedInPieces(t *testing.T) {
	text := types.Of(types.Text)
	long := vec.NewConst(text, types.StringDatum(strings.Repeat("x", 1<<20)), 100)
	b := &vec.Batch{Len: 100, Cols: []vec.Vector{*long}}
	list := make([]int32, 100)
	for i := range list {
		list[i] = int32(i)
	}
	e := newEncoder([]plan.SortKey{{Column: 0}}, []types.Type{text})
	if n := e.piece(b, list); n != pieceBytes>>20 {
		t.Errorf("%d rows at once", n)
	}
	huge := &vec.Batch{Len: 2, Cols: []vec.Vector{*vec.NewConst(text, types.StringDatum(strings.Repeat("x", 2*pieceBytes)), 2)}}
	if n := e.piece(huge, list[:2]); n != 1 {
		t.Errorf("%d huge rows at once", n)
	}
	numbers := newEncoder([]plan.SortKey{{Column: 0}}, []types.Type{types.Of(types.Int32)})
	if n := numbers.piece(&vec.Batch{Len: 100, Cols: []vec.Vector{*vec.NewConst(types.Of(types.Int32), types.IntDatum(1), 100)}}, list); n != 100 {
		t.Errorf("%d numbers at once", n)
	}
}
