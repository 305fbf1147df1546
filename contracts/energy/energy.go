package main

import "github.com/wardledger/ward/sdk"

// before returns the last reading before a moment.
func (m Meter) before(c *sdk.Ctx, t sdk.Time) (point, reading, bool) {
	all := readingAt.Until(readingsOf.Rows(m.Meter), readingKey{m.Meter, t})
	return nearest(all.Reverse().Page(c, nil, 1))
}

// since returns the first reading at a moment or after it.
func (m Meter) since(c *sdk.Ctx, t sdk.Time) (point, reading, bool) {
	all := readingAt.From(readingsOf.Rows(m.Meter), readingKey{m.Meter, t})
	return nearest(all.Page(c, nil, 1))
}

func nearest(rows []sdk.Row[readingKey, reading], _ []byte) (point, reading, bool) {
	if len(rows) == 0 {
		return point{}, reading{}, false
	}
	r := rows[0]
	return point{r.Key.Time, r.Value.ImportWh, r.Value.ExportWh}, r.Value, true
}

// at returns the registers at a moment. Between two readings that are at most a slot apart they
// are interpolated; otherwise sure is false: what is returned is then a straight line over a longer
// gap, or, after the last reading, what that said. Before the first reading they are as it said: that
// is where counting starts.
func (m Meter) at(c *sdk.Ctx, t sdk.Time, slot sdk.Duration) (p point, sure bool) {
	if t > m.Time {
		p = m.last()
		p.time = t
		return p, m.Closed != 0
	}
	next, n, ok := m.since(c, t)
	if !ok {
		panic("BUG: energy: a meter's last reading is not among its readings")
	}
	if next.time == t {
		return next, !n.Estimated
	}
	last, l, ok := m.before(c, t)
	if !ok {
		next.time = t
		return next, true
	}
	span, part := int64(next.time.Sub(last.time)), int64(t.Sub(last.time))
	in, _ := mulDiv(next.importWh-last.importWh, part, span)
	out, _ := mulDiv(next.exportWh-last.exportWh, part, span)
	return point{t, last.importWh + in, last.exportWh + out}, span <= int64(slot) && !n.Estimated && !l.Estimated
}

// A flow is energy, in both directions.
type flow struct{ in, out int64 }

func (f flow) add(g flow) flow { return flow{f.in + g.in, f.out + g.out} }

func (f flow) isZero() bool { return f == flow{} }

// counted is what a meter counted in a slot.
func (m Meter) counted(c *sdk.Ctx, market Market, slot sdk.Time) (f flow, end point, sure bool) {
	if m.Time == 0 {
		return f, end, m.Closed != 0
	}
	start, sureStart := m.at(c, slot, market.SlotSeconds)
	end, sureEnd := m.at(c, market.end(slot), market.SlotSeconds)
	return flow{end.importWh - start.importWh, end.exportWh - start.exportWh}, end, sureStart && sureEnd
}

// take counts a slot whose turn it is, and marks it as settled. Late is what earlier slots
// would have got, had its readings come in time: what is counted once is settled once, in
// the slot or late.
func (m *Meter) take(c *sdk.Ctx, market Market, slot sdk.Time) (f, late flow, sure bool) {
	if m.Time == 0 {
		return f, late, m.Closed != 0
	}
	start, sureStart := point{slot, m.SettledImport, m.SettledExport}, true
	if m.SettledThrough != slot || !m.SettledSure {
		start, sureStart = m.at(c, slot, market.SlotSeconds)
		// Where a meter was closed below its last readings, a line that ended in them may have been
		// settled higher than the line is now.
		start.importWh, start.exportWh = max(start.importWh, m.SettledImport), max(start.exportWh, m.SettledExport)
		late = flow{start.importWh - m.SettledImport, start.exportWh - m.SettledExport}
	}
	if sureStart {
		m.SureThrough = slot
	}
	end, sureEnd := m.at(c, market.end(slot), market.SlotSeconds)
	if sureEnd {
		m.SureThrough = market.end(slot)
	}
	end.importWh, end.exportWh = max(end.importWh, start.importWh), max(end.exportWh, start.exportWh)
	m.SettledThrough, m.SettledImport, m.SettledExport, m.SettledSure = market.end(slot), end.importWh, end.exportWh, sureEnd
	return flow{end.importWh - start.importWh, end.exportWh - start.exportWh}, late, sureStart && sureEnd
}

type energyArgs struct {
	Meter sdk.Address `doc:"the meter"`
	Slot  sdk.Time    `doc:"the moment the slot begins"`
}

type energyAnswer struct {
	ImportWh  int64 `doc:"what came in from the grid"`
	ExportWh  int64 `doc:"what went out to the grid"`
	Estimated bool  `doc:"readings are missing around its ends, or were not measured"`
}

func energyView(c *sdk.Ctx, a energyArgs) (energyAnswer, error) {
	m, _ := theMarket(c)
	if err := m.isSlot(a.Slot); err != nil {
		return energyAnswer{}, err
	}
	meter, err := meterView(c, meterArgs{a.Meter})
	if err != nil {
		return energyAnswer{}, err
	}
	f, _, sure := meter.counted(c, m, a.Slot)
	return energyAnswer{f.in, f.out, !sure}, nil
}
