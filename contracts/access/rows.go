package main

import "github.com/wardledger/ward/sdk"

// rows is the facts as the contract stored them.
type rows struct{ c *sdk.Ctx }

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

func (r rows) alive(subject sdk.Address, pattern string, of class, visit func(id uint64) bool) {
	all := candidate.Rows(candidates{subject, pattern, of})
	for key := range candidateT.From(all, candidatesAt{subject, pattern, of, r.now().Add(1)}).Each(r.c) {
		if !visit(key.ID) {
			return
		}
	}
}

func (r rows) late(subject sdk.Address, pattern string, of class) (uint64, bool) {
	part := candidate.Rows(candidates{subject, pattern, of})
	if of != classDead {
		part = candidateT.Until(part, candidatesAt{subject, pattern, of, r.now().Add(1)})
	}
	for key := range part.Reverse().Each(r.c) {
		return key.ID, true
	}
	return 0, false
}

// indexed is the place of a living grant in the index of its subject.
func indexed(g Grant) subjectKey {
	of := classRoot
	if g.Parent != 0 {
		of = classChild
	}
	end := g.Expires
	if end == 0 {
		end = forever
	}
	return subjectKey{g.Subject, g.Object, of, end, g.ID}
}

// bury takes a grant that can never hold again out of the way of checks. It reports
// whether it was in the way.
func bury(c *sdk.Ctx, g Grant) bool {
	key := indexed(g)
	if !ofSubject.Delete(c, key) {
		return false
	}
	key.Class = classDead
	ofSubject.Set(c, key, sdk.None{})
	return true
}
