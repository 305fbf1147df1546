package cert_test

import (
	"crypto/x509"
	"testing"
	"time"

	"github.com/wardledger/ward/runtime/cert"
)

// BenchmarkVerify puts us beside crypto/x509, which parses and verifies the same
// bytes. The chain of 2 has one intermediate's certificate less than the chain of 3.
// The refused ones are what a stranger can make a node do for nothing.
func BenchmarkVerify(b *testing.B) {
	f := newFamily()
	third, thirdKey := dn(cn, "third"), key("third")
	long := newFamily()
	long.sub.issuer, long.sub.sign = third, signer(thirdKey)
	long.sub.set(ext{aki, nil, seq(tlv(0x80, keyID(thirdKey)))})
	long.root.set(asCA(2)[0])
	chain3 := cat(long.chain(), good(third, rootName, thirdKey, rootKey, asCA(1)...).der())
	var sixteen []byte
	for range 15 {
		sixteen = append(sixteen, good(dn(cn, "Foreign"), dn(cn, "Foreign"), otherKey, otherKey, asCA(-1)...).der()...)
	}
	for _, c := range []struct {
		name           string
		chain, anchors []byte
	}{
		{"chain of 2", f.chain(), f.root.der()},
		{"chain of 3", chain3, long.root.der()},
		{"chain of 3, 16 anchors", chain3, cat(sixteen, long.root.der())},
	} {
		b.Run("ward/"+c.name, func(b *testing.B) {
			for b.Loop() {
				l, err := cert.Verify(c.chain, c.anchors, at)
				if err != nil {
					b.Fatal(err)
				}
				l.Encode()
			}
		})
		b.Run("ward Read/"+c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := cert.Read(c.chain, c.anchors, at); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("crypto-x509/"+c.name, func(b *testing.B) {
			for b.Loop() {
				if err := standard(c.chain, c.anchors, at); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("crypto-x509 roots kept/"+c.name, func(b *testing.B) {
			roots := x509.NewCertPool()
			certs, err := x509.ParseCertificates(c.anchors)
			if err != nil {
				b.Fatal(err)
			}
			for _, a := range certs {
				roots.AddCert(a)
			}
			for b.Loop() {
				certs, err := x509.ParseCertificates(c.chain)
				if err != nil {
					b.Fatal(err)
				}
				pool := x509.NewCertPool()
				for _, c := range certs[1:] {
					pool.AddCert(c)
				}
				if _, err := certs[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: pool, CurrentTime: time.Unix(at, 0), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for _, c := range []struct {
		name           string
		chain, anchors []byte
	}{
		{"nested", nested(400), f.root.der()},
		{"too many extensions", manyExtensions(), f.root.der()},
	} {
		b.Run("ward refuses/"+c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := cert.Verify(c.chain, c.anchors, at); err == nil {
					b.Fatal("verified")
				}
			}
		})
	}
}

// manyExtensions is the longest list of different extensions that fits.
func manyExtensions() []byte {
	f := newFamily()
	var list [][]byte
	for i := range 170 {
		list = append(list, seq(tlv(6, []byte{0x2a, byte(i) & 0x7f, byte(i>>7) & 0x7f}), tlv(4)))
	}
	f.leaf.rawExtensions = tlv(0xa3, seq(list...))
	return f.leaf.der()
}
