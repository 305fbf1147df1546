package client

import (
	"context"
	"errors"
	"fmt"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
)

// A lane of a key has its own replay window and therefore its own count.
type lane struct {
	key  address.Address
	lane uint64
}

// laneOf is the lane in which a signer's transaction to a contract goes: as
// runtime.LaneOf, which a device's client doesn't link (it comes with the engine).
func laneOf(s tx.Signer, contract string) lane {
	l := lane{key: s.Public().Address()}
	if contract == tx.DeployContract || contract == "authority" {
		l.lane = 1
	}
	return l
}

// nextOf gives the function that asks the node for a lane's next sequence.
func (c *Client) nextOf(l lane) func(context.Context) (uint64, error) {
	return func(ctx context.Context) (uint64, error) {
		k, err := c.Key(ctx, l.key)
		if u, ok := errors.AsType[*Unserved](err); ok && u.NotFound() {
			// The chain's own word for it, as it would have come with the transaction.
			return 0, &Refused{Code: receipt.UnknownKey, Reason: fmt.Sprintf("no account knows the key %s", l.key)}
		}
		if err != nil {
			return 0, err
		}
		return k.Next(l.lane), nil
	}
}

// A sequence counts one lane of one key: asked of the node once, then counted here, so
// that sending costs one request. Several processes may use one key: the node refuses a
// number that is taken, and stale looks at the ledger again.
type sequence struct {
	turn chan struct{} // of one: a mutex that a context can stop waiting for
	next uint64        // 0: ask the node
	era  uint64        // how often the count was set back
}

func (c *Client) sequence(l lane) *sequence {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.sequences[l]
	if s == nil {
		if c.sequences == nil {
			c.sequences = make(map[lane]*sequence)
		}
		s = &sequence{turn: make(chan struct{}, 1)}
		c.sequences[l] = s
	}
	return s
}

func (s *sequence) lock(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *sequence) unlock() { <-s.turn }

// take gives a number that this process hasn't used, and the era that it belongs to.
func (s *sequence) take(ctx context.Context, fetch func(context.Context) (uint64, error)) (n, era uint64, err error) {
	if err := s.lock(ctx); err != nil {
		return 0, 0, err
	}
	defer s.unlock()
	if s.next == 0 {
		next, err := fetch(ctx)
		if err != nil {
			return 0, 0, err
		}
		s.next = max(next, 1)
	}
	n = s.next
	s.next++
	return n, s.era, nil
}

// stale is called when the chain refused a number of an era with Replayed or SequenceJump:
// somebody else uses the key, or much that was sent never arrived. The count goes to where
// the ledger stands, but back only for a jump, and once an era: going back for a replay,
// or for each of many that jumped together, would give numbers out twice.
func (s *sequence) stale(ctx context.Context, era uint64, why receipt.Code, fetch func(context.Context) (uint64, error)) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.unlock()
	if s.era != era {
		return nil
	}
	next, err := fetch(ctx)
	if err != nil {
		return err
	}
	if why == receipt.SequenceJump && next < s.next {
		s.era++
		s.next = max(next, 1)
	}
	s.next = max(s.next, next)
	return nil
}
