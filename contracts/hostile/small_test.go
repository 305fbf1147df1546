package hostile

import (
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/receipt"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
)

// The contracts of a few instructions.
func TestSmall(t *testing.T) {
	none := wt.Seq(wt.I32(0), wt.I32(0))
	long := func(n int32) wt.Op { return wt.Seq(wt.I32(8192), wt.I32(n)) }
	float := "\xf9\x7e\x00"
	account := string((&abi.OpenAccount{Key: make([]byte, 32), Scope: nil, Quota: 1}).Encode())

	type imports func(name string) wt.Op
	for _, test := range []struct {
		name  string
		way   way
		body  func(m *wt.Module, f imports) wt.Op
		code  receipt.Code
		words string
	}{
		// It stops by itself.
		{name: "trap", code: receipt.Trapped, words: "trap: unreachable", body: func(*wt.Module, imports) wt.Op { return wt.Unreachable }},
		{name: "divide by zero", code: receipt.Trapped, words: "trap: division by zero", body: func(*wt.Module, imports) wt.Op {
			return wt.Seq(wt.I32(1), wt.I32(0), wt.DivS32, wt.Drop)
		}},
		{name: "exit in success", code: receipt.Trapped, words: "exited with code 0", body: func(m *wt.Module, _ imports) wt.Op {
			return wt.Seq(wt.I32(0), wt.Call(m.Import(abi.WASIModule, "proc_exit")))
		}},
		{name: "fail with code 0", code: receipt.Trapped, words: "code 0 is not a failure", body: func(m *wt.Module, f imports) wt.Op {
			return wt.Seq(wt.I32(0), none, f("fail"))
		}},
		{name: "fail with a reserved code", code: receipt.Trapped, words: "is reserved", body: func(m *wt.Module, f imports) wt.Op {
			return wt.Seq(wt.U32(0xffff_0001), none, f("fail"))
		}},
		{name: "fail with what is not UTF-8", code: receipt.Failed, words: "\ufffd\ufffdx", body: func(m *wt.Module, f imports) wt.Op {
			fail := f("fail")
			return wt.Seq(wt.I32(7), bytesOf(m, "\xff\xc0x"), fail)
		}},
		{name: "fail at length", code: receipt.Failed, body: func(m *wt.Module, f imports) wt.Op {
			return wt.Seq(wt.I32(7), wt.I32(0), wt.I32(65536), f("fail"))
		}},
		{name: "go on after fail", code: receipt.Failed, words: "no", body: func(m *wt.Module, f imports) wt.Op {
			fail := f("fail")
			return wt.Seq(wt.I32(7), bytesOf(m, "no"), fail, wt.Unreachable)
		}},

		// It hands over too much.
		{name: "long key", code: receipt.Trapped, words: "set: key is 257 bytes, limit 256", body: func(m *wt.Module, f imports) wt.Op {
			set := f("set")
			return wt.Seq(bytesOf(m, "c"), long(257), none, set)
		}},
		{name: "long value", code: receipt.Trapped, words: "set: value is 65537 bytes, limit 65536", body: func(m *wt.Module, f imports) wt.Op {
			set := f("set")
			m.Pages = 2
			return wt.Seq(bytesOf(m, "c"), none, wt.I32(0), wt.I32(65537), set)
		}},
		{name: "long collection", code: receipt.Trapped, words: "get: collection is 64 bytes, limit 63", body: func(m *wt.Module, f imports) wt.Op {
			return wt.Seq(long(64), none, none, f("get"), wt.Drop)
		}},
		{name: "another contract's collection", code: receipt.Trapped, words: "is not a collection's name", body: func(m *wt.Module, f imports) wt.Op {
			get := f("get")
			return wt.Seq(bytesOf(m, "\x00keys"), none, none, get, wt.Drop)
		}},
		{name: "long scan", code: receipt.Trapped, words: "scan: end is 258 bytes, limit 257", body: func(m *wt.Module, f imports) wt.Op {
			scan := f("scan")
			return wt.Seq(bytesOf(m, "c"), none, long(258), none, none, scan, wt.Drop)
		}},
		{name: "long event name", code: receipt.Trapped, words: "emit: name is 65 bytes, limit 64", body: func(m *wt.Module, f imports) wt.Op {
			return wt.Seq(long(65), none, f("emit"))
		}},
		{name: "long attributes", code: receipt.Trapped, words: "emit: attributes is 8193 bytes, limit 8192", body: func(m *wt.Module, f imports) wt.Op {
			emit := f("emit")
			return wt.Seq(bytesOf(m, "e"), long(8193), emit)
		}},
		{name: "long message to hash", code: receipt.Trapped, words: "sha256: message is 65537 bytes", body: func(m *wt.Module, f imports) wt.Op {
			m.Pages = 2
			return wt.Seq(wt.I32(0), wt.I32(65537), wt.I32(0), f("sha256"))
		}},
		{name: "long message to verify", code: receipt.Trapped, words: "cose_verify: message is 65537 bytes", body: func(m *wt.Module, f imports) wt.Op {
			m.Pages = 2
			return wt.Seq(none, none, wt.I32(0), wt.I32(65537), none, f("cose_verify"), wt.Drop)
		}},

		// It says what it may not, or rubbish.
		{name: "emit refused", code: receipt.NotPermitted, words: "only the runtime emits refused", body: func(m *wt.Module, f imports) wt.Op {
			emit := f("emit")
			return wt.Seq(bytesOf(m, "refused"), bytesOf(m, "\xa0"), emit)
		}},
		{name: "attributes that are no map", code: receipt.Trapped, words: "not a canonical CBOR map", body: func(m *wt.Module, f imports) wt.Op {
			emit := f("emit")
			return wt.Seq(bytesOf(m, "e"), bytesOf(m, "\x01"), emit)
		}},
		{name: "attributes out of order", code: receipt.Trapped, words: "not a canonical CBOR map", body: func(m *wt.Module, f imports) wt.Op {
			emit := f("emit")
			return wt.Seq(bytesOf(m, "e"), bytesOf(m, "\xa2\x61b\x01\x61a\x01"), emit)
		}},
		{name: "attributes nested without end", code: receipt.Trapped, words: "not a canonical CBOR map", body: func(m *wt.Module, f imports) wt.Op {
			emit := f("emit")
			return wt.Seq(bytesOf(m, "e"), bytesOf(m, strings.Repeat("\xa1\x61a", 2000)+"\xa0"), emit)
		}},
		{name: "return nothing", code: receipt.OK, body: func(*wt.Module, imports) wt.Op { return wt.Nop }},
		{name: "return no bytes", code: receipt.BadResult, words: "not one canonical CBOR item", body: func(m *wt.Module, f imports) wt.Op {
			return wt.Seq(none, f("ret"))
		}},
		{name: "return a float", code: receipt.BadResult, words: "not one canonical CBOR item", body: func(m *wt.Module, f imports) wt.Op {
			ret := f("ret")
			return wt.Seq(bytesOf(m, float), ret)
		}},
		{name: "return a list without end", code: receipt.BadResult, words: "not one canonical CBOR item", body: func(m *wt.Module, f imports) wt.Op {
			ret := f("ret")
			return wt.Seq(bytesOf(m, "\x9a\xff\xff\xff\xff"), ret)
		}},
		{name: "return too much", code: receipt.BadResult, words: "65537 bytes, limit 65536", body: func(m *wt.Module, f imports) wt.Op {
			m.Pages = 2
			return wt.Seq(wt.I32(0), wt.I32(65537), f("ret"))
		}},
		{name: "open an account that is none", way: way{capabilities: []string{abi.CapabilityAccounts}}, code: receipt.Trapped, words: "not an account to open", body: func(m *wt.Module, f imports) wt.Op {
			open := f("account_open")
			return wt.Seq(bytesOf(m, "\xa0"), open, wt.Drop)
		}},

		// It does what a view may not.
		{name: "set in a view", way: way{view: true}, code: receipt.NotPermitted, words: "set in a view", body: func(m *wt.Module, f imports) wt.Op {
			set := f("set")
			return wt.Seq(bytesOf(m, "c"), none, none, set)
		}},
		{name: "delete in a view", way: way{view: true}, code: receipt.NotPermitted, words: "delete in a view", body: func(m *wt.Module, f imports) wt.Op {
			del := f("delete")
			return wt.Seq(bytesOf(m, "c"), none, del, wt.Drop)
		}},
		{name: "emit in a view", way: way{view: true}, code: receipt.NotPermitted, words: "emit in a view", body: func(m *wt.Module, f imports) wt.Op {
			emit := f("emit")
			return wt.Seq(bytesOf(m, "e"), bytesOf(m, "\xa0"), emit)
		}},
		{name: "retire in a view", way: way{view: true, capabilities: []string{abi.CapabilityAccounts}}, code: receipt.NotPermitted, words: "account_retire in a view", body: func(m *wt.Module, f imports) wt.Op {
			return wt.Seq(wt.I32(0), f("account_retire"), wt.Drop)
		}},

		// It takes a power that it was not given.
		{name: "open without the capability", code: receipt.NotPermitted, words: "account_open needs the capability accounts", body: func(m *wt.Module, f imports) wt.Op {
			open := f("account_open")
			return wt.Seq(bytesOf(m, account), open, wt.Drop)
		}},
		{name: "shut with another capability", way: way{capabilities: []string{"code", "account", "accounts2"}}, code: receipt.NotPermitted, words: "account_shut needs", body: func(m *wt.Module, f imports) wt.Op {
			return wt.Seq(wt.I32(0), f("account_shut"), wt.Drop)
		}},
		{name: "reopen without the capability", code: receipt.NotPermitted, words: "account_reopen needs", body: func(m *wt.Module, f imports) wt.Op {
			return wt.Seq(wt.I32(0), f("account_reopen"), wt.Drop)
		}},
		{name: "retire without the capability", code: receipt.NotPermitted, words: "account_retire needs", body: func(m *wt.Module, f imports) wt.Op {
			return wt.Seq(wt.I32(0), f("account_retire"), wt.Drop)
		}},

		// It never ends, but asks for something each time.
		{name: "ask without end", code: receipt.OutOfGas, words: "is used up", body: func(m *wt.Module, f imports) wt.Op { return loop(f("gas_left"), wt.Drop) }},
		{name: "read without end", code: receipt.OutOfGas, words: "is used up", body: func(m *wt.Module, f imports) wt.Op {
			get := f("get")
			return loop(bytesOf(m, "c"), none, none, get, wt.Drop)
		}},
		{name: "write without end", code: receipt.OutOfGas, words: "is used up", body: func(m *wt.Module, f imports) wt.Op {
			set := f("set")
			return loop(bytesOf(m, "c"), none, none, set)
		}},
		{name: "scan without end", code: receipt.OutOfGas, words: "is used up", body: func(m *wt.Module, f imports) wt.Op {
			set, scan := f("set"), f("scan")
			c := bytesOf(m, "c")
			return wt.Seq(c, none, long(40000), set, loop(c, none, none, wt.I32(0), wt.I32(-1), wt.I32(16384), wt.I32(49152), scan, wt.Drop))
		}},
		{name: "log without end", code: receipt.OutOfGas, words: "is used up", body: func(m *wt.Module, f imports) wt.Op { return loop(long(57000), f("log")) }},
		{name: "log nothing without end", code: receipt.OutOfGas, words: "is used up", body: func(m *wt.Module, f imports) wt.Op { return loop(none, f("log")) }},
		{name: "hash without end", code: receipt.OutOfGas, words: "is used up", body: func(m *wt.Module, f imports) wt.Op {
			return loop(wt.I32(0), wt.I32(65536), wt.I32(0), f("sha256"))
		}},
		{name: "verify without end", code: receipt.OutOfGas, words: "is used up", body: func(m *wt.Module, f imports) wt.Op {
			verify := f("cose_verify")
			return loop(wt.I32(0), wt.I32(32), bytesOf(m, "a"), none, none, verify, wt.Drop)
		}},
		{name: "return without end", code: receipt.OutOfGas, words: "is used up", body: func(m *wt.Module, f imports) wt.Op {
			ret := f("ret")
			return loop(bytesOf(m, "\xf6"), ret)
		}},
		{name: "events without end", code: receipt.Trapped, words: "more than 256 events", body: func(m *wt.Module, f imports) wt.Op {
			emit := f("emit")
			return loop(bytesOf(m, "e"), bytesOf(m, "\xa0"), emit)
		}},
		{name: "large events without end", code: receipt.Trapped, words: "take more than 262144 bytes", body: func(m *wt.Module, f imports) wt.Op {
			emit := f("emit")
			return loop(bytesOf(m, "e"), bytesOf(m, "\xa1\x61k\x59\x1f\x00"+strings.Repeat("x", 0x1f00)), emit)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := wt.New()
			body := test.body(m, func(name string) wt.Op { return wt.Call(m.Import(abi.Module, name)) })
			m.Export(abi.ExportCall, body)
			ends(t, m.Bytes(), test.way, test.code, test.words)
		})
	}
}
