package state

import (
	"fmt"

	"github.com/cosmos/iavl"
)

// pruner compares neighbouring heights to find the nodes that only the older
// one has. It has a tree of its own, because the library's pruning changes nodes
// in place.
type pruner struct {
	tree  *iavl.MutableTree
	nodes *nodes
	top   uint64 // latest height that existed when it was opened
}

// prune chooses the heights that may go when height is committed, at most
// pruneStep, and closes them to new snapshots. It returns the earliest height
// that remains and the deletions.
func (s *State) prune(height uint64) (earliest uint64, dead *Batch, err error) {
	s.tipMu.Lock()
	earliest = s.tip.earliest
	end := earliest // the first height to remain
	if height > s.opts.Keep {
		end = max(end, min(earliest+pruneStep, height-s.opts.Keep+1))
	}
	for pinned := range s.pins {
		end = max(earliest, min(end, pinned))
	}
	s.tip.earliest = end
	latest := s.tip.height
	s.tipMu.Unlock()
	if end == earliest {
		return earliest, new(Batch), nil
	}

	p := s.pruner
	if p == nil || p.top < end {
		n := &nodes{db: s.db}
		p = &pruner{tree: openTree(n, min(pruneCacheNodes, s.opts.CacheNodes)), nodes: n, top: latest}
		s.pruner = p
	}
	err = p.tree.DeleteVersionsTo(int64(end - 1))
	if failed := p.nodes.failed.Load(); failed != nil {
		err = *failed // also if the library made do without
	}
	if err != nil {
		return 0, nil, fmt.Errorf("state: prune heights %d to %d: %w", earliest, end-1, err)
	}
	return end, p.nodes.take(), nil
}

// setEarliest takes back what prune announced, when nothing came of it.
func (s *State) setEarliest(height uint64) {
	s.tipMu.Lock()
	defer s.tipMu.Unlock()
	s.tip.earliest = height
}
