package meter_test

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/wardledger/ward/runtime/meter"
	"github.com/wardledger/ward/runtime/vet"
	"github.com/wardledger/ward/runtime/wasm"
)

// long returns a module whose code has every number in as many bytes as it may have, as linkers write those that they fill in
// later.
func long(m *wasm.Module) []byte {
	u32 := func(b []byte, v uint32) []byte {
		for range 4 {
			b, v = append(b, byte(v)|0x80), v>>7
		}
		return append(b, byte(v))
	}
	signed := func(b []byte, v int64, bits int) []byte {
		for range (bits - 1) / 7 {
			b, v = append(b, byte(v)|0x80), v>>7
		}
		return append(b, byte(v)&0x7f)
	}
	out := []byte(wasm.Header)
	for _, s := range m.Sections {
		b := s.Bytes
		if s.ID == wasm.SectionCode {
			b = u32(nil, uint32(len(m.Code)))
			for i, body := range m.Code {
				c := u32(nil, uint32(len(body.Locals)))
				for _, l := range body.Locals {
					c = append(u32(c, l.Count), byte(l.Type))
				}
				var r wasm.Reader
				r.Read("code", i, body.Code, 0)
				for in, ok, _ := r.Next(); ok; in, ok, _ = r.Next() {
					rest := body.Code[in.Start:in.End]
					c, rest = append(c, rest[0]), rest[1:]
					if in.Op > 0xff {
						_, n := binary.Uvarint(rest)
						c, rest = u32(c, uint32(in.Op&0xff)), rest[n:]
					}
					switch op := in.Op; {
					case op == wasm.OpBlock || op == wasm.OpLoop || op == wasm.OpIf:
						if index, ok := in.Block.Index(); ok {
							c, rest = signed(c, int64(index), 33), nil
						}
					case op == wasm.OpBrTable:
						c, rest = u32(c, uint32(len(in.Targets)-1)), nil
						for _, label := range in.Targets {
							c = u32(c, label)
						}
					case op == wasm.OpCallIndirect:
						c, rest = u32(u32(c, in.Index), in.Second), nil
					case op == wasm.OpSelectT:
						c, rest = append(u32(c, 1), byte(in.Type)), nil
					case op >= wasm.OpI32Load && op <= wasm.OpI64Store32:
						c, rest = u32(u32(c, in.Align), in.Offset), nil
					case op == wasm.OpMemoryInit:
						c, rest = append(u32(c, in.Index), 0), nil
					case op == wasm.OpI32Const:
						c, rest = signed(c, in.Int, 32), nil
					case op == wasm.OpI64Const:
						c, rest = signed(c, in.Int, 64), nil
					case op == wasm.OpBr, op == wasm.OpBrIf, op == wasm.OpCall, op >= wasm.OpLocalGet && op <= wasm.OpTableSet, op == wasm.OpRefFunc, op == wasm.OpTableSize:
						c, rest = u32(c, in.Index), nil
					}
					c = append(c, rest...)
				}
				b = append(u32(b, uint32(len(c))), c...)
			}
		}
		out = append(u32(append(out, s.ID), uint32(len(b))), b...)
	}
	return out
}

// TestLongNumbers: how many bytes a number has in the code changes nothing, not the gas either.
func TestLongNumbers(t *testing.T) {
	all := engines(t)
	random := rand.NewChaCha8([32]byte{5})
	for i := range 300 {
		choices := make([]byte, 50+2*i)
		random.Read(choices)
		m, _, short, _ := generated(t, choices, nil)
		padded, err := vet.Shape(long(m))
		if err != nil {
			t.Fatalf("%x: %v", choices, err)
		}
		rewritten, err := meter.Rewrite(padded, prices)
		if err != nil {
			t.Fatal(err)
		}
		want := all[0].run(t, short, m, everything, limit, choices)
		for _, e := range all {
			same(t, "with long numbers, on the "+e.name, want, e.run(t, rewritten, m, everything, limit, choices))
		}
		if t.Failed() {
			t.Fatalf("%x", choices)
		}
	}
}
