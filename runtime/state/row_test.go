package state

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/wardledger/ward/runtime/state/merkle"
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
	}
}

func TestSeal(t *testing.T) {
	key, value := []byte("key"), []byte("value")
	stored := sealed(key, bytes.Clone(value))
	got, err := unseal(key, stored)
	if err != nil || !bytes.Equal(got, value) {
		t.Fatalf("unsealed %q, %v", got, err)
	}
	if _ = append(got, 'x'); !bytes.Equal(stored, sealed(key, bytes.Clone(value))) {
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
	leaf := merkle.Leaf(merkle.PathOf([]byte("c"), []byte("k")), merkle.Hash{9})
	page := leaf
	page.Count, page.Path, page.Value, page.Version = 70, merkle.Path{}, merkle.Hash{}, 6
	for _, root := range []merkle.Node{{}, leaf, page} {
		want := record{height: 7, earliest: 3, root: root}
		got, err := decodeRecord(want.encode())
		if err != nil || got != want {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
		bad := [][]byte{nil, {2}, {1}, {3}, want.encode()[:16], append(want.encode(), 0), record{height: 3, earliest: 7}.encode(), record{height: 3}.encode()}
		for _, b := range bad {
			if _, err := decodeRecord(b); err == nil {
				t.Errorf("%x was read as a record", b)
			}
		}
	}
}

func TestRowKeys(t *testing.T) {
	for _, r := range []Row{{[]byte("a"), nil}, {[]byte("a"), []byte("bc")}, {bytes.Repeat([]byte{'x'}, MaxCollection), bytes.Repeat([]byte{'y'}, MaxKey)}} {
		c, k, err := rowKeyOf(rowKey(nil, r.Collection, r.Key))
		if err != nil || !bytes.Equal(c, r.Collection) || !bytes.Equal(k, r.Key) {
			t.Errorf("%q %q came back as %q %q, %v", r.Collection, r.Key, c, k, err)
		}
	}
	for _, bad := range [][]byte{nil, {0}, {0, 'a'}, {2, 'a'}, {MaxCollection + 1}, rowKey(nil, []byte("a"), make([]byte, MaxKey+1))} {
		if _, _, err := rowKeyOf(bad); err == nil {
			t.Errorf("%x was taken for a row's key", bad)
		}
	}
}

// What the lists of stale things hold comes back, and nothing else is read as one.
func TestStaleList(t *testing.T) {
	want := stale{
		pages:   []merkle.Key{{Version: 3}, {Version: 1 << 40, Depth: 5, Prefix: merkle.Path{0x12, 0x34, 0x50}}},
		deleted: [][]byte{[]byte("\x01ab"), {}},
	}
	b := want.encode()
	got, err := decodeStale(b)
	if err != nil || !slices.Equal(got.pages, want.pages) || len(got.deleted) != 2 || string(got.deleted[0]) != "\x01ab" {
		t.Errorf("%+v, %v", got, err)
	}
	for i := range b {
		if _, err := decodeStale(b[:i]); err == nil {
			t.Errorf("the first %d bytes were read as a list", i)
		}
	}
	if _, err := decodeStale(append(b, 0)); err == nil {
		t.Error("a list with something behind it was read")
	}
}
