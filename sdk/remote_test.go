package sdk_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/sdktest"
	"github.com/wardledger/ward/sdk/wire"
)

// step and what it is made of are the types of testdata/relay.
type (
	step struct {
		Do       string
		Text     string `wire:",omitempty"`
		Contract string `wire:",omitempty"`
		Method   string `wire:",omitempty"`
		Script   []byte `wire:",omitempty"`
	}
	scriptArgs struct {
		Script []byte `wire:",omitempty"`
	}
	done struct {
		Sender, Origin sdk.Address
		Lines          []string `wire:",omitempty"`
	}
)

func script(steps ...step) []byte {
	b, err := wire.Marshal(struct{ Steps []step }{steps})
	if err != nil {
		panic(err)
	}
	return b
}

// call is the step that has another contract run a script.
func call(contract string, steps ...step) step {
	return step{Do: "call", Contract: contract, Method: "run", Script: script(steps...)}
}

func set(s string) step  { return step{Do: "set", Text: s} }
func emit(s string) step { return step{Do: "emit", Text: s} }
func fail(s string) step { return step{Do: "fail", Text: s} }

// relays is a chain on which the relay exists under several names.
func relays(t *testing.T, names ...string) (*sdktest.Chain, *sdktest.Key) {
	var all []sdktest.Contract
	for _, name := range names {
		all = append(all, sdktest.Contract{Dir: filepath.Join("testdata", "relay"), Name: name})
	}
	chain := sdktest.New(t, all...)
	return chain, chain.Account("somebody")
}

func lines(r *sdktest.Receipt) []string {
	var d done
	r.OK().Result(&d)
	return d.Lines
}

func word(c *sdktest.Chain, contract string) (w string) {
	c.View(contract, "word", nil).OK().Result(&w)
	return w
}

func said(r *sdktest.Receipt) (out []string) {
	for _, e := range r.Events {
		var a struct{ Text string }
		e.Decode(&a)
		out = append(out, e.Contract+":"+a.Text)
	}
	return out
}

// A call runs in the other contract's name, for the one that calls, and its events
// stand where it was made.
func TestCall(t *testing.T) {
	chain, me := relays(t, "a", "b", "c")
	r := chain.Call(me, "a", "run", scriptArgs{script(
		emit("1"),
		call("b", emit("2"), set("b was here"), call("c", emit("3"), set("so was c")), emit("4")),
		emit("5"), set("a too"),
	)})
	a, b := sdk.Address(address.OfContract("a")), sdk.Address(address.OfContract("b"))
	if got, want := lines(r), []string{
		"b: done for " + a.String() + ", from " + me.Address().String(),
		"c: done for " + b.String() + ", from " + me.Address().String(),
	}; !slices.Equal(got, want) {
		t.Errorf("lines %q, want %q", got, want)
	}
	if got, want := said(r), []string{"a:1", "b:2", "c:3", "b:4", "a:5"}; !slices.Equal(got, want) {
		t.Errorf("events %q, want %q", got, want)
	}
	for contract, want := range map[string]string{"a": "a too", "b": "b was here", "c": "so was c"} {
		if got := word(chain, contract); got != want {
			t.Errorf("%s has %q, want %q", contract, got, want)
		}
	}
}

// A failing call undoes what it and all below it did, and nothing else.
func TestCallFails(t *testing.T) {
	chain, me := relays(t, "a", "b", "c", "d")
	r := chain.Call(me, "a", "run", scriptArgs{script(
		set("before"), emit("a"),
		call("d", set("kept"), emit("kept")),
		call("b", set("lost"), emit("lost"), call("c", set("lost too"), emit("lost too")), call("d", set("lost again")), fail("as told")),
		emit("after"),
	)})
	if got, want := lines(r)[1:], []string{"b: 35/7 as told"}; !slices.Equal(got, want) {
		t.Errorf("lines %q, want %q", got, want)
	}
	if got, want := said(r), []string{"a:a", "d:kept", "a:after"}; !slices.Equal(got, want) {
		t.Errorf("events %q, want %q", got, want)
	}
	for contract, want := range map[string]string{"a": "before", "b": "", "c": "", "d": "kept"} {
		if got := word(chain, contract); got != want {
			t.Errorf("%s has %q, want %q", contract, got, want)
		}
	}
	// If the one that called fails in the end, so does everything.
	r = chain.Call(me, "a", "run", scriptArgs{script(call("d", set("new"), emit("new")), fail("after all"))})
	r.Failed("told_to").Because("after all")
	if got := word(chain, "d"); got != "kept" {
		t.Errorf("d has %q after a transaction that failed", got)
	}
}

// What can't be called is refused with a code, and the contract goes on.
func TestCallRefused(t *testing.T) {
	chain, me := relays(t, "a", "b")
	for _, test := range []struct {
		name string
		step step
		want string
	}{
		{"nobody", call("nobody"), `nobody: 32/0 there is no contract "nobody"`},
		{"no method", step{Do: "call", Contract: "b", Method: "nothing_such"}, `b: 33/0 contract "b" has no method "nothing_such"`},
		{"init", step{Do: "call", Contract: "b", Method: "init"}, `b: 33/0 "init" runs once, when a contract is created, and can't be called`},
		{"itself", call("a"), "a: 39/0 contract a is running already: it can't be called until that has ended"},
		{"deploy", step{Do: "call", Contract: "code", Method: "deploy"}, "code: 39/0 code can't be called by a contract"},
		{"bad arguments", step{Do: "call", Contract: "b", Method: "run", Script: []byte{0xff}}, "b: 35/1 "},
		{"a capability that it lacks", call("b", step{Do: "shut"}), "b: 39/0 account_shut needs the capability accounts, which contract b does not have"},
	} {
		got := lines(chain.Call(me, "a", "run", scriptArgs{script(test.step)}))
		if len(got) == 0 || !strings.HasPrefix(got[0], test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
		if nobody := len(got) > 1 && got[1] == "nobody there"; nobody != (test.name == "nobody") {
			t.Errorf("%s: NoContract says %v", test.name, nobody)
		}
	}
	// Around a corner.
	got := lines(chain.Call(me, "a", "run", scriptArgs{script(call("b", call("a")))}))
	if want := "a: 39/0 contract a is running already"; len(got) != 2 || !strings.HasPrefix(got[1], want) {
		t.Errorf("around a corner: %q, want %q", got, want)
	}
}

// A powerful contract lends nobody its power, and takes nobody's orders for theirs.
func TestCapabilitiesAreNotInherited(t *testing.T) {
	dir := filepath.Join("testdata", "relay")
	chain := sdktest.New(t, sdktest.Contract{Dir: dir, Name: "strong", Capabilities: []string{"accounts"}}, sdktest.Contract{Dir: dir, Name: "weak"})
	me := chain.Account("somebody")
	got := lines(chain.Call(me, "strong", "run", scriptArgs{script(call("weak", step{Do: "shut"}))}))
	if len(got) != 1 || !strings.HasPrefix(got[0], "weak: 39/0 ") {
		t.Errorf("weak called by strong: %q", got)
	}
	chain.Call(me, "weak", "run", scriptArgs{script(call("strong", step{Do: "shut"}))}).OK()
	chain.Call(me, "weak", "run", nil).Refused(receipt.KeyShut)
}

// A method that is a view runs as one wherever it is called, and so does all that it calls.
func TestCallOfViews(t *testing.T) {
	chain, me := relays(t, "a", "b", "c")
	look := func(contract string, steps ...step) step {
		return step{Do: "call", Contract: contract, Method: "look", Script: script(steps...)}
	}
	got := lines(chain.Call(me, "a", "run", scriptArgs{script(
		look("b", set("no")),
		look("b", call("c", set("no"))),
		set("yes"),
	)}))
	if len(got) != 3 || !strings.HasPrefix(got[0], "b: 39/0 set in a view") || !strings.HasPrefix(got[2], "c: 39/0 set in a view") {
		t.Errorf("lines %q", got)
	}
	if w := word(chain, "a"); w != "yes" {
		t.Errorf("a has %q: a view of b made a view of it", w)
	}
	// From outside.
	r := chain.View("a", "look", scriptArgs{script(call("b", set("no")), call("b"))})
	if got := lines(r); len(got) != 2 || !strings.HasPrefix(got[0], "b: 39/0 set in a view") {
		t.Errorf("lines %q", got)
	}
}

// One too deep is refused where it is made; those above go on.
func TestDepth(t *testing.T) {
	var names []string
	for i := range abi.MaxDepth + 1 {
		names = append(names, string(rune('a'+i)))
	}
	chain, me := relays(t, names...)
	chain.GasLimit = 200_000_000
	var inner []step
	for i := abi.MaxDepth; i > 0; i-- {
		inner = []step{set(names[i]), call(names[i], inner...)}
	}
	got := lines(chain.Call(me, "a", "run", scriptArgs{script(inner...)}))
	if len(got) != abi.MaxDepth || !strings.HasPrefix(got[len(got)-1], "i: 38/0 8 contracts are running") {
		t.Errorf("lines %q", got)
	}
	if w := word(chain, names[abi.MaxDepth-1]); w != "i" {
		t.Errorf("the last that could be called has %q", w)
	}
}

// All calls of a transaction have the same gas: if one uses it up, that is the end of all.
func TestGasIsShared(t *testing.T) {
	chain, me := relays(t, "a", "b")
	r := chain.Call(me, "a", "run", scriptArgs{script(set("lost"), call("b", step{Do: "spin"}), set("never"))})
	r.Refused(receipt.OutOfGas).Because("the gas limit of 50000000 is used up")
	if r.GasUsed != r.GasLimit {
		t.Errorf("used %d of %d", r.GasUsed, r.GasLimit)
	}
	if w := word(chain, "a"); w != "" {
		t.Errorf("a has %q", w)
	}
}

// The bound of a transaction's events counts those of all depths.
func TestEventsOfAllDepths(t *testing.T) {
	chain, me := relays(t, "a", "b")
	chain.GasLimit = 200_000_000
	many := make([]step, 128)
	for i := range many {
		many[i] = emit("x")
	}
	all := append(slices.Clone(many), call("b", append(slices.Clone(many), emit("one too many"))...), emit("after"))
	r := chain.Call(me, "a", "run", scriptArgs{script(all...)})
	if got := lines(r); len(got) != 1 || got[0] != "b: 36/0 emit: more than 256 events in a transaction" {
		t.Errorf("lines %q", got)
	}
	if n := len(r.Events); n != 129 {
		t.Errorf("%d events, want 129", n)
	}
}

// The engine is told who its authorities shall be: once, sorted, and only of what can be.
func TestAuthoritiesSet(t *testing.T) {
	dir := filepath.Join("testdata", "relay")
	key := func(name string) []byte { return sdktest.Ed25519(name).Public() }
	one, two, three := key("one"), key("two"), key("three")
	chain := sdktest.New(t, sdktest.Contract{Dir: dir, Name: "a", Capabilities: []string{"authorities"}}, sdktest.Contract{Dir: dir, Name: "b"})
	me := chain.Account("somebody")
	want := func(keys ...[]byte) step { return step{Do: "authorities", Script: bytes.Join(keys, nil)} }

	if got := chain.Updates(); got != nil {
		t.Fatalf("updates before anybody asked: %v", got)
	}
	chain.Call(me, "a", "run", scriptArgs{script(want(one, two))}).OK()
	if got := chain.Updates(); len(got) != 2 || got[0].Power != 1 || bytes.Compare(got[0].Key, got[1].Key) >= 0 {
		t.Errorf("updates %v, want two additions in order", got)
	}
	chain.Call(me, "a", "run", scriptArgs{script(want(two, one))}).OK()
	if got := chain.Updates(); got != nil {
		t.Errorf("updates for the same set: %v", got)
	}
	// Two changes in a block are one difference.
	chain.Block(
		chain.Sign(me, "a", "run", scriptArgs{script(want(three))}),
		chain.Sign(me, "a", "run", scriptArgs{script(want(three, two))}),
	)
	if got := chain.Updates(); len(got) != 2 || !slices.ContainsFunc(got, func(u sdktest.AuthorityUpdate) bool { return bytes.Equal(u.Key, one) && u.Power == 0 }) ||
		!slices.ContainsFunc(got, func(u sdktest.AuthorityUpdate) bool { return bytes.Equal(u.Key, three) && u.Power == 1 }) {
		t.Errorf("updates %v, want one out and three in", got)
	}
	if e := chain.Events("chain.authorities"); len(e) != 2 {
		t.Errorf("%d events, want 2", len(e))
	}
	// What fails hands nothing over.
	chain.Call(me, "a", "run", scriptArgs{script(want(one), fail("after all"))}).Failed("told_to")
	weak := make([]byte, 32) // the point of order 4 with y = 0
	for name, bad := range map[string]step{
		"none": want(), "twice": want(one, one), "short": want(one, two[:31]), "no point": want(bytes.Repeat([]byte{2}, 32)), "small order": want(weak, one),
	} {
		r := chain.Call(me, "a", "run", scriptArgs{script(bad)})
		if r.Code != receipt.Failed {
			t.Errorf("%s: %s %q", name, r.Code, r.Reason)
		}
	}
	chain.Call(me, "b", "run", scriptArgs{script(want(one))}).Refused(receipt.NotPermitted).Because("authorities_set needs the capability authorities")
	if got := chain.Updates(); got != nil {
		t.Errorf("updates of what was refused: %v", got)
	}
}

// Who may deploy, and what, is said by whoever has the power to.
func TestParametersAndPermits(t *testing.T) {
	dir := filepath.Join("testdata", "relay")
	chain := sdktest.New(t, sdktest.Contract{Dir: dir, Name: "a", Capabilities: []string{"accounts", "code", "parameters"}}, sdktest.Contract{Dir: dir, Name: "b"})
	me, you := chain.Account("me"), chain.Account("you")
	does := func(contract string, s step, want ...string) {
		t.Helper()
		if got := lines(chain.Call(me, contract, "run", scriptArgs{script(s)})); !slices.Equal(got, want) {
			t.Errorf("%+v: %q, want %q", s, got, want)
		}
	}
	one, two := me.Address(), you.Address()
	if bytes.Compare(one[:], two[:]) < 0 {
		one, two = two, one
	}
	does("a", step{Do: "parameters", Text: "list", Script: append(one[:], two[:]...)}, "done", "deploy list "+two.String()+" "+one.String())
	does("a", step{Do: "parameters", Text: "all"}, `deploy is none of "operator", "list" and "open"`, "deploy list "+two.String()+" "+one.String())
	does("a", step{Do: "parameters", Text: "list", Script: append(one[:], one[:]...)}, "deployer 1 does not come after the one before it", "deploy list "+two.String()+" "+one.String())
	does("a", step{Do: "parameters", Text: "open"}, "done", "deploy open")
	if e := chain.Events("chain.parameters"); len(e) != 2 {
		t.Errorf("the chain told %d times of its parameters, want 2", len(e))
	}
	does("a", step{Do: "parameters", Text: "operator"}, "done", "deploy operator")

	wasm := sdktest.Build(t, dir).Wasm
	hash := sha256.Sum256(wasm)
	permit := step{Do: "permit", Contract: "c", Script: hash[:], Text: "accounts"}
	does("a", permit, "done")
	does("a", step{Do: "withdraw", Contract: "c"}, "done")
	does("a", step{Do: "withdraw", Contract: "c"}, "no permit")
	does("a", permit, "done")
	does("a", step{Do: "permit", Contract: "d", Script: hash[:], Text: "authorities"}, "the contract can't hand out a capability that it does not have itself")
	does("a", step{Do: "permit", Contract: "b", Script: hash[:]}, "there is a contract of this name already")
	does("a", step{Do: "permit", Contract: "C", Script: hash[:]}, "name is not a contract's name")
	chain.GasLimit = gas.MaxLimit
	chain.Call(you, "code", "deploy", struct {
		Code []byte
		Name string
	}{wasm, "c"}).OK()
	chain.GasLimit = 50_000_000
	does("c", step{Do: "permit", Contract: "d", Script: hash[:], Text: "accounts"}, "done")
	for do, words := range map[string]string{"parameters": "parameters_set needs the capability parameters", "permit": "code_permit needs the capability code", "withdraw": "code_withdraw needs the capability code"} {
		chain.Call(me, "b", "run", scriptArgs{script(step{Do: do, Text: map[string]string{"parameters": "open"}[do], Contract: "e", Script: map[string][]byte{"permit": hash[:]}[do]})}).
			Refused(receipt.NotPermitted).Because(words)
	}
}

// errors.Is finds the other contract's own code in an error, and takes no failure of the machine for one.
func TestRemoteCode(t *testing.T) {
	const retired sdk.RemoteCode = 7
	refused := &sdk.CallError{Contract: "b", Method: "run", Code: uint32(receipt.Failed), ContractCode: 7, Reason: "as told"}
	stopped := &sdk.CallError{Contract: "b", Method: "run", Code: uint32(receipt.OutOfGas), ContractCode: 7}
	for _, test := range []struct {
		err  error
		code sdk.RemoteCode
		want bool
	}{
		{refused, retired, true}, {fmt.Errorf("it said: %w", refused), retired, true}, {refused, 8, false},
		{stopped, retired, false}, {retired, retired, true}, {nil, retired, false},
	} {
		if got := errors.Is(test.err, test.code); got != test.want {
			t.Errorf("%v is %v: %v", test.err, test.code, got)
		}
	}
	if got := retired.Error(); got != "another contract's error 7" {
		t.Error(got)
	}
}
