package sdktest

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/wire"
)

// A Key is a private key with a name. The name decides the key.
type Key struct {
	Name   string
	secret *tx.SecretKey
	next   [2]uint64 // the next sequence, by lane
}

// Ed25519 returns the Ed25519 key of a name. No chain knows it yet.
func Ed25519(name string) *Key {
	secret, err := tx.NewEd25519(seed(name))
	if err != nil {
		panic("BUG: sdktest: " + err.Error())
	}
	return newKey(name, secret)
}

// P256 returns the P-256 key of a name, another than its Ed25519 key. No chain knows
// it yet.
func P256(name string) *Key {
	secret, err := tx.NewP256(seed("P-256 " + name))
	if err != nil {
		// One name in 2^32 gives no key.
		panic(fmt.Sprintf("sdktest: choose another name than %q: %v", name, err))
	}
	return newKey(name, secret)
}

func newKey(name string, secret *tx.SecretKey) *Key {
	return &Key{Name: name, secret: secret, next: [2]uint64{1, 1}}
}

func seed(name string) []byte {
	h := sha256.Sum256([]byte("sdktest " + name))
	return h[:]
}

// Address returns the key's address, which also names the account that is opened
// for it.
func (k *Key) Address() sdk.Address { return sdk.Address(k.secret.Public().Address()) }

// Public returns the public key.
func (k *Key) Public() sdk.PublicKey { return k.secret.Public().Bytes }

// Secret returns what signs, for tests that make envelopes of their own.
func (k *Key) Secret() *tx.SecretKey { return k.secret }

// String returns the name.
func (k *Key) String() string { return k.Name }

// Message returns a COSE_Sign1 message of the key under the external AAD, as a
// device makes one for [sdk.Ctx.VerifyCOSE]. The payload is a value of sdk/wire or
// [CBOR].
func (k *Key) Message(t testing.TB, aad string, payload any) []byte {
	t.Helper()
	raw, ok := payload.(CBOR)
	if !ok {
		var err error
		if raw, err = wire.Marshal(payload); err != nil {
			t.Fatalf("payload of a message under %q: %v", aad, err)
		}
	}
	message, err := tx.SignMessage(aad, raw, k.secret)
	if err != nil {
		t.Fatalf("message of %s under %q: %v", k, aad, err)
	}
	return message
}
