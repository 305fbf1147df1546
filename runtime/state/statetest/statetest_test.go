package statetest_test

import (
	"testing"

	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/state/statetest"
)

func TestMemory(t *testing.T) {
	statetest.Run(t, func(testing.TB) statetest.Store {
		return statetest.Store{DB: state.NewMemory()}
	})
}

func TestFaultsThatAreNotAskedFor(t *testing.T) {
	statetest.Run(t, func(testing.TB) statetest.Store {
		return statetest.Store{DB: &statetest.Faults{DB: state.NewMemory()}}
	})
}
