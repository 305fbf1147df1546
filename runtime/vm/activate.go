package vm

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	goruntime "runtime"
	"strconv"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/meter"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/vet"
	"github.com/wardledger/ward/runtime/wasm"
)

// Refused is the error of a module that may not be deployed.
type Refused struct {
	// Reason is the rule, the same on every node and in every release that
	// speaks the same protocol.
	Reason string
	// Detail is what else is known, for people, or "".
	Detail string

	used uint64 // gas that _initialize had used by then
}

func (r *Refused) Error() string {
	if r.Detail == "" {
		return "contract refused: " + r.Reason
	}
	return "contract refused: " + r.Reason + ": " + r.Detail
}

func refused(format string, args ...any) *Refused {
	return &Refused{Reason: fmt.Sprintf(format, args...)}
}

// A contract is a module that is ready to be called: all that depends on its code alone.
type contract struct {
	compiled wazero.CompiledModule
	image    *image      // of its memory before a call
	data     []wasm.Data // of its memory before _initialize, only if every call is to start there
	pages    uint32      // of its memory before a call
	bytes    int         // of the Wasm that was compiled
	globals  []uint64    // the mutable ones before a call, in the order of their exports
	exports  []string    // their names

	hasSpec   bool
	stoppable bool // the engine looks for the end of the context
	functions int  // that the module has, imported ones included; those that the rewriter adds come behind

	enter, renew uint64 // what a call pays, in gas
	init         uint64 // what initializing it costs, in gas
}

// A source returns the vetted module with a hash. The error is a *Refused or says that this node is broken.
type source func(hash [sha256.Size]byte) (*wasm.Module, error)

// from returns the module that load reads from the state.
func from(load func() ([]byte, error)) source {
	return func(hash [sha256.Size]byte) (*wasm.Module, error) {
		code, err := load()
		if err != nil {
			return nil, fmt.Errorf("code %x: %w", hash[:8], err)
		}
		if got := sha256.Sum256(code); got != hash {
			return nil, fmt.Errorf("code %x: the stored bytes have the hash %x", hash, got)
		}
		return vetted(code)
	}
}

func vetted(code []byte) (*wasm.Module, error) {
	module, err := vet.Module(code)
	if err != nil {
		return nil, &Refused{Reason: err.Error()}
	}
	return module, nil
}

// activate makes a module ready: vetted, rewritten, compiled, initialized. It is the same for everybody. The error is a
// *Refused or says that this node is broken.
func (m *modules) activate(hash [sha256.Size]byte, get source) (*contract, error) {
	module, err := get(hash)
	if err != nil {
		return nil, err
	}
	c := &contract{renew: gas.RenewPrice(items(module)), stoppable: m.interpreter, functions: module.NumFuncs()}
	for _, e := range module.Exports {
		c.hasSpec = c.hasSpec || e.Name == abi.ExportSpec
	}
	slim(module)
	rewritten, err := meter.Rewrite(module, prices(c.renew))
	if err != nil {
		panic(fmt.Sprintf("BUG: vm: code %x was vetted and can't be rewritten: %v", hash, err))
	}
	c.bytes = len(rewritten)
	if c.compiled, err = m.compile(hash, rewritten); err != nil {
		return nil, err
	}
	c.exports = mutableGlobals(module)
	if err := m.initialize(hash, c, module.Data); err != nil {
		_ = c.compiled.Close(context.Background())
		return nil, err
	}
	if m.fresh {
		c.data = module.Data
	}
	return c, nil
}

// prices are what instructions cost.
func prices(renew uint64) meter.Prices {
	return meter.Prices{
		Op:    gas.Op,
		Stack: gas.OpStack,
		Local: gas.OpLocal,
		Grow:  renew * gas.Ticks, // the instance is not used again
		Page:  gas.OpPage,
		Bytes: gas.OpBytes,
	}
}

// items is how many things are made anew for each instance.
func items(m *wasm.Module) uint64 {
	n := len(m.Globals) + len(m.Exports) + len(m.Elems)
	for i := range m.Elems {
		n += m.Elems[i].Len()
	}
	for _, t := range m.Tables {
		n += int(t.Limits.Min) / 16 // empty entries: they are only cleared
	}
	if m.DataCount != nil {
		n += len(m.Data)
	}
	return uint64(n)
}

// fill writes the active data of a vetted module into the memory of an instance.
func (i *instance) fill(data []wasm.Data) {
	for n := range data {
		if d := &data[n]; d.Mode == wasm.Active {
			at, ok := d.Offset.I32()
			if !ok || !i.wasm.Memory().Write(at, d.Bytes) {
				panic(fmt.Sprintf("BUG: vm: data segment %d was vetted and doesn't fit", n))
			}
		}
	}
}

// slim takes the bytes of active data out of a module: they are in the image. wazero would take time for each segment of
// each instance, and the linker of Go makes 34,000.
func slim(m *wasm.Module) {
	kept := m.Sections[:0:0]
	for _, s := range m.Sections {
		switch {
		case s.ID == wasm.SectionData && m.DataCount == nil:
			continue // no instruction can name a segment
		case s.ID == wasm.SectionData:
			s.Bytes = passive(m.Data)
		}
		kept = append(kept, s)
	}
	m.Sections = kept
}

// passive returns a data section in which active segments are what they are once they were used: empty.
func passive(data []wasm.Data) []byte {
	b := binary.AppendUvarint(nil, uint64(len(data)))
	for i := range data {
		bytes := data[i].Bytes
		if data[i].Mode == wasm.Active {
			bytes = nil
		}
		b = append(b, 1)
		b = binary.AppendUvarint(b, uint64(len(bytes)))
		b = append(b, bytes...)
	}
	return b
}

// mutableGlobals returns the names under which the rewriter exports the module's own.
func mutableGlobals(m *wasm.Module) (names []string) {
	for i, g := range m.Globals {
		if g.Mutable {
			names = append(names, meter.Global+strconv.Itoa(i)) // none is imported
		}
	}
	return names
}

// compile returns the compiled module.
func (m *modules) compile(hash [32]byte, wasm []byte) (wazero.CompiledModule, error) {
	ctx := experimental.WithCompilationWorkers(context.Background(), goruntime.GOMAXPROCS(0))
	compiled, err := m.runtime.CompileModule(ctx, wasm)
	if err == nil {
		return compiled, nil
	}
	if m.closed.Load() {
		return nil, fmt.Errorf("engine closed: %w", err)
	}
	// What vet accepts is valid, so the error is of the cache: a full disk, a damaged file. A damaged file
	// would stop the node at every start. What is cached can be made again.
	if !m.compiles(ctx, wasm) {
		if m.interpreter {
			return nil, fmt.Errorf("code %x was vetted, but wazero does not take it: %w", hash[:8], err)
		}
		// A bug, of vet or of wazero, and the same for every node that compiles: better one contract less than a chain that stands still.
		return nil, &Refused{Reason: "it is valid, but does not compile", Detail: err.Error()}
	}
	if wiped := wipe(m.cacheDir); wiped == nil {
		compiled, err = m.runtime.CompileModule(ctx, wasm)
	}
	if err != nil {
		return nil, fmt.Errorf("cache of compiled contracts: code %x: %w", hash[:8], err)
	}
	return compiled, nil
}

// initialize runs the start function and _initialize, and keeps what they leave behind.
func (m *modules) initialize(hash [32]byte, c *contract, data []wasm.Data) error {
	h := &host.Call{Gas: gas.NewMeter(gas.MaxInit)}
	i, err := m.instantiate(c, hash, nil)
	if err != nil {
		return err
	}
	defer i.close()
	i.fill(data)
	if err := i.start(h); err != nil {
		return i.refusal("it can't be started", err, h)
	}
	memory := i.wasm.Memory()
	b, _ := memory.Read(0, memory.Size())
	c.pages = memory.Size() / pageSize
	if c.image, err = newImage(b); err != nil {
		return err
	}
	c.enter = gas.EnterPrice(uint64(c.pages))
	c.init = h.Gas.Used() + c.enter // all of the memory was looked through
	for _, g := range i.globals {
		c.globals = append(c.globals, g.Get())
	}
	return nil
}

// refusal says why a module is refused whose call h ended as err says.
func (i *instance) refusal(what string, err error, h *host.Call) error {
	var stop *host.Stop
	if !errors.As(err, &stop) {
		return err
	}
	r := refused("%s: %s", what, stop.Reason)
	if stop.Code == receipt.Failed {
		r = refused("%s: it failed with code %d: %s", what, stop.ContractCode, stop.Reason)
	}
	r.used = h.Gas.Used()
	if lines := h.Log(); len(lines) > 0 {
		r.Detail = lines[len(lines)-1]
	}
	return r
}

// close frees what a contract holds. No instance of it may be left.
func (c *contract) close() {
	_ = c.compiled.Close(context.Background())
	c.image.file.close()
}

// Activate makes code ready to be called, as its deployment does, and has meter pay for it: by the byte and by the work of
// compiling, before that is done, and for what _initialize used, also if it came to nothing. There must be gas.MaxInit left for that. Code
// that is ready already costs the same. The error is a [*Refused], a *host.Stop (there is too little gas), or says that this node is broken.
func (e *Engine) Activate(pay *gas.Meter, code []byte) error {
	if len(code) > vet.MaxModule { // before hashing, or anything else that takes time in proportion
		return refused("the module is %d bytes, limit %d", len(code), vet.MaxModule)
	}
	if !pay.Charge(gas.ActivateByte * uint64(len(code))) {
		return noGas(pay)
	}
	module, err := vetted(code)
	if err != nil {
		return err
	}
	if !pay.Charge(gas.ActivateWork * vet.Work(module)) {
		return noGas(pay)
	}
	if pay.Left() < gas.MaxInit {
		pay.Charge(pay.Left() + 1)
		return noGas(pay)
	}
	c, err := e.modules.acquire(sha256.Sum256(code), func([sha256.Size]byte) (*wasm.Module, error) { return module, nil })
	if err != nil {
		if no, ok := errors.AsType[*Refused](err); ok {
			pay.Charge(no.used)
		}
		return err
	}
	defer e.modules.release(c)
	if !pay.Charge(c.init) {
		return noGas(pay)
	}
	return nil
}

func noGas(pay *gas.Meter) *host.Stop {
	return host.Stopf(receipt.OutOfGas, "the gas limit of %d is used up", pay.Limit())
}

// Vet decides whether a module may be deployed: whether it is valid Wasm of the
// features allowed and within the bounds, imports nothing that isn't in the tables
// of runtime/abi, exports what is asked of it, and can be initialized. The error is a [*Refused] or says that ctx ended
// before Vet began.
func (e *Engine) Vet(ctx context.Context, code []byte) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return e.Activate(gas.NewMeter(maxActivation), code)
}

// maxActivation pays for whatever vet accepts.
const maxActivation = 1 << 50

// Describe returns the encoded spec of a contract, by asking the contract: it runs the
// export ward_spec, to which only the functions ret, log and fail answer. The
// error is as Vet's.
func (e *Engine) Describe(ctx context.Context, code []byte) ([]byte, error) {
	if err := e.Vet(ctx, code); err != nil {
		return nil, err
	}
	mod, err := e.modules.acquire(sha256.Sum256(code), from(func() ([]byte, error) { return code, nil }))
	if err != nil {
		return nil, err
	}
	defer e.modules.release(mod)
	if !mod.hasSpec {
		return nil, refused("no export %s: the contract can't describe itself", abi.ExportSpec)
	}
	h := &host.Call{Gas: gas.NewMeter(gas.MaxLimit)}
	i, err := e.modules.take(mod)
	if err != nil {
		return nil, err
	}
	defer i.close()
	if err := i.run(ctx, abi.ExportSpec, describing, h); err != nil {
		return nil, i.refusal("it can't describe itself", err, h)
	}
	spec := h.Result()
	if _, err := abi.DecodeSpec(spec); err != nil {
		return nil, &Refused{Reason: "what " + abi.ExportSpec + " returned is not a spec", Detail: err.Error()}
	}
	return spec, nil
}

// mutableGlobal finds a global that the rewriter exported.
func mutableGlobal(m api.Module, name string) api.MutableGlobal {
	g, ok := m.ExportedGlobal(name).(api.MutableGlobal)
	if !ok {
		panic("BUG: vm: the rewritten module has no global " + name)
	}
	return g
}
