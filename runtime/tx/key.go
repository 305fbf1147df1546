package tx

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"filippo.io/edwards25519"
	"github.com/hdevalence/ed25519consensus"

	"github.com/wardledger/ward/runtime/address"
)

// Alg is a COSE algorithm (RFC 9053, section 2).
type Alg int64

// The algorithms that sign, and no others.
const (
	EdDSA Alg = -8 // Ed25519 over the message itself
	ES256 Alg = -7 // ECDSA with P-256 over SHA-256 of the message
)

// String names the algorithm as COSE does.
func (a Alg) String() string {
	switch a {
	case EdDSA:
		return "EdDSA"
	case ES256:
		return "ES256"
	}
	return fmt.Sprintf("algorithm %d", int64(a))
}

// Sizes in bytes. A key's length tells its algorithm.
const (
	ed25519Size   = ed25519.PublicKeySize // RFC 8032
	p256Size      = 33                    // SEC 1, compressed: 02 or 03, then x
	SignatureSize = 64                    // R || S of Ed25519, r || s of ECDSA (RFC 9053)
)

// PublicKey is a key that can verify. Only ParsePublicKey makes one.
type PublicKey struct {
	// Bytes as the protocol writes them: 32 of Ed25519 or 33 of compressed P-256.
	Bytes []byte

	p256 *ecdsa.PublicKey // set if Bytes are P-256's
}

// ParsePublicKey takes 32 bytes of Ed25519 or 33 bytes of compressed P-256 and checks
// that they are a point of the curve. For Ed25519 it accepts every encoding that
// ZIP-215 does, small order and y beyond the prime included; whoever lets a key into
// an account, or takes its signature for a proof, asks Weak too. The key shares no memory with b.
func ParsePublicKey(b []byte) (PublicKey, error) {
	k := PublicKey{Bytes: bytes.Clone(b)}
	switch len(b) {
	case ed25519Size:
		if _, err := new(edwards25519.Point).SetBytes(b); err != nil {
			return PublicKey{}, fmt.Errorf("public key %x is not a point of Ed25519", b)
		}
	case p256Size:
		x, y := elliptic.UnmarshalCompressed(elliptic.P256(), b)
		if x == nil {
			return PublicKey{}, fmt.Errorf("public key %x is not a compressed point of P-256", b)
		}
		point := make([]byte, 65)
		point[0] = 4
		x.FillBytes(point[1:33])
		y.FillBytes(point[33:])
		var err error
		if k.p256, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point); err != nil {
			return PublicKey{}, fmt.Errorf("public key %x: %w", b, err)
		}
	default:
		return PublicKey{}, fmt.Errorf("public key is %d bytes, must be %d (Ed25519) or %d (compressed P-256)", len(b), ed25519Size, p256Size)
	}
	return k, nil
}

// Alg is the algorithm of the key, and 0 for the zero PublicKey.
func (k PublicKey) Alg() Alg {
	switch len(k.Bytes) {
	case ed25519Size:
		return EdDSA
	case p256Size:
		return ES256
	}
	return 0
}

// Address is the key's name, the kid of what it signs.
func (k PublicKey) Address() address.Address { return address.FromKey(k.Bytes) }

// String is the key in hex.
func (k PublicKey) String() string { return hex.EncodeToString(k.Bytes) }

// Weak reports whether anybody at all can sign for the key: an Ed25519 point of small
// order multiplies to nothing in the verification equation. Signatures under such a
// key verify, as ZIP-215 demands, but an account should not be given one.
func (k PublicKey) Weak() bool {
	if k.Alg() != EdDSA {
		return false // P-256 has prime order, and the point at infinity has no compressed form
	}
	p, err := new(edwards25519.Point).SetBytes(k.Bytes)
	return err != nil || p.MultByCofactor(p).Equal(edwards25519.NewIdentityPoint()) == 1
}

// Verify reports whether sig is the key's signature over message.
//
// Ed25519 is verified by the rules of ZIP-215, the same alone and in batches: A and R
// in any encoding that is a point, S below the group order, the equation multiplied by
// the cofactor. ES256 takes r and s from 1 to the group order less one, s high or low.
func (k PublicKey) Verify(message, sig []byte) bool {
	if k.Alg() == EdDSA {
		return ed25519consensus.Verify(k.Bytes, message, sig)
	}
	return k.VerifyDigest(sha256.Sum256(message), sig)
}

// VerifyBatch reports whether every signature is its key's over its message, the keys being of Ed25519: the same as
// Verify of each, in less time. There is one message and one signature for each key.
func VerifyBatch(keys, messages, sigs [][]byte) bool {
	b := ed25519consensus.NewBatchVerifier()
	for i, key := range keys {
		b.Add(key, messages[i], sigs[i])
	}
	return len(keys) > 0 && b.Verify()
}

// p256Order is n of P-256, big-endian (FIPS 186-5, SP 800-186 section 3.2.1.3).
var p256Order = [32]byte{
	0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
}

// VerifyDigest is Verify for ES256 when the SHA-256 of the message is known already.
func (k PublicKey) VerifyDigest(digest [32]byte, sig []byte) bool {
	if k.p256 == nil || len(sig) != SignatureSize {
		return false
	}
	r, s := sig[:32], sig[32:]
	// Checked here although crypto/ecdsa does it too: it is our rule, not the library's.
	if !scalarInRange(r) || !scalarInRange(s) {
		return false
	}
	var der [2 + 2*(2+33)]byte // SEQUENCE { INTEGER, INTEGER }, each at most 33 bytes
	b := appendDERInteger(appendDERInteger(der[:2], r), s)
	b[0], b[1] = 0x30, byte(len(b)-2)
	return ecdsa.VerifyASN1(k.p256, digest[:], b)
}

// scalarInRange reports whether 0 < v < n, v being 32 bytes big-endian.
func scalarInRange(v []byte) bool {
	return bytes.Compare(v, p256Order[:]) < 0 && len(bytes.TrimLeft(v, "\x00")) > 0
}

// appendDERInteger appends a positive big-endian number as a DER INTEGER.
func appendDERInteger(b, v []byte) []byte {
	v = bytes.TrimLeft(v, "\x00")
	if v[0] >= 0x80 { // a leading one bit would read as a sign
		b = append(b, 0x02, byte(len(v)+1), 0)
	} else {
		b = append(b, 0x02, byte(len(v)))
	}
	return append(b, v...)
}
