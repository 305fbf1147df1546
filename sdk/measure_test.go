package sdk_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/sdktest"
)

type what struct {
	What string
	N    uint32
}

// times is how often each thing is done for a figure; a transaction has gas for so many writes.
const times = 500

// measured is the gas and the time that doing a thing once takes, without what is around it.
func measured(t testing.TB, chain *sdktest.Chain, me *sdktest.Key, name string, write bool) (gas int64, each time.Duration) {
	t.Helper()
	best := func(n uint32) time.Duration {
		least := time.Hour
		for range 20 {
			var used int64
			began := time.Now()
			if write {
				chain.Call(me, "measured", "write", what{name, n}).OK().Result(&used)
			} else {
				chain.View("measured", "read", what{name, n}).OK().Result(&used)
			}
			least = min(least, time.Since(began))
			gas = used
		}
		return least
	}
	around := best(0)
	all := best(times)
	return gas / times, (all - around) / times
}

// TestMeasured prints the table of README.md, and fails if a typed read or write takes more than twice the gas of what the
// host asks for the bytes.
//
//	go test ./sdk -run TestMeasured -v
func TestMeasured(t *testing.T) {
	chain := sdktest.New(t, sdktest.Contract{Dir: filepath.Join("testdata", "measured")})
	chain.GasLimit = 100_000_000
	me := chain.Account("somebody")
	type figure struct {
		gas  int64
		each time.Duration
	}
	figures := map[string]figure{}
	for _, c := range []struct {
		name  string
		write bool
	}{
		{"nothing", false}, {"raw set number", true}, {"map set number", true}, {"raw get number", false}, {"map get number", false},
		{"raw set reading", true}, {"map set reading", true}, {"raw get reading", false}, {"map get reading", false},
		{"encode ten", false}, {"decode ten", false},
	} {
		gas, each := measured(t, chain, me, c.name, c.write)
		figures[c.name] = figure{gas, each}
		t.Logf("%-16s %7d gas  %6.2f µs", c.name, gas, float64(each)/float64(time.Microsecond))
	}
	for _, name := range []string{"set number", "get number", "set reading", "get reading"} {
		typed, raw := figures["map "+name], figures["raw "+name]
		t.Logf("%-12s %.2f x the gas, %.2f x the time", name, float64(typed.gas)/float64(raw.gas), float64(typed.each)/float64(raw.each))
		if typed.gas > 2*raw.gas {
			t.Errorf("%s: %d gas typed, %d by the host's own function", name, typed.gas, raw.gas)
		}
	}
	_ = sdk.None{}
}
