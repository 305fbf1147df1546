package app_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/runtime/vm/wasmtest"
)

// deploying is key n's deployment of a contract that exports what is named.
func deploying(t testing.TB, n byte, sequence uint64, export string) []byte {
	m := wasmtest.New()
	m.Export(export)
	args := cbor.AppendBytes(cbor.AppendText(cbor.AppendMap(nil, 2), "code"), m.Bytes())
	args = cbor.AppendText(cbor.AppendText(args, "name"), "quiet")
	return signed(t, n, func(x *tx.Tx) {
		x.Contract, x.Method, x.Args, x.Sequence, x.GasLimit = "code", "deploy", args, sequence, tx.MaxGas/4
	})
}

// A deployment that may wait for its block is made ready while it waits, once, and only if its sender may deploy.
// The block comes to the same result as without.
func TestHeadStart(t *testing.T) {
	h := newHarness(t)
	type line struct{ Msg, Tx, Error string }
	ready := make(chan line, 16)
	r, w := io.Pipe()
	h.logger = slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
	go func() {
		defer close(ready)
		for d := json.NewDecoder(r); ; {
			var l line
			if d.Decode(&l) != nil {
				return
			}
			if l.Msg == "made the code of a contract ready ahead" {
				ready <- l
			}
		}
	}()
	h.open()

	foreign, junk, good := deploying(t, 2, 1, abi.ExportCall), deploying(t, 1, 1, "nothing"), deploying(t, 1, 2, abi.ExportCall)
	unsigned := append([]byte{}, good...)
	unsigned[len(unsigned)-1] ^= 1
	if c := h.check(unsigned, abci.CheckTxType_New).Code; c != uint32(receipt.BadSignature) {
		t.Fatalf("an unsigned one: %s", receipt.Code(c).Name())
	}
	for _, raw := range [][]byte{foreign, numbered(t, 1, 1), junk, good} {
		if c := h.check(raw, abci.CheckTxType_New); c.Code != 0 {
			t.Fatalf("%s: %s", receipt.Code(c.Code).Name(), c.Log)
		}
	}
	for _, want := range []struct {
		raw   []byte
		fails bool
	}{{junk, true}, {good, false}} {
		x, err := tx.Decode(want.raw)
		if err != nil {
			t.Fatal(err)
		}
		if l := <-ready; l.Tx != x.ID().String() || (l.Error != "") != want.fails {
			t.Errorf("%+v; want transaction %s, with an error: %v", l, x.ID(), want.fails)
		}
	}
	h.check(good, abci.CheckTxType_Recheck)
	res := h.block(good)
	h.app.Close()
	h.app.Close()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for l := range ready {
		t.Errorf("made ready again: %+v", l)
	}

	cold := &harness{t: t, disk: state.NewMemory(), events: state.NewMemory(), now: h.now, genesis: h.genesis}
	cold.open()
	cold.init()
	cold.block()
	if other := cold.block(good); res.TxResults[0].Code != 0 || other.TxResults[0].GasUsed != res.TxResults[0].GasUsed || string(other.AppHash) != string(res.AppHash) {
		t.Errorf("with a head start %+v, without %+v", res, other)
	}
}

// Who sends more deployments than find room for a head start loses nothing by it, and a node that is closed meanwhile ends.
func TestHeadStartIsBounded(t *testing.T) {
	h := newHarness(t)
	for n := range uint64(50) {
		if c := h.check(deploying(t, 1, n+1, abi.ExportCall), abci.CheckTxType_New); c.Code != 0 {
			t.Fatalf("%s: %s", receipt.Code(c.Code).Name(), c.Log)
		}
	}
	h.app.Close()
	if c := h.check(deploying(t, 1, 51, abi.ExportCall), abci.CheckTxType_New); c.Code != uint32(receipt.Busy) {
		t.Errorf("after the end: %s", receipt.Code(c.Code).Name())
	}
}

// FinalizeBlock itself refuses the second deployment of a block, whoever let it pass.
func TestOneActivation(t *testing.T) {
	h := newHarness(t)
	one, two := deploying(t, 1, 1, abi.ExportCall), deploying(t, 1, 2, abi.ExportCall)
	r := h.block(one, two)
	if r.TxResults[0].Code != 0 || r.TxResults[1].Code != uint32(receipt.OneActivation) || r.TxResults[1].GasUsed != 0 {
		t.Errorf("results %+v", r.TxResults)
	}
	if c := h.check(two, abci.CheckTxType_Recheck); c.Code != 0 {
		t.Errorf("the second may not wait for the next block: %s: %s", receipt.Code(c.Code).Name(), c.Log)
	}
	view, _, err := h.runtime.View(context.Background(), runtime.Query{Contract: "quiet", Method: "any", Args: []byte{0xa0}})
	if err != nil || view.Code != receipt.OK {
		t.Errorf("the first is not there: %+v, %v", view, err)
	}
}

// Anybody can send a name that is longer than a row's key: the node goes on, and the block refuses it.
func TestHeadStartOfNoName(t *testing.T) {
	h := newHarness(t)
	args := cbor.AppendBytes(cbor.AppendText(cbor.AppendMap(nil, 2), "code"), nil)
	args = cbor.AppendText(cbor.AppendText(args, "name"), strings.Repeat("a", state.MaxKey+1))
	for i, method := range []string{"deploy", "upgrade"} {
		raw := signed(t, 2, func(x *tx.Tx) {
			x.Contract, x.Method, x.Args, x.Sequence, x.GasLimit = "code", method, args, uint64(i+1), tx.MaxGas
		})
		if c := h.check(raw, abci.CheckTxType_New); c.Code != 0 {
			t.Fatalf("%s: %s", receipt.Code(c.Code).Name(), c.Log)
		}
		if got := h.prepare(1<<20, h.now, raw); len(got) != 1 {
			t.Errorf("%s: %d transactions are proposed, want 1", method, len(got))
		}
		if r := h.block(raw); r.TxResults[0].Code != uint32(receipt.BadArguments) {
			t.Errorf("%s: %+v", method, r.TxResults[0])
		}
	}
	if err := h.app.Err(); err != nil {
		t.Error(err)
	}
}
