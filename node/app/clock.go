package app

import "time"

// MaxLag is how far a block with transactions may be behind the proposer's own clock.
const MaxLag = time.Second

// maxRepeats bounds how often the silence that excuses another empty block grows tenfold:
// to 10, 100 and 1,000 seconds.
const maxRepeats = 3

// clock decides when to propose an empty block, so that the next one has the true time.
type clock struct {
	last    time.Time // when this node committed its last block, on its own clock
	repeats int       // how many blocks on end went by empty while transactions waited
}

// committed notes that a block was committed now, and whether it went by empty although
// transactions waited: then it was made for the clock's sake, here or by another proposer.
func (c *clock) committed(now time.Time, forClock bool) {
	c.last = now
	if !forClock {
		c.repeats = 0
	} else if c.repeats < maxRepeats {
		c.repeats++
	}
}

// behind reports whether a block with this time should be empty, because its time lies
// too far back. Once an empty block has gone by for that reason, only a silence ten
// times as long, measured on this node's own clock, is a reason again.
func (c *clock) behind(now, block time.Time) bool {
	if now.Sub(block) <= MaxLag {
		return false
	}
	if c.repeats == 0 {
		return true
	}
	silence := MaxLag
	for range c.repeats {
		silence *= 10
	}
	return now.Sub(c.last) > silence
}
