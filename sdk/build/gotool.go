package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/wardledger/ward/runtime/abi"
)

// MinGo is the oldest Go toolchain that contracts are built with: that of Ward's
// own module, which every contract imports.
const MinGo = "go1.26"

// waitDelay is how long the Go command's own children may hold its output open
// after it was told to stop.
const waitDelay = 2 * time.Second

// kept are the settings of the Go command that may differ from machine to machine
// without a difference to what is built: where to find modules, where to keep
// things. They are asked of it and passed on. Everything else that a
// developer may have set ("go env -w" too) is out of the way.
var kept = []string{
	"GOAUTH", "GOCACHE", "GOCACHEPROG", "GOINSECURE", "GOMODCACHE", "GONOPROXY", "GONOSUMDB", "GOPATH", "GOPRIVATE",
	"GOPROXY", "GOSUMDB", "GOTMPDIR", "GOTOOLCHAIN", "GOVCS",
}

// dropped are variables that could change what is built. What isn't set again in
// environment has its default.
var dropped = []string{
	"CGO_ENABLED", "GCCGO", "GO111MODULE", "GOARCH", "GODEBUG", "GOENV", "GOEXPERIMENT", "GOFIPS140", "GOFLAGS", "GOHOSTARCH",
	"GOHOSTOS", "GOOS", "GOWASM", "GOWORK", "GO_EXTLINK_ENABLED", "PWD",
}

// gotool is the Go command in the folder of a contract.
type gotool struct {
	path, dir string
	env       []string
	names     bool   // keep the names of functions
	version   string // of the toolchain that will compile
}

// findGo finds out which toolchain will compile the contract, and with what
// settings.
func findGo(ctx context.Context, o Options) (*gotool, error) {
	if info, err := os.Stat(o.Dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("no folder %q to build a contract from", o.Dir)
	}
	name := o.Go
	if name == "" {
		name = "go"
	}
	if version.IsValid(o.Toolchain) && version.Compare(o.Toolchain, MinGo) < 0 {
		return nil, &SetupError{Reason: fmt.Sprintf("asked for %s, contracts need %s or later", o.Toolchain, MinGo)}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return nil, &SetupError{
			Reason: fmt.Sprintf("building a contract needs Go %s or later: install it from https://go.dev/dl and put it on the PATH", strings.TrimPrefix(MinGo, "go")),
			Err:    err,
		}
	}
	tool := &gotool{path: path, dir: o.Dir, names: o.Debug}
	base := without(os.Environ(), dropped)
	if o.Toolchain != "" {
		base = append(without(base, []string{"GOTOOLCHAIN"}), "GOTOOLCHAIN="+o.Toolchain)
	}

	// GOENV is the developer's own here, because that is where GOPROXY may be.
	tool.env = append(slices.Clone(base), "GOWORK=off", "GO111MODULE=on")
	said, err := tool.run(ctx, append([]string{"env", "-json", "GOVERSION"}, kept...)...)
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		return nil, &SetupError{Reason: "the Go command does not work here", Err: err}
	}
	settings := map[string]string{}
	if err := json.Unmarshal([]byte(said), &settings); err != nil {
		return nil, &SetupError{Reason: fmt.Sprintf("%s answers something else than a Go command does", path), Err: err}
	}
	tool.version = settings["GOVERSION"]
	// A development toolchain ("devel go1.27-...") is for whoever builds Go.
	if version.IsValid(tool.version) && version.Compare(tool.version, MinGo) < 0 {
		return nil, &SetupError{Reason: fmt.Sprintf("%s is %s, contracts need %s or later: install it from https://go.dev/dl", path, tool.version, MinGo)}
	}
	if o.Toolchain != "" && tool.version != o.Toolchain {
		return nil, &SetupError{Reason: fmt.Sprintf("asked for %s, the Go command would use %s", o.Toolchain, tool.version)}
	}
	tool.env = without(base, kept)
	for _, name := range kept {
		if value := settings[name]; value != "" {
			tool.env = append(tool.env, name+"="+value)
		}
	}
	tool.env = append(tool.env, "GOENV=off", "GOWORK=off", "GO111MODULE=on",
		"GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	// Toolchains built by hand can have any version.
	tool.version = tool.version[:min(len(tool.version), abi.MaxToolchain)]
	return tool, nil
}

// build compiles the package into file.
func (g *gotool) build(ctx context.Context, file string) error {
	strip := "-ldflags=-s -w"
	if g.names {
		strip = "-ldflags=-w"
	}
	_, err := g.run(ctx, "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", strip, "-o", file, ".")
	var said *commandError
	if errors.As(err, &said) && said.output != "" {
		if strings.Contains(said.output, "go.mod requires go >=") {
			return &SetupError{Reason: fmt.Sprintf("%s: the contract asks for another Go than this one, %s: install that one from https://go.dev/dl, or write \"go %s\" there", g.goLine(), g.version, strings.TrimPrefix(MinGo, "go"))}
		}
		return &CompileError{g.dir, g.readable(said.output) + g.advice(said.output)}
	}
	return err
}

// advice is a line with what to do about what the Go command says of a folder in its own words, or "".
func (g *gotool) advice(said string) string {
	switch {
	case strings.Contains(said, "go.mod file not found"):
		return "\na contract is a Go module: \"ward contract new NAME\" makes a folder with go.mod"
	case noSDK.MatchString(said):
		return "\n\"ward contract sdk " + g.dir + "\" writes the SDK there, from this ward"
	case strings.Contains(said, "requires exactly one main package"):
		return "\nwhat is compiled to a contract is package main"
	case strings.Contains(said, "function main is undeclared in the main package"):
		return "\nfunc main() {} is missing: a contract has an empty one"
	}
	return ""
}

// noSDK is that the folder is not there to which the go.mod of `ward contract new` points.
var noSDK = regexp.MustCompile(`(replacement directory|replaced by) \S*\.ward/sdk\b.*(does not exist|no such file)`)

// goLine is where the contract's go.mod says which Go it is for.
func (g *gotool) goLine() string {
	file := filepath.Join(g.dir, "go.mod")
	content, _ := os.ReadFile(file)
	for i, line := range strings.Split(string(content), "\n") {
		if strings.HasPrefix(line, "go ") {
			return fmt.Sprintf("%s:%d: %q", file, i+1, strings.TrimSpace(line))
		}
	}
	return file
}

// packageLine is a line of the Go command that only names a package.
var packageLine = regexp.MustCompile(`(?m)^# .*\n`)

// readable makes the paths in what the Go command says, which are from the
// contract's folder, good for a click: from the current folder.
func (g *gotool) readable(said string) string {
	lines := strings.Split(strings.TrimSpace(packageLine.ReplaceAllString(said, "")), "\n")
	for i, line := range lines {
		file, rest, found := strings.Cut(line, ".go:")
		if found && !filepath.IsAbs(file) && !strings.ContainsAny(file, " \t") {
			lines[i] = filepath.Join(g.dir, file) + ".go:" + rest
		}
	}
	return strings.Join(lines, "\n")
}

// commandError is a Go command that failed by itself.
type commandError struct {
	command string
	output  string
	err     error
}

func (e *commandError) Error() string {
	if e.output == "" { // a Ctrl-C is told to it, too, and it may be the first to end
		return e.command + " ended without a word, as if interrupted: " + e.err.Error()
	}
	return e.command + ": " + e.output
}

// run returns the standard output of a Go command.
func (g *gotool) run(ctx context.Context, args ...string) (string, error) {
	var stdout, stderr output
	cmd := exec.CommandContext(ctx, g.path, args...)
	cmd.Dir, cmd.Env = g.dir, g.env
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = waitDelay
	err := cmd.Run()
	if ctx.Err() != nil {
		return "", fmt.Errorf("%s %s: %w", filepath.Base(g.path), args[0], context.Cause(ctx))
	}
	if err != nil {
		return "", &commandError{filepath.Base(g.path) + " " + args[0], strings.TrimSpace(stderr.String()), err}
	}
	return stdout.String(), nil
}

// without returns an environment without some variables.
func without(env, names []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return slices.Contains(names, name)
	})
}
