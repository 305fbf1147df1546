package stream_test

import (
	"net/url"
	"testing"

	"github.com/wardledger/ward/node/stream"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/state"
)

// What a contract said before its code was replaced is typed as it was then.
func TestSpecAt(t *testing.T) {
	types := stream.NewTypes(specs{}, newLog(t, state.NewMemory()))
	for height, want := range map[uint64]*abi.Spec{1: accessBefore, 6: accessBefore, 7: access, 8: access} {
		if spec, err := types.SpecAt("changed", height); err != nil || spec != want {
			t.Errorf("at height %d: %v, %v", height, spec, err)
		}
	}
	if spec, err := types.SpecAt("access", 1); err != nil || spec != access {
		t.Errorf("of one that never changed: %v, %v", spec, err)
	}
	if _, err := types.SpecAt("broken", 1); err == nil {
		t.Error("a fault of the node is not told")
	}
}

// What an attribute may be is looked for once, however many events have it: each event of the log is held against all of it.
func TestReadingsOnce(t *testing.T) {
	types := stream.NewTypes(specs{}, newLog(t, state.NewMemory()))
	sub, no := stream.Parse(url.Values{"contract": {"talkative"}, "attr.id": {"7"}}, types)
	if no != nil {
		t.Fatal(no)
	}
	if values := sub.Filter.Attributes[0].Values; len(values) != 2 {
		t.Errorf("7 is %d things in events of two types: %x", len(values), values)
	}
}
