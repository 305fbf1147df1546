package abi_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
)

var update = flag.Bool("update", false, "write README.md instead of comparing it")

// README.md is printed from the tables; after a change run
//
//	go test ./runtime/abi -run TestReadme -update
func TestReadme(t *testing.T) {
	want := readme()
	if *update {
		if err := os.WriteFile("README.md", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	// Git may have given it other line ends.
	if !bytes.Equal(bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n")), want) {
		t.Error("README.md is not what the tables say: go test ./runtime/abi -run TestReadme -update")
	}
}

func readme() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `# What a contract and the runtime ask of each other

Printed from the tables of this package by its test: change those. Version %d of the module %q.

A contract is a WebAssembly module in any language. It imports what it needs of the functions below, exports %s, %s
and, if it wants to describe itself, %s; pointers and lengths are i32, numbers in memory are little-endian, documents are
canonical CBOR (see runtime/cbor).

Where a function has out and cap, the answer is written to out if it fits in cap bytes. Its full length is returned either way: if
that is more than cap, nothing was written, and the contract asks again with more room. Misuse (a pointer outside memory, more than a
bound, a write in a view, a missing capability) ends the call; the contract never sees it.

`, abi.Version, abi.Module, "`"+abi.ExportMemory+"`", "`"+abi.ExportCall+"`", "`"+abi.ExportSpec+"`")
	b.WriteString("## Exports\n\n| export | needed | what for |\n|---|---|---|\n")
	for _, e := range abi.Exports() {
		needed := "no"
		if e.Required {
			needed = "yes"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", e.Name, needed, e.Doc)
	}
	fmt.Fprintf(&b, "\n## Functions of `%s`\n\nEvery call of one costs `Host` and what the table says; the names are those of runtime/gas, and a parameter stands for its bytes.\n\n"+
		"| function | in views | since | gas | what it does |\n|---|---|---|---|---|\n", abi.Module)
	for _, f := range abi.Table() {
		var params []string
		for _, p := range f.Params {
			if p.Type == abi.I32 {
				params = append(params, p.Name)
			} else {
				params = append(params, p.Name+" "+p.Type)
			}
		}
		view := "no"
		if f.View {
			view = "yes"
		}
		doc := f.Doc
		if f.Capability != "" {
			doc += " Needs the capability `" + f.Capability + "`."
		}
		fmt.Fprintf(&b, "| `%s(%s)%s` | %s | %d | %s | %s |\n", f.Name, strings.Join(params, ", "), results(f.Results), view, f.Since, f.Gas, doc)
	}
	b.WriteString("\nStatuses of the functions that need a capability: ")
	for _, s := range abi.Statuses() {
		if s != abi.StatusOK {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%d %s", int32(s), s)
	}
	fmt.Fprintf(&b, ".\n\nCodes of `fail` from %d on are reserved: %d says that there is no such method, %d that the arguments do not fit it.\n",
		abi.FirstReservedFail, abi.FailUnknownMethod, abi.FailBadArguments)
	fmt.Fprintf(&b, "\n## Bounds\n\n| of | at most |\n|---|---|\n")
	for _, bound := range bounds {
		fmt.Fprintf(&b, "| %s | %s |\n", bound.what, strings.TrimSpace(fmt.Sprint(bound.n, " ", bound.unit)))
	}
	fmt.Fprintf(&b, "\n## Functions of `%s`\n\nStock compilers import them; every function of preview 1 links. An errno alone is the answer of functions that do nothing.\n\n"+
		"| function | answer |\n|---|---|\n", abi.WASIModule)
	for _, f := range abi.WASI() {
		answer := f.Doc
		if f.Errno != abi.Answered {
			answer = fmt.Sprintf("errno %d: %s", f.Errno, f.Doc)
		}
		fmt.Fprintf(&b, "| `%s(%s)%s` | %s |\n", f.Name, strings.Join(f.Params, ", "), results(f.Results), answer)
	}
	return b.Bytes()
}

// bounds are all constants of the package that are called Max something, by name; see TestBounds.
var bounds = []struct {
	name string // several, if they are the same
	what string
	n    int
	unit string
}{
	{"MaxKey", "a storage key", abi.MaxKey, "bytes"},
	{"MaxValue", "a stored value", abi.MaxValue, "bytes"},
	{"MaxCollection", "the name of a collection", abi.MaxCollection, "bytes"},
	{"MaxArgs", "arguments", abi.MaxArgs, "bytes"},
	{"MaxReturn", "a result", abi.MaxReturn, "bytes"},
	{"MaxAttributes", "the attributes of an event", abi.MaxAttributes, "bytes"},
	{"MaxMessage", "a message to a function of cryptography, and what a function with a capability takes", abi.MaxMessage, "bytes"},
	{"MaxReason", "a reason (longer ones are cut)", abi.MaxReason, "bytes"},
	{"MaxLog", "a log line (longer ones are cut)", abi.MaxLog, "bytes"},
	{"MaxScanRows", "rows of one scan", abi.MaxScanRows, ""},
	{"MaxDepth", "contracts that run at once, each called by the one before", abi.MaxDepth, ""},
	{"MaxDerived", "what `hkdf_sha256` derives", abi.MaxDerived, "bytes"},
	{"MaxBatch", "signatures of one `ed25519_verify_batch`", abi.MaxBatch, ""},
	{"MaxPublicKey", "a public key", abi.MaxPublicKey, "bytes"},
	{"MaxScopeContracts", "contracts in the scope of a key", abi.MaxScopeContracts, ""},
	{"MaxScopeMethods", "methods of one of them", abi.MaxScopeMethods, ""},
	{"MaxAuthorities", "authorities of the chain", abi.MaxAuthorities, ""},
	{"MaxDeployers", "deployers in the chain's parameters", abi.MaxDeployers, ""},
	{"MaxPermits", "permits that wait for their deployment", abi.MaxPermits, ""},
	{"MaxCapabilities", "capabilities of one contract", abi.MaxCapabilities, ""},
	{"MaxModule", "a module", abi.MaxModule, "bytes"},
	{"MaxSections", "sections of a module", abi.MaxSections, ""},
	{"MaxSpec", "a spec", abi.MaxSpec, "bytes"},
	{"MaxMethods MaxEventSpecs MaxErrorSpecs", "methods, events and errors of a spec", abi.MaxMethods, "each"},
	{"MaxFields", "fields of a struct", abi.MaxFields, ""},
	{"MaxTypeDepth", "nesting of types", abi.MaxTypeDepth, ""},
	{"MaxDoc", "the documentation of one thing", abi.MaxDoc, "bytes"},
	{"MaxToolchain", "the name of a toolchain", abi.MaxToolchain, "bytes"},
	{"MaxContractName MaxMethodName MaxEventName MaxErrorName MaxFieldName MaxTypeName MaxCapability MaxChain", "any other name", abi.MaxContractName, "bytes"},
}

// TestBounds: a bound that the package declares is on the page, with its number.
func TestBounds(t *testing.T) {
	fset := token.NewFileSet()
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}}
	// Only constants are wanted: that imports are missing is of no matter.
	_, _ = (&types.Config{Error: func(error) {}}).Check("abi", fset, files, info)
	listed := map[string]int{}
	for _, bound := range bounds {
		for _, name := range strings.Fields(bound.name) {
			listed[name] = bound.n
		}
	}
	for name, object := range info.Defs {
		c, ok := object.(*types.Const)
		if !ok || !strings.HasPrefix(name.Name, "Max") {
			continue
		}
		if n, ok := listed[name.Name]; !ok || c.Val().String() != strconv.Itoa(n) {
			t.Errorf("%s is %s, the page says %d", name.Name, c.Val(), n)
		}
		delete(listed, name.Name)
	}
	if len(listed) > 0 {
		t.Errorf("the page has bounds that there are not: %v", listed)
	}
}

func results(types []string) string {
	if len(types) == 0 {
		return ""
	}
	return " -> " + strings.Join(types, ", ")
}
