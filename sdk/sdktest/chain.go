package sdktest

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/abi/specjson"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/sdktest/link"
	"github.com/wardledger/ward/sdk/wire"
)

// Start is the time at which a chain starts: Monday 5 January 2026, 08:00 UTC.
const Start sdk.Time = 1767600000

// DefaultGasLimit is the gas limit of a transaction, unless the test changes
// [Chain.GasLimit]: enough for a few hundred writes.
const DefaultGasLimit = 50_000_000

// AmpleQuota is the quota of the accounts that the harness opens, in gas per hour:
// ten million transactions while the clock stands still.
const AmpleQuota = 1_000_000_000_000_000

// A Contract is one that exists from the first block on.
type Contract struct {
	// Dir is the folder of its source; "." is the one of the test.
	Dir string
	// Module is used instead of Dir if it isn't nil.
	Module *Module
	// Standard is used instead of both: the name of a contract that chains have from the start, such as "access". [Standard]
	// has those with their powers and inits.
	Standard string
	// Name is what the instance is called. Empty: as its spec says.
	Name string
	// Admin is whose contract it is, and the sender of init. Nil: the operator.
	Admin *Key
	// Capabilities are its powers beyond the ordinary, such as "accounts".
	Capabilities []string
	// Init is the argument of its init: a value as in [Chain.Call].
	Init any
}

// JSON is an argument document written as a person would send it to the HTTP API;
// the contract's spec types it.
type JSON string

// CBOR is a value that is encoded already, perhaps wrongly.
type CBOR []byte

// A Chain is a state with contracts, and the block that comes next.
type Chain struct {
	// Operator is the key that may deploy contracts.
	Operator *Key
	// GasLimit is the gas limit of the transactions that are signed from now on.
	GasLimit uint64
	// LastValid is the last height at which they may be executed; 0 is any.
	LastValid uint64

	t        testing.TB
	machine  func(method string, in, out any) error
	number   int // of the chain in the machine
	tip      link.Tip
	specs    map[string]*abi.Spec   // by the contract's name
	known    map[[32]byte]*abi.Spec // by the hash of code that a contract has or had
	now      sdk.Time
	events   []Event
	updates  []AuthorityUpdate
	signers  map[*Key][2]uint64 // who has signed, and what their sequences were before, for Revert
	timeline int                // another one after each Revert
	gas      map[string]gasUse  // by method
}

// AuthorityUpdate is a change of the authorities that the last block hands over to the engine.
type AuthorityUpdate = link.Update

// A Module is a contract that was built.
type Module = link.Module

// ID is the chain id of every test chain.
const ID = "ward-test"

// Build returns the contract in a folder, built once in a test binary.
func Build(t testing.TB, dir string) *Module {
	t.Helper()
	return built(t, link.Code{Dir: absolute(t, dir)})
}

func built(t testing.TB, code link.Code) *Module {
	t.Helper()
	module := new(Module)
	if err := engine(t)("Build", code, module); err != nil {
		t.Fatal(err)
	}
	return module
}

// moduleOf builds or takes the code of a contract.
func moduleOf(t testing.TB, contract Contract) (*Module, link.Code) {
	t.Helper()
	code := link.Code{Standard: contract.Standard}
	switch {
	case contract.Standard != "":
	case contract.Module != nil:
		code.Wasm = contract.Module.Wasm
	default:
		code.Dir = absolute(t, contract.Dir)
	}
	if contract.Module != nil {
		return contract.Module, code
	}
	return built(t, code), code
}

func absolute(t testing.TB, dir string) string {
	t.Helper()
	path, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// New returns a chain on which the contracts exist, in this order, at height 1 and
// at the time [Start]. If an init fails, so does the test.
func New(t testing.TB, contracts ...Contract) *Chain {
	t.Helper()
	c, err := Try(t, contracts...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Try is New for tests of an init that refuses: the error says what the runtime
// said. What else goes wrong ends the test.
func Try(t testing.TB, contracts ...Contract) (*Chain, error) {
	t.Helper()
	c := &Chain{
		Operator: Ed25519("operator"), GasLimit: DefaultGasLimit,
		t: t, machine: engine(t), now: Start, specs: map[string]*abi.Spec{}, known: map[[32]byte]*abi.Spec{}, signers: map[*Key][2]uint64{},
	}
	genesis := link.Genesis{Chain: ID, Operator: c.Operator.link(), Quota: AmpleQuota, Time: int64(c.now)}
	for _, contract := range contracts {
		module, code := moduleOf(t, contract)
		c.known[module.Hash] = module.Spec
		g := link.Contract{
			Name: contract.Name, Code: code, Capabilities: contract.Capabilities,
			Admin: address.Address(c.Operator.Address()),
		}
		if g.Name == "" {
			g.Name = module.Name
		}
		if contract.Admin != nil {
			g.Admin = address.Address(contract.Admin.Address())
		}
		c.specs[g.Name] = module.Spec
		if contract.Init != nil {
			g.Init = c.args(g.Name, abi.MethodInit, contract.Init)
		}
		genesis.Contracts = append(genesis.Contracts, g)
	}
	var begun link.Begun
	c.ask("Begin", genesis, &begun)
	if begun.Refused != "" {
		return nil, errors.New(begun.Refused)
	}
	c.number, c.tip, c.updates = begun.Number, begun.Tip, begun.Updates
	t.Cleanup(func() { c.machine("Forget", c.number, new(bool)) })
	for name, spec := range begun.BuiltIn {
		c.specs[name] = spec
	}
	for _, e := range begun.Events {
		c.events = append(c.events, c.event(e))
	}
	return c, nil
}

// ask calls the machine, whose errors are faults of the harness.
func (c *Chain) ask(method string, in, out any) {
	c.t.Helper()
	if err := c.machine(method, in, out); err != nil {
		c.t.Fatal(err)
	}
}

// anything is the scope of the accounts that the harness opens.
var anything = []abi.Scope{{Contract: link.AnyContract}}

// Account opens an account for the Ed25519 key of a name: it may call everything,
// with [AmpleQuota]. A key that has an account already fails the test.
func (c *Chain) Account(name string) *Key {
	c.t.Helper()
	key := Ed25519(name)
	c.Open(key)
	return key
}

// Open opens an account for each key: it may call everything, with [AmpleQuota]. It
// happens between two blocks, without a transaction or event, as if genesis had
// done it.
func (c *Chain) Open(keys ...*Key) {
	c.t.Helper()
	for _, key := range keys {
		c.open(&abi.OpenAccount{Key: key.Public(), Quota: AmpleQuota, Scope: anything}, key.Name)
	}
}

// OpenKey opens a key with a narrower scope, an expiry, a quota or an account of
// somebody else. It happens as in [Chain.Open].
func (c *Chain) OpenKey(k sdk.OpenKey) {
	c.t.Helper()
	o := &abi.OpenAccount{Key: k.Key, Expires: int64(k.Expires), Quota: k.Quota}
	if !k.Account.IsZero() {
		o.Account = k.Account[:]
	}
	if !k.Owner.IsZero() {
		o.Owner = k.Owner[:]
	}
	for _, s := range k.Scope {
		o.Scope = append(o.Scope, abi.Scope{Contract: s.Contract, Methods: s.Methods})
	}
	c.open(o, fmt.Sprintf("%x", []byte(k.Key)))
}

func (c *Chain) open(o *abi.OpenAccount, name string) {
	c.t.Helper()
	var opened link.Opened
	c.ask("Open", link.Open{Number: c.number, Account: *o}, &opened)
	if opened.Status != abi.StatusOK {
		c.t.Fatalf("account of %s: %s", name, opened.Status)
	}
	c.tip = opened.Tip
}

// Now returns the time that the next block will have, and that views see.
func (c *Chain) Now() sdk.Time { return c.now }

// Height returns the height of the last block.
func (c *Chain) Height() uint64 { return c.tip.Height }

// Root returns the state root after the last block.
func (c *Chain) Root() []byte { return c.tip.Root }

// Advance moves the clock on.
func (c *Chain) Advance(d sdk.Duration) {
	c.t.Helper()
	c.SetTime(c.now.Add(d))
}

// SetTime sets the clock, which can't go back.
func (c *Chain) SetTime(now sdk.Time) {
	c.t.Helper()
	if now < c.now {
		c.t.Fatalf("clock set to %s, it is %s already", now, c.now)
	}
	c.now = now
}

// Sign returns a signed transaction, with the key's next sequence. args is a value of
// sdk/wire such as the struct that the method takes, nil for nothing, [JSON] or [CBOR].
func (c *Chain) Sign(as *Key, contract, method string, args any) []byte {
	c.t.Helper()
	var signed link.Signed
	err := c.machine("Sign", link.Sign{
		Key: as.link(), Chain: ID, Sequences: as.next, LastValid: c.LastValid, GasLimit: c.GasLimit,
		Contract: contract, Method: method, Args: c.args(contract, method, args),
	}, &signed)
	if err != nil {
		c.t.Fatalf("%s.%s by %s: %v", contract, method, as, err)
	}
	if _, ok := c.signers[as]; !ok {
		c.signers[as] = as.next
	}
	as.next[signed.Lane]++
	return signed.Raw
}

// args encodes what a method is given.
func (c *Chain) args(contract, method string, args any) []byte {
	c.t.Helper()
	switch args := args.(type) {
	case nil:
		return cbor.AppendMap(nil, 0)
	case CBOR:
		return args
	case JSON:
		spec := c.specs[contract]
		if spec == nil {
			c.t.Fatalf("%s.%s: JSON arguments for a contract that isn't there", contract, method)
		}
		m, ok := spec.Method(method)
		if !ok {
			c.t.Fatalf("%s.%s: JSON arguments for a method that isn't there", contract, method)
		}
		item, err := specjson.ToCBOR(m.Args, []byte(args))
		if err != nil {
			c.t.Fatalf("%s.%s: arguments: %v", contract, method, err)
		}
		return item
	}
	item, err := wire.Marshal(args)
	if err != nil {
		c.t.Fatalf("%s.%s: arguments: %v", contract, method, err)
	}
	return item
}

// Call signs a transaction, puts it in a block of its own and returns its receipt.
// args is as in [Chain.Sign].
func (c *Chain) Call(as *Key, contract, method string, args any) *Receipt {
	c.t.Helper()
	return c.Block(c.Sign(as, contract, method, args))[0]
}

// Block executes and commits a block of transactions at the time [Chain.Now] and
// returns their receipts in order.
func (c *Chain) Block(transactions ...[]byte) []*Receipt {
	c.t.Helper()
	var done link.Executed
	c.ask("Block", link.Block{Number: c.number, Time: int64(c.now), Transactions: transactions}, &done)
	c.tip, c.updates = done.Tip, done.Updates
	receipts := make([]*Receipt, len(done.Receipts))
	for i, r := range done.Receipts {
		receipts[i] = c.receipt(r, "TellTx", link.Tx{Number: c.number, Height: c.tip.Height, Index: i})
		c.events = append(c.events, receipts[i].Events...)
	}
	for _, e := range done.Events {
		c.events = append(c.events, c.event(e))
	}
	return receipts
}

// View asks a contract at the last height, without saying who asks.
func (c *Chain) View(contract, method string, args any) *Receipt {
	c.t.Helper()
	return c.ViewAs(sdk.Address{}, contract, method, args)
}

// ViewAs asks a contract at the last height as somebody, whom nobody checks.
func (c *Chain) ViewAs(sender sdk.Address, contract, method string, args any) *Receipt {
	c.t.Helper()
	view := link.View{
		Number: c.number, Height: c.tip.Height, Time: int64(c.now), Contract: contract, Method: method,
		Args: c.args(contract, method, args), Sender: address.Address(sender),
	}
	var r receipt.Receipt
	c.ask("View", view, &r)
	return c.receipt(r, "TellView", view)
}

// Events returns what was emitted so far, in order: all of it, or what has one of the
// names, each written as "event" or "contract.event". Events of a test are those of
// committed blocks, the inits' included. A name that no contract of the chain declares ends the test.
func (c *Chain) Events(names ...string) []Event {
	c.t.Helper()
	if len(names) == 0 {
		return slices.Clone(c.events)
	}
	c.declared(names)
	var events []Event
	for _, e := range c.events {
		if slices.ContainsFunc(names, e.is) {
			events = append(events, e)
		}
	}
	return events
}

// Updates returns what the last block would tell the engine about its authorities. A test
// chain starts with those that the inits of its contracts want.
func (c *Chain) Updates() []AuthorityUpdate { return c.updates }

// Spec returns the spec of a contract of this chain, or nil.
func (c *Chain) Spec(contract string) *abi.Spec { return c.specs[contract] }

// receipt makes a receipt of one that the machine gave; how and of what the machine tells more is for tests that fail.
func (c *Chain) receipt(r receipt.Receipt, how string, of any) *Receipt {
	c.count(&r)
	timeline := c.timeline
	spec := c.specs[r.Contract]
	out := &Receipt{Receipt: r, t: c.t, spec: spec, failing: spec, tell: func() (told string) {
		if c.timeline != timeline {
			return "" // the chain has gone back since
		}
		if err := c.machine(how, of, &told); err != nil {
			return "no trace: " + err.Error()
		}
		return told
	}}
	for _, e := range r.Events {
		out.Events = append(out.Events, c.event(e))
	}
	return out
}

func (c *Chain) event(e receipt.Event) Event {
	return Event{Event: e, t: c.t, spec: c.specs[e.Contract]}
}
