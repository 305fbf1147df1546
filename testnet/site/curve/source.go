package curve

import (
	"hash/fnv"
	"math"
	"time"
)

// A Source is something that takes or gives electric power.
type Source interface {
	// Watts is the power at a moment, never negative.
	Watts(t time.Time) float64
}

// step is how finely Wh looks: the sun moves a degree and a quarter in it.
const step = 5 * time.Minute

// Wh is the energy of a source between two moments, rounded to whole watt hours: the
// midpoint rule, in steps of five minutes. It is 0 if to is not after from. The work grows
// with the time between; a day is a few dozen microseconds.
func Wh(s Source, from, to time.Time) int64 {
	sum := 0.0
	for from.Before(to) {
		d := min(step, to.Sub(from))
		sum += s.Watts(from.Add(d/2)) * d.Hours()
		from = from.Add(d)
	}
	return int64(math.Round(sum))
}

// chance is a number in [0, 1) that looks random, and is the same for the same seed and n.
func chance(seed string, n int64) float64 {
	h := fnv.New64a()
	h.Write([]byte(seed)) // never fails
	var b [8]byte
	for i := range b {
		b[i] = byte(n >> (8 * i))
	}
	h.Write(b[:])
	// FNV alone leaves neighbours alike: the finalizer of MurmurHash3 spreads them.
	x := h.Sum64()
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return float64((x^x>>33)>>11) / (1 << 53)
}

// Dice is a number from 0 to sides-1 that looks random, and is the same for the same seed and n.
func Dice(seed string, n, sides int64) int64 {
	return int64(chance(seed, n) * float64(sides))
}
