package tx

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/bits"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
)

// Tx is what a signer wants done: call Method of Contract with Args.
type Tx struct {
	// Chain is the id of the chain, 1 to MaxChain bytes of UTF-8.
	Chain string
	// Sequence is any number from 1 that this key has not used in this lane yet and
	// that lies inside the window around the highest one used.
	Sequence uint64
	// LastValid is the last height at which the transaction may run; 0 is no limit.
	LastValid uint64
	// GasLimit is how much gas it may use, 1 to MaxGas.
	GasLimit uint64
	// Contract is a name of at most MaxContract bytes: a-z, then a-z, 0-9 and '-'.
	Contract string
	// Method is a name of at most MaxMethod bytes: a-z, then a-z, 0-9 and '_'.
	Method string
	// Args is exactly one canonical CBOR item (runtime/cbor), never empty; a method
	// without arguments gets the empty map, A0, or null, F6.
	Args []byte
}

// Keys of the payload map.
const (
	keyChain = 1 + iota
	keySequence
	keyLastValid
	keyGasLimit
	keyContract
	keyMethod
	keyArgs
)

// keyNames say in a refusal which field it is about.
var keyNames = [...]string{keyChain: "chain", keySequence: "sequence", keyLastValid: "last valid height",
	keyGasLimit: "gas limit", keyContract: "contract", keyMethod: "method", keyArgs: "arguments"}

// Payload is the transaction's canonical CBOR map, as it is signed. Whether the fields
// are within their bounds is not checked; Sign and Decode do that.
func (t *Tx) Payload() []byte {
	b := make([]byte, 0, 48+len(t.Chain)+len(t.Contract)+len(t.Method)+len(t.Args))
	n := 7
	if t.LastValid == 0 {
		n--
	}
	b = cbor.AppendMap(b, n)
	b = cbor.AppendText(cbor.AppendUint(b, keyChain), t.Chain)
	b = cbor.AppendUint(cbor.AppendUint(b, keySequence), t.Sequence)
	if t.LastValid != 0 {
		b = cbor.AppendUint(cbor.AppendUint(b, keyLastValid), t.LastValid)
	}
	b = cbor.AppendUint(cbor.AppendUint(b, keyGasLimit), t.GasLimit)
	b = cbor.AppendText(cbor.AppendUint(b, keyContract), t.Contract)
	b = cbor.AppendText(cbor.AppendUint(b, keyMethod), t.Method)
	return cbor.AppendBytes(cbor.AppendUint(b, keyArgs), t.Args)
}

// readPayload reads what Payload wrote, and nothing else. The payload starts at base
// in a transaction of size bytes: the limit of that depends on the contract, and the
// arguments are not looked at before it is known to be kept.
func (t *Tx) readPayload(payload []byte, base, size int) *Error {
	r := cbor.NewReader(payload)
	n, err := r.Map()
	if err != nil {
		return malformedAt(base, "payload", err)
	}
	var keys cbor.MapKeys
	var seen uint8 // bit k is set once key k was read
	for range n {
		key, err := keys.Uint(r)
		if err != nil {
			return malformedAt(base, "payload", err)
		}
		if key < keyChain || key > keyArgs {
			return malformed("payload has the key %d, allowed are %d to %d", key, keyChain, keyArgs)
		}
		seen |= 1 << key
		if err := t.readField(r, int(key), base, size); err != nil {
			return err
		}
	}
	if err := r.End(); err != nil {
		return malformedAt(base, "payload", err)
	}
	const required = 1<<keyChain | 1<<keySequence | 1<<keyGasLimit | 1<<keyContract | 1<<keyMethod | 1<<keyArgs
	if missing := required &^ seen; missing != 0 {
		key := bits.TrailingZeros8(missing)
		return malformed("payload lacks key %d (%s)", key, keyNames[key])
	}
	return nil
}

// readField reads the value of one payload key and checks its bounds.
func (t *Tx) readField(r *cbor.Reader, key, base, size int) *Error {
	var err error
	switch key {
	case keyChain:
		if t.Chain, err = r.Text(); err != nil {
			break
		}
		if len(t.Chain) == 0 || len(t.Chain) > MaxChain {
			return malformed("chain %s is %d bytes, must be 1 to %d", quote(t.Chain), len(t.Chain), MaxChain)
		}
	case keySequence:
		if t.Sequence, err = r.Uint(); err != nil {
			break
		}
		if t.Sequence == 0 {
			return malformed("sequence is 0, the first is 1")
		}
	case keyLastValid:
		if t.LastValid, err = r.Uint(); err != nil {
			break
		}
		if t.LastValid == 0 {
			return malformed("last valid height is 0, leave it out for no limit")
		}
	case keyGasLimit:
		if t.GasLimit, err = r.Uint(); err != nil {
			break
		}
		if t.GasLimit == 0 || t.GasLimit > MaxGas {
			return refuse(receipt.GasLimit, "gas limit is %d, must be 1 to %d", t.GasLimit, MaxGas)
		}
	case keyContract:
		if t.Contract, err = r.Text(); err != nil {
			break
		}
		if !isName(t.Contract, MaxContract, '-') {
			return malformed("contract %s is not a name: a-z, then a-z, 0-9 and '-', at most %d bytes", quote(t.Contract), MaxContract)
		}
		if size > MaxSize && t.Contract != DeployContract {
			return refuse(receipt.TooLarge, "transaction is %d bytes, limit %d (%d only to the contract %q)", size, MaxSize, MaxDeploySize, DeployContract)
		}
	case keyMethod:
		if t.Method, err = r.Text(); err != nil {
			break
		}
		if !isName(t.Method, MaxMethod, '_') {
			return malformed("method %s is not a name: a-z, then a-z, 0-9 and '_', at most %d bytes", quote(t.Method), MaxMethod)
		}
	case keyArgs:
		if t.Args, err = r.Bytes(); err != nil {
			break
		}
		base += r.Offset() - len(t.Args)
		err = cbor.Valid(t.Args)
	}
	if err != nil {
		return malformedAt(base, keyNames[key], err)
	}
	return nil
}

// isName reports whether s is a lower-case letter, then such letters, digits and sep,
// at most limit bytes in all.
func isName(s string, limit int, sep byte) bool {
	if s == "" || len(s) > limit {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if letter := 'a' <= c && c <= 'z'; !letter && (i == 0 || c != sep && (c < '0' || c > '9')) {
			return false
		}
	}
	return true
}

// ID names a transaction: SHA-256 of its Sig_structure. The signature is not in it,
// so that nobody but the signer can make a second id for the same transaction.
type ID [sha256.Size]byte

// String is the id in hex.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// ParseID reads 64 hex digits.
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) != hex.EncodedLen(len(id)) {
		return ID{}, fmt.Errorf("transaction id %s is %d characters, must be %d hex digits", quote(s), len(s), hex.EncodedLen(len(id)))
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil {
		return ID{}, fmt.Errorf("transaction id %q: %w", s, err)
	}
	return id, nil
}

// MarshalText is String.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is ParseID.
func (id *ID) UnmarshalText(text []byte) error {
	v, err := ParseID(string(text))
	if err != nil {
		return err
	}
	*id = v
	return nil
}

// Signed is a transaction with its signature, which may be anything until Verify was
// asked. Only Decode makes one, and nobody changes it afterwards.
type Signed struct {
	Tx
	Key       address.Address // the kid: whose signature it claims to be
	Alg       Alg
	Signature []byte // SignatureSize bytes

	message []byte // the Sig_structure
	id      ID
	size    int // of the whole transaction, in bytes
}

// Decode reads a transaction and checks everything that the bytes alone can tell: size,
// canonical form and the bounds of each field. It verifies no signature. The error is
// an *Error.
//
// Encode gives the same bytes again. The result aliases raw, which must not change.
func Decode(raw []byte) (*Signed, error) {
	if len(raw) > MaxDeploySize {
		return nil, refuse(receipt.TooLarge, "transaction is %d bytes, limit %d", len(raw), MaxDeploySize)
	}
	e, refusal := open(raw)
	if refusal != nil {
		return nil, refusal
	}
	s := &Signed{Key: e.kid, Alg: e.alg, Signature: e.signature, size: len(raw)}
	if refusal := s.readPayload(e.payload, e.base, len(raw)); refusal != nil {
		return nil, refusal
	}
	s.message = SigStructure(e.alg, e.kid, AAD, e.payload)
	s.id = sha256.Sum256(s.message)
	return s, nil
}

// Encode is the transaction's bytes, those that Decode was given.
func (s *Signed) Encode() []byte {
	e := envelope{alg: s.Alg, kid: s.Key, payload: s.Payload(), signature: s.Signature}
	return e.encode()
}

// SigStructure is what the signature is over. The caller must not change it.
func (s *Signed) SigStructure() []byte { return s.message }

// ID is SHA-256 of SigStructure.
func (s *Signed) ID() ID { return s.id }

// Size is the length of the whole transaction, in bytes.
func (s *Signed) Size() int { return s.size }

// Verify reports whether pub is the key that the transaction names and the signature
// is its own.
func (s *Signed) Verify(pub PublicKey) bool {
	if s.Alg != pub.Alg() || s.Key != pub.Address() {
		return false
	}
	if s.Alg == ES256 {
		return pub.VerifyDigest(s.id, s.Signature) // the id is what ECDSA signs
	}
	return pub.Verify(s.message, s.Signature)
}
