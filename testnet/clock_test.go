package testnet_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/sdk/client"
)

// TestClockAfterSilence: a chain that was quiet for half a minute does not decide by the time of its
// last block. A grant that expired in the silence is refused, and the block of the
// transaction that asks has the true time.
func TestClockAfterSilence(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for half a minute of silence")
	}
	t.Parallel()
	n := start(t)
	ctx := within(t, 3*time.Minute)
	c := connect(t, n)

	if _, err := c.Call(ctx, owner, "access", "register", struct{ Name string }{"door"}, client.Options{}); err != nil {
		t.Fatal(err)
	}
	object := owner.Public().Address().String() + "/door"
	type grant struct {
		Object    string
		Subject   address.Address
		Relations []string
		Expires   int64
	}
	expires := time.Now().Add(20 * time.Second) // time enough to make the grant and use it once, on a busy machine too
	if _, err := c.Call(ctx, owner, "access", "grant", grant{object, guest.Public().Address(), []string{"open"}, expires.Unix()}, client.Options{}); err != nil {
		t.Fatal(err)
	}
	// lag is how old the block's time was when the block was asked for: how long it took to make it says nothing of its time.
	use := func() (allowed bool, why string, lag int64) {
		t.Helper()
		asked := time.Now().Unix()
		r, err := c.Call(ctx, guest, "access", "use", struct{ Object, Relation string }{object, "open"}, client.Options{})
		if err != nil {
			t.Fatal(err)
		}
		lag = asked - r.Time.Unix() // block time is whole seconds
		var d struct {
			Allowed bool
			Why     string
		}
		if err := json.Unmarshal(r.Return, &d); err != nil {
			t.Fatal(err)
		}
		return d.Allowed, d.Why, lag
	}
	if allowed, why, _ := use(); !allowed {
		t.Fatalf("the grant does not open the door while it holds: %s", why)
	}
	before, err := c.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}

	time.Sleep(time.Until(expires.Add(10 * time.Second))) // silence is what is tested: nothing could tell of its end

	allowed, why, lag := use()
	if allowed || why != "expired" {
		t.Errorf("a grant that expired 10 s ago: allowed %v, why %q", allowed, why)
	}
	if lag > 2 { // node/app.MaxLag, and what was cut from both
		t.Errorf("the block's time is %d s behind", lag)
	}
	after, err := c.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	// The proof block of the last change, the empty one for the clock, the one with the
	// transaction, and its proof block: a quiet chain has made nothing else.
	if made := after.Height - before.Height; made > 4 {
		t.Errorf("%d blocks in a silence of half a minute", made)
	}
}
