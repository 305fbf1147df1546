package build

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/wardledger/ward/runtime/wasm"
)

// A Part is some of a module's bytes and what they are.
type Part struct {
	Name  string
	Bytes int
}

// Sizes says what fills a module, the largest first.
type Sizes struct {
	Sections []Part // of the module
	Packages []Part // of the code, by the Go package that it is from; of a contract in C all is "other"
	// Functions is the largest few functions.
	Functions []Part
}

// maxFunctions is how many functions are named: a page of a terminal with the rest.
const maxFunctions = 10

// Measure says what fills the contract of a folder. module is the one that was built from it with the same options; it is built once
// more with names, if it has none, because they say which function is whose.
func Measure(ctx context.Context, o Options, module *Module) (*Sizes, error) {
	s, err := sections(module.Wasm)
	if err != nil {
		return nil, err
	}
	named, of, err := withNames(ctx, o, module)
	if err != nil {
		return nil, err
	}
	m, err := wasm.Decode(named)
	if err != nil {
		return nil, err
	}
	first := len(m.ImportedFuncs)
	indexes := make([]uint32, len(m.Code))
	for i := range indexes {
		indexes[i] = uint32(first + i)
	}
	names := wasm.FunctionNames(named, indexes...)
	packages := map[string]int{}
	for i, body := range m.Code {
		name := names[indexes[i]]
		if name == "" {
			name = fmt.Sprintf("function %d", indexes[i])
		}
		packages[packageOf(name, of)] += len(body.Code)
		s.Functions = append(s.Functions, Part{name, len(body.Code)})
	}
	for name, bytes := range packages {
		s.Packages = append(s.Packages, Part{name, bytes})
	}
	largest(s.Packages)
	largest(s.Functions)
	s.Functions = s.Functions[:min(len(s.Functions), maxFunctions)]
	return s, nil
}

// withNames returns the contract with the names of its functions, and the packages that it is made of.
func withNames(ctx context.Context, o Options, module *Module) (named []byte, packages []string, err error) {
	named = module.Wasm
	if !o.Debug {
		if named, err = WithNames(ctx, o, module); err != nil {
			return nil, nil, err
		}
	}
	if files := inC(o.Dir); len(files) > 0 {
		return named, nil, nil
	}
	tool, err := findGo(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	listed, err := tool.run(ctx, "list", "-deps", ".")
	return named, append(strings.Fields(listed), "main"), err
}

func sections(module []byte) (*Sizes, error) {
	m, err := wasm.Decode(module)
	if err != nil {
		return nil, err
	}
	s := &Sizes{}
	for _, section := range m.Sections {
		name := section.Name
		if section.ID != wasm.SectionCustom {
			name = sectionNames[section.ID]
		}
		s.Sections = append(s.Sections, Part{name, len(section.Bytes)})
	}
	largest(s.Sections)
	return s, nil
}

var sectionNames = [...]string{"", "types", "imports", "functions", "tables", "memories", "globals", "exports", "start", "elements",
	"code", "data (constants, types, tables of the Go runtime)", "data count"}

func largest(parts []Part) {
	slices.SortFunc(parts, func(a, b Part) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), strings.Compare(a.Name, b.Name))
	})
}

// mangled is what the Go linker writes an underscore for in the names of functions.
var mangled = regexp.MustCompile(`[^\w.]`)

// packageOf returns the package that a function's name begins with, of those that the contract is made of.
func packageOf(name string, packages []string) string {
	found := "other" // what the compiler made, such as comparisons of types
	for _, p := range packages {
		if strings.HasPrefix(name, mangled.ReplaceAllString(p, "_")+".") && (found == "other" || len(p) > len(found)) {
			found = p
		}
	}
	return found
}
