package site

import (
	"time"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/sdk/wire"
)

// energy is the contract with the market.
const energy = "energy"

// The market of the site: a quarter hour of it, the usual slot.
const (
	slotSeconds = 900
	// gateSeconds before a slot its orders are in: enough that it is cleared when it begins.
	gateSeconds = 600
	// settleAfter its end a slot can be settled, in seconds. The keeper waits for a reading that was lost.
	settleAfter = 300
	// feedIn and retail are what the grid pays and takes, in micro of a euro per kWh: what a small
	// roof gets in Germany in 2026, and a usual tariff.
	feedIn = 78_000
	retail = 350_000
)

const (
	// DefaultSpeed is how fast market time passes: a quarter hour in three seconds, a day in
	// less than five minutes.
	DefaultSpeed = 300
	// MaxSpeed leaves a slot one and a half seconds: the times of blocks are whole seconds, and each
	// slot needs a few blocks.
	MaxSpeed = 600
)

// Start is when market time begins: eleven o'clock of a summer day on the site, so that the
// sun shines.
var Start = time.Date(2026, time.June, 22, 9, 0, 0, 0, time.UTC)

// marketInit are the arguments with which the contract energy begins; see its README.
type marketInit struct {
	Operator    *address.Address
	SlotSeconds int64
	GateSeconds int64
	FeedIn      int64
	Retail      int64
	SettleAfter int64
	AutoPmaxW   int64
	Speed       int64
	Start       int64
}

// MarketInit are the arguments with which the contract energy begins on a chain that has the
// site, in canonical CBOR.
func MarketInit(operator address.Address, speed int64) ([]byte, error) {
	return wire.Marshal(marketInit{
		Operator: &operator, SlotSeconds: slotSeconds, GateSeconds: gateSeconds, FeedIn: feedIn, Retail: retail,
		SettleAfter: settleAfter, AutoPmaxW: 30_000, Speed: speed, Start: Start.Unix(),
	})
}

// MarketSpeed is the speed in what MarketInit gave.
func MarketSpeed(init []byte) (int64, error) {
	var m marketInit
	err := wire.Unmarshal(init, &m)
	return m.Speed, err
}
