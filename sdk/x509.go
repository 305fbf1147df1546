package sdk

import "github.com/wardledger/ward/sdk/wire"

// A Leaf is what a verified chain of certificates says of its device.
type Leaf struct {
	Key          PublicKey // P-256, 33 bytes. Whoever sent the chain needn't hold it: ask for a signature
	Subject      []byte    // the name in DER
	CommonName   string    // "" if the name has none, like the next three
	SerialNumber string
	VID          string `wire:"vid"` // of Matter, four hex digits
	PID          string `wire:"pid"`
	NotBefore    int64  // unix seconds
	NotAfter     int64
	Until        int64  // the last second at which the chain verifies
	Anchor       uint64 // which of the anchors vouches for it, from 0
	// Path names each certificate, leaf first, for lists of what was revoked.
	Path []CertificateLink
}

// A CertificateLink names a certificate.
type CertificateLink struct {
	Issuer Hash   // SHA-256 of the issuer's public key information
	Serial []byte // big-endian, without leading zeros
}

// VerifyX509 checks a chain of X.509 certificates in DER, leaf first, against anchors, both one behind the other, at a time in unix
// seconds. The profile is that of runtime/cert: P-256, SHA-256, at most 4 certificates and 16 anchors. If it is refused, ok is false and reason
// one of the numbers there, such as 20 for expired.
func (c *Ctx) VerifyX509(chain, anchors []byte, at int64) (_ Leaf, reason int, ok bool) {
	cp, cn := pointer(chain)
	ap, an := pointer(anchors)
	for {
		out, size := pointer(scratch)
		n := hostX509Verify(cp, cn, ap, an, at, out, size)
		switch {
		case n < 0:
			return Leaf{}, int(-n), false
		case int(n) > len(scratch):
			scratch = make([]byte, n)
			continue
		}
		leaf, err := wire.New[Leaf]().Decode(append([]byte(nil), scratch[:n]...))
		if err != nil {
			panic("BUG: sdk: what the runtime says of a certificate can't be read: " + err.Error())
		}
		return leaf, 0, true
	}
}
