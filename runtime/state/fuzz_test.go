package state

import (
	"bytes"
	"testing"

	"github.com/wardledger/ward/runtime/state/merkle"
)

// Whatever a disk or a stranger gives: no decoder panics, and each reads what its encoder makes and nothing else.
func FuzzDecoders(f *testing.F) {
	leaf := merkle.Leaf(merkle.PathOf([]byte("c"), []byte("k")), merkle.Hash{9})
	page := merkle.Node{Count: 70, Version: 6, Hash: merkle.Hash{1}}
	lists := stale{pages: []merkle.Key{{Version: 3}, {Version: 1 << 40, Depth: 5, Prefix: merkle.Path{0x12, 0x34, 0x50}}}, deleted: [][]byte{[]byte("\x01ab"), {}}}
	row := stored{version: 300, older: true, value: []byte("value")}
	gone := stored{version: 7, deleted: true}
	imports := importRecord{height: 9, root: merkle.Hash{2}, next: 4, last: &leaf, tree: page}
	first := importRecord{height: 9, root: merkle.Hash{2}}
	whole := chunk{rows: []fullRow{{[]byte("c"), []byte("k"), []byte("v")}}}
	middle := chunk{number: 3, more: true, before: &leaf, rows: whole.rows, beside: merkle.Range{
		Left: []merkle.Beside{{Bit: 3, Hash: merkle.Hash{4}}}, Right: []merkle.Beside{{Bit: 300}, {Bit: 301}},
	}}
	for _, b := range [][]byte{
		record{height: 7, earliest: 3, root: leaf}.encode(), record{height: 7, earliest: 7, root: page}.encode(),
		lists.encode(), row.encode(), row.encodeHistory(), gone.encode(), gone.encodeHistory(),
		imports.encode(), first.encode(), whole.encode(), middle.encode(),
	} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		same := func(what string, again []byte) {
			t.Helper()
			if !bytes.Equal(again, b) {
				t.Fatalf("%s: %x was read, and written as %x", what, b, again)
			}
		}
		if r, err := decodeRecord(b); err == nil {
			same("record", r.encode())
		}
		if s, err := decodeStale(b); err == nil {
			same("list", s.encode())
		}
		if r, err := decodeImport(b); err == nil {
			same("import", r.encode())
		}
		if c, err := decodeChunk(b); err == nil {
			same("chunk", c.encode())
			c.verify(merkle.Hash{}) // must not panic
		}
		for _, kind := range []byte{kindRow, kindDeletedRow, kindHistory} {
			key := []byte{kind, 1, 'c'}
			s, err := decodeStored(key, sealed(key, bytes.Clone(b)))
			if err != nil {
				continue
			}
			if kind == kindHistory {
				same("older row", s.encodeHistory())
			} else {
				same("row", s.encode())
			}
		}
		rowKeyOf(b)
	})
}
