package cert

import (
	"errors"
	"strconv"
)

// Reason says why a chain is refused. The numbers are seen by contracts: they are
// only ever appended.
type Reason uint8

// The reasons. Each is said of one certificate, see Error.
const (
	TooLarge    Reason = 1  // longer than MaxCertificate
	TooMany     Reason = 2  // one more than MaxChain or MaxAnchors
	Empty       Reason = 3  // there is none
	Encoding    Reason = 4  // not DER, or not the structure of a certificate
	Version     Reason = 5  // not version 3, or with unique ids, or without extensions
	Serial      Reason = 6  // zero, negative, longer than 20 bytes or not shortest
	Algorithm   Reason = 7  // not signed with ecdsa-with-SHA256, or said so differently in the two places
	Name        Reason = 8  // issuer or subject is empty or outside the profile
	Validity    Reason = 9  // a time in another form, no day of the calendar, or the end before the start
	Key         Reason = 10 // not an uncompressed point of P-256
	Extension   Reason = 11 // a known extension is malformed, an unknown one has no valid name, or too many
	Repeated    Reason = 12 // an extension occurs twice
	Critical    Reason = 13 // critical and unknown
	Constraint  Reason = 14 // constraints of names or policies
	LeafIsCA    Reason = 15 // the first certificate may issue others
	NotCA       Reason = 16 // an issuer's basicConstraints don't say CA, or are not critical
	KeyUsage    Reason = 17 // the key may not be used for this
	PathLength  Reason = 18 // an issuer has more intermediates below it than it may have
	NotYetValid Reason = 19 // before notBefore
	Expired     Reason = 20 // after notAfter
	Issuer      Reason = 21 // the next certificate has another name
	KeyID       Reason = 22 // the issuer has another key identifier
	Loop        Reason = 23 // the key occurs twice
	NoAnchor    Reason = 24 // no anchor has the issuer's name
	Signature   Reason = 25 // malformed, out of range, or not the issuer's
	Vendor      Reason = 26 // Matter's VID or PID is malformed or not the issuer's
)

var reasons = [...]string{
	TooLarge:    "longer than 2048 bytes",
	TooMany:     "one certificate too many",
	Empty:       "no certificate",
	Encoding:    "not a certificate in DER",
	Version:     "not version 3 with extensions and without unique ids",
	Serial:      "serial number outside the profile",
	Algorithm:   "not signed with ecdsa-with-SHA256",
	Name:        "name outside the profile",
	Validity:    "validity outside the profile",
	Key:         "not an uncompressed key of P-256",
	Extension:   "malformed extension",
	Repeated:    "extension occurs twice",
	Critical:    "unknown critical extension",
	Constraint:  "constraints of names or policies",
	LeafIsCA:    "a leaf that may issue",
	NotCA:       "not a certificate authority",
	KeyUsage:    "key usage forbids this",
	PathLength:  "too many intermediates below it",
	NotYetValid: "not yet valid",
	Expired:     "expired",
	Issuer:      "not issued by the next one's name",
	KeyID:       "issuer has another key identifier",
	Loop:        "key occurs twice",
	NoAnchor:    "no anchor has the issuer's name",
	Signature:   "signature is not the issuer's",
	Vendor:      "vendor or product id is not the issuer's",
}

// String is a fixed ASCII phrase.
func (r Reason) String() string {
	if int(r) < len(reasons) && reasons[r] != "" {
		return reasons[r]
	}
	return "reason " + strconv.Itoa(int(r))
}

// Error is a refusal: the first thing found wrong, always the same for the same
// input. It says nothing of this node.
type Error struct {
	Reason Reason
	Anchor bool // whether Index counts the anchors, or the certificates of the chain
	Index  int  // from 0
}

// Error is fixed ASCII but for the index: it may be written to the ledger.
func (e *Error) Error() string {
	where := "certificate "
	if e.Anchor {
		where = "anchor "
	}
	return where + strconv.Itoa(e.Index) + ": " + e.Reason.String()
}

// ReasonOf is the reason of a refusal by this package, and 0 for any other error.
func ReasonOf(err error) Reason {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return 0
}
