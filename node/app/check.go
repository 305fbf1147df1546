package app

import (
	"context"
	"fmt"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
)

// reserved is the part of the pool, one in this many, that only priority transactions
// may use: a flood of device messages must not keep the operator from acting.
const reserved = 5

// CheckTx answers whether a transaction may wait for a block. A refusal is a code with its
// reason; the ABCI error stays nil, because the engine would end the process for it.
// Data is the transaction's id.
func (a *App) CheckTx(_ context.Context, r *abci.RequestCheckTx) (*abci.ResponseCheckTx, error) {
	rec := a.check(r.Tx, r.Type == abci.CheckTxType_Recheck)
	return &abci.ResponseCheckTx{
		Code: uint32(rec.Code), Log: rec.Reason, Data: rec.TxID[:],
		// GasWanted stays 0: the engine would hide from PrepareProposal everything behind the
		// first transaction that a block's gas has no room for, priority ones too.
	}, nil
}

func (a *App) check(raw []byte, again bool) receipt.Receipt {
	if a.Err() != nil {
		return receipt.Receipt{Code: receipt.Busy, Reason: "this node is stopping"}
	}
	var signed *tx.Signed // of one that is new
	if !again {
		var err error
		if signed, err = tx.Decode(raw); err != nil {
			return receipt.Receipt{Code: tx.CodeOf(err), Reason: err.Error()}
		}
		// Room first: what the pool has admitted takes its replay slot there, and would be
		// refused as a replay when it comes again because the mempool had no room for it.
		if refused, ok := a.room(signed, len(raw)); !ok {
			return refused
		}
		if err := a.wakePool(); err != nil {
			a.fail(err)
			return receipt.Receipt{Code: receipt.Busy, Reason: "this node is stopping"}
		}
	}
	rec, err := a.pool.Check(raw, again)
	if err != nil {
		a.fail(err)
		return receipt.Receipt{Code: receipt.Busy, Reason: "this node is stopping"}
	}
	if !again && rec.Code == receipt.OK {
		a.giveHeadStart(signed, len(raw))
	}
	return rec
}

// room reports whether there is room for a transaction to wait, and otherwise with what receipt it
// is turned away.
func (a *App) room(signed *tx.Signed, size int) (receipt.Receipt, bool) {
	maxTxs, maxBytes := a.config.PoolTxs, a.config.PoolBytes
	if runtime.LaneOf(signed.Contract) != runtime.LanePriority {
		maxTxs -= maxTxs / reserved
		maxBytes -= maxBytes / reserved
	}
	txs, bytes := a.waiting()
	if txs+1 > maxTxs || bytes+int64(size) > maxBytes {
		return receipt.Receipt{
			TxID: signed.ID(), Code: receipt.Busy,
			Reason: fmt.Sprintf("%d transactions of %d bytes wait already, there is room for %d of %d bytes", txs, bytes, maxTxs, maxBytes),
		}, false
	}
	return receipt.Receipt{}, true
}

// maxPoolAge is how old the pool's idea of the time may be while nothing waits.
const maxPoolAge = time.Second

// wakePool gives the pool the present time when nothing has happened for a while. On a
// quiet chain the last block may be a minute old; quotas have filled up again since, and
// keys have expired. It is not needed while transactions wait, for then blocks are made.
func (a *App) wakePool() error {
	if a.config.Clock().Sub(a.began)-time.Duration(a.poolTime.Load()) < maxPoolAge {
		return nil
	}
	if txs, _ := a.waiting(); txs > 0 {
		return nil
	}
	return a.resetPool()
}

// resetPool puts the pool on the last committed height, at the time that the next block
// will have if its proposer's clock agrees with ours.
func (a *App) resetPool() error {
	now := a.config.Clock()
	last := a.last.Load()
	header := runtime.Header{Height: last.height, Time: max(last.time, now.Unix())}
	if err := a.pool.Reset(header); err != nil {
		return err
	}
	a.poolTime.Store(int64(now.Sub(a.began)))
	return nil
}
