package abi_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
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
	b.WriteString("\nStatuses of the account functions: ")
	for s := abi.StatusOK; s >= abi.StatusNoQuota; s-- {
		if s != abi.StatusOK {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%d %s", int32(s), s)
	}
	fmt.Fprintf(&b, ".\n\nCodes of `fail` from %d on are reserved: %d says that there is no such method, %d that the arguments do not fit it.\n",
		abi.FirstReservedFail, abi.FailUnknownMethod, abi.FailBadArguments)
	fmt.Fprintf(&b, "\n## Bounds\n\n| of | at most |\n|---|---|\n")
	for _, bound := range []struct {
		what string
		n    int
		unit string
	}{
		{"a storage key", abi.MaxKey, "bytes"}, {"a stored value", abi.MaxValue, "bytes"},
		{"the name of a collection", abi.MaxCollection, "bytes"}, {"arguments", abi.MaxArgs, "bytes"},
		{"a result", abi.MaxReturn, "bytes"}, {"the attributes of an event", abi.MaxAttributes, "bytes"},
		{"a message to `cose_verify`, `sha256`, `account_open`", abi.MaxMessage, "bytes"},
		{"a reason (longer ones are cut)", abi.MaxReason, "bytes"}, {"a log line (longer ones are cut)", abi.MaxLog, "bytes"},
		{"rows of one scan", abi.MaxScanRows, ""}, {"a module", abi.MaxModule, "bytes"}, {"a spec", abi.MaxSpec, "bytes"},
		{"methods, events and errors of a spec", abi.MaxMethods, "each"}, {"fields of a struct", abi.MaxFields, ""},
		{"nesting of types", abi.MaxTypeDepth, ""},
	} {
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

func results(types []string) string {
	if len(types) == 0 {
		return ""
	}
	return " -> " + strings.Join(types, ", ")
}
