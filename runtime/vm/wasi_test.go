package vm_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/vm"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
)

const inval, badf = 28, 8

// le32 is a number as it stands in memory.
func le32(v ...uint32) string {
	var b []byte
	for _, v := range v {
		b = append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
	}
	return string(b)
}

// low is the lower half of a number.
func low(v uint64) int32 { return int32(uint32(v)) }

// Every function of WASI answers what the table says, given zeros for arguments.
func TestWASIAnswersTheTable(t *testing.T) {
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		for _, f := range abi.WASI() {
			if f.Errno == abi.Answered {
				continue
			}
			m := wt.New()
			i := m.Import(abi.WASIModule, f.Name)
			var body wt.Op
			for _, p := range f.Params {
				if p == abi.I64 {
					body = append(body, wt.I64(0)...)
				} else {
					body = append(body, wt.I32(0)...)
				}
			}
			m.Export(abi.ExportCall, expect(f.Errno, body, wt.Call(i)))
			c := newCall(t, "m")
			ends(t, run(t, e, m.Bytes(), c), receipt.OK, "")
			if got, want := c.Gas.Used(), gas.EnterPrice(1)+gas.Host; got < want || got > want+50 {
				t.Errorf("%s: used %d gas, want the price of a call from the contract", f.Name, got)
			}
		}
	})
}

func TestWASI(t *testing.T) {
	for _, test := range []struct {
		name   string
		module func(m *wt.Module, f func(name string) wt.Op) wt.Op
		code   receipt.Code
		reason string
		log    []string
	}{
		{name: "no arguments, no environment", module: func(m *wt.Module, f func(string) wt.Op) wt.Op {
			args, env := f("args_sizes_get"), f("environ_sizes_get")
			m.DataAt(64, "\xff\xff\xff\xff\xff\xff\xff\xff")
			return wt.Seq(
				expect(0, wt.I32(64), wt.I32(68), args), expect(0, wt.LoadI32(64)), expect(0, wt.LoadI32(68)),
				expect(0, wt.I32(72), wt.I32(76), env), expect(0, wt.LoadI32(72)))
		}},
		{name: "the clock is the block's, and as coarse", module: func(m *wt.Module, f func(string) wt.Op) wt.Op {
			now, res := f("clock_time_get"), f("clock_res_get")
			const ns = 1_700_000_000 * 1_000_000_000
			hi, lo := int32(ns>>32), low(ns)
			return wt.Seq(
				expect(0, wt.I32(0), wt.I64(1), wt.I32(64), now), expect(lo, wt.LoadI32(64)), expect(hi, wt.LoadI32(68)),
				expect(0, wt.I32(1), wt.I64(1), wt.I32(72), now), expect(lo, wt.LoadI32(72)), expect(hi, wt.LoadI32(76)),
				expect(0, wt.I32(0), wt.I32(80), res), expect(1_000_000_000, wt.LoadI32(80)), expect(0, wt.LoadI32(84)))
		}},
		{name: "who sleeps wakes at once, later", module: func(m *wt.Module, f func(string) wt.Op) wt.Op {
			now, poll := f("clock_time_get"), f("poll_oneoff")
			// Two subscriptions: 5 ns of the monotonic clock, and reading file 0.
			m.DataAt(128, le32(77, 0, 0, 0, 1, 0, 5, 0, 0, 0, 0, 0)+le32(78, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0))
			const ns = 1_700_000_000 * 1_000_000_000
			lo := low(ns)
			return wt.Seq(
				expect(0, wt.I32(128), wt.I32(256), wt.I32(2), wt.I32(64), poll),
				expect(2, wt.LoadI32(64)),
				expect(77, wt.LoadI32(256)), expect(0, wt.LoadI32(264)),
				expect(78, wt.LoadI32(288)), expect(badf|1<<16, wt.LoadI32(296)),
				expect(0, wt.I32(0), wt.I64(1), wt.I32(64), now), expect(lo, wt.LoadI32(64)),
				expect(0, wt.I32(1), wt.I64(1), wt.I32(64), now), expect(lo+5, wt.LoadI32(64)),
				expect(inval, wt.I32(128), wt.I32(256), wt.I32(0), wt.I32(64), poll))
		}},
		{name: "sleeping for ever ends too", module: func(m *wt.Module, f func(string) wt.Op) wt.Op {
			poll := f("poll_oneoff")
			m.DataAt(128, le32(0, 0, 0, 0, 1, 0, 1<<32-1, 1<<32-1, 0, 0, 0, 0))
			return wt.Seq(
				expect(0, wt.I32(128), wt.I32(256), wt.I32(1), wt.I32(64), poll),
				expect(0, wt.I32(128), wt.I32(256), wt.I32(1), wt.I32(64), poll))
		}},
		{name: "output is log", module: func(m *wt.Module, f func(string) wt.Op) wt.Op {
			write := f("fd_write")
			at, _ := m.Data("one\ntwo, three")
			m.DataAt(128, le32(uint32(at), 5, uint32(at)+5, 2, 0, 0)) // "one\nt", "wo", ""
			m.DataAt(152, le32(uint32(at)+7, 7))                      // ", three"
			return wt.Seq(
				expect(0, wt.I32(1), wt.I32(128), wt.I32(3), wt.I32(64), write), expect(7, wt.LoadI32(64)),
				expect(0, wt.I32(2), wt.I32(152), wt.I32(1), wt.I32(64), write), expect(7, wt.LoadI32(64)),
				expect(badf, wt.I32(0), wt.I32(152), wt.I32(1), wt.I32(64), write),
				expect(badf, wt.I32(3), wt.I32(152), wt.I32(1), wt.I32(64), write),
				expect(inval, wt.I32(1), wt.I32(152), wt.I32(1025), wt.I32(64), write))
		}, log: []string{"one", "two", ", three"}},
		{name: "input is at its end", module: func(m *wt.Module, f func(string) wt.Op) wt.Op {
			read := f("fd_read")
			m.DataAt(64, "\xff\xff\xff\xff")
			return wt.Seq(
				expect(0, wt.I32(0), wt.I32(0), wt.I32(0), wt.I32(64), read), expect(0, wt.LoadI32(64)),
				expect(badf, wt.I32(1), wt.I32(0), wt.I32(0), wt.I32(64), read))
		}},
		{name: "three files that are terminals", module: func(m *wt.Module, f func(string) wt.Op) wt.Op {
			stat, flags := f("fd_fdstat_get"), f("fd_fdstat_set_flags")
			m.DataAt(64, "\xff\xff\xff\xff")
			return wt.Seq(
				expect(0, wt.I32(1), wt.I32(64), stat), expect(2, wt.LoadI32(64)), expect(1<<6, wt.LoadI32(72)),
				expect(0, wt.I32(0), wt.I32(64), stat), expect(1<<1, wt.LoadI32(72)),
				expect(badf, wt.I32(3), wt.I32(64), stat),
				expect(0, wt.I32(2), wt.I32(4), flags), expect(badf, wt.I32(3), wt.I32(4), flags))
		}},
		{name: "exit", code: receipt.Trapped, reason: "the contract exited with code 4294967295", module: func(m *wt.Module, f func(string) wt.Op) wt.Op {
			exit := f("proc_exit")
			return wt.Seq(wt.I32(-1), exit)
		}},
		{name: "a pointer outside of memory", code: receipt.Trapped, reason: "random_get: buffer is 2 bytes at 65535, outside of memory", module: func(m *wt.Module, f func(string) wt.Op) wt.Op {
			random := f("random_get")
			return wt.Seq(wt.I32(65535), wt.I32(2), random, wt.Drop)
		}},
		{name: "an output vector outside of memory", code: receipt.Trapped, reason: "fd_write: bytes is 4294967295 bytes at 8, outside of memory", module: func(m *wt.Module, f func(string) wt.Op) wt.Op {
			write := f("fd_write")
			m.DataAt(128, le32(8, 1<<32-1))
			return wt.Seq(wt.I32(1), wt.I32(128), wt.I32(1), wt.I32(64), write, wt.Drop)
		}},
		{name: "subscriptions beyond the numbers", code: receipt.Trapped, reason: "poll_oneoff: subscriptions is 4294967295 bytes at 0, outside of memory", module: func(m *wt.Module, f func(string) wt.Op) wt.Op {
			poll := f("poll_oneoff")
			return wt.Seq(wt.I32(0), wt.I32(0), wt.U32(1<<31), wt.I32(64), poll, wt.Drop)
		}},
		{name: "randomness costs", code: receipt.OutOfGas, reason: fmt.Sprintf("the gas limit of %d is used up", gas.EnterPrice(1)+20_000_000), module: func(m *wt.Module, f func(string) wt.Op) wt.Op {
			random := f("random_get")
			return wt.Loop(wt.I32(0), wt.I32(65536), random, wt.Drop, wt.Branch(0))
		}},
		{name: "output costs", code: receipt.OutOfGas, reason: fmt.Sprintf("the gas limit of %d is used up", gas.EnterPrice(1)+20_000_000), module: func(m *wt.Module, f func(string) wt.Op) wt.Op {
			write := f("fd_write")
			m.DataAt(128, le32(0, 65536))
			return wt.Loop(wt.I32(1), wt.I32(128), wt.I32(1), wt.I32(64), write, wt.Drop, wt.Branch(0))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, e *vm.Engine) {
				m := wt.New()
				body := test.module(m, func(name string) wt.Op { return wt.Call(m.Import(abi.WASIModule, name)) })
				m.Export(abi.ExportCall, body)
				c := newCall(t, "m")
				c.Gas = gas.NewMeter(gas.EnterPrice(1) + 20_000_000)
				ends(t, run(t, e, m.Bytes(), c), test.code, test.reason)
				if test.log != nil && !slices.Equal(c.Log(), test.log) {
					t.Errorf("log %q, want %q", c.Log(), test.log)
				}
			})
		})
	}
}

// The random stream is pinned: contracts' seeds of maps hang on it, so a change of it
// changes what every deployed contract does.
func TestRandomStream(t *testing.T) {
	m := wt.New()
	random, ret := m.Import(abi.WASIModule, "random_get"), m.Import(abi.Module, "ret")
	m.DataAt(62, "\x58\x28")
	m.Export(abi.ExportCall,
		wt.I32(64), wt.I32(3), wt.Call(random), wt.Drop, // in pieces, across a block of 32
		wt.I32(67), wt.I32(37), wt.Call(random), wt.Drop,
		wt.I32(62), wt.I32(42), wt.Call(ret))
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		c := newCall(t, "m")
		ends(t, run(t, e, m.Bytes(), c), receipt.OK, "")
		if got := hex.EncodeToString(c.Result()[2:]); got != wantRandom() {
			t.Errorf("stream %s, want %s", got, wantRandom())
		}
	})
}

// What a contract writes to its output is cut to what a log line holds.
func TestLongOutput(t *testing.T) {
	m := wt.New()
	write := m.Import(abi.WASIModule, "fd_write")
	m.DataAt(128, le32(4096, 60000))
	m.DataAt(4096, strings.Repeat("x", 60000))
	m.Export(abi.ExportCall, wt.I32(2), wt.I32(128), wt.I32(1), wt.I32(64), wt.Call(write), wt.Drop,
		wt.I32(2), wt.I32(128), wt.I32(1), wt.I32(64), wt.Call(write), wt.Drop)
	c := newCall(t, "m")
	ends(t, run(t, engines.compiler(), m.Bytes(), c), receipt.OK, "")
	if log := c.Log(); len(log) != 1 || log[0] != strings.Repeat("x", abi.MaxLog) {
		t.Errorf("%d lines in the log, the first of %d bytes", len(log), len(log[0]))
	}
}

// wantRandom is the stream as it is defined, done over: SHA-256 of the seed and a counter,
// where the seed is SHA-256 of a domain, the call's seed and the contract.
func wantRandom() string {
	seed := sha256.Sum256(append(append([]byte("ward-random-v1 call "), append([]byte{1}, make([]byte, 31)...)...), "locks"...))
	first := sha256.Sum256(append(seed[:], make([]byte, 8)...))
	second := sha256.Sum256(append(seed[:], 1, 0, 0, 0, 0, 0, 0, 0))
	return hex.EncodeToString(append(first[:], second[:8]...))
}
