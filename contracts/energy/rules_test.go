package main

import (
	"slices"
	"testing"

	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/sdktest"
)

// signed is a batch of the meter of a house, changed by who wants to break it.
func (f *fair) signed(h *house, change func(*batch), list ...Register) signedArgs {
	f.t.Helper()
	b := batch{Chain: sdktest.ID, Contract: "energy", Meter: h.meter.Address(), Readings: list}
	if change != nil {
		change(&b)
	}
	return signedArgs{h.meter.Address(), h.meter.Public(), h.meter.Message(f.t, ReadingAAD, b)}
}

// refusal is one way to be refused. The account of do is a house's.
type refusal struct {
	code    string
	because string
	do      func(f *fair, h *house) *sdktest.Receipt
}

// refusals is what the contract must not accept, at least one for each of its codes. Each
// begins with a house that has read 1000 and 500 Wh now, at a quarter past eight, and 100 whole
// units of money.
var refusals = []refusal{
	// readings
	{"reading_falls", "reading 0: the import register is 999 Wh, it was 1000 at 2026-01-05T08:15:00Z", func(f *fair, h *house) *sdktest.Receipt {
		return f.read(h, h.shows(f.Now()+60, 999, 500))
	}},
	{"reading_falls", "reading 1: the export register is 501 Wh, it was 502", func(f *fair, h *house) *sdktest.Receipt {
		return f.read(h, h.shows(f.Now()+30, 1000, 502), h.shows(f.Now()+60, 1000, 501))
	}},
	{"reading_jump", "the import register rose by 1669 Wh in 1m, and 100000 W make 1667 at most", func(f *fair, h *house) *sdktest.Receipt {
		return f.read(h, h.shows(f.Now()+60, 2669, 500))
	}},
	{"reading_jump", "the export register rose by 1669 Wh", func(f *fair, h *house) *sdktest.Receipt {
		return f.read(h, h.shows(f.Now()+60, 1000, 2169))
	}},
	{"reading_duplicate", "number 1 of 2026-01-05T08:15:00Z came before", func(f *fair, h *house) *sdktest.Receipt {
		h.seq = 0
		return f.read(h, h.shows(f.Now(), 1000, 500))
	}},
	{"reading_duplicate", "reading 1: number 2", func(f *fair, h *house) *sdktest.Receipt {
		r := h.shows(f.Now()+1, 1000, 500)
		return f.read(h, r, r)
	}},
	{"reading_old", "number 2 of 2026-01-05T08:15:00Z is not newer than the last", func(f *fair, h *house) *sdktest.Receipt {
		return f.read(h, h.shows(f.Now(), 1000, 500))
	}},
	{"reading_old", "number 1 of 2026-01-05T08:16:00Z is not newer", func(f *fair, h *house) *sdktest.Receipt {
		h.seq = 0
		return f.read(h, h.shows(f.Now()+60, 1001, 500))
	}},
	{"reading_old", "reading 1: number 3 of 2026-01-05T08:16:00Z is not newer than the last, 2 of 2026-01-05T08:17:00Z", func(f *fair, h *house) *sdktest.Receipt {
		return f.read(h, h.shows(f.Now()+120, 1001, 500), h.shows(f.Now()+60, 1001, 500))
	}},
	{"reading_old", "the meter is counted from 2026-01-05T08:15:00Z on", func(f *fair, h *house) *sdktest.Receipt {
		g := f.house("g", 0)
		return f.read(g, g.shows(f.Now()-121, 0, 0))
	}},
	{"reading_future", "it is of 2026-01-05T08:17:01Z, and it is 2026-01-05T08:15:00Z: at most 2m ahead is allowed", func(f *fair, h *house) *sdktest.Receipt {
		return f.read(h, h.shows(f.Now()+121, 1000, 500))
	}},
	{"not_your_meter", "is not the meter", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(f.house("g", 0).meter, "energy", "read", readArgs{[]Reading{h.shows(f.Now()+1, 1000, 500)}})
	}},
	{"not_your_meter", "its gateway or its party", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(f.operator, "energy", "rollover", rolloverArgs{Meter: some(h.meter.Address()), Seq: 2, Time: f.Now() + 1, ImportWh: 1000, ExportWh: 500})
	}},
	{"meter_not_active", "it is suspended since height", func(f *fair, h *house) *sdktest.Receipt {
		f.suspend(h.Key, h.meter)
		return f.Call(h.Key, "energy", "read", readArgs{[]Reading{h.shows(f.Now()+1, 1000, 500)}})
	}},
	{"meter_not_active", "it is suspended since height", func(f *fair, h *house) *sdktest.Receipt {
		f.suspend(h.Key, h.meter)
		return f.Call(f.operator, "energy", "read_signed", f.signed(h, nil, Register{Seq: 2, Time: f.Now() + 1, ImportWh: 1000, ExportWh: 500}))
	}},
	{"meter_not_active", "it is suspended since height", func(f *fair, h *house) *sdktest.Receipt {
		f.suspend(h.Key, h.meter)
		return f.Call(h.Key, "energy", "close_meter", closeArgs{h.meter.Address(), &Register{Seq: 2, Time: f.Now() + 1, ImportWh: 1000, ExportWh: 500}})
	}},
	{"unknown_meter", "reading 0: no meter ward1", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(h.Key, "energy", "read", readArgs{[]Reading{{Seq: 1, Time: f.Now()}}})
	}},
	{"bad_value", "0 readings, must be 1 to 100", func(f *fair, h *house) *sdktest.Receipt { return f.read(h) }},
	{"bad_value", "101 readings", func(f *fair, h *house) *sdktest.Receipt { return f.read(h, make([]Reading, 101)...) }},
	{"bad_value", "a register is -1 Wh", func(f *fair, h *house) *sdktest.Receipt { return f.read(h, h.shows(f.Now()+1, -1, 0)) }},
	{"bad_value", "a register is 1000000000001 Wh", func(f *fair, h *house) *sdktest.Receipt { return f.read(h, h.shows(f.Now()+1, 1000, maxRegister+1)) }},
	{"bad_value", "the new registers are -1", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(h.meter, "energy", "rollover", rolloverArgs{Seq: 2, Time: f.Now() + 1, ImportWh: 1000, ExportWh: 500, NewImportWh: -1})
	}},
	{"bad_signature", "is not a COSE_Sign1", func(f *fair, h *house) *sdktest.Receipt {
		a := f.signed(h, nil, Register{Seq: 2, Time: f.Now() + 1, ImportWh: 1000, ExportWh: 500})
		a.Batch[len(a.Batch)-1] ^= 1
		return f.Call(f.operator, "energy", "read_signed", a)
	}},
	{"bad_signature", "is not that of meter", func(f *fair, h *house) *sdktest.Receipt {
		a := f.signed(h, nil, Register{Seq: 2, Time: f.Now() + 1, ImportWh: 1000, ExportWh: 500})
		a.Key = h.Public()
		return f.Call(f.operator, "energy", "read_signed", a)
	}},
	{"bad_signature", `the batch is for chain "elsewhere"`, func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(f.operator, "energy", "read_signed", f.signed(h, func(b *batch) { b.Chain = "elsewhere" }, Register{}))
	}},
	{"bad_signature", `the batch is for contract "energy-2"`, func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(f.operator, "energy", "read_signed", f.signed(h, func(b *batch) { b.Contract = "energy-2" }, Register{}))
	}},
	{"bad_signature", "the batch is of meter ward1", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(f.operator, "energy", "read_signed", f.signed(h, func(b *batch) { b.Meter[0] ^= 1 }, Register{}))
	}},
	{"bad_signature", "batch: ", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(f.operator, "energy", "read_signed", signedArgs{h.meter.Address(), h.meter.Public(), h.meter.Message(f.t, ReadingAAD, sdktest.CBOR{0xa0})})
	}},
	{"bad_value", "101 readings", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(f.operator, "energy", "read_signed", f.signed(h, nil, make([]Register, 101)...))
	}},
	{"reading_duplicate", "reading 0: number 2", func(f *fair, h *house) *sdktest.Receipt {
		a := f.signed(h, nil, Register{Seq: 2, Time: f.Now() + 1, ImportWh: 1000, ExportWh: 500})
		f.Call(f.operator, "energy", "read_signed", a).OK()
		return f.Call(f.operator, "energy", "read_signed", a)
	}},

	// meters
	{"meter_not_active", "no device ward1", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(h.Key, "energy", "register_meter", registerArgs{Meter: h.Address(), PmaxW: 1})
	}},
	{"meter_not_active", "is not a device of", func(f *fair, h *house) *sdktest.Receipt {
		other := sdktest.P256("another meter")
		f.enrol(h.Key, other)
		return f.Call(f.operator, "energy", "register_meter", registerArgs{Meter: other.Address(), PmaxW: 1})
	}},
	{"bad_value", "pmax_w is 0, must be 1 to 100000000 W", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(h.Key, "energy", "register_meter", registerArgs{Meter: h.Address()})
	}},
	{"bad_value", "pmax_w is 100000001", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(h.Key, "energy", "register_meter", registerArgs{Meter: h.Address(), PmaxW: maxPower + 1})
	}},
	{"not_permitted", "is not the operator", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(h.Key, "energy", "confirm_meter", confirmArgs{h.meter.Address(), 1})
	}},
	{"bad_value", "pmax_w is 0, must be 1", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(f.operator, "energy", "confirm_meter", confirmArgs{Meter: h.meter.Address()})
	}},
	{"unknown_meter", "no meter ward1", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(f.operator, "energy", "confirm_meter", confirmArgs{h.Address(), 1})
	}},
	{"already_registered", "is registered by ward1", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(h.Key, "energy", "register_meter", registerArgs{Meter: h.meter.Address(), PmaxW: 1})
	}},
	{"already_registered", "does not come back", func(f *fair, h *house) *sdktest.Receipt {
		f.Call(h.Key, "energy", "close_meter", closeArgs{Meter: h.meter.Address()}).OK().Emitted("meter_closed")
		return f.Call(h.Key, "energy", "register_meter", registerArgs{Meter: h.meter.Address(), PmaxW: 1})
	}},
	{"too_many_meters", "has 8 meters, limit 8", func(f *fair, h *house) *sdktest.Receipt {
		for _, name := range []string{"2", "3", "4", "5", "6", "7", "8", "9"} {
			meter := sdktest.P256("meter " + name)
			f.enrol(h.Key, meter)
			r := f.Call(h.Key, "energy", "register_meter", registerArgs{Meter: meter.Address(), PmaxW: 1})
			if name == "9" {
				return r
			}
			r.OK()
		}
		return nil
	}},
	{"meter_closed", "reading 0: meter ward1", func(f *fair, h *house) *sdktest.Receipt {
		f.Call(h.Key, "energy", "close_meter", closeArgs{Meter: h.meter.Address()}).OK()
		return f.read(h, h.shows(f.Now()+1, 1000, 500))
	}},
	{"meter_closed", "ended at 2026-01-05T08:15:00Z", func(f *fair, h *house) *sdktest.Receipt {
		f.Call(h.Key, "energy", "close_meter", closeArgs{Meter: h.meter.Address()}).OK()
		return f.Call(h.Key, "energy", "close_meter", closeArgs{Meter: h.meter.Address()})
	}},
	{"not_your_meter", "counts for another than", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(f.operator, "energy", "close_meter", closeArgs{Meter: h.meter.Address()})
	}},
	{"not_your_meter", "counts for another than", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(f.operator, "energy", "set_gateway", gatewayArgs{Meter: h.meter.Address()})
	}},
	{"not_your_meter", "counts for another than", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(f.operator, "energy", "replace_meter", replaceArgs{Meter: h.meter.Address(), New: h.Address(), PmaxW: 1})
	}},
	{"not_your_meter", "ends so by its party", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(f.party("stranger", 0), "energy", "agree_closing", agreeArgs{Meter: h.meter.Address(), Time: f.Now()})
	}},
	{"reading_falls", "the import register is 999 Wh", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(h.Key, "energy", "agree_closing", agreeArgs{h.meter.Address(), f.Now() + 1, 999, 500})
	}},
	{"reading_old", "has no reading before 2026-01-05T08:15:00Z", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(h.Key, "energy", "agree_closing", agreeArgs{h.meter.Address(), f.Now(), 999, 500})
	}},
	{"reading_future", "at most 2m ahead", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(h.Key, "energy", "agree_closing", agreeArgs{h.meter.Address(), f.Now() + 121, 1000, 500})
	}},
	{"already_done", "settled through 1100 in and 500 out", func(f *fair, h *house) *sdktest.Receipt {
		at := f.Now()
		f.Advance(slotLength)
		f.at(h, 1100, 500)
		f.Advance(slotLength)
		f.settle(at, 16)
		return f.Call(h.Key, "energy", "agree_closing", agreeArgs{h.meter.Address(), at + slotLength - 1, 1099, 500})
	}},

	// money
	{"not_permitted", "is not the operator", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(h.Key, "energy", "credit", moneyArgs{h.Address(), 1})
	}},
	{"not_permitted", "is not the operator", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(h.Key, "energy", "debit", moneyArgs{h.Address(), 1})
	}},
	{"bad_value", "the other side of every other", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(f.operator, "energy", "credit", moneyArgs{f.operator.Address(), 1})
	}},
	{"bad_value", "0 micro, must be 1 to", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(f.operator, "energy", "credit", moneyArgs{h.Address(), 0})
	}},
	{"bad_value", "1000000000000001 micro, must be 1 to", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(f.operator, "energy", "credit", moneyArgs{h.Address(), maxMicro + 1})
	}},
	{"not_permitted", "is not the operator", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(h.Key, "energy", "set_operator", operatorArgs{h.Address()})
	}},
	{"bad_value", "the zero address", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(f.operator, "energy", "set_operator", operatorArgs{})
	}},
	{"beyond_collateral", "of which 100000000 are free", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(f.operator, "energy", "debit", moneyArgs{h.Address(), 100_000_001})
	}},
	{"not_permitted", "is not the operator", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(h.Key, "energy", "set_tariff", tariffArgs{From: f.Now() + 3*86400, Retail: 1})
	}},
	{"gate_closed", "orders are taken up to 2026-01-07T08:15:00Z by the tariff that they have", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(f.operator, "energy", "set_tariff", tariffArgs{From: f.Now() + 2*86400, Retail: 1})
	}},
	{"bad_value", "a slot begins every 15m", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(f.operator, "energy", "set_tariff", tariffArgs{From: f.Now() + 3*86400 + 1, Retail: 1})
	}},
	{"bad_value", "feed_in 2 and retail 1", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(f.operator, "energy", "set_tariff", tariffArgs{From: f.Now() + 3*86400, FeedIn: 2, Retail: 1})
	}},

	// orders
	{"gate_closed", "the gate of slot 2026-01-05T08:30:00Z closed at 2026-01-05T08:25:00Z, it is 2026-01-05T08:25:00Z: the next open slot is 2026-01-05T08:45:00Z", func(f *fair, h *house) *sdktest.Receipt {
		f.Advance(600)
		return f.order(h, f.Now()+300, "buy", 1, feedIn)
	}},
	{"gate_closed", "the gate of slot 2026-01-05T08:00:00Z", func(f *fair, h *house) *sdktest.Receipt {
		return f.order(h, f.Now()-900, "buy", 1, feedIn)
	}},
	{"gate_closed", "the gate of slot", func(f *fair, h *house) *sdktest.Receipt {
		slot := f.Now() + 900
		f.order(h, slot, "buy", 1, feedIn).OK()
		f.Advance(900)
		return f.Call(h.Key, "energy", "cancel", cancelArgs{Slot: slot})
	}},
	{"too_far_ahead", "orders are taken up to 2026-01-07T08:15:00Z", func(f *fair, h *house) *sdktest.Receipt {
		return f.order(h, f.Now()+2*86400+900, "buy", 1, feedIn)
	}},
	{"bad_value", "the market has slots from 2026-01-05T08:00:00Z on", func(f *fair, h *house) *sdktest.Receipt {
		return f.order(h, f.Now()-1800, "buy", 1, feedIn)
	}},
	{"bad_value", "a slot begins every 15m, this one at 2026-01-05T08:30:00Z", func(f *fair, h *house) *sdktest.Receipt {
		return f.order(h, f.Now()+901, "buy", 1, feedIn)
	}},
	{"bad_value", `side is "give": buy and sell are allowed`, func(f *fair, h *house) *sdktest.Receipt {
		return f.order(h, f.Now()+900, "give", 1, feedIn)
	}},
	{"bad_value", "wh is 0", func(f *fair, h *house) *sdktest.Receipt { return f.order(h, f.Now()+900, "buy", 0, feedIn) }},
	{"bad_value", "wh is 1000000001", func(f *fair, h *house) *sdktest.Receipt { return f.order(h, f.Now()+900, "buy", maxWh+1, feedIn) }},
	{"bad_value", "index is 8, must be 0 to 7", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(h.Key, "energy", "order", orderArgs{f.Now() + 900, "buy", 1, feedIn, 8})
	}},
	{"limit_out_of_range", "limit is 79999, must be 80000 to 300000", func(f *fair, h *house) *sdktest.Receipt {
		return f.order(h, f.Now()+900, "buy", 1, feedIn-1)
	}},
	{"limit_out_of_range", "limit is 300001", func(f *fair, h *house) *sdktest.Receipt { return f.order(h, f.Now()+900, "sell", 1, retail+1) }},
	{"no_meter", "register_meter first", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(f.party("trader", 1_000_000), "energy", "order", orderArgs{f.Now() + 900, "buy", 1, feedIn, 0})
	}},
	{"both_sides", "has orders to buy in this slot", func(f *fair, h *house) *sdktest.Receipt {
		f.order(h, f.Now()+900, "buy", 1, feedIn).OK()
		return f.Call(h.Key, "energy", "order", orderArgs{f.Now() + 900, "sell", 1, feedIn, 1})
	}},
	{"both_sides", "has orders to sell in this slot", func(f *fair, h *house) *sdktest.Receipt {
		f.order(h, f.Now()+900, "sell", 1, feedIn).OK()
		return f.order(h, f.Now()+900, "buy", 1, feedIn)
	}},
	// 100 units: 333,333 Wh at 300 are 99.9999, one Wh more is 100.0002.
	{"beyond_collateral", "the order needs 100000200 micro as collateral, of the balance 100000000 are free", func(f *fair, h *house) *sdktest.Receipt {
		return f.order(h, f.Now()+900, "buy", 333_334, retail)
	}},
	{"beyond_collateral", "the order needs 100000200 micro", func(f *fair, h *house) *sdktest.Receipt {
		return f.order(h, f.Now()+900, "sell", 333_334, feedIn) // at retail, whatever the limit
	}},
	{"beyond_collateral", "the order needs 300 micro as collateral, of the balance 100 are free", func(f *fair, h *house) *sdktest.Receipt {
		f.order(h, f.Now()+900, "sell", 333_333, feedIn).OK()
		return f.order(h, f.Now()+1800, "buy", 1, retail) // another slot, the same money
	}},
	{"beyond_collateral", "of which 100 are free", func(f *fair, h *house) *sdktest.Receipt {
		f.order(h, f.Now()+900, "sell", 333_333, feedIn).OK()
		return f.Call(f.operator, "energy", "debit", moneyArgs{h.Address(), 101})
	}},
	{"unknown_order", "has no order in slot", func(f *fair, h *house) *sdktest.Receipt {
		return f.Call(h.Key, "energy", "cancel", cancelArgs{Slot: f.Now() + 900})
	}},
	{"unknown_order", "has no order 1 in slot", func(f *fair, h *house) *sdktest.Receipt {
		f.order(h, f.Now()+900, "buy", 1, feedIn).OK()
		return f.Call(h.Key, "energy", "cancel", cancelArgs{f.Now() + 900, some[uint8](1)})
	}},

	// clearing and settling
	{"too_early", "the gate of slot 2026-01-05T08:30:00Z closes at 2026-01-05T08:25:00Z", func(f *fair, h *house) *sdktest.Receipt {
		f.Advance(599)
		return f.Call(h.Key, "energy", "clear", clearArgs{Slot: f.Now() + 301})
	}},
	{"already_done", "is cleared", func(f *fair, h *house) *sdktest.Receipt {
		f.clear(f.Now(), 1)
		return f.Call(h.Key, "energy", "clear", clearArgs{Slot: f.Now()})
	}},
	{"too_early", "is settled from 2026-01-05T08:45:00Z on, it is 2026-01-05T08:44:59Z", func(f *fair, h *house) *sdktest.Receipt {
		f.Advance(1799)
		return f.Call(h.Key, "energy", "settle", settleArgs{Slot: sdktest.Start + slotLength})
	}},
	{"not_cleared", "slot 2026-01-05T08:30:00Z has orders that are not cleared: clear it first", func(f *fair, h *house) *sdktest.Receipt {
		f.order(h, f.Now()+900, "buy", 1, feedIn).OK()
		f.Advance(7200)
		f.settle(f.Now()-7200, 16)
		return f.Call(h.Key, "energy", "settle", settleArgs{Slot: f.Now() - 1800})
	}},
	{"already_done", "is settled, the next one is 2026-01-05T08:30:00Z", func(f *fair, h *house) *sdktest.Receipt {
		f.Advance(1800)
		f.settle(f.Now()-1800, 16)
		return f.Call(h.Key, "energy", "settle", settleArgs{Slot: f.Now() - 1800})
	}},
	{"already_done", "is cleared", func(f *fair, h *house) *sdktest.Receipt {
		f.Advance(1800)
		f.settle(f.Now()-1800, 16)
		return f.Call(h.Key, "energy", "clear", clearArgs{Slot: f.Now() - 1800})
	}},
	{"unknown_statement", "nothing came of slot", func(f *fair, h *house) *sdktest.Receipt {
		return f.View("energy", "statement", positionArgs{h.Address(), f.Now()})
	}},
	{"unknown_order", "has no order in slot", func(f *fair, h *house) *sdktest.Receipt {
		return f.View("energy", "position", positionArgs{h.Address(), f.Now()})
	}},
	{"unknown_meter", "no meter ward1", func(f *fair, h *house) *sdktest.Receipt {
		return f.View("energy", "meter", meterArgs{h.Address()})
	}},
}

// A refusal has its code and a reason to act on, and nothing that was done before it stays.
func TestRefusals(t *testing.T) {
	refused := map[string]bool{}
	for _, r := range refusals {
		t.Run(r.code, func(t *testing.T) {
			f := newFair(t, nil)
			f.Advance(slotLength)
			h := f.house("h", 100_000_000)
			f.at(h, 1000, 500)
			r.do(f, h).Failed(r.code).Because(r.because)
			f.balanced()
		})
		refused[r.code] = true
	}
	// What has a test of its own, because it takes more than a call or two.
	refused["book_full"] = true
	refused["read_first"] = true
	for _, e := range sdktest.Build(t, ".").Spec.Errors {
		if e.Code != 1 && !refused[e.Name] {
			t.Errorf("no test is refused as %s", e.Name)
		}
	}
}

// Before there was a meter there is nothing to settle.
func TestNothingToSettle(t *testing.T) {
	f := newFair(t, nil)
	f.Advance(86400)
	f.Call(f.operator, "energy", "settle", settleArgs{Slot: sdktest.Start}).Failed("too_early").Because("there was never a meter")
	// The first meter begins with its own slot, not with the market's.
	h := f.house("h", 0)
	f.at(h, 0, 0)
	if next := f.market().NextSettled; next == nil || *next != sdktest.Start+86400 {
		t.Errorf("next is %v", next)
	}
}

// A batch with one bad reading leaves nothing.
func TestBatchIsOne(t *testing.T) {
	f := newFair(t, nil)
	h := f.house("h", 0)
	f.at(h, 0, 0)
	before := f.meter(h.meter)
	f.read(h, h.shows(f.Now()+10, 5, 0), h.shows(f.Now()+20, 4, 0)).Failed("reading_falls").Because("reading 1").Emitted("refused")
	equal(t, "meter", f.meter(h.meter), before)
	var page readingPage
	f.View("energy", "readings", readingsArgs{Meter: h.meter.Address()}).OK().Result(&page)
	if len(page.Readings) != 1 {
		t.Errorf("%+v", page)
	}
}

// A gateway brings the readings of several meters at once, each of which is asked for.
func TestGatewayBatch(t *testing.T) {
	f := newFair(t, nil)
	a, b, gateway := f.house("a", 0), f.house("b", 0), f.Account("gateway")
	for _, h := range []*house{a, b} {
		f.Call(h.Key, "energy", "set_gateway", gatewayArgs{h.meter.Address(), some(gateway.Address())}).OK()
	}
	now := f.Now()
	f.Call(gateway, "energy", "read", readArgs{[]Reading{a.shows(now, 1, 0), b.shows(now, 2, 0), a.shows(now+1, 3, 0)}}).OK().Emitted("reading", "reading", "reading")
	if x, y := f.meter(a.meter), f.meter(b.meter); x.ImportWh != 3 || x.Seq != 2 || y.ImportWh != 2 {
		t.Errorf("%+v, %+v", x, y)
	}
	f.suspend(b.Key, b.meter)
	f.Call(gateway, "energy", "read", readArgs{[]Reading{a.shows(now+2, 3, 0), b.shows(now+2, 2, 0)}}).Failed("meter_not_active").Because("reading 1")
	equal(t, "a's last", f.meter(a.meter).Seq, 2)
}

// Without the contract that knows the meters, nobody has one.
func TestWithoutDevices(t *testing.T) {
	f := newFair(t, func(a *initArgs) { a.Devices = "nobody" })
	f.Call(f.party("h", 0), "energy", "register_meter", registerArgs{PmaxW: 1}).Failed("meter_not_active").Because("nobody.status")
}

// That a key of its account is open does not make a meter active: here a second one is, while
// devices has suspended it.
func TestOpenKeyIsNotEnough(t *testing.T) {
	f := newFair(t, nil)
	h := f.house("h", 0)
	f.at(h, 0, 0)
	f.suspend(h.Key, h.meter)
	second := sdktest.Ed25519("second key")
	f.OpenKey(sdk.OpenKey{Key: second.Public(), Account: h.meter.Address(), Quota: 1 << 40, Scope: []sdk.Scope{{Contract: "energy"}}})
	f.Call(second, "energy", "read", readArgs{[]Reading{h.shows(f.Now()+1, 0, 0)}}).Failed("meter_not_active")
}

// A suspended meter signs nothing on this chain at all, and once it is resumed it may go on.
func TestSuspendedMeter(t *testing.T) {
	f := newFair(t, nil)
	h := f.house("h", 0)
	f.at(h, 0, 0)
	f.suspend(h.Key, h.meter)
	f.read(h, h.shows(f.Now()+1, 0, 0)).Refused(receipt.KeyShut)
	f.Call(h.Key, "devices", "resume", struct{ Device sdk.Address }{h.meter.Address()}).OK()
	f.read(h, h.shows(f.Now()+1, 0, 0)).OK()
}

// Who says it decides how sure it is, and a gap in the numbers is marked.
func TestAssurance(t *testing.T) {
	f := newFair(t, nil)
	h := f.house("h", 0)
	gateway := f.Account("gateway")
	f.at(h, 0, 0)
	f.Call(gateway, "energy", "read", readArgs{[]Reading{h.shows(f.Now()+1, 0, 0)}}).Failed("not_your_meter") // which leaves a number out
	f.Call(h.Key, "energy", "set_gateway", gatewayArgs{h.meter.Address(), some(gateway.Address())}).OK().Emitted("gateway_set")
	f.Call(gateway, "energy", "read", readArgs{[]Reading{h.shows(f.Now()+1, 1, 0)}}).OK()
	f.Call(h.Key, "energy", "read", readArgs{[]Reading{h.shows(f.Now()+2, 2, 0)}}).OK()
	h.seq += 4
	f.Call(f.operator, "energy", "read_signed", f.signed(h, nil, Register{h.seq, f.Now() + 3, 3, 0, true})).OK().Emitted("reading")
	mine := h.shows(f.Now()+4, 4, 0)
	mine.Meter = nil
	f.read(h, mine).OK()
	var page readingPage
	f.View("energy", "readings", readingsArgs{Meter: h.meter.Address(), From: f.Now() + 1}).OK().Result(&page)
	var got []string
	for _, r := range page.Readings {
		got = append(got, sdk.Text("%s %d missed %d %v", r.Assurance, r.ImportWh, r.Missed, r.Estimated))
	}
	if want := []string{"B 1 missed 1 false", "C 2 missed 0 false", "A 3 missed 3 true", "A 4 missed 0 false"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	f.Call(h.Key, "energy", "set_gateway", gatewayArgs{Meter: h.meter.Address()}).OK()
	f.Call(gateway, "energy", "read", readArgs{[]Reading{h.shows(f.Now()+5, 5, 0)}}).Failed("not_your_meter")
}

// Even where the grid pays nothing, no place in a book is free.
func TestNoPlaceIsFree(t *testing.T) {
	f := newFair(t, func(a *initArgs) { a.FeedIn = some[int64](0) })
	h := f.house("h", 0)
	f.order(h, f.Now()+2*slotLength, "buy", 1, 0).Failed("beyond_collateral")
}

// Who enters one of a batch's readings first doesn't keep the rest out.
func TestBatchPartlyKnown(t *testing.T) {
	f := newFair(t, nil)
	h := f.house("h", 0)
	s := f.Now()
	f.Advance(180)
	batch := f.signed(h, nil, Register{Seq: 1, Time: s}, Register{Seq: 2, Time: s + 60, ImportWh: 500}, Register{Seq: 3, Time: s + 120, ImportWh: 1000})
	f.Call(h.Key, "energy", "read", readArgs{[]Reading{h.shows(s, 0, 0)}}).OK()
	f.Call(f.operator, "energy", "read_signed", batch).OK().Emitted("reading", "reading")
	equal(t, "import", f.meter(h.meter).ImportWh, 1000)
	f.Call(f.operator, "energy", "read_signed", batch).Failed("reading_duplicate")
	// Other values for the same moment are no reason to pass over anything.
	f.Call(f.operator, "energy", "read_signed", f.signed(h, nil, Register{Seq: 2, Time: s + 60, ImportWh: 501}, Register{Seq: 4, Time: s + 170, ImportWh: 1000})).Failed("reading_duplicate").Because("reading 0")
}

// The market goes on under another operator, and money sums to zero.
func TestSetOperator(t *testing.T) {
	f := newFair(t, nil)
	h, next := f.house("h", 1_000_000), f.Account("the next operator")
	s := f.Now()
	f.at(h, 0, 0)
	f.Call(f.operator, "energy", "set_operator", operatorArgs{next.Address()}).OK().Emitted("operator_set")
	f.Call(f.operator, "energy", "credit", moneyArgs{h.Address(), 1}).Failed("not_permitted")
	f.Advance(slotLength)
	f.at(h, 1000, 0)
	f.Advance(slotLength)
	f.settle(s, 0)
	equal(t, "the old one's balance", f.account(f.operator).Balance, -1_000_000)
	equal(t, "the new one's balance", f.account(next).Balance, retail)
}

// An account without meters and orders costs settlement nothing, and comes back with its next meter.
func TestIdleAccountsAreNotVisited(t *testing.T) {
	f := newFair(t, nil)
	s := f.Now()
	h, idle := f.house("h", 1_000_000), f.house("idle", 1_000_000)
	f.party("never a meter", 1)
	f.at(h, 0, 0)
	f.at(idle, 0, 0)
	f.order(idle, s+3*slotLength, "buy", 1000, feedIn).OK()
	f.Call(idle.Key, "energy", "close_meter", closeArgs{Meter: idle.meter.Address()}).OK()
	f.SetTime(s + 9*slotLength)
	f.clear(s+3*slotLength, 9)
	for i, want := range []uint32{2, 2, 2, 2, 1, 1} { // until what it had ordered is settled
		var a settleAnswer
		f.Call(f.operator, "energy", "settle", settleArgs{s + sdk.Time(i)*slotLength, 64}).OK().Result(&a)
		equal(t, "visited", a.Visited, want)
	}
	equal(t, "account", f.account(idle.Key), accountAnswer{idle.Address(), 1_000_000, 0, 1_000_000, 0})
	again := &house{Key: idle.Key, meter: sdktest.P256("idle's next meter")}
	f.enrol(again.Key, again.meter)
	f.Call(again.Key, "energy", "register_meter", registerArgs{Meter: again.meter.Address(), PmaxW: 10}).OK()
	var a settleAnswer
	f.Call(f.operator, "energy", "settle", settleArgs{s + 6*slotLength, 64}).OK().Result(&a)
	equal(t, "visited", a.Visited, 2)
}
