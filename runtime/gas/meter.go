package gas

// A Meter counts gas up to a limit. The zero value has a limit of zero. It
// belongs to one goroutine.
type Meter struct {
	limit, used uint64
}

// NewMeter returns a meter that has used nothing of limit.
func NewMeter(limit uint64) *Meter { return &Meter{limit: limit} }

// Charge takes n and reports whether that much was left. If it wasn't, all that
// was left is taken: whoever runs out has used the limit, to the unit, and every
// later charge of more than zero fails too.
func (m *Meter) Charge(n uint64) bool {
	if n > m.limit-m.used {
		m.used = m.limit
		return false
	}
	m.used += n
	return true
}

// Limit returns the most that can be used.
func (m *Meter) Limit() uint64 { return m.limit }

// Used returns what was charged so far; it is never more than the limit.
func (m *Meter) Used() uint64 { return m.used }

// Left returns what may still be charged.
func (m *Meter) Left() uint64 { return m.limit - m.used }
