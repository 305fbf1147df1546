package abi_test

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
)

// Guests link this package: what it imports is paid for in every contract.
func TestImportsStaySmall(t *testing.T) {
	allowed := []string{"errors", "slices", "strconv", "unicode/utf8", "github.com/wardledger/ward/runtime/cbor"}
	pkg, err := build.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range pkg.Imports {
		if !slices.Contains(allowed, path) {
			t.Errorf("runtime/abi imports %s; guests link it, so only %v are allowed", path, allowed)
		}
	}
}

// prices are the names of the constants of runtime/gas.
func prices(t *testing.T) map[string]bool {
	file, err := parser.ParseFile(token.NewFileSet(), "../gas/costs.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, d := range file.Decls {
		if d, ok := d.(*ast.GenDecl); ok && d.Tok == token.CONST {
			for _, spec := range d.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					names[name.Name] = true
				}
			}
		}
	}
	return names
}

func TestTableIsWellFormed(t *testing.T) {
	seen, prices := map[string]bool{}, prices(t)
	for _, f := range abi.Table() {
		if seen[f.Name] {
			t.Errorf("%s is there twice", f.Name)
		}
		seen[f.Name] = true
		if f.Since < 1 || f.Since > abi.Version {
			t.Errorf("%s: since %d, versions are 1 to %d", f.Name, f.Since, abi.Version)
		}
		if !strings.HasSuffix(f.Doc, ".") {
			t.Errorf("%s: documentation is no sentence: %q", f.Name, f.Doc)
		}
		if f.Gas == "" {
			t.Errorf("%s: no price", f.Name)
		}
		for _, word := range strings.Fields(strings.NewReplacer("(", " ", ")", " ", ",", " ").Replace(f.Gas)) {
			if word[0] >= 'A' && word[0] <= 'Z' && !prices[word] {
				t.Errorf("%s: runtime/gas has no %s", f.Name, word)
			}
		}
		if len(f.Results) > 1 {
			t.Errorf("%s: %d results, at most one", f.Name, len(f.Results))
		}
		types := slices.Clone(f.Results)
		for _, p := range f.Params {
			types = append(types, p.Type)
		}
		for _, typ := range types {
			if typ != abi.I32 && typ != abi.I64 {
				t.Errorf("%s: type %q", f.Name, typ)
			}
		}
		if f.Capability != "" && f.View {
			t.Errorf("%s: needs a capability, so it changes something, but a view may call it", f.Name)
		}
	}
	for _, f := range abi.WASI() {
		if seen[f.Name] {
			t.Errorf("%s is there twice", f.Name)
		}
		seen[f.Name] = true
		want := []string{abi.I32}
		if f.Name == "proc_exit" {
			want = nil
		}
		if !slices.Equal(f.Results, want) {
			t.Errorf("%s: results %v, want %v", f.Name, f.Results, want)
		}
	}
}

func TestNames(t *testing.T) {
	long := func(n int) string { return strings.Repeat("a", n) }
	for _, c := range []struct {
		what  string
		valid func(string) bool
		max   int
		good  []string
		bad   []string
	}{
		{"contract", abi.ValidContract, abi.MaxContractName,
			[]string{"a", "devices", "access-2", "a-"}, []string{"", "-a", "2a", "A", "a_b", "a.b", "a b", "ä", "a\x00"}},
		{"method", abi.ValidMethod, abi.MaxMethodName,
			[]string{"a", "bump_epoch", "a2", "a_"}, []string{"", "_a", "2a", "bumpEpoch", "a-b", "a.b", "é"}},
		{"event", abi.ValidEvent, abi.MaxEventName,
			[]string{"enrolled", "key_rotated", "refused"}, []string{"", "Enrolled", "a-b"}},
		{"error", abi.ValidErrorName, abi.MaxErrorName, []string{"not_owner"}, []string{"", "NotOwner"}},
		{"capability", abi.ValidCapability, abi.MaxCapability, []string{"accounts"}, []string{"", "Accounts"}},
		{"collection", abi.ValidCollection, abi.MaxCollection,
			[]string{"grants", "grants.by_subject"}, []string{"", ".a", "\x00a", "a/b", "A"}},
		{"field", abi.ValidField, abi.MaxFieldName,
			[]string{"object", "import_Wh", "not_before"}, []string{"", "Object", "a-b", "a.b", "1a"}},
		{"type", abi.ValidType, abi.MaxTypeName,
			[]string{"Grant", "page_of_Grant"}, []string{"", "Page[Grant]", "a.B", "1A"}},
		{"chain", abi.ValidChain, abi.MaxChain,
			[]string{"ward-dev", "1", "Site_4.b"}, []string{"", "-a", ".a", "a b", "a/b", "ä"}},
	} {
		for _, s := range append(c.good, long(c.max)) {
			if !c.valid(s) {
				t.Errorf("%s: %q is refused", c.what, s)
			}
		}
		for _, s := range append(c.bad, long(c.max+1)) {
			if c.valid(s) {
				t.Errorf("%s: %q is accepted", c.what, s)
			}
		}
	}
}
