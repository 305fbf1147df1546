package receipt

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/bits"

	"github.com/wardledger/ward/runtime/cbor"
)

// Bounds of an event, checked when one is decoded. Whoever makes events keeps to them.
const (
	// MaxName is the longest contract, method or event name, in bytes: what fits in a
	// line of a log and in a key of the event index.
	MaxName = 64
	// MaxAttributes is how many bytes the attributes of one event may have encoded:
	// as much as the largest ordinary transaction.
	MaxAttributes = 64 << 10
)

// Event is something that a contract said happened.
type Event struct {
	Contract   string // who emitted it
	Name       string
	Attributes []byte // a canonical CBOR map with text keys; empty stands for the map without keys
}

// emptyMap is the encoding of a map without keys.
const emptyMap = 0xa0

// Encode is the canonical CBOR array [Contract, Name, Attributes], the attributes as
// the map itself. It is the leaf of EventsRoot. The attributes must be a canonical
// map already: they are copied, not looked into.
func (e Event) Encode() []byte { return e.append(nil) }

func (e Event) append(b []byte) []byte {
	b = cbor.AppendArray(b, 3)
	b = cbor.AppendText(b, e.Contract)
	b = cbor.AppendText(b, e.Name)
	if len(e.Attributes) == 0 {
		return append(b, emptyMap)
	}
	return append(b, e.Attributes...)
}

// DecodeEvent reads what Encode wrote, and nothing else: the bytes are Encode's
// again. The event shares no memory with b.
func DecodeEvent(b []byte) (Event, error) {
	r := cbor.NewReader(b)
	e, err := readEvent(r)
	if err == nil {
		err = r.End()
	}
	if err != nil {
		return Event{}, fmt.Errorf("event: %w", err)
	}
	return e, nil
}

func readEvent(r *cbor.Reader) (e Event, err error) {
	if err = readArray(r, 3); err != nil {
		return Event{}, err
	}
	if e.Contract, err = readName(r, "contract"); err != nil {
		return Event{}, err
	}
	if e.Name, err = readName(r, "name"); err != nil {
		return Event{}, err
	}
	if e.Attributes, err = readAttributes(r); err != nil {
		return Event{}, fmt.Errorf("attributes: %w", err)
	}
	return e, nil
}

// readAttributes reads a map whose keys are all text.
func readAttributes(r *cbor.Reader) ([]byte, error) {
	if k := r.Kind(); k != cbor.Map {
		return nil, fmt.Errorf("found %s, must be a map", k)
	}
	raw, err := r.Raw()
	if err != nil {
		return nil, err
	}
	if len(raw) > MaxAttributes {
		return nil, fmt.Errorf("%d bytes, limit %d", len(raw), MaxAttributes)
	}
	m := cbor.NewReader(raw)
	n, err := m.Map()
	for range n {
		if m.Kind() != cbor.Text { // of what it says nothing is needed, and there may be thousands
			_, err = m.Text()
			return nil, err
		}
		if err = errors.Join(m.Skip(), m.Skip()); err != nil {
			return nil, err
		}
	}
	return append([]byte(nil), raw...), err
}

// EventsRoot is the Merkle root over the encoded events in the order in which they
// were emitted: the tree of RFC 6962, section 2.1, with SHA-256. Without events it is
// the hash of nothing.
func EventsRoot(events []Event) [32]byte {
	leaves := make([][32]byte, len(events))
	for i, e := range events {
		leaves[i] = sha256.Sum256(e.append([]byte{0}))
	}
	return merkleRoot(leaves)
}

// merkleRoot hashes leaf hashes up to their root.
func merkleRoot(leaves [][32]byte) [32]byte {
	switch n := len(leaves); n {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	default:
		left := 1 << (bits.Len(uint(n-1)) - 1) // the largest power of two below n
		l, r := merkleRoot(leaves[:left]), merkleRoot(leaves[left:])
		var node [1 + 2*sha256.Size]byte
		node[0] = 1
		copy(node[1:], l[:])
		copy(node[1+sha256.Size:], r[:])
		return sha256.Sum256(node[:])
	}
}
