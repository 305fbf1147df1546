package sdk_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/sdktest"
)

// everything is the contract in testdata, which uses each part of the sdk once. Its
// types, as far as the tests need them:
type (
	key struct {
		Group string
		N     int32
	}
	value struct {
		Text string `wire:",omitempty"`
	}
	putArgs struct {
		Rows   []key
		Delete bool   `wire:",omitempty"`
		Text   string `wire:",omitempty"`
	}
	askArgs struct {
		Group    *string
		From     *key
		Until    *key
		Reverse  bool   `wire:",omitempty"`
		After    []byte `wire:",omitempty"`
		Limit    uint32 `wire:",omitempty"`
		Each     bool   `wire:",omitempty"`
		EachStop uint32 `wire:",omitempty"`
	}
	answer struct {
		Keys   []key
		Values []value
		Next   []byte `wire:",omitempty"`
	}
	callContext struct {
		Sender, Origin sdk.Address
		Contract       string
		Chain          string
		Height         uint64
		Time           sdk.Time
		Gas            bool
	}
	verified struct {
		OK      bool `wire:"ok"`
		Payload []byte
		Address *sdk.Address
		Hash    sdk.Hash
	}
	message struct {
		Key     sdk.PublicKey
		AAD     string `wire:"aad"`
		Message []byte
	}
	failArgs struct{ How string }
)

func newEverything(t *testing.T) (*sdktest.Chain, *sdktest.Key) {
	chain := sdktest.New(t, sdktest.Contract{Dir: filepath.Join("testdata", "everything"), Name: "all", Capabilities: []string{"accounts"}})
	return chain, chain.Account("somebody")
}

func TestContext(t *testing.T) {
	chain, me := newEverything(t)
	var got callContext
	chain.View("all", "created", nil).OK().Result(&got)
	if want := (callContext{chain.Operator.Address(), chain.Operator.Address(), "all", sdktest.ID, 0, sdktest.Start, true}); got != want {
		t.Errorf("init ran in %+v, want %+v", got, want)
	}
	chain.Advance(sdk.Hour)
	chain.ViewAs(me.Address(), "all", "context", nil).OK().Result(&got)
	if want := (callContext{me.Address(), me.Address(), "all", sdktest.ID, chain.Height(), sdktest.Start + 3600, true}); got != want {
		t.Errorf("a view runs in %+v, want %+v", got, want)
	}
	r := chain.Call(me, "all", "nothing", sdktest.CBOR{0xf6}).OK()
	if len(r.Return) != 0 {
		t.Errorf("nothing answers %x", r.Return)
	}
	if want := "nothing by " + me.Address().String(); !slices.Contains(r.Log, want) {
		t.Errorf("log %q, want %q", r.Log, want)
	}
}

// TestFailures: what a method's error becomes, and that nothing of the call stays.
func TestFailures(t *testing.T) {
	chain, me := newEverything(t)
	for _, c := range []struct {
		how    string
		code   receipt.Code
		error  string
		reason string
	}{
		{"code", receipt.Failed, "refused_it", "It was refused."},
		{"because", receipt.Failed, "refused_it", `7 is "odd"`},
		{"wrapped", receipt.Failed, "refused_it", "outside: inside"},
		{"plain", receipt.Failed, "failed", "just so"},
		{"long", receipt.Failed, "failed", strings.Repeat("ä", abi.MaxReason/2)},
		{"account", receipt.Failed, "failed", "no such key or owner account"},
		{"panic", receipt.Trapped, "", ""},
		{"long key", receipt.Trapped, "", "exists: key is 306 bytes, limit 256"},
		{"not UTF-8", receipt.Trapped, "", ""},
	} {
		r := chain.Call(me, "all", "fail", failArgs{c.how})
		if r.Code != c.code || r.ErrorName() != c.error || c.reason != "" && r.Reason != c.reason {
			t.Errorf("%s: %s", c.how, r)
		}
		r.Emitted("refused")
	}
	var a answer
	if chain.View("all", "get", key{"fail", 1}).OK().Result(&a); len(a.Keys) != 0 {
		t.Error("a row of a failed call stayed")
	}
	r := chain.Call(me, "all", "fail", failArgs{"panic"})
	if !strings.Contains(strings.Join(r.Log, "\n"), "panic: on purpose") {
		t.Errorf("the log does not say why: %q", r.Log)
	}

	chain.Call(me, "all", "missing", nil).Refused(receipt.UnknownMethod)
	chain.Call(me, "all", "fail", nil).Refused(receipt.BadArguments).Because("how: missing")
	chain.Call(me, "all", "fail", sdktest.CBOR{0xf6}).Refused(receipt.BadArguments).Because("how: missing")
	chain.Call(me, "all", "nothing", sdktest.CBOR("\xa1\x61a\x01")).Refused(receipt.BadArguments).Because(`unknown field "a"`)
	chain.Call(me, "all", "nothing", sdktest.CBOR{0x80}).Refused(receipt.BadArguments).Because("found an array where a map should be")
	chain.View("all", "put", putArgs{Rows: []key{{"a", 1}}}).Refused(receipt.NotPermitted)
}

// TestBig: what is larger than the sdk's first buffer arrives whole.
func TestBig(t *testing.T) {
	chain, me := newEverything(t)
	for i, size := range []int{0, 4095, 4096, 4097, 60_000} {
		text := strings.Repeat("x", size)
		var had bool
		if chain.Call(me, "all", "put_big", value{text}).OK().Result(&had); had != (i > 0) {
			t.Errorf("%d: had %v", size, had)
		}
		var got []byte
		if chain.View("all", "get_big", nil).OK().Result(&got); string(got) != text {
			t.Errorf("wrote %d bytes, read %d", size, len(got))
		}
	}
	for _, want := range []bool{true, false} {
		var had bool
		if chain.Call(me, "all", "drop_big", nil).OK().Result(&had); had != want {
			t.Errorf("had %v, want %v", had, want)
		}
	}
	// A row that does not fit in the buffer of a scan.
	chain.Call(me, "all", "put", putArgs{Rows: []key{{"a", 1}, {"a", 3}}}).OK()
	chain.Call(me, "all", "put", putArgs{Rows: []key{{"a", 2}, {"a", 4}}, Text: strings.Repeat("y", 7000)}).OK()
	for _, reverse := range []bool{false, true} {
		var a answer
		chain.View("all", "list", askArgs{Reverse: reverse}).OK().Result(&a)
		want := []key{{"a", 1}, {"a", 2}, {"a", 3}, {"a", 4}}
		if reverse {
			slices.Reverse(want)
		}
		if !slices.Equal(a.Keys, want) {
			t.Errorf("%+v, want %+v", a.Keys, want)
		}
	}
}

func TestCrypto(t *testing.T) {
	chain, _ := newEverything(t)
	long := bytes.Repeat([]byte{7}, 10_000)
	for _, k := range []*sdktest.Key{sdktest.P256("lock"), sdktest.Ed25519("lock")} {
		payload := struct{ Text []byte }{long}
		raw := k.Message(t, "ward-test-v1", payload)
		var v verified
		chain.View("all", "verify", message{k.Public(), "ward-test-v1", raw}).OK().Result(&v)
		if !v.OK || !bytes.Contains(v.Payload, long) || *v.Address != k.Address() || v.Hash != sha256.Sum256(raw) {
			t.Errorf("%s: ok %v, %d bytes, address %v", k, v.OK, len(v.Payload), v.Address)
		}
		v = verified{}
		chain.View("all", "verify", message{k.Public(), "ward-other-v1", raw}).OK().Result(&v)
		if v.OK || len(v.Payload) != 0 {
			t.Errorf("%s: valid under another AAD", k)
		}
	}
	var v verified
	if chain.View("all", "verify", message{[]byte("no key"), "ward-test-v1", nil}).OK().Result(&v); v.OK || v.Address != nil {
		t.Errorf("%+v", v)
	}
}

// TestRows compares walks and pages over a map with a sorted slice.
func TestRows(t *testing.T) {
	chain, me := newEverything(t)
	var all []key
	for _, group := range []string{"", "a", "a\x00", "a\x00b", "ab", "b"} {
		for n := range int32(9) {
			all = append(all, key{group, n - 4})
		}
	}
	for part := range slices.Chunk(all, 20) {
		chain.Call(me, "all", "put", putArgs{Rows: part, Text: "v"}).OK().Emitted("wrote")
	}
	gone := []key{{"a", 0}, {"b", 4}, {"zzz", 0}}
	var n uint64
	if chain.Call(me, "all", "put", putArgs{Rows: gone, Delete: true}).OK().Result(&n); n != 2 {
		t.Errorf("%d rows were there to delete, want 2", n)
	}
	all = slices.DeleteFunc(all, func(k key) bool { return slices.Contains(gone, k) })
	compare := func(a, b key) int {
		if c := strings.Compare(a.Group, b.Group); c != 0 {
			return c
		}
		return int(a.N) - int(b.N)
	}
	slices.SortFunc(all, compare)

	anyKey := rapid.Custom(func(t *rapid.T) key {
		return key{rapid.SampledFrom([]string{"", "a", "a\x00", "aa", "b", "c"}).Draw(t, "group"), rapid.Int32Range(-6, 6).Draw(t, "n")}
	})
	rapid.Check(t, func(t *rapid.T) {
		ask := askArgs{
			Group: rapid.Ptr(rapid.SampledFrom([]string{"", "a", "a\x00", "aa", "b"}), true).Draw(t, "group"),
			From:  rapid.Ptr(anyKey, true).Draw(t, "from"), Until: rapid.Ptr(anyKey, true).Draw(t, "until"),
			Reverse: rapid.Bool().Draw(t, "reverse"), Limit: rapid.Uint32Range(0, 130).Draw(t, "limit"),
		}
		var want []key
		for _, k := range all {
			if (ask.Group == nil || k.Group == *ask.Group) && (ask.From == nil || compare(k, *ask.From) >= 0) && (ask.Until == nil || compare(k, *ask.Until) < 0) {
				want = append(want, k)
			}
		}
		if ask.Reverse {
			slices.Reverse(want)
		}
		each := ask
		each.Each, each.EachStop = true, rapid.Uint32Range(0, 100).Draw(t, "stop")
		var a answer
		chain.View("all", "list", each).OK().Result(&a)
		if !slices.Equal(a.Keys, want[:min(len(want), int(each.EachStop))]) {
			t.Fatalf("each over %+v gives %q, want %q", each, a.Keys, want)
		}
		size := int(ask.Limit)
		if size == 0 {
			size = sdk.DefaultPage
		}
		size = min(size, sdk.MaxPage)
		for left := want; ; left = left[size:] {
			a = answer{}
			chain.View("all", "list", ask).OK().Result(&a)
			if !slices.Equal(a.Keys, left[:min(len(left), size)]) || (a.Next == nil) != (len(left) <= size) {
				t.Fatalf("page of %+v has %q and next %x, want %q", ask, a.Keys, a.Next, left)
			}
			if a.Next == nil {
				return
			}
			ask.After = a.Next
		}
	})
	chain.View("all", "list", askArgs{After: make([]byte, 257)}).Refused(receipt.BadArguments).Because("after: 257 bytes")
	// A place that no page ever named is a place all the same.
	var a answer
	if chain.View("all", "list", askArgs{After: []byte("b")}).OK().Result(&a); fmt.Sprint(a.Keys[0]) != fmt.Sprint(key{"b", -4}) {
		t.Errorf("%+v", a.Keys)
	}
}

// TestSize prints what a contract costs to deploy, so that a change that doubles it is seen.
func TestSize(t *testing.T) {
	const most = 3 << 20 // bytes; the minimal contract had 2.5 MB when this was written, an empty Go module 1.8 MB
	module := sdktest.Build(t, filepath.Join("..", "contracts", "hello"))
	t.Logf("the minimal contract has %d bytes", module.Size)
	if module.Size > most {
		t.Errorf("the minimal contract has %d bytes, limit %d: what did the sdk begin to import?", module.Size, most)
	}
}
