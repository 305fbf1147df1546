package main

import "github.com/wardledger/ward/sdk"

type approveResult struct {
	Status    Status `doc:"open, or what came of it: approved (the candidate may accept), done, void"`
	Approvals uint32 `doc:"how many approve now"`
	Needed    uint32 `doc:"how many must"`
}

func approve(c *sdk.Ctx, a proposalArgs) (approveResult, error) {
	var none approveResult
	by, err := byAuthority(c)
	if err != nil {
		return none, err
	}
	p, err := find(c, a.Proposal)
	if err != nil {
		return none, err
	}
	if p.Status != Open {
		return none, ended(p)
	}
	if approvedBy(p, by.Operator) {
		return none, errTwice.Because("%q has approved proposal %d already", by.Name, p.Proposal)
	}
	n := len(present(c))
	status := approveBy(c, by.Operator, p)
	return approveResult{status, uint32(len(p.Approvals) + 1), uint32(needed(n))}, nil
}

func approvedBy(p Proposal, operator sdk.Address) bool {
	for _, a := range p.Approvals {
		if a == operator {
			return true
		}
	}
	return false
}

// approveBy adds an approval to an open proposal, decides it if that is enough, and
// returns what it is then.
func approveBy(c *sdk.Ctx, by sdk.Address, p Proposal) Status {
	p.Approvals = append(p.Approvals, by)
	proposals.Set(c, p.Proposal, p)
	n := len(present(c))
	approved.Emit(c, approvedEvent{p.Proposal, by, uint32(len(p.Approvals)), uint32(needed(n)), uint32(n)})
	if len(p.Approvals) < needed(n) {
		return Open
	}
	decide(c, p)
	p, _ = proposals.Get(c, p.Proposal)
	return p.Status
}

// decide carries out an open proposal that enough approve, and whatever is decided
// by that in turn: with one authority fewer, another proposal may have enough approvals.
// It hands the new set over once, at the end.
func decide(c *sdk.Ctx, p Proposal) {
	gone := false
	for {
		switch p.Kind {
		case Add:
			admit(c, &p)
		case Remove:
			expel(c, &p)
			gone = true
		default:
			carryOut(c, &p)
		}
		var more bool
		if p, more = decided(c); !more {
			break
		}
	}
	if gone {
		handOver(c)
	}
}

// admit lets the candidate accept, from now on for as long as a proposal is open.
func admit(c *sdk.Ctx, p *Proposal) {
	letIn(c, p.Operator, p.OperatorKey)
	alive.Delete(c, expiryKey{p.Expires, p.Proposal})
	openBy.Delete(c, byKey{p.By, p.Proposal})
	span, _ := days.Get(c)
	p.Status, p.Decided = Approved, c.Height()
	p.Expires = c.Time().Add(sdk.Duration(span) * sdk.Day)
	alive.Set(c, expiryKey{p.Expires, p.Proposal}, sdk.None{})
	admittedOperators.Set(c, p.Operator, p.Proposal)
	admittedKeys.Set(c, keyID{p.Key}, p.Proposal)
	proposals.Set(c, p.Proposal, *p)
	voidRivals(c, *p)
	admitted.Emit(c, admittedEvent{p.Proposal, p.Operator, p.Key, p.Expires})
}

// expel removes an authority: its approvals count no more, what it proposed and nobody has
// decided ends, and so does a proposal to remove the only one that is left.
func expel(c *sdk.Ctx, p *Proposal) {
	whom, ok := authorities.Get(c, p.Operator)
	if !ok {
		panic("BUG: authority: an open proposal removes whom is none")
	}
	end(c, p, Done, "")
	left := len(present(c)) - 1
	leave(c, p.Proposal, whom, uint32(left))
	for _, other := range open(c) {
		kept := other.Approvals[:0]
		for _, a := range other.Approvals {
			if a != whom.Operator {
				kept = append(kept, a)
			}
		}
		struck := len(kept) < len(other.Approvals)
		other.Approvals = kept
		switch {
		case other.rivals(*p):
			end(c, &other, Void, sdk.Text("%q is no authority any more", whom.Name))
		case other.By == whom.Operator:
			end(c, &other, Void, sdk.Text("%q, who proposed it, is no authority any more", whom.Name))
		case other.Kind == Remove && left == 1:
			end(c, &other, Void, sdk.Text("%q is the only authority left", other.Name))
		case struck:
			proposals.Set(c, other.Proposal, other)
		}
	}
}

// open are all proposals that may be approved. There are at most maxOpen for each authority.
func open(c *sdk.Ctx) (all []Proposal) {
	for key := range openBy.All().Each(c) {
		p, _ := proposals.Get(c, key.Proposal)
		if !late(c, &p) {
			all = append(all, p)
		}
	}
	return all
}

// decided finds the oldest open proposal that enough of the present authorities approve.
func decided(c *sdk.Ctx) (oldest Proposal, found bool) {
	enough := needed(len(present(c)))
	for _, p := range open(c) {
		if len(p.Approvals) >= enough && (!found || p.Proposal < oldest.Proposal) {
			oldest, found = p, true
		}
	}
	return oldest, found
}
