package vm_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/vm"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
)

// impatient is a store whose reader waits no longer once it is asked: the context ends while the call runs, and not when a clock says so,
// which on a busy machine may be before the call begins or after its gas is used up.
type impatient struct {
	host.Store
	leave func()
}

func (s impatient) Get(collection, key []byte) ([]byte, error) {
	s.leave()
	return s.Store.Get(collection, key)
}

// A view that asks the host for something is ended by its context, and not as a result of the contract; one that only computes, at
// the latest by its gas. The interpreter ends both at once.
func TestContextEndsAView(t *testing.T) {
	waited := errors.New("the view took too long")
	asking := func(then func(m *wt.Module, ask wt.Op) wt.Op) []byte {
		m := wt.New()
		get := m.Import(abi.Module, "get")
		ask := wt.Seq(bytesOf(m, "doors"), bytesOf(m, "front"), wt.I32(0), wt.I32(0), wt.Call(get), wt.Drop)
		m.Export(abi.ExportCall, ask, then(m, ask))
		return m.Bytes()
	}
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		for _, test := range []struct {
			name     string
			computes bool
			then     func(m *wt.Module, ask wt.Op) wt.Op
		}{
			{"a loop that asks", false, func(_ *wt.Module, ask wt.Op) wt.Op { return wt.Loop(ask, wt.Branch(0)) }},
			{"a loop", true, func(*wt.Module, wt.Op) wt.Op { return wt.Loop(wt.Branch(0)) }},
			{"a loop of calls", true, func(m *wt.Module, _ wt.Op) wt.Op {
				leaf := m.Func(nil, nil, 0)
				return wt.Loop(wt.Call(leaf), wt.Branch(0))
			}},
		} {
			ctx, cancel := context.WithCancelCause(context.Background())
			c := newCall(t, "m")
			c.View, c.Store = true, impatient{c.Store, func() { cancel(waited) }}
			r, err := e.Call(ctx, code(asking(test.then)), c)
			cancel(nil)
			if test.computes && e == engines.compiler() {
				if err != nil || r.Code != receipt.OutOfGas {
					t.Errorf("%s: %+v, %v; want the end of its gas", test.name, r, err)
				}
				continue
			}
			if err == nil || !errors.Is(err, waited) || r != (vm.Result{}) {
				t.Errorf("%s: %+v, %v; want the context's cause", test.name, r, err)
			}
			if err != nil && !strings.Contains(err.Error(), "contract locks, method m: ") {
				t.Errorf("%s: the error %q doesn't say which call", test.name, err)
			}
		}
	})
}

func TestContextBeforeTheCall(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c := newCall(t, "m")
	if _, err := engines.compiler().Call(ctx, code(small().Bytes()), c); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want canceled", err)
	}
	if err := engines.compiler().Vet(ctx, small().Bytes()); !errors.Is(err, context.Canceled) {
		t.Errorf("Vet: %v, want canceled", err)
	}
}

// Code that spins while it starts is refused once it has used what it may.
func TestStartIsMetered(t *testing.T) {
	m := small()
	m.Export(abi.ExportInitialize, wt.Loop(wt.Branch(0)))
	var no *vm.Refused
	if err := engines.compiler().Vet(context.Background(), m.Bytes()); !errors.As(err, &no) ||
		no.Reason != "it can't be started: the gas limit of 100000000 is used up" {
		t.Errorf("%v, want a refusal for gas", err)
	}
}

// Under a context that can end, results and gas are the same as without.
func TestContextChangesNoResult(t *testing.T) {
	wasm := guest(t)
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		for _, method := range []string{"count", "work", "panic", "after_fail"} {
			free, bound := newCall(t, method), newCall(t, method)
			a := run(t, e, wasm, free)
			ctx, cancel := context.WithCancel(context.Background())
			b, err := e.Call(ctx, code(wasm), bound)
			cancel()
			if err != nil || a != b || free.Gas.Used() != bound.Gas.Used() || string(free.Result()) != string(bound.Result()) {
				t.Errorf("%s: %+v, gas %d; under a context %+v, gas %d, %v", method, a, free.Gas.Used(), b, bound.Gas.Used(), err)
			}
		}
	})
}

var errDisk = errors.New("disk gone")

// store is a store that breaks or panics.
type store struct {
	host.Store
	panics bool
}

func (s store) Get(collection, _ []byte) ([]byte, error) {
	if s.panics {
		return collection[len(collection)+1:], nil
	}
	return nil, errDisk
}

// reading is a contract that asks for a row.
func reading() []byte {
	m := wt.New()
	get := m.Import(abi.Module, "get")
	m.Export(abi.ExportCall, bytesOf(m, "doors"), bytesOf(m, "front"), wt.I32(0), wt.I32(0), wt.Call(get), wt.Drop)
	return m.Bytes()
}

// A node that can't read its state says so, instead of deciding anything.
func TestBrokenNode(t *testing.T) {
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		c := newCall(t, "m")
		c.Store = store{}
		if r, err := e.Call(context.Background(), code(reading()), c); !errors.Is(err, errDisk) || r != (vm.Result{}) {
			t.Errorf("a broken store: %+v, %v; want %v", r, err, errDisk)
		}
		other := code(small().Bytes())
		other.Hash[0] ^= 1
		if _, err := e.Call(context.Background(), other, newCall(t, "m")); err == nil || !strings.Contains(err.Error(), "the stored bytes have the hash") {
			t.Errorf("bytes of another hash: %v", err)
		}
		other.Hash[0] ^= 2
		other.Load = func() ([]byte, error) { return nil, errDisk }
		if _, err := e.Call(context.Background(), other, newCall(t, "m")); !errors.Is(err, errDisk) {
			t.Errorf("bytes that can't be read: %v", err)
		}
		// What failed to load is tried again.
		good := code(small(wt.Nop, wt.Nop).Bytes())
		bad := good
		bad.Load = other.Load
		if _, err := e.Call(context.Background(), bad, newCall(t, "m")); !errors.Is(err, errDisk) {
			t.Errorf("bytes that can't be read: %v", err)
		}
		if r, err := e.Call(context.Background(), good, newCall(t, "m")); err != nil || r.Code != receipt.OK {
			t.Errorf("bytes that can be read again: %+v, %v", r, err)
		}
	})
}

// A panic of our own code is not taken for a trap of the contract.
func TestHostPanicIsOurs(t *testing.T) {
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		defer func() {
			if r := fmt.Sprint(recover()); !strings.HasPrefix(r, "BUG: vm: host function get panicked: runtime error: slice bounds out of range") {
				t.Errorf("recovered %q", r)
			}
		}()
		c := newCall(t, "m")
		c.Store = store{panics: true}
		r, err := e.Call(context.Background(), code(reading()), c)
		t.Errorf("the call returned %+v, %v", r, err)
	})
}

// Many goroutines call many contracts, with a cache that is too small for them, while
// others vet the same code.
func TestHammer(t *testing.T) {
	const contracts, workers, rounds = 6, 8, 60
	wasm := make([][]byte, contracts)
	for i := range wasm {
		m := wt.New()
		set := m.Import(abi.Module, "set")
		ret := m.Import(abi.Module, "ret")
		at, n := m.Data(string(rune('a' + i)))
		m.Data(fmt.Sprint("contract ", i))
		c := bytesOf(m, "rows")
		m.Export(abi.ExportCall, c, wt.I32(at), wt.I32(n), wt.I32(at), wt.I32(n), wt.Call(set), bytesOf(m, "\x61"+string(rune('a'+i))), wt.Call(ret))
		wasm[i] = m.Bytes()
	}
	for _, o := range []vm.Options{{Modules: 2}, {Modules: 2, Interpreter: true}} {
		e := newEngine(t, o)
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				ctx, cancel := context.Background(), func() {}
				if w%2 == 1 {
					ctx, cancel = context.WithCancel(ctx)
				}
				defer cancel()
				for round := range rounds {
					i := (round + w) % contracts
					c := newCall(t, "m")
					r, err := e.Call(ctx, code(wasm[i]), c)
					if want := "\x61" + string(rune('a'+i)); err != nil || r.Code != receipt.OK || string(c.Result()) != want {
						t.Errorf("contract %d: %+v, %v, result %q, want %q", i, r, err, c.Result(), want)
						return
					}
					if round%7 == 0 {
						if err := e.Vet(ctx, wasm[i]); err != nil {
							t.Error(err)
							return
						}
					}
				}
			})
		}
		wg.Wait()
		if n := e.Compiled(); n > 2 {
			t.Errorf("%d modules are kept, limit 2", n)
		}
	}
}

// Queries run beside block execution, on snapshots of their own.
func TestViewsBesideBlocks(t *testing.T) {
	wasm := guest(t)
	e := engines.compiler()
	s, err := state.Open(state.NewMemory(), state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	commit := func(height uint64) {
		o := s.Overlay()
		c := newCall(t, "count")
		c.Store = o
		ends(t, run(t, e, wasm, c), receipt.OK, "")
		stage, err := o.Stage(height)
		if err == nil {
			err = stage.Commit()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	commit(1)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for range 10 {
				snapshot, err := s.At(0)
				if err != nil {
					t.Error(err)
					return
				}
				c := newCall(t, "count")
				c.Store, c.View = snapshot.Overlay(), true
				r, err := e.Call(ctx, code(wasm), c)
				if err != nil || r.Code != receipt.NotPermitted || r.Reason != "set in a view: a view changes nothing" {
					t.Errorf("%+v, %v", r, err)
				}
				snapshot.Close()
			}
		})
	}
	for height := range uint64(10) {
		commit(height + 2)
	}
	wg.Wait()
}

// What was compiled once is found on disk by the next engine.
func TestCacheDir(t *testing.T) {
	dir := t.TempDir()
	wasm := guest(t)
	for i := range 2 {
		e := newEngine(t, vm.Options{CacheDir: dir})
		ends(t, run(t, e, wasm, newCall(t, "nothing")), receipt.OK, "")
		files := 0
		err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				files++
			}
			return err
		})
		if err != nil || files == 0 {
			t.Errorf("engine %d left %d files, %v", i, files, err)
		}
	}
	if _, err := vm.New(vm.Options{CacheDir: filepath.Join(dir, "\x00")}); err == nil {
		t.Error("a folder that can't be")
	}
}

// A cache that fails says nothing about the module: that would be another answer than
// that of the other nodes. What is damaged in it is made again.
func TestBrokenCache(t *testing.T) {
	wasm := small().Bytes()
	for _, test := range []struct {
		name string
		harm func(file string) error
	}{
		{"a file cut short", func(file string) error { return os.Truncate(file, 20) }},
		{"an empty file", func(file string) error { return os.Truncate(file, 0) }},
		{"a flipped bit", func(file string) error {
			b, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			b[len(b)/2] ^= 1
			return os.WriteFile(file, b, 0o600)
		}},
		{"no folder to write to", func(file string) error { return os.RemoveAll(filepath.Dir(file)) }},
	} {
		dir := t.TempDir()
		if err := mustEngine(vm.Options{CacheDir: dir}).Vet(context.Background(), wasm); err != nil {
			t.Fatal(err)
		}
		e := newEngine(t, vm.Options{CacheDir: dir})
		files := 0
		if err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			files++
			if err := test.harm(file); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(file); err != nil {
				return fs.SkipAll
			}
			return nil
		}); err != nil || files == 0 {
			t.Fatalf("%s: %d files, %v", test.name, files, err)
		}
		var no *vm.Refused
		if err := e.Vet(context.Background(), wasm); err != nil {
			t.Errorf("%s: Vet: %v", test.name, err)
		}
		if r, err := e.Call(context.Background(), code(wasm), newCall(t, "m")); err != nil || r.Code != receipt.OK {
			t.Errorf("%s: Call: %+v, %v", test.name, r, err)
		}
		if err := e.Vet(context.Background(), []byte("\x00asm\x01\x00\x00\x00\x03\x02\x01\x07")); !errors.As(err, &no) {
			t.Errorf("%s: an invalid module: %v, want a refusal", test.name, err)
		}
	}
}

// An engine can be closed twice, and holds nothing afterwards.
func TestClose(t *testing.T) {
	e := mustEngine(vm.Options{})
	ends(t, run(t, e, small().Bytes(), newCall(t, "m")), receipt.OK, "")
	for range 2 {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

// What was compiled ahead is not loaded again, under whichever context.
func TestPrepare(t *testing.T) {
	e := newEngine(t, vm.Options{})
	ahead := code(small().Bytes())
	if err := e.Prepare(ahead); err != nil {
		t.Fatal(err)
	}
	ahead.Load = func() ([]byte, error) { return nil, errDisk }
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, ctx := range []context.Context{ctx, context.Background()} {
		if r, err := e.Call(ctx, ahead, newCall(t, "m")); err != nil || r.Code != receipt.OK {
			t.Errorf("%+v, %v", r, err)
		}
	}
	var no *vm.Refused
	if err := e.Prepare(code([]byte("rubbish"))); !errors.As(err, &no) {
		t.Errorf("%v, want a refusal", err)
	}
	ahead.Hash[0]++
	if err := e.Prepare(ahead); !errors.Is(err, errDisk) {
		t.Errorf("%v, want %v", err, errDisk)
	}
}

// A call that can't even pay to enter compiles nothing and loads nothing.
func TestEntryIsPaidBefore(t *testing.T) {
	c := newCall(t, "m")
	c.Gas = gas.NewMeter(gas.Enter - 1)
	unread := code(small().Bytes())
	unread.Load = func() ([]byte, error) { return nil, errDisk }
	r, err := newEngine(t, vm.Options{}).Call(context.Background(), unread, c)
	if err != nil {
		t.Fatal(err)
	}
	ends(t, r, receipt.OutOfGas, fmt.Sprintf("the gas limit of %d is used up", gas.Enter-1))
}

// What a call costs that does nothing, traps or grows its memory, depends on how much there is to put back or to make anew.
func TestEntryPrice(t *testing.T) {
	elements := small(wt.Unreachable)
	elements.Table(0, 0x80, 0x80, 0x04)
	elements.Elements(0, make([]int, 10_000)...)
	big := small()
	big.Pages = 100
	grows := small(wt.I32(3), wt.Grow, wt.Drop)
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		for _, test := range []struct {
			name   string
			module *wt.Module
			code   receipt.Code
			price  uint64 // but for the instructions
		}{
			{"small", small(), receipt.OK, gas.EnterPrice(1)},
			{"much memory", big, receipt.OK, gas.EnterPrice(100)},
			{"a trap", small(wt.Unreachable), receipt.Trapped, gas.EnterPrice(1) + gas.RenewPrice(2)},
			{"a trap, and many elements", elements, receipt.Trapped, gas.EnterPrice(1) + gas.RenewPrice(2+1+10_000+65_536/16)},
			{"memory that grows", grows, receipt.OK, gas.EnterPrice(1) + gas.RenewPrice(2) + 3*gas.OpPage/gas.Ticks},
		} {
			wasm := test.module.Bytes()
			c := newCall(t, "m")
			if r := run(t, e, wasm, c); r.Code != test.code || c.Gas.Used() < test.price || c.Gas.Used() > test.price+100 {
				t.Errorf("%s: %s, used %d, want %s, %d and some instructions", test.name, r.Code.Name(), c.Gas.Used(), test.code.Name(), test.price)
			}
			used := c.Gas.Used()
			for limit, code := range map[uint64]receipt.Code{used: test.code, used - 1: receipt.OutOfGas} {
				c := newCall(t, "m")
				c.Gas = gas.NewMeter(limit)
				if r := run(t, e, wasm, c); r.Code != code || c.Gas.Used() != limit {
					t.Errorf("%s: with %d: %s, used %d; want %s and all", test.name, limit, r.Code.Name(), c.Gas.Used(), code.Name())
				}
			}
		}
	})
}

// Whoever calls many contracts in turn doesn't make the engine compile them again and again, which no gas would pay for, unless they are so
// large that together they take too much memory.
func TestManyModulesAreKept(t *testing.T) {
	const contracts = 200
	wasm := make([][]byte, contracts)
	for i := range wasm {
		m := wt.New()
		m.Export(abi.ExportCall, wt.I32(int32(i)), wt.Drop)
		wasm[i] = m.Bytes()
	}
	size := len(vm.Rewritten(wasm[contracts-1]))
	for _, c := range []struct{ bytes, kept int }{{0, contracts}, {50 * size, 50}, {1, 1}} {
		e := newEngine(t, vm.Options{ModuleBytes: c.bytes})
		loads := 0
		for range 2 {
			for i := range wasm {
				code := code(wasm[i])
				load := code.Load
				code.Load = func() ([]byte, error) { loads++; return load() }
				if r, err := e.Call(context.Background(), code, newCall(t, "m")); err != nil || r.Code != receipt.OK {
					t.Fatalf("contract %d: %+v, %v", i, r, err)
				}
			}
		}
		if n := e.Compiled(); n < c.kept || n > c.kept+c.kept/10 {
			t.Errorf("with %d bytes %d modules are kept, want %d", c.bytes, n, c.kept)
		}
		if c.kept == contracts && loads != contracts {
			t.Errorf("%d contracts were made ready %d times", contracts, loads)
		}
	}
}
