package state

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/wardledger/ward/runtime/state/merkle"
)

// Options are the choices of whoever opens a State. The zero value is the
// default of each.
type Options struct {
	// Keep is how many committed heights can be read: the latest and Keep-1
	// before it. Default 1,000: a quarter of an hour of blocks at one a second,
	// most of a day at the pace of a quiet chain, and under load at most a few
	// gigabytes. At least 2, because the proof of a height is for readers who
	// have the header of the next.
	Keep uint64

	// CachePages is how many pages of the tree are kept in memory, for readers
	// and writer together; a page takes 1 to 2 kB. Default 131,072 (about 200 MB),
	// which is the whole tree of a million rows.
	CachePages int
}

const (
	defaultKeep       = 1000
	defaultCachePages = 1 << 17
)

// Validate says which option is out of its range.
func (o Options) Validate() error {
	if o.Keep == 1 {
		return errors.New("state: keep is 1 height, must be at least 2")
	}
	if o.CachePages < 0 {
		return fmt.Errorf("state: cache of %d pages, must not be negative", o.CachePages)
	}
	return nil
}

// A PrunedError answers a height that cannot be read: it was pruned, or is not
// there yet.
type PrunedError struct {
	Height   uint64 // that was asked for
	Earliest uint64 // height that can be read
	Latest   uint64 // height that can be read
}

func (e *PrunedError) Error() string {
	return fmt.Sprintf("height %d is not available, earliest is %d, latest is %d", e.Height, e.Earliest, e.Latest)
}

// State is the chain's state in a DB that it owns. Reading, in Snapshots and
// Overlays, runs beside Stage, Commit and Prune and never waits for them.
type State struct {
	db    DB
	opts  Options
	cache *cache

	work sync.Mutex // one Commit or Prune at a time; guards what follows
	done uint64     // up to which height pruning is known to be on disk
	// After a failed write nobody knows whether it is on disk. So what it was goes with the next one.
	pruning *Batch // without the record
	commit  *Stage

	tipMu sync.Mutex // never held during I/O
	tip   record
	view  *view // of the tip
}

// view is a View with the latest height that it sees, and a count of those who read it.
type view struct {
	View
	height uint64
	users  atomic.Int64
}

func (v *view) leave() {
	if v.users.Add(-1) == 0 {
		v.Release()
	}
}

// Get implements [Reader].
func (v *view) Get(key []byte) ([]byte, error) {
	if v.users.Load() <= 0 {
		return nil, ErrStale
	}
	value, err := v.View.Get(key)
	return value, v.stale(err)
}

// Scan implements [Reader].
func (v *view) Scan(start, end []byte, reverse bool, visit func(key, value []byte) bool) error {
	if v.users.Load() <= 0 {
		return ErrStale
	}
	return v.stale(v.View.Scan(start, end, reverse, visit))
}

// stale names the failure of a read during which the view was released.
func (v *view) stale(err error) error {
	if err != nil && v.users.Load() <= 0 {
		return ErrStale
	}
	return err
}

// Open returns the state that db holds; an empty db is an empty state at height
// 0. The State owns db until it is no longer used; there is nothing to close
// but db. Open fails if db holds anything else, or a state whose latest root
// cannot be read.
func Open(db DB, o Options) (*State, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Keep == 0 {
		o.Keep = defaultKeep
	}
	if o.CachePages == 0 {
		o.CachePages = defaultCachePages
	}
	s := &State{db: db, opts: o, cache: newCache(o.CachePages)}
	tip, found, err := readRecord(db)
	if err != nil {
		return nil, err
	}
	if !found {
		if err := checkEmpty(db); err != nil {
			return nil, err
		}
		s.show(record{})
		return s, nil
	}
	if tip.root.Count > 1 {
		p, err := readPage(db, tip.root.Key())
		if err == nil {
			if err = p.Check(&tip.root); err != nil {
				err = fmt.Errorf("%w: %w", ErrCorrupt, err)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("state: root of height %d: %w", tip.height, err)
		}
	}
	s.done = tip.earliest
	s.show(tip)
	return s, nil
}

func readRecord(r Reader) (tip record, found bool, err error) {
	sealed, err := r.Get(recordKey)
	if err != nil {
		return tip, false, fmt.Errorf("state: read the record: %w", err)
	}
	if sealed == nil {
		return tip, false, nil
	}
	b, err := unseal(recordKey, sealed)
	if err == nil {
		tip, err = decodeRecord(b)
	}
	return tip, err == nil, err
}

// checkEmpty refuses a storage with rows but without a record.
func checkEmpty(db Reader) error {
	var foreign []byte
	err := db.Scan(nil, nil, false, func(key, _ []byte) bool { foreign = bytes.Clone(key); return false })
	if err != nil {
		return fmt.Errorf("state: look for rows: %w", err)
	}
	if foreign != nil {
		return fmt.Errorf("%w: no record of a height, but a row %x", ErrCorrupt, foreign)
	}
	return nil
}

// show makes what was written the latest for readers.
func (s *State) show(tip record) {
	v := &view{View: s.db.View(), height: tip.height}
	v.users.Store(1)
	s.tipMu.Lock()
	old := s.view
	tip.earliest = max(tip.earliest, s.tip.earliest)
	s.tip, s.view = tip, v
	s.tipMu.Unlock()
	if old != nil {
		old.leave()
	}
}

// enter returns the tip with its view, which the caller leaves.
func (s *State) enter() (record, *view) {
	s.tipMu.Lock()
	defer s.tipMu.Unlock()
	s.view.users.Add(1)
	return s.tip, s.view
}

func (s *State) committed() record {
	s.tipMu.Lock()
	defer s.tipMu.Unlock()
	return s.tip
}

// Height returns the latest committed height; 0 before the first commit.
func (s *State) Height() uint64 { return s.committed().height }

// Earliest returns the earliest height that At answers.
func (s *State) Earliest() uint64 { return s.committed().earliest }

// Root returns the root of the latest committed height, or nil before the first
// commit.
func (s *State) Root() []byte {
	t := s.committed()
	if t.height == 0 {
		return nil
	}
	root := t.root.Root()
	return root[:]
}

// At returns a snapshot of a committed height; 0 asks for the latest, which
// before the first commit is the empty state. A height outside the window is a
// *PrunedError, never another height. The caller closes the snapshot.
func (s *State) At(height uint64) (*Snapshot, error) {
	t, v := s.enter()
	if height == 0 {
		height = t.height
	}
	if height < t.earliest || height > t.height {
		v.leave()
		return nil, &PrunedError{Height: height, Earliest: t.earliest, Latest: t.height}
	}
	at, err := s.readerAt(t, v, height)
	if err != nil {
		v.leave()
		return nil, err
	}
	return &Snapshot{at: at, release: sync.OnceFunc(v.leave)}, nil
}

func (s *State) readerAt(t record, v *view, height uint64) (reader, error) {
	r := reader{view: v, cache: s.cache, height: height, root: t.root}
	if height == t.height {
		return r, nil
	}
	var err error
	if r.root, err = readRoot(v, height); err != nil {
		return r, fmt.Errorf("state: open height %d: %w", height, err)
	}
	return r, nil
}

// readRoot reads the root of a height that is committed and not pruned.
func readRoot(r Reader, height uint64) (n merkle.Node, err error) {
	key := heightKey(kindRoot, height)
	sealed, err := r.Get(key)
	if err != nil {
		return n, err
	}
	if sealed == nil {
		return n, fmt.Errorf("%w: row %x is missing", ErrCorrupt, key)
	}
	b, err := unseal(key, sealed)
	if err != nil {
		return n, err
	}
	if n, err = merkle.DecodeRoot(b); err != nil {
		return n, fmt.Errorf("%w: row %x: %w", ErrCorrupt, key, err)
	}
	return n, nil
}

// Overlay returns an empty overlay over the latest committed height, for one
// block. It may be read and staged until the next height is committed; then its
// reads answer [ErrStale].
func (s *State) Overlay() *Overlay {
	t, v := s.enter()
	v.leave() // the State itself holds it as long as the height is the latest
	return newOverlay(s, reader{view: v, cache: s.cache, height: t.height, root: t.root})
}
