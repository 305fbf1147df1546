package registry

import (
	"math"
	"math/bits"
)

const hour = 3600 // seconds, over which a quota counts

// MaxQuota is the largest quota in gas per hour: more than any machine executes,
// and small enough that sums of two stay within 64 bits.
const MaxQuota = 1 << 62

// bucket is a leaky bucket: level gas and rest/3600 gas at the time at.
type bucket struct {
	level uint64
	rest  uint64 // below 3600
	at    int64  // unix seconds
}

// drain lets capacity gas an hour leak until now. Time that runs backwards is no
// time: a view may stand before the last charge.
func (b *bucket) drain(capacity uint64, now int64) {
	if now <= b.at {
		return
	}
	// In 3600ths of gas, 128 bits wide, so that nothing is rounded:
	// a long row of short drains leaks what one long one does.
	hi, lo := bits.Mul64(b.level, hour)
	lo, carry := bits.Add64(lo, b.rest, 0)
	hi += carry
	leakHi, leakLo := bits.Mul64(capacity, uint64(now)-uint64(b.at))
	lo, borrow := bits.Sub64(lo, leakLo, 0)
	hi, borrow = bits.Sub64(hi, leakHi, borrow)
	b.at = now
	if borrow != 0 {
		b.level, b.rest = 0, 0
		return
	}
	b.level, b.rest = bits.Div64(hi, lo, hour) // fits: it only became less
}

// room returns the whole gas that is free.
func (b *bucket) room(capacity uint64) uint64 {
	full := b.level
	if b.rest > 0 && full < math.MaxUint64 {
		full++
	}
	return capacity - min(full, capacity)
}

// add charges gas. A level that passes 64 bits stays there: it takes longer to
// leak than anybody waits.
func (b *bucket) add(gas uint64) {
	level, carry := bits.Add64(b.level, gas, 0)
	if carry != 0 {
		level = math.MaxUint64
	}
	b.level = level
}

// spill takes out what a smaller capacity cannot hold.
func (b *bucket) spill(capacity uint64) (out bucket) {
	out.at = b.at
	if b.level < capacity || b.level == capacity && b.rest == 0 {
		return out
	}
	out.level, out.rest = b.level-capacity, b.rest
	b.level, b.rest = capacity, 0
	return out
}

// pour adds the content of another bucket of the same time.
func (b *bucket) pour(other bucket) {
	b.add(other.level)
	b.rest += other.rest
	if b.rest >= hour {
		b.rest -= hour
		b.add(1)
	}
}
