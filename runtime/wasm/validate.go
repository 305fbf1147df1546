package wasm

import "fmt"

// Validate checks that a decoded module is valid: every index, every constant expression, and
// the types of every instruction (core specification, chapter 3). seen, if it is not nil, is shown
// each instruction of each function, in order, before it is checked; an error that it returns ends
// Validate. The error is an [*Error] or what seen returned.
func (m *Module) Validate(seen func(function int, in *Instruction) error) error {
	v := &validator{m: m, declared: make([]bool, m.NumFuncs())}
	if err := v.module(); err != nil {
		return err
	}
	c := NewChecker(m)
	c.declared = v.declared
	for i := range m.Code {
		if err := c.function(i, seen); err != nil {
			return err
		}
	}
	return nil
}

// function checks a function.
func (c *Checker) function(i int, seen func(function int, in *Instruction) error) (err error) {
	var in Instruction
	defer func() {
		switch r := recover().(type) {
		case nil:
		case mismatch:
			err = &Error{"code", i, in.Start, in.Op.String() + ": " + string(r)}
		default:
			panic(r)
		}
	}()
	body := &c.m.Code[i]
	c.Begin(i)
	c.reader.Read("code", i, body.Code, body.Offset)
	for {
		var ok bool
		if in, ok, err = c.reader.Next(); err != nil {
			return err
		}
		if !ok {
			break
		}
		if seen != nil {
			if err := seen(i, &in); err != nil {
				return err
			}
		}
		c.step(&in)
	}
	if c.Depth() != 0 {
		return &Error{"code", i, body.Offset + len(body.Code), "a block has no end"}
	}
	return nil
}

type validator struct {
	m        *Module
	declared []bool // functions that ref.func may name inside of functions
}

func wrong(section string, index, offset int, format string, args ...any) error {
	return &Error{section, index, offset, fmt.Sprintf(format, args...)}
}

// module checks all but the functions' code.
func (v *validator) module() error {
	m := v.m
	if n := m.NumMemories(); n > 1 {
		return wrong("memory", n-1, 0, "more than one memory is not allowed")
	}
	for i, g := range m.Globals {
		if err := v.constant("global", i, g.Init, g.Type); err != nil {
			return err
		}
	}
	names := make(map[string]bool, len(m.Exports))
	for i, e := range m.Exports {
		if names[e.Name] {
			return wrong("export", i, 0, "there are two exports %+q", e.Name)
		}
		names[e.Name] = true
		count := 0
		switch e.Kind {
		case KindFunc:
			if count = m.NumFuncs(); int64(e.Index) < int64(count) {
				v.declared[e.Index] = true
			}
		case KindTable:
			count = m.NumTables()
		case KindMemory:
			count = m.NumMemories()
		case KindGlobal:
			count = m.NumGlobals()
		}
		if int64(e.Index) >= int64(count) {
			return wrong("export", i, 0, "there is no %s %d", e.Kind, e.Index)
		}
	}
	if m.Start != nil {
		t, ok := m.FuncType(*m.Start)
		if !ok {
			return wrong("start", -1, 0, "there is no function %d", *m.Start)
		}
		if len(t.Params)+len(t.Results) > 0 {
			return wrong("start", -1, 0, "the function's type is %s, not () -> ()", t)
		}
	}
	for i := range m.Elems {
		if err := v.elem(i); err != nil {
			return err
		}
	}
	for i, d := range m.Data {
		if d.Mode != Active {
			continue
		}
		if int64(d.Memory) >= int64(m.NumMemories()) {
			return wrong("data", i, d.Offset.Offset, "there is no memory %d", d.Memory)
		}
		if err := v.constant("data", i, d.Offset, I32); err != nil {
			return err
		}
	}
	return nil
}

func (v *validator) elem(i int) error {
	m, e := v.m, &v.m.Elems[i]
	if e.Mode == Active {
		t, ok := m.Table(e.Table)
		if !ok {
			return wrong("element", i, e.Offset.Offset, "there is no table %d", e.Table)
		}
		if t.Type != e.Type {
			return wrong("element", i, e.Offset.Offset, "elements are %s, table %d holds %s", e.Type, e.Table, t.Type)
		}
		if err := v.constant("element", i, e.Offset, I32); err != nil {
			return err
		}
	}
	for _, f := range e.Funcs {
		if int64(f) >= int64(m.NumFuncs()) {
			return wrong("element", i, e.Offset.Offset, "there is no function %d", f)
		}
		v.declared[f] = true
	}
	for _, x := range e.Exprs {
		if err := v.constant("element", i, x, e.Type); err != nil {
			return err
		}
	}
	return nil
}

// constant checks that an expression is one constant of a type.
func (v *validator) constant(section string, index int, x Expr, want ValueType) error {
	var r Reader
	r.Read(section, index, x.Code, x.Offset)
	count := 0
	for {
		in, ok, err := r.Next()
		if err != nil {
			return err
		}
		if !ok || in.Op == OpEnd {
			break
		}
		var got ValueType
		switch in.Op {
		case OpI32Const:
			got = I32
		case OpI64Const:
			got = I64
		case OpF32Const:
			got = F32
		case OpF64Const:
			got = F64
		case OpRefNull:
			got = in.Type
		case OpRefFunc:
			if int64(in.Index) >= int64(v.m.NumFuncs()) {
				return wrong(section, index, in.Start, "there is no function %d", in.Index)
			}
			v.declared[in.Index] = true
			got = FuncRef
		case OpGlobalGet:
			if int64(in.Index) >= int64(len(v.m.ImportedGlobals)) {
				return wrong(section, index, in.Start, "there is no imported global %d", in.Index)
			}
			if v.m.ImportedGlobals[in.Index].Mutable {
				return wrong(section, index, in.Start, "global %d is mutable", in.Index)
			}
			got = v.m.ImportedGlobals[in.Index].Type
		}
		if got != want {
			return wrong(section, index, in.Start, "%s gives %s, %s is wanted", in.Op, got, want)
		}
		count++
	}
	if count != 1 {
		return wrong(section, index, x.Offset, "an expression with %d values, must be 1", count)
	}
	return nil
}

// A Checker follows a function instruction by instruction and knows the types of what is on
// the stack (the algorithm of the specification's appendix).
type Checker struct {
	m        *Module
	declared []bool // nil: every function may be named

	params  []ValueType
	results []ValueType
	locals  []Locals
	ends    []uint32 // where each group of locals ends
	vals    []ValueType
	ctrls   []control
	most    int
	reader  Reader
	saved   []ValueType // of br_table, reused
}

// control is a block that is open.
type control struct {
	op            Op
	takes, leaves []ValueType
	height        int
	unreachable   bool
}

// NewChecker returns a checker for the functions of a module.
func NewChecker(m *Module) *Checker { return &Checker{m: m} }

// Begin starts with the function that the module defines as number i.
func (c *Checker) Begin(i int) {
	t := &c.m.Types[c.m.Funcs[i]]
	c.params, c.results, c.locals = t.Params, t.Results, c.m.Code[i].Locals
	c.ends = c.ends[:0]
	end := uint32(len(t.Params))
	for _, l := range c.locals {
		end += l.Count
		c.ends = append(c.ends, end)
	}
	c.vals, c.ctrls, c.most = c.vals[:0], c.ctrls[:0], 0
	c.open(0, nil, t.Results)
}

// Depth is how many blocks are open, the function itself included; 0 after its end.
func (c *Checker) Depth() int { return len(c.ctrls) }

// Operands is how many values are on the stack now.
func (c *Checker) Operands() int { return len(c.vals) }

// MostOperands is how many values were on the stack at once.
func (c *Checker) MostOperands() int { return c.most }

// Unreachable reports whether nothing can come to what follows, up to the end of the block.
func (c *Checker) Unreachable() bool {
	return len(c.ctrls) > 0 && c.ctrls[len(c.ctrls)-1].unreachable
}

// NumLocals is how many locals there are, parameters included.
func (c *Checker) NumLocals() uint32 {
	if len(c.ends) > 0 {
		return c.ends[len(c.ends)-1]
	}
	return uint32(len(c.params))
}

// local returns the type of a local.
func (c *Checker) local(i uint32) (ValueType, bool) {
	if int64(i) < int64(len(c.params)) {
		return c.params[i], true
	}
	lo, hi := 0, len(c.ends)
	for lo < hi {
		if mid := (lo + hi) / 2; c.ends[mid] > i {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	if lo == len(c.ends) {
		return 0, false
	}
	return c.locals[lo].Type, true
}

func (c *Checker) push(t ValueType) {
	c.vals = append(c.vals, t)
	c.most = max(c.most, len(c.vals))
}

func (c *Checker) pushAll(types []ValueType) {
	for _, t := range types {
		c.push(t)
	}
}

// mismatch is thrown by what checks and caught by function: it keeps the rules below readable.
type mismatch string

func (c *Checker) pop(want ValueType) ValueType {
	top := &c.ctrls[len(c.ctrls)-1]
	if len(c.vals) == top.height {
		if top.unreachable {
			return unknown
		}
		panic(mismatch(fmt.Sprintf("takes %s, but the stack is empty", want)))
	}
	got := c.vals[len(c.vals)-1]
	c.vals = c.vals[:len(c.vals)-1]
	if want != unknown && got != unknown && got != want {
		panic(mismatch(fmt.Sprintf("takes %s, but there is %s", want, got)))
	}
	return got
}

func (c *Checker) popAll(types []ValueType) {
	for i := len(types) - 1; i >= 0; i-- {
		c.pop(types[i])
	}
}

func (c *Checker) open(op Op, takes, leaves []ValueType) {
	c.ctrls = append(c.ctrls, control{op: op, takes: takes, leaves: leaves, height: len(c.vals)})
	c.pushAll(takes)
}

func (c *Checker) close() control {
	top := c.ctrls[len(c.ctrls)-1]
	c.popAll(top.leaves)
	if len(c.vals) != top.height {
		panic(mismatch(fmt.Sprintf("the block leaves %d values too many", len(c.vals)-top.height)))
	}
	c.ctrls = c.ctrls[:len(c.ctrls)-1]
	return top
}

// label returns what a jump to a label takes along.
func (c *Checker) label(n uint32) []ValueType {
	if int64(n) >= int64(len(c.ctrls)) {
		panic(mismatch(fmt.Sprintf("there is no label %d", n)))
	}
	target := &c.ctrls[len(c.ctrls)-1-int(n)]
	if target.op == OpLoop {
		return target.takes
	}
	return target.leaves
}

// never says that nothing comes to what follows.
func (c *Checker) never() {
	top := &c.ctrls[len(c.ctrls)-1]
	c.vals = c.vals[:top.height]
	top.unreachable = true
}

// Follow takes the next instruction of a function of a valid module. It panics if the
// module is not valid.
func (c *Checker) Follow(in *Instruction) { c.step(in) }

// step checks the next instruction, or throws the rule that it breaks.
func (c *Checker) step(in *Instruction) {
	if len(c.ctrls) == 0 {
		panic(mismatch("comes after the end of the function"))
	}
	if o := &operations[in.Op.index()]; o.takes != "" {
		c.plain(in, o)
	} else {
		c.special(in)
	}
	switch {
	case len(c.vals) > MaxOperands:
		panic(mismatch(fmt.Sprintf("more than %d values on the stack", MaxOperands)))
	case len(c.ctrls) > MaxNesting:
		panic(mismatch(fmt.Sprintf("more than %d blocks inside each other", MaxNesting)))
	}
}

// letters are the types that operations names.
var letters = [256]ValueType{'i': I32, 'l': I64, 'f': F32, 'd': F64}

// plain checks an instruction that takes values and leaves at most one.
func (c *Checker) plain(in *Instruction, o *operation) {
	if in.Op >= OpI32Load && in.Op <= OpI64Store32 {
		c.memory()
		if size := naturalAlign(in.Op); in.Align > size {
			panic(mismatch(fmt.Sprintf("alignment 2^%d is larger than natural", in.Align)))
		}
	}
	for i := len(o.takes) - 1; i >= 0; i-- {
		c.pop(letters[o.takes[i]])
	}
	if o.leaves != "" {
		c.push(letters[o.leaves[0]])
	}
}

// naturalAlign is the exponent of how many bytes a load or store moves.
func naturalAlign(o Op) uint32 {
	switch o {
	case OpI64Load, OpF64Load, OpI64Store, OpF64Store:
		return 3
	case OpI32Load, OpF32Load, OpI64Load32S, OpI64Load32U, OpI32Store, OpF32Store, OpI64Store32:
		return 2
	case OpI32Load16S, OpI32Load16U, OpI64Load16S, OpI64Load16U, OpI32Store16, OpI64Store16:
		return 1
	}
	return 0
}

func (c *Checker) memory() {
	if c.m.NumMemories() == 0 {
		panic(mismatch("there is no memory"))
	}
}

func (c *Checker) table(i uint32) ValueType {
	t, ok := c.m.Table(i)
	if !ok {
		panic(mismatch(fmt.Sprintf("there is no table %d", i)))
	}
	return t.Type
}

func (c *Checker) elem(i uint32) ValueType {
	if int64(i) >= int64(len(c.m.Elems)) {
		panic(mismatch(fmt.Sprintf("there is no element segment %d", i)))
	}
	return c.m.Elems[i].Type
}

func (c *Checker) data(i uint32) {
	switch {
	case c.m.DataCount == nil:
		panic(mismatch("the module has no data count section"))
	case i >= *c.m.DataCount:
		panic(mismatch(fmt.Sprintf("there is no data segment %d", i)))
	}
}

func (c *Checker) call(t *FuncType) {
	c.popAll(t.Params)
	c.pushAll(t.Results)
}

// special checks what plain doesn't.
func (c *Checker) special(in *Instruction) {
	switch in.Op {
	case OpNop:
	case OpUnreachable:
		c.never()
	case OpBlock, OpLoop, OpIf:
		t, ok := in.Block.Of(c.m)
		if !ok {
			panic(mismatch(fmt.Sprintf("there is no type %d", in.Block)))
		}
		if in.Op == OpIf {
			c.pop(I32)
		}
		c.popAll(t.Params)
		c.open(in.Op, t.Params, t.Results)
	case OpElse:
		if c.ctrls[len(c.ctrls)-1].op != OpIf {
			panic(mismatch("without an if"))
		}
		f := c.close()
		c.open(OpElse, f.takes, f.leaves)
	case OpEnd:
		f := c.close()
		if f.op == OpIf && !sameTypes(f.takes, f.leaves) {
			panic(mismatch("an if without else leaves other types than it takes"))
		}
		c.pushAll(f.leaves)
	case OpBr:
		c.popAll(c.label(in.Index))
		c.never()
	case OpBrIf:
		c.pop(I32)
		types := c.label(in.Index)
		c.popAll(types)
		c.pushAll(types)
	case OpBrTable:
		c.pop(I32)
		last := c.label(in.Targets[len(in.Targets)-1])
		for _, n := range in.Targets {
			types := c.label(n)
			if len(types) != len(last) {
				panic(mismatch(fmt.Sprintf("label %d takes %d values, the default %d", n, len(types), len(last))))
			}
			// Each is checked and put back as it was: what is unknown stays so.
			back := c.saved[:0]
			for i := len(types) - 1; i >= 0; i-- {
				back = append(back, c.pop(types[i]))
			}
			c.saved = back
			for i := len(back) - 1; i >= 0; i-- {
				c.push(back[i])
			}
		}
		c.popAll(last)
		c.never()
	case OpReturn:
		c.popAll(c.results)
		c.never()
	case OpCall:
		t, ok := c.m.FuncType(in.Index)
		if !ok {
			panic(mismatch(fmt.Sprintf("there is no function %d", in.Index)))
		}
		c.call(t)
	case OpCallIndirect:
		if int64(in.Index) >= int64(len(c.m.Types)) {
			panic(mismatch(fmt.Sprintf("there is no type %d", in.Index)))
		}
		if t := c.table(in.Second); t != FuncRef {
			panic(mismatch(fmt.Sprintf("table %d holds %s", in.Second, t)))
		}
		c.pop(I32)
		c.call(&c.m.Types[in.Index])
	case OpDrop:
		c.pop(unknown)
	case OpSelect:
		c.pop(I32)
		a := c.pop(unknown)
		b := c.pop(unknown)
		if a.Ref() || b.Ref() {
			panic(mismatch("references need a select with their type"))
		}
		if a != b && a != unknown && b != unknown {
			panic(mismatch(fmt.Sprintf("between %s and %s", b, a)))
		}
		if a == unknown {
			a = b
		}
		c.push(a)
	case OpSelectT:
		c.pop(I32)
		c.pop(in.Type)
		c.pop(in.Type)
		c.push(in.Type)
	case OpLocalGet, OpLocalSet, OpLocalTee:
		t, ok := c.local(in.Index)
		if !ok {
			panic(mismatch(fmt.Sprintf("there is no local %d", in.Index)))
		}
		if in.Op != OpLocalGet {
			c.pop(t)
		}
		if in.Op != OpLocalSet {
			c.push(t)
		}
	case OpGlobalGet, OpGlobalSet:
		t, ok := c.m.GlobalType(in.Index)
		if !ok {
			panic(mismatch(fmt.Sprintf("there is no global %d", in.Index)))
		}
		if in.Op == OpGlobalGet {
			c.push(t.Type)
			return
		}
		if !t.Mutable {
			panic(mismatch(fmt.Sprintf("global %d is constant", in.Index)))
		}
		c.pop(t.Type)
	case OpMemorySize:
		c.memory()
		c.push(I32)
	case OpMemoryGrow:
		c.memory()
		c.pop(I32)
		c.push(I32)
	case OpMemoryCopy, OpMemoryFill, OpMemoryInit:
		c.memory()
		if in.Op == OpMemoryInit {
			c.data(in.Index)
		}
		c.pop(I32)
		c.pop(I32)
		c.pop(I32)
	case OpDataDrop:
		c.data(in.Index)
	case OpI32Const:
		c.push(I32)
	case OpI64Const:
		c.push(I64)
	case OpF32Const:
		c.push(F32)
	case OpF64Const:
		c.push(F64)
	case OpRefNull:
		c.push(in.Type)
	case OpRefIsNull:
		if t := c.pop(unknown); t != unknown && !t.Ref() {
			panic(mismatch(fmt.Sprintf("takes a reference, but there is %s", t)))
		}
		c.push(I32)
	case OpRefFunc:
		if int64(in.Index) >= int64(c.m.NumFuncs()) {
			panic(mismatch(fmt.Sprintf("there is no function %d", in.Index)))
		}
		if c.declared != nil && !c.declared[in.Index] {
			panic(mismatch(fmt.Sprintf("function %d is not declared in an element segment, export or global", in.Index)))
		}
		c.push(FuncRef)
	case OpTableGet:
		t := c.table(in.Index)
		c.pop(I32)
		c.push(t)
	case OpTableSet:
		t := c.table(in.Index)
		c.pop(t)
		c.pop(I32)
	case OpTableSize:
		c.table(in.Index)
		c.push(I32)
	case OpTableGrow:
		t := c.table(in.Index)
		c.pop(I32)
		c.pop(t)
		c.push(I32)
	case OpTableFill:
		t := c.table(in.Index)
		c.pop(I32)
		c.pop(t)
		c.pop(I32)
	case OpTableCopy:
		if to, from := c.table(in.Index), c.table(in.Second); to != from {
			panic(mismatch(fmt.Sprintf("from a table of %s to one of %s", from, to)))
		}
		c.pop(I32)
		c.pop(I32)
		c.pop(I32)
	case OpTableInit:
		if e, t := c.elem(in.Index), c.table(in.Second); e != t {
			panic(mismatch(fmt.Sprintf("from elements that are %s to a table of %s", e, t)))
		}
		c.pop(I32)
		c.pop(I32)
		c.pop(I32)
	case OpElemDrop:
		c.elem(in.Index)
	default:
		panic("BUG: wasm: no rule for " + in.Op.String())
	}
}

func sameTypes(a, b []ValueType) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
