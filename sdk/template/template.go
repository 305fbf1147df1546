// Package template starts contracts: it writes a folder with a small policy, its tests, and the SDK's source, which go.mod points
// to. Nothing in it comes from anywhere else, so it builds and tests without a network.
package template

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/sdk"
)

// The policies lie in folders that the Go command passes over, because their gas report is an author's: script/new.txtar in cli
// builds and tests each.
//
//go:embed _lock/*.go _meter/*.go _blank/*.go _c/*.go _c/c/* README.in README.c.in LICENSE
var policies embed.FS

// sources is the SDK by the folder of this repository in which it lies.
var sources = map[string]embed.FS{"sdk": sdk.Source, "runtime": runtime.Source}

// Names returns the names of the templates; the first is the usual one.
func Names() []string { return []string{"lock", "meter", "blank"} }

// C is the template of a contract in C.
const C = "c"

// SDKFolder is where the SDK lies in a contract's folder.
const SDKFolder = ".ward/sdk"

// Write makes dir, which must not be there or be empty, the folder of a contract called name.
func Write(dir, name, template string) error {
	if !abi.ValidContract(name) {
		return fmt.Errorf("%q: a contract's name is a lower-case letter, then lower-case letters, digits and \"-\", at most %d", name, abi.MaxContractName)
	}
	if template != C && !slices.Contains(Names(), template) {
		return fmt.Errorf("no template %q: there are %s", template, strings.Join(Names(), ", "))
	}
	if there, err := os.ReadDir(dir); len(there) > 0 {
		return fmt.Errorf("%s is there already and not empty", dir)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return inOnePiece(dir, os.Remove, func(dir string) error { return fill(dir, name, template) })
}

// fill writes the folder of a contract.
func fill(dir, name, template string) error {
	rename := strings.NewReplacer(
		"my-"+template, name, "My-"+template, strings.ToUpper(name[:1])+name[1:], "my-name", name)
	readme := "README.in"
	if template == C {
		readme = "README.c.in"
	}
	files := map[string]string{"README.md": readme}
	root := "_" + template
	err := fs.WalkDir(policies, root, func(file string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files[strings.TrimPrefix(file, root+"/")] = file
		}
		return err
	})
	if err != nil {
		return err
	}
	for to, from := range files {
		content, err := policies.ReadFile(from)
		if err != nil {
			return err
		}
		if err := write(filepath.Join(dir, filepath.FromSlash(to)), []byte(rename.Replace(string(content)))); err != nil {
			return err
		}
	}
	if template == C {
		header, err := sdk.Source.ReadFile("c/ward.h")
		if err != nil {
			return err
		}
		if err := write(filepath.Join(dir, "c", "ward.h"), header); err != nil {
			return err
		}
	}
	mod := "module " + modulePath(name) + "\n\n" + goLine + "\nrequire " + module + " v0.0.0\n\nreplace " + module + " => ./" + SDKFolder + "\n"
	if err := write(filepath.Join(dir, "go.mod"), []byte(mod)); err != nil {
		return err
	}
	if err := write(filepath.Join(dir, ".gitignore"), []byte("*.wasm\n")); err != nil {
		return err
	}
	return SDK(dir)
}

// modulePath is the Go module of a contract: its name, or if Go itself means something by that, a path below example/, which Go leaves to
// everybody.
func modulePath(name string) string {
	if slices.Contains(taken, name) {
		return "example/" + name
	}
	return name
}

// taken is the packages of Go's own that a contract's name could be, and what the Go command means sets of packages by.
var taken = []string{
	"bufio", "bytes", "cmp", "context", "crypto", "embed", "encoding", "errors", "expvar", "flag", "fmt", "hash", "html", "image", "io", "iter", "log", "maps",
	"math", "mime", "net", "os", "path", "plugin", "reflect", "regexp", "runtime", "slices", "sort", "strconv", "strings", "structs", "sync", "syscall",
	"testing", "time", "unicode", "unique", "unsafe", "weak",
	"all", "cmd", "main", "std", "tool", "work",
}

const module = "github.com/wardledger/ward"

// goLine is the line of go.mod with the oldest Go that the SDK is for.
const goLine = "go 1.26.0\n"

// Tags at the start of a file that is only for this repository, and of one that is only for what is carried.
const (
	here    = "//go:build !ward_carried"
	carried = "//go:build ward_carried\n\n"
)

// SDK writes the SDK of this ward into the folder of a contract, in place of what was there.
func SDK(dir string) error {
	return inOnePiece(filepath.Join(dir, filepath.FromSlash(SDKFolder)), os.RemoveAll, writeSDK)
}

func writeSDK(root string) error {
	mod := "// Written by ward contract new and ward contract sdk.\nmodule " + module + "\n\n" + goLine
	if err := write(filepath.Join(root, "go.mod"), []byte(mod)); err != nil {
		return err
	}
	license, err := policies.ReadFile("LICENSE")
	if err == nil {
		err = write(filepath.Join(root, "LICENSE"), license)
	}
	for folder, source := range sources {
		if err == nil {
			err = carry(source, filepath.Join(root, folder))
		}
	}
	return err
}

// carry writes what a contract needs of a folder's source.
func carry(source embed.FS, to string) error {
	return fs.WalkDir(source, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(name, "_test.go") {
			return err
		}
		content, err := source.ReadFile(name)
		if err != nil || bytes.HasPrefix(content, []byte(here)) {
			return err
		}
		return write(filepath.Join(to, filepath.FromSlash(name)), bytes.TrimPrefix(content, []byte(carried)))
	})
}

// inOnePiece makes a folder beside itself first, then removes what was there, and has it take that's place: whoever is interrupted finds nothing half.
func inOnePiece(dir string, remove, fill func(dir string) error) error {
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	beside, err := os.MkdirTemp(parent, ".ward-new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(beside)
	made := filepath.Join(beside, filepath.Base(dir))
	if err := fill(made); err != nil {
		return err
	}
	if err := remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(made, dir)
}

func write(file string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, content, 0o644)
}
