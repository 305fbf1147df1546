package receipt

import (
	"crypto/sha256"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
)

// Bounds of a receipt, checked when one is decoded.
const (
	// MaxReturn is the longest value that a method returns, in bytes: what a client can
	// be expected to read in one piece.
	MaxReturn = 1 << 20
	// MaxReason is the longest reason, in bytes: a few lines of a terminal.
	MaxReason = 1024
	// MaxEvents is how many events one transaction emits at most.
	MaxEvents = 4096
)

// encodingVersion is the first element of everything that this package encodes with
// a version, so that a later layout can be told apart.
const encodingVersion = 1

// Receipt is the outcome of one transaction.
type Receipt struct {
	TxID         [32]byte
	Code         Code
	ContractCode uint32 // the contract's own code when Code is Failed, else 0
	Reason       string // for people; UTF-8; not in consensus
	GasUsed      uint64
	GasLimit     uint64
	Return       []byte // canonical CBOR, or empty
	Events       []Event
	Contract     string // as in the transaction; empty if that could not be read
	Method       string // likewise
	Sender       address.Address
	Log          []string // debug lines of contracts; never encoded
}

// Data is what consensus holds of a receipt beside Code and gas: the canonical CBOR
// array [1, EventsRoot, SHA-256(Return), ContractCode]. The engine hashes it into
// LastResultsHash of the next header.
func (r *Receipt) Data() []byte {
	events, ret := EventsRoot(r.Events), sha256.Sum256(r.Return)
	b := make([]byte, 0, 80)
	b = cbor.AppendArray(b, 4)
	b = cbor.AppendUint(b, encodingVersion)
	b = cbor.AppendBytes(b, events[:])
	b = cbor.AppendBytes(b, ret[:])
	return cbor.AppendUint(b, uint64(r.ContractCode))
}

// Encode is the receipt as the event log keeps it, without Log: the canonical CBOR
// array [1, TxID, Code, ContractCode, Reason, GasUsed, GasLimit, Return, Events,
// Contract, Method, Sender]. Reason is clipped as by Clip.
func (r *Receipt) Encode() []byte {
	b := cbor.AppendArray(nil, 12)
	b = cbor.AppendUint(b, encodingVersion)
	b = cbor.AppendBytes(b, r.TxID[:])
	b = cbor.AppendUint(b, uint64(r.Code))
	b = cbor.AppendUint(b, uint64(r.ContractCode))
	b = cbor.AppendText(b, Clip(r.Reason))
	b = cbor.AppendUint(b, r.GasUsed)
	b = cbor.AppendUint(b, r.GasLimit)
	b = cbor.AppendBytes(b, r.Return)
	b = cbor.AppendArray(b, len(r.Events))
	for _, e := range r.Events {
		b = e.append(b)
	}
	b = cbor.AppendText(b, r.Contract)
	b = cbor.AppendText(b, r.Method)
	return cbor.AppendBytes(b, r.Sender[:])
}

// Decode reads what Encode wrote, and nothing else: the bytes are Encode's again.
// Empty slices come back as nil. The receipt shares no memory with b.
func Decode(b []byte) (Receipt, error) {
	rd := cbor.NewReader(b)
	r, err := read(rd)
	if err == nil {
		err = rd.End()
	}
	if err != nil {
		return Receipt{}, fmt.Errorf("receipt: %w", err)
	}
	return r, nil
}

func read(rd *cbor.Reader) (r Receipt, err error) {
	if err = readArray(rd, 12); err != nil {
		return r, err
	}
	version, err := rd.Uint()
	if err != nil {
		return r, err
	}
	if version != encodingVersion {
		return r, fmt.Errorf("version %d, this program knows %d", version, encodingVersion)
	}
	id, err := readFixed(rd, "transaction id", len(r.TxID))
	if err != nil {
		return r, err
	}
	r.TxID = [32]byte(id)
	code, err := readUint32(rd, "code")
	if err != nil {
		return r, err
	}
	r.Code = Code(code)
	if r.ContractCode, err = readUint32(rd, "contract code"); err != nil {
		return r, err
	}
	if r.Reason, err = rd.Text(); err != nil {
		return r, err
	}
	if len(r.Reason) > MaxReason {
		return r, fmt.Errorf("reason is %d bytes, limit %d", len(r.Reason), MaxReason)
	}
	if r.GasUsed, err = rd.Uint(); err != nil {
		return r, err
	}
	if r.GasLimit, err = rd.Uint(); err != nil {
		return r, err
	}
	ret, err := rd.Bytes()
	if err != nil {
		return r, err
	}
	if len(ret) > MaxReturn {
		return r, fmt.Errorf("returned value is %d bytes, limit %d", len(ret), MaxReturn)
	}
	r.Return = append([]byte(nil), ret...)
	n, err := rd.Array()
	if err != nil {
		return r, err
	}
	if n > MaxEvents {
		return r, fmt.Errorf("%d events, limit %d", n, MaxEvents)
	}
	for i := range n {
		e, err := readEvent(rd)
		if err != nil {
			return r, fmt.Errorf("event %d: %w", i, err)
		}
		r.Events = append(r.Events, e)
	}
	if r.Contract, err = readName(rd, "contract"); err != nil {
		return r, err
	}
	if r.Method, err = readName(rd, "method"); err != nil {
		return r, err
	}
	sender, err := readFixed(rd, "sender", address.Size)
	if err != nil {
		return r, err
	}
	r.Sender = address.Address(sender)
	return r, nil
}

// Refused is the name of the event that the runtime itself emits, and no contract
// can, when an executed transaction failed: no refusal is invisible.
const Refused = "refused"

// Refusal is the event named Refused for a receipt that is not OK. Its contract is the
// transaction's; its attributes are code, name, method, reason, sender and
// contract_code.
func (r *Receipt) Refusal() Event {
	b := cbor.AppendMap(nil, 6)
	// In the order of cbor.CompareText.
	b = cbor.AppendUint(cbor.AppendText(b, "code"), uint64(r.Code))
	b = cbor.AppendText(cbor.AppendText(b, "name"), r.Code.Name())
	b = cbor.AppendText(cbor.AppendText(b, "method"), r.Method)
	b = cbor.AppendText(cbor.AppendText(b, "reason"), Clip(r.Reason))
	b = cbor.AppendBytes(cbor.AppendText(b, "sender"), r.Sender[:])
	b = cbor.AppendUint(cbor.AppendText(b, "contract_code"), uint64(r.ContractCode))
	return Event{Contract: r.Contract, Name: Refused, Attributes: b}
}

// Clip makes any string fit to be a reason: bytes that are not UTF-8 become U+FFFD
// each, and what goes beyond MaxReason bytes is cut off between two characters. A
// string that fits already comes back unchanged. The result depends on s alone.
func Clip(s string) string {
	if len(s) <= MaxReason && utf8.ValidString(s) {
		return s
	}
	b := make([]byte, 0, MaxReason)
	for _, c := range s {
		if len(b)+utf8.RuneLen(c) > MaxReason {
			break
		}
		b = utf8.AppendRune(b, c)
	}
	return string(b)
}

func readArray(r *cbor.Reader, want int) error {
	n, err := r.Array()
	if err == nil && n != want {
		err = fmt.Errorf("array of %d, must have %d", n, want)
	}
	return err
}

func readName(r *cbor.Reader, what string) (string, error) {
	s, err := r.Text()
	if err != nil {
		return "", fmt.Errorf("%s: %w", what, err)
	}
	if len(s) > MaxName {
		return "", fmt.Errorf("%s is %d bytes, limit %d", what, len(s), MaxName)
	}
	return s, nil
}

func readFixed(r *cbor.Reader, what string, size int) ([]byte, error) {
	b, err := r.Bytes()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if len(b) != size {
		return nil, fmt.Errorf("%s is %d bytes, must be %d", what, len(b), size)
	}
	return b, nil
}

func readUint32(r *cbor.Reader, what string) (uint32, error) {
	v, err := r.Uint()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	if v > math.MaxUint32 {
		return 0, fmt.Errorf("%s %d is beyond 32 bits", what, v)
	}
	return uint32(v), nil
}
