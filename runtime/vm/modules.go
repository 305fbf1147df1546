package vm

import (
	"container/list"
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/tetratelabs/wazero"

	"github.com/wardledger/ward/runtime/vet"
)

// What is kept of modules that nobody uses. A call of one that isn't must make it ready again, which no gas pays for: a contract of a few
// KB takes a millisecond, one in plain Go a hundred, for a price of microseconds. So small ones don't drive out each other soon. Each has an
// open file, where images are files.
const (
	defaultModules = 512
	// defaultModuleBytes is how much Wasm they may have together, in bytes, as it is compiled: 64 of the largest, or 100 in plain Go. In memory
	// it is four times that.
	defaultModuleBytes = 256 << 20
)

// maxHeld is the most bytes that the images of modules may take which nobody uses: 10 times what 100 contracts in plain Go need. The
// one that was used last is kept whatever it takes.
const maxHeld = 512 << 20

// modules holds a wazero runtime and what was made ready in it, by code hash. A
// contract is made ready once, by the first who asks for it, while the others wait;
// it is closed when it isn't in use and limit others, or limitBytes of them, were used since.
type modules struct {
	runtime     wazero.Runtime
	config      wazero.RuntimeConfig // the runtime's, without a cache
	interpreter bool
	fresh       bool
	limit       int
	limitBytes  int
	cacheDir    string // or ""
	pool        *pool
	closed      atomic.Bool

	mu     sync.Mutex
	byHash map[[sha256.Size]byte]*module
	idle   *list.List // modules without users, the one to be closed next in front
	held   int        // bytes of the images of all modules
	bytes  int        // of Wasm of all modules
}

// A module is a contract by its hash. Whoever acquired it releases it.
type module struct {
	hash [sha256.Size]byte

	once sync.Once // makes it ready
	*contract
	err     error
	counted bool // in modules.held and modules.bytes; guarded by modules.mu

	users int           // guarded by modules.mu
	place *list.Element // in modules.idle while there are no users; guarded by modules.mu

	waiting []*list.Element // of its instances in pool.byIdleTime, the one used last at the end; guarded by pool.mu
}

func newModules(o Options, cache wazero.CompilationCache) (*modules, error) {
	config := wazero.NewRuntimeConfig()
	if o.Interpreter {
		// The interpreter looks at each loop whether it should stop, which a compiler can't without making loops 20 times slower.
		config = wazero.NewRuntimeConfigInterpreter().WithCloseOnContextDone(true)
	}
	config = config.
		WithCoreFeatures(features).
		WithMemoryLimitPages(vet.MaxPages).
		WithDebugInfoEnabled(false) // no contract's DWARF is read: it has no bounds
	m := &modules{
		runtime:     wazero.NewRuntimeWithConfig(context.Background(), config.WithCompilationCache(cache)),
		config:      config,
		interpreter: o.Interpreter,
		fresh:       o.Fresh,
		limit:       o.Modules,
		limitBytes:  o.ModuleBytes,
		cacheDir:    o.CacheDir,
		byHash:      make(map[[sha256.Size]byte]*module),
		idle:        list.New(),
		pool:        newPool(o),
	}
	if m.limit <= 0 {
		m.limit = defaultModules
	}
	if m.limitBytes <= 0 {
		m.limitBytes = defaultModuleBytes
	}
	if err := bind(m.runtime); err != nil {
		return nil, err
	}
	return m, nil
}

// close closes everything. No call may be running.
func (m *modules) close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed.Store(true)
	for hash, mod := range m.byHash {
		m.pool.empty(mod)
		if mod.contract != nil { // or its activation panicked
			mod.close()
		}
		delete(m.byHash, hash)
	}
	m.idle.Init()
	return m.runtime.Close(context.Background())
}

var errCompile = errors.New("the compiler panicked at this module before")

// acquire returns the contract with a hash, made ready from the module that get returns if need
// be. The error is get's, or that of a contract that can't be made ready: a *Refused.
func (m *modules) acquire(hash [sha256.Size]byte, get source) (*module, error) {
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
		mod.contract, mod.err = m.activate(hash, get)
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
	if !mod.counted {
		mod.counted = true
		m.held += mod.image.held()
		m.bytes += mod.bytes
	}
	mod.place = m.idle.PushBack(mod)
	for m.idle.Len() > m.limit || (m.held > maxHeld || m.bytes > m.limitBytes) && m.idle.Len() > 1 {
		oldest := m.idle.Remove(m.idle.Front()).(*module)
		delete(m.byHash, oldest.hash)
		m.held -= oldest.image.held()
		m.bytes -= oldest.bytes
		m.pool.empty(oldest)
		// Under the lock: wazero forgets compiled code by its hash, so closing
		// must not overtake somebody else's compiling of the same bytes.
		oldest.close()
	}
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
