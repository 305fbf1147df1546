//go:build compilers

package vm_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/vm"
)

// TestStockCompilers runs what other compilers make, as they come: clang, rustc and asc (AssemblyScript), which must be installed.
// Each contract counts calls, and ends, counts and emits alike on both engines.
func TestStockCompilers(t *testing.T) {
	clang := func(flags ...string) []string {
		return append(append([]string{"clang", "--target=wasm32", "-nostdlib", "-Wl,--no-entry"}, flags...), "testdata/compilers/counter.c", "-o")
	}
	rustc := func(level string) []string {
		return []string{"rustc", "--target", "wasm32-unknown-unknown", "--crate-type", "cdylib", "-C", "opt-level=" + level, "-C", "link-arg=--strip-debug", "testdata/compilers/counter.rs", "-o"}
	}
	asc := func(flags ...string) []string {
		return append(append([]string{"asc", "testdata/compilers/counter.ts", "--use", "abort="}, flags...), "-o")
	}
	for name, command := range map[string][]string{
		"clang -O0": clang("-O0"),
		"clang -O2": clang("-O2"),
		"clang -O3, all features": clang("-O3", "-mbulk-memory", "-msign-ext", "-mnontrapping-fptoint", "-mmultivalue",
			"-mmutable-globals", "-mreference-types"),
		"rustc, debug":              rustc("0"),
		"rustc, release":            rustc("3"),
		"rustc, small":              rustc("z"),
		"asc, debug":                asc("--debug"),
		"asc -O, garbage collected": asc("-O", "--runtime", "incremental"),
		"asc -O, minimal":           asc("-O", "--runtime", "stub"),
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "counter.wasm")
			command := append(command, file)
			if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
				t.Fatalf("%v: %v\n%s", command, err, out)
			}
			wasm, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var said []string
			onBoth(t, func(t *testing.T, e *vm.Engine) {
				store := newStore(t)
				s := ""
				for n := byte(1); n <= 3; n++ {
					c := newCall(t, "m")
					c.Store = store
					ends(t, run(t, e, wasm, c), receipt.OK, "")
					if string(c.Result()) != string([]byte{n}) || len(c.Events()) != 1 {
						t.Errorf("call %d returned %x and emitted %d events", n, c.Result(), len(c.Events()))
					}
					s += fmt.Sprint(c.Gas.Used(), " ")
				}
				said = append(said, s)
			})
			if said[0] != said[1] {
				t.Errorf("gas on the compiler %s, on the interpreter %s", said[0], said[1])
			}
			t.Logf("%d bytes, gas %s", len(wasm), said[0])
		})
	}
}
