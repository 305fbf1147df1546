package host_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"testing"

	"golang.org/x/crypto/blake2b"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestHashes: the same as the libraries that everybody uses, at every size around a block.
func TestHashes(t *testing.T) {
	c := newCall(t)
	message := make([]byte, 300)
	rand.Read(message)
	for n := range message {
		m := message[:n]
		if got, err := c.SHA512(m); err != nil || got != sha512.Sum512(m) {
			t.Errorf("SHA-512 of %d bytes: %x, %v", n, got, err)
		}
		if got, err := c.BLAKE2b(m); err != nil || got != blake2b.Sum256(m) {
			t.Errorf("BLAKE2b of %d bytes: %x, %v", n, got, err)
		}
		h := hmac.New(sha256.New, message[:n/2])
		h.Write(m)
		if got, err := c.HMAC(message[:n/2], m); err != nil || !hmac.Equal(got[:], h.Sum(nil)) {
			t.Errorf("HMAC of %d bytes: %x, %v", n, got, err)
		}
	}
	for _, vector := range []struct{ secret, salt, info, want string }{ // RFC 5869, A.1 to A.3
		{"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
			"3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
		{"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
			"8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
	} {
		out := make([]byte, len(vector.want)/2)
		if err := c.HKDF(unhex(t, vector.secret), unhex(t, vector.salt), unhex(t, vector.info), out); err != nil || hex.EncodeToString(out) != vector.want {
			t.Errorf("HKDF: %x, %v; want %s", out, err, vector.want)
		}
	}
	large := make([]byte, abi.MaxMessage+1)
	_, err := c.SHA512(large)
	stopped(t, err, receipt.Trapped, "sha512: message is 65537 bytes, limit 65536")
	_, err = c.HMAC(large, nil)
	stopped(t, err, receipt.Trapped, "hmac_sha256: key is 65537 bytes")
	stopped(t, c.HKDF(nil, nil, nil, make([]byte, abi.MaxDerived+1)), receipt.Trapped, "hkdf_sha256: cap is 8161 bytes, limit 8160")
}

// batch encodes signatures as ed25519_verify_batch takes them.
func batch(signed ...[3][]byte) (b []byte) {
	for _, s := range signed {
		b = append(append(b, s[0]...), s[1]...)
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(s[2]))), s[2]...)
	}
	return b
}

// TestEd25519: a batch says what each of its signatures says alone, also at the edges of ZIP-215: any encoding of a point, small order
// included, S below the order.
func TestEd25519(t *testing.T) {
	c := newCall(t)
	public, private, _ := ed25519.GenerateKey(rand.Reader)
	message := b("open the door")
	good := [3][]byte{public, ed25519.Sign(private, message), message}
	flipped := [3][]byte{public, bytes.Clone(good[1]), message}
	flipped[1][3] ^= 1
	// S + L: the same equation, but S is not below the order (RFC 8032, 8.4).
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	s := make([]byte, 32)
	for i := range s {
		s[i] = good[1][63-i]
	}
	sum := new(big.Int).Add(new(big.Int).SetBytes(s), order).FillBytes(make([]byte, 32))
	high := [3][]byte{public, bytes.Clone(good[1]), message}
	for i := range sum {
		high[1][32+i] = sum[31-i]
	}
	// A and R of small order, S zero: by ZIP-215 it signs everything. In canonical and other encodings.
	small := func(a, r string) [3][]byte {
		return [3][]byte{unhex(t, a), append(unhex(t, r), make([]byte, 32)...), message}
	}
	const identity, identityNotCanonical = "0100000000000000000000000000000000000000000000000000000000000000", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
	const order2, order8 = "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
	for _, test := range []struct {
		name   string
		signed [3][]byte
		want   bool
	}{
		{"a signature", good, true},
		{"a changed one", flipped, false},
		{"another message", [3][]byte{good[0], good[1], b("shut the door")}, false},
		{"S beyond the order", high, false},
		{"the identity", small(identity, identity), true},
		{"the identity, not canonical", small(identityNotCanonical, identityNotCanonical), true},
		{"order 2", small(order2, identity), true},
		{"order 8", small(order8, order8), true},
		{"no point", [3][]byte{unhex(t, "0200000000000000000000000000000000000000000000000000000000000000"), good[1], message}, false},
		{"nothing", [3][]byte{make([]byte, 32), make([]byte, 64), nil}, true}, // y = 0 is a point of order 4
	} {
		alone, err := c.VerifyEd25519(test.signed[0], test.signed[1], test.signed[2])
		if err != nil || alone != test.want {
			t.Errorf("%s: %v, %v; want %v", test.name, alone, err, test.want)
		}
		for _, together := range [][]byte{batch(test.signed), batch(good, test.signed, good), batch(test.signed, test.signed)} {
			if got, err := c.VerifyEd25519Batch(together); err != nil || got != test.want {
				t.Errorf("%s, in a batch: %v, %v; want %v", test.name, got, err, test.want)
			}
		}
	}
	if got, err := c.VerifyEd25519Batch(nil); got || err != nil {
		t.Errorf("a batch of none: %v, %v", got, err)
	}
	_, err := c.VerifyEd25519Batch(batch(good)[:99])
	stopped(t, err, receipt.Trapped, "ed25519_verify_batch: signature 0 is cut short")
	_, err = c.VerifyEd25519Batch(batch(good, good)[:217])
	stopped(t, err, receipt.Trapped, "ed25519_verify_batch: message 1 is 13 bytes, 4 are left")
	many := batch([3][]byte{good[0], good[1], nil})
	_, err = c.VerifyEd25519Batch(bytes.Repeat(many, abi.MaxBatch+1))
	stopped(t, err, receipt.Trapped, "more than 64 signatures")
	if before := c.Gas.Used(); true {
		if _, err := c.VerifyEd25519Batch(batch(good, good, good)); err != nil || c.Gas.Used()-before != gas.Hash+3*(gas.VerifyEd25519+gas.HashByte*uint64(len(message))) {
			t.Errorf("a batch of three used %d gas, %v", c.Gas.Used()-before, err)
		}
	}
}

// TestP256: s high and low, and nothing out of range.
func TestP256(t *testing.T) {
	c := newCall(t)
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key := elliptic.MarshalCompressed(elliptic.P256(), private.X, private.Y)
	message := b("open the door")
	digest := sha256.Sum256(message)
	r, s, err := ecdsa.Sign(rand.Reader, private, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	n := elliptic.P256().Params().N
	raw := func(r, s *big.Int) []byte {
		sig := make([]byte, 64)
		r.FillBytes(sig[:32])
		s.FillBytes(sig[32:])
		return sig
	}
	zero := new(big.Int)
	twin := new(big.Int).Sub(n, s)
	for _, test := range []struct {
		name string
		key  []byte
		sig  []byte
		want bool
	}{
		{"a signature", key, raw(r, s), true},
		{"its twin", key, raw(r, twin), true},
		{"r zero", key, raw(zero, s), false},
		{"s zero", key, raw(r, zero), false},
		{"r the order", key, raw(n, s), false},
		{"s the order", key, raw(r, n), false},
		{"s beyond", key, raw(r, new(big.Int).Add(n, big.NewInt(1))), false},
		{"exchanged", key, raw(s, r), false},
		{"no key", make([]byte, 33), raw(r, s), false},
		{"x beyond the prime", append([]byte{2}, bytes.Repeat([]byte{0xff}, 32)...), raw(r, s), false},
	} {
		if got, err := c.VerifyP256(test.key, test.sig, message); err != nil || got != test.want {
			t.Errorf("%s: %v, %v; want %v", test.name, got, err, test.want)
		}
		if got, err := c.VerifyP256Digest(test.key, test.sig, digest[:]); err != nil || got != test.want {
			t.Errorf("%s, by digest: %v, %v; want %v", test.name, got, err, test.want)
		}
	}
	if got, err := c.VerifyP256(key, raw(r, s), b("shut the door")); got || err != nil {
		t.Errorf("another message: %v, %v", got, err)
	}
}

// TestCallWithGas: what a call is given is all that it can use; the caller goes on with what was left.
func TestCallWithGas(t *testing.T) {
	burn := func(n uint64) host.Runner {
		return func(inner *host.Call) (*host.Stop, error) {
			if inner.Gas.Charge(n) {
				return nil, nil
			}
			return inner.OutOfGas(), nil
		}
	}
	for _, test := range []struct {
		name        string
		have, limit uint64
		burns       uint64
		code        receipt.Code
		used        uint64 // of the inner call
		ends        bool   // the outer call, too
	}{
		{"enough", 1_000_000, 1000, 1000, receipt.OK, 1000, false},
		{"one too few", 1_000_000, 999, 1000, receipt.OutOfGas, 999, false},
		{"none at all", 1_000_000, 0, 1, receipt.OutOfGas, 0, false},
		{"more than there is", gas.Call + gas.ReturnByte + 500, 501, 501, receipt.OutOfGas, 500, true},
		{"all that there is", gas.Call + gas.ReturnByte + 500, 500, 500, receipt.OK, 500, false},
		{"all that there is, and one too few", gas.Call + gas.ReturnByte + 500, 500, 501, receipt.OutOfGas, 500, true},
	} {
		c := newCall(t)
		c.Gas, c.Run = gas.NewMeter(test.have), burn(test.burns)
		code, err := c.CallContract(b("doors"), b("open"), b("\xa0"), test.limit)
		if test.ends {
			stopped(t, err, receipt.OutOfGas, "is used up")
		} else if err != nil || code != test.code {
			t.Errorf("%s: %s, %v; want %s", test.name, code.Name(), err, test.code.Name())
		}
		if want := gas.Call + gas.ReturnByte*1 + test.used; c.Gas.Used() != want {
			t.Errorf("%s: used %d, want %d", test.name, c.Gas.Used(), want)
		}
	}
}

// TestCallerKind: who calls is nobody, a key's account or a contract.
func TestCallerKind(t *testing.T) {
	c := newCall(t)
	c.Sender = address.Address{1}
	if k := c.CallerKind(); k != abi.CallerAccount {
		t.Errorf("a transaction: %d", k)
	}
	c.View = true
	if k := c.CallerKind(); k != abi.CallerAccount {
		t.Errorf("somebody's view: %d", k)
	}
	c.Sender = address.Address{}
	if k := c.CallerKind(); k != abi.CallerNobody {
		t.Errorf("a view: %d", k)
	}
	c.View = false
	if k := c.CallerKind(); k != abi.CallerNobody {
		t.Errorf("init of what is nobody's: %d", k)
	}
	c.Sender, c.FromContract = address.Address{1}, true
	if k := c.CallerKind(); k != abi.CallerContract {
		t.Errorf("a hook in the name of a contract: %d", k)
	}
	c.Sender, c.FromContract, c.View = address.Address{}, false, true
	c.Run = func(inner *host.Call) (*host.Stop, error) {
		if k := inner.CallerKind(); k != abi.CallerContract {
			t.Errorf("an inner call: %d", k)
		}
		return nil, nil
	}
	if _, err := c.CallContract(b("doors"), b("open"), b("\xa0"), lots); err != nil {
		t.Fatal(err)
	}
}
