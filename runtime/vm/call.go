package vm

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/sys"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
)

// Code names the code to run.
type Code struct {
	// Hash is the SHA-256 of the module.
	Hash [sha256.Size]byte
	// Load returns the module. It is called only if the engine doesn't have it
	// compiled. An error means that this node can't read its state.
	Load func() ([]byte, error)
}

// Result is how a call ended. If Code is OK, events and return value are in the
// host.Call; otherwise they don't count, and what the call wrote is to be reverted.
type Result struct {
	Code         receipt.Code
	ContractCode uint32 // the contract's own code if Code is Failed, else 0
	Reason       string // why Code is not OK; see runtime/host on reasons
}

// Call runs the method that c names in a fresh instance of code, which must have
// passed Vet. What the contract did is in c afterwards, and in the store that c brought.
//
// A context that can't be done (ctx.Done() == nil) is what a block runs under: nothing
// but the contract and its gas ends the call. Under any other the call is slower, and
// is stopped when ctx is done: then the error wraps context.Cause(ctx), and
// what c holds is good for nothing. Any other error means that this node is broken.
func (e *Engine) Call(ctx context.Context, code Code, c *host.Call) (Result, error) {
	result, err := e.call(ctx, code, c)
	var stop *host.Stop
	switch {
	case err == nil:
		return result, nil
	case errors.As(err, &stop):
		return Result{stop.Code, stop.ContractCode, stop.Reason}, nil
	}
	return Result{}, fmt.Errorf("contract %s, method %s: %w", c.Contract, c.Method, err)
}

// Compile makes the engine ready for calls of code, those under a context that can be done
// and those under one that can't, which otherwise the first call of each has
// to wait for: half a second for a contract in plain Go, unless it is in the cache on disk.
// The error means that this node can't read its state, or is a [*Refused].
func (e *Engine) Compile(code Code) error {
	for _, m := range []*modules{e.steady, e.stoppable} {
		mod, err := m.acquire(code.Hash, code.Load)
		if err != nil {
			return err
		}
		m.release(mod)
	}
	return nil
}

func (e *Engine) call(ctx context.Context, code Code, c *host.Call) (Result, error) {
	if err := context.Cause(ctx); err != nil {
		return Result{}, err
	}
	if err := c.Charge(gas.Instantiate); err != nil {
		return Result{}, err
	}
	m := e.modules(ctx)
	mod, err := m.acquire(code.Hash, code.Load)
	if err != nil {
		return Result{}, err
	}
	defer m.release(mod)
	if err := c.Charge(mod.price - gas.Instantiate); err != nil {
		return Result{}, err
	}
	i := newInstance(ctx, m, mod, c)
	defer i.close()
	if err := i.start(); err != nil {
		return Result{}, err
	}
	return Result{}, i.run(abi.ExportCall, calling)
}

// phase says which functions of the module "ward" answer.
type phase int

const (
	starting   phase = iota // none
	describing              // ret, log, fail
	calling                 // all
)

// An instance is a contract in memory, for one call.
type instance struct {
	ctx     context.Context // carries call to the functions that bind made
	modules *modules
	module  *module
	call    *call
	wasm    api.Module // nil until start
}

// call is what the host functions know of the call in which they are called.
type call struct {
	host  *host.Call
	phase phase
	wasi  wasi
	args  args // of the host function that is running; here, so that a call of one allocates nothing

	end     error  // why the host stopped the contract: a *host.Stop, or that this node is broken
	running string // the host function that is running, or ""
}

// callKey is the context key of the *call.
type callKey struct{}

// instanceConfig: no name, because wazero would refuse two modules of one; no
// start functions, because they are called from here.
var instanceConfig = wazero.NewModuleConfig().WithName("").WithStartFunctions()

func newInstance(ctx context.Context, m *modules, mod *module, c *host.Call) *instance {
	k := &call{host: c}
	return &instance{ctx: context.WithValue(ctx, callKey{}, k), modules: m, module: mod, call: k}
}

// start instantiates the module and initializes it. The error is a *host.Stop or as
// Call's.
func (i *instance) start() (err error) {
	i.call.phase = starting
	i.call.wasi.begin(initTime, initSeed(i.module.hash))
	ctx := experimental.WithMemoryAllocator(i.ctx, &i.modules.memories)
	i.wasm, err = i.modules.runtime.InstantiateModule(ctx, i.module.compiled, instanceConfig)
	if err != nil {
		return i.why(err, true)
	}
	if i.wasm.ExportedFunction(abi.ExportInitialize) == nil {
		return nil
	}
	return i.run(abi.ExportInitialize, starting)
}

// run calls an export.
func (i *instance) run(export string, p phase) error {
	k := i.call
	k.phase = p
	if p == calling {
		k.wasi.begin(blockTime(k.host.Block.Time), callSeed(k.host.Seed, k.host.Contract))
	}
	f := i.wasm.ExportedFunction(export)
	if f == nil {
		// Vet asked for it, so this code came into the state without Vet.
		return fmt.Errorf("code %x has no export %s", i.module.hash[:8], export)
	}
	_, err := f.Call(i.ctx)
	k.wasi.flush(k.host)
	if err != nil {
		return i.why(err, false)
	}
	return nil
}

// why turns the error of a run into one that Call knows.
func (i *instance) why(err error, instantiating bool) error {
	k := i.call
	var exit *sys.ExitError
	switch {
	case k.end != nil:
		return k.end
	case errors.As(err, &exit):
		// Our proc_exit makes no ExitError, so this is wazero closing the module: because
		// the context is done, or because somebody closed the engine under us.
		if cause := context.Cause(i.ctx); cause != nil {
			return cause
		}
		return fmt.Errorf("engine closed during a call: %w", err)
	case k.running != "":
		panic(fmt.Sprintf("BUG: vm: host function %s panicked: %v", k.running, err))
	}
	if reason, ok := trapReason(err); ok {
		return k.trapped(reason)
	}
	if instantiating && misfit(err) {
		k.host.Note(err.Error())
		return host.Stopf(receipt.Trapped, "the module can't be instantiated")
	}
	// Whatever else it is, other nodes may not have it: it must not become a result.
	return fmt.Errorf("wazero: %w", err)
}

// trapped returns the end of a call that trapped or exited. If the contract said before
// why, as Go's runtime does, that is the better reason.
func (k *call) trapped(reason string) *host.Stop {
	if k.wasi.fatal != "" {
		reason = k.wasi.fatal
	}
	return host.Stopf(receipt.Trapped, "%s", reason)
}

// close frees the instance.
func (i *instance) close() {
	if i.wasm != nil {
		_ = i.wasm.Close(context.Background()) // only files could fail to close, and there are none
	}
}

// halt ends the contract from inside a host function: nothing more of it runs.
func (k *call) halt(err error) {
	k.end = err
	panic(errHalt)
}

var errHalt = errors.New("the host ended the call")
