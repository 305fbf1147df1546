package vm

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

const pageSize = 64 << 10

// features is what wazero compiles: everything of Wasm 2.0 but SIMD. What a contract may use is for runtime/vet to say.
const features = api.CoreFeaturesV2 &^ api.CoreFeatureSIMD

// Options of an Engine. None of them changes any result. The zero value is what a
// node should use.
type Options struct {
	// Interpreter runs contracts without compiling them to machine code, which is
	// what happens anyway on platforms for which wazero has no compiler. It is
	// some 50 times slower.
	Interpreter bool
	// CacheDir is a folder for compiled machine code, which spares a restarted node the
	// compiling. Nobody else may be able to write there: what lies in it is run.
	// Empty means that nothing is kept.
	CacheDir string
	// Modules is how many compiled modules are kept in memory while nobody uses
	// them, and ModuleBytes how many bytes of Wasm they may have together; one of plain Go has 2.5 MB and takes about 10 MB.
	// 0 means 512 modules and 256 MiB.
	Modules, ModuleBytes int
	// Idle is how many instances wait for their next call at most, and IdleBytes how much memory they may hold, about.
	// 0 means 128 instances and 256 MiB; an Idle below zero means none.
	Idle, IdleBytes int
	// Fresh makes every call start from a new instance and run _initialize again: what the snapshot and
	// the pool must be equal to, some 50 times slower. It is for tests.
	Fresh bool
	// Names returns a module with the names of the functions of the code with a hash, which has none in itself; nil if there is none either. It
	// is asked when a call that is traced has trapped, may take its time, and is for the trace alone. Nil asks nobody.
	Names func(code [sha256.Size]byte) []byte
}

// Engine compiles and runs contracts. Its methods may be used by many goroutines at
// once.
type Engine struct {
	cache   wazero.CompilationCache
	modules *modules
	names   func(code [sha256.Size]byte) []byte // Options.Names
}

// New returns an engine. Close it after use.
func New(o Options) (*Engine, error) {
	e := &Engine{names: o.Names}
	if o.CacheDir == "" {
		e.cache = wazero.NewCompilationCache()
	} else {
		cache, err := wazero.NewCompilationCacheWithDir(o.CacheDir)
		if err != nil {
			return nil, fmt.Errorf("cache of compiled contracts: %w", err)
		}
		e.cache = cache
	}
	var err error
	if e.modules, err = newModules(o, e.cache); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// Close frees what the engine holds. No call may be running. It may be called
// again.
func (e *Engine) Close() error {
	var err error
	if e.modules != nil {
		err = e.modules.close()
	}
	return errors.Join(err, e.cache.Close(context.Background()))
}
