package wasm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wardledger/ward/runtime/wasm"
)

// features are those that this package knows.
const features = api.CoreFeaturesV2 &^ api.CoreFeatureSIMD

// suites is the folder of the core test suites that come with wazero's source.
func suites(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	if err != nil {
		t.Fatalf("where is wazero's source? %v", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "internal", "integration_test", "spectest")
}

// differs holds the modules of which we and wazero think differently, and why.
var differs = map[string]string{
	"v1/imports.47.wasm":     "wazero refuses an import with an empty name, which the specification allows",
	"v1/imports.48.wasm":     "wazero refuses an import with an empty name, which the specification allows",
	"v2/data.57.wasm":        "wazero lets a constant name a mutable global, which the suite asserts to be invalid",
	"v2/data.60.wasm":        "wazero lets a constant name a mutable global, which the suite asserts to be invalid",
	"v2/elem.47.wasm":        "wazero lets a constant name a mutable global, which the suite asserts to be invalid",
	"v2/elem.50.wasm":        "wazero lets a constant name a mutable global, which the suite asserts to be invalid",
	"v2/global.22.wasm":      "wazero lets a constant name a mutable global, which the suite asserts to be invalid",
	"v2/simd_linking.1.wasm": "wazero reads v128 in an import although SIMD is off",
	"v2/simd_select.0.wasm":  "wazero reads v128 in a type although SIMD is off",
}

// TestCoreSuites: every module of the core test suites is valid here if and only if it is for
// wazero with the same features.
func TestCoreSuites(t *testing.T) {
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(features))
	defer r.Close(ctx)
	for _, version := range []string{"v1", "v2"} {
		files, err := filepath.Glob(filepath.Join(suites(t), version, "testdata", "*.wasm"))
		if err != nil || len(files) < 1000 {
			t.Fatalf("%d modules of suite %s (%v)", len(files), version, err)
		}
		var valid, refused int
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			m, err := wasm.Decode(b)
			if err == nil {
				err = m.Validate(nil)
			}
			var ours *wasm.Error
			if err != nil && !errors.As(err, &ours) {
				t.Errorf("%s: an error of another kind: %v", filepath.Base(file), err)
			}
			compiled, theirs := r.CompileModule(ctx, b)
			if theirs == nil {
				compiled.Close(ctx)
			}
			if why, ok := differs[version+"/"+filepath.Base(file)]; ok {
				if (err == nil) == (theirs == nil) {
					t.Errorf("%s/%s: no difference, but %s", version, filepath.Base(file), why)
				}
			} else if (err == nil) != (theirs == nil) {
				t.Errorf("%s/%s: here %v, wazero %v", version, filepath.Base(file), err, theirs)
			}
			if err == nil {
				valid++
			} else {
				refused++
			}
		}
		t.Logf("%s: %d modules valid, %d refused", version, valid, refused)
		if valid < 100 || refused < 100 {
			t.Errorf("%s: %d valid and %d refused: that is not the suite", version, valid, refused)
		}
	}
}

// allowed are the assertions of the first suite that a module must be refused which later versions of the
// specification have turned around, by the feature that did.
var allowed = map[string]string{
	"v1/func.wast:493":              "multi-value",
	"v1/func.wast:497":              "multi-value",
	"v1/type.wast:53":               "multi-value",
	"v1/type.wast:57":               "multi-value",
	"v1/imports.wast:310":           "reference types",
	"v1/imports.wast:314":           "reference types",
	"v1/imports.wast:318":           "reference types",
	"v1/unreached-invalid.wast:539": "reference types", // labels of a br_table that nothing reaches need no type in common
}

// TestCoreSuiteAssertions: every module of which the core suites assert that it is malformed or invalid is refused. Of the
// malformed ones some are given as text, for which there is no use here; files of SIMD are left out, whose modules
// are refused anyway.
func TestCoreSuiteAssertions(t *testing.T) {
	type counts struct{ Malformed, Invalid, Allowed, Text int }
	// They change with wazero's version alone.
	for version, want := range map[string]counts{
		"v1": {Malformed: 661, Invalid: 989, Allowed: 8, Text: 430},
		"v2": {Malformed: 719, Invalid: 1477, Text: 581},
	} {
		dir := filepath.Join(suites(t), version, "testdata")
		files, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		var n counts
		for _, file := range files {
			if strings.HasPrefix(filepath.Base(file), "simd_") {
				continue
			}
			var s struct {
				Commands []struct {
					Type, Filename, Text string
					Line                 int
					ModuleType           string `json:"module_type"`
				}
			}
			b, err := os.ReadFile(file)
			if err == nil {
				err = json.Unmarshal(b, &s)
			}
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			for _, c := range s.Commands {
				switch {
				case c.Type != "assert_malformed" && c.Type != "assert_invalid":
					continue
				case c.ModuleType == "text":
					n.Text++
					continue
				case c.Type == "assert_malformed":
					n.Malformed++
				default:
					n.Invalid++
				}
				where := fmt.Sprintf("%s/%s.wast:%d", version, strings.TrimSuffix(filepath.Base(file), ".json"), c.Line)
				b, err := os.ReadFile(filepath.Join(dir, c.Filename))
				if err != nil {
					t.Fatal(err)
				}
				m, err := wasm.Decode(b)
				if err == nil {
					err = m.Validate(nil)
				}
				feature, ok := allowed[where]
				switch {
				case ok && err != nil:
					t.Errorf("%s: refused although %s allows it: %v", where, feature, err)
				case ok:
					n.Allowed++
				case err == nil:
					t.Errorf("%s: accepted, but: %s", where, c.Text)
				}
			}
		}
		t.Logf("%s: %+v", version, n)
		if n != want {
			t.Errorf("%s is not the suite that it was: %+v, want %+v", version, n, want)
		}
	}
}
