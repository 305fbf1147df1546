package meter_test

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/wardledger/ward/runtime/meter"
	"github.com/wardledger/ward/runtime/vet"
	"github.com/wardledger/ward/runtime/wasm"
	"github.com/wardledger/ward/runtime/wasm/wasmgen"
)

// distinct are prices by which instructions can be told apart. What is paid by the page or byte is not among them: naive
// doesn't know how many.
var distinct = meter.Prices{
	Op:    func(op wasm.Op) uint64 { return 1 + uint64(op)%61*uint64(op)%97 },
	Local: 3,
	Bytes: 1 << 40,
}

// naive returns a module that counts one instruction after the other, before each, and never stops: the slow and obvious way to
// know what a call costs. Its counter is the global meter.Gas. Nothing is left out, moved or put together.
func naive(m *wasm.Module, p meter.Prices) []byte {
	gas := uint64(m.NumGlobals())
	take := func(b []byte, n uint64) []byte {
		b = binary.AppendUvarint(append(b, byte(wasm.OpGlobalGet)), gas)
		b = wasm.AppendSigned(append(b, byte(wasm.OpI64Const)), int64(n))
		return binary.AppendUvarint(append(b, byte(wasm.OpI64Sub), byte(wasm.OpGlobalSet)), gas)
	}
	out := []byte(wasm.Header)
	for _, s := range m.Sections {
		n, size := binary.Uvarint(s.Bytes)
		b := s.Bytes
		switch s.ID {
		case wasm.SectionGlobal:
			b = append(binary.AppendUvarint(nil, n+2), b[size:]...)
			for range 2 { // gas, and stack, which engine.run sets too
				b = append(b, byte(wasm.I64), 1, byte(wasm.OpI64Const), 0, byte(wasm.OpEnd))
			}
		case wasm.SectionExport:
			b = append(binary.AppendUvarint(nil, n+2), b[size:]...)
			for i, name := range []string{meter.Gas, meter.Stack} {
				b = append(append(b, byte(len(name))), name...)
				b = binary.AppendUvarint(append(b, byte(wasm.KindGlobal)), gas+uint64(i))
			}
		case wasm.SectionCode:
			b = binary.AppendUvarint(nil, n)
			for i, body := range m.Code {
				c := binary.AppendUvarint(nil, uint64(len(body.Locals)))
				t, _ := m.FuncType(uint32(len(m.ImportedFuncs) + i))
				locals := uint64(len(t.Params))
				for _, l := range body.Locals {
					c = append(binary.AppendUvarint(c, uint64(l.Count)), byte(l.Type))
					locals += uint64(l.Count)
				}
				c = take(c, p.Local*locals)
				var r wasm.Reader
				r.Read("code", i, body.Code, 0)
				for in, ok, _ := r.Next(); ok; in, ok, _ = r.Next() {
					c = append(take(c, p.Op(in.Op)), body.Code[in.Start:in.End]...)
				}
				b = append(binary.AppendUvarint(b, uint64(len(c))), c...)
			}
		case wasm.SectionStart:
			continue
		}
		out = append(binary.AppendUvarint(append(out, s.ID), uint64(len(b))), b...)
	}
	return out
}

// TestGas: a call that comes back has paid for each instruction once for each time that it ran; one that traps for these and
// the rest of the lines that it was in, beforehand. With exactly as much it goes the same way, with 1 less it
// is out of gas.
func TestGas(t *testing.T) {
	all := engines(t)
	compiler := all[0]
	random := rand.NewChaCha8([32]byte{4})
	back, trapped, short := 0, 0, 0
	for i := range 500 {
		choices := make([]byte, 50+i)
		random.Read(choices)
		// To the bit, or an instruction that makes a NaN would lead elsewhere where it is not made canonical.
		choices[0] |= wasmgen.Exact
		m, err := vet.Shape(wasmgen.Module(choices))
		if err != nil {
			t.Fatal(err)
		}
		m.Start = nil
		rewritten, err := meter.Rewrite(m, distinct)
		if err != nil {
			t.Fatal(err)
		}
		slow := naive(m, distinct)
		const gas = 1 << 20
		first := compiler.run(t, rewritten, m, everything, gas, choices)
		calls := 0 // before the first that would have gone on
		for calls < len(first) && first[calls].ended != outOfGas && first[calls].ended != outOfStack {
			calls++
		}
		if calls == 0 {
			continue
		}
		for j, c := range compiler.run(t, slow, m, calls, 1<<40, choices) {
			s, n := first[j], int64(1<<40)-c.gas
			switch used := gas - s.gas; {
			case s.ended != c.ended || s.memory != c.memory:
				t.Fatalf("%x: %s: %+v, counted %+v", choices, s.call, s, c)
			case s.ended == "" && used != n:
				t.Errorf("%x: %s took %d, each instruction for itself takes %d", choices, s.call, used, n)
			case s.ended != "" && used < n:
				t.Errorf("%x: %s took %d up to %q, and %d ran", choices, s.call, used, s.ended, n)
			case s.ended == "":
				back++
			default:
				trapped++
			}
		}
		// The first call again, with exactly what it takes, less, and much less.
		s := first[0]
		exact := gas - s.gas
		for _, less := range []int64{0, 1, 2, 1 + exact/3, exact} {
			if less > exact {
				continue
			}
			x := compiler.run(t, rewritten, m, 1, exact-less, choices)
			same(t, "with less gas", x, all[1].run(t, rewritten, m, 1, exact-less, choices))
			switch got := x[0]; {
			case less == 0 && (got.ended != s.ended || got.gas != 0):
				t.Errorf("%x: %s with all the gas that it takes: %q and %d left", choices, s.call, got.ended, got.gas)
			case less > 0 && got.ended != outOfGas:
				t.Errorf("%x: %s with %d less than it takes: %q and %d left", choices, s.call, less, got.ended, got.gas)
			case less > 0:
				short++
			}
		}
	}
	t.Logf("%d calls came back, %d trapped, %d had too little", back, trapped, short)
}
