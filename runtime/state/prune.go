package state

import (
	"bytes"
	"fmt"
)

// Prune takes at most so many heights out of the storage that have left the window, the earliest first, and reports
// whether there are more. Whoever hosts the state calls it beside its blocks: a Commit waits for the height that is being
// pruned, and readers for nothing. What a height costs is bounded by what its block wrote.
//
// A batch is written for each height, and not synced: what a crash takes back is pruned again.
func (s *State) Prune(heights int) (more bool, err error) {
	for range heights {
		if more, err = s.pruneOne(); !more || err != nil {
			return more, err
		}
	}
	return more, nil
}

func (s *State) pruneOne() (more bool, err error) {
	s.work.Lock()
	defer s.work.Unlock()
	t, v := s.enter()
	defer v.leave()
	if t.height-min(t.height, s.done)+1 <= s.opts.Keep {
		return false, nil
	}
	if s.commit != nil { // the record of an older height must not replace one that is on disk perhaps
		return true, fmt.Errorf("state: prune: the commit of height %d failed, and comes first", s.commit.height)
	}
	next := s.done + 1 // the earliest to remain
	gone, err := pruning(v, next)
	if err != nil {
		return true, fmt.Errorf("state: prune height %d: %w", next-1, err)
	}
	batch := gone.fork()
	batch.Set(recordKey, sealed(recordKey, record{height: t.height, earliest: next, root: t.root}.encode()))

	s.tipMu.Lock()
	s.tip.earliest = max(s.tip.earliest, next) // before the write, and also if it fails: then the rows may be gone
	s.tipMu.Unlock()
	if err := s.db.Write(batch, false); err != nil {
		s.pruning = gone
		return true, fmt.Errorf("state: prune height %d: %w", next-1, err)
	}
	s.done, s.pruning = next, nil
	return t.height-next+1 > s.opts.Keep, nil
}

// pruning is what goes when next becomes the earliest height.
func pruning(r Reader, next uint64) (*Batch, error) {
	batch := new(Batch)
	key := heightKey(kindStale, next)
	row, err := r.Get(key)
	if err != nil {
		return nil, err
	}
	if row != nil {
		b, err := unseal(key, row)
		if err != nil {
			return nil, err
		}
		old, err := decodeStale(b)
		if err != nil {
			return nil, fmt.Errorf("%w: row %x: %w", ErrCorrupt, key, err)
		}
		for _, k := range old.pages {
			batch.Delete(pageKey(k))
		}
		for _, k := range old.deleted {
			dead := kindKey(kindDeletedRow, k)
			s, found, err := getStored(r, dead)
			if err != nil {
				return nil, err
			}
			if found && s.version == next { // else it came back, and may be deleted again
				batch.Delete(dead)
			}
		}
		batch.Delete(key)
	}
	history := heightKey(kindHistory, next)
	err = r.Scan(history, behind(history), false, func(key, _ []byte) bool {
		batch.Delete(bytes.Clone(key))
		return true
	})
	batch.Delete(heightKey(kindRoot, next-1))
	return batch, err
}
