// Package wasmgen makes valid modules out of random bytes, for tests that compare engines.
//
//	bytes ─► types, globals, memory, table ─► a body for each function ─► module
//	           each choice takes a byte; when there are none left, everything that is open is closed
//
// The same bytes make the same module, so that a fuzzer that changes a byte changes a choice. A module has no imports
// and nothing that vet refuses. It exports every function ("f0", ...), every global ("g0", ...) and its memory; values
// of functions and globals are numbers. Its functions may run forever or recurse without end: whoever runs them must
// be able to stop them.
//
// The specification leaves open which bits a NaN has that an instruction makes. With a first byte of [Exact] or more, no
// instruction is of that kind, and a module must do the same on every engine to the bit, rewritten or not.
package wasmgen

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/wardledger/ward/runtime/wasm"
)

// Bounds of a module. They keep it small enough that a fuzzer compiles thousands in a minute.
const (
	maxTypes        = 8
	maxFuncs        = 6
	maxGlobals      = 6
	maxLocals       = 6
	maxTable        = 8
	maxPages        = 4
	maxNesting      = 8
	maxOperands     = 40
	maxInstructions = 600 // of all functions; a few more close what is open
)

// Exact is the least first byte with which no instruction makes a NaN of any bits.
const Exact = 160

// numbers are the types of what comes from or goes to the outside.
var numbers = []wasm.ValueType{wasm.I32, wasm.I64, wasm.F32, wasm.F64}

// Module returns the module that choices make.
func Module(choices []byte) []byte {
	g := &generator{in: choices}
	g.exact = g.byte() >= Exact
	for range 2 + g.choose(maxTypes-1) {
		g.types = append(g.types, wasm.FuncType{Params: g.some(4), Results: g.some(3)})
	}
	for range 1 + g.choose(maxFuncs) {
		g.funcs = append(g.funcs, uint32(g.choose(len(g.types))))
	}
	for range 1 + g.choose(maxGlobals) {
		g.globals = append(g.globals, wasm.GlobalType{Type: numbers[g.choose(4)], Mutable: g.choose(4) > 0})
	}
	g.table = make([]int, 1+g.choose(maxTable))
	for i := range g.table {
		g.table[i] = g.choose(len(g.funcs))
	}
	g.nulls = g.choose(3)
	return g.module()
}

// generator makes one module.
type generator struct {
	in      []byte
	exact   bool
	types   []wasm.FuncType
	funcs   []uint32 // types
	globals []wasm.GlobalType
	table   []int // functions, behind which nulls follow
	nulls   int
	made    int // instructions
}

// byte is the next choice, 0 if there are none left.
func (g *generator) byte() byte {
	if len(g.in) == 0 {
		return 0
	}
	b := g.in[0]
	g.in = g.in[1:]
	return b
}

// choose returns a number below n, which is at most 256.
func (g *generator) choose(n int) int { return int(g.byte()) % n }

// done reports whether what is open should be closed.
func (g *generator) done() bool { return len(g.in) == 0 || g.made >= maxInstructions }

// some returns fewer than n types of numbers.
func (g *generator) some(n int) (types []wasm.ValueType) {
	for range g.choose(n) {
		types = append(types, numbers[g.choose(4)])
	}
	return types
}

// bits returns the bits of a number of a type, most often of one at which something changes.
func (g *generator) bits(t wasm.ValueType) uint64 {
	list := interesting[t]
	if i := int(g.byte()); i < 192 {
		return list[i%len(list)]
	}
	var b [8]byte
	for i := range b {
		b[i] = g.byte()
	}
	return binary.LittleEndian.Uint64(b[:])
}

// interesting are the bits of numbers at which something changes: NaNs, quiet and not, with
// a payload and without, what is the first that doesn't fit an integer, zeros with a sign.
var interesting = map[wasm.ValueType][]uint64{
	wasm.I32: {0, 1, 2, 3, 7, 31, 32, 100, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe},
	wasm.I64: {0, 1, 2, 3, 63, 64, 0x80, 0xffff8000, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 1<<53 + 1, math.MaxInt64, 1 << 63, math.MaxUint64, math.MaxUint64 - 1},
	wasm.F32: {0, 0x80000000, 0x3f800000, 0xbf800000, 0x3f000000, 0xbf000000, 0x40200000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7fc12345, 0x7fa00000,
		0xff800001, 1, 0x807fffff, 0x4f000000, 0xcf000000, 0x4effffff, 0x4f800000, 0x5f000000, 0xdf000000, 0x5f800000, 0x7f7fffff},
	wasm.F64: {0, 1 << 63, 0x3ff0000000000000, 0xbff0000000000000, 0x3fe0000000000000, 0xbfe0000000000000, 0x4004000000000000, 0x7ff0000000000000, 0xfff0000000000000,
		0x7ff8000000000000, 0xfff8000000000000, 0x7ff8000012345678, 0x7ff4000000000000, 0xfff0000000000001, 1, 0x800fffffffffffff, 0x41e0000000000000, 0xc1e0000000200000,
		0x41dfffffffc00000, 0x41f0000000000000, 0x43e0000000000000, 0xc3e0000000000000, 0x43f0000000000000, 0x7fefffffffffffff, 0x36a0000000000000, 0x47efffffffffffff},
}

// constant appends the instruction that pushes a number.
func (g *generator) constant(b []byte, t wasm.ValueType) []byte {
	v := g.bits(t)
	switch t {
	case wasm.I32:
		return wasm.AppendSigned(append(b, byte(wasm.OpI32Const)), int64(int32(v)))
	case wasm.I64:
		return wasm.AppendSigned(append(b, byte(wasm.OpI64Const)), int64(v))
	case wasm.F32:
		return binary.LittleEndian.AppendUint32(append(b, byte(wasm.OpF32Const)), uint32(v))
	case wasm.F64:
		return binary.LittleEndian.AppendUint64(append(b, byte(wasm.OpF64Const)), v)
	}
	panic("BUG: wasmgen: no constants of type " + t.String())
}

// module writes all sections.
func (g *generator) module() []byte {
	out := []byte(wasm.Header)
	section := func(id byte, items ...[]byte) {
		b := binary.AppendUvarint(nil, uint64(len(items)))
		for _, item := range items {
			b = append(b, item...)
		}
		out = binary.AppendUvarint(append(out, id), uint64(len(b)))
		out = append(out, b...)
	}
	at := func(offset int64) []byte { // an active segment's place
		return append(wasm.AppendSigned([]byte{0, byte(wasm.OpI32Const)}, offset), byte(wasm.OpEnd))
	}

	var types, funcs, globals, exports, elements, code [][]byte
	for _, t := range g.types {
		types = append(types, append(append([]byte{0x60}, list(t.Params)...), list(t.Results)...))
	}
	export := func(kind wasm.Kind, name string, index int) {
		exports = append(exports, binary.AppendUvarint(append(text(name), byte(kind)), uint64(index)))
	}
	export(wasm.KindMemory, "memory", 0)
	for i, of := range g.funcs {
		funcs = append(funcs, binary.AppendUvarint(nil, uint64(of)))
		export(wasm.KindFunc, fmt.Sprintf("f%d", i), i)
	}
	for i, t := range g.globals {
		b := []byte{byte(t.Type), 0}
		if t.Mutable {
			b[1] = 1
		}
		globals = append(globals, append(g.constant(b, t.Type), byte(wasm.OpEnd)))
		export(wasm.KindGlobal, fmt.Sprintf("g%d", i), i)
	}
	entries := at(0)
	entries = binary.AppendUvarint(entries, uint64(len(g.table)))
	for _, f := range g.table {
		entries = binary.AppendUvarint(entries, uint64(f))
	}
	elements = append(elements, entries)
	active, passive := make([]byte, 32), make([]byte, 16)
	for i := range active {
		active[i] = g.byte()
	}
	copy(passive, active[8:])
	start := -1
	if g.choose(8) == 7 {
		for i, of := range g.funcs {
			if t := g.types[of]; len(t.Params)+len(t.Results) == 0 {
				start = i
			}
		}
	}
	for i := range g.funcs {
		b := g.function(i)
		code = append(code, append(binary.AppendUvarint(nil, uint64(len(b))), b...))
	}

	section(wasm.SectionType, types...)
	section(wasm.SectionFunction, funcs...)
	size := uint64(len(g.table) + g.nulls)
	section(wasm.SectionTable, binary.AppendUvarint([]byte{byte(wasm.FuncRef), 0}, size))
	section(wasm.SectionMemory, []byte{1, 1, maxPages})
	section(wasm.SectionGlobal, globals...)
	section(wasm.SectionExport, exports...)
	if start >= 0 {
		out = append(out, wasm.SectionStart, 1, byte(start))
	}
	section(wasm.SectionElement, elements...)
	out = append(out, wasm.SectionDataCount, 1, 2)
	section(wasm.SectionCode, code...)
	section(wasm.SectionData, append(at(64), text(string(active))...), append([]byte{1}, text(string(passive))...))
	return out
}

func list(types []wasm.ValueType) []byte {
	b := binary.AppendUvarint(nil, uint64(len(types)))
	for _, t := range types {
		b = append(b, byte(t))
	}
	return b
}

func text(s string) []byte { return append(binary.AppendUvarint(nil, uint64(len(s))), s...) }
