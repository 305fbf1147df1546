package vm_test

import (
	"context"
	"crypto/sha256"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/vm"
)

// engines are shared by the tests, so that each module is compiled once.
var engines = struct{ compiler, interpreter func() *vm.Engine }{
	compiler:    sync.OnceValue(func() *vm.Engine { return mustEngine(vm.Options{}) }),
	interpreter: sync.OnceValue(func() *vm.Engine { return mustEngine(vm.Options{Interpreter: true}) }),
}

func mustEngine(o vm.Options) *vm.Engine {
	e, err := vm.New(o)
	if err != nil {
		panic(err)
	}
	return e
}

// onBoth runs a test on wazero's compiler and on its interpreter.
func onBoth(t *testing.T, test func(t *testing.T, e *vm.Engine)) {
	t.Run("compiler", func(t *testing.T) { test(t, engines.compiler()) })
	t.Run("interpreter", func(t *testing.T) { test(t, engines.interpreter()) })
}

// newEngine returns an engine of the test's own.
func newEngine(t testing.TB, o vm.Options) *vm.Engine {
	t.Helper()
	e := mustEngine(o)
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// code is a module as the state would hand it out.
func code(wasm []byte) vm.Code {
	return vm.Code{Hash: sha256.Sum256(wasm), Load: func() ([]byte, error) { return wasm, nil }}
}

// newStore returns an empty state.
func newStore(t testing.TB) *state.Overlay {
	t.Helper()
	s, err := state.Open(state.NewMemory(), state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s.Overlay()
}

// newCall returns a call of a method of the contract "locks" on an empty state.
func newCall(t testing.TB, method string) *host.Call {
	t.Helper()
	return &host.Call{
		Chain:    "test-1",
		Block:    host.Block{Height: 7, Time: 1_700_000_000},
		Contract: "locks",
		Method:   method,
		Args:     []byte("\xa0"),
		Seed:     [32]byte{1},
		Gas:      gas.NewMeter(gas.MaxLimit),
		Store:    newStore(t),
	}
}

// run makes a call that no context ends and that doesn't find the node broken.
func run(t testing.TB, e *vm.Engine, wasm []byte, c *host.Call) vm.Result {
	t.Helper()
	r, err := e.Call(context.Background(), code(wasm), c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// ends checks how a call ended.
func ends(t testing.TB, got vm.Result, code receipt.Code, reason string) {
	t.Helper()
	if want := (vm.Result{Code: code, Reason: reason}); got != want {
		t.Errorf("ended with %s %d: %q; want %s: %q", got.Code.Name(), got.ContractCode, got.Reason, code.Name(), reason)
	}
}

// guest returns the contract in testdata/guest, built once.
func guest(t testing.TB) []byte {
	t.Helper()
	wasm, err := buildGuest()
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

var buildGuest = sync.OnceValues(func() ([]byte, error) { return goBuild("testdata/guest") })

// goBuild compiles a folder with the Go tool, as contracts are.
func goBuild(folder string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "ward-vm-guest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "guest.wasm")
	build := exec.Command("go", "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, "./"+folder)
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return nil, &buildError{err, string(output)}
	}
	return os.ReadFile(out)
}

type buildError struct {
	err    error
	output string
}

func (e *buildError) Error() string { return e.err.Error() + "\n" + e.output }
