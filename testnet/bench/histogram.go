package bench

import (
	"math/bits"
	"time"
)

// subBits is how many bits of a duration a histogram keeps below its highest: a value it
// gives is at most one in 2^subBits, 0.8 percent, above the true one.
const subBits = 7

// histogram counts durations, in microseconds, in buckets that grow with the duration: its
// size is the same after a second and after a day. The zero value is empty.
type histogram struct {
	counts [(64 - subBits + 1) << subBits]uint32 // a bucket's 32 bits last for days at any rate
	total  uint64
	most   time.Duration
}

// bucketOf is the bucket of so many microseconds. Up to 2^subBits each has its own; from there on
// each power of two is cut into as many.
func bucketOf(us uint64) int {
	shift := max(bits.Len64(us)-subBits-1, 0)
	return shift<<subBits + int(us>>shift)
}

// highest is the largest number of microseconds in a bucket.
func highest(bucket int) uint64 {
	shift := max(bucket>>subBits-1, 0)
	base := uint64(bucket - shift<<subBits)
	return (base+1)<<shift - 1
}

// add counts a duration; a negative one is none.
func (h *histogram) add(d time.Duration) {
	d = max(d, 0)
	h.counts[bucketOf(uint64(d.Microseconds()))]++
	h.total++
	h.most = max(h.most, d)
}

// quantile is the least duration that is not exceeded by so many in 1000 of all: of five
// values the third is the one at 500. It is 0 if there are none.
func (h *histogram) quantile(permille uint64) time.Duration {
	rank := (h.total*permille + 999) / 1000
	if rank == 0 {
		return 0
	}
	for i, n := range h.counts {
		if uint64(n) >= rank {
			return min(time.Duration(highest(i))*time.Microsecond, h.most)
		}
		rank -= uint64(n)
	}
	panic("BUG: bench: a histogram's buckets hold less than its total")
}
