package testnet_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wardledger/ward/node"
	"github.com/wardledger/ward/node/genesis"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk/client"
	"github.com/wardledger/ward/sdk/sdktest"
	"github.com/wardledger/ward/sdk/wire"
	"github.com/wardledger/ward/testnet/port"
	"github.com/wardledger/ward/testnet/site"
)

// couriers is how many contracts of testdata/courier the chain has: one more than may call each other.
const couriers = abi.MaxDepth + 1

func courierName(i int) string { return fmt.Sprint("courier-", i) }

// pair runs an authority, and a node that follows it and never proposes a block.
func pair(t *testing.T) (authority, follower *node.Node) {
	t.Helper()
	g := labGenesis(t)
	module := sdktest.Build(t, "testdata/courier")
	for i := range couriers {
		g.Contracts = append(g.Contracts, genesis.Contract{Name: courierName(i), Code: module.Wasm, Admin: g.Operator})
	}
	g.Time = time.Now().UTC()
	var nodes [2]*node.Node
	var peer string
	for i := range nodes {
		home := t.TempDir()
		id, err := node.CreateKeys(home)
		if err != nil {
			t.Fatal(err)
		}
		c := node.Config{
			Home: home, HTTP: "127.0.0.1:0", P2P: "127.0.0.1:0", RPC: node.None, Rate: -1,
			Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
		}
		if i == 0 {
			g.Authorities = []genesis.Authority{{Name: "authority", Key: id.Authority}}
			if c.P2P, err = port.Free(map[string]bool{}); err != nil {
				t.Fatal(err)
			}
			peer = id.NodeID + "@" + c.P2P
		} else {
			c.Peers = []string{peer}
		}
		if err := node.WriteGenesis(home, g); err != nil {
			t.Fatal(err)
		}
		n, err := node.New(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := n.Close(); err != nil {
				t.Error(err)
			}
		})
		nodes[i] = n
	}
	reach(t, nodes[0], 1)
	reach(t, nodes[1], 1)
	return nodes[0], nodes[1]
}

// reach waits until a node has a height.
func reach(t *testing.T, n *node.Node, height uint64) {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		h, raised := n.Log().Signal()
		if h >= height {
			return
		}
		select {
		case <-raised:
		case <-deadline:
			t.Fatalf("a node is at height %d, want %d", h, height)
		}
	}
}

// What a courier is told, and what it answers.
type (
	parcel struct {
		Contract string
		Method   string
		Args     []byte
	}
	delivery struct {
		Code  uint32
		Reply []byte `wire:",omitempty"`
	}
)

var deliveries = wire.New[delivery]()

// inner is the code of an inner call, and the contract's own code and reason if it failed.
func (d delivery) inner(t *testing.T) (code receipt.Code, own uint64, reason string) {
	t.Helper()
	if d.Code == 0 {
		return receipt.OK, 0, ""
	}
	r := cbor.NewReader(d.Reply)
	if n, err := r.Array(); err != nil || n != 2 {
		t.Fatalf("the reply after code %d is % x", d.Code, d.Reply)
	}
	own, err := r.Uint()
	if err != nil {
		t.Fatal(err)
	}
	if reason, err = r.Text(); err != nil {
		t.Fatal(err)
	}
	return receipt.Code(d.Code), own, reason
}

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	b, err := wire.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestBadInputElsewhere: bad input at a node that does not decide, and in the second layer of contracts.
func TestBadInputElsewhere(t *testing.T) {
	t.Parallel()
	authority, n := pair(t)
	t.Run("at a follower", func(t *testing.T) { badInputAtAFollower(t, authority, n) })
	t.Run("through layers", func(t *testing.T) { badInputThroughLayers(t, authority, n) })
}

// badInputThroughLayers sends what strangers send through a contract to another one, at a node that
// never proposes a block. Each ends as it should, the node that decides and the one that was
// asked have the same state, and a dashboard at the latter has missed nothing.
func badInputThroughLayers(t *testing.T, authority, n *node.Node) {
	ctx := within(t, 4*time.Minute)
	c := connect(t, n)
	dashboard, err := connect(t, n).Subscribe(ctx, client.Filter{}, client.FromNow, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer dashboard.Close()

	empty := []byte{0xa0}
	type named struct{ Name string }
	door := struct {
		Object, Relation string
	}{owner.Public().Address().String() + "/door", "open"}
	if _, err := c.Call(ctx, owner, "access", "register", named{"door"}, client.Options{}); err != nil {
		t.Fatal(err)
	}
	events := 1
	longest := strings.Repeat("a", 1000)

	for _, test := range []struct {
		what   string
		method string // of the courier
		to     parcel
		outer  receipt.Code
		inner  receipt.Code // if the outer one is OK
		own    uint64
		reason string // must be in the reason of whichever failed
		events int
	}{
		// The courier misuses the host: that is its end.
		{what: "garbage for arguments", to: parcel{"access", "register", []byte("open sesame")}, outer: receipt.Trapped, reason: "not one canonical CBOR item"},
		{what: "no arguments at all", to: parcel{"access", "register", nil}, outer: receipt.Trapped, reason: "not one canonical CBOR item"},
		{what: "arguments that aren't canonical", to: parcel{"access", "register", []byte{0xb8, 0x00}}, outer: receipt.Trapped, reason: "not one canonical CBOR item"},
		{what: "two items", to: parcel{"access", "register", []byte{0xa0, 0xa0}}, outer: receipt.Trapped, reason: "not one canonical CBOR item"},
		{what: "arguments where no memory is", method: "forge", to: parcel{"access", "register", empty}, outer: receipt.Trapped, reason: "outside of memory"},
		{what: "too many arguments", method: "stuff", to: parcel{"access", "register", empty}, outer: receipt.Trapped, reason: "limit 65536"},
		{what: "a contract that can't be one", to: parcel{"No Such", "register", empty}, outer: receipt.Trapped, reason: "is not a contract's name"},
		{what: "a long contract", to: parcel{longest, "register", empty}, outer: receipt.Trapped, reason: "contract"},
		{what: "a method that can't be one", to: parcel{"access", "", empty}, outer: receipt.Trapped, reason: "is not a method's name"},
		{what: "a long method", to: parcel{"access", longest, empty}, outer: receipt.Trapped, reason: "method"},

		// The other contract, or the machine for it, refuses: the courier goes on.
		{what: "arguments of another type", to: parcel{"access", "register", cbor.AppendUint(nil, 7)}, inner: receipt.BadArguments},
		{what: "an argument missing", to: parcel{"access", "register", empty}, inner: receipt.BadArguments, reason: "name"},
		{what: "one too many", to: parcel{"access", "bump_epoch", cbor.AppendUint(cbor.AppendText(cbor.AppendMap(nil, 1), "x"), 1)}, inner: receipt.BadArguments, reason: "x"},
		{what: "no contract", to: parcel{"nobody", "open", empty}, inner: receipt.UnknownContract, reason: `"nobody"`},
		{what: "no method", to: parcel{"access", "explode", empty}, inner: receipt.UnknownMethod, reason: `"explode"`},
		{what: "init", to: parcel{"devices", "init", empty}, inner: receipt.UnknownMethod, reason: "can't be called"},
		{what: "deploy", to: parcel{"code", "deploy", empty}, inner: receipt.NotPermitted, reason: "can't be called by a contract"},
		{what: "itself", to: parcel{courierName(0), "word", empty}, inner: receipt.NotPermitted, reason: "running already"},
		{what: "a contract that traps", to: parcel{"trap", "open", empty}, inner: receipt.Trapped, reason: "unreachable"},
		{what: "one that crashes", to: parcel{courierName(1), "crash", empty}, inner: receipt.Trapped},
		{what: "an answer that is too long", to: parcel{courierName(1), "blow", empty}, inner: receipt.BadResult, reason: "limit 65536"},
		{what: "a no", to: parcel{"access", "revoke", encoded(t, struct {
			ID uint64 `wire:"id"`
		}{99})}, inner: receipt.Failed, own: 6, reason: "there is no grant 99"},
		// Whoever signed lends the courier nothing: the owner's door is not the courier's to give.
		{what: "in the owner's name", to: parcel{"access", "grant", encoded(t, struct {
			Object    string
			Subject   address.Address
			Relations []string
		}{door.Object, guest.Public().Address(), []string{door.Relation}})}, inner: receipt.Failed, own: 2, reason: address.OfContract(courierName(0)).String()},
		{what: "a use in the owner's name", to: parcel{"access", "use", encoded(t, door)}, events: 2}, // decided, and denied: the courier asked
		{what: "a proof that is none", to: parcel{"devices", "enrol", encoded(t, struct {
			Model      string
			Key, Proof []byte
		}{site.LockModel, guest.Public().Bytes, nil})}, inner: receipt.Failed, own: 7, reason: "not a COSE_Sign1"},
		{what: "more events than a transaction has, the second time", method: "twice", to: parcel{courierName(1), "shout", empty}, inner: receipt.Trapped, reason: "events", events: 200},

		// What ends both.
		{what: "until there is no gas", to: parcel{courierName(1), "spin", empty}, outer: receipt.OutOfGas, reason: "the gas limit of"},
		{what: "without taking no for an answer", method: "insist", to: parcel{courierName(1), "crash", empty}, outer: receipt.Failed, reason: "code 36"},
		{what: "a good call, after all that", to: parcel{"access", "register", encoded(t, named{"shed"})}, events: 2},
	} {
		t.Run(test.what, func(t *testing.T) {
			if test.method == "" {
				test.method = "deliver"
			}
			r, err := c.Call(ctx, owner, courierName(0), test.method, test.to, client.Options{})
			if r == nil {
				t.Fatal(err)
			}
			events += len(r.Events)
			reason := r.Reason
			if r.Code == receipt.OK {
				var d delivery
				if err := r.Decode(&d); err != nil {
					t.Fatal(err)
				}
				code, own, why := d.inner(t)
				if code != test.inner || own != test.own {
					t.Errorf("the inner call ended with %s %d %q, want %s %d", code.Name(), own, why, test.inner.Name(), test.own)
				}
				reason = why
			} else if test.events++; r.Events[0].Name != abi.RefusedEvent {
				t.Errorf("event %s, want %s", r.Events[0].Name, abi.RefusedEvent)
			}
			if r.Code != test.outer || !strings.Contains(reason, test.reason) {
				t.Errorf("%s %q, want %s with %q", r.Code.Name(), reason, test.outer.Name(), test.reason)
			}
			if len(r.Events) != test.events {
				t.Errorf("%d events, want %d", len(r.Events), test.events)
			}
		})
	}

	// As deep as it goes, and one more: the deepest is refused, all above it go on.
	deep := parcel{courierName(couriers - 1), "word", empty}
	for i := couriers - 2; i > 0; i-- {
		deep = parcel{courierName(i), "deliver", encoded(t, deep)}
	}
	r, err := c.Call(ctx, owner, courierName(0), "deliver", deep, client.Options{GasLimit: couriers * usualGas})
	if err != nil {
		t.Fatal(err)
	}
	events += len(r.Events)
	if len(r.Events) != abi.MaxDepth-1 {
		t.Errorf("%d have delivered, want all but the last of %d", len(r.Events), abi.MaxDepth)
	}
	at := delivery{Reply: r.ReturnCBOR}
	for range abi.MaxDepth {
		if at.Code != 0 {
			t.Fatalf("the call ended early: %d % x", at.Code, at.Reply)
		}
		if at, err = deliveries.Decode(at.Reply); err != nil {
			t.Fatal(err)
		}
	}
	if code, _, why := at.inner(t); code != receipt.TooDeep || !strings.Contains(why, courierName(couriers-1)) {
		t.Errorf("the deepest call ended with %s %q", code.Name(), why)
	}

	// A view calls others as a view, whatever is asked of them.
	for _, test := range []struct {
		to   parcel
		want receipt.Code
	}{
		{parcel{"access", "register", encoded(t, named{"nothing"})}, receipt.NotPermitted},
		{parcel{courierName(1), "word", empty}, receipt.OK},
		{parcel{courierName(0), "word", empty}, receipt.NotPermitted},
		{parcel{courierName(1), "crash", empty}, receipt.NotPermitted},
	} {
		var d delivery
		if err := c.Query(ctx, courierName(0), "ask", test.to, &d); err != nil || receipt.Code(d.Code) != test.want {
			t.Errorf("%s.%s in a view: %+v, %v; want %s", test.to.Contract, test.to.Method, d, err, test.want.Name())
		}
	}
	// Nothing is left of what was undone.
	var word string
	if err := c.Query(ctx, courierName(1), "word", nil, &word); err != nil || word != "" {
		t.Errorf("courier 1 has %q, %v", word, err)
	}

	// A courier is no way around the scope of a key.
	var refused *client.Refused
	if _, err := c.Call(ctx, narrow, courierName(0), "deliver", parcel{"access", "use", encoded(t, door)}, client.Options{}); !errors.As(err, &refused) || refused.Code != receipt.OutOfScope {
		t.Errorf("around its scope: %v", err)
	}
	for i := range events {
		e, err := dashboard.Next(ctx)
		if err != nil {
			t.Fatalf("event %d of %d: %v", i+1, events, err)
		}
		if e.Name == "lost" || e.Name == "doomed" {
			t.Errorf("%s: %s was undone, and is streamed", e.Cursor, e.Name)
		}
	}
	healthy(t, n)
	healthy(t, authority)
	agree(t, authority, n)
}

var ownHeight = regexp.MustCompile(`the block is \d+$`)

// badInputAtAFollower: a node that never proposes refuses what is wrong with the
// same answers as the one that does, and passes on what is right.
func badInputAtAFollower(t *testing.T, authority, n *node.Node) {
	signed := func(k *tx.SecretKey, sequence uint64, edit func(*tx.Tx)) []byte {
		t.Helper()
		call := &tx.Tx{
			Chain: "lab", Sequence: sequence, GasLimit: usualGas, Contract: "access", Method: "register",
			Args: encoded(t, struct{ Name string }{fmt.Sprint("door-", sequence)}),
		}
		if edit != nil {
			edit(call)
		}
		raw, err := tx.Sign(call, k)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	good := signed(guest, 1, nil)
	if got := post(t, n, good, "commit"); got.Code != "ok" {
		t.Fatalf("%d %s", got.status, got.body)
	}
	agree(t, authority, n)
	forged := signed(guest, 2, nil)
	forged[len(forged)-1] ^= 1
	for what, raw := range map[string][]byte{
		"garbage":        []byte("open sesame"),
		"truncated":      good[:len(good)-10],
		"too large":      make([]byte, tx.MaxDeploySize+1),
		"wrongly signed": forged,
		"used":           signed(guest, 1, func(t *tx.Tx) { t.Method = "bump_epoch"; t.Args = []byte{0xa0} }),
		"another chain":  signed(guest, 2, func(t *tx.Tx) { t.Chain = "elsewhere" }),
		"expired":        signed(guest, 2, func(t *tx.Tx) { t.LastValid = 1 }),
		"unknown key":    signed(stranger, 1, nil),
		"out of scope":   signed(narrow, 1, nil),
		"over quota":     signed(poor, 1, func(t *tx.Tx) { t.GasLimit = 4 * usualGas }),
		"far ahead":      signed(guest, 5000, nil),
	} {
		here, there := post(t, n, raw, "check"), post(t, authority, raw, "check")
		// One of the two may be a block ahead, and "expired" names its own height.
		for _, a := range []*answer{&here, &there} {
			a.Error.Reason = ownHeight.ReplaceAllString(a.Error.Reason, "the block is N")
		}
		if here.status < 400 || here.Error.Code == "" || here.status != there.status || here.Error != there.Error {
			t.Errorf("%s: %d %s; the proposer says %d %s", what, here.status, here.body, there.status, there.body)
		}
	}
	// The same bytes again, here and there: they ran once.
	for _, at := range []*node.Node{n, authority} {
		if got := post(t, at, good, "check"); got.Error.Code != "replayed" {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
	if got := post(t, n, signed(guest, 2, nil), "commit"); got.Code != "ok" {
		t.Errorf("%d %s", got.status, got.body)
	}
	healthy(t, n)
	agree(t, authority, n)
}

// agree waits until both nodes have the height of the higher one, and compares every root.
func agree(t *testing.T, a, b *node.Node) {
	t.Helper()
	top := max(a.Log().Height(), b.Log().Height())
	reach(t, a, top)
	reach(t, b, top)
	for h := uint64(1); h <= top; h++ {
		x, err := a.Log().Block(h)
		if err != nil {
			t.Fatal(err)
		}
		y, err := b.Log().Block(h)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(x.Root, y.Root) {
			t.Fatalf("the roots at height %d are %x and %x", h, x.Root, y.Root)
		}
	}
}
