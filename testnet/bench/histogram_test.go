package bench

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Every duration lies in a bucket whose highest value is at most 0.8 percent above it, and
// buckets follow each other without a gap.
func TestBuckets(t *testing.T) {
	for i := range len(histogram{}.counts) - 1 {
		if got := bucketOf(highest(i)); got != i {
			t.Fatalf("the highest value %d of bucket %d is in bucket %d", highest(i), i, got)
		}
		if got := bucketOf(highest(i) + 1); got != i+1 {
			t.Fatalf("the value after %d, the highest of bucket %d, is in bucket %d", highest(i), i, got)
		}
	}
	if got, last := bucketOf(math.MaxUint64), len(histogram{}.counts)-1; got != last {
		t.Errorf("the largest value is in bucket %d of %d", got, last)
	}
	rapid.Check(t, func(r *rapid.T) {
		us := rapid.Uint64Range(0, 1<<60).Draw(r, "us")
		if h := highest(bucketOf(us)); h < us || h-us > us>>subBits {
			r.Fatalf("%d counts as %d", us, h)
		}
	})
}

// The slow and obvious way: sort, and take the one at the rank.
func TestQuantiles(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var h histogram
		all := rapid.SliceOfN(rapid.Int64Range(0, int64(time.Hour)), 1, 300).Draw(r, "durations")
		for _, d := range all {
			h.add(time.Duration(d))
		}
		slices.Sort(all)
		for _, permille := range []uint64{1, 500, 950, 990, 999, 1000} {
			rank := (len(all)*int(permille) + 999) / 1000
			want := time.Duration(all[rank-1])
			got := h.quantile(permille)
			// Microseconds are cut off, and the bucket's highest value is given.
			if got < want-time.Microsecond || got > want+want>>subBits+time.Microsecond {
				r.Fatalf("%d of 1000 of %d values: %v, want %v", permille, len(all), got, want)
			}
		}
		if got := h.quantile(1000); got > h.most {
			r.Fatalf("the last is %v, over the largest %v", got, h.most)
		}
	})
}

func TestEmptyHistogram(t *testing.T) {
	var h histogram
	if got := h.quantile(990); got != 0 {
		t.Errorf("99 percent of nothing take %v", got)
	}
	h.add(-time.Second)
	if got := h.quantile(500); got != 0 || h.total != 1 {
		t.Errorf("a clock that ran backwards: %v of %d", got, h.total)
	}
}
