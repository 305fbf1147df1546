package runtime_test

import (
	"testing"

	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/vm"
)

// BenchmarkInnerCall is a transaction whose contract calls another (inner), beside two
// transactions that call one each (two): what the way between contracts takes is the difference.
// The contracts are small, so the engine's part is not what is seen.
func BenchmarkInnerCall(b *testing.B) {
	setup := func(b *testing.B) *testChain {
		c := chainOf(b, vm.Options{}, func(g *runtime.Genesis) {
			g.Contracts = append(g.Contracts, runtime.GenesisContract{Name: "to-good", Code: relay("good", receipt.OK)})
		})
		c.block()
		return c
	}
	apply := func(b *testing.B, contracts ...string) {
		c := setup(b)
		const each = 100 // transactions in a block, fewer than a replay window
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			var raws [][]byte
			for range each {
				for _, contract := range contracts {
					raws = append(raws, c.sign(alice, contract, "put", arguments(7)))
				}
			}
			b.StartTimer()
			for _, r := range c.block(raws...) {
				expect(b, r, receipt.OK)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/each, "ns/call")
	}
	b.Run("inner", func(b *testing.B) { apply(b, "to-good") })
	b.Run("two", func(b *testing.B) { apply(b, "good", "good") })
	b.Run("one", func(b *testing.B) { apply(b, "good") })
}
