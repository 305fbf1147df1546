package sdktest

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/sdktest/link"
	"github.com/wardledger/ward/sdk/wire"
)

// A Key is a private key with a name. The name decides the key.
type Key struct {
	Name   string
	p256   bool
	seed   [sha256.Size]byte
	public sdk.PublicKey
	next   [2]uint64 // the next sequence, by lane
}

// Ed25519 returns the Ed25519 key of a name. No chain knows it yet.
func Ed25519(name string) *Key {
	k := newKey(name, name)
	k.public = sdk.PublicKey(ed25519.NewKeyFromSeed(k.seed[:])[ed25519.SeedSize:])
	return k
}

// P256 returns the P-256 key of a name, another than its Ed25519 key. No chain knows
// it yet.
func P256(name string) *Key {
	k := newKey(name, "P-256 "+name)
	k.p256 = true
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), k.seed[:])
	if err != nil {
		// One name in 2^32 gives no key.
		panic(fmt.Sprintf("sdktest: choose another name than %q: %v", name, err))
	}
	point, err := private.PublicKey.Bytes() // 04 || x || y
	if err != nil {
		panic("BUG: sdktest: " + err.Error())
	}
	k.public = append(sdk.PublicKey{2 | point[64]&1}, point[1:33]...)
	return k
}

func newKey(name, seed string) *Key {
	return &Key{Name: name, seed: sha256.Sum256([]byte("sdktest " + seed)), next: [2]uint64{1, 1}}
}

// link is the key as the machine takes it.
func (k *Key) link() link.Key { return link.Key{P256: k.p256, Seed: k.seed[:]} }

// Address returns the key's address, which also names the account that is opened
// for it.
func (k *Key) Address() sdk.Address { return sdk.Address(address.FromKey(k.public)) }

// Public returns the public key.
func (k *Key) Public() sdk.PublicKey { return k.public }

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
	var message []byte
	if err := engine(t)("Message", link.Message{Key: k.link(), AAD: aad, Payload: raw}, &message); err != nil {
		t.Fatalf("message of %s under %q: %v", k, aad, err)
	}
	return message
}
