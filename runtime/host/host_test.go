package host_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
)

var _ host.Store = (*state.Overlay)(nil)

const lots = 1 << 40

// newCall returns a call of the contract "locks" on an empty state.
func newCall(t testing.TB) *host.Call {
	t.Helper()
	s, err := state.Open(state.NewMemory(), state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &host.Call{
		Chain:    "test-1",
		Block:    host.Block{Height: 7, Time: 1_700_000_000},
		Contract: "locks",
		Method:   "open",
		Gas:      gas.NewMeter(lots),
		Store:    s.Overlay(),
	}
}

// stopped checks that err is a Stop with this code and a reason that holds these words.
func stopped(t *testing.T, err error, code receipt.Code, words string) {
	t.Helper()
	var stop *host.Stop
	if !errors.As(err, &stop) {
		t.Fatalf("error is %v, want a stop with %s", err, code.Name())
	}
	if stop.Code != code || !strings.Contains(stop.Reason, words) {
		t.Errorf("stopped with %s: %s; want %s: ...%s...", stop.Code.Name(), stop.Reason, code.Name(), words)
	}
	if stop.ContractCode != 0 && code != receipt.Failed {
		t.Errorf("stopped with %s and the contract's code %d", code.Name(), stop.ContractCode)
	}
	if len(stop.Reason) > abi.MaxReason || !utf8.ValidString(stop.Reason) {
		t.Errorf("reason of %d bytes is not UTF-8 within %d", len(stop.Reason), abi.MaxReason)
	}
}

func b(s string) []byte { return []byte(s) }

func TestRows(t *testing.T) {
	c := newCall(t)
	check := func(key, want string, present bool) {
		t.Helper()
		got, err := c.Get(b("doors"), b(key))
		if err != nil || string(got) != want || (got != nil) != present {
			t.Errorf("Get(%q) = %q, %v; want %q, present %v", key, got, err, want, present)
		}
	}
	check("front", "", false)
	if err := c.Set(b("doors"), b("front"), b("shut")); err != nil {
		t.Fatal(err)
	}
	check("front", "shut", true)
	if err := c.Set(b("doors"), b("front"), b("")); err != nil {
		t.Fatal(err)
	}
	check("front", "", true) // empty is not absent
	if err := c.Set(b("doors"), nil, b("the row with the empty key")); err != nil {
		t.Fatal(err)
	}
	check("", "the row with the empty key", true)
	for _, want := range []bool{true, false} {
		if existed, err := c.Delete(b("doors"), b("front")); err != nil || existed != want {
			t.Errorf("Delete = %v, %v; want %v", existed, err, want)
		}
	}
	check("front", "", false)
}

// What the store keeps must not be the contract's memory, which goes on changing.
func TestSetCopies(t *testing.T) {
	c := newCall(t)
	memory := b("doorsfrontshut")
	if err := c.Set(memory[:5], memory[5:10], memory[10:]); err != nil {
		t.Fatal(err)
	}
	clear(memory)
	if got, _ := c.Get(b("doors"), b("front")); string(got) != "shut" {
		t.Errorf("after the contract's memory changed the row is %q", got)
	}
}

func TestCollectionsAreTheContractsOwn(t *testing.T) {
	c := newCall(t)
	if err := c.Set(b("doors"), b("front"), b("shut")); err != nil {
		t.Fatal(err)
	}
	other := newCall(t)
	other.Store, other.Contract = c.Store, "lock"
	for _, name := range []string{"doors", "s.doors"} {
		if got, err := other.Get(b(name), b("front")); err != nil || got != nil {
			t.Errorf("contract lock reads %q in %q, %v", got, name, err)
		}
	}
	if got, _ := c.Store.Get(host.Collection("locks", "doors"), b("front")); string(got) != "shut" {
		t.Errorf("the row is not in host.Collection, but %q", got)
	}
}

// row is what a scan answers with.
func row(key, value string) string {
	e := binary.LittleEndian.AppendUint32(nil, uint32(len(key)))
	e = binary.LittleEndian.AppendUint32(e, uint32(len(value)))
	return string(e) + key + value
}

func TestScan(t *testing.T) {
	c := newCall(t)
	for _, key := range []string{"a", "b", "c", "d"} {
		if err := c.Set(b("doors"), b(key), b("="+key)); err != nil {
			t.Fatal(err)
		}
	}
	for _, other := range []string{"door", "doors2"} {
		if err := c.Set(b(other), b("b"), b("not to be seen")); err != nil {
			t.Fatal(err)
		}
	}
	ra, rb, rc, rd := row("a", "=a"), row("b", "=b"), row("c", "=c"), row("d", "=d")
	for _, test := range []struct {
		name       string
		start, end string
		reverse    bool
		limit      uint32
		room       int
		page       string
		need       int
	}{
		{"all", "", "", false, 10, 1000, ra + rb + rc + rd, 0},
		{"from start, without end", "b", "d", false, 10, 1000, rb + rc, 0},
		{"descending", "", "", true, 10, 1000, rd + rc + rb + ra, 0},
		{"descending, without end", "b", "d", true, 10, 1000, rc + rb, 0},
		{"limit", "", "", false, 2, 1000, ra + rb, 0},
		{"next page after b", "b\x00", "", false, 2, 1000, rc + rd, 0},
		{"next page descending", "", "c", true, 1, 1000, rb, 0},
		{"limit 0", "", "", false, 0, 1000, "", 0},
		{"limit beyond every bound", "", "", false, 1<<32 - 1, 1000, ra + rb + rc + rd, 0},
		{"room for two and a half", "", "", false, 10, 2*11 + 5, ra + rb, 0},
		{"room for exactly one", "", "", false, 10, 11, ra, 0},
		{"no room for the first", "c", "", false, 10, 10, "", 11},
		{"no room at all", "", "", false, 10, 0, "", 11},
		{"nothing there", "x", "", false, 10, 1000, "", 0},
		{"end before start", "c", "b", false, 10, 1000, "", 0},
	} {
		page, need, err := c.Scan(host.Range{Collection: b("doors"), Start: b(test.start), End: b(test.end), Reverse: test.reverse, Limit: test.limit}, test.room)
		if err != nil || string(page) != test.page || need != test.need {
			t.Errorf("%s: page %q, need %d, %v; want %q and %d", test.name, page, need, err, test.page, test.need)
		}
	}
}

// A scan pays for what it passes over: rows that this block has deleted would otherwise be
// walked through again and again for the price of opening the scan.
func TestScanPaysForDeletedRows(t *testing.T) {
	c := newCall(t)
	const deleted = 50
	for i := range byte(deleted + 1) {
		if err := c.Set(b("doors"), []byte{i}, nil); err != nil {
			t.Fatal(err)
		}
		if i < deleted {
			if _, err := c.Delete(b("doors"), []byte{i}); err != nil {
				t.Fatal(err)
			}
		}
	}
	before := c.Gas.Used()
	page, need, err := c.Scan(host.Range{Collection: b("doors"), Limit: 1}, 1000)
	if want := row(string(rune(deleted)), ""); err != nil || string(page) != want || need != 0 {
		t.Errorf("page %q, need %d, %v; want %q", page, need, err, want)
	}
	if used, least := c.Gas.Used()-before, uint64(gas.Scan+(deleted+1)*gas.ScanRow); used < least {
		t.Errorf("a scan over %d deleted rows to one that is there used %d gas, want at least %d", deleted, used, least)
	}
}

func TestScanPastTheLongestKey(t *testing.T) {
	c := newCall(t)
	longest := strings.Repeat("k", abi.MaxKey)
	for _, key := range []string{longest, longest[1:] + "l"} {
		if err := c.Set(b("doors"), b(key), nil); err != nil {
			t.Fatal(err)
		}
	}
	page, _, err := c.Scan(host.Range{Collection: b("doors"), Start: b(longest + "\x00"), Limit: 10}, 1000)
	if want := row(longest[1:]+"l", ""); err != nil || string(page) != want {
		t.Errorf("page %q, %v; want the second row", page, err)
	}
}

func TestBounds(t *testing.T) {
	long := func(n int) []byte { return bytes.Repeat(b("x"), n) }
	text := cbor.AppendBytes(nil, long(abi.MaxReturn))
	for _, test := range []struct {
		name  string
		do    func(c *host.Call) error
		code  receipt.Code
		words string
	}{
		{"key in get", func(c *host.Call) error { _, err := c.Get(b("c"), long(257)); return err }, receipt.Trapped, "get: key is 257 bytes, limit 256"},
		{"key in set", func(c *host.Call) error { return c.Set(b("c"), long(257), nil) }, receipt.Trapped, "set: key is 257 bytes, limit 256"},
		{"key in delete", func(c *host.Call) error { _, err := c.Delete(b("c"), long(257)); return err }, receipt.Trapped, "delete: key is 257 bytes, limit 256"},
		{"value", func(c *host.Call) error { return c.Set(b("c"), nil, long(64<<10+1)) }, receipt.Trapped, "set: value is 65537 bytes, limit 65536"},
		{"collection", func(c *host.Call) error { return c.Set(long(64), nil, nil) }, receipt.Trapped, "set: collection is 64 bytes, limit 63"},
		{"no collection", func(c *host.Call) error { return c.Set(nil, nil, nil) }, receipt.Trapped, `set: "" is not a collection's name`},
		{"collection with a zero byte", func(c *host.Call) error { _, err := c.Get(b("a\x00b"), nil); return err }, receipt.Trapped, `get: "a\x00b" is not`},
		{"collection beyond ASCII", func(c *host.Call) error { _, err := c.Get(b("türen"), nil); return err }, receipt.Trapped, `"t\u00fcren"`},
		{"start of a scan", func(c *host.Call) error {
			_, _, err := c.Scan(host.Range{Collection: b("c"), Start: long(258)}, 0)
			return err
		}, receipt.Trapped, "scan: start is 258 bytes, limit 257"},
		{"end of a scan", func(c *host.Call) error {
			_, _, err := c.Scan(host.Range{Collection: b("c"), End: long(258)}, 0)
			return err
		}, receipt.Trapped, "scan: end is 258 bytes, limit 257"},
		{"event name", func(c *host.Call) error { return c.Emit(long(65), b("\xa0")) }, receipt.Trapped, "emit: name is 65 bytes, limit 64"},
		{"no event name", func(c *host.Call) error { return c.Emit(nil, b("\xa0")) }, receipt.Trapped, `emit: "" is not an event's name`},
		{"the runtime's event", func(c *host.Call) error { return c.Emit(b("refused"), b("\xa0")) }, receipt.NotPermitted, "only the runtime emits refused"},
		{"attributes", func(c *host.Call) error { return c.Emit(b("e"), long(abi.MaxAttributes+1)) }, receipt.Trapped, "emit: attributes is 8193 bytes, limit 8192"},
		{"no attributes", func(c *host.Call) error { return c.Emit(b("e"), nil) }, receipt.Trapped, `attributes of "e" are not a canonical CBOR map`},
		{"attributes are a list", func(c *host.Call) error { return c.Emit(b("e"), b("\x80")) }, receipt.Trapped, "not a canonical CBOR map"},
		{"attributes with a number for a key", func(c *host.Call) error { return c.Emit(b("e"), b("\xa1\x01\x01")) }, receipt.Trapped, "not a canonical CBOR map"},
		{"attributes out of order", func(c *host.Call) error { return c.Emit(b("e"), b("\xa2\x61b\x01\x61a\x01")) }, receipt.Trapped, "not a canonical CBOR map"},
		{"attributes with a long head", func(c *host.Call) error { return c.Emit(b("e"), b("\xa1\x61a\x18\x01")) }, receipt.Trapped, "not a canonical CBOR map"},
		{"attributes with something behind", func(c *host.Call) error { return c.Emit(b("e"), b("\xa0\xa0")) }, receipt.Trapped, "not a canonical CBOR map"},
		{"result", func(c *host.Call) error { return c.Return(text) }, receipt.BadResult, "the result is 65541 bytes, limit 65536"},
		{"result that is none", func(c *host.Call) error { return c.Return(nil) }, receipt.BadResult, "not one canonical CBOR item"},
		{"result that is two", func(c *host.Call) error { return c.Return(b("\x01\x01")) }, receipt.BadResult, "not one canonical CBOR item"},
		{"result with a float", func(c *host.Call) error { return c.Return(b("\xf9\x00\x00")) }, receipt.BadResult, "not one canonical CBOR item"},
		{"failure that is none", func(c *host.Call) error { return c.Fail(0, nil) }, receipt.Trapped, "code 0 is not a failure"},
		{"failure with a reserved code", func(c *host.Call) error { return c.Fail(abi.FirstReservedFail, nil) }, receipt.Trapped, "code 4294901760 is reserved"},
		{"no such method", func(c *host.Call) error { return c.Fail(abi.FailUnknownMethod, b("no method")) }, receipt.UnknownMethod, "no method"},
		{"wrong arguments", func(c *host.Call) error { return c.Fail(abi.FailBadArguments, b("no such field")) }, receipt.BadArguments, "no such field"},
		{"aad", func(c *host.Call) error { _, err := c.VerifyCOSE(nil, long(65), nil); return err }, receipt.Trapped, "cose_verify: aad is 65 bytes"},
		{"message", func(c *host.Call) error { _, err := c.VerifyCOSE(nil, nil, long(64<<10+1)); return err }, receipt.Trapped, "cose_verify: message is 65537 bytes"},
		{"hashed", func(c *host.Call) error { _, err := c.SHA256(long(64<<10 + 1)); return err }, receipt.Trapped, "sha256: message is 65537 bytes"},
		{"account", func(c *host.Call) error { _, err := c.OpenAccount(long(64<<10 + 1)); return err }, receipt.Trapped, "account_open: account is 65537 bytes"},
		{"account that is none", func(c *host.Call) error { _, err := c.OpenAccount(b("\xa0")); return err }, receipt.Trapped, "not an account to open"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCall(t)
			c.Capabilities = []string{abi.CapabilityAccounts}
			stopped(t, test.do(c), test.code, test.words)
		})
	}
}

func TestAtTheBounds(t *testing.T) {
	c := newCall(t)
	long := func(n int) []byte { return bytes.Repeat(b("x"), n) }
	if err := c.Set(long(abi.MaxCollection), long(abi.MaxKey), long(abi.MaxValue)); err != nil {
		t.Error(err)
	}
	if err := c.Return(cbor.AppendBytes(nil, long(abi.MaxReturn-5))); err != nil || len(c.Result()) == 0 {
		t.Error(err)
	}
	attributes := cbor.AppendBytes(cbor.AppendText(cbor.AppendMap(nil, 1), "k"), long(abi.MaxAttributes-6))
	if err := c.Emit(long(abi.MaxEventName), attributes); err != nil || len(attributes) != abi.MaxAttributes {
		t.Error(len(attributes), err)
	}
}

func TestEvents(t *testing.T) {
	c := newCall(t)
	memory := b("opened\xa1\x61a\x01")
	if err := c.Emit(memory[:6], memory[6:]); err != nil {
		t.Fatal(err)
	}
	clear(memory)
	want := receipt.Event{Contract: "locks", Name: "opened", Attributes: b("\xa1\x61a\x01")}
	if got := c.Events(); len(got) != 1 || !bytes.Equal(got[0].Encode(), want.Encode()) {
		t.Errorf("events %v, want %v", got, want)
	}
}

func TestEventFloods(t *testing.T) {
	t.Run("count", func(t *testing.T) {
		c := newCall(t)
		for range host.MaxEvents {
			if err := c.Emit(b("e"), b("\xa0")); err != nil {
				t.Fatal(err)
			}
		}
		stopped(t, c.Emit(b("e"), b("\xa0")), receipt.Trapped, "more than 256 events")
	})
	t.Run("bytes", func(t *testing.T) {
		c := newCall(t)
		attributes := cbor.AppendBytes(cbor.AppendText(cbor.AppendMap(nil, 1), "k"), make([]byte, 8000))
		var err error
		for err == nil {
			err = c.Emit(b("e"), attributes)
		}
		stopped(t, err, receipt.Trapped, "take more than 262144 bytes")
		if n := len(c.Events()); n != 32 {
			t.Errorf("%d events of some 8,020 bytes were taken, want 32", n)
		}
	})
}

func TestResult(t *testing.T) {
	c := newCall(t)
	if c.Result() != nil {
		t.Error("there is a result before any was returned")
	}
	for _, want := range []string{"\xf5", "\x61a"} { // a later one replaces
		memory := b(want)
		if err := c.Return(memory); err != nil {
			t.Fatal(err)
		}
		clear(memory)
		if string(c.Result()) != want {
			t.Errorf("result %q, want %q", c.Result(), want)
		}
	}
}

func TestFail(t *testing.T) {
	x := strings.Repeat("x", abi.MaxReason)
	for _, test := range []struct{ name, reason, want string }{
		{"as it is", "the grant has expired", "the grant has expired"},
		{"none", "", ""},
		{"not UTF-8", "no\xffway\xc3", "no\ufffdway\ufffd"},
		{"cut between characters", x[1:] + "é", x[1:]},
		{"a character that just fits", x[2:] + "éy", x[2:] + "é"},
		{"what is not UTF-8 grows", strings.Repeat("\xff", abi.MaxReason), strings.Repeat("\ufffd", abi.MaxReason/3)},
		{"long", x + x, x},
	} {
		c := newCall(t)
		err := c.Fail(1001, b(test.reason))
		stopped(t, err, receipt.Failed, "")
		if stop := err.(*host.Stop); stop.ContractCode != 1001 || stop.Reason != test.want {
			t.Errorf("%s: code %d, reason %q; want 1001 and %q", test.name, stop.ContractCode, stop.Reason, test.want)
		}
	}
}

// viewCalls calls every function that a contract can, with arguments that would do.
var viewCalls = map[string]func(c *host.Call) error{
	"method":         func(c *host.Call) error { return c.Tell(1) },
	"args":           func(c *host.Call) error { return c.Tell(1) },
	"sender":         func(c *host.Call) error { return c.Tell(1) },
	"origin":         func(c *host.Call) error { return c.Tell(1) },
	"contract":       func(c *host.Call) error { return c.Tell(1) },
	"chain":          func(c *host.Call) error { return c.Tell(1) },
	"block":          func(c *host.Call) error { return c.Tell(1) },
	"get":            func(c *host.Call) error { _, err := c.Get(b("c"), b("k")); return err },
	"set":            func(c *host.Call) error { return c.Set(b("c"), b("k"), b("v")) },
	"delete":         func(c *host.Call) error { _, err := c.Delete(b("c"), b("k")); return err },
	"scan":           func(c *host.Call) error { _, _, err := c.Scan(host.Range{Collection: b("c"), Limit: 1}, 9); return err },
	"emit":           func(c *host.Call) error { return c.Emit(b("e"), b("\xa0")) },
	"ret":            func(c *host.Call) error { return c.Return(b("\xf5")) },
	"fail":           func(c *host.Call) error { return c.Fail(1, nil) },
	"log":            func(c *host.Call) error { return c.WriteLog(b("line")) },
	"cose_verify":    func(c *host.Call) error { _, err := c.VerifyCOSE(nil, b("a"), nil); return err },
	"key_address":    func(c *host.Call) error { _, _, err := c.KeyAddress(nil); return err },
	"sha256":         func(c *host.Call) error { _, err := c.SHA256(nil); return err },
	"gas_left":       func(c *host.Call) error { return c.Tell(1) },
	"account_open":   func(c *host.Call) error { _, err := c.OpenAccount(someAccount.Encode()); return err },
	"account_shut":   func(c *host.Call) error { _, err := c.ShutAccount(address.Address{1}); return err },
	"account_reopen": func(c *host.Call) error { _, err := c.ReopenAccount(address.Address{1}); return err },
	"account_retire": func(c *host.Call) error { _, err := c.RetireAccount(address.Address{1}); return err },
	"call":           func(c *host.Call) error { _, err := c.CallContract(b("doors"), b("open"), b("\xa0"), lots); return err },
	"call_with_gas":  func(c *host.Call) error { _, err := c.CallContract(b("doors"), b("open"), b("\xa0"), 1000); return err },
	"x509_verify":    func(c *host.Call) error { _, _, err := c.VerifyX509(nil, nil, 0); return err },
	"exists":         func(c *host.Call) error { _, err := c.Exists(b("doors"), b("front")); return err },
	"caller_kind":    func(c *host.Call) error { return c.Tell(1 + c.CallerKind()) },
	"randomness":     func(c *host.Call) error { _, err := c.Randomness(); return err },
	"sha512":         func(c *host.Call) error { _, err := c.SHA512(nil); return err },
	"blake2b":        func(c *host.Call) error { _, err := c.BLAKE2b(nil); return err },
	"hmac_sha256":    func(c *host.Call) error { _, err := c.HMAC(nil, nil); return err },
	"hkdf_sha256":    func(c *host.Call) error { return c.HKDF(nil, nil, nil, make([]byte, 32)) },
	"ed25519_verify": func(c *host.Call) error {
		_, err := c.VerifyEd25519(make([]byte, 32), make([]byte, 64), nil)
		return err
	},
	"ed25519_verify_batch": func(c *host.Call) error {
		_, err := c.VerifyEd25519Batch(make([]byte, 100))
		return err
	},
	"p256_verify": func(c *host.Call) error { _, err := c.VerifyP256(make([]byte, 33), make([]byte, 64), nil); return err },
	"p256_verify_digest": func(c *host.Call) error {
		_, err := c.VerifyP256Digest(make([]byte, 33), make([]byte, 64), make([]byte, 32))
		return err
	},
	"reply": func(c *host.Call) error { return c.Tell(len(c.Reply()) + 1) },
	"authorities_set": func(c *host.Call) error {
		_, err := c.SetAuthorities(abi.AuthoritySet{make([]byte, abi.AuthorityKeySize)}.Encode())
		return err
	},
	"parameters_get": func(c *host.Call) error { _, err := c.ReadParameters(); return err },
	"parameters_set": func(c *host.Call) error { _, err := c.ChangeParameters(abi.Parameters{}.Encode()); return err },
	"code_permit": func(c *host.Call) error {
		p := abi.Permit{Hash: make([]byte, 32), Name: "lamps", Admin: make([]byte, 20)}
		_, err := c.PermitCode(p.Encode())
		return err
	},
	"code_withdraw": func(c *host.Call) error { _, err := c.WithdrawCode([]byte("lamps")); return err },
}

var someAccount = abi.OpenAccount{Key: make([]byte, 32), Scope: []abi.Scope{{Contract: "locks"}}, Quota: 1}

// The table says what a view may call and which function needs a capability; the
// methods are what decides.
func TestPermissionsAreTheTables(t *testing.T) {
	all := abi.Capabilities()
	for _, f := range abi.Table() {
		do := viewCalls[f.Name]
		if do == nil {
			t.Errorf("no test calls %s", f.Name)
			continue
		}
		permitted := func(view bool, capabilities ...string) bool {
			c := newCall(t)
			c.View, c.Capabilities = view, capabilities
			c.Accounts, c.Authorities, c.Parameters, c.Permits = &accounts{}, &accounts{}, &accounts{}, &accounts{}
			var stop *host.Stop
			err := do(c)
			return !errors.As(err, &stop) || stop.Code != receipt.NotPermitted
		}
		if got := permitted(true, all...); got != f.View {
			t.Errorf("%s in a view: permitted %v, the table says %v", f.Name, got, f.View)
		}
		if got := permitted(false, "authority", "account"); got != (f.Capability == "") {
			t.Errorf("%s without its capability: permitted %v, the table asks for %q", f.Name, got, f.Capability)
		}
		if f.Capability != "" && permitted(false, slices.DeleteFunc(slices.Clone(all), func(c string) bool { return c == f.Capability })...) {
			t.Errorf("%s is permitted with every capability but %s", f.Name, f.Capability)
		}
		if !permitted(false, all...) {
			t.Errorf("%s with every capability is not permitted", f.Name)
		}
	}
}

// Whatever a function does, it is paid for before: with one unit of gas too few it
// ends as out of gas and has changed nothing.
func TestPaidBefore(t *testing.T) {
	for name, do := range viewCalls {
		run := func(limit uint64) (*host.Call, *store, *accounts, error) {
			c := newCall(t)
			s, a := &store{Store: c.Store}, &accounts{}
			c.Gas, c.Store, c.Accounts, c.Authorities, c.Parameters, c.Permits = gas.NewMeter(limit), s, a, a, a, a
			c.Capabilities = abi.Capabilities()
			return c, s, a, do(c)
		}
		c, _, _, _ := run(lots)
		cost := c.Gas.Used()
		if cost == 0 && name != "fail" && name != "gas_left" {
			t.Errorf("%s is free", name)
		}
		for limit := uint64(0); limit < cost; limit += 1 + cost/50 {
			c, s, a, err := run(limit)
			stopped(t, err, receipt.OutOfGas, fmt.Sprintf("the gas limit of %d is used up", limit))
			if c.Gas.Used() != limit {
				t.Errorf("%s: used %d of %d and ran out", name, c.Gas.Used(), limit)
			}
			if s.writes+a.changes+len(c.Events())+len(c.Result())+len(c.Log()) > 0 {
				t.Errorf("%s did something with %d gas, the price is %d", name, limit, cost)
			}
		}
	}
}

// store counts writes.
type store struct {
	host.Store
	writes int
}

func (s *store) Set(collection, key, value []byte) error {
	s.writes++
	return s.Store.Set(collection, key, value)
}

func (s *store) Delete(collection, key []byte) error {
	s.writes++
	return s.Store.Delete(collection, key)
}

// accounts remember what was asked of them.
type accounts struct {
	changes int
	opened  *abi.OpenAccount
	kid     address.Address
}

func (a *accounts) OpenKey(o *abi.OpenAccount) (abi.Status, error) {
	a.changes++
	a.opened = o
	return abi.StatusExists, nil
}

func (a *accounts) change(kid address.Address, s abi.Status) (abi.Status, error) {
	a.changes++
	a.kid = kid
	return s, nil
}

func (a *accounts) SetAuthorities(abi.AuthoritySet) (abi.Status, error) {
	a.changes++
	return abi.StatusOK, nil
}
func (a *accounts) Parameters() (abi.Parameters, error) { return abi.Parameters{}, nil }
func (a *accounts) SetParameters(abi.Parameters) error {
	a.changes++
	return nil
}
func (a *accounts) Permit(string, *abi.Permit) (abi.Status, error) {
	a.changes++
	return abi.StatusOK, nil
}
func (a *accounts) Withdraw(string) (abi.Status, error) {
	a.changes++
	return abi.StatusOK, nil
}
func (a *accounts) ShutKey(kid address.Address) (abi.Status, error) {
	return a.change(kid, abi.StatusOK)
}
func (a *accounts) ReopenKey(kid address.Address) (abi.Status, error) {
	return a.change(kid, abi.StatusUnknown)
}
func (a *accounts) RetireKey(kid address.Address) (abi.Status, error) {
	return a.change(kid, abi.StatusRetired)
}

func TestAccounts(t *testing.T) {
	c := newCall(t)
	a := &accounts{}
	c.Accounts, c.Capabilities = a, []string{abi.CapabilityAccounts}
	memory := someAccount.Encode()
	if s, err := c.OpenAccount(memory); s != abi.StatusExists || err != nil {
		t.Errorf("open: %v, %v", s, err)
	}
	clear(memory)
	if !bytes.Equal(a.opened.Encode(), someAccount.Encode()) {
		t.Errorf("opened %+v, want %+v", a.opened, someAccount)
	}
	for i, test := range []struct {
		do   func(address.Address) (abi.Status, error)
		want abi.Status
	}{{c.ShutAccount, abi.StatusOK}, {c.ReopenAccount, abi.StatusUnknown}, {c.RetireAccount, abi.StatusRetired}} {
		kid := address.Address{byte(i)}
		if s, err := test.do(kid); s != test.want || err != nil || a.kid != kid {
			t.Errorf("%d: %v, %v for %v, want %v for %v", i, s, err, a.kid, test.want, kid)
		}
	}
}

// broken is a store that can't be read any more.
type broken struct{ host.Store }

var errDisk = errors.New("disk gone")

func (broken) Get(_, _ []byte) ([]byte, error) { return nil, errDisk }
func (broken) Set(_, _, _ []byte) error        { return errDisk }
func (broken) Scan(_, _, _ []byte, _ bool, visit func(_, _ []byte) bool) error {
	visit(b("k"), b("v"))
	return errDisk
}

// That this node is broken is no Stop: other nodes don't end the call so.
func TestBrokenStore(t *testing.T) {
	for _, name := range []string{"get", "set", "delete", "scan"} {
		c := newCall(t)
		c.Store = broken{}
		if err := viewCalls[name](c); !errors.Is(err, errDisk) {
			t.Errorf("%s: %v, want the store's error", name, err)
		}
	}
}

func TestSHA256(t *testing.T) {
	c := newCall(t)
	sum, err := c.SHA256(b("abc"))
	if want := "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; err != nil || hex.EncodeToString(sum[:]) != want {
		t.Errorf("%x, %v; want %s (FIPS 180-2)", sum, err, want)
	}
}

func TestBlockEncode(t *testing.T) {
	got := host.Block{Height: 0x0102, Time: -1}.Encode()
	if want := b("\x02\x01\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"); !bytes.Equal(got, want) {
		t.Errorf("% x, want % x", got, want)
	}
}

func TestLogKeepsTheEnd(t *testing.T) {
	c := newCall(t)
	for i := range 300 {
		if err := c.WriteLog(fmt.Appendf(nil, "line %d", i)); err != nil {
			t.Fatal(err)
		}
	}
	lines := c.Log()
	if len(lines) != 257 || lines[0] != "(44 earlier lines dropped)" || lines[1] != "line 44" || lines[256] != "line 299" {
		t.Errorf("%d lines, %q to %q", len(lines), lines[:2], lines[len(lines)-1])
	}
	for range 30 {
		if err := c.WriteLog(bytes.Repeat(b("é"), 5000)); err != nil {
			t.Fatal(err)
		}
	}
	size := 0
	for _, line := range c.Log() {
		size += len(line)
		if len(line) > abi.MaxLog || !utf8.ValidString(line) {
			t.Errorf("a line has %d bytes", len(line))
		}
	}
	if size > 64<<10+50 {
		t.Errorf("the log keeps %d bytes", size)
	}
}

func TestStopError(t *testing.T) {
	c := newCall(t)
	if got := c.Fail(7, b("no")).Error(); got != "failed 7: no" {
		t.Error(got)
	}
	if got := host.Stopf(receipt.Trapped, "why %d", 1).Error(); got != "trapped: why 1" {
		t.Error(got)
	}
}
