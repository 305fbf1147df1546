//go:build wasip1

// The contract that is written once in each language, here in plain Go: ../calls.txt says what is asked of it and what it answers, the same
// in every language. ../conformance.c says what the arguments of each method are.
package main

import (
	"crypto/sha256"
	"encoding/binary"
	"unsafe"
)

//go:wasmimport ward method
//go:noescape
func hostMethod(out unsafe.Pointer, size uint32) int32

//go:wasmimport ward args
//go:noescape
func hostArgs(out unsafe.Pointer, size uint32) int32

//go:wasmimport ward sender
//go:noescape
func hostSender(out unsafe.Pointer)

//go:wasmimport ward origin
//go:noescape
func hostOrigin(out unsafe.Pointer)

//go:wasmimport ward block
//go:noescape
func hostBlock(out unsafe.Pointer)

//go:wasmimport ward randomness
//go:noescape
func hostRandomness(out unsafe.Pointer)

//go:wasmimport ward caller_kind
func hostCallerKind() int32

//go:wasmimport ward gas_left
func hostGasLeft() uint64

//go:wasmimport ward contract
//go:noescape
func hostContract(out unsafe.Pointer, size uint32) int32

//go:wasmimport ward chain
//go:noescape
func hostChain(out unsafe.Pointer, size uint32) int32

//go:wasmimport ward get
//go:noescape
func hostGet(collection, key string, out unsafe.Pointer, size uint32) int32

//go:wasmimport ward set
//go:noescape
func hostSet(collection, key, value string)

//go:wasmimport ward exists
//go:noescape
func hostExists(collection, key string) int32

//go:wasmimport ward delete
//go:noescape
func hostDelete(collection, key string) int32

//go:wasmimport ward scan
//go:noescape
func hostScan(collection, start, end string, flags, limit uint32, out unsafe.Pointer, size uint32) int32

//go:wasmimport ward emit
//go:noescape
func hostEmit(name, attributes string)

//go:wasmimport ward log
//go:noescape
func hostLog(line string)

//go:wasmimport ward ret
//go:noescape
func hostRet(result string)

//go:wasmimport ward fail
//go:noescape
func hostFail(code uint32, reason string)

//go:wasmimport ward sha256
//go:noescape
func hostSHA256(message string, out unsafe.Pointer)

//go:wasmimport ward sha512
//go:noescape
func hostSHA512(message string, out unsafe.Pointer)

//go:wasmimport ward blake2b
//go:noescape
func hostBLAKE2b(message string, out unsafe.Pointer)

//go:wasmimport ward hmac_sha256
//go:noescape
func hostHMAC(key, message string, out unsafe.Pointer)

//go:wasmimport ward hkdf_sha256
//go:noescape
func hostHKDF(secret, salt, info string, out unsafe.Pointer, size uint32) int32

//go:wasmimport ward ed25519_verify
//go:noescape
func hostEd25519(key, sig unsafe.Pointer, message string) int32

//go:wasmimport ward ed25519_verify_batch
//go:noescape
func hostBatch(batch string) int32

//go:wasmimport ward p256_verify
//go:noescape
func hostP256(key, sig unsafe.Pointer, message string) int32

//go:wasmimport ward p256_verify_digest
//go:noescape
func hostP256Digest(key, sig, digest unsafe.Pointer) int32

//go:wasmimport ward key_address
//go:noescape
func hostKeyAddress(key string, out unsafe.Pointer) int32

//go:wasmimport ward cose_verify
//go:noescape
func hostCOSE(key, aad, message string, out unsafe.Pointer, size uint32) int32

//go:wasmimport ward call
//go:noescape
func hostCall(contract, method, args string) uint32

//go:wasmimport ward call_with_gas
//go:noescape
func hostCallWithGas(contract, method, args string, gas uint64) uint32

//go:wasmimport ward reply
//go:noescape
func hostReply(out unsafe.Pointer, size uint32) int32

const (
	absent        = -1
	unknownMethod = 0xffff_ffff
	badArguments  = 0xffff_fffe
)

var buffer [8192]byte

// ask returns what a function that tells something tells.
func ask(f func(out unsafe.Pointer, size uint32) int32) string {
	n := f(unsafe.Pointer(&buffer[0]), uint32(len(buffer)))
	return string(buffer[:n])
}

// fixed returns what a function writes whose answer always has the same size.
func fixed(size int, f func(out unsafe.Pointer)) string {
	f(unsafe.Pointer(&buffer[0]))
	return string(buffer[:size])
}

// input is what is left of the arguments.
type input string

func (in *input) take(n int) string {
	if n > len(*in) {
		hostFail(badArguments, "the arguments are not what the method takes")
	}
	s := (*in)[:n]
	*in = (*in)[n:]
	return string(s)
}

func (in *input) rest() string { return in.take(len(*in)) }

func (in *input) number(size int) uint64 {
	var b [8]byte
	copy(b[:], in.take(size))
	return binary.LittleEndian.Uint64(b[:])
}

// named reads a length of one byte and as many bytes.
func (in *input) named() string { return in.take(int(in.number(1))) }

// arguments opens the byte string of CBOR.
func arguments() input {
	n := hostArgs(unsafe.Pointer(&buffer[0]), uint32(len(buffer)))
	if n > int32(len(buffer)) {
		hostFail(badArguments, "the arguments are not what the method takes")
	}
	in := input(buffer[:n])
	head := in.number(1)
	length := int(head) - 0x40
	switch {
	case head == 0x58:
		length = int(in.number(1))
	case head == 0x59:
		b := in.take(2)
		length = int(b[0])<<8 | int(b[1])
	case head < 0x40 || head > 0x57:
		length = -1
	}
	if length != len(in) {
		hostFail(badArguments, "the arguments are not what the method takes")
	}
	return in
}

func ret(s string) {
	var head []byte
	switch n := len(s); {
	case n < 24:
		head = []byte{byte(0x40 + n)}
	case n < 256:
		head = []byte{0x58, byte(n)}
	default:
		head = []byte{0x59, byte(n >> 8), byte(n)}
	}
	hostRet(string(head) + s)
}

func number(v uint64, size int) string {
	return string(binary.LittleEndian.AppendUint64(nil, v)[:size])
}

// ended says how a call of another contract has ended: the code, and the reply.
func ended(code uint32) string { return number(uint64(code), 4) + ask(hostReply) }

// noted is ended, of which a row stays.
func noted(contract string, code uint32) string {
	s := ended(code)
	hostSet("calls", contract[:1], s[:1])
	return s
}

func pointer(s string) unsafe.Pointer { return unsafe.Pointer(unsafe.StringData(s)) }

//go:wasmexport ward_call
func run() {
	method := ask(hostMethod)
	in := arguments()
	do, ok := methods[method]
	if !ok {
		hostFail(unknownMethod, method)
	}
	if result := do(&in); result != "" {
		ret(result)
	}
}

var methods map[string]func(in *input) string

func init() {
	methods = map[string]func(in *input) string{
		"set": func(in *input) string { key := in.named(); hostSet("rows", key, in.rest()); return "" },
		"get": func(in *input) string {
			n := hostGet("rows", in.rest(), unsafe.Pointer(&buffer[0]), uint32(len(buffer)))
			if n == absent {
				hostFail(1, "no such row")
			}
			return string(buffer[:n])
		},
		"count": func(in *input) string {
			key := in.rest()
			row := make([]byte, 8)
			if n := hostGet("rows", key, unsafe.Pointer(&row[0]), 8); n != absent && n != 8 {
				hostFail(2, "not a counter")
			}
			value := number(binary.LittleEndian.Uint64(row)+1, 8)
			hostSet("rows", key, value)
			return value
		},
		"exists": func(in *input) string { return number(uint64(hostExists("rows", in.rest())), 1) },
		"delete": func(in *input) string { return number(uint64(hostDelete("rows", in.rest())), 1) },
		"scan": func(in *input) string {
			flags, limit, room := uint32(in.number(1)), uint32(in.number(1)), uint32(in.number(2))
			start := in.named()
			if room > 4096 {
				hostFail(badArguments, "the arguments are not what the method takes")
			}
			n := hostScan("rows", start, in.rest(), flags, limit, unsafe.Pointer(&buffer[0]), room)
			if n > int32(room) {
				return number(uint64(n), 4)
			}
			return number(uint64(n), 4) + string(buffer[:n])
		},
		"emit": func(in *input) string { name := in.named(); hostEmit(name, in.rest()); return "" },
		"log":  func(in *input) string { hostLog(in.rest()); return "" },
		"fail": func(in *input) string {
			code := uint32(in.number(4))
			hostSet("rows", "failed", "undone")
			hostEmit("failed", "\xa0")
			hostFail(code, in.rest())
			return ""
		},
		"spin": func(*input) string {
			for {
			}
		},
		"who": func(*input) string {
			s := fixed(20, hostSender) + fixed(20, hostOrigin) + fixed(16, hostBlock) + fixed(32, hostRandomness)
			s += number(uint64(hostCallerKind()), 1)
			if hostGasLeft() > 0 {
				s += "\x01"
			} else {
				s += "\x00"
			}
			for _, tell := range []func(unsafe.Pointer, uint32) int32{hostContract, hostChain} {
				text := ask(tell)
				s += number(uint64(len(text)), 1) + text
			}
			return s + ask(hostMethod)
		},
		"hash": func(in *input) string {
			message := in.rest()
			s := fixed(32, func(out unsafe.Pointer) { hostSHA256(message, out) })
			s += fixed(64, func(out unsafe.Pointer) { hostSHA512(message, out) })
			s += fixed(32, func(out unsafe.Pointer) { hostBLAKE2b(message, out) })
			s += fixed(32, func(out unsafe.Pointer) { hostHMAC("key", message, out) })
			return s + fixed(42, func(out unsafe.Pointer) { hostHKDF(message, "salt", "info", out, 42) })
		},
		"ed25519": func(in *input) string {
			key, sig := in.take(32), in.take(64)
			return number(uint64(hostEd25519(pointer(key), pointer(sig), in.rest())), 1)
		},
		"batch": func(in *input) string { return number(uint64(hostBatch(in.rest())), 1) },
		"p256": func(in *input) string {
			key, sig, message := in.take(33), in.take(64), in.rest()
			digest := sha256.Sum256([]byte(message)) // by itself: it is the same as the host's
			return number(uint64(hostP256(pointer(key), pointer(sig), message)), 1) +
				number(uint64(hostP256Digest(pointer(key), pointer(sig), unsafe.Pointer(&digest[0]))), 1)
		},
		"address": func(in *input) string {
			n := hostKeyAddress(in.rest(), unsafe.Pointer(&buffer[0]))
			if n != 0 {
				return number(uint64(n), 1)
			}
			return number(0, 1) + string(buffer[:20])
		},
		"cose": func(in *input) string {
			key := in.named()
			aad := in.named()
			n := hostCOSE(key, aad, in.rest(), unsafe.Pointer(&buffer[0]), 4096)
			return number(uint64(n), 4) + string(buffer[:max(n, 0)])
		},
		"call": func(in *input) string {
			contract, method := in.named(), in.named()
			return noted(contract, hostCall(contract, method, in.rest()))
		},
		"ask": func(in *input) string {
			contract, method := in.named(), in.named()
			return ended(hostCall(contract, method, in.rest()))
		},
		"limited": func(in *input) string {
			gas, contract, method := in.number(8), in.named(), in.named()
			return noted(contract, hostCallWithGas(contract, method, in.rest(), gas))
		},
		"relay": func(in *input) string {
			if len(*in) == 0 {
				hostEmit("arrived", "\xa0")
				return ""
			}
			contract, rest := in.take(1), in.rest()
			if len(rest) >= 16 {
				hostFail(badArguments, "the arguments are not what the method takes")
			}
			return noted(contract, hostCall(contract, "relay", string([]byte{byte(0x40 + len(rest))})+rest))
		},
	}
}

func main() {}
