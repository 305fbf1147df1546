package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk/wire"
)

const (
	// DefaultGas is the gas limit of a transaction that names none, before its size is
	// added. Of a limit at least half is charged against the quota.
	DefaultGas = 20_000_000

	// gasSpread is the gas below which chance adds to the limit; of no weight beside DefaultGas.
	gasSpread = 1 << 16

	// sequenceTries bounds how often one Send picks another sequence. Each try that fails
	// means that somebody else took the number at this very moment.
	sequenceTries = 16
)

// Args are arguments that are canonical CBOR already.
type Args []byte

// Options say how a transaction is sent. The zero value is usual.
type Options struct {
	GasLimit  uint64 // in gas; 0 means a little more than DefaultGas and what the arguments' size costs
	LastValid uint64 // the last height at which it may run; 0 means no end
	Sequence  uint64 // 0 means the next one; a number of one's own is sent once, whatever the answer
}

// Sign makes a transaction without sending it, with a sequence taken from the client's
// count unless the options name one. args is nil for none, Args, or any value that sdk/wire
// encodes; a type that it can't encode is a mistake in the program and panics. Encode gives
// the bytes for Submit, ID what to Wait for.
func (c *Client) Sign(ctx context.Context, s tx.Signer, contract, method string, args any, o Options) (*tx.Signed, error) {
	signed, _, err := c.sign(ctx, s, contract, method, args, o)
	return signed, err
}

// Send signs a call, as Sign does, and hands it to the node, which checks it: on nil it is
// on its way into a block, and Wait says what became of it. A *Refused means that it never
// will be. After any other error it may or may not be on its way; the id is set then, unless
// nothing was sent.
func (c *Client) Send(ctx context.Context, s tx.Signer, contract, method string, args any, o Options) (tx.ID, error) {
	id, _, err := c.send(ctx, s, contract, method, args, o, false)
	return id, err
}

// Call is Send, and waits until the block with the transaction is committed: to the end of
// ctx, or DefaultTimeout if that has none. A transaction that was executed and failed gives
// both its receipt and a *Refused; one that was refused before gives no receipt.
func (c *Client) Call(ctx context.Context, s tx.Signer, contract, method string, args any, o Options) (*Receipt, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	id, r, err := c.send(ctx, s, contract, method, args, o, true)
	if err != nil || r != nil {
		return r, err
	}
	return c.Wait(ctx, id) // the node gave up waiting before the block came
}

// Submit hands over a transaction that was signed before, perhaps by somebody else. The
// same bytes may be submitted again: they run once. See Send for the errors.
func (c *Client) Submit(ctx context.Context, raw []byte) (tx.ID, error) {
	id, _, err := c.submit(ctx, raw, false)
	return id, err
}

// Receipt is the outcome of a transaction, or a *Unserved that is NotFound if it isn't in
// a block, yet or at all.
func (c *Client) Receipt(ctx context.Context, id tx.ID) (*Receipt, error) {
	var answer receiptAnswer
	if err := c.get(ctx, "/v1/tx/"+id.String(), nil, &answer); err != nil {
		return nil, err
	}
	return answer.receipt()
}

// Wait waits for a transaction's receipt: to the end of ctx, or DefaultTimeout if that has
// none. A transaction that failed gives both its receipt and a *Refused.
//
// Unlike Call it asks again and again, every second at most: a transaction that was lost on
// its way never gets a receipt, and only the caller knows how long that is worth waiting for.
func (c *Client) Wait(ctx context.Context, id tx.ID) (*Receipt, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	for pause := firstPause; ; pause = min(2*pause, time.Second) {
		r, err := c.Receipt(ctx, id)
		if err == nil {
			return r, r.Err()
		}
		if u, ok := errors.AsType[*Unserved](err); !ok || !u.NotFound() && !u.Temporary() {
			return nil, err
		} else if u.RetryAfter > 0 {
			pause = u.RetryAfter
		}
		if err := sleep(ctx, pause); err != nil {
			return nil, fmt.Errorf("transaction %s: no receipt yet: %w", id, err)
		}
	}
}

// bounded gives ctx an end if it has none.
func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, set := ctx.Deadline(); set {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, DefaultTimeout)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Client) send(ctx context.Context, s tx.Signer, contract, method string, args any, o Options, wait bool) (tx.ID, *Receipt, error) {
	for try := 1; ; try++ {
		signed, era, err := c.sign(ctx, s, contract, method, args, o)
		if err != nil {
			return tx.ID{}, nil, err
		}
		_, r, err := c.submit(ctx, signed.Encode(), wait)
		refused, ok := errors.AsType[*Refused](err)
		if !ok || r != nil {
			return signed.ID(), r, err
		}
		switch refused.Code {
		case receipt.WrongChain:
			c.forget() // another chain has moved in behind the URL; the next call looks anew
		case receipt.Replayed, receipt.SequenceJump:
			if o.Sequence != 0 || try == sequenceTries {
				break
			}
			// Whether it was this very transaction that took the number: then it must not
			// be signed again under another.
			if r, err := c.Receipt(ctx, signed.ID()); err == nil {
				return signed.ID(), r, r.Err()
			}
			l := laneOf(s, contract)
			if err := c.sequence(l).stale(ctx, era, refused.Code, c.nextOf(l)); err != nil {
				return signed.ID(), nil, err
			}
			continue
		}
		return signed.ID(), nil, err
	}
}

// sign makes a transaction; era belongs to its sequence.
func (c *Client) sign(ctx context.Context, s tx.Signer, contract, method string, args any, o Options) (signed *tx.Signed, era uint64, err error) {
	t := &tx.Tx{Sequence: o.Sequence, LastValid: o.LastValid, GasLimit: o.GasLimit, Contract: contract, Method: method}
	if t.Args, err = encodeArgs(args); err != nil {
		return nil, 0, fmt.Errorf("arguments of %s %s: %w", contract, method, err)
	}
	if t.GasLimit == 0 {
		// A little of it is chance: two processes that share a key, pick the same sequence and
		// want the same would else sign the same bytes, which run once.
		t.GasLimit = min(DefaultGas+gas.PerTxByte*uint64(len(t.Args))+rand.N[uint64](gasSpread), gas.MaxLimit)
	}
	if t.Chain, err = c.Chain(ctx); err != nil {
		return nil, 0, err
	}
	if t.Sequence == 0 {
		l := laneOf(s, contract)
		if t.Sequence, era, err = c.sequence(l).take(ctx, c.nextOf(l)); err != nil {
			return nil, 0, err
		}
	}
	raw, err := tx.Sign(t, s)
	if err != nil {
		return nil, 0, err
	}
	signed, err = tx.Decode(raw)
	return signed, era, err
}

// encodeArgs gives canonical CBOR, the empty map for nil.
func encodeArgs(args any) ([]byte, error) {
	switch v := args.(type) {
	case nil:
		return cbor.AppendMap(nil, 0), nil
	case Args:
		return v, cbor.Valid(v)
	}
	return wire.Marshal(args)
}

// submit gives a receipt only if it was to wait for one and the block came in time.
func (c *Client) submit(ctx context.Context, raw []byte, wait bool) (tx.ID, *Receipt, error) {
	query := url.Values{"wait": {"check"}}
	if wait {
		query.Set("wait", "commit")
		query.Set("timeout", "30")
	}
	var answer receiptAnswer
	if err := c.exchange(ctx, http.MethodPost, "/v1/tx", query, "application/cose", raw, &answer); err != nil {
		return tx.ID{}, nil, err
	}
	if answer.Height == 0 { // on its way, in no block yet
		return answer.ID, nil, nil
	}
	r, err := answer.receipt()
	if err != nil {
		return answer.ID, nil, err
	}
	return answer.ID, r, r.Err()
}
