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

// ApplyGoLimit tells Go's runtime to collect harder when the process nears limit: 10 % below it,
// and below what is used outside Go's heap.
func ApplyGoLimit(limit, offHeap Size) {
	debug.SetMemoryLimit(int64(max(limit-offHeap-limit/10, leastMemory/2)))
}
