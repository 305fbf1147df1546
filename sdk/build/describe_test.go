package build

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/vm"
)

// forever is an engine with a contract that loops.
type forever struct{}

func (forever) Describe(ctx context.Context, _ []byte) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (forever) Vet(context.Context, []byte) error { return nil }

func (forever) Call(context.Context, vm.Code, *host.Call) (vm.Result, error) { return vm.Result{}, nil }

func TestDescribeEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := describe(t.Context(), forever{}, nil, "")
		if err == nil || !strings.Contains(err.Error(), "not described itself after 30s") {
			t.Errorf("got %v", err)
		}
	})
}

func TestOldToolchain(t *testing.T) {
	_, err := findGo(t.Context(), Options{Dir: ".", Toolchain: "go1.9"})
	if !IsSetup(err) || !strings.Contains(err.Error(), "asked for go1.9, contracts need "+MinGo) {
		t.Errorf("got %v", err)
	}
}
