package build_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/wasm"
	"github.com/wardledger/ward/sdk/build"
	"github.com/wardledger/ward/sdk/template"
)

// The module with names runs as the one without does, function by function, and source that was edited meanwhile has no names for it.
func TestWithNames(t *testing.T) {
	for _, c := range []struct{ name, dir, edited, from, to string }{
		{"Go", filepath.Join("testdata", "plain"), "main.go", "func wardCall() {}", "func wardCall() { println(1) }"},
		{"C", "", "main.c", "MAX_TOTAL = 1000000", "MAX_TOTAL = 1000001"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "count")
			if c.name == "C" {
				needsClang(t)
				if err := template.Write(dir, "count", template.C); err != nil {
					t.Fatal(err)
				}
				dir = filepath.Join(dir, "c")
			} else {
				copyFolder(t, c.dir, dir)
				write(t, dir, "go.mod", "module example.com/plain\n\ngo 1.26.0\n")
			}
			o := build.Options{Dir: dir}
			module, err := build.Contract(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if names := wasm.FunctionNames(module.Wasm, indexes()...); len(names) > 0 {
				t.Errorf("what is deployed has names: %v", names)
			}
			named, err := build.WithNames(t.Context(), o, module)
			if err != nil {
				t.Fatal(err)
			}
			if names := wasm.FunctionNames(named, indexes()...); len(names) == 0 {
				t.Error("no names")
			}
			source, err := os.ReadFile(filepath.Join(dir, c.edited))
			if err != nil || !strings.Contains(string(source), c.from) {
				t.Fatalf("nothing to edit: %v", err)
			}
			write(t, dir, c.edited, strings.Replace(string(source), c.from, c.to, 1))
			if _, err := build.WithNames(t.Context(), o, module); err == nil || !strings.Contains(err.Error(), "its source is another") {
				t.Errorf("names of another source: %v", err)
			}
		})
	}
}

// indexes is those of the first functions.
func indexes() (list []uint32) {
	for i := range uint32(500) {
		list = append(list, i)
	}
	return list
}

func needsClang(t *testing.T) {
	t.Helper()
	for _, tool := range []string{"clang", "wasm-ld"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("NOT RUN:", err)
		}
	}
}

func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}
