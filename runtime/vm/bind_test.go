package vm_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/vm"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
)

// expect traps unless what op leaves is want.
func expect(want int32, op ...wt.Op) wt.Op {
	return wt.Seq(wt.Seq(op...), wt.I32(want), wt.NeI32, wt.If(wt.Unreachable))
}

// bytesOf pushes address and length of some data.
func bytesOf(m *wt.Module, s string) wt.Op {
	at, n := m.Data(s)
	return wt.Seq(wt.I32(at), wt.I32(n))
}

// answerOf returns what a contract sees of an answer: it asks with room for size bytes at
// address 64 and returns the 32 bytes from there, wrapped in a byte string.
func answerOf(t *testing.T, e *vm.Engine, function string, size, want int32) []byte {
	t.Helper()
	m := wt.New()
	f, ret := m.Import(abi.Module, function), m.Import(abi.Module, "ret")
	m.DataAt(62, "\x58\x20") // the head of 32 bytes in CBOR
	m.Export(abi.ExportCall, expect(want, wt.I32(64), wt.I32(size), wt.Call(f)), wt.I32(62), wt.I32(34), wt.Call(ret))
	c := newCall(t, "open_door")
	c.Args = []byte("\x64args")
	ends(t, run(t, e, m.Bytes(), c), receipt.OK, "")
	return c.Result()[2:]
}

// An answer that doesn't fit is not written, but its length is told.
func TestAnswers(t *testing.T) {
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		for _, test := range []struct {
			function string
			want     string
		}{
			{"method", "open_door"},
			{"args", "\x64args"},
			{"contract", "locks"},
			{"chain", "test-1"},
		} {
			n := int32(len(test.want))
			for _, room := range []struct {
				size    int32
				written string
			}{{0, ""}, {n - 1, ""}, {n, test.want}, {n + 9, test.want}} {
				want := append([]byte(room.written), make([]byte, 32-len(room.written))...)
				if got := answerOf(t, e, test.function, room.size, n); !bytes.Equal(got, want) {
					t.Errorf("%s with room for %d: %q, want %q", test.function, room.size, got, want)
				}
			}
		}
	})
}

// What has a fixed size is written whole.
func TestFixedAnswers(t *testing.T) {
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		sender, origin := address.Address{1, 2}, address.Address{3}
		sum := sha256.Sum256([]byte("abc"))
		for _, test := range []struct {
			function string
			before   string // bytes handed over
			want     []byte
		}{
			{"sender", "", sender[:]},
			{"origin", "", origin[:]},
			{"block", "", binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, 7), 1_700_000_000)},
			{"sha256", "abc", sum[:]},
		} {
			m := wt.New()
			f, ret := m.Import(abi.Module, test.function), m.Import(abi.Module, "ret")
			document := cbor.AppendBytes(nil, make([]byte, len(test.want)))
			head := int32(len(document) - len(test.want))
			m.DataAt(64-head, string(document[:head]))
			var body wt.Op
			if test.before != "" {
				body = bytesOf(m, test.before)
			}
			m.Export(abi.ExportCall, body, wt.I32(64), wt.Call(f), wt.I32(64-head), wt.I32(int32(len(document))), wt.Call(ret))
			c := newCall(t, "m")
			c.Sender, c.Origin = sender, origin
			ends(t, run(t, e, m.Bytes(), c), receipt.OK, "")
			if got := c.Result()[head:]; !bytes.Equal(got, test.want) {
				t.Errorf("%s: % x, want % x", test.function, got, test.want)
			}
		}
	})
}

// Rows through the interface: absent, empty, too little room, scan and delete.
func TestRowsThroughTheInterface(t *testing.T) {
	m := wt.New()
	get, set := m.Import(abi.Module, "get"), m.Import(abi.Module, "set")
	del, scan := m.Import(abi.Module, "delete"), m.Import(abi.Module, "scan")
	c, a, b, va, none := bytesOf(m, "doors"), bytesOf(m, "a"), bytesOf(m, "b"), bytesOf(m, "shut"), wt.Seq(wt.I32(0), wt.I32(0))
	room := func(n int32) wt.Op { return wt.Seq(wt.I32(64), wt.I32(n)) }
	page := func(flags, limit, size int32) wt.Op {
		return wt.Seq(c, none, none, wt.I32(flags), wt.I32(limit), room(size), wt.Call(scan))
	}
	le := func(v int) int32 { return int32(v) }
	m.Export(abi.ExportCall,
		expect(-1, c, a, room(64), wt.Call(get)),
		expect(0, page(0, 9, 64)),
		c, a, va, wt.Call(set),
		c, b, none, wt.Call(set),
		expect(4, c, a, room(3), wt.Call(get)),
		expect(0, wt.LoadI32(64)), // nothing was written
		expect(4, c, a, room(4), wt.Call(get)),
		expect(le('s')|le('h')<<8|le('u')<<16|le('t')<<24, wt.LoadI32(64)),
		expect(0, c, b, room(0), wt.Call(get)),
		expect(13+9, page(0, 9, 64)),
		expect(1, wt.LoadI32(64)), expect(4, wt.LoadI32(68)),
		expect(9, page(1, 1, 64)),                            // descending, one: b
		expect(1, wt.LoadI32(64)), expect(0, wt.LoadI32(68)), // its key has one byte, its value none
		expect(13, page(0, 9, 12)), // not even the first fits
		expect(13, page(0, 9, 21)), // the second doesn't
		expect(1, c, a, wt.Call(del)),
		expect(0, c, a, wt.Call(del)),
		expect(-1, c, a, room(64), wt.Call(get)),
	)
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		ends(t, run(t, e, m.Bytes(), newCall(t, "m")), receipt.OK, "")
	})
}

// Where the answer goes may overlap what was asked.
func TestAnswerOverQuestion(t *testing.T) {
	m := wt.New()
	set, scan, sha := m.Import(abi.Module, "set"), m.Import(abi.Module, "scan"), m.Import(abi.Module, "sha256")
	ret := m.Import(abi.Module, "ret")
	m.DataAt(62, "\x58\x20abc")
	row := func(key, value string) wt.Op {
		return wt.Seq(bytesOf(m, "doors"), bytesOf(m, key), bytesOf(m, value), wt.Call(set))
	}
	rows := wt.Seq(row("a", "1"), row("b", "2"), row("c", "3"))
	at, n := m.Data("doorsac")
	m.Export(abi.ExportCall, rows,
		// From a to c, written over "doorsac".
		expect(20, wt.I32(at), wt.I32(n-2), wt.I32(at+5), wt.I32(1), wt.I32(at+6), wt.I32(1), wt.I32(0), wt.I32(9), wt.I32(at), wt.I32(100), wt.Call(scan)),
		wt.I32(64), wt.I32(3), wt.I32(64), wt.Call(sha),
		wt.I32(62), wt.I32(34), wt.Call(ret))
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		c := newCall(t, "m")
		ends(t, run(t, e, m.Bytes(), c), receipt.OK, "")
		if want := sha256.Sum256([]byte("abc")); !bytes.Equal(c.Result()[2:], want[:]) {
			t.Errorf("% x, want % x", c.Result()[2:], want)
		}
	})
}

// gas_left is what is left when it is asked.
func TestGasLeft(t *testing.T) {
	m := wt.New()
	left, ret := m.Import(abi.Module, "gas_left"), m.Import(abi.Module, "ret")
	m.DataAt(63, "\x48")
	m.Export(abi.ExportCall, wt.I32(64), wt.Call(left), wt.StoreI64, wt.I32(63), wt.I32(9), wt.Call(ret))
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		c := newCall(t, "m")
		ends(t, run(t, e, m.Bytes(), c), receipt.OK, "")
		// After it came only ret: 200 for the call, 10 for each of 9 bytes.
		if got, want := binary.LittleEndian.Uint64(c.Result()[1:]), c.Gas.Left()+290; got != want {
			t.Errorf("gas_left said %d, want %d", got, want)
		}
	})
}
