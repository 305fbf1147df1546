package sdktest

import (
	"maps"
	"slices"
	"strings"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/sdk/spelling"
)

// ofTheChain is the events that the runtime emits by itself in the name "chain", which has no spec.
var ofTheChain = []string{"authorities", "parameters"}

// declared ends the test if there can be no event of one of the names: Events would answer none, and a test that wants none would
// pass for ever.
func (c *Chain) declared(names []string) {
	c.t.Helper()
	known, open := c.eventNames()
	for _, name := range names {
		if name == "" {
			c.t.Fatalf("events of the name \"\": without a name Events returns all, and no event has this one")
		}
		contract, _, _ := strings.Cut(name, ".")
		if slices.Contains(known, name) || slices.Contains(known, "*."+name) || open[contract] || len(open) > 0 && !strings.Contains(name, ".") {
			continue
		}
		if slices.ContainsFunc(c.events, func(e Event) bool { return e.is(name) }) {
			continue // of code that a contract had before
		}
		c.t.Fatalf("events of the name %q: no contract of this chain declares it%s; there are %s", name, perhaps(name, known), listed(known))
	}
}

// eventNames is all names that events of this chain can have, as "contract.event" and, with a star for the contract, "*.event". Of the contracts in
// open anything can come: they have no spec.
func (c *Chain) eventNames() (known []string, open map[string]bool) {
	names, open := map[string]bool{}, map[string]bool{}
	add := func(contract, event string) { names[contract+"."+event], names["*."+event] = true, true }
	for contract, spec := range c.specs {
		add(contract, abi.RefusedEvent)
		if spec == nil {
			open[contract] = true
			continue
		}
		for _, e := range spec.Events {
			add(contract, e.Name)
		}
	}
	for _, name := range ofTheChain {
		add("chain", name)
	}
	return slices.Sorted(maps.Keys(names)), open
}

// perhaps is the name that a wrong one was likely meant to be, for the middle of a sentence, or "".
func perhaps(name string, known []string) string {
	var alike []string // with a contract's name, or without
	for _, k := range known {
		if short, ok := strings.CutPrefix(k, "*."); ok != strings.Contains(name, ".") {
			alike = append(alike, short)
		}
	}
	if best := spelling.Nearest(name, alike); best != "" {
		return ", perhaps " + best + " is meant"
	}
	return ""
}

// listed is the names with their contracts, without those that every contract has.
func listed(known []string) string {
	var list []string
	for _, k := range known {
		if !strings.HasPrefix(k, "*.") && !strings.HasSuffix(k, "."+abi.RefusedEvent) {
			list = append(list, k)
		}
	}
	return strings.Join(list, ", ") + " and refused"
}
