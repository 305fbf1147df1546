package main

import (
	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/wire"
)

// AcceptAAD is what a candidate's voting key signs its acceptance under.
const AcceptAAD = "ward-authority-v1"

// maxLead is how far ahead an acceptance may expire. A node that is down can't sign one, and
// a newcomer that is down could halt a small chain.
const maxLead = 300 * sdk.Second

// acceptance is what the voting key signs: that this node will vote, on this chain, for this
// operator, and that it is there now.
type acceptance struct {
	Chain    string
	Contract string
	Proposal uint64
	Operator sdk.Address
	Expires  sdk.Time
}

var acceptances = wire.New[acceptance]()

type acceptArgs struct {
	Proposal uint64 `doc:"its number"`
	Proof    []byte `doc:"COSE_Sign1 of the voting key over chain, contract, proposal, operator and expires, under ward-authority-v1"`
}

type acceptResult struct {
	Present uint32 `doc:"how many authorities there are now"`
	Votes   uint64 `doc:"height from which on the node votes"`
}

func accept(c *sdk.Ctx, a acceptArgs) (acceptResult, error) {
	var none acceptResult
	p, err := find(c, a.Proposal)
	if err != nil {
		return none, err
	}
	switch {
	case p.Status == Open && p.Kind == Add:
		return none, errNotDecided.Because("proposal %d has %d approvals, it needs %d", p.Proposal, len(p.Approvals), needed(len(present(c))))
	case p.Status == Open:
		return none, errNotDecided.Because("proposal %d is to %s: nobody need accept it", p.Proposal, p.wish())
	case p.Status != Approved:
		return none, ended(p)
	case c.Sender() != p.Operator:
		return none, errCandidate.Because("%s is not %s, the operator of the candidate of proposal %d", c.Sender(), p.Operator, p.Proposal)
	}
	if err := checkAcceptance(c, p, a.Proof); err != nil {
		return none, err
	}
	n := len(present(c)) + 1
	if n > maxAuthorities {
		return none, errFull.Because("there are %d authorities, limit %d", n-1, maxAuthorities)
	}
	end(c, &p, Done, "")
	join(c, p.Proposal, Authority{p.Operator, p.Key, p.Name, p.Website, c.Height()}, uint32(n))
	handOver(c)
	return acceptResult{uint32(n), c.Height() + 2}, nil
}

func checkAcceptance(c *sdk.Ctx, p Proposal, proof []byte) error {
	payload, ok := c.VerifyCOSE(p.Key, AcceptAAD, proof)
	if !ok {
		return errProof.Because("proof: not a COSE_Sign1 of the candidate's voting key under %s", AcceptAAD)
	}
	said, err := acceptances.Decode(payload)
	if err != nil {
		return errProof.Because("proof: %s", err)
	}
	now := c.Time()
	switch {
	case said.Chain != c.Chain():
		return errProof.Because("proof: chain is %q, this is %q", said.Chain, c.Chain())
	case said.Contract != c.Contract():
		return errProof.Because("proof: contract is %q, this is %q", said.Contract, c.Contract())
	case said.Proposal != p.Proposal:
		return errProof.Because("proof: proposal is %d, this is %d", said.Proposal, p.Proposal)
	case said.Operator != p.Operator:
		return errProof.Because("proof: operator is %s, this is %s", said.Operator, p.Operator)
	case said.Expires <= now:
		return errStale.Because("proof: expired at %s, it is %s: sign a new one", said.Expires, now)
	case said.Expires > now.Add(maxLead):
		return errStale.Because("proof: expires at %s, more than %s after %s", said.Expires, maxLead, now)
	}
	return nil
}
