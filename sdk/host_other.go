//go:build !wasip1

package sdk

import "unsafe"

// outside is what happens when a contract's code runs as an ordinary program. It is a
// variable, or tools that look at contracts natively would find that nothing there returns.
var outside = func() {
	panic("sdk: this asks the chain, so it runs only inside Ward: test the contract with sdk/sdktest")
}

func hostMethod(out unsafe.Pointer, size uint32) int32   { outside(); return 0 }
func hostArgs(out unsafe.Pointer, size uint32) int32     { outside(); return 0 }
func hostRet(result unsafe.Pointer, size uint32)         { outside() }
func hostSender(out unsafe.Pointer)                      { outside() }
func hostOrigin(out unsafe.Pointer)                      { outside() }
func hostContract(out unsafe.Pointer, size uint32) int32 { outside(); return 0 }
func hostChain(out unsafe.Pointer, size uint32) int32    { outside(); return 0 }
func hostBlock(out unsafe.Pointer)                       { outside() }
func hostGet(collection string, key unsafe.Pointer, keySize uint32, out unsafe.Pointer, size uint32) int32 {
	outside()
	return 0
}
func hostSet(collection string, key unsafe.Pointer, keySize uint32, value unsafe.Pointer, valueSize uint32) {
	outside()
}
func hostDelete(collection string, key unsafe.Pointer, keySize uint32) int32 { outside(); return 0 }
func hostScan(collection string, start unsafe.Pointer, startSize uint32, end unsafe.Pointer, endSize uint32, flags, limit uint32, out unsafe.Pointer, size uint32) int32 {
	outside()
	return 0
}
func hostEmit(name string, attributes unsafe.Pointer, size uint32) { outside() }
func hostFail(code uint32, reason string)                          { outside() }
func hostLog(line string)                                          { outside() }
func hostCoseVerify(key unsafe.Pointer, keySize uint32, aad string, message unsafe.Pointer, messageSize uint32, out unsafe.Pointer, size uint32) int32 {
	outside()
	return 0
}
func hostKeyAddress(key unsafe.Pointer, keySize uint32, out unsafe.Pointer) int32 {
	outside()
	return 0
}
func hostSHA256(message unsafe.Pointer, size uint32, out unsafe.Pointer) { outside() }
func hostGasLeft() int64                                                 { outside(); return 0 }
func hostAccountOpen(account unsafe.Pointer, size uint32) int32          { outside(); return 0 }
func hostAccountShut(kid unsafe.Pointer) int32                           { outside(); return 0 }
func hostAccountReopen(kid unsafe.Pointer) int32                         { outside(); return 0 }
func hostAccountRetire(kid unsafe.Pointer) int32                         { outside(); return 0 }
func hostCall(contract, method string, args unsafe.Pointer, size uint32) int32 {
	outside()
	return 0
}
func hostReply(out unsafe.Pointer, size uint32) int32                        { outside(); return 0 }
func hostAuthoritiesSet(set unsafe.Pointer, size uint32) int32               { outside(); return 0 }
func hostExists(collection string, key unsafe.Pointer, keySize uint32) int32 { outside(); return 0 }
func hostCallerKind() int32                                                  { outside(); return 0 }
func hostRandomness(out unsafe.Pointer)                                      { outside() }
func hostSHA512(message unsafe.Pointer, size uint32, out unsafe.Pointer)     { outside() }
func hostBLAKE2b(message unsafe.Pointer, size uint32, out unsafe.Pointer)    { outside() }
func hostHMAC(key unsafe.Pointer, keySize uint32, message unsafe.Pointer, messageSize uint32, out unsafe.Pointer) {
	outside()
}
func hostHKDF(secret unsafe.Pointer, secretSize uint32, salt unsafe.Pointer, saltSize uint32, info unsafe.Pointer, infoSize uint32, out unsafe.Pointer, size uint32) int32 {
	outside()
	return 0
}
func hostEd25519Verify(key, sig, message unsafe.Pointer, size uint32) int32 { outside(); return 0 }
func hostEd25519VerifyBatch(batch unsafe.Pointer, size uint32) int32        { outside(); return 0 }
func hostP256Verify(key, sig, message unsafe.Pointer, size uint32) int32    { outside(); return 0 }
func hostP256VerifyDigest(key, sig, digest unsafe.Pointer) int32            { outside(); return 0 }
func hostCallWithGas(contract, method string, args unsafe.Pointer, size uint32, gas int64) int32 {
	outside()
	return 0
}
func hostX509Verify(chain unsafe.Pointer, chainSize uint32, anchors unsafe.Pointer, anchorsSize uint32, time int64, out unsafe.Pointer, size uint32) int32 {
	outside()
	return 0
}
func hostParametersGet(out unsafe.Pointer, size uint32) int32        { outside(); return 0 }
func hostParametersSet(parameters unsafe.Pointer, size uint32) int32 { outside(); return 0 }
func hostCodePermit(permit unsafe.Pointer, size uint32) int32        { outside(); return 0 }
func hostCodeWithdraw(name string) int32                             { outside(); return 0 }
