package vm

import (
	"container/list"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	goruntime "runtime"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"
)

const defaultModules = 64

// modules holds a wazero runtime and what was compiled for it, by code hash. A
// module is compiled once, by the first who asks for it, while the others wait;
// it is closed when it isn't in use and limit others were used since.
type modules struct {
	runtime  wazero.Runtime
	config   wazero.RuntimeConfig // the runtime's, without a cache
	memories memories
	limit    int
	cacheDir string // or ""

	mu     sync.Mutex
	byHash map[[32]byte]*module
	idle   *list.List // modules without users, the one to be closed next in front
}

// A module is a compiled contract. Whoever acquired it releases it.
type module struct {
	hash [32]byte

	once     sync.Once // compiles
	compiled wazero.CompiledModule
	price    uint64 // of an instance, in gas
	err      error

	users int           // guarded by modules.mu
	place *list.Element // in modules.idle while there are no users; guarded by modules.mu
}

func newModules(o Options, cache wazero.CompilationCache, stoppable bool) (*modules, error) {
	config := wazero.NewRuntimeConfig()
	if o.Interpreter {
		config = wazero.NewRuntimeConfigInterpreter()
	}
	config = config.
		WithCoreFeatures(features).
		WithMemoryLimitPages(MaxMemory / pageSize).
		WithDebugInfoEnabled(false). // no contract's DWARF is read: it has no bounds
		WithCloseOnContextDone(stoppable)
	m := &modules{
		runtime:  wazero.NewRuntimeWithConfig(context.Background(), config.WithCompilationCache(cache)),
		config:   config,
		limit:    o.Modules,
		cacheDir: o.CacheDir,
		byHash:   make(map[[32]byte]*module),
		idle:     list.New(),
	}
	if m.limit <= 0 {
		m.limit = defaultModules
	}
	if err := bind(m.runtime); err != nil {
		return nil, err
	}
	return m, nil
}

var errCompile = errors.New("the compiler panicked at this module before")

// acquire returns the compiled module with a hash, which load is asked for if need
// be. The error of a module that can't be compiled is a *Refused.
func (m *modules) acquire(hash [32]byte, load func() ([]byte, error)) (*module, error) {
	m.mu.Lock()
	mod := m.byHash[hash]
	if mod == nil {
		mod = &module{hash: hash}
		m.byHash[hash] = mod
	}
	mod.users++
	if mod.place != nil {
		m.idle.Remove(mod.place)
		mod.place = nil
	}
	m.mu.Unlock()

	mod.once.Do(func() {
		mod.err = errCompile // stays if compiling panics and somebody above recovers
		mod.compiled, mod.price, mod.err = m.compile(hash, load)
	})
	if mod.err != nil {
		m.release(mod)
		return nil, mod.err
	}
	return mod, nil
}

// release gives a module back.
func (m *modules) release(mod *module) {
	m.mu.Lock()
	defer m.mu.Unlock()
	mod.users--
	if mod.users > 0 {
		return
	}
	if mod.err != nil {
		// Not kept: the next who asks may bring a state that can be read.
		if m.byHash[mod.hash] == mod {
			delete(m.byHash, mod.hash)
		}
		return
	}
	mod.place = m.idle.PushBack(mod)
	for m.idle.Len() > m.limit {
		oldest := m.idle.Remove(m.idle.Front()).(*module)
		delete(m.byHash, oldest.hash)
		// Under the lock: wazero forgets compiled code by its hash, so closing
		// must not overtake somebody else's compiling of the same bytes.
		_ = oldest.compiled.Close(context.Background())
	}
}

// compile returns the compiled module and the price of an instance.
func (m *modules) compile(hash [32]byte, load func() ([]byte, error)) (wazero.CompiledModule, uint64, error) {
	wasm, err := load()
	if err != nil {
		return nil, 0, fmt.Errorf("code %x: %w", hash[:8], err)
	}
	if got := sha256.Sum256(wasm); got != hash {
		return nil, 0, fmt.Errorf("code %x: the stored bytes have the hash %x", hash, got)
	}
	wasm, err = prepare(wasm)
	if err != nil {
		return nil, 0, err
	}
	ctx := experimental.WithCompilationWorkers(context.Background(), goruntime.GOMAXPROCS(0))
	compiled, err := m.runtime.CompileModule(ctx, wasm)
	if err != nil {
		// Whether a module is valid is consensus, and the error may be of the cache: a full
		// disk, a damaged file. A node that took it for the module's would fork.
		if m.compiles(ctx, wasm) {
			// A damaged file would stop the node at every start. What is cached can be made again.
			if wiped := wipe(m.cacheDir); wiped == nil {
				compiled, err = m.runtime.CompileModule(ctx, wasm)
			}
			if err != nil {
				return nil, 0, fmt.Errorf("cache of compiled contracts: code %x: %w", hash[:8], err)
			}
			return compiled, instancePrice(wasm), checkOrClose(ctx, compiled)
		}
		return nil, 0, &Refused{Reason: "not a valid module within the features allowed", Detail: err.Error()}
	}
	return compiled, instancePrice(wasm), checkOrClose(ctx, compiled)
}

// checkOrClose is checkLinks; a module that fails it is closed.
func checkOrClose(ctx context.Context, compiled wazero.CompiledModule) error {
	err := checkLinks(compiled)
	if err != nil {
		_ = compiled.Close(ctx)
	}
	return err
}

// wipe removes the files of a cache, whose folders stay: wazero makes these only as it opens it.
func wipe(dir string) error {
	if dir == "" {
		return errors.New("there is no cache")
	}
	return filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Remove(file)
	})
}

// compiles reports whether a module can be compiled without the cache.
func (m *modules) compiles(ctx context.Context, wasm []byte) bool {
	r := wazero.NewRuntimeWithConfig(ctx, m.config)
	_, err := r.CompileModule(ctx, wasm)
	_ = r.Close(ctx) // frees memory alone
	return err == nil
}
