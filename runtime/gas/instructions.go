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
	// OpLocal is paid for each local of a function that is entered: it is set to zero.
	OpLocal = 2
	// OpBytes is how many bytes memory.copy, memory.fill and memory.init move for a tick.
	OpBytes = 2
	// OpPage is paid for each page that memory.grow asks for: the system clears it, page by page of its own, at the first touch.
	OpPage = 100_000
)

const (
	simple = 4   // of one or two cycles
	memory = 8   // loads and stores
	branch = 8   //
	call   = 60  // frame, stack and gas checked
	remote = 100 // through a table
)

// ops are the prices of the instructions of one byte.
var ops = func() (t [256]uint16) {
	for i := range t {
		t[i] = simple
	}
	set := func(price uint16, from, to wasm.Op) {
		for op := from; op <= to; op++ {
			t[op] = price
		}
	}
	set(branch, wasm.OpIf, wasm.OpIf)
	set(branch, wasm.OpBr, wasm.OpReturn)
	set(20, wasm.OpBrTable, wasm.OpBrTable)
	set(call, wasm.OpCall, wasm.OpCall)
	set(remote, wasm.OpCallIndirect, wasm.OpCallIndirect)
	set(memory, wasm.OpTableGet, wasm.OpMemorySize)
	set(200, wasm.OpMemoryGrow, wasm.OpMemoryGrow)
	set(60, wasm.OpI32DivS, wasm.OpI32RemU)
	set(80, wasm.OpI64DivS, wasm.OpI64RemU)
	set(20, wasm.OpF32Abs, wasm.OpF64Copysign)
	set(60, wasm.OpF32Sqrt, wasm.OpF32Sqrt)
	set(60, wasm.OpF64Sqrt, wasm.OpF64Sqrt)
	set(40, wasm.OpF32Div, wasm.OpF32Div)
	set(40, wasm.OpF64Div, wasm.OpF64Div)
	set(20, wasm.OpI32TruncF32S, wasm.OpF64PromoteF32)
	set(remote, wasm.OpRefFunc, wasm.OpRefFunc)
	return t
}()

// prefixed are the prices of those behind the prefix 0xfc. What writes to tables or drops segments is in no contract.
var prefixed = [256]uint16{
	0: 20, 1: 20, 2: 20, 3: 20, 4: 20, 5: 20, 6: 20, 7: 20, // trunc_sat
	8: 200, 10: 200, 11: 200, // memory.init, copy, fill: beside what they move
	16: memory, // table.size
}
