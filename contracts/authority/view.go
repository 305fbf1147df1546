package main

import "github.com/wardledger/ward/sdk"

// maxPage keeps a page below the 64 KiB of a result, also if every proposal in it is
// approved by as many as can approve one, and names as many deployers as there may be.
const maxPage = 15

type authoritiesArgs struct {
	After []byte `wire:",omitempty" doc:"where the last page ended: its next"`
	Limit uint32 `wire:",omitempty" doc:"how many at most; 20 if missing, never more than 100"`
}

type authorityPage struct {
	Authorities []Authority
	Present     uint32 `doc:"how many authorities there are"`
	Needed      uint32 `doc:"how many must approve: more than two thirds"`
	Days        uint32 `doc:"days that a proposal stays open"`
	Next        []byte `wire:",omitempty" doc:"for the next page; missing on the last"`
}

func authoritiesView(c *sdk.Ctx, a authoritiesArgs) (page authorityPage, err error) {
	rows, next := authorities.All().Page(c, a.After, a.Limit)
	for _, row := range rows {
		page.Authorities = append(page.Authorities, row.Value)
	}
	n := len(present(c))
	page.Present, page.Needed, page.Next = uint32(n), uint32(needed(n)), next
	page.Days, _ = days.Get(c)
	return page, nil
}

type authorityArgs struct {
	Operator sdk.Address `doc:"its operator"`
}

func authorityView(c *sdk.Ctx, a authorityArgs) (Authority, error) {
	found, ok := authorities.Get(c, a.Operator)
	if !ok {
		return found, errAuthority.Because("%s is not the operator of an authority", a.Operator)
	}
	return found, nil
}

type proposalsArgs struct {
	All   bool   `wire:",omitempty" doc:"also those that have ended, the newest first"`
	After []byte `wire:",omitempty" doc:"where the last page ended: its next"`
	Limit uint32 `wire:",omitempty" doc:"how many at most; 15 if missing, never more than 15"`
}

type proposalPage struct {
	Proposals []Proposal
	Present   uint32 `doc:"how many authorities there are"`
	Needed    uint32 `doc:"how many must approve: more than two thirds"`
	Next      []byte `wire:",omitempty" doc:"for the next page; missing on the last"`
}

func proposalsView(c *sdk.Ctx, a proposalsArgs) (page proposalPage, err error) {
	if a.Limit == 0 || a.Limit > maxPage {
		a.Limit = maxPage
	}
	if a.All {
		rows, next := proposals.All().Reverse().Page(c, a.After, a.Limit)
		for _, row := range rows {
			page.Proposals = append(page.Proposals, shown(c, row.Value))
		}
		page.Next = next
	} else {
		rows, next := aliveUntil.From(alive.All(), c.Time().Add(1)).Page(c, a.After, a.Limit)
		for _, row := range rows {
			p, _ := proposals.Get(c, row.Key.Proposal)
			page.Proposals = append(page.Proposals, p)
		}
		page.Next = next
	}
	n := len(present(c))
	page.Present, page.Needed = uint32(n), uint32(needed(n))
	return page, nil
}

type proposalResult struct {
	Proposal Proposal
	Present  uint32 `doc:"how many authorities there are"`
	Needed   uint32 `doc:"how many must approve: more than two thirds"`
}

func proposalView(c *sdk.Ctx, a proposalArgs) (proposalResult, error) {
	p, ok := proposals.Get(c, a.Proposal)
	if !ok {
		return proposalResult{}, errProposal.Because("there is no proposal %d", a.Proposal)
	}
	n := len(present(c))
	return proposalResult{shown(c, p), uint32(n), uint32(needed(n))}, nil
}

// shown is a proposal as it is at this moment, though nobody may have swept it yet.
func shown(c *sdk.Ctx, p Proposal) Proposal {
	if late(c, &p) {
		p.Status = Expired
	}
	return p
}
