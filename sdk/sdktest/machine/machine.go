// Package machine is the engine's side of a contract's tests: chains in memory, each a real state and a real runtime, whose methods
// take and answer the values of [link]. It knows nothing of tests; package sdktest does.
package machine

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/wardledger/ward/contracts"
	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/registry"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/runtime/vm"
	"github.com/wardledger/ward/sdk/build"
	"github.com/wardledger/ward/sdk/sdktest/link"
)

// Options say how a machine runs. The zero value is good.
type Options struct {
	// Hurry begins every chain on the interpreter, which has a contract ready in a fifth of the time. A chain that is asked more than
	// a few times has its contracts compiled meanwhile, and goes on with machine code. Results and gas are the same on both.
	Hurry bool
}

// few is how often a chain is asked before its contracts are compiled: what the interpreter does in about the time that compiling takes.
const few = 100

// A Machine is an engine and the chains that run on it. Its methods may be called by several goroutines, those that name one
// chain by one at a time.
type Machine struct {
	engine *vm.Engine
	hurry  *vm.Engine // the interpreter, or nil
	builds sync.Map   // link.Code without Wasm -> func() (*link.Module, error)
	names  sync.Map   // code hash -> func() []byte, of what was built from a folder

	mu       sync.Mutex
	chains   []*chain
	compiled map[[32]byte]*atomic.Bool // by code: whether engine has it ready, false while it is at it
}

// New returns a machine with an engine of its own, which is never closed: the process ends with the tests.
func New(o Options) (*Machine, error) {
	m := &Machine{compiled: map[[32]byte]*atomic.Bool{}}
	var err error
	if m.engine, err = vm.New(vm.Options{Names: m.named}); err != nil {
		return nil, err
	}
	if o.Hurry {
		if m.hurry, err = vm.New(vm.Options{Interpreter: true, Names: m.named}); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// compile has the engine compile a module, unless it does or did already, and says when that is done. Nobody waits for it: the
// process may end meanwhile.
func (m *Machine) compile(module *link.Module) (done *atomic.Bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	done, ok := m.compiled[module.Hash]
	if !ok {
		done = new(atomic.Bool)
		m.compiled[module.Hash] = done
		go func() {
			// If it can't be compiled the chain stays with the interpreter, which says why.
			if m.engine.Vet(context.Background(), module.Wasm) == nil {
				done.Store(true)
			}
		}()
	}
	return done
}

// chain is one chain. Revert replaces all of it but marks.
type chain struct {
	db      *state.Memory
	state   *state.State
	runtime *runtime.Runtime
	blocks  map[uint64]block // by height
	marks   []*state.Memory

	engine  *vm.Engine
	modules []*link.Module // while engine is the interpreter
	asked   int            // how often
}

// block is what is needed to execute one again.
type block struct {
	header       runtime.Header
	transactions [][]byte
}

// Speak says whether a test with another version of the values may go on.
func (m *Machine) Speak(version int, answer *string) error {
	if version != link.Version {
		return fmt.Errorf("the SDK of this contract speaks version %d to the engine, this ward version %d: \"ward contract sdk\" in the contract's folder writes the SDK of this ward", version, link.Version)
	}
	return nil
}

// Build builds a contract, once in the machine's life.
func (m *Machine) Build(code link.Code, out *link.Module) error {
	if code.Wasm != nil {
		opened, err := build.Open(code.Wasm)
		if err != nil {
			return err
		}
		*out = link.Module(*opened)
		return nil
	}
	type source struct{ dir, standard string }
	once, _ := m.builds.LoadOrStore(source{code.Dir, code.Standard}, sync.OnceValues(func() (*build.Module, error) {
		// No test's context: other tests wait for the same module.
		if code.Standard != "" {
			return contracts.Named(context.Background(), contracts.Options{}, code.Standard)
		}
		o := build.Options{Dir: code.Dir}
		if m.hurry != nil {
			o.Engine = m.hurry // which has it ready then
		}
		module, err := build.Contract(context.Background(), o)
		if err == nil {
			m.names.Store(module.Hash, sync.OnceValue(func() []byte {
				// If they can't be had, the trace does without: its author has edited the source meanwhile, or the compiler is gone.
				named, _ := build.WithNames(context.Background(), o, module)
				return named
			}))
		}
		return module, err
	}))
	module, err := once.(func() (*build.Module, error))()
	if err != nil {
		return err
	}
	*out = link.Module(*module)
	return nil
}

// named returns code that a test has a trace of with the names of its functions. What is run is what would be deployed, and that has none:
// they are linked once more, as soon as a test has failed where a contract trapped, and the others don't wait for it.
func (m *Machine) named(code [32]byte) []byte {
	if names, ok := m.names.Load(code); ok {
		return names.(func() []byte)()
	}
	return nil
}

// anything is a scope without bounds.
var anything = []abi.Scope{{Contract: runtime.AnyContract}}

// Begin makes a chain and its first block.
func (m *Machine) Begin(g link.Genesis, out *link.Begun) error {
	c := &chain{db: state.NewMemory(), blocks: map[uint64]block{}, engine: m.engine}
	if m.hurry != nil {
		c.engine = m.hurry
	}
	if err := c.open(); err != nil {
		return err
	}
	operator, err := secret(g.Operator)
	if err != nil {
		return err
	}
	public := operator.Public()
	genesis := runtime.Genesis{
		Chain: g.Chain, Operator: public.Address(),
		Accounts: []runtime.GenesisAccount{{Key: public.Bytes, Quota: g.Quota, Scope: anything}},
	}
	for _, k := range g.Contracts {
		var module link.Module
		if err := m.Build(k.Code, &module); err != nil {
			return err
		}
		if m.hurry != nil {
			c.modules = append(c.modules, &module)
		}
		genesis.Contracts = append(genesis.Contracts, runtime.GenesisContract{
			Name: k.Name, Code: module.Wasm, Admin: k.Admin, Capabilities: k.Capabilities, Init: k.Init,
		})
	}
	if _, err := c.runtime.InitChain(genesis, runtime.Header{Height: 1, Time: g.Time}); err != nil {
		out.Refused = err.Error()
		return nil
	}
	var first link.Executed
	if err := c.execute(g.Time, nil, &first); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.chains = append(m.chains, c)
	*out = link.Begun{Number: len(m.chains) - 1, Tip: first.Tip, Events: first.Events, Updates: first.Updates,
		BuiltIn: map[string]*abi.Spec{runtime.CodeContract: runtime.CodeSpec()}}
	return nil
}

// open reads the state of db.
func (c *chain) open() (err error) {
	if c.state, err = state.Open(c.db, state.Options{}); err != nil {
		return err
	}
	c.runtime, err = runtime.New(runtime.Config{State: c.state, Engine: c.engine})
	return err
}

// chain returns a chain, on machine code as soon as that is there.
func (m *Machine) chain(number int) (*chain, error) {
	m.mu.Lock()
	c := m.chains[number]
	m.mu.Unlock()
	if c.asked++; c.engine == m.engine || c.asked <= few {
		return c, nil
	}
	ready := true
	for _, module := range c.modules {
		ready = m.compile(module).Load() && ready
	}
	if !ready {
		return c, nil
	}
	c.engine, c.modules = m.engine, nil
	return c, c.open()
}

func (c *chain) tip() link.Tip { return link.Tip{Height: c.state.Height(), Root: c.state.Root()} }

// Runtime returns what a chain runs on, for tests in this process that ask more than [link] has.
func (m *Machine) Runtime(number int) (*runtime.Runtime, error) {
	c, err := m.chain(number)
	if err != nil {
		return nil, err
	}
	return c.runtime, nil
}

// Open opens a key, as if genesis had done it.
func (m *Machine) Open(o link.Open, out *link.Opened) error {
	c, err := m.chain(o.Number)
	if err != nil {
		return err
	}
	overlay := c.state.Overlay()
	if out.Status, err = registry.New(overlay).OpenKey(&o.Account, c.state.Height()); err != nil {
		return err
	}
	if out.Status == abi.StatusOK {
		stage, err := overlay.Stage(c.state.Height() + 1)
		if err != nil {
			return err
		}
		if err := stage.Commit(); err != nil {
			return err
		}
	}
	out.Tip = c.tip()
	return nil
}

// secret is the key of a seed.
func secret(k link.Key) (*tx.SecretKey, error) {
	if k.P256 {
		return tx.NewP256(k.Seed)
	}
	return tx.NewEd25519(k.Seed)
}

// Sign signs a transaction.
func (m *Machine) Sign(s link.Sign, out *link.Signed) error {
	key, err := secret(s.Key)
	if err != nil {
		return err
	}
	out.Lane = runtime.LaneOf(s.Contract)
	out.Raw, err = tx.Sign(&tx.Tx{
		Chain: s.Chain, Sequence: s.Sequences[out.Lane], LastValid: s.LastValid, GasLimit: s.GasLimit,
		Contract: s.Contract, Method: s.Method, Args: s.Args,
	}, key)
	return err
}

// Message signs what is no transaction.
func (m *Machine) Message(g link.Message, raw *[]byte) error {
	key, err := secret(g.Key)
	if err != nil {
		return err
	}
	*raw, err = tx.SignMessage(g.AAD, g.Payload, key)
	return err
}

// Block executes and commits a block.
func (m *Machine) Block(b link.Block, out *link.Executed) error {
	c, err := m.chain(b.Number)
	if err != nil {
		return err
	}
	return c.execute(b.Time, b.Transactions, out)
}

func (c *chain) execute(time int64, transactions [][]byte, out *link.Executed) error {
	header := runtime.Header{Height: c.state.Height() + 1, Time: time}
	b, err := c.runtime.Begin(header)
	if err != nil {
		return err
	}
	out.Receipts = make([]receipt.Receipt, len(transactions))
	for i, raw := range transactions {
		if out.Receipts[i], err = b.Apply(raw); err != nil {
			return err
		}
	}
	stage, err := b.Seal()
	if err != nil {
		return err
	}
	if err := stage.Commit(); err != nil {
		return err
	}
	c.blocks[header.Height] = block{header, transactions}
	out.Events, out.Tip = stage.Events, c.tip()
	for _, u := range stage.Updates {
		out.Updates = append(out.Updates, link.Update(u))
	}
	return nil
}

func query(v link.View) runtime.Query {
	return runtime.Query{Height: v.Height, Time: v.Time, Contract: v.Contract, Method: v.Method, Args: v.Args, Sender: v.Sender}
}

// View asks a contract at a height.
func (m *Machine) View(v link.View, out *receipt.Receipt) error {
	// No test's context, which can be cancelled: the engine would compile the contract a second time, to be able to stop it.
	c, err := m.chain(v.Number)
	if err != nil {
		return err
	}
	*out, _, err = c.runtime.View(context.Background(), query(v))
	return err
}

// Checkpoint keeps the state as it is now.
func (m *Machine) Checkpoint(number int, mark *int) error {
	c, err := m.chain(number)
	if err != nil {
		return err
	}
	c.marks = append(c.marks, c.db.Clone())
	*mark = len(c.marks) - 1
	return nil
}

// Revert goes back to a state that was kept. It can be gone back to again.
func (m *Machine) Revert(k link.Mark, tip *link.Tip) error {
	c, err := m.chain(k.Number)
	if err != nil {
		return err
	}
	c.db = c.marks[k.Mark].Clone()
	if err := c.open(); err != nil {
		return err
	}
	*tip = c.tip()
	return nil
}

// Forget drops a chain that no test will ask for again.
func (m *Machine) Forget(number int, _ *bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.chains[number] = nil
	return nil
}
