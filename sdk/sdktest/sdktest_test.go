package sdktest_test

import (
	"path/filepath"
	"testing"

	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/sdktest"
)

var hello = sdktest.Contract{Dir: filepath.Join("..", "..", "contracts", "hello")}

func TestHello(t *testing.T) {
	chain := sdktest.New(t, hello)
	owner := chain.Account("owner")

	r := chain.Call(owner, "hello", "open", nil).OK().Emitted("opened")
	if want := "hello.open: ok 1\n  hello.opened {\"by\":\"" + owner.Address().String() + "\",\"count\":1}"; r.String() != want {
		t.Errorf("got  %s\nwant %s", r, want)
	}
	var opened struct {
		By    sdk.Address
		Count uint64
	}
	r.Event("opened").Decode(&opened)
	if opened.By != owner.Address() || opened.Count != 1 {
		t.Errorf("opened: %+v", opened)
	}

	chain.Advance(12 * sdk.Hour)
	chain.Call(owner, "hello", "open", nil).Failed("closed").Because("2026-01-05T20:00:00Z")

	var count uint64
	if chain.View("hello", "opened", nil).OK().Result(&count); count != 1 {
		t.Errorf("opened %d times, want 1", count)
	}
	if got := chain.Events("opened", "hello.refused"); len(got) != 2 || got[1].Name != "refused" {
		t.Errorf("events: %v", got)
	}
}

func BenchmarkCall(b *testing.B) {
	chain := sdktest.New(b, hello)
	owner := chain.Account("owner")
	for b.Loop() {
		chain.Call(owner, "hello", "open", nil).OK()
	}
}

func TestRefusals(t *testing.T) {
	chain := sdktest.New(t, hello)
	chain.Call(sdktest.P256("stranger"), "hello", "open", nil).Refused(receipt.UnknownKey)

	owner := chain.Account("owner")
	raw := chain.Sign(owner, "hello", "open", nil)
	rs := chain.Block(raw, raw)
	rs[0].OK()
	rs[1].Refused(receipt.Replayed)

	lock := sdktest.P256("lock")
	chain.OpenKey(sdk.OpenKey{Key: lock.Public(), Quota: 100_000_000, Expires: chain.Now().Add(sdk.Minute),
		Scope: []sdk.Scope{{Contract: "hello", Methods: []string{"open"}}}})
	chain.Call(lock, "hello", "open", nil).OK()
	chain.Call(lock, "hello", "opened", nil).Refused(receipt.OutOfScope)
	chain.Advance(sdk.Minute)
	chain.Call(lock, "hello", "open", nil).Refused(receipt.KeyExpired)

	chain.Call(owner, "hello", "shut", nil).Refused(receipt.UnknownMethod)
	chain.Call(owner, "hello", "open", sdktest.CBOR{0xa1, 0x61, 'a', 1}).Refused(receipt.BadArguments)
	chain.Call(owner, "goodbye", "open", nil).Refused(receipt.UnknownContract)
}

// The same steps give the same roots: nothing of the machine or the moment gets in.
func TestSameStepsSameRoot(t *testing.T) {
	roots := map[string]bool{}
	for range 2 {
		chain := sdktest.New(t, hello)
		owner := chain.Account("owner")
		chain.Call(owner, "hello", "open", sdktest.JSON(`{}`)).OK()
		chain.Advance(sdk.Hour)
		chain.Call(owner, "hello", "open", nil).OK()
		roots[string(chain.Root())] = true
	}
	if len(roots) != 1 {
		t.Errorf("%d roots", len(roots))
	}
}
