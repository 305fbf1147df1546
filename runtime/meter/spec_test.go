package meter_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wardledger/ward/runtime/meter"
	"github.com/wardledger/ward/runtime/wasm"
)

const features = api.CoreFeaturesV2 &^ api.CoreFeatureSIMD

// prices are such that every instruction costs something.
var prices = meter.Prices{Op: func(wasm.Op) uint64 { return 4 }, Local: 1, Page: 1000, Bytes: 1}

// suites is the folder of the core test suites that come with wazero's source.
func suites(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	if err != nil {
		t.Fatalf("where is wazero's source? %v", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "internal", "integration_test", "spectest")
}

type (
	suite struct {
		Commands []command `json:"commands"`
	}
	command struct {
		Type       string  `json:"type"`
		Line       int     `json:"line"`
		Name       string  `json:"name"`
		As         string  `json:"as"`
		Filename   string  `json:"filename"`
		ModuleType string  `json:"module_type"`
		Action     action  `json:"action"`
		Expected   []value `json:"expected"`
		Text       string  `json:"text"`
	}
	action struct {
		Type   string  `json:"type"`
		Module string  `json:"module"`
		Field  string  `json:"field"`
		Args   []value `json:"args"`
	}
	value struct {
		Type  string `json:"type"`
		Value any    `json:"value"`
	}
)

// bits returns the value as wazero has it. ok is false for one that this runner doesn't know.
func (v value) bits() (b uint64, ok bool) {
	s, isText := v.Value.(string)
	if !isText {
		return 0, false
	}
	if s == "null" {
		return 0, true
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, false
	}
	if v.Type == "externref" {
		n++ // 0 is null
	}
	return n, true
}

// matches reports whether got is the value, which may be any of a kind of NaN.
func (v value) matches(got uint64) bool {
	s, _ := v.Value.(string)
	switch {
	case v.Type == "f32" && s == "nan:canonical":
		return uint32(got)&0x7fffffff == 0x7fc00000
	case v.Type == "f32" && s == "nan:arithmetic":
		return uint32(got)&0x7fc00000 == 0x7fc00000
	case v.Type == "f64" && s == "nan:canonical":
		return got&math.MaxInt64 == 0x7ff8000000000000
	case v.Type == "f64" && s == "nan:arithmetic":
		return got&0x7ff8000000000000 == 0x7ff8000000000000
	}
	want, ok := v.bits()
	if v.Type == "i32" || v.Type == "f32" {
		got, want = uint64(uint32(got)), uint64(uint32(want))
	}
	return ok && got == want
}

// runner runs a suite's commands, on modules as they are or rewritten.
type runner struct {
	t       *testing.T
	file    string
	dir     string
	rewrite bool
	ctx     context.Context
	runtime wazero.Runtime
	last    api.Module
	named   map[string]api.Module
	all     []api.Module // rewritten ones, whose gas is filled up before each action

	outcomes []string // of every command that ran
	limited  int      // commands that our limit ended
}

func newRunner(t *testing.T, dir, file string, interpreter, rewrite bool) *runner {
	config := wazero.NewRuntimeConfig()
	if interpreter {
		config = wazero.NewRuntimeConfigInterpreter()
	}
	ctx := context.Background()
	r := &runner{t: t, dir: dir, file: file, rewrite: rewrite, ctx: ctx, named: map[string]api.Module{},
		runtime: wazero.NewRuntimeWithConfig(ctx, config.WithCoreFeatures(features))}
	// The module spectest of the suite's harness is one of Wasm itself in wazero's source folder.
	b, err := os.ReadFile(filepath.Join(suites(t), "testdata", "spectest.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.runtime.InstantiateWithConfig(ctx, b, wazero.NewModuleConfig().WithName("spectest")); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *runner) close() { r.runtime.Close(r.ctx) }

// fuel gives every module all it may have.
func (r *runner) fuel() {
	for _, m := range r.all {
		m.ExportedGlobal(meter.Gas).(api.MutableGlobal).Set(1 << 40)
		m.ExportedGlobal(meter.Stack).(api.MutableGlobal).Set(meter.MaxStack)
	}
}

// instantiate makes an instance, and runs its start function.
func (r *runner) instantiate(file, name string) (api.Module, error) {
	b, err := os.ReadFile(filepath.Join(r.dir, file))
	if err != nil {
		r.t.Fatal(err)
	}
	if r.rewrite {
		m, err := wasm.Decode(b)
		if err == nil {
			err = m.Validate(nil)
		}
		if err != nil {
			return nil, fmt.Errorf("refused: %w", err)
		}
		if b, err = meter.Rewrite(m, prices); err != nil {
			r.t.Errorf("%s: %v", file, err)
			return nil, err
		}
		out, err := wasm.Decode(b)
		if err == nil {
			err = out.Validate(nil)
		}
		if err != nil {
			r.t.Errorf("%s: rewritten, it is not valid: %v", file, err)
			return nil, err
		}
	}
	m, err := r.runtime.InstantiateWithConfig(r.ctx, b, wazero.NewModuleConfig().WithName(name).WithStartFunctions())
	if err != nil || !r.rewrite {
		return m, err
	}
	r.all = append(r.all, m)
	r.fuel()
	if start := m.ExportedFunction(meter.Start); start != nil {
		if _, err := start.Call(r.ctx); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// do runs an action and says what came of it.
func (r *runner) do(a action) (results []uint64, err error) {
	m := r.last
	if a.Module != "" {
		m = r.named[a.Module]
	}
	if m == nil {
		return nil, fmt.Errorf("no module %q", a.Module)
	}
	if a.Type == "get" {
		g := m.ExportedGlobal(a.Field)
		if g == nil {
			return nil, fmt.Errorf("no global %q", a.Field)
		}
		return []uint64{g.Get()}, nil
	}
	f := m.ExportedFunction(a.Field)
	if f == nil {
		return nil, fmt.Errorf("no function %q", a.Field)
	}
	args := make([]uint64, len(a.Args))
	for i, v := range a.Args {
		var ok bool
		if args[i], ok = v.bits(); !ok {
			return nil, fmt.Errorf("argument %v", v)
		}
	}
	if r.rewrite {
		r.fuel()
	}
	return f.Call(r.ctx, args...)
}

// outOf says of which of its limits a module ran out, or "".
func (r *runner) outOf() string {
	for _, m := range r.all {
		if int64(m.ExportedGlobal(meter.Gas).Get()) < 0 {
			return "gas"
		}
		if int64(m.ExportedGlobal(meter.Stack).Get()) < 0 {
			return "stack"
		}
	}
	return ""
}

// trap is the kind of an error, the same for rewritten modules and others.
func trap(err error) string {
	s, _, _ := strings.Cut(err.Error(), "\n")
	if strings.HasPrefix(s, "start function") {
		_, s, _ = strings.Cut(s, ": ")
		s = strings.TrimPrefix(s, "failed: ")
	}
	return strings.TrimPrefix(s, "wasm error: ")
}

// run runs all commands and compares with what the suite expects.
func (r *runner) run(commands []command) {
	say := func(c command, format string, args ...any) {
		r.outcomes = append(r.outcomes, fmt.Sprintf("%d %s: ", c.Line, c.Type)+fmt.Sprintf(format, args...))
	}
	for _, c := range commands {
		where := fmt.Sprintf("%s:%d", r.file, c.Line)
		switch c.Type {
		case "module":
			m, err := r.instantiate(c.Filename, c.Name)
			if r.last = m; err != nil {
				say(c, "no: %s", trap(err))
				continue
			}
			if c.Name != "" {
				r.named[c.Name] = m
			}
			say(c, "ok")
		case "register":
			m := r.last
			if c.Name != "" {
				m = r.named[c.Name]
			}
			if m == nil {
				say(c, "no module")
				continue
			}
			// Instances can't be renamed: those of the suites that are registered are instantiated again.
			say(c, "skipped")
		case "action", "assert_return":
			if r.last == nil {
				say(c, "no module")
				continue
			}
			got, err := r.do(c.Action)
			if err != nil {
				say(c, "%s", trap(err))
				r.t.Errorf("%s: %v", where, err)
				continue
			}
			if c.Type == "assert_return" {
				if len(got) != len(c.Expected) {
					r.t.Errorf("%s: %d results, want %d", where, len(got), len(c.Expected))
					continue
				}
				for i, want := range c.Expected {
					if !want.matches(got[i]) {
						r.t.Errorf("%s: result %d is %#x, want %v", where, i, got[i], want)
					}
				}
			}
			if !nans(c.Expected) {
				say(c, "%x", got)
			}
		case "assert_trap", "assert_exhaustion":
			if r.last == nil {
				say(c, "no module")
				continue
			}
			_, err := r.do(c.Action)
			if err == nil {
				r.t.Errorf("%s: no trap, want %s", where, c.Text)
				continue
			}
			if limit := r.outOf(); limit != "" {
				r.limited++
				if c.Type == "assert_trap" {
					r.t.Errorf("%s: out of %s, want %s", where, limit, c.Text)
				}
				continue
			}
			if c.Type == "assert_exhaustion" && r.rewrite {
				r.t.Errorf("%s: %v, but the limits are as they were", where, err)
			}
			say(c, "%s", trap(err))
		case "assert_uninstantiable":
			if _, err := r.instantiate(c.Filename, ""); err == nil {
				r.t.Errorf("%s: instantiated, want %s", where, c.Text)
			} else {
				say(c, "%s", trap(err))
			}
		}
	}
}

func nans(values []value) bool {
	return slices.ContainsFunc(values, func(v value) bool { s, _ := v.Value.(string); return strings.HasPrefix(s, "nan:") })
}

// TestCoreSuites runs the commands of the core test suites on modules as they are and rewritten, on
// both engines: same results, same traps. Only where the suite exhausts the stack our limit answers first.
func TestCoreSuites(t *testing.T) {
	for _, version := range []string{"v1", "v2"} {
		dir := filepath.Join(suites(t), version, "testdata")
		files, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err != nil || len(files) < 50 {
			t.Fatalf("%d files of suite %s (%v)", len(files), version, err)
		}
		for _, engine := range []string{"compiler", "interpreter"} {
			t.Run(version+"/"+engine, func(t *testing.T) {
				if engine == "interpreter" && testing.Short() {
					t.Skip("the compiler alone with -short")
				}
				commands, limited, files := 0, 0, files
				for _, file := range files {
					name := strings.TrimSuffix(filepath.Base(file), ".json")
					if strings.HasPrefix(name, "simd_") {
						continue
					}
					b, err := os.ReadFile(file)
					if err != nil {
						t.Fatal(err)
					}
					var s suite
					if err := json.Unmarshal(b, &s); err != nil {
						t.Fatalf("%s: %v", file, err)
					}
					if linked(s.Commands) {
						continue
					}
					plain := newRunner(t, dir, name, engine == "interpreter", false)
					plain.run(s.Commands)
					plain.close()
					metered := newRunner(t, dir, name, engine == "interpreter", true)
					metered.run(s.Commands)
					metered.close()
					limited += metered.limited
					commands += len(metered.outcomes)
					compare(t, name, plain.outcomes, metered.outcomes)
				}
				t.Logf("%d commands with the same outcome, %d that our limits ended", commands, limited)
				if commands < 5000 {
					t.Errorf("%d commands: that is not the suite", commands)
				}
			})
		}
	}
}

// linked reports whether modules of a suite import from each other, which no contract can.
func linked(commands []command) bool {
	return slices.ContainsFunc(commands, func(c command) bool { return c.Type == "register" })
}

// compare holds what came of the commands against each other, those that only ran on one side left out.
func compare(t *testing.T, name string, plain, metered []string) {
	t.Helper()
	have := map[string]int{}
	for _, o := range plain {
		have[o]++
	}
	for _, o := range metered {
		if have[o] == 0 {
			t.Errorf("%s, rewritten: %s", name, o)
			continue
		}
		have[o]--
	}
}
