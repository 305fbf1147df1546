package gasbench

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/tx"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
	"github.com/wardledger/ward/runtime/wasm"
)

// hostCalls is how often a function of the host is called in a measurement.
const hostCalls = 200

// A hosted is a contract that calls functions of the host.
type hosted struct {
	*wt.Module
	imported map[string]int
}

func newHosted(module string, names ...string) hosted {
	h := hosted{wt.New(), map[string]int{}}
	h.Pages = 16
	for _, n := range names {
		h.imported[n] = h.Import(module, n)
	}
	return h
}

func (h hosted) call(name string, args ...wt.Op) wt.Op {
	return wt.Seq(wt.Seq(args...), wt.Call(h.imported[name]))
}

// bytes pushes address and length of some data.
func (h hosted) bytes(s string) wt.Op {
	at, n := h.Data(s)
	return wt.Seq(wt.I32(at), wt.I32(n))
}

// at pushes the address of some data.
func (h hosted) at(s string) wt.Op {
	at, _ := h.Data(s)
	return wt.I32(at)
}

// out is room for an answer.
const outAt, outSize = 0x40000, 0x10000

// functions are those of the host that any contract may call.
func functions() (all []work) {
	add := func(name string, store bool, h hosted, body wt.Op) {
		function(h.Module, hostCalls, body)
		all = append(all, work{name: name, times: hostCalls, store: store, wasm: h.Bytes(), pages: h.Pages})
	}
	out := wt.Seq(wt.I32(outAt), wt.I32(outSize))
	sum := gather('i')

	for _, name := range []string{"method", "args", "contract", "chain"} {
		h := newHosted(abi.Module, name)
		add(name, false, h, wt.Seq(h.call(name, out), sum))
	}
	for _, name := range []string{"sender", "origin", "block"} {
		h := newHosted(abi.Module, name)
		add(name, false, h, h.call(name, wt.I32(outAt)))
	}
	h := newHosted(abi.Module, "gas_left")
	add("gas_left", false, h, wt.Seq(h.call("gas_left"), gather('l')))

	// The key of a row: the loop's count as its last digits.
	key := func(h hosted, prefix string) wt.Op {
		at, n := h.Data(prefix + "000000")
		digit := func(div, place int32) wt.Op {
			return wt.Seq(wt.I32(at+n-place), wt.Get(count), wt.I32(div), wt.Raw(byte(wasm.OpI32DivU)), wt.I32(10), wt.Raw(byte(wasm.OpI32RemU)),
				wt.I32('0'), wt.AddI32, wt.Raw(byte(wasm.OpI32Store8), 0, 0))
		}
		return wt.Seq(digit(1, 1), digit(10, 2), digit(100, 3), wt.I32(at), wt.I32(n))
	}
	h = newHosted(abi.Module, "get")
	add("get, a row of 100 B", true, h, wt.Seq(h.call("get", h.bytes("rows"), key(h, "key "), out), sum))
	h = newHosted(abi.Module, "get")
	add("get, no row", true, h, wt.Seq(h.call("get", h.bytes("rows"), key(h, "none"), out), sum))
	h = newHosted(abi.Module, "exists")
	add("exists", true, h, wt.Seq(h.call("exists", h.bytes("rows"), key(h, "key ")), sum))
	for _, size := range []int{100, 4096} {
		h = newHosted(abi.Module, "set")
		add(fmt.Sprintf("set, %d B, and sealed", size), true, h, h.call("set", h.bytes("rows"), key(h, "key "), h.bytes(string(make([]byte, size)))))
	}
	h = newHosted(abi.Module, "delete")
	add("delete, and sealed", true, h, wt.Seq(h.call("delete", h.bytes("rows"), key(h, "key ")), sum))
	for _, rows := range []int32{1, 100} {
		h = newHosted(abi.Module, "scan")
		add(fmt.Sprintf("scan, %d rows", rows), true, h, wt.Seq(h.call("scan", h.bytes("rows"), key(h, "key "), h.bytes(""), wt.I32(0), wt.I32(rows), out), sum))
	}

	for _, size := range []int{10, 900} {
		h = newHosted(abi.Module, "emit")
		attributes := "\xa1\x61a\x59" + string([]byte{byte(size >> 8), byte(size)}) + string(make([]byte, size))
		if size < 24 {
			attributes = "\xa1\x61a" + string([]byte{0x40 | byte(size)}) + string(make([]byte, size))
		}
		add(fmt.Sprintf("emit, %d B", size), false, h, h.call("emit", h.bytes("happened"), h.bytes(attributes)))
	}
	for _, size := range []int{100, 4000} {
		h = newHosted(abi.Module, "ret")
		add(fmt.Sprintf("ret, %d B", size), false, h, h.call("ret", h.bytes(cborBytes(size))))
		h = newHosted(abi.Module, "log")
		add(fmt.Sprintf("log, %d B", min(size, abi.MaxLog)), false, h, h.call("log", h.bytes(string(make([]byte, min(size, abi.MaxLog))))))
	}
	// What is checked most slowly: many small items.
	h = newHosted(abi.Module, "ret")
	add("ret, an array of 8,000 numbers", false, h, h.call("ret", h.bytes("\x99\x1f\x40"+string(make([]byte, 8000)))))

	for _, name := range []string{"sha256", "sha512", "blake2b"} {
		for _, size := range []int32{32, 1024, 65536} {
			h = newHosted(abi.Module, name)
			add(fmt.Sprintf("%s, %d B", name, size), false, h, h.call(name, wt.I32(0), wt.I32(size), wt.I32(outAt)))
		}
	}
	for _, size := range []int32{32, 4096} {
		h = newHosted(abi.Module, "hmac_sha256")
		add(fmt.Sprintf("hmac_sha256, %d B", size), false, h, h.call("hmac_sha256", wt.I32(0), wt.I32(32), wt.I32(0), wt.I32(size), wt.I32(outAt)))
		h = newHosted(abi.Module, "hkdf_sha256")
		add(fmt.Sprintf("hkdf_sha256, %d B", size), false, h, wt.Seq(h.call("hkdf_sha256", wt.I32(0), wt.I32(32), wt.I32(0), wt.I32(32), wt.I32(0), wt.I32(32), wt.I32(outAt), wt.I32(size)), sum))
	}
	h = newHosted(abi.Module, "randomness")
	add("randomness", false, h, h.call("randomness", wt.I32(outAt)))
	h = newHosted(abi.Module, "parameters_get")
	add("parameters_get", true, h, wt.Seq(h.call("parameters_get", out), sum))
	h = newHosted(abi.Module, "caller_kind")
	add("caller_kind", false, h, wt.Seq(h.call("caller_kind"), sum))
	for _, name := range []string{"Ed25519", "P-256"} {
		seed := bytes.Repeat([]byte{7}, 32)
		secret, err := tx.NewEd25519(seed)
		if name == "P-256" {
			secret, err = tx.NewP256(seed)
		}
		if err != nil {
			panic("BUG: gasbench: " + err.Error())
		}
		message, err := tx.SignMessage("bench", []byte(cborBytes(100)), secret)
		if err != nil {
			panic("BUG: gasbench: " + err.Error())
		}
		h = newHosted(abi.Module, "cose_verify")
		add("cose_verify, "+name, false, h, wt.Seq(h.call("cose_verify", h.bytes(string(secret.Public().Bytes)), h.bytes("bench"), h.bytes(string(message)), out), sum))
		digest := sha256.Sum256(nil)
		sig, err := secret.Sign(nil)
		if err != nil {
			panic("BUG: gasbench: " + err.Error())
		}
		if secret.Public().Alg() == tx.ES256 {
			h = newHosted(abi.Module, "p256_verify")
			add("p256_verify", false, h, wt.Seq(h.call("p256_verify", h.at(string(secret.Public().Bytes)), h.at(string(sig)), wt.I32(0), wt.I32(0)), sum))
			h = newHosted(abi.Module, "p256_verify_digest")
			add("p256_verify_digest", false, h, wt.Seq(h.call("p256_verify_digest", h.at(string(secret.Public().Bytes)), h.at(string(sig)), h.at(string(digest[:]))), sum))
		} else {
			h = newHosted(abi.Module, "ed25519_verify")
			add("ed25519_verify", false, h, wt.Seq(h.call("ed25519_verify", h.at(string(secret.Public().Bytes)), h.at(string(sig)), wt.I32(0), wt.I32(0)), sum))
			for _, n := range []int{1, 16} {
				h = newHosted(abi.Module, "ed25519_verify_batch")
				one := string(secret.Public().Bytes) + string(sig) + "\x00\x00\x00\x00"
				add(fmt.Sprintf("ed25519_verify_batch of %d", n), false, h, wt.Seq(h.call("ed25519_verify_batch", h.bytes(strings.Repeat(one, n))), sum))
			}
		}
		h = newHosted(abi.Module, "key_address")
		add("key_address, "+name, false, h, wt.Seq(h.call("key_address", h.bytes(string(secret.Public().Bytes)), wt.I32(outAt)), sum))
	}

	h = newHosted(abi.WASIModule, "clock_time_get")
	add("clock_time_get", false, h, wt.Seq(h.call("clock_time_get", wt.I32(0), wt.I64(1), wt.I32(outAt)), sum))
	for _, size := range []int32{8, 4096} {
		h = newHosted(abi.WASIModule, "random_get")
		add(fmt.Sprintf("random_get, %d B", size), false, h, wt.Seq(h.call("random_get", wt.I32(outAt), wt.I32(size)), sum))
	}
	return all
}

// cborBytes is a byte string of CBOR, of at least 24 bytes.
func cborBytes(size int) string {
	if size < 256 {
		return "\x58" + string([]byte{byte(size)}) + string(make([]byte, size))
	}
	return "\x59" + string([]byte{byte(size >> 8), byte(size)}) + string(make([]byte, size))
}
