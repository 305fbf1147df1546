package cert

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// The attributes of a name that are read, as the contents of their OBJECT IDENTIFIER.
var (
	oidCommonName   = []byte{0x55, 0x04, 0x03}                                           // 2.5.4.3
	oidSerialNumber = []byte{0x55, 0x04, 0x05}                                           // 2.5.4.5
	oidMatterVID    = []byte{0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0xa2, 0x7c, 0x02, 0x01} // 1.3.6.1.4.1.37244.2.1
	oidMatterPID    = []byte{0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0xa2, 0x7c, 0x02, 0x02} // 1.3.6.1.4.1.37244.2.2
)

// name is a distinguished name: its DER and those attributes that somebody asks for.
// An absent one is empty; one that is there can't be.
type name struct {
	der                                []byte
	commonName, serialNumber, vid, pid string
}

// readName reads a Name (RFC 5280, section 4.1.2.4):
//
//	SEQUENCE OF SET OF SEQUENCE { OBJECT IDENTIFIER, string }
//
// The result aliases the input but for its texts.
func readName(s *cryptobyte.String) (n name, reason Reason) {
	var der, rdns cryptobyte.String
	if !s.ReadASN1Element(&der, asn1.SEQUENCE) {
		return n, Encoding
	}
	n.der = der
	if !der.ReadASN1(&rdns, asn1.SEQUENCE) || rdns.Empty() {
		return n, Name
	}
	for !rdns.Empty() {
		var set cryptobyte.String
		if !rdns.ReadASN1(&set, asn1.SET) || set.Empty() {
			return n, Name
		}
		var last []byte
		for !set.Empty() {
			var element, attribute, oid, value cryptobyte.String
			var tag asn1.Tag
			// In ascending order (X.690, section 11.6). No element is the start of
			// another, so that bytes.Compare pads nothing.
			if !set.ReadASN1Element(&element, asn1.SEQUENCE) || bytes.Compare(last, element) >= 0 {
				return n, Name
			}
			last = element
			if !element.ReadASN1(&attribute, asn1.SEQUENCE) ||
				!attribute.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) || !validOID(oid) ||
				!attribute.ReadAnyASN1(&value, &tag) || !attribute.Empty() || !validText(tag, value) {
				return n, Name
			}
			if reason := n.keep(oid, value); reason != 0 {
				return n, reason
			}
		}
	}
	if n.pid != "" && n.vid == "" {
		return n, Vendor
	}
	return n, 0
}

// keep remembers an attribute that is asked for. Twice the same would leave open which one counts.
func (n *name) keep(oid, value []byte) Reason {
	var to *string
	switch {
	case bytes.Equal(oid, oidCommonName):
		to = &n.commonName
	case bytes.Equal(oid, oidSerialNumber):
		to = &n.serialNumber
	case bytes.Equal(oid, oidMatterVID):
		to = &n.vid
	case bytes.Equal(oid, oidMatterPID):
		to = &n.pid
	default:
		return 0
	}
	if *to != "" {
		return Name
	}
	if (to == &n.vid || to == &n.pid) && !fourHexDigits(value) {
		return Vendor
	}
	*to = string(value)
	return 0
}

// fourHexDigits is the form of Matter's ids: 16 bits, capital letters.
func fourHexDigits(b []byte) bool {
	for _, c := range b {
		if !('0' <= c && c <= '9' || 'A' <= c && c <= 'F') {
			return false
		}
	}
	return len(b) == 4
}

// validText reports whether a value is a string of the profile, not empty and
// without control characters: it is shown to people.
func validText(tag asn1.Tag, value []byte) bool {
	if len(value) == 0 {
		return false
	}
	for _, c := range value {
		if c < ' ' || c == 0x7f {
			return false
		}
		switch tag {
		case asn1.PrintableString:
			if !printable(c) {
				return false
			}
		case asn1.IA5String:
			if c > 0x7f {
				return false
			}
		}
	}
	return tag == asn1.PrintableString || tag == asn1.IA5String || tag == asn1.UTF8String && utf8.Valid(value)
}

// printable is the alphabet of PrintableString (X.680, section 41.4).
func printable(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || bytes.IndexByte([]byte(" '()+,-./:=?"), c) >= 0
}

// maxOID is the longest OBJECT IDENTIFIER, in bytes of its contents, and maxArc the longest
// of its numbers: 28 bits, which an int of any machine holds.
const (
	maxOID = 32
	maxArc = 4
)

// validOID reports whether b is the contents of an OBJECT IDENTIFIER: numbers in base
// 128, each in the shortest form (X.690, section 8.19), so that equal ones have equal bytes.
func validOID(b []byte) bool {
	if len(b) == 0 || len(b) > maxOID {
		return false
	}
	arc := 0 // bytes of the number so far
	for _, c := range b {
		if arc == 0 && c == 0x80 || arc == maxArc {
			return false
		}
		if arc++; c < 0x80 {
			arc = 0
		}
	}
	return arc == 0
}
