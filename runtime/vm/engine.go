package vm

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// Bounds of a contract. They decide results, so they are no options.
const (
	// MaxCode is the largest module in bytes: a contract in plain Go takes 2 to
	// 3 MiB, and a block must carry one.
	MaxCode = 4 << 20
	// MaxMemory is the most linear memory of an instance in bytes. Growing beyond
	// it fails inside the contract, which may or may not survive that. The
	// runtime of plain Go starts with 3 MiB.
	MaxMemory = 64 << 20
	// MaxTable is the most entries of all tables of a module together: one for
	// each function whose address is taken, and plain Go has some 5,000.
	MaxTable = 1 << 16
)

const pageSize = 64 << 10

// features is what modules may use: everything of Wasm 2.0 but SIMD, whose
// results nobody has made sure of. Threads, exceptions, tail calls and the
// rest of what came later are not in CoreFeaturesV2.
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
	// them; one of plain Go takes about 10 MB. 0 means 64.
	Modules int
}

// Engine compiles and runs contracts. Its methods may be used by many goroutines at
// once.
type Engine struct {
	cache wazero.CompilationCache
	// steady runs what nobody will interrupt, at full speed. stoppable runs the same
	// code compiled anew to look at each loop whether it should stop, which makes
	// tight loops 20 times slower.
	steady, stoppable *modules
}

// New returns an engine. Close it after use.
func New(o Options) (*Engine, error) {
	e := &Engine{}
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
	if e.steady, err = newModules(o, e.cache, false); err == nil {
		e.stoppable, err = newModules(o, e.cache, true)
	}
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// Close frees what the engine holds. No call may be running. It may be called
// again.
func (e *Engine) Close() error {
	var err error
	for _, m := range []*modules{e.steady, e.stoppable} {
		if m != nil {
			err = errors.Join(err, m.runtime.Close(context.Background()))
		}
	}
	return errors.Join(err, e.cache.Close(context.Background()))
}

// modules returns the modules for calls under ctx.
func (e *Engine) modules(ctx context.Context) *modules {
	if ctx.Done() == nil {
		return e.steady
	}
	return e.stoppable
}
