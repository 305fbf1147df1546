package build

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/vm"
)

// An Engine looks at a module that was just compiled; *vm.Engine is one.
type Engine interface {
	// Describe returns the spec that the module's ward_spec export gives.
	Describe(ctx context.Context, wasm []byte) ([]byte, error)
	// Vet says why a module may not be deployed.
	Vet(ctx context.Context, wasm []byte) error
	// Call runs a method of a module.
	Call(ctx context.Context, code vm.Code, c *host.Call) (vm.Result, error)
}

var _ Engine = (*vm.Engine)(nil)

// Options say what is built, and how. Dir is needed; the rest may be zero.
type Options struct {
	// Dir is the folder of the contract's package main.
	Dir string
	// Go is the Go command. Empty: "go" on the PATH.
	Go string
	// Toolchain is the Go toolchain that must be used, such as "go1.26.8"; the Go
	// command downloads it if it has to and may. Empty: what the Go command
	// chooses for the folder's module, normally itself.
	Toolchain string
	// Debug keeps the names of functions in the module, so that a trace says where a contract trapped. It is another module than without,
	// some 2% larger.
	Debug bool
	// Engine asks the module for its spec. Nil: an interpreter, made for this
	// build, which is faster than compiling to machine code to run once.
	Engine Engine
}

// A Module is a contract that can be deployed.
type Module struct {
	Name      string   // as its spec says
	Wasm      []byte   // with the section ward_spec
	Hash      [32]byte // SHA-256 of Wasm: the code hash
	Spec      *abi.Spec
	Toolchain string // as its spec says; "" if it doesn't
	Size      int    // of Wasm, in bytes
}

// Contract builds the contract in a folder: package main in Go, or in C if there are .c files and none of Go. The folder isn't written to. What the
// author can put right is a *[CompileError], a *[SourceError], a *[vm.Refused] or an *[abi.SpecError];
// what the machine lacks is a *[SetupError].
func Contract(ctx context.Context, o Options) (*Module, error) {
	engine := o.Engine
	if engine == nil {
		interpreter, err := vm.New(vm.Options{Interpreter: true})
		if err != nil {
			return nil, err
		}
		defer interpreter.Close()
		engine = interpreter
	}
	if files := inC(o.Dir); len(files) > 0 {
		return withClang(ctx, engine, o, files)
	}
	if err := inGo(o.Dir); err != nil {
		return nil, err
	}
	wasm, toolchain, err := compile(ctx, o)
	if err != nil {
		return nil, err
	}
	source := readSource(o.Dir)
	module, err := describe(ctx, engine, wasm, toolchain)
	if err != nil {
		if err = source.place(err); is[*SourceError](err) {
			return nil, err
		}
		return nil, fmt.Errorf("contract in %s: %w", o.Dir, err)
	}
	if err := source.check(); err != nil {
		return nil, err
	}
	return module, nil
}

// inGo says why a folder without C files is none of a contract.
func inGo(dir string) error {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return fmt.Errorf("no folder %q to build a contract from", dir)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.go"))
	if slices.ContainsFunc(files, func(name string) bool { return !strings.HasSuffix(name, "_test.go") }) {
		return nil
	}
	if below, _ := filepath.Glob(filepath.Join(dir, "*", "*.c")); len(below) > 0 {
		return fmt.Errorf("%q is not the folder of a contract: that is %s", dir, filepath.Dir(below[0]))
	}
	return fmt.Errorf("%q is not the folder of a contract: it has neither Go files nor C files; \"ward contract new NAME\" makes one that has", dir)
}

// Needs says what is missing on this machine to build the contract in a folder, as [Contract] would, and builds nothing.
func Needs(ctx context.Context, o Options) error {
	_, err := findGo(ctx, o)
	return err
}

// compile runs the Go command; it returns the module without a spec.
func compile(ctx context.Context, o Options) (wasm []byte, toolchain string, err error) {
	tool, err := findGo(ctx, o)
	if err != nil {
		return nil, "", err
	}
	out, err := os.MkdirTemp("", "ward-build-")
	if err != nil {
		return nil, "", err
	}
	defer os.RemoveAll(out)
	file := filepath.Join(out, "contract.wasm")
	if err := tool.build(ctx, file); err != nil {
		return nil, "", err
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, "", &CompileError{o.Dir, "the Go command wrote no module: is there a package main?"}
	}
	if info.Size() > abi.MaxModule {
		return nil, "", fmt.Errorf("contract in %s: module is %d bytes, limit %d%s", o.Dir, info.Size(), abi.MaxModule, tool.heaviest(ctx, file))
	}
	wasm, err = os.ReadFile(file)
	return wasm, tool.version, err
}

// maxDescribe is how long a contract may take to say what it is: its package's variables and
// ward_spec run, which takes milliseconds, interpreted and on a busy machine some seconds.
const maxDescribe = 30 * time.Second

// describe asks a module for its spec and puts it in.
func describe(ctx context.Context, engine Engine, wasm []byte, toolchain string) (*Module, error) {
	running, cancel := context.WithTimeout(ctx, maxDescribe)
	defer cancel()
	encoded, err := engine.Describe(running, wasm)
	if err != nil && running.Err() != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("it has not described itself after %v: does it loop when it starts?", maxDescribe)
	}
	if err != nil {
		return nil, err
	}
	spec, err := abi.DecodeSpec(encoded)
	if err != nil {
		return nil, err
	}
	spec.Toolchain = toolchain
	module, err := abi.AppendSpec(wasm, spec.Encode())
	if err != nil {
		return nil, err
	}
	return Open(module)
}

// Open returns a module that was built before. Whoever trusts it compares Hash:
// only the spec is looked at here. It aliases wasm.
func Open(wasm []byte) (*Module, error) {
	encoded, err := abi.SpecOf(wasm)
	if err != nil {
		return nil, err
	}
	spec, err := abi.DecodeSpec(encoded)
	if err != nil {
		return nil, err
	}
	return &Module{
		Name: spec.Name, Wasm: wasm, Hash: sha256.Sum256(wasm),
		Spec: spec, Toolchain: spec.Toolchain, Size: len(wasm),
	}, nil
}

// A SetupError says what is missing on this machine and what to do about it.
type SetupError struct {
	Reason string
	Err    error // or nil
}

// Error implements error.
func (e *SetupError) Error() string {
	if e.Err == nil {
		return e.Reason
	}
	return e.Reason + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *SetupError) Unwrap() error { return e.Err }

// A CompileError holds what the Go command said about a contract's source.
type CompileError struct {
	Dir string
	// Output has a line for each mistake, as in "door/main.go:12:5: undefined: x",
	// with paths from the current folder.
	Output string
}

// Error implements error.
func (e *CompileError) Error() string {
	return "contract in " + e.Dir + " does not compile:\n" + e.Output
}

// maxOutput is how much is kept of what the Go command says, in bytes: it stops at
// ten mistakes per package by itself.
const maxOutput = 64 << 10

// output keeps the first bytes of what a command says.
type output struct{ bytes.Buffer }

func (o *output) Write(p []byte) (int, error) {
	if room := maxOutput - o.Len(); room > 0 {
		o.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// IsSetup reports whether err says that the machine lacks something to build with.
func IsSetup(err error) bool { return is[*SetupError](err) }

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
