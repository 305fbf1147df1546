package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/sdktest"
)

// Between two readings within a slot the registers are on a straight line; over a longer gap as well,
// but that is an estimate.
func TestSlotEnergy(t *testing.T) {
	f := newFair(t, nil)
	h := f.house("h", 0)
	s := f.Now()
	f.Advance(4 * slotLength)
	f.read(h,
		h.shows(s+300, 100, 10),   // counting starts
		h.shows(s+600, 400, 10),   //
		h.shows(s+1200, 1000, 40), // 900 is half of the way: 700, 25
		h.shows(s+1800, 1001, 41),
		h.shows(s+3600, 1004, 41), // 2700 is in the middle of two slots: 1002.5, an estimate
	).OK()
	for _, c := range []struct {
		slot sdk.Time
		want energyAnswer
	}{
		{s, energyAnswer{600, 15, false}},
		{s + 900, energyAnswer{301, 16, false}},
		{s + 1800, energyAnswer{1, 0, true}},
		{s + 2700, energyAnswer{2, 0, true}},
		{s + 3600, energyAnswer{0, 0, true}}, // nothing is known of its end
	} {
		equal(t, c.slot.String(), f.energy(h.meter, c.slot), c.want)
	}
	f.settle(s+1800, 16)
	st := f.statement(h.Key, s+900)
	if st.ImportWh != 301 || st.ExportWh != 16 || st.GridWh != -285 || st.GridMicro != -285*retail/1000 || st.Estimated || !st.Final {
		t.Errorf("%+v", st)
	}
	if st := f.statement(h.Key, s+1800); !st.Estimated {
		t.Errorf("%+v", st)
	}
	// Not settled yet: what is known is told, and that it may change.
	if st := f.statement(h.Key, s+2700); st.Final || st.ImportWh != 2 || !st.Estimated {
		t.Errorf("%+v", st)
	}
}

// Readings that come before a slot is settled replace the estimate; what they say of slots that are
// settled is in the next one. Nothing is lost, and nothing counted twice.
func TestLateReadings(t *testing.T) {
	f := newFair(t, nil)
	h := f.house("h", 1_000_000_000)
	s := f.Now()
	f.at(h, 0, 0)
	f.order(h, s+slotLength, "buy", 1000, retail).OK()
	f.Advance(slotLength)
	f.clear(s+slotLength, 9)
	f.Advance(3 * slotLength)
	if st := f.statement(h.Key, s+slotLength); !st.Estimated || st.ImportWh != 0 || st.Final {
		t.Errorf("before any reading: %+v", st)
	}
	f.settle(s, 16) // of the first slot nothing is known
	f.read(h, h.shows(s+900, 300, 0), h.shows(s+1800, 1300, 0)).OK()
	if st := f.statement(h.Key, s+slotLength); st.Estimated || st.ImportWh != 1000 || st.Final || st.LateImportWh != 300 {
		t.Errorf("after the readings: %+v", st)
	}
	f.settle(s+slotLength, 16)
	want := Statement{
		Party: h.Address(), Slot: s + slotLength, ImportWh: 1000, GridWh: -1000, GridMicro: -300_000, LateImportWh: 300, LateMicro: -90_000,
		Micro: -390_000, Balance: 1_000_000_000 - 390_000, CollateralMicro: 300_000, Final: true,
	}
	equal(t, "statement", f.statement(h.Key, s+slotLength), want)
	// The slots that follow begin where this one ended.
	f.read(h, h.shows(s+2700, 1301, 7)).OK()
	f.settle(s+2*slotLength, 16)
	st := f.statement(h.Key, s+2*slotLength)
	if st.ImportWh != 1 || st.ExportWh != 7 || st.LateImportWh+st.LateExportWh != 0 || st.GridWh != 6 {
		t.Errorf("%+v", st)
	}
	if m := f.meter(h.meter); m.SettledImport != 1301 || m.SettledExport != 7 || !m.SettledSure {
		t.Errorf("%+v", m)
	}
}

// A register that starts anew counts on.
func TestRollover(t *testing.T) {
	f := newFair(t, nil)
	h := f.house("h", 0)
	s := f.Now()
	f.at(h, 999_900, 700)
	h.seq++
	f.Call(h.meter, "energy", "rollover", rolloverArgs{Seq: h.seq, Time: s + 60, ImportWh: 1_000_000, ExportWh: 700, NewExportWh: 500}).OK().Emitted("reading", "rolled_over")
	f.Advance(slotLength)
	f.read(h, h.shows(s+100, 0, 499)).Failed("reading_falls").Because("the export register is 499 Wh, it was 500")
	f.at(h, 50, 501)
	equal(t, "energy", f.energy(h.meter, s), energyAnswer{150, 1, false})
	// Again.
	h.seq++
	f.Call(h.meter, "energy", "rollover", rolloverArgs{Seq: h.seq, Time: f.Now() + 60, ImportWh: 50, ExportWh: 501, NewImportWh: 3, NewExportWh: 501}).OK()
	f.Advance(slotLength)
	f.at(h, 10, 501)
	equal(t, "energy", f.energy(h.meter, s+slotLength), energyAnswer{7, 0, false})
}

// An old meter's energy and its successor's are both the party's, and once the old one is settled
// it is not looked at any more.
func TestReplacement(t *testing.T) {
	f := newFair(t, nil)
	h := f.house("h", 0)
	s := f.Now()
	f.at(h, 0, 0)
	next := &house{Key: h.Key, meter: sdktest.Ed25519("the next meter")}
	f.enrol(h.Key, next.meter)
	f.Advance(300)
	h.seq++
	f.Call(h.Key, "energy", "replace_meter", replaceArgs{h.meter.Address(), &Register{h.seq, s + 300, 100, 0, false}, next.meter.Address(), 10_000, nil}).
		OK().Emitted("reading", "meter_closed", "meter_registered")
	f.at(next, 5_000, 0)
	f.read(h, h.shows(f.Now()+1, 100, 0)).Failed("meter_closed")
	f.Advance(600)
	f.at(next, 5_200, 0)
	if old, now := f.meter(h.meter), f.meter(next.meter); old.Closed != s+300 || *old.ReplacedBy != now.Meter || *now.Replaces != old.Meter {
		t.Errorf("%+v, %+v", old, now)
	}
	f.Advance(slotLength)
	f.settle(s, 16)
	if st := f.statement(h.Key, s); st.ImportWh != 300 || st.Estimated {
		t.Errorf("%+v", st)
	}
	var list metersAnswer
	f.View("energy", "meters", partyArgs{h.Address()}).OK().Result(&list)
	if len(list.Meters) != 1 || list.Meters[0].Meter != next.meter.Address() || f.account(h.Key).Meters != 1 {
		t.Errorf("%+v", list)
	}
	// Without a meter nobody orders, once the last one is settled.
	f.Call(h.Key, "energy", "close_meter", closeArgs{Meter: next.meter.Address()}).OK()
	f.Advance(slotLength)
	f.settle(s+slotLength, 1)
	f.order(h, f.Now()+2*slotLength, "buy", 1, feedIn).Failed("no_meter")
}

// A gateway says too much, and every true reading after it falls. Party and operator end the meter
// together, another takes its place, and what the gateway said is paid by nobody.
func TestBrickedMeter(t *testing.T) {
	f := newFair(t, nil)
	h, gateway := f.house("h", 0), f.Account("gateway")
	s := f.Now()
	f.Call(h.Key, "energy", "set_gateway", gatewayArgs{h.meter.Address(), some(gateway.Address())}).OK()
	f.at(h, 1000, 0)
	f.Advance(2 * slotLength)
	f.Call(gateway, "energy", "read", readArgs{[]Reading{h.shows(f.Now(), 40_000, 0)}}).OK()
	f.read(h, h.shows(f.Now()+1, 1200, 0)).Failed("reading_falls")

	end := agreeArgs{h.meter.Address(), f.Now() - 1, 1200, 0}
	f.Call(h.Key, "energy", "agree_closing", end).OK().Emitted("closing_proposed")
	f.Call(h.Key, "energy", "agree_closing", end).OK().Emitted("closing_proposed") // one alone can say it twice
	other := end
	other.ImportWh = 1300
	f.Call(f.operator, "energy", "agree_closing", other).OK().Emitted("closing_proposed") // which is not the same
	f.Call(h.Key, "energy", "agree_closing", end).OK().Emitted("closing_proposed")
	f.Call(f.operator, "energy", "agree_closing", end).OK().Emitted("meter_closed")

	next := &house{Key: h.Key, meter: sdktest.Ed25519("the next meter")}
	f.enrol(h.Key, next.meter)
	f.Call(h.Key, "energy", "register_meter", registerArgs{Meter: next.meter.Address(), PmaxW: 10_000}).OK()
	f.at(next, 1200, 0)
	f.Advance(2 * slotLength)
	f.settle(s+2*slotLength, 16)
	var wh int64
	for i := range 3 {
		var st Statement
		r := f.View("energy", "statement", positionArgs{h.Address(), s + sdk.Time(i*slotLength)})
		if r.ErrorName() != "unknown_statement" {
			r.OK().Result(&st)
		}
		wh += st.ImportWh + st.LateImportWh
	}
	if wh != 200 {
		t.Errorf("%d Wh are settled, want 200", wh)
	}
}

// An order with the same index is replaced; collateral follows; a cancelled order is gone.
func TestReplaceAndCancel(t *testing.T) {
	f := newFair(t, nil)
	h := f.house("h", 1_000_000)
	slot := f.Now() + 2*slotLength
	order := func(index uint8, wh, limit, held int64) {
		t.Helper()
		var a heldAnswer
		f.Call(h.Key, "energy", "order", orderArgs{slot, "buy", wh, limit, index}).OK().Emitted("ordered").Result(&a)
		if a.HeldMicro != held || a.FreeMicro != 1_000_000-held {
			t.Errorf("%+v, want %d held", a, held)
		}
	}
	order(0, 1000, 100_000, 100_000)
	order(1, 1000, 200_000, 300_000)
	order(0, 1, 80_001, 200_081) // replaced; 80.001 micro are covered by 81
	var page bookPage
	f.View("energy", "book", bookArgs{Slot: slot}).OK().Result(&page)
	equal(t, "book", page.Orders, []shownOrder{{"buy", h.Address(), 1, 200_000, 1000, 0}, {"buy", h.Address(), 0, 80_001, 1, 0}})
	if s := f.slot(slot); s.Orders != 2 || s.BidWh != 1001 || s.AskWh != 0 || s.State != "open" {
		t.Errorf("%+v", s)
	}
	f.Call(h.Key, "energy", "cancel", cancelArgs{slot, some[uint8](1)}).OK().Emitted("cancelled")
	equal(t, "account", f.account(h.Key), accountAnswer{h.Address(), 1_000_000, 81, 999_919, 1})
	f.Call(h.Key, "energy", "cancel", cancelArgs{Slot: slot}).OK().Emitted("cancelled")
	f.View("energy", "position", positionArgs{h.Address(), slot}).Failed("unknown_order")
	if s := f.slot(slot); s.Orders != 0 || s.BidWh != 0 {
		t.Errorf("%+v", s)
	}
	// The other side is open again, and the slot waits for nobody.
	f.Call(h.Key, "energy", "order", orderArgs{slot, "sell", 1, feedIn, 0}).OK()
	f.Call(h.Key, "energy", "cancel", cancelArgs{Slot: slot}).OK()
	f.Advance(5 * slotLength)
	f.settle(slot, 16)
}

// A tariff is for the slots from its first one on, and nothing that was ordered changes.
func TestTariff(t *testing.T) {
	f := newFair(t, nil)
	h := f.house("h", 1_000_000)
	from := f.Now() + 2*86400 + slotLength
	f.Call(f.operator, "energy", "set_tariff", tariffArgs{from, 50_000, 60_000, some[int64](0), true}).OK().Emitted("tariff_set")
	f.order(h, from-slotLength, "buy", 1000, retail).OK()
	f.Advance(slotLength)
	f.order(h, from, "buy", 1000, retail).Failed("limit_out_of_range")
	f.order(h, from, "buy", 1000, 60_000).OK()
	if a, b := f.slot(from-slotLength), f.slot(from); a.Retail != retail || b.Retail != 60_000 || b.FeedIn != 50_000 || b.K != 0 || !b.PayAsBid {
		t.Errorf("%+v, %+v", a, b)
	}
}

// Pay as bid: who crosses pays their own limit, and the operator has what is between.
func TestPayAsBidSettles(t *testing.T) {
	f := newFair(t, func(a *initArgs) { a.PayAsBid = true })
	a, b := f.house("a", 1_000_000), f.house("b", 1_000_000)
	slot := f.Now() + slotLength
	f.order(a, slot, "buy", 1000, 250_000).OK()
	f.order(b, slot, "sell", 1000, 150_000).OK()
	f.Advance(slotLength)
	f.clear(slot, 1)
	f.at(a, 0, 0)
	f.at(b, 0, 0)
	f.Advance(slotLength)
	f.at(a, 1000, 0)
	f.at(b, 0, 1000)
	f.Advance(slotLength)
	f.settle(slot, 1)
	if x, y := f.statement(a.Key, slot), f.statement(b.Key, slot); x.Micro != -250_000 || y.Micro != 150_000 {
		t.Errorf("%+v, %+v", x, y)
	}
	var e slotSettledEvent
	f.Events("slot_settled")[1].Decode(&e)
	equal(t, "slot_settled", e, slotSettledEvent{slot, 2, 100_000})
}

// What a keeper asks.
func TestDue(t *testing.T) {
	f := newFair(t, nil)
	h := f.house("h", 1_000_000)
	s := f.Now()
	f.at(h, 0, 0)
	due := func() string {
		var a dueAnswer
		f.View("energy", "due", nil).OK().Result(&a)
		text := "settle nothing"
		if a.Settle != nil {
			text = fmt.Sprint("settle ", int64(*a.Settle-s)/slotLength)
		}
		for _, slot := range a.Clear {
			text += fmt.Sprint(", clear ", int64(slot-s)/slotLength)
		}
		return text
	}
	equal(t, "at first", due(), "settle nothing")
	f.order(h, s+2*slotLength, "buy", 1, feedIn).OK()
	f.order(h, s+3*slotLength, "buy", 1, feedIn).OK()
	f.SetTime(s + 2*slotLength - 301)
	equal(t, "before the gate", due(), "settle nothing")
	f.SetTime(s + 2*slotLength - 300)
	equal(t, "at the gate", due(), "settle nothing, clear 2")
	f.SetTime(s + 2*slotLength)
	equal(t, "a slot later", due(), "settle 0, clear 2")
	f.SetTime(s + 9*slotLength)
	equal(t, "much later", due(), "settle 1, clear 2, clear 3")
	f.clear(s+2*slotLength, 9)
	equal(t, "cleared", due(), "settle 2, clear 3")
	f.clear(s+3*slotLength, 9)
	equal(t, "all cleared", due(), "settle 7")
	f.settle(s+7*slotLength, 16)
	equal(t, "settled", due(), "settle nothing")
}

// A book has an end, and clearing a full one is bounded in every call.
func TestFullBook(t *testing.T) {
	f := newFair(t, nil)
	slot := f.Now() + 2*slotLength
	var transactions [][]byte
	var houses []*house
	for i := range 2 * maxOrders / maxIndex {
		h := f.house(fmt.Sprint("house ", i), 1_000_000_000)
		houses = append(houses, h)
		for index := range uint8(maxIndex) {
			o := orderArgs{slot, "buy", 100 + int64(i), 200_000, index}
			if i%2 == 0 {
				o = orderArgs{slot, "sell", 103 + int64(index), 100_000, index}
			}
			transactions = append(transactions, f.Sign(h.Key, "energy", "order", o))
		}
	}
	var first uint64 // what the first order of a book uses
	for i, r := range f.Block(transactions...) {
		if r.OK(); i == 0 {
			first = r.GasUsed
		}
	}
	late := f.house("late", 1_000_000)
	f.order(late, slot, "buy", 101, 200_000).Failed("book_full").Because("has 256 orders to buy, which is the limit, none with less collateral than 20200 micro; this one has 20200")
	f.order(late, slot, "sell", 103, feedIn).Failed("book_full")
	// Who has more to trade is not kept out: the order with the least collateral gives way.
	last := f.account(houses[1].Key)
	r := f.order(late, slot, "buy", 102, 200_000).OK().Emitted("displaced", "ordered")
	if r.GasUsed > 20_000_000 {
		t.Errorf("an order takes %d gas where its side is full, a client offers 20000000", r.GasUsed)
	}
	t.Logf("an order where its side is full: %d gas", r.GasUsed)
	costs(t, "order", first, r.GasUsed-first)
	var gone orderEvent
	r.Events[0].Decode(&gone)
	if now := f.account(houses[1].Key); gone.Party != now.Party || gone.Wh != 101 || now.Held != last.Held-20_200 || now.Balance != last.Balance {
		t.Errorf("%+v gave way, %+v, was %+v", gone, now, last)
	}
	// Also if that is an order of the same party.
	f.Call(houses[1].Key, "energy", "cancel", cancelArgs{slot, some(gone.Index ^ 1)}).OK()
	f.Call(late.Key, "energy", "order", orderArgs{slot, "buy", 1, feedIn, 1}).OK().Emitted("ordered")
	f.Call(late.Key, "energy", "order", orderArgs{slot, "buy", 103, 200_000, 2}).OK().Emitted("displaced", "ordered")
	equal(t, "held", f.account(late.Key).Held, 102*200+103*200)
	if s := f.slot(slot); s.Orders != 2*maxOrders {
		t.Errorf("%+v", s)
	}
	f.Call(houses[0].Key, "energy", "order", orderArgs{slot, "sell", 100, 100_000, 0}).OK().Emitted("ordered") // replacing is no more
	f.SetTime(slot)
	var most, total uint64
	calls := 0
	for done := false; !done; calls++ {
		var a clearAnswer
		r := f.Call(f.operator, "energy", "clear", clearArgs{Slot: slot}).OK().Result(&a)
		most, total, done = max(most, r.GasUsed), total+r.GasUsed, a.Done
	}
	t.Logf("clearing %d orders: %d calls of %d orders looked at, %d gas at most, %d per order all in all", 2*maxOrders, calls, usualOrders, most, total/(2*maxOrders))
	empty := f.Call(f.operator, "energy", "clear", clearArgs{Slot: slot}).GasUsed
	costs(t, "clear", empty, total/(2*maxOrders), most)
	if most > 20_000_000 {
		t.Errorf("one call takes %d gas, a client offers 20000000", most)
	}
	s := f.slot(slot)
	var sold, bought int64
	for _, e := range f.Events("filled") {
		var x filledEvent
		if e.Decode(&x); x.Side == "buy" {
			bought += x.Wh
		} else {
			sold += x.Wh
		}
	}
	if s.ClearedWh == 0 || sold != s.ClearedWh || bought != s.ClearedWh {
		t.Errorf("%d Wh traded, %d bought, %d sold", s.ClearedWh, bought, sold)
	}
	f.Advance(slotLength)
	for _, h := range append(houses, late) {
		f.at(h, 0, 0)
	}
	f.Advance(slotLength)
	most, total, calls = 0, 0, 0
	for done := false; !done; calls++ {
		var a settleAnswer
		r := f.Call(f.operator, "energy", "settle", settleArgs{Slot: slot}).OK().Result(&a)
		most, total, done = max(most, r.GasUsed), total+r.GasUsed, a.Done
	}
	t.Logf("settling %d parties, over 3 slots: %d calls of %d visits, %d gas at most", len(houses), calls, usualParties, most)
	empty = f.Call(f.operator, "energy", "settle", settleArgs{Slot: slot}).GasUsed
	costs(t, "settle", empty, (most-empty)/usualParties, most)
	if most > 20_000_000 {
		t.Errorf("one call takes %d gas, a client offers 20000000", most)
	}
	f.balanced()
	var next []byte
	held := int64(0)
	for {
		var page accountPage
		f.View("energy", "accounts", pageArgs{After: next, Limit: 50}).OK().Result(&page)
		for _, a := range page.Accounts {
			held += a.Held
		}
		if next = page.Next; next == nil {
			break
		}
	}
	if held != 0 {
		t.Errorf("%d micro are still held", held)
	}
}

// Whole markets at random: four parties with a meter, or two, or one that is silent for hours, over
// a day's worth of slots. After every call all accounts sum to zero; at the end each party has
// what its own readings and fills say, to the micro.
func TestRandomMarkets(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { randomMarket(t, rand.New(rand.NewPCG(seed, 7))) })
	}
}

func randomMarket(t *testing.T, random *rand.Rand) {
	f := newFair(t, nil)
	start := f.Now()
	type member struct {
		*house
		in, out [2]int64 // what its meters show
		second  *house
	}
	var all []*member
	for i := range 4 {
		m := &member{house: f.house(fmt.Sprint("party ", i), 50_000_000)}
		if i == 1 {
			m.second = &house{Key: m.Key, meter: sdktest.P256("the second meter")}
			f.enrol(m.Key, m.second.meter)
			f.Call(m.Key, "energy", "register_meter", registerArgs{Meter: m.second.meter.Address(), PmaxW: 20_000}).OK()
		}
		all = append(all, m)
	}
	meters := func(m *member) []*house {
		if m.second != nil {
			return []*house{m.house, m.second}
		}
		return []*house{m.house}
	}
	const slots = 14
	last := start + slots*slotLength
	for now := start; now <= last+4*slotLength; now += 300 {
		f.SetTime(now)
		for _, m := range all {
			for i, h := range meters(m) {
				m.in[i] += random.Int64N(300)
				m.out[i] += random.Int64N(300)
				// Some readings are missing, by chance, but the first and the last.
				if random.IntN(3) > 0 || now == start || now > last {
					f.read(h, h.shows(now, m.in[i], m.out[i])).OK()
				}
			}
			slot := now - now%slotLength + sdk.Time(1+random.IntN(4))*slotLength
			if slot < last && random.IntN(2) == 0 {
				o := orderArgs{slot, "buy", 1 + random.Int64N(900), feedIn + random.Int64N(retail-feedIn), uint8(random.IntN(3))}
				if random.IntN(2) == 0 {
					o.Side = "sell"
				}
				r := f.Call(m.Key, "energy", "order", o)
				if name := r.ErrorName(); name != "" && !strings.Contains("both_sides gate_closed", name) {
					t.Fatal(r)
				}
			}
		}
		var due dueAnswer
		f.View("energy", "due", nil).OK().Result(&due)
		for _, slot := range due.Clear {
			f.clear(slot, 1+uint32(random.IntN(9)))
		}
		if due.Settle != nil && random.IntN(3) == 0 {
			f.View("energy", "due", nil).OK().Result(&due) // once more: all is cleared now
			f.settle(*due.Settle, 1+uint32(random.IntN(9)))
		}
		f.balanced()
	}
	var due dueAnswer
	f.View("energy", "due", nil).OK().Result(&due)
	if due.Settle != nil {
		f.settle(*due.Settle, 64)
	}
	through := *f.market().NextSettled // what begins before it is settled

	traded := int64(0)
	for _, m := range all {
		balance := int64(50_000_000)
		var in, out int64
		for slot := start; slot < through; slot += slotLength {
			var st Statement
			r := f.View("energy", "statement", positionArgs{m.Address(), slot})
			if r.ErrorName() == "unknown_statement" {
				continue
			}
			r.OK().Result(&st)
			var bought, sold, micro int64
			for _, e := range f.Events("filled") {
				var x filledEvent
				if e.Decode(&x); x.Slot != slot || x.Party != m.Address() {
					continue
				}
				if x.Micro != x.Wh*x.Price/1000 {
					t.Errorf("%+v", x)
				}
				if x.Side == "buy" {
					bought, micro = bought+x.Wh, micro-x.Micro
				} else {
					sold, micro = sold+x.Wh, micro+x.Micro
				}
			}
			traded += bought
			grid := func(wh int64) int64 {
				if wh < 0 {
					return -(-wh * retail / 1000)
				}
				return wh * feedIn / 1000
			}
			wh := st.ExportWh - st.ImportWh - sold + bought
			// What is an estimate counts for what was traded, and is not set off else.
			gin, gout := st.GuessedImportWh, st.GuessedExportWh
			sure := st.ExportWh - gout - (st.ImportWh - gin)
			forSold, forBought := sold-max(sure, 0), bought-max(-sure, 0)
			forSold, forBought = min(max(forSold, 0), gout), min(max(forBought, 0), gin)
			bill := grid(sure-sold+bought+forSold-forBought) + grid(gout-forSold) + grid(forBought-gin)
			if st.GridMicro != bill || !st.Estimated && gin+gout != 0 {
				t.Fatalf("%+v: want %d from the grid", st, bill)
			}
			balance += micro + bill + grid(st.LateExportWh) + grid(-st.LateImportWh)
			if st.BoughtWh != bought || st.SoldWh != sold || st.TradeMicro != micro || st.GridWh != wh || st.Balance != balance || !st.Final {
				t.Fatalf("%+v\nwant bought %d, sold %d for %d, grid %d, balance %d", st, bought, sold, micro, wh, balance)
			}
			in, out = in+st.ImportWh+st.LateImportWh, out+st.ExportWh+st.LateExportWh
		}
		var wantIn, wantOut int64
		for _, h := range meters(m) {
			s := f.meter(h.meter)
			if s.SettledThrough != through {
				t.Errorf("a meter of %s is settled through %s, all else through %s", m.Name, s.SettledThrough, through)
			}
			var page readingPage
			f.View("energy", "readings", readingsArgs{Meter: h.meter.Address(), Limit: 1}).OK().Result(&page)
			wantIn += s.SettledImport - page.Readings[0].ImportWh
			wantOut += s.SettledExport - page.Readings[0].ExportWh
		}
		if out-in != wantOut-wantIn {
			t.Errorf("%s: %d Wh are settled, the meters counted %d", m.Name, out-in, wantOut-wantIn)
		}
		equal(t, m.Name, f.account(m.Key).Balance, balance)
		if held := f.account(m.Key).Held; held != 0 {
			t.Errorf("%s: %d micro are still held", m.Name, held)
		}
	}
	if traded == 0 {
		t.Error("nothing was traded: this test tests nothing")
	}
	// And what was traded is what the auction says of the orders that are in the books, which
	// it walks here on its own.
	for slot := start; slot < last; slot += slotLength {
		var page bookPage
		f.View("energy", "book", bookArgs{Slot: slot, Limit: 100}).OK().Result(&page)
		p := &paper{}
		for i, o := range page.Orders {
			s := buy
			if o.Side == "sell" {
				s = sell
			}
			p.add(i, wish{s, o.Limit, o.Wh})
		}
		if a, _ := p.sort().clear(t, 1000, halfway); a.Wh != f.slot(slot).ClearedWh {
			t.Errorf("slot %s: %d Wh, want %d", slot, f.slot(slot).ClearedWh, a.Wh)
		}
		if !slices.IsSortedFunc(page.Orders, func(a, b shownOrder) int { return strings.Compare(a.Side, b.Side) }) {
			t.Error("not the bids first")
		}
	}
}
