package gasbench_test

import (
	"context"
	"testing"

	"github.com/wardledger/ward/runtime/vm"
	"github.com/wardledger/ward/runtime/vm/gasbench"
)

// TestRun: everything that is to be measured runs. How long it takes is for `ward bench gas` to say.
func TestRun(t *testing.T) {
	e, err := vm.New(vm.Options{Modules: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	entries, err := gasbench.Run(context.Background(), e, gasbench.Options{Rounds: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) < 200 {
		t.Errorf("%d entries: something is left out", len(entries))
	}
	for _, entry := range entries {
		if entry.Gas <= 0 || entry.Nanos <= 0 || entry.Ratio <= 0 {
			t.Errorf("%s: %+v", entry.Name, entry)
		}
	}
}

// TestEveryFunction: a function of the host without an entry has a price that nobody has measured.
func TestEveryFunction(t *testing.T) {
	for _, name := range gasbench.Unmeasured() {
		t.Errorf("%s is not measured: add it to functions, or to others if it needs a chain", name)
	}
}
