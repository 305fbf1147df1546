package host_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/wardledger/ward/runtime/tx"
)

// What the host calls a signature is held against three that know nothing of it: a slow reading of the standards with math/big (here),
// the standard library (here), and OpenSSL (crypto_openssl_test.go). The cases are the same for all, random by a fixed seed.

// A signed is a question to a verifier.
type signed struct {
	name      string
	key, sig  []byte
	message   []byte // of Ed25519
	digest    []byte // of P-256, 32 bytes
	different bool   // Ed25519: there are parts of small order or an R that is not canonical, where ZIP-215 has a rule of its own
}

// A chance is random by a seed, so that a failure comes again.
type chance struct{ *rand.Rand }

func newChance(seed uint64) chance { return chance{rand.New(rand.NewPCG(seed, 215))} }

func (c chance) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(c.Uint32())
	}
	return b
}

// flipped is b with one bit changed.
func (c chance) flipped(b []byte) []byte {
	b = bytes.Clone(b)
	b[c.IntN(len(b))] ^= 1 << c.IntN(8)
	return b
}

// P-256 by FIPS 186-5, section 6.4.2, on SP 800-186's curve y² = x³ - 3x + b.

var p256 = elliptic.P256().Params()

// A p256Point is a point by its coordinates; nil is the one at infinity.
type p256Point struct{ x, y *big.Int }

func p256Base() *p256Point { return &p256Point{p256.Gx, p256.Gy} }

func (a *p256Point) plus(b *p256Point) *p256Point {
	mod := func(v *big.Int) *big.Int { return v.Mod(v, p256.P) }
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	slope := new(big.Int)
	if a.x.Cmp(b.x) == 0 {
		if a.y.Cmp(b.y) != 0 {
			return nil // no point of a curve of prime order has y = 0
		}
		above := new(big.Int).Mul(a.x, a.x)
		above.Sub(above.Mul(above, big.NewInt(3)), big.NewInt(3))
		slope.Mul(above, new(big.Int).ModInverse(new(big.Int).Lsh(a.y, 1), p256.P))
	} else {
		below := mod(new(big.Int).Sub(b.x, a.x))
		slope.Mul(new(big.Int).Sub(b.y, a.y), below.ModInverse(below, p256.P))
	}
	mod(slope)
	x := new(big.Int).Mul(slope, slope)
	mod(x.Sub(x.Sub(x, a.x), b.x))
	y := new(big.Int).Sub(a.x, x)
	mod(y.Sub(y.Mul(y, slope), a.y))
	return &p256Point{x, y}
}

func (a *p256Point) times(k *big.Int) (sum *p256Point) {
	for i := k.BitLen() - 1; i >= 0; i-- {
		if sum = sum.plus(sum); k.Bit(i) == 1 {
			sum = sum.plus(a)
		}
	}
	return sum
}

// compressed is SEC 1, section 2.3.3.
func (a *p256Point) compressed() []byte {
	return append([]byte{2 | byte(a.y.Bit(0))}, a.x.FillBytes(make([]byte, 32))...)
}

// p256At is a point with this x and the parity of y, or nil if there is none.
func p256At(x *big.Int, odd uint) *p256Point {
	if x.Cmp(p256.P) >= 0 {
		return nil
	}
	y := new(big.Int).Mul(x, x)
	y.Sub(y, big.NewInt(3))
	y.Add(y.Mul(y, x), p256.B)
	if y.ModSqrt(y.Mod(y, p256.P), p256.P) == nil {
		return nil
	}
	if y.Bit(0) != odd {
		y.Sub(p256.P, y)
	}
	return &p256Point{new(big.Int).Set(x), y}
}

// p256Oracle is what the standard says.
func p256Oracle(s signed) bool {
	if len(s.key) != 33 || len(s.sig) != 64 || s.key[0]&^1 != 2 {
		return false
	}
	q := p256At(new(big.Int).SetBytes(s.key[1:]), uint(s.key[0]&1))
	r, z := new(big.Int).SetBytes(s.sig[:32]), new(big.Int).SetBytes(s.digest)
	w := new(big.Int).SetBytes(s.sig[32:])
	if q == nil || r.Sign() == 0 || w.Sign() == 0 || r.Cmp(p256.N) >= 0 || w.Cmp(p256.N) >= 0 {
		return false
	}
	w.ModInverse(w, p256.N)
	u := z.Mod(z.Mul(z, w), p256.N)
	v := w.Mod(w.Mul(r, w), p256.N)
	sum := p256Base().times(u).plus(q.times(v))
	return sum != nil && sum.x.Mod(sum.x, p256.N).Cmp(r) == 0
}

// p256Standard is what the standard library says.
func p256Standard(s signed) bool {
	if len(s.sig) != 64 {
		return false
	}
	x, y := elliptic.UnmarshalCompressed(elliptic.P256(), s.key)
	if x == nil {
		return false
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x.FillBytes(make([]byte, 32)), y.FillBytes(make([]byte, 32))))
	return err == nil && ecdsa.Verify(key, s.digest, new(big.Int).SetBytes(s.sig[:32]), new(big.Int).SetBytes(s.sig[32:]))
}

func raw(r, s *big.Int) []byte {
	sig := make([]byte, 64)
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return sig
}

// p256Random is a signature, or one with something changed.
func p256Random(t testing.TB, c chance) signed {
	t.Helper()
	secret, err := tx.NewP256(c.bytes(32))
	if err != nil {
		t.Fatal(err)
	}
	message := c.bytes(c.IntN(100))
	sig, err := secret.Sign(message)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(message)
	s := signed{key: secret.Public().Bytes, sig: sig, message: message, digest: digest[:]}
	n := p256.N
	r, w := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])
	beyond := new(big.Int).Add(n, new(big.Int).SetBytes(c.bytes(c.IntN(28)))) // below 2^256
	zero := new(big.Int)
	changes := []struct {
		name string
		do   func()
	}{
		{"as it was made", func() {}},
		{"as it was made", func() {}},
		{"the other S", func() { s.sig = raw(r, new(big.Int).Sub(n, w)) }},
		{"the other S", func() { s.sig = raw(r, new(big.Int).Sub(n, w)) }},
		{"-r", func() { s.sig = raw(new(big.Int).Sub(n, r), w) }},
		{"a bit of the signature", func() { s.sig = c.flipped(s.sig) }},
		{"a bit of the digest", func() { s.digest = c.flipped(s.digest); s.message = nil }},
		{"a bit of the key", func() { s.key = c.flipped(s.key) }},
		{"the key on the other side", func() { s.key = bytes.Clone(s.key); s.key[0] ^= 1 }},
		{"another prefix", func() { s.key = bytes.Clone(s.key); s.key[0] = byte(c.Uint32()) }},
		{"any x", func() { s.key = append([]byte{2}, c.bytes(32)...) }},
		{"x beyond the prime", func() {
			x := new(big.Int).Add(p256.P, new(big.Int).SetBytes(c.bytes(c.IntN(28))))
			s.key = append([]byte{3}, x.FillBytes(make([]byte, 32))...)
		}},
		{"exchanged", func() { s.sig = raw(w, r) }},
		{"r zero", func() { s.sig = raw(zero, w) }},
		{"s zero", func() { s.sig = raw(r, zero) }},
		{"both zero", func() { s.sig = make([]byte, 64) }},
		{"r the order", func() { s.sig = raw(n, w) }},
		{"s the order", func() { s.sig = raw(r, n) }},
		{"r beyond", func() { s.sig = raw(beyond, w) }},
		{"s beyond", func() { s.sig = raw(r, beyond) }},
		{"any signature", func() { s.sig = c.bytes(64) }},
		{"all ones", func() { s.sig = bytes.Repeat([]byte{0xff}, 64) }},
		{"a short signature", func() { s.sig = s.sig[:c.IntN(64)] }},
		{"a long signature", func() { s.sig = append(bytes.Clone(s.sig), c.bytes(1+c.IntN(8))...) }},
		{"a short key", func() { s.key = s.key[:c.IntN(33)] }},
		{"a long key", func() { s.key = append(bytes.Clone(s.key), c.bytes(1+c.IntN(32))...) }},
	}
	change := changes[c.IntN(len(changes))]
	s.name = change.name
	change.do()
	return s
}

// p256Edges are cases that chance does not find.
func p256Edges() (all []signed) {
	n := p256.N
	number := func(seed string) *big.Int {
		sum := sha256.Sum256([]byte(seed))
		return new(big.Int).Mod(new(big.Int).SetBytes(sum[:]), n)
	}
	mod := func(v *big.Int) *big.Int { return v.Mod(v, n) }
	add := func(name string, q *p256Point, r, s, z *big.Int) {
		all = append(all, signed{name: name, key: q.compressed(), sig: raw(r, s), digest: z.FillBytes(make([]byte, 32))})
		if s.Sign() > 0 && s.Cmp(n) < 0 {
			all = append(all, signed{name: name + ", the other S", key: q.compressed(), sig: raw(r, new(big.Int).Sub(n, s)), digest: z.FillBytes(make([]byte, 32))})
		}
	}
	// sign makes s = (z + r d) / k for a nonce k.
	sign := func(d, k, z *big.Int) (r, s *big.Int) {
		r = mod(p256Base().times(k).x)
		s = new(big.Int).Mul(r, d)
		s.Mul(s.Add(s, z), new(big.Int).ModInverse(k, n))
		return r, mod(s)
	}
	one, d, k, z := big.NewInt(1), number("secret"), number("nonce"), number("digest")
	q := p256Base().times(d)
	last := new(big.Int).Sub(n, one)
	ones := new(big.Int).Sub(new(big.Int).Lsh(one, 256), one)
	for _, of := range []struct {
		name    string
		d, k, z *big.Int
	}{
		{"digest zero", d, k, new(big.Int)},
		{"digest one", d, k, one},
		{"digest the order", d, k, n},
		{"digest all ones", d, k, ones},
		{"key the base point", one, k, z},
		{"key minus the base point", last, k, z},
		{"R the base point", d, one, z},
		{"R minus the base point", d, last, z},
		{"R the key", d, d, z},
		{"R minus the key", d, new(big.Int).Sub(n, d), z},
	} {
		r, s := sign(of.d, of.k, of.z)
		add(of.name, p256Base().times(of.d), r, s, of.z)
		add(of.name+", r and s exchanged", p256Base().times(of.d), s, r, of.z)
	}
	// Both halves of the sum are the same point: z = r d, and they are added as two different ones.
	r := mod(p256Base().times(k).x)
	rd := mod(new(big.Int).Mul(r, d))
	_, s := sign(d, k, rd)
	add("both halves of the sum equal", q, r, s, rd)
	// They cancel: z = -r d. Infinity has no x, whatever r and s.
	for _, s := range []*big.Int{one, k, last} {
		add("a sum at infinity", q, r, s, mod(new(big.Int).Neg(rd)))
	}
	// x of R is not below the order, and r is what is left: a signature for the key (s R - z G)/r.
	x := new(big.Int).Set(n)
	for found := 0; found < 4; x = new(big.Int).Add(x, one) {
		R := p256At(x, 0)
		if R == nil {
			continue
		}
		if r := new(big.Int).Sub(x, n); r.Sign() > 0 {
			minus := R.times(k).plus(p256Base().times(new(big.Int).Sub(n, z)))
			key := minus.times(new(big.Int).ModInverse(r, n))
			add(fmt.Sprintf("x of R is the order plus %d", r), key, r, k, z)
			// Not reduced it would be the same equation.
			add(fmt.Sprintf("r is the order plus %d", r), key, x, k, z)
			found++
		}
	}
	for _, v := range []*big.Int{new(big.Int), one, last, n, new(big.Int).Add(n, one), new(big.Int).Sub(p256.P, one), p256.P, ones} {
		add(fmt.Sprintf("r %x", v), q, v, k, z)
		add(fmt.Sprintf("s %x", v), q, k, v, z)
		add(fmt.Sprintf("r and s %x", v), q, v, v, z)
	}
	r, s = sign(d, k, z)
	for _, bad := range []struct {
		name string
		key  []byte
	}{
		{"infinity", make([]byte, 33)},
		{"infinity in one byte", []byte{0}},
		{"no key", nil},
		{"x = 0", append([]byte{2}, make([]byte, 32)...)}, // a point of the curve
		{"x = 1, no point", append(append([]byte{2}, make([]byte, 31)...), 1)},
		{"x the prime", append([]byte{2}, p256.P.Bytes()...)},
		{"x all ones", append([]byte{3}, ones.Bytes()...)},
		{"prefix of no compression", append([]byte{4}, q.compressed()[1:]...)},
		{"prefix of a hybrid", append([]byte{6 | byte(q.y.Bit(0))}, q.compressed()[1:]...)},
		{"uncompressed", slices.Concat([]byte{4}, q.x.FillBytes(make([]byte, 32)), q.y.FillBytes(make([]byte, 32)))},
		{"a key of Ed25519", q.compressed()[1:]},
	} {
		all = append(all, signed{name: "key: " + bad.name, key: bad.key, sig: raw(r, s), digest: z.FillBytes(make([]byte, 32))})
	}
	return all
}

// askP256 is what the host says, by digest, and by message if there is one.
func askP256(t *testing.T, s signed) bool {
	t.Helper()
	c := newCall(t)
	got, err := c.VerifyP256Digest(s.key, s.sig, s.digest)
	if err != nil {
		t.Fatal(err)
	}
	if s.message != nil {
		if by, err := c.VerifyP256(s.key, s.sig, s.message); err != nil || by != got {
			t.Errorf("%s: %v by message, %v; %v by digest", s, by, err, got)
		}
	}
	return got
}

func (s signed) String() string {
	return fmt.Sprintf("%s: key %x, signature %x, message %x, digest %x", s.name, s.key, s.sig, s.message, s.digest)
}

// TestP256AsOthersVerify: as the standard library on thousands of random cases, as math/big on some of them and on all edges.
func TestP256AsOthersVerify(t *testing.T) {
	c, accepted := newChance(1), 0
	for n := range 6000 {
		s := p256Random(t, c)
		got := askP256(t, s)
		if want := p256Standard(s); got != want {
			t.Errorf("%s: %v, the standard library says %v", s, got, want)
		}
		if n%50 == 0 {
			if want := p256Oracle(s); got != want {
				t.Errorf("%s: %v, FIPS 186-5 says %v", s, got, want)
			}
		}
		if got {
			accepted++
		}
	}
	if accepted < 600 || accepted > 1800 {
		t.Errorf("%d of 6000 cases were accepted: chance is no longer what it was", accepted)
	}
	edges := 0
	for _, s := range p256Edges() {
		got := askP256(t, s)
		if got {
			edges++
		}
		if want := p256Standard(s); got != want {
			t.Errorf("%s: %v, the standard library says %v", s, got, want)
		}
		if want := p256Oracle(s); got != want {
			t.Errorf("%s: %v, FIPS 186-5 says %v", s, got, want)
		}
	}
	// 11 ways to make one and 4 where r is less than x, each with its other S.
	if edges != 30 {
		t.Errorf("%d edges were accepted, want 30", edges)
	}
}

// Ed25519 on -x² + y² = 1 + d x² y² over 2^255 - 19 (RFC 8032, section 5.1).

var (
	edPrime = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	edOrder = new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 252), decimal("27742317777372353535851937790883648493"))
	edD     = func() *big.Int { // -121665/121666
		d := new(big.Int).ModInverse(big.NewInt(121666), edPrime)
		return d.Mod(d.Mul(d, big.NewInt(-121665)), edPrime)
	}()
	edBase = edPointAt(little(decimal("46316835694926478169428394003475163141307993866256225615783033603165251855960")))
)

func decimal(s string) *big.Int {
	v, ok := new(big.Int).SetString(s, 10)
	if !ok {
		panic(s)
	}
	return v
}

// little is 32 bytes, little-endian.
func little(v *big.Int) []byte {
	b := v.FillBytes(make([]byte, 32))
	slices.Reverse(b)
	return b
}

func fromLittle(b []byte) *big.Int {
	b = bytes.Clone(b)
	slices.Reverse(b)
	return new(big.Int).SetBytes(b)
}

// An edPoint is x/z and y/z.
type edPoint struct{ x, y, z *big.Int }

func edIdentity() edPoint { return edPoint{new(big.Int), big.NewInt(1), big.NewInt(1)} }

// plus is the addition law, which is complete (add-2008-bbjlp of the Explicit-Formulas Database with a = -1).
func (p edPoint) plus(q edPoint) edPoint {
	mul := func(a, b *big.Int) *big.Int { v := new(big.Int).Mul(a, b); return v.Mod(v, edPrime) }
	sum := func(a, b *big.Int) *big.Int { return new(big.Int).Add(a, b) }
	a := mul(p.z, q.z)
	b, c, d := mul(a, a), mul(p.x, q.x), mul(p.y, q.y)
	e := mul(edD, mul(c, d))
	f, g := new(big.Int).Sub(b, e), sum(b, e)
	cross := new(big.Int).Sub(mul(sum(p.x, p.y), sum(q.x, q.y)), sum(c, d))
	return edPoint{mul(mul(a, f), cross), mul(mul(a, g), sum(d, c)), mul(f, g)}
}

func (p edPoint) times(k *big.Int) edPoint {
	sum := edIdentity()
	for i := k.BitLen() - 1; i >= 0; i-- {
		if sum = sum.plus(sum); k.Bit(i) == 1 {
			sum = sum.plus(p)
		}
	}
	return sum
}

func (p edPoint) equal(q edPoint) bool { return bytes.Equal(p.encode(), q.encode()) }

func (p edPoint) encode() []byte {
	inverse := new(big.Int).ModInverse(p.z, edPrime)
	x, y := new(big.Int).Mul(p.x, inverse), new(big.Int).Mul(p.y, inverse)
	b := little(y.Mod(y, edPrime))
	b[31] |= byte(x.Mod(x, edPrime).Bit(0)) << 7
	return b
}

// edPointAt reads an encoding as ZIP-215 does: y may be beyond the prime, and x = 0 may have a sign. The zero edPoint is none.
func edPointAt(b []byte) edPoint {
	y := fromLittle(b)
	odd := y.Bit(255)
	y.Mod(y.SetBit(y, 255, 0), edPrime)
	yy := new(big.Int).Mul(y, y)
	below := new(big.Int).Mul(edD, yy)
	below.Mod(below.Add(below, big.NewInt(1)), edPrime)
	x := yy.Sub(yy, big.NewInt(1))
	x.Mul(x, below.ModInverse(below, edPrime)) // x² = (y² - 1)/(d y² + 1), and -1/d is no square
	if x.ModSqrt(x.Mod(x, edPrime), edPrime) == nil {
		return edPoint{}
	}
	if x.Bit(0) != odd {
		x.Sub(edPrime, x)
	}
	return edPoint{x, y, big.NewInt(1)}
}

// edHash is the scalar k of R, A and a message.
func edHash(r, a, message []byte) *big.Int {
	sum := sha512.Sum512(slices.Concat(r, a, message))
	slices.Reverse(sum[:])
	k := new(big.Int).SetBytes(sum[:])
	return k.Mod(k, edOrder)
}

// edOracle is what the rules say: those of ZIP-215, and the other reading of RFC 8032, which crypto/ed25519 and OpenSSL have. They
// differ in two things. ZIP-215 multiplies the equation by the cofactor 8, so that parts of small order in A and R don't matter;
// the others don't. And the others don't decode R: they compare its bytes with those of the point that must come out, so
// an R that is not canonical never matches. A, and S below the order, both take alike.
func edOracle(s signed) (zip215, others bool) {
	if len(s.key) != 32 || len(s.sig) != 64 {
		return false, false
	}
	a, w := edPointAt(s.key), fromLittle(s.sig[32:])
	if a.x == nil || w.Cmp(edOrder) >= 0 {
		return false, false
	}
	minus := edPoint{new(big.Int).Neg(a.x), a.y, a.z}
	must := edBase.times(w).plus(minus.times(edHash(s.sig[:32], s.key, s.message))) // SB - kA
	if r := edPointAt(s.sig[:32]); r.x != nil {
		eight := big.NewInt(8)
		zip215 = must.times(eight).equal(r.times(eight))
	}
	return zip215, bytes.Equal(must.encode(), s.sig[:32])
}

// edSmall are the encodings of the points whose order divides 8: all fourteen, of which eight are canonical.
func edSmall() (all [][]byte) {
	g := edPointAt(little(decimal("55188659117513257062467267217118295137698188065244968500265048394206261417927")))
	for i := range int64(8) {
		p := g.times(big.NewInt(i))
		canonical := p.encode()
		y := fromLittle(canonical)
		y.SetBit(y, 255, 0)
		for _, v := range []*big.Int{y, new(big.Int).Add(y, edPrime)} {
			for _, sign := range []byte{0, 0x80} {
				if v.BitLen() > 255 {
					continue
				}
				b := little(v)
				b[31] |= sign
				if q := edPointAt(b); q.x != nil && q.equal(p) {
					all = append(all, b)
				}
			}
		}
	}
	return all
}

// edMade is a signature with parts of small order in A and R, by the group law: a, r are scalars, S = r + k a.
func edMade(a, r *big.Int, inA, inR edPoint, message []byte) signed {
	A, R := edBase.times(a).plus(inA).encode(), edBase.times(r).plus(inR).encode()
	return signed{key: A, sig: append(R, edAnswer(a, r, A, R, message)...), message: message, different: true}
}

func edAnswer(a, r *big.Int, A, R, message []byte) []byte {
	s := new(big.Int).Mul(edHash(R, A, message), a)
	return little(s.Mod(s.Add(s, r), edOrder))
}

// edRandom is a signature, or one with something changed.
func edRandom(c chance) signed {
	private := ed25519.NewKeyFromSeed(c.bytes(32))
	message := c.bytes(c.IntN(100))
	s := signed{key: private[32:], sig: ed25519.Sign(private, message), message: message}
	plus := func(v *big.Int) []byte {
		sum := new(big.Int).Add(fromLittle(s.sig[32:]), v)
		return append(bytes.Clone(s.sig[:32]), little(sum)...)
	}
	changes := []struct {
		name string
		do   func()
	}{
		{"as it was made", func() {}},
		{"as it was made", func() {}},
		{"as it was made", func() {}},
		{"a bit of R", func() { s.sig = append(c.flipped(s.sig[:32]), s.sig[32:]...) }},
		{"a bit of S", func() { s.sig = append(bytes.Clone(s.sig[:32]), c.flipped(s.sig[32:])...) }},
		{"a bit of the key", func() { s.key = c.flipped(s.key) }},
		{"a bit of the message", func() { s.message = c.flipped(append(message, 0)) }},
		{"S and the order", func() { s.sig = plus(edOrder) }},
		{"S and some orders", func() { s.sig = plus(new(big.Int).Mul(edOrder, big.NewInt(2+int64(c.IntN(13))))) }},
		{"S one more", func() { s.sig = plus(big.NewInt(1)) }},
		{"S zero", func() { s.sig = append(bytes.Clone(s.sig[:32]), make([]byte, 32)...) }},
		{"S the order", func() { s.sig = append(bytes.Clone(s.sig[:32]), little(edOrder)...) }},
		{"any R", func() { s.sig = append(c.bytes(32), s.sig[32:]...) }},
		{"any key", func() { s.key = c.bytes(32) }},
		{"any signature", func() { s.sig = c.bytes(64) }},
		{"all ones", func() { s.sig = bytes.Repeat([]byte{0xff}, 64) }},
		{"a short signature", func() { s.sig = s.sig[:c.IntN(64)] }},
		{"a long signature", func() { s.sig = append(bytes.Clone(s.sig), c.bytes(1+c.IntN(8))...) }},
	}
	change := changes[c.IntN(len(changes))]
	s.name = change.name
	change.do()
	return s
}

// edEdges are all pairs of encodings of small order, and signatures with parts of small order: those where ZIP-215 has a rule of its own,
// and those for which all have the same.
func edEdges() (all []signed) {
	small := edSmall()
	message := []byte("a meter reading")
	for i, a := range small {
		for j, r := range small {
			all = append(all, signed{name: fmt.Sprintf("small orders %d, %d", i, j), key: a, sig: append(bytes.Clone(r), make([]byte, 32)...), message: message, different: true})
		}
		all = append(all, signed{name: fmt.Sprintf("small order %d, S the order", i), key: a, sig: append(bytes.Clone(a), little(edOrder)...), message: message})
	}
	c := newChance(2)
	scalar := func() *big.Int { v := fromLittle(c.bytes(32)); return v.Mod(v, edOrder) }
	for i, inA := range small {
		inR := small[c.IntN(len(small))]
		for _, parts := range []struct {
			name string
			a, r edPoint
		}{{"in A", edPointAt(inA), edIdentity()}, {"in R", edIdentity(), edPointAt(inA)}, {"in both", edPointAt(inA), edPointAt(inR)}} {
			s := edMade(scalar(), scalar(), parts.a, parts.r, c.bytes(20))
			s.name = fmt.Sprintf("small order %d %s", i, parts.name)
			all = append(all, s)
			s.name, s.message = s.name+", another message", append(s.message, 1)
			all = append(all, s)
		}
		// R of small order and in any encoding: r = 0.
		a := scalar()
		A := edBase.times(a).encode()
		all = append(all, signed{name: fmt.Sprintf("R small order %d", i), key: A, sig: append(bytes.Clone(inA), edAnswer(a, new(big.Int), A, inA, message)...), message: message, different: true})
	}
	// y that is beyond the prime, at all 19: those that are points, and those that are not.
	for i := range int64(19) {
		for _, sign := range []byte{0, 0x80} {
			b := little(new(big.Int).Add(edPrime, big.NewInt(i)))
			b[31] |= sign
			honest := edRandom(newChance(uint64(i)))
			all = append(all,
				signed{name: fmt.Sprintf("A the prime plus %d", i), key: b, sig: append(bytes.Clone(small[0]), make([]byte, 32)...), message: message, different: true},
				signed{name: fmt.Sprintf("R the prime plus %d", i), key: honest.key, sig: append(b, make([]byte, 32)...), message: message, different: true})
		}
	}
	return all
}

// askEd25519 is what the host says, alone and in batches.
func askEd25519(t *testing.T, s signed) bool {
	t.Helper()
	c := newCall(t)
	got, err := c.VerifyEd25519(s.key, s.sig, s.message)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.key) != 32 || len(s.sig) != 64 {
		return got
	}
	one := [3][]byte{s.key, s.sig, s.message}
	for _, together := range [][]byte{batch(one), batch(edGood, one, edGood)} {
		if all, err := c.VerifyEd25519Batch(together); err != nil || all != got {
			t.Errorf("%s: %v, %v in a batch; %v alone", s, all, err, got)
		}
	}
	return got
}

// edGood is a signature with which there is nothing wrong.
var edGood = func() [3][]byte {
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, 32))
	message := []byte("nothing is wrong with this")
	return [3][]byte{private[32:], ed25519.Sign(private, message), message}
}()

// TestEd25519AsOthersVerify: as the standard library on thousands of random cases, where ZIP-215 has no rule of its own; by that rule, read
// again with math/big, on all edges, where what the standard library says is explained, too.
func TestEd25519AsOthersVerify(t *testing.T) {
	c, accepted := newChance(3), 0
	standard := func(s signed) bool { return len(s.key) == 32 && ed25519.Verify(s.key, s.message, s.sig) }
	for n := range 4000 {
		s := edRandom(c)
		got := askEd25519(t, s)
		if want := standard(s); got != want {
			t.Errorf("%s: %v, the standard library says %v", s, got, want)
		}
		if n%50 == 0 {
			if want, _ := edOracle(s); got != want {
				t.Errorf("%s: %v, ZIP-215 says %v", s, got, want)
			}
		}
		if got {
			accepted++
		}
	}
	if accepted < 400 || accepted > 1000 {
		t.Errorf("%d of 4000 cases were accepted: chance is no longer what it was", accepted)
	}
	differ, edges := 0, edEdges()
	for _, s := range edges {
		got, others := askEd25519(t, s), standard(s)
		zip215, without := edOracle(s)
		if got != zip215 {
			t.Errorf("%s: %v, ZIP-215 says %v", s, got, zip215)
		}
		if others != without {
			t.Errorf("%s: the standard library says %v, and without the cofactor it is %v", s, others, without)
		}
		if others != got {
			differ++
			if !s.different || others {
				t.Errorf("%s: %v, the standard library says %v", s, got, others)
			}
		}
	}
	if n := len(edSmall()); n != 14 || differ < 100 {
		t.Errorf("%d encodings of small order, the rules differ in %d cases", n, differ)
	}
	t.Logf("of %d edges the standard library refuses %d that ZIP-215 accepts", len(edges), differ)
}
