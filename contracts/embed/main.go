// Command embed builds the standard contracts and writes them to
// contracts/embedded, from where a release embeds them:
//
//	go generate ./contracts
//	go build -tags ward_release -trimpath ./cli/ward
//
// It prints a line with name, code hash, size and toolchain for each. The folder is
// ignored by git; the same sources and toolchain give the same files.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/wardledger/ward/contracts"
)

func main() {
	// go generate runs it in the folder contracts.
	dir := flag.String("dir", "embedded", "folder to write to")
	toolchain := flag.String("toolchain", "", "Go toolchain to build with, such as go1.26.8 (default: the Go command's choice)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *dir, *toolchain); err != nil {
		fmt.Fprintln(os.Stderr, "embed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir, toolchain string) error {
	if contracts.Embedded {
		return fmt.Errorf("built with the tag ward_release: there is nothing to build")
	}
	modules, err := contracts.Standard(ctx, contracts.Options{
		Toolchain: toolchain,
		Building:  func(name string) { fmt.Fprintln(os.Stderr, "building", name) },
	})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	// A file of a contract that is no standard contract any more would be embedded.
	old, err := filepath.Glob(filepath.Join(dir, "*.wasm"))
	if err != nil {
		return err
	}
	for _, file := range old {
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	for _, m := range modules {
		if err := os.WriteFile(filepath.Join(dir, m.Name+".wasm"), m.Wasm, 0o644); err != nil {
			return err
		}
		fmt.Printf("%s %x %d %s\n", m.Name, m.Hash, m.Size, m.Toolchain)
	}
	return nil
}
