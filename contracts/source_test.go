//go:build !ward_release

package contracts

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wardledger/ward/sdk/build"
)

func TestSourceIsFoundBothWays(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for how, find := range map[string]func() (string, error){
		"where it was compiled": func() (string, error) { return source(t.Context(), Options{}) },
		"by the Go command":     func() (string, error) { return listed(t.Context(), Options{}) },
	} {
		if folder, err := find(); err != nil || folder != here {
			t.Errorf("%s: %s, %v; want %s", how, folder, err, here)
		}
	}
}

func TestSourceIsMissing(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("GOWORK", "off")
	t.Setenv("GO111MODULE", "on")
	_, err := listed(t.Context(), Options{})
	if !build.IsSetup(err) || !strings.Contains(err.Error(), "run ward in a clone") {
		t.Errorf("got %v", err)
	}
	if _, err := listed(t.Context(), Options{Go: "no-such-go"}); !build.IsSetup(err) {
		t.Errorf("without Go: %v", err)
	}
}

// A release carries what was built here, and passes the same test without building.
// The files are laid over the folder, not into it.
func TestRelease(t *testing.T) {
	if testing.Short() {
		t.Skip("NOT RUN: compiles this package again with the tag ward_release")
	}
	modules, err := Standard(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	replace := map[string]string{}
	for _, m := range modules {
		file := filepath.Join(dir, m.Name+".wasm")
		if err := os.WriteFile(file, m.Wasm, 0o644); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(here, "embedded", m.Name+".wasm")] = file
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-tags", "ward_release", "-overlay", file, "-v", "-count=1", ".")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, m := range modules {
		if want := m.Name + " " + hex.EncodeToString(m.Hash[:]); !strings.Contains(string(out), want) {
			t.Errorf("the release does not have %s:\n%s", want, out)
		}
	}
}
