package sdk_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wardledger/ward/sdk/sdktest"
)

type what struct {
	What string
	N    uint32
}

// times is how often each thing is done for a figure, with another row each time; a transaction has gas for so many writes.
const times = 500

// A figure is what doing a thing once takes.
type figure struct {
	gas  int64
	each time.Duration // of a write with its share of the block: it is hashed into the tree and committed, to memory
}

// measured does something often and not at all, and returns the difference for one.
func measured(t testing.TB, chain *sdktest.Chain, me *sdktest.Key, name string) (f figure) {
	t.Helper()
	best := func(n uint32) time.Duration {
		least := time.Hour
		for range 10 {
			var used int64
			began := time.Now()
			if strings.Contains(name, "set") {
				chain.Call(me, "measured", "write", what{name, n}).OK().Result(&used)
			} else {
				chain.View("measured", "read", what{name, n}).OK().Result(&used)
			}
			least = min(least, time.Since(began))
			f.gas = used / times
		}
		return least
	}
	around := best(0)
	f.each = (best(times) - around) / times
	return f
}

// TestMeasured prints the table of README.md, and fails if a typed read or write takes more than twice the gas of the host's own function.
//
//	go test ./sdk -run TestMeasured -v
func TestMeasured(t *testing.T) {
	chain := sdktest.New(t, sdktest.Contract{Dir: filepath.Join("testdata", "measured")})
	chain.GasLimit = 100_000_000
	me := chain.Account("somebody")
	micro := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
	for _, c := range []struct{ what, row string }{
		{"set", "number"}, {"get", "number"}, {"set", "reading"}, {"get", "reading"}, // rows are written before they are read
	} {
		raw := measured(t, chain, me, "raw "+c.what+" "+c.row)
		typed := measured(t, chain, me, "map "+c.what+" "+c.row)
		ratio := float64(typed.gas) / float64(raw.gas)
		t.Logf("Map.%s of a %-8s %6d gas %6.2f µs   host's own %6d gas %6.2f µs   %.2f x the gas, %.2f x the time",
			c.what, c.row, typed.gas, micro(typed.each), raw.gas, micro(raw.each), ratio, micro(typed.each)/micro(raw.each))
		page(t, "`Map."+strings.ToUpper(c.what[:1])+c.what[1:]+"` of a "+c.row, typed.gas, raw.gas)
		if ratio > 2 {
			t.Errorf("%s of a %s takes %.2f times the gas of the host's own function, limit 2", c.what, c.row, ratio)
		}
	}
	for _, name := range []string{"decode ten", "encode ten"} {
		f := measured(t, chain, me, name)
		t.Logf("%s fields %6d gas %6.2f µs", name, f.gas, micro(f.each))
		page(t, map[string]string{"decode ten": "to decode an argument of ten fields", "encode ten": "to encode it"}[name], f.gas)
		if f.gas > 15_000 {
			t.Errorf("%s fields takes %d gas, limit 15000", name, f.gas)
		}
	}
}

// page holds gas against the row of README.md's table that begins with some words: within a hundredth, which is what a toolchain may change.
func page(t *testing.T, words string, gas ...int64) {
	t.Helper()
	content, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, row, found := strings.Cut(string(content), "\n| "+words+" | ")
	if !found {
		t.Fatalf("README.md has no row %s", words)
	}
	cells := strings.Split(row, " | ")
	for i, n := range gas {
		said, err := strconv.ParseInt(strings.ReplaceAll(cells[i], ",", ""), 10, 64)
		if err != nil || max(said-n, n-said)*100 > n {
			t.Errorf("README.md says that %s takes %s gas, it is %d: correct it", words, cells[i], n)
		}
	}
}
