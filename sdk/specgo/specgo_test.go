package specgo_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/constant"
	"go/format"
	"go/importer"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/specgo"
	"github.com/wardledger/ward/sdk/wire"
)

var update = flag.Bool("update", false, "write testdata anew")

func kind(k abi.Kind) *abi.Type { return &abi.Type{Kind: k} }

func sized(k abi.Kind, size uint64) *abi.Type { return &abi.Type{Kind: k, Size: size} }

func list(t *abi.Type) *abi.Type { return &abi.Type{Kind: abi.KindList, Elem: t} }

func mapTo(t *abi.Type) *abi.Type { return &abi.Type{Kind: abi.KindMap, Elem: t} }

func structOf(name string, fields ...abi.Field) *abi.Type {
	return &abi.Type{Kind: abi.KindStruct, Name: name, Fields: fields}
}

// everything has each kind, required and optional, and what each rule for names is for.
func everything() *abi.Spec {
	var every []abi.Field
	for k := abi.KindBool; k <= abi.KindDuration; k++ {
		every = append(every, abi.Field{Name: k.String(), Doc: "a " + k.String(), Type: kind(k)})
		every = append(every, abi.Field{Name: k.String() + "_or_not", Type: kind(k), Optional: true})
	}
	for _, size := range []uint64{8, 16, 32} {
		for _, k := range []abi.Kind{abi.KindInt, abi.KindUint} {
			every = append(every, abi.Field{Name: fmt.Sprintf("%s%d", k, size), Type: sized(k, size)})
		}
	}
	every = append(every, abi.Field{Name: "hash", Type: sized(abi.KindBytes, 32)}, abi.Field{Name: "salt", Type: sized(abi.KindBytes, 8), Optional: true},
		abi.Field{Name: "levels", Type: list(sized(abi.KindUint, 8))}, abi.Field{Name: "steps", Type: list(sized(abi.KindInt, 8))})
	row := structOf("row", abi.Field{Name: "id", Type: kind(abi.KindUint), Doc: "its number"}, abi.Field{Name: "peer_id", Type: kind(abi.KindText)})
	page := structOf("Page",
		abi.Field{Name: "rows", Type: list(row)},
		abi.Field{Name: "by_name", Type: mapTo(list(row)), Optional: true},
		abi.Field{Name: "range", Type: structOf("", abi.Field{Name: "from", Type: kind(abi.KindTime)}), Optional: true, Doc: "which of them"},
		abi.Field{Name: "nothing", Type: structOf("")},
	)
	return &abi.Spec{
		ABI: 1, Name: "every-thing", Doc: "Has one of each", Toolchain: "go1.99.9",
		Methods: []abi.Method{
			{Name: "init", Args: structOf("initArgs", abi.Field{Name: "x", Type: kind(abi.KindUint)})},
			{Name: "store", Doc: "Keep it.", Args: structOf("storeArgs", every...)},
			{Name: "look", Doc: "What is kept?", View: true, Result: page},
			{Name: "look_again", View: true, Args: structOf("row", row.Fields...), Result: list(page)},
			{Name: "count", Doc: "How many.", Result: kind(abi.KindUint)},
			{Name: "touch"},
			{Name: "nothing", Args: structOf("None"), Result: structOf("None")},
			{Name: "odd", Doc: "Names that fit badly.", Args: structOf("",
				abi.Field{Name: "import_Wh", Type: kind(abi.KindInt)},
				abi.Field{Name: "importWh", Type: kind(abi.KindInt), Optional: true},
				abi.Field{Name: "import__wh", Type: kind(abi.KindText), Optional: true},
				abi.Field{Name: "url_id", Type: kind(abi.KindText)},
				abi.Field{Name: "func", Type: kind(abi.KindText), Doc: strings.Repeat("A long story. ", 12)},
				abi.Field{Name: "p_1", Type: kind(abi.KindText)},
			)},
			{Name: "with_gas", Result: structOf("Contract", abi.Field{Name: "page", Type: structOf("Page", abi.Field{Name: "other", Type: kind(abi.KindBool)})})},
			{Name: "upgrade"},
		},
		Errors: []abi.ErrorSpec{{Code: 1, Name: "failed", Doc: "No."}, {Code: 7, Name: "no_such_id", Doc: "There is none."}},
	}
}

// TestGolden keeps what is written where a change of it is seen.
func TestGolden(t *testing.T) {
	for file, o := range map[string]specgo.Options{
		"everything.go.txt": {},
		"two.go.txt":        {Package: "every", Methods: []string{"touch", "look"}},
	} {
		if err := specgo.Check(filepath.Join("testdata", file), everything(), o, *update); err != nil {
			t.Error(err)
		}
	}
}

func TestToolchainDoesNotShow(t *testing.T) {
	s := everything()
	before, _ := specgo.Client(s, specgo.Options{})
	s.Toolchain = "go1.100"
	if after, err := specgo.Client(s, specgo.Options{}); err != nil || string(after) != string(before) {
		t.Errorf("%v, %s", err, after)
	}
}

func TestRefused(t *testing.T) {
	bad := everything()
	bad.Methods[1].Name = "Bad"
	for _, c := range []struct {
		spec *abi.Spec
		o    specgo.Options
		want string
	}{
		{bad, specgo.Options{}, `the spec: method "Bad" is not a name`},
		{everything(), specgo.Options{Package: "my-package"}, `"my-package" can't be the name of a Go package`},
		{everything(), specgo.Options{Package: "init"}, `"init" can't be the name of a Go package`},
		{everything(), specgo.Options{Package: "func"}, `"func" can't be the name of a Go package`},
		{everything(), specgo.Options{Package: "_"}, `"_" can't be`},
		{everything(), specgo.Options{Methods: []string{"look", "lok"}}, `every-thing has no method "lok" that a contract can call: there are store, look, `},
		{everything(), specgo.Options{Methods: []string{"init"}}, `every-thing has no method "init" that a contract can call`},
		{&abi.Spec{ABI: 1, Name: "mute", Methods: []abi.Method{{Name: "init"}}}, specgo.Options{}, "mute has no method that a contract can call"},
	} {
		if _, err := specgo.Client(c.spec, c.o); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestPackage(t *testing.T) {
	for contract, want := range map[string]string{
		"devices": "devices", "front-door": "frontdoor", "func": "funccontract", "main": "maincontract", "sdk": "sdkcontract",
		"string": "stringcontract", "vendor": "vendorcontract", "a--1": "a1",
	} {
		if got := specgo.Package(contract); got != want {
			t.Errorf("%s: %s, want %s", contract, got, want)
		}
	}
}

func TestCheck(t *testing.T) {
	path := filepath.Join(t.TempDir(), "client.go")
	if err := specgo.Check(path, everything(), specgo.Options{}, false); err == nil {
		t.Error("no file is as good as the right one")
	}
	if err := specgo.Check(path, everything(), specgo.Options{}, true); err != nil {
		t.Fatal(err)
	}
	if err := specgo.Check(path, everything(), specgo.Options{}, false); err != nil {
		t.Error(err)
	}
	s := everything()
	s.Methods[2].Result.Fields[0].Optional = true
	if err := specgo.Check(path, s, specgo.Options{}, false); err == nil || !strings.Contains(err.Error(), "-update") {
		t.Errorf("the contract has changed, and it says %v", err)
	}
}

// imported has the types of what generated files import, read from source once.
var imported = sync.OnceValue(func() types.Importer {
	return importer.ForCompiler(token.NewFileSet(), "source", nil)
})

// failing is a test, or rapid's.
type failing interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// A client is a generated file, type-checked.
type client struct {
	source string
	file   *ast.File
	pkg    *types.Package
	info   *types.Info
}

// generate checks that what is written for a spec compiles, is formatted, and has no directive.
func generate(t failing, s *abi.Spec, o specgo.Options) *client {
	source, err := specgo.Client(s, o)
	if err != nil {
		t.Fatal(err)
	}
	k := &client{source: string(source), info: &types.Info{Instances: map[*ast.Ident]types.Instance{}}}
	fail := func(format string, args ...any) {
		t.Helper()
		t.Fatalf("%s\n%s", fmt.Sprintf(format, args...), source)
	}
	set := token.NewFileSet()
	if k.file, err = parser.ParseFile(set, "client.go", source, parser.ParseComments|parser.SkipObjectResolution); err != nil {
		fail("%v", err)
	}
	config := types.Config{Importer: imported()}
	if k.pkg, err = config.Check(k.file.Name.Name, set, []*ast.File{k.file}, k.info); err != nil {
		fail("%v", err)
	}
	if again, err := format.Source(source); err != nil || string(again) != k.source {
		fail("not as gofmt has it: %v", err)
	}
	if !ast.IsGenerated(k.file) || !strings.HasPrefix(k.source, specgo.Header+"\n\n") {
		fail("doesn't say that it is generated")
	}
	for _, group := range k.file.Comments {
		for _, c := range group.List {
			if body := strings.TrimPrefix(c.Text, "// "); c.Text != "//" && body == c.Text || strings.HasPrefix(body, "+") || strings.ContainsAny(body, "\r\n\x00\ufeff") {
				fail("the comment %q could be a directive", c.Text)
			}
		}
	}
	return k
}

// same checks that the types on the wire are those of the spec.
func (k *client) same(t failing, s *abi.Spec, methods []string) {
	var got []string
	for _, d := range k.file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, spec := range g.Specs {
			call := spec.(*ast.ValueSpec).Values[0].(*ast.CallExpr)
			name := constant.StringVal(constant.MakeFromLiteral(call.Args[0].(*ast.BasicLit).Value, token.STRING, 0))
			got = append(got, name)
			m, ok := s.Method(name)
			if !ok {
				t.Fatalf("there is no method %q", name)
			}
			of := k.info.Instances[call.Fun.(*ast.IndexListExpr).X.(*ast.SelectorExpr).Sel].TypeArgs
			for i, want := range []*abi.Type{m.Args, m.Result} {
				if want == nil {
					want = structOf("")
				}
				if got := wire.NewPlan(reflected(t, of.At(i))).Type(); !reflect.DeepEqual(bare(got), bare(want)) {
					t.Fatalf("%s, %d: on the wire it is\n%s\nand in the spec\n%s\n%s", name, i, text(got), text(want), k.source)
				}
			}
		}
	}
	if !slices.Equal(got, methods) {
		t.Fatalf("methods %q, want %q", got, methods)
	}
	contract := k.pkg.Scope().Lookup("Contract").Type().(*types.Named)
	if n := contract.NumMethods(); n != len(methods)+1 {
		t.Fatalf("%d Go methods for %q, and WithGas", n, methods)
	}
	for _, e := range s.Errors {
		n := 0
		for _, name := range k.pkg.Scope().Names() {
			if c, ok := k.pkg.Scope().Lookup(name).(*types.Const); ok && c.Val().ExactString() == fmt.Sprint(e.Code) && c.Exported() {
				n++
			}
		}
		if n != 1 {
			t.Fatalf("%d constants for the code %d\n%s", n, e.Code, k.source)
		}
	}
}

// reflected is a type of a generated file as the program itself has types.
func reflected(t failing, of types.Type) reflect.Type {
	switch u := of.(type) {
	case *types.Alias:
		return reflected(t, types.Unalias(u))
	case *types.Named:
		switch u.String() {
		case "github.com/wardledger/ward/sdk.Address":
			return reflect.TypeFor[sdk.Address]()
		case "github.com/wardledger/ward/sdk.Time":
			return reflect.TypeFor[sdk.Time]()
		case "github.com/wardledger/ward/sdk.Duration":
			return reflect.TypeFor[sdk.Duration]()
		}
		return reflected(t, u.Underlying())
	case *types.Pointer:
		return reflect.PointerTo(reflected(t, u.Elem()))
	case *types.Slice:
		return reflect.SliceOf(reflected(t, u.Elem()))
	case *types.Array:
		return reflect.ArrayOf(int(u.Len()), reflected(t, u.Elem()))
	case *types.Map:
		return reflect.MapOf(reflected(t, u.Key()), reflected(t, u.Elem()))
	case *types.Struct:
		var fields []reflect.StructField
		for i := range u.NumFields() {
			fields = append(fields, reflect.StructField{Name: u.Field(i).Name(), Type: reflected(t, u.Field(i).Type()), Tag: reflect.StructTag(u.Tag(i))})
		}
		return reflect.StructOf(fields)
	case *types.Basic:
		if r, ok := basic[u.Kind()]; ok {
			return r
		}
	}
	t.Fatalf("a generated file has the type %s", of)
	return nil
}

var basic = map[types.BasicKind]reflect.Type{
	types.Bool: reflect.TypeFor[bool](), types.String: reflect.TypeFor[string](),
	types.Int8: reflect.TypeFor[int8](), types.Int16: reflect.TypeFor[int16](), types.Int32: reflect.TypeFor[int32](), types.Int64: reflect.TypeFor[int64](),
	types.Uint8: reflect.TypeFor[uint8](), types.Uint16: reflect.TypeFor[uint16](), types.Uint32: reflect.TypeFor[uint32](), types.Uint64: reflect.TypeFor[uint64](),
}

// bare is a type without what a generated one needn't have: docs and names of structs.
func bare(t *abi.Type) *abi.Type {
	if t == nil {
		return nil
	}
	b := *t
	b.Name, b.Elem, b.Fields = "", bare(t.Elem), nil
	if b.Kind == abi.KindList && b.Elem.Kind == abi.KindUint && b.Elem.Size == 8 {
		b.Elem.Size = 16 // which Go has no other way to say
	}
	for _, f := range t.Fields {
		b.Fields = append(b.Fields, abi.Field{Name: f.Name, Type: bare(f.Type), Optional: f.Optional})
	}
	return &b
}

func text(t *abi.Type) string {
	b, _ := json.Marshal(bare(t))
	return string(b)
}

func TestEverythingOnTheWire(t *testing.T) {
	s := everything()
	generate(t, s, specgo.Options{}).same(t, s, specgo.Methods(s))
	o := specgo.Options{Package: "some", Methods: []string{"odd", "store"}}
	generate(t, s, o).same(t, s, []string{"store", "odd"})
}

// TestEverySpec draws specs of names that get into each other's way.
func TestEverySpec(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSpec(t)
		if err := s.Check(); err != nil {
			t.Fatalf("BUG: drew what is no spec: %v", err)
		}
		methods := specgo.Methods(s)
		if len(methods) == 0 {
			t.Skip()
		}
		o := specgo.Options{}
		if rapid.Bool().Draw(t, "some methods") {
			o.Methods = rapid.SliceOfNDistinct(rapid.SampledFrom(methods), 1, len(methods), rapid.ID).Draw(t, "methods")
			methods = slices.DeleteFunc(methods, func(m string) bool { return !slices.Contains(o.Methods, m) })
		}
		generate(t, s, o).same(t, s, methods)
	})
}

var (
	drawName = rapid.OneOf(
		rapid.SampledFrom([]string{
			"a", "a2", "a_2", "a_b", "ab", "a__b", "a_b_", "a2b", "id", "ids", "a_id", "id_a", "type", "func", "range", "string", "error", "nil", "sdk", "math", "c", "at", "args",
			"name", "gas", "with_gas", "contract", "init", "upgrade", "answer", "a_args", "a_answer", "none", "url_id", "err_a",
		}),
		rapid.StringMatching("[a-z][a-z0-9_]{0,9}"),
	)
	drawField = rapid.OneOf(drawName, rapid.SampledFrom([]string{"aB", "a_B", "aID", "import_Wh", "wITHcaps"}), rapid.StringMatching("[a-z][A-Za-z0-9_]{0,9}"))
	drawType  = rapid.OneOf(rapid.Just(""), drawName, rapid.SampledFrom([]string{
		"A", "A2", "AB", "Contract", "At", "AArgs", "AAnswer", "A_", "ErrA", "ErrFailed", "Answer", "WithGas", "Init", "AAnswerA",
	}), rapid.StringMatching("[A-Za-z][A-Za-z0-9_]{0,9}"))
	drawDoc = rapid.OneOf(rapid.SampledFrom(append([]string{"", "A doc."}, hostile...)), rapid.StringN(0, 40, 200))
)

func drawSpec(t *rapid.T) *abi.Spec {
	s := &abi.Spec{ABI: 1, Name: rapid.StringMatching("[a-z][a-z0-9-]{0,6}").Draw(t, "contract"), Doc: drawDoc.Draw(t, "doc")}
	for _, name := range rapid.SliceOfNDistinct(drawName, 1, 5, rapid.ID).Draw(t, "methods") {
		m := abi.Method{Name: name, Doc: drawDoc.Draw(t, "doc")}
		if rapid.Bool().Draw(t, "takes") {
			m.Args = drawStruct(t, 1)
		}
		if rapid.Bool().Draw(t, "answers") {
			m.Result = drawKind(t, 1)
		}
		s.Methods = append(s.Methods, m)
	}
	for i, name := range rapid.SliceOfNDistinct(drawName, 0, 4, rapid.ID).Draw(t, "errors") {
		s.Errors = append(s.Errors, abi.ErrorSpec{Code: uint32(i + 1), Name: name, Doc: drawDoc.Draw(t, "doc")})
	}
	return s
}

func drawKind(t *rapid.T, depth int) *abi.Type {
	last := abi.KindStruct
	if depth == abi.MaxTypeDepth {
		last = abi.KindDuration
	}
	switch k := abi.Kind(rapid.IntRange(int(abi.KindBool), int(last)).Draw(t, "kind")); k {
	case abi.KindList, abi.KindMap:
		return &abi.Type{Kind: k, Elem: drawKind(t, depth+1)}
	case abi.KindStruct:
		return drawStruct(t, depth)
	case abi.KindInt, abi.KindUint:
		return sized(k, rapid.SampledFrom([]uint64{0, 0, 8, 16, 32}).Draw(t, "size"))
	case abi.KindBytes:
		return sized(k, rapid.SampledFrom([]uint64{0, 0, 1, 20, 32, abi.MaxArgs}).Draw(t, "size"))
	default:
		return kind(k)
	}
}

func drawStruct(t *rapid.T, depth int) *abi.Type {
	s := structOf(drawType.Draw(t, "type"))
	if depth == abi.MaxTypeDepth {
		return s
	}
	for _, name := range rapid.SliceOfNDistinct(drawField, 0, 4, rapid.ID).Draw(t, "fields") {
		s.Fields = append(s.Fields, abi.Field{Name: name, Doc: drawDoc.Draw(t, "doc"), Type: drawKind(t, depth+1), Optional: rapid.Bool().Draw(t, "optional")})
	}
	return s
}

// hostile are docs that would be something else than a comment, somewhere.
var hostile = []string{
	"*/ func init() { panic(1) } /*", "`\nfunc init() { panic(1) }\n`", "\n//go:build ignore\n", "//go:linkname a b", "\n//line x.go:1\n", "+build ignore",
	"\n// +build ignore", strings.Repeat("a ", 55) + "aaa +build ignore", "a\r\n\r//go:embed /etc/passwd\r", "\u2028func init() {}\u2029", "\u0085//go:cgo_unsafe_args",
	"\x00", "\ufeff//go:generate rm", "\u202e}cnuf", "\"`", "Deprecated: no.", "# A heading\n\n\t- a list\n\n[x]: http://example.com", "[link] [sdk.Ctx]", "\\n//go:build x", "%s %d %!",
	"Code generated by hand; DO NOT EDIT.", strings.Repeat("x", abi.MaxDoc), "import \"C\"", "//export f", "\t\tcode\n\t\tmore", "\xef\xbf\xbd",
}

// documented is a spec with the same doc everywhere.
func documented(doc string) *abi.Spec {
	fields := []abi.Field{{Name: "a", Doc: doc, Type: kind(abi.KindText), Optional: true}, {Name: "b", Doc: doc, Type: kind(abi.KindUint)}}
	return &abi.Spec{
		ABI: 1, Name: "hostile", Doc: doc,
		Methods: []abi.Method{{Name: "m", Doc: doc, Args: structOf("", fields...), Result: structOf("R", fields...)}, {Name: "n", Doc: doc}},
		Errors:  []abi.ErrorSpec{{Code: 1, Name: "failed", Doc: doc}, {Code: 2, Name: "other", Doc: doc}},
	}
}

// FuzzDocs holds that a doc becomes nothing but comments: without them the file is that of a contract that says nothing.
func FuzzDocs(f *testing.F) {
	for _, doc := range hostile {
		f.Add(doc)
	}
	silent, err := specgo.Client(documented(""), specgo.Options{})
	if err != nil {
		f.Fatal(err)
	}
	want := tokens(f, string(silent))
	f.Fuzz(func(t *testing.T, doc string) {
		s := documented(doc)
		if s.Check() != nil {
			return
		}
		if got := tokens(t, generate(t, s, specgo.Options{}).source); !slices.Equal(got, want) {
			t.Errorf("the doc %q has become code: %q", doc, got)
		}
	})
}

// tokens is the code of a file, without comments.
func tokens(t testing.TB, source string) (all []string) {
	var s scanner.Scanner
	set := token.NewFileSet()
	s.Init(set.AddFile("client.go", -1, len(source)), []byte(source), func(pos token.Position, what string) { t.Errorf("%v: %s", pos, what) }, 0)
	for {
		_, tok, literal := s.Scan()
		if tok == token.EOF {
			return all
		}
		if tok == token.SEMICOLON {
			literal = "" // ";" or a line's end
		}
		all = append(all, tok.String()+" "+literal)
	}
}

// FuzzSpec holds what the package promises of any spec that a chain may carry.
func FuzzSpec(f *testing.F) {
	f.Add(everything().Encode())
	for _, doc := range hostile {
		f.Add(documented(doc).Encode())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := abi.DecodeSpec(b)
		if err != nil || len(specgo.Methods(s)) == 0 {
			return
		}
		generate(t, s, specgo.Options{}).same(t, s, specgo.Methods(s))
	})
}

// TestHostileDocsCompile is FuzzDocs by the Go command itself, which reads more in a comment than go/types does.
func TestHostileDocsCompile(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	replace := map[string]string{}
	dir := t.TempDir()
	for i, doc := range hostile {
		source, err := specgo.Client(documented(doc), specgo.Options{Package: "hostile"})
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, fmt.Sprintf("%d.go", i))
		if err := os.WriteFile(file, source, 0o644); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(here, "testdata", fmt.Sprintf("h%d", i), "hostile.go")] = file
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o644); err != nil {
		t.Fatal(err)
	}
	// A directive would leave a package out, or be refused.
	list := []string{"list", "-overlay", file, "-f", "{{.Name}} {{len .GoFiles}} {{len .CgoFiles}} {{len .EmbedPatterns}} {{.Imports}}"}
	build := []string{"build", "-overlay", file}
	for i := range hostile {
		list, build = append(list, fmt.Sprintf("./testdata/h%d", i)), append(build, fmt.Sprintf("./testdata/h%d", i))
	}
	out, err := exec.CommandContext(t.Context(), "go", list...).CombinedOutput()
	if want := strings.Repeat("hostile 1 0 0 [github.com/wardledger/ward/sdk math]\n", len(hostile)); err != nil || string(out) != want {
		t.Errorf("go list: %v\n%s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), "go", build...)
	cmd.Env = append(cmd.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("go build: %v\n%s", err, out)
	}
}
