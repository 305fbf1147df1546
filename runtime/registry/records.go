package registry

import (
	"fmt"

	"github.com/wardledger/ward/runtime/cbor"
)

// Reader reads the rows that records lie in.
type Reader interface {
	// Get returns the value of a row, or nil if there is none.
	Get(collection, key []byte) ([]byte, error)
	// Scan visits the rows with start <= key < end in the order of their keys,
	// descending if reverse is set, until visit returns false; an empty end is
	// unbounded. The visit writes nothing. A nil value is of a row that was deleted.
	Scan(collection, start, end []byte, reverse bool, visit func(key, value []byte) bool) error
}

// KV reads and writes the rows that records lie in; a state.Overlay is one.
type KV interface {
	Reader
	Set(collection, key, value []byte) error
	Delete(collection, key []byte) error
}

// Records are the chain's records in the rows of a KV. Errors mean that this
// node cannot read or write its state; what a transaction may be told is a value.
type Records struct{ kv KV }

// New returns the records in kv.
func New(kv KV) *Records { return &Records{kv} }

// The collections; the leading zero byte keeps contracts out.
var (
	keyRows      = []byte("\x00keys")      // kid
	accountRows  = []byte("\x00accounts")  // address
	windowRows   = []byte("\x00windows")   // kid, lane in one byte
	codeRows     = []byte("\x00code")      // SHA-256 of the code
	instanceRows = []byte("\x00instances") // name
	historyRows  = []byte("\x00history")   // name
	timelockRows = []byte("\x00timelocks") // name; none: changes of code need no announcement

	authorityRows = []byte("\x00authorities") // wantedKey, handedKey
	parameterRows = []byte("\x00parameters")  // parametersKey, permitsKey
	permitRows    = []byte("\x00permits")     // name
)

// get reads a record of n fields behind its version, 1; fields reads them.
func (r *Records) get(collection, key []byte, what string, n int, fields func(d *decoder)) (found bool, err error) {
	row, err := r.kv.Get(collection, key)
	if err != nil || row == nil {
		return false, err
	}
	if err := decode(row, n, fields); err != nil {
		return false, fmt.Errorf("registry: record of %s %x: %w", what, key, err)
	}
	return true, nil
}

const recordVersion = 1

// encoder starts a record of n fields.
func encoder(n int) []byte {
	return cbor.AppendUint(cbor.AppendArray(nil, n+1), recordVersion)
}

func decode(row []byte, n int, fields func(d *decoder)) error {
	d := &decoder{Reader: cbor.NewReader(row)}
	d.array(n + 1)
	if v := d.uint(); d.err == nil && v != recordVersion {
		d.err = fmt.Errorf("version %d is not known to this release", v)
	}
	fields(d)
	if d.err == nil {
		d.err = d.End()
	}
	return d.err
}

// decoder reads fields until the first error, and zeros from then on.
type decoder struct {
	*cbor.Reader
	err error
}

func take[T any](d *decoder, read func() (T, error)) (v T) {
	if d.err != nil {
		return v
	}
	v, d.err = read()
	if d.err != nil {
		var zero T
		return zero
	}
	return v
}

func (d *decoder) uint() uint64  { return take(d, d.Uint) }
func (d *decoder) int() int64    { return take(d, d.Int) }
func (d *decoder) text() string  { return take(d, d.Text) }
func (d *decoder) bytes() []byte { return take(d, d.Bytes) }

// items reads the head of an array of any length.
func (d *decoder) items() int { return take(d, d.Array) }

// array reads the head of an array of n items.
func (d *decoder) array(n int) {
	if got := d.items(); d.err == nil && got != n {
		d.err = fmt.Errorf("array of %d items, must be %d", got, n)
	}
}

// fixed reads a byte string of exactly len(to) bytes.
func (d *decoder) fixed(to []byte) {
	b := d.bytes()
	if d.err == nil && len(b) != len(to) {
		d.err = fmt.Errorf("byte string of %d bytes, must be %d", len(b), len(to))
	}
	if d.err == nil {
		copy(to, b)
	}
}
