package main

import "github.com/wardledger/ward/sdk"

type grantArgs struct {
	Subject    sdk.Address `doc:"who gets it"`
	Object     string      `doc:"what for: the name of an object, or a prefix and /* for all below"`
	Relations  []string    `doc:"what may be done, such as open; at most 16"`
	NotBefore  sdk.Time    `wire:",omitempty" doc:"from when on; missing: as the parent, or at once"`
	Expires    sdk.Time    `wire:",omitempty" doc:"the first moment at which it does not hold any more; missing: as the parent, or never"`
	Redelegate uint8       `wire:",omitempty" doc:"how many times it may be passed on, one after the other, at most 24; missing: not at all"`
	Parent     uint64      `wire:",omitempty" doc:"the grant to pass on; missing: the sender owns the object"`
}

type grantID struct {
	ID uint64 `wire:"id" doc:"number of the grant"`
}

func grant(c *sdk.Ctx, a grantArgs) (grantID, error) {
	var none grantID
	namespace, err := parsePattern(a.Object)
	if err != nil {
		return none, err
	}
	relations, err := checkRelations(a.Relations, true)
	if err != nil {
		return none, err
	}
	if a.Subject.IsZero() {
		return none, errValue.Because("subject is the zero address, which nobody has")
	}
	if a.Redelegate > maxRedelegate {
		return none, errValue.Because("redelegate is %d, limit %d", a.Redelegate, maxRedelegate)
	}
	epoch, _ := epochs.Get(c, c.Sender())
	g := Grant{
		Issuer: c.Sender(), Subject: a.Subject, Object: a.Object, Relations: relations,
		NotBefore: a.NotBefore, Expires: a.Expires, Redelegate: a.Redelegate, Parent: a.Parent,
		IssuerEpoch: epoch, Created: c.Height(),
	}
	if a.Parent == 0 {
		err = checkOwns(c, namespace, a.Object)
	} else {
		err = checkChild(c, &g)
	}
	if err != nil {
		return none, err
	}
	if err := checkWindow(g.NotBefore, g.Expires, c.Time()); err != nil {
		return none, err
	}
	if !isPrefix(g.Object) {
		o, _ := objects.Get(c, g.Object)
		g.Since = o.Since
	}
	if g.Root != 0 {
		if err := makeRoom(c, g); err != nil {
			return none, err
		}
	}
	g.ID, _ = lastGrant.Get(c)
	g.ID++
	lastGrant.Set(c, g.ID)
	grants.Set(c, g.ID, g)
	onObject.Set(c, objectKey{g.Object, g.ID}, sdk.None{})
	ofSubject.Set(c, subjectKey{g.Subject, g.Object, g.ID}, sdk.None{})
	candidates.Set(c, candidate(c, g), g.Root)
	granted.Emit(c, grantedEvent{g.ID, g.Issuer, g.Subject, g.Object, g.Relations, g.NotBefore, g.Expires, g.Redelegate, g.Parent})
	return grantID{g.ID}, nil
}

// checkOwns fails unless the sender may decide about a pattern: an object that they
// own, or a prefix under their own address.
func checkOwns(c *sdk.Ctx, namespace sdk.Address, pattern string) error {
	if isPrefix(pattern) {
		if namespace != c.Sender() {
			return errNotPermitted.Because("%s does not own what lies below %s", c.Sender(), pattern)
		}
		return nil
	}
	o, err := find(c, pattern)
	if err != nil {
		return err
	}
	if o.Owner != c.Sender() {
		return errNotPermitted.Because("%s does not own %s", c.Sender(), o.Object)
	}
	return nil
}

// checkWindow accepts a window that is not empty and not over.
func checkWindow(notBefore, expires, now sdk.Time) error {
	switch {
	case notBefore < 0 || expires < 0:
		return errValue.Because("a time before 1970")
	case expires != 0 && expires <= notBefore:
		return errValue.Because("it would expire at %s, before it begins at %s", expires, notBefore)
	case expires != 0 && expires <= now:
		return errValue.Because("it would expire at %s, it is %s already", expires, now)
	}
	return nil
}

// checkChild holds a grant against its parent, and gives it the parent's window where it
// says none.
func checkChild(c *sdk.Ctx, g *Grant) error {
	p, ok := grants.Get(c, g.Parent)
	if !ok {
		return errNoGrant.Because("there is no grant %d to pass on", g.Parent)
	}
	if p.Subject != g.Issuer {
		return errNotPermitted.Because("grant %d is %s's, so %s can't pass it on", p.ID, p.Subject, g.Issuer)
	}
	if g.Redelegate >= p.Redelegate {
		if p.Redelegate == 0 {
			return errNotWithin.Because("grant %d may not be passed on", p.ID)
		}
		return errNotWithin.Because("redelegate is %d, and must be less than the %d of grant %d", g.Redelegate, p.Redelegate, p.ID)
	}
	if !covers(p.Object, g.Object) {
		return errNotWithin.Because("grant %d is for %s, which does not cover %s", p.ID, p.Object, g.Object)
	}
	for _, r := range g.Relations {
		if !has(p.Relations, r) {
			return errNotWithin.Because("grant %d is not for %s", p.ID, r)
		}
	}
	if g.NotBefore == 0 {
		g.NotBefore = p.NotBefore
	}
	if g.Expires == 0 {
		g.Expires = p.Expires
	}
	if g.NotBefore < p.NotBefore {
		return errNotWithin.Because("it would begin at %s, before grant %d at %s", g.NotBefore, p.ID, p.NotBefore)
	}
	if p.Expires != 0 && g.Expires > p.Expires {
		return errNotWithin.Because("it would expire at %s, after grant %d at %s", g.Expires, p.ID, p.Expires)
	}
	if !isPrefix(g.Object) {
		if _, err := find(c, g.Object); err != nil {
			return err
		}
	}
	above, err := standing(rows{c: c}, g.Object).from(p.ID)
	if err != nil {
		return err
	}
	if dead(above) {
		return errDead.Because("%s", above.reason)
	}
	if g.Root = p.Root; g.Root == 0 {
		g.Root = p.ID
	}
	return checkAllowed(c, *g)
}

// checkAllowed fails if the owner forbids the issuer of a grant what it is about to pass on. That
// would not hold (whyIssuer); but it would, without another word of the owner, once the
// forbid ended.
func checkAllowed(c *sdk.Ctx, g Grant) error {
	owner, _ := parsePattern(g.Object)
	if !isPrefix(g.Object) {
		o, _ := objects.Get(c, g.Object)
		owner = o.Owner
	}
	for _, relation := range g.Relations {
		w := newWalk(rows{c: c}, g.Object)
		w.relation, w.owner = relation, &Object{Owner: owner}
		if no := w.ban(g.Issuer); no.reason != "" {
			return errForbidden.Because("%s may not %s itself: %s", g.Issuer, relation, no.reason)
		}
	}
	return nil
}

// maxPassedOn is how many living grants a subject has at most on one name from below one of
// the owner's, however many hands they went through. So whom the owner lets pass something
// on can't fill up what a check of the subject may look at.
const maxPassedOn = 8

// makeRoom takes out of the way what the subject of a grant that is passed on has had
// on the same name and is over: so that does not pile up, and nobody needs to sweep. It fails if
// too much of it is alive.
func makeRoom(c *sdk.Ctx, g Grant) error {
	top, _ := grants.Get(c, g.Root)
	burials := maxLooked
	f := rows{c, &burials}
	w := standing(f, g.Object)
	alive, full := 0, false
	f.alive(place{g.Subject, g.Object, g.Since, top.IssuerEpoch, classChild}, func(id, root uint64) bool {
		above, err := w.top(root)
		if err == nil && !over(above.why) {
			above, err = w.from(id)
		}
		switch {
		case err != nil:
			full = true
			return false
		case over(above.why):
			f.over(id)
		case root == g.Root:
			alive++
		}
		return burials > 0
	})
	switch {
	case alive >= maxPassedOn:
		return errCrowded.Because("%s has %d living grants on %s from below grant %d, limit %d: one of them must end first", g.Subject, alive, g.Object, g.Root, maxPassedOn)
	case full && burials == maxLooked:
		// Where something was taken out, one more makes it no worse.
		return errCrowded.Because("%s has so many living grants on %s that were passed on: some must end first", g.Subject, g.Object)
	}
	return nil
}

// standing walks up chains that are asked to hold for a pattern, whatever the relation.
func standing(f facts, target string) *walk {
	w := newWalk(f, target)
	if !isPrefix(target) {
		o, ok := f.object(target)
		if ok {
			w.belongs(o)
		}
	}
	return w
}

// dead reports whether a chain can never hold again: only one that has not begun can.
func dead(c chain) bool { return c.why != "" && c.why != whyNotYet }

type revokeArgs struct {
	ID     uint64 `wire:"id" doc:"number of the grant"`
	Reason string `wire:",omitempty" doc:"why, for people"`
}

func revoke(c *sdk.Ctx, a revokeArgs) (sdk.None, error) {
	if err := checkReason(a.Reason); err != nil {
		return sdk.None{}, err
	}
	g, ok := grants.Get(c, a.ID)
	if !ok {
		return sdk.None{}, errNoGrant.Because("there is no grant %d", a.ID)
	}
	if !mayRevoke(c, g) {
		return sdk.None{}, errNotPermitted.Because("%s gave neither grant %d nor one above it, and does not own %s", c.Sender(), g.ID, g.Object)
	}
	if g.RevokedBy != nil {
		return sdk.None{}, errRevoked.Because("grant %d was revoked at height %d by %s", g.ID, g.RevokedAt, *g.RevokedBy)
	}
	by := c.Sender()
	g.RevokedBy, g.RevokedAt = &by, c.Height()
	grants.Set(c, g.ID, g)
	bury(c, g)
	revoked.Emit(c, revokedEvent{g.ID, by, g.Subject, g.Object, a.Reason})
	return sdk.None{}, nil
}

// mayRevoke reports whether the sender gave the grant or one above it, or owns what it
// is for.
func mayRevoke(c *sdk.Ctx, g Grant) bool {
	by := c.Sender()
	if isPrefix(g.Object) {
		if namespace, err := parsePattern(g.Object); err == nil && namespace == by {
			return true
		}
	} else if o, ok := objects.Get(c, g.Object); ok && o.Owner == by {
		return true
	}
	for range maxLinks {
		if g.Issuer == by {
			return true
		}
		if g.Parent == 0 {
			return false
		}
		g, _ = grants.Get(c, g.Parent)
	}
	return false
}

type epochArgs struct {
	Account sdk.Address `doc:"whose epoch"`
}

type epochResult struct {
	Epoch uint64 `doc:"how often the account ended all that it had granted"`
}

func bumpEpoch(c *sdk.Ctx, _ sdk.None) (epochResult, error) {
	by := c.Sender()
	n, _ := epochs.Get(c, by)
	n++
	epochs.Set(c, by, n)
	epochBumped.Emit(c, epochEvent{by, n})
	return epochResult{n}, nil
}

func epoch(c *sdk.Ctx, a epochArgs) (epochResult, error) {
	n, _ := epochs.Get(c, a.Account)
	return epochResult{n}, nil
}

// maxSweep is how many grants one sweep looks at: with 25 links each, the work of a
// few checks.
const maxSweep = 16

type sweepArgs struct {
	Grants []uint64 `doc:"numbers of grants that can never hold again, at most 16"`
}

type sweepResult struct {
	Swept uint64 `doc:"how many of them were in the way, and are not any more"`
}

func sweep(c *sdk.Ctx, a sweepArgs) (sweepResult, error) {
	var r sweepResult
	if len(a.Grants) > maxSweep {
		return r, errValue.Because("%d grants, limit %d", len(a.Grants), maxSweep)
	}
	for _, id := range a.Grants {
		g, ok := grants.Get(c, id)
		if !ok {
			return r, errNoGrant.Because("there is no grant %d", id)
		}
		above, err := standing(rows{c: c}, g.Object).from(g.ID)
		if err != nil {
			return r, err
		}
		if dead(above) && bury(c, g) {
			r.Swept++
		}
	}
	return r, nil
}

type grantStatus struct {
	Grant      Grant
	Holds      bool     `doc:"it and all above it hold now, forbids and devices aside"`
	Why        string   `wire:",omitempty" doc:"why not, as a word"`
	Reason     string   `wire:",omitempty" doc:"why not, as a sentence"`
	Path       []uint64 `doc:"it and those above it, from the owner's down; if it does not hold, from the one that does not"`
	ValidUntil sdk.Time `wire:",omitempty" doc:"the first moment at which time alone changes the answer; missing: it does not"`
}

func showGrant(c *sdk.Ctx, a grantID) (grantStatus, error) {
	g, ok := grants.Get(c, a.ID)
	if !ok {
		return grantStatus{}, errNoGrant.Because("there is no grant %d", a.ID)
	}
	above, err := standing(rows{c: c}, g.Object).from(g.ID)
	if err != nil {
		return grantStatus{}, err
	}
	until := above.turns
	if above.why == "" {
		until = above.expires
	}
	return grantStatus{g, above.why == "", above.why, above.reason, above.path, until}, nil
}

type grantsOnArgs struct {
	Object string `doc:"an object or prefix, as the grants were written"`
	After  []byte `wire:",omitempty" doc:"where the last page ended: its next"`
	Limit  uint32 `wire:",omitempty" doc:"how many at most; 20 if missing, never more than 50"`
}

type grantsOfArgs struct {
	Subject sdk.Address `doc:"who got them"`
	Object  string      `wire:",omitempty" doc:"only those for this object or prefix, as they were written; missing: all"`
	After   []byte      `wire:",omitempty" doc:"where the last page ended: its next"`
	Limit   uint32      `wire:",omitempty" doc:"how many at most; 20 if missing, never more than 50"`
}

type grantPage struct {
	Grants []Grant
	Next   []byte `wire:",omitempty" doc:"for the next page; missing on the last"`
}

func (p *grantPage) add(c *sdk.Ctx, id uint64) {
	g, ok := grants.Get(c, id)
	if !ok {
		panic("BUG: access: an index names a grant that is not there")
	}
	p.Grants = append(p.Grants, g)
}

func grantsOnView(c *sdk.Ctx, a grantsOnArgs) (page grantPage, err error) {
	if _, err := parsePattern(a.Object); err != nil {
		return page, err
	}
	list, next := grantsOn.Rows(a.Object).Page(c, a.After, pageSize(a.Limit))
	for _, row := range list {
		page.add(c, row.Key.ID)
	}
	page.Next = next
	return page, nil
}

func grantsOfView(c *sdk.Ctx, a grantsOfArgs) (page grantPage, err error) {
	all := grantsOf.Rows(a.Subject)
	if a.Object != "" {
		if _, err := parsePattern(a.Object); err != nil {
			return page, err
		}
		all = grantsOfOn.Rows(subjectObject{a.Subject, a.Object})
	}
	list, next := all.Page(c, a.After, pageSize(a.Limit))
	for _, row := range list {
		page.add(c, row.Key.ID)
	}
	page.Next = next
	return page, nil
}
