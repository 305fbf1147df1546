package app

import (
	"context"
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/types"

	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/tx"
)

// PrepareProposal chooses what goes into this node's proposal: nothing, when the clock
// must catch up first; otherwise one activation of code, then priority transactions, then the others, each in their
// order of arrival, as far as bytes and gas go. What does not fit is passed over, so
// that one large transaction does not hold up the small ones behind it; it stays first in
// the queue and is first in the next block. So do the other activations.
func (a *App) PrepareProposal(_ context.Context, r *abci.RequestPrepareProposal) (*abci.ResponsePrepareProposal, error) {
	empty := &abci.ResponsePrepareProposal{}
	if a.Err() != nil || len(r.Txs) == 0 {
		return empty, nil
	}
	now := a.config.Clock()
	if a.clock.behind(now, r.Time) {
		a.config.Logger.Debug("proposing an empty block first, for the clock", "height", r.Height, "lag", now.Sub(r.Time), "waiting", len(r.Txs))
		return empty, nil
	}
	if lag := now.Sub(r.Time); lag > MaxLag {
		// An empty block has just gone by and the time is still behind ours: then it is our
		// clock, or the network is slow.
		a.config.Logger.Warn("this node's clock is ahead of the chain's", "height", r.Height, "ahead", lag)
	}
	s := selection{bytes: r.MaxTxBytes, gas: a.blockGas()}
	var activations, priority, ordinary []offer
	for _, raw := range r.Txs {
		signed, err := tx.Decode(raw)
		if err != nil {
			// BUG elsewhere, but not worth the block: CheckTx lets no such bytes in.
			a.config.Logger.Error("the mempool holds what is no transaction", "error", err, "bytes", len(raw))
			continue
		}
		o := offer{raw, signed}
		switch {
		case runtime.Activates(signed):
			activations = append(activations, o)
		case runtime.LaneOf(signed.Contract) == runtime.LanePriority:
			priority = append(priority, o)
		default:
			ordinary = append(ordinary, o)
		}
	}
	taken := a.takeActivation(&s, activations, a.mayActivate)
	for _, o := range priority {
		s.take(o)
	}
	for _, o := range ordinary {
		s.take(o)
	}
	if !taken {
		// It will be refused, but whoever sent it shall hear of it.
		a.takeActivation(&s, activations, func(*tx.Signed) bool { return true })
	}
	return &abci.ResponsePrepareProposal{Txs: s.txs}, nil
}

// takeActivation takes the first activation that fits of those who may, before anything else; of others one is taken last, so that they
// keep nobody from anything.
func (a *App) takeActivation(s *selection, offers []offer, may func(*tx.Signed) bool) bool {
	for _, o := range offers {
		if may(o.signed) && s.take(o) {
			return true
		}
	}
	return false
}

// offer is a transaction that could go into a block.
type offer struct {
	raw    []byte
	signed *tx.Signed
}

// selection is a block's transactions and the room that is left.
type selection struct {
	txs   [][]byte
	bytes int64
	gas   uint64
}

// take adds a transaction and reports whether there was room for it.
func (s *selection) take(o offer) bool {
	size := types.ComputeProtoSizeForTxs(types.Txs{o.raw}) // as the engine counts, with framing
	if size > s.bytes || o.signed.GasLimit > s.gas {
		return false
	}
	s.bytes -= size
	s.gas -= o.signed.GasLimit
	s.txs = append(s.txs, o.raw)
	return true
}

func (a *App) blockGas() uint64 { return a.config.Genesis.Params.WithDefaults().BlockGas }

// ProcessProposal looks whether a proposed block is possible at all. It sees nothing but
// the bytes, so that every node answers alike and an answer never changes: the engine asks
// again when it replays a vote after a crash.
func (a *App) ProcessProposal(_ context.Context, r *abci.RequestProcessProposal) (*abci.ResponseProcessProposal, error) {
	if err := a.possible(r.Txs); err != nil {
		a.config.Logger.Warn("refused a proposed block", "height", r.Height, "proposer", fmt.Sprintf("%X", r.ProposerAddress), "error", err)
		return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_REJECT}, nil
	}
	return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_ACCEPT}, nil
}

func (a *App) possible(txs [][]byte) error {
	room := a.blockGas()
	activates := false
	bytes := a.config.Genesis.Params.WithDefaults().BlockBytes
	for i, raw := range txs {
		if uint64(len(raw)) > bytes {
			return fmt.Errorf("transaction %d: the block is over %d bytes", i, a.config.Genesis.Params.WithDefaults().BlockBytes)
		}
		bytes -= uint64(len(raw))
		signed, err := tx.Decode(raw)
		if err != nil {
			return fmt.Errorf("transaction %d: %w", i, err)
		}
		if signed.Chain != a.config.Genesis.Chain {
			return fmt.Errorf("transaction %d: signed for chain %q", i, signed.Chain)
		}
		if signed.GasLimit > room {
			return fmt.Errorf("transaction %d: the block's gas limits exceed %d", i, a.blockGas())
		}
		room -= signed.GasLimit
		if runtime.Activates(signed) {
			if activates {
				return fmt.Errorf("transaction %d: the block makes the code of a contract ready already", i)
			}
			activates = true
		}
	}
	return nil
}
