package cert

import (
	"bytes"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// maxSerial is the longest serial number, in bytes of its INTEGER (RFC 5280, section 4.1.2.2).
const maxSerial = 20

// certificate is one certificate of the profile, not yet judged by its place in the path.
// It aliases the input.
type certificate struct {
	der                 []byte
	tbs                 []byte // what is signed
	signature           []byte // checked by validSignature, unless it is an anchor's
	serial              []byte // without the zero before a leading one bit
	issuer, subject     name
	notBefore, notAfter int64
	publicKey
	extensions
}

// readCertificate reads a Certificate (RFC 5280, section 4.1) that is all of der:
//
//	SEQUENCE {
//	  SEQUENCE { [0] version, serial, algorithm, issuer, validity, subject, key, [3] extensions }
//	  algorithm
//	  BIT STRING signature
//	}
//
// An anchor may be signed with any algorithm: nobody will look.
func readCertificate(der []byte, anchor bool) (*certificate, Reason) {
	c := &certificate{der: der}
	var outer, tbs, algorithm, inner, signature cryptobyte.String
	s := cryptobyte.String(der)
	if !s.ReadASN1(&outer, asn1.SEQUENCE) || !s.Empty() ||
		!outer.ReadASN1Element(&tbs, asn1.SEQUENCE) ||
		!outer.ReadASN1Element(&algorithm, asn1.SEQUENCE) ||
		!outer.ReadASN1(&signature, asn1.BIT_STRING) || !outer.Empty() ||
		len(signature) < 2 || signature[0] != 0 { // a whole number of bytes
		return nil, Encoding
	}
	c.tbs, c.signature = tbs, signature[1:]
	if !tbs.ReadASN1(&tbs, asn1.SEQUENCE) {
		return nil, Encoding
	}

	var version, validity cryptobyte.String
	if !tbs.PeekASN1Tag(asn1.Tag(0).ContextSpecific().Constructed()) {
		return nil, Version // version 1 is the default
	}
	if !tbs.ReadASN1Element(&version, asn1.Tag(0).ContextSpecific().Constructed()) {
		return nil, Encoding
	}
	if !bytes.Equal(version, []byte{0xa0, 3, 2, 1, 2}) { // v3(2)
		return nil, Version
	}
	if !tbs.PeekASN1Tag(asn1.INTEGER) {
		return nil, Encoding
	}
	var ok bool
	if c.serial, ok = readPositive(&tbs, maxSerial); !ok {
		return nil, Serial
	}
	if !tbs.ReadASN1Element(&inner, asn1.SEQUENCE) {
		return nil, Encoding
	}
	if !bytes.Equal(inner, algorithm) || !anchor && !bytes.Equal(inner, ecdsaWithSHA256) {
		return nil, Algorithm
	}
	var reason Reason
	if c.issuer, reason = readName(&tbs); reason != 0 {
		return nil, reason
	}
	if !tbs.ReadASN1(&validity, asn1.SEQUENCE) {
		return nil, Encoding
	}
	if c.notBefore, ok = readTime(&validity); !ok {
		return nil, Validity
	}
	if c.notAfter, ok = readTime(&validity); !ok || !validity.Empty() || c.notAfter < c.notBefore {
		return nil, Validity
	}
	if c.subject, reason = readName(&tbs); reason != 0 {
		return nil, reason
	}
	if c.publicKey, reason = readPublicKey(&tbs); reason != 0 {
		return nil, reason
	}
	if c.extensions, reason = readExtensions(&tbs); reason != 0 {
		return nil, reason
	}
	if !tbs.Empty() {
		return nil, Encoding
	}
	if !anchor && !validSignature(c.signature) {
		return nil, Signature
	}
	return c, 0
}

// validAt judges the certificate at a Unix second; both ends are inside (RFC 5280, section 4.1.2.5).
func (c *certificate) validAt(at int64) Reason {
	switch {
	case at < c.notBefore:
		return NotYetValid
	case at > c.notAfter && c.notAfter != Never:
		return Expired
	}
	return 0
}

// mayIssue judges the certificate as an issuer with so many intermediates below it.
func (c *certificate) mayIssue(anchor bool, below int) Reason {
	switch {
	case !c.ca || !c.caCritical:
		return NotCA
	case c.usage&usageKeyCertSign == 0 && !(anchor && c.usage == 0):
		return KeyUsage
	case c.pathLength != noPathLength && c.pathLength < below:
		return PathLength
	}
	return 0
}

// mayBeLeaf judges the certificate as a device's.
func (c *certificate) mayBeLeaf() Reason {
	switch {
	case c.ca:
		return LeafIsCA
	case c.usage != 0 && (c.usage&usageDigitalSignature == 0 || c.usage&usageKeyCertSign != 0):
		return KeyUsage
	}
	return 0
}

// issuedBy judges everything that a certificate and its issuer must agree on, but for the
// signature.
func (c *certificate) issuedBy(issuer *certificate, leaf bool) Reason {
	child, parent := c.subject, issuer.subject
	switch {
	case !bytes.Equal(c.issuer.der, parent.der):
		return Issuer
	case c.authorityID != nil && issuer.keyID != nil && !bytes.Equal(c.authorityID, issuer.keyID):
		return KeyID
	// An issuer of one vendor speaks for no other, and who speaks for none names none.
	case parent.vid != "" && child.vid != parent.vid, parent.pid != "" && child.pid != parent.pid,
		leaf && child.vid != parent.vid:
		return Vendor
	}
	return 0
}
