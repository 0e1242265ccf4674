package memory

import (
	"testing"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

func TestAccount(t *testing.T) {
	pool := NewRoot("query", 100)
	a := NewAccount(pool, "a scan")
	var part int64
	for i, step := range []struct {
		do   func() error
		used int64
		part int64
		code sqlerr.Code
	}{
		{func() error { return a.Resize(&part, 40) }, 40, 40, ""},
		{func() error { return a.Grow(10) }, 50, 40, ""},
		{func() error { return a.Grow(-7) }, 50, 40, ""},
		{func() error { return a.Resize(&part, 200) }, 50, 40, sqlerr.OutOfMemory},
		{func() error { return a.Resize(&part, 5) }, 15, 5, ""},
		{func() error { return a.Set(101) }, 15, 5, sqlerr.OutOfMemory},
		{func() error { return a.Set(20) }, 20, 5, ""},
		{func() error { err := pool.Reserve(30, "another"); a.Adopt(30); return err }, 50, 5, ""},
		{func() error { a.Close(); return nil }, 0, 5, ""},
		{func() error { return a.Grow(3) }, 3, 5, ""},
		{func() error { a.Close(); a.Close(); return nil }, 0, 5, ""},
	} {
		err := step.do()
		if err == nil && step.code != "" || err != nil && sqlerr.CodeOf(err) != step.code {
			t.Errorf("step %d: %v", i, err)
		}
		if pool.Used() != step.used || part != step.part {
			t.Errorf("step %d: %d bytes of the pool, %d of the part", i, pool.Used(), part)
		}
	}
	none := NewAccount(nil, "a scan")
	if err := none.Set(1 << 60); err != nil {
		t.Error(err)
	}
	none.Close()
}
