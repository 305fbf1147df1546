package consensus

import (
	"context"
	"encoding/binary"
	"sync/atomic"

	abci "github.com/cometbft/cometbft/abci/types"
)

// Noop is an application that accepts every transaction and does nothing with it: what is
// left is the engine, which a benchmark can hold the whole node against. Its state is how
// many transactions there were, so that the engine proves a block with transactions by
// another one, as it does for an application that keeps something.
//
// It lives in memory: an engine that is opened again on the same files starts it anew
// and gives it every block once more.
type Noop struct {
	abci.BaseApplication

	committed func(txs [][]byte)

	height atomic.Int64
	txs    atomic.Uint64
	block  [][]byte // executed, not yet committed; consensus alone touches it
	next   uint64   // txs after block
}

var _ abci.Application = (*Noop)(nil)

// NewNoop returns an application that calls committed with the transactions of each block
// that has any, when it is committed and before the next is begun. The slices must
// not be changed, and committed must not call the engine.
func NewNoop(committed func(txs [][]byte)) *Noop { return &Noop{committed: committed} }

// Height is how many blocks were committed.
func (n *Noop) Height() uint64 { return uint64(n.height.Load()) }

// Txs is how many transactions they held.
func (n *Noop) Txs() uint64 { return n.txs.Load() }

// Info implements abci.Application.
func (n *Noop) Info(context.Context, *abci.RequestInfo) (*abci.ResponseInfo, error) {
	return &abci.ResponseInfo{LastBlockHeight: n.height.Load(), LastBlockAppHash: noopHash(n.txs.Load())}, nil
}

// InitChain implements abci.Application.
func (n *Noop) InitChain(context.Context, *abci.RequestInitChain) (*abci.ResponseInitChain, error) {
	return &abci.ResponseInitChain{AppHash: noopHash(0)}, nil
}

// FinalizeBlock implements abci.Application.
func (n *Noop) FinalizeBlock(_ context.Context, r *abci.RequestFinalizeBlock) (*abci.ResponseFinalizeBlock, error) {
	n.block, n.next = r.Txs, n.txs.Load()+uint64(len(r.Txs))
	results := make([]*abci.ExecTxResult, len(r.Txs))
	for i := range results {
		results[i] = &abci.ExecTxResult{}
	}
	return &abci.ResponseFinalizeBlock{TxResults: results, AppHash: noopHash(n.next)}, nil
}

// Commit implements abci.Application.
func (n *Noop) Commit(context.Context, *abci.RequestCommit) (*abci.ResponseCommit, error) {
	n.txs.Store(n.next)
	n.height.Add(1)
	if len(n.block) > 0 {
		n.committed(n.block)
	}
	n.block = nil
	return &abci.ResponseCommit{}, nil
}

func noopHash(txs uint64) []byte { return binary.BigEndian.AppendUint64(nil, txs) }
