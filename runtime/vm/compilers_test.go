//go:build compilers

package vm_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	goruntime "runtime"
	"slices"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/vm"
)

// TestStockCompilers runs what other compilers make, as they come: clang, rustc and asc (AssemblyScript), which must be installed.
// Each contract counts calls, and ends, counts and emits alike on both engines.
func TestStockCompilers(t *testing.T) {
	clang := func(flags ...string) []string {
		return slices.Concat([]string{"clang", "--target=wasm32", "-nostdlib", "-Wl,--no-entry"}, flags, []string{"testdata/compilers/counter.c", "-o"})
	}
	rustc := func(level string) []string { return rustContract(level, "testdata/compilers/counter.rs") }
	asc := func(flags ...string) []string { return ascContract("testdata/compilers/counter.ts", flags...) }
	for name, command := range map[string][]string{
		"clang -O0": clang("-O0"),
		"clang -O2": clang("-O2"),
		"clang -O3, all features": clang("-O3", "-mbulk-memory", "-msign-ext", "-mnontrapping-fptoint", "-mmultivalue",
			"-mmutable-globals", "-mreference-types"),
		"rustc, debug":              rustc("0"),
		"rustc, release":            rustc("3"),
		"rustc, small":              rustc("z"),
		"asc, debug":                asc("--debug"),
		"asc -O, garbage collected": asc("-O", "--runtime", "incremental"),
		"asc -O, minimal":           asc("-O", "--runtime", "stub"),
	} {
		t.Run(name, func(t *testing.T) {
			wasm := compiled(t, command)
			var said []string
			onBoth(t, func(t *testing.T, e *vm.Engine) {
				store := newStore(t)
				s := ""
				for n := byte(1); n <= 3; n++ {
					c := newCall(t, "m")
					c.Store = store
					ends(t, run(t, e, wasm, c), receipt.OK, "")
					if string(c.Result()) != string([]byte{n}) || len(c.Events()) != 1 {
						t.Errorf("call %d returned %x and emitted %d events", n, c.Result(), len(c.Events()))
					}
					s += fmt.Sprint(c.Gas.Used(), " ")
				}
				said = append(said, s)
			})
			if said[0] != said[1] {
				t.Errorf("gas on the compiler %s, on the interpreter %s", said[0], said[1])
			}
			t.Logf("%d bytes, gas %s", len(wasm), said[0])
		})
	}
}

// cContract compiles C with ward.h as sdk/c/README.md says, and without a warning.
func cContract(flags ...string) []string {
	return slices.Concat([]string{"clang", "--target=wasm32", "-ffreestanding", "-nostdlib", "-mbulk-memory", "-pedantic", "-Wall", "-Wextra", "-Werror",
		"-I", "../../sdk/c", "-Wl,--no-entry,--strip-all,--stack-first,-z,stack-size=16384"}, flags)
}

// rustContract compiles Rust, and ascContract AssemblyScript.
func rustContract(level, source string) []string {
	return []string{"rustc", "--target", "wasm32-unknown-unknown", "--crate-type", "cdylib", "-C", "opt-level=" + level, "-C", "link-arg=--strip-debug", source, "-o"}
}

func ascContract(source string, flags ...string) []string {
	return slices.Concat([]string{"asc", source, "--use", "abort="}, flags, []string{"-o"})
}

// compiled runs a command that ends with the name of what it writes.
func compiled(t *testing.T, command []string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "contract.wasm")
	command = slices.Concat(command, []string{file})
	if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", command, err, out)
	}
	wasm, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// TestConformanceOfCompilers asks the contract in testdata/conformance the same in each language in which it is written. Another one
// joins with its source and a command.
func TestConformanceOfCompilers(t *testing.T) {
	inGo, err := goBuild(conformanceGo)
	if err != nil {
		t.Fatal(err)
	}
	goGas := conforms(t, engines.compiler(), func(string) []byte { return inGo })
	for _, language := range []struct {
		name    string
		command []string
	}{
		{"C", cContract("-std=c99", "-O2", "testdata/conformance/conformance.c", "-o")},
		{"C, not optimised", cContract("-std=c99", "-O0", "testdata/conformance/conformance.c", "-o")},
		{"C, small", cContract("-std=c99", "-Oz", "testdata/conformance/conformance.c", "-o")},
		{"Rust", rustContract("3", "testdata/conformance/conformance.rs")},
		{"AssemblyScript", ascContract("testdata/conformance/conformance.ts", "-O", "--runtime", "stub")},
	} {
		t.Run(language.name, func(t *testing.T) {
			wasm := compiled(t, language.command)
			var used []callGas
			onBoth(t, func(t *testing.T, e *vm.Engine) {
				again := conforms(t, e, func(string) []byte { return wasm })
				if used != nil && !slices.Equal(used, again) {
					t.Error("the engines differ in gas")
				}
				used = again
			})
			t.Run("with every other contract in Go", func(t *testing.T) {
				conforms(t, engines.compiler(), func(contract string) []byte {
					if contract[0]%2 == 0 {
						return inGo
					}
					return wasm
				})
			})
			var b strings.Builder
			fmt.Fprintf(&b, "%d bytes, in Go %d\ngas, and gas in Go, of\n", len(wasm), len(inGo))
			for i, u := range used {
				fmt.Fprintf(&b, "%10d %10d  %.80s\n", u.gas, goGas[i].gas, u.call)
			}
			t.Log(b.String())
		})
	}
}

// TestCHeader links a contract with every function of sdk/c/ward.h: each has the type that the table says, or the module is refused.
func TestCHeader(t *testing.T) {
	source := "#include \"ward.h\"\ntypedef void (*f)(void);\nf volatile all[] = {\n"
	for _, f := range abi.Table() {
		source += "(f)ward_" + f.Name + ",\n"
	}
	source += "};\nWARD_EXPORT(ward_call) void run(void) { (void)all[0]; }\n" // reads it, or the linker drops it
	file := filepath.Join(t.TempDir(), "all.c")
	if err := os.WriteFile(file, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, language := range []string{"c99", "c11", "c++11"} {
		kind := strings.TrimRight(language, "0123456789")
		wasm := compiled(t, cContract("-Wno-cast-function-type", "-x", kind, "-std="+language, file, "-o"))
		onBoth(t, func(t *testing.T, e *vm.Engine) {
			for _, f := range abi.Table() {
				if !strings.Contains(string(wasm), "\x04ward"+string([]byte{byte(len(f.Name))})+f.Name+"\x00") {
					t.Errorf("%s: %s is not imported", language, f.Name)
				}
			}
			ends(t, run(t, e, wasm, newCall(t, "m")), receipt.OK, "")
		})
	}
}

// TestCReadme compiles the contract in sdk/c/README.md and lets somebody come in.
func TestCReadme(t *testing.T) {
	readme, err := os.ReadFile("../../sdk/c/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(strings.ReplaceAll(string(readme), "\r\n", "\n"), "```c\n")
	source, rest, ok := strings.Cut(rest, "```\n")
	_, rest, ok2 := strings.Cut(rest, "```\nclang ")
	command, _, ok3 := strings.Cut(rest, "\n```\n")
	if !ok || !ok2 || !ok3 {
		t.Fatal("there is no contract and no command")
	}
	file := filepath.Join(t.TempDir(), "door.c")
	if err := os.WriteFile(file, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	command = strings.NewReplacer("CLONE", "../..", "door.c", file, "-o door.wasm", "-Werror").Replace(command)
	wasm := compiled(t, append(append([]string{"clang"}, strings.Fields(command)...), "-o"))
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		store := newStore(t)
		for n := range 25 {
			c := newCall(t, "enter")
			c.Store = store
			mark := store.Checkpoint()
			r := run(t, e, wasm, c)
			switch {
			case n < 23:
				ends(t, r, receipt.OK, "")
				if string(c.Result()) != string([]byte{byte(n + 1)}) || len(c.Events()) != 1 {
					t.Errorf("the %d. who came: result %x, %d events", n+1, c.Result(), len(c.Events()))
				}
			case r != (vm.Result{Code: receipt.Failed, ContractCode: 1, Reason: "the house is full"}):
				t.Errorf("ended with %+v", r)
			}
			if r.Code != receipt.OK {
				store.Revert(mark)
			}
		}
		c := newCall(t, "leave")
		ends(t, run(t, e, wasm, c), receipt.UnknownMethod, "no such method")
	})
	t.Logf("%d bytes", len(wasm))
}

// TestConformanceTable keeps the table in sdk/c/README.md: what the contract in testdata/conformance comes to in each language, in bytes and gas. With -update it
// writes it anew. Where another version of a compiler stands in it, or one is missing here, it is only shown.
//
//	go test -tags compilers ./runtime/vm -run TestConformanceTable -v
func TestConformanceTable(t *testing.T) {
	const page = "../../sdk/c/README.md"
	columns := []struct{ name, call string }{
		{"a row is there", `a.exists "door"`}, {"a row is set", `a.set #"door" "shut"`}, {"a scan", `a.scan 0:1 10:1 1000:2 #""`},
		{"an event", `a.emit #"opened" 0xa1616e07`}, {"a call of another", `a.call #"b" #"who" []`},
	}
	head := []string{"", "compiler", "bytes"}
	for _, c := range columns {
		head = append(head, c.name)
	}
	rows := [][]string{append(head, "all calls")}
	missing := false
	for _, language := range []struct {
		name, version string
		build         func() ([]byte, error)
	}{
		{"Go, without the SDK", goruntime.Version(), func() ([]byte, error) { return goBuild(conformanceGo) }},
		{"C", version("clang"), func() ([]byte, error) {
			return compiled(t, cContract("-std=c99", "-O2", "testdata/conformance/conformance.c", "-o")), nil
		}},
		{"Rust", version("rustc"), func() ([]byte, error) {
			return compiled(t, rustContract("3", "testdata/conformance/conformance.rs")), nil
		}},
		{"AssemblyScript", version("asc"), func() ([]byte, error) {
			return compiled(t, ascContract("testdata/conformance/conformance.ts", "-O", "--runtime", "stub")), nil
		}},
	} {
		if language.version == "" {
			t.Logf("NOT RUN: no compiler of %s here", language.name)
			missing = true
			continue
		}
		wasm, err := language.build()
		if err != nil {
			t.Fatal(err)
		}
		row := []string{language.name, language.version, thousands(uint64(len(wasm)))}
		used, total := conforms(t, engines.compiler(), func(string) []byte { return wasm }), uint64(0)
		for _, u := range used {
			total += u.gas
		}
		for _, c := range columns {
			i := slices.IndexFunc(used, func(u callGas) bool { return u.call == c.call })
			if i < 0 {
				t.Fatalf("%s has no call %s", conformanceCalls, c.call)
			}
			row = append(row, thousands(used[i].gas))
		}
		rows = append(rows, append(row, thousands(total)))
	}
	var b strings.Builder
	for i, row := range rows {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
		if i == 0 {
			b.WriteString("|---|---|" + strings.Repeat("---:|", len(row)-2) + "\n")
		}
	}
	got := b.String()
	t.Log("\n" + got)

	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(content), "\r\n", "\n")
	begin := strings.Index(text, "|  | compiler |")
	if begin < 0 {
		t.Fatalf("%s has no table of this", page)
	}
	end := begin + strings.Index(text[begin:]+"\n\n", "\n\n") + 1
	was := text[begin:min(end, len(text))]
	switch {
	case was == got:
	case missing:
		t.Logf("NOT COMPARED with %s: not every compiler is here", page)
	case *update:
		if err := os.WriteFile(page, []byte(text[:begin]+got+text[end:]), 0o644); err != nil {
			t.Fatal(err)
		}
	case !slices.Equal(second(was), second(got)):
		t.Logf("NOT COMPARED: the table in %s is of %q, these are %q; -update writes it anew", page, second(was), second(got))
	default:
		t.Errorf("the table in %s is another; if it should be: go test -tags compilers ./runtime/vm -run TestConformanceTable -update\n%s", page, firstDifference(got, was))
	}
}

// second is the second column of a table: the compilers.
func second(table string) (list []string) {
	for line := range strings.Lines(table) {
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			list = append(list, cells[2])
		}
	}
	return list
}

// version is a compiler with the number that it says it has, "" if it isn't here.
func version(compiler string) string {
	out, err := exec.Command(compiler, "--version").Output()
	number := regexp.MustCompile(`\d+\.\d+\.\d+`).FindString(string(out))
	if err != nil || number == "" {
		return ""
	}
	return compiler + " " + number
}

// thousands is a number as the READMEs write it: 12,345.
func thousands(n uint64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
