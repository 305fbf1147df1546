package build

import (
	"bytes"
	"context"
	"fmt"

	"github.com/wardledger/ward/runtime/wasm"
)

// WithNames builds the contract of a folder once more, with the names of its functions, which the linker leaves out of what is deployed. module
// was built from the folder with the same options. What comes back is for traces of module: it has the same functions, byte for byte, under
// the same indexes, or there is an error, because the source is another by now.
//
// It is not to be run in place of module. It has another hash: in Go the linker's flags are part of the build id, and so
// is what it leaves out.
func WithNames(ctx context.Context, o Options, module *Module) ([]byte, error) {
	o.Debug = true
	var named []byte
	var err error
	if files := inC(o.Dir); len(files) > 0 {
		named, err = clang(ctx, o, files)
	} else {
		named, _, err = compile(ctx, o)
	}
	if err != nil {
		return nil, err
	}
	same, err := runsAs(named, module.Wasm)
	if err == nil && !same {
		err = fmt.Errorf("contract in %s: its source is another than the module was built from", o.Dir)
	}
	if err != nil {
		return nil, err
	}
	return named, nil
}

// runsAs reports whether two modules differ in nothing but custom sections, which don't run.
func runsAs(a, b []byte) (bool, error) {
	first, err := wasm.Decode(a)
	if err != nil {
		return false, err
	}
	second, err := wasm.Decode(b)
	if err != nil {
		return false, err
	}
	running := func(m *wasm.Module) (sections []wasm.Section) {
		for _, s := range m.Sections {
			if s.ID != wasm.SectionCustom {
				sections = append(sections, s)
			}
		}
		return sections
	}
	x, y := running(first), running(second)
	if len(x) != len(y) {
		return false, nil
	}
	for i := range x {
		if x[i].ID != y[i].ID || !bytes.Equal(x[i].Bytes, y[i].Bytes) {
			return false, nil
		}
	}
	return true, nil
}
