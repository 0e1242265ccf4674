package wiring

import (
	"testing"

	"github.com/tarnlake/tarn/coordinator/engine"
	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
)

// A defect in building a plan fails one statement: nothing of it is counted as running afterwards.
func TestPanicsWhileBuildingEndTheTask(t *testing.T) {
	s, err := Open(t.Context(), Options{Config: config.Default(), InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	values := &plan.Values{}
	values.Out = types.Schema{{Name: "a", Type: types.Of(types.Int64)}}
	bad := &plan.Aggregate{Input: values, Keys: []int{9}}
	bad.Out = values.Out
	plan.Number(bad)
	func() {
		defer func() {
			if recover() == nil {
				t.Fatal("no panic")
			}
		}()
		_, err := s.Runner.Run(t.Context(), engine.RunRequest{Fragments: []plan.Fragment{{Root: bad, Single: true, Output: plan.Output{Readers: 1}}}, Session: &fn.Session{}})
		t.Error(err)
	}()
	if n, used := s.Runner.totals.Running.Load(), s.Memory.Used(); n != 0 || used != 0 {
		t.Errorf("%d tasks run, %d bytes are held", n, used)
	}
}
