package runtime

import (
	"bytes"
	"context"
	"fmt"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/registry"
	"github.com/wardledger/ward/runtime/state"
)

// Block is one block in the making. It belongs to one goroutine.
type Block struct {
	runtime   *Runtime
	admission admission
	receipts  []receipt.Receipt
	events    []receipt.Event // of no transaction

	parameters abi.Parameters // as they were before
}

// Begin starts the block after the last committed one. It fails if the header does not
// follow, or if this node can't read its state.
func (r *Runtime) Begin(h Header) (*Block, error) {
	if want := r.state.Height() + 1; h.Height != want {
		return nil, fmt.Errorf("runtime: block %d begins on state of height %d", h.Height, want-1)
	}
	b := &Block{runtime: r}
	overlay := r.state.Overlay()
	if h.Height == 1 {
		if r.genesis == nil {
			return nil, fmt.Errorf("runtime: block 1 begins before InitChain")
		}

		var err error
		if overlay, err = r.genesis.take(r); err != nil {
			return nil, err
		}
		b.events = r.genesis.events
	}
	c, err := readChain(overlay)
	if err != nil {
		return nil, err
	}
	b.admission = admission{overlay: overlay, records: registry.New(overlay), chain: c, header: h}
	if b.parameters, err = b.admission.records.Parameters(); err != nil {
		return nil, err
	}
	return b, nil
}

// Apply runs one transaction and returns its receipt, whatever it says. Bytes that can't be
// admitted change nothing at all. An error means that this node is broken: the block must be given up.
func (b *Block) Apply(raw []byte) (receipt.Receipt, error) {
	// Never done: how long a contract runs is for its gas to say, the same on every node.
	return b.apply(context.Background(), raw, nil)
}

// apply is Apply with a context that ends it, for a block that is executed again to see what happened, and a trace of the
// call if there is one.
func (b *Block) apply(ctx context.Context, raw []byte, trace *host.Trace) (receipt.Receipt, error) {
	t, refused, err := b.runtime.admit(&b.admission, raw, false)
	if err != nil {
		return receipt.Receipt{}, fmt.Errorf("runtime: height %d, transaction %d: %w", b.admission.header.Height, len(b.receipts), err)
	}
	rec := receiptOf(&t)
	if refused != nil {
		rec.Code, rec.Reason = refused.code, refused.reason
	} else if err := b.run(ctx, &t, &rec, trace); err != nil {
		return receipt.Receipt{}, fmt.Errorf("runtime: height %d, transaction %s: %w", b.admission.header.Height, t.ID(), err)
	}
	b.receipts = append(b.receipts, rec)
	return rec, nil
}

// run executes an admitted transaction. What it wrote stays or goes as a whole; what it is
// charged stays: the gas used, at least half of the limit, or all of the limit as far as
// the account has given away the quota that it was charged to.
func (b *Block) run(ctx context.Context, t *admitted, rec *receipt.Receipt, trace *host.Trace) error {
	b.admission.activated = b.admission.activated || Activates(t.Signed)
	meter := gas.NewMeter(t.GasLimit)
	meter.Charge(gas.MinLimit(t.size)) // admitted: the limit holds it

	// Before it runs: the transaction may give the account's quota away, and what it is
	// charged must go along. See runtime/registry on quota.
	if err := b.admission.records.Charge(t.key.Account, t.GasLimit, b.admission.header.Time); err != nil {
		return err
	}
	mark := b.admission.overlay.Checkpoint()
	out, err := b.runtime.execute(ctx, call{
		overlay: b.admission.overlay, records: b.admission.records, chain: b.admission.chain,
		height: b.admission.header.Height, time: b.admission.header.Time,
		contract: t.Contract, method: t.Method, args: t.Args,
		sender: t.key.Account, seed: t.ID(), meter: meter, trace: trace,
	})
	if err != nil {
		return err
	}
	out.fill(rec)
	if out.Code != receipt.OK {
		b.admission.overlay.Revert(mark)
	}
	rec.GasUsed = meter.Used()
	return b.admission.records.Refund(t.key.Account, t.GasLimit-max(rec.GasUsed, t.GasLimit/2))
}

// Seal ends the block and returns its stage: the new root is known, the disk is
// untouched. The Block must not be used afterwards. Seal fails only if the state can't be
// read; a block full of refused transactions seals normally.
func (b *Block) Seal() (*Stage, error) {
	height := b.admission.header.Height
	updates, events, err := handOver(b.admission.records, height)
	if err != nil {
		return nil, fmt.Errorf("runtime: seal height %d: %w", height, err)
	}
	now, err := b.admission.records.Parameters()
	if err == nil && !bytes.Equal(now.Encode(), b.parameters.Encode()) {
		events = append(events, parametersEvent(now))
	}
	if err == nil && len(events) > 0 {
		b.events = append(b.events, events...)
		err = writeEventsRoot(b.admission.overlay, height, b.events)
	}
	if err != nil {
		return nil, fmt.Errorf("runtime: seal height %d: %w", height, err)
	}
	stage, err := b.admission.overlay.Stage(height)
	if err != nil {
		return nil, fmt.Errorf("runtime: seal height %d: %w", height, err)
	}
	return &Stage{
		Header: b.admission.header, Root: stage.Root(), Receipts: b.receipts, Events: b.events, Updates: updates,
		runtime: b.runtime, stage: stage,
	}, nil
}

// Stage is a block that has been executed and has not yet happened.
type Stage struct {
	Header   Header
	Root     []byte
	Receipts []receipt.Receipt // one for each transaction, in order
	Events   []receipt.Event   // those of no transaction; their cursor's Tx is len(Receipts)
	// Updates change the engine's authorities two heights later: at most one for each key, no
	// removal of one that is none, never all of them. They are in the order of the keys.
	Updates []AuthorityUpdate

	runtime *Runtime
	stage   *state.Stage
}

// Commit makes the block true: one atomic write. It may be repeated after a crash, when
// the same block was executed again.
func (s *Stage) Commit() error {
	if err := s.stage.Commit(); err != nil {
		return fmt.Errorf("runtime: commit height %d: %w", s.Header.Height, err)
	}
	s.runtime.genesis = nil
	return nil
}
