package runtime

import (
	"fmt"
	"sync"

	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/registry"
)

// Pool answers for transactions that wait for a block: each is admitted on the committed
// state plus what the pool admitted before it, so that twins, jumps and an overdrawn quota
// are refused on arrival. Nothing of a pool is ever committed. It may be used by several goroutines.
type Pool struct {
	runtime *Runtime

	mu        sync.Mutex
	admission *admission
	snapshot  interface{ Close() }
}

// NewPool returns a pool that refuses everything as busy until its first Reset.
func (r *Runtime) NewPool() *Pool { return &Pool{runtime: r} }

// Reset forgets what was admitted and stands on the last committed height, whose header is
// given; before the first block on genesis. What still waits must be checked again.
func (p *Pool) Reset(last Header) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.close()
	header := Header{Height: last.Height + 1, Time: last.Time}
	if p.runtime.state.Height() == 0 {
		return nil // before the first block there is nothing to stand on
	}
	snapshot, err := p.runtime.state.At(0)
	if err != nil {
		return err
	}
	overlay := snapshot.Overlay()
	c, err := readChain(overlay)
	if err != nil {
		snapshot.Close()
		return err
	}
	p.snapshot = snapshot
	p.admission = &admission{overlay: overlay, records: registry.New(overlay), chain: c, header: header}
	return nil
}

// Close lets go of the committed height. The pool refuses everything as busy then.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.close()
}

func (p *Pool) close() {
	if p.snapshot != nil {
		p.snapshot.Close()
	}
	p.snapshot, p.admission = nil, nil
}

// Check answers whether raw could be in the next block. The receipt's code is OK or a
// refusal, its GasLimit is what the block must have room for. A recheck, of bytes that this
// process admitted before, verifies no signature.
func (p *Pool) Check(raw []byte, recheck bool) (receipt.Receipt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.admission == nil {
		return receipt.Receipt{Code: receipt.Busy, Reason: "the chain has no block yet"}, nil
	}
	t, refused, err := p.runtime.admit(p.admission, raw, recheck)
	if err != nil {
		return receipt.Receipt{}, fmt.Errorf("runtime: check: %w", err)
	}
	rec := receiptOf(&t)
	if refused != nil {
		rec.Code, rec.Reason = refused.code, refused.reason
		return rec, nil
	}
	// Half the limit is the least that the transaction will be charged.
	if err := p.admission.records.Charge(t.key.Account, t.GasLimit/2, p.admission.header.Time); err != nil {
		return receipt.Receipt{}, fmt.Errorf("runtime: check: %w", err)
	}
	return rec, nil
}

// receiptOf starts a receipt with what is known of a transaction.
func receiptOf(t *admitted) receipt.Receipt {
	if t.Signed == nil {
		return receipt.Receipt{}
	}
	return receipt.Receipt{
		TxID: t.ID(), GasLimit: t.GasLimit,
		Contract: t.Contract, Method: t.Method, Sender: t.key.Account,
	}
}
