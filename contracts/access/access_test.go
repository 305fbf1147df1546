package main

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/sdktest"
	"github.com/wardledger/ward/sdk/specdoc"
)

var update = flag.Bool("update", false, "write the tables of README.md")

// house is a chain with the contract, on which A owns a door, and B, C and D may become
// something.
type house struct {
	*sdktest.Chain
	t          *testing.T
	a, b, c, d *sdktest.Key
	door       string
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, Chain: sdktest.New(t, sdktest.Contract{Dir: "."})}
	h.a, h.b, h.c, h.d = h.Account("a"), h.Account("b"), h.Account("c"), h.Account("d")
	h.door = h.register(h.a, "house/front-door")
	return h
}

func (h *house) register(by *sdktest.Key, name string) string {
	h.t.Helper()
	var r objectArgs
	h.Call(by, "access", "register", registerArgs{name}).OK().Emitted("registered").Result(&r)
	return r.Object
}

func (h *house) grant(by *sdktest.Key, g grantArgs) uint64 {
	h.t.Helper()
	var r grantID
	h.Call(by, "access", "grant", g).OK().Emitted("granted").Result(&r)
	return r.ID
}

// open is a grant to open the door.
func (h *house) open(to *sdktest.Key) grantArgs {
	return grantArgs{Subject: to.Address(), Object: h.door, Relations: []string{"open"}}
}

func (h *house) check(who *sdktest.Key, relation, object string) Decision {
	h.t.Helper()
	var d Decision
	h.View("access", "check", checkArgs{Subject: who.Address(), Relation: relation, Object: object}).OK().Result(&d)
	return d
}

// may says that a subject may open the door, by the view and by its own use, because
// of these grants.
func (h *house) may(who *sdktest.Key, path ...uint64) Decision {
	h.t.Helper()
	d := h.check(who, "open", h.door)
	if !d.Allowed || fmt.Sprint(d.Path) != fmt.Sprint(path) {
		h.t.Errorf("%s: %+v, want allowed by %d", who, d, path)
	}
	h.sameByUse(who, d)
	return d
}

// mayNot says that a subject may not open the door, and why not.
func (h *house) mayNot(who *sdktest.Key, why string) Decision {
	h.t.Helper()
	d := h.check(who, "open", h.door)
	if d.Allowed || d.Why != why {
		h.t.Errorf("%s: %+v, want %s", who, d, why)
	}
	h.sameByUse(who, d)
	return d
}

func (h *house) sameByUse(who *sdktest.Key, d Decision) {
	h.t.Helper()
	var used Decision
	r := h.Call(who, "access", "use", useArgs{Relation: d.Relation, Object: d.Object}).OK().Result(&used)
	if fmt.Sprint(used) != fmt.Sprint(d) {
		h.t.Errorf("%s uses: %+v, the view said %+v", who, used, d)
	}
	name := "denied"
	if d.Allowed {
		name = "allowed"
	}
	var e usedEvent
	r.Emitted(name).Event(name).Decode(&e)
	if fmt.Sprint(e) != fmt.Sprint(usedEvent{d.Subject, d.Relation, d.Object, d.Why, d.Reason, d.Path, d.ValidUntil}) {
		h.t.Errorf("%s: the event says %+v, the answer %+v", who, e, d)
	}
}

func TestReadme(t *testing.T) {
	if err := specdoc.Check("README.md", sdktest.Build(t, ".").Spec, *update); err != nil {
		t.Error(err)
	}
}

// A grants B with n=1, B grants C with n=0, C's grant to D is refused; revoking A's
// grant denies C at once without touching C's.
func TestDelegation(t *testing.T) {
	h := newHouse(t)
	h.mayNot(h.b, whyNoGrant)
	g := h.open(h.b)
	g.Redelegate = 1
	first := h.grant(h.a, g)
	h.may(h.b, first)
	h.mayNot(h.c, whyNoGrant)

	g = h.open(h.c)
	g.Parent = first
	second := h.grant(h.b, g)
	if d := h.may(h.c, first, second); d.Reason != "granted by the owner (grant 1), passed on (grant 2)" {
		t.Error(d.Reason)
	}
	g = h.open(h.d)
	g.Parent = second
	h.Call(h.c, "access", "grant", g).Failed("not_within_parent").Because("grant 2 may not be passed on")
	h.mayNot(h.d, whyNoGrant)

	before := h.showGrant(second)
	h.Call(h.a, "access", "revoke", revokeArgs{ID: first, Reason: "gone"}).OK().Emitted("revoked")
	h.mayNot(h.b, whyRevoked)
	if d := h.mayNot(h.c, whyRevoked); d.Reason != "grant 1 was revoked at height "+fmt.Sprint(h.showGrant(first).Grant.RevokedAt)+" by "+h.a.Address().String() {
		t.Error(d.Reason)
	}
	after := h.showGrant(second)
	if fmt.Sprint(before.Grant) != fmt.Sprint(after.Grant) {
		t.Errorf("C's grant was touched: %+v, then %+v", before.Grant, after.Grant)
	}
	if !before.Holds || after.Holds || after.Why != whyRevoked {
		t.Errorf("%+v, then %+v", before, after)
	}

	// A revoked id never returns, and nothing can be passed on from it.
	h.Call(h.a, "access", "revoke", revokeArgs{ID: first}).Failed("already_revoked")
	g = h.open(h.d)
	g.Parent = first
	h.Call(h.b, "access", "grant", g).Failed("dead_parent")
	if third := h.grant(h.a, h.open(h.d)); third != 3 {
		t.Errorf("grant %d, want 3", third)
	}
}

func (h *house) showGrant(id uint64) grantStatus {
	h.t.Helper()
	var s grantStatus
	h.View("access", "show_grant", grantID{id}).OK().Result(&s)
	return s
}

// At expires deny, one second before allow; before not_before deny, at it allow; and
// a child ends with its parent. The answer says when it changes.
func TestWindow(t *testing.T) {
	h := newHouse(t)
	start := h.Now()
	g := h.open(h.b)
	g.NotBefore, g.Expires, g.Redelegate = start+100, start+200, 1
	first := h.grant(h.a, g)
	g = h.open(h.c)
	g.Parent = first
	second := h.grant(h.b, g) // takes its parent's window
	if got := h.showGrant(second).Grant; got.NotBefore != start+100 || got.Expires != start+200 {
		t.Errorf("%+v", got)
	}
	for _, c := range []struct {
		at    sdk.Time
		why   string
		until sdk.Time
	}{
		{start, whyNotYet, start + 100},
		{start + 99, whyNotYet, start + 100},
		{start + 100, "", start + 200},
		{start + 199, "", start + 200},
		{start + 200, whyExpired, 0},
		{start + 5000, whyExpired, 0},
	} {
		h.SetTime(c.at)
		for who, path := range map[*sdktest.Key][]uint64{h.b: {first}, h.c: {first, second}} {
			var d Decision
			if c.why == "" {
				d = h.may(who, path...)
			} else {
				d = h.mayNot(who, c.why)
			}
			if d.ValidUntil != c.until || d.At != c.at {
				t.Errorf("%s at %s: %+v, want valid until %s", who, c.at, d, c.until)
			}
		}
	}
}

// B's window is 08-18 and C asks at 19:00: deny, also where C's own grant could say
// more (see TestIntersection, where a bug has written one that does).
func TestChildIsWithin(t *testing.T) {
	h := newHouse(t)
	now := h.Now()
	site := h.a.Address().String() + "/house/*"
	g := grantArgs{Subject: h.b.Address(), Object: site, Relations: []string{"open", "inspect"}, NotBefore: now + 10, Expires: now + 100, Redelegate: 2}
	parent := h.grant(h.a, g)
	child := grantArgs{Subject: h.c.Address(), Object: h.door, Relations: []string{"open"}, NotBefore: now + 20, Expires: now + 90, Redelegate: 1, Parent: parent}
	for why, change := range map[string]func(*grantArgs){
		"redelegate is 2, and must be less than the 2": func(g *grantArgs) { g.Redelegate = 2 },
		"is not for drive":  func(g *grantArgs) { g.Relations = []string{"drive", "open"} },
		"before grant 1 at": func(g *grantArgs) { g.NotBefore = now + 9 },
		"after grant 1 at":  func(g *grantArgs) { g.Expires = now + 101 },
		"does not cover":    func(g *grantArgs) { g.Object = h.a.Address().String() + "/*" },
	} {
		bad := child
		change(&bad)
		h.Call(h.b, "access", "grant", bad).Failed("not_within_parent").Because(why)
	}
	other := child
	other.Object = h.register(h.a, "garage")
	h.Call(h.b, "access", "grant", other).Failed("not_within_parent").Because("does not cover")
	h.Call(h.c, "access", "grant", child).Failed("not_permitted").Because("can't pass it on")
	missing := child
	missing.Parent = 99
	h.Call(h.b, "access", "grant", missing).Failed("unknown_grant")
	nothing := child
	nothing.Object = h.a.Address().String() + "/house/nothing"
	h.Call(h.b, "access", "grant", nothing).Failed("unknown_object")

	id := h.grant(h.b, child)
	h.SetTime(now + 89)
	h.may(h.c, parent, id)
	h.SetTime(now + 90)
	h.mayNot(h.c, whyExpired)
	// Another door below the same prefix is B's, not C's.
	back := h.register(h.a, "house/back-door")
	if d := h.check(h.b, "inspect", back); !d.Allowed {
		t.Errorf("%+v", d)
	}
	if d := h.check(h.c, "open", back); d.Allowed || d.Why != whyNoGrant {
		t.Errorf("%+v", d)
	}
	if d := h.check(h.b, "drive", back); d.Allowed || d.Why != whyRelation {
		t.Errorf("%+v", d)
	}
}

// Two parents, one revoked: the other path still allows.
func TestTwoPaths(t *testing.T) {
	h := newHouse(t)
	g := h.open(h.b)
	g.Redelegate = 1
	one, two := h.grant(h.a, g), h.grant(h.a, g)
	g = h.open(h.c)
	g.Parent = one
	viaOne := h.grant(h.b, g)
	g.Parent = two
	viaTwo := h.grant(h.b, g)
	h.may(h.c, one, viaOne)
	h.Call(h.a, "access", "revoke", revokeArgs{ID: one}).OK()
	h.may(h.c, two, viaTwo)
	h.may(h.b, two)
	h.Call(h.a, "access", "revoke", revokeArgs{ID: two}).OK()
	h.mayNot(h.c, whyRevoked)
	h.mayNot(h.b, whyRevoked)
}

// An epoch bump of A kills B and C; a grant under the new epoch works.
func TestEpoch(t *testing.T) {
	h := newHouse(t)
	g := h.open(h.b)
	g.Redelegate = 1
	first := h.grant(h.a, g)
	g = h.open(h.c)
	g.Parent = first
	second := h.grant(h.b, g)
	h.may(h.b, first)
	h.may(h.c, first, second)
	// A forbid is a no: it stays, or a thief's bump would open doors.
	h.Call(h.a, "access", "forbid", forbidArgs{Subject: h.d.Address(), Object: h.door}).OK()

	var e epochResult
	h.Call(h.a, "access", "bump_epoch", nil).OK().Emitted("epoch_bumped").Result(&e)
	if e.Epoch != 1 {
		t.Errorf("epoch %d, want 1", e.Epoch)
	}
	h.mayNot(h.b, whyEpoch)
	h.mayNot(h.c, whyEpoch)
	h.mayNot(h.d, whyForbidden)

	g = h.open(h.b)
	g.Redelegate = 1
	third := h.grant(h.a, g)
	h.may(h.b, third)
	h.mayNot(h.c, whyEpoch) // its own link still hangs on the first
	g = h.open(h.c)
	g.Parent = third
	fourth := h.grant(h.b, g)
	h.may(h.c, third, fourth)
	// The bump of one in the middle ends what they passed on, not what they have.
	h.Call(h.b, "access", "bump_epoch", nil).OK()
	h.may(h.b, third)
	h.mayNot(h.c, whyEpoch)
	h.View("access", "epoch", epochArgs{h.b.Address()}).OK().Result(&e)
	if e.Epoch != 1 {
		t.Errorf("epoch %d, want 1", e.Epoch)
	}
}

// A forbid beats every allow, on the object and on any prefix above it, until it is
// lifted or ends.
func TestForbid(t *testing.T) {
	h := newHouse(t)
	id := h.grant(h.a, h.open(h.b))
	now := h.Now()
	site := h.a.Address().String() + "/*"
	for _, pattern := range []string{h.door, h.a.Address().String() + "/house/*", site} {
		h.Call(h.a, "access", "forbid", forbidArgs{Subject: h.b.Address(), Object: pattern, Reason: "alarm"}).OK().Emitted("forbidden")
		if d := h.mayNot(h.b, whyForbidden); d.Reason != "the owner forbids it on "+pattern+": alarm" {
			t.Error(d.Reason)
		}
		h.Call(h.a, "access", "unforbid", unforbidArgs{h.b.Address(), pattern}).OK().Emitted("unforbidden")
		h.may(h.b, id)
	}
	h.Call(h.a, "access", "unforbid", unforbidArgs{h.b.Address(), site}).Failed("unknown_forbid")

	// Other relations, other subjects, other objects: not meant.
	h.Call(h.a, "access", "forbid", forbidArgs{Subject: h.b.Address(), Object: h.door, Relations: []string{"configure"}}).OK()
	h.may(h.b, id)
	h.Call(h.a, "access", "forbid", forbidArgs{Subject: h.c.Address(), Object: h.door}).OK()
	h.may(h.b, id)
	h.Call(h.a, "access", "forbid", forbidArgs{Subject: h.b.Address(), Object: h.a.Address().String() + "/house/front-door/*"}).OK()
	h.may(h.b, id)

	// With a window; the allow says when it will end, the deny when it may.
	h.Call(h.a, "access", "forbid", forbidArgs{Subject: h.b.Address(), Object: h.door, NotBefore: now + 10, Expires: now + 20}).OK()
	if d := h.may(h.b, id); d.ValidUntil != now+10 {
		t.Errorf("%+v", d)
	}
	h.SetTime(now + 10)
	if d := h.mayNot(h.b, whyForbidden); d.ValidUntil != now+20 {
		t.Errorf("%+v", d)
	}
	h.SetTime(now + 20)
	h.may(h.b, id)

	// Only the owner writes forbids.
	h.Call(h.b, "access", "forbid", forbidArgs{Subject: h.c.Address(), Object: h.door}).Failed("not_permitted")
	h.Call(h.b, "access", "forbid", forbidArgs{Subject: h.c.Address(), Object: site}).Failed("not_permitted")
	var page forbidPage
	if h.View("access", "forbids_by", ownerPageArgs{Owner: h.a.Address()}).OK().Result(&page); len(page.Forbids) != 3 {
		t.Errorf("%+v", page)
	}
}

// A root grant is only the owner's to give, and holds only while they own the object.
func TestOwnership(t *testing.T) {
	h := newHouse(t)
	if d := h.may(h.a); d.Why != whyOwner {
		t.Errorf("%+v", d)
	}
	h.Call(h.b, "access", "grant", h.open(h.c)).Failed("not_permitted").Because("does not own")
	everything := grantArgs{Subject: h.c.Address(), Object: h.a.Address().String() + "/*", Relations: []string{"open"}}
	h.Call(h.b, "access", "grant", everything).Failed("not_permitted").Because("does not own what lies below")
	exact, prefix := h.grant(h.a, h.open(h.b)), h.grant(h.a, everything)
	h.may(h.b, exact)
	h.may(h.c, prefix)

	// Both have to agree to a new owner.
	h.Call(h.b, "access", "transfer", transferArgs{h.door, h.b.Address()}).Failed("not_permitted")
	h.Call(h.d, "access", "accept", objectArgs{h.door}).Failed("not_offered")
	h.Call(h.a, "access", "transfer", transferArgs{h.door, h.c.Address()}).OK().Emitted("offered")
	h.Call(h.d, "access", "accept", objectArgs{h.door}).Failed("not_offered")
	h.Call(h.a, "access", "transfer", transferArgs{h.door, h.a.Address()}).OK() // nobody, after all
	h.Call(h.c, "access", "accept", objectArgs{h.door}).Failed("not_offered")
	h.Call(h.a, "access", "transfer", transferArgs{h.door, h.d.Address()}).OK()
	h.may(h.b, exact)
	h.Call(h.d, "access", "accept", objectArgs{h.door}).OK().Emitted("transferred")

	h.mayNot(h.a, whyNoGrant)
	h.mayNot(h.b, whyNotOwner)
	h.mayNot(h.c, whyNotOwner)
	if d := h.may(h.d); d.Why != whyOwner {
		t.Errorf("%+v", d)
	}
	h.Call(h.a, "access", "grant", h.open(h.b)).Failed("not_permitted")
	h.Call(h.a, "access", "forbid", forbidArgs{Subject: h.d.Address(), Object: h.a.Address().String() + "/*"}).OK()
	h.may(h.d) // A's no is about what A owns
	fresh := h.grant(h.d, h.open(h.b))
	h.may(h.b, fresh)

	// The object comes back, the old grants don't; new ones of both kinds hold.
	h.Call(h.d, "access", "transfer", transferArgs{h.door, h.a.Address()}).OK()
	h.Call(h.a, "access", "accept", objectArgs{h.door}).OK()
	h.mayNot(h.b, whyNotOwner)
	h.mayNot(h.c, whyNotOwner)
	again := h.grant(h.a, everything)
	h.may(h.c, again)

	var o Object
	if h.View("access", "object", objectArgs{h.door}).OK().Result(&o); o.Owner != h.a.Address() || o.OfferedTo != nil || o.Since == 0 {
		t.Errorf("%+v", o)
	}
	for who, want := range map[*sdktest.Key]int{h.a: 1, h.d: 0} {
		var page objectPage
		if h.View("access", "objects", ownerPageArgs{Owner: who.Address()}).OK().Result(&page); len(page.Objects) != want {
			t.Errorf("%s owns %d objects, want %d", who, len(page.Objects), want)
		}
	}
}

// Nobody squats: a name starts with the address of who registers it.
func TestRegister(t *testing.T) {
	h := newHouse(t)
	if want := h.a.Address().String() + "/house/front-door"; h.door != want {
		t.Errorf("%s, want %s", h.door, want)
	}
	h.Call(h.a, "access", "register", registerArgs{"house/front-door"}).Failed("already_registered")
	if other := h.register(h.b, "house/front-door"); other == h.door {
		t.Error("two owners have one object")
	}
	long := strings.Repeat("a", 32)
	h.register(h.a, strings.Join([]string{long, long, strings.Repeat("a", 30)}, "/")) // 96 bytes
	for name, why := range map[string]string{
		"":                  "the path is 0 bytes",
		"/door":             "a part of 0 bytes",
		"door/":             "a part of 0 bytes",
		"a//b":              "a part of 0 bytes",
		"Door":              "lower-case letters",
		"dör":               "lower-case letters",
		"-door":             "lower-case letters",
		"a/..":              "lower-case letters",
		"door/*":            "lower-case letters",
		"*":                 "lower-case letters",
		"a b":               "lower-case letters",
		"a/b/c/d/e/f/g/h/i": "9 parts, limit 8",
		long + "a":          "a part of 33 bytes",
		strings.Join([]string{long, long, strings.Repeat("a", 31)}, "/"): "the path is 97 bytes",
	} {
		h.Call(h.a, "access", "register", registerArgs{name}).Failed("bad_value").Because(why)
	}
}

// What is malformed fails with a code and the offending value; it is neither yes nor no.
func TestMalformed(t *testing.T) {
	h := newHouse(t)
	a := h.a.Address().String()
	for object, why := range map[string]string{
		"":                            "must be an address",
		"door":                        "must be an address",
		"ward1xyz/door":               "is not ward1",
		a + "/":                       "the path is 0 bytes",
		strings.ToUpper(h.door):       "is not ward1",
		h.door + "/*":                 "lower-case letters",
		a + "x/door":                  "is not ward1",
		a + strings.Repeat("x", 1000): "object is 1043 bytes",
	} {
		for _, r := range []*sdktest.Receipt{
			h.View("access", "check", checkArgs{Subject: h.b.Address(), Relation: "open", Object: object}),
			h.Call(h.b, "access", "use", useArgs{Relation: "open", Object: object}),
			h.View("access", "object", objectArgs{object}),
			h.Call(h.a, "access", "transfer", transferArgs{object, h.b.Address()}),
		} {
			r.Failed("bad_value").Because(why)
		}
	}
	for _, relation := range []string{"", "Open", "1open", "op en", strings.Repeat("o", 33)} {
		h.Call(h.b, "access", "use", useArgs{Relation: relation, Object: h.door}).Failed("bad_value").Because("relation")
		g := h.open(h.b)
		g.Relations = []string{relation}
		h.Call(h.a, "access", "grant", g).Failed("bad_value").Because("relation")
	}
	h.View("access", "check", checkArgs{Relation: "open", Object: h.door}).Failed("bad_value").Because("zero address")
	now := h.Now()
	for why, change := range map[string]func(*grantArgs){
		"zero address":          func(g *grantArgs) { g.Subject = sdk.Address{} },
		"at least one":          func(g *grantArgs) { g.Relations = nil },
		"17 relations":          func(g *grantArgs) { g.Relations = make([]string, 17) },
		`"open" is there twice`: func(g *grantArgs) { g.Relations = []string{"open", "close", "open"} },
		"limit 24":              func(g *grantArgs) { g.Redelegate = 25 },
		"already":               func(g *grantArgs) { g.Expires = now },
		"before it begins":      func(g *grantArgs) { g.NotBefore, g.Expires = now+9, now+9 },
		"before 1970":           func(g *grantArgs) { g.NotBefore = -1 },
		"the path is 0 bytes":   func(g *grantArgs) { g.Object = a + "//*" },
	} {
		g := h.open(h.b)
		change(&g)
		h.Call(h.a, "access", "grant", g).Failed("bad_value").Because(why)
	}
	h.Call(h.a, "access", "transfer", transferArgs{h.door, sdk.Address{}}).Failed("bad_value")
	h.Call(h.a, "access", "revoke", revokeArgs{ID: 9}).Failed("unknown_grant")
	h.Call(h.a, "access", "revoke", revokeArgs{ID: 9, Reason: strings.Repeat("r", 201)}).Failed("bad_value")
	h.View("access", "show_grant", grantID{9}).Failed("unknown_grant")
	h.Call(h.a, "access", "grant", sdktest.JSON(`{"subject":"`+a+`","object":"x","relations":[]}`)).Failed("bad_value")
	h.Call(h.a, "access", "grant", sdktest.CBOR{0xa0}).Refused(receipt.BadArguments).Because("object: missing")
	nothing := h.a.Address().String() + "/nothing"
	h.Call(h.a, "access", "grant", grantArgs{Subject: h.b.Address(), Object: nothing, Relations: []string{"open"}}).Failed("unknown_object")
	if d := h.check(h.a, "open", nothing); d.Allowed || d.Why != whyUnknown {
		t.Errorf("%+v", d)
	}
}

// Revoke is for who gave a grant, or one above it, or the owner; nobody else.
func TestWhoRevokes(t *testing.T) {
	for _, by := range []string{"issuer", "above", "owner", "subject", "stranger"} {
		h := newHouse(t)
		e := h.Account("e")
		g := h.open(h.b)
		g.Redelegate = 2
		one := h.grant(h.a, g)
		g = h.open(h.c)
		g.Parent, g.Redelegate = one, 1
		two := h.grant(h.b, g)
		g = h.open(h.d)
		g.Parent = two
		three := h.grant(h.c, g)
		h.may(h.d, one, two, three)
		key := map[string]*sdktest.Key{"issuer": h.c, "above": h.b, "owner": h.a, "subject": h.d, "stranger": e}[by]
		r := h.Call(key, "access", "revoke", revokeArgs{ID: three})
		if by == "subject" || by == "stranger" {
			r.Failed("not_permitted")
			h.may(h.d, one, two, three)
			continue
		}
		r.OK()
		h.mayNot(h.d, whyRevoked)
		h.may(h.c, one, two)
	}

	// The owner of an object that was granted by a prefix before it changed hands.
	h := newHouse(t)
	g := grantArgs{Subject: h.b.Address(), Object: h.a.Address().String() + "/*", Relations: []string{"open"}, Redelegate: 1}
	one := h.grant(h.a, g)
	g = h.open(h.c)
	g.Parent = one
	two := h.grant(h.b, g)
	h.Call(h.a, "access", "transfer", transferArgs{h.door, h.d.Address()}).OK()
	h.Call(h.d, "access", "accept", objectArgs{h.door}).OK()
	h.Call(h.d, "access", "revoke", revokeArgs{ID: one}).Failed("not_permitted")
	h.Call(h.d, "access", "revoke", revokeArgs{ID: two}).OK()
}

// The longest chain holds, and one link more can't be made.
func TestDepth(t *testing.T) {
	h := newHouse(t)
	by, parent := h.a, uint64(0)
	var path []uint64
	for i := range maxLinks {
		to := h.Account(fmt.Sprintf("link %d", i))
		g := h.open(to)
		g.Parent, g.Redelegate = parent, uint8(maxRedelegate-i)
		parent = h.grant(by, g)
		path = append(path, parent)
		h.may(to, path...)
		by = to
	}
	g := h.open(h.d)
	g.Parent = parent
	h.Call(by, "access", "grant", g).Failed("not_within_parent")
	h.Call(h.a, "access", "revoke", revokeArgs{ID: path[0]}).OK()
	h.mayNot(by, whyRevoked)
}

// delegate is a root grant on the door that B, or whoever, may pass on n times.
func (h *house) delegate(to *sdktest.Key, n uint8, relations ...string) uint64 {
	h.t.Helper()
	return h.grant(h.a, grantArgs{Subject: to.Address(), Object: h.door, Relations: relations, Redelegate: n})
}

// pass is a grant on the door, passed on.
func (h *house) pass(to *sdktest.Key, parent uint64, n uint8, relations ...string) grantArgs {
	return grantArgs{Subject: to.Address(), Object: h.door, Relations: relations, Redelegate: n, Parent: parent}
}

// Whom the owner lets pass something on can give a subject so much and no more,
// however many hands it goes through; and what others give finds its room.
func TestPassedOnIsBounded(t *testing.T) {
	h := newHouse(t)
	root := h.delegate(h.b, 2, "open", "see")
	var last uint64
	for range maxPassedOn - 1 {
		last = h.grant(h.b, h.pass(h.c, root, 0, "see"))
	}
	puppet := h.Account("puppet")
	strings := h.grant(h.b, h.pass(puppet, root, 1, "see"))
	short := h.pass(h.c, strings, 0, "see")
	short.Expires = h.Now() + 10
	h.grant(puppet, short)
	h.Call(puppet, "access", "grant", h.pass(h.c, strings, 0, "see")).Failed("too_many_passed_on").Because("limit 8")
	h.Call(h.b, "access", "grant", h.pass(h.c, root, 0, "see")).Failed("too_many_passed_on").Because("from below grant 1")

	// Elsewhere, for others and from others there is room.
	h.grant(h.b, h.pass(h.d, root, 0, "see"))
	other := h.delegate(h.d, 1, "open")
	child := h.grant(h.d, h.pass(h.c, other, 0, "open"))
	h.may(h.c, other, child)

	// What ends makes room, by itself or by a revocation, here or above.
	h.Advance(10)
	again := h.grant(h.b, h.pass(h.c, root, 0, "see"))
	h.Call(h.b, "access", "grant", h.pass(h.c, root, 0, "see")).Failed("too_many_passed_on")
	h.Call(h.b, "access", "revoke", revokeArgs{ID: last}).OK()
	h.grant(h.b, h.pass(h.c, root, 0, "see"))
	h.Call(h.a, "access", "revoke", revokeArgs{ID: root}).OK()
	h.Call(h.b, "access", "grant", h.pass(h.c, root, 0, "see")).Failed("dead_parent")
	h.Call(h.b, "access", "bump_epoch", nil).OK()
	root = h.delegate(h.b, 1, "open")
	last = h.grant(h.b, h.pass(h.c, root, 0, "open"))
	h.may(h.c, other, child)
	h.Call(h.a, "access", "revoke", revokeArgs{ID: other}).OK()
	h.may(h.c, root, last)
	if s := h.showGrant(again); s.Holds {
		t.Errorf("%+v", s)
	}
}

// What died with a grant above it does not pile up in the way of a check, though nobody sweeps.
func TestDeadDoNotPileUp(t *testing.T) {
	h := newHouse(t)
	other := h.delegate(h.d, 1, "open")
	live := h.grant(h.d, h.pass(h.c, other, 0, "open"))
	for week := range 2 * maxLooked {
		root := h.delegate(h.b, 1, "see")
		h.grant(h.b, h.pass(h.c, root, 0, "see"))
		h.Call(h.a, "access", "revoke", revokeArgs{ID: root}).OK()
		if week%16 == 0 {
			h.may(h.c, other, live)
		}
	}
	h.may(h.c, other, live)

	// Who only ever asks clears it away too: eight at a time of what ended with B's epoch.
	var dead []uint64
	for range 20 {
		root := h.delegate(h.b, 1, "open")
		dead = append(dead, h.grant(h.b, h.pass(h.c, root, 0, "open")))
	}
	h.Call(h.b, "access", "bump_epoch", nil).OK()
	h.Call(h.d, "access", "revoke", revokeArgs{ID: live}).OK()
	for range 3 {
		h.mayNot(h.c, whyEpoch)
	}
	var r sweepResult
	if h.Call(h.d, "access", "sweep", sweepArgs{dead[:maxSweep]}).OK().Result(&r); r.Swept != 0 {
		t.Errorf("%d were still in the way", r.Swept)
	}
}

// Running out of grants to look at is an error, never an allow or a deny; what is named is
// looked at all the same, and the owner's own grants can't be crowded out.
func TestBounded(t *testing.T) {
	h := newHouse(t)
	// Five delegates of the owner's together, who all give C what does not allow it.
	site := h.a.Address().String() + "/house/*"
	var roots, crowd []uint64
	for i := range 5 {
		friend := h.Account(fmt.Sprint("friend ", i))
		g := grantArgs{Subject: friend.Address(), Object: site, Relations: []string{"open", "see"}, Redelegate: 1}
		roots = append(roots, h.grant(h.a, g))
		for range maxPassedOn {
			g = h.pass(h.c, roots[i], 0, "see")
			crowd = append(crowd, h.grant(friend, g))
			g.Object = site
			crowd = append(crowd, h.grant(friend, g))
		}
	}
	h.View("access", "check", checkArgs{Subject: h.c.Address(), Relation: "open", Object: h.door}).Failed("too_many_grants").Because("via")
	h.Call(h.c, "access", "use", useArgs{Relation: "open", Object: h.door}).Failed("too_many_grants")
	var d Decision
	h.View("access", "check", checkArgs{Subject: h.c.Address(), Relation: "open", Object: h.door, Via: crowd[0]}).OK().Result(&d)
	if d.Allowed || d.Why != whyRelation {
		t.Errorf("%+v", d)
	}
	// The owner's grant comes first, however many others there are.
	own := h.grant(h.a, h.open(h.c))
	h.may(h.c, own)
	h.Call(h.a, "access", "revoke", revokeArgs{ID: own}).OK()

	// A dead grant of the owner's costs one look, whatever is below it.
	for _, root := range roots {
		h.Call(h.a, "access", "revoke", revokeArgs{ID: root}).OK()
	}
	h.mayNot(h.c, whyRevoked)

	// Anybody may clear the way of what is dead; not of what is alive.
	h.Call(h.d, "access", "sweep", sweepArgs{make([]uint64, 17)}).Failed("bad_value")
	h.Call(h.d, "access", "sweep", sweepArgs{[]uint64{999}}).Failed("unknown_grant")
	swept := uint64(0)
	for len(crowd) > 0 {
		n := min(maxSweep, len(crowd))
		var r sweepResult
		h.Call(h.d, "access", "sweep", sweepArgs{crowd[:n]}).OK().Result(&r)
		crowd, swept = crowd[n:], swept+r.Swept
	}
	if want := uint64(len(roots)*2*maxPassedOn - maxBuried); swept != want { // the use above was a transaction too
		t.Errorf("swept %d, want %d", swept, want)
	}
	h.mayNot(h.c, whyRevoked)
	alive := h.grant(h.a, h.open(h.c))
	var r sweepResult
	if h.Call(h.d, "access", "sweep", sweepArgs{[]uint64{alive}}).OK().Result(&r); r.Swept != 0 {
		t.Errorf("swept %d that are alive", r.Swept)
	}
	h.may(h.c, alive)
}

// Nobody gives what the owner forbids them: neither what they have passed on already nor
// anything new, for as long as the forbid lasts.
func TestForbiddenDelegate(t *testing.T) {
	h := newHouse(t)
	now := h.Now()
	root := h.delegate(h.b, 2, "open", "see")
	middle := h.grant(h.b, h.pass(h.c, root, 1, "open", "see"))
	leaf := h.grant(h.c, h.pass(h.d, middle, 0, "open", "see"))
	h.may(h.d, root, middle, leaf)

	site := h.a.Address().String() + "/house/*"
	h.Call(h.a, "access", "forbid", forbidArgs{Subject: h.b.Address(), Object: site, Relations: []string{"open"}, NotBefore: now + 10, Expires: now + 20, Reason: "audit"}).OK()
	if d := h.may(h.d, root, middle, leaf); d.ValidUntil != now+10 {
		t.Errorf("%+v", d)
	}
	h.SetTime(now + 10)
	d := h.mayNot(h.d, whyIssuer)
	if want := h.b.Address().String() + " passed it on: the owner forbids it on " + site + ": audit"; d.Reason != want || d.ValidUntil != now+20 || len(d.Path) != 3 {
		t.Errorf("%+v, want %s", d, want)
	}
	h.mayNot(h.c, whyIssuer)
	h.mayNot(h.b, whyForbidden)
	// What the forbid does not name goes on, and can be passed on.
	if d := h.check(h.d, "see", h.door); !d.Allowed {
		t.Errorf("%+v", d)
	}
	h.grant(h.b, h.pass(h.c, root, 0, "see"))
	h.Call(h.b, "access", "grant", h.pass(h.c, root, 0, "open", "see")).Failed("forbidden").Because("may not open itself: the owner forbids it on " + site + ": audit")
	// Another way in, which does not lead through B, is open.
	own := h.grant(h.a, h.open(h.d))
	h.may(h.d, own)
	h.Call(h.a, "access", "revoke", revokeArgs{ID: own}).OK()
	h.SetTime(now + 20)
	h.may(h.d, root, middle, leaf)
	h.grant(h.b, h.pass(h.c, root, 0, "open"))

	// A forbid without an end, on all of B's site: nothing can be passed on for it.
	whole := h.grant(h.a, grantArgs{Subject: h.b.Address(), Object: site, Relations: []string{"open"}, Redelegate: 1})
	h.Call(h.a, "access", "forbid", forbidArgs{Subject: h.b.Address(), Object: h.a.Address().String() + "/*"}).OK()
	h.Call(h.b, "access", "grant", grantArgs{Subject: h.c.Address(), Object: site, Relations: []string{"open"}, Parent: whole}).Failed("forbidden")
	if d := h.mayNot(h.d, whyIssuer); d.ValidUntil != 0 {
		t.Errorf("%+v", d)
	}
}

// A deny names the newest grant that would have allowed, whatever ended it, and whenever it
// would have ended by itself.
func TestNewestSaysWhy(t *testing.T) {
	h := newHouse(t)
	said := func(why string, id uint64) {
		t.Helper()
		if d := h.mayNot(h.b, why); len(d.Path) == 0 || d.Path[len(d.Path)-1] != id {
			t.Errorf("%+v, want grant %d", d, id)
		}
	}
	lasting := h.grant(h.a, h.open(h.b))
	h.Call(h.a, "access", "revoke", revokeArgs{ID: lasting}).OK()
	said(whyRevoked, lasting)
	g := h.open(h.b)
	g.Expires = h.Now() + 5
	short := h.grant(h.a, g)
	g.Expires = h.Now() + 50
	longer := h.grant(h.a, g)
	h.Call(h.a, "access", "revoke", revokeArgs{ID: longer}).OK()
	h.Advance(5)
	said(whyRevoked, longer)
	g.Expires, g.Object = h.Now()+5, h.a.Address().String()+"/*"
	below := h.grant(h.a, g)
	h.Advance(5)
	said(whyExpired, below)
	g = h.open(h.b)
	g.Relations = []string{"see"}
	h.grant(h.a, g) // alive, and not for this
	said(whyExpired, below)
	root := h.delegate(h.c, 1, "open")
	child := h.grant(h.c, h.pass(h.b, root, 0, "open"))
	h.Call(h.c, "access", "bump_epoch", nil).OK()
	said(whyEpoch, child)
	if short > longer {
		t.Error("numbers fall")
	}
}

// Whoever owned an object before can't have filled up what a check of the new owner's people looks at.
func TestGrantsBeforeTheSale(t *testing.T) {
	h := newHouse(t)
	for range maxLooked + 1 {
		h.grant(h.a, h.open(h.c))
	}
	h.Call(h.a, "access", "transfer", transferArgs{h.door, h.d.Address()}).OK()
	h.Call(h.d, "access", "accept", objectArgs{h.door}).OK()
	h.mayNot(h.c, whyNotOwner)
	root := h.grant(h.d, grantArgs{Subject: h.b.Address(), Object: h.door, Relations: []string{"open"}, Redelegate: 1})
	child := h.grant(h.b, h.pass(h.c, root, 0, "open"))
	h.may(h.c, root, child)
	// The same goes for what an epoch has ended.
	for range maxLooked + 1 {
		h.grant(h.d, h.open(h.c))
	}
	h.Call(h.d, "access", "bump_epoch", nil).OK()
	h.mayNot(h.c, whyEpoch)
	id := h.grant(h.d, h.open(h.c))
	h.may(h.c, id)
}

// Expired grants cost a check nothing, however many there are.
func TestExpiredAreFree(t *testing.T) {
	h := newHouse(t)
	for range 2 * maxLooked {
		g := h.open(h.b)
		g.Expires = h.Now() + 1
		h.grant(h.a, g)
		h.Advance(sdk.Second)
	}
	d := h.mayNot(h.b, whyExpired)
	if len(d.Path) != 1 || d.Path[0] != 2*maxLooked {
		t.Errorf("%+v: want the last one", d)
	}
	id := h.grant(h.a, h.open(h.b))
	h.may(h.b, id)
}

// TestVia: a grant that is named decides alone.
func TestVia(t *testing.T) {
	h := newHouse(t)
	id := h.grant(h.a, h.open(h.b))
	other := h.grant(h.a, h.open(h.c))
	garage := h.register(h.a, "garage")
	g := h.open(h.b)
	g.Object = garage
	elsewhere := h.grant(h.a, g)
	for _, c := range []struct {
		via uint64
		why string
	}{{id, whyGrant}, {other, whySubject}, {elsewhere, whyObject}, {99, whyNoGrant}} {
		var d Decision
		h.Call(h.b, "access", "use", useArgs{"open", h.door, c.via}).OK().Result(&d)
		if d.Why != c.why || d.Allowed != (c.why == whyGrant) {
			t.Errorf("via %d: %+v, want %s", c.via, d, c.why)
		}
	}
	var d Decision
	if h.Call(h.b, "access", "use", useArgs{"drive", h.door, id}).OK().Result(&d); d.Why != whyRelation {
		t.Errorf("%+v", d)
	}
}

// TestPages: grants by object and by subject come in pages, each once, and full pages
// of the largest rows fit in a result.
func TestPages(t *testing.T) {
	h := newHouse(t)
	var relations []string
	for i := range maxRelations {
		relations = append(relations, strings.Repeat(string(rune('a'+i)), maxRelation))
	}
	part := strings.Repeat("a", 32)
	object := h.register(h.a, strings.Join([]string{part, part, part[:30]}, "/"))
	const n = 55
	for range n {
		h.grant(h.a, grantArgs{Subject: h.b.Address(), Object: object, Relations: relations, Redelegate: 24, Expires: h.Now() + 100, NotBefore: h.Now() + 1})
		h.Call(h.a, "access", "forbid", forbidArgs{Subject: sdktest.Ed25519(fmt.Sprint(h.Height())).Address(), Object: object, Relations: relations, Reason: strings.Repeat("r", 200)}).OK()
	}
	for limit, sizes := range map[uint32][]int{0: {20, 20, 15}, 1000: {50, 5}} {
		on, of, by := grantsOnArgs{Object: object, Limit: limit}, grantsOfArgs{Subject: h.b.Address(), Limit: limit}, ownerPageArgs{Owner: h.a.Address(), Limit: limit}
		seen := map[string]bool{}
		for i, size := range sizes {
			var a, b grantPage
			var c forbidPage
			h.View("access", "grants_on", on).OK().Result(&a)
			h.View("access", "grants_of", of).OK().Result(&b)
			h.View("access", "forbids_by", by).OK().Result(&c)
			last := i == len(sizes)-1
			if len(a.Grants) != size || len(b.Grants) != size || len(c.Forbids) != size || (a.Next == nil) != last || (b.Next == nil) != last || (c.Next == nil) != last {
				t.Fatalf("page %d has %d, %d and %d rows, want %d", i, len(a.Grants), len(b.Grants), len(c.Forbids), size)
			}
			for j := range a.Grants {
				seen[fmt.Sprint("on ", a.Grants[j].ID)], seen[fmt.Sprint("of ", b.Grants[j].ID)], seen[fmt.Sprint("by ", c.Forbids[j].Subject)] = true, true, true
			}
			on.After, of.After, by.After = a.Next, b.Next, c.Next
		}
		if len(seen) != 3*n {
			t.Errorf("%d rows seen, want %d", len(seen), 3*n)
		}
	}
	h.View("access", "grants_on", grantsOnArgs{Object: "x"}).Failed("bad_value")

	// Strangers may grant B what they like on what is theirs; B asks for what B knows.
	for i := range 3 {
		junk := h.register(h.c, fmt.Sprint("junk-", i))
		h.grant(h.c, grantArgs{Subject: h.b.Address(), Object: junk, Relations: []string{"open"}})
	}
	id := h.grant(h.a, h.open(h.b))
	var page grantPage
	if h.View("access", "grants_of", grantsOfArgs{Subject: h.b.Address(), Object: h.door}).OK().Result(&page); len(page.Grants) != 1 || page.Grants[0].ID != id || page.Next != nil {
		t.Errorf("%+v", page)
	}
	h.View("access", "grants_of", grantsOfArgs{Subject: h.b.Address(), Object: "x"}).Failed("bad_value")
}

// TestViewWrites: a view can't record.
func TestViewWrites(t *testing.T) {
	h := newHouse(t)
	h.View("access", "use", useArgs{Relation: "open", Object: h.door}).Failed("bad_value") // nobody asks
	h.ViewAs(h.b.Address(), "access", "use", useArgs{Relation: "open", Object: h.door}).Refused(receipt.NotPermitted)
	h.ViewAs(h.a.Address(), "access", "bump_epoch", nil).Refused(receipt.NotPermitted)
}

// A sold object's former owner still has the prefix above it, and may give Ann any
// number of grants on that; it does not crowd out what comes from the new owner.
func TestFormerOwnerCannotCrowd(t *testing.T) {
	h := newHouse(t)
	h.Call(h.a, "access", "transfer", transferArgs{h.door, h.d.Address()}).OK()
	h.Call(h.d, "access", "accept", objectArgs{h.door}).OK()
	g := h.open(h.b)
	g.Redelegate = 1
	root := h.grant(h.d, g)
	g = h.open(h.c)
	g.Parent = root
	child := h.grant(h.b, g)
	h.may(h.c, root, child)
	for range maxLooked + 1 {
		h.grant(h.a, grantArgs{Subject: h.c.Address(), Object: h.a.Address().String() + "/house/*", Relations: []string{"open"}, Expires: h.Now() + 100})
	}
	h.may(h.c, root, child)
	h.Call(h.d, "access", "revoke", revokeArgs{ID: root}).OK()
	h.mayNot(h.c, whyRevoked)
}

// An offer that was made with a stolen key ends with all else that it gave away.
func TestEpochEndsOffers(t *testing.T) {
	h := newHouse(t)
	h.Call(h.a, "access", "transfer", transferArgs{h.door, h.d.Address()}).OK()
	h.Call(h.a, "access", "bump_epoch", nil).OK()
	h.Call(h.d, "access", "accept", objectArgs{h.door}).Failed("not_offered")
	var o Object
	if h.View("access", "object", objectArgs{h.door}).OK().Result(&o); o.OfferedTo != nil {
		t.Errorf("%+v", o)
	}
	h.Call(h.a, "access", "transfer", transferArgs{h.door, h.d.Address()}).OK()
	h.Call(h.d, "access", "accept", objectArgs{h.door}).OK()
}
