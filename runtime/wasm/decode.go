package wasm

// Decode reads a module. It checks its structure and every index into what comes before; the
// types are for [Module.Validate]. The error is an [*Error].
func Decode(b []byte) (*Module, error) {
	if len(b) < len(Header) || string(b[:len(Header)]) != Header {
		return nil, &Error{Index: -1, Rule: "not a WebAssembly module of version 1"}
	}
	r := &reader{b: b, at: len(Header), end: len(b), index: -1}
	m := &Module{}
	last := byte(SectionCustom)
	for r.at < len(b) {
		r.section, r.index = "", -1
		at := r.at
		id := r.byte()
		size := r.u32()
		if r.err == nil && uint64(size) > uint64(r.left()) {
			r.fail("a section of %d bytes, %d are left", size, r.left())
		}
		if r.err == nil && int(id) >= len(sectionNames) {
			r.failAt(at, "section %d is not known", id)
		}
		if r.err != nil {
			return nil, r.err
		}
		r.section = sectionNames[id]
		if id != SectionCustom {
			if last != SectionCustom && order[id] <= order[last] {
				r.failAt(at, "comes after the %s section", sectionNames[last])
				return nil, r.err
			}
			last = id
		}
		r.end = r.at + int(size)
		m.Sections = append(m.Sections, Section{ID: id, Bytes: b[r.at:r.end:r.end]})
		m.section(r, id)
		if r.err == nil && r.at != r.end {
			r.index = -1
			r.fail("%d bytes too many", r.left())
		}
		if r.err != nil {
			return nil, r.err
		}
		r.end = len(b)
	}
	r.section, r.index = "", -1
	switch {
	case len(m.Code) != len(m.Funcs):
		r.fail("%d functions have a type, %d have code", len(m.Funcs), len(m.Code))
	case m.DataCount != nil && int(*m.DataCount) != len(m.Data):
		r.fail("%d data segments are announced, there are %d", *m.DataCount, len(m.Data))
	}
	if r.err != nil {
		return nil, r.err
	}
	return m, nil
}

// each reads the items of a section.
func (r *reader) each(what string, size int, item func(i int)) {
	n := r.count(what, size, MaxItems)
	for i := 0; i < n && r.err == nil; i++ {
		r.index = i
		item(i)
	}
}

func (m *Module) section(r *reader, id byte) {
	switch id {
	case SectionCustom:
		m.Sections[len(m.Sections)-1].Name = r.name()
		r.bytes(uint32(r.left()))
	case SectionType:
		r.each("types", 3, func(int) {
			if form := r.byte(); r.err == nil && form != 0x60 {
				r.failAt(r.at-1, "the form %#02x is not that of a function type", form)
			}
			m.Types = append(m.Types, FuncType{r.valueTypes("parameters"), r.valueTypes("results")})
		})
	case SectionImport:
		r.each("imports", 4, func(int) { m.imported(r) })
	case SectionFunction:
		r.each("functions", 1, func(int) { m.Funcs = append(m.Funcs, m.typeIndex(r)) })
	case SectionTable:
		r.each("tables", 3, func(int) { m.Tables = append(m.Tables, r.table()) })
	case SectionMemory:
		r.each("memories", 2, func(int) { m.Memories = append(m.Memories, r.memory()) })
	case SectionGlobal:
		r.each("globals", 4, func(int) { m.Globals = append(m.Globals, Global{r.global(), r.expr()}) })
	case SectionExport:
		r.each("exports", 3, func(int) {
			e := Export{Name: r.name(), Kind: r.kind()}
			e.Index = r.u32()
			m.Exports = append(m.Exports, e)
		})
	case SectionStart:
		f := r.u32()
		m.Start = &f
	case SectionElement:
		r.each("element segments", 2, func(int) { m.elem(r) })
	case SectionDataCount:
		n := r.u32()
		m.DataCount = &n
	case SectionCode:
		r.each("functions", 2, func(i int) { m.body(r, i) })
	case SectionData:
		r.each("data segments", 2, func(int) { m.data(r) })
	}
}

func (m *Module) typeIndex(r *reader) uint32 {
	at := r.at
	i := r.u32()
	if r.err == nil && int(i) >= len(m.Types) {
		r.failAt(at, "there is no type %d", i)
		return 0
	}
	return i
}

func (m *Module) imported(r *reader) {
	i := Import{Module: r.name(), Name: r.name()}
	i.Kind = r.kind()
	if r.err != nil {
		return
	}
	switch i.Kind {
	case KindFunc:
		i.Type = m.typeIndex(r)
		m.ImportedFuncs = append(m.ImportedFuncs, i.Type)
	case KindTable:
		i.Table = r.table()
		m.ImportedTables = append(m.ImportedTables, i.Table)
	case KindMemory:
		i.Memory = r.memory()
		m.ImportedMems = append(m.ImportedMems, i.Memory)
	case KindGlobal:
		i.Global = r.global()
		m.ImportedGlobals = append(m.ImportedGlobals, i.Global)
	}
	m.Imports = append(m.Imports, i)
}

func (r *reader) kind() Kind {
	k := Kind(r.byte())
	if r.err == nil && k > KindGlobal {
		r.failAt(r.at-1, "the kind %#02x is not known", byte(k))
	}
	return k
}

func (r *reader) valueType() ValueType {
	t := ValueType(r.byte())
	switch t {
	case I32, I64, F32, F64, FuncRef, ExternRef:
	default:
		if r.err == nil {
			r.failAt(r.at-1, "%s", valueTypeRule(t))
		}
	}
	return t
}

func valueTypeRule(t ValueType) string {
	if t == 0x7b {
		return "v128 is a type of SIMD, which is not allowed"
	}
	return "a type that is not known"
}

func (r *reader) refType() ValueType {
	t := r.valueType()
	if r.err == nil && !t.Ref() {
		r.failAt(r.at-1, "%s is no type of a reference", t)
	}
	return t
}

func (r *reader) valueTypes(what string) []ValueType {
	n := r.count(what, 1, MaxArity)
	if n == 0 {
		return nil
	}
	types := make([]ValueType, n)
	for i := range types {
		types[i] = r.valueType()
	}
	return types
}

func (r *reader) limits(what string) (l Limits) {
	flags := r.byte()
	switch {
	case r.err != nil:
		return l
	case flags > 1:
		switch flags {
		case 2, 3:
			r.failAt(r.at-1, "a shared %s belongs to threads, which are not allowed", what)
		case 4, 5, 6, 7:
			r.failAt(r.at-1, "a 64-bit %s is not allowed", what)
		}
		r.failAt(r.at-1, "limits of a form that is not known")
		return l
	}
	l.Min = r.u32()
	if l.HasMax = flags == 1; l.HasMax {
		l.Max = r.u32()
		if r.err == nil && l.Max < l.Min {
			r.fail("starts with %d and may have only %d", l.Min, l.Max)
		}
	}
	return l
}

func (r *reader) table() Table {
	t := Table{Type: r.refType()}
	t.Limits = r.limits("table")
	return t
}

// maxPages is the most pages of a 32-bit memory.
const maxPages = 1 << 16

func (r *reader) memory() Limits {
	l := r.limits("memory")
	if r.err == nil && (l.Min > maxPages || l.Max > maxPages) {
		r.fail("a memory of more than %d pages", maxPages)
	}
	return l
}

func (r *reader) global() GlobalType {
	t := GlobalType{Type: r.valueType()}
	switch b := r.byte(); {
	case r.err != nil:
	case b > 1:
		r.failAt(r.at-1, "mutability %#02x is not known", b)
	default:
		t.Mutable = b == 1
	}
	return t
}

// expr finds the end of a constant expression; Validate looks at what it says.
func (r *reader) expr() Expr {
	start := r.at
	for r.err == nil {
		at := r.at
		in := r.instruction()
		if r.err != nil {
			break
		}
		switch in.Op {
		case OpEnd:
			return Expr{r.b[start:r.at:r.at], start}
		case OpI32Const, OpI64Const, OpF32Const, OpF64Const, OpGlobalGet, OpRefNull, OpRefFunc:
		default:
			r.failAt(at, "%s is not constant", in.Op)
		}
	}
	return Expr{}
}

// elem reads an element segment. Of its flags, 1 says that it is not active, 2 that a table
// (of an active one) is named or that it is declarative (of another), 4 that its elements are expressions.
func (m *Module) elem(r *reader) {
	flags := r.u32()
	if r.err == nil && flags > 7 {
		r.fail("flags %d are not known", flags)
		return
	}
	e := Elem{Type: FuncRef}
	switch {
	case flags&1 == 0:
		if flags&2 != 0 {
			e.Table = r.u32()
		}
		e.Offset = r.expr()
	case flags&2 != 0:
		e.Mode = Declarative
	default:
		e.Mode = Passive
	}
	if flags&3 != 0 {
		if flags&4 != 0 {
			e.Type = r.refType()
		} else if k := r.byte(); r.err == nil && k != 0 {
			r.failAt(r.at-1, "elements of the kind %#02x are not known", k)
		}
	}
	if n := r.count("elements", 1, MaxItems); flags&4 != 0 {
		for i := 0; i < n && r.err == nil; i++ {
			e.Exprs = append(e.Exprs, r.expr())
		}
	} else if n > 0 {
		e.Funcs = make([]uint32, n)
		for i := range e.Funcs {
			e.Funcs[i] = r.u32()
		}
	}
	m.Elems = append(m.Elems, e)
}

func (m *Module) data(r *reader) {
	d := Data{}
	switch flags := r.u32(); {
	case r.err != nil:
		return
	case flags == 0:
		d.Offset = r.expr()
	case flags == 1:
		d.Mode = Passive
	case flags == 2:
		d.Memory = r.u32()
		d.Offset = r.expr()
	default:
		r.fail("flags %d are not known", flags)
	}
	d.Bytes = r.bytes(r.u32())
	m.Data = append(m.Data, d)
}

func (m *Module) body(r *reader, i int) {
	size := r.u32()
	if r.err == nil && uint64(size) > uint64(r.left()) {
		r.fail("a body of %d bytes, %d are left", size, r.left())
	}
	if r.err != nil {
		return
	}
	if i >= len(m.Funcs) {
		r.fail("a body without a type")
		return
	}
	outer := r.end
	r.end = r.at + int(size)
	var b Body
	total := len(m.Types[m.Funcs[i]].Params)
	for n := r.count("groups of locals", 2, MaxLocals); n > 0 && r.err == nil; n-- {
		at := r.at
		k := r.u32()
		t := r.valueType()
		if r.err == nil && uint64(k) > uint64(MaxLocals-min(total, MaxLocals)) {
			r.failAt(at, "more than %d locals", MaxLocals)
		}
		if r.err != nil {
			break
		}
		total += int(k)
		b.Locals = append(b.Locals, Locals{k, t})
	}
	b.Offset = r.at
	b.Code = r.bytes(uint32(r.left()))
	if r.err == nil && (len(b.Code) == 0 || b.Code[len(b.Code)-1] != byte(OpEnd)) {
		r.fail("does not end with end")
	}
	if r.err != nil {
		return
	}
	r.end = outer
	m.Code = append(m.Code, b)
}
