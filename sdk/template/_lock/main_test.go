package main

import (
	"flag"
	"testing"

	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/sdktest"
)

var update = flag.Bool("update", false, "write testdata/gas.txt anew")

func start(t *testing.T) (chain *sdktest.Chain, owner, guest *sdktest.Key) {
	owner = sdktest.Ed25519("owner")
	chain = sdktest.New(t, sdktest.Contract{Dir: ".", Admin: owner})
	chain.Open(owner)
	return chain, owner, chain.Account("guest")
}

func TestGuest(t *testing.T) {
	chain, owner, guest := start(t)
	answer := func() (a Answer) {
		t.Helper()
		chain.Call(guest, "my-lock", "open", nil).OK().Emitted("used").Result(&a)
		return a
	}
	if a := answer(); a.Allowed {
		t.Errorf("a stranger: %+v", a)
	}
	chain.Call(owner, "my-lock", "admit", Guest{guest.Address(), chain.Now().Add(sdk.Hour)}).OK().Emitted("admitted")
	if a := answer(); !a.Allowed {
		t.Errorf("a guest: %+v", a)
	}
	chain.Advance(sdk.Hour)
	if a := answer(); a.Allowed || a.Reason != "was let in until 2026-01-05T09:00:00Z" {
		t.Errorf("a guest whose time is over: %+v", a)
	}
}

func TestOnlyTheOwnerDecides(t *testing.T) {
	chain, owner, guest := start(t)
	g := Guest{guest.Address(), chain.Now().Add(sdk.Hour)}
	chain.Call(guest, "my-lock", "admit", g).Failed("not_owner")
	chain.Call(guest, "my-lock", "remove", Who{owner.Address()}).Failed("not_owner")
	chain.Call(owner, "my-lock", "remove", Who{guest.Address()}).Failed("no_guest")
	chain.Call(owner, "my-lock", "admit", Guest{guest.Address(), chain.Now()}).Failed("past")

	chain.Call(owner, "my-lock", "admit", g).OK()
	chain.Call(owner, "my-lock", "remove", Who{guest.Address()}).OK().Emitted("removed")
	var a Answer
	if chain.View("my-lock", "allowed", Who{guest.Address()}).OK().Result(&a); a.Allowed {
		t.Errorf("after it was removed: %+v", a)
	}
}

// Whatever anybody calls, only those whom the owner has let in get in.
func TestRandomCalls(t *testing.T) {
	chain, owner, guest := start(t)
	stranger := chain.Account("stranger")
	chain.Explore(sdktest.Exploration{
		Contract: "my-lock",
		As:       []*sdktest.Key{owner, guest, stranger},
		Holds: func() string {
			let := map[sdk.Address]bool{owner.Address(): true}
			for _, e := range chain.Events("admitted") {
				var g Guest
				e.Decode(&g)
				let[g.Account] = true
			}
			for _, e := range chain.Events("used") {
				var u Used
				if e.Decode(&u); u.Allowed && !let[u.By] {
					return u.By.String() + " came in, and nobody had let them"
				}
			}
			return ""
		},
	})
}

func TestGas(t *testing.T) {
	chain, owner, guest := start(t)
	chain.Call(owner, "my-lock", "admit", Guest{guest.Address(), chain.Now().Add(sdk.Hour)}).OK()
	chain.Call(guest, "my-lock", "open", nil).OK()
	chain.Call(owner, "my-lock", "remove", Who{guest.Address()}).OK()
	chain.View("my-lock", "allowed", Who{guest.Address()}).OK()
	chain.GasReport("testdata/gas.txt", *update)
}
