package contracts

import (
	"context"
	"fmt"
	"slices"

	"github.com/wardledger/ward/sdk/build"
)

// Names returns the names of the standard contracts, in the order in which a chain
// creates them.
func Names() []string { return []string{"devices", "access", "energy", "authority"} }

// Options say how contracts are built. The zero value is good. In a release they
// make no difference, because nothing is built.
type Options struct {
	// Go, Toolchain and Engine are as in build.Options.
	Go        string
	Toolchain string
	Engine    build.Engine
	// Building, if it is not nil, is told the name of each contract before it is
	// built: the first time on a machine this takes a minute.
	Building func(name string)
}

// Standard returns the standard contracts, in the order of [Names]. An error is
// one of build.Contract, or says that there is no source to build from.
func Standard(ctx context.Context, o Options) ([]*build.Module, error) {
	return standard(ctx, o, Names())
}

// Named returns one of the standard contracts.
func Named(ctx context.Context, o Options, name string) (*build.Module, error) {
	if !slices.Contains(Names(), name) {
		return nil, fmt.Errorf("no standard contract %q: there are %v", name, Names())
	}
	modules, err := standard(ctx, o, []string{name})
	if err != nil {
		return nil, err
	}
	return modules[0], nil
}
