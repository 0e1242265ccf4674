package catalog

import (
	"testing"

	"github.com/tarnlake/tarn/test/pgserver"
)

// BenchmarkBegin measures what a snapshot costs that is fixed on a shared catalog: alone, and by many
// sessions at once.
func BenchmarkBegin(b *testing.B) {
	c, err := Open(b.Context(), pgserver.Database(b), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	once := func(b *testing.B) {
		tx, err := c.Begin(b.Context(), Session{})
		if err != nil {
			b.Fatal(err)
		}
		tx.Rollback()
	}
	b.Run("alone", func(b *testing.B) {
		for b.Loop() {
			once(b)
		}
	})
	b.Run("together", func(b *testing.B) {
		b.SetParallelism(16)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				once(b)
			}
		})
	})
}
