package vet

import (
	"fmt"
	"strings"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/meter"
	"github.com/wardledger/ward/runtime/wasm"
)

// Bounds of a module. Each is several times what the largest contracts need that stock compilers make. The largest
// here are a plain-Go program of 9 MB, with encoding/json, encoding/xml, html/template, go/parser, regexp, math/big and
// crypto/ecdsa ("Go" below), and SQLite as C ("C"), Lightning CSS of 16 MB as Rust ("Rust").
const (
	// MaxModule is the most bytes of a module: what a transaction can carry.
	MaxModule = abi.MaxModule
	// MaxSections is the most sections, custom ones included.
	MaxSections = abi.MaxSections
	// MaxTypes is the most function types. C has 91, Rust 76, Go 20.
	MaxTypes = 1024
	// MaxImports is the most imports: the tables of runtime/abi have fewer.
	MaxImports = 256
	// MaxFunctions is the most functions that a module defines. Go has 6,100, Rust 5,500, C 2,700.
	MaxFunctions = 1 << 15
	// MaxGlobals is the most globals. The mutable ones are put back after each call. Go has 8.
	MaxGlobals = 1024
	// MaxExports is the most exports. Each is a name that is looked up in a map of every instance. C, made
	// for JavaScript, has 241.
	MaxExports = 1024
	// MaxTables and MaxTableEntries bound the tables and all that they may ever hold together: an entry for
	// each function whose address is taken.
	MaxTables       = 16
	MaxTableEntries = 1 << 16
	// MaxPages is the most pages of memory that a contract may start with or grow to, 64 MiB.
	MaxPages = 1024
	// MaxSegments is the most element segments, and MaxData the most data segments: the linker of Go
	// leaves out every 8 zero bytes and so makes 37,000 of these for a contract, and never more than 100,000.
	MaxSegments = 1024
	MaxData     = 100_000
	// MaxParams is the most parameters of a function or block. Rust has 19, C 13, Go 4.
	MaxParams = 128
	// MaxResults is the most results of a function or block. Compilers return one, or a few with multi-value.
	MaxResults = 16
	// MaxBody is the most bytes of a function. wazero keeps 250 bytes of memory for each. Go has 51,000, C 39,000.
	MaxBody = 256 << 10
	// MaxLocals is the most locals of a function, parameters included. Rust has 141, C 68, Go 21.
	MaxLocals = 2048
	// MaxOperands is the most operands of a function on the stack at once. Rust has 19.
	MaxOperands = 1024
	// MaxNesting is how deep blocks lie inside each other. Rust has 714, Go 570, C 291.
	MaxNesting = 2048
	// MaxLoops is how deep loops lie inside each other. wazero's compiler goes over a function once for each
	// level, and again for each pair of locals. C has 8, Rust 6, Go 1.
	MaxLoops = 32
	// MaxLabels is the most labels of a br_table. Go has 1,145, Rust 352.
	MaxLabels = 4096
	// MaxBlocks is the most blocks that a function has for wazero's compiler, after rewriting: a label of a br_table is 1,
	// a block 1, a br_if 2, an if 3, a loop 4. It takes time by their square, and some of its passes recurse
	// from one to the next, which ends the whole process at some millions. Go has 4,098, C 3,156.
	MaxBlocks = 12 << 10
	// MaxName is the longest name of an import or export in bytes.
	MaxName = 256
	// MaxFunctionWork is the most that a function may take in units of [Work]: a second or two of one core. The compiler
	// may need 70 bytes of memory for each. C has 1.2 million, Go 0.7 million.
	MaxFunctionWork = 1 << 23
	// MaxWork is the most that a module may take in units of [Work]: some seconds of one core. A contract in plain Go of
	// 3 MB has 7 million, SQLite as C 7 million, the Go program of 9 MB 25 million.
	MaxWork = 1 << 25
)

const pageSize = 64 << 10

// Module checks whether a module may be deployed and returns it, valid. The error is a *wasm.Error.
// Such a module can be rewritten, compiled and instantiated; if it can't, this node is broken.
func Module(b []byte) (*wasm.Module, error) {
	m, err := module(b, version, counts, shapes, imports, exports)
	if err == nil {
		err = segments(m)
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Shape checks what Module does but for imports, exports and where segments lie: whether the types, sizes and instructions of a
// module, which need not be a contract, are such as contracts may have.
func Shape(b []byte) (*wasm.Module, error) { return module(b, counts, shapes) }

func module(b []byte, checks ...func(*wasm.Module) error) (*wasm.Module, error) {
	if len(b) > MaxModule {
		return nil, refused("", -1, 0, "%d bytes, limit %d", len(b), MaxModule)
	}
	m, err := wasm.Decode(b)
	if err != nil {
		return nil, err
	}
	for _, check := range checks {
		if err := check(m); err != nil {
			return nil, err
		}
	}
	depth, current := 0, -1
	err = m.Validate(func(f int, in *wasm.Instruction) error {
		if f != current {
			current, depth = f, 0
		}
		switch in.Op {
		case wasm.OpBlock, wasm.OpLoop, wasm.OpIf:
			if depth++; depth > MaxNesting {
				return refused("code", f, in.Start, "blocks more than %d deep", MaxNesting)
			}
		case wasm.OpEnd:
			depth--
		case wasm.OpBrTable:
			if len(in.Targets) > MaxLabels {
				return refused("code", f, in.Start, "br_table of %d labels, limit %d", len(in.Targets), MaxLabels)
			}
		case wasm.OpTableSet, wasm.OpTableGrow, wasm.OpTableFill, wasm.OpTableCopy, wasm.OpTableInit, wasm.OpElemDrop, wasm.OpDataDrop:
			return refused("code", f, in.Start, "%s is not allowed: what it changes can't be put back", in.Op)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if _, err := weigh(m); err != nil {
		return nil, err
	}
	return m, nil
}

func refused(section string, index, offset int, format string, args ...any) error {
	return &wasm.Error{Section: section, Index: index, Offset: offset, Rule: fmt.Sprintf(format, args...)}
}

// counts holds what a module has many of against its bounds.
func counts(m *wasm.Module) error {
	for _, c := range []struct {
		section string
		have    int
		limit   int
		what    string
	}{
		{"", len(m.Sections), MaxSections, "sections"},
		{"type", len(m.Types), MaxTypes, "types"},
		{"import", len(m.Imports), MaxImports, "imports"},
		{"function", len(m.Funcs), MaxFunctions, "functions"},
		{"table", len(m.Tables), MaxTables, "tables"},
		{"global", len(m.Globals), MaxGlobals, "globals"},
		{"export", len(m.Exports), MaxExports, "exports"},
		{"element", len(m.Elems), MaxSegments, "element segments"},
		{"data", len(m.Data), MaxData, "data segments"},
	} {
		if c.have > c.limit {
			return refused(c.section, -1, 0, "%d %s, limit %d", c.have, c.what, c.limit)
		}
	}
	return nil
}

// shapes checks types, tables, memory, globals and locals.
func shapes(m *wasm.Module) error {
	for i, t := range m.Types {
		if n := len(t.Params); n > MaxParams {
			return refused("type", i, 0, "%d parameters, limit %d", n, MaxParams)
		}
		if n := len(t.Results); n > MaxResults {
			return refused("type", i, 0, "%d results, limit %d", n, MaxResults)
		}
	}
	entries := uint64(0)
	for i, t := range m.Tables {
		if entries += uint64(t.Limits.Min); entries > MaxTableEntries {
			return refused("table", i, 0, "tables with more than %d entries", MaxTableEntries)
		}
	}
	elements := 0
	for i := range m.Elems {
		if elements += m.Elems[i].Len(); elements > MaxTableEntries {
			return refused("element", i, 0, "more than %d elements", MaxTableEntries)
		}
	}
	for i, memory := range m.Memories {
		if memory.Min > MaxPages {
			return refused("memory", i, 0, "starts with %d pages, limit %d", memory.Min, MaxPages)
		}
	}
	for i, g := range m.Globals {
		if g.Mutable && g.Type.Ref() {
			return refused("global", i, g.Init.Offset, "a mutable %s is not allowed: it can't be put back", g.Type)
		}
	}
	for i := range m.Code {
		if n := len(m.Code[i].Code); n > MaxBody {
			return refused("code", i, m.Code[i].Offset, "%d bytes of code, limit %d", n, MaxBody)
		}
		n := uint64(len(m.Types[m.Funcs[i]].Params))
		for _, l := range m.Code[i].Locals {
			n += uint64(l.Count)
		}
		if n > MaxLocals {
			return refused("code", i, m.Code[i].Offset, "%d locals, limit %d", n, MaxLocals)
		}
	}
	return nil
}

// segments checks that the active segments of a valid module, which imports no global, lie in what the memory and the tables
// start with. Nothing else can fail when a module is instantiated.
func segments(m *wasm.Module) error {
	for i := range m.Data {
		d := &m.Data[i]
		if d.Mode != wasm.Active {
			continue
		}
		at, _ := d.Offset.I32()
		end, size := uint64(at)+uint64(len(d.Bytes)), uint64(m.Memories[d.Memory].Min)*pageSize
		if end > size {
			return refused("data", i, 0, "bytes %d to %d, the memory starts with %d", at, end, size)
		}
	}
	for i := range m.Elems {
		e := &m.Elems[i]
		if e.Mode != wasm.Active {
			continue
		}
		at, _ := e.Offset.I32()
		end, size := uint64(at)+uint64(e.Len()), m.Tables[e.Table].Limits.Min
		if end > uint64(size) {
			return refused("element", i, 0, "entries %d to %d, table %d starts with %d", at, end, e.Table, size)
		}
	}
	return nil
}

// exports checks that what the runtime needs is exported, and nothing under its own names.
func exports(m *wasm.Module) error {
	have := make(map[string]wasm.Export, len(m.Exports))
	for i, e := range m.Exports {
		if len(e.Name) > MaxName {
			return refused("export", i, 0, "a name of %d bytes, limit %d", len(e.Name), MaxName)
		}
		if strings.HasPrefix(e.Name, meter.Prefix) {
			return refused("export", i, 0, "%s: names that begin with %q are the runtime's", text(e.Name), meter.Prefix)
		}
		have[e.Name] = e
	}
	for _, want := range abi.Exports() {
		e, ok := have[want.Name]
		if !ok {
			if want.Required {
				return refused("export", -1, 0, "there is no %s", want.Name)
			}
			continue
		}
		if e.Kind != wasm.KindFunc {
			return refused("export", -1, 0, "%s is a %s, not a function", want.Name, e.Kind)
		}
		t, ok := m.FuncType(e.Index)
		if !ok {
			return refused("export", -1, 0, "%s: there is no function %d", want.Name, e.Index)
		}
		if len(t.Params)+len(t.Results) > 0 {
			return refused("export", -1, 0, "%s: its type is () -> (), not %s", want.Name, t)
		}
	}
	if e, ok := have[abi.ExportMemory]; !ok || e.Kind != wasm.KindMemory {
		return refused("export", -1, 0, "there is no memory %q", abi.ExportMemory)
	}
	return nil
}

// text quotes a name from a module, in ASCII whatever it holds, and cut.
func text(name string) string {
	if len(name) > abi.MaxMethodName {
		return fmt.Sprintf("%+q...", name[:abi.MaxMethodName])
	}
	return fmt.Sprintf("%+q", name)
}
