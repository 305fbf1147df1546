package cert_test

import (
	"bytes"
	"testing"

	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/cert"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// FuzzVerify: whatever comes in, Verify answers, and the same twice. What it accepts under the fixed
// anchors was signed by their keys: each certificate's signed part is one of the
// seeds', and its signature theirs or the twin with the other s.
func FuzzVerify(f *testing.F) {
	a, b := newFamily(), matter()
	anchors := cat(a.root.der(), b.root.der(), a.sub.der())
	var known [][]byte
	for _, c := range []*forge{a.leaf, a.sub, a.root, b.leaf, b.sub, b.root} {
		known = append(known, c.der())
	}
	f.Add(a.chain(), anchors, at)
	f.Add(cat(a.chain(), a.root.der()), a.root.der(), at)
	f.Add(a.leaf.der(), a.sub.der(), at)
	f.Add(b.chain(), b.root.der(), int64(cert.Never))
	f.Add(nested(100), nested(100), at)
	a.leaf.set(ext{unknown, critical, []byte{5, 0}})
	f.Add(a.chain(), anchors, at)
	f.Fuzz(func(t *testing.T, chain, others []byte, when int64) {
		check(t, chain, others, when, nil)
		check(t, chain, anchors, when, known)
	})
}

func check(t *testing.T, chain, anchors []byte, when int64, known [][]byte) {
	l, err := cert.Verify(chain, anchors, when)
	again, errAgain := cert.Verify(bytes.Clone(chain), bytes.Clone(anchors), when)
	if err != nil {
		e, ok := err.(*cert.Error)
		if !ok || e.Reason < cert.TooLarge || e.Reason > cert.Vendor || e.Index < 0 || e.Index > cert.MaxAnchors || errAgain == nil || errAgain.Error() != err.Error() {
			t.Fatalf("refused with %#v, then %#v", err, errAgain)
		}
		return
	}
	enc := l.Encode()
	if cbor.Valid(enc) != nil || errAgain != nil || !bytes.Equal(enc, again.Encode()) {
		t.Fatalf("the answer is %x, then %+v, %v", enc, again, errAgain)
	}
	if known == nil {
		return
	}
	for rest := cryptobyte.String(chain); !rest.Empty(); {
		var der cryptobyte.String
		if !rest.ReadASN1Element(&der, asn1.SEQUENCE) {
			t.Fatalf("%x is accepted with %x at its end", chain, rest)
		}
		genuine := false
		for _, k := range known {
			genuine = genuine || bytes.Equal(k, der) || bytes.Equal(withTwin(k), der)
		}
		if !genuine {
			t.Fatalf("%x is accepted and nobody signed it", der)
		}
	}
}

// FuzzSigned signs whatever comes in as the leaf's signed part, so that nothing but
// the profile stands between it and being accepted. What is accepted crypto/x509 accepts.
func FuzzSigned(f *testing.F) {
	fam, m := newFamily(), matter()
	fam.leaf.set(ext{eku, critical, seq(oid("1.3.6.1.5.5.7.3.2"))})
	fam.leaf.set(ext{unknown, nil, []byte{5, 0}})
	anchors := cat(fam.sub.der(), m.sub.der())
	for _, leaf := range []*forge{fam.leaf, m.leaf} {
		s := cryptobyte.String(leaf.der())
		var outer, tbs cryptobyte.String
		if !s.ReadASN1(&outer, asn1.SEQUENCE) || !outer.ReadASN1(&tbs, asn1.SEQUENCE) {
			f.Fatal("not a certificate")
		}
		f.Add([]byte(tbs))
	}
	sign := signer(subKey)
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > 2*cert.MaxCertificate {
			return
		}
		tbs := seq(body)
		der := seq(tbs, ecdsaSHA256, tlv(3, sign(tbs)))
		if len(der) > 0xffff {
			return
		}
		if _, err := cert.Verify(der, anchors, at); err != nil || readsMore(body) {
			return
		}
		agree(t, "signed", der, anchors, at)
	})
}

// readsMore reports whether a certificate may have an extension of RFC 5280 whose
// value crypto/x509 reads and we don't: it refuses a malformed one.
func readsMore(b []byte) bool {
	for _, id := range []byte{17, 18, 31, 32} { // alternative names, distribution points, policies
		if bytes.Contains(b, []byte{6, 3, 0x55, 0x1d, id}) {
			return true
		}
	}
	return bytes.Contains(b, []byte{0x2b, 6, 1, 5, 5, 7, 1, 1}) // authorityInfoAccess
}

// withTwin is a certificate with the other s in its signature.
func withTwin(der []byte) []byte {
	s := cryptobyte.String(der)
	var outer, tbs, alg, sig cryptobyte.String
	if !s.ReadASN1(&outer, asn1.SEQUENCE) || !outer.ReadASN1Element(&tbs, asn1.SEQUENCE) ||
		!outer.ReadASN1Element(&alg, asn1.SEQUENCE) || !outer.ReadASN1(&sig, asn1.BIT_STRING) {
		panic("not a certificate")
	}
	return seq(tbs, alg, tlv(3, twin(sig)))
}
