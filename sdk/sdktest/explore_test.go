package sdktest_test

import (
	"strings"
	"testing"

	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/sdktest"
)

// What goes wrong is told with as few calls as show it: two openings, in opening hours.
func TestExploreShrinks(t *testing.T) {
	said := expect(t, func(tb testing.TB) *sdktest.Chain { return sdktest.New(tb, hello) }, func(c *sdktest.Chain) {
		c.Explore(sdktest.Exploration{
			Contract: "hello", As: []*sdktest.Key{c.Account("ada"), c.Account("ben")},
			Holds: func() string {
				if len(c.Events("opened")) > 1 {
					return "the door was opened twice"
				}
				return ""
			},
		})
	})
	want := "the door was opened twice\nafter 2 of 30 calls:\n" + strings.Repeat("chain.Call(ada, \"hello\", \"open\", nil) // ok\n", 2)
	if said+"\n" != want {
		t.Errorf("got\n%s\nwant\n%s", said, want)
	}
}

func TestExploreFindsCrashes(t *testing.T) {
	said := expect(t, func(tb testing.TB) *sdktest.Chain { return sdktest.New(tb, porter(setup{"Ward"})) }, func(c *sdktest.Chain) {
		c.Explore(sdktest.Exploration{Contract: "porter", As: []*sdktest.Key{c.Account("ada")}})
	})
	if !strings.HasPrefix(said, "porter.stumble: trapped") || !strings.Contains(said, "\nafter 1 of 30 calls:\nchain.Call(ada, \"porter\", \"stumble\", nil) // trapped") {
		t.Errorf("got\n%s", said)
	}
}

// A chain is afterwards as it was: state, clock, events and sequences.
func TestRevert(t *testing.T) {
	chain := sdktest.New(t, hello)
	ada, ben := chain.Account("ada"), chain.Account("ben")
	chain.Call(ada, "hello", "open", nil).OK()
	mark, root, height := chain.Checkpoint(), string(chain.Root()), chain.Height()
	for range 2 {
		chain.Advance(sdk.Hour)
		chain.Call(ada, "hello", "open", nil).OK()
		chain.Call(ben, "hello", "open", nil).OK()
		chain.Revert(mark)
		if string(chain.Root()) != root || chain.Height() != height || chain.Now() != sdktest.Start || len(chain.Events("opened")) != 1 {
			t.Errorf("height %d at %s, %d events", chain.Height(), chain.Now(), len(chain.Events("opened")))
		}
		var n uint64
		if chain.View("hello", "opened", nil).OK().Result(&n); n != 1 {
			t.Errorf("opened %d times, want 1", n)
		}
	}
	chain.Call(ben, "hello", "open", nil).OK()
	if !sameBlock(chain, mark, ada) {
		t.Error("the same call after a revert gives another root")
	}
}

// sameBlock makes the same call twice from one mark.
func sameBlock(chain *sdktest.Chain, mark sdktest.Mark, key *sdktest.Key) bool {
	roots := map[string]bool{}
	for range 2 {
		chain.Revert(mark)
		chain.Call(key, "hello", "open", nil).OK()
		roots[string(chain.Root())] = true
	}
	return len(roots) == 1
}

// The standard contracts come with what they need, and one of one's own beside them.
func TestStandard(t *testing.T) {
	if testing.Short() {
		t.Skip("NOT RUN: builds four contracts")
	}
	chain := sdktest.New(t, append(sdktest.Standard(t), hello)...)
	chain.Call(chain.Account("ada"), "hello", "open", nil).OK()
	for name, view := range map[string]string{"energy": "market", "authority": "authorities"} {
		chain.View(name, view, sdktest.JSON(`{}`)).OK()
	}
	chain.Call(chain.Operator, "devices", "set_operator", sdktest.JSON(`{"operator":"`+chain.Operator.Address().String()+`"}`)).OK()
}

// A test that fails shows what the call did: rows, events, how it ended.
func TestFailuresTellTheStory(t *testing.T) {
	start := func(tb testing.TB) *sdktest.Chain { return sdktest.New(tb, hello) }
	said := expect(t, start, func(c *sdktest.Chain) {
		ada := c.Account("ada")
		c.Call(ada, "hello", "open", nil).OK()
		c.Call(ada, "hello", "open", nil).Failed("closed")
	})
	for _, want := range []string{
		"must fail with closed:\nhello.open: ok 2\n", "\nhello open  {}\n    sender ward1", "\n    get     count 0x00 = 1\n",
		"\n    set     count 0x00 = 2\n", "\n    emit    opened  by=ward1", " count=2\n-> ok  2\n   gas ", "\ngas ",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in\n%s", want, said)
		}
	}
	said = expect(t, start, func(c *sdktest.Chain) { c.View("hello", "opened", nil).Failed("closed") })
	if !strings.Contains(said, "\nhello opened (as a view)  {}\n    get     count 0x00 (not there)\n-> ok  0\n") {
		t.Errorf("got\n%s", said)
	}
}
