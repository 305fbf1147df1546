package state

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/cosmos/iavl"
)

// ErrStale answers a Stage or Commit over a height that is no longer the latest.
var ErrStale = errors.New("state: another height was committed meanwhile")

// A Stage is a block's writes with their root, ready but not yet true. It is
// independent of the overlay that it came from, which may go on and be staged
// again.
type Stage struct {
	state  *State
	base   uint64
	height uint64
	root   []byte
	rows   []row // in the order of their keys
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
	if o.base.err != nil {
		return nil, o.base.err
	}
	if height == 0 || height > math.MaxInt64 || o.base.height > 0 && height != o.base.height+1 {
		return nil, fmt.Errorf("state: stage height %d over height %d", height, o.base.height)
	}
	st := &Stage{state: o.state, base: o.base.height, height: height}
	st.rows = make([]row, 0, o.order.Len())
	// In key order: the tree's root depends on the order of insertion, and two
	// nodes that followed a map's would commit different roots.
	o.order.Ascend(func(r *row) bool { st.rows = append(st.rows, *r); return true })

	s := o.state
	s.work.Lock()
	defer s.work.Unlock()
	root, err := s.apply(st)
	if err != nil {
		return nil, err
	}
	st.root = root
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
func (st *Stage) Root() []byte { return slices.Clone(st.root) }

// apply brings the stage's rows into the writer's working tree and returns its
// root.
func (s *State) apply(st *Stage) (root []byte, err error) {
	if h := s.committed().height; h != st.base {
		return nil, fmt.Errorf("%w: staged over height %d, latest is %d", ErrStale, st.base, h)
	}
	if s.writer == nil {
		if err := s.openWriter(); err != nil {
			return nil, err
		}
	}
	defer func() {
		if err != nil {
			s.writer = nil // half a stage is in it
		}
	}()
	defer guard("stage", &err)
	if s.staged != nil {
		s.writer.Rollback()
		s.staged = nil
	}
	s.staged = st
	if st.base == 0 {
		s.writer.SetInitialVersion(st.height)
		for _, key := range [][]byte{guardLow, guardHigh} {
			if _, err := s.writer.Set(key, guardValue); err != nil {
				return nil, fmt.Errorf("state: stage height %d: %w", st.height, err)
			}
		}
	}
	for _, r := range st.rows {
		if err := put(s.writer, r); err != nil {
			return nil, fmt.Errorf("state: stage row %x at height %d: %w", r.key, st.height, s.writes.cause(err))
		}
	}
	return slices.Clone(s.writer.WorkingHash()), nil
}

// put writes one row, unless that changes nothing: the tree would give an equal
// row a new version, and with it the state a new root.
func put(tree *iavl.MutableTree, r row) error {
	old, err := tree.Get(r.key)
	if err != nil {
		return err
	}
	switch {
	case r.deleted && old == nil:
		return nil
	case r.deleted:
		_, _, err = tree.Remove(r.key)
	case old != nil && bytes.Equal(old, r.value):
		return nil
	default:
		_, err = tree.Set(r.key, r.value)
	}
	return err
}

// Commit makes the stage's height the latest, on disk (see the package comment)
// and for readers, and prunes what falls out of the window. A stage whose height
// is already committed with its root is committed; one whose base is no longer
// the latest is [ErrStale].
//
// After any other error the height may or may not have reached the disk, and
// the State still answers from the old one. Commit may be called again; after a
// restart, the same block may be staged again.
func (st *Stage) Commit() error {
	s := st.state
	s.work.Lock()
	defer s.work.Unlock()
	t := s.committed()
	if t.height == st.height && bytes.Equal(t.root, st.root) {
		return nil
	}
	if s.staged != st || s.writer == nil {
		root, err := s.apply(st)
		if err != nil {
			return err
		}
		if !bytes.Equal(root, st.root) {
			return fmt.Errorf("BUG: state: height %d staged as %x, and again as %x", st.height, st.root, root)
		}
	}
	batch, next, err := s.prepare(st, t)
	if err == nil {
		if err = s.db.Write(batch, true); err != nil {
			err = fmt.Errorf("state: write height %d: %w", st.height, err)
		}
	}
	if err != nil {
		// Both believe to have written. The disk knows better, and is asked again.
		s.writer, s.pruner = nil, nil
		s.setEarliest(t.earliest)
		return err
	}
	s.staged = nil
	s.tipMu.Lock()
	s.tip = next
	s.tipMu.Unlock()
	return nil
}

// prepare returns the one batch of the stage's height, and the tip that it
// makes.
func (s *State) prepare(st *Stage, t tip) (batch *Batch, next tip, err error) {
	defer guard("save", &err)
	next = tip{height: st.height, earliest: st.height, root: st.root}
	dead := new(Batch)
	if t.height > 0 {
		next.earliest, dead, err = s.prune(st.height)
		if err != nil {
			return nil, tip{}, err
		}
	}
	root, version, err := s.writer.SaveVersion()
	if err != nil {
		return nil, tip{}, fmt.Errorf("state: save height %d: %w", st.height, s.writes.cause(err))
	}
	if uint64(version) != st.height || !bytes.Equal(root, st.root) {
		return nil, tip{}, fmt.Errorf("BUG: state: staged height %d with root %x, saved %d with %x", st.height, st.root, version, root)
	}
	batch = s.writes.take()
	batch.append(dead)
	record := next.encode()
	batch.Set(recordKey, seal(recordKey, record))
	return batch, next, nil
}
