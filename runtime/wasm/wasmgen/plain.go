package wasmgen

import "github.com/wardledger/ward/runtime/wasm"

// plain is an instruction that takes and leaves values and has no operands of its own.
type plain struct {
	op    wasm.Op
	takes []wasm.ValueType
	gives wasm.ValueType
	traps bool // for some of the values
	nan   bool // may be one of which the specification leaves the bits open
}

// plains are all of them, written down from the specification and not taken from runtime/wasm, which they test.
var plains = func() (all []plain) {
	const i, l, f, d = wasm.I32, wasm.I64, wasm.F32, wasm.F64
	add := func(from, to wasm.Op, gives wasm.ValueType, takes ...wasm.ValueType) {
		for op := from; op <= to; op++ {
			all = append(all, plain{op: op, takes: takes, gives: gives,
				traps: op >= wasm.OpI32DivS && op <= wasm.OpI32RemU || op >= wasm.OpI64DivS && op <= wasm.OpI64RemU ||
					op >= wasm.OpI32TruncF32S && op <= wasm.OpI32TruncF64U || op >= wasm.OpI64TruncF32S && op <= wasm.OpI64TruncF64U,
				nan: op >= wasm.OpF32Ceil && op <= wasm.OpF32Max || op >= wasm.OpF64Ceil && op <= wasm.OpF64Max ||
					op == wasm.OpF32DemoteF64 || op == wasm.OpF64PromoteF32})
		}
	}
	add(wasm.OpI32Eqz, wasm.OpI32Eqz, i, i)
	add(wasm.OpI32Eq, wasm.OpI32GeU, i, i, i)
	add(wasm.OpI64Eqz, wasm.OpI64Eqz, i, l)
	add(wasm.OpI64Eq, wasm.OpI64GeU, i, l, l)
	add(wasm.OpF32Eq, wasm.OpF32Ge, i, f, f)
	add(wasm.OpF64Eq, wasm.OpF64Ge, i, d, d)
	add(wasm.OpI32Clz, wasm.OpI32Popcnt, i, i)
	add(wasm.OpI32Add, wasm.OpI32Rotr, i, i, i)
	add(wasm.OpI64Clz, wasm.OpI64Popcnt, l, l)
	add(wasm.OpI64Add, wasm.OpI64Rotr, l, l, l)
	add(wasm.OpF32Abs, wasm.OpF32Sqrt, f, f)
	add(wasm.OpF32Add, wasm.OpF32Copysign, f, f, f)
	add(wasm.OpF64Abs, wasm.OpF64Sqrt, d, d)
	add(wasm.OpF64Add, wasm.OpF64Copysign, d, d, d)
	add(wasm.OpI32WrapI64, wasm.OpI32WrapI64, i, l)
	add(wasm.OpI32TruncF32S, wasm.OpI32TruncF32U, i, f)
	add(wasm.OpI32TruncF64S, wasm.OpI32TruncF64U, i, d)
	add(wasm.OpI64ExtendI32S, wasm.OpI64ExtendI32U, l, i)
	add(wasm.OpI64TruncF32S, wasm.OpI64TruncF32U, l, f)
	add(wasm.OpI64TruncF64S, wasm.OpI64TruncF64U, l, d)
	add(wasm.OpF32ConvertI32S, wasm.OpF32ConvertI32U, f, i)
	add(wasm.OpF32ConvertI64S, wasm.OpF32ConvertI64U, f, l)
	add(wasm.OpF32DemoteF64, wasm.OpF32DemoteF64, f, d)
	add(wasm.OpF64ConvertI32S, wasm.OpF64ConvertI32U, d, i)
	add(wasm.OpF64ConvertI64S, wasm.OpF64ConvertI64U, d, l)
	add(wasm.OpF64PromoteF32, wasm.OpF64PromoteF32, d, f)
	add(wasm.OpI32ReinterpretF32, wasm.OpI32ReinterpretF32, i, f)
	add(wasm.OpI64ReinterpretF64, wasm.OpI64ReinterpretF64, l, d)
	add(wasm.OpF32ReinterpretI32, wasm.OpF32ReinterpretI32, f, i)
	add(wasm.OpF64ReinterpretI64, wasm.OpF64ReinterpretI64, d, l)
	add(wasm.OpI32Extend8S, wasm.OpI32Extend16S, i, i)
	add(wasm.OpI64Extend8S, wasm.OpI64Extend32S, l, l)
	add(wasm.OpI32TruncSatF32S, wasm.OpI32TruncSatF32U, i, f)
	add(wasm.OpI32TruncSatF64S, wasm.OpI32TruncSatF64U, i, d)
	add(wasm.OpI64TruncSatF32S, wasm.OpI64TruncSatF32U, l, f)
	add(wasm.OpI64TruncSatF64S, wasm.OpI64TruncSatF64U, l, d)
	return all
}()

// access is a load or store.
type access struct {
	op    wasm.Op
	t     wasm.ValueType
	align int // the most
}

var loads = []access{
	{wasm.OpI32Load, wasm.I32, 2}, {wasm.OpI64Load, wasm.I64, 3}, {wasm.OpF32Load, wasm.F32, 2}, {wasm.OpF64Load, wasm.F64, 3},
	{wasm.OpI32Load8S, wasm.I32, 0}, {wasm.OpI32Load8U, wasm.I32, 0}, {wasm.OpI32Load16S, wasm.I32, 1}, {wasm.OpI32Load16U, wasm.I32, 1},
	{wasm.OpI64Load8S, wasm.I64, 0}, {wasm.OpI64Load8U, wasm.I64, 0}, {wasm.OpI64Load16S, wasm.I64, 1}, {wasm.OpI64Load16U, wasm.I64, 1},
	{wasm.OpI64Load32S, wasm.I64, 2}, {wasm.OpI64Load32U, wasm.I64, 2},
}

var stores = []access{
	{wasm.OpI32Store, wasm.I32, 2}, {wasm.OpI64Store, wasm.I64, 3}, {wasm.OpF32Store, wasm.F32, 2}, {wasm.OpF64Store, wasm.F64, 3},
	{wasm.OpI32Store8, wasm.I32, 0}, {wasm.OpI32Store16, wasm.I32, 1}, {wasm.OpI64Store8, wasm.I64, 0}, {wasm.OpI64Store16, wasm.I64, 1},
	{wasm.OpI64Store32, wasm.I64, 2},
}
