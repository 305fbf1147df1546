package cert

import (
	"bytes"
	"math/bits"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// MaxExtensions is how many extensions a certificate may have: a device's has four to
// ten, and each is compared with those before it.
const MaxExtensions = 24

// MaxKeyID is the longest key identifier, in bytes: a SHA-512.
const MaxKeyID = 64

// Extensions of RFC 5280, section 4.2.1, which are all named 2.5.29.x.
const (
	idSubjectKeyID     = 14
	idKeyUsage         = 15
	idBasicConstraints = 19
	idNameConstraints  = 30
	idPolicyMappings   = 33
	idAuthorityKeyID   = 35
	idPolicyConstraint = 36
	idExtKeyUsage      = 37
	idInhibitAnyPolicy = 54
)

// Bits of keyUsage that matter here, numbered as in RFC 5280, section 4.2.1.3.
const (
	usageDigitalSignature = 1 << 0
	usageKeyCertSign      = 1 << 5
	usageBits             = 9
)

// noPathLength stands for an absent pathLenConstraint.
const noPathLength = -1

// extensions are what the known ones say.
type extensions struct {
	ca          bool // basicConstraints with CA
	caCritical  bool // which is critical
	pathLength  int
	usage       uint16 // bits of keyUsage; 0 if absent, never 0 if there
	keyID       []byte // subject key identifier, nil if absent
	authorityID []byte // authority key identifier, nil if absent
}

// readExtensions reads what follows the key of a certificate (RFC 5280, section 4.1):
//
//	[3] EXPLICIT SEQUENCE OF SEQUENCE { OBJECT IDENTIFIER, BOOLEAN DEFAULT FALSE, OCTET STRING }
func readExtensions(s *cryptobyte.String) (e extensions, reason Reason) {
	e.pathLength = noPathLength
	if s.Empty() || s.PeekASN1Tag(asn1.Tag(1).ContextSpecific()) || s.PeekASN1Tag(asn1.Tag(2).ContextSpecific()) {
		return e, Version
	}
	var wrapper, list cryptobyte.String
	if !s.ReadASN1(&wrapper, asn1.Tag(3).ContextSpecific().Constructed()) ||
		!wrapper.ReadASN1(&list, asn1.SEQUENCE) || !wrapper.Empty() || list.Empty() {
		return e, Encoding
	}
	var seen [MaxExtensions][]byte
	for n := 0; !list.Empty(); n++ {
		var extension, oid, value cryptobyte.String
		critical := false
		if !list.ReadASN1(&extension, asn1.SEQUENCE) || !extension.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) {
			return e, Encoding
		}
		if extension.PeekASN1Tag(asn1.BOOLEAN) {
			if critical = true; !readTrue(&extension) {
				return e, Encoding
			}
		}
		if !extension.ReadASN1(&value, asn1.OCTET_STRING) || !extension.Empty() {
			return e, Encoding
		}
		if n == MaxExtensions || !validOID(oid) {
			return e, Extension
		}
		for _, other := range seen[:n] {
			if bytes.Equal(other, oid) {
				return e, Repeated
			}
		}
		seen[n] = oid
		if reason := e.read(oid, critical, value); reason != 0 {
			return e, reason
		}
	}
	return e, 0
}

// read takes in one extension. What an unknown one holds is not looked at.
func (e *extensions) read(oid []byte, critical bool, value cryptobyte.String) Reason {
	known := byte(0) // no extension is 2.5.29.0
	if len(oid) == 3 && oid[0] == 0x55 && oid[1] == 0x1d {
		known = oid[2]
	}
	ok := true
	switch known {
	case idBasicConstraints:
		e.caCritical = critical
		ok = e.readBasicConstraints(value)
	case idKeyUsage:
		e.usage, ok = readKeyUsage(value)
	case idSubjectKeyID: // MUST NOT be critical (4.2.1.2)
		var id cryptobyte.String
		ok = !critical && value.ReadASN1(&id, asn1.OCTET_STRING) && value.Empty() && validKeyID(id)
		e.keyID = id
	case idAuthorityKeyID: // MUST NOT be critical (4.2.1.1)
		// Issuer and serial instead of, or next to, the identifier are refused: nothing here would compare them.
		var list, id cryptobyte.String
		ok = !critical && value.ReadASN1(&list, asn1.SEQUENCE) && value.Empty() &&
			list.ReadASN1(&id, asn1.Tag(0).ContextSpecific()) && list.Empty() && validKeyID(id)
		e.authorityID = id
	case idExtKeyUsage:
		// Read for its form, so that a critical one need not be refused. Purposes
		// (TLS, code signing) are not ours: a device signs for Ward.
		var list, purpose cryptobyte.String
		ok = value.ReadASN1(&list, asn1.SEQUENCE) && value.Empty() && !list.Empty()
		for ok && !list.Empty() {
			ok = list.ReadASN1(&purpose, asn1.OBJECT_IDENTIFIER) && validOID(purpose)
		}
	case idNameConstraints, idPolicyMappings, idPolicyConstraint, idInhibitAnyPolicy:
		return Constraint
	default:
		if critical {
			return Critical
		}
	}
	if !ok {
		return Extension
	}
	return 0
}

// readBasicConstraints reads SEQUENCE { BOOLEAN DEFAULT FALSE, INTEGER (0..MAX) OPTIONAL }
// (RFC 5280, section 4.2.1.9). A path length without CA means nothing and is refused.
func (e *extensions) readBasicConstraints(value cryptobyte.String) bool {
	var list, n cryptobyte.String
	if !value.ReadASN1(&list, asn1.SEQUENCE) || !value.Empty() {
		return false
	}
	if list.Empty() {
		return true
	}
	if !readTrue(&list) {
		return false
	}
	e.ca = true
	if list.Empty() {
		return true
	}
	// One byte: a chain is not longer than MaxChain, and no certificate says more than 127.
	if !list.ReadASN1(&n, asn1.INTEGER) || !list.Empty() || len(n) != 1 || n[0] > 127 {
		return false
	}
	e.pathLength = int(n[0])
	return true
}

// readKeyUsage reads a BIT STRING of named bits: without zeros at its end (X.690,
// section 11.2.2), at least one set (RFC 5280, section 4.2.1.3).
func readKeyUsage(value cryptobyte.String) (usage uint16, ok bool) {
	var b cryptobyte.String
	if !value.ReadASN1(&b, asn1.BIT_STRING) || !value.Empty() || len(b) < 2 || len(b) > 3 {
		return 0, false
	}
	unused, last := b[0], b[len(b)-1]
	if last == 0 || int(unused) != bits.TrailingZeros8(last) || (len(b)-1)*8-int(unused) > usageBits {
		return 0, false
	}
	for i, octet := range b[1:] {
		usage |= uint16(bits.Reverse8(octet)) << (8 * i)
	}
	return usage, true
}

// readTrue reads a BOOLEAN that is true. False is the default wherever X.509 has a
// BOOLEAN, and DER doesn't write defaults (X.690, section 11.5).
func readTrue(s *cryptobyte.String) bool {
	var b cryptobyte.String
	return s.ReadASN1(&b, asn1.BOOLEAN) && len(b) == 1 && b[0] == 0xff
}

func validKeyID(id []byte) bool { return len(id) > 0 && len(id) <= MaxKeyID }
