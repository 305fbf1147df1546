package wasmgen

import (
	"encoding/binary"
	"slices"

	"github.com/wardledger/ward/runtime/wasm"
)

// body is a function in the making. It knows the types of what is on the stack and makes what an
// instruction takes and isn't there.
type body struct {
	*generator
	self   int
	locals []wasm.ValueType // parameters first
	code   []byte
	vals   []wasm.ValueType
	blocks []block // that are open; the function is the first
}

type block struct {
	label  []wasm.ValueType // what a jump to it takes along
	leaves []wasm.ValueType
	height int
	dead   bool // nothing comes to what follows
}

// function returns the body of a function, without its size.
func (g *generator) function(i int) []byte {
	t := g.types[g.funcs[i]]
	b := &body{generator: g, self: i, locals: slices.Clone(t.Params), blocks: []block{{label: t.Results, leaves: t.Results}}}
	out := []byte{}
	n := g.choose(maxLocals)
	out = binary.AppendUvarint(out, uint64(n+1))
	for range n {
		out = append(out, 1, byte(b.local(b.anyType())))
	}
	out = append(out, 1, byte(b.local(wasm.I32))) // with which loops count
	b.steps(4 + g.choose(60))
	b.end()
	return append(out, b.code...)
}

func (b *body) local(t wasm.ValueType) wasm.ValueType {
	b.locals = append(b.locals, t)
	return t
}

// anyType is the type of a number, and seldom of a reference.
func (b *body) anyType() wasm.ValueType {
	switch n := b.choose(32); n {
	case 30:
		return wasm.FuncRef
	case 31:
		return wasm.ExternRef
	default:
		return numbers[n%4]
	}
}

func (b *body) top() *block { return &b.blocks[len(b.blocks)-1] }

func (b *body) push(types ...wasm.ValueType) { b.vals = append(b.vals, types...) }

func (b *body) emit(op wasm.Op, operands ...int) {
	b.made++
	if op > 0xff {
		b.code = binary.AppendUvarint(append(b.code, byte(op>>8)), uint64(op&0xff))
	} else {
		b.code = append(b.code, byte(op))
	}
	for _, n := range operands {
		b.code = binary.AppendUvarint(b.code, uint64(n))
	}
}

// i32 pushes a number.
func (b *body) i32(v int) {
	b.emit(wasm.OpI32Const)
	b.code = wasm.AppendSigned(b.code, int64(v))
	b.push(wasm.I32)
}

// take takes values of these types from the stack, and makes those that aren't there.
func (b *body) take(types ...wasm.ValueType) {
	height := b.top().height
	if b.top().dead && len(b.vals) == height && b.choose(2) == 0 {
		return // behind a jump there is anything
	}
	have := 0
	for k := min(len(types), len(b.vals)-height); k > 0; k-- {
		if slices.Equal(b.vals[len(b.vals)-k:], types[:k]) {
			have = k
			break
		}
	}
	for _, t := range types[have:] {
		b.value(t)
	}
	b.vals = b.vals[:len(b.vals)-len(types)]
}

// value pushes a value of a type.
func (b *body) value(t wasm.ValueType) {
	defer b.push(t)
	var from []int
	for i, l := range b.locals {
		if l == t {
			from = append(from, i)
		}
	}
	n := b.choose(8)
	if n < 4 && len(from) > 0 {
		b.emit(wasm.OpLocalGet, from[b.choose(len(from))])
		return
	}
	switch t {
	case wasm.FuncRef:
		if n == 7 {
			b.emit(wasm.OpRefFunc, b.choose(len(b.funcs))) // all are exported, and so declared
			return
		}
		b.emit(wasm.OpRefNull, int(t))
		return
	case wasm.ExternRef:
		b.emit(wasm.OpRefNull, int(t))
		return
	}
	if n == 7 {
		for i, g := range b.globals {
			if g.Type == t {
				b.emit(wasm.OpGlobalGet, i)
				return
			}
		}
	}
	b.made++
	b.code = b.constant(b.code, t)
}

// steps adds so many instructions, or fewer.
func (b *body) steps(n int) {
	for range n {
		if b.done() || b.top().dead && b.choose(2) == 0 {
			return
		}
		b.step()
		for len(b.vals)-b.top().height > maxOperands {
			b.drop()
		}
	}
}

func (b *body) drop() {
	b.vals = b.vals[:len(b.vals)-1]
	b.emit(wasm.OpDrop)
}

// end closes a block: what it leaves is on the stack, and nothing else.
func (b *body) end() {
	top := *b.top()
	have := b.vals[top.height:]
	if !top.dead || len(have) > 0 || b.choose(2) == 0 {
		same := 0
		for same < min(len(have), len(top.leaves)) && have[same] == top.leaves[same] {
			same++
		}
		for len(b.vals) > top.height+same {
			b.drop()
		}
		for _, t := range top.leaves[same:] {
			b.value(t)
		}
	}
	b.vals = b.vals[:top.height]
	b.blocks = b.blocks[:len(b.blocks)-1]
	b.emit(wasm.OpEnd)
	if len(b.blocks) > 0 {
		b.push(top.leaves...)
	}
}

// jumped says that nothing comes to what follows.
func (b *body) jumped() {
	b.vals = b.vals[:b.top().height]
	b.top().dead = true
}

// step adds an instruction, with what it takes.
func (b *body) step() {
	switch n := b.byte(); {
	case n < 80:
		b.plain()
	case n < 96:
		b.value(b.anyType())
	case n < 120:
		i := b.choose(len(b.locals))
		b.take(b.locals[i])
		if b.choose(2) == 0 {
			b.emit(wasm.OpLocalSet, i)
		} else {
			b.emit(wasm.OpLocalTee, i)
			b.push(b.locals[i])
		}
	case n < 132:
		i := b.choose(len(b.globals))
		if g := b.globals[i]; g.Mutable {
			b.take(g.Type)
			b.emit(wasm.OpGlobalSet, i)
		} else {
			b.emit(wasm.OpGlobalGet, i)
			b.push(g.Type)
		}
	case n < 148:
		b.load()
	case n < 164:
		b.store()
	case n < 184:
		b.open()
	case n < 192:
		b.count()
	case n < 204:
		b.jump()
	case n < 220:
		i := b.choose(len(b.funcs))
		if i <= b.self && b.choose(8) != 7 { // seldom a recursion
			i = len(b.funcs) - 1
		}
		t := b.types[b.funcs[i]]
		b.take(t.Params...)
		b.emit(wasm.OpCall, i)
		b.push(t.Results...)
	case n < 230:
		b.callIndirect()
	case n < 238:
		b.choice()
	case n < 248:
		b.bulk()
	case n < 252:
		b.reference()
	case n < 254:
		if len(b.vals) > b.top().height {
			b.drop()
		}
	default:
		b.emit(wasm.OpNop)
	}
}

func (b *body) plain() {
	p := plains[b.choose(len(plains))]
	if p.traps && b.choose(4) != 3 || b.exact && p.nan {
		p = plains[b.choose(32)] // comparisons
	}
	b.take(p.takes...)
	b.emit(p.op)
	b.push(p.gives)
}

// address makes sure that an address is on the stack, and most often that it is one of the memory.
func (b *body) address() {
	b.take(wasm.I32)
	if b.choose(8) > 0 {
		b.push(wasm.I32)
		b.i32(0xfff)
		b.vals = b.vals[:len(b.vals)-2]
		b.emit(wasm.OpI32And)
	}
	b.push(wasm.I32)
}

// access emits a load or store.
func (b *body) access(a access) {
	offset := b.choose(200)
	if offset > 190 {
		offset = 1<<(offset-169) - 1 // up to 1<<30 - 1
	}
	b.emit(a.op, b.choose(a.align+1), offset)
}

func (b *body) load() {
	a := loads[b.choose(len(loads))]
	b.address()
	b.take(wasm.I32)
	b.access(a)
	b.push(a.t)
}

func (b *body) store() {
	a := stores[b.choose(len(stores))]
	if n := len(b.vals); b.choose(2) == 0 && n > b.top().height && b.vals[n-1] == a.t {
		// What is on the stack goes to where a local says.
		if a.t == wasm.I32 {
			b.value(wasm.I32)
		} else {
			b.take(wasm.I32, a.t)
			b.access(a)
			return
		}
	} else {
		b.address()
		b.value(a.t)
	}
	b.take(wasm.I32, a.t)
	b.access(a)
}

// open adds a block, loop or if.
func (b *body) open() {
	if len(b.blocks) > maxNesting {
		return
	}
	op := []wasm.Op{wasm.OpBlock, wasm.OpLoop, wasm.OpIf}[b.choose(3)]
	var t wasm.FuncType
	form := []byte{0x40}
	switch b.choose(3) {
	case 1:
		v := b.anyType()
		t.Results = []wasm.ValueType{v}
		form[0] = byte(v)
	case 2:
		i := b.choose(len(b.types))
		t = b.types[i]
		form = wasm.AppendSigned(nil, int64(i))
	}
	takes := t.Params
	if op == wasm.OpIf {
		takes = append(slices.Clone(takes), wasm.I32)
	}
	b.take(takes...)
	b.emit(op)
	b.code = append(b.code, form...)
	begin := func() {
		o := block{label: t.Results, leaves: t.Results, height: len(b.vals)}
		if op == wasm.OpLoop {
			o.label = t.Params
		}
		b.blocks = append(b.blocks, o)
		b.push(t.Params...)
		b.steps(1 + b.choose(12))
	}
	begin()
	b.end()
	if op == wasm.OpIf && (b.choose(2) == 0 || !slices.Equal(t.Params, t.Results)) {
		b.code[len(b.code)-1] = byte(wasm.OpElse) // instead of the end
		b.vals = b.vals[:len(b.vals)-len(t.Results)]
		begin()
		b.end()
	}
}

// count adds a loop that runs a few times.
func (b *body) count() {
	if len(b.blocks) > maxNesting {
		return
	}
	counter := len(b.locals) - 1
	b.i32(2 + b.choose(20))
	b.emit(wasm.OpLocalSet, counter)
	b.vals = b.vals[:len(b.vals)-1]
	b.emit(wasm.OpLoop)
	b.code = append(b.code, 0x40)
	b.blocks = append(b.blocks, block{height: len(b.vals)})
	b.steps(1 + b.choose(12))
	if !b.top().dead {
		b.emit(wasm.OpLocalGet, counter)
		b.push(wasm.I32)
		b.i32(1)
		b.emit(wasm.OpI32Sub)
		b.emit(wasm.OpLocalTee, counter)
		b.emit(wasm.OpBrIf, 0)
		b.vals = b.vals[:len(b.vals)-2]
	}
	b.end()
}

// jump adds a branch, most often one with a condition.
func (b *body) jump() {
	label := b.choose(len(b.blocks))
	types := b.blocks[len(b.blocks)-1-label].label
	switch n := b.choose(16); {
	case n < 9:
		b.take(append(slices.Clone(types), wasm.I32)...)
		b.emit(wasm.OpBrIf, label)
		b.push(types...)
	case n < 12:
		same := []int{}
		for i := range b.blocks {
			if slices.Equal(b.blocks[len(b.blocks)-1-i].label, types) {
				same = append(same, i)
			}
		}
		b.take(append(slices.Clone(types), wasm.I32)...)
		targets := make([]int, b.choose(6))
		for i := range targets {
			targets[i] = same[b.choose(len(same))]
		}
		b.emit(wasm.OpBrTable, append(append([]int{len(targets)}, targets...), label)...)
		b.jumped()
	case n < 14:
		b.take(types...)
		b.emit(wasm.OpBr, label)
		b.jumped()
	case n < 15:
		b.take(b.blocks[0].leaves...)
		b.emit(wasm.OpReturn)
		b.jumped()
	default:
		b.emit(wasm.OpUnreachable)
		b.jumped()
	}
}

func (b *body) callIndirect() {
	at := b.choose(len(b.table) + b.nulls)
	of := b.choose(len(b.types))
	if at < len(b.table) && b.choose(8) > 0 {
		if of = int(b.funcs[b.table[at]]); b.table[at] <= b.self && b.choose(4) > 0 {
			return // seldom a recursion
		}
	}
	t := b.types[of]
	b.take(t.Params...)
	b.i32(at)
	b.emit(wasm.OpCallIndirect, of, 0)
	b.vals = b.vals[:len(b.vals)-1]
	b.push(t.Results...)
}

// choice adds a select.
func (b *body) choice() {
	t := b.anyType()
	b.take(t, t, wasm.I32)
	if t.Ref() || b.choose(4) == 0 {
		b.emit(wasm.OpSelectT, 1, int(t))
	} else {
		b.emit(wasm.OpSelect)
	}
	b.push(t)
}

// bulk adds what works on many bytes or on the memory as a whole.
func (b *body) bulk() {
	switch b.choose(6) {
	case 0:
		b.emit(wasm.OpMemorySize, 0)
		b.push(wasm.I32)
	case 1:
		if b.choose(2) == 0 {
			b.i32(b.choose(4))
		}
		b.take(wasm.I32)
		b.emit(wasm.OpMemoryGrow, 0)
		b.push(wasm.I32)
	case 2, 3:
		b.address()
		b.address2()
		b.emit(wasm.OpMemoryCopy, 0, 0)
	case 4:
		b.address()
		b.value(wasm.I32)
		b.length()
		b.emit(wasm.OpMemoryFill, 0)
	case 5:
		b.address()
		b.i32(b.choose(18))
		b.i32(b.choose(18))
		b.vals = b.vals[:len(b.vals)-3]
		b.emit(wasm.OpMemoryInit, 1, 0)
	}
}

// address2 pushes a second address and a length; nothing of the three is on the stack any more.
func (b *body) address2() {
	b.i32(b.choose(256) * 16)
	b.length()
}

// length pushes a length and takes it and the two values below.
func (b *body) length() {
	if b.choose(8) == 0 {
		b.value(wasm.I32)
	} else {
		b.i32(b.choose(256))
	}
	b.vals = b.vals[:len(b.vals)-3]
}

// reference adds what has to do with references, and leaves a number.
func (b *body) reference() {
	switch b.choose(4) {
	case 0:
		b.emit(wasm.OpTableSize, 0)
	case 1:
		b.i32(b.choose(len(b.table) + b.nulls + 1))
		b.emit(wasm.OpTableGet, 0)
		b.vals = b.vals[:len(b.vals)-1]
		b.emit(wasm.OpRefIsNull)
	case 2:
		b.take(wasm.FuncRef)
		b.emit(wasm.OpRefIsNull)
	default:
		b.take(wasm.ExternRef)
		b.emit(wasm.OpRefIsNull)
	}
	b.push(wasm.I32)
}
