package wasm

import "fmt"

// An Instruction is one of a function's body or of a constant expression.
type Instruction struct {
	Op    Op
	Start int // offset in the module
	End   int // of what follows

	Index   uint32    // of a function, local, global, table, type, segment or memory; of br and br_if the label
	Second  uint32    // of call_indirect and of what works on two tables: the table, the source
	Block   BlockType // of block, loop and if
	Targets []uint32  // of br_table, the default last; good until the next instruction is read
	Align   uint32    // of loads and stores: the exponent
	Offset  uint32    // of loads and stores
	Type    ValueType // of select with a type, ref.null
	Int     int64     // of i32.const and i64.const
}

// A BlockType is the type of a block: of one that takes and leaves nothing, of one that leaves
// a value, or the index of a function type.
type BlockType int64

// The values below zero, as they are encoded.
const blockEmpty BlockType = -64

// Of returns the function type that a block has in a module. ok is false if there is no such type.
func (b BlockType) Of(m *Module) (t FuncType, ok bool) {
	switch {
	case b == blockEmpty:
		return FuncType{}, true
	case b < 0:
		return FuncType{Results: singles[byte(b)&0x7f]}, true
	case int(b) < len(m.Types):
		return m.Types[b], true
	}
	return FuncType{}, false
}

// Index returns the index of the function type, if the block has one.
func (b BlockType) Index() (uint32, bool) { return uint32(b), b >= 0 }

var singles = [128][]ValueType{
	I32: {I32}, I64: {I64}, F32: {F32}, F64: {F64}, FuncRef: {FuncRef}, ExternRef: {ExternRef},
}

// maxTargets is the most labels of a br_table besides the default.
const maxTargets = 1 << 16

// Reader reads the instructions of a function one after the other.
type Reader struct {
	r       reader
	targets []uint32
}

// Read begins with a body of a module, whose bytes Decode was given.
func (r *Reader) Read(section string, index int, code []byte, offset int) {
	// As if it began at offset, so that errors say where in the module.
	r.r = reader{b: code, end: len(code), section: section, index: index}
	r.r.base(offset)
}

// Next returns the next instruction. ok is false at the end of the bytes; an error is an [*Error].
func (r *Reader) Next() (in Instruction, ok bool, err error) {
	if r.r.at >= r.r.end {
		return Instruction{}, false, nil
	}
	r.r.targets = r.targets[:0]
	in = r.r.instruction()
	r.targets = r.r.targets
	if r.r.err != nil {
		return Instruction{}, false, r.r.err
	}
	return in, true, nil
}

// instruction reads one instruction. Those of features that are not allowed say so.
func (r *reader) instruction() (in Instruction) {
	in.Start = r.at + r.shift
	at := r.at
	code := r.byte()
	in.Op = Op(code)
	if code == prefix {
		sub := r.u32()
		if r.err == nil && sub > 0xff {
			r.failAt(at, "there is no instruction %#x %d", code, sub)
		}
		in.Op = Op(prefix<<8 | sub&0xff)
	}
	if r.err != nil {
		return in
	}
	if !in.Op.known() {
		r.failAt(at, "%s", unknownOp(code))
		return in
	}
	switch o := in.Op; {
	case o == OpBlock || o == OpLoop || o == OpIf:
		in.Block = r.blockType()
	case o == OpBr || o == OpBrIf || o == OpCall || o >= OpLocalGet && o <= OpTableSet || o == OpRefFunc ||
		o == OpElemDrop || o == OpDataDrop || o >= OpTableGrow && o <= OpTableFill:
		in.Index = r.u32()
	case o == OpBrTable:
		n := r.count("labels", 1, maxTargets)
		for range n + 1 {
			r.targets = append(r.targets, r.u32())
		}
		in.Targets = r.targets
	case o == OpCallIndirect || o == OpTableInit || o == OpTableCopy:
		in.Index = r.u32()
		in.Second = r.u32()
	case o == OpSelectT:
		if n := r.u32(); r.err == nil && n != 1 {
			r.failAt(at, "select with %d types", n)
		}
		in.Type = r.valueType()
	case o >= OpI32Load && o <= OpI64Store32:
		in.Align = r.u32()
		in.Offset = r.u32()
	case o == OpMemorySize || o == OpMemoryGrow || o == OpMemoryFill:
		r.zero("memory")
	case o == OpMemoryCopy:
		r.zero("memory")
		r.zero("memory")
	case o == OpMemoryInit:
		in.Index = r.u32()
		r.zero("memory")
	case o == OpI32Const:
		in.Int = r.signed(32)
	case o == OpI64Const:
		in.Int = r.signed(64)
	case o == OpF32Const:
		r.bytes(4)
	case o == OpF64Const:
		r.bytes(8)
	case o == OpRefNull:
		in.Type = r.refType()
	}
	in.End = r.at + r.shift
	return in
}

// zero reads an index that can only be 0, in one byte.
func (r *reader) zero(what string) {
	if b := r.byte(); r.err == nil && b != 0 {
		r.failAt(r.at-1, "more than one %s is not allowed", what)
	}
}

func (r *reader) blockType() BlockType {
	at := r.at
	v := r.signed(33)
	switch {
	case r.err != nil:
		return 0
	case v < 0 && r.at > at+1: // a type is one byte, only an index is a number
		r.failAt(at, "a type of a block that is not known")
		return 0
	case v >= 0 || v == int64(blockEmpty):
		return BlockType(v)
	case v > -64 && singles[byte(v)&0x7f] != nil:
		return BlockType(v)
	}
	if v < -64 {
		r.failAt(at, "a type of a block that is not known")
	} else {
		r.failAt(at, "%s", valueTypeRule(ValueType(byte(v)&0x7f)))
	}
	return 0
}

// unknownOp says to which feature an instruction belongs that is not allowed.
func unknownOp(code byte) string {
	feature := ""
	switch code {
	case 0x06, 0x07, 0x08, 0x09, 0x0a, 0x18, 0x19, 0x1f:
		feature = "exceptions"
	case 0x12, 0x13:
		feature = "tail calls"
	case 0x14, 0x15, 0xd3, 0xd4, 0xd5, 0xd6, 0xfb:
		feature = "typed references and garbage collection"
	case 0xfd:
		feature = "SIMD"
	case 0xfe:
		feature = "threads"
	default:
		return fmt.Sprintf("there is no instruction %#02x", code)
	}
	return fmt.Sprintf("instruction %#02x belongs to %s, which are not allowed", code, feature)
}
