//go:build !ward_carried

package sdktest

import (
	"sync"
	"testing"

	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/sdktest/link"
	"github.com/wardledger/ward/sdk/sdktest/machine"
)

// This file is not in the SDK that ward carries: there piped.go has the engine in another process.

// local is the machine of Ward's own tests, in their process: it compiles each contract once for all chains of a test binary.
var local = sync.OnceValues(func() (*machine.Machine, error) { return machine.New(machine.Options{}) })

func engine(t testing.TB) func(method string, in, out any) error {
	t.Helper()
	m, err := local()
	if err != nil {
		t.Fatal(err)
	}
	return link.Direct(m)
}

// Key returns what the chain knows of a key, and whether it knows it.
func (c *Chain) Key(kid sdk.Address) (runtime.KeyInfo, bool) {
	c.t.Helper()
	m, err := local()
	if err != nil {
		c.t.Fatal(err)
	}
	r, err := m.Runtime(c.number)
	if err != nil {
		c.t.Fatal(err)
	}
	info, found, err := r.Key(address.Address(kid), int64(c.now))
	if err != nil {
		c.t.Fatal(err)
	}
	return info, found
}
