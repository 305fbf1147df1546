package build

import (
	"errors"
	"fmt"
	"go/ast"
	gobuild "go/build"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/wardledger/ward/runtime/vm"
)

// A SourceError says what a contract's source must say otherwise, and where.
type SourceError struct {
	// Mistakes are lines such as "door/main.go:12:5: the method open is declared twice", with paths from the current folder.
	Mistakes []string
}

// Error implements error.
func (e *SourceError) Error() string { return strings.Join(e.Mistakes, "\n") }

// source is the Go files of a contract's folder, read a second time for people: to say where something stands that the
// compiled contract, or the engine, has complained of. What can't be found there is said without a place.
type source struct {
	dir   string
	set   *token.FileSet
	files []*ast.File
}

func readSource(dir string) *source {
	s := &source{dir: dir, set: token.NewFileSet()}
	names, _ := filepath.Glob(filepath.Join(dir, "*.go"))
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || !compiled(dir, filepath.Base(name)) {
			continue
		}
		if f, err := parser.ParseFile(s.set, name, nil, parser.ParseComments); err == nil {
			s.files = append(s.files, f)
		}
	}
	return s
}

// compiled reports whether a file is of the package as it is compiled for a contract, by its name and its build constraints.
func compiled(dir, name string) bool {
	context := gobuild.Default
	context.GOOS, context.GOARCH, context.CgoEnabled, context.BuildTags = "wasip1", "wasm", false, nil
	match, err := context.MatchFile(dir, name)
	return match || err != nil
}

func (s *source) mistake(pos token.Pos, format string, args ...any) *SourceError {
	return &SourceError{[]string{s.set.Position(pos).String() + ": " + fmt.Sprintf(format, args...)}}
}

var (
	// panicked is what the SDK says when something is declared that can't be, or the author's own code when it starts.
	panicked = regexp.MustCompile(`panic: (?:sdk: |wire: )?(.*)`)
	// frame is the last line of a goroutine's trace: the author's function that the Go runtime had called.
	frame = regexp.MustCompile(`^\s*(\S+\.go):(\d+)`)
	// typePath is what the SDK says of a type that can't be on the wire: a type, fields from there on, and what is wrong.
	typePath = regexp.MustCompile(`(?:^|: )([\pL_][\pL\pN_]*)((?:(?:\[\])*\.[\pL\pN_]+)+)(?:\[\])* `)
	// imported is what vet says of a function that there isn't, or not so.
	imported = regexp.MustCompile(`^import section \d+: "([^"]*)"\."([^"]*)": (.*)`)
)

// place says where in the source the mistake is that a refusal tells of; any other error it returns as it is.
func (s *source) place(err error) error {
	refused, ok := errors.AsType[*vm.Refused](err)
	if !ok {
		return err
	}
	if m := imported.FindStringSubmatch(refused.Reason); m != nil {
		if at := s.directive(m[1], m[2]); at != token.NoPos {
			return s.mistake(at, "the import %q.%q: %s", m[1], m[2], m[3])
		}
		return err
	}
	m := panicked.FindStringSubmatch(refused.Reason)
	if m == nil {
		return err
	}
	if p := typePath.FindStringSubmatch(m[1]); p != nil {
		if at := s.field(p[1], strings.Split(strings.ReplaceAll(p[2], "[]", ""), ".")[1:]); at != token.NoPos {
			return s.mistake(at, "%s", m[1])
		}
	}
	if f := frame.FindStringSubmatch(refused.Detail); f != nil {
		// The path begins with that of the module, which isn't the folder's.
		for parts := strings.Split(f[1], "/"); len(parts) > 0; parts = parts[1:] {
			file := filepath.Join(s.dir, filepath.Join(parts...))
			if _, err := os.Stat(file); err == nil {
				return &SourceError{[]string{file + ":" + f[2] + ": " + m[1]}}
			}
		}
	}
	if at := s.main(); at != token.NoPos && strings.HasPrefix(m[1], undescribed) {
		return s.mistake(at, "%s", m[1])
	}
	return err
}

// undescribed is how the SDK begins what it says of a contract without sdk.Describe: nothing of the author's had run then.
const undescribed = "the contract does not say what it is"

// main finds the function main.
func (s *source) main() token.Pos {
	for _, f := range s.files {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "main" {
				return fn.Pos()
			}
		}
	}
	return token.NoPos
}

// directive finds //go:wasmimport of a function.
func (s *source) directive(module, name string) token.Pos {
	for _, f := range s.files {
		for _, group := range f.Comments {
			for _, c := range group.List {
				if fields := strings.Fields(c.Text); len(fields) == 3 && fields[0] == "//go:wasmimport" && fields[1] == module && fields[2] == name {
					return c.Pos()
				}
			}
		}
	}
	return token.NoPos
}

// field finds a field of a field of a struct.
func (s *source) field(typ string, path []string) token.Pos {
	for {
		st, ok := s.typeOf(typ).(*ast.StructType)
		if !ok {
			return token.NoPos
		}
		i := slices.IndexFunc(st.Fields.List, func(f *ast.Field) bool {
			return slices.ContainsFunc(f.Names, func(n *ast.Ident) bool { return n.Name == path[0] })
		})
		if i < 0 {
			return token.NoPos
		}
		f := st.Fields.List[i]
		if path = path[1:]; len(path) == 0 {
			return f.Pos()
		}
		if typ = element(f.Type); typ == "" {
			return f.Pos()
		}
	}
}

// element is the name of a type of this package that a field holds, also in a list, a map or behind a pointer.
func element(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.Ident:
		return t.Name
	case *ast.StarExpr:
		return element(t.X)
	case *ast.ArrayType:
		return element(t.Elt)
	case *ast.MapType:
		return element(t.Value)
	}
	return ""
}

func (s *source) typeOf(name string) (found ast.Expr) {
	for _, f := range s.files {
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok {
				for _, spec := range g.Specs {
					if t, ok := spec.(*ast.TypeSpec); ok && t.Name.Name == name {
						found = t.Type
					}
				}
			}
		}
	}
	return found
}

// declarations calls visit for each call such as sdk.Method("open", ...), with what is called and its first argument if that is text.
func (s *source) declarations(visit func(call *ast.CallExpr, function, name string)) {
	for _, f := range s.files {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := uninstantiated(call.Fun).(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); !ok || x.Name != "sdk" || len(call.Args) == 0 {
				return true
			}
			name := ""
			if lit, ok := call.Args[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
				name, _ = strconv.Unquote(lit.Value)
			}
			visit(call, sel.Sel.Name, name)
			return true
		})
	}
}
