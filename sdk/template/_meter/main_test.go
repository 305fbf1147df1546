package main

import (
	"flag"
	"fmt"
	"testing"

	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/sdktest"
)

var update = flag.Bool("update", false, "write testdata/gas.txt anew")

// start has a meter with an allowance of a kilowatt-hour.
func start(t *testing.T) (chain *sdktest.Chain, operator, meter *sdktest.Key) {
	operator, meter = sdktest.Ed25519("operator of meters"), sdktest.P256("meter")
	chain = sdktest.New(t, sdktest.Contract{Dir: ".", Admin: operator})
	chain.Open(operator, meter)
	chain.Call(operator, "my-meter", "install", Meter{meter.Address(), 1000}).OK()
	return chain, operator, meter
}

func TestReadings(t *testing.T) {
	chain, _, meter := start(t)
	chain.Call(meter, "my-meter", "read", Reading{900}).OK().Emitted("counted")
	chain.Call(meter, "my-meter", "read", Reading{899}).Failed("backwards").Because("it showed 900")
	chain.Call(meter, "my-meter", "read", Reading{1001}).OK().Emitted("counted", "exceeded")

	// A new month counts from what was shown last.
	chain.Advance(month)
	chain.Call(meter, "my-meter", "read", Reading{2001}).OK().Emitted("counted")

	var s State
	chain.View("my-meter", "meter", Which{meter.Address()}).OK().Result(&s)
	if s.Register != 2001 || s.AtMonth != 1001 || s.Read != chain.Now() {
		t.Errorf("%+v", s)
	}
}

func TestWhoMay(t *testing.T) {
	chain, operator, meter := start(t)
	chain.Call(meter, "my-meter", "install", Meter{meter.Address(), 1 << 40}).Failed("not_operator")
	chain.Call(operator, "my-meter", "read", Reading{1}).Failed("unknown_meter")
	chain.View("my-meter", "meter", Which{operator.Address()}).Failed("unknown_meter")
}

// Whatever anybody calls, no register goes back.
func TestRandomCalls(t *testing.T) {
	chain, operator, meter := start(t)
	other := chain.Account("other meter")
	chain.Explore(sdktest.Exploration{
		Contract: "my-meter",
		As:       []*sdktest.Key{operator, meter, other},
		Holds: func() string {
			last := map[sdk.Address]uint64{}
			for _, e := range chain.Events("counted") {
				var r Counted
				if e.Decode(&r); r.WattHours < last[r.Key] {
					return fmt.Sprintf("%s went back from %d to %d", r.Key, last[r.Key], r.WattHours)
				}
				last[r.Key] = r.WattHours
			}
			return ""
		},
	})
}

func TestGas(t *testing.T) {
	chain, _, meter := start(t)
	chain.Call(meter, "my-meter", "read", Reading{1}).OK()
	chain.View("my-meter", "meter", Which{meter.Address()}).OK()
	chain.GasReport("testdata/gas.txt", *update)
}
