package hostile

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
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

// limit is the gas of a call: enough for thousands of what a contract may do, and little
// enough that a flood ends soon.
const limit = 50_000_000

var engines = []struct {
	name string
	get  func() *vm.Engine
}{
	{"compiler", sync.OnceValue(func() *vm.Engine { return open(vm.Options{}) })},
	{"interpreter", sync.OnceValue(func() *vm.Engine { return open(vm.Options{Interpreter: true}) })},
}

func open(o vm.Options) *vm.Engine {
	e, err := vm.New(o)
	if err != nil {
		panic(err)
	}
	return e
}

// A way is how a call is made.
type way struct {
	method       string
	view         bool
	capabilities []string
}

// newCall returns a call on an empty state.
func newCall(t *testing.T, w way) *host.Call {
	t.Helper()
	s, err := state.Open(state.NewMemory(), state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &host.Call{
		Chain: "test-1", Block: host.Block{Height: 7, Time: 1_700_000_000},
		Contract: "hostile", Method: w.method, Args: []byte("\xa0"),
		View: w.view, Capabilities: w.capabilities,
		Gas: gas.NewMeter(limit), Store: s.Overlay(), Accounts: accounts{},
	}
}

// accounts know nobody.
type accounts struct{}

func (accounts) OpenKey(*abi.OpenAccount) (abi.Status, error)  { return abi.StatusUnknown, nil }
func (accounts) ShutKey(address.Address) (abi.Status, error)   { return abi.StatusUnknown, nil }
func (accounts) ReopenKey(address.Address) (abi.Status, error) { return abi.StatusUnknown, nil }
func (accounts) RetireKey(address.Address) (abi.Status, error) { return abi.StatusUnknown, nil }

func code(wasm []byte) vm.Code {
	return vm.Code{Hash: sha256.Sum256(wasm), Load: func() ([]byte, error) { return wasm, nil }}
}

// ends runs a contract on both engines and checks how it ends: with this code and a
// reason that holds these words, the same on both, and within the gas.
func ends(t *testing.T, wasm []byte, w way, want receipt.Code, words string) {
	t.Helper()
	var results []vm.Result
	var used []uint64
	for _, e := range engines {
		c := newCall(t, w)
		r, err := e.get().Call(context.Background(), code(wasm), c)
		if err != nil {
			t.Fatalf("%s: %v", e.name, err)
		}
		if r.Code != want || !strings.Contains(r.Reason, words) {
			t.Errorf("%s: ended with %s: %q; want %s: ...%s...", e.name, r.Code.Name(), r.Reason, want.Name(), words)
		}
		if len(r.Reason) > abi.MaxReason || !utf8.ValidString(r.Reason) {
			t.Errorf("%s: the reason of %d bytes is not UTF-8 within %d", e.name, len(r.Reason), abi.MaxReason)
		}
		if size := len(strings.Join(c.Log(), "\n")); size > 70<<10 {
			t.Errorf("%s: %d bytes of log", e.name, size)
		}
		results, used = append(results, r), append(used, c.Gas.Used())
		honest(t, e.get())
	}
	if results[0] != results[1] || used[0] != used[1] {
		t.Errorf("the compiler ends with %+v and %d gas, the interpreter with %+v and %d", results[0], used[0], results[1], used[1])
	}
}

// honest checks that an engine still runs a contract that does what it should.
func honest(t *testing.T, e *vm.Engine) {
	t.Helper()
	m := wt.New()
	ret, set := m.Import(abi.Module, "ret"), m.Import(abi.Module, "set")
	k := bytesOf(m, "k")
	m.Export(abi.ExportCall,
		wt.LoadI32(64), wt.If(wt.Unreachable), // nobody's memory is left
		k, k, k, wt.Call(set), bytesOf(m, "\xf5"), wt.Call(ret))
	c := newCall(t, way{})
	if r, err := e.Call(context.Background(), code(m.Bytes()), c); err != nil || r.Code != receipt.OK || string(c.Result()) != "\xf5" {
		t.Errorf("after it an honest contract ended with %+v, %v", r, err)
	}
}

// bytesOf pushes address and length of some data.
func bytesOf(m *wt.Module, s string) wt.Op {
	at, n := m.Data(s)
	return wt.Seq(wt.I32(at), wt.I32(n))
}

// A pointer forged in any parameter of any function traps before anything happens.
func TestForgedPointers(t *testing.T) {
	const memory = 65536
	all := []string{abi.CapabilityAccounts}
	forgedSlices := []struct {
		name     string
		ptr, len uint32
	}{
		{"negative", 1<<32 - 1, 1},
		{"negative, empty", 1<<32 - 1, 0},
		{"at the end", memory, 1},
		{"past the end, empty", memory + 1, 0},
		{"over the end", memory - 1, 2},
		{"ends where numbers do", 1 << 31, 1 << 31},
		{"pointer and length overflow to little", 1<<32 - 16, 32},
		{"all there is", 0, 1<<32 - 1},
		{"one more than there is", 0, memory + 1},
		{"twice the most", 1<<32 - 1, 1<<32 - 1},
	}
	tried := 0
	for _, f := range abi.Table() {
		for at := range f.Params {
			size, pair := pointsTo(f.Params, at)
			if size < 0 {
				continue
			}
			forge := func(ptr, length uint32) []byte {
				m := wt.New()
				i := m.Import(abi.Module, f.Name)
				var body wt.Op
				for p := range f.Params {
					switch {
					case p == at:
						body = append(body, wt.U32(ptr)...)
					case pair && p == at+1:
						body = append(body, wt.U32(length)...)
					default:
						body = append(body, wt.I32(1)...) // one byte at 1: a pointer that is good
					}
				}
				body = append(body, wt.Call(i)...)
				if len(f.Results) > 0 {
					body = append(body, wt.Drop...)
				}
				m.Export(abi.ExportCall, body)
				return m.Bytes()
			}
			what := f.Name + "." + f.Params[at].Name
			if pair {
				for _, forged := range forgedSlices {
					t.Run(what+"/"+forged.name, func(t *testing.T) {
						ends(t, forge(forged.ptr, forged.len), way{capabilities: all}, receipt.Trapped, "outside of memory")
					})
					tried++
				}
				continue
			}
			for _, ptr := range []uint32{1<<32 - 1, memory, memory - uint32(size) + 1, 1 << 31} {
				t.Run(what, func(t *testing.T) {
					ends(t, forge(ptr, 0), way{capabilities: all}, receipt.Trapped, "outside of memory")
				})
				tried++
			}
		}
	}
	if tried < 200 {
		t.Errorf("only %d pointers were forged", tried)
	}
}

// So does one passed to WASI, where it is looked at.
func TestForgedPointersToWASI(t *testing.T) {
	for _, test := range []struct {
		function string
		args     []wt.Op
		code     receipt.Code
		words    string
	}{
		{"args_get", []wt.Op{wt.I32(-1), wt.I32(-1)}, receipt.OK, ""}, // nothing is written there
		{"environ_get", []wt.Op{wt.I32(-1), wt.I32(-1)}, receipt.OK, ""},
		{"args_sizes_get", []wt.Op{wt.I32(65533), wt.I32(0)}, receipt.Trapped, "count is 4 bytes at 65533"},
		{"environ_sizes_get", []wt.Op{wt.I32(0), wt.I32(-1)}, receipt.Trapped, "size is 4 bytes at 4294967295"},
		{"clock_res_get", []wt.Op{wt.I32(0), wt.I32(65529)}, receipt.Trapped, "resolution is 8 bytes at 65529"},
		{"clock_time_get", []wt.Op{wt.I32(0), wt.I64(-1), wt.I32(-8)}, receipt.Trapped, "time is 8 bytes at 4294967288"},
		{"random_get", []wt.Op{wt.I32(-1), wt.I32(-1)}, receipt.Trapped, "buffer is 4294967295 bytes"},
		{"poll_oneoff", []wt.Op{wt.I32(0), wt.I32(0), wt.I32(-1), wt.I32(0)}, receipt.Trapped, "subscriptions is 4294967295 bytes"},
		{"poll_oneoff", []wt.Op{wt.I32(0), wt.I32(-32), wt.I32(1), wt.I32(0)}, receipt.Trapped, "events is 32 bytes at 4294967264"},
		{"poll_oneoff", []wt.Op{wt.I32(0), wt.I32(0), wt.I32(1), wt.I32(65536)}, receipt.Trapped, "count is 4 bytes at 65536"},
		{"fd_write", []wt.Op{wt.I32(1), wt.I32(65529), wt.I32(1), wt.I32(0)}, receipt.Trapped, "vectors is 8 bytes at 65529"},
		{"fd_write", []wt.Op{wt.I32(1), wt.I32(0), wt.I32(1), wt.I32(-1)}, receipt.Trapped, "count is 4 bytes at 4294967295"},
		{"fd_read", []wt.Op{wt.I32(0), wt.I32(-1), wt.I32(-1), wt.I32(-1)}, receipt.Trapped, "count is 4 bytes"},
		{"fd_fdstat_get", []wt.Op{wt.I32(1), wt.I32(65513)}, receipt.Trapped, "stat is 24 bytes at 65513"},
		{"fd_fdstat_set_flags", []wt.Op{wt.I32(1), wt.I32(-1)}, receipt.OK, ""},
	} {
		t.Run(test.function, func(t *testing.T) {
			m := wt.New()
			f := m.Import(abi.WASIModule, test.function)
			m.Export(abi.ExportCall, wt.Seq(test.args...), wt.Call(f), wt.Drop)
			ends(t, m.Bytes(), way{}, test.code, test.words)
		})
	}
}

// pointsTo returns the size of what a parameter points to, and whether the parameter after
// it says so; -1 if it is no pointer.
func pointsTo(params []abi.Param, at int) (size int, pair bool) {
	name := params[at].Name
	if at+1 < len(params) {
		switch next := params[at+1].Name; {
		case next == name+"len", name == "ptr" && next == "len", name == "out" && next == "cap":
			return 0, true
		}
	}
	switch name {
	case "out16":
		return abi.BlockSize, false
	case "out20", "kid20":
		return abi.AddressSize, false
	case "out32":
		return abi.HashSize, false
	}
	return -1, false
}

// The contracts of a few instructions.
func TestSmall(t *testing.T) {
	loop := func(ops ...wt.Op) wt.Op { return wt.Loop(wt.Seq(ops...), wt.Branch(0)) }
	none := wt.Seq(wt.I32(0), wt.I32(0))
	long := func(n int32) wt.Op { return wt.Seq(wt.I32(8192), wt.I32(n)) }
	float := "\xf9\x7e\x00"
	account := string((&abi.OpenAccount{Key: make([]byte, 32), Scope: nil, Quota: 1}).Encode())

	type imports func(name string) wt.Op
	for _, test := range []struct {
		name  string
		way   way
		body  func(m *wt.Module, f imports) wt.Op
		code  receipt.Code
		words string
	}{
		// It stops by itself.
		{name: "trap", code: receipt.Trapped, words: "trap: unreachable", body: func(*wt.Module, imports) wt.Op { return wt.Unreachable }},
		{name: "divide by zero", code: receipt.Trapped, words: "trap: division by zero", body: func(*wt.Module, imports) wt.Op {
			return wt.Seq(wt.I32(1), wt.I32(0), wt.DivS32, wt.Drop)
		}},
		{name: "exit in success", code: receipt.Trapped, words: "exited with code 0", body: func(m *wt.Module, _ imports) wt.Op {
			return wt.Seq(wt.I32(0), wt.Call(m.Import(abi.WASIModule, "proc_exit")))
		}},
		{name: "fail with code 0", code: receipt.Trapped, words: "code 0 is not a failure", body: func(m *wt.Module, f imports) wt.Op {
			return wt.Seq(wt.I32(0), none, f("fail"))
		}},
		{name: "fail with a reserved code", code: receipt.Trapped, words: "is reserved", body: func(m *wt.Module, f imports) wt.Op {
			return wt.Seq(wt.U32(0xffff_0001), none, f("fail"))
		}},
		{name: "fail with what is not UTF-8", code: receipt.Failed, words: "\ufffd\ufffdx", body: func(m *wt.Module, f imports) wt.Op {
			fail := f("fail")
			return wt.Seq(wt.I32(7), bytesOf(m, "\xff\xc0x"), fail)
		}},
		{name: "fail at length", code: receipt.Failed, body: func(m *wt.Module, f imports) wt.Op {
			return wt.Seq(wt.I32(7), wt.I32(0), wt.I32(65536), f("fail"))
		}},
		{name: "go on after fail", code: receipt.Failed, words: "no", body: func(m *wt.Module, f imports) wt.Op {
			fail := f("fail")
			return wt.Seq(wt.I32(7), bytesOf(m, "no"), fail, wt.Unreachable)
		}},

		// It hands over too much.
		{name: "long key", code: receipt.Trapped, words: "set: key is 257 bytes, limit 256", body: func(m *wt.Module, f imports) wt.Op {
			set := f("set")
			return wt.Seq(bytesOf(m, "c"), long(257), none, set)
		}},
		{name: "long value", code: receipt.Trapped, words: "set: value is 65537 bytes, limit 65536", body: func(m *wt.Module, f imports) wt.Op {
			set := f("set")
			m.Pages = 2
			return wt.Seq(bytesOf(m, "c"), none, wt.I32(0), wt.I32(65537), set)
		}},
		{name: "long collection", code: receipt.Trapped, words: "get: collection is 64 bytes, limit 63", body: func(m *wt.Module, f imports) wt.Op {
			return wt.Seq(long(64), none, none, f("get"), wt.Drop)
		}},
		{name: "another contract's collection", code: receipt.Trapped, words: "is not a collection's name", body: func(m *wt.Module, f imports) wt.Op {
			get := f("get")
			return wt.Seq(bytesOf(m, "\x00keys"), none, none, get, wt.Drop)
		}},
		{name: "long scan", code: receipt.Trapped, words: "scan: end is 258 bytes, limit 257", body: func(m *wt.Module, f imports) wt.Op {
			scan := f("scan")
			return wt.Seq(bytesOf(m, "c"), none, long(258), none, none, scan, wt.Drop)
		}},
		{name: "long event name", code: receipt.Trapped, words: "emit: name is 65 bytes, limit 64", body: func(m *wt.Module, f imports) wt.Op {
			return wt.Seq(long(65), none, f("emit"))
		}},
		{name: "long attributes", code: receipt.Trapped, words: "emit: attributes is 8193 bytes, limit 8192", body: func(m *wt.Module, f imports) wt.Op {
			emit := f("emit")
			return wt.Seq(bytesOf(m, "e"), long(8193), emit)
		}},
		{name: "long message to hash", code: receipt.Trapped, words: "sha256: message is 65537 bytes", body: func(m *wt.Module, f imports) wt.Op {
			m.Pages = 2
			return wt.Seq(wt.I32(0), wt.I32(65537), wt.I32(0), f("sha256"))
		}},
		{name: "long message to verify", code: receipt.Trapped, words: "cose_verify: message is 65537 bytes", body: func(m *wt.Module, f imports) wt.Op {
			m.Pages = 2
			return wt.Seq(none, none, wt.I32(0), wt.I32(65537), none, f("cose_verify"), wt.Drop)
		}},

		// It says what it may not, or rubbish.
		{name: "emit refused", code: receipt.NotPermitted, words: "only the runtime emits refused", body: func(m *wt.Module, f imports) wt.Op {
			emit := f("emit")
			return wt.Seq(bytesOf(m, "refused"), bytesOf(m, "\xa0"), emit)
		}},
		{name: "attributes that are no map", code: receipt.Trapped, words: "not a canonical CBOR map", body: func(m *wt.Module, f imports) wt.Op {
			emit := f("emit")
			return wt.Seq(bytesOf(m, "e"), bytesOf(m, "\x01"), emit)
		}},
		{name: "attributes out of order", code: receipt.Trapped, words: "not a canonical CBOR map", body: func(m *wt.Module, f imports) wt.Op {
			emit := f("emit")
			return wt.Seq(bytesOf(m, "e"), bytesOf(m, "\xa2\x61b\x01\x61a\x01"), emit)
		}},
		{name: "attributes nested without end", code: receipt.Trapped, words: "not a canonical CBOR map", body: func(m *wt.Module, f imports) wt.Op {
			emit := f("emit")
			return wt.Seq(bytesOf(m, "e"), bytesOf(m, strings.Repeat("\xa1\x61a", 2000)+"\xa0"), emit)
		}},
		{name: "return nothing", code: receipt.OK, body: func(*wt.Module, imports) wt.Op { return wt.Nop }},
		{name: "return no bytes", code: receipt.BadResult, words: "not one canonical CBOR item", body: func(m *wt.Module, f imports) wt.Op {
			return wt.Seq(none, f("ret"))
		}},
		{name: "return a float", code: receipt.BadResult, words: "not one canonical CBOR item", body: func(m *wt.Module, f imports) wt.Op {
			ret := f("ret")
			return wt.Seq(bytesOf(m, float), ret)
		}},
		{name: "return a list without end", code: receipt.BadResult, words: "not one canonical CBOR item", body: func(m *wt.Module, f imports) wt.Op {
			ret := f("ret")
			return wt.Seq(bytesOf(m, "\x9a\xff\xff\xff\xff"), ret)
		}},
		{name: "return too much", code: receipt.BadResult, words: "65537 bytes, limit 65536", body: func(m *wt.Module, f imports) wt.Op {
			m.Pages = 2
			return wt.Seq(wt.I32(0), wt.I32(65537), f("ret"))
		}},
		{name: "open an account that is none", way: way{capabilities: []string{abi.CapabilityAccounts}}, code: receipt.Trapped, words: "not an account to open", body: func(m *wt.Module, f imports) wt.Op {
			open := f("account_open")
			return wt.Seq(bytesOf(m, "\xa0"), open, wt.Drop)
		}},

		// It does what a view may not.
		{name: "set in a view", way: way{view: true}, code: receipt.NotPermitted, words: "set in a view", body: func(m *wt.Module, f imports) wt.Op {
			set := f("set")
			return wt.Seq(bytesOf(m, "c"), none, none, set)
		}},
		{name: "delete in a view", way: way{view: true}, code: receipt.NotPermitted, words: "delete in a view", body: func(m *wt.Module, f imports) wt.Op {
			del := f("delete")
			return wt.Seq(bytesOf(m, "c"), none, del, wt.Drop)
		}},
		{name: "emit in a view", way: way{view: true}, code: receipt.NotPermitted, words: "emit in a view", body: func(m *wt.Module, f imports) wt.Op {
			emit := f("emit")
			return wt.Seq(bytesOf(m, "e"), bytesOf(m, "\xa0"), emit)
		}},
		{name: "retire in a view", way: way{view: true, capabilities: []string{abi.CapabilityAccounts}}, code: receipt.NotPermitted, words: "account_retire in a view", body: func(m *wt.Module, f imports) wt.Op {
			return wt.Seq(wt.I32(0), f("account_retire"), wt.Drop)
		}},

		// It takes a power that it was not given.
		{name: "open without the capability", code: receipt.NotPermitted, words: "account_open needs the capability accounts", body: func(m *wt.Module, f imports) wt.Op {
			open := f("account_open")
			return wt.Seq(bytesOf(m, account), open, wt.Drop)
		}},
		{name: "shut with another capability", way: way{capabilities: []string{"code", "account", "accounts2"}}, code: receipt.NotPermitted, words: "account_shut needs", body: func(m *wt.Module, f imports) wt.Op {
			return wt.Seq(wt.I32(0), f("account_shut"), wt.Drop)
		}},
		{name: "reopen without the capability", code: receipt.NotPermitted, words: "account_reopen needs", body: func(m *wt.Module, f imports) wt.Op {
			return wt.Seq(wt.I32(0), f("account_reopen"), wt.Drop)
		}},
		{name: "retire without the capability", code: receipt.NotPermitted, words: "account_retire needs", body: func(m *wt.Module, f imports) wt.Op {
			return wt.Seq(wt.I32(0), f("account_retire"), wt.Drop)
		}},

		// It never ends, but asks for something each time.
		{name: "ask without end", code: receipt.OutOfGas, words: "is used up", body: func(m *wt.Module, f imports) wt.Op { return loop(f("gas_left"), wt.Drop) }},
		{name: "read without end", code: receipt.OutOfGas, words: "is used up", body: func(m *wt.Module, f imports) wt.Op {
			get := f("get")
			return loop(bytesOf(m, "c"), none, none, get, wt.Drop)
		}},
		{name: "write without end", code: receipt.OutOfGas, words: "is used up", body: func(m *wt.Module, f imports) wt.Op {
			set := f("set")
			return loop(bytesOf(m, "c"), none, none, set)
		}},
		{name: "scan without end", code: receipt.OutOfGas, words: "is used up", body: func(m *wt.Module, f imports) wt.Op {
			set, scan := f("set"), f("scan")
			c := bytesOf(m, "c")
			return wt.Seq(c, none, long(40000), set, loop(c, none, none, wt.I32(0), wt.I32(-1), wt.I32(16384), wt.I32(49152), scan, wt.Drop))
		}},
		{name: "log without end", code: receipt.OutOfGas, words: "is used up", body: func(m *wt.Module, f imports) wt.Op { return loop(long(57000), f("log")) }},
		{name: "log nothing without end", code: receipt.OutOfGas, words: "is used up", body: func(m *wt.Module, f imports) wt.Op { return loop(none, f("log")) }},
		{name: "hash without end", code: receipt.OutOfGas, words: "is used up", body: func(m *wt.Module, f imports) wt.Op {
			return loop(wt.I32(0), wt.I32(65536), wt.I32(0), f("sha256"))
		}},
		{name: "verify without end", code: receipt.OutOfGas, words: "is used up", body: func(m *wt.Module, f imports) wt.Op {
			verify := f("cose_verify")
			return loop(wt.I32(0), wt.I32(32), bytesOf(m, "a"), none, none, verify, wt.Drop)
		}},
		{name: "return without end", code: receipt.OutOfGas, words: "is used up", body: func(m *wt.Module, f imports) wt.Op {
			ret := f("ret")
			return loop(bytesOf(m, "\xf6"), ret)
		}},
		{name: "events without end", code: receipt.Trapped, words: "more than 256 events", body: func(m *wt.Module, f imports) wt.Op {
			emit := f("emit")
			return loop(bytesOf(m, "e"), bytesOf(m, "\xa0"), emit)
		}},
		{name: "large events without end", code: receipt.Trapped, words: "take more than 262144 bytes", body: func(m *wt.Module, f imports) wt.Op {
			emit := f("emit")
			return loop(bytesOf(m, "e"), bytesOf(m, "\xa1\x61k\x59\x1f\x00"+strings.Repeat("x", 0x1f00)), emit)
		}},

		// It takes all there is.
		{name: "memory without end", code: receipt.Trapped, words: "trap: unreachable", body: func(*wt.Module, imports) wt.Op {
			return loop(wt.I32(100), wt.Grow, wt.I32(-1), wt.EqI32, wt.If(wt.Unreachable))
		}},
		{name: "all memory at once", code: receipt.OK, body: func(*wt.Module, imports) wt.Op {
			return wt.Seq(wt.I32(65535), wt.Grow, wt.I32(-1), wt.NeI32, wt.If(wt.Unreachable))
		}},
		{name: "tables without end", code: receipt.Trapped, words: "trap: unreachable", body: func(m *wt.Module, _ imports) wt.Op {
			m.Table(0, 1)
			return loop(wt.NullFunc, wt.I32(4096), wt.TableGrow, wt.I32(-1), wt.EqI32, wt.If(wt.Unreachable))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := wt.New()
			body := test.body(m, func(name string) wt.Op { return wt.Call(m.Import(abi.Module, name)) })
			m.Export(abi.ExportCall, body)
			ends(t, m.Bytes(), test.way, test.code, test.words)
		})
	}
}

// Recursion ends, directly and through a table, and so does what runs before the call.
func TestRecursion(t *testing.T) {
	direct := wt.New()
	direct.Export(abi.ExportCall, wt.Call(0))
	ends(t, direct.Bytes(), way{}, receipt.Trapped, "trap: the call stack is exhausted")

	table := wt.New()
	table.Table(0, 1)
	table.Elements(0, table.Export(abi.ExportCall, wt.I32(0), wt.CallIndirect(0)))
	ends(t, table.Bytes(), way{}, receipt.Trapped, "trap: the call stack is exhausted")

	mutual := wt.New()
	mutual.Func(nil, nil, 0, wt.Call(1))
	mutual.Export(abi.ExportInitialize, wt.Call(0))
	mutual.Export(abi.ExportCall)
	ends(t, mutual.Bytes(), way{}, receipt.Trapped, "trap: the call stack is exhausted")
}

// While a module starts, every function of the host refuses.
func TestHostWhileStarting(t *testing.T) {
	for _, f := range abi.Table() {
		m := wt.New()
		i := m.Import(abi.Module, f.Name)
		var body wt.Op
		for range f.Params {
			body = append(body, wt.I32(0)...)
		}
		body = append(body, wt.Call(i)...)
		if len(f.Results) > 0 {
			body = append(body, wt.Drop...)
		}
		m.Export(abi.ExportInitialize, body)
		m.Export(abi.ExportCall)
		ends(t, m.Bytes(), way{capabilities: []string{abi.CapabilityAccounts}}, receipt.Trapped, f.Name+": only a call may use it")
	}
}

// A view that loops without asking for anything is ended by its context. (In a transaction nothing ends it
// until contracts count their instructions.)
func TestViewWithoutEnd(t *testing.T) {
	m := wt.New()
	m.Export(abi.ExportCall, wt.Loop(wt.Branch(0)))
	for _, e := range engines {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		_, err := e.get().Call(ctx, code(m.Bytes()), newCall(t, way{view: true}))
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want that the deadline was exceeded", e.name, err)
		}
		honest(t, e.get())
	}
}

// Contracts in plain Go, with all that its runtime adds.
func TestPlainGo(t *testing.T) {
	wasm, err := build()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		method string
		code   receipt.Code
		words  string
	}{
		{"honest", receipt.OK, ""},
		{"panic", receipt.Trapped, "panic: because I can"},
		{"panic_with_rubbish", receipt.Trapped, "panic: "},
		{"panic_at_length", receipt.Trapped, "panic: xxx"},
		{"divide", receipt.Trapped, "panic: runtime error: integer divide by zero"},
		{"nil", receipt.Trapped, "panic: runtime error: invalid memory address or nil pointer dereference"},
		{"allocate", receipt.Trapped, "fatal error: out of memory"},
		{"deadlock", receipt.Trapped, "fatal error: all goroutines are asleep - deadlock!"},
		{"exit", receipt.Trapped, "the contract exited with code 0"},
		{"goroutines", receipt.OutOfGas, "is used up"},
		{"sleep", receipt.OutOfGas, "is used up"},
		{"print", receipt.OutOfGas, "is used up"},
		{"log", receipt.OutOfGas, "is used up"},
		{"write", receipt.OutOfGas, "is used up"},
		{"emit_big", receipt.Trapped, "emit: attributes is 8198 bytes, limit 8192"},
		{"forge_panic_line", receipt.Trapped, "panic: runtime error"},
	} {
		t.Run(test.method, func(t *testing.T) { ends(t, wasm, way{method: test.method}, test.code, test.words) })
	}

	// This ends at different depths on the two engines, until contracts count frames by themselves.
	t.Run("recurse", func(t *testing.T) {
		for _, e := range engines {
			r, err := e.get().Call(context.Background(), code(wasm), newCall(t, way{method: "recurse"}))
			if err != nil || r.Code != receipt.Trapped {
				t.Errorf("%s: %+v, %v; want trapped", e.name, r, err)
			}
			honest(t, e.get())
		}
	})

	t.Run("defer past fail", func(t *testing.T) {
		for _, e := range engines {
			c := newCall(t, way{method: "defer_past_fail"})
			r, err := e.get().Call(context.Background(), code(wasm), c)
			if want := (vm.Result{Code: receipt.Failed, ContractCode: 9, Reason: "I quit"}); err != nil || r != want {
				t.Errorf("%s: %+v, %v; want %+v", e.name, r, err, want)
			}
			for key, want := range map[string]bool{"before": true, "past": false, "after": false} {
				if got, err := c.Get([]byte("rows"), []byte(key)); err != nil || (got != nil) != want {
					t.Errorf("%s: the row %q is %q, %v", e.name, key, got, err)
				}
			}
			if c.Result() != nil {
				t.Errorf("%s: it returned %x after it had failed", e.name, c.Result())
			}
		}
	})
}

var build = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "ward-hostile")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "guest.wasm")
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, "./testdata/guest")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		return nil, errors.New(err.Error() + "\n" + string(output))
	}
	return os.ReadFile(out)
})

// Whatever a contract passes to whichever function, both engines end the call alike, and neither
// the engine nor the node takes harm.
func FuzzArguments(f *testing.F) {
	f.Add(uint8(7), []byte("\x00\x00\x00\x00\x03\x00\x00\x00\x10\x00\x00\x00\x02\x00\x00\x00\x40\x00\x00\x00\x40\x00\x00\x00"), "rows\xa0\xf5refused")
	f.Add(uint8(10), []byte("\x00\x00\x00\x00\x03\x00\x00\x00"), "abc")
	f.Add(uint8(15), []byte("\xff\xff\xff\xff"), "")
	f.Fuzz(func(t *testing.T, function uint8, numbers []byte, memory string) {
		table := abi.Table()
		fn := table[int(function)%len(table)]
		m := wt.New()
		i := m.Import(abi.Module, fn.Name)
		m.DataAt(0, memory[:min(len(memory), 65536)])
		var body wt.Op
		for range fn.Params {
			var n [4]byte
			numbers = numbers[copy(n[:], numbers):]
			body = append(body, wt.U32(uint32(n[0])|uint32(n[1])<<8|uint32(n[2])<<16|uint32(n[3])<<24)...)
		}
		body = append(body, wt.Call(i)...)
		if len(fn.Results) > 0 {
			body = append(body, wt.Drop...)
		}
		m.Export(abi.ExportCall, body)
		var results []vm.Result
		for _, e := range engines {
			r, err := e.get().Call(context.Background(), code(m.Bytes()), newCall(t, way{capabilities: []string{abi.CapabilityAccounts}}))
			if err != nil {
				t.Fatalf("%s in %s: %v", fn.Name, e.name, err)
			}
			results = append(results, r)
		}
		if results[0] != results[1] {
			t.Errorf("%s: %+v on the compiler, %+v on the interpreter", fn.Name, results[0], results[1])
		}
	})
}
