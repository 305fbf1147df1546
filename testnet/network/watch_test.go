package network

import (
	"context"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/sdk/client"
)

// bench is a watch of two nodes that nobody runs, to be told what they would say.
func bench() (w *Watch, a, b *follower) {
	w = &Watch{network: &Network{}, references: map[uint64]*reference{}, oldest: 1}
	for i := range 2 {
		w.followers = append(w.followers, &follower{
			process: &process{index: i}, client: &client.Client{URL: "http://127.0.0.1:1"},
			due: map[uint64]uint32{}, got: map[uint64]*tally{}, arrived: make(chan struct{}),
		})
	}
	return w, w.followers[0], w.followers[1]
}

func event(height uint64, index uint32, name string) *client.Event {
	return &client.Event{Cursor: receipt.Cursor{Height: height, Index: index}, Height: height, Contract: "bell", Name: name}
}

// What differs between two nodes, and what a stream loses, doubles or makes up, is told.
func TestWatchTells(t *testing.T) {
	block := client.Block{Height: 1, Hash: "aa", Root: "bb", Transactions: 1, Events: 2}
	both := []*client.Event{event(1, 0, "ding"), event(1, 1, "dong")}
	for _, c := range []struct {
		what   string
		block  client.Block    // of node 1
		events []*client.Event // that node 1 streams
		due    int             // heights whose events may still come
		why    string          // "" if nothing is wrong
	}{
		{"the same", block, both, 0, ""},
		{"another hash", client.Block{Height: 1, Hash: "ab", Root: "bb", Transactions: 1, Events: 2}, both, 0, "node 1 has block ab with root bb"},
		{"another root", client.Block{Height: 1, Hash: "aa", Root: "bc", Transactions: 1, Events: 2}, both, 0, "with root bc"},
		{"another number of events", client.Block{Height: 1, Hash: "aa", Root: "bb", Transactions: 1, Events: 1}, both[:1], 0, "and 1 events at height 1"},
		{"an event that has not come", block, both[:1], 1, ""},
		{"an event too many", block, append(both[:2:2], event(1, 2, "ding")), 0, "node 1 streamed 3 events of block 1, which has 2"},
		{"another event", block, []*client.Event{both[0], event(1, 1, "dang")}, 0, "other events of block 1 than node 0"},
		{"another order", block, []*client.Event{both[1], both[0]}, 0, "other events of block 1"},
	} {
		w, a, b := bench()
		for _, e := range both {
			a.count(e)
		}
		for _, e := range c.events {
			b.count(e)
		}
		first := block
		if !w.agrees(context.Background(), a, &first) || !w.agrees(context.Background(), b, &c.block) {
			t.Errorf("%s: nothing to compare with", c.what)
		}
		w.settle(a)
		w.settle(b)
		said := strings.Join(w.wrong, "; ")
		if (said == "") != (c.why == "") || !strings.Contains(said, c.why) || len(b.due) != c.due {
			t.Errorf("%s: said %q, want %q; %d are due", c.what, said, c.why, len(b.due))
		}
	}

	// What comes after its block was settled is one too many as well.
	w, a, _ := bench()
	empty := client.Block{Height: 1}
	w.agrees(context.Background(), a, &empty)
	w.settle(a)
	a.count(event(1, 0, "ding"))
	w.settle(a)
	if len(w.wrong) != 1 || !strings.Contains(w.wrong[0], "beside those that it has") {
		t.Errorf("said %q", w.wrong)
	}

	// However much is wrong, what is told is bounded, and so is what is remembered.
	w, a, b := bench()
	for height := uint64(1); height <= maxReferences+5; height++ {
		w.agrees(context.Background(), a, &client.Block{Height: height})
	}
	for height := uint64(6); height < 6+maxWrong+5; height++ {
		w.agrees(context.Background(), b, &client.Block{Height: height, Root: "other"})
	}
	if len(w.references) != maxReferences || len(w.wrong) != maxWrong || w.more != 5 {
		t.Errorf("%d references, %d sentences, %d more", len(w.references), len(w.wrong), w.more)
	}
	if w.agrees(context.Background(), b, &client.Block{Height: 3}) {
		t.Error("a height that is forgotten was compared with nothing")
	}
}
