package wasm_test

import (
	"context"
	"errors"
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
