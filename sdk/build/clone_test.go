package build_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wardledger/ward/sdk/build"
)

// Two clones in folders of different names, and this one, give the same code hash
// for a contract that uses the SDK: whoever has the sources can check what runs.
func TestClonesGiveTheSameHash(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	contract := filepath.Join("contracts", "hello")
	here, err := build.Contract(t.Context(), build.Options{Dir: filepath.Join(root, contract)})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ward", "ward of somebody else"} {
		clone := filepath.Join(t.TempDir(), name)
		for _, pattern := range []string{"go.mod", "go.sum", "sdk/*.go", "sdk/wire/*.go", "runtime/abi/*.go", "runtime/cbor/*.go", "contracts/hello/*.go"} {
			files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
			if err != nil || len(files) == 0 {
				t.Fatalf("no files %s: %v", pattern, err)
			}
			for _, file := range files {
				content, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				inside, _ := filepath.Rel(root, file)
				write(t, filepath.Join(clone, filepath.Dir(inside)), filepath.Base(inside), string(content))
			}
		}
		m, err := build.Contract(t.Context(), build.Options{Dir: filepath.Join(clone, contract)})
		if err != nil {
			t.Fatal(err)
		}
		if m.Hash != here.Hash {
			t.Errorf("%x in %q, %x here", m.Hash, name, here.Hash)
		}
		if strings.Contains(string(m.Wasm), clone) {
			t.Errorf("the module contains the path of %q", name)
		}
	}
}

// An author's own module needs Ward's sources and nothing else: no go.sum, no network.
func TestContractInAnotherModule(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join(root, "contracts", "hello", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir, "main.go", string(source))
	write(t, dir, "go.mod", "module example.com/door\n\ngo 1.26.0\n\nrequire github.com/wardledger/ward v0.0.0\n\n"+
		"replace github.com/wardledger/ward => "+root+"\n")
	t.Setenv("GOPROXY", "off")
	m, err := build.Contract(t.Context(), build.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := m.Spec.Method("open"); !ok {
		t.Errorf("the spec has no method open: %+v", m.Spec)
	}
}

// The recorded toolchain, asked for by name, builds the same bytes again.
func TestContractWithACertainToolchain(t *testing.T) {
	dir := filepath.Join("testdata", "plain")
	first, err := build.Contract(t.Context(), build.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOPROXY", "off")
	again, err := build.Contract(t.Context(), build.Options{Dir: dir, Toolchain: first.Toolchain})
	if err != nil {
		t.Fatal(err)
	}
	if again.Hash != first.Hash {
		t.Errorf("%x, then %x", first.Hash, again.Hash)
	}
	if _, err := build.Contract(t.Context(), build.Options{Dir: dir, Toolchain: "go1.26.999"}); !build.IsSetup(err) || !strings.Contains(err.Error(), "go1.26.999") {
		t.Errorf("a toolchain that isn't there: %v", err)
	}
}
