// Package cert decides whether a device's certificate was issued by somebody whom a
// contract trusts. It verifies X.509 chains of P-256 keys: the IDevID of IEEE
// 802.1AR-2018, the DAC, PAI and PAA of Matter (Core Specification, section 6.2).
//
//	chain: DER, leaf first                              anchors: DER
//	┌──────┐ issued by ┌──────────────┐ issued by   ┌────────┐
//	│ leaf │ ────────> │ intermediate │ ──────────> │ anchor │  one of up to 16
//	└──────┘           └──────────────┘ (up to 3)   └────────┘
//	   │  Read: form, roles, names, key ids, validity; no signature yet
//	   v
//	 Path ── Signatures: what Verify will cost ──> Verify ──> Leaf ──> Encode: CBOR
//
// The answer is consensus, and crypto/x509 changes what it accepts from release to
// release. Therefore the profile is our own, and narrow: from a library come the
// tags and lengths of DER (cryptobyte) and the arithmetic of the curve (crypto/ecdsa),
// everything else is decided here. What is accepted here, crypto/x509 and OpenSSL accept
// as well, for any purpose and with the same anchors, except that they also refuse
// malformed values of extensions that are not looked at here. An anchor is the contract's word: self-signed or not,
// its own signature, in whatever algorithm, is not looked at (RFC 5280, section
// 6.1.1 d; OpenSSL calls that a partial chain).
//
// # The profile
//
//	input       at most MaxChain certificates of MaxCertificate bytes and MaxAnchors anchors
//	DER         definite shortest lengths, tags below 31, nothing behind the last
//	            element of anything, no default written out, sets in order (X.690, 10 and 11)
//	version     3, with extensions and without unique ids (RFC 5280, 4.1.2.1, 4.1.2.8)
//	serial      INTEGER above zero of at most 20 bytes (4.1.2.2)
//	algorithm   ecdsa-with-SHA256 without parameters, twice the same (4.1.1.2, RFC 5758 3.2)
//	signature   r and s from 1 to n-1; s high or low, as everywhere in Ward
//	key         id-ecPublicKey, prime256v1, an uncompressed point of the curve
//	            (RFC 5480, 2; the compressed form is optional there: one key, one form)
//	names       not empty; UTF8String, PrintableString or IA5String without control
//	            characters (4.1.2.4); common name, serial number, VID and PID at most once
//	times       YYMMDDHHMMSSZ to 2049, YYYYMMDDHHMMSSZ from 2050 (4.1.2.5);
//	            99991231235959Z is Never (4.1.2.5, 802.1AR)
//	extensions  each at most once, at most MaxExtensions; unknown ones only if not critical
//	  known       basicConstraints, keyUsage, both key identifiers, extKeyUsage (form only)
//	  refused     name and policy constraints, policy mappings, inhibitAnyPolicy, critical
//	              or not: whoever ignores a constraint widens it
//
// # The path (RFC 5280, 6.1)
//
//	order       each certificate is issued by the next, the last by an anchor; an anchor's
//	            own certificate may end the chain, as many devices send it, and changes nothing
//	names       issuer and subject equal byte for byte
//	key ids     authority and subject key identifier equal where both are there
//	            (4.2.1.1; keyIdentifier only, of 1 to MaxKeyID bytes)
//	validity    each certificate and the anchor at the given second, both ends included
//	issuers     basicConstraints critical with CA (4.2.1.9), keyUsage with keyCertSign
//	            (4.2.1.3; an anchor may leave keyUsage out), as few intermediates below as
//	            pathLenConstraint says, self-issued ones counted
//	leaf        not a CA, so that a device's key can't make devices; keyUsage, if there,
//	            with digitalSignature and without keyCertSign
//	loops       no key occurs twice, so that nothing issues itself
//	Matter      four capital hex digits; the VID and PID of an issuer bind everything below it, and a leaf has a VID
//	            only from an issuer that has it (Matter 6.2.3.1); a PID needs a VID
//
// An anchor's validity is checked although RFC 5280 leaves that open: its notAfter is
// its owner's word on how long the key is kept safe, crypto/x509 and OpenSSL
// respect it, and the makers of devices that live longer write Never. One expired anchor
// refuses nothing that another one vouches for. Matter's commissioners judge a chain at the moment the
// DAC was issued; Ward judges at the time it is given, which is the block's, because an
// expired key may be anybody's. A self-signed leaf is refused, whether it is
// among the anchors (an anchor must be a CA, a leaf must not) or not (no anchor).
//
// The package has no clock and knows no revocation: Leaf.Path names every certificate
// by issuer and serial, and the contract looks them up.
package cert
