package meter_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wardledger/ward/runtime/meter"
	"github.com/wardledger/ward/runtime/vet"
	"github.com/wardledger/ward/runtime/wasm"
)

// features are those that a contract may use.
const features = api.CoreFeaturesV2 &^ api.CoreFeatureSIMD

// suiteFeatures are those that each suite is for. What the first says of element and data segments out of bounds, bulk memory has changed.
var suiteFeatures = map[string]api.CoreFeatures{"v1": api.CoreFeaturesV1, "v2": features}

// prices are such that every instruction costs something.
var prices = meter.Prices{Op: func(wasm.Op) uint64 { return 4 }, Local: 1, Page: 1000, Bytes: 1}

// wazeroSource is where the go command has wazero's source.
var wazeroSource = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	return strings.TrimSpace(string(out)), err
})

// suites is the folder of the core test suites that come with wazero's source.
func suites(t testing.TB) string {
	t.Helper()
	source, err := wazeroSource()
	if err != nil {
		t.Fatalf("where is wazero's source? %v", err)
	}
	return filepath.Join(source, "internal", "integration_test", "spectest")
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

// matches reports whether got is the value, which may be any of a kind of NaN or any reference.
func (v value) matches(got uint64) bool {
	s, _ := v.Value.(string)
	switch {
	case v.Value == nil && (v.Type == "funcref" || v.Type == "externref"):
		return true
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
	return ok && got == want
}

// outcome is what came of a command.
type outcome struct {
	result string // the same for a module as it is and rewritten: the bits of a NaN are left out
	exact  string // the same for a rewritten module on both engines: all the bits, and the gas that it took
	limit  string // of ours, that ended the command
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
}

func newRunner(t *testing.T, version, file, engine string, rewrite bool) *runner {
	config := wazero.NewRuntimeConfigCompiler()
	if engine == "interpreter" {
		config = wazero.NewRuntimeConfigInterpreter()
	}
	ctx := context.Background()
	r := &runner{t: t, dir: filepath.Join(suites(t), version, "testdata"), file: file, rewrite: rewrite, ctx: ctx, named: map[string]api.Module{},
		runtime: wazero.NewRuntimeWithConfig(ctx, config.WithCoreFeatures(suiteFeatures[version]))}
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

// fuel is what every module has before an action.
const fuel = 1 << 40

// refuel gives every module all it may have. Modules that are linked count each for itself.
func (r *runner) refuel() {
	for _, m := range r.all {
		m.ExportedGlobal(meter.Gas).(api.MutableGlobal).Set(fuel)
		m.ExportedGlobal(meter.Stack).(api.MutableGlobal).Set(meter.MaxStack)
	}
}

// used is the gas that the last action took.
func (r *runner) used() (n int64) {
	for _, m := range r.all {
		n += fuel - int64(m.ExportedGlobal(meter.Gas).Get())
	}
	return n
}

// instantiate makes an instance under a name that others import from, or "", and runs its start
// function.
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
			r.t.Errorf("%s: refused: %v", file, err)
			return nil, err
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
	r.refuel()
	m, err := r.runtime.InstantiateWithConfig(r.ctx, b, wazero.NewModuleConfig().WithName(name).WithStartFunctions())
	if err != nil || !r.rewrite {
		return m, err
	}
	r.all = append(r.all, m)
	r.refuel()
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
	r.refuel()
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
	results, err = f.Call(r.ctx, args...)
	for i, t := range f.Definition().ResultTypes() {
		if err == nil && (t == api.ValueTypeI32 || t == api.ValueTypeF32) {
			results[i] = uint64(uint32(results[i])) // wazero's compiler leaves anything above 32 bits
		}
	}
	return results, err
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

// run runs all commands, compares with what the suite expects, and returns what came of each; of
// those that need a text to be assembled or that are about modules that must be refused, nothing.
func (r *runner) run(commands []command) []outcome {
	all := make([]outcome, len(commands))
	for i, c := range commands {
		where := fmt.Sprintf("%s:%d", r.file, c.Line)
		o := &all[i]
		say := func(format string, args ...any) { o.result = fmt.Sprintf(format, args...) }
		switch c.Type {
		case "module":
			// Instances can't be renamed: one that is to be registered is made under that name.
			name := ""
			if i+1 < len(commands) && commands[i+1].Type == "register" {
				name = commands[i+1].As
			}
			m, err := r.instantiate(c.Filename, name)
			if err != nil {
				r.t.Fatalf("%s: %v", where, err)
			}
			if r.last = m; c.Name != "" {
				r.named[c.Name] = m
			}
			say("ok")
		case "register":
			if commands[i-1].Type != "module" || c.Name != commands[i-1].Name {
				r.t.Fatalf("%s: registers another module than the one before it", where)
			}
			say("ok")
		case "action", "assert_return":
			got, err := r.do(c.Action)
			if err != nil {
				say("%s", trap(err))
				r.t.Errorf("%s: %v", where, err)
				break
			}
			o.exact = fmt.Sprintf("%x", got)
			if c.Type == "action" {
				say("%x", got)
				break
			}
			say("returns ")
			if len(got) != len(c.Expected) {
				r.t.Errorf("%s: %d results, want %d", where, len(got), len(c.Expected))
				break
			}
			for i, want := range c.Expected {
				if !want.matches(got[i]) {
					r.t.Errorf("%s: result %d is %#x, want %v", where, i, got[i], want)
				}
				if s, ok := want.Value.(string); !ok || strings.HasPrefix(s, "nan:") {
					o.result += fmt.Sprintf("%v ", want)
				} else {
					o.result += fmt.Sprintf("%x ", got[i])
				}
				if want.Type == "funcref" { // is an address
					o.exact = ""
				}
			}
			if limit := r.outOf(); limit != "" {
				r.t.Errorf("%s: out of %s", where, limit)
			}
		case "assert_trap", "assert_exhaustion":
			_, err := r.do(c.Action)
			if err == nil {
				r.t.Errorf("%s: no trap, want %s", where, c.Text)
				break
			}
			say("%s", trap(err))
			if o.limit = r.outOf(); o.limit != "" && c.Type == "assert_trap" {
				r.t.Errorf("%s: out of %s, want %s", where, o.limit, c.Text)
			}
			if c.Type == "assert_exhaustion" && r.rewrite && o.limit == "" {
				r.t.Errorf("%s: %v, but the limits are as they were", where, err)
			}
		case "assert_uninstantiable", "assert_unlinkable":
			// An active element segment out of bounds is the exception: wazero makes the instance all the same, as
			// one that was refused may live on in a table that it filled before.
			_, err := r.instantiate(c.Filename, "")
			switch {
			case err != nil:
				say("%s", trap(err))
			case c.Type == "assert_unlinkable" || c.Text != "out of bounds table access":
				r.t.Errorf("%s: instantiated, want %s", where, c.Text)
			default:
				say("ok")
			}
		case "assert_invalid", "assert_malformed": // see runtime/wasm
		default:
			r.t.Fatalf("%s: what is %q?", where, c.Type)
		}
		if r.rewrite && o.result != "" {
			o.exact += fmt.Sprintf(" gas %d", r.used())
		}
	}
	return all
}

// numbers are what is left out of rules.
var numbers = regexp.MustCompile(`\d+`)

// counts says how much of a suite was run, and what came of it.
type counts struct {
	Files    int // without those of SIMD
	Commands int // that were run
	Same     int // with the same outcome, as they are and rewritten
	Limited  int // ended by our limits, where the suite exhausts the engine's stack
	Invalid  int // about modules that must be refused: see runtime/wasm
	Modules  int // valid ones
	Imports  int // of these, such as import what is no function, as no contract may

	SIMDFiles, SIMDCommands int
	SIMDModules, SIMDPass   int // valid ones, and those of them that use none: simd_const has 61 with scalars alone
}

// wantCounts is what the suites have in the version of wazero that go.mod names: they change with it alone, so that
// a suite that lost something is seen.
var wantCounts = map[string]counts{
	"v1": {Files: 73, Commands: 17190, Same: 17175, Limited: 15, Invalid: 2080, Modules: 877, Imports: 116},
	"v2": {Files: 90, Commands: 25241, Same: 25226, Limited: 15, Invalid: 2777, Modules: 1243, Imports: 157,
		SIMDFiles: 58, SIMDCommands: 25988, SIMDModules: 473, SIMDPass: 61},
}

// wantRefused is how many valid modules vet refuses for what is in them, by the first rule that they break. Those that are over
// a bound, one or two of them, are left out: vet may move its bounds.
var wantRefused = map[string]map[string]int{
	"v1": {},
	"v2": {
		"table.copy is not allowed: what it changes can't be put back": 50,
		"table.init is not allowed: what it changes can't be put back": 34,
		"table.grow is not allowed: what it changes can't be put back": 7,
		"data.drop is not allowed: what it changes can't be put back":  6,
		"elem.drop is not allowed: what it changes can't be put back":  6,
		"table.set is not allowed: what it changes can't be put back":  5,
		"table.fill is not allowed: what it changes can't be put back": 1,
		"a mutable funcref is not allowed: it can't be put back":       2,
		"a mutable externref is not allowed: it can't be put back":     1,
	},
}

// TestCoreSuites runs the commands of the core test suites on modules as they are and rewritten, on
// both engines: same results, same traps, and rewritten to the bit and the unit of gas. Only where the suite exhausts the
// stack our limit answers first.
func TestCoreSuites(t *testing.T) {
	engines := []string{"compiler", "interpreter"}
	if testing.Short() {
		engines = engines[:1]
	}
	for _, version := range []string{"v1", "v2"} {
		t.Run(version, func(t *testing.T) {
			dir := filepath.Join(suites(t), version, "testdata")
			files, err := filepath.Glob(filepath.Join(dir, "*.json"))
			if err != nil {
				t.Fatal(err)
			}
			var n counts
			var limited []string
			rules := map[string]int{}
			for _, file := range files {
				name := strings.TrimSuffix(filepath.Base(file), ".json")
				b, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				var s suite
				if err := json.Unmarshal(b, &s); err != nil {
					t.Fatalf("%s: %v", file, err)
				}
				if strings.HasPrefix(name, "simd_") {
					n.simd(t, dir, s.Commands)
					continue
				}
				n.Files++
				n.vetted(t, dir, s.Commands, rules)

				outcomes := map[string][]outcome{}
				for _, engine := range engines {
					for _, how := range []string{"plain", "rewritten"} {
						r := newRunner(t, version, name, engine, how == "rewritten")
						outcomes[how+" "+engine] = r.run(s.Commands)
						r.close()
					}
				}
				first := outcomes["plain compiler"]
				rewritten := outcomes["rewritten compiler"]
				for i, c := range s.Commands {
					if first[i].result == "" {
						n.Invalid++
						continue
					}
					n.Commands++
					where := fmt.Sprintf("%s.wast:%d", name, c.Line)
					if limit := rewritten[i].limit; limit != "" {
						n.Limited++
						limited = append(limited, where+" "+limit)
					} else {
						n.Same++
					}
					for _, how := range slices.Sorted(maps.Keys(outcomes)) {
						o := outcomes[how][i]
						if o.limit == "" && o.result != first[i].result {
							t.Errorf("%s: %s on the %s, %s on the plain compiler", where, o.result, how, first[i].result)
						}
						if strings.HasPrefix(how, "rewritten") && (o.exact != rewritten[i].exact || o.limit != rewritten[i].limit) {
							t.Errorf("%s: %v on the %s, %v on the rewritten compiler", where, o, how, rewritten[i])
						}
					}
				}
			}
			t.Logf("%+v", n)
			t.Logf("ended by our limits: %s", strings.Join(limited, ", "))
			for _, rule := range slices.SortedFunc(maps.Keys(rules), func(a, b string) int { return cmp.Or(rules[b]-rules[a], strings.Compare(a, b)) }) {
				t.Logf("%4d modules refused: %s", rules[rule], rule)
			}
			maps.DeleteFunc(rules, func(rule string, _ int) bool { return strings.Contains(rule, "limit N") })
			if !maps.Equal(rules, wantRefused[version]) {
				t.Errorf("vet refuses %v, want %v", rules, wantRefused[version])
			}
			if n != wantCounts[version] {
				t.Errorf("that is not the suite that it was:\n%+v, want\n%+v", n, wantCounts[version])
			}
		})
	}
}

// modules calls f with every module of commands that is valid.
func modules(t *testing.T, dir string, commands []command, f func(file string, b []byte)) {
	for _, c := range commands {
		switch c.Type {
		case "module", "assert_unlinkable", "assert_uninstantiable":
			b, err := os.ReadFile(filepath.Join(dir, c.Filename))
			if err != nil {
				t.Fatal(err)
			}
			f(c.Filename, b)
		}
	}
}

// simd holds against each module of a file of SIMD that it is refused.
func (n *counts) simd(t *testing.T, dir string, commands []command) {
	n.SIMDFiles++
	n.SIMDCommands += len(commands)
	modules(t, dir, commands, func(file string, b []byte) {
		n.SIMDModules++
		if _, err := vet.Shape(b); err == nil {
			n.SIMDPass++
		} else if !strings.Contains(err.Error(), "SIMD") {
			t.Errorf("%s: refused for another reason: %v", file, err)
		}
	})
}

// vetted counts what would keep the valid modules of a file from being contracts, but for their exports.
func (n *counts) vetted(t *testing.T, dir string, commands []command, rules map[string]int) {
	modules(t, dir, commands, func(file string, b []byte) {
		n.Modules++
		m, err := wasm.Decode(b)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if slices.ContainsFunc(m.Imports, func(i wasm.Import) bool { return i.Kind != wasm.KindFunc }) {
			n.Imports++
		}
		if _, err := vet.Shape(b); err != nil {
			rules[numbers.ReplaceAllString(err.(*wasm.Error).Rule, "N")]++
		}
	})
}
