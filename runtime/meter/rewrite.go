package meter

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"

	"github.com/wardledger/ward/runtime/wasm"
)

// The names under which a rewritten module exports what the host needs. No contract may
// export a name with this prefix.
const (
	Prefix = "ward."
	// Gas is what is left, an i64, in the unit of Prices. Below zero, the call is out of gas,
	// however it ended.
	Gas = Prefix + "gas"
	// Stack is how many bytes of stack are left, an i64. Below zero: a trap was for want of stack.
	Stack = Prefix + "stack"
	// Window is how many bytes of stack the call has paid for so far, an i64: FreeStack to begin with. A function that
	// needs more pays for as much again, up to MaxStack.
	Window = Prefix + "window"
	// Start is the start function, if the module had one.
	Start = Prefix + "start"
	// Global, with the index of a global behind it, is a mutable global of the module.
	Global = Prefix + "global."
)

// Stack that a call may take.
const (
	// MaxStack is the bytes of locals and operands of all functions that are running, as
	// this package counts them. wazero's compiler has room for a multiple of it.
	MaxStack = 1 << 20
	// FreeStack is how many bytes of it nothing is paid for: more than 50 small frames, or what contracts in plain Go need. It stands
	// for 1 MiB of wazero's stack at most, which an instance keeps. Both are powers of two.
	FreeStack = 32 << 10
	// MaxFrames is how many functions that call others may be running. wazero's interpreter
	// stops at 2,000 frames, and above these there are at most two more.
	MaxFrames = 1900
	// MinFrame is the least that a frame counts for, so that MaxStack is used up by
	// MaxFrames of them.
	MinFrame = MaxStack / MaxFrames
	// valuesPerByte bounds what a compiler may keep in a frame beyond what is alive at once: wazero's gives each value
	// that outlives a call a slot of 8 bytes for itself, and never shares it. So a frame counts for at least a byte for so many
	// values, and MaxStack never stands for more than 32 MiB of wazero's stack, which ends somewhere above 50,000,000 bytes.
	valuesPerByte = 4
)

// Prices say what instructions cost. The unit is whoever's sets Gas.
type Prices struct {
	// Op is the price of each instruction, 0 only for block, loop, else, end and nop; Call and CallIndirect include what entering and leaving
	// a function takes.
	Op func(op wasm.Op) uint64
	// Stack is for each byte of stack beyond FreeStack, paid once in a call however often it is used: a compiler's stack of
	// up to 32 times as much is made, cleared and copied as it grows.
	Stack uint64
	// Local is for each local of a function that is entered, which must be zeroed.
	Local uint64
	// Grow is for each memory.grow, and Page for each page of memory that it asks for.
	Grow, Page uint64
	// Bytes is how many bytes memory.copy, memory.fill and memory.init move for 1.
	Bytes uint64
}

// Rewrite returns a module that means the same as m and counts, without custom sections. m must be valid and have passed
// vet; an error says that it didn't.
func Rewrite(m *wasm.Module, p Prices) ([]byte, error) {
	w := &rewriter{m: m, prices: p, checker: wasm.NewChecker(m), types: slices.Clone(m.Types), wrappers: map[uint32]uint32{}}
	w.gas = uint32(m.NumGlobals())
	w.stack, w.window = w.gas+1, w.gas+2
	w.grow = uint32(m.NumFuncs())
	w.bulk, w.more = w.grow+1, w.grow+2
	w.unary = w.typeIndex(wasm.FuncType{Params: []wasm.ValueType{wasm.I32}, Results: []wasm.ValueType{wasm.I32}})
	w.none = w.typeIndex(wasm.FuncType{})
	bodies := make([][]byte, len(m.Code))
	for i := range m.Code {
		b, err := w.function(i)
		if err != nil {
			return nil, fmt.Errorf("meter: function %d: %w", i, err)
		}
		bodies[i] = b
	}
	return w.module(bodies), nil
}

// rewriter rewrites one module.
type rewriter struct {
	m       *wasm.Module
	prices  Prices
	checker *wasm.Checker
	reader  wasm.Reader
	types   []wasm.FuncType // the module's, and what was added

	gas, stack, window uint32 // indexes of the globals
	grow, bulk, more   uint32 // indexes of the functions
	unary              uint32 // index of the type (i32) -> (i32)
	none               uint32 // of () -> ()

	wrappers map[uint32]uint32 // by the index of a function's type

	usesGrow, usesBulk bool

	// Of the function that is being rewritten:
	out     []byte
	line    []byte // the straight line that is being collected
	price   uint64 // of line
	frames  []frame
	depth   int    // of frames where line begins
	temp    uint32 // the i64 for what is left
	f32     uint32 // the one for a float, 0 until it is needed
	f64     uint32
	extra   []wasm.ValueType // locals that were added, from temp on
	calls   bool
	values  uint64 // that there may be in the function, one after the other: see valuesPerByte
	skipped int    // blocks that were opened where nothing comes; 0 and dead: directly behind a jump
	dead    bool
	check   bool   // the next line that costs something looks whether there is gas left
	unseen  uint64 // the most that may have been charged since the last look
}

// mostUnseen is the most that is charged without a look, in the unit of Prices: thousands of plain instructions. Whoever calls with a limit
// of its own could have what comes behind the limit for nothing, again and again.
const mostUnseen = 20_000

// frame is a block that is open.
type frame struct {
	op       wasm.Op
	before   uint64 // unseen where an if begins
	unseen   uint64 // the most unseen on any way to the end
	targeted bool   // something jumps to its end
	joins    uint64 // values that may become others where its paths join
}

// variables is how many locals there may be, those that are added included.
func (w *rewriter) variables() uint64 { return uint64(w.temp) + 3 }

// open notes that a block begins. Where it is joined, each local may become another value, and so do those that
// it takes or leaves.
func (w *rewriter) open(in *wasm.Instruction) {
	t, _ := in.Block.Of(w.m)
	w.frames = append(w.frames, frame{op: in.Op, joins: w.variables() + uint64(max(len(t.Params), len(t.Results)))})
}

// called returns the type of a function that is called.
func (w *rewriter) called(in *wasm.Instruction) *wasm.FuncType {
	if in.Op == wasm.OpCallIndirect {
		return &w.m.Types[in.Index]
	}
	t, _ := w.m.FuncType(in.Index)
	return t
}

// typeIndex returns the index of a type, which is added unless it is there.
func (w *rewriter) typeIndex(t wasm.FuncType) uint32 {
	for i, have := range w.types {
		if slices.Equal(have.Params, t.Params) && slices.Equal(have.Results, t.Results) {
			return uint32(i)
		}
	}
	w.types = append(w.types, t)
	return uint32(len(w.types) - 1)
}

// wrapper returns the index of the type of a block that leaves what a function of a type does.
func (w *rewriter) wrapper(of uint32) uint32 {
	i, ok := w.wrappers[of]
	if !ok {
		i = w.typeIndex(wasm.FuncType{Results: w.m.Types[of].Results})
		w.wrappers[of] = i
	}
	return i
}

// function returns the rewritten body of a function, without its size.
func (w *rewriter) function(i int) ([]byte, error) {
	body := &w.m.Code[i]
	w.out, w.line, w.price = w.out[:0], w.line[:0], 0
	w.frames = append(w.frames[:0], frame{})
	w.depth, w.unseen = len(w.frames), 0
	w.f32, w.f64, w.calls, w.dead, w.skipped, w.check = 0, 0, false, false, 0, true
	w.checker.Begin(i)
	w.temp = w.checker.NumLocals()
	w.extra = append(w.extra[:0], wasm.I64)
	w.price += w.prices.Local * uint64(w.temp)
	w.values = w.variables()

	w.reader.Read("code", i, body.Code, body.Offset)
	for {
		in, ok, err := w.reader.Next()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		w.instruction(&in, short(&in, body.Code[in.Start-body.Offset:in.End-body.Offset]))
		w.checker.Follow(&in)
	}
	if len(w.frames) != 0 || w.checker.Depth() != 0 {
		return nil, fmt.Errorf("a block has no end")
	}
	return w.assemble(body, w.m.Funcs[i]), nil
}

// short returns an instruction's code with the numbers in one byte that valid code may have in up to five and wazero reads as one byte:
// what follows a prefix (its compiler reads more, its interpreter doesn't), and how many types a select has.
func short(in *wasm.Instruction, code []byte) []byte {
	switch {
	case len(code) < 3 || code[1] < 0x80:
	case in.Op > 0xff:
		_, n := binary.Uvarint(code[1:])
		return append([]byte{code[0], byte(in.Op)}, code[1+n:]...)
	case in.Op == wasm.OpSelectT:
		return []byte{code[0], 1, byte(in.Type)}
	}
	return code
}

// assemble puts a body together: locals, the frame's entry and exit, and the code.
func (w *rewriter) assemble(body *wasm.Body, of uint32) []byte {
	results := w.m.Types[of].Results
	b := binary.AppendUvarint(nil, uint64(len(body.Locals)+len(w.extra)))
	for _, l := range body.Locals {
		b = append(binary.AppendUvarint(b, uint64(l.Count)), byte(l.Type))
	}
	for _, t := range w.extra {
		b = append(b, 1, byte(t))
	}
	locals := uint64(w.temp) + uint64(len(w.extra))
	size := max(8*(locals+uint64(w.checker.MostOperands())), MinFrame, w.values/valuesPerByte)
	// Whatever finds that there is not enough jumps out of here: a jump that is hardly ever taken, to one place, which costs
	// less than an if at each.
	b = append(b, byte(wasm.OpBlock), 0x40)
	if w.calls {
		b = w.take(b, w.stack, size, call)
	}
	b = append(b, byte(wasm.OpBlock))
	switch len(results) {
	case 0:
		b = append(b, 0x40)
	case 1:
		b = append(b, byte(results[0]))
	default:
		b = wasm.AppendSigned(b, int64(w.wrapper(of)))
	}
	b = append(b, w.out...)
	b = append(b, byte(wasm.OpEnd))
	if w.calls {
		b = w.index(b, wasm.OpGlobalGet, w.stack)
		b = wasm.AppendSigned(append(b, byte(wasm.OpI64Const)), int64(size))
		b = append(b, byte(wasm.OpI64Add))
		b = w.index(b, wasm.OpGlobalSet, w.stack)
	}
	return append(b, byte(wasm.OpReturn), byte(wasm.OpEnd), byte(wasm.OpUnreachable), byte(wasm.OpEnd))
}

// index appends an instruction with one index.
func (w *rewriter) index(b []byte, op wasm.Op, i uint32) []byte {
	return binary.AppendUvarint(append(b, byte(op)), uint64(i))
}

// What take does below zero, if not to jump: it goes on, or calls the function that pays for more stack.
const (
	noCheck = -1
	call    = -2
)

// take appends code that takes so much from a global and, if it wasn't there, jumps out of depth blocks or does what depth says.
func (w *rewriter) take(b []byte, global uint32, n uint64, depth int) []byte {
	b = w.index(b, wasm.OpGlobalGet, global)
	b = wasm.AppendSigned(append(b, byte(wasm.OpI64Const)), int64(n))
	b = append(b, byte(wasm.OpI64Sub))
	if depth == noCheck {
		return w.index(b, wasm.OpGlobalSet, global)
	}
	b = w.index(b, wasm.OpLocalTee, w.temp)
	b = w.index(b, wasm.OpGlobalSet, global)
	b = w.index(b, wasm.OpLocalGet, w.temp)
	b = append(b, byte(wasm.OpI64Const), 0, byte(wasm.OpI64LtS))
	if depth == call {
		return append(w.index(append(b, byte(wasm.OpIf), 0x40), wasm.OpCall, w.more), byte(wasm.OpEnd))
	}
	return w.index(b, wasm.OpBrIf, uint32(depth))
}

// flush ends the straight line: what it costs, and then itself.
func (w *rewriter) flush() {
	if w.price > 0 {
		depth := noCheck
		if w.unseen += w.price; w.check || w.unseen > mostUnseen {
			depth, w.unseen = w.depth, 0
		}
		w.out = w.take(w.out, w.gas, w.price, depth)
		w.check = false
	}
	w.out = append(w.out, w.line...)
	w.line, w.price, w.depth = w.line[:0], 0, len(w.frames)
}

// instruction takes the next instruction, before the checker has stepped over it.
func (w *rewriter) instruction(in *wasm.Instruction, code []byte) {
	if w.dead && w.skip(in) {
		return
	}
	w.price += w.prices.Op(in.Op)
	w.values++
	switch op := in.Op; op {
	case wasm.OpBlock:
		w.open(in)
		w.line = append(w.line, code...)
	case wasm.OpLoop, wasm.OpIf:
		w.open(in)
		w.values += w.frames[len(w.frames)-1].joins
		w.line = append(w.line, code...)
		w.flush()
		if op == wasm.OpLoop {
			w.check = true
		}
		top := &w.frames[len(w.frames)-1]
		top.before, top.unseen = w.unseen, w.unseen // the way on which the if is left out
	case wasm.OpElse:
		w.flush()
		w.line = append(w.line, code...)
		w.flushFree()
		top := &w.frames[len(w.frames)-1]
		top.op = op
		top.unseen, w.unseen = max(top.unseen, w.unseen), top.before
	case wasm.OpEnd:
		w.end()
	case wasm.OpBr:
		w.jump(in.Index)
		w.line = append(w.line, code...)
		w.stop()
	case wasm.OpBrIf:
		w.jump(in.Index)
		w.line = append(w.line, code...)
		w.flush()
	case wasm.OpBrTable:
		for _, label := range in.Targets {
			w.jump(label)
		}
		w.line = append(w.line, code...)
		w.stop()
	case wasm.OpReturn:
		w.line = w.index(w.line, wasm.OpBr, uint32(len(w.frames)-1))
		w.stop()
	case wasm.OpUnreachable:
		w.line = append(w.line, code...)
		w.stop()
	case wasm.OpCall, wasm.OpCallIndirect:
		w.calls = true
		w.values += uint64(len(w.called(in).Results))
		w.line = append(w.line, code...)
	case wasm.OpMemoryGrow:
		w.usesGrow = true
		w.line = w.index(w.line, wasm.OpCall, w.grow)
	case wasm.OpMemoryCopy, wasm.OpMemoryFill, wasm.OpMemoryInit:
		w.usesBulk = true
		w.line = append(w.index(w.line, wasm.OpCall, w.bulk), code...)
	default:
		w.line = append(w.line, code...)
		if MakesNaN(op) {
			w.canonical(op)
		}
	}
}

// skip passes over what nothing comes to: up to the else or end of the block in which
// the jump was.
func (w *rewriter) skip(in *wasm.Instruction) bool {
	switch in.Op {
	case wasm.OpBlock, wasm.OpLoop, wasm.OpIf:
		w.skipped++
		return true
	case wasm.OpElse:
		if w.skipped > 0 {
			return true
		}
	case wasm.OpEnd:
		if w.skipped > 0 {
			w.skipped--
			return true
		}
	default:
		return true
	}
	w.dead = false
	return false
}

// stop ends the line behind a jump.
func (w *rewriter) stop() {
	w.flush()
	w.dead, w.skipped = true, 0
}

// flushFree writes the line and keeps its price for the next.
func (w *rewriter) flushFree() {
	price := w.price
	w.price = 0
	w.flush()
	w.price = price
}

// jump notes where an instruction jumps to.
func (w *rewriter) jump(label uint32) {
	at := len(w.frames) - 1 - int(label)
	if to := &w.frames[at]; to.op != wasm.OpLoop {
		to.targeted = true
		to.unseen = max(to.unseen, w.unseen+w.price)
		return
	}
	// wazero copies all that a jump takes along, before it puts them where the loop has them: they may change places.
	w.values += w.frames[at].joins
}

// end closes a block, or the function.
func (w *rewriter) end() {
	top := w.frames[len(w.frames)-1]
	w.frames = w.frames[:len(w.frames)-1]
	if len(w.frames) == 0 { // assemble writes the end
		w.flush()
		return
	}
	w.line = append(w.line, byte(wasm.OpEnd))
	if top.targeted {
		w.values += top.joins
	}
	if top.targeted || top.op == wasm.OpIf || top.op == wasm.OpElse {
		w.flush()
	}
	w.unseen = max(w.unseen, top.unseen)
}

// MakesNaN reports whether the result of an instruction may be a NaN whose bits the
// specification leaves to the machine.
func MakesNaN(op wasm.Op) bool {
	switch {
	case op >= wasm.OpF32Ceil && op <= wasm.OpF32Max, op >= wasm.OpF64Ceil && op <= wasm.OpF64Max:
		return true
	}
	return op == wasm.OpF32DemoteF64 || op == wasm.OpF64PromoteF32
}

// canonical appends code that replaces a NaN by the canonical one.
func (w *rewriter) canonical(op wasm.Op) {
	wide := op >= wasm.OpF64Abs && op <= wasm.OpF64Copysign || op == wasm.OpF64PromoteF32
	local, kind := &w.f32, wasm.F32
	if wide {
		local, kind = &w.f64, wasm.F64
	}
	if *local == 0 {
		*local = w.temp + uint32(len(w.extra))
		w.extra = append(w.extra, kind)
	}
	w.line = w.index(w.line, wasm.OpLocalTee, *local)
	equal := wasm.OpF32Eq
	if wide {
		equal = wasm.OpF64Eq
		w.line = append(w.line, byte(wasm.OpF64Const), 0, 0, 0, 0, 0, 0, 0xf8, 0x7f)
	} else {
		w.line = append(w.line, byte(wasm.OpF32Const), 0, 0, 0xc0, 0x7f)
	}
	w.line = w.index(w.line, wasm.OpLocalGet, *local)
	w.line = w.index(w.line, wasm.OpLocalGet, *local)
	w.line = append(w.line, byte(equal), byte(wasm.OpSelect))
}

// module writes the module: what is the same as it was, and what was added.
func (w *rewriter) module(bodies [][]byte) []byte {
	have := map[byte][]byte{} // without the counts
	for _, s := range w.m.Sections {
		if s.ID != wasm.SectionCustom && s.ID != wasm.SectionStart && s.ID != wasm.SectionDataCount {
			_, n := binary.Uvarint(s.Bytes)
			have[s.ID] = s.Bytes[n:]
		}
	}
	out := []byte(wasm.Header)
	section := func(id byte, b []byte) {
		out = binary.AppendUvarint(append(out, id), uint64(len(b)))
		out = append(out, b...)
	}
	// Those that say something else in the rewritten module, which has them all, in their order.
	changed := []struct {
		id    byte
		write func() []byte
	}{
		{wasm.SectionType, w.typeSection},
		{wasm.SectionFunction, func() []byte {
			b := append(binary.AppendUvarint(nil, uint64(len(w.m.Funcs)+3)), have[wasm.SectionFunction]...)
			return binary.AppendUvarint(binary.AppendUvarint(binary.AppendUvarint(b, uint64(w.unary)), uint64(w.unary)), uint64(w.none))
		}},
		{wasm.SectionGlobal, func() []byte { return w.globals(have[wasm.SectionGlobal]) }},
		{wasm.SectionExport, func() []byte { return w.exports(have[wasm.SectionExport]) }},
		{wasm.SectionCode, func() []byte {
			b := binary.AppendUvarint(nil, uint64(len(bodies)+3))
			for _, body := range append(bodies, w.growBody(), w.bulkBody(), w.moreBody()) {
				b = append(binary.AppendUvarint(b, uint64(len(body))), body...)
			}
			return b
		}},
	}
	upTo := func(id byte) {
		for len(changed) > 0 && changed[0].id <= id {
			section(changed[0].id, changed[0].write())
			changed = changed[1:]
		}
	}
	for _, s := range w.m.Sections {
		switch s.ID {
		case wasm.SectionCustom: // wazero reads "name", and refuses a module over what means nothing
		case wasm.SectionType, wasm.SectionFunction, wasm.SectionGlobal, wasm.SectionExport, wasm.SectionCode:
			upTo(s.ID)
		case wasm.SectionStart: // it is exported
		case wasm.SectionDataCount: // stands before code
			upTo(wasm.SectionCode - 1)
			section(s.ID, s.Bytes)
		default:
			upTo(s.ID)
			section(s.ID, s.Bytes)
		}
	}
	upTo(wasm.SectionData)
	return out
}

func (w *rewriter) typeSection() []byte {
	b := binary.AppendUvarint(nil, uint64(len(w.types)))
	for _, t := range w.types {
		b = append(b, 0x60)
		for _, list := range [][]wasm.ValueType{t.Params, t.Results} {
			b = binary.AppendUvarint(b, uint64(len(list)))
			for _, v := range list {
				b = append(b, byte(v))
			}
		}
	}
	return b
}

// globals appends gas, stack and window, which are nothing until the host sets them.
func (w *rewriter) globals(have []byte) []byte {
	b := binary.AppendUvarint(nil, uint64(len(w.m.Globals)+3))
	b = append(b, have...)
	for range 3 {
		b = append(b, byte(wasm.I64), 1, byte(wasm.OpI64Const), 0, byte(wasm.OpEnd))
	}
	return b
}

func (w *rewriter) exports(have []byte) []byte {
	n := len(w.m.Exports)
	var b []byte
	add := func(name string, kind wasm.Kind, index uint32) {
		b = binary.AppendUvarint(b, uint64(len(name)))
		b = append(append(b, name...), byte(kind))
		b = binary.AppendUvarint(b, uint64(index))
		n++
	}
	add(Gas, wasm.KindGlobal, w.gas)
	add(Stack, wasm.KindGlobal, w.stack)
	add(Window, wasm.KindGlobal, w.window)
	if w.m.Start != nil {
		add(Start, wasm.KindFunc, *w.m.Start)
	}
	imported := uint32(len(w.m.ImportedGlobals))
	for i, g := range w.m.Globals {
		if g.Mutable {
			at := imported + uint32(i)
			add(Global+strconv.Itoa(int(at)), wasm.KindGlobal, at)
		}
	}
	return append(append(binary.AppendUvarint(nil, uint64(n)), have...), b...)
}

// growBody is memory.grow that pays for the pages first. Without a memory it does nothing.
func (w *rewriter) growBody() []byte {
	if !w.usesGrow {
		return []byte{0, byte(wasm.OpLocalGet), 0, byte(wasm.OpEnd)}
	}
	b := w.pay(func(b []byte) []byte {
		b = append(b, byte(wasm.OpLocalGet), 0, byte(wasm.OpI64ExtendI32U))
		b = wasm.AppendSigned(append(b, byte(wasm.OpI64Const)), int64(w.prices.Page))
		b = wasm.AppendSigned(append(b, byte(wasm.OpI64Mul), byte(wasm.OpI64Const)), int64(w.prices.Grow))
		return append(b, byte(wasm.OpI64Add))
	})
	return append(b, byte(wasm.OpLocalGet), 0, byte(wasm.OpMemoryGrow), 0, byte(wasm.OpEnd))
}

// bulkBody pays for moving so many bytes, and returns how many that are.
func (w *rewriter) bulkBody() []byte {
	if !w.usesBulk {
		return []byte{0, byte(wasm.OpLocalGet), 0, byte(wasm.OpEnd)}
	}
	b := w.pay(func(b []byte) []byte {
		b = append(b, byte(wasm.OpLocalGet), 0, byte(wasm.OpI64ExtendI32U))
		b = wasm.AppendSigned(append(b, byte(wasm.OpI64Const)), int64(w.prices.Bytes))
		return append(b, byte(wasm.OpI64DivU))
	})
	return append(b, byte(wasm.OpLocalGet), 0, byte(wasm.OpEnd))
}

// moreBody pays for as much stack again as was paid for, until there is enough. It traps, with stack below zero, if that is
// MaxStack or the host gave none, and with gas below zero if that isn't enough.
func (w *rewriter) moreBody() []byte {
	get := func(b []byte, global uint32) []byte { return w.index(b, wasm.OpGlobalGet, global) }
	set := func(b []byte, global uint32) []byte { return w.index(b, wasm.OpGlobalSet, global) }
	number := func(b []byte, n int64) []byte { return wasm.AppendSigned(append(b, byte(wasm.OpI64Const)), n) }
	trapIf := func(b []byte, op wasm.Op) []byte {
		return append(b, byte(op), byte(wasm.OpIf), 0x40, byte(wasm.OpUnreachable), byte(wasm.OpEnd))
	}
	b := []byte{0, byte(wasm.OpLoop), 0x40}
	// 0 < window < MaxStack, in one comparison without a sign.
	b = number(get(b, w.window), 1)
	b = number(append(b, byte(wasm.OpI64Sub)), MaxStack-1)
	b = trapIf(b, wasm.OpI64GeU)
	b = number(get(get(b, w.gas), w.window), int64(w.prices.Stack))
	b = set(append(b, byte(wasm.OpI64Mul), byte(wasm.OpI64Sub)), w.gas)
	b = trapIf(number(get(b, w.gas), 0), wasm.OpI64LtS)
	b = set(append(get(get(b, w.stack), w.window), byte(wasm.OpI64Add)), w.stack)
	b = set(append(number(get(b, w.window), 1), byte(wasm.OpI64Shl)), w.window)
	b = number(get(b, w.stack), 0)
	return append(b, byte(wasm.OpI64LtS), byte(wasm.OpBrIf), 0, byte(wasm.OpEnd), byte(wasm.OpEnd))
}

// pay begins the body of a function with one parameter: it takes from gas what price leaves
// on the stack.
func (w *rewriter) pay(price func(b []byte) []byte) []byte {
	outer := w.temp
	w.temp = 1
	b := []byte{1, 1, byte(wasm.I64)}
	b = w.index(b, wasm.OpGlobalGet, w.gas)
	b = price(b)
	b = append(b, byte(wasm.OpI64Sub))
	b = w.index(b, wasm.OpLocalTee, w.temp)
	b = w.index(b, wasm.OpGlobalSet, w.gas)
	b = w.index(b, wasm.OpLocalGet, w.temp)
	b = append(b, byte(wasm.OpI64Const), 0, byte(wasm.OpI64LtS), byte(wasm.OpIf), 0x40, byte(wasm.OpUnreachable), byte(wasm.OpEnd))
	w.temp = outer
	return b
}
