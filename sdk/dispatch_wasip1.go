package sdk

// wardCall is what the runtime calls for each transaction and view. An export of a
// package that is not main is kept by -buildmode=c-shared as long as the package is
// linked, which importing it does.
//
//go:wasmexport ward_call
func wardCall() { dispatch() }

// wardSpec is what the builder calls to ask a fresh module for its spec.
//
//go:wasmexport ward_spec
func wardSpec() { ret(spec()) }
