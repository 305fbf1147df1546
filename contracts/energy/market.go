package main

import "github.com/wardledger/ward/sdk"

// What a market has where nobody says.
const (
	usualSlot   = 15 * sdk.Minute
	usualGate   = 5 * sdk.Minute
	usualFeedIn = 80_000  // micro per kWh: what a small PV roof gets in Germany, about, if a unit of money is a euro
	usualRetail = 300_000 // and what a household pays there, about
	usualK      = 500
)

// lastTime is the end of the year 9999: no sum of times leaves an int64.
const lastTime sdk.Time = 253402300799

type initArgs struct {
	Operator    *sdk.Address  `doc:"the other side of every payment, who keeps the tariff; if missing, the contract's admin"`
	Devices     string        `wire:",omitempty" doc:"name of the contract that knows the meters; if missing, devices"`
	SlotSeconds sdk.Duration  `wire:",omitempty" doc:"length of a slot: 5, 15, 30 or 60 minutes; if missing, 15"`
	GateSeconds *sdk.Duration `doc:"how long before a slot its gate closes; if missing, 5 minutes"`
	SettleAfter *sdk.Duration `doc:"how long after its end a slot is settled; if missing, one slot"`
	FeedIn      *int64        `doc:"what the grid pays, in micro per kWh; if missing, 80000"`
	Retail      *int64        `doc:"what the grid takes, in micro per kWh; if missing, 300000"`
	K           *int64        `doc:"where the price lies between the lowest and highest that fit, in permille; if missing, 500"`
	PayAsBid    bool          `wire:",omitempty" doc:"each trades at their own limit"`
	AutoPmaxW   int64         `wire:",omitempty" doc:"meters that pass no more than this, in W, are confirmed when they are registered; if missing, none: anybody can register a meter, or several"`
	Speed       int64         `wire:",omitempty" doc:"seconds of market time in a second; if missing, 1"`
	Start       sdk.Time      `wire:",omitempty" doc:"market time now; if missing, the chain's"`
}

func create(c *sdk.Ctx, a initArgs) error {
	m := Market{
		Operator: c.Sender(), Devices: "devices", SlotSeconds: usualSlot, GateSeconds: usualGate,
		Speed: 1, Start: c.Time(), Opened: c.Time(), AutoPmaxW: a.AutoPmaxW,
	}
	if a.Operator != nil {
		m.Operator = *a.Operator
	}
	if a.Devices != "" {
		m.Devices = a.Devices
	}
	if a.SlotSeconds != 0 {
		m.SlotSeconds = a.SlotSeconds
	}
	if a.GateSeconds != nil {
		m.GateSeconds = *a.GateSeconds
	}
	m.SettleAfter = m.SlotSeconds
	if a.SettleAfter != nil {
		m.SettleAfter = *a.SettleAfter
	}
	if a.Speed != 0 {
		m.Speed = a.Speed
	}
	if a.Start != 0 {
		m.Start = a.Start
	}
	switch {
	case m.Operator.IsZero():
		return errValue.Because("operator is the zero address: nobody could let money in")
	case !sdk.IsContractName(m.Devices):
		return errValue.Because("devices: %q is not a contract's name", m.Devices)
	case m.SlotSeconds != 300 && m.SlotSeconds != 900 && m.SlotSeconds != 1800 && m.SlotSeconds != 3600:
		return errValue.Because("slot_seconds is %d: 300, 900, 1800 and 3600 are allowed", int64(m.SlotSeconds))
	case m.GateSeconds < 0 || m.GateSeconds > sdk.Day:
		return errValue.Because("gate_seconds is %d, must be 0 to %d", int64(m.GateSeconds), int64(sdk.Day))
	case m.SettleAfter < 0 || m.SettleAfter > maxDelay:
		return errValue.Because("settle_after is %d, must be 0 to %d", int64(m.SettleAfter), int64(maxDelay))
	case m.Speed < 1 || m.Speed > maxSpeed:
		return errValue.Because("speed is %d, must be 1 to %d", m.Speed, int64(maxSpeed))
	case m.AutoPmaxW < 0 || m.AutoPmaxW > maxPower:
		return errValue.Because("auto_pmax_w is %d, must be 0 to %d W", m.AutoPmaxW, int64(maxPower))
	case m.Start < 0 || m.Start > lastTime:
		return errValue.Because("start is %s, must lie between the years 1970 and 9999", m.Start)
	}
	market.Set(c, m)
	opened.Emit(c, openedEvent{m.Operator, m.Devices, m.SlotSeconds, m.GateSeconds, m.SettleAfter, m.Speed, m.Start, m.AutoPmaxW})
	t := tariffArgs{From: 0, FeedIn: usualFeedIn, Retail: usualRetail, K: a.K, PayAsBid: a.PayAsBid}
	if a.FeedIn != nil {
		t.FeedIn = *a.FeedIn
	}
	if a.Retail != nil {
		t.Retail = *a.Retail
	}
	return putTariff(c, t)
}

// theMarket returns the market and its time.
func theMarket(c *sdk.Ctx) (m Market, now sdk.Time) {
	m, _ = market.Get(c)
	return m, m.Start.Add(c.Time().Sub(m.Opened) * sdk.Duration(m.Speed))
}

// of returns the slot in which t lies.
func (m Market) of(t sdk.Time) sdk.Time { return t - t%sdk.Time(m.SlotSeconds) }

func (m Market) gate(slot sdk.Time) sdk.Time { return slot.Add(-m.GateSeconds) }

func (m Market) end(slot sdk.Time) sdk.Time { return slot.Add(m.SlotSeconds) }

// due is when a slot can be settled.
func (m Market) due(slot sdk.Time) sdk.Time { return m.end(slot).Add(m.SettleAfter) }

// isSlot refuses what is no beginning of a slot of this market.
func (m Market) isSlot(slot sdk.Time) error {
	if slot < m.of(m.Start) || slot > lastTime {
		return errValue.Because("slot %s: the market has slots from %s on", slot, m.of(m.Start))
	}
	if at := m.of(slot); at != slot {
		return errValue.Because("slot %s: a slot begins every %s, this one at %s", slot, m.SlotSeconds, at)
	}
	return nil
}

type tariffArgs struct {
	From     sdk.Time `doc:"the first slot that it is for"`
	FeedIn   int64    `doc:"what the grid pays, in micro per kWh; the lowest limit"`
	Retail   int64    `doc:"what the grid takes, in micro per kWh; the highest limit"`
	K        *int64   `doc:"where the price lies between the lowest and highest that fit, in permille; if missing, 500"`
	PayAsBid bool     `wire:",omitempty" doc:"each trades at their own limit"`
}

func setTariff(c *sdk.Ctx, a tariffArgs) (sdk.None, error) {
	m, now := theMarket(c)
	if c.Sender() != m.Operator {
		return sdk.None{}, errNotPermitted.Because("%s is not the operator %s", c.Sender(), m.Operator)
	}
	if err := m.isSlot(a.From); err != nil {
		return sdk.None{}, err
	}
	// Behind the slots that orders are taken for: the prices of a book are frozen before its first order.
	if first := now.Add(maxAhead); a.From <= first {
		return sdk.None{}, errGate.Because("orders are taken up to %s by the tariff that they have: change it for a slot after that, not from %s on", first, a.From)
	}
	return sdk.None{}, putTariff(c, a)
}

func putTariff(c *sdk.Ctx, a tariffArgs) error {
	t := Tariff{a.From, a.FeedIn, a.Retail, usualK, a.PayAsBid}
	if a.K != nil {
		t.K = *a.K
	}
	switch {
	case t.FeedIn < 0 || t.FeedIn > t.Retail || t.Retail > maxPrice:
		return errValue.Because("feed_in %d and retail %d: must rise from 0 to at most %d micro per kWh", t.FeedIn, t.Retail, int64(maxPrice))
	case t.K < 0 || t.K > 1000:
		return errValue.Because("k is %d, must be 0 to 1000 permille", t.K)
	}
	tariffs.Set(c, t.From, t)
	e, ok := extremes.Get(c)
	if !ok {
		e = t
	}
	e.FeedIn, e.Retail = min(e.FeedIn, t.FeedIn), max(e.Retail, t.Retail)
	extremes.Set(c, e)
	tariffSet.Emit(c, t)
	return nil
}

// worst returns the lowest feed-in and the highest retail of the slots from one to another; where
// those have more than mostTariffs tariffs, of all that there ever were.
func worst(c *sdk.Ctx, from, to sdk.Time) Tariff {
	w := tariffOf(c, min(from, to))
	rows, more := tariffAt.Until(tariffAt.From(tariffs.All(), w.From+1), to+1).Page(c, nil, mostTariffs)
	if more != nil {
		w, _ = extremes.Get(c)
		return w
	}
	for _, row := range rows {
		w.FeedIn, w.Retail = min(w.FeedIn, row.Value.FeedIn), max(w.Retail, row.Value.Retail)
	}
	return w
}

// tariffOf returns the tariff of a slot: the last that begins with it or before.
func tariffOf(c *sdk.Ctx, slot sdk.Time) Tariff {
	rows, _ := tariffAt.Until(tariffs.All(), slot+1).Reverse().Page(c, nil, 1)
	if len(rows) == 0 {
		panic("BUG: energy: a market without a tariff")
	}
	return rows[0].Value
}

type marketAnswer struct {
	Now         sdk.Time     `doc:"market time"`
	Slot        sdk.Time     `doc:"the slot in which that is"`
	OpenSlot    sdk.Time     `doc:"the next slot whose gate is open"`
	Operator    sdk.Address  `doc:"the other side of every payment"`
	Devices     string       `doc:"name of the contract that knows the meters"`
	SlotSeconds sdk.Duration `doc:"length of a slot"`
	GateSeconds sdk.Duration `doc:"how long before a slot its gate closes"`
	SettleAfter sdk.Duration `doc:"how long after its end a slot is settled"`
	Speed       int64        `doc:"seconds of market time in a second"`
	Start       sdk.Time     `doc:"market time when the contract was created"`
	FeedIn      int64        `doc:"what the grid pays in the open slot, in micro per kWh"`
	Retail      int64        `doc:"what the grid takes in the open slot, in micro per kWh"`
	K           int64        `doc:"where its price lies between the lowest and highest that fit, in permille"`
	PayAsBid    bool         `doc:"each trades at their own limit in it"`
	AutoPmaxW   int64        `doc:"meters that pass no more than this, in W, need no confirmation"`
	NextSettled *sdk.Time    `doc:"the slot whose turn it is to be settled; missing: there was never a meter"`
}

func marketView(c *sdk.Ctx, _ sdk.None) (marketAnswer, error) {
	m, now := theMarket(c)
	open := m.openSlot(now)
	t := tariffOf(c, open)
	a := marketAnswer{
		now, m.of(now), open, m.Operator, m.Devices, m.SlotSeconds, m.GateSeconds, m.SettleAfter, m.Speed, m.Start,
		t.FeedIn, t.Retail, t.K, t.PayAsBid, m.AutoPmaxW, nil,
	}
	if s, ok := settling.Get(c); ok {
		a.NextSettled = &s.Next
	}
	return a, nil
}

// openSlot is the first slot whose gate lies ahead.
func (m Market) openSlot(now sdk.Time) sdk.Time {
	return m.of(now.Add(m.GateSeconds)).Add(m.SlotSeconds)
}

type dueAnswer struct {
	Now    sdk.Time   `doc:"market time"`
	Clear  []sdk.Time `doc:"slots whose gate has closed on orders that are not cleared, oldest first, at most 20"`
	Settle *sdk.Time  `doc:"the last slot that can be settled now, and all before it; missing: none"`
}

func dueView(c *sdk.Ctx, _ sdk.None) (dueAnswer, error) {
	m, now := theMarket(c)
	a := dueAnswer{Now: now, Clear: []sdk.Time{}}
	rows, _ := unclearedAt.Until(uncleared.All(), m.openSlot(now)).Page(c, nil, sdk.DefaultPage)
	for _, row := range rows {
		a.Clear = append(a.Clear, row.Key)
	}
	if s, ok := settling.Get(c); ok {
		last := m.of(now.Add(-m.SettleAfter)).Add(-m.SlotSeconds)
		if len(rows) > 0 {
			last = min(last, rows[0].Key.Add(-m.SlotSeconds))
		}
		if last >= s.Next {
			a.Settle = &last
		}
	}
	return a, nil
}

type slotArgs struct {
	Slot sdk.Time `doc:"the moment it begins"`
}

// The states of a slot.
const (
	slotOpen     = "open"
	slotFrozen   = "frozen"
	slotClearing = "clearing"
	slotCleared  = "cleared"
	slotSettled  = "settled"
)

type slotAnswer struct {
	Slot      sdk.Time `doc:"the moment it begins"`
	Gate      sdk.Time `doc:"the first moment at which no order is taken any more"`
	Due       sdk.Time `doc:"when it can be settled"`
	State     string   `doc:"open, frozen (the gate has closed), clearing, cleared, settled"`
	Orders    uint32   `doc:"how many orders it has"`
	BidWh     int64    `doc:"how much they want to buy"`
	AskWh     int64    `doc:"how much they want to sell"`
	ClearedWh int64    `doc:"how much is traded; 0 until it is cleared"`
	Price     *int64   `doc:"at what price, in micro per kWh; missing: nothing is traded, or it is not cleared"`
	Low       *int64   `doc:"the lowest price that fits"`
	High      *int64   `doc:"the highest price that fits"`
	FeedIn    int64    `doc:"what the grid pays, in micro per kWh"`
	Retail    int64    `doc:"what the grid takes, in micro per kWh"`
	K         int64    `doc:"where the price lies between the lowest and highest that fit, in permille"`
	PayAsBid  bool     `doc:"each trades at their own limit"`
}

func slotView(c *sdk.Ctx, a slotArgs) (slotAnswer, error) {
	m, now := theMarket(c)
	if err := m.isSlot(a.Slot); err != nil {
		return slotAnswer{}, err
	}
	b, _ := books.Get(c, a.Slot)
	t := tariffOf(c, a.Slot)
	s := slotAnswer{
		Slot: a.Slot, Gate: m.gate(a.Slot), Due: m.due(a.Slot), State: slotOpen, Orders: b.Orders, BidWh: b.BidWh, AskWh: b.AskWh,
		FeedIn: t.FeedIn, Retail: t.Retail, K: t.K, PayAsBid: t.PayAsBid,
	}
	switch done, ok := settling.Get(c); {
	case ok && a.Slot < done.Next:
		s.State = slotSettled
	case b.cleared():
		s.State = slotCleared
	case b.Clearing != nil:
		s.State = slotClearing
	case now >= s.Gate:
		s.State = slotFrozen
	}
	if b.cleared() && b.Clearing.Wh > 0 {
		s.ClearedWh, s.Price, s.Low, s.High = b.Clearing.Wh, &b.Clearing.Price, &b.Clearing.Low, &b.Clearing.High
	}
	return s, nil
}

// cleared reports whether nothing is left to be done before settlement.
func (b Book) cleared() bool { return b.Clearing != nil && b.Clearing.Phase == over }
