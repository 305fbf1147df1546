package sdktest_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/build"
	"github.com/wardledger/ward/sdk/sdktest"
)

// What the porter takes and answers, as its source has it.
type (
	setup struct{ House string }
	admit struct {
		Key     sdk.PublicKey
		Pass    []byte
		Expires sdk.Time `wire:",omitempty"`
	}
	whom struct{ Guest sdk.Address }
)

func porter(init any) sdktest.Contract {
	return sdktest.Contract{Dir: filepath.Join("testdata", "porter"), Capabilities: []string{"accounts"}, Init: init}
}

// A guest with a P-256 key is let in, rings, and is sent away: the contract opens and
// shuts the key with which the guest signs.
func TestPorter(t *testing.T) {
	chain := sdktest.New(t, porter(setup{"Ward"}))
	owner, guest := chain.Account("owner"), sdktest.P256("guest")
	chain.Call(guest, "porter", "ring", nil).Refused(receipt.UnknownKey)

	pass := guest.Message(t, "porter-v1", "Ward")
	chain.Call(owner, "porter", "admit", admit{Key: guest.Public(), Pass: guest.Message(t, "other-v1", "Ward")}).Failed("bad_pass")
	chain.Call(owner, "porter", "admit", admit{Key: owner.Public(), Pass: pass}).Failed("bad_pass")
	r := chain.Call(owner, "porter", "admit", admit{Key: guest.Public(), Pass: pass}).OK().Emitted("admitted")
	var in whom
	if r.Result(&in); in.Guest != guest.Address() {
		t.Errorf("admitted %s, want %s", in.Guest, guest.Address())
	}
	if len(r.Log) != 1 || r.Log[0] != guest.Address().String()+" is in" {
		t.Errorf("log: %q", r.Log)
	}
	chain.Call(owner, "porter", "admit", admit{Key: guest.Public(), Pass: pass}).Failed("key_refused").Because("already known")

	chain.Advance(5 * sdk.Minute)
	var stay sdk.Duration
	if chain.Call(guest, "porter", "ring", nil).OK().Result(&stay); stay != 5*sdk.Minute {
		t.Errorf("rang after %s, want 5m", stay)
	}
	chain.Call(guest, "porter", "dismiss", whom{owner.Address()}).Refused(receipt.OutOfScope)

	chain.Call(owner, "porter", "dismiss", sdktest.JSON(`{"guest": "`+guest.Address().String()+`"}`)).OK().Emitted("left")
	chain.Call(guest, "porter", "ring", nil).Refused(receipt.KeyShut)
	chain.View("porter", "guest", whom{guest.Address()}).Failed("unknown_guest")
}

func TestReceiptsPrint(t *testing.T) {
	chain := sdktest.New(t, porter(sdktest.JSON(`{"house": "Ward"}`)))
	owner := chain.Account("owner")
	for _, c := range []struct{ got, want string }{
		{chain.ViewAs(owner.Address(), "porter", "me", nil).String(),
			`porter.me: ok {"guest":"` + owner.Address().String() + `"}`},
		{chain.Call(owner, "porter", "dismiss", whom{}).String(),
			"porter.dismiss: failed unknown_guest: ward1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqrtsswh is no guest\n" +
				`  porter.refused {"code":35,"name":"failed","contract_code":4,"method":"dismiss",` +
				`"reason":"ward1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqrtsswh is no guest","sender":"` + owner.Address().String() + `"}`},
	} {
		if c.got != c.want {
			t.Errorf("got\n%s\nwant\n%s", c.got, c.want)
		}
	}
	if r := chain.Call(owner, "porter", "stumble", nil).Refused(receipt.Trapped); !strings.Contains(strings.Join(r.Log, "\n"), "over the doorstep") {
		t.Errorf("the panic is not in the log: %q", r.Log)
	}
}

// Where a contract trapped, a test says in which of its functions, though the module that runs is what would be deployed and has no names.
func TestTraceHasNames(t *testing.T) {
	start := func(tb testing.TB) *sdktest.Chain { return sdktest.New(tb, porter(setup{"Ward"})) }
	for _, fail := range []func(*sdktest.Chain){
		func(c *sdktest.Chain) { c.Call(c.Account("x"), "porter", "stumble", nil).OK() },
		func(c *sdktest.Chain) { c.ViewAs(sdk.Address{}, "porter", "stumble", nil).OK() },
	} {
		if said := expect(t, start, fail); !strings.Contains(said, "by main.stumble") {
			t.Errorf("no name of the function that panicked:\n%s", said)
		}
	}
	module := sdktest.Build(t, filepath.Join("testdata", "porter"))
	released, err := build.Contract(t.Context(), build.Options{Dir: filepath.Join("testdata", "porter")})
	if err != nil {
		t.Fatal(err)
	}
	if module.Hash != released.Hash {
		t.Error("the test runs another module than would be deployed")
	}
}

func TestTryShowsWhyInitRefused(t *testing.T) {
	_, err := sdktest.Try(t, porter(setup{}))
	if err == nil || !strings.Contains(err.Error(), "its init refused with 2 nameless: A house needs a name.") {
		t.Errorf("got %v", err)
	}
}

func TestNamesOfInstances(t *testing.T) {
	admin := sdktest.Ed25519("admin")
	front := porter(setup{"front"})
	front.Name, front.Admin = "front", admin
	back := porter(setup{"back"})
	back.Name = "back"
	chain := sdktest.New(t, front, back)
	guest := sdktest.Ed25519("guest")
	pass := admit{Key: guest.Public(), Pass: guest.Message(t, "porter-v1", "back")}
	owner := chain.Account("owner")
	chain.Call(owner, "front", "admit", pass).Failed("bad_pass")
	chain.Call(owner, "back", "admit", pass).OK()
	if e := chain.Events("back.admitted"); len(e) != 1 {
		t.Errorf("events of back: %v", e)
	}
	if e := chain.Events("front.admitted"); len(e) != 0 {
		t.Errorf("events of front: %v", e)
	}
}

// expect runs a test function that must end its test, and returns what it said.
type recorder struct {
	testing.TB
	said string
}

func (r *recorder) Helper() {}

func (r *recorder) Fatalf(format string, args ...any) {
	r.said = strings.TrimSpace(fmt.Sprintf(format, args...))
	panic(r)
}

func expect(t *testing.T, chain func(testing.TB) *sdktest.Chain, fail func(*sdktest.Chain)) string {
	t.Helper()
	r := &recorder{TB: t}
	c := chain(r)
	func() {
		defer func() {
			if p := recover(); p != nil && p != r {
				panic(p)
			}
		}()
		fail(c)
	}()
	return r.said
}

// What a test says when a contract does something else than it should.
func TestFailuresSayWhatHappened(t *testing.T) {
	start := func(tb testing.TB) *sdktest.Chain { return sdktest.New(tb, porter(setup{"Ward"})) }
	for _, c := range []struct {
		want string
		fail func(*sdktest.Chain)
	}{
		{"must succeed:\nporter.ring: unknown_key", func(c *sdktest.Chain) { c.Call(sdktest.Ed25519("x"), "porter", "ring", nil).OK() }},
		{"must fail with bad_pass:\nporter.ring: failed unknown_guest: ", func(c *sdktest.Chain) { c.Call(c.Account("x"), "porter", "ring", nil).Failed("bad_pass") }},
		{"must be refused as trapped:\nporter.me: ok", func(c *sdktest.Chain) { c.View("porter", "me", nil).Refused(receipt.Trapped) }},
		{"must emit [left]:\nporter.ring: failed", func(c *sdktest.Chain) { c.Call(c.Account("x"), "porter", "ring", nil).Emitted("left") }},
		{"the reason must contain \"nonsense\":", func(c *sdktest.Chain) { c.Call(c.Account("x"), "porter", "ring", nil).Because("nonsense") }},
		{"must emit one left, not 0:", func(c *sdktest.Chain) { c.View("porter", "me", nil).Event("left") }},
		{"porter.admit: arguments: missing key (0x and hexadecimal digits), pass", func(c *sdktest.Chain) { c.Call(c.Account("x"), "porter", "admit", sdktest.JSON(`{}`)) }},
		{"porter.open: JSON arguments for a method that isn't there", func(c *sdktest.Chain) { c.Call(c.Account("x"), "porter", "open", sdktest.JSON(`{}`)) }},
		{"account of x: the key is already known", func(c *sdktest.Chain) { c.Account("x"); c.Account("x") }},
		{`events of the name "left_": no contract of this chain declares it, perhaps left is meant; there are chain.authorities, chain.parameters, code.`, func(c *sdktest.Chain) { c.Events("left_") }},
		{`events of the name "porter.lett": no contract of this chain declares it, perhaps porter.left is meant; `, func(c *sdktest.Chain) { c.Events("left", "porter.lett") }},
		{`events of the name "back.left": no contract of this chain declares it; there are `, func(c *sdktest.Chain) { c.Events("back.left") }},
		{`events of the name "": `, func(c *sdktest.Chain) { c.Events("") }},
		{"", func(c *sdktest.Chain) {
			c.Events("left", "porter.admitted", "refused", "porter.refused", "code.refused", "deployed", "chain.authorities")
		}},
		{"clock set to 2026-01-05T07:59:59Z, it is 2026-01-05T08:00:00Z already", func(c *sdktest.Chain) { c.Advance(-1) }},
	} {
		if got := expect(t, start, c.fail); !strings.HasPrefix(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
}
