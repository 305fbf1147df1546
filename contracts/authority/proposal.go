package main

import "github.com/wardledger/ward/sdk"

type addArgs struct {
	OperatorKey sdk.PublicKey `doc:"the public key of the candidate's operator, 32 bytes Ed25519 or 33 bytes P-256; it gets an account if it has none"`
	Key         sdk.PublicKey `doc:"the key with which the candidate's node votes: 32 bytes Ed25519"`
	Name        string        `doc:"who it is, for people"`
	Website     string        `wire:",omitempty" doc:"where to read about it"`
}

type proposeResult struct {
	Proposal uint64 `doc:"its number"`
	Status   Status `doc:"open; or, where one approval is enough, what came of it"`
}

func proposeAdd(c *sdk.Ctx, a addArgs) (proposeResult, error) {
	var none proposeResult
	by, err := byAuthority(c)
	if err != nil {
		return none, err
	}
	operator, ok := c.KeyAddress(a.OperatorKey)
	if !ok {
		return none, errValue.Because("operator_key: %d bytes that are no public key (32 bytes Ed25519, 33 bytes P-256)", len(a.OperatorKey))
	}
	if string(a.OperatorKey) == string(a.Key) {
		return none, errValue.Because("operator_key is the voting key: a person and a node don't share one")
	}
	if err := checkMember(c, a.Key, a.Name, a.Website); err != nil {
		return none, err
	}
	if err := checkFree(c, operator, a.Key); err != nil {
		return none, err
	}
	if n := len(present(c)); n >= maxAuthorities {
		return none, errFull.Because("there are %d authorities, limit %d", n, maxAuthorities)
	}
	return propose(c, by, Proposal{
		Kind: Add, Operator: operator, OperatorKey: a.OperatorKey, Key: a.Key, Name: a.Name, Website: a.Website,
	})
}

type removeArgs struct {
	Operator sdk.Address `doc:"the operator of the authority that shall leave"`
}

func proposeRemove(c *sdk.Ctx, a removeArgs) (proposeResult, error) {
	var none proposeResult
	by, err := byAuthority(c)
	if err != nil {
		return none, err
	}
	whom, ok := authorities.Get(c, a.Operator)
	if !ok {
		return none, errAuthority.Because("%s is not the operator of an authority", a.Operator)
	}
	if len(present(c)) == 1 {
		return none, errLast.Because("%q is the only authority", whom.Name)
	}
	return propose(c, by, Proposal{Kind: Remove, Operator: whom.Operator, Key: whom.Key, Name: whom.Name, Website: whom.Website})
}

// propose opens a proposal with the approval of whoever proposes it.
func propose(c *sdk.Ctx, by Authority, p Proposal) (proposeResult, error) {
	sweepExpired(c)
	// What is decided about an operator or a key stands in the way of everybody; what is open only of
	// whoever proposed it, or one could keep all others from proposing.
	rivals := own(c, by.Operator)
	if n := len(rivals); n >= maxOpen {
		return proposeResult{}, errTooMany.Because("%d undecided proposals of %s, limit %d: withdraw one", n, by.Operator, maxOpen)
	}
	if number, ok := admittedOperators.Get(c, p.Operator); ok {
		rivals = append(rivals, theProposal(c, number))
	}
	if number, ok := admittedKeys.Get(c, keyID{p.Key}); ok {
		rivals = append(rivals, theProposal(c, number))
	}
	for _, r := range rivals {
		if r.rivals(p) && !endIfExpired(c, &r) {
			return proposeResult{}, errProposed.Because("proposal %d, to %s, is %s until %s", r.Proposal, r.wish(), r.Status, r.Expires)
		}
	}
	number, _ := last.Get(c)
	number++
	last.Set(c, number)
	span, _ := days.Get(c)
	p.Proposal, p.By, p.Created, p.Status = number, by.Operator, c.Height(), Open
	p.Expires = c.Time().Add(sdk.Duration(span) * sdk.Day)

	alive.Set(c, expiryKey{p.Expires, number}, sdk.None{})
	openBy.Set(c, byKey{p.By, number}, sdk.None{})
	proposed.Emit(c, proposedEvent{number, p.Kind, p.Operator, p.Key, p.Name, p.Website, p.By, p.Expires})
	status := approveBy(c, by.Operator, p)
	return proposeResult{number, status}, nil
}

// rivals reports whether two proposals are about the same: the same operator or key, the same contract name, the
// chain's parameters.
func (p Proposal) rivals(other Proposal) bool {
	switch {
	case p.subject() != other.subject():
		return false
	case p.Kind == Parameters:
		return true
	case p.Kind == Permit || p.Kind == Revoke:
		return p.Name == other.Name
	}
	return p.Operator == other.Operator || string(p.Key) == string(other.Key)
}

func theProposal(c *sdk.Ctx, number uint64) Proposal {
	p, _ := proposals.Get(c, number)
	return p
}

// own returns an authority's undecided proposals, as far as they have not expired.
func own(c *sdk.Ctx, by sdk.Address) (list []Proposal) {
	var all []uint64
	for key := range openOf.Rows(by).Each(c) {
		all = append(all, key.Proposal)
	}
	for _, number := range all {
		if p := theProposal(c, number); !endIfExpired(c, &p) {
			list = append(list, p)
		}
	}
	return list
}

// end takes a proposal out of all that is alive. Approved counts as alive still, so it is
// not an end; see admit.
func end(c *sdk.Ctx, p *Proposal, status Status, reason string) {
	alive.Delete(c, expiryKey{p.Expires, p.Proposal})
	openBy.Delete(c, byKey{p.By, p.Proposal})
	if p.Status == Approved {
		admittedOperators.Delete(c, p.Operator)
		admittedKeys.Delete(c, keyID{p.Key})
		if status != Done {
			shut(c, p.Operator)
		}
	}
	p.Status, p.Reason, p.Decided = status, reason, c.Height()
	proposals.Set(c, p.Proposal, *p)

	e := endedEvent{Proposal: p.Proposal, Kind: p.Kind, Operator: p.Operator, Reason: reason}
	if p.Permit != nil || p.Kind == Revoke {
		e.Name = p.Name
	}
	switch status {
	case Withdrawn:
		by := c.Sender()
		e.By = &by
		withdrawn.Emit(c, e)
	case Expired:
		expired.Emit(c, e)
	case Void:
		voided.Emit(c, e)
	}
}

// late reports whether a proposal's time is over.
func late(c *sdk.Ctx, p *Proposal) bool {
	return (p.Status == Open || p.Status == Approved) && p.Expires <= c.Time()
}

// endIfExpired ends a proposal whose time is over, and reports whether it did.
func endIfExpired(c *sdk.Ctx, p *Proposal) bool {
	if !late(c, p) {
		return false
	}
	end(c, p, Expired, "")
	return true
}

// sweepExpired ends a few proposals whose time is over.
func sweepExpired(c *sdk.Ctx) {
	var over []uint64
	for key := range aliveUntil.Until(alive.All(), c.Time().Add(1)).Each(c) {
		over = append(over, key.Proposal)
		if len(over) == sweep {
			break
		}
	}
	for _, number := range over {
		p, _ := proposals.Get(c, number)
		endIfExpired(c, &p)
	}
}

type proposalArgs struct {
	Proposal uint64 `doc:"its number"`
}

// find returns a proposal that may still be acted upon: it fails for one whose time is over.
func find(c *sdk.Ctx, number uint64) (Proposal, error) {
	p, ok := proposals.Get(c, number)
	if !ok {
		return p, errProposal.Because("there is no proposal %d", number)
	}
	if p.Status == Expired || late(c, &p) {
		return p, errExpired.Because("proposal %d expired at %s", number, p.Expires)
	}
	return p, nil
}

func ended(p Proposal) error {
	because := ""
	if p.Reason != "" {
		because = ": " + p.Reason
	}
	return errDecided.Because("proposal %d is %s since height %d%s", p.Proposal, p.Status, p.Decided, because)
}

func withdraw(c *sdk.Ctx, a proposalArgs) (sdk.None, error) {
	p, err := find(c, a.Proposal)
	if err != nil {
		return sdk.None{}, err
	}
	switch by := c.Sender(); {
	case p.Status != Open && p.Status != Approved:
		return sdk.None{}, ended(p)
	case p.Status == Open && by != p.By:
		return sdk.None{}, errProposer.Because("%s did not make proposal %d", by, p.Proposal)
	case p.Status == Open && (len(p.Approvals) > 1 || len(p.Approvals) == 1 && p.Approvals[0] != by):
		// Or an authority could propose what is about itself, and undo what others decide on.
		return sdk.None{}, errBacked.Because("proposal %d has %d approvals: it stands until it is decided or expires, at %s", p.Proposal, len(p.Approvals), p.Expires)
	case p.Status == Approved && by == p.By:
		return sdk.None{}, ended(p) // it is the authorities' decision by now
	case p.Status == Approved && by != p.Operator:
		return sdk.None{}, errProposer.Because("%s is not the candidate of proposal %d", by, p.Proposal)
	}
	end(c, &p, Withdrawn, "")
	return sdk.None{}, nil
}
