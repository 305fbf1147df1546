package tx_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"filippo.io/edwards25519"

	"github.com/wardledger/ward/runtime/tx"
)

// TestEd25519 is RFC 8032, section 7.1.
func TestEd25519(t *testing.T) {
	for _, c := range []struct{ seed, pub, message, sig string }{
		{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
			"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
		{"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
			"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
		{"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
			"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
	} {
		k, err := tx.NewEd25519(unhex(t, c.seed))
		if err != nil {
			t.Fatal(err)
		}
		sig, err := k.Sign(unhex(t, c.message))
		if err != nil || k.Public().String() != c.pub || hex.EncodeToString(sig) != c.sig {
			t.Errorf("seed %s: key %s, signature %x, %v", c.seed, k.Public(), sig, err)
		}
		if !k.Public().Verify(unhex(t, c.message), sig) {
			t.Errorf("seed %s: the signature does not verify", c.seed)
		}
	}
}

// TestES256 is RFC 6979, appendix A.2.5, P-256 with SHA-256.
func TestES256(t *testing.T) {
	k := p256Key(t)
	const x = "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6" // y ends in ..c9, odd
	if k.Public().String() != "03"+x {
		t.Errorf("public key is %s, want 03%s", k.Public(), x)
	}
	for _, c := range []struct{ message, sig string }{
		{"sample", "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"},
		{"test", "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083"},
	} {
		sig, err := k.Sign([]byte(c.message))
		if err != nil || hex.EncodeToString(sig) != c.sig {
			t.Errorf("%q: signature %x, %v, want %s", c.message, sig, err, c.sig)
		}
		// "sample" has its s above half the order, "test" below: with their twins that
		// is high and low, each accepted.
		for _, s := range [][]byte{sig, twin(sig)} {
			if !k.Public().Verify([]byte(c.message), s) {
				t.Errorf("%q: %x does not verify", c.message, s)
			}
		}
	}
}

// TestES256SmallScalars: numbers with leading zeros and with a leading one bit take
// different lengths in DER, which is between us and crypto/ecdsa.
func TestES256SmallScalars(t *testing.T) {
	k := p256Key(t)
	short := 0
	for i := range 2000 {
		message := fmt.Appendf(nil, "message %d", i)
		sig, err := k.Sign(message)
		if err != nil {
			t.Fatal(err)
		}
		if sig[0] == 0 || sig[32] == 0 {
			short++
			if !k.Public().Verify(message, sig) {
				t.Errorf("%q: %x does not verify", message, sig)
			}
		}
		if short == 4 {
			return
		}
	}
	t.Errorf("%d signatures with a leading zero byte among 2000, expected about 15", short)
}

func TestSecretKeysRefused(t *testing.T) {
	for _, n := range []int{0, 31, 33, 64} {
		if _, err := tx.NewEd25519(make([]byte, n)); err == nil {
			t.Errorf("NewEd25519 took a seed of %d bytes", n)
		}
		if _, err := tx.NewP256(bytes.Repeat([]byte{1}, n)); err == nil {
			t.Errorf("NewP256 took a scalar of %d bytes", n)
		}
	}
	for _, v := range []*big.Int{new(big.Int), orderP256, new(big.Int).Add(orderP256, big.NewInt(1))} {
		if _, err := tx.NewP256(v.FillBytes(make([]byte, 32))); err == nil {
			t.Errorf("NewP256 took the scalar %x", v)
		}
	}
	last := new(big.Int).Sub(orderP256, big.NewInt(1))
	if _, err := tx.NewP256(last.FillBytes(make([]byte, 32))); err != nil {
		t.Errorf("NewP256 refused the order less one: %v", err)
	}
}

func TestParsePublicKeyRefuses(t *testing.T) {
	const prime = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"
	for _, c := range []struct{ name, hex, want string }{
		{"nothing", "", "public key is 0 bytes, must be 32 (Ed25519) or 33 (compressed P-256)"},
		{"31 bytes", strings.Repeat("01", 31), "is 31 bytes"},
		{"uncompressed P-256", "04" + strings.Repeat("01", 64), "is 65 bytes"},
		{"Ed25519: y = 2 has no x", "02" + strings.Repeat("00", 31), "is not a point of Ed25519"},
		{"P-256: x = 1 has no y", "02" + strings.Repeat("00", 31) + "01", "is not a compressed point of P-256"},
		{"P-256: x is the prime", "02" + prime, "is not a compressed point of P-256"},
		{"P-256: infinity padded", "00" + strings.Repeat("00", 32), "is not a compressed point of P-256"},
		{"P-256: prefix of the uncompressed form", "04" + "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6", "is not a compressed point of P-256"},
	} {
		if _, err := tx.ParsePublicKey(unhex(t, c.hex)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", c.name, err, c.want)
		}
	}
}

// TestParsedKeyIsItsOwn: the caller's bytes may change afterwards.
func TestParsedKeyIsItsOwn(t *testing.T) {
	for _, k := range bothKeys(t) {
		b := bytes.Clone(k.Public().Bytes)
		pub, err := tx.ParsePublicKey(b)
		if err != nil {
			t.Fatal(err)
		}
		clear(b)
		sig, err := k.Sign([]byte("m"))
		if err != nil || !pub.Verify([]byte("m"), sig) || pub.Address() != k.Public().Address() {
			t.Errorf("%s: the key changed with the bytes that it was parsed from (%v)", k, err)
		}
	}
}

// smallOrder returns every encoding of the eight points of small order: 8 canonical
// ones, and those with y not reduced or with a sign on x = 0.
func smallOrder(t *testing.T) [][]byte {
	t.Helper()
	prime := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	point := func(b []byte) *edwards25519.Point {
		p, err := new(edwards25519.Point).SetBytes(b)
		if err != nil {
			return nil
		}
		return p
	}
	// A generator of the torsion subgroup (order 8), as in libsodium's list of such points.
	g := point(unhex(t, "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"))
	var all [][]byte
	for p, i := edwards25519.NewIdentityPoint(), 0; i < 8; p, i = new(edwards25519.Point).Add(p, g), i+1 {
		y := p.Bytes()
		y[31] &= 0x7f
		slices.Reverse(y)
		for _, v := range []*big.Int{new(big.Int).SetBytes(y), new(big.Int).Add(new(big.Int).SetBytes(y), prime)} {
			if v.BitLen() > 255 {
				continue
			}
			for _, sign := range []byte{0, 0x80} {
				b := v.FillBytes(make([]byte, 32))
				slices.Reverse(b)
				b[31] |= sign
				if q := point(b); q != nil && q.Equal(p) == 1 {
					all = append(all, b)
				}
			}
		}
	}
	return all
}

// scalar reduces up to 64 bytes to one modulo the group order.
func scalar(t *testing.T, b ...[]byte) *edwards25519.Scalar {
	t.Helper()
	h := sha512.Sum512(slices.Concat(b...))
	s, err := new(edwards25519.Scalar).SetUniformBytes(h[:])
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestZIP215SmallOrder is the table of ZIP-215's own test vectors, remade: all pairs of
// encodings of small-order points as A and R, with S = 0, sign every message. RFC 8032
// leaves this open, and libraries differ; consensus needs one answer, and it is yes.
func TestZIP215SmallOrder(t *testing.T) {
	points := smallOrder(t)
	if len(points) != 14 {
		t.Fatalf("%d encodings of small-order points, there are 14", len(points))
	}
	message := []byte("Zcash")
	differ := 0
	for _, a := range points {
		pub, err := tx.ParsePublicKey(a)
		if err != nil {
			t.Errorf("A = %x: %v", a, err)
			continue
		}
		if !pub.Weak() {
			t.Errorf("A = %x is not called weak, though anybody can sign for it", a)
		}
		for _, r := range points {
			sig := slices.Concat(r, make([]byte, 32))
			if !pub.Verify(message, sig) {
				t.Errorf("A = %x, R = %x is refused", a, r)
			}
			if !ed25519.Verify(a, message, sig) {
				differ++
			}
		}
	}
	if differ == 0 {
		t.Error("crypto/ed25519 accepts all of these: the table no longer shows why it is not used")
	}
	t.Logf("of %d pairs, crypto/ed25519 refuses %d", len(points)*len(points), differ)
}

// TestZIP215 holds the other edges, each made with the group law: r, a are scalars, B
// the base point, T a point of order 8, k the hash of R, A and the message.
func TestZIP215(t *testing.T) {
	torsion, err := new(edwards25519.Point).SetBytes(unhex(t, "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"))
	if err != nil {
		t.Fatal(err)
	}
	order := orderEd25519.FillBytes(make([]byte, 32))
	slices.Reverse(order)
	message := []byte("a meter reading")
	a, r := scalar(t, []byte("private key")), scalar(t, []byte("nonce"))
	base := func(s *edwards25519.Scalar, plus *edwards25519.Point) *edwards25519.Point {
		return new(edwards25519.Point).Add(new(edwards25519.Point).ScalarBaseMult(s), plus)
	}
	zero := edwards25519.NewIdentityPoint()
	sign := func(A, R []byte) []byte { // S = r + k a
		k := scalar(t, R, A, message)
		return new(edwards25519.Scalar).MultiplyAdd(k, a, r).Bytes()
	}
	addOrder := func(s []byte) []byte {
		sum := make([]byte, 32)
		carry := 0
		for i := range sum {
			carry += int(s[i]) + int(order[i])
			sum[i] = byte(carry)
			carry >>= 8
		}
		return sum
	}
	// The identity with y = p + 1: not canonical, and by RFC 8032 not even a point.
	identityUnreduced := unhex(t, "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")

	honestA, honestR := base(a, zero).Bytes(), base(r, zero).Bytes()
	mixedA, mixedR := base(a, torsion).Bytes(), base(r, torsion).Bytes()
	notPoint := unhex(t, "02"+strings.Repeat("00", 31))
	ownR := new(edwards25519.Scalar).Multiply(scalar(t, identityUnreduced, honestA, message), a).Bytes() // r = 0
	for _, c := range []struct {
		name    string
		A, R, S []byte
		want    bool
	}{
		{"an honest signature", honestA, honestR, sign(honestA, honestR), true},
		{"R with a part of small order", honestA, mixedR, sign(honestA, mixedR), true},
		{"A with a part of small order", mixedA, honestR, sign(mixedA, honestR), true},
		{"A and R with parts of small order", mixedA, mixedR, sign(mixedA, mixedR), true},
		{"R the identity, not canonical", honestA, identityUnreduced, ownR, true},
		{"R not a point", honestA, notPoint, sign(honestA, notPoint), false},
		{"S for another R", honestA, honestR, sign(honestA, mixedR), false},
		{"S with the group order added", honestA, honestR, addOrder(sign(honestA, honestR)), false},
		{"S the group order, A and R of small order", torsion.Bytes(), torsion.Bytes(), order, false},
		{"S cut off", honestA, honestR, sign(honestA, honestR)[:31], false},
		{"S with a byte more", honestA, honestR, append(sign(honestA, honestR), 0), false},
	} {
		pub, err := tx.ParsePublicKey(c.A)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := pub.Verify(message, slices.Concat(c.R, c.S)); got != c.want {
			t.Errorf("%s: %t, want %t", c.name, got, c.want)
		}
	}
	for _, k := range bothKeys(t) {
		if k.Public().Weak() {
			t.Errorf("%s is called weak", k)
		}
	}
	if pub, err := tx.ParsePublicKey(mixedA); err != nil || pub.Weak() {
		t.Errorf("a key with a part of small order is called weak, though it takes a secret to sign for it (%v)", err)
	}
}
