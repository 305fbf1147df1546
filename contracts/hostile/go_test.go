package hostile

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/vm"
)

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
		gas    uint64
	}{
		{"honest", receipt.OK, "", 0},
		{"panic", receipt.Trapped, "panic: because I can", 0},
		{"panic_with_rubbish", receipt.Trapped, "panic: ", 0},
		{"panic_at_length", receipt.Trapped, "panic: xxx", 0},
		{"divide", receipt.Trapped, "panic: runtime error: integer divide by zero", 0},
		{"nil", receipt.Trapped, "panic: runtime error: invalid memory address or nil pointer dereference", 0},
		{"allocate", receipt.Trapped, "fatal error: out of memory", gas.MaxLimit},
		{"recurse", receipt.Trapped, "trap: the call stack is exhausted", 0},
		{"deadlock", receipt.Trapped, "fatal error: all goroutines are asleep - deadlock!", 0},
		{"exit", receipt.Trapped, "the contract exited with code 0", 0},
		{"goroutines", receipt.OutOfGas, "is used up", 0},
		{"sleep", receipt.OutOfGas, "is used up", 0},
		{"print", receipt.OutOfGas, "is used up", 0},
		{"log", receipt.OutOfGas, "is used up", 0},
		{"write", receipt.OutOfGas, "is used up", 0},
		{"emit_big", receipt.Trapped, "emit: attributes is 8198 bytes, limit 8192", 0},
		{"forge_panic_line", receipt.Trapped, "panic: runtime error", 0},
	} {
		t.Run(test.method, func(t *testing.T) { ends(t, wasm, way{method: test.method, gas: test.gas}, test.code, test.words) })
	}

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
