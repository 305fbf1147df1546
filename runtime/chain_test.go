package runtime_test

import (
	"bytes"
	"crypto/sha256"
	"math/big"
	"testing"

	"crypto/elliptic"

	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/runtime/vm"
	"github.com/wardledger/ward/runtime/vm/wasmtest"
)

const (
	chainID = "test-1"
	start   = int64(1_700_000_000)
	limit   = uint64(10_000_000)
)

// The people of the tests. Seeds, not secrets.
var (
	operator = ed25519("operator")
	alice    = ed25519("alice")
	bob      = p256("bob")
	poor     = ed25519("poor") // may use three transactions an hour
	narrow   = ed25519("narrow")
	stranger = ed25519("stranger") // no account
)

func ed25519(name string) *tx.SecretKey {
	seed := sha256.Sum256([]byte(name))
	k, err := tx.NewEd25519(seed[:])
	if err != nil {
		panic(err)
	}
	return k
}

func p256(name string) *tx.SecretKey {
	seed := sha256.Sum256([]byte(name))
	k, err := tx.NewP256(seed[:])
	if err != nil {
		panic(err)
	}
	return k
}

// puppet is a contract that stores its arguments, emits them, returns them, and then does
// what its ending says.
func puppet(ending func(m *wasmtest.Module, fail int) wasmtest.Op) []byte {
	m := wasmtest.New()
	args, set, emit, ret, fail := m.Import(abi.Module, "args"), m.Import(abi.Module, "set"),
		m.Import(abi.Module, "emit"), m.Import(abi.Module, "ret"), m.Import(abi.Module, "fail")
	col, colLen := m.Data("rows")
	name, nameLen := m.Data("stored")
	const out, room = 0, 256
	m.Export(abi.ExportCall,
		wasmtest.I32(out), wasmtest.I32(room), wasmtest.Call(args), wasmtest.Set(0),
		wasmtest.I32(col), wasmtest.I32(colLen), wasmtest.I32(col), wasmtest.I32(colLen), wasmtest.I32(out), wasmtest.Get(0), wasmtest.Call(set),
		wasmtest.I32(name), wasmtest.I32(nameLen), wasmtest.I32(out), wasmtest.Get(0), wasmtest.Call(emit),
		wasmtest.I32(out), wasmtest.Get(0), wasmtest.Call(ret),
		ending(m, fail),
	)
	return m.Bytes()
}

var (
	good = puppet(func(*wasmtest.Module, int) wasmtest.Op { return wasmtest.Nop })
	bad  = puppet(func(m *wasmtest.Module, fail int) wasmtest.Op {
		at, n := m.Data("not on my watch")
		return wasmtest.Seq(wasmtest.I32(7), wasmtest.I32(at), wasmtest.I32(n), wasmtest.Call(fail))
	})
	trap = puppet(func(*wasmtest.Module, int) wasmtest.Op { return wasmtest.Unreachable })
)

// reader is a contract that returns the row that good has stored, or fails with code 1.
var reader = func() []byte {
	m := wasmtest.New()
	get, ret := m.Import(abi.Module, "get"), m.Import(abi.Module, "ret")
	col, colLen := m.Data("rows")
	m.Export(abi.ExportCall,
		wasmtest.I32(col), wasmtest.I32(colLen), wasmtest.I32(col), wasmtest.I32(colLen), wasmtest.I32(0), wasmtest.I32(256), wasmtest.Call(get), wasmtest.Set(0),
		wasmtest.I32(0), wasmtest.Get(0), wasmtest.Call(ret))
	return m.Bytes()
}()

func genesis() runtime.Genesis {
	any := []abi.Scope{{Contract: runtime.AnyContract}}
	const plenty = 1_000_000_000_000
	return runtime.Genesis{
		Chain: chainID, Operator: operator.Public().Address(),
		Accounts: []runtime.GenesisAccount{
			{Key: operator.Public().Bytes, Quota: plenty, Scope: any},
			{Key: alice.Public().Bytes, Quota: plenty, Scope: any},
			{Key: bob.Public().Bytes, Quota: plenty, Scope: any},
			{Key: poor.Public().Bytes, Quota: 3 * limit, Scope: any},
			{Key: narrow.Public().Bytes, Quota: plenty, Scope: []abi.Scope{{Contract: "good", Methods: []string{"put"}}}},
		},
		Contracts: []runtime.GenesisContract{
			{Name: "good", Code: good}, {Name: "bad", Code: bad}, {Name: "trap", Code: trap},
		},
	}
}

// testChain drives a runtime as the node does.
type testChain struct {
	t    testing.TB
	db   *state.Memory
	opts vm.Options
	run  *runtime.Runtime
	now  int64
	last *runtime.Stage
	next map[string]uint64
}

func newChain(t testing.TB, o vm.Options) *testChain { return chainOf(t, o, func(*runtime.Genesis) {}) }

// chainOf is newChain with a genesis that edit has changed.
func chainOf(t testing.TB, o vm.Options, edit func(*runtime.Genesis)) *testChain {
	g := genesis()
	edit(&g)
	c := &testChain{t: t, db: state.NewMemory(), opts: o, now: start, next: map[string]uint64{}}
	c.open()
	if _, err := c.run.InitChain(g, runtime.Header{Height: 1, Time: start}); err != nil {
		t.Fatal(err)
	}
	return c
}

// open starts on what the database holds, as after a restart.
func (c *testChain) open() {
	s, err := state.Open(c.db, state.Options{})
	if err != nil {
		c.t.Fatal(err)
	}
	e, err := vm.New(c.opts)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { e.Close() })
	if c.run, err = runtime.New(runtime.Config{State: s, Engine: e}); err != nil {
		c.t.Fatal(err)
	}
}

// block executes and commits a block and returns its receipts.
func (c *testChain) block(raws ...[]byte) []receipt.Receipt {
	c.t.Helper()
	stage := c.execute(raws...)
	if err := stage.Commit(); err != nil {
		c.t.Fatal(err)
	}
	c.last = stage
	return stage.Receipts
}

func (c *testChain) execute(raws ...[]byte) *runtime.Stage {
	c.t.Helper()
	c.now++
	b, err := c.run.Begin(runtime.Header{Height: c.run.Height() + 1, Time: c.now})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, raw := range raws {
		if _, err := b.Apply(raw); err != nil {
			c.t.Fatal(err)
		}
	}
	stage, err := b.Seal()
	if err != nil {
		c.t.Fatal(err)
	}
	return stage
}

// sign signs a transaction with the key's next sequence unless edit says otherwise.
func (c *testChain) sign(k *tx.SecretKey, contract, method string, args []byte, edit ...func(*tx.Tx)) []byte {
	c.t.Helper()
	lane := k.String() + string(rune('0'+runtime.LaneOf(contract)))
	t := &tx.Tx{Chain: chainID, Sequence: c.next[lane] + 1, GasLimit: limit, Contract: contract, Method: method, Args: args}
	for _, e := range edit {
		e(t)
	}
	raw, err := tx.Sign(t, k)
	if err != nil {
		c.t.Fatal(err)
	}
	c.next[lane] = max(c.next[lane], t.Sequence)
	return raw
}

// one commits a block with one transaction.
func (c *testChain) one(raw []byte) receipt.Receipt {
	c.t.Helper()
	return c.block(raw)[0]
}

// arguments is {"n": n}.
func arguments(n uint64) []byte {
	return cbor.AppendUint(cbor.AppendText(cbor.AppendMap(nil, 1), "n"), n)
}

// twin returns an ES256 transaction with the other S.
func twin(t testing.TB, raw []byte) []byte {
	t.Helper()
	s := raw[len(raw)-32:]
	other := new(big.Int).Sub(elliptic.P256().Params().N, new(big.Int).SetBytes(s))
	return append(bytes.Clone(raw[:len(raw)-32]), other.FillBytes(make([]byte, 32))...)
}

func expect(t testing.TB, got receipt.Receipt, code receipt.Code) {
	t.Helper()
	if got.Code != code {
		t.Fatalf("%s (%d) %q, want %s", got.Code.Name(), got.ContractCode, got.Reason, code.Name())
	}
}

// row returns what a puppet of this name has stored, nil if nothing.
func (c *testChain) row(contract string) []byte {
	c.t.Helper()
	s, err := state.Open(c.db, state.Options{})
	if err != nil {
		c.t.Fatal(err)
	}
	snapshot, err := s.At(0)
	if err != nil {
		c.t.Fatal(err)
	}
	defer snapshot.Close()
	v, err := snapshot.Get([]byte(contract+"\x00rows"), []byte("rows"))
	if err != nil {
		c.t.Fatal(err)
	}
	return v
}
