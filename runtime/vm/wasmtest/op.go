package wasmtest

import (
	"encoding/binary"
	"math"
)

// Op is an instruction, or several.
type Op []byte

// Raw is any bytes.
func Raw(b ...byte) Op { return b }

// I32 pushes a number.
func I32(v int32) Op { return appendSigned(Op{0x41}, int64(v)) }

// U32 pushes a number that may be beyond the signed ones, such as a forged pointer.
func U32(v uint32) Op { return I32(int32(v)) }

// I64 pushes a number.
func I64(v int64) Op { return appendSigned(Op{0x42}, v) }

// F32 pushes a number.
func F32(v float32) Op {
	return binary.LittleEndian.AppendUint32(Op{0x43}, math.Float32bits(v))
}

// Call calls a function.
func Call(f int) Op { return binary.AppendUvarint(Op{0x10}, uint64(f)) }

// CallIndirect calls what stands in the first table, as a function of type t.
func CallIndirect(t int) Op { return append(binary.AppendUvarint(Op{0x11}, uint64(t)), 0) }

// Get and Set read and write a local; SetGlobal and GetGlobal a global.
func Get(local int) Op     { return binary.AppendUvarint(Op{0x20}, uint64(local)) }
func Set(local int) Op     { return binary.AppendUvarint(Op{0x21}, uint64(local)) }
func GetGlobal(g int) Op   { return binary.AppendUvarint(Op{0x23}, uint64(g)) }
func SetGlobal(g int) Op   { return binary.AppendUvarint(Op{0x24}, uint64(g)) }
func Loop(body ...Op) Op   { return block(0x03, body) } // Branch(0) inside starts it again
func Block(body ...Op) Op  { return block(0x02, body) } // Branch(0) inside leaves it
func If(body ...Op) Op     { return block(0x04, body) }
func Branch(depth int) Op  { return binary.AppendUvarint(Op{0x0c}, uint64(depth)) }
func BranchIf(up int) Op   { return binary.AppendUvarint(Op{0x0d}, uint64(up)) }
func LoadI32(at int32) Op  { return append(I32(at), 0x28, 2, 0) }
func Seq(ops ...Op) (s Op) { return flat(nil, ops) }

// Single instructions.
var (
	Unreachable = Op{0x00}
	Nop         = Op{0x01}
	Return      = Op{0x0f}
	Drop        = Op{0x1a}
	StoreI32    = Op{0x36, 2, 0}
	StoreI64    = Op{0x37, 3, 0}
	Grow        = Op{0x40, 0}
	EqI32       = Op{0x46}
	NeI32       = Op{0x47}
	LtU32       = Op{0x49}
	AddI32      = Op{0x6a}
	DivS32      = Op{0x6d}
	TruncF32    = Op{0xa8} // to i32
	Fill        = Op{0xfc, 11, 0}
	TableGrow   = Op{0xfc, 15, 0}
	NullFunc    = Op{0xd0, 0x70}
)

func block(op byte, body []Op) Op { return append(flat(Op{op, 0x40}, body), 0x0b) }

func flat(b Op, ops []Op) Op {
	for _, op := range ops {
		b = append(b, op...)
	}
	return b
}

// appendSigned appends signed LEB128.
func appendSigned(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}
