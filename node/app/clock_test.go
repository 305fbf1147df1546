package app

import (
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }
	type block struct {
		at       float64
		forClock bool // it was empty while transactions waited
	}
	for _, c := range []struct {
		name       string
		committed  []block
		now, block float64
		want       bool
	}{
		{"blocks follow each other", []block{{10, false}}, 10.02, 10, false},
		{"a second is no lag yet", []block{{10, false}}, 11, 10, false},
		{"silence", []block{{10, false}}, 11.001, 10, true},
		{"a quiet hour", []block{{10, false}}, 3610, 10, true},
		{"after a restart", nil, 3610, 10, true},
		{"the first block of an old genesis", nil, 90, 0, true},
		{"empty blocks of a quiet chain are no reason against it", []block{{10, false}, {70, false}}, 100, 70, true},
		{"a block behind us", []block{{10, false}}, 10, 500, false},
		{"never twice in a row for the same silence", []block{{10, false}, {60, true}}, 60.02, 50, false},
		{"nor when the network is slow", []block{{10, false}, {60, true}}, 69, 58, false},
		{"a new silence after that", []block{{10, false}, {60, true}}, 70.5, 60, true},
		{"which must then be longer", []block{{60, true}, {71, true}}, 100, 71, false},
		{"ten times as long", []block{{60, true}, {71, true}}, 171.5, 71, true},
		{"but not without end", []block{{1, true}, {2, true}, {3, true}, {4, true}, {5, true}}, 1006, 5, true},
		{"a block with transactions makes it all good", []block{{60, true}, {60.1, false}}, 62, 60.1, true},
	} {
		var k clock
		for _, b := range c.committed {
			k.committed(at(b.at), b.forClock)
		}
		if got := k.behind(at(c.now), at(c.block)); got != c.want {
			t.Errorf("%s: an empty block is proposed: %v, want %v", c.name, got, c.want)
		}
	}
}
