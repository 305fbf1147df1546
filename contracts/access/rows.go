package main

import "github.com/wardledger/ward/sdk"

// maxBuried is how many dead candidates one use takes out of the way: it stays near its
// usual cost, and who asks again has fewer of them.
const maxBuried = 8

// rows is the facts as the contract stored them.
type rows struct {
	c *sdk.Ctx
	// burials is how many candidates that can never hold again may still be taken out.
	// In a view it is none.
	burials *int
}

var _ facts = rows{}

func (r rows) now() sdk.Time                     { return r.c.Time() }
func (r rows) object(name string) (Object, bool) { return objects.Get(r.c, name) }
func (r rows) grant(id uint64) (Grant, bool)     { return grants.Get(r.c, id) }

func (r rows) epoch(account sdk.Address) uint64 {
	n, _ := epochs.Get(r.c, account)
	return n
}

func (r rows) forbid(owner sdk.Address, pattern string, subject sdk.Address) (Forbid, bool) {
	return forbids.Get(r.c, forbidKey{owner, pattern, subject})
}

func (r rows) alive(at place, visit func(id, root uint64) bool) {
	all, now := placed.Rows(at), r.now().Add(1)
	for key, root := range placedAt.From(all, placeAt{at.Subject, at.Object, at.Since, at.Epoch, at.Class, now}).Each(r.c) {
		if !visit(key.ID, root) {
			return
		}
	}
}

func (r rows) newest(subject sdk.Address, pattern string, visit func(id uint64) bool) {
	for key := range grantsOfOn.Rows(subjectObject{subject, pattern}).Reverse().Each(r.c) {
		if !visit(key.ID) {
			return
		}
	}
}

func (r rows) over(id uint64) {
	if r.burials == nil || *r.burials == 0 {
		return
	}
	if g, ok := grants.Get(r.c, id); ok && bury(r.c, g) {
		*r.burials--
	}
}

// candidate is the place of a grant among the candidates of its subject.
func candidate(c *sdk.Ctx, g Grant) candidateKey {
	key := candidateKey{g.Subject, g.Object, g.Since, g.IssuerEpoch, classRoot, g.Expires, g.ID}
	if g.Root != 0 {
		root, _ := grants.Get(c, g.Root)
		key.Class, key.Epoch = classChild, root.IssuerEpoch
	}
	if key.Expires == 0 {
		key.Expires = forever
	}
	return key
}

// bury takes a grant that can never hold again out of the way of checks. It reports
// whether it was in the way.
func bury(c *sdk.Ctx, g Grant) bool { return candidates.Delete(c, candidate(c, g)) }
