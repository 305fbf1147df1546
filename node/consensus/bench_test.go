package consensus_test

import (
	"fmt"
	"testing"
)

// BenchmarkEngine is the way of one transaction through the engine and an application that
// does nothing: the floor of what a commit can cost. Most of it are some two dozen syncs
// of the disk, half of them for the empty block that proves the one before.
func BenchmarkEngine(b *testing.B) {
	app := newCounter()
	e := started(b, home(b), app)
	n := uint64(0)
	for b.Loop() {
		n++
		submit(b, e, fmt.Sprintf("transaction %d", n))
		app.until(b, func(_ int64, txs uint64) bool { return txs >= n })
	}
}
