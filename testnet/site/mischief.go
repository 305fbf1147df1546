package site

import (
	"context"

	"github.com/wardledger/ward/sdk/client"
)

// mischief is what is tried on the market and must be refused, one a time in turn.
func (t *trade) mischief(ctx context.Context, slot int64, n int) error {
	house, first, second := t.homes[0], t.homes[1], t.homes[2]
	length := t.market.SlotSeconds
	next := slot + ahead*length
	told := func(m *meter, time, importWh int64) readArgs {
		of := m.address()
		return readArgs{[]reading{{&of, m.seq + 1, time, importWh, m.exportWh}}}
	}
	m := first.meter
	tries := []struct {
		who          *party
		does, wanted string
		method       string
		args         any
	}{
		{t.burglar, "orders without a meter", "no_meter", "order", orderArgs{next, buy, 100, retail}},
		{first.party, "orders when the gate has closed", "gate_closed", "order", orderArgs{slot - length, buy, 100, retail}},
		{m.party, "says less than before", "reading_falls", "read", told(m, slot+1, m.importWh-1)},
		{house.party, "sells more than its purse covers", "beyond_collateral", "order", orderArgs{next + length, sell, 900_000_000, retail}},
		{m.party, "sends a reading of tomorrow", "reading_future", "read", told(m, slot+86_400+t.market.Speed*120, m.importWh)},
		{second.party, "bids more than the grid takes", "limit_out_of_range", "order", orderArgs{next + length, buy, 100, retail + 1}},
		{m.party, "says that 1 MWh flowed in a second", "reading_jump", "read", told(m, slot+1, m.importWh+1_000_000)},
		{t.burglar, "reads the meter of a neighbour", "not_your_meter", "read", told(m, slot+1, m.importWh)},
		{t.burglar, "credits itself", "not_permitted", "credit", moneyArgs{t.burglar.address(), purse}},
		{m.party, "sends the same reading again", "reading_duplicate", "read", readArgs{[]reading{{nil, m.seq, m.time, m.importWh, m.exportWh}}}},
		{t.burglar, "settles a slot that has not come", "too_early", "settle", chunkArgs{Slot: slot + 8*length}},
		{second.party, "wants to be on both sides", "both_sides", "order", orderArgs{next, sell, 1, retail}},
	}
	try := tries[n%len(tries)]
	if try.wanted == "both_sides" && !t.ordered(second, next) {
		return nil // the order came too late, so there is no other side
	}
	r, err := try.who.node.Call(ctx, try.who.key, energy, try.method, try.args, client.Options{})
	wanted := expect(try.wanted)
	if o, ok := try.args.(orderArgs); ok {
		wanted = t.orLate(o.Slot, try.wanted)
	}
	_, err = t.site.came(ctx, try.who, try.does, wanted, r, err, nil, false)
	return err
}

// ordered tells whether a home has an order in a slot.
func (t *trade) ordered(h *home, slot int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.positions[place{h.address(), slot}]
	return p != nil && p.order != nil
}
