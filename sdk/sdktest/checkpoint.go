package sdktest

import (
	"maps"
	"slices"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/sdktest/link"
)

// A Mark is a moment of a chain.
type Mark struct {
	mark    int
	tip     link.Tip
	now     sdk.Time
	events  []Event
	updates []AuthorityUpdate
	next    map[*Key][2]uint64
	specs   map[string]*abi.Spec
}

// Checkpoint marks this moment, for [Chain.Revert]. It costs next to nothing.
func (c *Chain) Checkpoint() Mark {
	c.t.Helper()
	m := Mark{tip: c.tip, now: c.now, events: slices.Clip(c.events), updates: c.updates, next: maps.Clone(c.signers), specs: c.specs}
	c.ask("Checkpoint", c.number, &m.mark)
	for key := range m.next {
		m.next[key] = key.next
	}
	return m
}

// Revert undoes all that has happened since the mark: state, height, time, events, and the sequences of keys. One can come back to a
// mark as often as one likes, and to one that lies before.
func (c *Chain) Revert(m Mark) {
	c.t.Helper()
	c.ask("Revert", link.Mark{Number: c.number, Mark: m.mark}, &c.tip)
	c.now, c.events, c.updates, c.specs = m.now, m.events, m.updates, m.specs
	for key, first := range c.signers {
		key.next = first
		if next, ok := m.next[key]; ok {
			key.next = next
		}
	}
	c.timeline++
}
