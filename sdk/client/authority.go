package client

import (
	"errors"
	"fmt"
	"time"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk/wire"
)

// What a node's voting key signs for the contract authority; contracts/authority/README.md
// has the layout.
const (
	AcceptAAD         = "ward-authority-v1" // of an acceptance
	AuthorityContract = "authority"         // the name of the standard contract

	// MaxAcceptance is how far ahead an acceptance may expire: the node must be there now.
	MaxAcceptance = 300 * time.Second
)

// Acceptance is that a node will vote for an operator, as a proposal wants.
type Acceptance struct {
	Chain    string
	Contract string
	Proposal uint64
	Operator address.Address // the account that answers for the node, and sends the acceptance
	Expires  int64           // unix seconds, at most MaxAcceptance ahead of block time
}

// NewAcceptance accepts a proposal. validFor is at most MaxAcceptance; now is the node's clock.
func NewAcceptance(chain string, proposal uint64, operator address.Address, now time.Time, validFor time.Duration) (Acceptance, error) {
	if validFor < time.Second || validFor > MaxAcceptance {
		return Acceptance{}, fmt.Errorf("an acceptance can't be valid for %v: 1s to %v", validFor, MaxAcceptance)
	}
	return Acceptance{chain, AuthorityContract, proposal, operator, now.Add(validFor).Unix()}, nil
}

// Sign is the voting key's signature over the acceptance: the proof that the method accept takes.
func (a Acceptance) Sign(votingKey tx.Signer) ([]byte, error) {
	if a.Operator.IsZero() || a.Proposal == 0 {
		return nil, errors.New("the acceptance names no operator or no proposal")
	}
	payload, err := wire.Marshal(a)
	if err != nil {
		return nil, err
	}
	return tx.SignMessage(AcceptAAD, payload, votingKey)
}
