//go:build wasip1

// What contracts in plain Go spend their time on, each as a method, for BenchmarkMeter.
package main

import (
	"crypto/sha256"
	"slices"
	"unsafe"

	"github.com/wardledger/ward/runtime/cbor"
)

//go:wasmimport ward method
//go:noescape
func hostMethod(out unsafe.Pointer, size uint32) int32

var (
	buffer  [16]byte
	numbers [1000]uint32
	text    [4096]byte
	encoded = encode()
	table   = make(map[uint32]uint32, 1000)
	sum     uint64 // so that nothing is left out
)

// encode is an array of 100 maps of a number, a text and some bytes.
func encode() []byte {
	b := cbor.AppendArray(nil, 100)
	for i := range 100 {
		b = cbor.AppendMap(b, 3)
		b = cbor.AppendUint(cbor.AppendText(b, "a"), uint64(i*i*i))
		b = cbor.AppendText(cbor.AppendText(b, "b"), "a text of some length")
		b = cbor.AppendBytes(cbor.AppendText(b, "c"), make([]byte, 32))
	}
	return b
}

//go:wasmexport ward_call
func call() {
	n := hostMethod(unsafe.Pointer(&buffer[0]), uint32(len(buffer)))
	kernels[string(buffer[:n])]()
}

var kernels = map[string]func(){
	"sha256": func() {
		for range 20 {
			h := sha256.Sum256(text[:])
			sum += uint64(h[0])
		}
	},
	"sort": func() {
		x := uint32(1)
		for i := range numbers {
			x = x*1664525 + 1013904223
			numbers[i] = x
		}
		slices.Sort(numbers[:])
		sum += uint64(numbers[500])
	},
	"cbor": func() {
		r := cbor.NewReader(encoded)
		n, _ := r.Array()
		for range n {
			fields, _ := r.Map()
			for range fields {
				key, _ := r.Text()
				switch key {
				case "a":
					v, _ := r.Uint()
					sum += v
				case "b":
					s, _ := r.Text()
					sum += uint64(len(s))
				default:
					b, _ := r.Bytes()
					sum += uint64(len(b))
				}
			}
		}
	},
	"map": func() {
		x := uint32(1)
		for range 500 {
			x = x*1664525 + 1013904223
			table[x] += x
		}
		for k, v := range table {
			sum += uint64(k ^ v)
		}
		clear(table)
	},
	"loop": func() {
		x := uint64(1)
		for i := range uint64(100_000) {
			x = x*6364136223846793005 + i
		}
		sum += x
	},
}

func main() {}
