package gas

import "github.com/wardledger/ward/runtime/wasm"

// Op returns the price of an instruction in ticks. `ward bench gas` measures what each takes in a contract and
// shows price and time side by side. An instruction that only says where blocks begin and end is free: it
// becomes no machine code.
func Op(op wasm.Op) uint64 {
	switch op {
	case wasm.OpBlock, wasm.OpLoop, wasm.OpElse, wasm.OpEnd, wasm.OpNop:
		return 0
	}
	if p := int(op) & 0xff; op < 256 {
		return uint64(ops[p])
	}
	return uint64(prefixed[int(op)&0xff])
}

// What is not an instruction by itself, in ticks.
const (
	// OpLocal is paid for each local of a function that is entered: an interpreter sets it to zero.
	OpLocal = 2
	// OpStack is paid for each byte of stack beyond meter.FreeStack, once in a call: wazero makes a
	// larger stack each time that it is too small, up to 32 bytes for one of these, and clears and copies it.
	OpStack = 200
	// OpBytes is how many bytes memory.copy, memory.fill and memory.init move for a tick.
	OpBytes = 2
	// OpPage is paid for each page that memory.grow asks for: the system clears it, 4 KiB at a time, at the first touch.
	OpPage = 700_000
)

// Prices of classes of instructions, in ticks. Where an instruction takes longer in some places than in others, the price is
// near that of the worst: a jump that nobody foresees, a load that waits for the one before.
const (
	move     = 3    // values from here to there, and what takes a cycle
	compare  = 9    // and multiply: some cycles
	store    = 4    //
	load     = 28   //
	jump     = 45   // a conditional jump, of which a wrong guess costs 15 cycles
	table    = 130  // a jump to one of many
	invoke   = 60   // frame, stack and gas
	indirect = 100  // a table, a type, and then a call
	convert  = 10   // between integers and floats
	float    = 20   // a NaN becomes the canonical one
	round    = 24   //
	divide   = 85   //
	root     = 140  //
	bulk     = 450  // beside what it moves
	refer    = 1200 // leaves the compiled code
)

// ops are the prices of the instructions of one byte.
var ops = func() (t [256]uint16) {
	for i := range t {
		t[i] = move
	}
	set := func(price uint16, from, to wasm.Op) {
		for op := from; op <= to; op++ {
			t[op] = price
		}
	}
	set(jump, wasm.OpIf, wasm.OpIf)
	set(jump, wasm.OpBrIf, wasm.OpBrIf)
	set(table, wasm.OpBrTable, wasm.OpBrTable)
	set(invoke, wasm.OpCall, wasm.OpCall)
	set(indirect, wasm.OpCallIndirect, wasm.OpCallIndirect)
	set(compare, wasm.OpSelect, wasm.OpSelectT)
	set(load, wasm.OpTableGet, wasm.OpTableSet)
	set(load, wasm.OpI32Load, wasm.OpI64Load32U)
	set(store, wasm.OpI32Store, wasm.OpMemorySize)
	set(bulk, wasm.OpMemoryGrow, wasm.OpMemoryGrow)
	set(compare, wasm.OpI32Eqz, wasm.OpF64Ge)
	set(compare, wasm.OpI32Mul, wasm.OpI32Mul)
	set(compare, wasm.OpI64Mul, wasm.OpI64Mul)
	set(divide, wasm.OpI32DivS, wasm.OpI32RemU)
	set(divide, wasm.OpI64DivS, wasm.OpI64RemU)
	set(float, wasm.OpF32Abs, wasm.OpF64Copysign)
	set(round, wasm.OpF32Ceil, wasm.OpF32Nearest)
	set(round, wasm.OpF64Ceil, wasm.OpF64Nearest)
	set(root, wasm.OpF32Sqrt, wasm.OpF32Sqrt)
	set(root, wasm.OpF64Sqrt, wasm.OpF64Sqrt)
	set(divide, wasm.OpF32Div, wasm.OpF32Div)
	set(divide, wasm.OpF64Div, wasm.OpF64Div)
	set(convert, wasm.OpI32TruncF32S, wasm.OpI32TruncF64U)
	set(convert, wasm.OpI64TruncF32S, wasm.OpF64ConvertI64U)
	set(float, wasm.OpF32DemoteF64, wasm.OpF32DemoteF64)
	set(float, wasm.OpF64PromoteF32, wasm.OpF64PromoteF32)
	set(refer, wasm.OpRefFunc, wasm.OpRefFunc)
	return t
}()

// prefixed are the prices of those behind the prefix 0xfc. What writes to tables or drops segments is in no contract.
var prefixed = func() (t [256]uint16) {
	for i := range t {
		t[i] = bulk
	}
	for op := wasm.OpI32TruncSatF32S; op <= wasm.OpI64TruncSatF64U; op++ {
		t[op&0xff] = convert
	}
	t[wasm.OpTableSize&0xff] = load
	return t
}()
