package cert

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// ecdsaWithSHA256 is the AlgorithmIdentifier of RFC 5758, section 3.2, in the only DER it has.
var ecdsaWithSHA256 = []byte{0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02}

// spkiPrefix is what a SubjectPublicKeyInfo of P-256 starts with (RFC 5480, section 2):
// id-ecPublicKey with prime256v1, then a BIT STRING of an uncompressed point. x and y follow.
var spkiPrefix = []byte{
	0x30, 0x59,
	0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
	0x03, 0x42, 0x00, 0x04,
}

// KeySize is the length of Leaf.Key in bytes.
const KeySize = 1 + coordinate

// Sizes in bytes.
const (
	coordinate = 32                // of a point of P-256
	spkiSize   = 27 + 2*coordinate // spkiPrefix, x, y
	maxInteger = 1 + coordinate    // of r and s, with the zero before a leading one bit
)

// publicKey is a point of P-256.
type publicKey struct {
	spki []byte // SubjectPublicKeyInfo, which is equal for equal keys only
	key  *ecdsa.PublicKey
}

// readPublicKey reads a SubjectPublicKeyInfo and checks that its point lies on the curve.
func readPublicKey(s *cryptobyte.String) (k publicKey, reason Reason) {
	var spki cryptobyte.String
	if !s.ReadASN1Element(&spki, asn1.SEQUENCE) {
		return k, Encoding
	}
	if len(spki) != spkiSize || !bytes.HasPrefix(spki, spkiPrefix) {
		return k, Key
	}
	// The point with the 04 before it. The one at infinity has no such form.
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), spki[len(spkiPrefix)-1:])
	if err != nil {
		return k, Key
	}
	return publicKey{spki, key}, 0
}

// compressed is the key as Ward writes it: 02 or 03, then x (SEC 1, section 2.3.3).
func (k publicKey) compressed() []byte {
	x, y := k.spki[len(spkiPrefix):spkiSize-coordinate], k.spki[spkiSize-coordinate:]
	return append([]byte{2 | y[coordinate-1]&1}, x...)
}

// id is the SHA-256 of the SubjectPublicKeyInfo.
func (k publicKey) id() [sha256.Size]byte { return sha256.Sum256(k.spki) }

// verify reports whether sig, which validSignature has accepted, is the key's over message.
func (k publicKey) verify(message, sig []byte) bool {
	digest := sha256.Sum256(message)
	return ecdsa.VerifyASN1(k.key, digest[:], sig)
}

// order is n of P-256, big-endian (SP 800-186, section 3.2.1.3).
var order = [coordinate]byte{
	0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
}

// validSignature reports whether sig is SEQUENCE { INTEGER, INTEGER } of two numbers
// from 1 to n-1 (RFC 3279, section 2.2.3). crypto/ecdsa checks that too; it is our
// rule, not the library's. That s may be high is the library's rule and tested.
func validSignature(sig cryptobyte.String) bool {
	var list cryptobyte.String
	if !sig.ReadASN1(&list, asn1.SEQUENCE) || !sig.Empty() {
		return false
	}
	for range 2 {
		v, ok := readPositive(&list, maxInteger)
		if !ok || len(v) > coordinate || len(v) == coordinate && bytes.Compare(v, order[:]) >= 0 {
			return false
		}
	}
	return list.Empty()
}

// readPositive reads an INTEGER above zero of at most size bytes in the shortest form
// (X.690, section 8.3.2) and returns it without the zero before a leading one bit.
func readPositive(s *cryptobyte.String, size int) (v []byte, ok bool) {
	var b cryptobyte.String
	if !s.ReadASN1(&b, asn1.INTEGER) || len(b) == 0 || len(b) > size || b[0] >= 0x80 {
		return nil, false
	}
	if b[0] == 0 {
		if b = b[1:]; len(b) == 0 || b[0] < 0x80 {
			return nil, false
		}
	}
	return b, true
}
