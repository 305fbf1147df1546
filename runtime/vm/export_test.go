package vm

import (
	"maps"
	"slices"
)

// TrapReasons returns the reason of each trap.
func TrapReasons() []string { return slices.Sorted(maps.Values(traps)) }

// Compiled returns how many modules are ready.
func (e *Engine) Compiled() int {
	e.modules.mu.Lock()
	defer e.modules.mu.Unlock()
	return len(e.modules.byHash)
}
