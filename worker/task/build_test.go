package task

import (
	"context"
	"testing"

	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

func TestFailedBuildingKeepsNoMemory(t *testing.T) {
	for _, panics := range []bool{false, true} {
		pool := memory.NewRoot("query", memory.Unlimited)
		func() {
			defer func() {
				if failure := recover(); (failure != nil) != panics {
					t.Errorf("panic %v", failure)
				}
			}()
			_, _, err := run(context.Background(), Env{Pool: pool}, func(e *Env, _ *Stats, _ pipeline.Sink) ([]*pipeline.Pipeline, error) {
				if err := e.Pool.Reserve(1000, "Sort"); err != nil {
					t.Fatal(err)
				}
				if panics {
					panic("while building")
				}
				return nil, sqlerr.Internal("no such node")
			})
			if err == nil {
				t.Error("no error")
			}
		}()
		if used := pool.Used(); used != 0 {
			t.Errorf("panics %v: %d bytes not returned", panics, used)
		}
	}
}
