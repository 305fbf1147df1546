package main

import (
	"encoding/binary"
	"slices"

	"github.com/wardledger/ward/sdk"
)

func (s side) String() string {
	if s == buy {
		return "buy"
	}
	return "sell"
}

func parseSide(s string) (side, error) {
	switch s {
	case "buy":
		return buy, nil
	case "sell":
		return sell, nil
	}
	return 0, errValue.Because("side is %q: buy and sell are allowed", s)
}

type orderArgs struct {
	Slot  sdk.Time `doc:"for which slot: the moment it begins"`
	Side  string   `doc:"buy or sell"`
	Wh    int64    `doc:"how much"`
	Limit int64    `doc:"the worst price that is accepted, in micro per kWh"`
	Index uint8    `wire:",omitempty" doc:"number of the order among those of the sender in this slot, 0 to 7: one that is there is replaced"`
}

type heldAnswer struct {
	HeldMicro int64 `doc:"the sender's collateral in this slot now"`
	FreeMicro int64 `doc:"what is left of the balance"`
}

func order(c *sdk.Ctx, a orderArgs) (heldAnswer, error) {
	m, now := theMarket(c)
	if err := mayOrder(m, now, a.Slot); err != nil {
		return heldAnswer{}, err
	}
	s, err := parseSide(a.Side)
	if err != nil {
		return heldAnswer{}, err
	}
	t := tariffOf(c, a.Slot)
	switch {
	case a.Wh < 1 || a.Wh > maxWh:
		return heldAnswer{}, errValue.Because("wh is %d, must be 1 to %d", a.Wh, int64(maxWh))
	case a.Index >= maxIndex:
		return heldAnswer{}, errValue.Because("index is %d, must be 0 to %d", a.Index, maxIndex-1)
	case a.Limit < t.FeedIn || a.Limit > t.Retail:
		return heldAnswer{}, errLimit.Because("limit is %d, must be %d to %d micro per kWh: what the grid gives and takes", a.Limit, t.FeedIn, t.Retail)
	}
	own := Own{Index: a.Index, Limit: a.Limit, Wh: a.Wh, Held: t.collateral(s, a.Wh, a.Limit)}
	party := c.Sender()
	account, _ := accounts.Get(c, party)
	if account.Meters == 0 {
		return heldAnswer{}, errNoMeter.Because("%s has no meter that could count what it trades: register_meter first", party)
	}
	key := partySlot{party, a.Slot}
	pos, ok := positions.Get(c, key)
	b, _ := books.Get(c, a.Slot)
	if _, found := pos.find(a.Index); !found && b.full(s) {
		if err := makeRoom(c, a.Slot, s, own.Held, t); err != nil {
			return heldAnswer{}, err
		}
		// The order that went may have been the sender's own.
		account, _ = accounts.Get(c, party)
		pos, ok = positions.Get(c, key)
		b, _ = books.Get(c, a.Slot)
	}
	if ok && pos.Side != a.Side {
		return heldAnswer{}, errBothSides.Because("%s has orders to %s in this slot: cancel them first", party, pos.Side)
	}
	pos.Side = a.Side
	at, found := pos.find(a.Index)
	if found {
		b.remove(c, a.Slot, s, party, pos.Orders[at])
		pos.Held -= pos.Orders[at].Held
		account.Held -= pos.Orders[at].Held
		pos.Orders[at] = own
	} else {
		pos.Orders = slices.Insert(pos.Orders, at, own)
	}
	if own.Held > account.free() {
		return heldAnswer{}, errCollateral.Because("the order needs %d micro as collateral, of the balance %d are free", own.Held, account.free())
	}
	if b.Orders == 0 {
		uncleared.Set(c, a.Slot, sdk.None{})
	}
	b.insert(c, a.Slot, s, party, own)
	pos.Held += own.Held
	account.Held += own.Held
	books.Set(c, a.Slot, b)
	positions.Set(c, key, pos)
	accounts.Set(c, party, account)
	ordered.Emit(c, orderEvent{a.Slot, party, a.Side, a.Index, a.Wh, a.Limit, pos.Held})
	return heldAnswer{pos.Held, account.free()}, nil
}

// mayOrder refuses slots whose book is frozen, or not open yet.
func mayOrder(m Market, now, slot sdk.Time) error {
	if err := m.isSlot(slot); err != nil {
		return err
	}
	if gate := m.gate(slot); now >= gate {
		return errGate.Because("the gate of slot %s closed at %s, it is %s: the next open slot is %s", slot, gate, now, m.openSlot(now))
	}
	if last := now.Add(maxAhead); slot > last {
		return errTooFar.Because("slot %s: it is %s, and orders are taken up to %s", slot, now, last)
	}
	return nil
}

// collateral is what is held for an order: never nothing, so that who has an order has something held.
func (t Tariff) collateral(s side, wh, limit int64) int64 {
	if s == sell { // what it costs to buy all that was sold, if nothing is delivered
		limit = t.Retail
	}
	return max(1, cover(wh, limit))
}

// full reports whether a side has no place left.
func (b Book) full(s side) bool {
	if s == buy {
		return b.Bids >= maxOrders
	}
	return b.Orders-b.Bids >= maxOrders
}

// makeRoom sends away the order with the least collateral of a full side, of several the one with the worst
// place, if another has more. So it costs more money to fill a book than those have who want to
// trade in it, and when an order came decides nothing.
func makeRoom(c *sdk.Ctx, slot sdk.Time, s side, held int64, t Tariff) error {
	var least orderKey
	var wh int64
	lowest := int64(-1)
	for key, amount := range offersOn.Rows(bookSide{slot, s}).Each(c) {
		if h := t.collateral(s, amount, key.place().Limit); lowest < 0 || h <= lowest {
			least, wh, lowest = key, amount, h
		}
	}
	if held <= lowest {
		return errBookFull.Because("slot %s has %d orders to %s, which is the limit, none with less collateral than %d micro; this one has %d", slot, maxOrders, s, lowest, held)
	}
	party := least.Party
	account, _ := accounts.Get(c, party)
	pos, _ := positions.Get(c, partySlot{party, slot})
	at, ok := pos.find(least.Index)
	if !ok {
		panic("BUG: energy: an order in the book that no position has")
	}
	o := pos.Orders[at]
	pos.Orders = slices.Concat(pos.Orders[:at], pos.Orders[at+1:])
	pos.Held -= o.Held
	account.Held -= o.Held
	b, _ := books.Get(c, slot)
	b.remove(c, slot, s, party, o)
	books.Set(c, slot, b)
	pos.set(c, partySlot{party, slot})
	accounts.Set(c, party, account)
	displaced.Emit(c, orderEvent{slot, party, s.String(), o.Index, wh, o.Limit, pos.Held})
	return nil
}

// set stores a position, if anything is left of it.
func (p Position) set(c *sdk.Ctx, key partySlot) {
	if len(p.Orders) == 0 {
		positions.Delete(c, key)
	} else {
		positions.Set(c, key, p)
	}
}

// cover is what wh cost at most at a price per kWh, rounded away from zero.
func cover(wh, price int64) int64 {
	micro, part := mulDiv(wh, price, 1000)
	if part > 0 {
		micro++
	}
	return micro
}

// find returns where in the list an order is, or belongs.
func (p Position) find(index uint8) (at int, found bool) {
	for at < len(p.Orders) && p.Orders[at].Index < index {
		at++
	}
	return at, at < len(p.Orders) && p.Orders[at].Index == index
}

// insert puts an order in its place.
func (b *Book) insert(c *sdk.Ctx, slot sdk.Time, s side, party sdk.Address, o Own) {
	b.count(s, 1, o.Wh)
	offers.Set(c, keyOf(c, slot, s, party, o), o.Wh)
}

func (b *Book) remove(c *sdk.Ctx, slot sdk.Time, s side, party sdk.Address, o Own) {
	b.count(s, -1, -o.Wh)
	offers.Delete(c, keyOf(c, slot, s, party, o))
}

func (b *Book) count(s side, orders int, wh int64) {
	b.Orders += uint32(orders)
	if s == buy {
		b.Bids += uint32(orders)
		b.BidWh += wh
	} else {
		b.AskWh += wh
	}
}

// keyOf is where an order stands.
func keyOf(c *sdk.Ctx, slot sdk.Time, s side, party sdk.Address, o Own) orderKey {
	b := append([]byte(nil), party[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(slot))
	hash := c.SHA256(append(b, byte(s), o.Index))
	return place{o.Limit, tie(hash[:len(tie{})]), party, o.Index}.key(slot, s)
}

func (p place) key(slot sdk.Time, s side) orderKey {
	rank := p.Limit
	if s == buy {
		rank = -rank
	}
	return orderKey{slot, s, rank, p.Tie, p.Party, p.Index}
}

func (k orderKey) place() place {
	limit := k.Rank
	if k.Side == buy {
		limit = -limit
	}
	return place{limit, k.Tie, k.Party, k.Index}
}

type cancelArgs struct {
	Slot  sdk.Time `doc:"for which slot"`
	Index *uint8   `doc:"number of the order; if missing, all of the sender's"`
}

func cancel(c *sdk.Ctx, a cancelArgs) (heldAnswer, error) {
	m, now := theMarket(c)
	if err := mayOrder(m, now, a.Slot); err != nil {
		return heldAnswer{}, err
	}
	party := c.Sender()
	key := partySlot{party, a.Slot}
	pos, _ := positions.Get(c, key)
	gone := pos.Orders
	pos.Orders = nil
	if a.Index != nil {
		at, found := Position{Orders: gone}.find(*a.Index)
		if !found {
			return heldAnswer{}, errNoOrder.Because("%s has no order %d in slot %s", party, *a.Index, a.Slot)
		}
		pos.Orders = slices.Concat(gone[:at], gone[at+1:])
		gone = gone[at : at+1]
	}
	if len(gone) == 0 {
		return heldAnswer{}, errNoOrder.Because("%s has no order in slot %s", party, a.Slot)
	}
	account, _ := accounts.Get(c, party)
	b, _ := books.Get(c, a.Slot)
	s, err := parseSide(pos.Side)
	if err != nil {
		panic("BUG: energy: a position without a side")
	}
	for _, o := range gone {
		b.remove(c, a.Slot, s, party, o)
		pos.Held -= o.Held
		account.Held -= o.Held
		cancelled.Emit(c, orderEvent{a.Slot, party, pos.Side, o.Index, o.Wh, o.Limit, pos.Held})
	}
	if b.Orders == 0 {
		uncleared.Delete(c, a.Slot)
		books.Delete(c, a.Slot)
	} else {
		books.Set(c, a.Slot, b)
	}
	pos.set(c, key)
	accounts.Set(c, party, account)
	return heldAnswer{pos.Held, account.free()}, nil
}

type positionArgs struct {
	Party sdk.Address `doc:"whose"`
	Slot  sdk.Time    `doc:"in which slot"`
}

func positionView(c *sdk.Ctx, a positionArgs) (Position, error) {
	pos, ok := positions.Get(c, partySlot(a))
	if !ok {
		return pos, errNoOrder.Because("%s has no order in slot %s", a.Party, a.Slot)
	}
	return pos, nil
}

type bookArgs struct {
	Slot  sdk.Time `doc:"of which slot"`
	After []byte   `wire:",omitempty" doc:"where the last page ended: its next"`
	Limit uint32   `wire:",omitempty" doc:"how many at most; 20 if missing, never more than 100"`
}

type shownOrder struct {
	Side   string      `doc:"buy or sell"`
	Party  sdk.Address `doc:"whose"`
	Index  uint8       `doc:"the party's number of the order"`
	Limit  int64       `doc:"the worst price that it accepts, in micro per kWh"`
	Wh     int64       `doc:"how much"`
	Filled int64       `doc:"how much of it is traded; 0 until it is cleared"`
}

type bookPage struct {
	Orders []shownOrder
	Next   []byte `wire:",omitempty" doc:"for the next page; missing on the last"`
}

func bookView(c *sdk.Ctx, a bookArgs) (page bookPage, err error) {
	rows, next := offersOf.Rows(a.Slot).Page(c, a.After, a.Limit)
	for _, row := range rows {
		key := row.Key
		pos, _ := positions.Get(c, partySlot{key.Party, key.Slot})
		at, ok := pos.find(key.Index)
		if !ok {
			panic("BUG: energy: an order in the book that no position has")
		}
		page.Orders = append(page.Orders, shownOrder{key.Side.String(), key.Party, key.Index, key.place().Limit, row.Value, pos.Orders[at].Filled})
	}
	page.Next = next
	return page, nil
}
