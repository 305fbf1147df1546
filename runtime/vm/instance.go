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
	"github.com/wardledger/ward/runtime/meter"
	"github.com/wardledger/ward/runtime/receipt"
)

// An instance is a contract in memory. It serves one call at a time; between two it is put back to what the
// contract's snapshot says.
type instance struct {
	contract *contract
	hash     [sha256.Size]byte
	root     context.Context // carries call to the functions that bind made
	wasm     api.Module
	memory   memory
	ticks    api.MutableGlobal // gas that is left, as the module counts it
	stack    api.MutableGlobal // bytes of stack that are left
	window   api.MutableGlobal // bytes of stack that are paid for
	globals  []api.MutableGlobal
	entry    api.Function // ward_call with a stack that has grown as far as calls need it; nil: to be made

	call  call // the one that it serves
	spent bool // it trapped: it is not used again
}

// call is what the host functions know of the call in which they are called.
type call struct {
	instance *instance
	host     *host.Call
	ctx      context.Context // the caller's
	phase    phase
	wasi     wasi
	args     args // of the host function that is running; here, so that a call of one allocates nothing

	end     error        // why the host stopped the contract: a *host.Stop, or that this node is broken
	running string       // the host function that is running, or ""
	frames  []stackFrame // what was running when a call trapped that is traced
}

// callKey is the context key of the *call.
type callKey struct{}

// instanceConfig: no name, because wazero would refuse two modules of one; no
// start functions, because they are called from here.
var instanceConfig = wazero.NewModuleConfig().WithName("").WithStartFunctions()

// instantiate makes an instance whose memory is an image. Its globals are what the module says.
func (m *modules) instantiate(c *contract, hash [sha256.Size]byte, image *image) (i *instance, err error) {
	i = &instance{contract: c, hash: hash, memory: memory{image: image}}
	i.call.instance = i
	i.root = context.WithValue(context.Background(), callKey{}, &i.call)
	made := i
	defer func() {
		// wazero has no way to be told that there is no memory, and panics.
		if made.memory.err != nil {
			_ = recover()
			err = made.memory.err
		}
		if err != nil {
			made.memory.Free()
			i = nil
		}
	}()
	ctx := experimental.WithMemoryAllocator(i.root, &i.memory)
	if i.wasm, err = m.runtime.InstantiateModule(ctx, c.compiled, instanceConfig); err != nil {
		return nil, fmt.Errorf("wazero: code %x can't be instantiated: %w", hash[:8], err)
	}
	i.ticks = mutableGlobal(i.wasm, meter.Gas)
	i.stack = mutableGlobal(i.wasm, meter.Stack)
	i.window = mutableGlobal(i.wasm, meter.Window)
	for _, name := range c.exports {
		i.globals = append(i.globals, mutableGlobal(i.wasm, name))
	}
	return i, nil
}

// restore makes an instance of the snapshot's memory what the snapshot says.
func (i *instance) restore() error {
	if have := i.wasm.Memory().Size() / pageSize; have < i.contract.pages {
		if _, ok := i.wasm.Memory().Grow(i.contract.pages - have); !ok {
			return fmt.Errorf("code %x: its memory does not grow to the %d pages that it had: %w", i.hash[:8], i.contract.pages, i.memory.err)
		}
	}
	i.putBack()
	return nil
}

// putBack sets the globals to what they were.
func (i *instance) putBack() {
	for n, g := range i.globals {
		g.Set(i.contract.globals[n])
	}
}

// reset makes the instance what it was before its call. False says that it can't serve another.
func (i *instance) reset() bool {
	i.call = call{instance: i, wasi: wasi{stdio: i.call.wasi.stdio}} // lets go of the call's state, events and log
	if i.spent || i.wasm.IsClosed() || i.wasm.Memory().Size() != i.contract.pages*pageSize {
		return false
	}
	i.putBack()
	return i.memory.reset() == nil
}

// start runs the start function and _initialize.
func (i *instance) start(h *host.Call) error {
	for _, export := range []string{meter.Start, abi.ExportInitialize} {
		if i.wasm.ExportedFunction(export) == nil {
			continue
		}
		if err := i.run(context.Background(), export, starting, h); err != nil {
			return err
		}
	}
	return nil
}

// run calls an export on behalf of h, whose gas pays for it. The error is a *host.Stop or as [Engine.Call]'s.
func (i *instance) run(ctx context.Context, export string, p phase, h *host.Call) error {
	k := &i.call
	*k = call{instance: i, host: h, ctx: ctx, phase: p, wasi: wasi{stdio: k.wasi.stdio}}
	if p == calling {
		k.wasi.begin(blockTime(h.Block.Time), callSeed(h.Seed, h.Contract))
	} else {
		k.wasi.begin(initTime, initSeed(i.hash))
	}
	f := i.entry
	if export != abi.ExportCall || f == nil {
		if f = i.wasm.ExportedFunction(export); f == nil {
			panic("BUG: vm: a module was vetted without an export " + export)
		}
	}
	under := i.root
	if i.contract.stoppable && ctx.Done() != nil {
		under = context.WithValue(ctx, callKey{}, k)
	}
	i.stack.Set(meter.FreeStack)
	i.window.Set(meter.FreeStack)
	k.resume()
	err := f.CallWithStack(under, nil)
	// The stack never shrinks. One that was paid for is not kept, or the pool would fill with large ones.
	if i.entry = nil; export == abi.ExportCall && i.window.Get() == meter.FreeStack {
		i.entry = f
	}
	if under != i.root && ctx.Err() != nil {
		i.spent = true // wazero may close the instance yet, when it finds the time
	}
	k.wasi.flush(h)
	trapped := err
	if err = k.why(err); err != nil {
		if trapped != nil && h.Trace != nil && stopped(err) {
			k.frames = frames(trapped, i.contract.functions)
		}
		return err
	}
	if !k.pause() {
		return h.OutOfGas()
	}
	return nil
}

// pause takes over what the contract has counted, and reports whether it had the gas. What it did until it was looked
// at, it did in a straight line.
func (k *call) pause() bool { return k.host.Gas.SetTicksLeft(int64(k.instance.ticks.Get())) }

// resume lets the contract count on.
func (k *call) resume() { k.instance.ticks.Set(k.host.Gas.TicksLeft()) }

// why turns the error of a run into one that Call knows.
func (k *call) why(err error) error {
	i := k.instance
	var exit *sys.ExitError
	switch {
	case i.memory.err != nil: // the contract was told that there is no more; other nodes have some
		return i.memory.err
	case err == nil:
		return nil
	case k.end != nil:
		return k.end
	case errors.As(err, &exit):
		// Our proc_exit makes no ExitError, so this is wazero closing the module: because
		// the context is done, or because somebody closed the engine under us.
		i.spent = true
		if cause := context.Cause(k.ctx); cause != nil {
			return cause
		}
		return fmt.Errorf("engine closed during a call: %w", err)
	case k.running != "":
		panic(fmt.Sprintf("BUG: vm: host function %s panicked: %v", k.running, err))
	}
	i.spent = true
	reason, ok := trapReason(err)
	if !ok {
		// Whatever it is, other nodes may not have it: it must not become a result.
		return fmt.Errorf("wazero: %w", err)
	}
	if !k.pause() {
		return k.host.OutOfGas()
	}
	if int64(i.stack.Get()) < 0 {
		reason = stackExhausted
	}
	// The next call needs another instance.
	k.host.Enter(host.Machine)
	defer k.host.Leave()
	if err := k.host.Charge(i.contract.renew); err != nil {
		return err
	}
	return k.trapped(reason)
}

// stopped reports whether an end is one of which a trace shows where it was: not one that the contract chose.
func stopped(end error) bool {
	stop, ok := errors.AsType[*host.Stop](end)
	return ok && (stop.Code == receipt.Trapped || stop.Code == receipt.OutOfGas)
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
	_ = i.wasm.Close(context.Background()) // only files could fail to close, and there are none
	i.memory.Free()
}

// halt ends the contract from inside a host function: nothing more of it runs.
func (k *call) halt(err error) {
	k.end = err
	k.host.Leave()
	panic(errHalt)
}

var errHalt = errors.New("the host ended the call")

// enter begins a host function: the contract has its gas, and whoever waits for it still waits.
func (k *call) enter(function string) {
	k.running = function
	if !k.pause() {
		k.halt(k.host.OutOfGas())
	}
	if k.ctx.Done() != nil {
		if cause := context.Cause(k.ctx); cause != nil {
			k.halt(cause)
		}
	}
	k.host.Enter(function)
	if err := k.host.Charge(gas.Host); err != nil {
		k.halt(err)
	}
}

// leave ends it.
func (k *call) leave() {
	k.running = ""
	k.host.Leave()
	k.resume()
}
