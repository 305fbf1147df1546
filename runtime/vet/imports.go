package vet

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/wasm"
)

// A hostFunction is one that a contract may import.
type hostFunction struct {
	module, name string
	is           wasm.FuncType
	since        int // the version of the interface that brought it, 0 for WASI, which has no versions of ours
}

// imports checks that all that is imported are functions of the tables of runtime/abi, and says what these have instead.
func imports(m *wasm.Module) error {
	if len(m.Imports) == 0 {
		return nil
	}
	known := hostFunctions()
	for i, im := range m.Imports {
		name := text(im.Module) + "." + text(im.Name)
		if im.Kind != wasm.KindFunc {
			return refused("import", i, 0, "%s is a %s, only functions can be imported", name, im.Kind)
		}
		at := slices.IndexFunc(known, func(f hostFunction) bool { return f.module == im.Module && f.name == im.Name })
		if at < 0 {
			return refused("import", i, 0, "%s: there is no such function in version %d of the interface, the newest that this release speaks%s", name, abi.Version, instead(known, im))
		}
		if f, t := known[at], m.Types[im.Type]; !slices.Equal(t.Params, f.is.Params) || !slices.Equal(t.Results, f.is.Results) {
			return refused("import", i, 0, "%s: its type is %s, not %s", name, f.signature(), t)
		}
	}
	return nil
}

// signature returns the function's type and which version of the interface has it.
func (f hostFunction) signature() string {
	if f.since == 0 {
		return f.is.String()
	}
	return fmt.Sprintf("%s since version %d of the interface", f.is, f.since)
}

// instead says what somebody may have meant who imports what there is not: a function of another module, as compilers have it that were
// not told which, or one whose name is nearly the same. It is "" if there is no such thing.
func instead(known []hostFunction, im wasm.Import) string {
	best, distance := -1, 0
	for i, f := range known {
		d := typos(f.name, im.Name)
		if d < 0 {
			continue
		}
		if f.module != im.Module {
			d += maxTypos + 1 // rather one of the module that was named
		}
		if best < 0 || d < distance {
			best, distance = i, d
		}
	}
	if best < 0 {
		if im.Module != abi.Module && im.Module != abi.WASIModule {
			return fmt.Sprintf("; it has the modules %q and %q", abi.Module, abi.WASIModule)
		}
		return ""
	}
	f := known[best]
	return fmt.Sprintf("; there is %q.%q, %s", f.module, f.name, f.signature())
}

// maxTypos is by how many letters a name may differ from the one that was meant.
const maxTypos = 2

// typos returns by how many letters two names differ that are nearly the same, or -1. How they are divided into words, and what is
// large, doesn't count.
func typos(have, want string) int {
	if len(want) > 2*len(have)+maxTypos {
		return -1 // a module can have a name of 1,024 bytes
	}
	a, b := letters(have), letters(want)
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	if d := row[len(b)]; d <= min(maxTypos, len(a)/3) {
		return d
	}
	return -1
}

func letters(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '_' || r == '-':
			return -1
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return r
	}, name)
}

// hostFunctions returns all that can be imported, in the order of the tables.
func hostFunctions() (list []hostFunction) {
	for _, f := range abi.Table() {
		t := wasm.FuncType{Results: valueTypes(f.Results)}
		for _, p := range f.Params {
			t.Params = append(t.Params, valueType(p.Type))
		}
		list = append(list, hostFunction{abi.Module, f.Name, t, f.Since})
	}
	for _, f := range abi.WASI() {
		list = append(list, hostFunction{abi.WASIModule, f.Name, wasm.FuncType{Params: valueTypes(f.Params), Results: valueTypes(f.Results)}, 0})
	}
	return list
}

func valueTypes(names []string) (types []wasm.ValueType) {
	for _, name := range names {
		types = append(types, valueType(name))
	}
	return types
}

func valueType(name string) wasm.ValueType {
	switch name {
	case abi.I32:
		return wasm.I32
	case abi.I64:
		return wasm.I64
	}
	panic("BUG: vet: the interface has a value of type " + name)
}

// version checks that the module, if it says for which version of the interface it was made, was made for one that there is. What is new
// in a later one would else be refused for something that is less to the point. What else the spec says is not looked at.
func version(m *wasm.Module) error {
	for _, s := range m.Sections {
		if s.ID != wasm.SectionCustom || s.Name != abi.SectionName {
			continue
		}
		_, n := binary.Uvarint(s.Bytes) // of the name's length, which Decode has read
		if err := abi.CheckVersion(s.Bytes[n+len(s.Name):]); err != nil {
			return refused("custom", -1, 0, "%s: %v", abi.SectionName, err)
		}
	}
	return nil
}
