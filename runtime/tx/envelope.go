package tx

import (
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
)

// tagSign1 is the one byte that CBOR tag 18, COSE_Sign1, takes in its shortest form.
// The profile in runtime/cbor has no tags, so it is read here.
const tagSign1 = 0xd2

// Labels of COSE header parameters (RFC 9052, section 3.1).
const (
	labelAlg = 1
	labelKid = 4
)

// envelope is a COSE_Sign1 in the one form that Ward allows.
type envelope struct {
	alg       Alg
	kid       address.Address
	payload   []byte // aliases the input
	base      int    // where the payload starts in the input; set by open
	signature []byte // aliases the input
}

// protected is the content of the protected header, 25 bytes.
func protected(alg Alg, kid address.Address) []byte {
	b := make([]byte, 0, 25)
	b = cbor.AppendMap(b, 2)
	b = cbor.AppendUint(b, labelAlg)
	b = cbor.AppendInt(b, int64(alg))
	b = cbor.AppendUint(b, labelKid)
	return cbor.AppendBytes(b, kid[:])
}

// SigStructure is what is signed (RFC 9052, section 4.4): the array of the text
// "Signature1", the protected header {1: alg, 4: kid}, aad and payload.
func SigStructure(alg Alg, kid address.Address, aad string, payload []byte) []byte {
	b := make([]byte, 0, 64+len(aad)+len(payload))
	b = cbor.AppendArray(b, 4)
	b = cbor.AppendText(b, "Signature1")
	b = cbor.AppendBytes(b, protected(alg, kid))
	b = cbor.AppendBytes(b, []byte(aad))
	return cbor.AppendBytes(b, payload)
}

// encode is the envelope's bytes.
func (e *envelope) encode() []byte {
	b := make([]byte, 0, 104+len(e.payload))
	b = append(b, tagSign1)
	b = cbor.AppendArray(b, 4)
	b = cbor.AppendBytes(b, protected(e.alg, e.kid))
	b = cbor.AppendMap(b, 0)
	b = cbor.AppendBytes(b, e.payload)
	return cbor.AppendBytes(b, e.signature)
}

// open reads an envelope. Whatever it accepts, encode gives back byte for byte:
// the reader refuses every form but the canonical one, and each element is fixed or
// kept. It does not look into the payload.
func open(raw []byte) (*envelope, *Error) {
	if len(raw) == 0 {
		return nil, malformed("no bytes")
	}
	if raw[0] != tagSign1 {
		return nil, malformed("first byte is %#02x, must be %#02x (tag 18, COSE_Sign1)", raw[0], tagSign1)
	}
	r := cbor.NewReader(raw[1:]) // so its offsets are one short of the transaction's
	n, err := r.Array()
	if err != nil {
		return nil, malformedAt(1, "envelope", err)
	}
	if n != 4 {
		return nil, malformed("envelope is an array of %d, must have 4", n)
	}
	head, err := r.Bytes()
	if err != nil {
		return nil, malformedAt(1, "protected header", err)
	}
	e := new(envelope)
	if err := e.openProtected(head, 1+r.Offset()-len(head)); err != nil {
		return nil, err
	}
	switch n, err := r.Map(); {
	case err != nil:
		return nil, malformedAt(1, "unprotected header", err)
	case n != 0:
		return nil, malformed("unprotected header has %d parameters, must be empty", n)
	}
	if e.payload, err = r.Bytes(); err != nil {
		return nil, malformedAt(1, "payload", err)
	}
	e.base = 1 + r.Offset() - len(e.payload)
	if e.signature, err = r.Bytes(); err != nil {
		return nil, malformedAt(1, "signature", err)
	}
	if len(e.signature) != SignatureSize {
		return nil, malformed("signature is %d bytes, must be %d", len(e.signature), SignatureSize)
	}
	if err := r.End(); err != nil {
		return nil, malformedAt(1, "after the signature", err)
	}
	return e, nil
}

// openProtected reads the content of the protected header, which starts at base:
// {1: alg, 4: kid} and nothing more.
func (e *envelope) openProtected(head []byte, base int) *Error {
	const what = "protected header"
	r := cbor.NewReader(head)
	n, err := r.Map()
	if err != nil {
		return malformedAt(base, what, err)
	}
	if n != 2 {
		return malformed("%s has %d parameters, must be {1: alg, 4: kid}", what, n)
	}
	var keys cbor.MapKeys
	for _, want := range []uint64{labelAlg, labelKid} {
		label, err := keys.Uint(r)
		if err != nil {
			return malformedAt(base, what, err)
		}
		if label != want {
			return malformed("%s has label %d where %d should be", what, label, want)
		}
		switch label {
		case labelAlg:
			alg, err := r.Int()
			if err != nil {
				return malformedAt(base, "algorithm", err)
			}
			if e.alg = Alg(alg); e.alg != EdDSA && e.alg != ES256 {
				return malformed("algorithm %d, allowed are %d (EdDSA) and %d (ES256)", alg, int64(EdDSA), int64(ES256))
			}
		case labelKid:
			kid, err := r.Bytes()
			if err != nil {
				return malformedAt(base, "kid", err)
			}
			if e.kid, err = address.FromBytes(kid); err != nil {
				return malformed("kid is %d bytes, must be %d", len(kid), address.Size)
			}
		}
	}
	if err := r.End(); err != nil {
		return malformedAt(base, what, err)
	}
	return nil
}

// verify reports whether pub, being the key that the envelope names, signed message.
func (e *envelope) verify(message []byte, pub PublicKey) bool {
	return e.alg == pub.Alg() && e.kid == pub.Address() && pub.Verify(message, e.signature)
}
