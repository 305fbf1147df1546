package cert_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"math/big"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// forge describes a certificate part by part, so that a test can break one part of an
// otherwise good one and have the rest, the signature included, still right.
type forge struct {
	version           []byte // with its [0]
	serial            []byte // contents of the INTEGER
	inner, outer      []byte // the AlgorithmIdentifiers
	issuer, subject   []byte // Name
	notBefore         []byte // Time
	notAfter          []byte
	afterValidity     []byte // inside Validity
	spki              []byte
	beforeExtensions  []byte // the unique ids
	extensions        []ext
	rawExtensions     []byte                  // instead of extensions, if not nil
	afterTBS, afterIt []byte                  // inside the tbsCertificate, inside the certificate
	sign              func(tbs []byte) []byte // contents of the BIT STRING, with its count of unused bits
}

// ext is an extension; critical is its BOOLEAN with tag and length, or nothing.
type ext struct {
	oid      string
	critical []byte
	value    []byte
}

var critical = []byte{1, 1, 0xff}

// tlv puts a tag and the shortest length before the contents.
func tlv(tag byte, contents ...[]byte) []byte {
	var body []byte
	for _, c := range contents {
		body = append(body, c...)
	}
	n := len(body)
	switch {
	case n < 0x80:
		return append([]byte{tag, byte(n)}, body...)
	case n < 0x100:
		return append([]byte{tag, 0x81, byte(n)}, body...)
	}
	return append([]byte{tag, 0x82, byte(n >> 8), byte(n)}, body...)
}

func seq(contents ...[]byte) []byte { return tlv(0x30, contents...) }

// oid is an OBJECT IDENTIFIER in DER from its dotted form.
func oid(dotted string) []byte {
	var id asn1.ObjectIdentifier
	n := 0
	for _, c := range dotted + "." {
		if c == '.' {
			id, n = append(id, n), 0
		} else {
			n = n*10 + int(c-'0')
		}
	}
	b := cryptobyte.NewBuilder(nil)
	b.AddASN1ObjectIdentifier(id)
	return b.BytesOrPanic()
}

// OIDs of tests.
const (
	cn      = "2.5.4.3"
	serial  = "2.5.4.5"
	org     = "2.5.4.10"
	vid     = "1.3.6.1.4.1.37244.2.1"
	pid     = "1.3.6.1.4.1.37244.2.2"
	unknown = "1.3.6.1.4.1.99999.1"
	ski     = "2.5.29.14"
	aki     = "2.5.29.35"
	ku      = "2.5.29.15"
	bc      = "2.5.29.19"
	eku     = "2.5.29.37"
)

func utf8String(s string) []byte { return tlv(0x0c, []byte(s)) }

// attr is one RelativeDistinguishedName with a UTF8String.
func attr(id, text string) []byte { return tlv(0x31, seq(oid(id), utf8String(text))) }

// dn is a Name of pairs of OID and text.
func dn(pairs ...string) []byte {
	var rdns [][]byte
	for i := 0; i < len(pairs); i += 2 {
		rdns = append(rdns, attr(pairs[i], pairs[i+1]))
	}
	return seq(rdns...)
}

// at is when the tests look at certificates.
var at = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC).Unix()

var ecdsaSHA256 = seq(oid("1.2.840.10045.4.3.2"))

// key is a fixed private key for each name: the test is the same every time.
func key(name string) *ecdsa.PrivateKey {
	d := sha256.Sum256([]byte("runtime/cert " + name))
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d[:])
	if err != nil {
		panic(err)
	}
	return k
}

func point(k *ecdsa.PrivateKey) []byte {
	b, err := k.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	return b
}

func spkiOf(k *ecdsa.PrivateKey) []byte { return spkiWith(point(k)) }

func spkiWith(point []byte) []byte {
	return seq(seq(oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")), tlv(0x03, []byte{0}, point))
}

func keyID(k *ecdsa.PrivateKey) []byte {
	sum := sha256.Sum256(point(k))
	return sum[:20]
}

// signer signs as k does, without randomness.
func signer(k *ecdsa.PrivateKey) func([]byte) []byte {
	return func(tbs []byte) []byte {
		digest := sha256.Sum256(tbs)
		sig, err := k.Sign(nil, digest[:], crypto.SHA256)
		if err != nil {
			panic(err)
		}
		return append([]byte{0}, sig...)
	}
}

// good is a certificate in which nothing is wrong.
func good(subject, issuer []byte, k, by *ecdsa.PrivateKey, own ...ext) *forge {
	return &forge{
		version: []byte{0xa0, 3, 2, 1, 2}, serial: []byte{0x11, 0x22}, inner: ecdsaSHA256, outer: ecdsaSHA256,
		issuer: issuer, subject: subject,
		notBefore: tlv(0x17, []byte("250101000000Z")), notAfter: tlv(0x18, []byte("99991231235959Z")),
		spki:       spkiOf(k),
		extensions: append(own, ext{ski, nil, tlv(0x04, keyID(k))}, ext{aki, nil, seq(tlv(0x80, keyID(by)))}),
		sign:       signer(by),
	}
}

func asLeaf() []ext {
	return []ext{{bc, critical, seq()}, {ku, critical, []byte{3, 2, 7, 0x80}}}
}

// asCA is a CA with a path length, or without one if negative.
func asCA(pathLength int) []ext {
	body := []byte{1, 1, 0xff}
	if pathLength >= 0 {
		body = append(body, 2, 1, byte(pathLength))
	}
	return []ext{{bc, critical, seq(body)}, {ku, critical, []byte{3, 2, 1, 0x06}}}
}

func (f *forge) der() []byte {
	extensions := f.rawExtensions
	if extensions == nil {
		var list [][]byte
		for _, e := range f.extensions {
			list = append(list, seq(oid(e.oid), e.critical, tlv(0x04, e.value)))
		}
		extensions = tlv(0xa3, seq(list...))
	}
	tbs := seq(f.version, tlv(0x02, f.serial), f.inner, f.issuer, seq(f.notBefore, f.notAfter, f.afterValidity),
		f.subject, f.spki, f.beforeExtensions, extensions, f.afterTBS)
	return seq(tbs, f.outer, tlv(0x03, f.sign(tbs)), f.afterIt)
}

// set replaces the extension of the same name, or adds it.
func (f *forge) set(e ext) {
	for i := range f.extensions {
		if f.extensions[i].oid == e.oid {
			f.extensions[i] = e
			return
		}
	}
	f.extensions = append(f.extensions, e)
}

func (f *forge) drop(id string) {
	var kept []ext
	for _, e := range f.extensions {
		if e.oid != id {
			kept = append(kept, e)
		}
	}
	f.extensions = kept
}

// family is a root, its intermediate and a leaf, as good as they can be.
type family struct{ leaf, sub, root *forge }

var (
	leafKey, subKey, rootKey, otherKey = key("leaf"), key("sub"), key("root"), key("other")

	leafName = dn(org, "Acme", cn, "Lock 7", serial, "ACME-0007")
	subName  = dn(org, "Acme", cn, "Acme Devices 1")
	rootName = dn(org, "Acme", cn, "Acme Root")
)

func newFamily() *family {
	return &family{
		leaf: good(leafName, subName, leafKey, subKey, asLeaf()...),
		sub:  good(subName, rootName, subKey, rootKey, asCA(0)...),
		root: good(rootName, rootName, rootKey, rootKey, asCA(1)...),
	}
}

// matter is the same with the names of a DAC, PAI and PAA.
func matter() *family {
	paa := dn(cn, "Matter PAA", vid, "FFF1")
	pai := dn(cn, "Matter PAI", vid, "FFF1", pid, "8000")
	dac := dn(cn, "Matter DAC 0007", vid, "FFF1", pid, "8000")
	return &family{
		leaf: good(dac, pai, leafKey, subKey, asLeaf()...),
		sub:  good(pai, paa, subKey, rootKey, asCA(0)...),
		root: good(paa, paa, rootKey, rootKey, asCA(1)...),
	}
}

func (f *family) chain() []byte { return cat(f.leaf.der(), f.sub.der()) }

func cat(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// twin is the contents of a signature's BIT STRING with s replaced by n-s.
func twin(sig []byte) []byte {
	s := cryptobyte.String(sig[1:])
	var list cryptobyte.String
	r, t := new(big.Int), new(big.Int)
	if !s.ReadASN1(&list, der.SEQUENCE) || !list.ReadASN1Integer(r) || !list.ReadASN1Integer(t) {
		panic(fmt.Sprintf("%x is not a signature", sig))
	}
	return rs(r, t.Sub(elliptic.P256().Params().N, t))
}

// rs is the contents of a signature's BIT STRING.
func rs(r, s *big.Int) []byte {
	b := cryptobyte.NewBuilder([]byte{0})
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(r)
		b.AddASN1BigInt(s)
	})
	return b.BytesOrPanic()
}

func utc(t testing.TB, s string) int64 {
	t.Helper()
	v, err := time.Parse(time.DateTime, s)
	if err != nil {
		t.Fatal(err)
	}
	return v.Unix()
}
