package runtime

import (
	"context"
	"fmt"

	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/registry"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/tx"
)

// A Trial is a call that is tried out, as if a transaction made it in the block after Height.
type Trial struct {
	Query
	// Size is how many bytes the transaction would have, which it pays for. 0 for what is usual: a sequence of two bytes, and
	// no last valid height. A byte more or less is 20 gas.
	Size int
	// Seed is what the contract's randomness comes from: of a transaction its id. Nobody knows that of one to come.
	Seed [32]byte
}

// Traced is what became of a call, and how.
type Traced struct {
	Header    // of the block in which it ran, or would
	Receipt   receipt.Receipt
	Admission uint64      // gas of Receipt.GasUsed that was taken before the call began
	Trace     *host.Trace // nil if the transaction was not admitted
}

// Simulate makes a call on a committed height that leaves nothing behind, and says what a transaction would have come to:
// the same engine, the same gas. It does not ask whether the sender may: key, scope and quota are a transaction's matter. What makes code ready, a deployment
// or an upgrade, is refused.
// Errors and ctx are as in [Runtime.View].
func (r *Runtime) Simulate(ctx context.Context, t Trial) (Traced, error) {
	snapshot, err := r.state.At(t.Height)
	if err != nil {
		return Traced{}, err
	}
	defer snapshot.Close()
	overlay := snapshot.Overlay()
	c, err := readChain(overlay)
	if err != nil {
		return Traced{}, err
	}
	limit := t.GasLimit
	if limit == 0 || limit > gas.MaxLimit {
		limit = gas.MaxLimit
	}
	size := t.Size
	if size == 0 {
		size = usualSize(c.ID, t.Contract, t.Method, limit, t.Args)
	}
	rec := receipt.Receipt{GasLimit: limit, Contract: t.Contract, Method: t.Method, Sender: t.Sender}
	out := Traced{Header: Header{Height: snapshot.Height() + 1, Time: t.Time}, Admission: gas.MinLimit(size)}
	if activates(t.Contract, t.Method) {
		// Nobody's signature is asked for, so anybody could have the node compile whatever they like.
		rec.Code, rec.Reason = receipt.NotPermitted, t.Method+" is not simulated: building a contract vets it, and sdktest runs it in the same engine"
		out.Receipt, out.Admission = rec, 0
		return out, nil
	}
	meter := gas.NewMeter(limit)
	if !meter.Charge(out.Admission) {
		rec.Code, rec.Reason = receipt.GasLimit, fmt.Sprintf("gas limit is %d, a transaction of %d bytes needs %d", limit, size, out.Admission)
		out.Receipt, out.Admission = rec, 0
		return out, nil
	}
	out.Trace = new(host.Trace)
	result, err := r.execute(ctx, call{
		overlay: overlay, records: registry.New(overlay), chain: c,
		height: out.Height, time: out.Time,
		contract: t.Contract, method: t.Method, args: t.Args, sender: t.Sender,
		seed: t.Seed, meter: meter, trace: out.Trace,
	})
	if err != nil {
		return Traced{}, err
	}
	result.fill(&rec)
	rec.GasUsed = meter.Used()
	out.Receipt = rec
	return out, nil
}

// usualSize is about the size of a signed transaction.
func usualSize(chain, contract, method string, limit uint64, args []byte) int {
	t := tx.Tx{Chain: chain, Sequence: usualSequence, GasLimit: limit, Contract: contract, Method: method, Args: args}
	return len(t.Payload()) + envelopeSize
}

const (
	usualSequence = 1000
	// envelopeSize is what the signature and its headers add to a payload of less than 256 bytes; to a larger one it is one
	// byte more, or three.
	envelopeSize = 98
)

// TraceTx executes the first transactions of a committed block again, on the state before it, and tells how it went with
// the last of them. Nothing is kept. The error is a *[state.PrunedError] if that state is not kept any more, ctx's if
// that ended first, or that this node is broken.
func (r *Runtime) TraceTx(ctx context.Context, h Header, first [][]byte) (Traced, error) {
	if h.Height <= 1 {
		// What genesis wrote lies in no height of its own.
		return Traced{}, &state.PrunedError{Height: 0, Earliest: max(1, r.state.Earliest()), Latest: r.state.Height()}
	}
	snapshot, err := r.state.At(h.Height - 1)
	if err != nil {
		return Traced{}, err
	}
	defer snapshot.Close()
	overlay := snapshot.Overlay()
	c, err := readChain(overlay)
	if err != nil {
		return Traced{}, err
	}
	b := &Block{runtime: r, admission: admission{overlay: overlay, records: registry.New(overlay), chain: c, header: h}}
	out := Traced{Header: h}
	for i, raw := range first {
		if err := context.Cause(ctx); err != nil {
			return Traced{}, err
		}
		if i == len(first)-1 {
			out.Trace = new(host.Trace)
		}
		if out.Receipt, err = b.apply(ctx, raw, out.Trace); err != nil {
			return Traced{}, err
		}
	}
	if !out.Receipt.Code.Executed() {
		out.Trace = nil
	} else {
		out.Admission = out.Receipt.GasUsed - out.Trace.Gas.Used
	}
	return out, nil
}
