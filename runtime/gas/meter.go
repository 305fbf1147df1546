package gas

// Ticks is how many ticks a unit of gas has. A contract counts its instructions in ticks, because most of them
// take less than a nanosecond; everything else is priced in whole units of gas.
const Ticks = 10

// mostTicks is the most that a meter can hold: a contract counts in an i64, below zero when it has run out.
const mostTicks = 1 << 62

// A Meter counts gas up to a limit. The zero value has a limit of zero. It
// belongs to one goroutine.
type Meter struct {
	limit uint64
	ticks uint64 // what is left
}

// NewMeter returns a meter that has used nothing of limit, of which it counts at most 2^62 ticks.
func NewMeter(limit uint64) *Meter {
	limit = min(limit, mostTicks/Ticks)
	return &Meter{limit: limit, ticks: limit * Ticks}
}

// Charge takes n and reports whether that much was left. If it wasn't, all that
// was left is taken: whoever runs out has used the limit, to the unit, and every
// later charge of more than zero fails too.
func (m *Meter) Charge(n uint64) bool {
	if n > m.ticks/Ticks {
		m.ticks = 0
		return n == 0
	}
	m.ticks -= n * Ticks
	return true
}

// Limit returns the most that can be used.
func (m *Meter) Limit() uint64 { return m.limit }

// Used returns what was charged so far, a unit that was begun counted whole; it is never more than the limit.
func (m *Meter) Used() uint64 { return m.limit - m.ticks/Ticks }

// Left returns what may still be charged.
func (m *Meter) Left() uint64 { return m.ticks / Ticks }

// TicksLeft returns what a contract that counts for itself may use.
func (m *Meter) TicksLeft() uint64 { return m.ticks }

// SetTicksLeft says what is left after a contract has counted, and reports whether it had enough: it hadn't if left
// is below zero, and then nothing is left. A contract can't come back with more than it was given.
func (m *Meter) SetTicksLeft(left int64) bool {
	if left < 0 {
		m.ticks = 0
		return false
	}
	m.ticks = min(m.ticks, uint64(left))
	return true
}
