package hostile

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
)

const (
	nan32 = 0x7fc0_0000
	nan64 = 0x7ff8_0000_0000_0000
)

// Bits of numbers, and of NaNs of each kind: quiet and signaling, of both signs, with and without payload.
var (
	bits32 = []uint32{
		0, 0x8000_0000, 0x3f80_0000, 0xbf80_0000, 0x3fc0_0000, 0x0000_0001, 0x7f7f_ffff, 0x7f80_0000, 0xff80_0000,
		nan32, 0xffc0_0000, 0x7fc0_0001, 0xffff_ffff, 0x7f80_0001, 0xff80_0001, 0x7fa0_0000, 0xffbf_ffff,
	}
	bits64 = []uint64{
		0, 1 << 63, 0x3ff0_0000_0000_0000, 0xbff0_0000_0000_0000, 0x3ff8_0000_0000_0000, 1, 0x7fef_ffff_ffff_ffff, 0x7ff0_0000_0000_0000, 0xfff0_0000_0000_0000,
		nan64, 0xfff8_0000_0000_0000, 0x7ff8_0000_0000_0001, 0xffff_ffff_ffff_ffff, 0x7ff0_0000_0000_0001, 0xfff0_0000_0000_0001, 0x7ff4_0000_0000_0000, 0xfff7_ffff_ffff_ffff,
	}
)

// canonical32 and canonical64 are the bits of a result of arithmetic.
func canonical32(f float32) uint64 {
	if f != f {
		return nan32
	}
	return uint64(math.Float32bits(f))
}

func canonical64(f float64) uint64 {
	if f != f {
		return nan64
	}
	return math.Float64bits(f)
}

// orNaN is min and max of Wasm: Go's prefer an infinity to a NaN.
func orNaN(f func(a, b float64) float64) func(a, b float64) float64 {
	return func(a, b float64) float64 {
		if a != a || b != b {
			return math.NaN()
		}
		return f(a, b)
	}
}

// Arithmetic whose result is no number gives one NaN, whatever its operands were and whichever machine it is.
func TestNaN(t *testing.T) {
	type op struct {
		name   string
		code   byte
		unary  bool
		result func(a, b float64) float64
	}
	ops := func(first byte) []op {
		one := func(f func(float64) float64) func(a, b float64) float64 {
			return func(a, _ float64) float64 { return f(a) }
		}
		return []op{
			{"ceil", first, true, one(math.Ceil)},
			{"floor", first + 1, true, one(math.Floor)},
			{"trunc", first + 2, true, one(math.Trunc)},
			{"nearest", first + 3, true, one(math.RoundToEven)},
			{"sqrt", first + 4, true, one(math.Sqrt)},
			{"add", first + 5, false, func(a, b float64) float64 { return a + b }},
			{"sub", first + 6, false, func(a, b float64) float64 { return a - b }},
			{"mul", first + 7, false, func(a, b float64) float64 { return a * b }},
			{"div", first + 8, false, func(a, b float64) float64 { return a / b }},
			{"min", first + 9, false, orNaN(math.Min)},
			{"max", first + 10, false, orNaN(math.Max)},
		}
	}
	var sums []sum
	for _, op := range ops(0x8d) {
		for _, a := range bits32 {
			for _, b := range bits32 {
				// A double has room for twice the digits of a float and two more, so rounding twice is rounding once.
				want := canonical32(float32(op.result(float64(math.Float32frombits(a)), float64(math.Float32frombits(b)))))
				s := sum{fmt.Sprintf("f32.%s %08x %08x", op.name, a, b), wt.Seq(f32(a), f32(b), wt.Raw(op.code)), 4, want}
				if op.unary {
					s.op = wt.Seq(f32(a), wt.Raw(op.code))
				}
				if sums = append(sums, s); op.unary {
					break
				}
			}
		}
	}
	for _, op := range ops(0x9b) {
		for _, a := range bits64 {
			for _, b := range bits64 {
				want := canonical64(op.result(math.Float64frombits(a), math.Float64frombits(b)))
				s := sum{fmt.Sprintf("f64.%s %016x %016x", op.name, a, b), wt.Seq(f64(a), f64(b), wt.Raw(op.code)), 8, want}
				if op.unary {
					s.op = wt.Seq(f64(a), wt.Raw(op.code))
				}
				if sums = append(sums, s); op.unary {
					break
				}
			}
		}
	}
	for _, a := range bits64 {
		sums = append(sums, sum{fmt.Sprintf("f32.demote %016x", a), wt.Seq(f64(a), wt.Raw(0xb6)), 4, canonical32(float32(math.Float64frombits(a)))})
	}
	for _, a := range bits32 {
		sums = append(sums, sum{fmt.Sprintf("f64.promote %08x", a), wt.Seq(f32(a), wt.Raw(0xbb)), 8, canonical64(float64(math.Float32frombits(a)))})
	}
	check(t, sums)
}

// What only moves bits, or changes a sign, leaves every other bit of a NaN alone.
func TestNaNThatIsOnlyMoved(t *testing.T) {
	var sums []sum
	for _, a := range bits32 {
		add := func(name string, want uint32, op ...wt.Op) {
			sums = append(sums, sum{fmt.Sprintf("%s %08x", name, a), wt.Seq(op...), 4, uint64(want)})
		}
		constant := binary.LittleEndian.AppendUint32(wt.Op{0x43}, a)
		add("f32.const", a, constant)
		add("f32.reinterpret_i32", a, f32(a))
		add("f32.reinterpret_i32 and back and again", a, f32(a), wt.Raw(0xbc, 0xbe))
		add("f32.store and f32.load", a, wt.I32(8), f32(a), wt.Raw(0x38, 2, 0), wt.I32(8), wt.Raw(0x2a, 2, 0))
		add("i32.store and f32.load", a, wt.I32(8), wt.U32(a), wt.StoreI32, wt.I32(8), wt.Raw(0x2a, 2, 0))
		add("f32.abs", a&^(1<<31), f32(a), wt.Raw(0x8b))
		add("f32.neg", a^1<<31, f32(a), wt.Raw(0x8c))
		add("f32.copysign of -1", a|1<<31, f32(a), wt.F32(-1), wt.Raw(0x98))
		add("f32.copysign of 1", a&^(1<<31), f32(a), wt.F32(1), wt.Raw(0x98))
		add("f32.copysign to 1", 0x3f80_0000|a&(1<<31), wt.F32(1), f32(a), wt.Raw(0x98))
		add("select", a, f32(a), wt.F32(1), load(0), wt.Raw(0x45, 0x1b))
		add("select f32", a, f32(a), wt.F32(1), load(0), wt.Raw(0x45, 0x1c, 1, wt.TypeF32))
		add("a block", a, wt.Raw(0x02, wt.TypeF32), f32(a), wt.Branch(0), wt.Raw(0x0b))
		add("an if", a, load(0), wt.Raw(0x04, wt.TypeF32), wt.F32(1), wt.Raw(0x05), f32(a), wt.Raw(0x0b))
		add("a call", a, f32(a), wt.Call(same32))
		add("a call through a table", a, f32(a), load(0), wt.CallIndirect(typeSame32))
	}
	for _, a := range bits64 {
		add := func(name string, want uint64, op ...wt.Op) {
			sums = append(sums, sum{fmt.Sprintf("%s %016x", name, a), wt.Seq(op...), 8, want})
		}
		constant := binary.LittleEndian.AppendUint64(wt.Op{0x44}, a)
		one := binary.LittleEndian.AppendUint64(wt.Op{0x44}, math.Float64bits(1))
		minus := binary.LittleEndian.AppendUint64(wt.Op{0x44}, math.Float64bits(-1))
		add("f64.const", a, constant)
		add("f64.reinterpret_i64", a, f64(a))
		add("f64.reinterpret_i64 and back and again", a, f64(a), wt.Raw(0xbd, 0xbf))
		add("f64.store and f64.load", a, wt.I32(8), f64(a), wt.Raw(0x39, 3, 0), wt.I32(8), wt.Raw(0x2b, 3, 0))
		add("f64.abs", a&^(1<<63), f64(a), wt.Raw(0x99))
		add("f64.neg", a^1<<63, f64(a), wt.Raw(0x9a))
		add("f64.copysign of -1", a|1<<63, f64(a), minus, wt.Raw(0xa6))
		add("f64.copysign of 1", a&^(1<<63), f64(a), one, wt.Raw(0xa6))
		add("f64.copysign to 1", math.Float64bits(1)|a&(1<<63), one, f64(a), wt.Raw(0xa6))
		add("select", a, f64(a), one, load(0), wt.Raw(0x45, 0x1b))
		add("a block", a, wt.Raw(0x02, wt.TypeF64), f64(a), wt.Branch(0), wt.Raw(0x0b))
		add("a call", a, f64(a), wt.Call(same64))
	}
	check(t, sums)
}

// A sum is an instruction or more that leave a float.
type sum struct {
	name string
	op   wt.Op
	size int // of the float
	want uint64
}

// f32 and f64 push a float of these bits, which no compiler knows.
func f32(bits uint32) wt.Op { return wt.Seq(wt.U32(bits), load(0), wt.AddI32, wt.Raw(0xbe)) }

func f64(bits uint64) wt.Op {
	return wt.Seq(wt.I64(int64(bits)), wt.I32(0), wt.Raw(0x29, 3, 0), wt.Raw(0x7c), wt.Raw(0xbf))
}

// The functions of the module that check makes, and a type.
const (
	ret, same32, same64 = 0, 1, 2
	typeSame32          = 1
)

// check has contracts do sums and return the bits of all results, and compares.
func check(t *testing.T, sums []sum) {
	t.Helper()
	const out, each, most = 64, 8, 1000
	for len(sums) > 0 {
		some := sums[:min(most, len(sums))]
		sums = sums[len(some):]
		m := wt.New()
		m.Import(abi.Module, "ret")
		m.Func([]byte{wt.TypeF32}, []byte{wt.TypeF32}, 0, wt.Get(0))
		m.Func([]byte{wt.TypeF64}, []byte{wt.TypeF64}, 0, wt.Get(0))
		m.Table(0, 1)
		m.Elements(0, same32)
		var body wt.Op
		for i, s := range some {
			store := wt.Raw(0x38, 2, 0)
			if s.size == 8 {
				store = wt.Raw(0x39, 3, 0)
			}
			body = append(body, wt.Seq(wt.I32(int32(out+each*i)), s.op, store)...)
		}
		n := len(some) * each
		head := cbor.AppendBytes(nil, make([]byte, n))
		head = head[:len(head)-n]
		m.DataAt(out-int32(len(head)), string(head))
		m.Export(abi.ExportCall, body, wt.I32(out-int32(len(head))), wt.I32(int32(len(head)+n)), wt.Call(ret))
		got := ends(t, m.Bytes(), way{}, receipt.OK, "").returned[len(head):]
		for i, s := range some {
			if have := binary.LittleEndian.Uint64([]byte(got[i*each:])); have != s.want {
				t.Errorf("%s = %0*x, want %0*x", s.name, 2*s.size, have, 2*s.size, s.want)
			}
		}
	}
}
