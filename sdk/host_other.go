//go:build !wasip1

package sdk

import (
	"encoding/binary"
	"unsafe"
)

// outside is what happens when a contract's code runs as an ordinary program. It is a
// variable, or tools that look at contracts natively would find that nothing there returns.
var outside = func(string) {
	panic("sdk: this asks the chain, so it runs only inside Ward: test the contract with sdk/sdktest")
}

// inside answers what a contract asks of the chain, by the name of the function in runtime/abi. There is none but for the examples of this
// package, which are run natively, on the runtime's own functions but without Wasm. Numbers are little-endian, as in memory.
var inside func(function string, in ...[]byte) (out []byte, status int64)

func ask(function string, in ...[]byte) (out []byte, status int64) {
	if inside == nil {
		outside(function)
		return nil, 0
	}
	return inside(function, in...)
}

// tell is ask of a function that answers with a number.
func tell(function string, in ...[]byte) int32 {
	_, status := ask(function, in...)
	return int32(status)
}

// write is ask of a function that writes as much as fits.
func write(out unsafe.Pointer, size uint32, function string, in ...[]byte) int32 {
	b, status := ask(function, in...)
	if status < 0 {
		return int32(status)
	}
	if len(b) <= int(size) {
		copy(unsafe.Slice((*byte)(out), size), b)
	}
	return int32(len(b))
}

func at(p unsafe.Pointer, size uint32) []byte { return unsafe.Slice((*byte)(p), size) }
func number(n uint64) []byte                  { return binary.LittleEndian.AppendUint64(nil, n) }

func hostMethod(out unsafe.Pointer, size uint32) int32   { return write(out, size, "method") }
func hostArgs(out unsafe.Pointer, size uint32) int32     { return write(out, size, "args") }
func hostRet(result unsafe.Pointer, size uint32)         { tell("ret", at(result, size)) }
func hostSender(out unsafe.Pointer)                      { write(out, 20, "sender") }
func hostOrigin(out unsafe.Pointer)                      { write(out, 20, "origin") }
func hostContract(out unsafe.Pointer, size uint32) int32 { return write(out, size, "contract") }
func hostChain(out unsafe.Pointer, size uint32) int32    { return write(out, size, "chain") }
func hostBlock(out unsafe.Pointer)                       { write(out, 16, "block") }
func hostGet(collection string, key unsafe.Pointer, keySize uint32, out unsafe.Pointer, size uint32) int32 {
	return write(out, size, "get", []byte(collection), at(key, keySize))
}
func hostSet(collection string, key unsafe.Pointer, keySize uint32, value unsafe.Pointer, valueSize uint32) {
	tell("set", []byte(collection), at(key, keySize), at(value, valueSize))
}
func hostDelete(collection string, key unsafe.Pointer, keySize uint32) int32 {
	return tell("delete", []byte(collection), at(key, keySize))
}
func hostScan(collection string, start unsafe.Pointer, startSize uint32, end unsafe.Pointer, endSize uint32, flags, limit uint32, out unsafe.Pointer, size uint32) int32 {
	return write(out, size, "scan", []byte(collection), at(start, startSize), at(end, endSize), number(uint64(flags)), number(uint64(limit)))
}
func hostEmit(name string, attributes unsafe.Pointer, size uint32) {
	tell("emit", []byte(name), at(attributes, size))
}
func hostFail(code uint32, reason string) {
	if inside == nil { // arithmetic fails outside, too, and should say why
		panic("sdk: in a call this would fail: " + reason)
	}
	tell("fail", number(uint64(code)), []byte(reason))
}
func hostLog(line string) { tell("log", []byte(line)) }
func hostCoseVerify(key unsafe.Pointer, keySize uint32, aad string, message unsafe.Pointer, messageSize uint32, out unsafe.Pointer, size uint32) int32 {
	return write(out, size, "cose_verify", at(key, keySize), []byte(aad), at(message, messageSize))
}
func hostKeyAddress(key unsafe.Pointer, keySize uint32, out unsafe.Pointer) int32 {
	return min(write(out, 20, "key_address", at(key, keySize)), 0)
}
func hostSHA256(message unsafe.Pointer, size uint32, out unsafe.Pointer) {
	write(out, 32, "sha256", at(message, size))
}
func hostGasLeft() int64 {
	_, gas := ask("gas_left")
	return gas
}
func hostAccountOpen(account unsafe.Pointer, size uint32) int32 {
	return tell("account_open", at(account, size))
}
func hostAccountShut(kid unsafe.Pointer) int32   { return tell("account_shut", at(kid, 20)) }
func hostAccountReopen(kid unsafe.Pointer) int32 { return tell("account_reopen", at(kid, 20)) }
func hostAccountRetire(kid unsafe.Pointer) int32 { return tell("account_retire", at(kid, 20)) }
func hostCall(contract, method string, args unsafe.Pointer, size uint32) int32 {
	return tell("call", []byte(contract), []byte(method), at(args, size))
}
func hostReply(out unsafe.Pointer, size uint32) int32 { return write(out, size, "reply") }
func hostAuthoritiesSet(set unsafe.Pointer, size uint32) int32 {
	return tell("authorities_set", at(set, size))
}
func hostExists(collection string, key unsafe.Pointer, keySize uint32) int32 {
	return tell("exists", []byte(collection), at(key, keySize))
}
func hostCallerKind() int32             { return tell("caller_kind") }
func hostRandomness(out unsafe.Pointer) { write(out, 32, "randomness") }
func hostSHA512(message unsafe.Pointer, size uint32, out unsafe.Pointer) {
	write(out, 64, "sha512", at(message, size))
}
func hostBLAKE2b(message unsafe.Pointer, size uint32, out unsafe.Pointer) {
	write(out, 32, "blake2b", at(message, size))
}
func hostHMAC(key unsafe.Pointer, keySize uint32, message unsafe.Pointer, messageSize uint32, out unsafe.Pointer) {
	write(out, 32, "hmac_sha256", at(key, keySize), at(message, messageSize))
}
func hostHKDF(secret unsafe.Pointer, secretSize uint32, salt unsafe.Pointer, saltSize uint32, info unsafe.Pointer, infoSize uint32, out unsafe.Pointer, size uint32) int32 {
	return write(out, size, "hkdf_sha256", at(secret, secretSize), at(salt, saltSize), at(info, infoSize), number(uint64(size)))
}
func hostEd25519Verify(key, sig, message unsafe.Pointer, size uint32) int32 {
	return tell("ed25519_verify", at(key, 32), at(sig, 64), at(message, size))
}
func hostEd25519VerifyBatch(batch unsafe.Pointer, size uint32) int32 {
	return tell("ed25519_verify_batch", at(batch, size))
}
func hostP256Verify(key, sig, message unsafe.Pointer, size uint32) int32 {
	return tell("p256_verify", at(key, 33), at(sig, 64), at(message, size))
}
func hostP256VerifyDigest(key, sig, digest unsafe.Pointer) int32 {
	return tell("p256_verify_digest", at(key, 33), at(sig, 64), at(digest, 32))
}
func hostCallWithGas(contract, method string, args unsafe.Pointer, size uint32, gas int64) int32 {
	return tell("call_with_gas", []byte(contract), []byte(method), at(args, size), number(uint64(gas)))
}
func hostX509Verify(chain unsafe.Pointer, chainSize uint32, anchors unsafe.Pointer, anchorsSize uint32, time int64, out unsafe.Pointer, size uint32) int32 {
	return write(out, size, "x509_verify", at(chain, chainSize), at(anchors, anchorsSize), number(uint64(time)))
}
func hostParametersGet(out unsafe.Pointer, size uint32) int32 {
	return write(out, size, "parameters_get")
}
func hostParametersSet(parameters unsafe.Pointer, size uint32) int32 {
	return tell("parameters_set", at(parameters, size))
}
func hostCodePermit(permit unsafe.Pointer, size uint32) int32 {
	return tell("code_permit", at(permit, size))
}
func hostCodeWithdraw(name string) int32 { return tell("code_withdraw", []byte(name)) }
