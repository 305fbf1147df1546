//go:build ward_release

package contracts

import (
	"context"
	"embed"
	"fmt"

	"github.com/wardledger/ward/sdk/build"
)

// Embedded reports whether this program carries the standard contracts, so that it
// needs no Go command for them.
const Embedded = true

// Made by "go generate ./contracts"; without that a release doesn't compile.
//
//go:embed embedded/*.wasm
var embedded embed.FS

func standard(ctx context.Context, _ Options, names []string) ([]*build.Module, error) {
	var modules []*build.Module
	for _, name := range names {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		wasm, err := embedded.ReadFile("embedded/" + name + ".wasm")
		if err != nil {
			return nil, fmt.Errorf("contract %s is missing in this release: %w", name, err)
		}
		m, err := build.Open(wasm)
		if err != nil {
			return nil, fmt.Errorf("contract %s in this release: %w", name, err)
		}
		modules = append(modules, m)
	}
	return modules, nil
}
