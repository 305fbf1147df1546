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
	// maxLooked is how many grants one check reads, each once however many chains it is
	// a link of: enough for dozens of paths, and a few milliseconds. Whoever has more says
	// which one counts.
	maxLooked = 64
	// maxSaid is how many of the newest grants on one name a deny looks at for one that
	// would have allowed, to say what became of it.
	maxSaid = 16
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
	// alive calls visit with the candidates of a place that have not expired, in an order
	// that follows from the facts, until visit returns false.
	alive(at place, visit func(id, root uint64) bool)
	// newest calls visit with all that a subject was ever granted for a pattern, the newest
	// first, until visit returns false.
	newest(subject sdk.Address, pattern string, visit func(id uint64) bool)
	// over is told of a candidate that can never hold again, and may forget it.
	over(id uint64)
	// device says why a subject that is a device is not active; "" if it is active, or no
	// device. It is asked last, and only of who would be allowed: it costs more than the rest.
	device(subject sdk.Address) (whyNot string, err error)
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
	whyIssuer    = "issuer_forbidden"
	whyDevice    = "device_not_active"
)

// closeness orders why a chain does not hold, by what tells the asker most. What would
// have allowed and is over is equally close, whatever ended it: the newest says why.
func closeness(why string) int {
	switch why {
	case "":
		return 6
	case whyNotYet:
		return 5
	case whyIssuer:
		return 4
	case whyExpired, whyRevoked, whyEpoch:
		return 3
	case whyNotOwner:
		return 2 // or a former owner's newest would drown what the present one did
	case whyBroken:
		return 1
	}
	return 0
}

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

	w := newWalk(f, q.object)
	w.subject, w.relation = q.subject, q.relation
	w.belongs(o)

	// Forbids first, because they beat everything. One that is still to come ends an allow.
	no := w.ban(q.subject)
	if no.reason != "" {
		d.ValidUntil = no.ends
		return d.because(false, whyForbidden, "%s", no.reason), nil
	}
	d.ValidUntil = no.begins
	if q.subject == o.Owner {
		return d.unless(f, whyOwner, "the owner may do everything")
	}

	best := chain{why: whyNoGrant} // the first of those that hold, or the closest of those that don't
	var turns sdk.Time
	try := func(id uint64) (chain, error) {
		c, err := w.from(id)
		if err != nil {
			return c, err
		}
		if over(c.why) {
			f.over(id)
		}
		if best.why == whyNoGrant || c.why == "" || closer(c, best) {
			best = c
		}
		turns = earlier(turns, c.turns)
		return c, nil
	}
	var err error
	if q.via != 0 {
		_, err = try(q.via)
	} else {
		err = w.all(func() bool { return best.why == "" }, try)
	}
	switch {
	case err != nil:
		return d, err
	case best.why == "":
		d.Path, d.ValidUntil = best.path, earlier(best.expires, no.begins)
		return d.unless(f, whyGrant, "granted by the owner"+passedOn(best.path))
	}
	d.Path, d.ValidUntil = best.path, turns
	if len(best.path) == 0 && q.via == 0 {
		return d.because(false, whyNoGrant, "%s was granted nothing on it", q.subject), nil
	}
	return d.because(false, best.why, "%s", best.reason), nil
}

// unless is an allow, unless the subject is a device that is not active: that is nobody,
// whatever it was granted.
func (d Decision) unless(f facts, why, reason string) (Decision, error) {
	whyNot, err := f.device(d.Subject)
	if err != nil {
		return d, err
	}
	if whyNot != "" {
		d.Path, d.ValidUntil = nil, 0 // no device becomes active by time alone
		return d.because(false, whyDevice, "%s", whyNot), nil
	}
	return d.because(true, why, "%s", reason), nil
}

// closer reports whether one chain that does not hold tells the asker more than another.
func closer(a, b chain) bool {
	if x, y := closeness(a.why), closeness(b.why); x != y {
		return x > y
	}
	return a.leaf > b.leaf
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
	relation string      // "": whichever it is, and nobody's forbids are looked at
	target   string      // a pattern: what the chain must cover
	owner    *Object     // nil: who owns the target is not looked at
	sold     bool        // it is not the owner's whom its name starts with, so that no prefix counts
	looked   map[uint64]link
	tops     map[uint64]chain // what came of the owner's grants that others are below
	bans     map[sdk.Address]ban
}

func newWalk(f facts, target string) *walk {
	return &walk{f: f, at: f.now(), target: target, looked: map[uint64]link{}, tops: map[uint64]chain{}, bans: map[sdk.Address]ban{}}
}

// A link is a grant that was looked at, if there is one.
type link struct {
	grant Grant
	ok    bool
}

// belongs makes the walk look at who owns the target.
func (w *walk) belongs(o Object) {
	namespace, _ := parseObject(o.Object)
	w.owner, w.sold = &o, namespace != o.Owner
}

// A chain is what came of following one.
type chain struct {
	leaf        uint64   // the grant at its lower end
	path        []uint64 // from the top down; if it does not hold, from the link that does not
	why, reason string   // why it does not hold, "" if it does
	expires     sdk.Time // the first moment at which time ends it, if it holds; 0 if there is none
	turns       sdk.Time // if it does not hold: the moment from which it may unless somebody changes something, 0 if there is none
}

// read gets a grant, as far as the check's bound allows.
func (w *walk) read(id uint64) (Grant, bool, error) {
	l, seen := w.looked[id]
	if !seen {
		if len(w.looked) == maxLooked {
			return Grant{}, false, errTooMany.Because("more than %d grants would have to be looked at: name the one that counts with via", maxLooked)
		}
		l.grant, l.ok = w.f.grant(id)
		w.looked[id] = l
	}
	return l.grant, l.ok, nil
}

// A ban is what the owner's forbids say of somebody.
type ban struct {
	reason string   // why they may not now, "" if they may
	ends   sdk.Time // when the last of what forbids it now has ended, 0 if something never does
	begins sdk.Time // when the first of what is still to come begins, 0 if there is none
}

// ban looks at the forbids of the owner on everything that covers the object.
func (w *walk) ban(subject sdk.Address) ban {
	b, known := w.bans[subject]
	if known {
		return b
	}
	never := false
	for _, pattern := range patterns(w.target) {
		no, ok := w.f.forbid(w.owner.Owner, pattern, subject)
		if !ok || len(no.Relations) > 0 && !slices.Contains(no.Relations, w.relation) {
			continue
		}
		switch window(no.NotBefore, no.Expires, w.at) {
		case whyNotYet:
			b.begins = earlier(b.begins, no.NotBefore)
		case "":
			never = never || no.Expires == 0
			b.ends = max(b.ends, no.Expires)
			if b.reason == "" {
				b.reason = "the owner forbids it on " + pattern
				if no.Reason != "" {
					b.reason += ": " + no.Reason
				}
			}
		}
	}
	if never {
		b.ends = 0
	}
	w.bans[subject] = b
	return b
}

// all tries what the subject was granted until enough was tried, and if it was not, the
// newest of the rest to say why not.
func (w *walk) all(enough func() bool, try func(id uint64) (chain, error)) error {
	var failed error
	each := func(id, root uint64) bool {
		if root != 0 {
			// What is below a grant of the owner's that can't allow it, however much, can't either.
			top, err := w.top(root)
			if failed = err; err != nil || top.why != "" && top.why != whyNotYet {
				if over(top.why) {
					w.f.over(id)
				}
				return err == nil
			}
		}
		_, failed = try(id)
		return failed == nil && !enough()
	}
	names, epoch := patterns(w.target), w.f.epoch(w.owner.Owner)
	for of := classRoot; of <= classChild; of++ {
		for _, name := range names {
			at := place{w.subject, name, 0, epoch, of}
			if name == w.target {
				at.Since = w.owner.Since
			} else if w.sold {
				break // what the former owner gives on a prefix, however much, can't hold here
			}
			w.f.alive(at, each)
			if failed != nil || enough() {
				return failed
			}
		}
	}
	for _, name := range names {
		left := maxSaid
		w.f.newest(w.subject, name, func(id uint64) bool {
			if len(w.looked)+maxLinks > maxLooked {
				return false // a chain might not fit, and why not is not worth an error
			}
			var c chain
			c, failed = try(id)
			left--
			return failed == nil && left > 0 && !over(c.why)
		})
	}
	return failed
}

// top follows the chain of one of the owner's own grants, whoever's it is.
func (w *walk) top(root uint64) (chain, error) {
	c, known := w.tops[root]
	if known {
		return c, nil
	}
	up := *w
	up.subject = sdk.Address{}
	c, err := up.from(root)
	if err == nil {
		w.tops[root] = c
	}
	return c, err
}

// over reports whether a chain that does not hold for this reason never will, for
// whatever it is asked.
func over(why string) bool { return why == whyRevoked || why == whyEpoch || why == whyExpired }

// from follows the chain above a grant. Every link is asked the whole question, so that
// what a chain allows is what all its links allow, however any of them came to be written.
func (w *walk) from(id uint64) (chain, error) {
	c := chain{leaf: id}
	var begins sdk.Time // the last beginning of the links
	no := func(why, format string, args ...any) (chain, error) {
		slices.Reverse(c.path)
		c.why, c.reason, c.turns = why, sdk.Text(format, args...), 0
		return c, nil
	}
	var below *Grant
	var givers []sdk.Address // who passed it on
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
		if below != nil {
			givers = append(givers, g.Subject)
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
	return w.given(c, givers, begins), nil
}

// given ends the walk up a chain whose links all hold, or will from a moment on: nobody
// gives what the owner forbids them.
func (w *walk) given(c chain, givers []sdk.Address, begins sdk.Time) chain {
	turns, ends, never := begins, c.expires, false
	if w.relation != "" && w.owner != nil {
		for _, giver := range givers {
			b := w.ban(giver)
			if b.reason == "" {
				c.expires = earlier(c.expires, b.begins)
				continue
			}
			never = never || b.ends == 0
			turns = max(turns, b.ends)
			c.why, c.reason = whyIssuer, sdk.Text("%s passed it on: %s", giver, b.reason)
		}
	}
	if c.why != "" && !never && (ends == 0 || turns < ends) {
		c.turns = turns
	}
	return c
}
