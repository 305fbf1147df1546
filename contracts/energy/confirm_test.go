package main

import (
	"testing"

	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/sdktest"
)

// Energy that a meter of anybody's making says it gave is paid for once the operator knows the meter.
func TestInventedExports(t *testing.T) {
	f := newFair(t, nil)
	h := &house{Key: f.party("h", 0), meter: sdktest.P256("a meter of paper")}
	f.enrol(h.Key, h.meter)
	f.Call(h.Key, "energy", "register_meter", registerArgs{Meter: h.meter.Address(), PmaxW: maxPower}).OK()
	s := f.Now()
	f.at(h, 0, 0)
	f.Advance(slotLength)
	f.at(h, 1000, 25_000_000)
	f.Advance(slotLength)
	f.settle(s, 0)
	equal(t, "profit", f.profit(h, 0), -1000*retail/1000) // what came in is paid all the same
	if st := f.statement(h.Key, s); st.ExportWh != 0 || st.UnconfirmedWh != 25_000_000 || st.GridWh != -1000 {
		t.Errorf("%+v", st)
	}
	// Late energy is no way around.
	f.Advance(2 * slotLength)
	f.settle(s+2*slotLength, 0)
	f.at(h, 1000, 50_000_000)
	f.Advance(slotLength)
	f.settle(s+3*slotLength, 0)
	equal(t, "profit", f.profit(h, 0), -1000*retail/1000)

	f.Call(f.operator, "energy", "confirm_meter", confirmArgs{h.meter.Address(), 8_000}).OK().Emitted("meter_confirmed")
	f.at(h, 1000, 50_001_000)
	f.read(h, h.shows(f.Now()+60, 1000, 50_002_000)).Failed("reading_jump").Because("8000 W make 134 at most")
	f.Advance(2 * slotLength)
	f.settle(s+4*slotLength, 0)
	equal(t, "profit", f.profit(h, 0), -1000*retail/1000+1000*feedIn/1000)
}

// A register may be one Wh ahead of what its power makes, once and not in each reading.
func TestPowerOverManyReadings(t *testing.T) {
	f := newFair(t, nil)
	h := &house{Key: f.party("h", 0), meter: sdktest.P256("a small meter")}
	f.enrol(h.Key, h.meter)
	f.Call(h.Key, "energy", "register_meter", registerArgs{Meter: h.meter.Address(), PmaxW: 2}).OK()
	s := f.Now()
	f.Advance(4 * slotLength)
	f.read(h, h.shows(s, 0, 0), h.shows(s+1, 0, 1)).OK()
	h.seq++ // what is refused leaves its number out
	f.read(h, h.shows(s+2, 0, 2)).Failed("reading_jump").Because("2 W make 0 at most")
	// It gains 1 Wh in half an hour; until then its register stands.
	f.read(h, h.shows(s+1799, 0, 2)).Failed("reading_jump")
	f.read(h, h.shows(s+900, 0, 1), h.shows(s+1800, 0, 2), h.shows(s+3600, 0, 3)).OK()
	f.read(h, h.shows(s+3601, 0, 4)).Failed("reading_jump")
	f.read(h, h.shows(s+3601, 1, 3)).OK() // the other register has its own
}

// What a true meter shows is never refused: whole Wh of any power up to its most, read at any time.
func TestTrueReadingsPass(t *testing.T) {
	for _, watts := range []int64{1, 7, 3599, 3601, 25_000} {
		m := Meter{PmaxW: watts}
		var ws int64
		at := point{}
		for i := range int64(20_000) {
			dt := 1 + i*i%97
			power := watts
			if i%5 == 0 {
				power = watts * (i % 11) / 11
			}
			ws += dt * power
			to := point{at.time + sdk.Time(dt), (ws + 3599) / 3600, (ws + 1234) / 3600}
			if err := m.rise(at, to); err != nil {
				t.Fatalf("%d W, reading %d: %v", watts, i, err)
			}
			at = to
		}
	}
}
