package sdk

import "unsafe"

// The functions of runtime/abi's table, as the runtime binds them. A test holds
// these declarations against the table.

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

//go:wasmimport ward contract
//go:noescape
func hostContract(out unsafe.Pointer, size uint32) int32

//go:wasmimport ward chain
//go:noescape
func hostChain(out unsafe.Pointer, size uint32) int32

//go:wasmimport ward block
//go:noescape
func hostBlock(out unsafe.Pointer)

//go:wasmimport ward get
//go:noescape
func hostGet(collection string, key unsafe.Pointer, keySize uint32, out unsafe.Pointer, size uint32) int32

//go:wasmimport ward set
//go:noescape
func hostSet(collection string, key unsafe.Pointer, keySize uint32, value unsafe.Pointer, valueSize uint32)

//go:wasmimport ward delete
//go:noescape
func hostDelete(collection string, key unsafe.Pointer, keySize uint32) int32

//go:wasmimport ward scan
//go:noescape
func hostScan(collection string, start unsafe.Pointer, startSize uint32, end unsafe.Pointer, endSize uint32, flags, limit uint32, out unsafe.Pointer, size uint32) int32

//go:wasmimport ward emit
//go:noescape
func hostEmit(name string, attributes unsafe.Pointer, size uint32)

//go:wasmimport ward ret
//go:noescape
func hostRet(result unsafe.Pointer, size uint32)

//go:wasmimport ward fail
//go:noescape
func hostFail(code uint32, reason string)

//go:wasmimport ward log
//go:noescape
func hostLog(line string)

//go:wasmimport ward cose_verify
//go:noescape
func hostCoseVerify(key unsafe.Pointer, keySize uint32, aad string, message unsafe.Pointer, messageSize uint32, out unsafe.Pointer, size uint32) int32

//go:wasmimport ward key_address
//go:noescape
func hostKeyAddress(key unsafe.Pointer, keySize uint32, out unsafe.Pointer) int32

//go:wasmimport ward sha256
//go:noescape
func hostSHA256(message unsafe.Pointer, size uint32, out unsafe.Pointer)

//go:wasmimport ward gas_left
func hostGasLeft() int64

//go:wasmimport ward account_open
//go:noescape
func hostAccountOpen(account unsafe.Pointer, size uint32) int32

//go:wasmimport ward account_shut
//go:noescape
func hostAccountShut(kid unsafe.Pointer) int32

//go:wasmimport ward account_reopen
//go:noescape
func hostAccountReopen(kid unsafe.Pointer) int32

//go:wasmimport ward account_retire
//go:noescape
func hostAccountRetire(kid unsafe.Pointer) int32

// Not noescape: another contract runs meanwhile, though never in this memory.
//
//go:wasmimport ward call
func hostCall(contract, method string, args unsafe.Pointer, size uint32) int32

//go:wasmimport ward reply
//go:noescape
func hostReply(out unsafe.Pointer, size uint32) int32

//go:wasmimport ward authorities_set
//go:noescape
func hostAuthoritiesSet(set unsafe.Pointer, size uint32) int32

//go:wasmimport ward exists
//go:noescape
func hostExists(collection string, key unsafe.Pointer, keySize uint32) int32

//go:wasmimport ward caller_kind
func hostCallerKind() int32

//go:wasmimport ward randomness
//go:noescape
func hostRandomness(out unsafe.Pointer)

//go:wasmimport ward sha512
//go:noescape
func hostSHA512(message unsafe.Pointer, size uint32, out unsafe.Pointer)

//go:wasmimport ward blake2b
//go:noescape
func hostBLAKE2b(message unsafe.Pointer, size uint32, out unsafe.Pointer)

//go:wasmimport ward hmac_sha256
//go:noescape
func hostHMAC(key unsafe.Pointer, keySize uint32, message unsafe.Pointer, messageSize uint32, out unsafe.Pointer)

//go:wasmimport ward hkdf_sha256
//go:noescape
func hostHKDF(secret unsafe.Pointer, secretSize uint32, salt unsafe.Pointer, saltSize uint32, info unsafe.Pointer, infoSize uint32, out unsafe.Pointer, size uint32) int32

//go:wasmimport ward ed25519_verify
//go:noescape
func hostEd25519Verify(key, sig, message unsafe.Pointer, size uint32) int32

//go:wasmimport ward ed25519_verify_batch
//go:noescape
func hostEd25519VerifyBatch(batch unsafe.Pointer, size uint32) int32

//go:wasmimport ward p256_verify
//go:noescape
func hostP256Verify(key, sig, message unsafe.Pointer, size uint32) int32

//go:wasmimport ward p256_verify_digest
//go:noescape
func hostP256VerifyDigest(key, sig, digest unsafe.Pointer) int32

// Not noescape, as hostCall.
//
//go:wasmimport ward call_with_gas
func hostCallWithGas(contract, method string, args unsafe.Pointer, size uint32, gas int64) int32

//go:wasmimport ward x509_verify
//go:noescape
func hostX509Verify(chain unsafe.Pointer, chainSize uint32, anchors unsafe.Pointer, anchorsSize uint32, time int64, out unsafe.Pointer, size uint32) int32

//go:wasmimport ward parameters_get
//go:noescape
func hostParametersGet(out unsafe.Pointer, size uint32) int32

//go:wasmimport ward parameters_set
//go:noescape
func hostParametersSet(parameters unsafe.Pointer, size uint32) int32

//go:wasmimport ward code_permit
//go:noescape
func hostCodePermit(permit unsafe.Pointer, size uint32) int32

//go:wasmimport ward code_withdraw
//go:noescape
func hostCodeWithdraw(name string) int32
