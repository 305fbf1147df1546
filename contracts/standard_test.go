package contracts_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wardledger/ward/contracts"
	"github.com/wardledger/ward/runtime/vm"
)

// It runs with and without the tag ward_release: both ways must give contracts that
// can be deployed.
func TestStandard(t *testing.T) {
	var told []string
	modules, err := contracts.Standard(t.Context(), contracts.Options{Building: func(name string) { told = append(told, name) }})
	if err != nil {
		t.Fatal(err)
	}
	engine, err := vm.New(vm.Options{Interpreter: true})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	var names []string
	for _, m := range modules {
		names = append(names, m.Name)
		if m.Toolchain == "" || len(m.Spec.Methods) == 0 {
			t.Errorf("%s: toolchain %q, %d methods", m.Name, m.Toolchain, len(m.Spec.Methods))
		}
		if err := engine.Vet(t.Context(), m.Wasm); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
		one, err := contracts.Named(t.Context(), contracts.Options{}, m.Name)
		if err != nil {
			t.Fatal(err)
		}
		if one.Hash != m.Hash {
			t.Errorf("%s: %x alone, %x among all", m.Name, one.Hash, m.Hash)
		}
		t.Logf("%s %x %d bytes, %s", m.Name, m.Hash, m.Size, m.Toolchain)
	}
	if !slices.Equal(names, contracts.Names()) {
		t.Errorf("got %v, want %v", names, contracts.Names())
	}
	if !contracts.Embedded && !slices.Equal(told, names) {
		t.Errorf("told of building %v, want %v", told, names)
	}
}

func TestNamedKnowsOnlyStandardContracts(t *testing.T) {
	_, err := contracts.Named(t.Context(), contracts.Options{}, "hello")
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("no standard contract %q: there are %v", "hello", contracts.Names())) {
		t.Errorf("got %v", err)
	}
}

func TestStandardStopsWhenToldTo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := contracts.Standard(ctx, contracts.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
