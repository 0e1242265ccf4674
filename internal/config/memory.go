package config

import (
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// leastMemory is the smallest limit under which a server is any use.
const leastMemory Size = 64 << 20

// fallbackMemory is assumed where neither container nor machine tell their memory.
const fallbackMemory Size = 2 << 30

// MemoryLimit gives the bound of the process: memory.limit, or 80 % of what the container or else
// the machine has.
func (m Memory) MemoryLimit() Size {
	if m.Limit > 0 {
		return m.Limit
	}
	has, err := memlimit.FromCgroup()
	if machine, machineErr := memlimit.FromSystem(); err != nil || machineErr == nil && machine < has {
		has, err = machine, machineErr
	}
	if err != nil {
		return fallbackMemory
	}
	return max(Size(has/10*8), leastMemory)
}

// PoolLimit is what queries may reserve of the limit: the rest is for what nobody reserves, such as
// batches under way, garbage that is not collected yet, plans and the program itself.
func (m Memory) PoolLimit() Size {
	limit := m.MemoryLimit()
	return max((limit-programMemory)/4*3, limit/4)
}

// programMemory is about what the process has apart from Go's heap and the pools: its code, and C's heap.
const programMemory Size = 64 << 20

// ApplyGoLimit tells Go's runtime to collect harder when the process nears limit, of which outside is
// used outside Go's heap. Call it again when that changes.
func ApplyGoLimit(limit, outside Size) {
	debug.SetMemoryLimit(int64(max(limit-limit/16-programMemory-outside, limit/8, leastMemory/2)))
}
