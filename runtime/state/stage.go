package state

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/wardledger/ward/runtime/state/merkle"
)

// ErrStale answers a Stage or Commit over a height that is no longer the latest,
// and a read of an overlay over it.
var ErrStale = errors.New("state: another height was committed meanwhile")

// A Stage is a block's writes with their root, ready but not yet true. It is
// independent of the overlay that it came from, which may go on and be staged
// again.
type Stage struct {
	state  *State
	base   uint64
	height uint64
	root   merkle.Node
	batch  Batch // everything but the record
	pages  []merkle.Written
	old    []merkle.Key // pages that the height no longer has
}

// Stage computes the root that the state would have at height with the writes
// of the overlay so far. It has no effect but time: an overlay that holds
// genesis is staged for its root, goes on with the first block, and is staged
// again for the same height.
//
// The height must be the one behind the overlay's; over the empty state it may
// be any, and becomes the earliest. Writes that change nothing do not count, so
// that the root is that of the content. Stage fails with [ErrStale] if the
// overlay's height is no longer the latest, and otherwise only if the state
// cannot be read.
func (o *Overlay) Stage(height uint64) (*Stage, error) {
	if o.state == nil {
		return nil, errors.New("state: an overlay over a snapshot cannot be staged")
	}
	if height == 0 || height > math.MaxInt64 || o.base.height > 0 && height != o.base.height+1 {
		return nil, fmt.Errorf("state: stage height %d over height %d", height, o.base.height)
	}
	t, v := o.state.enter()
	defer v.leave()
	if t.height != o.base.height {
		return nil, fmt.Errorf("%w: staged over height %d, latest is %d", ErrStale, o.base.height, t.height)
	}
	st := &Stage{state: o.state, base: t.height, height: height}
	rows := make([]*row, 0, o.order.Len())
	o.order.Ascend(func(r *row) bool { rows = append(rows, r); return true })
	if err := st.write(o.base, rows); err != nil {
		return nil, fmt.Errorf("state: stage height %d: %w", height, err)
	}
	return st, nil
}

// Root returns the root that the overlay's writes so far would give at the height
// behind its own, which over the empty state is 1. It has no effect but time,
// and fails like Stage.
func (o *Overlay) Root() ([]byte, error) {
	st, err := o.Stage(o.base.height + 1)
	if err != nil {
		return nil, err
	}
	return st.Root(), nil
}

// Height returns the height that Commit will make.
func (st *Stage) Height() uint64 { return st.height }

// Root returns the root that the height will have.
func (st *Stage) Root() []byte {
	root := st.root.Root()
	return root[:]
}

// changed is what a row's write comes to.
type changed struct {
	change merkle.Change
	row    *row
	key    []byte // of the row in the storage
	was    stored
	had    bool // there was a row, or the trace of a deleted one
	same   bool // nothing to do
}

// write fills the batch with rows in the order of their keys.
func (st *Stage) write(base reader, rows []*row) error {
	all := make([]changed, len(rows))
	err := beside(len(rows), func(from, to int) error {
		var prefix [merkle.PrefixSize]byte
		var last []byte // collection of prefix
		for i := from; i < to; i++ {
			r := rows[i]
			n := 1 + int(r.key[0])
			if !bytes.Equal(r.key[:n], last) {
				last, prefix = r.key[:n], merkle.PrefixOf(r.key[1:n])
			}
			if err := all[i].compare(base, r); err != nil {
				return err
			}
			if !all[i].same {
				all[i].change = merkle.Change{Path: merkle.Under(prefix, r.key[n:]), Deleted: r.deleted}
				if !r.deleted {
					all[i].change.Value = sha256.Sum256(r.value)
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	old := stale{}
	changes := make([]merkle.Change, 0, len(all))
	for i := range all {
		if c := &all[i]; !c.same {
			changes = append(changes, c.change)
			st.writeRow(c)
			if c.row.deleted {
				old.deleted = append(old.deleted, c.row.key)
			}
		}
	}
	slices.SortFunc(changes, func(a, b merkle.Change) int { return bytes.Compare(a.Path[:], b.Path[:]) })
	for i := range changes {
		if i > 0 && changes[i-1].Path == changes[i].Path {
			return fmt.Errorf("two rows have the path %x: their collections' names have the same hash", changes[i].Path)
		}
	}
	update, err := merkle.Apply(&base, base.root, st.height, changes)
	if err != nil {
		return err
	}
	st.root, st.pages, st.old, old.pages = update.Root, update.New, update.Stale, update.Stale
	encoded := make([]op, len(st.pages))
	beside(len(st.pages), func(from, to int) error {
		for i := from; i < to; i++ {
			w := &st.pages[i]
			key := pageKey(w.Key)
			encoded[i] = op{key, sealed(key, w.Page.Encode(w.Key.Depth))}
		}
		return nil
	})
	for _, o := range encoded {
		st.batch.Set(o.key, o.value)
	}
	if st.base > 0 && len(changes) > 0 { // empty too: a height that changed anything has its list, or lost it
		key := heightKey(kindStale, st.height)
		st.batch.Set(key, sealed(key, old.encode()))
	}
	key := heightKey(kindRoot, st.height)
	st.batch.Set(key, sealed(key, merkle.EncodeRoot(&st.root)))
	return nil
}

// compare reads what the row was.
func (c *changed) compare(base reader, r *row) (err error) {
	c.row, c.key = r, kindKey(kindRow, r.key)
	if base.height == 0 {
		c.same = r.deleted
		return nil
	}
	if c.was, c.had, err = getStored(base.view, c.key); err != nil {
		return fmt.Errorf("row %x: %w", r.key, err)
	}
	if c.had {
		c.same = !r.deleted && bytes.Equal(c.was.value, r.value)
		return nil
	}
	if c.same = r.deleted; c.same {
		return nil
	}
	if c.was, c.had, err = getStored(base.view, kindKey(kindDeletedRow, r.key)); err != nil {
		return fmt.Errorf("deleted row %x: %w", r.key, err)
	}
	return nil
}

// writeRow puts the row, and what it was, into the batch.
func (st *Stage) writeRow(c *changed) {
	now := stored{version: st.height, older: c.had, deleted: c.row.deleted, value: c.row.value}
	if c.had {
		key := historyKey(st.height, c.row.key)
		st.batch.Set(key, sealed(key, c.was.encodeHistory()))
	}
	if c.row.deleted {
		dead := kindKey(kindDeletedRow, c.row.key)
		st.batch.Delete(c.key)
		st.batch.Set(dead, sealed(dead, now.encode()))
		return
	}
	st.batch.Set(c.key, sealed(c.key, now.encode()))
	if c.had && c.was.deleted {
		st.batch.Delete(kindKey(kindDeletedRow, c.row.key))
	}
}

// beside splits n things among the processors, if they are enough for that.
func beside(n int, do func(from, to int) error) error {
	const least = 64 // a goroutine costs less than a get
	parts := min(runtime.GOMAXPROCS(0), n/least)
	if parts < 2 {
		return do(0, n)
	}
	var g errgroup.Group
	for i := range parts {
		g.Go(func() error { return do(i*n/parts, (i+1)*n/parts) })
	}
	return g.Wait()
}

// Commit makes the stage's height the latest, on disk (see the package comment)
// and for readers. A stage whose height is already committed with its root is
// committed; one whose base is no longer the latest is [ErrStale].
//
// After any other error the height may or may not have reached the disk, and
// the State still answers from the old one. Commit may be called again; after a
// restart, the same block may be staged again. Another block of that height is refused until then.
func (st *Stage) Commit() error {
	s := st.state
	s.work.Lock()
	defer s.work.Unlock()
	t := s.committed()
	if t.height == st.height && t.root.Root() == st.root.Root() {
		return nil
	}
	if t.height != st.base {
		return fmt.Errorf("%w: height %d was staged over %d, latest is %d", ErrStale, st.height, st.base, t.height)
	}
	if f := s.commit; f != nil && (f.height != st.height || f.root.Root() != st.root.Root()) {
		return fmt.Errorf("state: height %d may be on disk with root %x, and was staged with %x: open the storage again", f.height, f.Root(), st.Root())
	}
	next := record{height: st.height, earliest: t.earliest, root: st.root}
	if st.base == 0 {
		next.earliest = st.height
	}
	batch := st.batch.fork()
	if s.pruning != nil {
		batch = s.pruning.fork()
		batch.append(&st.batch)
	}
	batch.Set(recordKey, sealed(recordKey, next.encode()))
	if err := s.db.Write(batch, true); err != nil {
		s.commit = st
		return fmt.Errorf("state: write height %d: %w", st.height, err)
	}
	s.done, s.pruning, s.commit = next.earliest, nil, nil
	for _, w := range st.pages {
		s.cache.pages.Add(w.Key, w.Page)
	}
	for _, k := range st.old { // wanted by readers of older heights at most
		s.cache.pages.Remove(k)
	}
	s.show(next)
	return nil
}
