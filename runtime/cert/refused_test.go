package cert_test

import (
	"bytes"
	"crypto/elliptic"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/cert"
)

// TestRules holds a case for each line of the package comment: one part of a good
// chain is changed and everything signed anew. No reason means that it's still good.
func TestRules(t *testing.T) {
	n := elliptic.P256().Params().N
	rename := func(id, text string) func(*family) {
		return func(f *family) { f.leaf.subject = dn(id, text) }
	}
	name := func(rdns ...[]byte) func(*family) {
		return func(f *family) { f.leaf.subject = seq(rdns...) }
	}
	value := func(tag byte, text string) func(*family) {
		return name(tlv(0x31, seq(oid(cn), tlv(tag, []byte(text)))))
	}
	notAfter := func(tag byte, text string) func(*family) {
		return func(f *family) { f.leaf.notAfter = tlv(tag, []byte(text)) }
	}
	leafExt := func(id string, crit []byte, v ...[]byte) func(*family) {
		return func(f *family) { f.leaf.set(ext{id, crit, cat(v...)}) }
	}
	subExt := func(id string, crit []byte, v ...[]byte) func(*family) {
		return func(f *family) { f.sub.set(ext{id, crit, cat(v...)}) }
	}
	rootExt := func(id string, crit []byte, v ...[]byte) func(*family) {
		return func(f *family) { f.root.set(ext{id, crit, cat(v...)}) }
	}
	spki := func(b []byte) func(*family) { return func(f *family) { f.leaf.spki = b } }
	sig := func(change func([]byte) []byte) func(*family) {
		return func(f *family) {
			sign := f.leaf.sign
			f.leaf.sign = func(tbs []byte) []byte { return change(sign(tbs)) }
		}
	}
	fixed := func(r, s *big.Int) func(*family) {
		return sig(func([]byte) []byte { return rs(r, s) })
	}
	leafPoint := point(leafKey)
	compressed := elliptic.MarshalCompressed(elliptic.P256(), leafKey.X, leafKey.Y)
	off := bytes.Clone(leafPoint)
	off[64] ^= 1
	hybrid := bytes.Clone(leafPoint)
	hybrid[0] = 6 | hybrid[64]&1
	usage := func(unused byte, octets ...byte) []byte { return tlv(3, []byte{unused}, octets) }
	one, tiny := big.NewInt(1), tlv(0x0c, []byte("x"))
	many := func(n int) func(*family) {
		return func(f *family) {
			for i := len(f.leaf.extensions); i < n; i++ {
				f.leaf.set(ext{fmt.Sprintf("1.3.6.1.4.1.99999.%d", i), nil, []byte{5, 0}})
			}
		}
	}
	anchor := true

	for _, c := range []struct {
		name   string
		change func(*family)
		want   cert.Reason
		anchor bool
		index  int
	}{
		{name: "nothing", change: func(*family) {}},

		// DER
		{"a byte behind the extensions", func(f *family) { f.leaf.afterTBS = []byte{5, 0} }, cert.Encoding, false, 0},
		{"a byte behind the signature", func(f *family) { f.leaf.afterIt = []byte{5, 0} }, cert.Encoding, false, 0},
		{"a byte behind notAfter", func(f *family) { f.leaf.afterValidity = []byte{5, 0} }, cert.Validity, false, 0},
		{"no extension in the list", func(f *family) { f.leaf.rawExtensions = tlv(0xa3, seq()) }, cert.Encoding, false, 0},
		{"two lists of extensions", func(f *family) {
			f.leaf.rawExtensions = tlv(0xa3, seq(seq(oid(eku), tlv(4, seq(oid("1.2.3"))))), seq())
		}, cert.Encoding, false, 0},
		{"a byte behind an extension's value", func(f *family) {
			f.leaf.rawExtensions = tlv(0xa3, seq(seq(oid(unknown), tlv(4, tiny), []byte{5, 0})))
		}, cert.Encoding, false, 0},
		{"critical written out as false", leafExt(unknown, []byte{1, 1, 0}, tiny), cert.Encoding, false, 0},
		{"critical as 01", leafExt(unknown, []byte{1, 1, 1}, tiny), cert.Encoding, false, 0},
		{"critical of two bytes", leafExt(unknown, []byte{1, 2, 0xff, 0xff}, tiny), cert.Encoding, false, 0},

		// version
		{"version 1", func(f *family) { f.leaf.version = nil }, cert.Version, false, 0},
		{"version 1 written out", func(f *family) { f.leaf.version = []byte{0xa0, 3, 2, 1, 0} }, cert.Version, false, 0},
		{"version 2", func(f *family) { f.leaf.version = []byte{0xa0, 3, 2, 1, 1} }, cert.Version, false, 0},
		{"version 4", func(f *family) { f.leaf.version = []byte{0xa0, 3, 2, 1, 3} }, cert.Version, false, 0},
		{"version 3 in two bytes", func(f *family) { f.leaf.version = []byte{0xa0, 4, 2, 2, 0, 2} }, cert.Version, false, 0},
		{"issuerUniqueID", func(f *family) { f.leaf.beforeExtensions = []byte{0x81, 2, 0, 1} }, cert.Version, false, 0},
		{"subjectUniqueID", func(f *family) { f.leaf.beforeExtensions = []byte{0x82, 2, 0, 1} }, cert.Version, false, 0},
		{"no extensions", func(f *family) { f.leaf.rawExtensions = []byte{} }, cert.Version, false, 0},
		{"version 2 of an anchor", func(f *family) { f.root.version = []byte{0xa0, 3, 2, 1, 1} }, cert.Version, anchor, 0},

		// serial
		{name: "serial 1", change: func(f *family) { f.leaf.serial = []byte{1} }},
		{name: "serial 128", change: func(f *family) { f.leaf.serial = []byte{0, 0x80} }},
		{name: "serial of 20 bytes", change: func(f *family) { f.leaf.serial = bytes.Repeat([]byte{0x7f}, 20) }},
		{"serial of 21 bytes", func(f *family) { f.leaf.serial = append([]byte{0}, bytes.Repeat([]byte{0x80}, 20)...) }, cert.Serial, false, 0},
		{"serial 0", func(f *family) { f.leaf.serial = []byte{0} }, cert.Serial, false, 0},
		{"serial of no bytes", func(f *family) { f.leaf.serial = nil }, cert.Serial, false, 0},
		{"serial -1", func(f *family) { f.leaf.serial = []byte{0xff} }, cert.Serial, false, 0},
		{"serial 1 in two bytes", func(f *family) { f.leaf.serial = []byte{0, 1} }, cert.Serial, false, 0},
		{"serial 0 in two bytes", func(f *family) { f.leaf.serial = []byte{0, 0} }, cert.Serial, false, 0},

		// algorithm
		{"ecdsa-with-SHA384", func(f *family) {
			f.leaf.inner = seq(oid("1.2.840.10045.4.3.3"))
			f.leaf.outer = f.leaf.inner
		}, cert.Algorithm, false, 0},
		{"with NULL", func(f *family) {
			f.leaf.inner = seq(oid("1.2.840.10045.4.3.2"), []byte{5, 0})
			f.leaf.outer = f.leaf.inner
		}, cert.Algorithm, false, 0},
		{"another inside", func(f *family) { f.leaf.inner = seq(oid("1.2.840.10045.4.3.3")) }, cert.Algorithm, false, 0},
		{"another outside", func(f *family) { f.leaf.outer = seq(oid("1.2.840.10045.4.3.3")) }, cert.Algorithm, false, 0},
		{"another inside of an anchor", func(f *family) { f.root.inner = seq(oid("1.2.840.10045.4.3.3")) }, cert.Algorithm, anchor, 0},
		{name: "anchor signed with another algorithm", change: func(f *family) {
			f.root.inner = seq(oid("1.2.840.10045.4.3.3"))
			f.root.outer = f.root.inner
			f.root.sign = func([]byte) []byte { return []byte{0, 1, 2, 3} }
		}},

		// signature
		{name: "high or low s, the other", change: sig(twin)},
		{"r = 0", fixed(new(big.Int), one), cert.Signature, false, 0},
		{"s = 0", fixed(one, new(big.Int)), cert.Signature, false, 0},
		{"r = n", fixed(n, one), cert.Signature, false, 0},
		{"s = n", fixed(one, n), cert.Signature, false, 0},
		{"r = -1", fixed(big.NewInt(-1), one), cert.Signature, false, 0},
		{"r of 34 bytes", fixed(new(big.Int).Lsh(one, 264), one), cert.Signature, false, 0},
		{"r = s = 1", fixed(one, one), cert.Signature, false, 0},
		{"r with a zero too many", sig(func(b []byte) []byte {
			return append([]byte{0}, seq(tlv(2, []byte{0, 1}), tlv(2, []byte{1}))...)
		}), cert.Signature, false, 0},
		{"three numbers", sig(func(b []byte) []byte {
			return append([]byte{0}, seq(tlv(2, []byte{1}), tlv(2, []byte{1}), tlv(2, []byte{1}))...)
		}), cert.Signature, false, 0},
		{"one number", sig(func(b []byte) []byte { return append([]byte{0}, seq(tlv(2, []byte{1}))...) }), cert.Signature, false, 0},
		{"a byte behind it", sig(func(b []byte) []byte { return append(b, 0) }), cert.Signature, false, 0},
		{"r and s raw", sig(func(b []byte) []byte { return make([]byte, 65) }), cert.Signature, false, 0},
		{"one bit unused", sig(func(b []byte) []byte { b[0] = 1; return b }), cert.Encoding, false, 0},
		{"empty", sig(func(b []byte) []byte { return b[:1] }), cert.Encoding, false, 0},
		{"of another key", func(f *family) { f.leaf.sign = signer(otherKey) }, cert.Signature, false, 0},
		{"of the intermediate by another key", func(f *family) { f.sub.sign = signer(otherKey) }, cert.Signature, false, 1},

		// key
		{"compressed", spki(spkiWith(compressed)), cert.Key, false, 0},
		{"hybrid", spki(spkiWith(hybrid)), cert.Key, false, 0},
		{"not on the curve", spki(spkiWith(off)), cert.Key, false, 0},
		{"at infinity", spki(spkiWith([]byte{0})), cert.Key, false, 0},
		{"x beyond the field", spki(spkiWith(append([]byte{4}, bytes.Repeat([]byte{0xff}, 64)...))), cert.Key, false, 0},
		{"x = y = 0", spki(spkiWith(append([]byte{4}, make([]byte, 64)...))), cert.Key, false, 0},
		{"P-384", spki(seq(seq(oid("1.2.840.10045.2.1"), oid("1.3.132.0.34")), tlv(3, []byte{0, 4}, make([]byte, 96)))), cert.Key, false, 0},
		{"secp256k1", spki(seq(seq(oid("1.2.840.10045.2.1"), oid("1.3.132.0.10")), tlv(3, []byte{0}, leafPoint))), cert.Key, false, 0},
		{"id-ecDH", spki(seq(seq(oid("1.3.132.1.12"), oid("1.2.840.10045.3.1.7")), tlv(3, []byte{0}, leafPoint))), cert.Key, false, 0},
		{"Ed25519", spki(seq(seq(oid("1.3.101.112")), tlv(3, []byte{0}, make([]byte, 32)))), cert.Key, false, 0},
		{"not on the curve, of an anchor", func(f *family) { f.root.spki = spkiWith(off) }, cert.Key, anchor, 0},

		// names
		{"no attributes", name(), cert.Name, false, 0},
		{"an empty set", name(tlv(0x31)), cert.Name, false, 0},
		{"an attribute without a value", name(tlv(0x31, seq(oid(cn)))), cert.Name, false, 0},
		{"an attribute with two values", name(tlv(0x31, seq(oid(cn), tiny, tiny))), cert.Name, false, 0},
		{"an empty text", value(0x0c, ""), cert.Name, false, 0},
		{name: "UTF8String", change: value(0x0c, "Schloß 7")},
		{name: "PrintableString", change: value(0x13, "Lock 7 (a+b),-./:=?'")},
		{name: "IA5String", change: value(0x16, "lock@example.com")},
		{"TeletexString", value(0x14, "Lock 7"), cert.Name, false, 0},
		{"BMPString", value(0x1e, "\x00L"), cert.Name, false, 0},
		{"not UTF-8", value(0x0c, "\xff"), cert.Name, false, 0},
		{"not printable", value(0x13, "a@b"), cert.Name, false, 0},
		{"not ASCII", value(0x16, "\x80"), cert.Name, false, 0},
		{"with a NUL", value(0x0c, "Lock\x007"), cert.Name, false, 0},
		{"with a line feed", value(0x16, "Lock\n7"), cert.Name, false, 0},
		{"common name twice", name(attr(cn, "a"), attr(cn, "b")), cert.Name, false, 0},
		{"serial number twice", name(attr(serial, "a"), attr(serial, "b")), cert.Name, false, 0},
		{name: "organisation twice", change: name(attr(org, "a"), attr(org, "b"))},
		{name: "two attributes in a set", change: name(tlv(0x31, seq(oid(cn), tiny), seq(oid(serial), tiny)))},
		{"two in the wrong order", name(tlv(0x31, seq(oid(serial), tiny), seq(oid(cn), tiny))), cert.Name, false, 0},
		{"two equal ones", name(tlv(0x31, seq(oid(org), tiny), seq(oid(org), tiny))), cert.Name, false, 0},
		{"an attribute's OID not shortest", name(tlv(0x31, seq(tlv(6, []byte{0x55, 0x80, 4}), tiny))), cert.Name, false, 0},
		{"an empty issuer", func(f *family) { f.leaf.issuer = seq() }, cert.Name, false, 0},
		{"nested 300 times", func(f *family) { f.leaf.subject = nested(300) }, cert.Name, false, 0},

		// times
		{name: "the last second of UTCTime", change: notAfter(0x17, "491231235959Z")},
		{name: "the first of GeneralizedTime", change: notAfter(0x18, "20500101000000Z")},
		{name: "February 29", change: notAfter(0x17, "280229000000Z")},
		{name: "notBefore in 1950", change: func(f *family) { f.leaf.notBefore = tlv(0x17, []byte("500101000000Z")) }},
		{"GeneralizedTime before 2050", notAfter(0x18, "20491231235959Z"), cert.Validity, false, 0},
		{"no seconds", notAfter(0x17, "2712312359Z"), cert.Validity, false, 0},
		{"an offset", notAfter(0x17, "271231235959+0000"), cert.Validity, false, 0},
		{"no Z", notAfter(0x17, "271231235959"), cert.Validity, false, 0},
		{"a small z", notAfter(0x17, "271231235959z"), cert.Validity, false, 0},
		{"a fraction", notAfter(0x18, "20501231235959.5Z"), cert.Validity, false, 0},
		{"a letter in the year", notAfter(0x18, "9x991231235959Z"), cert.Validity, false, 0},
		{"a sign in the day", notAfter(0x17, "2712+1235959Z"), cert.Validity, false, 0},
		{"month 0", notAfter(0x17, "270031235959Z"), cert.Validity, false, 0},
		{"month 13", notAfter(0x17, "271331235959Z"), cert.Validity, false, 0},
		{"day 0", notAfter(0x17, "271200235959Z"), cert.Validity, false, 0},
		{"February 29 in no leap year", notAfter(0x17, "270229000000Z"), cert.Validity, false, 0},
		{"February 29, 2100", notAfter(0x18, "21000229000000Z"), cert.Validity, false, 0},
		{"April 31", notAfter(0x17, "270431000000Z"), cert.Validity, false, 0},
		{"hour 24", notAfter(0x17, "271231240000Z"), cert.Validity, false, 0},
		{"minute 60", notAfter(0x17, "271231236000Z"), cert.Validity, false, 0},
		{"a leap second", notAfter(0x17, "271231235960Z"), cert.Validity, false, 0},
		{"an INTEGER", notAfter(0x02, "271231235959Z"), cert.Validity, false, 0},
		{"an empty UTCTime", notAfter(0x17, ""), cert.Validity, false, 0},
		{"the end before the start", notAfter(0x17, "241231235959Z"), cert.Validity, false, 0},

		// extensions
		{name: "unknown, not critical", change: leafExt(unknown, nil, tiny)},
		{name: "unknown, not critical, not DER", change: leafExt(unknown, nil, []byte{0x30, 0x80, 0})},
		{name: "unknown, 300 deep", change: leafExt(unknown, nil, nested(300))},
		{"unknown, critical", leafExt(unknown, critical, tiny), cert.Critical, false, 0},
		{"unknown, critical, of the intermediate", subExt("2.5.29.32", critical, tiny), cert.Critical, false, 1},
		{"unknown, critical, of the anchor", rootExt("2.5.29.32", critical, tiny), cert.Critical, anchor, 0},
		{"an unknown one twice", func(f *family) {
			f.leaf.extensions = append(f.leaf.extensions, ext{unknown, nil, tiny}, ext{unknown, nil, tiny})
		}, cert.Repeated, false, 0},
		{"keyUsage twice", func(f *family) {
			f.leaf.extensions = append(f.leaf.extensions, f.leaf.extensions[1])
		}, cert.Repeated, false, 0},
		{name: "24 of them", change: many(24)},
		{"25 of them", many(25), cert.Extension, false, 0},
		{"an OID not shortest", func(f *family) {
			f.leaf.rawExtensions = tlv(0xa3, seq(seq(tlv(6, []byte{0x55, 0x1d, 0x80, 0x11}), tlv(4, tiny))))
		}, cert.Extension, false, 0},
		{"an OID cut off", func(f *family) {
			f.leaf.rawExtensions = tlv(0xa3, seq(seq(tlv(6, []byte{0x55, 0x9d}), tlv(4, tiny))))
		}, cert.Extension, false, 0},
		{"an OID of 33 bytes", func(f *family) {
			f.leaf.rawExtensions = tlv(0xa3, seq(seq(tlv(6, bytes.Repeat([]byte{1}, 33)), tlv(4, tiny))))
		}, cert.Extension, false, 0},
		{"name constraints", subExt("2.5.29.30", critical, seq()), cert.Constraint, false, 1},
		{"name constraints, not critical", subExt("2.5.29.30", nil, seq()), cert.Constraint, false, 1},
		{"policy mappings", subExt("2.5.29.33", nil, seq()), cert.Constraint, false, 1},
		{"policy constraints", subExt("2.5.29.36", critical, seq()), cert.Constraint, false, 1},
		{"inhibitAnyPolicy of the anchor", rootExt("2.5.29.54", critical, []byte{2, 1, 0}), cert.Constraint, anchor, 0},
		{name: "extKeyUsage", change: leafExt(eku, nil, seq(oid("1.3.6.1.5.5.7.3.2")))},
		{name: "extKeyUsage, critical", change: leafExt(eku, critical, seq(oid("1.3.6.1.5.5.7.3.2"), oid("1.2.3.4")))},
		{"extKeyUsage of nothing", leafExt(eku, nil, seq()), cert.Extension, false, 0},
		{"extKeyUsage of a text", leafExt(eku, nil, seq(tiny)), cert.Extension, false, 0},
		{"extKeyUsage with a byte behind it", leafExt(eku, nil, seq(oid("1.2.3.4")), []byte{5, 0}), cert.Extension, false, 0},

		// basicConstraints
		{name: "no basicConstraints of the leaf", change: func(f *family) { f.leaf.drop(bc) }},
		{name: "not critical of the leaf", change: leafExt(bc, nil, seq())},
		{"a leaf that is a CA", leafExt(bc, critical, seq([]byte{1, 1, 0xff})), cert.LeafIsCA, false, 0},
		{"a leaf that is a CA, not critical", leafExt(bc, nil, seq([]byte{1, 1, 0xff})), cert.LeafIsCA, false, 0},
		{"false written out", leafExt(bc, critical, seq([]byte{1, 1, 0})), cert.Extension, false, 0},
		{"a path length without CA", leafExt(bc, critical, seq([]byte{2, 1, 0})), cert.Extension, false, 0},
		{"a byte behind it", leafExt(bc, critical, seq(), []byte{5, 0}), cert.Extension, false, 0},
		{"a byte behind the path length", subExt(bc, critical, seq([]byte{1, 1, 0xff, 2, 1, 0, 5, 0})), cert.Extension, false, 1},
		{"a path length of -1", subExt(bc, critical, seq([]byte{1, 1, 0xff, 2, 1, 0xff})), cert.Extension, false, 1},
		{"a path length of 128", subExt(bc, critical, seq([]byte{1, 1, 0xff, 2, 2, 0, 0x80})), cert.Extension, false, 1},
		{"a path length of 0 in two bytes", subExt(bc, critical, seq([]byte{1, 1, 0xff, 2, 2, 0, 0})), cert.Extension, false, 1},
		{name: "no path length", change: subExt(bc, critical, seq([]byte{1, 1, 0xff}))},
		{"an intermediate without", func(f *family) { f.sub.drop(bc) }, cert.NotCA, false, 1},
		{"an intermediate that is no CA", subExt(bc, critical, seq()), cert.NotCA, false, 1},
		{"an intermediate's not critical", subExt(bc, nil, seq([]byte{1, 1, 0xff})), cert.NotCA, false, 1},
		{"an anchor without", func(f *family) { f.root.drop(bc) }, cert.NotCA, anchor, 0},
		{"an anchor that is no CA", rootExt(bc, critical, seq()), cert.NotCA, anchor, 0},
		{"an anchor's not critical", rootExt(bc, nil, seq([]byte{1, 1, 0xff})), cert.NotCA, anchor, 0},
		{"an anchor that allows no intermediate", rootExt(bc, critical, seq([]byte{1, 1, 0xff, 2, 1, 0})), cert.PathLength, anchor, 0},

		// keyUsage
		{name: "no keyUsage of the leaf", change: func(f *family) { f.leaf.drop(ku) }},
		{name: "digitalSignature and keyAgreement", change: leafExt(ku, nil, usage(3, 0x88))},
		{name: "all nine bits but keyCertSign", change: leafExt(ku, critical, usage(7, 0xfb, 0x80))},
		{"keyEncipherment alone", leafExt(ku, critical, usage(5, 0x20)), cert.KeyUsage, false, 0},
		{"decipherOnly alone", leafExt(ku, critical, usage(7, 0, 0x80)), cert.KeyUsage, false, 0},
		{"a leaf with keyCertSign", leafExt(ku, critical, usage(2, 0x84)), cert.KeyUsage, false, 0},
		{"no bit", leafExt(ku, critical, usage(0)), cert.Extension, false, 0},
		{"a zero octet", leafExt(ku, critical, usage(0, 0)), cert.Extension, false, 0},
		{"zeros at the end", leafExt(ku, critical, usage(6, 0x80)), cert.Extension, false, 0},
		{"a zero octet at the end", leafExt(ku, critical, usage(7, 0x80, 0)), cert.Extension, false, 0},
		{"unused bits that are set", leafExt(ku, critical, usage(7, 0xc0)), cert.Extension, false, 0},
		{"ten bits", leafExt(ku, critical, usage(6, 0x80, 0x40)), cert.Extension, false, 0},
		{"eight unused bits", leafExt(ku, critical, usage(8, 0x80)), cert.Extension, false, 0},
		{"an INTEGER as keyUsage", leafExt(ku, critical, []byte{2, 1, 0x7f}), cert.Extension, false, 0},
		{"an intermediate without keyUsage", func(f *family) { f.sub.drop(ku) }, cert.KeyUsage, false, 1},
		{"an intermediate that signs no certificates", subExt(ku, critical, usage(1, 0x02)), cert.KeyUsage, false, 1},
		{name: "an anchor without keyUsage", change: func(f *family) { f.root.drop(ku) }},
		{"an anchor that signs no certificates", rootExt(ku, critical, usage(1, 0x02)), cert.KeyUsage, anchor, 0},

		// key identifiers
		{name: "no authority key id", change: func(f *family) { f.leaf.drop(aki) }},
		{name: "no subject key id of the issuer", change: func(f *family) { f.sub.drop(ski) }},
		{"another key id", leafExt(aki, nil, seq(tlv(0x80, keyID(otherKey)))), cert.KeyID, false, 0},
		{"another key id than the anchor's", subExt(aki, nil, seq(tlv(0x80, keyID(otherKey)))), cert.KeyID, false, 1},
		{"a critical authority key id", leafExt(aki, critical, seq(tlv(0x80, keyID(subKey)))), cert.Extension, false, 0},
		{"a critical subject key id", leafExt(ski, critical, tlv(4, keyID(leafKey))), cert.Extension, false, 0},
		{"issuer and serial too", leafExt(aki, nil, seq(tlv(0x80, keyID(subKey)), tlv(0xa1, tlv(0xa4, subName)), tlv(0x82, []byte{1}))), cert.Extension, false, 0},
		{"an empty authority key id", leafExt(aki, nil, seq()), cert.Extension, false, 0},
		{"a key id of no bytes", leafExt(ski, nil, tlv(4)), cert.Extension, false, 0},
		{name: "a key id of 64 bytes", change: leafExt(ski, nil, tlv(4, make([]byte, 64)))},
		{"a key id of 65 bytes", leafExt(ski, nil, tlv(4, make([]byte, 65))), cert.Extension, false, 0},

		// validity at the time
		{name: "from this second", change: func(f *family) { f.leaf.notBefore = tlv(0x17, []byte("260601120000Z")) }},
		{"from the next second", func(f *family) { f.leaf.notBefore = tlv(0x17, []byte("260601120001Z")) }, cert.NotYetValid, false, 0},
		{name: "until this second", change: notAfter(0x17, "260601120000Z")},
		{"until the last second", notAfter(0x17, "260601115959Z"), cert.Expired, false, 0},
		{"an intermediate expired", func(f *family) { f.sub.notAfter = tlv(0x17, []byte("260601115959Z")) }, cert.Expired, false, 1},
		{"an anchor expired", func(f *family) { f.root.notAfter = tlv(0x17, []byte("260601115959Z")) }, cert.Expired, anchor, 0},
		{"an anchor not yet valid", func(f *family) { f.root.notBefore = tlv(0x17, []byte("260601120001Z")) }, cert.NotYetValid, anchor, 0},

		// chain
		{"an issuer of another name", func(f *family) { f.leaf.issuer = rootName }, cert.Issuer, false, 0},
		{"an issuer spelt with another string type", func(f *family) {
			f.leaf.issuer = seq(attr(org, "Acme"), tlv(0x31, seq(oid(cn), tlv(0x13, []byte("Acme Devices 1")))))
		}, cert.Issuer, false, 0},
		{"an unknown root", func(f *family) { f.sub.issuer = dn(cn, "Nobody") }, cert.NoAnchor, false, 1},
		{"a leaf with its issuer's key", func(f *family) {
			f.leaf.spki = spkiOf(subKey)
		}, cert.Loop, false, 1},
		{"a leaf with the anchor's key", func(f *family) {
			f.leaf.spki = spkiOf(rootKey)
		}, cert.Loop, anchor, 0},
		{"VID without PKI of Matter", rename(vid, "FFF1"), cert.Vendor, false, 0},
		{"PID without VID", rename(pid, "8000"), cert.Vendor, false, 0},
	} {
		f := newFamily()
		c.change(f)
		_, err := cert.Verify(f.chain(), f.root.der(), at)
		expect(t, c.name, err, c.want, c.anchor, c.index)
		if err == nil {
			agree(t, c.name, f.chain(), f.root.der(), at)
		}
	}
}

// nested is n SEQUENCEs in each other.
func nested(n int) []byte {
	b := []byte{}
	for range n {
		b = seq(b)
	}
	return b
}

func expect(t *testing.T, name string, err error, want cert.Reason, anchor bool, index int) {
	t.Helper()
	if want == 0 {
		if err != nil {
			t.Errorf("%s: %v, want it verified", name, err)
		}
		return
	}
	e, ok := err.(*cert.Error)
	if !ok || *e != (cert.Error{Reason: want, Anchor: anchor, Index: index}) {
		t.Errorf("%s: %v, want %v", name, err, &cert.Error{Reason: want, Anchor: anchor, Index: index})
	}
}

// TestMatter: who speaks for whom.
func TestMatter(t *testing.T) {
	leaf := func(pairs ...string) func(*family) {
		return func(f *family) { f.leaf.subject = dn(pairs...) }
	}
	sub := func(pairs ...string) func(*family) {
		return func(f *family) { f.sub.subject = dn(pairs...); f.leaf.issuer = f.sub.subject }
	}
	root := func(pairs ...string) func(*family) {
		return func(f *family) {
			f.root.subject = dn(pairs...)
			f.root.issuer, f.sub.issuer = f.root.subject, f.root.subject
		}
	}
	for _, c := range []struct {
		name   string
		change func(*family)
		want   cert.Reason
		anchor bool
		index  int
	}{
		{name: "PAA and PAI of a vendor, DAC of a product", change: func(*family) {}},
		{name: "a PAA of no vendor", change: root(cn, "PAA")},
		{name: "a PAI of no product", change: sub(cn, "PAI", vid, "FFF1")},
		{"a DAC of another vendor", leaf(cn, "DAC", vid, "FFF2", pid, "8000"), cert.Vendor, false, 0},
		{"a DAC of another product", leaf(cn, "DAC", vid, "FFF1", pid, "8001"), cert.Vendor, false, 0},
		{"a DAC of no product", leaf(cn, "DAC", vid, "FFF1"), cert.Vendor, false, 0},
		{"a DAC of no vendor", leaf(cn, "DAC"), cert.Vendor, false, 0},
		{"a PAI of another vendor", func(f *family) {
			sub(cn, "PAI", vid, "FFF2")(f)
			leaf(cn, "DAC", vid, "FFF2", pid, "8000")(f)
		}, cert.Vendor, false, 1},
		{"a PAI of no vendor under a PAA of one", func(f *family) {
			sub(cn, "PAI")(f)
			leaf(cn, "DAC")(f)
		}, cert.Vendor, false, 1},
		{"a PAI of no vendor, a DAC of one", func(f *family) {
			root(cn, "PAA")(f)
			sub(cn, "PAI")(f)
		}, cert.Vendor, false, 0},
		{"VID of three digits", leaf(cn, "DAC", vid, "FFF", pid, "8000"), cert.Vendor, false, 0},
		{"VID in small letters", leaf(cn, "DAC", vid, "fff1", pid, "8000"), cert.Vendor, false, 0},
		{"PID of five digits", leaf(cn, "DAC", vid, "FFF1", pid, "80000"), cert.Vendor, false, 0},
		{"VID twice", leaf(vid, "FFF1", vid, "FFF1", pid, "8000"), cert.Name, false, 0},
	} {
		f := matter()
		c.change(f)
		l, err := cert.Verify(f.chain(), f.root.der(), at)
		expect(t, c.name, err, c.want, c.anchor, c.index)
		if err == nil && (l.VID != "FFF1" || l.PID != "8000") {
			t.Errorf("%s: VID %q, PID %q", c.name, l.VID, l.PID)
		}
	}
}

// TestInput: what Verify is given, beyond a single chain and anchor.
func TestInput(t *testing.T) {
	f := newFamily()
	leaf, sub, root := f.leaf.der(), f.sub.der(), f.root.der()
	big := newFamily()
	fill := func(size int) []byte {
		big.leaf.set(ext{unknown, nil, nil})
		big.leaf.set(ext{unknown, nil, make([]byte, 1000+size-len(with(big.leaf, unknown, make([]byte, 1000))))})
		return big.leaf.der()
	}
	exact := fill(cert.MaxCertificate)
	for len(exact) != cert.MaxCertificate { // signatures are of 70 to 72 bytes
		exact = fill(cert.MaxCertificate + cert.MaxCertificate - len(exact))
	}
	over := with(big.leaf, unknown, make([]byte, 2000))
	deepRoot := newFamily().root
	deepRoot.set(asCA(2)[0])

	third, fourth := dn(cn, "third"), dn(cn, "fourth")
	thirdKey, fourthKey := key("third"), key("fourth")
	long := func(n byte) ([]byte, []byte) { // leaf, sub, third, fourth, issued by root
		l := newFamily()
		l.sub.issuer, l.sub.sign = third, signer(thirdKey)
		l.sub.set(ext{aki, nil, seq(tlv(0x80, keyID(thirdKey)))})
		l.root.set(asCA(int(n))[0])
		c3 := good(third, fourth, thirdKey, fourthKey, asCA(1)...)
		c4 := good(fourth, rootName, fourthKey, rootKey, asCA(2)...)
		return cat(l.leaf.der(), l.sub.der(), c3.der(), c4.der()), l.root.der()
	}
	chain4, root3 := long(3)
	_, root2 := long(2)

	again := newFamily().sub // the intermediate once more, under a name of its own
	again.issuer = subName
	self := good(leafName, leafName, leafKey, leafKey, asLeaf()...).der()
	selfCA := good(leafName, leafName, leafKey, leafKey, asCA(0)...).der()
	renewed := newFamily().root
	renewed.serial = []byte{9}
	successor := newFamily().root // the root's name with another key, and no identifiers
	successor.spki, successor.sign = spkiOf(otherKey), signer(otherKey)
	successor.drop(ski)
	foreign := good(dn(cn, "Foreign"), dn(cn, "Foreign"), key("foreign"), key("foreign"), asCA(-1)...).der()
	expired := newFamily().root
	expired.notAfter = tlv(0x17, []byte("260101000000Z"))
	wrapped := bytes.Clone(leaf)
	wrapped[1]++ // one byte of the next certificate too many

	for _, c := range []struct {
		name           string
		chain, anchors []byte
		want           cert.Reason
		anchor         bool
		index          int
		by             int // index of the anchor, if verified
	}{
		{name: "the anchor's own certificate at the end", chain: cat(leaf, sub, root), anchors: root},
		{name: "under an intermediate as the anchor", chain: leaf, anchors: sub},
		{name: "three intermediates", chain: chain4, anchors: root3},
		{name: "the second of two anchors", chain: cat(leaf, sub), anchors: cat(foreign, root), by: 1},
		{name: "16 anchors", chain: cat(leaf, sub), anchors: cat(bytes.Repeat(foreign, 15), root), by: 15},
		{name: "the root of the same name first", chain: cat(leaf, sub), anchors: cat(successor.der(), root), by: 1},
		{name: "the renewed root first", chain: cat(leaf, sub), anchors: cat(renewed.der(), root), by: 0},
		{name: "the expired root first", chain: cat(leaf, sub), anchors: cat(expired.der(), root), by: 1},
		{name: "certificate of 2048 bytes", chain: cat(exact, sub), anchors: root},

		{name: "no chain", anchors: root, want: cert.Empty},
		{name: "no anchors", chain: cat(leaf, sub), want: cert.Empty, anchor: true},
		{name: "five certificates", chain: cat(chain4, root3), anchors: root3, want: cert.TooMany, index: 4},
		{name: "17 anchors", chain: cat(leaf, sub), anchors: bytes.Repeat(root, 17), want: cert.TooMany, anchor: true, index: 16},
		{name: "more than 2048 bytes", chain: cat(over, sub), anchors: root, want: cert.TooLarge},
		{name: "a byte before", chain: cat([]byte{0}, leaf, sub), anchors: root, want: cert.Encoding},
		{name: "a byte between", chain: cat(leaf, []byte{0}, sub), anchors: root, want: cert.Encoding, index: 1},
		{name: "a byte behind", chain: cat(leaf, sub, []byte{0}), anchors: root, want: cert.Encoding, index: 2},
		{name: "cut off", chain: cat(leaf, sub[:len(sub)-1]), anchors: root, want: cert.Encoding, index: 1},
		{name: "a length of 2^31", chain: []byte{0x30, 0x84, 0x80, 0, 0, 0}, anchors: root, want: cert.Encoding},
		{name: "an indefinite length", chain: cat([]byte{0x30, 0x80}, leaf[4:], []byte{0, 0}), anchors: root, want: cert.Encoding},
		{name: "a length in a byte too many", chain: cat([]byte{0x30, 0x83, 0}, leaf[2:], sub), anchors: root, want: cert.Encoding},
		{name: "a tag of two bytes", chain: cat([]byte{0x3f, 0x10}, leaf[1:]), anchors: root, want: cert.Encoding},
		{name: "4,096 deep", chain: nested(4096), anchors: root, want: cert.TooLarge},
		{name: "400 deep", chain: nested(400), anchors: root, want: cert.Encoding},
		{name: "an anchor cut off", chain: cat(leaf, sub), anchors: cat(foreign, root[:9]), want: cert.Encoding, anchor: true, index: 1},

		{name: "the anchor alone", chain: root, anchors: root, want: cert.LeafIsCA},
		{name: "an intermediate as the leaf", chain: sub, anchors: root, want: cert.LeafIsCA},
		{name: "a self-signed leaf", chain: self, anchors: root, want: cert.NoAnchor},
		{name: "a self-signed leaf as its own anchor", chain: self, anchors: self, want: cert.NotCA, anchor: true},
		{name: "a self-signed leaf under its own CA", chain: self, anchors: selfCA, want: cert.Loop, anchor: true},
		{name: "the intermediate missing", chain: leaf, anchors: root, want: cert.NoAnchor},
		{name: "the wrong order", chain: cat(sub, leaf), anchors: root, want: cert.LeafIsCA},
		{name: "the root's certificate, which is no anchor", chain: cat(leaf, sub, root), anchors: foreign, want: cert.NoAnchor, index: 2},
		{name: "the root's certificate twice", chain: cat(leaf, sub, deepRoot.der(), deepRoot.der()), anchors: deepRoot.der(), want: cert.Loop, anchor: true},
		{name: "more behind the anchor's certificate", chain: cat(leaf, sub, root), anchors: sub, want: cert.NoAnchor, index: 2},
		{name: "the intermediate twice", chain: cat(leaf, sub, sub), anchors: root, want: cert.Issuer, index: 1},
		{name: "an intermediate that issues itself", chain: cat(leaf, again.der(), sub), anchors: root, want: cert.KeyID, index: 1},
		{name: "a chain of three under a root for two", chain: chain4, anchors: root2, want: cert.PathLength, anchor: true},
		{name: "only the root of the same name", chain: cat(leaf, sub), anchors: successor.der(), want: cert.Signature, index: 1},
		{name: "only the expired root", chain: cat(leaf, sub), anchors: cat(foreign, expired.der()), want: cert.Expired, anchor: true, index: 1},
		{name: "a leaf that claims a byte more", chain: cat(wrapped, sub), anchors: root, want: cert.Encoding},
	} {
		l, err := cert.Verify(c.chain, c.anchors, at)
		expect(t, c.name, err, c.want, c.anchor, c.index)
		if err == nil {
			if l.Anchor != c.by {
				t.Errorf("%s: verified by anchor %d, want %d", c.name, l.Anchor, c.by)
			}
			agree(t, c.name, c.chain, c.anchors, at)
		}
	}
}

func with(f *forge, id string, value []byte) []byte {
	f.set(ext{id, nil, value})
	return f.der()
}

// TestPathLengthInside: an intermediate's path length binds what is below it.
func TestPathLengthInside(t *testing.T) {
	for length, want := range map[int]cert.Reason{0: cert.PathLength, 1: 0, 2: 0, 127: 0, -1: 0} {
		f := newFamily()
		third, thirdKey := dn(cn, "third"), key("third")
		f.sub.issuer, f.sub.sign = third, signer(thirdKey)
		f.sub.set(ext{aki, nil, seq(tlv(0x80, keyID(thirdKey)))})
		f.root.set(asCA(-1)[0])
		c3 := good(third, rootName, thirdKey, rootKey, asCA(length)...)
		_, err := cert.Verify(cat(f.chain(), c3.der()), f.root.der(), at)
		expect(t, fmt.Sprint("path length ", length), err, want, false, 2)
	}
}

// TestSignatures: Verify never checks more signatures than were announced.
func TestSignatures(t *testing.T) {
	f := newFamily()
	successor := newFamily().root
	successor.spki, successor.sign = spkiOf(otherKey), signer(otherKey)
	successor.drop(ski)
	renewed := newFamily().root
	renewed.serial = []byte{9}
	foreign := good(dn(cn, "Foreign"), dn(cn, "Foreign"), key("foreign"), key("foreign"), asCA(-1)...).der()
	for _, c := range []struct {
		name           string
		chain, anchors []byte
		want           int
	}{
		{"leaf alone", f.leaf.der(), f.sub.der(), 1},
		{"leaf and intermediate", f.chain(), f.root.der(), 2},
		{"with the root", cat(f.chain(), f.root.der()), f.root.der(), 2},
		{"other makers' anchors", f.chain(), cat(foreign, f.root.der(), foreign), 2},
		{"two keys of a name", f.chain(), cat(successor.der(), f.root.der()), 3},
		{"one key twice", f.chain(), cat(renewed.der(), f.root.der()), 2},
	} {
		p, err := cert.Read(c.chain, c.anchors, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Signatures(); got != c.want {
			t.Errorf("%s: %d signatures, want %d", c.name, got, c.want)
		}
	}
}

// TestCheckAnchors says of an anchor what Verify would.
func TestCheckAnchors(t *testing.T) {
	f := newFamily()
	f.root.notAfter = tlv(0x17, []byte("260101000000Z")) // the time is not asked
	expect(t, "an expired root", cert.CheckAnchors(f.root.der()), 0, false, 0)
	expect(t, "a leaf", cert.CheckAnchors(cat(f.root.der(), f.leaf.der())), cert.NotCA, true, 1)
	expect(t, "nothing", cert.CheckAnchors(nil), cert.Empty, true, 0)
}

// TestEveryByte: no byte of a chain can be changed, and none left out.
func TestEveryByte(t *testing.T) {
	f := newFamily()
	chain, root := f.chain(), f.root.der()
	for i := range chain {
		for _, flip := range []byte{1, 0x20, 0x80, 0xff} {
			changed := bytes.Clone(chain)
			changed[i] ^= flip
			if _, err := cert.Verify(changed, root, at); err == nil {
				t.Fatalf("byte %d xor %#x is not noticed", i, flip)
			}
		}
	}
	for i := range chain {
		if _, err := cert.Verify(chain[:i], root, at); err == nil {
			t.Fatalf("%d bytes of %d verify", i, len(chain))
		}
	}
}

// TestErrors: every reason has a text of its own in printable ASCII, numbered from 1 without gaps.
func TestErrors(t *testing.T) {
	var seen []string
	for r := cert.TooLarge; r <= cert.Vendor; r++ {
		s := r.String()
		if strings.HasPrefix(s, "reason ") || slices.Contains(seen, s) || strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c > '~' }) {
			t.Errorf("reason %d is %q", r, s)
		}
		seen = append(seen, s)
	}
	if s := cert.Reason(200).String(); s != "reason 200" {
		t.Errorf("reason 200 is %q", s)
	}
	if s := (&cert.Error{Reason: cert.Expired, Anchor: true, Index: 3}).Error(); s != "anchor 3: expired" {
		t.Errorf("an error is %q", s)
	}
	if r := cert.ReasonOf(fmt.Errorf("node: %w", &cert.Error{Reason: cert.Loop})); r != cert.Loop {
		t.Errorf("reason of a wrapped error is %v", r)
	}
	if r := cert.ReasonOf(fmt.Errorf("other")); r != 0 {
		t.Errorf("reason of another error is %v", r)
	}
}
