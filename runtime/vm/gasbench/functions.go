package gasbench

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/tx"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
	"github.com/wardledger/ward/runtime/wasm"
)

// hostCalls is how often a function of the host is called in a measurement.
const hostCalls = 200

// batchCalls is how often many signatures are verified: as often as the gas of a transaction lasts.
const batchCalls = 50

// largeRow is the value of a row that is read, in bytes.
const largeRow = 60_000

// A hosted is a contract that calls functions of the host.
type hosted struct {
	*wt.Module
	imported map[string]int
	names    []string // of what is imported
}

func newHosted(module string, names ...string) hosted {
	h := hosted{Module: wt.New(), imported: map[string]int{}, names: names}
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
	some := func(times int, name string, store bool, h hosted, body wt.Op) {
		function(h.Module, times, body)
		all = append(all, work{name: name, functions: h.names, times: uint64(times), store: store, wasm: h.Bytes(), pages: h.Pages})
	}
	add := func(name string, store bool, h hosted, body wt.Op) { some(hostCalls, name, store, h, body) }
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
	add(fmt.Sprintf("get, a row of %d B", largeRow), true, h, wt.Seq(h.call("get", h.bytes("large"), h.bytes("row"), out), sum))
	h = newHosted(abi.Module, "get")
	add("get, no row", true, h, wt.Seq(h.call("get", h.bytes("rows"), key(h, "none"), out), sum))
	h = newHosted(abi.Module, "exists")
	add("exists", true, h, wt.Seq(h.call("exists", h.bytes("rows"), key(h, "key ")), sum))
	for _, size := range []int{100, 4096, abi.MaxValue} {
		h = newHosted(abi.Module, "set")
		h.Pages = 32
		add(fmt.Sprintf("set, %d B, and sealed", size), true, h, h.call("set", h.bytes("rows"), key(h, "key "), h.bytes(string(make([]byte, size)))))
	}
	h = newHosted(abi.Module, "delete")
	add("delete, and sealed", true, h, wt.Seq(h.call("delete", h.bytes("rows"), key(h, "key ")), sum))
	for _, rows := range []int32{1, 100, 500} {
		h = newHosted(abi.Module, "scan")
		add(fmt.Sprintf("scan, %d rows", rows), true, h, wt.Seq(h.call("scan", h.bytes("rows"), key(h, "key "), h.bytes(""), wt.I32(0), wt.I32(rows), out), sum))
	}

	for _, size := range []int{10, 900, 8000} { // as many as there may be
		h = newHosted(abi.Module, "emit")
		attributes := "\xa1\x61a\x59" + string([]byte{byte(size >> 8), byte(size)}) + string(make([]byte, size))
		if size < 24 {
			attributes = "\xa1\x61a" + string([]byte{0x40 | byte(size)}) + string(make([]byte, size))
		}
		some(min(hostCalls, host.MaxEventBytes/(size+100)), fmt.Sprintf("emit, %d B", size), false, h, h.call("emit", h.bytes("happened"), h.bytes(attributes)))
	}
	for _, size := range []int{100, 4000, 60_000} {
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
	for _, size := range []int32{32, 4096, 65536} {
		h = newHosted(abi.Module, "hmac_sha256")
		add(fmt.Sprintf("hmac_sha256, %d B", size), false, h, h.call("hmac_sha256", wt.I32(0), wt.I32(32), wt.I32(0), wt.I32(size), wt.I32(outAt)))
		size = min(size, abi.MaxDerived)
		h = newHosted(abi.Module, "hkdf_sha256")
		add(fmt.Sprintf("hkdf_sha256, %d B", size), false, h, wt.Seq(h.call("hkdf_sha256", wt.I32(0), wt.I32(32), wt.I32(0), wt.I32(32), wt.I32(0), wt.I32(32), wt.I32(outAt), wt.I32(size)), sum))
	}
	h = newHosted(abi.Module, "randomness")
	add("randomness", false, h, h.call("randomness", wt.I32(outAt)))
	h = newHosted(abi.Module, "parameters_get")
	add("parameters_get, of nobody", false, h, wt.Seq(h.call("parameters_get", out), sum))
	h = newHosted(abi.Module, "parameters_get")
	add("parameters_get, of 64 deployers", true, h, wt.Seq(h.call("parameters_get", out), sum))
	h = newHosted(abi.Module, "caller_kind")
	add("caller_kind", false, h, wt.Seq(h.call("caller_kind"), sum))
	for _, name := range []string{"Ed25519", "P-256"} {
		seed := bytes.Repeat([]byte{7}, 32)
		newKey := tx.NewEd25519
		if name == "P-256" {
			newKey = tx.NewP256
		}
		secret := must(newKey(seed))
		key := string(secret.Public().Bytes)
		for _, size := range []int{100, 60_000} {
			message := must(tx.SignMessage("bench", []byte(cborBytes(size)), secret))
			h = newHosted(abi.Module, "cose_verify")
			add(fmt.Sprintf("cose_verify, %s, %d B", name, size), false, h, wt.Seq(h.call("cose_verify", h.bytes(key), h.bytes("bench"), h.bytes(string(message)), out), sum))
		}
		// What is wrong takes as long as what is right: the message is whatever lies in memory.
		digest := sha256.Sum256(nil)
		sig := string(must(secret.Sign(nil)))
		for _, size := range []int32{0, 65536} {
			function := "ed25519_verify"
			if secret.Public().Alg() == tx.ES256 {
				function = "p256_verify"
			}
			h = newHosted(abi.Module, function)
			add(fmt.Sprintf("%s, %d B", function, size), false, h, wt.Seq(h.call(function, h.at(key), h.at(sig), wt.I32(0), wt.I32(size)), sum))
		}
		if secret.Public().Alg() == tx.ES256 {
			h = newHosted(abi.Module, "p256_verify_digest")
			add("p256_verify_digest", false, h, wt.Seq(h.call("p256_verify_digest", h.at(key), h.at(sig), h.at(string(digest[:]))), sum))
		} else {
			for _, batch := range []struct{ n, size int }{{1, 0}, {16, 0}, {abi.MaxBatch, 0}, {16, 3900}} {
				message := make([]byte, batch.size)
				one := key + string(must(secret.Sign(message))) + string(binary.LittleEndian.AppendUint32(nil, uint32(batch.size))) + string(message)
				h = newHosted(abi.Module, "ed25519_verify_batch")
				some(batchCalls, fmt.Sprintf("ed25519_verify_batch, %d of %d B", batch.n, batch.size), false, h,
					wt.Seq(h.call("ed25519_verify_batch", h.bytes(strings.Repeat(one, batch.n))), sum))
			}
		}
		h = newHosted(abi.Module, "key_address")
		add("key_address, "+name, false, h, wt.Seq(h.call("key_address", h.bytes(string(secret.Public().Bytes)), wt.I32(outAt)), sum))
	}

	wasi := func(name, function string, args func(h hosted) []wt.Op) {
		h := newHosted(abi.WASIModule, function)
		add(name, false, h, wt.Seq(h.call(function, args(h)...), sum))
	}
	here := wt.I32(outAt)
	for _, f := range []struct {
		name string
		args []wt.Op
	}{
		{"args_get", []wt.Op{here, here}}, {"args_sizes_get", []wt.Op{here, here}},
		{"environ_get", []wt.Op{here, here}}, {"environ_sizes_get", []wt.Op{here, here}},
		{"clock_res_get", []wt.Op{wt.I32(0), here}}, {"clock_time_get", []wt.Op{wt.I32(0), wt.I64(1), here}},
		{"fd_fdstat_get", []wt.Op{wt.I32(1), here}}, {"fd_fdstat_set_flags", []wt.Op{wt.I32(1), wt.I32(0)}},
		{"fd_read", []wt.Op{wt.I32(0), wt.I32(0), wt.I32(0), here}},
		{"sched_yield", nil}, // like all that do nothing
	} {
		wasi(f.name, f.name, func(hosted) []wt.Op { return f.args })
	}
	for _, size := range []int32{8, 4096} {
		wasi(fmt.Sprintf("random_get, %d B", size), "random_get", func(hosted) []wt.Op { return []wt.Op{here, wt.I32(size)} })
	}
	for _, n := range []int32{1, 100} {
		wasi(fmt.Sprintf("poll_oneoff, %d clocks", n), "poll_oneoff", func(h hosted) []wt.Op {
			return []wt.Op{h.at(string(make([]byte, 48*n))), here, wt.I32(n), here}
		})
	}
	for _, text := range []struct{ name, text string }{
		{"a line of 100 B", strings.Repeat("x", 99) + "\n"}, {"a line of 4000 B", strings.Repeat("x", 3999) + "\n"}, {"100 empty lines", strings.Repeat("\n", 100)},
	} {
		wasi("fd_write, "+text.name, "fd_write", func(h hosted) []wt.Op {
			at, n := h.Data(text.text)
			vector := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, uint32(at)), uint32(n))
			return []wt.Op{wt.I32(1), h.at(string(vector)), wt.I32(1), here}
		})
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
