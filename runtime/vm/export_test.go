package vm

import (
	"maps"
	"slices"

	"github.com/wardledger/ward/runtime/meter"
)

// TrapReasons returns the reason of each trap.
func TrapReasons() []string { return slices.Sorted(maps.Values(traps)) }

// Compiled returns how many modules are ready.
func (e *Engine) Compiled() int {
	e.modules.mu.Lock()
	defer e.modules.mu.Unlock()
	return len(e.modules.byHash)
}

// Idle returns how many instances wait.
func (e *Engine) Idle() int {
	e.modules.pool.mu.Lock()
	defer e.modules.pool.mu.Unlock()
	return e.modules.pool.byIdleTime.Len()
}

// Rewritten returns the module that is compiled for code.
func Rewritten(code []byte) []byte {
	module, err := vetted(code)
	if err != nil {
		panic(err)
	}
	slim(module)
	rewritten, err := meter.Rewrite(module, prices(1))
	if err != nil {
		panic(err)
	}
	return rewritten
}
