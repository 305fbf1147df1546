package build_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/vm"
	"github.com/wardledger/ward/runtime/wasm"
	"github.com/wardledger/ward/sdk/build"
)

func TestContract(t *testing.T) {
	m, err := build.Contract(t.Context(), build.Options{Dir: filepath.Join("testdata", "plain")})
	if err != nil {
		t.Fatal(err)
	}
	if m.Name != "plain" || m.Spec.Name != "plain" || m.Size != len(m.Wasm) || m.Hash != sha256.Sum256(m.Wasm) {
		t.Errorf("got %q, spec of %q, size %d of %d", m.Name, m.Spec.Name, m.Size, len(m.Wasm))
	}
	if m.Toolchain == "" || m.Spec.Toolchain != m.Toolchain {
		t.Errorf("toolchain %q, in the spec %q", m.Toolchain, m.Spec.Toolchain)
	}
	again, err := build.Open(m.Wasm)
	if err != nil || again.Hash != m.Hash || again.Name != m.Name {
		t.Errorf("opened again: %+v, %v", again, err)
	}
	engine, err := vm.New(vm.Options{Interpreter: true})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	if err := engine.Vet(t.Context(), m.Wasm); err != nil {
		t.Errorf("what was built may not be deployed: %v", err)
	}
}

// The bytes depend on the sources and the toolchain, and on nothing else that a
// developer's machine may have.
func TestContractIsReproducible(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("testdata", "plain", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	var hashes [][32]byte
	for _, env := range []map[string]string{
		{},
		{"GOFLAGS": "-ldflags=-w -tags=other -buildvcs=true", "GOOS": "plan9", "GOARCH": "386", "CGO_ENABLED": "1",
			"GOWASM": "satconv", "GODEBUG": "panicnil=1", "GO111MODULE": "off", "GOWORK": "nowhere"},
	} {
		dir := filepath.Join(t.TempDir(), "a folder with its own name")
		write(t, dir, "main.go", string(source))
		write(t, dir, "go.mod", "module example.com/plain\n\ngo 1.26.0\n")
		for name, value := range env {
			t.Setenv(name, value)
		}
		m, err := build.Contract(t.Context(), build.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(m.Wasm), filepath.Base(dir)) {
			t.Error("the module contains the path that it was built in")
		}
		hashes = append(hashes, m.Hash)
	}
	if hashes[0] != hashes[1] {
		t.Errorf("the same source gives %x and %x", hashes[0], hashes[1])
	}
}

func TestContractSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name    string
		options build.Options
		want    []string
		check   func(error) bool
	}{
		{"does not compile", build.Options{Dir: filepath.Join("testdata", "broken")},
			[]string{"does not compile:\n" + filepath.Join("testdata", "broken", "main.go") + ":6:2: undefined: undefined",
				filepath.Join("testdata", "broken", "main.go") + `:7:`},
			as[*build.CompileError]},
		{"no contract", build.Options{Dir: filepath.Join("testdata", "mute")},
			[]string{"contract in " + filepath.Join("testdata", "mute"), "there is no ward_call"}, as[*vm.Refused]},
		{"no folder", build.Options{Dir: "nowhere"}, []string{`no folder "nowhere"`}, nil},
		{"no source", build.Options{Dir: "testdata"}, []string{`"testdata" is not the folder of a contract: it has neither Go files nor C files`}, nil},
		{"the folder above", build.Options{Dir: filepath.Join("..", "template", "_c")},
			[]string{"is not the folder of a contract: that is " + filepath.Join("..", "template", "_c", "c")}, nil},
		{"no go", build.Options{Dir: filepath.Join("testdata", "plain"), Go: "no-such-go"},
			[]string{"needs Go 1.26 or later", "https://go.dev/dl", "no-such-go"}, build.IsSetup},
	} {
		_, err := build.Contract(t.Context(), c.options)
		if err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %q, want something with %q", c.name, err, want)
			}
		}
		if c.check != nil && !c.check(err) {
			t.Errorf("%s: error is a %T", c.name, err)
		}
	}
}

func as[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}

// A Go command of our own answers what older and stranger ones would.
func TestContractNeedsAFittingGo(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("NOT RUN: the fake Go command is a shell script")
	}
	for _, c := range []struct{ name, script, toolchain, want string }{
		{"old", `echo '{"GOVERSION":"go1.22.3"}'`, "", "is go1.22.3, contracts need go1.26 or later"},
		{"another", `echo '{"GOVERSION":"go1.26.1"}'`, "go1.26.8", "asked for go1.26.8, the Go command would use go1.26.1"},
		{"offline", `echo "go: download go1.26.8: no network" >&2; exit 1`, "", "the Go command does not work here: go env: go: download go1.26.8: no network"},
		{"no go", `echo hello`, "", "answers something else than a Go command does"},
	} {
		tool := write(t, t.TempDir(), "go", "#!/bin/sh\n"+c.script+"\n")
		_, err := build.Contract(t.Context(), build.Options{Dir: filepath.Join("testdata", "plain"), Go: tool, Toolchain: c.toolchain})
		if !build.IsSetup(err) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

// A Go command that was interrupted has found nothing in the source.
func TestContractOfAGoThatWasInterrupted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("NOT RUN: the fake Go command is a shell script")
	}
	tool := write(t, t.TempDir(), "go", "#!/bin/sh\n[ $1 = build ] && kill -INT $$\necho '{\"GOVERSION\":\"go1.26.8\"}'\n")
	_, err := build.Contract(t.Context(), build.Options{Dir: filepath.Join("testdata", "plain"), Go: tool})
	if want := "go build ended without a word, as if interrupted: signal: interrupt"; err == nil || err.Error() != want || as[*build.CompileError](err) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestContractStopsWhenToldTo(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("NOT RUN: the fake Go command is a shell script")
	}
	dir := t.TempDir()
	started := filepath.Join(dir, "started")
	// It tells that it runs through a pipe, so that nobody has to guess when.
	if err := mkfifo(started); err != nil {
		t.Skip("NOT RUN: no named pipes here:", err)
	}
	tool := write(t, dir, "go", "#!/bin/sh\necho >"+started+"\nexec sleep 60\n")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		os.ReadFile(started)
		cancel()
	}()
	begin := time.Now()
	_, err := build.Contract(ctx, build.Options{Dir: filepath.Join("testdata", "plain"), Go: tool})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(begin); took > 30*time.Second {
		t.Errorf("took %v to stop", took)
	}
}

func TestOpenRefuses(t *testing.T) {
	if _, err := build.Open([]byte("\x00asm\x01\x00\x00\x00")); !errors.Is(err, abi.ErrNoSpec) {
		t.Errorf("a module without spec: %v", err)
	}
	if _, err := build.Open([]byte("text")); err == nil {
		t.Error("text is a module")
	}
	bad, _ := abi.AppendSpec([]byte("\x00asm\x01\x00\x00\x00"), []byte{0xa0})
	if _, err := build.Open(bad); err == nil {
		t.Error("a spec without anything is one")
	}
}

func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

func BenchmarkContract(b *testing.B) {
	for b.Loop() {
		if _, err := build.Contract(b.Context(), build.Options{Dir: filepath.Join("testdata", "plain")}); err != nil {
			b.Fatal(err)
		}
	}
}

// What fills a module adds up: sections to the whole but for their heads, packages to the code but for the heads of functions.
func TestMeasure(t *testing.T) {
	o := build.Options{Dir: filepath.Join("..", "..", "contracts", "hello")}
	m, err := build.Contract(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	s, err := build.Measure(t.Context(), o, m)
	if err != nil {
		t.Fatal(err)
	}
	total := func(parts []build.Part) (n int) {
		for i, p := range parts {
			if n += p.Bytes; i > 0 && p.Bytes > parts[i-1].Bytes {
				t.Errorf("%s is larger than what comes before", p.Name)
			}
		}
		return n
	}
	if got := total(s.Sections); got > m.Size || got < m.Size*99/100 {
		t.Errorf("sections are %d bytes of %d", got, m.Size)
	}
	code := s.Sections[slices.IndexFunc(s.Sections, func(p build.Part) bool { return p.Name == "code" })].Bytes
	if got := total(s.Packages); got > code || got < code*95/100 {
		t.Errorf("packages are %d bytes of %d", got, code)
	}
	for _, want := range []string{"runtime", "main", "github.com/wardledger/ward/sdk", "github.com/wardledger/ward/sdk/wire"} {
		if !slices.ContainsFunc(s.Packages, func(p build.Part) bool { return p.Name == want }) {
			t.Errorf("nothing is of %s: %v", want, s.Packages)
		}
	}
	if total(s.Functions) == 0 {
		t.Error("no functions")
	}
}

// Names are kept only if asked for.
func TestDebugKeepsNames(t *testing.T) {
	for _, debug := range []bool{false, true} {
		m, err := build.Contract(t.Context(), build.Options{Dir: filepath.Join("..", "..", "contracts", "hello"), Debug: debug})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(wasm.FunctionNames(m.Wasm, 100)) > 0; got != debug {
			t.Errorf("debug %v: names in the module: %v", debug, got)
		}
	}
}

// A folder that came without its SDK, or without a module, says which command makes it.
func TestContractWithoutItsModule(t *testing.T) {
	t.Setenv("GOPROXY", "off")
	dir := t.TempDir()
	write(t, dir, "main.go", "package main\n\nimport _ \"github.com/wardledger/ward/sdk\"\n\nfunc main() {}\n")
	says := func(want string) {
		t.Helper()
		if _, err := build.Contract(t.Context(), build.Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got\n%v\nwant\n%s", err, want)
		}
	}
	says(`"ward contract new NAME" makes a folder with go.mod`)
	write(t, dir, "go.mod", "module door\n\ngo 1.26.0\n\nrequire github.com/wardledger/ward v0.0.0\n\nreplace github.com/wardledger/ward => ./.ward/sdk\n")
	says(`"ward contract sdk ` + dir + `" writes the SDK`)
}

// Who has imported too much hears what.
func TestTooLarge(t *testing.T) {
	_, err := build.Contract(t.Context(), build.Options{Dir: filepath.Join("testdata", "heavy")})
	if err == nil || !regexp.MustCompile(`module is \d+ bytes, limit 4194304; most of its code is of go/types \(\d+\), runtime \(\d+\), .*: import less$`).MatchString(err.Error()) {
		t.Error(err)
	}
}
