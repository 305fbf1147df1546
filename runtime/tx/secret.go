package tx

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"log/slog"
	"math/big"
)

// SecretKey is a private key in memory. It signs, which the state machine never does:
// it is here for clients and tests, beside the rules that its signatures must meet.
//
// It needs no randomness: Ed25519 has none, and ES256 draws its nonce from key and
// message (RFC 6979), so that the same transaction always has the same bytes. Making
// keys, which does need randomness, is the caller's. A SecretKey prints as its address.
type SecretKey struct {
	public  PublicKey
	secret  [32]byte
	ed25519 ed25519.PrivateKey
	p256    *ecdsa.PrivateKey
}

var _ Signer = (*SecretKey)(nil)

// NewEd25519 is the key of a 32-byte seed (RFC 8032). Any seed will do.
func NewEd25519(seed []byte) (*SecretKey, error) {
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("Ed25519 seed is %d bytes, must be %d", len(seed), ed25519.SeedSize)
	}
	k := &SecretKey{secret: [32]byte(seed), ed25519: ed25519.NewKeyFromSeed(seed)}
	var err error
	k.public, err = ParsePublicKey(k.ed25519[ed25519.SeedSize:])
	return k, err
}

// NewP256 is the key of a 32-byte big-endian scalar, which must lie between 0 and the
// order of P-256, both excluded.
func NewP256(scalar []byte) (*SecretKey, error) {
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar)
	if err != nil {
		return nil, fmt.Errorf("P-256 scalar of %d bytes: %w", len(scalar), err)
	}
	point, err := private.PublicKey.Bytes()
	if err != nil {
		return nil, fmt.Errorf("P-256 key: %w", err)
	}
	k := &SecretKey{secret: [32]byte(scalar), p256: private}
	k.public, err = ParsePublicKey(compress(point))
	return k, err
}

// compress turns 04 || x || y into 02 or 03 || x.
func compress(point []byte) []byte {
	return append([]byte{2 | point[64]&1}, point[1:33]...)
}

// Public is the key to verify with.
func (k *SecretKey) Public() PublicKey { return k.public }

// Secret is the seed or scalar, 32 bytes, to be kept safe.
func (k *SecretKey) Secret() []byte { return append([]byte(nil), k.secret[:]...) }

// Sign returns the COSE signature over message. The same message gives the same one.
func (k *SecretKey) Sign(message []byte) ([]byte, error) {
	if k.ed25519 != nil {
		return ed25519.Sign(k.ed25519, message), nil
	}
	digest := sha256.Sum256(message)
	der, err := k.p256.Sign(nil, digest[:], crypto.SHA256) // no random source: RFC 6979
	if err != nil {
		return nil, err
	}
	var v struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &v); err != nil {
		return nil, fmt.Errorf("signature in DER: %w", err)
	}
	sig := make([]byte, SignatureSize)
	v.R.FillBytes(sig[:32])
	v.S.FillBytes(sig[32:])
	return sig, nil
}

// String names the key without giving it away.
func (k *SecretKey) String() string {
	return fmt.Sprintf("secret %s key of %s", k.public.Alg(), k.public.Address())
}

// GoString keeps %#v from printing the secret.
func (k *SecretKey) GoString() string { return k.String() }

// LogValue keeps the secret out of logs.
func (k *SecretKey) LogValue() slog.Value { return slog.StringValue(k.String()) }
