package state

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/wardledger/ward/runtime/state/merkle"
)

// exportRows is of how many rows of a collection the names are in memory at a time, of about 100 bytes each.
const exportRows = 500_000

// Export hands out the snapshot in chunks, in their order: the same for everybody who has this height. Each can be checked
// on its own against the root, see [Import]. A chunk is the visitor's.
func (s *Snapshot) Export(ctx context.Context, visit func(chunk []byte) error) error {
	e := exporter{ctx: ctx, at: &s.at, visit: visit}
	if err := e.run(); err != nil {
		return fmt.Errorf("state: export height %d: %w", s.at.height, err)
	}
	return nil
}

type exporter struct {
	ctx   context.Context
	at    *reader
	visit func([]byte) error

	number uint64
	rows   []fullRow
	size   int
	before *merkle.Node
	done   uint64 // rows in chunks that are out
}

// name is a row of which the value is not there yet.
type name struct {
	hash [sha256.Size]byte
	key  []byte
}

func (e *exporter) run() error {
	if e.at.err != nil {
		return e.at.err
	}
	collections, err := e.collections()
	if err != nil {
		return err
	}
	for _, c := range collections {
		if err := e.collection(c); err != nil {
			return err
		}
	}
	return e.flush()
}

// collections returns the names of all collections in the order of their paths.
func (e *exporter) collections() ([][]byte, error) {
	var names [][]byte
	for low := []byte{1}; ; {
		var found []byte
		err := e.at.scan(low, []byte{MaxCollection + 1}, false, func(key, _ []byte) bool {
			found = key[1 : 1+int(key[0])]
			return false
		})
		if err != nil {
			return nil, err
		}
		if found == nil {
			break
		}
		names = append(names, found)
		_, low = rowRange(found, nil, nil)
	}
	slices.SortFunc(names, func(a, b []byte) int {
		x, y := merkle.PrefixOf(a), merkle.PrefixOf(b)
		return bytes.Compare(x[:], y[:])
	})
	return names, nil
}

// collection exports the rows of one, as many at a time as fit into memory: rows lie in the order of their keys, and
// are wanted in that of their hashes.
func (e *exporter) collection(collection []byte) error {
	low, high := rowRange(collection, nil, nil)
	n := uint64(0)
	if err := e.scan(low, high, func([]byte) { n++ }); err != nil {
		return err
	}
	passes := n/exportRows + 1
	part := (1<<32)/passes + 1 // of the hashes' first 4 bytes
	for pass := range passes {
		var names []name
		err := e.scan(low, high, func(key []byte) {
			key = key[1+len(collection):]
			hash := sha256.Sum256(key)
			if uint64(binary.BigEndian.Uint32(hash[:]))/part == pass {
				names = append(names, name{hash, bytes.Clone(key)})
			}
		})
		if err != nil {
			return err
		}
		slices.SortFunc(names, func(a, b name) int { return bytes.Compare(a.hash[:], b.hash[:]) })
		for i := range names {
			if err := e.ctx.Err(); err != nil {
				return err
			}
			value, err := e.at.get(rowKey(nil, collection, names[i].key))
			if err != nil {
				return err
			}
			if err := e.row(fullRow{collection, names[i].key, value}); err != nil {
				return err
			}
		}
	}
	return nil
}

// scan visits the keys of rows, as long as anybody waits for them.
func (e *exporter) scan(low, high []byte, visit func(key []byte)) error {
	n := 0
	err := e.at.scan(low, high, false, func(key, _ []byte) bool {
		visit(key)
		n++
		return n%4096 > 0 || e.ctx.Err() == nil
	})
	if err == nil {
		err = e.ctx.Err()
	}
	return err
}

func (e *exporter) row(r fullRow) error {
	if e.size >= chunkTarget || len(e.rows) == chunkRows {
		if err := e.flush(); err != nil {
			return err
		}
	}
	e.rows = append(e.rows, r)
	e.size += len(r.collection) + len(r.key) + len(r.value) + 6
	return nil
}

// flush hands out a chunk.
func (e *exporter) flush() error {
	c := chunk{number: e.number, rows: e.rows, before: e.before, more: e.done+uint64(len(e.rows)) < e.at.root.Count}
	if len(e.rows) > 0 {
		leaves := c.leaves()
		last := leaves[len(leaves)-1]
		first := leaves[0].Path
		if e.before != nil {
			first = e.before.Path
		}
		var err error
		if c.beside, err = merkle.RangeOf(e.at, e.at.root, first, last.Path); err != nil {
			return err
		}
		e.before = &last
	}
	e.number++
	e.done += uint64(len(e.rows))
	e.rows, e.size = nil, 0
	return e.visit(c.encode())
}
