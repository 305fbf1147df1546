package client

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"

	"github.com/wardledger/ward/runtime/tx"
)

// secretSize is the size of a secret key in bytes, the same for both algorithms.
const secretSize = 32

// GenerateKey makes a new key from the operating system's randomness.
// The algorithm is tx.EdDSA (Ed25519) or tx.ES256 (P-256).
func GenerateKey(alg tx.Alg) (*tx.SecretKey, error) {
	secret := make([]byte, secretSize)
	if alg == tx.ES256 {
		// Not 32 random bytes: a scalar must lie below the group's order, evenly.
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		if secret, err = private.Bytes(); err != nil {
			return nil, err
		}
	} else {
		_, _ = rand.Read(secret) // never fails: crypto/rand ends the program instead
	}
	return newKey(alg, secret)
}

// newKey is the key of a secret of secretSize bytes: a seed (RFC 8032) or a P-256 scalar.
func newKey(alg tx.Alg, secret []byte) (*tx.SecretKey, error) {
	switch alg {
	case tx.EdDSA:
		return tx.NewEd25519(secret)
	case tx.ES256:
		return tx.NewP256(secret)
	}
	return nil, fmt.Errorf("%v is neither %v nor %v", alg, tx.EdDSA, tx.ES256)
}

// ParseAlg is the algorithm of a name, "EdDSA" or "ES256".
func ParseAlg(name string) (tx.Alg, error) {
	for _, alg := range []tx.Alg{tx.EdDSA, tx.ES256} {
		if name == alg.String() {
			return alg, nil
		}
	}
	return 0, fmt.Errorf("algorithm %q is neither EdDSA nor ES256", name)
}
