package vm

import (
	"maps"
	"slices"
)

// TrapReasons returns the reason of each trap.
func TrapReasons() []string { return slices.Sorted(maps.Values(traps)) }

// Compiled returns how many modules are compiled for calls that nobody will stop.
func (e *Engine) Compiled() int {
	e.steady.mu.Lock()
	defer e.steady.mu.Unlock()
	return len(e.steady.byHash)
}
