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
