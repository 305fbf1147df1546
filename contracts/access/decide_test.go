package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wardledger/ward/sdk"
)

// world is facts that a test made up, good ones and bad ones.
type world struct {
	at      sdk.Time
	objects map[string]Object
	grants  []Grant // grant n is at n-1
	epochs  map[sdk.Address]uint64
	forbids []Forbid
	idle    map[sdk.Address]bool // devices that are not active
}

var _ facts = (*world)(nil)

func (w *world) now() sdk.Time                    { return w.at }
func (w *world) epoch(account sdk.Address) uint64 { return w.epochs[account] }

func (w *world) object(name string) (Object, bool) {
	o, ok := w.objects[name]
	return o, ok
}

func (w *world) grant(id uint64) (Grant, bool) {
	if id == 0 || id > uint64(len(w.grants)) {
		return Grant{}, false
	}
	return w.grants[id-1], true
}

func (w *world) forbid(owner sdk.Address, pattern string, subject sdk.Address) (Forbid, bool) {
	for _, f := range w.forbids {
		if f.Owner == owner && f.Object == pattern && f.Subject == subject {
			return f, true
		}
	}
	return Forbid{}, false
}

// place is where the contract keeps a grant among the candidates.
func (w *world) place(g Grant) place {
	p := place{g.Subject, g.Object, 0, g.IssuerEpoch, classRoot}
	if !isPrefix(g.Object) {
		// What was given before the object came to its owner was given under another since.
		if o := w.objects[g.Object]; g.ID >= o.Since {
			p.Since = o.Since
		} else {
			p.Since = o.Since - 1
		}
	}
	if id := w.root(g); id != 0 {
		root, _ := w.grant(id)
		p.Class, p.Epoch = classChild, root.IssuerEpoch
	}
	return p
}

// root is the top of the chain above a grant, 0 if there is nothing above it. A chain that
// a bug has written may lead anywhere.
func (w *world) root(g Grant) (id uint64) {
	for range len(w.grants) {
		if g.Parent == 0 {
			break
		}
		id = g.Parent
		g, _ = w.grant(g.Parent)
	}
	return id
}

func (w *world) alive(at place, visit func(id, root uint64) bool) {
	var list []Grant
	for _, g := range w.grants {
		if w.place(g) == at && (g.Expires == 0 || g.Expires > w.at) {
			list = append(list, g)
		}
	}
	slices.SortStableFunc(list, func(a, b Grant) int {
		return cmp.Compare(uint64(a.Expires-1), uint64(b.Expires-1)) // 0, which is never, comes last
	})
	for _, g := range list {
		if !visit(g.ID, w.root(g)) {
			return
		}
	}
}

func (w *world) newest(subject sdk.Address, pattern string, visit func(id uint64) bool) {
	for _, g := range slices.Backward(w.grants) {
		if g.Subject == subject && g.Object == pattern && !visit(g.ID) {
			return
		}
	}
}

// over checks that what the contract forgets can't hold any more, whoever asks for what: not
// now, and not later by time alone.
func (w *world) over(id uint64) {
	g, _ := w.grant(id)
	then := *w
	for ; then.at <= horizon; then.at++ {
		for _, object := range things {
			for _, relation := range g.Relations {
				if then.gives(g, relation, object, maxLinks) {
					panic(fmt.Sprintf("grant %d is forgotten and holds at %d", g.ID, then.at))
				}
			}
		}
	}
}

func (w *world) device(subject sdk.Address) (string, error) {
	if w.idle[subject] {
		return "suspended", nil
	}
	return "", nil
}

// gives is what a grant gives, obviously: what it says itself, and its parent gives
// too, if it was its issuer's to pass on.
func (w *world) gives(g Grant, relation, object string, fuel int) bool {
	if fuel == 0 || g.RevokedBy != nil || g.IssuerEpoch != w.epochs[g.Issuer] ||
		w.at < g.NotBefore || g.Expires != 0 && w.at >= g.Expires || !slices.Contains(g.Relations, relation) {
		return false
	}
	prefix, below := strings.CutSuffix(g.Object, "*")
	if g.Object != object && !(below && strings.HasPrefix(object, prefix)) {
		return false
	}
	if below && !strings.HasPrefix(object, w.objects[object].Owner.String()+"/") {
		return false // a prefix is about what its address owns
	}
	if g.Parent == 0 {
		o := w.objects[object]
		return o.Owner == g.Issuer && g.ID >= o.Since
	}
	p, ok := w.grant(g.Parent)
	if ok && w.forbidden(p.Subject, relation, object) {
		return false // nobody gives what the owner forbids them
	}
	return ok && p.Subject == g.Issuer && g.Redelegate < p.Redelegate && w.gives(p, relation, object, fuel-1)
}

// forbidden: the owner's no, on the object or on a prefix above it.
func (w *world) forbidden(subject sdk.Address, relation, object string) bool {
	for _, f := range w.forbids {
		prefix, below := strings.CutSuffix(f.Object, "*")
		hit := f.Object == object || below && strings.HasPrefix(object, prefix)
		if f.Owner == w.objects[object].Owner && f.Subject == subject && hit && (len(f.Relations) == 0 || slices.Contains(f.Relations, relation)) &&
			w.at >= f.NotBefore && (f.Expires == 0 || w.at < f.Expires) {
			return true
		}
	}
	return false
}

// allowed is the rule, without care for cost or reasons.
func (w *world) allowed(q question) bool {
	o, ok := w.objects[q.object]
	if !ok {
		return false
	}
	if w.forbidden(q.subject, q.relation, q.object) || w.idle[q.subject] {
		return false
	}
	if q.subject == o.Owner {
		return true
	}
	for _, g := range w.grants {
		if g.Subject == q.subject && (q.via == 0 || q.via == g.ID) && w.gives(g, q.relation, q.object, maxLinks) {
			return true
		}
	}
	return false
}

var people = []sdk.Address{{1}, {2}, {3}, {4}}

// names in the world: a few objects of two owners, and what covers them.
var (
	things = []string{
		people[0].String() + "/a", people[0].String() + "/a/b", people[0].String() + "/a/c", people[0].String() + "/ab", people[1].String() + "/a",
	}
	covering = append(slices.Clone(things),
		people[0].String()+"/*", people[0].String()+"/a/*", people[1].String()+"/*", people[0].String()+"/a/b/*")
)

// horizon is how long time runs in the world.
const horizon = 12

func anyTime() *rapid.Generator[sdk.Time] {
	return rapid.Map(rapid.IntRange(0, horizon), func(n int) sdk.Time { return sdk.Time(n) })
}

func anyWorld(t *rapid.T) *world {
	someone := rapid.SampledFrom(people)
	relations := rapid.SampledFrom([][]string{{"open"}, {"open", "see"}, {"see"}})
	w := &world{objects: map[string]Object{}, epochs: map[sdk.Address]uint64{}}
	for _, name := range things {
		if rapid.IntRange(0, 9).Draw(t, "registered") > 0 {
			o := Object{Object: name, Owner: people[0]}
			if strings.HasPrefix(name, people[1].String()) {
				o.Owner = people[1]
			}
			if rapid.IntRange(0, 3).Draw(t, "transferred") == 0 {
				o.Owner, o.Since = someone.Draw(t, "owner"), uint64(rapid.IntRange(0, 4).Draw(t, "since"))
			}
			w.objects[name] = o
		}
	}
	if rapid.IntRange(0, 2).Draw(t, "bumped") == 0 {
		w.epochs[someone.Draw(t, "who")] = 1
	}
	for i := range rapid.IntRange(0, 9).Draw(t, "grants") {
		g := Grant{
			ID: uint64(i + 1), Issuer: someone.Draw(t, "issuer"), Subject: someone.Draw(t, "subject"),
			Object: rapid.SampledFrom(covering).Draw(t, "object"), Relations: relations.Draw(t, "relations"),
			Redelegate: uint8(rapid.IntRange(0, 3).Draw(t, "n")),
		}
		if rapid.Bool().Draw(t, "window") {
			g.NotBefore, g.Expires = anyTime().Draw(t, "from"), anyTime().Draw(t, "until")
		}
		// Mostly what the contract would have written, so that chains hold; sometimes
		// what only a bug would.
		if i > 0 && rapid.IntRange(0, 2).Draw(t, "child") > 0 {
			p := w.grants[rapid.IntRange(0, i-1).Draw(t, "parent")]
			g.Parent = p.ID
			if rapid.IntRange(0, 4).Draw(t, "issuer bug") > 0 {
				g.Issuer = p.Subject
			}
			if rapid.IntRange(0, 3).Draw(t, "same object") > 0 {
				g.Object, g.Relations = p.Object, p.Relations
			}
			if rapid.IntRange(0, 4).Draw(t, "redelegate bug") > 0 {
				g.Redelegate = min(g.Redelegate, max(p.Redelegate, 1)-1)
			}
		} else if rapid.IntRange(0, 4).Draw(t, "bug") > 0 {
			g.Issuer = people[0]
		}
		if rapid.IntRange(0, 9).Draw(t, "loop") == 0 {
			g.Parent = uint64(rapid.IntRange(1, 9).Draw(t, "parent"))
		}
		if rapid.IntRange(0, 9).Draw(t, "revoked") == 0 {
			g.RevokedBy = &people[0]
		}
		if g.IssuerEpoch = w.epochs[g.Issuer]; rapid.IntRange(0, 9).Draw(t, "epoch") == 0 {
			g.IssuerEpoch = 1 - g.IssuerEpoch
		}
		w.grants = append(w.grants, g)
	}
	for range rapid.IntRange(0, 4).Draw(t, "forbids") {
		f := Forbid{Owner: people[max(rapid.IntRange(-3, 3).Draw(t, "owner"), 0)], Subject: someone.Draw(t, "subject"), Object: rapid.SampledFrom(covering).Draw(t, "object")}
		if rapid.Bool().Draw(t, "one relation") {
			f.Relations = []string{"open"}
		}
		if rapid.Bool().Draw(t, "window") {
			f.NotBefore, f.Expires = anyTime().Draw(t, "from"), anyTime().Draw(t, "until")
		}
		if _, ok := w.forbid(f.Owner, f.Object, f.Subject); !ok {
			w.forbids = append(w.forbids, f)
		}
	}
	if rapid.IntRange(0, 9).Draw(t, "suspended") == 0 {
		w.idle = map[sdk.Address]bool{someone.Draw(t, "device"): true}
	}
	return w
}

// TestDecide compares the decision with the rule, in worlds that hold bad rows too; and
// what it says of itself is true: the path gives the right, and nothing changes before
// valid_until by time alone.
func TestDecide(t *testing.T) {
	var allows, denies int
	for range 30 { // rare coincidences are what this is about, and a hundred worlds take 15 ms
		rapid.Check(t, func(t *rapid.T) { decideIn(t, &allows, &denies) })
	}
	if allows < 3000 || denies < 3000 {
		t.Errorf("%d allows and %d denies: the worlds are too much alike", allows, denies)
	}
}

func decideIn(t *rapid.T, allows, denies *int) {
	w := anyWorld(t)
	q := question{
		subject: rapid.SampledFrom(people).Draw(t, "who"), object: rapid.SampledFrom(things).Draw(t, "what"),
		relation: rapid.SampledFrom([]string{"open", "see"}).Draw(t, "relation"),
	}
	if len(w.grants) > 0 && rapid.IntRange(0, 3).Draw(t, "of a grant") > 0 { // or hardly anybody may anything
		g := w.grants[rapid.IntRange(0, len(w.grants)-1).Draw(t, "grant")]
		q.subject, q.relation = g.Subject, g.Relations[0]
		for _, name := range things {
			if covers(g.Object, name) {
				q.object = name
			}
		}
		if rapid.Bool().Draw(t, "named") {
			q.via = g.ID
		}
	} else if rapid.IntRange(0, 3).Draw(t, "named") == 0 {
		q.via = uint64(rapid.IntRange(1, 10).Draw(t, "via"))
	}
	for w.at = 0; w.at <= horizon; w.at++ {
		d, err := decide(w, q)
		if err != nil {
			t.Fatal(err)
		}
		if want := w.allowed(q); d.Allowed != want {
			t.Fatalf("at %d: %+v, the rule says %v", w.at, d, want)
		}
		if d.Allowed {
			*allows++
		} else {
			*denies++
		}
		if d.Why == "" || d.Reason == "" || d.At != w.at {
			t.Fatalf("%+v says too little", d)
		}
		if d.Why == whyGrant {
			for i, id := range d.Path {
				g, _ := w.grant(id)
				if i == 0 && g.Parent != 0 || i > 0 && g.Parent != d.Path[i-1] || i == len(d.Path)-1 && g.Subject != q.subject {
					t.Fatalf("%+v: not a chain", d)
				}
			}
		}
		if d.ValidUntil != 0 && d.ValidUntil <= w.at {
			t.Fatalf("%+v is over already", d)
		}
		if q.via != 0 && d.Why == whyNotYet && d.ValidUntil != 0 {
			then := *w
			then.at = d.ValidUntil
			if d, _ := decide(&then, q); !d.Allowed && d.Why != whyForbidden && d.Why != whyIssuer && d.Why != whyDevice {
				t.Fatalf("%+v at the moment that was said to turn it", d)
			}
		}
		for later := w.at + 1; later <= horizon && (d.ValidUntil == 0 || later < d.ValidUntil); later++ {
			then := *w
			then.at = later
			if then.allowed(q) != d.Allowed {
				t.Fatalf("%+v, and not any more at %d", d, later)
			}
		}
	}
}

// C's own grant says always because of an old bug, and its parent's window has passed:
// still deny. So for every bound of the parent.
func TestIntersection(t *testing.T) {
	a, b, c := people[0], people[1], people[2]
	door := a.String() + "/door"
	wide := []string{"open", "configure"}
	for why, change := range map[string]func(parent, child *Grant){
		whyGrant:    func(p, g *Grant) {},
		whyExpired:  func(p, g *Grant) { p.Expires = 18 },
		whyNotYet:   func(p, g *Grant) { p.NotBefore = 20 },
		whyRelation: func(p, g *Grant) { p.Relations = []string{"configure"} },
		whyObject:   func(p, g *Grant) { p.Object = a.String() + "/window" },
		whyBroken:   func(p, g *Grant) { g.Redelegate = p.Redelegate },
		whyEpoch:    func(p, g *Grant) { p.IssuerEpoch = 1 },
		whyRevoked:  func(p, g *Grant) { p.RevokedBy = &a },
		whyNotOwner: func(p, g *Grant) { p.Issuer = c },
		whyNoGrant:  func(p, g *Grant) { g.Parent = 9 },
	} {
		parent := Grant{ID: 1, Issuer: a, Subject: b, Object: a.String() + "/*", Relations: wide, Redelegate: 1}
		child := Grant{ID: 2, Issuer: b, Subject: c, Object: a.String() + "/*", Relations: wide, Parent: 1}
		change(&parent, &child)
		w := &world{at: 19, objects: map[string]Object{door: {Object: door, Owner: a}}, grants: []Grant{parent, child}}
		d, err := decide(w, question{subject: c, relation: "open", object: door})
		if err != nil || d.Why != why || d.Allowed != (why == whyGrant) {
			t.Errorf("%s: %+v, %v", why, d, err)
		}
	}
	// Someone else's link in the chain.
	stolen := Grant{ID: 2, Issuer: people[3], Subject: c, Object: door, Relations: wide, Parent: 1}
	w := &world{objects: map[string]Object{door: {Object: door, Owner: a}},
		grants: []Grant{{ID: 1, Issuer: a, Subject: b, Object: door, Relations: wide, Redelegate: 1}, stolen}}
	if d, err := decide(w, question{subject: c, relation: "open", object: door}); err != nil || d.Why != whyBroken {
		t.Errorf("%+v, %v", d, err)
	}
}

// A chain that leads into itself, which only a bug could write, ends.
func TestLoop(t *testing.T) {
	a, c := people[0], people[2]
	door := a.String() + "/door"
	g := Grant{ID: 1, Issuer: c, Subject: c, Object: door, Relations: []string{"open"}, Redelegate: 1, Parent: 1}
	w := &world{objects: map[string]Object{door: {Object: door, Owner: a}}, grants: []Grant{g}}
	d, err := decide(w, question{subject: c, relation: "open", object: door})
	if err != nil || d.Allowed || d.Why != whyBroken {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		outer, inner string
		want         bool
	}{
		{"x/a", "x/a", true}, {"x/a", "x/a/b", false}, {"x/a", "x/a/*", false},
		{"x/a/*", "x/a/b", true}, {"x/a/*", "x/a/b/c", true}, {"x/a/*", "x/a/b/*", true}, {"x/a/*", "x/a/*", true},
		{"x/a/*", "x/a", false}, {"x/a/*", "x/ab", false}, {"x/a/*", "x/*", false}, {"x/*", "x/a", true}, {"x/*", "xy/a", false},
	} {
		if got := covers(c.outer, c.inner); got != c.want {
			t.Errorf("covers(%q, %q) = %v", c.outer, c.inner, got)
		}
	}
	name := people[0].String() + "/a/b/c"
	want := []string{name, people[0].String() + "/a/b/*", people[0].String() + "/a/*", people[0].String() + "/*"}
	if got := patterns(name); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	for _, p := range patterns(name) {
		if !covers(p, name) {
			t.Errorf("%q does not cover %q", p, name)
		}
		if _, err := parsePattern(p); err != nil {
			t.Error(err)
		}
	}
}
