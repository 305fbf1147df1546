package wasm

import "fmt"

// An Op is the code of an instruction: one byte, or 0xfc00 and what follows the prefix 0xfc.
type Op uint16

// The instructions.
const (
	OpUnreachable       Op = 0x0
	OpNop               Op = 0x1
	OpBlock             Op = 0x2
	OpLoop              Op = 0x3
	OpIf                Op = 0x4
	OpElse              Op = 0x5
	OpEnd               Op = 0xb
	OpBr                Op = 0xc
	OpBrIf              Op = 0xd
	OpBrTable           Op = 0xe
	OpReturn            Op = 0xf
	OpCall              Op = 0x10
	OpCallIndirect      Op = 0x11
	OpDrop              Op = 0x1a
	OpSelect            Op = 0x1b
	OpSelectT           Op = 0x1c
	OpLocalGet          Op = 0x20
	OpLocalSet          Op = 0x21
	OpLocalTee          Op = 0x22
	OpGlobalGet         Op = 0x23
	OpGlobalSet         Op = 0x24
	OpTableGet          Op = 0x25
	OpTableSet          Op = 0x26
	OpI32Load           Op = 0x28
	OpI64Load           Op = 0x29
	OpF32Load           Op = 0x2a
	OpF64Load           Op = 0x2b
	OpI32Load8S         Op = 0x2c
	OpI32Load8U         Op = 0x2d
	OpI32Load16S        Op = 0x2e
	OpI32Load16U        Op = 0x2f
	OpI64Load8S         Op = 0x30
	OpI64Load8U         Op = 0x31
	OpI64Load16S        Op = 0x32
	OpI64Load16U        Op = 0x33
	OpI64Load32S        Op = 0x34
	OpI64Load32U        Op = 0x35
	OpI32Store          Op = 0x36
	OpI64Store          Op = 0x37
	OpF32Store          Op = 0x38
	OpF64Store          Op = 0x39
	OpI32Store8         Op = 0x3a
	OpI32Store16        Op = 0x3b
	OpI64Store8         Op = 0x3c
	OpI64Store16        Op = 0x3d
	OpI64Store32        Op = 0x3e
	OpMemorySize        Op = 0x3f
	OpMemoryGrow        Op = 0x40
	OpI32Const          Op = 0x41
	OpI64Const          Op = 0x42
	OpF32Const          Op = 0x43
	OpF64Const          Op = 0x44
	OpI32Eqz            Op = 0x45
	OpI32Eq             Op = 0x46
	OpI32Ne             Op = 0x47
	OpI32LtS            Op = 0x48
	OpI32LtU            Op = 0x49
	OpI32GtS            Op = 0x4a
	OpI32GtU            Op = 0x4b
	OpI32LeS            Op = 0x4c
	OpI32LeU            Op = 0x4d
	OpI32GeS            Op = 0x4e
	OpI32GeU            Op = 0x4f
	OpI64Eqz            Op = 0x50
	OpI64Eq             Op = 0x51
	OpI64Ne             Op = 0x52
	OpI64LtS            Op = 0x53
	OpI64LtU            Op = 0x54
	OpI64GtS            Op = 0x55
	OpI64GtU            Op = 0x56
	OpI64LeS            Op = 0x57
	OpI64LeU            Op = 0x58
	OpI64GeS            Op = 0x59
	OpI64GeU            Op = 0x5a
	OpF32Eq             Op = 0x5b
	OpF32Ne             Op = 0x5c
	OpF32Lt             Op = 0x5d
	OpF32Gt             Op = 0x5e
	OpF32Le             Op = 0x5f
	OpF32Ge             Op = 0x60
	OpF64Eq             Op = 0x61
	OpF64Ne             Op = 0x62
	OpF64Lt             Op = 0x63
	OpF64Gt             Op = 0x64
	OpF64Le             Op = 0x65
	OpF64Ge             Op = 0x66
	OpI32Clz            Op = 0x67
	OpI32Ctz            Op = 0x68
	OpI32Popcnt         Op = 0x69
	OpI32Add            Op = 0x6a
	OpI32Sub            Op = 0x6b
	OpI32Mul            Op = 0x6c
	OpI32DivS           Op = 0x6d
	OpI32DivU           Op = 0x6e
	OpI32RemS           Op = 0x6f
	OpI32RemU           Op = 0x70
	OpI32And            Op = 0x71
	OpI32Or             Op = 0x72
	OpI32Xor            Op = 0x73
	OpI32Shl            Op = 0x74
	OpI32ShrS           Op = 0x75
	OpI32ShrU           Op = 0x76
	OpI32Rotl           Op = 0x77
	OpI32Rotr           Op = 0x78
	OpI64Clz            Op = 0x79
	OpI64Ctz            Op = 0x7a
	OpI64Popcnt         Op = 0x7b
	OpI64Add            Op = 0x7c
	OpI64Sub            Op = 0x7d
	OpI64Mul            Op = 0x7e
	OpI64DivS           Op = 0x7f
	OpI64DivU           Op = 0x80
	OpI64RemS           Op = 0x81
	OpI64RemU           Op = 0x82
	OpI64And            Op = 0x83
	OpI64Or             Op = 0x84
	OpI64Xor            Op = 0x85
	OpI64Shl            Op = 0x86
	OpI64ShrS           Op = 0x87
	OpI64ShrU           Op = 0x88
	OpI64Rotl           Op = 0x89
	OpI64Rotr           Op = 0x8a
	OpF32Abs            Op = 0x8b
	OpF32Neg            Op = 0x8c
	OpF32Ceil           Op = 0x8d
	OpF32Floor          Op = 0x8e
	OpF32Trunc          Op = 0x8f
	OpF32Nearest        Op = 0x90
	OpF32Sqrt           Op = 0x91
	OpF32Add            Op = 0x92
	OpF32Sub            Op = 0x93
	OpF32Mul            Op = 0x94
	OpF32Div            Op = 0x95
	OpF32Min            Op = 0x96
	OpF32Max            Op = 0x97
	OpF32Copysign       Op = 0x98
	OpF64Abs            Op = 0x99
	OpF64Neg            Op = 0x9a
	OpF64Ceil           Op = 0x9b
	OpF64Floor          Op = 0x9c
	OpF64Trunc          Op = 0x9d
	OpF64Nearest        Op = 0x9e
	OpF64Sqrt           Op = 0x9f
	OpF64Add            Op = 0xa0
	OpF64Sub            Op = 0xa1
	OpF64Mul            Op = 0xa2
	OpF64Div            Op = 0xa3
	OpF64Min            Op = 0xa4
	OpF64Max            Op = 0xa5
	OpF64Copysign       Op = 0xa6
	OpI32WrapI64        Op = 0xa7
	OpI32TruncF32S      Op = 0xa8
	OpI32TruncF32U      Op = 0xa9
	OpI32TruncF64S      Op = 0xaa
	OpI32TruncF64U      Op = 0xab
	OpI64ExtendI32S     Op = 0xac
	OpI64ExtendI32U     Op = 0xad
	OpI64TruncF32S      Op = 0xae
	OpI64TruncF32U      Op = 0xaf
	OpI64TruncF64S      Op = 0xb0
	OpI64TruncF64U      Op = 0xb1
	OpF32ConvertI32S    Op = 0xb2
	OpF32ConvertI32U    Op = 0xb3
	OpF32ConvertI64S    Op = 0xb4
	OpF32ConvertI64U    Op = 0xb5
	OpF32DemoteF64      Op = 0xb6
	OpF64ConvertI32S    Op = 0xb7
	OpF64ConvertI32U    Op = 0xb8
	OpF64ConvertI64S    Op = 0xb9
	OpF64ConvertI64U    Op = 0xba
	OpF64PromoteF32     Op = 0xbb
	OpI32ReinterpretF32 Op = 0xbc
	OpI64ReinterpretF64 Op = 0xbd
	OpF32ReinterpretI32 Op = 0xbe
	OpF64ReinterpretI64 Op = 0xbf
	OpI32Extend8S       Op = 0xc0
	OpI32Extend16S      Op = 0xc1
	OpI64Extend8S       Op = 0xc2
	OpI64Extend16S      Op = 0xc3
	OpI64Extend32S      Op = 0xc4
	OpRefNull           Op = 0xd0
	OpRefIsNull         Op = 0xd1
	OpRefFunc           Op = 0xd2
	OpI32TruncSatF32S   Op = 0xfc00
	OpI32TruncSatF32U   Op = 0xfc01
	OpI32TruncSatF64S   Op = 0xfc02
	OpI32TruncSatF64U   Op = 0xfc03
	OpI64TruncSatF32S   Op = 0xfc04
	OpI64TruncSatF32U   Op = 0xfc05
	OpI64TruncSatF64S   Op = 0xfc06
	OpI64TruncSatF64U   Op = 0xfc07
	OpMemoryInit        Op = 0xfc08
	OpDataDrop          Op = 0xfc09
	OpMemoryCopy        Op = 0xfc0a
	OpMemoryFill        Op = 0xfc0b
	OpTableInit         Op = 0xfc0c
	OpElemDrop          Op = 0xfc0d
	OpTableCopy         Op = 0xfc0e
	OpTableGrow         Op = 0xfc0f
	OpTableSize         Op = 0xfc10
	OpTableFill         Op = 0xfc11
)

// prefixed are the instructions behind 0xfc.
const prefix = 0xfc

// operation is what is known of an instruction: its name, and of one that only takes and
// leaves values their types, one letter each: i and l for i32 and i64, f and d for f32 and f64.
type operation struct{ name, takes, leaves string }

// operations holds every instruction that exists here by its code; the ones behind the
// prefix start at 256.
var operations = [...]operation{
	0x0:   {name: "unreachable"},
	0x1:   {name: "nop"},
	0x2:   {name: "block"},
	0x3:   {name: "loop"},
	0x4:   {name: "if"},
	0x5:   {name: "else"},
	0xb:   {name: "end"},
	0xc:   {name: "br"},
	0xd:   {name: "br_if"},
	0xe:   {name: "br_table"},
	0xf:   {name: "return"},
	0x10:  {name: "call"},
	0x11:  {name: "call_indirect"},
	0x1a:  {name: "drop"},
	0x1b:  {name: "select"},
	0x1c:  {name: "select"},
	0x20:  {name: "local.get"},
	0x21:  {name: "local.set"},
	0x22:  {name: "local.tee"},
	0x23:  {name: "global.get"},
	0x24:  {name: "global.set"},
	0x25:  {name: "table.get"},
	0x26:  {name: "table.set"},
	0x28:  {"i32.load", "i", "i"},
	0x29:  {"i64.load", "i", "l"},
	0x2a:  {"f32.load", "i", "f"},
	0x2b:  {"f64.load", "i", "d"},
	0x2c:  {"i32.load8_s", "i", "i"},
	0x2d:  {"i32.load8_u", "i", "i"},
	0x2e:  {"i32.load16_s", "i", "i"},
	0x2f:  {"i32.load16_u", "i", "i"},
	0x30:  {"i64.load8_s", "i", "l"},
	0x31:  {"i64.load8_u", "i", "l"},
	0x32:  {"i64.load16_s", "i", "l"},
	0x33:  {"i64.load16_u", "i", "l"},
	0x34:  {"i64.load32_s", "i", "l"},
	0x35:  {"i64.load32_u", "i", "l"},
	0x36:  {"i32.store", "ii", ""},
	0x37:  {"i64.store", "il", ""},
	0x38:  {"f32.store", "if", ""},
	0x39:  {"f64.store", "id", ""},
	0x3a:  {"i32.store8", "ii", ""},
	0x3b:  {"i32.store16", "ii", ""},
	0x3c:  {"i64.store8", "il", ""},
	0x3d:  {"i64.store16", "il", ""},
	0x3e:  {"i64.store32", "il", ""},
	0x3f:  {name: "memory.size"},
	0x40:  {name: "memory.grow"},
	0x41:  {name: "i32.const"},
	0x42:  {name: "i64.const"},
	0x43:  {name: "f32.const"},
	0x44:  {name: "f64.const"},
	0x45:  {"i32.eqz", "i", "i"},
	0x46:  {"i32.eq", "ii", "i"},
	0x47:  {"i32.ne", "ii", "i"},
	0x48:  {"i32.lt_s", "ii", "i"},
	0x49:  {"i32.lt_u", "ii", "i"},
	0x4a:  {"i32.gt_s", "ii", "i"},
	0x4b:  {"i32.gt_u", "ii", "i"},
	0x4c:  {"i32.le_s", "ii", "i"},
	0x4d:  {"i32.le_u", "ii", "i"},
	0x4e:  {"i32.ge_s", "ii", "i"},
	0x4f:  {"i32.ge_u", "ii", "i"},
	0x50:  {"i64.eqz", "l", "i"},
	0x51:  {"i64.eq", "ll", "i"},
	0x52:  {"i64.ne", "ll", "i"},
	0x53:  {"i64.lt_s", "ll", "i"},
	0x54:  {"i64.lt_u", "ll", "i"},
	0x55:  {"i64.gt_s", "ll", "i"},
	0x56:  {"i64.gt_u", "ll", "i"},
	0x57:  {"i64.le_s", "ll", "i"},
	0x58:  {"i64.le_u", "ll", "i"},
	0x59:  {"i64.ge_s", "ll", "i"},
	0x5a:  {"i64.ge_u", "ll", "i"},
	0x5b:  {"f32.eq", "ff", "i"},
	0x5c:  {"f32.ne", "ff", "i"},
	0x5d:  {"f32.lt", "ff", "i"},
	0x5e:  {"f32.gt", "ff", "i"},
	0x5f:  {"f32.le", "ff", "i"},
	0x60:  {"f32.ge", "ff", "i"},
	0x61:  {"f64.eq", "dd", "i"},
	0x62:  {"f64.ne", "dd", "i"},
	0x63:  {"f64.lt", "dd", "i"},
	0x64:  {"f64.gt", "dd", "i"},
	0x65:  {"f64.le", "dd", "i"},
	0x66:  {"f64.ge", "dd", "i"},
	0x67:  {"i32.clz", "i", "i"},
	0x68:  {"i32.ctz", "i", "i"},
	0x69:  {"i32.popcnt", "i", "i"},
	0x6a:  {"i32.add", "ii", "i"},
	0x6b:  {"i32.sub", "ii", "i"},
	0x6c:  {"i32.mul", "ii", "i"},
	0x6d:  {"i32.div_s", "ii", "i"},
	0x6e:  {"i32.div_u", "ii", "i"},
	0x6f:  {"i32.rem_s", "ii", "i"},
	0x70:  {"i32.rem_u", "ii", "i"},
	0x71:  {"i32.and", "ii", "i"},
	0x72:  {"i32.or", "ii", "i"},
	0x73:  {"i32.xor", "ii", "i"},
	0x74:  {"i32.shl", "ii", "i"},
	0x75:  {"i32.shr_s", "ii", "i"},
	0x76:  {"i32.shr_u", "ii", "i"},
	0x77:  {"i32.rotl", "ii", "i"},
	0x78:  {"i32.rotr", "ii", "i"},
	0x79:  {"i64.clz", "l", "l"},
	0x7a:  {"i64.ctz", "l", "l"},
	0x7b:  {"i64.popcnt", "l", "l"},
	0x7c:  {"i64.add", "ll", "l"},
	0x7d:  {"i64.sub", "ll", "l"},
	0x7e:  {"i64.mul", "ll", "l"},
	0x7f:  {"i64.div_s", "ll", "l"},
	0x80:  {"i64.div_u", "ll", "l"},
	0x81:  {"i64.rem_s", "ll", "l"},
	0x82:  {"i64.rem_u", "ll", "l"},
	0x83:  {"i64.and", "ll", "l"},
	0x84:  {"i64.or", "ll", "l"},
	0x85:  {"i64.xor", "ll", "l"},
	0x86:  {"i64.shl", "ll", "l"},
	0x87:  {"i64.shr_s", "ll", "l"},
	0x88:  {"i64.shr_u", "ll", "l"},
	0x89:  {"i64.rotl", "ll", "l"},
	0x8a:  {"i64.rotr", "ll", "l"},
	0x8b:  {"f32.abs", "f", "f"},
	0x8c:  {"f32.neg", "f", "f"},
	0x8d:  {"f32.ceil", "f", "f"},
	0x8e:  {"f32.floor", "f", "f"},
	0x8f:  {"f32.trunc", "f", "f"},
	0x90:  {"f32.nearest", "f", "f"},
	0x91:  {"f32.sqrt", "f", "f"},
	0x92:  {"f32.add", "ff", "f"},
	0x93:  {"f32.sub", "ff", "f"},
	0x94:  {"f32.mul", "ff", "f"},
	0x95:  {"f32.div", "ff", "f"},
	0x96:  {"f32.min", "ff", "f"},
	0x97:  {"f32.max", "ff", "f"},
	0x98:  {"f32.copysign", "ff", "f"},
	0x99:  {"f64.abs", "d", "d"},
	0x9a:  {"f64.neg", "d", "d"},
	0x9b:  {"f64.ceil", "d", "d"},
	0x9c:  {"f64.floor", "d", "d"},
	0x9d:  {"f64.trunc", "d", "d"},
	0x9e:  {"f64.nearest", "d", "d"},
	0x9f:  {"f64.sqrt", "d", "d"},
	0xa0:  {"f64.add", "dd", "d"},
	0xa1:  {"f64.sub", "dd", "d"},
	0xa2:  {"f64.mul", "dd", "d"},
	0xa3:  {"f64.div", "dd", "d"},
	0xa4:  {"f64.min", "dd", "d"},
	0xa5:  {"f64.max", "dd", "d"},
	0xa6:  {"f64.copysign", "dd", "d"},
	0xa7:  {"i32.wrap_i64", "l", "i"},
	0xa8:  {"i32.trunc_f32_s", "f", "i"},
	0xa9:  {"i32.trunc_f32_u", "f", "i"},
	0xaa:  {"i32.trunc_f64_s", "d", "i"},
	0xab:  {"i32.trunc_f64_u", "d", "i"},
	0xac:  {"i64.extend_i32_s", "i", "l"},
	0xad:  {"i64.extend_i32_u", "i", "l"},
	0xae:  {"i64.trunc_f32_s", "f", "l"},
	0xaf:  {"i64.trunc_f32_u", "f", "l"},
	0xb0:  {"i64.trunc_f64_s", "d", "l"},
	0xb1:  {"i64.trunc_f64_u", "d", "l"},
	0xb2:  {"f32.convert_i32_s", "i", "f"},
	0xb3:  {"f32.convert_i32_u", "i", "f"},
	0xb4:  {"f32.convert_i64_s", "l", "f"},
	0xb5:  {"f32.convert_i64_u", "l", "f"},
	0xb6:  {"f32.demote_f64", "d", "f"},
	0xb7:  {"f64.convert_i32_s", "i", "d"},
	0xb8:  {"f64.convert_i32_u", "i", "d"},
	0xb9:  {"f64.convert_i64_s", "l", "d"},
	0xba:  {"f64.convert_i64_u", "l", "d"},
	0xbb:  {"f64.promote_f32", "f", "d"},
	0xbc:  {"i32.reinterpret_f32", "f", "i"},
	0xbd:  {"i64.reinterpret_f64", "d", "l"},
	0xbe:  {"f32.reinterpret_i32", "i", "f"},
	0xbf:  {"f64.reinterpret_i64", "l", "d"},
	0xc0:  {"i32.extend8_s", "i", "i"},
	0xc1:  {"i32.extend16_s", "i", "i"},
	0xc2:  {"i64.extend8_s", "l", "l"},
	0xc3:  {"i64.extend16_s", "l", "l"},
	0xc4:  {"i64.extend32_s", "l", "l"},
	0xd0:  {name: "ref.null"},
	0xd1:  {name: "ref.is_null"},
	0xd2:  {name: "ref.func"},
	0x100: {"i32.trunc_sat_f32_s", "f", "i"},
	0x101: {"i32.trunc_sat_f32_u", "f", "i"},
	0x102: {"i32.trunc_sat_f64_s", "d", "i"},
	0x103: {"i32.trunc_sat_f64_u", "d", "i"},
	0x104: {"i64.trunc_sat_f32_s", "f", "l"},
	0x105: {"i64.trunc_sat_f32_u", "f", "l"},
	0x106: {"i64.trunc_sat_f64_s", "d", "l"},
	0x107: {"i64.trunc_sat_f64_u", "d", "l"},
	0x108: {name: "memory.init"},
	0x109: {name: "data.drop"},
	0x10a: {name: "memory.copy"},
	0x10b: {name: "memory.fill"},
	0x10c: {name: "table.init"},
	0x10d: {name: "elem.drop"},
	0x10e: {name: "table.copy"},
	0x10f: {name: "table.grow"},
	0x110: {name: "table.size"},
	0x111: {name: "table.fill"},
}

// index is the place of an instruction in operations.
func (o Op) index() int {
	if o>>8 == prefix {
		return 256 + int(o&0xff)
	}
	return int(o)
}

// known reports whether there is such an instruction here.
func (o Op) known() bool {
	i := o.index()
	return i < len(operations) && operations[i].name != ""
}

func (o Op) String() string {
	if o.known() {
		return operations[o.index()].name
	}
	return fmt.Sprintf("instruction %#x", uint16(o))
}

// Values returns the types of what an instruction takes and leaves that does nothing else, a letter each: i and l for i32 and i64, f
// and d for f32 and f64. Of any other both are empty.
func (o Op) Values() (takes, leaves string) {
	if !o.known() {
		return "", ""
	}
	return operations[o.index()].takes, operations[o.index()].leaves
}

// Ops returns every instruction, in the order of their codes.
func Ops() (all []Op) {
	for i := range operations {
		if operations[i].name == "" {
			continue
		}
		if i < 256 {
			all = append(all, Op(i))
		} else {
			all = append(all, Op(prefix<<8|(i-256)))
		}
	}
	return all
}
