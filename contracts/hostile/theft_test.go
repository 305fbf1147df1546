package hostile

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/runtime/vm"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
)

// A guarded function is one that needs a capability.
func guarded() []abi.Function {
	return slices.DeleteFunc(abi.Table(), func(f abi.Function) bool { return f.Capability == "" })
}

// somebodyElse is the key of another seed.
func somebodyElse(name string) tx.PublicKey {
	seed := sha256.Sum256([]byte(name))
	k, err := tx.NewEd25519(seed[:])
	if err != nil {
		panic(err)
	}
	return k.Public()
}

// loot is what a thief would do with each guarded function: an argument with which it changes something, if the functions
// are called in the order of the table.
func loot() map[string][]byte {
	victim, newcomer := somebodyElse("victim"), somebodyElse("newcomer")
	kid := victim.Address()
	open := abi.OpenAccount{Key: newcomer.Bytes, Scope: []abi.Scope{{Contract: "lamp"}}, Quota: 1 << 40}
	hash := sha256.Sum256(nil)
	permit := abi.Permit{Hash: hash[:], Name: "lamp", Admin: make([]byte, abi.AddressSize), Capabilities: abi.Capabilities()}
	return map[string][]byte{
		"account_open": open.Encode(), "account_shut": kid[:], "account_reopen": kid[:], "account_retire": kid[:],
		"authorities_set": abi.AuthoritySet{newcomer.Bytes}.Encode(),
		"parameters_set":  abi.Parameters{Deploy: abi.DeployOpen}.Encode(),
		"code_permit":     permit.Encode(), "code_withdraw": []byte("lamp"),
	}
}

// take calls a guarded function.
func take(m *wt.Module, f abi.Function, argument []byte) wt.Op {
	at, n := m.Data(string(argument))
	args := wt.I32(at)
	if _, pair := pointsTo(f.Params, 0); pair {
		args = wt.Seq(args, wt.I32(n))
	}
	return wt.Seq(args, wt.Call(m.Import(abi.Module, f.Name)), drop(f))
}

// callOf calls a method of another contract and returns what the caller is told of it.
func callOf(m *wt.Module, contract string) wt.Op {
	call, reply, ret := m.Import(abi.Module, "call"), m.Import(abi.Module, "reply"), m.Import(abi.Module, "ret")
	return wt.Seq(bytesOf(m, contract), bytesOf(m, "x"), bytesOf(m, "\xa0"), wt.Call(call), wt.Drop,
		wt.I32(4096), wt.I32(4096), wt.Call(reply), wt.Set(0), wt.I32(4096), wt.Get(0), wt.Call(ret))
}

// powers returns what the guarded functions could change: all of the chain's own records but what every
// transaction changes of its sender.
func (c *chain) powers() string {
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
	sender := user.Public().Address()
	var b strings.Builder
	for _, collection := range []string{"keys", "accounts", "authorities", "parameters", "permits", "instances", "code"} {
		err := snapshot.Overlay().Scan([]byte("\x00"+collection), nil, nil, false, func(key, row []byte) bool {
			if collection != "accounts" || !bytes.Equal(key, sender[:]) {
				fmt.Fprintf(&b, "%s %x %x\n", collection, key, sha256.Sum256(row))
			}
			return true
		})
		if err != nil {
			c.t.Fatal(err)
		}
	}
	return b.String()
}

// Powers are a contract's own. Without its capability no guarded function does anything: not called straight away, not with every
// other capability, not by a contract that was called by one that has it, and not by one that has called one that has it. With the
// capability the same call does it.
func TestTheft(t *testing.T) {
	var results [][][]byte
	for _, e := range []vm.Options{{}, {Interpreter: true}} {
		results = append(results, theft(t, e))
	}
	for i := range results[0] {
		if !bytes.Equal(results[0][i], results[1][i]) {
			t.Errorf("on one engine\n%q, on another\n%q", results[0][i], results[1][i])
		}
	}
}

func theft(t *testing.T, o vm.Options) [][]byte {
	all := abi.Capabilities()
	loot := loot()
	var contracts []runtime.GenesisContract
	add := func(name string, capabilities []string, body func(m *wt.Module) wt.Op) {
		m := wt.New()
		m.Export(abi.ExportCall, body(m))
		contracts = append(contracts, runtime.GenesisContract{Name: name, Code: m.Bytes(), Capabilities: capabilities})
	}
	add("mighty", all, func(m *wt.Module) wt.Op { return wt.Seq(bytesOf(m, "\xf5"), wt.Call(m.Import(abi.Module, "ret"))) })
	for _, f := range guarded() {
		argument, ok := loot[f.Name]
		if !ok {
			t.Fatalf("%s needs the capability %s, and no thief has tried it: add it to loot", f.Name, f.Capability)
		}
		name := strings.ReplaceAll(f.Name, "_", "-")
		takes := func(m *wt.Module) wt.Op { return take(m, f, argument) }
		add("thief-"+name, nil, takes)
		add("almost-"+name, slices.DeleteFunc(abi.Capabilities(), func(c string) bool { return c == f.Capability }), takes)
		add("lender-"+name, all, func(m *wt.Module) wt.Op { return callOf(m, "thief-"+name) })
		add("borrower-"+name, nil, func(m *wt.Module) wt.Op { return wt.Seq(callOf(m, "mighty"), take(m, f, argument)) })
		add("owner-"+name, all, takes)
	}
	c := &chain{t: t, db: state.NewMemory(), opts: o, now: 1_700_000_000, next: map[int]uint64{}}
	c.open()
	any := []abi.Scope{{Contract: runtime.AnyContract}}
	g := runtime.Genesis{
		Chain: "test-1", Operator: user.Public().Address(), Contracts: contracts,
		Accounts: []runtime.GenesisAccount{
			{Key: user.Public().Bytes, Quota: 1_000 * gas.MaxLimit, Scope: any}, {Key: somebodyElse("victim").Bytes, Quota: 1_000_000, Scope: any},
		},
	}
	if _, err := c.run.InitChain(g, runtime.Header{Height: 1, Time: c.now}); err != nil {
		t.Fatal(err)
	}
	c.block()
	for _, f := range guarded() {
		name := strings.ReplaceAll(f.Name, "_", "-")
		before := c.powers()
		no := func(contract string) string {
			return fmt.Sprintf("%s needs the capability %s, which contract %s does not have", f.Name, f.Capability, contract)
		}
		attempt := func(contract string) receipt.Receipt {
			r := c.block(c.sign(contract, "x", []byte("\xa0"), limit))[0]
			if now := c.powers(); now != before {
				t.Errorf("%s by %s changed\n%sto\n%s", f.Name, contract, before, now)
			}
			return r
		}
		for _, kind := range []string{"thief-", "almost-", "borrower-"} {
			if r := attempt(kind + name); r.Code != receipt.NotPermitted || r.Reason != no(kind+name) {
				t.Errorf("%s%s: %s %q", kind, name, r.Code.Name(), r.Reason)
			}
		}
		told := cbor.AppendText(cbor.AppendUint(cbor.AppendArray(nil, 2), 0), no("thief-"+name))
		if r := attempt("lender-" + name); r.Code != receipt.OK || !bytes.Equal(r.Return, told) {
			t.Errorf("lender-%s: %s %q, it was told %q", name, r.Code.Name(), r.Reason, r.Return)
		}
		if r := c.block(c.sign("owner-"+name, "x", []byte("\xa0"), limit))[0]; r.Code != receipt.OK || c.powers() == before {
			t.Errorf("owner-%s: %s %q, and what it may do was done: %v", name, r.Code.Name(), r.Reason, c.powers() != before)
		}
	}
	return c.results
}
