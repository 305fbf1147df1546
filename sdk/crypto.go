package sdk

import (
	"encoding/binary"
	"unsafe"

	"github.com/wardledger/ward/runtime/abi"
)

// Sizes of what the functions below take and give, in bytes.
const (
	HashSize512   = 64 // of SHA-512
	SignatureSize = 64 // of Ed25519 (RFC 8032), and r and s of ECDSA on P-256 (RFC 9053)
	MaxDerived    = abi.MaxDerived
	MaxBatch      = abi.MaxBatch
)

// SHA512 returns the SHA-512 of b, which is at most 64 KiB, as are all messages and keys here.
func (c *Ctx) SHA512(b []byte) (sum [HashSize512]byte) {
	p, n := pointer(b)
	hostSHA512(p, n, unsafe.Pointer(&sum))
	return sum
}

// BLAKE2b returns the BLAKE2b-256 of b.
func (c *Ctx) BLAKE2b(b []byte) (h Hash) {
	p, n := pointer(b)
	hostBLAKE2b(p, n, unsafe.Pointer(&h))
	return h
}

// HMAC returns the HMAC-SHA-256 of a message. The key is as public as everything that a contract knows.
func (c *Ctx) HMAC(key, message []byte) (mac Hash) {
	kp, kn := pointer(key)
	mp, mn := pointer(message)
	hostHMAC(kp, kn, mp, mn, unsafe.Pointer(&mac))
	return mac
}

// HKDF returns size bytes, at most MaxDerived, that HKDF-SHA-256 derives from a secret (RFC 5869).
func (c *Ctx) HKDF(secret, salt, info []byte, size int) []byte {
	out := make([]byte, size)
	sp, sn := pointer(secret)
	tp, tn := pointer(salt)
	ip, in := pointer(info)
	op, on := pointer(out)
	hostHKDF(sp, sn, tp, tn, ip, in, op, on)
	return out
}

// VerifyEd25519 reports whether sig is a signature over the message of an Ed25519 key of 32 bytes, by the rules of ZIP-215. Anybody
// can sign for some keys, which KeyAddress refuses: ask it before a signature means something.
func (c *Ctx) VerifyEd25519(key PublicKey, sig, message []byte) bool {
	if len(key) != 32 || len(sig) != SignatureSize {
		return false
	}
	kp, _ := pointer(key)
	sp, _ := pointer(sig)
	mp, mn := pointer(message)
	return hostEd25519Verify(kp, sp, mp, mn) == 1
}

// A Signed is a message with its signature.
type Signed struct {
	Key     PublicKey
	Sig     []byte
	Message []byte
}

// VerifyEd25519Batch reports whether all of several signatures, at most MaxBatch, are valid as VerifyEd25519 says. Of none it is
// false.
func (c *Ctx) VerifyEd25519Batch(all []Signed) bool {
	var b []byte
	for _, s := range all {
		if len(s.Key) != 32 || len(s.Sig) != SignatureSize {
			return false
		}
		b = append(append(b, s.Key...), s.Sig...)
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(s.Message))), s.Message...)
	}
	p, n := pointer(b)
	return hostEd25519VerifyBatch(p, n) == 1
}

// VerifyP256 reports whether sig, r and s of 32 bytes each, is an ECDSA signature over the SHA-256 of the message of a
// compressed P-256 key of 33 bytes. It takes s high and low.
func (c *Ctx) VerifyP256(key PublicKey, sig, message []byte) bool {
	if len(key) != 33 || len(sig) != SignatureSize {
		return false
	}
	kp, _ := pointer(key)
	sp, _ := pointer(sig)
	mp, mn := pointer(message)
	return hostP256Verify(kp, sp, mp, mn) == 1
}

// VerifyP256Digest is VerifyP256 of a message whose SHA-256 is known already.
func (c *Ctx) VerifyP256Digest(key PublicKey, sig []byte, digest Hash) bool {
	if len(key) != 33 || len(sig) != SignatureSize {
		return false
	}
	kp, _ := pointer(key)
	sp, _ := pointer(sig)
	return hostP256VerifyDigest(kp, sp, unsafe.Pointer(&digest)) == 1
}

// Randomness returns bytes that differ from transaction to transaction and are the same on every node. They are public, and
// whoever sends the transaction can choose them: never a secret, a nonce or a lottery.
func (c *Ctx) Randomness() (h Hash) {
	hostRandomness(unsafe.Pointer(&h))
	return h
}

// CalledByContract reports whether Sender is a contract. Otherwise it is the account of a key, or nobody in a view. In [Init] and [Upgrade] Sender is the admin, which
// may be a contract too: one of genesis, the one that has permitted the code, or this one itself.
func (c *Ctx) CalledByContract() bool { return hostCallerKind() == abi.CallerContract }
