package template

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A contract may be called as a package of Go's own is: its module is called otherwise, or it would not build.
func TestModuleIsNoneOfGos(t *testing.T) {
	out, err := exec.Command("go", "list", "std").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.FieldsSeq(string(out)) {
		if !strings.Contains(name, "/") && !slices.Contains(taken, name) {
			t.Errorf("Go has a package %s: it belongs among those that are taken", name)
		}
	}
	for name, want := range map[string]string{"time": "module example/time\n", "main": "module example/main\n", "visits": "module visits\n"} {
		dir := filepath.Join(t.TempDir(), name)
		if err := Write(dir, name, "blank"); err != nil {
			t.Fatal(err)
		}
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err != nil || !strings.HasPrefix(string(mod), want) {
			t.Errorf("%s: %q, %v", name, mod, err)
		}
	}
}

// What is carried has the licence of this repository, which stands in a folder that can't be embedded from here.
func TestLicence(t *testing.T) {
	want, err := os.ReadFile("../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	got, err := policies.ReadFile("LICENSE")
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("the licence that is carried is not that of the repository: cp LICENSE sdk/template/LICENSE (%v)", err)
	}
}

// A folder is there whole or not at all, and nothing else beside it; what is somebody's stays.
func TestWriteInOnePiece(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "visits")
	list := func(dir string) (names []string) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	if err := os.Mkdir(dir, 0o755); err != nil { // an empty one is as good as none
		t.Fatal(err)
	}
	if err := Write(dir, "visits", "lock"); err != nil {
		t.Fatal(err)
	}
	if names := list(parent); !slices.Equal(names, []string{"visits"}) {
		t.Errorf("%q", names)
	}
	want := list(dir)
	kept := filepath.Join(dir, SDKFolder, "notes")
	if err := os.WriteFile(kept, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Write(dir, "visits", "blank"); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Error(err)
	}
	if _, err := os.Stat(kept); err != nil {
		t.Error(err)
	}
	if err := SDK(dir); err != nil { // that folder is Ward's
		t.Fatal(err)
	}
	if _, err := os.Stat(kept); err == nil {
		t.Error("what is not of the SDK is still in its folder")
	}
	if names := list(dir); !slices.Equal(names, want) {
		t.Errorf("%q, were %q", names, want)
	}
}
