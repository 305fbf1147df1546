package vet

import (
	"github.com/wardledger/ward/runtime/meter"
	"github.com/wardledger/ward/runtime/wasm"
)

// Work says how much it takes to vet, rewrite and compile a module that Module or Shape has returned. Whoever activates
// the module pays for it at a constant price per unit. A unit is about a tenth of a microsecond of one core: what a plain
// instruction takes, its part of register allocation included. No module that is known takes more than three times as
// long for a unit as one of plain Go does (BenchmarkBombs).
//
// It is counted from the module alone, in integers, and part of consensus.
//
// wazero's compiler is not linear. What a function costs beyond its instructions is
//
//	instructions           twice as much in a function that leaves the processor's caches
//	blocks²                what dominates what: each edge walks up the tree
//	blocks × live values   locals and operands that are alive where a block begins: a map entry, a phi, a spill slot
//	joins × locals²        phis that turn out to be the same value, found by going round for each level of loops
//	walks                  a read that goes back from block to block up to where its local was set
//
// The compiler's blocks are more than the module's: the rewriter looks at the gas in every loop.
func Work(m *wasm.Module) uint64 {
	w, err := weigh(m)
	if err != nil {
		panic("BUG: vet: the work of a module that was not vetted: " + err.Error())
	}
	return w
}

// What things outside of code take, in units of work.
const (
	workFunction = 80 // entry, exit, a piece of executable memory
	workType     = 20 // an entry into functions of the type
	workItem     = 10 // an import, export or global
	workSegment  = 5
	workSection  = 5
	workBytes    = 32 // so many bytes are 1
	workLocals   = 4  // so many locals are 1
)

// What instructions and the parts of their functions take, in units of work.
const (
	workBlock    = 12      // a block of the compiler
	workCheck    = 10      // a look at the gas
	workLive     = 3       // a value that is alive where a block begins, or is passed to or from a function
	workValue    = 1       // a value that is passed to a label
	freeLive     = 8       // so many values a block has for nothing: they are in registers
	workNear     = 1 << 16 // what goes beyond is twice as much: every pass finds the function out of the processor's caches
	workSquare   = 32      // so many pairs of blocks are 1
	workPhis     = 192     // so many pairs of locals, at an edge that meets others and in a level of loops, are 1
	workWalk     = 4       // so many steps back to where a local was set are 1
	workLoad     = 10      // with the look at the bounds
	workSlow     = 4
	workNaN      = 15 // an instruction behind which a NaN is replaced
	workTruncate = 12
	workDivide   = 10
	workCall     = 7
	workIndirect = 100
	workBulk     = 55
	workFill     = 90
)

// blocks of the compiler that an instruction begins, after rewriting.
const (
	blocksBlock = 1
	blocksLoop  = 4 // its head, what follows, and two for the look at the gas
	blocksIf    = 3
	blocksBrIf  = 2
	blocksBulk  = 4 // a loop of the compiler's own
)

// weigh returns the work of a valid module. The error says which bound of a function it breaks, or
// that it is too much work.
func weigh(m *wasm.Module) (uint64, error) {
	total := uint64(0)
	for _, s := range m.Sections {
		total += workSection + uint64(len(s.Bytes))/workBytes
	}
	for _, t := range m.Types {
		total += workType + workLive*uint64(len(t.Params)+len(t.Results))
	}
	total += workItem * uint64(len(m.Imports)+len(m.Exports)+len(m.Globals))
	for i := range m.Elems {
		total += workSegment + uint64(m.Elems[i].Len())
	}
	total += workSegment * uint64(len(m.Data))
	f := newFunction(m)
	for i := range m.Code {
		w, err := f.weigh(i)
		if err != nil {
			return 0, err
		}
		if total += w; total > MaxWork {
			return 0, refused("code", i, m.Code[i].Offset, "to compile up to here takes more than %d units of work", uint64(MaxWork))
		}
	}
	return total, nil
}

// function is the function whose work is being counted. None of the sums can overflow: the bounds of a function see to
// that, and weigh ends at MaxWork.
type function struct {
	m       *wasm.Module
	checker *wasm.Checker
	reader  wasm.Reader
	open    []open

	locals uint64
	work   uint64
	blocks uint64
	live   uint64 // values alive at the beginning of blocks, added up
	joins  uint64 // edges to where edges come together
	walks  uint64 // steps from where labels are jumped from, added up, for each local
	loops  uint64 // that are open
	nested uint64 // the most that were
	chain  uint64 // blocks since all locals were last known in one place
}

// open is a block that has no end yet.
type open struct {
	op    wasm.Op
	edges uint64 // that lead to its end
	steps uint64 // chains of the edges to its label
	other uint64 // chain at the beginning of the else
	takes uint64 // values that a jump to its label takes along
}

func newFunction(m *wasm.Module) *function {
	return &function{m: m, checker: wasm.NewChecker(m)}
}

// weigh returns the work of the function that the module defines as number i.
func (f *function) weigh(i int) (uint64, error) {
	body := &f.m.Code[i]
	f.checker.Begin(i)
	*f = function{m: f.m, checker: f.checker, reader: f.reader, open: append(f.open[:0], open{takes: uint64(len(f.m.Types[f.m.Funcs[i]].Results))})}
	f.locals = uint64(f.checker.NumLocals())
	f.work = workFunction + f.locals/workLocals
	f.begin(1 + blocksIf) // gas is looked at, too
	f.reader.Read("code", i, body.Code, body.Offset)
	for {
		in, ok, err := f.reader.Next()
		if err != nil {
			return 0, err
		}
		if !ok {
			break
		}
		f.instruction(&in)
		if f.blocks > MaxBlocks {
			return 0, refused("code", i, in.Start, "more than %d blocks", MaxBlocks)
		}
		if f.loops > MaxLoops {
			return 0, refused("code", i, in.Start, "loops more than %d deep", MaxLoops)
		}
		f.checker.Follow(&in)
		if n := f.checker.Operands(); n > MaxOperands {
			return 0, refused("code", i, in.Start, "%d operands on the stack, limit %d", n, MaxOperands)
		}
	}
	f.work += f.blocks * workBlock
	f.work += f.work - min(f.work, workNear)
	f.work += f.blocks * f.blocks / workSquare
	f.work += f.live * workLive
	f.work += f.joins * f.locals * f.locals * (f.nested + 2) / workPhis
	f.work += f.walks * f.locals / workWalk
	if f.work > MaxFunctionWork {
		return 0, refused("code", i, body.Offset, "%d units of work, limit %d", f.work, uint64(MaxFunctionWork))
	}
	return f.work, nil
}

// begin counts blocks that begin here.
func (f *function) begin(blocks uint64) {
	f.blocks += blocks
	if n := f.locals + uint64(f.checker.Operands()); n > freeLive {
		f.live += blocks * (n - freeLive)
	}
}

// edge counts an edge to a label from a place so many blocks further on.
func (f *function) edge(label uint32, further uint64) {
	to := &f.open[len(f.open)-1-int(label)]
	to.edges++
	to.steps += f.chain + further
	f.work += workValue * to.takes
}

// instruction counts the next instruction, before the checker has stepped over it.
func (f *function) instruction(in *wasm.Instruction) {
	f.work++
	switch op := in.Op; op {
	case wasm.OpBlock:
		f.begin(blocksBlock)
		f.enter(in)
	case wasm.OpLoop:
		f.begin(blocksLoop)
		f.work += 2 * workCheck
		f.enter(in)
		f.open[len(f.open)-1].steps = f.chain
		f.loops++
		f.nested = max(f.nested, f.loops)
		f.chain = 2
	case wasm.OpIf:
		f.begin(blocksIf)
		f.work += workCheck
		f.enter(in)
		f.chain++
		f.open[len(f.open)-1].other = f.chain
	case wasm.OpElse:
		f.begin(1)
		f.work += workCheck
		f.edge(0, 0)
		top := &f.open[len(f.open)-1]
		top.op, f.chain = op, top.other
	case wasm.OpEnd:
		f.end()
	case wasm.OpBr:
		f.edge(in.Index, 0)
	case wasm.OpBrIf:
		f.begin(blocksBrIf)
		f.work += workCheck
		f.edge(in.Index, 1)
		f.chain++
	case wasm.OpBrTable:
		f.begin(uint64(len(in.Targets)))
		f.work += uint64(len(in.Targets))
		for _, label := range in.Targets {
			f.edge(label, 1)
		}
	case wasm.OpReturn:
		f.edge(uint32(len(f.open)-1), 0)
	case wasm.OpLocalGet:
		f.work += f.chain / workWalk
	case wasm.OpCall:
		t, _ := f.m.FuncType(in.Index)
		f.work += workCall + workLive*uint64(len(t.Params)+len(t.Results))
	case wasm.OpCallIndirect:
		t := &f.m.Types[in.Index]
		f.work += workIndirect + workLive*uint64(len(t.Params)+len(t.Results))
	case wasm.OpMemoryFill:
		f.begin(blocksBulk)
		f.work += workFill
	case wasm.OpMemoryCopy, wasm.OpMemoryInit:
		f.begin(1)
		f.work += workBulk
	default:
		f.work += plain(op)
	}
}

// enter opens a block.
func (f *function) enter(in *wasm.Instruction) {
	t, _ := in.Block.Of(f.m)
	f.work += workLive * uint64(len(t.Params)+len(t.Results))
	takes := len(t.Results)
	if in.Op == wasm.OpLoop {
		takes = len(t.Params)
	}
	f.open = append(f.open, open{op: in.Op, takes: uint64(takes)})
}

// end closes a block. Where edges come together, what each local is has been found out for all that comes.
func (f *function) end() {
	f.edge(0, 0)
	top := f.open[len(f.open)-1]
	f.open = f.open[:len(f.open)-1]
	if top.op == wasm.OpIf {
		top.edges++
		top.steps += top.other
	}
	switch {
	case top.op == wasm.OpLoop:
		f.loops--
		f.joins += top.edges + 1
		f.walks += top.steps
		f.chain++
	case top.edges > 1:
		f.joins += top.edges
		f.walks += top.steps
		f.chain = 0
	default:
		f.chain++
	}
}

// plain is what an instruction takes beyond the one unit that each does.
func plain(op wasm.Op) uint64 {
	switch {
	case meter.MakesNaN(op):
		return workNaN
	case op >= wasm.OpI32Load && op <= wasm.OpI64Store32:
		return workLoad
	case op >= wasm.OpI32TruncF32S && op <= wasm.OpI32TruncF64U, op >= wasm.OpI64TruncF32S && op <= wasm.OpI64TruncF64U:
		return workTruncate
	case op >= wasm.OpI32DivS && op <= wasm.OpI32RemU, op >= wasm.OpI64DivS && op <= wasm.OpI64RemU:
		return workDivide
	case op == wasm.OpMemoryGrow, op == wasm.OpSelect, op == wasm.OpSelectT, op == wasm.OpF32Copysign, op == wasm.OpF64Copysign:
		return workSlow
	case op == wasm.OpTableGet, op == wasm.OpRefFunc:
		return workCall
	}
	return 0
}
