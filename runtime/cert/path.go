package cert

import (
	"bytes"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Bounds of the input.
const (
	// MaxCertificate is the longest certificate, in bytes. Matter's have at most 600,
	// an IDevID with long names and addresses of revocation lists about 1,200.
	MaxCertificate = 2048
	// MaxChain is how many certificates a chain may have: a leaf, two intermediates
	// and the anchor's own certificate, which many devices send along, or a third
	// intermediate.
	MaxChain = 4
	// MaxAnchors is how many anchors there may be: makers times the old and the new
	// root of each. A contract with more of them picks by the issuer's name.
	MaxAnchors = 16
)

// Path is a chain with everything checked that costs no signature. Nothing is proven
// yet: only Verify gives a Leaf.
type Path struct {
	chain   []*certificate // leaf first, without the anchor's own certificate
	anchors []candidate    // never empty
}

// candidate is an anchor that may have issued the last certificate of the chain.
type candidate struct {
	*certificate
	index int // among the anchors as they were given
}

// Verify checks a chain, leaf first, against anchors at a time in Unix seconds, and
// returns what the leaf says. Both are certificates in DER, one behind the other. The
// package comment has the rules. An error is an *Error.
func Verify(chain, anchors []byte, at int64) (*Leaf, error) {
	path, err := Read(chain, anchors, at)
	if err != nil {
		return nil, err
	}
	return path.Verify()
}

// CheckAnchors reports whether Read would take the anchors, whatever the time, and
// fails with what Read would say: a contract asks before it keeps one.
func CheckAnchors(anchors []byte) error {
	_, err := readAnchors(anchors)
	return err
}

// Read is the first half of Verify: it checks everything but signatures, in time
// linear in the input. The bytes must not change while the Path is in use.
func Read(chain, anchors []byte, at int64) (*Path, error) {
	// The anchors are the contract's own; what is wrong there is said first.
	trusted, err := readAnchors(anchors)
	if err != nil {
		return nil, err
	}
	certs, err := readAll(chain, MaxChain, false)
	if err != nil {
		return nil, err
	}
	last := len(certs) - 1
	for _, a := range trusted {
		if last > 0 && bytes.Equal(certs[last].der, a.der) {
			certs = certs[:last]
			break
		}
	}
	last = len(certs) - 1

	for i, c := range certs {
		reason := c.validAt(at)
		if reason == 0 && i == 0 {
			reason = c.mayBeLeaf()
		}
		if reason == 0 && i > 0 {
			reason = c.mayIssue(false, i-1)
		}
		if reason == 0 && holds(certs[:i], c) {
			reason = Loop
		}
		if reason == 0 && i < last {
			reason = c.issuedBy(certs[i+1], i == 0)
		}
		if reason != 0 {
			return nil, &Error{Reason: reason, Index: i}
		}
	}

	path := &Path{chain: certs}
	refused := &Error{Reason: NoAnchor, Index: last}
	for i, a := range trusted {
		why := &Error{Reason: certs[last].issuedBy(a, last == 0), Index: last}
		if why.Reason == Issuer {
			continue // another maker's
		}
		if why.Reason == 0 {
			why = &Error{Reason: a.mayAnchor(certs, at), Anchor: true, Index: i}
		}
		switch {
		case why.Reason == 0 && !path.tries(a):
			path.anchors = append(path.anchors, candidate{a, i})
		case why.Reason != 0 && refused.Reason == NoAnchor: // of several that nearly fit, the first is named
			refused = why
		}
	}
	if len(path.anchors) == 0 {
		return nil, refused
	}
	return path, nil
}

// Signatures is how many P-256 signatures Verify will check at most: one for each
// certificate, and one for each further anchor that has the same name and another key.
func (p *Path) Signatures() int { return len(p.chain) - 1 + len(p.anchors) }

// Verify checks the signatures from the leaf up. Of several anchors that fit, the first counts.
func (p *Path) Verify() (*Leaf, error) {
	last := len(p.chain) - 1
	for i, c := range p.chain[:last] {
		if !p.chain[i+1].verify(c.tbs, c.signature) {
			return nil, &Error{Reason: Signature, Index: i}
		}
	}
	for _, a := range p.anchors {
		if a.verify(p.chain[last].tbs, p.chain[last].signature) {
			return newLeaf(p.chain, a), nil
		}
	}
	return nil, &Error{Reason: Signature, Index: last}
}

// mayAnchor judges an anchor above a chain, but for what issuedBy judges.
func (c *certificate) mayAnchor(chain []*certificate, at int64) Reason {
	if reason := c.validAt(at); reason != 0 {
		return reason
	}
	if reason := c.mayIssue(true, len(chain)-1); reason != 0 {
		return reason
	}
	if holds(chain, c) {
		return Loop
	}
	return 0
}

// tries reports whether an anchor with the same key is a candidate already: its signature would be the same.
func (p *Path) tries(a *certificate) bool {
	for _, other := range p.anchors {
		if bytes.Equal(other.spki, a.spki) {
			return true
		}
	}
	return false
}

// holds reports whether one of the certificates has the key of c.
func holds(certs []*certificate, c *certificate) bool {
	for _, other := range certs {
		if bytes.Equal(other.spki, c.spki) {
			return true
		}
	}
	return false
}

// readAnchors reads the anchors and checks what must hold of each, whatever the chain.
func readAnchors(anchors []byte) ([]*certificate, error) {
	certs, err := readAll(anchors, MaxAnchors, true)
	if err != nil {
		return nil, err
	}
	for i, c := range certs {
		if reason := c.mayIssue(true, 0); reason != 0 {
			return nil, &Error{Reason: reason, Anchor: true, Index: i}
		}
	}
	return certs, nil
}

// readAll reads certificates that stand one behind the other, at least one and at most limit.
func readAll(b []byte, limit int, anchor bool) ([]*certificate, error) {
	fail := func(reason Reason, i int) ([]*certificate, error) {
		return nil, &Error{Reason: reason, Anchor: anchor, Index: i}
	}
	if len(b) == 0 {
		return fail(Empty, 0)
	}
	var certs []*certificate
	for s := cryptobyte.String(b); !s.Empty(); {
		i := len(certs)
		if i == limit {
			return fail(TooMany, i)
		}
		var der cryptobyte.String
		if !s.ReadASN1Element(&der, asn1.SEQUENCE) {
			return fail(Encoding, i)
		}
		if len(der) > MaxCertificate {
			return fail(TooLarge, i)
		}
		c, reason := readCertificate(der, anchor)
		if reason != 0 {
			return fail(reason, i)
		}
		certs = append(certs, c)
	}
	return certs, nil
}
