package memory

import (
	"testing"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

func TestReserveCountsUpToTheRootAndUndoesOnRefusal(t *testing.T) {
	root := NewRoot("worker", 100)
	query := root.Child("query", 60)
	op := query.Child("join", Unlimited)
	if !op.TryReserve(50) || op.TryReserve(20) {
		t.Fatal("limit of the query pool not kept")
	}
	if root.Used() != 50 || query.Used() != 50 || op.Used() != 50 {
		t.Fatal("refused reservation left traces", root.Used(), query.Used(), op.Used())
	}
	if err := op.Reserve(20, "Hash Join"); sqlerr.CodeOf(err) != sqlerr.OutOfMemory {
		t.Fatal(err)
	}
	if left := op.Close(); left != 50 || root.Used() != 0 {
		t.Fatal(left, root.Used())
	}
	if root.Peak() != 50 {
		t.Fatal(root.Peak())
	}
}

func TestReserveAsksTheLargestOperatorToSpill(t *testing.T) {
	query := NewRoot("worker", 1000).Child("query", 100)
	small, large := query.Child("sort", Unlimited), query.Child("aggregate", Unlimited)
	a := small.Register(func() int64 { return small.Used() })
	b := large.Register(func() int64 { return large.Used() })
	small.TryReserve(20)
	large.TryReserve(70)
	if err := small.Reserve(30, "Sort"); err != nil {
		t.Fatal(err)
	}
	if a.Asked() || !b.Asked() {
		t.Fatal("the smaller operator was asked")
	}
	b.Done()
	b.Unregister()
	if err := small.Reserve(100, "Sort"); err == nil {
		t.Fatal("nothing left to reclaim, yet granted")
	}
}

func TestRegionGrowsInPlaceAndReturnsItsBytes(t *testing.T) {
	pool := NewRoot("worker", 32<<20)
	r, err := pool.NewRegion()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Grow(5000, "Test"); err != nil {
		t.Fatal(err)
	}
	words := SliceOf[uint64](r, 0, 600)
	words[599] = 7
	if !r.TryGrow(20 << 20) {
		t.Fatal("growth refused")
	}
	all := SliceOf[uint64](r, 0, 20<<17)
	if all[599] != 7 || &all[0] != &words[0] {
		t.Fatal("content moved")
	}
	all[len(all)-1] = 1
	if r.TryGrow(40 << 20) {
		t.Fatal("grown beyond the pool's limit")
	}
	if err := r.Grow(40<<20, "Test"); sqlerr.CodeOf(err) != sqlerr.OutOfMemory {
		t.Fatal(err)
	}
	r.Free()
	r.Free()
	if pool.Used() != 0 {
		t.Fatal(pool.Used())
	}
}

func TestFreedMemoryIsUsedAgainAndGivesWay(t *testing.T) {
	root := NewRoot("worker", 64<<20)
	pool := root.Child("query", Unlimited)
	b, err := pool.NewBlock(4<<20, "Test")
	if err != nil {
		t.Fatal(err)
	}
	words := BlockOf[uint64](b, 0, 1<<19)
	words[77] = 7
	first := &words[0]
	b.Free()
	if root.Used() != 0 || root.warm.held() != 4<<20 {
		t.Fatal(root.Used(), root.warm.held())
	}
	if b, err = pool.NewBlock(4<<20, "Test"); err != nil {
		t.Fatal(err)
	}
	if words = BlockOf[uint64](b, 0, 1<<19); &words[0] != first || words[77] != 0 || root.warm.held() != 0 {
		t.Fatal("not used again, or not cleared")
	}
	b.Free()
	if !pool.TryReserve(62 << 20) {
		t.Fatal("kept memory stands in the way")
	}
	if root.warm.held() != 0 {
		t.Fatal("kept beyond the limit")
	}
	pool.Release(62 << 20)
}
