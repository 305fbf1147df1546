package runtime_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/runtime/vm"
	"github.com/wardledger/ward/runtime/vm/wasmtest"
)

// relay is a contract that stores its arguments, passes them on to a method of another contract,
// traps unless that answers code, and returns the reply.
func relay(to string, code receipt.Code) []byte {
	m := wasmtest.New()
	args, set, emit := m.Import(abi.Module, "args"), m.Import(abi.Module, "set"), m.Import(abi.Module, "emit")
	call, reply, ret := m.Import(abi.Module, "call"), m.Import(abi.Module, "reply"), m.Import(abi.Module, "ret")
	rows, rowsLen := m.Data("rows")
	before, beforeLen := m.Data("before")
	after, afterLen := m.Data("after")
	target, targetLen := m.Data(to)
	method, methodLen := m.Data("put")
	const out, room, answer = 0, 256, 512
	m.Export(abi.ExportCall,
		wasmtest.I32(out), wasmtest.I32(room), wasmtest.Call(args), wasmtest.Set(0),
		wasmtest.I32(rows), wasmtest.I32(rowsLen), wasmtest.I32(rows), wasmtest.I32(rowsLen), wasmtest.I32(out), wasmtest.Get(0), wasmtest.Call(set),
		wasmtest.I32(before), wasmtest.I32(beforeLen), wasmtest.I32(out), wasmtest.Get(0), wasmtest.Call(emit),
		wasmtest.I32(target), wasmtest.I32(targetLen), wasmtest.I32(method), wasmtest.I32(methodLen), wasmtest.I32(out), wasmtest.Get(0), wasmtest.Call(call),
		wasmtest.I32(int32(code)), wasmtest.NeI32, wasmtest.If(wasmtest.Unreachable),
		wasmtest.I32(after), wasmtest.I32(afterLen), wasmtest.I32(out), wasmtest.Get(0), wasmtest.Call(emit),
		wasmtest.I32(answer), wasmtest.I32(room), wasmtest.Call(reply), wasmtest.Set(0),
		wasmtest.I32(answer), wasmtest.Get(0), wasmtest.Call(ret),
	)
	return m.Bytes()
}

// Calls between contracts have the same outcome, gas and root on both engines.
func TestInnerCalls(t *testing.T) {
	failure := func(code uint64, reason string) []byte {
		return cbor.AppendText(cbor.AppendUint(cbor.AppendArray(nil, 2), code), reason)
	}
	args := arguments(5)
	type result struct {
		root []byte
		gas  uint64
	}
	var results []result
	for _, interpreter := range []bool{false, true} {
		c := chainOf(t, vm.Options{Interpreter: interpreter}, func(g *runtime.Genesis) {
			g.Contracts = append(g.Contracts,
				runtime.GenesisContract{Name: "to-good", Code: relay("good", receipt.OK)},
				runtime.GenesisContract{Name: "to-bad", Code: relay("bad", receipt.Failed)},
				runtime.GenesisContract{Name: "to-trap", Code: relay("trap", receipt.Trapped)},
				runtime.GenesisContract{Name: "to-relay", Code: relay("to-bad", receipt.OK)},
				runtime.GenesisContract{Name: "to-itself", Code: relay("to-itself", receipt.NotPermitted)},
				runtime.GenesisContract{Name: "to-nobody", Code: relay("nobody", receipt.UnknownContract)},
				runtime.GenesisContract{Name: "to-code", Code: relay("code", receipt.NotPermitted)},
				runtime.GenesisContract{Name: "wrong", Code: relay("good", receipt.Failed)},
			)
		})
		c.block()
		for _, test := range []struct {
			contract string
			reply    []byte
			events   string
		}{
			{"to-good", args, "to-good.before good.stored to-good.after"},
			{"to-bad", failure(7, "not on my watch"), "to-bad.before to-bad.after"},
			{"to-trap", failure(0, "trap: unreachable code was reached"), "to-trap.before to-trap.after"},
			{"to-relay", failure(7, "not on my watch"), "to-relay.before to-bad.before to-bad.after to-relay.after"},
			{"to-itself", failure(0, "contract to-itself is running already: it can't be called until that has ended"), "to-itself.before to-itself.after"},
			{"to-nobody", failure(0, `there is no contract "nobody"`), "to-nobody.before to-nobody.after"},
			{"to-code", failure(0, "code can't be called by a contract"), "to-code.before to-code.after"},
		} {
			r := c.one(c.sign(alice, test.contract, "put", args))
			expect(t, r, receipt.OK)
			if !bytes.Equal(r.Return, test.reply) {
				t.Errorf("%s returned %q, want %q", test.contract, r.Return, test.reply)
			}
			var events []string
			for _, e := range r.Events {
				events = append(events, e.Contract+"."+e.Name)
			}
			if got := strings.Join(events, " "); got != test.events {
				t.Errorf("%s: events %s, want %s", test.contract, got, test.events)
			}
			results = append(results, result{bytes.Clone(c.last.Root), r.GasUsed})
		}
		expect(t, c.one(c.sign(alice, "wrong", "put", args)), receipt.Trapped)
		for contract, want := range map[string][]byte{"good": args, "bad": nil, "trap": nil, "to-bad": args, "wrong": nil} {
			if got := c.row(contract); !bytes.Equal(got, want) {
				t.Errorf("%s has stored % x, want % x", contract, got, want)
			}
		}
	}
	half := len(results) / 2
	for i := range half {
		if a, b := results[i], results[half+i]; !bytes.Equal(a.root, b.root) || a.gas != b.gas {
			t.Errorf("call %d: root %x and gas %d on the compiler, %x and %d on the interpreter", i, a.root, a.gas, b.root, b.gas)
		}
	}
}

// One gas too few, wherever that is: the whole transaction is out of gas, and nothing of it stays.
func TestInnerCallsRunOutOfGas(t *testing.T) {
	c := chainOf(t, vm.Options{}, func(g *runtime.Genesis) {
		g.Contracts = append(g.Contracts, runtime.GenesisContract{Name: "to-bad", Code: relay("bad", receipt.Failed)})
	})
	c.block()
	used := c.one(c.sign(alice, "to-bad", "put", arguments(1))).GasUsed
	limited := func(limit uint64) receipt.Receipt {
		return c.one(c.sign(alice, "to-bad", "put", arguments(2), func(t *tx.Tx) { t.GasLimit = limit }))
	}
	for left := used; left > 300_000; left -= 97_003 {
		r := limited(left - 1)
		expect(t, r, receipt.OutOfGas)
		if want := fmt.Sprintf("the gas limit of %d is used up", left-1); r.Reason != want {
			t.Errorf("reason %q, want %q", r.Reason, want)
		}
		if got := c.row("to-bad"); !bytes.Equal(got, arguments(1)) {
			t.Fatalf("with %d gas: stored % x", left-1, got)
		}
	}
	expect(t, limited(limited(limit).GasUsed), receipt.OK)
}

// What the engine starts with is what the contracts of genesis want.
func TestGenesisAuthorities(t *testing.T) {
	one, two := alice.Public().Bytes, stranger.Public().Bytes
	for _, test := range []struct {
		name string
		keys [][]byte
		want string
	}{
		{"none", nil, ""},
		{"two in any order", [][]byte{two, one}, ""},
		{"twice", [][]byte{one, one}, "key 1 does not come after the one before it"},
		{"short", [][]byte{one[:31]}, "key 0 has 31 bytes"},
		{"no point", [][]byte{bytes.Repeat([]byte{2}, 32)}, "is no Ed25519 key"},
		{"small order", [][]byte{make([]byte, 32)}, "or one that anybody can sign for"},
	} {
		g := genesis()
		g.Authorities = test.keys
		s, err := state.Open(state.NewMemory(), state.Options{})
		if err != nil {
			t.Fatal(err)
		}
		e, err := vm.New(vm.Options{})
		if err != nil {
			t.Fatal(err)
		}
		run, err := runtime.New(runtime.Config{State: s, Engine: e})
		if err != nil {
			t.Fatal(err)
		}
		_, err = run.InitChain(g, runtime.Header{Height: 1, Time: start})
		e.Close()
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}

// The authorities are handed over in the block in which they changed, again if the block is
// executed again, and once it is committed never again.
func TestHandOver(t *testing.T) {
	keys := map[string][]byte{"alice": alice.Public().Bytes, "operator": operator.Public().Bytes, "poor": poor.Public().Bytes}
	setter := func(keys ...[]byte) []byte {
		set := abi.AuthoritySet(keys)
		m := wasmtest.New()
		f := m.Import(abi.Module, "authorities_set")
		at, n := m.Data(string(set.Encode()))
		m.Export(abi.ExportCall, wasmtest.I32(at), wasmtest.I32(n), wasmtest.Call(f), wasmtest.If(wasmtest.Unreachable))
		return m.Bytes()
	}
	sorted := func(names ...string) (s [][]byte) {
		for _, name := range names {
			s = append(s, keys[name])
		}
		if len(s) == 2 && bytes.Compare(s[0], s[1]) > 0 {
			s[0], s[1] = s[1], s[0]
		}
		return s
	}
	c := chainOf(t, vm.Options{}, func(g *runtime.Genesis) {
		g.Authorities = sorted("alice", "operator")
		for name, code := range map[string][]byte{
			"swap": setter(sorted("alice", "poor")...), "back": setter(sorted("alice", "operator")...), "none": setter(), "twice": setter(keys["poor"], keys["poor"]),
		} {
			g.Contracts = append(g.Contracts, runtime.GenesisContract{Name: name, Code: code, Capabilities: []string{abi.CapabilityAuthorities}})
		}
	})
	c.block()
	told := func(s *runtime.Stage) string {
		var out []string
		for _, u := range s.Updates {
			for name, key := range keys {
				if bytes.Equal(key, u.Key) {
					out = append(out, fmt.Sprintf("%s=%d", name, u.Power))
				}
			}
		}
		return strings.Join(out, " ")
	}
	wanted := func(s *runtime.Stage, words ...string) {
		t.Helper()
		got := told(s)
		if len(s.Updates) != len(words) {
			t.Fatalf("updates %q, want %q", got, words)
		}
		for _, w := range words {
			if !strings.Contains(got, w) {
				t.Errorf("updates %q, want %q", got, words)
			}
		}
	}
	swap := c.sign(alice, "swap", "x", arguments(1))
	first := c.execute(swap)
	wanted(first, "operator=0", "poor=1")
	again := c.execute(swap)
	wanted(again, "operator=0", "poor=1")
	if len(again.Events) != 1 || again.Events[0].Name != "authorities" || again.Events[0].Contract != runtime.ChainContract {
		t.Errorf("events %v, want one that tells of the authorities", again.Events)
	}
	if err := again.Commit(); err != nil {
		t.Fatal(err)
	}
	wanted(c.execute())
	c.open() // as after a restart
	wanted(c.execute())
	// There and back in one block is no difference.
	c.block(c.sign(alice, "back", "x", arguments(1)), c.sign(alice, "swap", "x", arguments(2)))
	wanted(c.last)
	for _, bad := range []string{"none", "twice"} {
		expect(t, c.one(c.sign(alice, bad, "x", arguments(1))), receipt.Trapped)
		wanted(c.last)
	}
	c.block(c.sign(alice, "back", "x", arguments(3)))
	wanted(c.last, "operator=1", "poor=0")
}
