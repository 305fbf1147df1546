package gasbench

import (
	"encoding/binary"
	"strings"

	"github.com/wardledger/ward/runtime/abi"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
	"github.com/wardledger/ward/runtime/wasm"
)

// Locals of every contract here: two operands of each type, what results are gathered in, and the loop's count.
const (
	i32A, i32B, i32Sum, count = 0, 1, 2, 3
	i64A, i64B, i64Sum        = 4, 5, 6
	f32A, f32B                = 7, 8
	f64A, f64B                = 9, 10
)

// Of an unrolled loop.
const (
	unrolled = 64
	loops    = 2000
)

// first, second are the locals with the operands of a type.
var first = map[byte]int{'i': i32A, 'l': i64A, 'f': f32A, 'd': f64A}
var second = map[byte]int{'i': i32B, 'l': i64B, 'f': f32B, 'd': f64B}

// gather takes a value of a type from the stack, so that no compiler can leave out what made it.
func gather(kind byte) wt.Op {
	xor32, xor64 := wt.Raw(byte(wasm.OpI32Xor)), wt.Raw(byte(wasm.OpI64Xor))
	switch kind {
	case 'i':
		return wt.Seq(wt.Get(i32Sum), xor32, wt.Set(i32Sum))
	case 'l':
		return wt.Seq(wt.Get(i64Sum), xor64, wt.Set(i64Sum))
	case 'f':
		return wt.Seq(wt.Raw(byte(wasm.OpI32ReinterpretF32)), wt.Get(i32Sum), xor32, wt.Set(i32Sum))
	case 'd':
		return wt.Seq(wt.Raw(byte(wasm.OpI64ReinterpretF64)), wt.Get(i64Sum), xor64, wt.Set(i64Sum))
	}
	return nil
}

// function returns a contract's body: operands from memory, where no compiler knows them, the loop, and the sums back into
// memory.
func function(m *wt.Module, times int, body wt.Op) {
	m.DataAt(0, "\xfb\xff\xff\x7f\x07\x00\x00\x00") // i32: a large dividend, a small divisor
	m.DataAt(8, "\xfb\xff\xff\xff\xff\xff\xff\x7f\x07\x00\x00\x00\x00\x00\x00\x00")
	m.DataAt(24, "\x00\x00\xf7\x42\x00\x00\x80\x3f")                                 // f32 123.5, 1
	m.DataAt(32, "\x00\x00\x00\x00\x00\xe0\x5e\x40\x01\x00\x00\x00\x00\x00\xf0\x3f") // f64 123.5, a little more than 1
	load := func(op wasm.Op, at int32, local int) wt.Op {
		return wt.Seq(wt.I32(at), wt.Raw(byte(op), 0, 0), wt.Set(local))
	}
	f := m.FuncWith([]wt.Locals{{N: 4, Type: wt.TypeI32}, {N: 3, Type: wt.TypeI64}, {N: 2, Type: wt.TypeF32}, {N: 2, Type: wt.TypeF64}},
		load(wasm.OpI32Load, 0, i32A), load(wasm.OpI32Load, 4, i32B),
		load(wasm.OpI64Load, 8, i64A), load(wasm.OpI64Load, 16, i64B),
		load(wasm.OpF32Load, 24, f32A), load(wasm.OpF32Load, 28, f32B),
		load(wasm.OpF64Load, 32, f64A), load(wasm.OpF64Load, 40, f64B),
		wt.I32(int32(times)), wt.Set(count),
		wt.Loop(body, wt.Get(count), wt.I32(-1), wt.AddI32, wt.Raw(byte(wasm.OpLocalTee), count), wt.BranchIf(0)),
		wt.I32(64), wt.Get(i32Sum), wt.Get(i32A), wt.AddI32, wt.StoreI32,
		wt.I32(72), wt.Get(i64Sum), wt.Get(i64A), wt.Raw(byte(wasm.OpI64Add)), wt.StoreI64,
		wt.I32(80), wt.Get(f32A), wt.Raw(byte(wasm.OpF32Store), 2, 0),
		wt.I32(88), wt.Get(f64A), wt.Raw(byte(wasm.OpF64Store), 3, 0),
	)
	m.ExportFunc(abi.ExportCall, f)
}

// repeated is a contract that does the same thing over and over.
func repeated(name string, m *wt.Module, body wt.Op) work {
	all := make([]wt.Op, unrolled)
	for i := range all {
		all[i] = body
	}
	function(m, loops, wt.Seq(all...))
	return work{name: name, times: unrolled * loops, wasm: m.Bytes(), pages: m.Pages}
}

func encoded(op wasm.Op) wt.Op {
	if op < 256 {
		return wt.Raw(byte(op))
	}
	return wt.Raw(byte(op>>8), byte(op))
}

// instructions are those that take values and leave one: as many as run at once, and each on the result of the one before.
func instructions() (all []work) {
	for _, op := range wasm.Ops() {
		takes, leaves := op.Values()
		if takes == "" || op >= wasm.OpI32Load && op <= wasm.OpI64Store32 {
			continue
		}
		operands := wt.Get(first[takes[0]])
		if len(takes) == 2 {
			operands = wt.Seq(operands, wt.Get(second[takes[1]]))
		}
		all = append(all, repeated(op.String(), wt.New(), wt.Seq(operands, encoded(op), gather(leaves[0]))))
		if takes[0] == leaves[0] && !strings.Contains(op.String(), "div_") && !strings.Contains(op.String(), "rem_") {
			all = append(all, repeated(op.String(), wt.New(), wt.Seq(operands, encoded(op), wt.Set(first[takes[0]]))))
		}
	}
	return all
}

// structure are the instructions that move values and control.
func structure() (all []work) {
	add := func(name string, body ...wt.Op) { all = append(all, repeated(name, wt.New(), wt.Seq(body...))) }
	i := gather('i')
	add("local.get, set", wt.Get(i32A), wt.Set(i32B), wt.Get(i32B), i)
	add("local.tee", wt.Get(i32A), wt.Raw(byte(wasm.OpLocalTee), i32B), i)
	add("i32.const", wt.I32(12345), i)
	add("i64.const", wt.I64(1<<40), gather('l'))
	add("f64.const", wt.Raw(byte(wasm.OpF64Const), 0, 0, 0, 0, 0, 0, 0xf0, 0x3f), gather('d'))
	add("select", wt.Get(i32A), wt.Get(i32B), wt.Get(i32Sum), wt.Raw(byte(wasm.OpSelect)), i)
	add("drop", wt.Get(i32A), wt.Drop, wt.Get(i32B), i)
	add("block, br", wt.Block(wt.Get(i32A), i, wt.Branch(0)))
	add("br_if, not taken", wt.Block(wt.Get(i32Sum), wt.Raw(byte(wasm.OpI32Eqz)), wt.BranchIf(0), wt.Get(i32A), i))
	add("br_if, unforeseeable", wt.Block(
		// A linear congruential generator: its upper bits are as good as chance.
		wt.Get(i32A), wt.I32(1664525), wt.Raw(byte(wasm.OpI32Mul)), wt.I32(1013904223), wt.AddI32, wt.Raw(byte(wasm.OpLocalTee), i32A),
		wt.I32(0), wt.Raw(byte(wasm.OpI32LtS)), wt.BranchIf(0), wt.Get(i32A), i))
	add("if else", wt.Get(i32Sum), wt.Raw(byte(wasm.OpIf), 0x40), wt.Get(i32A), i, wt.Raw(byte(wasm.OpElse)), wt.Get(i32B), i, wt.Raw(byte(wasm.OpEnd)))
	table := func(index wt.Op) wt.Op {
		return wt.Block(wt.Block(wt.Block(wt.Block(
			index, wt.Raw(byte(wasm.OpBrTable), 3, 0, 1, 2, 3)),
			wt.Get(i32A), i), wt.Get(i32B), i), wt.I32(77), i)
	}
	add("br_table", table(wt.Seq(wt.Get(i32Sum), wt.I32(3), wt.Raw(byte(wasm.OpI32And)))))
	add("br_table, unforeseeable", table(wt.Seq(
		wt.Get(i32A), wt.I32(1664525), wt.Raw(byte(wasm.OpI32Mul)), wt.I32(1013904223), wt.AddI32, wt.Raw(byte(wasm.OpLocalTee), i32A),
		wt.I32(30), wt.Raw(byte(wasm.OpI32ShrU)))))

	global := wt.New()
	g := global.Global(5)
	all = append(all, repeated("global.get, set", global, wt.Seq(wt.GetGlobal(g), wt.Get(i32A), wt.AddI32, wt.SetGlobal(g))))

	leaf := wt.New()
	f := leaf.Func([]byte{wt.TypeI32}, []byte{wt.TypeI32}, 0, wt.Get(0))
	all = append(all, repeated("call, of a leaf", leaf, wt.Seq(wt.Get(i32A), wt.Call(f), i)))
	inner := wt.New()
	f = inner.Func([]byte{wt.TypeI32}, []byte{wt.TypeI32}, 0, wt.Get(0))
	f = inner.Func([]byte{wt.TypeI32}, []byte{wt.TypeI32}, 0, wt.Get(0), wt.Call(f))
	all = append(all, repeated("call, of a function that calls", inner, wt.Seq(wt.Get(i32A), wt.Call(f), i)))
	locals := wt.New()
	f = locals.Func([]byte{wt.TypeI32}, []byte{wt.TypeI32}, 500, wt.Get(0), wt.Get(300), wt.AddI32)
	all = append(all, repeated("call, of a function with 500 locals", locals, wt.Seq(wt.Get(i32A), wt.Call(f), i)))
	indirect := wt.New()
	indirect.Table(0, 4)
	t := indirect.Func([]byte{wt.TypeI32}, []byte{wt.TypeI32}, 0, wt.Get(0))
	indirect.Elements(0, t, t, t, t)
	all = append(all, repeated("call_indirect", indirect, wt.Seq(wt.Get(i32A), wt.Get(i32Sum), wt.I32(3), wt.Raw(byte(wasm.OpI32And)), wt.CallIndirect(0), i)))
	get := wt.New()
	get.Table(0, 4)
	all = append(all, repeated("table.get", get, wt.Seq(wt.I32(1), wt.Raw(byte(wasm.OpTableGet), 0), wt.Raw(byte(wasm.OpRefIsNull)), i)))
	size := wt.New()
	size.Table(0, 4)
	all = append(all, repeated("table.size", size, wt.Seq(wt.Raw(0xfc, 16, 0), i)))
	ref := wt.New()
	ref.Table(0, 4)
	r := ref.Func(nil, nil, 0)
	ref.Elements(0, r)
	all = append(all, repeated("ref.func", ref, wt.Seq(wt.Raw(byte(wasm.OpRefFunc), byte(r)), wt.Raw(byte(wasm.OpRefIsNull)), i)))
	loop := wt.New()
	function(loop, unrolled*loops, wt.Seq())
	return append(all, work{name: "loop, empty", times: unrolled * loops, wasm: loop.Bytes(), pages: 1})
}

// memories are loads and stores, one after the other and all over, and what moves many bytes.
func memories() (all []work) {
	for op := wasm.OpI32Load; op <= wasm.OpI64Store32; op++ {
		takes, leaves := op.Values()
		access := wt.Raw(byte(op), 0, 8)
		if leaves != "" {
			all = append(all, repeated(op.String(), wt.New(), wt.Seq(wt.I32(0), access, gather(leaves[0]))))
			if leaves == "i" { // each at an address that the one before has read
				all = append(all, repeated(op.String(), wt.New(), wt.Seq(wt.Get(i32A), wt.I32(0xff00), wt.Raw(byte(wasm.OpI32And)), access, wt.Set(i32A))))
			}
			continue
		}
		all = append(all, repeated(op.String(), wt.New(), wt.Seq(wt.I32(128), wt.Get(first[takes[1]]), access)))
	}
	const caches = "memory that no cache holds is as slow as the machine: a bound of MaxPages, not of a price, limits how much of it there is"
	for _, size := range []struct {
		name   string
		pages  uint32
		beyond string
	}{{"64 KiB", 1, ""}, {"1 MiB", 16, caches}, {"16 MiB", 256, caches}, {"64 MiB", 1024, caches}} {
		// Where to look next depends on what was read, and no prefetching foresees it.
		m := wt.New()
		m.Pages = size.pages
		mask := int32(size.pages*65536 - 1)
		w := repeated("i32.load, anywhere in "+size.name, m, wt.Seq(
			wt.Get(i32A), wt.I32(1664525), wt.Raw(byte(wasm.OpI32Mul)), wt.I32(1013904223), wt.AddI32,
			wt.Raw(byte(wasm.OpLocalTee), i32A), wt.I32(mask&^3), wt.Raw(byte(wasm.OpI32And)), wt.Raw(byte(wasm.OpI32Load), 0, 0),
			wt.Get(i32A), wt.AddI32, wt.Set(i32A)))
		w.beyond = size.beyond
		all = append(all, w)
	}
	page := func(number wt.Op) wt.Op {
		return wt.Seq(number, wt.I32(16), wt.Raw(byte(wasm.OpI32Shl)), wt.Set(i32B), touch())
	}
	size := wt.Raw(byte(wasm.OpMemorySize), 0)
	grow := wt.New()
	function(grow, 1000, page(wt.Seq(wt.I32(1), wt.Grow))) // it answers the number of the first page that has come
	all = append(all, work{name: "memory.grow, a page, and touched", times: 1000, wasm: grow.Bytes(), pages: 1})
	once := wt.New()
	function(once, 1000, wt.Seq(
		size, wt.I32(1), wt.EqI32, wt.If(wt.I32(1000), wt.Grow, wt.Drop),
		page(wt.Get(count))))
	all = append(all, work{name: "memory.grow, 1,000 pages, and touched", times: 1000, wasm: once.Bytes(), pages: 1})
	dirty := wt.New()
	dirty.Pages = 1024
	function(dirty, 1023, page(wt.Get(count)))
	all = append(all, work{name: "memory of 64 MiB, a page touched and put back", times: 1023, wasm: dirty.Bytes()})
	all = append(all, repeated("memory.size", wt.New(), wt.Seq(wt.Raw(byte(wasm.OpMemorySize), 0), gather('i'))))
	for _, n := range []struct {
		name string
		n    int32
	}{{"8 B", 8}, {"256 B", 256}, {"4 KiB", 4096}, {"32 KiB", 32768}} {
		all = append(all,
			repeated("memory.fill, "+n.name, wt.New(), wt.Seq(wt.I32(1024), wt.I32(7), wt.I32(n.n), wt.Fill)),
			repeated("memory.copy, "+n.name, wt.New(), wt.Seq(wt.I32(1024), wt.I32(32768-1024), wt.I32(n.n), wt.Raw(0xfc, 10, 0, 0))))
	}
	return all
}

// touch writes to each 4 KiB of the page that begins where i32B says.
func touch() (ops wt.Op) {
	for at := range uint64(16) {
		ops = append(ops, wt.Seq(wt.Get(i32B), wt.I32(1), binary.AppendUvarint(wt.Raw(byte(wasm.OpI32Store), 0), at<<12))...)
	}
	return ops
}
