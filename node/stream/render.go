package stream

import (
	"sync"

	"github.com/wardledger/ward/node/eventlog"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/receipt"
)

// Bounds of what is kept rendered. A new block is sent to every subscriber at about the same
// time; rendering it once instead of for each saves half of the work of a block.
const (
	freshBlocks   = 16      // only events of the newest blocks: a reader of history passes once
	renderedBytes = 4 << 20 // of JSON
)

// rendered keeps the JSON of the newest events, the oldest of which it forgets first.
type rendered struct {
	mu     sync.Mutex
	events map[receipt.Cursor]rendering
	order  []receipt.Cursor // as they came
	bytes  int
}

type rendering struct {
	spec    *abi.Spec // by which it was rendered
	members []byte    // never modified
}

func (r *rendered) get(c receipt.Cursor, spec *abi.Spec) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.events[c]; e.spec == spec {
		return e.members
	}
	return nil
}

func (r *rendered) put(c receipt.Cursor, e rendering) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.events == nil {
		r.events = make(map[receipt.Cursor]rendering)
	}
	old, again := r.events[c]
	if !again {
		r.order = append(r.order, c)
	}
	r.events[c] = e
	r.bytes += len(e.members) - len(old.members)
	for r.bytes > renderedBytes {
		first := r.order[0]
		r.bytes -= len(r.events[first].members)
		delete(r.events, first)
		r.order = r.order[1:]
	}
}

// members renders an event by its contract's spec.
func (s *Server) members(e *eventlog.Entry, height uint64) []byte {
	spec, err := s.config.Types.SpecAt(e.Event.Contract, e.Cursor.Height)
	if err != nil { // an event must not be held back because its type can't be looked up
		s.config.Logger.Error("event without its type", "cursor", e.Cursor.String(), "error", err)
	}
	fresh := e.Cursor.Height+freshBlocks > height
	if fresh {
		if members := s.rendered.get(e.Cursor, spec); members != nil {
			return members
		}
	}
	members := AppendEvent(make([]byte, 0, 512), e, spec)
	if fresh {
		s.rendered.put(e.Cursor, rendering{spec, members})
	}
	return members
}
