package main

import "github.com/wardledger/ward/sdk"

type clearArgs struct {
	Slot sdk.Time `doc:"which slot: the moment it begins"`
	N    uint32   `wire:",omitempty" doc:"how many orders to look at in this call; 64 if missing, never more than 256. Each is looked at up to four times"`
}

type clearAnswer struct {
	Done  bool   `doc:"the slot is cleared"`
	Wh    int64  `doc:"how much is traded, as far as is known"`
	Price *int64 `doc:"at what price, in micro per kWh; missing: nothing is traded, or it is not known yet"`
}

func clearSlot(c *sdk.Ctx, a clearArgs) (clearAnswer, error) {
	m, now := theMarket(c)
	if err := m.isSlot(a.Slot); err != nil {
		return clearAnswer{}, err
	}
	if gate := m.gate(a.Slot); now < gate {
		return clearAnswer{}, errTooEarly.Because("the gate of slot %s closes at %s, it is %s", a.Slot, gate, now)
	}
	b, _ := books.Get(c, a.Slot)
	if s, ok := settling.Get(c); b.cleared() || ok && a.Slot < s.Next {
		return clearAnswer{}, errDone.Because("slot %s is cleared", a.Slot)
	}
	if b.Clearing == nil {
		b.Clearing = &Clearing{}
	}
	t := tariffOf(c, a.Slot)
	n := a.N
	if n == 0 {
		n = usualOrders
	}
	trade := trader{c, a.Slot}
	done := b.Clearing.run(&frozen{c: c, slot: a.Slot}, terms{t.K, t.PayAsBid}, int(min(n, mostOrders)), trade.fill)
	answer := clearAnswer{Done: done, Wh: b.Clearing.Wh}
	if b.Clearing.Phase > matching && b.Clearing.Wh > 0 {
		answer.Price = &b.Clearing.Price
	}
	if done {
		uncleared.Delete(c, a.Slot)
		cleared.Emit(c, clearedEvent{a.Slot, b.Orders, answer.Wh, answer.Price})
	}
	books.Set(c, a.Slot, b)
	return answer, nil
}

// trader notes what orders get.
type trader struct {
	c    *sdk.Ctx
	slot sdk.Time
}

func (t trader) fill(f fill) {
	key := partySlot{f.order.Party, t.slot}
	pos, _ := positions.Get(t.c, key)
	at, ok := pos.find(f.order.Index)
	if !ok {
		panic("BUG: energy: an order is filled that no position has")
	}
	o := &pos.Orders[at]
	o.Filled, o.Micro = f.wh, money(f.wh, f.price)
	positions.Set(t.c, key, pos)
	filled.Emit(t.c, filledEvent{t.slot, f.order.Party, pos.Side, f.order.Index, f.wh, f.price, o.Micro})
}

// frozen is a book in the chain's state.
type frozen struct {
	c    *sdk.Ctx
	slot sdk.Time
	side [2]ahead
}

// ahead is entries that were read and not looked at, and where they begin.
type ahead struct {
	after *place
	list  []entry
	ended bool // nothing comes behind the list
}

// readAhead is how many orders are read at once.
const readAhead = 32

var _ ledger = (*frozen)(nil)

func (f *frozen) next(s side, after *place) (entry, bool) {
	a := &f.side[s]
	if len(a.list) == 0 && !a.ended || !same(a.after, after) {
		a.after, a.list, a.ended = after, nil, true
		rows := offersOn.Rows(bookSide{f.slot, s})
		if after != nil {
			rows = offerAt.From(rows, after.key(f.slot, s))
		}
		for key, wh := range rows.Each(f.c) {
			p := key.place()
			if after != nil && p == *after {
				continue
			}
			if a.list = append(a.list, entry{p, wh}); len(a.list) == readAhead {
				a.ended = false
				break
			}
		}
	}
	if len(a.list) == 0 {
		return entry{}, false
	}
	e := a.list[0]
	a.list, a.after = a.list[1:], &e.place
	return e, true
}

func same(a, b *place) bool { return a == b || a != nil && b != nil && *a == *b }
