package runtime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/runtime/vm"
	"github.com/wardledger/ward/runtime/vm/wasmtest"
)

// capped is relay that gives the callee at most so much gas and doesn't care what comes of it.
func capped(to string, limit int64) []byte {
	m := wasmtest.New()
	args, exists, call, log := m.Import(abi.Module, "args"), m.Import(abi.Module, "exists"), m.Import(abi.Module, "call_with_gas"), m.Import(abi.Module, "log")
	random, ret, scan, del := m.Import(abi.Module, "randomness"), m.Import(abi.Module, "ret"), m.Import(abi.Module, "scan"), m.Import(abi.Module, "delete")
	get, set := m.Import(abi.Module, "get"), m.Import(abi.Module, "set")
	rows, rowsLen := m.Data("rows")
	line, lineLen := m.Data("on my way")
	target, targetLen := m.Data(to)
	method, methodLen := m.Data("put")
	const out, room, page, number = 0, 256, 512, 1024
	key := wasmtest.Seq(wasmtest.I32(rows), wasmtest.I32(rowsLen), wasmtest.I32(rows), wasmtest.I32(rowsLen))
	m.Export(abi.ExportCall,
		wasmtest.I32(out), wasmtest.I32(room), wasmtest.Call(args), wasmtest.Set(0),
		wasmtest.I32(line), wasmtest.I32(lineLen), wasmtest.Call(log),
		key, wasmtest.Call(exists), wasmtest.Drop,
		wasmtest.I32(target), wasmtest.I32(targetLen), wasmtest.I32(method), wasmtest.I32(methodLen), wasmtest.I32(out), wasmtest.Get(0),
		wasmtest.I64(limit), wasmtest.Call(call), wasmtest.Drop,
		key, wasmtest.I32(page), wasmtest.I32(room), wasmtest.Call(get), wasmtest.Drop,
		// What was there last time goes, so that every other call finds a row.
		key, wasmtest.Call(del), wasmtest.If(wasmtest.Return),
		key, wasmtest.I32(out), wasmtest.Get(0), wasmtest.Call(set),
		wasmtest.I32(rows), wasmtest.I32(rowsLen), wasmtest.I32(0), wasmtest.I32(0), wasmtest.I32(0), wasmtest.I32(0), wasmtest.I32(0), wasmtest.I32(10),
		wasmtest.I32(page), wasmtest.I32(room), wasmtest.Call(scan), wasmtest.Drop,
		wasmtest.I32(number), wasmtest.Call(random),
		wasmtest.I32(out), wasmtest.Get(0), wasmtest.Call(ret),
	)
	return m.Bytes()
}

// simulated is a chain on which there is something to tell about.
func simulated(t testing.TB, o vm.Options) *testChain {
	c := chainOf(t, o, func(g *runtime.Genesis) {
		for name, code := range map[string][]byte{
			"to-good": relay("good", receipt.OK), "to-bad": relay("bad", receipt.Failed), "to-trap": relay("trap", receipt.Trapped),
			"to-relay": relay("to-bad", receipt.OK), "to-itself": relay("to-itself", receipt.NotPermitted), "to-nobody": relay("nobody", receipt.UnknownContract),
			"wrong": relay("good", receipt.Failed), "to-wrong": relay("wrong", receipt.Trapped),
			"capped": capped("to-good", 200_000), "poorly": capped("good", 20_500), "deep": capped("to-relay", 400_000), "not-at-all": capped("bad", 0),
		} {
			g.Contracts = append(g.Contracts, runtime.GenesisContract{Name: name, Code: code})
		}
		slices.SortFunc(g.Contracts, func(a, b runtime.GenesisContract) int { return strings.Compare(a.Name, b.Name) })
	})
	c.block()
	return c
}

// trial is what a transaction asks for, as a trial at the last height in the block that comes next.
func (c *testChain) trial(raw []byte, sender *tx.SecretKey) runtime.Trial {
	c.t.Helper()
	signed, err := tx.Decode(raw)
	if err != nil {
		c.t.Fatal(err)
	}
	return runtime.Trial{
		Query: runtime.Query{
			Time: c.now + 1, Contract: signed.Contract, Method: signed.Method, Args: signed.Args,
			Sender: sender.Public().Address(), GasLimit: signed.GasLimit,
		},
		Size: signed.Size(), Seed: signed.ID(),
	}
}

func (c *testChain) simulate(t runtime.Trial) runtime.Traced {
	c.t.Helper()
	got, err := c.run.Simulate(context.Background(), t)
	if err != nil {
		c.t.Fatal(err)
	}
	return got
}

// same compares two receipts, without the ids and logs, which only one of them may have.
func same(a, b receipt.Receipt) bool {
	a.TxID, b.TxID = receipt.Receipt{}.TxID, receipt.Receipt{}.TxID
	return bytes.Equal(a.Encode(), b.Encode()) && slices.Equal(a.Log, b.Log)
}

// consistent checks that the gas of a tree adds up, and returns how many calls are in it.
func consistent(t testing.TB, trace *host.Trace) (calls int) {
	t.Helper()
	var functions, within uint64
	for _, f := range trace.Functions {
		functions += f.Gas
		if f.Calls == 0 || f.Gas < gas.Host && trace.Code != receipt.OutOfGas {
			t.Errorf("%s.%s: %d calls of %s took %d gas", trace.Contract, trace.Method, f.Calls, f.Name, f.Gas)
		}
	}
	for _, s := range trace.Steps {
		if s.Call != nil {
			calls += consistent(t, s.Call)
			within += s.Call.Gas.Used
		}
	}
	g := trace.Gas
	if functions != g.Functions || within != g.Calls || g.Instance+g.Instructions+g.Functions+g.Calls != g.Used {
		t.Errorf("%s.%s: the gas is %+v, of functions %d, of calls %d", trace.Contract, trace.Method, g, functions, within)
	}
	return calls + 1
}

// A simulation says what then happens, and the trace of what happened says what the simulation said: code, gas, result,
// events and log, wherever it ends.
func TestSimulatedAndCommittedAgree(t *testing.T) {
	rounds := 5_000 // on each engine
	if testing.Short() {
		rounds = 100
	}
	const perBlock = 2
	random := rand.New(rand.NewPCG(5, 5))
	for _, interpreter := range []bool{false, true} {
		c := simulated(t, vm.Options{Interpreter: interpreter})
		names := []string{"good", "bad", "trap", "to-good", "to-bad", "to-trap", "to-relay", "to-itself", "to-nobody", "wrong", "to-wrong", "capped", "poorly", "deep", "not-at-all", "nobody", "code"}
		codes, most := map[receipt.Code]int{}, 0
		for range rounds {
			// The first of a block is simulated on the state before it; those that follow find another state.
			var raws [][]byte
			var before runtime.Traced
			for i := range perBlock {
				signer := []*tx.SecretKey{alice, bob}[random.IntN(2)]
				raw := c.sign(signer, names[random.IntN(len(names))], "put", arguments(random.Uint64N(1<<random.IntN(64))), func(t *tx.Tx) {
					if random.IntN(3) == 0 {
						t.GasLimit = 220_000 + random.Uint64N(400_000)
					}
				})
				if i == 0 {
					before = c.simulate(c.trial(raw, signer))
				}
				raws = append(raws, raw)
			}
			root := bytes.Clone(c.run.Root())
			again := c.block(raws...)
			if before.Height != c.run.Height() || before.Time != c.now || !same(before.Receipt, again[0]) {
				t.Fatalf("simulated in block %d\n%+v, committed in %d\n%+v", before.Height, before.Receipt, c.run.Height(), again[0])
			}
			if bytes.Equal(root, c.run.Root()) {
				t.Fatal("two transactions left no trace in the state")
			}
			for i, rec := range again {
				traced, err := c.run.TraceTx(context.Background(), c.last.Header, raws[:i+1])
				if err != nil {
					t.Fatal(err)
				}
				if !same(traced.Receipt, rec) || traced.Receipt.TxID != rec.TxID {
					t.Fatalf("traced\n%+v, committed\n%+v", traced.Receipt, rec)
				}
				if want := gas.MinLimit(len(raws[i])); traced.Admission != want || traced.Trace.Gas.Used != rec.GasUsed-want {
					t.Fatalf("%d gas were taken for admission, want %d; the call used %d of %d", traced.Admission, want, traced.Trace.Gas.Used, rec.GasUsed)
				}
				if i == 0 && story(before.Trace) != story(traced.Trace) {
					t.Fatalf("the simulation tells\n%s, the trace\n%s", story(before.Trace), story(traced.Trace))
				}
				if end := traced.Trace; end.Code != rec.Code || end.ContractCode != rec.ContractCode || end.Reason != rec.Reason || !bytes.Equal(end.Result.Kept, rec.Return) {
					t.Fatalf("the story ends\n%s, the receipt\n%+v", story(traced.Trace), rec)
				}
				most = max(most, consistent(t, traced.Trace))
				codes[rec.Code]++
			}
			if t.Failed() {
				t.FailNow()
			}
		}
		for _, code := range []receipt.Code{receipt.OK, receipt.Failed, receipt.Trapped, receipt.OutOfGas, receipt.UnknownContract, receipt.UnknownMethod} {
			if codes[code] < rounds*perBlock/100 {
				t.Errorf("%d of %d calls ended with %s", codes[code], rounds*perBlock, code.Name())
			}
		}
		if most != 4 {
			t.Errorf("the largest tree has %d calls, want 4", most)
		}
	}
}

// story prints a trace.
func story(t *host.Trace) string {
	var b strings.Builder
	tell(&b, t, "")
	return b.String()
}

func tell(b *strings.Builder, t *host.Trace, indent string) {
	fmt.Fprintf(b, "%s%s.%s(%x) %s %d %q -> %x\n", indent, t.Contract, t.Method, t.Args.Kept, t.Code.Name(), t.ContractCode, t.Reason, t.Result.Kept)
	fmt.Fprintf(b, "%s  gas %d: instance %d, instructions %d, functions %d, calls %d\n", indent, t.Gas.Used, t.Gas.Instance, t.Gas.Instructions, t.Gas.Functions, t.Gas.Calls)
	for _, f := range t.Functions {
		fmt.Fprintf(b, "%s  %s x%d %d\n", indent, f.Name, f.Calls, f.Gas)
	}
	for _, s := range t.Steps {
		switch {
		case s.Call != nil:
			fmt.Fprintf(b, "%s  %s\n", indent, s.Op)
			tell(b, s.Call, indent+"    ")
		case s.Event != "":
			fmt.Fprintf(b, "%s  %s %s %x\n", indent, s.Op, s.Event, s.Attributes.Kept)
		case s.Op == "log":
			fmt.Fprintf(b, "%s  log %s\n", indent, s.Line)
		default:
			fmt.Fprintf(b, "%s  %s %s %s found=%t %x\n", indent, s.Op, s.Collection, s.Key.Kept, s.Found, s.Value.Kept)
		}
	}
}

// A trace tells in order what was read, written, emitted, logged and called, and what failed.
func TestTraceTells(t *testing.T) {
	c := simulated(t, vm.Options{})
	c.one(c.sign(alice, "capped", "put", arguments(5)))
	got := c.simulate(runtime.Trial{Query: runtime.Query{Contract: "deep", Method: "put", Args: arguments(1), Time: c.now, Sender: alice.Public().Address()}})
	expect(t, got.Receipt, receipt.OK)
	tale := story(got.Trace)
	for _, want := range []string{
		"deep.put(a1616e01) ok 0 \"\" -> a1616e01\n",
		"\n  log on my way\n  exists rows rows found=false \n  call\n    to-relay.put(a1616e01) ok",
		"\n      set rows rows found=false a1616e01\n      emit before a1616e01\n      call\n        to-bad.put(a1616e01) ok",
		"\n            bad.put(a1616e01) failed 7 \"not on my watch\" -> \n",
		"\n              emit stored a1616e01\n          emit after a1616e01\n",
		"\n  get rows rows found=false \n  delete rows rows found=false \n  set rows rows found=false a1616e01\n  scan rows  found=false \n  row rows rows found=true a1616e01\n",
		"\n  randomness x1 ",
	} {
		if !strings.Contains(tale, want) {
			t.Errorf("the story does not contain\n%q\n:\n%s", want, tale)
		}
	}
	if got.Trace.Sender != alice.Public().Address() || got.Height != c.run.Height()+1 {
		t.Errorf("sender %s, height %d", got.Trace.Sender, got.Height)
	}
	if row := c.row("deep"); row != nil {
		t.Errorf("the simulation has stored %x", row)
	}
	// The second time it finds what was stored the first time.
	if tale := story(c.simulate(runtime.Trial{Query: runtime.Query{Contract: "capped", Method: "put", Args: arguments(1), Time: c.now}}).Trace); !strings.Contains(tale, "get rows rows found=true a1616e05\n  delete rows rows found=true") {
		t.Errorf("the story of capped is\n%s", tale)
	}
}

// What is refused before it runs has no story, and a size that is left to us is that of a real transaction.
func TestSimulateAdmission(t *testing.T) {
	c := simulated(t, vm.Options{})
	got := c.simulate(runtime.Trial{Query: runtime.Query{Contract: "good", Method: "put", Args: arguments(1), GasLimit: 1000}})
	if got.Receipt.Code != receipt.GasLimit || got.Trace != nil || got.Receipt.GasUsed != 0 || !strings.Contains(got.Receipt.Reason, "gas limit is 1000, a transaction of ") {
		t.Errorf("%+v", got)
	}
	for _, n := range []int{1, 500} {
		args := append([]byte{0x59, byte(n >> 8), byte(n)}, bytes.Repeat([]byte{1}, n)...)
		if n < 24 {
			args = []byte{0x41, 1}
		}
		raw := c.sign(bob, "good", "put", args, func(t *tx.Tx) { t.Sequence = 900 + uint64(n) })
		trial := c.trial(raw, bob)
		trial.Size = 0
		short, whole := c.simulate(trial), gas.MinLimit(len(raw))
		if short.Admission > whole || short.Admission+gas.PerTxByte < whole {
			t.Errorf("%d bytes: admission is %d, of the transaction %d", n, short.Admission, whole)
		}
	}
	broken := c.sign(alice, "good", "put", arguments(1))
	broken[len(broken)-1] ^= 1
	c.block(broken, c.sign(alice, "good", "put", arguments(1)))
	traced, err := c.run.TraceTx(context.Background(), c.last.Header, [][]byte{broken})
	if err != nil || traced.Trace != nil || traced.Receipt.Code != receipt.BadSignature || traced.Admission != 0 {
		t.Errorf("%+v, %v", traced, err)
	}
}

// A deployment's story holds that of the contract's init.
func TestTraceDeployment(t *testing.T) {
	c := newChain(t, vm.Options{})
	c.block()
	raw := deployment(c, operator, "later", good)
	rec := c.one(raw)
	expect(t, rec, receipt.OK)
	traced, err := c.run.TraceTx(context.Background(), c.last.Header, [][]byte{raw})
	if err != nil {
		t.Fatal(err)
	}
	if !same(traced.Receipt, rec) || traced.Trace.Gas.Used+traced.Admission != rec.GasUsed || traced.Trace.Gas.Instructions == 0 {
		t.Errorf("%+v\n%s", traced.Receipt, story(traced.Trace))
	}
	if got := traced.Trace.Args; got.Size < len(good) {
		t.Errorf("the arguments have %d bytes", got.Size)
	}
}

// What can't be replayed says so, and a context that is done ends it.
func TestTraceLimits(t *testing.T) {
	c := simulated(t, vm.Options{})
	raw := c.sign(alice, "good", "put", arguments(1))
	c.block(raw)
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.run.Simulate(done, c.trial(raw, alice)); !errors.Is(err, context.Canceled) {
		t.Errorf("simulate after the end: %v", err)
	}
	if _, err := c.run.TraceTx(done, c.last.Header, [][]byte{raw}); !errors.Is(err, context.Canceled) {
		t.Errorf("trace after the end: %v", err)
	}
	var pruned *state.PrunedError
	if _, err := c.run.TraceTx(context.Background(), runtime.Header{Height: 1}, [][]byte{raw}); !errors.As(err, &pruned) || pruned.Earliest != 1 {
		t.Errorf("trace in the first block: %v", err)
	}
	if _, err := c.run.TraceTx(context.Background(), runtime.Header{Height: 99}, [][]byte{raw}); !errors.As(err, &pruned) || pruned.Height != 98 {
		t.Errorf("trace in block 99: %v", err)
	}
	if _, err := c.run.Simulate(context.Background(), runtime.Trial{Query: runtime.Query{Height: 99}}); !errors.As(err, &pruned) {
		t.Errorf("simulate at height 99: %v", err)
	}
}

// chatter logs and stores for ever.
func chatter() []byte {
	m := wasmtest.New()
	log, set := m.Import(abi.Module, "log"), m.Import(abi.Module, "set")
	at, n := m.Data(strings.Repeat("la ", 300))
	col, colLen := m.Data("rows")
	m.Export(abi.ExportCall, wasmtest.Loop(
		wasmtest.I32(at), wasmtest.I32(n), wasmtest.Call(log),
		wasmtest.I32(col), wasmtest.I32(colLen), wasmtest.I32(col), wasmtest.I32(colLen), wasmtest.I32(0), wasmtest.I32(5_000), wasmtest.Call(set),
		wasmtest.Branch(0)))
	return m.Bytes()
}

// However much a contract does, what is kept of it is bounded, and the gas adds up.
func TestTraceIsBounded(t *testing.T) {
	c := chainOf(t, vm.Options{}, func(g *runtime.Genesis) {
		g.Contracts = append(g.Contracts, runtime.GenesisContract{Name: "chatter", Code: chatter()}, runtime.GenesisContract{Name: "to-chatter", Code: relay("chatter", receipt.OutOfGas)})
	})
	c.block()
	for _, contract := range []string{"chatter", "to-chatter"} {
		got := c.simulate(runtime.Trial{Query: runtime.Query{Contract: contract, Method: "put", Args: arguments(1)}})
		expect(t, got.Receipt, receipt.OutOfGas)
		if got.Receipt.GasUsed != gas.MaxLimit || got.Trace.Gas.Used != gas.MaxLimit-got.Admission {
			t.Errorf("%s: %d gas used, %d in the trace", contract, got.Receipt.GasUsed, got.Trace.Gas.Used)
		}
		consistent(t, got.Trace)
		var steps, kept, omitted, bad int
		var count func(*host.Trace)
		count = func(t *host.Trace) {
			steps += len(t.Steps)
			omitted += t.Omitted
			kept += len(t.Args.Kept) + len(t.Result.Kept)
			for _, s := range t.Steps {
				kept += len(s.Key.Kept) + len(s.Value.Kept) + len(s.Attributes.Kept) + len(s.Line)
				if s.Op == "set" && contract == "chatter" && (s.Value.Size != 5_000 || s.Value.Whole() || len(s.Value.Kept) > host.MaxTraceValue) {
					bad++
				}
				if s.Call != nil {
					count(s.Call)
				}
			}
		}
		count(got.Trace)
		if steps != host.MaxTraceSteps || kept > host.MaxTraceBytes || omitted == 0 || bad > 0 {
			t.Errorf("%s: %d steps and %d bytes were kept, %d steps omitted", contract, steps, kept, omitted)
		}
	}
}

// TestSimulateDeploys: nobody has a node compile by asking.
func TestSimulateDeploys(t *testing.T) {
	c := newChain(t, vm.Options{})
	c.block()
	out, err := c.run.Simulate(context.Background(), runtime.Trial{Query: runtime.Query{
		Contract: runtime.CodeContract, Method: "deploy", Args: []byte("\xa0"), Sender: operator.Public().Address(),
	}})
	if err != nil || out.Receipt.Code != receipt.NotPermitted || out.Receipt.GasUsed != 0 {
		t.Errorf("%s: %s, %v; want not permitted", out.Receipt.Code.Name(), out.Receipt.Reason, err)
	}
}

// lost traps in a function that has a name; if to is not "", it calls that contract's put before.
func lost(to string) []byte {
	m := wasmtest.New()
	call := m.Import(abi.Module, "call")
	target, targetLen := m.Data(to)
	method, methodLen := m.Data("put")
	args, argsLen := m.Data("\xa0")
	inner := m.Func(nil, nil, 0, wasmtest.Unreachable)
	before := wasmtest.Seq()
	if to != "" {
		before = wasmtest.Seq(wasmtest.I32(target), wasmtest.I32(targetLen), wasmtest.I32(method), wasmtest.I32(methodLen),
			wasmtest.I32(args), wasmtest.I32(argsLen), wasmtest.Call(call), wasmtest.Drop)
	}
	outer := m.Export(abi.ExportCall, before, wasmtest.Call(inner))
	m.Name(inner, "where."+to)
	m.Name(outer, "call."+to)
	return m.Bytes()
}

// Each call of a trace says in which functions it trapped; the receipt, which is consensus, doesn't.
func TestTraceNamesFunctions(t *testing.T) {
	for _, interpreter := range []bool{false, true} {
		c := chainOf(t, vm.Options{Interpreter: interpreter}, func(g *runtime.Genesis) {
			g.Contracts = append(g.Contracts, runtime.GenesisContract{Name: "lost", Code: lost("")}, runtime.GenesisContract{Name: "more-lost", Code: lost("lost")})
		})
		c.block()
		raw := c.sign(alice, "more-lost", "put", arguments(1))
		simulated := c.simulate(c.trial(raw, alice))
		rec := c.one(raw)
		committed, err := c.run.TraceTx(context.Background(), c.last.Header, [][]byte{raw})
		if err != nil {
			t.Fatal(err)
		}
		if rec.Code != receipt.Trapped || rec.Reason != "trap: unreachable code was reached" || !same(rec, committed.Receipt) || !same(rec, simulated.Receipt) {
			t.Errorf("%+v, simulated %+v, traced %+v", rec, simulated.Receipt, committed.Receipt)
		}
		for _, trace := range []*host.Trace{simulated.Trace, committed.Trace} {
			if outer := []string{"where.lost", "call.lost"}; !slices.Equal(trace.Stack, outer) {
				t.Errorf("it trapped in %q, want %q", trace.Stack, outer)
			}
			if inner := []string{"where.", "call."}; len(trace.Steps) != 1 || !slices.Equal(trace.Steps[0].Call.Stack, inner) {
				t.Errorf("the inner call did not trap in %q:\n%s", inner, story(trace))
			}
		}
	}
}

// often calls another contract's put so often, whatever comes of it.
func often(n int, to string) []byte {
	m := wasmtest.New()
	call := m.Import(abi.Module, "call")
	target, targetLen := m.Data(to)
	method, methodLen := m.Data("put")
	args, argsLen := m.Data("\xa0")
	m.Export(abi.ExportCall, wasmtest.I32(int32(n)), wasmtest.Set(0), wasmtest.Loop(
		wasmtest.I32(target), wasmtest.I32(targetLen), wasmtest.I32(method), wasmtest.I32(methodLen),
		wasmtest.I32(args), wasmtest.I32(argsLen), wasmtest.Call(call), wasmtest.Drop,
		wasmtest.Get(0), wasmtest.I32(-1), wasmtest.AddI32, wasmtest.Set(0), wasmtest.Get(0), wasmtest.BranchIf(0)))
	return m.Bytes()
}

// Names are looked for in a whole module, outside of gas: however many calls trap, only for the first of them.
func TestTraceNamesFewStacks(t *testing.T) {
	const calls = 3 * host.MaxTraceStacks
	c := chainOf(t, vm.Options{}, func(g *runtime.Genesis) {
		g.Contracts = append(g.Contracts, runtime.GenesisContract{Name: "lost", Code: lost("")}, runtime.GenesisContract{Name: "often", Code: often(calls, "lost")})
	})
	c.block()
	got := c.simulate(runtime.Trial{Query: runtime.Query{Contract: "often", Method: "put", Args: arguments(1)}})
	expect(t, got.Receipt, receipt.OK)
	if len(got.Trace.Steps) != calls {
		t.Fatalf("%d steps, want %d", len(got.Trace.Steps), calls)
	}
	for i, s := range got.Trace.Steps {
		if has := s.Call.Stack != nil; has != (i < host.MaxTraceStacks) {
			t.Fatalf("call %d of %d has a stack: %t", i, calls, has)
		}
	}
}

// A view changes nothing in a transaction either, and the trace says that it is one.
func TestTransactionOfAView(t *testing.T) {
	spec := abi.Spec{ABI: abi.Version, Name: "sees", Methods: []abi.Method{{Name: "put", View: true}}}
	view, err := abi.AppendSpec(relay("good", receipt.OK), spec.Encode())
	if err != nil {
		t.Fatal(err)
	}
	c := chainOf(t, vm.Options{}, func(g *runtime.Genesis) {
		g.Contracts = append(g.Contracts, runtime.GenesisContract{Name: "sees", Code: view})
	})
	c.block()
	raw := c.sign(alice, "sees", "put", arguments(1))
	simulated, rec := c.simulate(c.trial(raw, alice)), c.one(raw)
	if rec.Code != receipt.NotPermitted || rec.Reason != "set in a view: a view changes nothing" || !same(rec, simulated.Receipt) || !simulated.Trace.View {
		t.Errorf("%+v, simulated %+v, as a view: %t", rec, simulated.Receipt, simulated.Trace.View)
	}
	if other := c.simulate(runtime.Trial{Query: runtime.Query{Contract: "good", Method: "put", Args: arguments(1), Time: c.now}}); other.Trace.View {
		t.Error("good is no view")
	}
}
