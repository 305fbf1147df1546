package sdk_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/sdktest"
	"github.com/wardledger/ward/sdk/wire"
)

func ExampleAddress() {
	a := alice.Address()
	fmt.Println(a, a.IsZero(), sdk.Address{}.IsZero())
	// Output:
	// ward1cmvvcysr7ykraxl9k9a5n7wjfhf07jdg5xc9fc false true
}

func ExampleParseAddress() {
	a, err := sdk.ParseAddress(alice.Address().String())
	fmt.Println(a == alice.Address(), err)
	_, err = sdk.ParseAddress("ward1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqsl7elw")
	fmt.Println(err)
	// Output:
	// true <nil>
	// address "ward1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqsl7elw" has a wrong checksum
}

func ExamplePublicKey() {
	inCall(func(c *sdk.Ctx) {
		address, ok := c.KeyAddress(alice.Public())
		fmt.Println(address == alice.Address(), ok)
		_, ok = c.KeyAddress(sdk.PublicKey("no key"))
		fmt.Println(ok)
	})
	// Output:
	// true true
	// false
}

func ExampleHash() {
	inCall(func(c *sdk.Ctx) {
		var h sdk.Hash = c.SHA256([]byte("door"))
		fmt.Println(sdk.Text("%s", h))
		fmt.Println(sdk.Text("%s", c.BLAKE2b([]byte("door"))))
		long := c.SHA512([]byte("door"))
		fmt.Println(len(long) == sdk.HashSize512)
	})
	// Output:
	// 2534e2de1dec24fedab4c00266b55ba9ba60dde03a349c5b5662189dd561ba9e
	// bfbf6119e7569bb0f945beff4c99d978ee87d5ee3962eb29616bb4dd844e8ab5
	// true
}

// A device shows that it was told a secret, and both derive the same key for one session from it. What a contract knows, everybody does: this is
// for secrets that were given away already.
func ExampleCtx_HMAC() {
	inCall(func(c *sdk.Ctx) {
		secret := []byte("told on the phone")
		mac := c.HMAC(secret, []byte("open at nine"))
		fmt.Println(mac == c.HMAC(secret, []byte("open at ten")))
		key := c.HKDF(secret, []byte("salt"), []byte("session 7"), 16)
		fmt.Println(len(key), len(key) <= sdk.MaxDerived)
	})
	// Output:
	// false
	// 16 true
}

// A device signs for one purpose, which the AAD names, so that its signature is good for nothing else.
func ExampleCtx_VerifyCOSE() {
	device := sdktest.P256("lock 17")
	message := device.Message(new(testing.T), "door-open-v1", struct{ Nonce uint64 }{7})

	inCall(func(c *sdk.Ctx) {
		payload, ok := c.VerifyCOSE(device.Public(), "door-open-v1", message)
		var said struct{ Nonce uint64 }
		fmt.Println(ok, wire.Unmarshal(payload, &said), said.Nonce)
		_, ok = c.VerifyCOSE(device.Public(), "door-shut-v1", message)
		fmt.Println(ok)
	})
	// Output:
	// true <nil> 7
	// false
	// log cose_verify: message is not signed by the key ward1mq8ag630e5cv90cf3ts6rtwa2xq95m5sklf5pj under "door-shut-v1"
}

func ExampleCtx_VerifyEd25519() {
	public, private, _ := ed25519.GenerateKey(rand.Reader)
	message := []byte("open")
	signature := ed25519.Sign(private, message)

	inCall(func(c *sdk.Ctx) {
		fmt.Println(c.VerifyEd25519(sdk.PublicKey(public), signature, message))
		fmt.Println(c.VerifyEd25519(sdk.PublicKey(public), signature, []byte("shut")))
	})
	// Output:
	// true
	// false
}

// All of several signatures, for the price of each; if one of them is wrong, nobody says which.
func ExampleSigned() {
	var all []sdk.Signed
	for i := range 3 {
		public, private, _ := ed25519.GenerateKey(rand.Reader)
		message := []byte{byte(i)}
		all = append(all, sdk.Signed{Key: sdk.PublicKey(public), Sig: ed25519.Sign(private, message), Message: message})
	}

	inCall(func(c *sdk.Ctx) {
		fmt.Println(len(all) <= sdk.MaxBatch, c.VerifyEd25519Batch(all))
		all[1].Message = []byte("another")
		fmt.Println(c.VerifyEd25519Batch(all))
	})
	// Output:
	// true true
	// false
}

func ExampleCtx_VerifyP256() {
	private, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	key := sdk.PublicKey(elliptic.MarshalCompressed(elliptic.P256(), private.X, private.Y))
	message := []byte("open")
	digest := sha256.Sum256(message)
	r, s, _ := ecdsa.Sign(rand.Reader, private, digest[:])
	signature := make([]byte, sdk.SignatureSize)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])

	inCall(func(c *sdk.Ctx) {
		fmt.Println(c.VerifyP256(key, signature, message))
		fmt.Println(c.VerifyP256Digest(key, signature, digest))
		fmt.Println(c.VerifyP256(key, signature, []byte("shut")))
	})
	// Output:
	// true
	// true
	// false
}

// A certificate as a manufacturer gives it to a device, checked against the manufacturer's own.
func ExampleCtx_VerifyX509() {
	chain, anchor := certificates()

	inCall(func(c *sdk.Ctx) {
		leaf, _, ok := c.VerifyX509(chain, anchor, int64(c.Time()))
		fmt.Println(ok, leaf.CommonName, leaf.SerialNumber, len(leaf.Key))
		_, reason, ok := c.VerifyX509(chain, anchor, int64(c.Time().Add(20*365*sdk.Day)))
		fmt.Println(ok, reason)
	})
	// Output:
	// true lock 17 33
	// false 20
	// log x509_verify: certificate 0: expired
}

// Whoever keeps a list of what was revoked looks up each certificate of the path in it.
func ExampleLeaf() {
	chain, anchor := certificates()

	declares(func() {
		type link struct {
			Issuer sdk.Hash
			Serial []byte
		}
		revoked := sdk.NewSet[link]("revoked")

		inCall(func(c *sdk.Ctx) {
			leaf, _, _ := c.VerifyX509(chain, anchor, int64(c.Time()))
			bad := func(l sdk.CertificateLink) bool { return revoked.Has(c, link(l)) }
			fmt.Println(len(leaf.Path), bad(leaf.Path[0]))
			revoked.Add(c, link(leaf.Path[0]))
			fmt.Println(bad(leaf.Path[0]))
		})
	})
	// Output:
	// 1 false
	// true
}

// certificates are those of a device and of who made it.
func certificates() (leaf, anchor []byte) {
	maker, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	device, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	from, until := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2035, 1, 1, 0, 0, 0, 0, time.UTC)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Locks Ltd"}, NotBefore: from, NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, SubjectKeyId: []byte{1},
	}
	anchor, err := x509.CreateCertificate(rand.Reader, ca, ca, &maker.PublicKey, maker)
	if err != nil {
		panic(err)
	}
	leaf, err = x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(17), Subject: pkix.Name{CommonName: "lock", SerialNumber: "17"}, NotBefore: from, NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature,
	}, ca, &device.PublicKey, maker)
	if err != nil {
		panic(err)
	}
	return leaf, anchor
}

// A contract with the capability "accounts" lets the key of a device call one method, and takes that back.
func ExampleAccounts() {
	inCall(func(c *sdk.Ctx) {
		key := sdktest.Ed25519("lock 17")
		fmt.Println(c.Accounts().Open(sdk.OpenKey{
			Key: key.Public(), Owner: alice.Address(), Quota: 1_000_000, Expires: c.Time().Add(365 * sdk.Day),
			Scope: []sdk.Scope{{Contract: "door", Methods: []string{"report"}}},
		}))
		fmt.Println(c.Accounts().Shut(key.Address()), c.Accounts().Reopen(key.Address()), c.Accounts().Retire(key.Address()))
	})
	// Output:
	// <nil>
	// <nil> <nil> <nil>
}

func ExampleOpenKey() {
	inCall(func(c *sdk.Ctx) {
		// Bob may sign for Alice's account, but only call what a scope names.
		fmt.Println(c.Accounts().Open(sdk.OpenKey{Key: bob.Public(), Account: alice.Address(), Scope: []sdk.Scope{{Contract: "door"}}}))
	})
	// Output:
	// <nil>
}

func ExampleAccountError() {
	inCall(func(c *sdk.Ctx) {
		open := sdk.OpenKey{Key: bob.Public()}
		fmt.Println(c.Accounts().Open(open))
		fmt.Println(c.Accounts().Open(open) == sdk.KeyExists, c.Accounts().Open(open))
		fmt.Println(c.Accounts().Shut(sdk.Address{9}) == sdk.KeyUnknown)
		c.Accounts().Retire(bob.Address())
		fmt.Println(c.Accounts().Reopen(bob.Address()) == sdk.KeyRetired, sdk.NoQuota)
	})
	// Output:
	// <nil>
	// true the key is already known
	// true
	// true the owner has not enough quota left
}

// A contract with the capability "authorities" says who decides blocks.
func ExampleAuthorities() {
	inCall(func(c *sdk.Ctx) {
		fmt.Println(c.Authorities().Set([]sdk.PublicKey{alice.Public(), bob.Public()}))
		fmt.Println(c.Authorities().Set(nil))
	})
	// Output:
	// <nil>
	// no authority at all: nobody could decide a block
}

// A contract with the capability "parameters" changes the chain's.
func ExampleParameters() {
	inCall(func(c *sdk.Ctx) {
		p := c.Parameters()
		fmt.Println(p.Deploy)
		p.Deploy, p.Deployers = "list", []sdk.Address{alice.Address()}
		fmt.Println(p.Check(), c.SetParameters(p))
		p.Deploy = "nobody"
		fmt.Println(p.Check() != nil)
	})
	// Output:
	// operator
	// <nil> <nil>
	// true
}

// A contract with the capability "code" says what may be deployed.
func ExampleCode() {
	inCall(func(c *sdk.Ctx) {
		hash := c.SHA256([]byte("the module"))
		fmt.Println(c.Code().Permit(sdk.Permit{Hash: hash[:], Name: "bell", Admin: alice.Address()}))
	})
	// Output:
	// <nil>
}

func ExamplePermit() {
	inCall(func(c *sdk.Ctx) {
		hash, init := c.SHA256([]byte("the module")), c.SHA256([]byte("its arguments"))
		permit := sdk.Permit{Hash: hash[:], Init: init[:], Name: "bell", Admin: alice.Address(), Capabilities: []string{"accounts"}}
		fmt.Println(permit.Check())
		permit.Name = "No Name"
		fmt.Println(permit.Check() != nil)
	})
	// Output:
	// <nil>
	// true
}

func ExamplePermitError() {
	inCall(func(c *sdk.Ctx) {
		err := c.Code().Withdraw("bell")
		fmt.Println(err == sdk.NoPermit, err)
		for _, other := range []sdk.PermitError{sdk.NameTaken, sdk.TooManyPermits, sdk.NotYours} {
			fmt.Println(other)
		}
	})
	// Output:
	// true there is no permit for this name
	// there is a contract of this name already
	// as many permits wait for their deployment as may
	// the contract can't hand out a capability that it does not have itself
}
