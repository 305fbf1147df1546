package hostile

import (
	"bytes"
	"crypto/sha256"
	"fmt"
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

// A chain is the runtime, driven as a node does.
type chain struct {
	t    testing.TB
	db   *state.Memory
	opts vm.Options
	run  *runtime.Runtime
	now  int64
	next map[int]uint64 // sequence, by lane

	results [][]byte // what consensus holds of each receipt, and the root of each block
}

// user deploys and calls. A seed, not a secret.
var user = func() *tx.SecretKey {
	seed := sha256.Sum256([]byte("somebody"))
	k, err := tx.NewEd25519(seed[:])
	if err != nil {
		panic(err)
	}
	return k
}()

func newChain(t testing.TB, o vm.Options) *chain {
	t.Helper()
	c := &chain{t: t, db: state.NewMemory(), opts: o, now: 1_700_000_000, next: map[int]uint64{}}
	c.open()
	g := runtime.Genesis{
		Chain: "test-1", Operator: user.Public().Address(),
		Accounts: []runtime.GenesisAccount{
			{Key: user.Public().Bytes, Quota: 1_000_000 * gas.MaxLimit, Scope: []abi.Scope{{Contract: runtime.AnyContract}}},
		},
	}
	if _, err := c.run.InitChain(g, runtime.Header{Height: 1, Time: c.now}); err != nil {
		t.Fatal(err)
	}
	c.block()
	return c
}

// open starts on what the database holds, as after a restart.
func (c *chain) open() {
	c.t.Helper()
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

// sign returns a transaction.
func (c *chain) sign(contract, method string, args []byte, limit uint64) []byte {
	c.t.Helper()
	lane := runtime.LaneOf(contract)
	c.next[lane]++
	raw, err := tx.Sign(&tx.Tx{Chain: "test-1", Sequence: c.next[lane], GasLimit: limit, Contract: contract, Method: method, Args: args}, user)
	if err != nil {
		c.t.Fatal(err)
	}
	return raw
}

// block executes and commits a block.
func (c *chain) block(raws ...[]byte) []receipt.Receipt {
	c.t.Helper()
	c.now++
	b, err := c.run.Begin(runtime.Header{Height: c.run.Height() + 1, Time: c.now})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, raw := range raws {
		if _, err := b.Apply(raw); err != nil {
			c.t.Fatalf("the node stops: %v", err)
		}
	}
	stage, err := b.Seal()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := stage.Commit(); err != nil {
		c.t.Fatal(err)
	}
	for i := range stage.Receipts {
		r := &stage.Receipts[i]
		c.results = append(c.results, fmt.Appendf(nil, "%s.%s: %d %d %q %x", r.Contract, r.Method, r.Code, r.GasUsed, r.Reason, r.Data()))
	}
	c.results = append(c.results, bytes.Clone(stage.Root))
	return stage.Receipts
}

// deploy puts contracts on the chain, by a transaction for each.
func (c *chain) deploy(name string, wasm []byte) receipt.Receipt {
	c.t.Helper()
	args := cbor.AppendBytes(cbor.AppendText(cbor.AppendMap(nil, 2), "code"), wasm)
	args = cbor.AppendText(cbor.AppendText(args, "name"), name)
	return c.block(c.sign(runtime.CodeContract, "deploy", args, gas.MaxLimit))[0]
}

// rows returns how many rows a contract has in its collection "rows".
func (c *chain) rows(contract string) (n int) {
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
	for _, key := range []string{"a", "b"} {
		v, err := snapshot.Get([]byte(contract+"\x00rows"), []byte(key))
		if err != nil {
			c.t.Fatal(err)
		}
		if v != nil {
			n++
		}
	}
	return n
}

// writes is a contract that sets two rows, emits an event, and then does something else.
func writes(then func(m *wt.Module, f map[string]int) wt.Op) []byte {
	m := wt.New()
	f := map[string]int{}
	for _, name := range []string{"set", "emit", "ret", "fail", "call", "call_with_gas", "reply", "log", "gas_left"} {
		f[name] = m.Import(abi.Module, name)
	}
	f["proc_exit"] = m.Import(abi.WASIModule, "proc_exit")
	rows, value := bytesOf(m, "rows"), bytesOf(m, "value")
	body := wt.Seq(
		rows, bytesOf(m, "a"), value, wt.Call(f["set"]),
		rows, bytesOf(m, "b"), value, wt.Call(f["set"]),
		bytesOf(m, "written"), bytesOf(m, "\xa0"), wt.Call(f["emit"]))
	m.Export(abi.ExportCall, body, then(m, f))
	return m.Bytes()
}

// calls calls another contract n times, each of which must end with this code.
func calls(name string, n int32, want receipt.Code, limit int64) []byte {
	return writes(func(m *wt.Module, f map[string]int) wt.Op {
		call := wt.Call(f["call"])
		if limit > 0 {
			call = wt.Seq(wt.I64(limit), wt.Call(f["call_with_gas"]))
		}
		return wt.Loop(
			bytesOf(m, name), bytesOf(m, "do"), bytesOf(m, "\xa0"), call,
			wt.I32(int32(want)), wt.EqI32, trapIfNot,
			wt.Get(0), wt.I32(1), wt.AddI32, wt.Raw(0x22, 0), wt.I32(n), wt.LtU32, wt.BranchIf(0))
	})
}

// A chain on which hostile contracts are deployed and called goes on as if nothing had been, and is the same on every
// engine.
func TestNode(t *testing.T) {
	nothing := func(op ...wt.Op) func(*wt.Module, map[string]int) wt.Op {
		return func(*wt.Module, map[string]int) wt.Op { return wt.Seq(op...) }
	}
	deployed := []struct {
		name string
		wasm []byte
	}{
		{"honest", writes(nothing())},
		{"spins", writes(nothing(loop()))},
		{"traps", writes(nothing(wt.Unreachable))},
		{"recurses", func() []byte {
			m := wt.New()
			m.Func(nil, nil, 100, wt.Call(0))
			m.Export(abi.ExportCall, wt.Call(0))
			return m.Bytes()
		}()},
		{"grows", writes(nothing(loop(wt.I32(64), wt.Grow, wt.I32(-1), wt.EqI32, wt.If(wt.Unreachable))))},
		{"forges", writes(func(m *wt.Module, f map[string]int) wt.Op {
			return wt.Seq(bytesOf(m, "rows"), wt.I32(-1), wt.I32(7), bytesOf(m, "v"), wt.Call(f["set"]))
		})},
		{"floods", writes(func(m *wt.Module, f map[string]int) wt.Op {
			return loop(bytesOf(m, "e"), bytesOf(m, "\xa0"), wt.Call(f["emit"]))
		})},
		{"fails", writes(func(m *wt.Module, f map[string]int) wt.Op {
			return wt.Seq(wt.I32(7), bytesOf(m, "because"), wt.Call(f["fail"]))
		})},
		{"exits", writes(func(m *wt.Module, f map[string]int) wt.Op { return wt.Seq(wt.I32(3), wt.Call(f["proc_exit"])) })},
		{"returns-rubbish", writes(func(m *wt.Module, f map[string]int) wt.Op {
			return wt.Seq(bytesOf(m, "\xff"), wt.Call(f["ret"]))
		})},
		{"calls-traps", calls("traps", 1000, receipt.Trapped, 0)},
		{"calls-forges", calls("forges", 1, receipt.Trapped, 0)},
		{"calls-recurses", calls("recurses", 3, receipt.Trapped, 0)},
		{"calls-spins", calls("spins", 1, receipt.OutOfGas, 0)},
		{"calls-spins-a-little", calls("spins", 10, receipt.OutOfGas, 500_000)},
		{"calls-in-between", calls("calls-spins", 3, receipt.OutOfGas, 1_000_000)},
		{"calls-itself", calls("calls-itself", 10, receipt.NotPermitted, 0)},
	}
	refused := []struct {
		name   string
		wasm   []byte
		reason string
	}{
		{"starts-and-spins", func() []byte {
			m := wt.New()
			m.Export(abi.ExportInitialize, loop(wt.I32(0), wt.I32(7), wt.I32(65536), wt.Fill))
			m.Export(abi.ExportCall)
			return m.Bytes()
		}(), fmt.Sprintf("it can't be started: the gas limit of %d is used up", gas.MaxInit)},
		{"changes-tables", func() []byte {
			m := wt.New()
			m.Table(0, 1)
			m.Export(abi.ExportCall, wt.NullFunc, wt.I32(1), wt.TableGrow, wt.Drop)
			return m.Bytes()
		}(), "table.grow is not allowed"},
		{"takes-it-all", func() []byte {
			m := wt.New()
			m.Pages = 65536
			m.Export(abi.ExportCall)
			return m.Bytes()
		}(), "starts with 65536 pages, limit 1024"},
		{"asks-for-what-there-is-not", func() []byte {
			m := wt.New()
			m.Import(abi.Module, "exist")
			m.Export(abi.ExportCall)
			return m.Bytes()
		}(), fmt.Sprintf(`import section 0: "ward"."exist": there is no such function in version %d of the interface, the newest that this release speaks; `+
			`there is "ward"."exists", (i32, i32, i32, i32) -> (i32) since version 2 of the interface`, abi.Version)},
		{"asks-for-less-than-there-is", func() []byte {
			m := wt.New()
			m.ImportAs(abi.Module, "gas_left", nil, []byte{wt.TypeI32})
			m.Export(abi.ExportCall)
			return m.Bytes()
		}(), `import section 0: "ward"."gas_left": its type is () -> (i64) since version 1 of the interface, not () -> (i32)`},
		{"comes-too-early", func() []byte {
			m := wt.New()
			m.Import(abi.Module, "of_a_later_version")
			m.Export(abi.ExportCall)
			b, err := abi.AppendSpec(m.Bytes(), (&abi.Spec{ABI: abi.Version + 1, Name: "early"}).Encode())
			if err != nil {
				t.Fatal(err)
			}
			return b
		}(), fmt.Sprintf("custom section: ward_spec: made for version %d of the interface, this release speaks 1 to %d", abi.Version+1, abi.Version)},
		{"is-no-module", []byte("\x28\xb5\x2f\xfd and so on"), ""}, // what zstd begins with: nothing is unpacked
	}
	const most = 100_000_000
	blocks := [][]struct {
		contract string
		limit    uint64
		code     receipt.Code
		reason   string
	}{
		{
			{"honest", most, receipt.OK, ""},
			{"spins", computing, receipt.OutOfGas, fmt.Sprintf("the gas limit of %d is used up", computing)},
			{"honest", most, receipt.OK, ""},
			{"traps", most, receipt.Trapped, "trap: unreachable code was reached"},
			{"recurses", most, receipt.Trapped, exhausted},
			{"honest", most, receipt.OK, ""},
		}, {
			{"grows", most, receipt.Trapped, "trap: unreachable code was reached"},
			{"grows", computing, receipt.OutOfGas, fmt.Sprintf("the gas limit of %d is used up", computing)},
			{"forges", most, receipt.Trapped, "set: key is 7 bytes at 4294967295, outside of memory"},
			{"floods", most, receipt.Trapped, "emit: more than 256 events in a transaction"},
			{"fails", most, receipt.Failed, "because"},
			{"exits", most, receipt.Trapped, "the contract exited with code 3"},
			{"returns-rubbish", most, receipt.BadResult, "ret: the result is not one canonical CBOR item"},
			{"honest", most, receipt.OK, ""},
		}, {
			{"calls-traps", gas.MaxLimit, receipt.OK, ""},
			{"calls-forges", most, receipt.OK, ""},
			{"calls-recurses", most, receipt.OK, ""},
			{"calls-spins", computing, receipt.OutOfGas, fmt.Sprintf("the gas limit of %d is used up", computing)},
			{"calls-spins-a-little", most, receipt.OK, ""},
			{"calls-in-between", most, receipt.OK, ""},
			{"calls-itself", most, receipt.OK, ""},
			{"honest", most, receipt.OK, ""},
		},
	}
	written := map[string]int{ // rows of whoever succeeded; nothing is left of the others
		"honest": 2, "calls-traps": 2, "calls-forges": 2, "calls-recurses": 2, "calls-spins-a-little": 2, "calls-in-between": 2, "calls-itself": 2,
	}

	var first *chain
	for _, o := range []vm.Options{{}, {Fresh: true}, {Idle: -1}, {Interpreter: true}} {
		c := newChain(t, o)
		for _, d := range deployed {
			if r := c.deploy(d.name, d.wasm); r.Code != receipt.OK {
				t.Fatalf("%+v: %s can't be deployed: %s %q", o, d.name, r.Code.Name(), r.Reason)
			}
		}
		for _, d := range refused {
			if r := c.deploy(d.name, d.wasm); r.Code != receipt.BadCode || !strings.Contains(r.Reason, d.reason) {
				t.Errorf("%+v: deploying %s ended with %s %q, want that it is refused: %s", o, d.name, r.Code.Name(), r.Reason, d.reason)
			}
		}
		for round := range 2 { // the second time the instances come from the pool, the third from a restart
			for _, b := range blocks {
				var raws [][]byte
				for _, call := range b {
					raws = append(raws, c.sign(call.contract, "do", []byte("\xa0"), call.limit))
				}
				for i, r := range c.block(raws...) {
					if want := b[i]; r.Code != want.code || r.Reason != want.reason {
						t.Errorf("%+v, round %d: %s ended with %s %q, want %s %q", o, round, want.contract, r.Code.Name(), r.Reason, want.code.Name(), want.reason)
					}
					if only := len(r.Events) == 1 && r.Events[0].Name == abi.RefusedEvent; only == (r.Code == receipt.OK) {
						t.Errorf("%+v: %s ended with %s and the events %v", o, b[i].contract, r.Code.Name(), r.Events)
					}
				}
			}
			for _, d := range deployed {
				if n := c.rows(d.name); n != written[d.name] {
					t.Errorf("%+v: %s has %d rows, want %d", o, d.name, n, written[d.name])
				}
			}
			c.open()
		}
		if first == nil {
			first = c
			continue
		}
		for i, want := range first.results {
			if got := c.results[i]; !bytes.Equal(got, want) {
				t.Errorf("%+v differs:\n%.400q\nwant\n%.400q", o, got, want)
				break
			}
		}
	}
}
