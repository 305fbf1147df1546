package build

import (
	"cmp"
	"context"
	"fmt"
	"os"
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
	if s.Packages, s.Functions, err = inCode(named, of); err != nil {
		return nil, err
	}
	s.Functions = s.Functions[:min(len(s.Functions), maxFunctions)]
	return s, nil
}

// inCode is the code of a module with names, by the packages that it is made of and by function, the largest first.
func inCode(named []byte, of []string) (packages, functions []Part, err error) {
	m, err := wasm.Decode(named)
	if err != nil {
		return nil, nil, err
	}
	first := len(m.ImportedFuncs)
	indexes := make([]uint32, len(m.Code))
	for i := range indexes {
		indexes[i] = uint32(first + i)
	}
	names := wasm.FunctionNames(named, indexes...)
	sums := map[string]int{}
	for i, body := range m.Code {
		name := names[indexes[i]]
		if name == "" {
			name = fmt.Sprintf("function %d", indexes[i])
		}
		sums[packageOf(name, of)] += len(body.Code)
		functions = append(functions, Part{name, len(body.Code)})
	}
	for name, bytes := range sums {
		packages = append(packages, Part{name, bytes})
	}
	largest(packages)
	largest(functions)
	return packages, functions, nil
}

// heaviest says what a module that is too large is most of all made of, for the end of an error; "" if that can't be told.
func (g *gotool) heaviest(ctx context.Context, file string) string {
	with := *g
	with.names = true
	if with.build(ctx, file) != nil {
		return ""
	}
	named, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	of, err := g.packages(ctx)
	if err != nil {
		return ""
	}
	packages, _, err := inCode(named, of)
	if err != nil {
		return ""
	}
	var list []string
	for _, p := range packages[:min(len(packages), 4)] {
		list = append(list, fmt.Sprintf("%s (%d)", p.Name, p.Bytes))
	}
	return "; most of its code is of " + strings.Join(list, ", ") + ": import less"
}

// packages is what the contract is made of.
func (g *gotool) packages(ctx context.Context) ([]string, error) {
	listed, err := g.run(ctx, "list", "-deps", ".")
	return append(strings.Fields(listed), "main"), err
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
	packages, err = tool.packages(ctx)
	return named, packages, err
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
