package host_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"testing"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/tx"
)

// signer is an Ed25519 key.
type signer struct{ key ed25519.PrivateKey }

func (s signer) Public() tx.PublicKey {
	pub, err := tx.ParsePublicKey(s.key.Public().(ed25519.PublicKey))
	if err != nil {
		panic(err)
	}
	return pub
}

func (s signer) Sign(message []byte) ([]byte, error) { return ed25519.Sign(s.key, message), nil }

// anybody signs for a key of small order, under which a signature of zeros verifies.
type anybody struct{}

func (anybody) Public() tx.PublicKey {
	pub, err := tx.ParsePublicKey(make([]byte, 32))
	if err != nil {
		panic(err)
	}
	return pub
}

func (anybody) Sign([]byte) ([]byte, error) { return make([]byte, 64), nil }

func TestVerifyCOSE(t *testing.T) {
	s := signer{ed25519.NewKeyFromSeed(make([]byte, 32))}
	message, err := tx.SignMessage("ward-auth-v1", b("\x61a"), s)
	if err != nil {
		t.Fatal(err)
	}
	forged := append([]byte(nil), message...)
	forged[len(forged)-1] ^= 1
	key := s.Public().Bytes
	worthless, err := tx.SignMessage("ward-auth-v1", b("\x61a"), anybody{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.OpenMessage("ward-auth-v1", worthless, anybody{}.Public()); err != nil {
		t.Fatalf("the example is none: %v", err)
	}
	for _, test := range []struct {
		name              string
		key, aad, message []byte
		payload           string
		ok                bool
	}{
		{"good", key, b("ward-auth-v1"), message, "\x61a", true},
		{"other aad", key, b("ward-auth-v2"), message, "", false},
		{"aad that is not UTF-8", key, b("\xff"), message, "", false},
		{"no aad", key, nil, message, "", false},
		{"the aad of transactions", key, b(tx.AAD), message, "", false},
		{"forged", key, b("ward-auth-v1"), forged, "", false},
		{"other key", make([]byte, 32), b("ward-auth-v1"), message, "", false},
		{"weak key", anybody{}.Public().Bytes, b("ward-auth-v1"), worthless, "", false},
		{"no key", nil, b("ward-auth-v1"), message, "", false},
		{"endless key", make([]byte, 1<<20), b("ward-auth-v1"), message, "", false},
		{"no message", key, b("ward-auth-v1"), nil, "", false},
		{"something behind it", key, b("ward-auth-v1"), append(message[:len(message):len(message)], 0), "", false},
	} {
		payload, err := newCall(t).VerifyCOSE(test.key, test.aad, test.message)
		if err != nil || string(payload) != test.payload || (payload != nil) != test.ok {
			t.Errorf("%s: %q, %v; want %q", test.name, payload, err, test.payload)
		}
	}
}

func TestKeyAddress(t *testing.T) {
	g, err := hex.DecodeString("036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296") // P-256's generator
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		key  []byte
		ok   bool
	}{
		{"P-256", g, true},
		{"not on the curve", append([]byte{3}, make([]byte, 32)...), true}, // x = 0 is on it
		{"uncompressed", append([]byte{4}, make([]byte, 64)...), false},
		{"empty", nil, false},
		{"endless", make([]byte, 1<<20), false},
		{"Ed25519", ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey), true},
		{"of order 4", make([]byte, 32), false},
		{"of order 1", append([]byte{1}, make([]byte, 31)...), false},
	} {
		got, ok, err := newCall(t).KeyAddress(test.key)
		if err != nil || ok != test.ok || ok && got != address.FromKey(test.key) {
			t.Errorf("%s: %v, %v, %v", test.name, got, ok, err)
		}
	}
}
