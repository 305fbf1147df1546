package main

import (
	"flag"
	"fmt"
	"testing"

	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/sdktest"
	"github.com/wardledger/ward/sdk/specdoc"
)

var update = flag.Bool("update", false, "write the tables of README.md")

func TestReadme(t *testing.T) {
	if err := specdoc.Check("README.md", sdktest.Build(t, ".").Spec, *update); err != nil {
		t.Error(err)
	}
}

// fair is a chain with the contracts devices and energy, and an operator of the market.
type fair struct {
	*sdktest.Chain
	t        *testing.T
	operator *sdktest.Key
}

const (
	slotLength = 900
	feedIn     = 80_000
	retail     = 300_000
)

// newFair opens a market as a chain's init would, unless change wants another.
func newFair(t *testing.T, change func(*initArgs)) *fair {
	t.Helper()
	f := &fair{t: t, operator: sdktest.Ed25519("operator of the market")}
	by := f.operator.Address()
	init := initArgs{Operator: &by, AutoPmaxW: 100_000}
	if change != nil {
		change(&init)
	}
	f.Chain = sdktest.New(t,
		sdktest.Contract{Dir: "../devices", Capabilities: []string{"accounts"}, Init: sdktest.JSON(
			`{"models":[{"model":"meter-1","quota":1000000000000,"scope":[{"contract":"energy","methods":["read","rollover"]}]}]}`)},
		sdktest.Contract{Dir: ".", Init: init})
	f.Open(f.operator)
	return f
}

// party opens an account, and lets money in for it.
func (f *fair) party(name string, micro int64) *sdktest.Key {
	f.t.Helper()
	key := f.Account(name)
	if micro > 0 {
		f.Call(f.operator, "energy", "credit", moneyArgs{key.Address(), micro}).OK().Emitted("credited")
	}
	return key
}

// enrol makes a key an active device of an owner.
func (f *fair) enrol(owner, device *sdktest.Key) {
	f.t.Helper()
	proof := device.Message(f.t, "ward-enrol-v1", struct {
		Chain    string
		Contract string
		Owner    sdk.Address
		Device   sdk.Address
		Nonce    []byte
	}{sdktest.ID, "devices", owner.Address(), device.Address(), make([]byte, 16)})
	f.Call(owner, "devices", "enrol", struct {
		Model string
		Key   sdk.PublicKey
		Proof []byte
	}{"meter-1", device.Public(), proof}).OK()
}

func (f *fair) suspend(owner, device *sdktest.Key) {
	f.t.Helper()
	f.Call(owner, "devices", "suspend", struct{ Device sdk.Address }{device.Address()}).OK()
}

// house is a party with a meter.
type house struct {
	*sdktest.Key
	meter *sdktest.Key
	seq   uint64
}

// house opens one whose meter passes 100 kW.
func (f *fair) house(name string, micro int64) *house {
	f.t.Helper()
	h := &house{Key: f.party(name, micro), meter: sdktest.P256(name + "'s meter")}
	f.enrol(h.Key, h.meter)
	f.Call(h.Key, "energy", "register_meter", registerArgs{Meter: h.meter.Address(), PmaxW: 100_000}).OK().Emitted("meter_registered")
	return h
}

// shows is the next reading of the house's meter.
func (h *house) shows(at sdk.Time, importWh, exportWh int64) Reading {
	h.seq++
	meter := h.meter.Address()
	return Reading{Meter: &meter, Seq: h.seq, Time: at, ImportWh: importWh, ExportWh: exportWh}
}

// read records readings by the meter of the house.
func (f *fair) read(h *house, list ...Reading) *sdktest.Receipt {
	f.t.Helper()
	return f.Call(h.meter, "energy", "read", readArgs{list})
}

// at records a reading of now.
func (f *fair) at(h *house, importWh, exportWh int64) {
	f.t.Helper()
	f.read(h, h.shows(f.market().Now, importWh, exportWh)).OK().Emitted("reading")
}

func (f *fair) order(h *house, slot sdk.Time, s string, wh, limit int64) *sdktest.Receipt {
	f.t.Helper()
	return f.Call(h.Key, "energy", "order", orderArgs{Slot: slot, Side: s, Wh: wh, Limit: limit})
}

// clear clears a slot in calls of n and returns all that was told.
func (f *fair) clear(slot sdk.Time, n uint32) (fills []filledEvent) {
	f.t.Helper()
	for range 10_000 {
		var a clearAnswer
		r := f.Call(f.operator, "energy", "clear", clearArgs{slot, n}).OK().Result(&a)
		for _, e := range r.Events {
			if e.Name == "filled" {
				var fill filledEvent
				e.Decode(&fill)
				fills = append(fills, fill)
			}
		}
		if a.Done {
			return fills
		}
	}
	f.t.Fatalf("slot %s is not cleared after 10000 calls of %d", slot, n)
	return nil
}

// settle settles all slots up to one in calls of n.
func (f *fair) settle(slot sdk.Time, n uint32) {
	f.t.Helper()
	for range 10_000 {
		var a settleAnswer
		f.Call(f.operator, "energy", "settle", settleArgs{slot, n}).OK().Result(&a)
		f.balanced()
		if a.Done {
			return
		}
	}
	f.t.Fatalf("slot %s is not settled after 10000 calls of %d", slot, n)
}

// balanced says that all accounts sum to zero.
func (f *fair) balanced() {
	f.t.Helper()
	var a totalsAnswer
	f.View("energy", "totals", totalsArgs{}).OK().Result(&a)
	if a.SumMicro != 0 || a.Next != nil {
		f.t.Fatalf("%d accounts sum to %d micro", a.Accounts, a.SumMicro)
	}
}

func (f *fair) statement(who *sdktest.Key, slot sdk.Time) Statement {
	f.t.Helper()
	var st Statement
	f.View("energy", "statement", positionArgs{who.Address(), slot}).OK().Result(&st)
	return st
}

func (f *fair) account(who *sdktest.Key) accountAnswer {
	f.t.Helper()
	var a accountAnswer
	f.View("energy", "account", partyArgs{who.Address()}).OK().Result(&a)
	return a
}

func (f *fair) slot(slot sdk.Time) slotAnswer {
	f.t.Helper()
	var a slotAnswer
	f.View("energy", "slot", slotArgs{slot}).OK().Result(&a)
	return a
}

func (f *fair) market() marketAnswer {
	f.t.Helper()
	var a marketAnswer
	f.View("energy", "market", nil).OK().Result(&a)
	return a
}

func (f *fair) energy(meter *sdktest.Key, slot sdk.Time) energyAnswer {
	f.t.Helper()
	var a energyAnswer
	f.View("energy", "energy", energyArgs{meter.Address(), slot}).OK().Result(&a)
	return a
}

func (f *fair) meter(meter *sdktest.Key) Meter {
	f.t.Helper()
	var m Meter
	f.View("energy", "meter", meterArgs{meter.Address()}).OK().Result(&m)
	return m
}

func some[T any](v T) *T { return &v }

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Errorf("%s: got %s, want %s", what, g, w)
	}
}
