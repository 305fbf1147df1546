package main

import (
	"math"
	"testing"

	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/sdktest"
)

// profit is what a house has, beyond what it began with.
func (f *fair) profit(h *house, began int64) int64 { return f.account(h.Key).Balance - began }

// Who says nothing while energy comes in and goes out can't have one set off against the
// other: the grid is no store.
func TestSilenceIsNoStore(t *testing.T) {
	const purse = 100_000_000
	f := newFair(t, nil)
	honest, silent := f.house("honest", purse), f.house("silent", purse)
	s := f.Now()
	f.at(honest, 0, 0)
	f.at(silent, 0, 0)
	f.Advance(slotLength)
	f.at(honest, 5000, 0)
	f.Advance(slotLength)
	f.at(honest, 5000, 5000)
	f.Advance(slotLength)
	f.at(honest, 5000, 5000)
	f.settle(s+slotLength, 16) // both slots, of which the silent one has said nothing
	f.at(silent, 5000, 5000)
	f.SetTime(s + 6*slotLength)
	f.settle(s+4*slotLength, 16)
	const want = -5000*retail/1000 + 5000*feedIn/1000
	equal(t, "the honest one's profit", f.profit(honest, purse), want)
	equal(t, "the silent one's profit", f.profit(silent, purse), want)
}

// The same within the slots that an estimate is made for.
func TestEstimatesAreNotSetOff(t *testing.T) {
	const purse = 100_000_000
	f := newFair(t, nil)
	h := f.house("h", purse)
	s := f.Now()
	f.at(h, 0, 0)
	f.Advance(4 * slotLength)
	f.at(h, 4000, 4000) // before anything is settled: a straight line through four slots
	f.Advance(2 * slotLength)
	f.settle(s+3*slotLength, 16)
	equal(t, "profit", f.profit(h, purse), -4000*retail/1000+4000*feedIn/1000)
	if st := f.statement(h.Key, s+slotLength); !st.Estimated || st.GuessedImportWh != 1000 || st.GuessedExportWh != 1000 || st.GridWh != 0 || st.GridMicro != -1000*retail/1000+1000*feedIn/1000 {
		t.Errorf("%+v", st)
	}
}

// An estimate counts for what was traded all the same: who sold and delivered has delivered.
func TestEstimatesDeliver(t *testing.T) {
	const purse = 100_000_000
	f := newFair(t, nil)
	maker, taker := f.house("maker", purse), f.house("taker", purse)
	f.at(maker, 0, 0)
	f.at(taker, 0, 0)
	slot := f.Now() + slotLength
	f.order(maker, slot, "sell", 1000, feedIn).OK()
	f.order(taker, slot, "buy", 1000, retail).OK()
	f.SetTime(slot)
	f.clear(slot, 16)
	f.SetTime(slot + 2*slotLength)
	f.at(maker, 0, 3000) // a straight line: 1000 in each of three slots
	f.at(taker, 3000, 0)
	f.settle(slot, 16)
	for _, h := range []*house{maker, taker} {
		if st := f.statement(h.Key, slot); !st.Estimated || st.GridWh != 0 || st.GridMicro != 0 {
			t.Errorf("%s: %+v", h.Name, st)
		}
	}
}

// What comes late is priced at the worst tariff since the meter was last sure, so that nobody
// waits for a better one.
func TestNobodyWaitsForABetterTariff(t *testing.T) {
	const purse = 100_000_000
	f := newFair(t, nil)
	honest, silent := f.house("honest", purse), f.house("silent", purse)
	change := f.Now() + 2*sdk.Time(sdk.Day) + 2*slotLength
	f.Call(f.operator, "energy", "set_tariff", tariffArgs{From: change, FeedIn: 10_000, Retail: 50_000}).OK()
	f.at(honest, 0, 0)
	f.at(silent, 0, 0)
	f.SetTime(change - 2*slotLength)
	f.at(honest, 0, 0)
	f.at(silent, 0, 0)
	f.SetTime(change - slotLength)
	f.at(honest, 5000, 0)
	f.SetTime(change + slotLength)
	f.settle(change-slotLength, 64)
	f.at(silent, 5000, 0) // what was used in the dear hours
	f.at(honest, 5000, 0)
	f.SetTime(change + 5*slotLength)
	f.settle(change+2*slotLength, 64)
	equal(t, "the honest one's profit", f.profit(honest, purse), -5000*retail/1000)
	equal(t, "the silent one's profit", f.profit(silent, purse), -5000*retail/1000)
}

// A party can't end its meter behind everybody's back.
func TestEndingNeedsAReading(t *testing.T) {
	f := newFair(t, nil)
	h := f.house("h", 100_000_000)
	f.at(h, 0, 0)
	f.Advance(sdk.Day)
	f.Call(h.Key, "energy", "close_meter", closeArgs{Meter: h.meter.Address()}).Failed("read_first")
	next := f.house("next", 0)
	f.Call(h.Key, "energy", "replace_meter", replaceArgs{Meter: h.meter.Address(), New: next.meter.Address(), PmaxW: 10_000}).Failed("read_first")
	// Its own word doesn't count either.
	address := h.meter.Address()
	own := h.shows(f.Now(), 10, 0)
	own.Meter = &address
	f.Call(h.Key, "energy", "read", readArgs{[]Reading{own}}).OK()
	f.Call(h.Key, "energy", "close_meter", closeArgs{Meter: address}).Failed("read_first").Because("agree_closing")
	f.Advance(60)
	f.at(h, 20, 0)
	f.Call(h.Key, "energy", "close_meter", closeArgs{Meter: address}).OK()
}

// A rollover is not for the party to say, and what was agreed about a closing doesn't outlive one.
func TestRolloverIsTheMeters(t *testing.T) {
	f := newFair(t, nil)
	h := f.house("h", 100_000_000)
	address := h.meter.Address()
	f.at(h, 1000, 1000)
	f.Advance(60)
	roll := rolloverArgs{Meter: &address, Seq: h.seq + 1, Time: f.Now(), ImportWh: 1000, ExportWh: 1000}
	f.Call(h.Key, "energy", "rollover", roll).Failed("not_your_meter")
	roll.NewImportWh = 6000
	f.Call(h.meter, "energy", "rollover", roll).Failed("bad_value").Because("must be 0 to the old ones")

	f.Advance(slotLength)
	end := agreeArgs{Meter: address, Time: f.Now(), ImportWh: 0, ExportWh: 0}
	f.Call(f.operator, "energy", "agree_closing", agreeArgs{Meter: address, Time: f.Now(), ImportWh: 1000, ExportWh: 1000}).OK()
	roll.NewImportWh, roll.Time = 0, f.Now()-1
	f.Call(h.meter, "energy", "rollover", roll).OK()
	var a agreeAnswer
	if f.Call(h.Key, "energy", "agree_closing", end).OK().Result(&a); a.Closed {
		t.Error("the operator agreed to other registers")
	}
	end.Time -= 60
	f.Call(f.operator, "energy", "agree_closing", end).Failed("reading_old").Because("rolled over")
}

// The gateway is the party's choice: it can't end a meter that signs for itself or rewrite its registers,
// and the party is no gateway to itself.
func TestGatewayOfTheirOwn(t *testing.T) {
	f := newFair(t, nil)
	h, second := f.house("h", 100_000_000), f.Account("a second account")
	address := h.meter.Address()
	f.at(h, 1000, 1000)
	for _, gateway := range []*sdktest.Key{second, h.Key} {
		f.Call(h.Key, "energy", "set_gateway", gatewayArgs{address, some(gateway.Address())}).OK()
		f.Advance(60)
		r := h.shows(f.Now(), 1000, 1000)
		f.Call(gateway, "energy", "read", readArgs{[]Reading{r}}).OK()
		f.Call(h.Key, "energy", "close_meter", closeArgs{Meter: address}).Failed("read_first")
		f.Call(gateway, "energy", "rollover", rolloverArgs{Meter: &address, Seq: h.seq + 1, Time: f.Now() + 1, ImportWh: 1000, ExportWh: 1000}).
			Failed("not_your_meter").Because("if the meter never signs")
	}
	// Of a meter that has no key that signs, the gateway's word is the best there is.
	dumb := f.house("dumb", 0)
	address = dumb.meter.Address()
	f.Call(dumb.Key, "energy", "set_gateway", gatewayArgs{address, some(second.Address())}).OK()
	f.Call(second, "energy", "read", readArgs{[]Reading{dumb.shows(f.Now(), 1000, 0)}}).OK()
	f.Call(second, "energy", "rollover", rolloverArgs{Meter: &address, Seq: 2, Time: f.Now() + 1, ImportWh: 1000}).OK()
	f.Call(dumb.Key, "energy", "close_meter", closeArgs{Meter: address}).OK()
}

// No reading leaves a meter without numbers for those that come after it.
func TestNumbersLast(t *testing.T) {
	f := newFair(t, nil)
	h := f.house("h", 0)
	h.seq = math.MaxUint64 - 1
	f.read(h, h.shows(f.Now(), 0, 0)).Failed("bad_value").Because("must be 281474976710656 at most")
	h.seq = 0
	f.at(h, 0, 0)
	h.seq = math.MaxUint64 - 1
	f.read(h, h.shows(f.Now()+1, 0, 0)).Failed("bad_value").Because("leaves none for the readings to come: must be 16777217 at most")
}

// Where prices change more often than is looked through, what comes late costs the worst there ever was.
func TestManyTariffs(t *testing.T) {
	const purse = 100_000_000
	f := newFair(t, nil)
	h := f.house("h", purse)
	first := f.Now() + 2*sdk.Time(sdk.Day) + slotLength
	for i := range sdk.Time(mostTariffs + 5) {
		a := tariffArgs{From: first + i*slotLength, FeedIn: feedIn, Retail: retail}
		if i == mostTariffs+2 {
			a.Retail = 2 * retail
		}
		f.Call(f.operator, "energy", "set_tariff", a).OK()
	}
	f.SetTime(first)
	f.at(h, 0, 0)
	f.settle(first-2*slotLength, 64)
	f.SetTime(first + (mostTariffs+10)*slotLength)
	f.settle(first+(mostTariffs+6)*slotLength, 64)
	f.at(h, 1000, 0)
	f.SetTime(f.Now() + 3*slotLength)
	f.settle(f.Now()-2*slotLength, 64)
	if got := f.profit(h, purse); got > -2*retail*9/10 {
		t.Errorf("profit %d, want about %d", got, -2*retail)
	}
}
