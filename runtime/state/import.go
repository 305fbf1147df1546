package state

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/wardledger/ward/runtime/state/merkle"
)

// recordImport marks a storage into which an import is not finished.
const recordImport = 3

// An Import fills an empty storage with the chunks of a snapshot, in their order. Each is checked against the root before
// anything of it is written, and then written whole, so that an import goes on after a crash where it was.
type Import struct {
	db     DB
	cache  *cache
	at     importRecord
	failed error // the first failed write
}

// importRecord is how far an import has come.
type importRecord struct {
	height uint64
	root   merkle.Hash
	next   uint64       // number of the chunk to come
	tree   merkle.Node  // of the rows that are there
	last   *merkle.Node // leaf; nil before the first chunk
}

func (r *importRecord) encode() []byte {
	b := binary.BigEndian.AppendUint64([]byte{recordImport}, r.height)
	b = append(b, r.root[:]...)
	b = binary.BigEndian.AppendUint64(b, r.next)
	if r.last != nil {
		b = append(append(b, r.last.Path[:]...), r.last.Value[:]...)
	}
	return append(b, merkle.EncodeRoot(&r.tree)...)
}

func decodeImport(b []byte) (r importRecord, err error) {
	const head = 1 + 8 + 32 + 8
	if len(b) < head || b[0] != recordImport {
		return r, fmt.Errorf("%w: record %x is not that of an import", ErrCorrupt, b)
	}
	r.height, r.root, r.next = binary.BigEndian.Uint64(b[1:]), merkle.Hash(b[9:]), binary.BigEndian.Uint64(b[41:])
	b = b[head:]
	if r.next > 0 {
		const leaf = merkle.PathSize + 32
		if len(b) < leaf {
			return r, fmt.Errorf("%w: the record of an import ends in its last leaf", ErrCorrupt)
		}
		last := merkle.Leaf(merkle.Path(b), merkle.Hash(b[merkle.PathSize:]))
		r.last, b = &last, b[leaf:]
	}
	if r.tree, err = merkle.DecodeRoot(b); err != nil {
		return r, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return r, nil
}

// OpenImport begins to import the snapshot of a height with a root that the caller trusts, or goes on with it. The storage
// is empty, or holds an unfinished import of the same.
func OpenImport(db DB, height uint64, root []byte) (*Import, error) {
	if len(root) != len(merkle.Hash{}) || height == 0 {
		return nil, fmt.Errorf("state: import height %d with a root of %d bytes", height, len(root))
	}
	i := &Import{db: db, cache: newCache(1 << 14), at: importRecord{height: height, root: merkle.Hash(root)}}
	row, err := db.Get(recordKey)
	if err != nil {
		return nil, fmt.Errorf("state: import: read the record: %w", err)
	}
	if row == nil {
		if err := checkEmpty(db); err != nil {
			return nil, err
		}
		return i, nil
	}
	b, err := unseal(recordKey, row)
	if err != nil {
		return nil, err
	}
	if len(b) > 0 && b[0] != recordImport {
		return nil, errors.New("state: import into a storage that holds a state")
	}
	was, err := decodeImport(b)
	if err != nil {
		return nil, err
	}
	if was.height != height || was.root != i.at.root {
		return nil, fmt.Errorf("state: an import of height %d with root %x is under way here, not of height %d with root %x", was.height, was.root, height, root)
	}
	i.at = was
	return i, nil
}

// Next returns the number of the chunk that Add wants.
func (i *Import) Next() uint64 { return i.at.next }

// Rows returns how many rows are there.
func (i *Import) Rows() uint64 { return i.at.tree.Count }

// Add takes the next chunk and reports whether it was the last; then the storage holds the state. A chunk that is not the
// next, or not of this snapshot, is refused with [ErrChunk], and the import goes on with a better one. After a write that
// failed it does not go on: what is on disk then only [OpenImport] can tell.
func (i *Import) Add(b []byte) (done bool, err error) {
	if i.failed != nil {
		return false, fmt.Errorf("state: an earlier write of the import failed, open it again: %w", i.failed)
	}
	c, err := decodeChunk(b)
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrChunk, err)
	}
	if c.number != i.at.next {
		return false, fmt.Errorf("%w: it is number %d, the next is %d", ErrChunk, c.number, i.at.next)
	}
	if c.before != nil && (c.before.Path != i.at.last.Path || c.before.Value != i.at.last.Value) {
		return false, fmt.Errorf("%w: number %d does not follow the last row that is here", ErrChunk, c.number)
	}
	leaves, err := c.verify(i.at.root)
	if err != nil {
		return false, fmt.Errorf("%w: number %d: %w", ErrChunk, c.number, err)
	}
	next, batch, update, err := i.prepare(&c, leaves)
	if err != nil {
		return false, fmt.Errorf("state: import chunk %d: %w", c.number, err)
	}
	if err := i.db.Write(batch, true); err != nil {
		i.failed = err
		return false, fmt.Errorf("state: import chunk %d: %w", c.number, err)
	}
	// Pages of this height are written over as rows are added, unlike those of a chain.
	for _, k := range update.Stale {
		i.cache.pages.Remove(k)
	}
	for _, w := range update.New {
		i.cache.pages.Add(w.Key, w.Page)
	}
	i.at = next
	return !c.more, nil
}

// prepare returns the one batch of a chunk.
func (i *Import) prepare(c *chunk, leaves []merkle.Node) (next importRecord, batch *Batch, update *merkle.Update, err error) {
	batch = new(Batch)
	changes := make([]merkle.Change, len(leaves))
	for k := range leaves {
		changes[k] = merkle.Change{Path: leaves[k].Path, Value: leaves[k].Value}
		r := &c.rows[k]
		key := kindKey(kindRow, rowKey(nil, r.collection, r.key))
		batch.Set(key, sealed(key, stored{version: i.at.height, value: r.value}.encode()))
	}
	pages := reader{view: &view{View: unowned{i.db}}, cache: i.cache}
	pages.view.users.Store(1)
	update, err = merkle.Apply(&pages, i.at.tree, i.at.height, changes)
	if err != nil {
		return next, nil, nil, err
	}
	for _, k := range update.Stale { // gone, or written over below
		batch.Delete(pageKey(k))
	}
	for _, w := range update.New {
		key := pageKey(w.Key)
		batch.Set(key, sealed(key, w.Page.Encode(w.Key.Depth)))
	}
	next = i.at
	next.next++
	next.tree = update.Root
	if len(leaves) > 0 {
		next.last = &leaves[len(leaves)-1]
	}
	if c.more {
		batch.Set(recordKey, sealed(recordKey, next.encode()))
	} else {
		if root := update.Root.Root(); root != i.at.root {
			return next, nil, nil, fmt.Errorf("BUG: every chunk is of root %x, and all together have %x", i.at.root, root)
		}
		key := heightKey(kindRoot, next.height)
		batch.Set(key, sealed(key, merkle.EncodeRoot(&next.tree)))
		batch.Set(recordKey, sealed(recordKey, record{height: next.height, earliest: next.height, root: next.tree}.encode()))
	}
	return next, batch, update, nil
}

// unowned is a storage that is read as it is.
type unowned struct{ Reader }

func (unowned) Release() {}
