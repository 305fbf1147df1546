package tx

import (
	"fmt"

	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
)

// Signer holds a private key, in memory or in a secure element.
type Signer interface {
	Public() PublicKey
	// Sign returns the COSE signature over message, SignatureSize bytes: R || S of
	// Ed25519, or r || s of ECDSA over the message's SHA-256.
	Sign(message []byte) ([]byte, error)
}

// Sign encodes t and signs it. A transaction that Decode would refuse is not given out:
// the error is then the same *Error.
func Sign(t *Tx, s Signer) (raw []byte, err error) {
	raw, err = sign(AAD, t.Payload(), s)
	if err != nil {
		return nil, err
	}
	if _, err := Decode(raw); err != nil {
		return nil, err
	}
	return raw, nil
}

// SignMessage signs anything that is not a transaction: a COSE_Sign1 in the form of a
// transaction's, under an external AAD of 1 to MaxAAD bytes that is not AAD. The
// payload must be one canonical CBOR item and should name the chain and the contract
// that it is meant for. The result is at most MaxSize bytes.
func SignMessage(aad string, payload []byte, s Signer) ([]byte, error) {
	if err := checkMessage(aad, payload, 0); err != nil {
		return nil, err
	}
	raw, err := sign(aad, payload, s)
	if err != nil {
		return nil, err
	}
	if len(raw) > MaxSize {
		return nil, refuse(receipt.TooLarge, "message is %d bytes, limit %d", len(raw), MaxSize)
	}
	return raw, nil
}

// OpenMessage returns the payload of what SignMessage made under the same aad with the
// key pub, aliasing raw. Form and bounds are as strict as a transaction's; the error is
// an *Error.
func OpenMessage(aad string, raw []byte, pub PublicKey) (payload []byte, err error) {
	if len(raw) > MaxSize {
		return nil, refuse(receipt.TooLarge, "message is %d bytes, limit %d", len(raw), MaxSize)
	}
	e, refusal := open(raw)
	if refusal != nil {
		return nil, refusal
	}
	if err := checkMessage(aad, e.payload, e.base); err != nil {
		return nil, err
	}
	if !e.verify(SigStructure(e.alg, e.kid, aad, e.payload), pub) {
		return nil, refuse(receipt.BadSignature, "message is not signed by the key %s under %q", pub.Address(), aad)
	}
	return e.payload, nil
}

// checkMessage holds the rules of a message beyond the envelope's. The payload starts
// at base in the message.
func checkMessage(aad string, payload []byte, base int) error {
	if aad == AAD {
		return malformed("external AAD %q is reserved for transactions", aad)
	}
	if len(aad) == 0 || len(aad) > MaxAAD {
		return malformed("external AAD %s is %d bytes, must be 1 to %d", quote(aad), len(aad), MaxAAD)
	}
	if err := cbor.Valid(payload); err != nil {
		return malformedAt(base, "payload", err)
	}
	return nil
}

func sign(aad string, payload []byte, s Signer) ([]byte, error) {
	pub := s.Public()
	e := envelope{alg: pub.Alg(), kid: pub.Address(), payload: payload}
	var err error
	if e.signature, err = s.Sign(SigStructure(e.alg, e.kid, aad, payload)); err != nil {
		return nil, fmt.Errorf("sign with key %s: %w", e.kid, err)
	}
	if len(e.signature) != SignatureSize {
		return nil, fmt.Errorf("sign with key %s: signature is %d bytes, must be %d", e.kid, len(e.signature), SignatureSize)
	}
	return e.encode(), nil
}
