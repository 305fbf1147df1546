package state

import (
	"bytes"
	"errors"
	"testing"
)

func TestRowRange(t *testing.T) {
	full := bytes.Repeat([]byte{0xff}, MaxCollection)
	for _, test := range []struct {
		name                   string
		collection, start, end []byte
		low, high              []byte
	}{
		{"all of a collection", []byte("ab"), nil, nil, []byte("\x02ab"), []byte("\x02ac")},
		{"an empty end is none", []byte("ab"), []byte("k"), []byte{}, []byte("\x02abk"), []byte("\x02ac")},
		{"both ends", []byte("ab"), []byte("k"), []byte("n"), []byte("\x02abk"), []byte("\x02abn")},
		{"the carry", []byte("a\xff"), nil, nil, []byte("\x02a\xff"), []byte("\x02b")},
		{"the carry into the length", []byte("\xff"), nil, nil, []byte("\x01\xff"), []byte("\x02")},
		{"the last collection", full, nil, nil, append([]byte{0x80}, full...), []byte{0x81}},
	} {
		low, high := rowRange(test.collection, test.start, test.end)
		if !bytes.Equal(low, test.low) || !bytes.Equal(high, test.high) {
			t.Errorf("%s: [%x, %x), want [%x, %x)", test.name, low, high, test.low, test.high)
		}
		if bytes.Compare(low, guardLow) <= 0 || bytes.Compare(high, guardHigh) >= 0 {
			t.Errorf("%s: [%x, %x) is not between the guards", test.name, low, high)
		}
	}
}

func TestSeal(t *testing.T) {
	key, value := []byte("key"), []byte("value")
	stored := seal(key, value)
	got, err := unseal(key, stored)
	if err != nil || !bytes.Equal(got, value) {
		t.Fatalf("unsealed %q, %v", got, err)
	}
	if _ = append(got, 'x'); !bytes.Equal(stored, seal(key, value)) {
		t.Error("appending to an unsealed value writes over its checksum")
	}
	for name, bad := range map[string]struct{ key, stored []byte }{
		"another's row": {[]byte("kez"), stored},
		"short":         {key, stored[:3]},
		"nothing":       {key, nil},
	} {
		if _, err := unseal(bad.key, bad.stored); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRecord(t *testing.T) {
	want := tip{height: 7, earliest: 3, root: bytes.Repeat([]byte{9}, 32)}
	got, err := decodeTip(want.encode())
	if err != nil || got.height != 7 || got.earliest != 3 || !bytes.Equal(got.root, want.root) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range [][]byte{nil, {2}, {1}, want.encode()[:48], append(want.encode(), 0)} {
		if _, err := decodeTip(bad); err == nil {
			t.Errorf("%x was read as a record", bad)
		}
	}
}
