//go:build !ward_release

package contracts

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/wardledger/ward/runtime/vm"
	"github.com/wardledger/ward/sdk/build"
)

// Embedded reports whether this program carries the standard contracts, so that it
// needs no Go command for them.
const Embedded = false

// module is the path of Ward's own module.
const module = "github.com/wardledger/ward"

// standard builds contracts one after the other: the Go command uses all
// processors for each, and two at once would compile the same packages twice.
func standard(ctx context.Context, o Options, names []string) ([]*build.Module, error) {
	folder, err := source(ctx, o)
	if err != nil {
		return nil, err
	}
	engine := o.Engine
	if engine == nil {
		interpreter, err := vm.New(vm.Options{Interpreter: true})
		if err != nil {
			return nil, err
		}
		defer interpreter.Close()
		engine = interpreter
	}
	var modules []*build.Module
	for _, name := range names {
		if o.Building != nil {
			o.Building(name)
		}
		m, err := build.Contract(ctx, build.Options{
			Dir: filepath.Join(folder, name), Go: o.Go, Toolchain: o.Toolchain, Engine: engine,
		})
		if err != nil {
			return nil, err
		}
		if m.Name != name {
			return nil, fmt.Errorf("the contract in %s calls itself %q", filepath.Join(folder, name), m.Name)
		}
		modules = append(modules, m)
	}
	return modules, nil
}

// source returns the folder of this package's source: where the compiler found it,
// if it is still there and this program was built without -trimpath, else where
// the Go command finds Ward's module from the current folder.
func source(ctx context.Context, o Options) (string, error) {
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		if folder := filepath.Dir(file); holds(folder) {
			return folder, nil
		}
	}
	return listed(ctx, o)
}

// listed asks the Go command for the folder.
func listed(ctx context.Context, o Options) (string, error) {
	tool := o.Go
	if tool == "" {
		tool = "go"
	}
	cmd := exec.CommandContext(ctx, tool, "list", "-m", "-f", "{{.Dir}}", module)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	folder := filepath.Join(strings.TrimSpace(string(out)), "contracts")
	if err == nil && holds(folder) {
		return folder, nil
	}
	reason := strings.TrimSpace(said.String())
	if reason == "" && err != nil {
		reason = err.Error()
	}
	if reason == "" {
		reason = "not in " + folder
	}
	return "", &build.SetupError{Reason: "the sources of the standard contracts are not on this machine (" + reason +
		"): run ward in a clone of " + module + ", or use a release, which carries the contracts"}
}

// holds reports whether a folder has the sources of the standard contracts.
func holds(folder string) bool {
	for _, name := range Names() {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || !info.IsDir() {
			return false
		}
	}
	return true
}
