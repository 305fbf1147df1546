package receipt

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Cursor is the place of an event in the chain's one order: block height, index of
// the transaction in the block, index of the event in the transaction, both from 0.
// Events that belong to no transaction have the number of transactions as Tx. The
// zero Cursor lies before every event, because heights start at 1.
type Cursor struct {
	Height    uint64
	Tx, Index uint32
}

// maxCursor is the longest text of a cursor, in bytes: 20 + 10 + 10 digits, two dots.
const maxCursor = 42

// String is "height.tx.index", in decimal.
func (c Cursor) String() string {
	b := make([]byte, 0, maxCursor)
	b = strconv.AppendUint(b, c.Height, 10)
	b = append(b, '.')
	b = strconv.AppendUint(b, uint64(c.Tx), 10)
	b = append(b, '.')
	b = strconv.AppendUint(b, uint64(c.Index), 10)
	return string(b)
}

// ParseCursor reads what String wrote, and nothing else: no sign, no leading zero.
func ParseCursor(s string) (Cursor, error) {
	if len(s) > maxCursor {
		return Cursor{}, fmt.Errorf("cursor is %d bytes, limit %d", len(s), maxCursor)
	}
	h, rest, ok1 := strings.Cut(s, ".")
	t, i, ok2 := strings.Cut(rest, ".")
	if !ok1 || !ok2 {
		return Cursor{}, fmt.Errorf("cursor %q: must be height.tx.index", s)
	}
	height, err1 := parseNumber(h, math.MaxUint64)
	tx, err2 := parseNumber(t, math.MaxUint32)
	index, err3 := parseNumber(i, math.MaxUint32)
	for _, err := range []error{err1, err2, err3} {
		if err != nil {
			return Cursor{}, fmt.Errorf("cursor %q: %w", s, err)
		}
	}
	return Cursor{height, uint32(tx), uint32(index)}, nil
}

func parseNumber(s string, limit uint64) (uint64, error) {
	v, err := strconv.ParseUint(s, 10, 64)
	if err != nil || strconv.FormatUint(v, 10) != s {
		return 0, fmt.Errorf("%q is not a number in plain decimal", s)
	}
	if v > limit {
		return 0, fmt.Errorf("%d is beyond %d", v, limit)
	}
	return v, nil
}

// Compare is -1 if c comes before d, 0 if they are equal and 1 if c comes after.
func (c Cursor) Compare(d Cursor) int {
	switch {
	case c.Height != d.Height:
		return order(c.Height, d.Height)
	case c.Tx != d.Tx:
		return order(uint64(c.Tx), uint64(d.Tx))
	}
	return order(uint64(c.Index), uint64(d.Index))
}

func order(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Key is the cursor as a database key: big-endian, so that keys sort as Compare does.
func (c Cursor) Key() [16]byte {
	var k [16]byte
	binary.BigEndian.PutUint64(k[:], c.Height)
	binary.BigEndian.PutUint32(k[8:], c.Tx)
	binary.BigEndian.PutUint32(k[12:], c.Index)
	return k
}

// CursorOfKey is the cursor with this Key.
func CursorOfKey(k [16]byte) Cursor {
	return Cursor{binary.BigEndian.Uint64(k[:]), binary.BigEndian.Uint32(k[8:]), binary.BigEndian.Uint32(k[12:])}
}

// MarshalText is String.
func (c Cursor) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText is ParseCursor.
func (c *Cursor) UnmarshalText(text []byte) error {
	d, err := ParseCursor(string(text))
	if err != nil {
		return err
	}
	*c = d
	return nil
}
