package tx_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"testing"

	"github.com/hdevalence/ed25519consensus"

	"github.com/wardledger/ward/runtime/tx"
)

func signedReading(b *testing.B, k *tx.SecretKey) []byte {
	b.Helper()
	r := reading()
	raw, err := tx.Sign(&r, k)
	if err != nil {
		b.Fatal(err)
	}
	return raw
}

// BenchmarkDecode is what it costs to refuse a transaction or to learn its id.
func BenchmarkDecode(b *testing.B) {
	raw := signedReading(b, edKey(b))
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, err := tx.Decode(raw); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecodeVerify is what a transaction costs a node before anything is done
// with it, from bytes and a parsed key. BenchmarkFloor is the part that is the curve's.
func BenchmarkDecodeVerify(b *testing.B) {
	for _, k := range bothKeys(b) {
		b.Run(k.Public().Alg().String(), func(b *testing.B) {
			raw, pub := signedReading(b, k), k.Public()
			b.ReportAllocs()
			for b.Loop() {
				s, err := tx.Decode(raw)
				if err != nil || !s.Verify(pub) {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFloor verifies the same signatures with the bare libraries.
func BenchmarkFloor(b *testing.B) {
	b.Run("EdDSA", func(b *testing.B) {
		k := edKey(b)
		s, err := tx.Decode(signedReading(b, k))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if !ed25519consensus.Verify(k.Public().Bytes, s.SigStructure(), s.Signature) {
				b.Fatal("does not verify")
			}
		}
	})
	b.Run("ES256", func(b *testing.B) {
		k := p256Key(b)
		s, err := tx.Decode(signedReading(b, k))
		if err != nil {
			b.Fatal(err)
		}
		pub, ok := cryptoKey(b, k).Public().(*ecdsa.PublicKey)
		if !ok {
			b.Fatal("not an ECDSA key")
		}
		digest, der := sha256.Sum256(s.SigStructure()), inDER(s.Signature)
		b.ReportAllocs()
		for b.Loop() {
			if !ecdsa.VerifyASN1(pub, digest[:], der) {
				b.Fatal("does not verify")
			}
		}
	})
}

// BenchmarkParsePublicKey is what a key from state costs before it verifies.
func BenchmarkParsePublicKey(b *testing.B) {
	for _, k := range bothKeys(b) {
		b.Run(k.Public().Alg().String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tx.ParsePublicKey(k.Public().Bytes); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSign is a client's cost on this machine; a secure element takes its own time.
func BenchmarkSign(b *testing.B) {
	for _, k := range bothKeys(b) {
		b.Run(k.Public().Alg().String(), func(b *testing.B) {
			r := reading()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tx.Sign(&r, k); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
