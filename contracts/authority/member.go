package main

import "github.com/wardledger/ward/sdk"

// A Founder is one of the first authorities.
type Founder struct {
	Operator sdk.Address   `doc:"the account that approves and proposes for it"`
	Key      sdk.PublicKey `doc:"the key with which its node votes: 32 bytes Ed25519"`
	Name     string        `doc:"who it is, for people"`
	Website  string        `wire:",omitempty" doc:"where to read about it"`
}

type initArgs struct {
	Authorities []Founder `doc:"the first authorities: those of the chain's genesis"`
	Days        uint32    `wire:",omitempty" doc:"days that a proposal stays open; 7 if missing"`
}

func create(c *sdk.Ctx, a initArgs) error {
	if a.Days == 0 {
		a.Days = usualDays
	}
	if a.Days > maxDays {
		return errValue.Because("days is %d, limit %d", a.Days, maxDays)
	}
	if len(a.Authorities) == 0 || len(a.Authorities) > maxAuthorities {
		return errValue.Because("%d authorities, must be 1 to %d", len(a.Authorities), maxAuthorities)
	}
	days.Set(c, a.Days)
	for i, f := range a.Authorities {
		if f.Operator.IsZero() {
			return errValue.Because("authorities[%d]: no operator", i)
		}
		if err := checkMember(c, f.Key, f.Name, f.Website); err != nil {
			return errValue.Because("authorities[%d]: %s", i, err)
		}
		if err := checkFree(c, f.Operator, f.Key); err != nil {
			return errIsOne.Because("authorities[%d]: %s", i, err)
		}
		join(c, 0, Authority{f.Operator, f.Key, f.Name, f.Website, c.Height()}, uint32(i+1))
	}
	handOver(c)
	return nil
}

// present are the authorities. There are at most maxAuthorities.
func present(c *sdk.Ctx) (all []Authority) {
	for _, a := range authorities.All().Each(c) {
		all = append(all, a)
	}
	return all
}

// needed is how many approvals are more than two thirds of n.
func needed(n int) int { return 2*n/3 + 1 }

// handOver tells the chain who the authorities shall be.
func handOver(c *sdk.Ctx) {
	var set []sdk.PublicKey
	for _, a := range present(c) {
		set = append(set, a.Key)
	}
	if err := c.Authorities().Set(set); err != nil {
		panic("BUG: authority: the chain refuses the authorities: " + err.Error())
	}
}

// join and leave change the set, without handing it over.
func join(c *sdk.Ctx, proposal uint64, a Authority, present uint32) {
	authorities.Set(c, a.Operator, a)
	keys.Set(c, keyID{a.Key}, a.Operator)
	added.Emit(c, memberEvent{proposal, a.Operator, a.Key, a.Name, present})
}

func leave(c *sdk.Ctx, proposal uint64, a Authority, present uint32) {
	authorities.Delete(c, a.Operator)
	keys.Delete(c, keyID{a.Key})
	shut(c, a.Operator)
	removed.Emit(c, memberEvent{proposal, a.Operator, a.Key, a.Name, present})
}

// byAuthority is the authority whose operator the sender is.
func byAuthority(c *sdk.Ctx) (Authority, error) {
	a, ok := authorities.Get(c, c.Sender())
	if !ok {
		return a, errOutsider.Because("%s is not the operator of an authority", c.Sender())
	}
	return a, nil
}

// checkFree refuses an operator or key that is an authority's.
func checkFree(c *sdk.Ctx, operator sdk.Address, key sdk.PublicKey) error {
	if a, ok := authorities.Get(c, operator); ok {
		return errIsOne.Because("%s is the operator of the authority %q already", operator, a.Name)
	}
	if of, ok := keys.Get(c, keyID{key}); ok {
		return errIsOne.Because("the voting key is that of the authority of %s already", of)
	}
	return nil
}

// checkMember checks what is said of an authority.
func checkMember(c *sdk.Ctx, key sdk.PublicKey, name, website string) error {
	if len(key) != 32 {
		return errValue.Because("key is %d bytes, the engine's are 32 of Ed25519", len(key))
	}
	if _, ok := c.KeyAddress(key); !ok {
		return errValue.Because("key is no point of the curve, or one that anybody can sign for")
	}
	if name == "" {
		return errValue.Because("name is missing: people must know whom they approve")
	}
	if err := checkText("name", name, maxName); err != nil {
		return err
	}
	return checkText("website", website, maxWebsite)
}

// checkText accepts a line of text.
func checkText(what, s string, limit int) error {
	if len(s) > limit {
		return errValue.Because("%s is %d bytes, limit %d", what, len(s), limit)
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			return errValue.Because("%s is %q: control characters are not allowed", what, s)
		}
	}
	return nil
}

// letIn opens the operator's account, so that they can accept and later approve. One that is
// there already is left as it is. Where the chain won't let the key in, because it was retired,
// nobody can accept, and the proposal expires.
func letIn(c *sdk.Ctx, operator sdk.Address, key sdk.PublicKey) {
	if opened.Has(c, operator) {
		_ = c.Accounts().Reopen(operator)
		return
	}
	scope := []sdk.Scope{{Contract: c.Contract()}}
	if c.Accounts().Open(sdk.OpenKey{Key: key, Scope: scope, Quota: operatorQuota}) == nil {
		opened.Set(c, operator, sdk.None{})
	}
}

// shut takes back what letIn gave.
func shut(c *sdk.Ctx, operator sdk.Address) {
	if opened.Has(c, operator) {
		_ = c.Accounts().Shut(operator) // fails only for a retired key, which is more than shut
	}
}
