package eventlog

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
)

// The first byte of a key says which table it is in.
const (
	tableVersion  = 'v'
	tableBlock    = 'b'
	tableReceipt  = 'r'
	tableEvent    = 'e'
	tableContract = 'c'
	tableName     = 'i'
	tableTx       = 't'
)

// formatVersion is the layout of the rows that this program writes and reads.
const formatVersion = 1

const cursorSize = 16

func blockKey(height uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{tableBlock}, height)
}

func receiptKey(height uint64, tx uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64([]byte{tableReceipt}, height), tx)
}

func txKey(id [32]byte) []byte { return append([]byte{tableTx}, id[:]...) }

func eventKey(c receipt.Cursor) []byte { return appendCursor([]byte{tableEvent}, c) }

func appendCursor(b []byte, c receipt.Cursor) []byte {
	k := c.Key()
	return append(b, k[:]...)
}

// contractPrefix and namePrefix start the keys of an index. Names carry their length, so
// that no name is the beginning of another's key.
func contractPrefix(contract string) []byte {
	return appendName([]byte{tableContract}, contract)
}

func namePrefix(contract, name string) []byte {
	return appendName(appendName([]byte{tableName}, contract), name)
}

func appendName(b []byte, s string) []byte {
	return append(append(b, byte(len(s))), s...)
}

// cursorAt reads the cursor that a key ends with.
func cursorAt(key []byte) (receipt.Cursor, bool) {
	if len(key) < 1+cursorSize {
		return receipt.Cursor{}, false
	}
	return receipt.CursorOfKey([cursorSize]byte(key[len(key)-cursorSize:])), true
}

// Damaged is the error for a row that is not what was written, or is missing where
// another row says that it must be. The node's disk or database is at fault.
type Damaged struct {
	Row string // such as "event 12.0.3"
	Err error
}

func (d *Damaged) Error() string {
	return fmt.Sprintf("event log: %s is damaged: %v", d.Row, d.Err)
}

func (d *Damaged) Unwrap() error { return d.Err }

// IsDamaged reports whether err means that rows of the log are lost or wrong.
func IsDamaged(err error) bool {
	var d *Damaged
	return errors.As(err, &d)
}

var errMissing = errors.New("missing")

// damaged names a row by its key.
func damaged(key []byte, err error) error { return &Damaged{Row: rowName(key), Err: err} }

func rowName(key []byte) string {
	if len(key) > 0 {
		switch rest := key[1:]; key[0] {
		case tableVersion:
			return "the format version"
		case tableBlock:
			if len(rest) == 8 {
				return fmt.Sprintf("block %d", binary.BigEndian.Uint64(rest))
			}
		case tableReceipt:
			if len(rest) == 12 {
				return fmt.Sprintf("receipt %d.%d", binary.BigEndian.Uint64(rest), binary.BigEndian.Uint32(rest[8:]))
			}
		case tableEvent:
			if c, ok := cursorAt(key); ok && len(rest) == cursorSize {
				return "event " + c.String()
			}
		case tableContract, tableName:
			if c, ok := cursorAt(key); ok {
				return "index row of event " + c.String()
			}
		case tableTx:
			return "the place of transaction " + hex.EncodeToString(rest)
		}
	}
	return "row " + hex.EncodeToString(key)
}

// Every value is a CRC-32C over key and payload, then the payload.
const sumSize = 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(key, payload []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, payload)
}

// seal makes a value of a payload.
func seal(key, payload []byte) []byte {
	v := make([]byte, 0, sumSize+len(payload))
	v = binary.BigEndian.AppendUint32(v, checksum(key, payload))
	return append(v, payload...)
}

// open checks a value and returns its payload, which aliases it.
func open(key, value []byte) ([]byte, error) {
	if len(value) < sumSize {
		return nil, damaged(key, fmt.Errorf("%d bytes, a checksum alone has %d", len(value), sumSize))
	}
	payload := value[sumSize:]
	if got, want := checksum(key, payload), binary.BigEndian.Uint32(value); got != want {
		return nil, damaged(key, fmt.Errorf("checksum is %08x, must be %08x", got, want))
	}
	return payload, nil
}

// Header is what the log knows of a block beside its receipts and events.
type Header struct {
	Height uint64
	Time   int64  // unix seconds, the block's time
	Hash   []byte // the engine's hash of the block; at most MaxHash bytes
	Root   []byte // the state's root after the block; at most MaxHash bytes
	Txs    uint32 // number of transactions
	Events uint32 // number of events, those of no transaction included

	loose  uint32   // events that belong to no transaction
	digest [32]byte // over what the block brought about: see Block.digest
}

// MaxHash is the longest block hash or state root, in bytes: SHA-512.
const MaxHash = 64

func (h *Header) encode() []byte {
	b := cbor.AppendArray(nil, 7)
	b = cbor.AppendInt(b, h.Time)
	b = cbor.AppendBytes(b, h.Hash)
	b = cbor.AppendBytes(b, h.Root)
	b = cbor.AppendUint(b, uint64(h.Txs))
	b = cbor.AppendUint(b, uint64(h.Events))
	b = cbor.AppendUint(b, uint64(h.loose))
	return cbor.AppendBytes(b, h.digest[:])
}

func decodeHeader(height uint64, b []byte) (*Header, error) {
	f := fields{r: cbor.NewReader(b)}
	f.array(7)
	h := &Header{Height: height}
	h.Time = f.int()
	h.Hash = f.bytes(0, MaxHash)
	h.Root = f.bytes(0, MaxHash)
	h.Txs = f.uint32()
	h.Events = f.uint32()
	h.loose = f.uint32()
	copy(h.digest[:], f.bytes(32, 32))
	return h, f.end()
}

// A receipt row says how many events belong to it, so that a lost one is noticed.
func encodeReceipt(r *receipt.Receipt) []byte {
	bare := *r
	bare.Events = nil
	b := cbor.AppendArray(nil, 2)
	b = cbor.AppendUint(b, uint64(len(r.Events)))
	return append(b, bare.Encode()...)
}

func decodeReceipt(b []byte) (r receipt.Receipt, events uint32, err error) {
	f := fields{r: cbor.NewReader(b)}
	f.array(2)
	events = f.uint32()
	raw := f.raw()
	if err := f.end(); err != nil {
		return r, 0, err
	}
	r, err = receipt.Decode(raw)
	return r, events, err
}

func encodeEvent(time int64, tx *[32]byte, e receipt.Event) []byte {
	b := cbor.AppendArray(nil, 3)
	b = cbor.AppendInt(b, time)
	if tx == nil {
		b = cbor.AppendNull(b)
	} else {
		b = cbor.AppendBytes(b, tx[:])
	}
	return append(b, e.Encode()...)
}

func decodeEvent(c receipt.Cursor, b []byte) (e Entry, err error) {
	f := fields{r: cbor.NewReader(b)}
	f.array(3)
	e.Cursor = c
	e.Time = f.int()
	if f.null() {
		e.Loose = true
	} else {
		copy(e.TxID[:], f.bytes(32, 32))
	}
	raw := f.raw()
	if err := f.end(); err != nil {
		return Entry{}, err
	}
	e.Event, err = receipt.DecodeEvent(raw)
	return e, err
}

// place says where a transaction is. Both may be set: a copy with a broken signature was
// refused in one block and the true one executed in another. Height 0 means not set.
type place struct {
	refused, executed spot
}

type spot struct {
	height uint64
	tx     uint32
}

func (p place) encode() []byte {
	b := cbor.AppendArray(nil, 4)
	for _, s := range []spot{p.refused, p.executed} {
		b = cbor.AppendUint(b, s.height)
		b = cbor.AppendUint(b, uint64(s.tx))
	}
	return b
}

func decodePlace(b []byte) (p place, err error) {
	f := fields{r: cbor.NewReader(b)}
	f.array(4)
	for _, s := range []*spot{&p.refused, &p.executed} {
		s.height = f.uint()
		s.tx = f.uint32()
	}
	return p, f.end()
}

// fields reads a row's fields one after the other and keeps the first error.
type fields struct {
	r   *cbor.Reader
	err error
}

func (f *fields) array(want int) {
	n, err := f.r.Array()
	if err == nil && n != want {
		err = fmt.Errorf("array of %d, must have %d", n, want)
	}
	f.fail(err)
}

func (f *fields) uint() uint64 {
	if f.err != nil {
		return 0
	}
	v, err := f.r.Uint()
	f.fail(err)
	return v
}

func (f *fields) uint32() uint32 {
	v := f.uint()
	if v > math.MaxUint32 {
		f.fail(fmt.Errorf("%d is beyond 32 bits", v))
	}
	return uint32(v)
}

func (f *fields) int() int64 {
	if f.err != nil {
		return 0
	}
	v, err := f.r.Int()
	f.fail(err)
	return v
}

func (f *fields) null() bool {
	if f.err != nil {
		return false
	}
	is, err := f.r.Null()
	f.fail(err)
	return is
}

// bytes copies a byte string of least to most bytes.
func (f *fields) bytes(least, most int) []byte {
	if f.err != nil {
		return nil
	}
	v, err := f.r.Bytes()
	if err == nil && (len(v) < least || len(v) > most) {
		err = fmt.Errorf("byte string of %d, must have %d to %d", len(v), least, most)
	}
	if f.fail(err); f.err != nil {
		return nil
	}
	return append([]byte(nil), v...)
}

// raw aliases the row.
func (f *fields) raw() []byte {
	if f.err != nil {
		return nil
	}
	v, err := f.r.Raw()
	f.fail(err)
	return v
}

func (f *fields) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

func (f *fields) end() error {
	if f.err == nil {
		f.err = f.r.End()
	}
	return f.err
}
