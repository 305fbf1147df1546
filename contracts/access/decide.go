package main

import (
	"slices"

	"github.com/wardledger/ward/sdk"
)

const (
	// maxRedelegate is how often a grant may be passed on at most: then a chain has 25
	// links, which is as far as a check follows one.
	maxRedelegate = 24
	maxLinks      = maxRedelegate + 1
	// maxLooked is how many grants one check reads, counting every link of every chain:
	// enough for dozens of paths, and a few milliseconds. Whoever has more says which
	// one counts.
	maxLooked = 64
	// forever is the end of a grant that has none, in the order of ends.
	forever sdk.Time = 1<<63 - 1
)

// facts is what a decision is made of. On the chain they are the contract's rows.
type facts interface {
	now() sdk.Time
	object(name string) (Object, bool)
	grant(id uint64) (Grant, bool)
	epoch(account sdk.Address) uint64
	forbid(owner sdk.Address, pattern string, subject sdk.Address) (Forbid, bool)
	// alive calls visit with the grants of a subject to a pattern that have not
	// expired, in an order that follows from the facts, until visit returns false.
	alive(subject sdk.Address, pattern string, of class, visit func(id uint64) bool)
	// late returns one grant that has expired or is dead, to say why not, if there is one.
	late(subject sdk.Address, pattern string, of class) (id uint64, ok bool)
}

// A Decision says whether, and why.
type Decision struct {
	Allowed    bool        `doc:"the subject may"`
	Subject    sdk.Address `doc:"who wants to"`
	Relation   string      `doc:"do what"`
	Object     string      `doc:"to what"`
	Why        string      `doc:"why or why not, as a word"`
	Reason     string      `doc:"why or why not, as a sentence"`
	Path       []uint64    `wire:",omitempty" doc:"the grants that it rests on, from the owner's down; if denied, the part of those that came closest, up to the one that does not hold"`
	ValidUntil sdk.Time    `wire:",omitempty" doc:"the first moment at which time alone may change the answer; missing: it does not"`
	At         sdk.Time    `doc:"the moment for which this is the answer"`
}

// Why, as a word.
const (
	whyOwner     = "owner"
	whyGrant     = "grant"
	whyUnknown   = "unknown_object"
	whyForbidden = "forbidden"
	whyNoGrant   = "no_grant"
	whySubject   = "other_subject"
	whyObject    = "other_object"
	whyRelation  = "other_relation"
	whyBroken    = "broken_chain"
	whyNotOwner  = "issuer_not_owner"
	whyEpoch     = "epoch"
	whyRevoked   = "revoked"
	whyExpired   = "expired"
	whyNotYet    = "not_yet"
)

// closeness orders why a chain does not hold, by what tells the asker most.
var closeness = []string{whyRelation, whyBroken, whyNotOwner, whyEpoch, whyRevoked, whyExpired, whyNotYet}

// question is what a decision is about; its names are valid. via is the grant to
// decide by, 0 for any.
type question struct {
	subject  sdk.Address
	relation string
	object   string
	via      uint64
}

func (d Decision) because(allowed bool, why, format string, args ...any) Decision {
	d.Allowed, d.Why, d.Reason = allowed, why, sdk.Text(format, args...)
	return d
}

// earlier is the earlier of two moments, of which 0 is no moment.
func earlier(a, b sdk.Time) sdk.Time {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// decide answers a question. The error is that too many grants would have to be looked
// at, which is neither an allow nor a deny.
func decide(f facts, q question) (Decision, error) {
	d := Decision{Subject: q.subject, Relation: q.relation, Object: q.object, At: f.now()}
	o, ok := f.object(q.object)
	if !ok {
		return d.because(false, whyUnknown, "no object %s is registered", q.object), nil
	}
	list := patterns(q.object)

	// Forbids first, because they beat everything. One that is still to come ends an allow.
	var forbidFrom sdk.Time
	for _, pattern := range list {
		no, ok := f.forbid(o.Owner, pattern, q.subject)
		if !ok || len(no.Relations) > 0 && !slices.Contains(no.Relations, q.relation) {
			continue
		}
		switch window(no.NotBefore, no.Expires, d.At) {
		case whyNotYet:
			forbidFrom = earlier(forbidFrom, no.NotBefore)
		case "":
			d.ValidUntil = no.Expires
			if no.Reason != "" {
				return d.because(false, whyForbidden, "the owner forbids it on %s: %s", pattern, no.Reason), nil
			}
			return d.because(false, whyForbidden, "the owner forbids it on %s", pattern), nil
		}
	}
	if q.subject == o.Owner {
		d.ValidUntil = forbidFrom
		return d.because(true, whyOwner, "the owner may do everything"), nil
	}

	w := walk{f: f, at: d.At, subject: q.subject, relation: q.relation, target: q.object}
	w.belongs(o)
	counts := len(list)
	if w.sold {
		counts = 1 // or the former owner, who still has the prefixes, could crowd out what the new one's people passed on
	}
	var best chain // the first of those that hold, or the closest of those that don't
	found := false
	try := func(id uint64) error {
		c, err := w.from(id)
		if err != nil {
			return err
		}
		if c.why == "" || !found || slices.Index(closeness, c.why) > slices.Index(closeness, best.why) {
			best = c
		}
		found = true
		d.ValidUntil = earlier(d.ValidUntil, c.turns)
		return nil
	}
	if q.via != 0 {
		if err := try(q.via); err != nil {
			return d, err
		}
	} else if err := w.all(list[:counts], list[counts:], func() bool { return found && best.why == "" }, try); err != nil {
		return d, err
	}

	switch {
	case !found:
		return d.because(false, whyNoGrant, "%s was granted nothing on it", q.subject), nil
	case best.why != "":
		d.Path = best.path
		return d.because(false, best.why, "%s", best.reason), nil
	}
	d.Path, d.ValidUntil = best.path, earlier(best.expires, forbidFrom)
	return d.because(true, whyGrant, "granted by the owner%s", passedOn(best.path)), nil
}

func passedOn(path []uint64) string {
	text := sdk.Text(" (grant %d)", path[0])
	for _, id := range path[1:] {
		text += sdk.Text(", passed on (grant %d)", id)
	}
	return text
}

// window says whether now is in [notBefore, expires): "", not_yet or expired.
func window(notBefore, expires, now sdk.Time) string {
	switch {
	case expires != 0 && now >= expires:
		return whyExpired
	case now < notBefore:
		return whyNotYet
	}
	return ""
}

// A walk follows chains of grants upwards, for one question.
type walk struct {
	f        facts
	at       sdk.Time
	subject  sdk.Address // zero: whoever it is
	relation string      // "": whichever it is
	target   string      // a pattern: what the chain must cover
	owner    *Object     // nil: who owns the target is not looked at
	sold     bool        // it is not the owner's whom its name starts with, so that no prefix counts
	looked   int
}

// belongs makes the walk look at who owns the target.
func (w *walk) belongs(o Object) {
	namespace, _ := parseObject(o.Object)
	w.owner, w.sold = &o, namespace != o.Owner
}

// A chain is what came of following one.
type chain struct {
	path        []uint64 // from the top down; if it does not hold, from the link that does not
	why, reason string   // why it does not hold, "" if it does
	expires     sdk.Time // the first end of its links, 0 if there is none
	turns       sdk.Time // if it does not hold: the moment from which it does unless somebody changes something, 0 if there is none
}

// read gets a grant, as far as the check's bound allows.
func (w *walk) read(id uint64) (Grant, bool, error) {
	if w.looked == maxLooked {
		return Grant{}, false, errTooMany.Because("more than %d grants would have to be looked at: name the one that counts with via", maxLooked)
	}
	w.looked++
	g, ok := w.f.grant(id)
	return g, ok, nil
}

// all tries the subject's grants on these patterns until enough of them were tried, and
// if they were not, a few more to say why not. Those on the idle patterns can't hold.
func (w *walk) all(patterns, idle []string, enough func() bool, try func(id uint64) error) error {
	var failed error
	for of := classRoot; of <= classChild; of++ {
		for _, pattern := range patterns {
			w.f.alive(w.subject, pattern, of, func(id uint64) bool {
				failed = try(id)
				return failed == nil && !enough()
			})
			if failed != nil || enough() {
				return failed
			}
		}
	}
	// A deny. What is over, or of no account, is only looked at to say so.
	say := func(id uint64) bool {
		if failed == nil && w.looked+maxLinks <= maxLooked {
			failed = try(id)
		}
		return false
	}
	for of := classRoot; of < classes; of++ {
		for _, pattern := range patterns {
			if id, ok := w.f.late(w.subject, pattern, of); ok {
				say(id)
			}
		}
		for _, pattern := range idle {
			w.f.alive(w.subject, pattern, of, say)
		}
	}
	return failed
}

// from follows the chain above a grant. Every link is asked the whole question, so that
// what a chain allows is what all its links allow, however any of them came to be written.
func (w *walk) from(id uint64) (chain, error) {
	var c chain
	var begins sdk.Time // the last beginning of the links
	no := func(why, format string, args ...any) (chain, error) {
		slices.Reverse(c.path)
		c.why, c.reason, c.turns = why, sdk.Text(format, args...), 0
		return c, nil
	}
	var below *Grant
	for {
		g, ok, err := w.read(id)
		if err != nil {
			return c, err
		}
		if !ok {
			return no(whyNoGrant, "there is no grant %d", id)
		}
		c.path = append(c.path, g.ID)
		switch {
		case below == nil && !w.subject.IsZero() && g.Subject != w.subject:
			return no(whySubject, "grant %d is %s's, not %s's", g.ID, g.Subject, w.subject)
		case below != nil && (below.Issuer != g.Subject || below.Redelegate >= g.Redelegate || len(c.path) > maxLinks):
			return no(whyBroken, "grant %d was not %s's to pass on as grant %d", g.ID, below.Issuer, below.ID)
		case w.relation != "" && !slices.Contains(g.Relations, w.relation):
			return no(whyRelation, "grant %d is not for %s", g.ID, w.relation)
		case !covers(g.Object, w.target):
			return no(whyObject, "grant %d is for %s", g.ID, g.Object)
		case g.RevokedBy != nil:
			return no(whyRevoked, "grant %d was revoked at height %d by %s", g.ID, g.RevokedAt, *g.RevokedBy)
		case g.IssuerEpoch != w.f.epoch(g.Issuer):
			return no(whyEpoch, "grant %d ended when %s ended all that it had granted", g.ID, g.Issuer)
		case window(g.NotBefore, g.Expires, w.at) == whyExpired:
			return no(whyExpired, "grant %d expired at %s", g.ID, g.Expires)
		case g.Parent == 0 && w.owner != nil && (g.Issuer != w.owner.Owner || g.ID < w.owner.Since):
			return no(whyNotOwner, "grant %d is of %s, from whom the object has gone to another owner", g.ID, g.Issuer)
		case w.sold && isPrefix(g.Object):
			return no(whyNotOwner, "grant %d is for %s, from whose owner the object has gone to another", g.ID, g.Object)
		}
		c.expires = earlier(c.expires, g.Expires)
		if g.NotBefore > w.at && g.NotBefore > begins {
			begins = g.NotBefore
			c.why, c.reason = whyNotYet, sdk.Text("grant %d begins at %s", g.ID, g.NotBefore)
		}
		if g.Parent == 0 {
			break
		}
		id, below = g.Parent, &g
	}
	slices.Reverse(c.path)
	if c.why != "" && (c.expires == 0 || begins < c.expires) {
		c.turns = begins
	}
	return c, nil
}
