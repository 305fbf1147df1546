// Package c holds ward.h, with which contracts are written in C, and the test that prints it.
package c

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/receipt"
)

var update = flag.Bool("update", false, "write ward.h instead of comparing it")

// ward.h is printed from the tables of runtime/abi; after a change of those run
//
//	go test ./sdk/c -run TestHeader -update
func TestHeader(t *testing.T) {
	want := header(t)
	if *update {
		if err := os.WriteFile("ward.h", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("ward.h")
	if err != nil {
		t.Fatal(err)
	}
	// Git may have given it other line ends.
	if !bytes.Equal(bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n")), want) {
		t.Error("ward.h is not what the tables say: go test ./sdk/c -run TestHeader -update")
	}
}

// Every parameter of a function gets a type from its name and its neighbour's; a new kind of name must not slip through.
func TestPrototypes(t *testing.T) {
	for _, test := range []struct {
		params []string
		want   string
	}{
		{nil, "void"},
		{[]string{"out", "cap"}, "void *out, uint32_t cap"},
		{[]string{"out20"}, "uint8_t out[WARD_AT_LEAST 20]"},
		{[]string{"key32", "sig64", "msg", "msglen"}, "const uint8_t key[WARD_AT_LEAST 32], const uint8_t sig[WARD_AT_LEAST 64], const void *msg, uint32_t msglen"},
		{[]string{"ptr", "len", "out32"}, "const void *ptr, uint32_t len, uint8_t out[WARD_AT_LEAST 32]"},
		{[]string{"code", "ptr", "len"}, "uint32_t code, const void *ptr, uint32_t len"},
	} {
		var params []abi.Param
		for _, name := range test.params {
			params = append(params, abi.Param{Name: name, Type: abi.I32})
		}
		if got := parameters(params); got != test.want {
			t.Errorf("%v: %s, want %s", test.params, got, test.want)
		}
	}
}

// numbers are the files of runtime/abi whose constants a contract may need, in the order of the header, with a title for each.
var numbers = []struct{ file, title string }{
	{"functions.go", "What functions answer, and flags"},
	{"bounds.go", "Bounds, in bytes unless said otherwise: more ends the call"},
	{"names.go", "Longest names, in bytes"},
	{"account.go", "Bounds of what account_open takes"},
	{"authorities.go", "Bounds of what authorities_set takes"},
	{"parameters.go", "Bounds of what parameters_set takes"},
	{"permit.go", "Bounds of what code_permit takes"},
	{"fail.go", "Reserved codes of fail"},
}

func header(t *testing.T) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `/* ward.h: what a contract in C may ask of the Ward runtime. Version %d of the import module %q.
 *
 * Printed from the tables of runtime/abi by "go test ./sdk/c -run TestHeader -update": change those.
 *
 * C99 and later, C++ too; clang with --target=wasm32, no libc. README.md beside it has the command and a first contract.
 *
 * Where a function has out and cap, the answer is written to out if it fits in cap bytes. Its full length is returned either way:
 * if that is more than cap, nothing was written, and the contract asks again with more room. Numbers in memory are little-endian,
 * documents are canonical CBOR. Misuse (a pointer outside memory, more than a bound, a write in a view, a missing capability) ends
 * the call; the contract never sees it. Every call of a function costs Host and what its comment says: the names are those of
 * runtime/gas, and a parameter stands for its bytes.
 */
#ifndef WARD_H
#define WARD_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define WARD_AT_LEAST
#else
#define WARD_AT_LEAST static /* in [static n]: the compiler warns of an array that is too small */
#endif

#ifdef __wasm__
#define WARD_IMPORT(name) __attribute__((__import_module__(%q), __import_name__(#name)))
#define WARD_EXPORT(name) __attribute__((__export_name__(#name)))
#else /* A test of the contract on another machine: it defines the functions that it needs. */
#define WARD_IMPORT(name)
#define WARD_EXPORT(name)
#endif

/* Pointer and length of a string literal: ward_log(WARD_STR("hello")). */
#define WARD_STR(literal) ("" literal), ((uint32_t)(sizeof(literal) - 1))

`, abi.Version, abi.Module, abi.Module)

	b.WriteString("/* What a contract exports, besides its memory (which wasm-ld does), all of the type void(void):\n *\n")
	for _, e := range abi.Exports() {
		needed := "may be missing"
		if e.Required {
			needed = "must be there"
		}
		wrap(&b, " * ", fmt.Sprintf("WARD_EXPORT(%s) %s. %s", e.Name, needed, e.Doc), " *   ")
	}
	fmt.Fprintf(&b, " *\n * The function's name in C is free, but for that of an import: ward_call is one.\n */\n")

	files, info := constants(t)
	for i, file := range files {
		fmt.Fprintf(&b, "\n/* ---- %s ---- */\n\n", numbers[i].title)
		section(&b, file, info)
	}

	b.WriteString("\n/* ---- Codes: how a call of another contract ended ---- */\n\n")
	for _, code := range receipt.Codes() {
		if code.Executed() {
			fmt.Fprintf(&b, "#define WARD_CODE_%s %d /* %s */\n", strings.ToUpper(code.Name()), code, code)
		}
	}

	b.WriteString("\n/* ---- Functions ---- */\n")
	for _, f := range abi.Table() {
		b.WriteString("\n")
		doc := cDoc(f.Doc, info) + " Gas: " + f.Gas + "."
		if f.Capability != "" {
			doc += " Needs the capability " + f.Capability + "."
		}
		if !f.View {
			doc += " Not in a view."
		}
		doc += fmt.Sprintf(" Since version %d.", f.Since)
		wrap(&b, "/* ", doc+" */", " * ")
		result := "void"
		switch {
		case f.Name == "call" || f.Name == "call_with_gas": // a code, not a length or a status
			result = "uint32_t"
		case len(f.Results) > 0:
			result = map[string]string{abi.I32: "int32_t", abi.I64: "uint64_t"}[f.Results[0]]
		}
		attribute := ""
		if f.Name == "fail" {
			attribute = "__attribute__((__noreturn__)) "
		}
		// A parameter stays on one line.
		list := strings.ReplaceAll(strings.ReplaceAll(parameters(f.Params), " ", "\x00"), ",\x00", ", ")
		wrap(&b, "", fmt.Sprintf("WARD_IMPORT(%s) %s%s ward_%s(%s);", f.Name, attribute, result, f.Name, list), "    ")
	}
	b.WriteString("\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n")
	return bytes.ReplaceAll(b.Bytes(), []byte{0}, []byte(" "))
}

// parameters returns a function's parameters as C has them. As in runtime/vm, "out" before "cap" is room for an answer, a name before
// itself with "len" appended is what the contract gives, a name that ends in a number points to so many bytes.
func parameters(params []abi.Param) string {
	if len(params) == 0 {
		return "void"
	}
	var list []string
	for i, p := range params {
		next := ""
		if i+1 < len(params) {
			next = params[i+1].Name
		}
		word := strings.TrimRight(p.Name, "0123456789")
		size := p.Name[len(word):]
		number := map[string]string{abi.I32: "uint32_t", abi.I64: "uint64_t"}[p.Type]
		switch {
		case p.Name == "out" && next == "cap":
			list = append(list, "void *out")
		case next == p.Name+"len" || p.Name == "ptr" && next == "len":
			list = append(list, "const void *"+p.Name)
		case size != "" && word == "out":
			list = append(list, fmt.Sprintf("uint8_t out[WARD_AT_LEAST %s]", size))
		case size != "":
			list = append(list, fmt.Sprintf("const uint8_t %s[WARD_AT_LEAST %s]", word, size))
		default:
			list = append(list, number+" "+p.Name)
		}
	}
	return strings.Join(list, ", ")
}

// constants reads the files of numbers.
func constants(t *testing.T) ([]*ast.File, *types.Info) {
	fset := token.NewFileSet()
	var files []*ast.File
	for _, n := range numbers {
		file, err := parser.ParseFile(fset, "../../runtime/abi/"+n.file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}}
	// Only constants are wanted: that the other files of the package are missing is of no matter.
	_, _ = (&types.Config{Error: func(error) {}}).Check("abi", fset, files, info)
	return files, info
}

// section prints the constants of one file.
func section(b *bytes.Buffer, file *ast.File, info *types.Info) {
	for _, d := range file.Decls {
		d, ok := d.(*ast.GenDecl)
		if !ok || d.Tok != token.CONST || strings.HasPrefix(d.Doc.Text(), "Bounds of a spec.") { // those are for tools
			continue
		}
		for _, spec := range d.Specs {
			oneLine(b, d, spec.(*ast.ValueSpec), info)
		}
	}
}

// oneLine prints the integers of one line of a const declaration.
func oneLine(b *bytes.Buffer, d *ast.GenDecl, spec *ast.ValueSpec, info *types.Info) {
	doc := spec.Doc.Text()
	if !d.Lparen.IsValid() {
		doc = d.Doc.Text()
	}
	for i, name := range spec.Names {
		c, ok := info.Defs[name].(*types.Const)
		if !ok || !c.Exported() || c.Val().Kind() != constant.Int {
			continue
		}
		if i == 0 && doc != "" {
			wrap(b, "/* ", cDoc(doc, info)+" */", " * ")
		}
		value := c.Val().String()
		switch v, _ := constant.Int64Val(c.Val()); {
		case v < 0:
			value = "(" + value + ")"
		case v > 1<<31-1:
			value = fmt.Sprintf("%#xu", v)
		}
		fmt.Fprintf(b, "#define %s %s\n", macro(name.Name), value)
	}
}

// goName is what looks like a constant's name in a comment: its first word, or one with two humps.
var goName = regexp.MustCompile(`^[A-Z][A-Za-z]+\b|\b(Max|Status|Fail|First|Caller|Scan|Block|Address|Hash|Authority)[A-Z][A-Za-z0-9]*\b`)

// cDoc returns a comment of Go as C has it: without links, and with the names that the constants have there.
func cDoc(doc string, info *types.Info) string {
	doc = strings.Join(strings.Fields(strings.NewReplacer("[", "", "]", "").Replace(doc)), " ")
	return goName.ReplaceAllStringFunc(doc, func(word string) string {
		for name, object := range info.Defs {
			if _, ok := object.(*types.Const); ok && name.Name == word {
				return macro(word)
			}
		}
		return word
	})
}

// macro returns MaxScanRows as WARD_MAX_SCAN_ROWS and StatusOK as WARD_STATUS_OK.
func macro(name string) string {
	s := []rune(name)
	out := "WARD_"
	for i, r := range s {
		if i > 0 && unicode.IsUpper(r) && (unicode.IsLower(s[i-1]) || i+1 < len(s) && unicode.IsLower(s[i+1])) {
			out += "_"
		}
		out += string(unicode.ToUpper(r))
	}
	return out
}

// wrap prints words in lines of a readable width, the first and the others with what they begin with.
func wrap(b *bytes.Buffer, first, words, others string) {
	line := first
	for _, word := range strings.Fields(words) {
		if len(line)+len(word) > 118 && word != "*/" {
			fmt.Fprintln(b, strings.TrimRight(line, " "))
			line = others
		}
		line += word + " "
	}
	fmt.Fprintln(b, strings.TrimRight(line, " "))
}
