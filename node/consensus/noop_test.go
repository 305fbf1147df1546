package consensus_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/wardledger/ward/node/consensus"
	"github.com/wardledger/ward/runtime/receipt"
)

// An application that does nothing tells of every transaction once, in blocks that the
// engine proves by another, and begins anew when the engine is opened again.
func TestNoop(t *testing.T) {
	const total = 300
	c := home(t)
	said := make(chan string, total)
	app := consensus.NewNoop(func(txs [][]byte) {
		for _, raw := range txs {
			said <- string(raw)
		}
	})
	e := started(t, c, app)
	var sent, got []string
	for i := range total {
		raw := fmt.Sprintf("transaction %d", i)
		sent = append(sent, raw)
		if r := submit(t, e, raw); r.Code != receipt.OK {
			t.Fatalf("%q: %+v", raw, r)
		}
	}
	deadline := time.After(patience)
	for len(got) < total {
		select {
		case raw := <-said:
			got = append(got, raw)
		case <-deadline:
			t.Fatalf("%d of %d transactions after %v", len(got), total, patience)
		}
	}
	if !slices.Equal(got, sent) {
		t.Error("the transactions came in another order than they were sent in")
	}
	if err := e.Stop(); err != nil {
		t.Fatal(err)
	}
	if app.Txs() != total || app.Height() == 0 || len(said) != 0 { // a machine that is busy puts all of them into one block
		t.Errorf("height %d, %d transactions, %d told twice", app.Height(), app.Txs(), len(said))
	}

	again := consensus.NewNoop(func([][]byte) {})
	started(t, c, again)
	if again.Txs() != total || again.Height() != app.Height() {
		t.Errorf("opened again: height %d of %d, %d transactions", again.Height(), app.Height(), again.Txs())
	}
}
