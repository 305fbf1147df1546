package hostile

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/vm"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
)

// limit is the gas of a call: enough for hundreds of what a contract may ask of the host, and little
// enough that a flood ends soon.
const limit = 50_000_000

// computing is the gas of a call that only computes: a tenth of a second and more on the interpreter.
const computing = 2_000_000

// rounds is how often an engine makes a call: the second time the instance comes from the pool, unless the first has spoiled it.
const rounds = 3

// A call may compute so long, whatever the machine: some hundred times what its gas stands for, and some thousand times on the
// interpreter, which is no engine for a node that is in a hurry.
const (
	patience            = 5 * time.Second
	perGas              = 100 * time.Nanosecond
	perGasOfInterpreter = 2 * time.Microsecond
)

// A setup is an engine. Nothing that a contract does may tell one from another.
type setup struct {
	name        string
	interpreter bool
	get         func() *vm.Engine
}

var engines = []setup{
	newSetup("compiler", vm.Options{}),
	newSetup("compiler from the start", vm.Options{Fresh: true}),
	newSetup("compiler without a pool", vm.Options{Idle: -1}),
	newSetup("interpreter", vm.Options{Interpreter: true}),
}

func newSetup(name string, o vm.Options) setup {
	return setup{name, o.Interpreter, sync.OnceValue(func() *vm.Engine {
		e, err := vm.New(o)
		if err != nil {
			panic(err)
		}
		return e
	})}
}

// A way is how a call is made.
type way struct {
	method       string
	view         bool
	capabilities []string
	gas          uint64 // 0: limit
}

// newCall returns a call on an empty state.
func newCall(t *testing.T, w way) *host.Call {
	t.Helper()
	s, err := state.Open(state.NewMemory(), state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if w.gas == 0 {
		w.gas = limit
	}
	return &host.Call{
		Chain: "test-1", Block: host.Block{Height: 7, Time: 1_700_000_000},
		Contract: "hostile", Method: w.method, Args: []byte("\xa0"),
		View: w.view, Capabilities: w.capabilities,
		Gas: gas.NewMeter(w.gas), Store: s.Overlay(), Accounts: nobody{}, Authorities: nobody{}, Parameters: nobody{}, Permits: nobody{},
	}
}

// nobody has what the functions with a capability are about.
type nobody struct{}

func (nobody) OpenKey(*abi.OpenAccount) (abi.Status, error)        { return abi.StatusUnknown, nil }
func (nobody) ShutKey(address.Address) (abi.Status, error)         { return abi.StatusUnknown, nil }
func (nobody) ReopenKey(address.Address) (abi.Status, error)       { return abi.StatusUnknown, nil }
func (nobody) RetireKey(address.Address) (abi.Status, error)       { return abi.StatusUnknown, nil }
func (nobody) SetAuthorities(abi.AuthoritySet) (abi.Status, error) { return abi.StatusNotASet, nil }
func (nobody) Parameters() (abi.Parameters, error)                 { return abi.Parameters{}, nil }
func (nobody) SetParameters(abi.Parameters) error                  { return nil }
func (nobody) Permit(string, *abi.Permit) (abi.Status, error)      { return abi.StatusTooMany, nil }
func (nobody) Withdraw(string) (abi.Status, error)                 { return abi.StatusNoPermit, nil }

// A diary is a store that remembers what was written.
type diary struct {
	host.Store
	hash [sha256.Size]byte // of each write and the hash before it
}

func (d *diary) Set(collection, key, value []byte) error {
	d.hash = sha256.Sum256(fmt.Appendf(d.hash[:], "%q%q%q", collection, key, value))
	return d.Store.Set(collection, key, value)
}

func (d *diary) Delete(collection, key []byte) error {
	d.hash = sha256.Sum256(fmt.Appendf(d.hash[:], "%q%q", collection, key))
	return d.Store.Delete(collection, key)
}

func code(wasm []byte) vm.Code {
	return vm.Code{Hash: sha256.Sum256(wasm), Load: func() ([]byte, error) { return wasm, nil }}
}

// An outcome is all that can be seen of a call.
type outcome struct {
	vm.Result
	gas                   uint64
	returned, events, log string
	written               [sha256.Size]byte
}

// call makes a call and returns what came of it. The call must end, in reasonable time.
func call(t *testing.T, e setup, wasm []byte, w way) outcome {
	t.Helper()
	c := newCall(t, w)
	rows := &diary{Store: c.Store}
	c.Store = rows
	if err := e.get().Prepare(code(wasm)); err != nil {
		t.Fatalf("%s: %v", e.name, err)
	}
	var r vm.Result
	var err error
	took := works(t, func() { r, err = e.get().Call(context.Background(), code(wasm), c) })
	if err != nil {
		t.Fatalf("%s: %v", e.name, err)
	}
	most := patience + perGas*time.Duration(c.Gas.Used())
	if e.interpreter {
		most = patience + perGasOfInterpreter*time.Duration(c.Gas.Used())
	}
	if took > most {
		t.Errorf("%s: it took %v for %d gas", e.name, took, c.Gas.Used())
	}
	var events strings.Builder
	for _, e := range c.Events() {
		fmt.Fprintf(&events, "%x\n", e.Encode())
	}
	return outcome{r, c.Gas.Used(), string(c.Result()), events.String(), strings.Join(c.Log(), "\n"), rows.hash}
}

// ends runs a contract several times on each engine and checks how it ends: with this code and a
// reason that holds these words, always the same in all that can be seen, and within the gas.
func ends(t *testing.T, wasm []byte, w way, want receipt.Code, words string) outcome {
	t.Helper()
	var first outcome
	for n, e := range engines {
		for round := range rounds {
			o := call(t, e, wasm, w)
			if o.Code != want || !strings.Contains(o.Reason, words) {
				t.Fatalf("%s: ended with %s: %q; want %s: ...%s...", e.name, o.Code.Name(), o.Reason, want.Name(), words)
			}
			if len(o.Reason) > abi.MaxReason || !utf8.ValidString(o.Reason) {
				t.Errorf("%s: the reason of %d bytes is not UTF-8 within %d", e.name, len(o.Reason), abi.MaxReason)
			}
			if len(o.log) > 70<<10 {
				t.Errorf("%s: %d bytes of log", e.name, len(o.log))
			}
			if n == 0 && round == 0 {
				first = o
			}
			if o != first {
				t.Fatalf("call %d on the %s: %+.500v\nthe first on the %s: %+.500v", round+1, e.name, o, engines[0].name, first)
			}
		}
		honest(t, e)
	}
	return first
}

// refused checks that no engine lets a module be deployed, for this reason, nor be called if it was all the same.
func refused(t *testing.T, wasm []byte, reason string) {
	t.Helper()
	for _, e := range engines {
		var no *vm.Refused
		if err := e.get().Activate(gas.NewMeter(gas.MaxLimit), wasm); !errors.As(err, &no) || no.Reason != reason {
			t.Errorf("%s: %v; want it refused: %s", e.name, err, reason)
		}
		honest(t, e)
	}
	var no *vm.Refused
	e := engines[0]
	if _, err := e.get().Call(context.Background(), code(wasm), newCall(t, way{})); !errors.As(err, &no) || no.Reason != reason {
		t.Errorf("%s: a call: %v; want it refused: %s", e.name, err, reason)
	}
}

// refusedWith checks that an engine does not take a module, for a reason that ends in these words.
func refusedWith(t *testing.T, e setup, wasm []byte, words string) {
	t.Helper()
	var no *vm.Refused
	if err := e.get().Activate(gas.NewMeter(gas.MaxLimit), wasm); !errors.As(err, &no) || !strings.Contains(no.Reason, words) {
		t.Errorf("%s: %v; want it refused: ...%s...", e.name, err, words)
	}
}

// honest checks that an engine still runs a contract that does what it should.
func honest(t *testing.T, e setup) {
	t.Helper()
	c := newCall(t, way{})
	if r, err := e.get().Call(context.Background(), code(honestContract), c); err != nil || r.Code != receipt.OK || string(c.Result()) != "\xf5" {
		t.Errorf("after it an honest contract ended with %+v, %v on the %s", r, err, e.name)
	}
}

var honestContract = func() []byte {
	m := wt.New()
	ret, set := m.Import(abi.Module, "ret"), m.Import(abi.Module, "set")
	k := bytesOf(m, "k")
	m.Export(abi.ExportCall,
		wt.LoadI32(64), wt.If(wt.Unreachable), // nobody's memory is left
		k, k, k, wt.Call(set), bytesOf(m, "\xf5"), wt.Call(ret))
	return m.Bytes()
}()

// bytesOf pushes address and length of some data.
func bytesOf(m *wt.Module, s string) wt.Op {
	at, n := m.Data(s)
	return wt.Seq(wt.I32(at), wt.I32(n))
}

// push pushes a number as an argument.
func push(p abi.Param, v uint32) wt.Op {
	if p.Type == abi.I64 {
		return wt.I64(int64(v))
	}
	return wt.U32(v)
}

// contract is a module of one function and whatever it imports.
func contract(body ...wt.Op) []byte {
	m := wt.New()
	m.Export(abi.ExportCall, body...)
	return m.Bytes()
}

func loop(ops ...wt.Op) wt.Op { return wt.Loop(wt.Seq(ops...), wt.Branch(0)) }
