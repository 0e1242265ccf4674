package files

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

func TestUnionOfManyColumns(t *testing.T) {
	set := &fileSet{}
	u := newUnion(set)
	u.next()
	start := time.Now()
	var err error
	for i := 0; err == nil; i++ {
		err = u.add(types.Field{Name: fmt.Sprintf("Column%d", i), Type: types.Of(types.Int64)}, "wide.parquet")
	}
	if sqlerr.CodeOf(err) != sqlerr.TooManyColumns || len(set.Columns) != maxColumns {
		t.Fatalf("%d columns, then %v", len(set.Columns), err)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Fatalf("took %v", took)
	}
}

func TestPanicsInParallelAreErrors(t *testing.T) {
	err := inParallel(t.Context(), 20, func(_ context.Context, i int) error {
		var none []int
		if i == 7 {
			_ = none[i]
		}
		return nil
	})
	if sqlerr.CodeOf(err) != sqlerr.InternalError {
		t.Fatal(err)
	}
}
