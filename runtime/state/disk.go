package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/wardledger/ward/runtime/state/merkle"
)

// What lies in the storage. Every value ends in its checksum ([seal]).
//
//	\x00state                        the record: which heights there are
//	d rowkey                         head                a row that was deleted, as long as older heights have it
//	h height rowkey                  kind head value     what the row was before that height changed it
//	n version depth prefix           page                of the tree
//	r rowkey                         head value          the row as it is
//	s height                         keys                what no height from this one on needs
//	v height                         node                the root of the tree at that height
//
// Heights and versions have 8 bytes, the highest first; a version is the height that wrote. The head is a uvarint:
// the version, times two, plus one if there is an h row of that version with what was before. So the rows of
// the latest height are read with one get, those of an older one by following versions back, and a height is
// pruned by ranges and lists, without looking for what may go.
const (
	kindDeletedRow = 'd'
	kindHistory    = 'h'
	kindPage       = 'n'
	kindRow        = 'r'
	kindStale      = 's'
	kindRoot       = 'v'
)

// recordKey is below all others.
var recordKey = []byte("\x00state")

// recordVersion is 2 since the tree is our own.
const recordVersion = 2

// record is what the storage holds. It is written in the same batch as its height.
type record struct {
	height   uint64 // latest; 0 before the first commit
	earliest uint64 // that can be read
	root     merkle.Node
}

func (r record) encode() []byte {
	b := []byte{recordVersion}
	b = binary.BigEndian.AppendUint64(b, r.height)
	b = binary.BigEndian.AppendUint64(b, r.earliest)
	return append(b, merkle.EncodeRoot(&r.root)...)
}

func decodeRecord(b []byte) (r record, err error) {
	switch {
	case len(b) > 0 && b[0] == 1:
		return r, errors.New("state: written by a release whose state had another tree, and with it other roots: its chain goes on with that release only")
	case len(b) > 0 && b[0] == recordImport:
		return r, errors.New("state: an import into this storage is not finished")
	case len(b) == 0 || b[0] != recordVersion:
		return r, fmt.Errorf("state: record %x is of a format that this release does not know", b)
	case len(b) < 17:
		return r, fmt.Errorf("%w: record is %d bytes, must be at least 17", ErrCorrupt, len(b))
	}
	r.height, r.earliest = binary.BigEndian.Uint64(b[1:]), binary.BigEndian.Uint64(b[9:])
	if r.root, err = merkle.DecodeRoot(b[17:]); err != nil {
		return r, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if r.earliest == 0 || r.earliest > r.height {
		return r, fmt.Errorf("%w: record of heights %d to %d", ErrCorrupt, r.earliest, r.height)
	}
	return r, nil
}

func heightKey(kind byte, height uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{kind}, height)
}

func pageKey(k merkle.Key) []byte {
	return k.Append(append(make([]byte, 0, 1+merkle.MaxKey), kindPage))
}

func kindKey(kind byte, rowKey []byte) []byte {
	return append(append(make([]byte, 0, 1+len(rowKey)), kind), rowKey...)
}

func historyKey(height uint64, rowKey []byte) []byte {
	b := append(make([]byte, 0, 9+len(rowKey)), kindHistory)
	return append(binary.BigEndian.AppendUint64(b, height), rowKey...)
}

// stored is a row in one of its kinds.
type stored struct {
	version uint64
	older   bool // there is a history row of that version
	deleted bool
	value   []byte
}

func appendHead(b []byte, version uint64, older bool) []byte {
	head := version << 1
	if older {
		head |= 1
	}
	return binary.AppendUvarint(b, head)
}

// encode is what is stored of a row that is, or of one that was deleted.
func (s stored) encode() []byte {
	b := appendHead(make([]byte, 0, binary.MaxVarintLen64+len(s.value)+sealSize), s.version, s.older)
	return append(b, s.value...)
}

const (
	historyValue   = 0
	historyDeleted = 1
)

func (s stored) encodeHistory() []byte {
	kind := byte(historyValue)
	if s.deleted {
		kind = historyDeleted
	}
	b := append(make([]byte, 0, 1+binary.MaxVarintLen64+len(s.value)+sealSize), kind)
	return append(appendHead(b, s.version, s.older), s.value...)
}

// decodeStored reads the value of a row of a kind.
func decodeStored(key, sealed []byte) (s stored, err error) {
	b, err := unseal(key, sealed)
	if err != nil {
		return s, err
	}
	switch key[0] {
	case kindHistory:
		if len(b) == 0 || b[0] > historyDeleted {
			return s, fmt.Errorf("%w: row %x is of kind %x", ErrCorrupt, key, b[:min(1, len(b))])
		}
		s.deleted, b = b[0] == historyDeleted, b[1:]
	case kindDeletedRow:
		s.deleted = true
	}
	head, value, err := uvarint(b)
	if err != nil || s.deleted && len(value) > 0 {
		return s, fmt.Errorf("%w: row %x has no head", ErrCorrupt, key)
	}
	s.version, s.older = head>>1, head&1 == 1
	if !s.deleted {
		s.value = value[:len(value):len(value)]
	}
	return s, nil
}

// getStored reads the row under a key of a kind, or reports that it is not there.
func getStored(r Reader, key []byte) (s stored, found bool, err error) {
	sealed, err := r.Get(key)
	if err != nil || sealed == nil {
		return s, false, err
	}
	s, err = decodeStored(key, sealed)
	return s, err == nil, err
}

// stale is what no height from one on needs: pages of the tree, and rows that it deleted.
type stale struct {
	pages   []merkle.Key
	deleted [][]byte // row keys
}

func (s *stale) encode() []byte {
	b := binary.AppendUvarint(nil, uint64(len(s.pages)))
	for i := range s.pages {
		b = s.pages[i].Append(b)
	}
	b = binary.AppendUvarint(b, uint64(len(s.deleted)))
	for _, key := range s.deleted {
		b = binary.AppendUvarint(b, uint64(len(key)))
		b = append(b, key...)
	}
	return b
}

func decodeStale(b []byte) (s stale, err error) {
	n, b, err := count(b, 9)
	if err != nil {
		return s, err
	}
	s.pages = make([]merkle.Key, n)
	for i := range s.pages {
		if s.pages[i], b, err = merkle.ParseKey(b); err != nil {
			return s, err
		}
	}
	if n, b, err = count(b, 1); err != nil {
		return s, err
	}
	s.deleted = make([][]byte, n)
	for i := range s.deleted {
		var size int
		if size, b, err = count(b, 1); err != nil {
			return s, err
		}
		s.deleted[i], b = b[:size], b[size:]
	}
	if len(b) > 0 {
		return s, fmt.Errorf("%d bytes behind the end", len(b))
	}
	return s, nil
}

// count reads a number of things, of which each takes at least so many bytes.
func count(b []byte, each int) (int, []byte, error) {
	v, rest, err := uvarint(b)
	if err != nil {
		return 0, nil, err
	}
	if v > uint64(len(rest))/uint64(each) {
		return 0, nil, fmt.Errorf("%d things of at least %d bytes in %d bytes", v, each, len(rest))
	}
	return int(v), rest, nil
}

func uvarint(b []byte) (uint64, []byte, error) {
	v, n := binary.Uvarint(b)
	if n <= 0 || n > 1 && b[n-1] == 0 {
		return 0, nil, errors.New("not a uvarint in its shortest form")
	}
	return v, b[n:], nil
}

// rowKeyOf splits a row's key again.
func rowKeyOf(key []byte) (collection, row []byte, err error) {
	if len(key) == 0 || int(key[0]) >= len(key) && key[0] > 0 || key[0] == 0 || key[0] > MaxCollection || len(key)-1-int(key[0]) > MaxKey {
		return nil, nil, fmt.Errorf("%w: %x is not the key of a row", ErrCorrupt, key)
	}
	n := 1 + int(key[0])
	return key[1:n], key[n:], nil
}

func pathOf(rowKey []byte) merkle.Path {
	n := 1 + int(rowKey[0])
	return merkle.PathOf(rowKey[1:n], rowKey[n:])
}

// behind is the first key that does not start with a prefix; nil if there is none.
func behind(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}
