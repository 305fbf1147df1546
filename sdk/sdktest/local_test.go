//go:build !ward_carried

package sdktest_test

import (
	"testing"

	"github.com/wardledger/ward/runtime/registry"
	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/sdktest"
)

func TestKeyRecord(t *testing.T) {
	chain := sdktest.New(t, hello)
	key := sdktest.P256("key")
	if _, ok := chain.Key(key.Address()); ok {
		t.Error("the chain knows a key that nobody opened")
	}
	chain.OpenKey(sdk.OpenKey{Key: key.Public(), Quota: 7})
	if info, ok := chain.Key(key.Address()); !ok || info.Key.State == registry.KeyShut {
		t.Errorf("key: %+v, %v", info, ok)
	}
}
