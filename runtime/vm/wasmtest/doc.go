// Package wasmtest assembles small Wasm modules for tests, byte by byte, so that a
// test shows what it runs and needs no compiler.
//
//	m := wasmtest.New()
//	ret := m.Import(abi.Module, "ret")
//	at, n := m.Data("\xf5")
//	m.Export(abi.ExportCall, wasmtest.I32(at), wasmtest.I32(n), wasmtest.Call(ret))
//	wasm := m.Bytes()
//
// It checks nothing: a module may be as wrong as a test wants it.
package wasmtest
