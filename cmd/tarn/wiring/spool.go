package wiring

import (
	"context"
	"path/filepath"

	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/exec/spill"
	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// spoolMemory is what one suspended or held result may keep in memory before it goes to disk.
const spoolMemory = 8 << 20

// spools keeps results of suspended portals in spill files.
type spools struct {
	parent *memory.Pool
	policy spill.Policy
}

// Spools gives a place for results that outlive their query: drained portals, cursors WITH HOLD and
// scrollable ones.
func (s *System) Spools(c *config.Config) session.SpoolMaker {
	return spools{parent: s.Memory, policy: spill.Policy{Directory: spillDirectory(c, s.Data), Enabled: c.Spill.Enabled, Operator: "suspended result"}}
}

func spillDirectory(c *config.Config, data string) string {
	if c.Spill.Dir != "" {
		return c.Spill.Dir
	}
	return filepath.Join(data, "spill")
}

func (s spools) NewSpool(columns []types.Type) (session.Spool, error) {
	limit := int64(spoolMemory)
	if !s.policy.Enabled {
		limit = memory.Unlimited
	}
	pool := s.parent.Child("suspended result", limit)
	return &spool{pool: pool, buffer: spill.NewBuffer(columns, pool, s.policy)}, nil
}

// spool is one result's rows.
type spool struct {
	pool    *memory.Pool
	buffer  *spill.Buffer
	scratch vec.Batch
}

func (s *spool) Append(_ context.Context, b *vec.Batch) error { return s.buffer.Append(b) }

func (s *spool) Read(_ context.Context, i int) (*vec.Batch, error) {
	return s.buffer.Batch(i, &s.scratch)
}

func (s *spool) Close() error {
	err := s.buffer.Close()
	s.pool.Close()
	return err
}
