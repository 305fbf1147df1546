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
	f.Add(nested(400), nested(4096), at)
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
