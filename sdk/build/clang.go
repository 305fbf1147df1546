package build

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/abi/specjson"
)

// SpecFile is where a contract in C says what it offers, in the form that "ward contract spec --json" prints: nobody else can say it.
const SpecFile = "spec.json"

// clangFlags are those of sdk/c/README.md, which says why.
var clangFlags = []string{
	"--target=wasm32", "-O2", "-ffreestanding", "-nostdlib", "-mbulk-memory", "-Wall", "-I", ".",
	"-Wl,--no-entry,--stack-first,-z,stack-size=16384",
}

// inC returns the C files of a folder that has no Go files, which is how a contract in C is known.
func inC(dir string) []string {
	if files, _ := filepath.Glob(filepath.Join(dir, "*.go")); len(files) > 0 {
		return nil
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.c"))
	for i := range files {
		files[i] = filepath.Base(files[i])
	}
	return files
}

// clang compiles C files; it returns the module without a spec.
func clang(ctx context.Context, o Options, files []string) ([]byte, error) {
	tool, err := findClang(o)
	if err != nil {
		return nil, err
	}
	out, err := os.MkdirTemp("", "ward-build-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(out)
	file := filepath.Join(out, "contract.wasm")
	args := append(slices.Clone(clangFlags), "-o", file)
	if !o.Debug {
		args = append(args, "-Wl,--strip-all")
	}
	_, err = tool.run(ctx, append(args, files...)...)
	if said, ok := errors.AsType[*commandError](err); ok {
		return nil, &CompileError{o.Dir, atLine.ReplaceAllStringFunc(said.output, func(place string) string { return filepath.Join(o.Dir, place) })}
	} else if err != nil {
		return nil, err
	}
	wasm, err := os.ReadFile(file)
	if err == nil && len(wasm) > abi.MaxModule {
		return nil, fmt.Errorf("contract in %s: module is %d bytes, limit %d", o.Dir, len(wasm), abi.MaxModule)
	}
	return wasm, err
}

func findClang(o Options) (*gotool, error) {
	path, err := exec.LookPath("clang")
	if err != nil {
		return nil, &SetupError{Reason: "building a contract in C needs clang and wasm-ld on the PATH (Debian: apt install clang lld)", Err: err}
	}
	return &gotool{path: path, dir: o.Dir, env: os.Environ()}, nil
}

// withClang builds a contract in C.
func withClang(ctx context.Context, engine Engine, o Options, files []string) (*Module, error) {
	tool, err := findClang(o)
	if err != nil {
		return nil, err
	}
	wasm, err := clang(ctx, o, files)
	if err != nil {
		return nil, err
	}
	if err := engine.Vet(ctx, wasm); err != nil {
		return nil, fmt.Errorf("contract in %s: %w", o.Dir, err)
	}
	file := filepath.Join(o.Dir, SpecFile)
	doc, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &SourceError{[]string{file + ":1: a contract in C says there what it offers, in the form that \"ward contract spec NAME --json\" prints"}}
	} else if err != nil {
		return nil, err
	}
	at := specFile{file, doc}
	e := &SourceError{}
	spec, err := specjson.ParseSpec(doc)
	if err != nil {
		return nil, &SourceError{[]string{at.place(err)}}
	}
	if e.Mistakes = at.undocumented(spec); len(e.Mistakes) > 0 {
		return nil, e
	}
	version, err := tool.run(ctx, "--version")
	if err != nil {
		return nil, err
	}
	spec.Toolchain = clangVersion.FindString(version)
	spec.Toolchain = "clang " + spec.Toolchain[:min(len(spec.Toolchain), abi.MaxToolchain-len("clang "))]
	module, err := abi.AppendSpec(wasm, spec.Encode())
	if err != nil {
		return nil, err
	}
	m, err := Open(module)
	if err != nil {
		return nil, &SourceError{[]string{at.place(err)}}
	}
	wrong, err := misfits(ctx, engine, m.Wasm, m.Spec)
	if err != nil {
		return nil, fmt.Errorf("contract in %s: %w", o.Dir, err)
	}
	if len(wrong) > 0 {
		for _, w := range wrong {
			e.Mistakes = append(e.Mistakes, at.mistake(at.method(w.method), "the method %s: %s", w.method, w.why))
		}
		return nil, e
	}
	return m, nil
}

var (
	atLine       = regexp.MustCompile(`(?m)^[^\s:]+\.[ch]:\d+`)
	clangVersion = regexp.MustCompile(`\d+(\.\d+)+`)
)
