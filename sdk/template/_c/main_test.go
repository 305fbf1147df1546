package main

import (
	"flag"
	"testing"

	"github.com/wardledger/ward/sdk/sdktest"
)

var update = flag.Bool("update", false, "write testdata/gas.txt anew")

func TestTotal(t *testing.T) {
	chain := sdktest.New(t, sdktest.Contract{Dir: "c"})
	ada := chain.Account("ada")
	total := func() (n uint64) {
		t.Helper()
		chain.View("my-c", "total", nil).OK().Result(&n)
		return n
	}
	if n := total(); n != 0 {
		t.Errorf("it begins with %d", n)
	}
	for _, by := range []string{"7", "100", "70000"} {
		chain.Call(ada, "my-c", "add", sdktest.JSON(`{"by":`+by+`}`)).OK().Emitted("added")
	}
	if n := total(); n != 70107 {
		t.Errorf("it counted to %d", n)
	}
	chain.Call(ada, "my-c", "add", sdktest.JSON(`{"by":929894}`)).Failed("too_much")
	chain.GasReport("testdata/gas.txt", *update)
}

func TestRandomCalls(t *testing.T) {
	chain := sdktest.New(t, sdktest.Contract{Dir: "c"})
	chain.Explore(sdktest.Exploration{
		Contract: "my-c", As: []*sdktest.Key{chain.Account("ada")},
		Holds: func() string {
			var sum, n uint64
			for _, e := range chain.Events("added") {
				var a struct{ By, Total uint64 }
				e.Decode(&a)
				if sum += a.By; sum != a.Total {
					return "an event has another total than those before it add up to"
				}
			}
			if chain.View("my-c", "total", nil).OK().Result(&n); n != sum {
				return "the total is another than the events say"
			}
			return ""
		},
	})
}
