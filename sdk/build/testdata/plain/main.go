//go:build wasip1

// Command plain is the smallest contract, written without the SDK.
package main

import "unsafe"

//go:wasmimport ward ret
func ret(ptr unsafe.Pointer, size uint32)

// The spec {1: 1, 2: "plain", 3: "", 4: "", 5: [], 6: [], 7: []}.
var spec = []byte("\xa7\x01\x01\x02\x65plain\x03\x60\x04\x60\x05\x80\x06\x80\x07\x80")

//go:wasmexport ward_spec
func wardSpec() { ret(unsafe.Pointer(unsafe.SliceData(spec)), uint32(len(spec))) }

//go:wasmexport ward_call
func wardCall() {}

func main() {}
