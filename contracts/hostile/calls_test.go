package hostile

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/vm"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
)

// Instructions on 64 bits.
var (
	sub64    = wt.Raw(0x7d)
	add64    = wt.Raw(0x7c)
	atMost64 = wt.Raw(0x58) // le_u
	less64   = wt.Raw(0x54) // lt_u
)

// functions are what [writes] has imported.
type functions = map[string]int

// ask calls a contract, with a limit on the stack or without, and traps unless that ends with this code.
func ask(m *wt.Module, f functions, name string, want receipt.Code, limit wt.Op) wt.Op {
	call := wt.Call(f["call"])
	if limit != nil {
		call = wt.Seq(limit, wt.Call(f["call_with_gas"]))
	}
	return wt.Seq(bytesOf(m, name), bytesOf(m, "do"), bytesOf(m, "\xa0"), call, wt.I32(int32(want)), wt.EqI32, trapIfNot)
}

// answer returns what the last call has answered.
func answer(f functions) wt.Op {
	const at, room = 1024, 1024
	return wt.Seq(wt.I32(at), wt.I32(room), wt.Call(f["reply"]), wt.Set(0), wt.Get(0), wt.If(wt.I32(at), wt.Get(0), wt.Call(f["ret"])))
}

// asks is a contract that calls another, which must end with this code, and answers what that has answered.
func asks(name string, want receipt.Code, limit wt.Op) []byte {
	return writes(func(m *wt.Module, f functions) wt.Op { return wt.Seq(ask(m, f, name, want, limit), answer(f)) })
}

// times does something n times. It takes the local 0.
func times(n int32, ops ...wt.Op) wt.Op {
	return wt.Seq(wt.I32(0), wt.Set(0), wt.Loop(wt.Seq(ops...), wt.Get(0), wt.I32(1), wt.AddI32, wt.Raw(0x22, 0), wt.I32(n), wt.LtU32, wt.BranchIf(0)))
}

// sees is a view that calls another contract, which must end with this code, and answers what that has answered. Unlike the others
// it does not write first.
func sees(t *testing.T, name string, want receipt.Code) []byte {
	t.Helper()
	m := wt.New()
	f := functions{}
	for _, name := range []string{"call", "reply", "ret"} {
		f[name] = m.Import(abi.Module, name)
	}
	m.Export(abi.ExportCall, ask(m, f, name, want, nil), answer(f))
	return asView(t, m.Bytes())
}

// asView says of a contract that what it does is a view.
func asView(t *testing.T, wasm []byte) []byte {
	t.Helper()
	spec := abi.Spec{ABI: abi.Version, Name: "sees", Methods: []abi.Method{{Name: "do", View: true}}}
	b, err := abi.AppendSpec(wasm, spec.Encode())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// no is what a call answers that was refused or has trapped.
func no(reason string) []byte {
	return cbor.AppendText(cbor.AppendUint(cbor.AppendArray(nil, 2), 0), reason)
}

// Games with calls, with what they may use, and with what comes of many of them together: each ends with its code, what was undone
// is gone, and all engines agree on receipts and roots.
func TestCalls(t *testing.T) {
	const allowance = 500_000 // a limit that is enough for a call or two
	const overhead = 100_000  // more than calling takes, beside what the other uses
	nothing := func(*wt.Module, functions) wt.Op { return nil }
	spins := func(*wt.Module, functions) wt.Op { return loop() }
	emits := func(n int32, attributes string) func(m *wt.Module, f functions) wt.Op {
		return func(m *wt.Module, f functions) wt.Op {
			return times(n, bytesOf(m, "e"), bytesOf(m, attributes), wt.Call(f["emit"]))
		}
	}
	large := "\xa1\x61k\x59\x1f\x00" + strings.Repeat("x", 0x1f00) // 32 of them are 256 KiB and something
	left := func(f functions) wt.Op { return wt.Call(f["gas_left"]) }
	// What was left at first lies in memory: wasmtest has locals of 32 bits alone.
	keep := func(f functions) wt.Op { return wt.Seq(wt.I32(8), left(f), wt.StoreI64) }
	kept := wt.Seq(wt.I32(8), wt.Raw(0x29, 3, 0)) // i64.load
	spent := func(f functions) wt.Op { return wt.Seq(kept, left(f), sub64) }

	type contract struct {
		name string
		wasm []byte
	}
	contracts := []contract{
		{"honest", writes(nothing)},
		{"untouched", writes(nothing)},
		{"spins", writes(spins)},

		// Floods of several hands.
		{"floods", writes(emits(1000, "\xa0"))},
		{"asks-floods", calls("floods", 50, receipt.Trapped, 0)},
		{"half-floods", writes(emits(127, "\xa0"))}, // and one before
		{"floods-together", writes(func(m *wt.Module, f functions) wt.Op {
			return wt.Seq(ask(m, f, "half-floods", receipt.OK, nil), ask(m, f, "half-floods", receipt.Trapped, nil), emits(127, "\xa0")(m, f))
		})},
		{"one-too-many", writes(func(m *wt.Module, f functions) wt.Op {
			return wt.Seq(ask(m, f, "half-floods", receipt.OK, nil), emits(128, "\xa0")(m, f))
		})},
		{"large-floods", writes(emits(16, large))},
		{"large-together", writes(func(m *wt.Module, f functions) wt.Op {
			return wt.Seq(ask(m, f, "large-floods", receipt.OK, nil), ask(m, f, "large-floods", receipt.OK, nil), ask(m, f, "large-floods", receipt.Trapped, nil), answer(f))
		})},
		{"logs", writes(func(m *wt.Module, f functions) wt.Op {
			return times(300, wt.I32(8192), wt.I32(2000), wt.Call(f["log"]))
		})},
		{"asks-logs", calls("logs", 20, receipt.OK, 0)},
		{"logs-and-traps", writes(func(m *wt.Module, f functions) wt.Op {
			return wt.Seq(times(300, bytesOf(m, "\n\x00\xff"), wt.Call(f["log"])), wt.Unreachable)
		})},
		{"asks-logs-and-traps", calls("logs-and-traps", 20, receipt.Trapped, 0)},

		// More gas than there is.
		{"promises-all", asks("spins", receipt.OK, wt.I64(-1))},
		{"promises-one-more", writes(func(m *wt.Module, f functions) wt.Op {
			return ask(m, f, "spins", receipt.OutOfGas, wt.Seq(left(f), wt.I64(1), add64))
		})},
		{"promises-too-much-in-between", asks("promises-all", receipt.OutOfGas, wt.I64(allowance))},
		// None.
		{"gives-none", writes(func(m *wt.Module, f functions) wt.Op {
			return wt.Seq(times(100, ask(m, f, "untouched", receipt.OutOfGas, wt.I64(0))), answer(f))
		})},
		{"gives-one", writes(func(m *wt.Module, f functions) wt.Op {
			return wt.Seq(times(100, ask(m, f, "untouched", receipt.OutOfGas, wt.I64(1))), answer(f))
		})},
		{"gives-none-to-nobody", asks("nobody", receipt.UnknownContract, wt.I64(0))},
		// More out than was put in.
		{"has-no-more", writes(func(m *wt.Module, f functions) wt.Op {
			return wt.Seq(left(f), wt.I64(allowance), atMost64, trapIfNot)
		})},
		{"passes-more-on", asks("has-no-more", receipt.OK, wt.I64(math.MaxInt64))},
		{"gives-little", asks("passes-more-on", receipt.OK, wt.I64(allowance))},
		{"counts", writes(func(m *wt.Module, f functions) wt.Op {
			return times(10, keep(f), ask(m, f, "spins", receipt.OutOfGas, wt.I64(allowance)),
				wt.I64(allowance), spent(f), atMost64, trapIfNot, spent(f), wt.I64(allowance+overhead), less64, trapIfNot)
		})},
		{"counts-success", writes(func(m *wt.Module, f functions) wt.Op {
			return times(10, keep(f), ask(m, f, "honest", receipt.OK, wt.I64(allowance)), // it writes two rows and emits
				wt.I64(2*gas.Write), spent(f), atMost64, trapIfNot, spent(f), wt.I64(allowance), less64, trapIfNot)
		})},
		// Caps within caps: the innermost that is reached ends its call, and only that.
		{"caps", asks("spins", receipt.OutOfGas, wt.I64(allowance))},
		{"caps-caps", asks("caps", receipt.OK, wt.I64(3*allowance))},
		{"caps-caps-tighter", asks("caps", receipt.OutOfGas, wt.I64(allowance/2))},
		{"caps-all-the-way", asks("caps-caps-tighter", receipt.OK, wt.I64(3*allowance))},

		// A view that has others write.
		{"writes-in-view", asView(t, writes(nothing))},
		{"sees-honest", sees(t, "untouched", receipt.NotPermitted)},
		{"sees-all-well", sees(t, "untouched", receipt.OK)},
		{"sees-a-view", sees(t, "sees-honest", receipt.OK)},
		{"sees-an-asker", sees(t, "asks-untouched", receipt.NotPermitted)},
		{"asks-untouched", asks("untouched", receipt.OK, nil)},
		{"asks-a-view", asks("sees-honest", receipt.OK, nil)},

		// Back to itself by way of others.
		{"ping", asks("pong", receipt.OK, nil)},
		{"pong", asks("ping", receipt.NotPermitted, nil)},
		{"circle-1", asks("circle-2", receipt.OK, nil)},
		{"circle-2", asks("circle-3", receipt.OK, wt.I64(10_000_000))},
		{"circle-3", writes(func(m *wt.Module, f functions) wt.Op {
			return wt.Seq(ask(m, f, "circle-2", receipt.NotPermitted, nil), ask(m, f, "circle-1", receipt.NotPermitted, wt.I64(0)), answer(f))
		})},
		{"asks-twice", calls("honest", 2, receipt.OK, 0)}, // which is no re-entry
	}
	// Deeper than there may be.
	const deepest = abi.MaxDepth
	for i := 1; i <= deepest+1; i++ {
		want := receipt.OK
		if i == deepest {
			want = receipt.TooDeep
		}
		contracts = append(contracts, contract{fmt.Sprintf("deep-%d", i), asks(fmt.Sprintf("deep-%d", i+1), want, nil)})
	}

	const most = 200_000_000
	used := func(limit uint64) string { return fmt.Sprintf("the gas limit of %d is used up", limit) }
	reentry := func(name string) []byte {
		return no(fmt.Sprintf("contract %s is running already: it can't be called until that has ended", name))
	}
	tooDeep := no(fmt.Sprintf("%d contracts are running, each called by the one before: deep-%d would be one too many", deepest, deepest+1))
	inView := no("set in a view: a view changes nothing")
	blocks := [][]struct {
		contract string
		limit    uint64
		code     receipt.Code
		reason   string
		answer   []byte
		events   int // of a success
	}{
		{
			{"asks-floods", most, receipt.OK, "", nil, 1},
			{"floods-together", most, receipt.OK, "", nil, 256},
			{"one-too-many", most, receipt.Trapped, "emit: more than 256 events in a transaction", nil, 0},
			{"large-together", most, receipt.OK, "", no("emit: the events of a transaction take more than 262144 bytes"), 1 + 2*17},
			{"asks-logs", most, receipt.OK, "", nil, 1 + 20},
			{"asks-logs-and-traps", most, receipt.OK, "", nil, 1},
			{"honest", most, receipt.OK, "", nil, 1},
		}, {
			{"promises-all", computing, receipt.OutOfGas, used(computing), nil, 0},
			{"promises-one-more", computing, receipt.OutOfGas, used(computing), nil, 0},
			{"promises-too-much-in-between", computing, receipt.OK, "", no(used(allowance)), 1},
			{"gives-none", most, receipt.OK, "", no(used(0)), 1},
			{"gives-one", most, receipt.OK, "", no(used(1)), 1},
			{"gives-none-to-nobody", most, receipt.OK, "", no(`there is no contract "nobody"`), 1},
			{"gives-little", most, receipt.OK, "", nil, 3},
			{"counts", most, receipt.OK, "", nil, 1},
			{"counts-success", most, receipt.OK, "", nil, 11},
			{"caps", most, receipt.OK, "", no(used(allowance)), 1},
			{"caps-caps", most, receipt.OK, "", no(used(allowance)), 2},
			{"caps-caps-tighter", most, receipt.OK, "", no(used(allowance / 2)), 1},
			{"caps-all-the-way", most, receipt.OK, "", no(used(allowance / 2)), 2},
			{"honest", most, receipt.OK, "", nil, 1},
		}, {
			{"writes-in-view", most, receipt.NotPermitted, "set in a view: a view changes nothing", nil, 0},
			{"sees-honest", most, receipt.OK, "", inView, 0},
			{"sees-all-well", most, receipt.Trapped, "trap: unreachable code was reached", nil, 0},
			{"sees-a-view", most, receipt.OK, "", inView, 0},
			{"sees-an-asker", most, receipt.OK, "", inView, 0},
			{"asks-a-view", most, receipt.OK, "", inView, 1},
			{"honest", most, receipt.OK, "", nil, 1},
		}, {
			{"ping", most, receipt.OK, "", reentry("ping"), 2},
			{"pong", most, receipt.Trapped, "trap: unreachable code was reached", nil, 0},
			{"circle-1", most, receipt.OK, "", reentry("circle-1"), 3},
			{"asks-twice", most, receipt.OK, "", nil, 3},
			{"deep-1", most, receipt.OK, "", tooDeep, deepest},
			{"deep-2", most, receipt.Trapped, "trap: unreachable code was reached", nil, 0}, // deep-8 expected to be the last
			{"honest", most, receipt.OK, "", nil, 1},
		},
	}
	written := map[string]int{} // rows of whoever succeeded, views apart
	for _, b := range blocks {
		for _, call := range b {
			if call.code == receipt.OK && !strings.HasPrefix(call.contract, "sees-") {
				written[call.contract] = 2
			}
		}
	}
	for _, name := range []string{"half-floods", "large-floods", "logs", "has-no-more", "passes-more-on", "pong", "circle-2", "circle-3"} {
		written[name] = 2
	}
	for i := range deepest {
		written[fmt.Sprintf("deep-%d", i+1)] = 2
	}

	var first *chain
	for _, o := range []vm.Options{{}, {Fresh: true}, {Idle: -1}, {Interpreter: true}} {
		c := newChain(t, o)
		for _, d := range contracts {
			if r := c.deploy(d.name, d.wasm); r.Code != receipt.OK {
				t.Fatalf("%+v: %s can't be deployed: %s %q", o, d.name, r.Code.Name(), r.Reason)
			}
		}
		for round := range 2 { // the second time the instances come from the pool
			for _, b := range blocks {
				var raws [][]byte
				for _, call := range b {
					raws = append(raws, c.sign(call.contract, "do", []byte("\xa0"), call.limit))
				}
				for i, r := range c.block(raws...) {
					want := b[i]
					if r.Code != want.code || r.Reason != want.reason || !bytes.Equal(r.Return, want.answer) {
						t.Errorf("%+v, round %d: %s ended with %s %q, answer %q, want %s %q, %q", o, round, want.contract, r.Code.Name(), r.Reason, r.Return, want.code.Name(), want.reason, want.answer)
					}
					if want.code == receipt.OK && len(r.Events) != want.events || want.code != receipt.OK && len(r.Events) != 1 {
						t.Errorf("%+v: %s ended with %s and %d events, want %d and the refusal alone", o, want.contract, r.Code.Name(), len(r.Events), want.events)
					}
					if log := strings.Join(r.Log, "\n"); len(r.Log) > 257 || len(log) > 66<<10 {
						t.Errorf("%+v: %s has left %d lines of log, %d bytes", o, want.contract, len(r.Log), len(log))
					}
				}
			}
			for _, d := range contracts {
				if n := c.rows(d.name); n != written[d.name] {
					t.Errorf("%+v: %s has %d rows, want %d", o, d.name, n, written[d.name])
				}
			}
		}
		// Asked without a transaction, a view sees the same, and what is none may no more than a view.
		for name, want := range map[string]struct {
			code   receipt.Code
			reason string
			answer []byte
		}{
			"sees-honest":    {receipt.OK, "", inView},
			"sees-a-view":    {receipt.OK, "", inView},
			"asks-untouched": {receipt.NotPermitted, "set in a view: a view changes nothing", nil},
		} {
			r, _, err := c.run.View(context.Background(), runtime.Query{Contract: name, Method: "do", Args: []byte("\xa0"), Time: c.now})
			if err != nil || r.Code != want.code || r.Reason != want.reason || !bytes.Equal(r.Return, want.answer) {
				t.Errorf("%+v: asked, %s says %s %q, %q, %v; want %s %q, %q", o, name, r.Code.Name(), r.Reason, r.Return, err, want.code.Name(), want.reason, want.answer)
			}
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
