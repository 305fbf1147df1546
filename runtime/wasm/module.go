package wasm

// Bounds of a module that this package reads, whoever it is for. runtime/vet has narrower
// ones; these keep memory in proportion to the module's bytes.
const (
	// MaxName is the longest name of an import, an export or a custom section in bytes.
	MaxName = 1024
	// MaxItems is the most items of any section: no compiler's output comes near, and no index
	// grows out of an int32.
	MaxItems = 1 << 20
	// MaxArity is the most parameters, and the most results, of a function or block.
	MaxArity = 1000
	// MaxLocals is the most locals of a function, its parameters included, as browsers have it.
	MaxLocals = 50_000
	// MaxNesting is how deep blocks nest in a function.
	MaxNesting = 10_000
	// MaxOperands is how many values may be on the stack of operands at once.
	MaxOperands = 100_000
)

// A ValueType is the type of a value.
type ValueType byte

// The value types. V128 is read nowhere.
const (
	I32       ValueType = 0x7f
	I64       ValueType = 0x7e
	F32       ValueType = 0x7d
	F64       ValueType = 0x7c
	FuncRef   ValueType = 0x70
	ExternRef ValueType = 0x6f
)

// unknown is the type of what an unreachable instruction takes: any.
const unknown ValueType = 0

func (t ValueType) String() string {
	switch t {
	case I32:
		return "i32"
	case I64:
		return "i64"
	case F32:
		return "f32"
	case F64:
		return "f64"
	case FuncRef:
		return "funcref"
	case ExternRef:
		return "externref"
	}
	return "any"
}

// Ref reports whether values of the type are references.
func (t ValueType) Ref() bool { return t == FuncRef || t == ExternRef }

// A FuncType is the type of a function or block.
type FuncType struct{ Params, Results []ValueType }

func (t FuncType) String() string { return typeList(t.Params) + " -> " + typeList(t.Results) }

func typeList(types []ValueType) string {
	s := "("
	for i, t := range types {
		if i == 16 { // a hostile type has any number of them
			return s + ", ...)"
		}
		if i > 0 {
			s += ", "
		}
		s += t.String()
	}
	return s + ")"
}

// Limits are those of a memory, in pages of 64 KiB, or of a table, in entries.
type Limits struct {
	Min, Max uint32
	HasMax   bool
}

// A Kind is what an import or export is.
type Kind byte

// The kinds.
const (
	KindFunc   Kind = 0
	KindTable  Kind = 1
	KindMemory Kind = 2
	KindGlobal Kind = 3
)

func (k Kind) String() string {
	switch k {
	case KindFunc:
		return "function"
	case KindTable:
		return "table"
	case KindMemory:
		return "memory"
	case KindGlobal:
		return "global"
	}
	return "unknown"
}

// A Table is a table.
type Table struct {
	Type   ValueType
	Limits Limits
}

// A GlobalType is the type of a global.
type GlobalType struct {
	Type    ValueType
	Mutable bool
}

// An Import is what a module imports; of Type, Table, Memory and Global the one of its kind
// is set.
type Import struct {
	Module, Name string
	Kind         Kind
	Type         uint32 // of a function: index of its type
	Table        Table
	Memory       Limits
	Global       GlobalType
}

// A Global is a global that the module defines.
type Global struct {
	GlobalType
	Init Expr
}

// An Expr is a constant expression, with its end.
type Expr struct {
	Code   []byte
	Offset int // in the module
}

// I32 returns the value of an expression that is one i32.const. ok is false for any other.
func (e Expr) I32() (v uint32, ok bool) {
	r := reader{b: e.Code, end: len(e.Code)}
	if Op(r.byte()) != OpI32Const {
		return 0, false
	}
	v = uint32(r.signed(32))
	return v, Op(r.byte()) == OpEnd && r.err == nil && r.left() == 0
}

// An Export is what a module exports.
type Export struct {
	Name  string
	Kind  Kind
	Index uint32
}

// A Mode says when a segment is used.
type Mode byte

// The modes.
const (
	Active      Mode = iota // as the module starts
	Passive                 // by an instruction
	Declarative             // never: it only declares that ref.func may name the functions
)

// An Elem is an element segment.
type Elem struct {
	Mode   Mode
	Table  uint32
	Offset Expr
	Type   ValueType
	Funcs  []uint32 // of the functions, or
	Exprs  []Expr
}

// Len is how many elements there are.
func (e *Elem) Len() int { return len(e.Funcs) + len(e.Exprs) }

// A Data is a data segment.
type Data struct {
	Mode   Mode
	Memory uint32
	Offset Expr
	Bytes  []byte
}

// Locals are locals of one type that follow each other. They are not spelled out: four bytes of
// a module can declare fifty thousand.
type Locals struct {
	Count uint32
	Type  ValueType
}

// A Body is the code of a function.
type Body struct {
	Locals []Locals // beyond the parameters
	Code   []byte   // the expression, with its end
	Offset int      // of Code in the module
}

// A Section is one as it stands in the module.
type Section struct {
	ID    byte
	Name  string // of a custom section
	Bytes []byte // without id and size
}

// A Module is a decoded module. Everything aliases the bytes.
type Module struct {
	Types     []FuncType
	Imports   []Import
	Funcs     []uint32 // type of each function that the module defines
	Tables    []Table
	Memories  []Limits
	Globals   []Global
	Exports   []Export
	Start     *uint32
	Elems     []Elem
	DataCount *uint32
	Code      []Body
	Data      []Data
	Sections  []Section // all of them, in order

	// Of each index space, what is imported first; filled by Decode.
	ImportedFuncs   []uint32 // types
	ImportedTables  []Table
	ImportedMems    []Limits
	ImportedGlobals []GlobalType
}

// FuncType returns the type of the function with an index, imported ones first. ok is false if
// there is no such function.
func (m *Module) FuncType(index uint32) (t *FuncType, ok bool) {
	n := uint32(len(m.ImportedFuncs))
	var of uint32
	switch {
	case index < n:
		of = m.ImportedFuncs[index]
	case index-n < uint32(len(m.Funcs)):
		of = m.Funcs[index-n]
	default:
		return nil, false
	}
	return &m.Types[of], true // Decode has checked the index
}

// NumFuncs is how many functions there are, imported ones included.
func (m *Module) NumFuncs() int { return len(m.ImportedFuncs) + len(m.Funcs) }

// GlobalType returns the type of a global.
func (m *Module) GlobalType(index uint32) (t GlobalType, ok bool) {
	n := uint32(len(m.ImportedGlobals))
	switch {
	case index < n:
		return m.ImportedGlobals[index], true
	case index-n < uint32(len(m.Globals)):
		return m.Globals[index-n].GlobalType, true
	}
	return GlobalType{}, false
}

// NumGlobals is how many globals there are, imported ones included.
func (m *Module) NumGlobals() int { return len(m.ImportedGlobals) + len(m.Globals) }

// Table returns a table.
func (m *Module) Table(index uint32) (t Table, ok bool) {
	n := uint32(len(m.ImportedTables))
	switch {
	case index < n:
		return m.ImportedTables[index], true
	case index-n < uint32(len(m.Tables)):
		return m.Tables[index-n], true
	}
	return Table{}, false
}

// NumTables is how many tables there are, imported ones included.
func (m *Module) NumTables() int { return len(m.ImportedTables) + len(m.Tables) }

// NumMemories is how many memories there are, imported ones included.
func (m *Module) NumMemories() int { return len(m.ImportedMems) + len(m.Memories) }

// Header is what a module of the only version begins with.
const Header = "\x00asm\x01\x00\x00\x00"

// The ids of the sections.
const (
	SectionCustom    = 0
	SectionType      = 1
	SectionImport    = 2
	SectionFunction  = 3
	SectionTable     = 4
	SectionMemory    = 5
	SectionGlobal    = 6
	SectionExport    = 7
	SectionStart     = 8
	SectionElement   = 9
	SectionCode      = 10
	SectionData      = 11
	SectionDataCount = 12
)

var sectionNames = [...]string{"custom", "type", "import", "function", "table", "memory", "global", "export", "start", "element", "code", "data", "data count"}

// order is the place of each section in a module: data count comes before code.
var order = [...]int{SectionType: 1, SectionImport: 2, SectionFunction: 3, SectionTable: 4, SectionMemory: 5, SectionGlobal: 6,
	SectionExport: 7, SectionStart: 8, SectionElement: 9, SectionDataCount: 10, SectionCode: 11, SectionData: 12}

// AppendSigned appends a signed LEB128 number.
func AppendSigned(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}
