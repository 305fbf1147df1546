package vm_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/vm"
)

// What a contract in plain Go sees and how it ends.
func TestPlainGo(t *testing.T) {
	wasm := guest(t)
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		if err := e.Vet(context.Background(), wasm); err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct {
			method string
			code   receipt.Code
			reason string
			result string
			log    []string // the last lines
		}{
			{method: "nothing"},
			{method: "count", result: "0"},
			{method: "recover", result: "recovered: all is well"},
			{method: "error", result: "one\ntwo"},
			{method: "now", result: "1700000000 1"},
			{method: "sleep", result: "slept 1h30m0s; a goroutine too"},
			{method: "world", result: "0 0 true true false 0 <nil>"},
			{method: "print", log: []string{"to stdout", "to stderr; more"}},
			{method: "panic", code: receipt.Trapped, reason: "panic: a reason with a number: 42"},
			{method: "nil", code: receipt.Trapped, reason: "panic: runtime error: invalid memory address or nil pointer dereference"},
			{method: "index", code: receipt.Trapped, reason: "panic: runtime error: index out of range [300] with length 256"},
			{method: "exit", code: receipt.Trapped, reason: "the contract exited with code 3"},
			{method: "exit_zero", code: receipt.Trapped, reason: "the contract exited with code 0"},
			{method: "allocate", code: receipt.Trapped, reason: "fatal error: out of memory"},
			{method: "deadlock", code: receipt.Trapped, reason: "fatal error: all goroutines are asleep - deadlock!"},
		} {
			c := newCall(t, test.method)
			r := run(t, e, wasm, c)
			if r.Code != test.code || r.Reason != test.reason {
				t.Errorf("%s: ended with %s: %q; want %s: %q", test.method, r.Code.Name(), r.Reason, test.code.Name(), test.reason)
			}
			result := ""
			if b := c.Result(); b != nil {
				result = text(t, b)
			}
			if result != test.result {
				t.Errorf("%s: returned %q, want %q", test.method, result, test.result)
			}
			if log := c.Log(); test.log != nil && !slices.Equal(log[max(0, len(log)-len(test.log)):], test.log) {
				t.Errorf("%s: the log is %q, want it to end with %q", test.method, log, test.log)
			}
		}
	})
}

// text reads a result.
func text(t testing.TB, result []byte) string {
	t.Helper()
	s, err := cbor.NewReader(result).Text()
	if err != nil {
		t.Errorf("result %x: %v", result, err)
	}
	return s
}

// A panic's stack trace is in the log.
func TestPanicTrace(t *testing.T) {
	c := newCall(t, "panic")
	run(t, engines.compiler(), guest(t), c)
	if log := strings.Join(c.Log(), "\n"); !strings.Contains(log, "panic: a reason with a number: 42") || !strings.Contains(log, "main.go:") {
		t.Errorf("the log does not tell where:\n%s", log)
	}
}

// After fail nothing of the contract runs, not even what it deferred.
func TestNothingRunsAfterFail(t *testing.T) {
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		c := newCall(t, "after_fail")
		r := run(t, e, guest(t), c)
		if want := (vm.Result{Code: receipt.Failed, ContractCode: 7, Reason: "no"}); r != want {
			t.Errorf("ended with %+v, want %+v", r, want)
		}
		if got, err := c.Get([]byte("after"), []byte("fail")); got != nil || err != nil {
			t.Errorf("it wrote %q, %v", got, err)
		}
	})
}

// Recursion ends on both engines at the same depth.
func TestRecursionInGo(t *testing.T) {
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		ends(t, run(t, e, guest(t), newCall(t, "recurse")), receipt.Trapped, "trap: the call stack is exhausted")
	})
}

// What looks random is the same each time and on each engine, and differs from
// transaction to transaction.
func TestRandomIsDetermined(t *testing.T) {
	wasm := guest(t)
	answers := make(map[string][]string)
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		for _, method := range []string{"random", "map_order"} {
			for seed := range byte(2) {
				c := newCall(t, method)
				c.Seed = [32]byte{seed}
				ends(t, run(t, e, wasm, c), receipt.OK, "")
				key := fmt.Sprint(method, seed)
				answers[key] = append(answers[key], text(t, c.Result()))
			}
		}
	})
	for key, a := range answers {
		if a[0] != a[1] {
			t.Errorf("%s: %q on one engine, %q on the other", key, a[0], a[1])
		}
	}
	a, b := strings.Fields(answers["random0"][0]), strings.Fields(answers["random1"][0])
	if a[0] == b[0] {
		t.Errorf("two transactions see the same random bytes %s", a[0])
	}
	if a[1] != b[1] {
		t.Errorf("while starting, the module sees %s and %s: its start depends on the transaction", a[1], b[1])
	}
	if answers["map_order0"][0] != answers["map_order1"][0] {
		t.Error("the order of a map depends on the transaction")
	}
}

// The same calls give the same gas, results, events and rows on both engines.
func TestEnginesAgree(t *testing.T) {
	wasm := guest(t)
	record := make(map[string][]string)
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		store := newStore(t)
		for i, method := range []string{"count", "work", "count", "panic", "after_fail", "count", "map_order", "exit", "sleep", "print", "unknown"} {
			c := newCall(t, method)
			c.Store, c.Block.Height = store, uint64(i)
			mark := store.Checkpoint()
			r := run(t, e, wasm, c)
			if r.Code != receipt.OK {
				store.Revert(mark)
			}
			line := fmt.Sprintf("%s: %s %d %q, gas %d, result %x, log %q", method, r.Code.Name(), r.ContractCode, r.Reason, c.Gas.Used(), c.Result(), c.Log())
			for _, event := range c.Events() {
				line += fmt.Sprintf(", event %x", event.Encode())
			}
			record[t.Name()] = append(record[t.Name()], line)
		}
		for _, collection := range []string{"counts", "work", "after"} {
			err := store.Scan([]byte("locks\x00"+collection), nil, nil, false, func(key, value []byte) bool {
				record[t.Name()] = append(record[t.Name()], fmt.Sprintf("row %s %x = %x", collection, key, value))
				return true
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
	a, b := record["TestEnginesAgree/compiler"], record["TestEnginesAgree/interpreter"]
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			t.Fatalf("line %d differs:\ncompiler:    %q\ninterpreter: %q", i, a[min(i, len(a)):], b[min(i, len(b)):])
		}
	}
	for i, want := range []string{"count: ok 0", "work: ok 0", "count: ok 0", "panic: trapped 0", "after_fail: failed 7"} {
		if !strings.HasPrefix(a[i], want) {
			t.Errorf("line %d is %s, want %s...", i, a[i], want)
		}
	}
}

// A limit that is just enough passes; one unit less is out of gas.
func TestGasToTheUnit(t *testing.T) {
	wasm := guest(t)
	e := engines.compiler()
	c := newCall(t, "count")
	ends(t, run(t, e, wasm, c), receipt.OK, "")
	cost := c.Gas.Used()
	for _, test := range []struct {
		limit uint64
		code  receipt.Code
	}{{cost, receipt.OK}, {cost - 1, receipt.OutOfGas}, {gas.Enter, receipt.OutOfGas}, {gas.Enter - 1, receipt.OutOfGas}, {0, receipt.OutOfGas}} {
		c := newCall(t, "count")
		c.Gas = gas.NewMeter(test.limit)
		if r := run(t, e, wasm, c); r.Code != test.code || c.Gas.Used() != test.limit {
			t.Errorf("limit %d: ended with %s, %d used; want %s and all", test.limit, r.Code.Name(), c.Gas.Used(), test.code.Name())
		}
	}
}
