package main

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/sdktest"
	"github.com/wardledger/ward/sdk/specdoc"
	"github.com/wardledger/ward/sdk/wire"
)

var update = flag.Bool("update", false, "write the tables of README.md")

// chain is a chain with some authorities, alice, bob, carol ..., each an operator's key and
// a voting key, and a stranger with an account.
type chain struct {
	*sdktest.Chain
	t        *testing.T
	stranger *sdktest.Key
}

func voting(operator *sdktest.Key) *sdktest.Key { return sdktest.Ed25519("node of " + operator.Name) }

var capabilities = abi.Capabilities()

// founders are the init argument for some operators.
func founders(operators ...*sdktest.Key) (a initArgs) {
	for _, k := range operators {
		a.Authorities = append(a.Authorities, Founder{Operator: k.Address(), Key: voting(k).Public(), Name: k.Name})
	}
	return a
}

func newChain(t *testing.T, operators ...*sdktest.Key) *chain {
	t.Helper()
	c := &chain{t: t, Chain: sdktest.New(t, sdktest.Contract{Dir: ".", Capabilities: capabilities, Init: founders(operators...)})}
	c.Open(operators...)
	c.stranger = c.Account("stranger")
	return c
}

func people(names ...string) (keys []*sdktest.Key) {
	for _, name := range names {
		keys = append(keys, sdktest.Ed25519(name))
	}
	return keys
}

func four() (alice, bob, carol, dave *sdktest.Key) {
	k := people("alice", "bob", "carol", "dave")
	return k[0], k[1], k[2], k[3]
}

func candidacy(candidate *sdktest.Key) addArgs {
	return addArgs{OperatorKey: candidate.Public(), Key: voting(candidate).Public(), Name: candidate.Name, Website: "https://example.org/" + candidate.Name}
}

func (c *chain) call(by *sdktest.Key, method string, args any) *sdktest.Receipt {
	c.t.Helper()
	return c.Call(by, "authority", method, args)
}

// add and remove propose, and return the proposal's number.
func (c *chain) add(by, candidate *sdktest.Key) uint64 {
	c.t.Helper()
	var r proposeResult
	c.call(by, "propose_add", candidacy(candidate)).OK().Result(&r)
	return r.Proposal
}

func (c *chain) remove(by, whom *sdktest.Key) uint64 {
	c.t.Helper()
	var r proposeResult
	c.call(by, "propose_remove", removeArgs{whom.Address()}).OK().Result(&r)
	return r.Proposal
}

// approve approves, and wants the proposal to be in a status then.
func (c *chain) approve(by *sdktest.Key, proposal uint64, want Status) *sdktest.Receipt {
	c.t.Helper()
	var a approveResult
	r := c.call(by, "approve", proposalArgs{proposal}).OK().Result(&a)
	if a.Status != want {
		c.t.Fatalf("the proposal is %s, want %s:\n%s", a.Status, want, r)
	}
	return r
}

// accepted is a candidate's acceptance, changed by who wants to break it.
func (c *chain) accepted(candidate *sdktest.Key, proposal uint64, change func(*acceptance)) acceptArgs {
	c.t.Helper()
	a := acceptance{Chain: sdktest.ID, Contract: "authority", Proposal: proposal, Operator: candidate.Address(), Expires: c.Now().Add(sdk.Minute)}
	if change != nil {
		change(&a)
	}
	return acceptArgs{proposal, voting(candidate).Message(c.t, AcceptAAD, a)}
}

func (c *chain) accept(candidate *sdktest.Key, proposal uint64) *sdktest.Receipt {
	c.t.Helper()
	return c.call(candidate, "accept", c.accepted(candidate, proposal, nil)).OK()
}

func (c *chain) proposal(number uint64) Proposal {
	c.t.Helper()
	var r proposalResult
	c.View("authority", "proposal", proposalArgs{number}).OK().Result(&r)
	return r.Proposal
}

func (c *chain) expect(number uint64, want Status) {
	c.t.Helper()
	if got := c.proposal(number); got.Status != want {
		c.t.Errorf("proposal %d is %s, want %s: %+v", number, got.Status, want, got)
	}
}

// told is what the last block would tell the engine.
func (c *chain) told(want ...string) {
	c.t.Helper()
	names := map[string]string{}
	for _, name := range []string{"alice", "bob", "carol", "dave", "eve", "frank", "grace"} {
		names[string(voting(sdktest.Ed25519(name)).Public())] = name
	}
	var got []string
	for _, u := range c.Updates() {
		got = append(got, fmt.Sprintf("%s=%d", names[string(u.Key)], u.Power))
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		c.t.Errorf("the engine is told %v, want %v", got, want)
	}
}

// members are the authorities by name.
func (c *chain) members(want ...string) {
	c.t.Helper()
	var page authorityPage
	c.View("authority", "authorities", authoritiesArgs{}).OK().Result(&page)
	var got []string
	for _, a := range page.Authorities {
		got = append(got, a.Name)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) || int(page.Present) != len(want) || int(page.Needed) != 2*len(want)/3+1 {
		c.t.Errorf("authorities %v, present %d, needed %d; want %v", got, page.Present, page.Needed, want)
	}
}

// TestReadme: the README's tables are the contract's spec, and its example what the contract reads.
func TestReadme(t *testing.T) {
	if err := specdoc.Check("README.md", sdktest.Build(t, ".").Spec, *update); err != nil {
		t.Error(err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	a := acceptance{Chain: "ward-dev", Contract: "authority", Proposal: 1, Expires: 1767600060}
	for i := range a.Operator {
		a.Operator[i] = 0x11
	}
	b, err := wire.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	if squeezed := strings.Join(strings.Fields(string(readme)), ""); !strings.Contains(squeezed, hex.EncodeToString(b)) {
		t.Errorf("README.md does not have the acceptance %x", b)
	}
	if maxAuthorities != abi.MaxAuthorities {
		t.Errorf("the contract lets %d in, the chain %d", maxAuthorities, abi.MaxAuthorities)
	}
}

// TestJoinAndLeave: a fifth joins and one leaves; each step is an event, and the engine is told
// once, in the block in which it happens.
func TestJoinAndLeave(t *testing.T) {
	alice, bob, carol, dave := four()
	eve := sdktest.P256("eve")
	c := newChain(t, alice, bob, carol, dave)
	c.members("alice", "bob", "carol", "dave")
	if got := len(c.Events("authority.added")); got != 4 {
		t.Errorf("%d events of the first authorities, want 4", got)
	}
	c.told()

	r := c.call(alice, "propose_add", candidacy(eve)).OK().Emitted("proposed", "approved")
	var p proposedEvent
	if r.Event("proposed").Decode(&p); p.Proposal != 1 || p.Kind != Add || p.Operator != eve.Address() || p.By != alice.Address() ||
		p.Expires != c.Now().Add(7*sdk.Day) || string(p.Key) != string(voting(eve).Public()) || p.Website == "" {
		t.Errorf("%+v", p)
	}
	c.Call(eve, "authority", "accept", c.accepted(eve, 1, nil)).Refused(receipt.UnknownKey)
	r = c.approve(bob, 1, Open).Emitted("approved")
	var a approvedEvent
	if r.Event("approved").Decode(&a); a != (approvedEvent{1, bob.Address(), 2, 3, 4}) {
		t.Errorf("%+v", a)
	}
	c.approve(carol, 1, Approved).Emitted("approved", "admitted")
	c.told() // not before the candidate accepts
	c.members("alice", "bob", "carol", "dave")

	r = c.accept(eve, 1).Emitted("added")
	c.told("eve=1")
	var done acceptResult
	if r.Result(&done); done.Present != 5 || done.Votes != c.Height()+2 {
		t.Errorf("%+v at height %d", done, c.Height())
	}
	c.members("alice", "bob", "carol", "dave", "eve")
	c.expect(1, Done)
	var got Authority
	c.View("authority", "authority", authorityArgs{eve.Address()}).OK().Result(&got)
	if got.Operator != eve.Address() || string(got.Key) != string(voting(eve).Public()) || got.Name != "eve" || got.Since != c.Height() {
		t.Errorf("%+v", got)
	}
	events := c.Events("chain.authorities")
	if len(events) != 1 {
		t.Fatalf("%d events of the chain, want 1", len(events))
	}

	// The newcomer counts: 4 of 5 now, and may approve and propose.
	number := c.remove(eve, alice)
	c.approve(bob, number, Open)
	c.approve(carol, number, Open)
	c.approve(dave, number, Done).Emitted("approved", "removed")
	c.told("alice=0")
	c.members("bob", "carol", "dave", "eve")
	c.call(alice, "approve", proposalArgs{number}).Failed("not_an_authority")
	c.View("authority", "authority", authorityArgs{alice.Address()}).Failed("unknown_authority")
	c.Block()
	c.told()
	if got := len(c.Events("chain.authorities")); got != 2 {
		t.Errorf("the chain told %d times, want 2", got)
	}
}

// TestOutsiders: who is no authority decides nothing, and nobody takes another's place.
func TestOutsiders(t *testing.T) {
	alice, bob, carol, dave := four()
	eve := sdktest.Ed25519("eve")
	c := newChain(t, alice, bob, carol, dave)
	c.call(c.stranger, "propose_add", candidacy(eve)).Failed("not_an_authority")
	c.call(c.stranger, "propose_remove", removeArgs{alice.Address()}).Failed("not_an_authority")
	c.call(alice, "propose_remove", removeArgs{c.stranger.Address()}).Failed("unknown_authority")
	n := c.add(alice, eve)
	c.call(c.stranger, "approve", proposalArgs{n}).Failed("not_an_authority").Because(c.stranger.Address().String())
	c.call(c.Operator, "approve", proposalArgs{n}).Failed("not_an_authority")
	c.call(c.stranger, "withdraw", proposalArgs{n}).Failed("not_the_proposer")
	c.call(bob, "withdraw", proposalArgs{n}).Failed("not_the_proposer")
	for _, method := range []string{"approve", "withdraw"} {
		c.call(alice, method, proposalArgs{99}).Failed("unknown_proposal")
	}
	c.call(alice, "accept", acceptArgs{Proposal: 99}).Failed("unknown_proposal")
	c.View("authority", "proposal", proposalArgs{99}).Failed("unknown_proposal")
	c.approve(bob, n, Open)
	c.approve(carol, n, Approved)
	for _, by := range []*sdktest.Key{alice, c.stranger} {
		c.call(by, "accept", c.accepted(eve, n, nil)).Failed("not_the_candidate")
	}
	c.members("alice", "bob", "carol", "dave")
}

// TestTwice: nobody counts twice.
func TestTwice(t *testing.T) {
	alice, bob, carol, dave := four()
	c := newChain(t, alice, bob, carol, dave)
	n := c.add(alice, sdktest.Ed25519("eve"))
	c.call(alice, "approve", proposalArgs{n}).Failed("already_approved") // whoever proposes, approves
	c.approve(bob, n, Open)
	c.call(bob, "approve", proposalArgs{n}).Failed("already_approved")
	// In one block neither.
	approval := func(by *sdktest.Key) []byte { return c.Sign(by, "authority", "approve", proposalArgs{n}) }
	r := c.Block(approval(carol), approval(carol), approval(dave))
	r[0].OK()
	r[1].Failed("decided")
	r[2].Failed("decided")
	if got := c.proposal(n).Approvals; len(got) != 3 {
		t.Errorf("%d approvals, want 3", len(got))
	}
}

// TestDuplicates: an operator and a voting key each belong to one authority, to one approved
// proposal, and to one open proposal of each authority.
func TestDuplicates(t *testing.T) {
	alice, bob, carol, dave := four()
	eve, frank := sdktest.Ed25519("eve"), sdktest.Ed25519("frank")
	c := newChain(t, alice, bob, carol, dave)
	with := func(operator, node *sdktest.Key) addArgs {
		return addArgs{OperatorKey: operator.Public(), Key: voting(node).Public(), Name: "somebody"}
	}
	c.call(alice, "propose_add", with(bob, eve)).Failed("already_authority").Because("the operator of the authority \"bob\"")
	c.call(alice, "propose_add", with(eve, bob)).Failed("already_authority").Because("the voting key is that of the authority of " + bob.Address().String())
	n := c.add(alice, eve)
	for _, a := range []addArgs{with(eve, eve), with(eve, frank), with(frank, eve)} {
		c.call(alice, "propose_add", a).Failed("already_proposed").Because(fmt.Sprintf("proposal %d, to add \"eve\", is open", n))
	}
	var rival proposeResult
	c.call(dave, "propose_add", with(frank, eve)).OK().Result(&rival)
	c.approve(bob, n, Open)
	c.approve(carol, n, Approved)
	c.expect(rival.Proposal, Void) // what is decided ends what stands against it
	c.call(bob, "propose_add", with(frank, eve)).Failed("already_proposed").Because("is approved until")
	c.accept(eve, n)
	c.call(bob, "propose_add", with(frank, eve)).Failed("already_authority")

	n = c.remove(alice, eve)
	c.call(alice, "propose_remove", removeArgs{eve.Address()}).Failed("already_proposed")
	// What has ended is in nobody's way.
	c.call(alice, "withdraw", proposalArgs{n}).OK()
	other := c.remove(alice, eve)
	n = c.remove(bob, eve)
	for _, by := range []*sdktest.Key{alice, carol} {
		c.approve(by, n, Open)
	}
	c.approve(eve, n, Done) // also by whom it is about
	c.told("eve=0")
	c.expect(other, Void)
	c.add(bob, eve) // who has left may come back
}

// TestNobodyStandsInTheWay: one authority alone can hold up neither its own removal nor a candidate.
func TestNobodyStandsInTheWay(t *testing.T) {
	alice, bob, carol, dave := four()
	erin, frank := sdktest.Ed25519("erin"), sdktest.Ed25519("frank")
	c := newChain(t, alice, bob, carol, dave)
	// Dave sits on the proposal to remove himself, and would take it back once others approve.
	his := c.remove(dave, dave)
	c.approve(bob, his, Open)
	c.call(dave, "withdraw", proposalArgs{his}).Failed("others_approve")
	n := c.remove(alice, dave)
	// Erin's person with Frank's node is neither.
	bad := candidacy(erin)
	bad.Key = voting(frank).Public()
	c.call(dave, "propose_add", bad).OK()
	for _, who := range []*sdktest.Key{erin, frank} {
		m := c.add(alice, who)
		c.approve(bob, m, Open)
		c.approve(carol, m, Approved)
	}
	c.approve(bob, n, Open)
	c.approve(carol, n, Done)
	c.told("dave=0")
	c.expect(his, Void)
}

// TestOneBlock: two candidates with one key in a block, and whoever joins and leaves again in
// a block, give the engine no update that it would panic on.
func TestOneBlock(t *testing.T) {
	alice := sdktest.Ed25519("alice")
	eve, frank := sdktest.Ed25519("eve"), sdktest.Ed25519("frank")
	c := newChain(t, alice)
	c.Open(eve, frank)
	n := c.add(alice, eve) // one of one is enough
	c.expect(n, Approved)
	twin := addArgs{OperatorKey: frank.Public(), Key: voting(eve).Public(), Name: "twin"}
	r := c.Block(
		c.Sign(alice, "authority", "propose_add", twin),
		c.Sign(eve, "authority", "accept", c.accepted(eve, n, nil)),
		c.Sign(eve, "authority", "accept", c.accepted(eve, n, nil)),
		c.Sign(alice, "authority", "propose_add", twin),
		c.Sign(alice, "authority", "propose_remove", removeArgs{eve.Address()}),
		c.Sign(eve, "authority", "approve", proposalArgs{n + 1}),
	)
	r[0].Failed("already_proposed")
	r[1].OK()
	r[2].Failed("decided")
	r[3].Failed("already_authority")
	r[4].OK()
	r[5].OK().Emitted("approved", "removed")
	c.told() // there and back again
	c.members("alice")
	if got := c.Events("chain.authorities"); len(got) != 0 {
		t.Errorf("the chain told of %v", got)
	}
}

// TestLast: somebody must decide blocks.
func TestLast(t *testing.T) {
	alice, bob := sdktest.Ed25519("alice"), sdktest.Ed25519("bob")
	c := newChain(t, alice)
	c.call(alice, "propose_remove", removeArgs{alice.Address()}).Failed("last_authority")
	// Two who remove each other: the second removal is void, also with its approvals in the
	// same block.
	c = newChain(t, alice, bob)
	first, second := c.remove(alice, bob), c.remove(bob, alice)
	r := c.Block(
		c.Sign(bob, "authority", "approve", proposalArgs{first}),
		c.Sign(alice, "authority", "approve", proposalArgs{second}),
	)
	r[0].OK().Emitted("approved", "removed", "voided")
	r[1].Failed("decided").Because("who proposed it, is no authority any more")
	c.told("bob=0")
	c.members("alice")
	// And the removal of the last one by herself.
	c = newChain(t, alice, bob)
	first, second = c.remove(alice, bob), c.remove(alice, alice)
	c.approve(bob, first, Done)
	c.call(alice, "approve", proposalArgs{second}).Failed("decided").Because(`"alice" is the only authority left`)
	c.members("alice")
}

// TestRemovedCountNot: with a third gone, what they approved is not approved by them, and what
// they proposed is void.
func TestRemovedCountNot(t *testing.T) {
	k := people("alice", "bob", "carol", "dave", "eve")
	alice, bob, carol, dave, eve := k[0], k[1], k[2], k[3], k[4]
	c := newChain(t, k...)
	byEve := c.add(eve, sdktest.Ed25519("frank"))
	byAlice := c.add(alice, sdktest.Ed25519("grace"))
	c.approve(eve, byAlice, Open)
	c.approve(bob, byAlice, Open) // 3 of 5; 4 are needed
	gone := c.remove(alice, eve)
	c.approve(bob, gone, Open)
	c.approve(carol, gone, Open)
	c.approve(dave, gone, Done).Emitted("approved", "removed", "voided")
	c.expect(byEve, Void)
	// Now 3 of 4 are needed, and there are two.
	if p := c.proposal(byAlice); p.Status != Open || len(p.Approvals) != 2 {
		t.Errorf("%+v", p)
	}
	c.call(dave, "approve", proposalArgs{byEve}).Failed("decided").Because("void")
	c.approve(dave, byAlice, Approved)

	// Whoever comes back doesn't bring old approvals along.
	c.expect(gone, Done)
	back := c.add(alice, eve)
	c.approve(bob, back, Open)
	open := c.remove(alice, dave)
	c.approve(dave, back, Approved)
	c.accept(eve, back)
	if p := c.proposal(open); len(p.Approvals) != 1 {
		t.Errorf("%+v", p)
	}
}

// TestCascade: with one authority fewer, another proposal has enough approvals. It is decided
// in the same block, and the engine is told of all of it at once.
func TestCascade(t *testing.T) {
	k := people("alice", "bob", "carol", "dave", "eve")
	alice, bob, carol, dave, eve := k[0], k[1], k[2], k[3], k[4]
	c := newChain(t, k...)
	second := c.remove(alice, dave)
	c.approve(bob, second, Open)
	c.approve(carol, second, Open) // 3 of 5
	third := c.add(carol, sdktest.Ed25519("frank"))
	c.approve(alice, third, Open)
	c.approve(bob, third, Open) // 3 of 5
	first := c.remove(alice, eve)
	c.approve(bob, first, Open)
	c.approve(carol, first, Open)
	c.approve(dave, first, Done).Emitted("approved", "removed", "removed", "admitted")
	c.told("dave=0", "eve=0")
	c.members("alice", "bob", "carol")
	c.expect(second, Done)
	c.expect(third, Approved)
}

// TestProof: what a candidate's voting key must have signed, and when.
func TestProof(t *testing.T) {
	alice, bob, carol, dave := four()
	eve, mallory := sdktest.Ed25519("eve"), sdktest.Ed25519("mallory")
	c := newChain(t, alice, bob, carol, dave)
	open := c.add(alice, sdktest.Ed25519("frank"))
	removal := c.remove(alice, dave)
	n := c.add(alice, eve)
	c.Open(eve) // an account from elsewhere is as good
	c.call(eve, "accept", c.accepted(eve, n, nil)).Failed("not_approved").Because("has 1 approvals, it needs 3")
	c.approve(bob, n, Open)
	c.approve(carol, n, Approved)
	c.call(eve, "accept", c.accepted(eve, open, nil)).Failed("not_approved")
	c.call(eve, "accept", c.accepted(eve, removal, nil)).Failed("not_approved").Because("nobody need accept")

	now := c.Now()
	for _, bad := range []struct {
		name   string
		change func(*acceptance)
		code   string
	}{
		{"another chain", func(a *acceptance) { a.Chain = "other" }, "bad_proof"},
		{"another contract", func(a *acceptance) { a.Contract = "devices" }, "bad_proof"},
		{"another proposal", func(a *acceptance) { a.Proposal = open }, "bad_proof"},
		{"another operator", func(a *acceptance) { a.Operator = mallory.Address() }, "bad_proof"},
		{"just expired", func(a *acceptance) { a.Expires = now }, "stale_proof"},
		{"of yesterday, when the node was there", func(a *acceptance) { a.Expires = now.Add(-sdk.Day) }, "stale_proof"},
		{"for later, when the node may be down", func(a *acceptance) { a.Expires = now.Add(301) }, "stale_proof"},
		{"for ever", func(a *acceptance) { a.Expires = 1<<63 - 1 }, "stale_proof"},
	} {
		c.call(eve, "accept", c.accepted(eve, n, bad.change)).Failed(bad.code)
	}
	good := acceptance{sdktest.ID, "authority", n, eve.Address(), now.Add(60)}
	for name, message := range map[string][]byte{
		"none":             nil,
		"garbage":          []byte("garbage"),
		"the operator's":   eve.Message(t, AcceptAAD, good),
		"another AAD's":    voting(eve).Message(t, "ward-auth-v1", good),
		"a field too many": voting(eve).Message(t, AcceptAAD, map[string]int{"nothing": 1}),
	} {
		if r := c.call(eve, "accept", acceptArgs{n, message}); r.ErrorName() != "bad_proof" {
			t.Errorf("%s: %s", name, r)
		}
	}
	c.members("alice", "bob", "carol", "dave")
	c.call(eve, "accept", c.accepted(eve, n, func(a *acceptance) { a.Expires = now.Add(300) })).OK()
	c.told("eve=1")
	c.call(eve, "accept", c.accepted(eve, n, nil)).Failed("decided")
}

// TestExpiry: to the second, for approval and for acceptance; nothing of an expired proposal is
// in anybody's way, and it is cleared away.
func TestExpiry(t *testing.T) {
	alice, bob, carol, dave := four()
	eve := sdktest.Ed25519("eve")
	c := newChain(t, alice, bob, carol, dave)
	n := c.add(alice, eve)
	c.approve(bob, n, Open)
	c.Advance(7*sdk.Day - 1)
	c.expect(n, Open)
	c.Advance(1)
	c.expect(n, Expired) // though nobody has cleared it away
	var page proposalPage
	if c.View("authority", "proposals", proposalsArgs{}).OK().Result(&page); len(page.Proposals) != 0 {
		t.Errorf("%d proposals are shown as open", len(page.Proposals))
	}
	c.call(carol, "approve", proposalArgs{n}).Failed("expired").Because("expired at 2026-01-12T08:00:00Z")
	c.call(alice, "withdraw", proposalArgs{n}).Failed("expired")
	r := c.call(bob, "propose_add", candidacy(eve)).OK().Emitted("expired", "proposed", "approved")
	var e endedEvent
	if r.Event("expired").Decode(&e); e.Proposal != n || e.Operator != eve.Address() {
		t.Errorf("%+v", e)
	}
	c.call(carol, "approve", proposalArgs{n}).Failed("expired") // cleared away or not

	// Approved at the last moment: as long again for the candidate.
	n++
	c.Advance(7*sdk.Day - 1)
	c.approve(alice, n, Open)
	c.approve(carol, n, Approved)
	c.Advance(7*sdk.Day - 1)
	c.expect(n, Approved)
	late := c.accepted(eve, n, nil)
	c.Advance(1)
	c.expect(n, Expired)
	c.call(eve, "accept", late).Failed("expired")
	c.call(eve, "withdraw", proposalArgs{n}).Failed("expired")
	if info, known := c.Key(eve.Address()); !known || info.Key.State.String() != "open" {
		t.Errorf("%+v", info)
	}
	c.add(carol, sdktest.Ed25519("frank")) // sweeps
	c.Call(eve, "authority", "accept", late).Refused(receipt.KeyShut)

	// Whoever is approved anew gets in again.
	n = c.add(alice, eve)
	c.approve(bob, n, Open)
	c.approve(carol, n, Approved)
	c.accept(eve, n)
}

// TestSweep: an old pile of proposals goes away as new ones come, a few at a time.
func TestSweep(t *testing.T) {
	k := people("alice", "bob", "carol", "dave")
	c := newChain(t, k...)
	var numbers []uint64
	for i := range 4 * maxOpen {
		numbers = append(numbers, c.add(k[i%4], sdktest.Ed25519(fmt.Sprint("candidate ", i))))
	}
	c.Advance(7 * sdk.Day)
	for i := range 4 {
		r := c.call(k[i], "propose_add", candidacy(sdktest.Ed25519(fmt.Sprint("candidate ", 100+i)))).OK()
		swept := 0
		for _, e := range r.Events {
			if e.Name == "expired" {
				swept++
			}
		}
		// Four of the oldest, and whatever else of the proposer's own counted against the bound.
		if swept > sweep+maxOpen || i == 0 && swept < sweep {
			t.Errorf("%d were cleared away:\n%s", swept, r)
		}
	}
	for _, n := range numbers {
		c.expect(n, Expired)
	}
	if got := len(c.Events("authority.expired")); got != len(numbers) {
		t.Errorf("%d have expired, %d were told of", len(numbers), got)
	}
}

// TestBounds: how many undecided proposals one may have, and what texts and keys may be.
func TestBounds(t *testing.T) {
	alice, bob, carol, dave := four()
	c := newChain(t, alice, bob, carol, dave)
	eve := sdktest.Ed25519("eve")
	var mine []uint64
	for i := range maxOpen {
		mine = append(mine, c.add(alice, sdktest.Ed25519(fmt.Sprint("candidate ", i))))
	}
	c.call(alice, "propose_add", candidacy(eve)).Failed("too_many_proposals").Because("4 undecided proposals")
	c.call(alice, "propose_remove", removeArgs{bob.Address()}).Failed("too_many_proposals")
	c.add(bob, eve) // others aren't hindered
	c.approve(bob, mine[0], Open)
	c.approve(carol, mine[0], Approved) // decided: it counts no more
	more := c.add(alice, sdktest.Ed25519("frank"))
	c.call(alice, "propose_remove", removeArgs{bob.Address()}).Failed("too_many_proposals")
	c.call(alice, "withdraw", proposalArgs{more}).OK().Emitted("withdrawn")
	c.remove(alice, bob)

	good := candidacy(sdktest.Ed25519("grace"))
	for name, change := range map[string]func(*addArgs){
		"no operator key":       func(a *addArgs) { a.OperatorKey = nil },
		"a weak operator key":   func(a *addArgs) { a.OperatorKey = make([]byte, 32) },
		"no key":                func(a *addArgs) { a.Key = nil },
		"a weak key":            func(a *addArgs) { a.Key = make([]byte, 32) },
		"no point":              func(a *addArgs) { a.Key = []byte(strings.Repeat("\x02", 32)) },
		"a P-256 key":           func(a *addArgs) { a.Key = sdktest.P256("grace").Public() },
		"one key for both":      func(a *addArgs) { a.Key = a.OperatorKey },
		"no name":               func(a *addArgs) { a.Name = "" },
		"a long name":           func(a *addArgs) { a.Name = strings.Repeat("a", maxName+1) },
		"a name with a newline": func(a *addArgs) { a.Name = "a\nb" },
		"a long website":        func(a *addArgs) { a.Website = strings.Repeat("a", maxWebsite+1) },
	} {
		a := good
		change(&a)
		if r := c.call(carol, "propose_add", a); r.ErrorName() != "bad_value" {
			t.Errorf("%s: %s", name, r)
		}
	}
	c.call(carol, "propose_add", good).OK()
}

// TestWithdraw: an open proposal by its proposer; an approved one by the candidate alone.
func TestWithdraw(t *testing.T) {
	alice, bob, carol, dave := four()
	eve := sdktest.Ed25519("eve")
	c := newChain(t, alice, bob, carol, dave)
	n := c.add(alice, eve)
	c.call(alice, "withdraw", proposalArgs{n}).OK().Emitted("withdrawn")
	c.call(alice, "withdraw", proposalArgs{n}).Failed("decided")
	c.call(bob, "approve", proposalArgs{n}).Failed("decided").Because("is withdrawn since height")
	n = c.add(alice, eve)
	c.approve(bob, n, Open)
	c.approve(carol, n, Approved)
	c.call(alice, "withdraw", proposalArgs{n}).Failed("decided")
	c.call(bob, "withdraw", proposalArgs{n}).Failed("not_the_proposer")
	r := c.call(eve, "withdraw", proposalArgs{n}).OK().Emitted("withdrawn")
	var e endedEvent
	if r.Event("withdrawn").Decode(&e); e.By == nil || *e.By != eve.Address() {
		t.Errorf("%+v", e)
	}
	c.Call(eve, "authority", "accept", c.accepted(eve, n, nil)).Refused(receipt.KeyShut)
	c.add(alice, eve)
}

// TestAccounts: a newcomer's operator may call this contract alone, until they leave; an account
// from elsewhere is left alone.
func TestAccounts(t *testing.T) {
	alice := sdktest.Ed25519("alice")
	eve, frank := sdktest.P256("eve"), sdktest.Ed25519("frank")
	c := newChain(t, alice)
	c.Open(frank)
	c.accept(eve, c.add(alice, eve))
	info, known := c.Key(eve.Address())
	if scope := info.Key.Scope; !known || len(scope) != 1 || scope[0].Contract != "authority" || len(scope[0].Methods) != 0 {
		t.Errorf("scope %+v", info.Key.Scope)
	}
	n := c.add(alice, frank)
	c.approve(eve, n, Approved)
	c.accept(frank, n)
	n = c.remove(alice, eve)
	c.approve(frank, n, Open)
	c.approve(eve, n, Done)
	c.approve(frank, c.remove(alice, frank), Done)
	c.Call(eve, "authority", "propose_add", candidacy(frank)).Refused(receipt.KeyShut)
	c.call(frank, "propose_add", candidacy(eve)).Failed("not_an_authority")
	c.members("alice")
}

// TestInit: what can't be a chain's first authorities.
func TestInit(t *testing.T) {
	alice, bob := sdktest.Ed25519("alice"), sdktest.Ed25519("bob")
	for name, test := range map[string]struct {
		change func(*initArgs)
		want   string
	}{
		"nobody":         {func(a *initArgs) { a.Authorities = nil }, "0 authorities, must be 1 to 100"},
		"too many":       {func(a *initArgs) { a.Authorities = make([]Founder, 101) }, "101 authorities"},
		"operator twice": {func(a *initArgs) { a.Authorities[1].Operator = alice.Address() }, "authorities[1]: "},
		"key twice":      {func(a *initArgs) { a.Authorities[1].Key = a.Authorities[0].Key }, "authorities[1]: the voting key"},
		"weak key":       {func(a *initArgs) { a.Authorities[0].Key = make([]byte, 32) }, "authorities[0]: key is no point"},
		"no operator":    {func(a *initArgs) { a.Authorities[0].Operator = sdk.Address{} }, "authorities[0]: no operator"},
		"no name":        {func(a *initArgs) { a.Authorities[0].Name = "" }, "authorities[0]: name is missing"},
		"a long wait":    {func(a *initArgs) { a.Days = 366 }, "days is 366, limit 365"},
	} {
		a := founders(alice, bob)
		test.change(&a)
		_, err := sdktest.Try(t, sdktest.Contract{Dir: ".", Capabilities: capabilities, Init: a})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	// Without its capabilities it is no authority contract.
	if _, err := sdktest.Try(t, sdktest.Contract{Dir: ".", Capabilities: []string{"accounts"}, Init: founders(alice)}); err == nil {
		t.Error("the contract begins without the capability authorities")
	}
	a := founders(alice, bob)
	a.Days = 1
	c := &chain{t: t, Chain: sdktest.New(t, sdktest.Contract{Dir: ".", Capabilities: capabilities, Init: a})}
	c.Open(alice)
	n := c.add(alice, sdktest.Ed25519("eve"))
	if got := c.proposal(n).Expires; got != c.Now().Add(sdk.Day) {
		t.Errorf("expires %s", got)
	}
}

// TestFull: a hundred authorities, pages, and what the dearest decision costs.
func TestFull(t *testing.T) {
	var k []*sdktest.Key
	for i := range maxAuthorities {
		k = append(k, sdktest.Ed25519(fmt.Sprint("authority ", i)))
	}
	c := newChain(t, k...)
	c.GasLimit = tx.MaxGas
	c.call(k[0], "propose_add", candidacy(sdktest.Ed25519("eve"))).Failed("too_many_authorities")
	decide := func(n uint64, by []*sdktest.Key) *sdktest.Receipt {
		t.Helper()
		var approvals [][]byte
		for _, key := range by {
			approvals = append(approvals, c.Sign(key, "authority", "approve", proposalArgs{n}))
		}
		all := c.Block(approvals...)
		for _, r := range all[:len(all)-1] {
			r.OK().Emitted("approved")
		}
		return all[len(all)-1].OK()
	}
	decide(c.remove(k[0], k[99]), k[1:67]).Emitted("approved", "removed")
	k = k[:99]

	// Two may come, one finds room.
	eve, frank := sdktest.Ed25519("eve"), sdktest.Ed25519("frank")
	first, second := c.add(k[0], eve), c.add(k[0], frank)
	decide(first, k[1:67])
	decide(second, k[1:67])
	c.accept(eve, first)
	c.call(frank, "accept", c.accepted(frank, second, nil)).Failed("too_many_authorities")
	decide(c.remove(k[0], eve), k[1:67]).Emitted("approved", "removed")

	// Everybody has as many undecided proposals as they may have when somebody is removed.
	last := c.remove(k[0], k[98])
	decide(last, k[1:66]).Emitted("approved")
	for _, by := range k {
		var proposals [][]byte
		for i := range maxOpen {
			whom := sdktest.Ed25519(fmt.Sprint(by.Name, " wants ", i))
			proposals = append(proposals, c.Sign(by, "authority", "propose_add", candidacy(whom)))
		}
		for i, r := range c.Block(proposals...) {
			if by != k[0] || i < maxOpen-1 {
				r.OK()
			}
		}
	}
	r := decide(last, k[66:67])
	if r.GasUsed > tx.MaxGas/2 {
		t.Errorf("a removal costs %d gas, nobody may give more than %d", r.GasUsed, tx.MaxGas)
	}
	t.Logf("a removal among %d open proposals costs %d gas", maxOpen*len(k), r.GasUsed)

	var members []Authority
	for after := []byte(nil); ; {
		var page authorityPage
		c.View("authority", "authorities", authoritiesArgs{After: after}).OK().Result(&page)
		members = append(members, page.Authorities...)
		if after = page.Next; after == nil {
			break
		}
	}
	if len(members) != 98 {
		t.Errorf("pages show %d authorities", len(members))
	}
	for _, all := range []bool{false, true} {
		seen := map[uint64]bool{}
		for after := []byte(nil); ; {
			var page proposalPage
			c.View("authority", "proposals", proposalsArgs{All: all, After: after, Limit: 1000}).OK().Result(&page)
			for _, p := range page.Proposals {
				if seen[p.Proposal] {
					t.Errorf("proposal %d is on two pages", p.Proposal)
				}
				seen[p.Proposal] = true
			}
			if after = page.Next; after == nil {
				break
			}
		}
		// Alive: frank's, and all but those of who was removed; ended: the four decided, those.
		want := 1 + 98*maxOpen - 1
		if all {
			want += 4 + maxOpen
		}
		if len(seen) != want {
			t.Errorf("pages show %d proposals (all: %v), want %d", len(seen), all, want)
		}
	}
}

func (c *chain) propose(by *sdktest.Key, method string, args any) uint64 {
	c.t.Helper()
	var r proposeResult
	c.call(by, method, args).OK().Result(&r)
	return r.Proposal
}

// deploy deploys this contract's code under a name.
func (c *chain) deploy(by *sdktest.Key, name string, init any) *sdktest.Receipt {
	c.t.Helper()
	encoded, err := wire.Marshal(init)
	if err != nil {
		c.t.Fatal(err)
	}
	limit := c.GasLimit
	defer func() { c.GasLimit = limit }()
	c.GasLimit = tx.MaxGas
	return c.Call(by, "code", "deploy", struct {
		Code []byte
		Init []byte
		Name string
	}{sdktest.Build(c.t, ".").Wasm, encoded, name})
}

// TestParameters: two thirds say who may deploy, and the chain does so from then on.
func TestParameters(t *testing.T) {
	alice, bob, carol, dave := four()
	c := newChain(t, alice, bob, carol, dave)
	shown := func(want string, deployers ...sdk.Address) {
		t.Helper()
		var p sdk.Parameters
		c.View("authority", "parameters", nil).OK().Result(&p)
		if p.Deploy != want || !slices.Equal(p.Deployers, deployers) {
			t.Errorf("the parameters are %+v, want %s %v", p, want, deployers)
		}
	}
	shown("operator")
	list := sdk.Parameters{Deploy: "list", Deployers: []sdk.Address{c.stranger.Address()}}
	c.call(c.stranger, "propose_parameters", list).Failed("not_an_authority")
	c.call(alice, "propose_parameters", sdk.Parameters{Deploy: "nobody"}).Failed("bad_value").Because("deploy is none of")
	c.call(alice, "propose_parameters", sdk.Parameters{Deploy: "open", Deployers: list.Deployers}).Failed("bad_value")

	n := c.propose(alice, "propose_parameters", list)
	c.call(alice, "propose_parameters", sdk.Parameters{Deploy: "open"}).Failed("already_proposed").
		Because(fmt.Sprintf("proposal %d, to change the chain's parameters, is open until", n))
	rival := c.propose(dave, "propose_parameters", sdk.Parameters{Deploy: "open"})
	c.approve(bob, n, Open)
	shown("operator")
	r := c.approve(carol, n, Done).Emitted("approved", "changed", "voided")
	var e parametersEvent
	if r.Event("changed").Decode(&e); e.Proposal != n || e.Deploy != "list" || !slices.Equal(e.Deployers, list.Deployers) {
		t.Errorf("%+v", e)
	}
	shown("list", c.stranger.Address())
	if got := len(c.Events("chain.parameters")); got != 1 {
		t.Errorf("the chain told %d times, want 1", got)
	}
	c.expect(rival, Void)
	c.call(bob, "accept", acceptArgs{Proposal: n}).Failed("decided")
	if p := c.proposal(n); p.Parameters == nil || p.Parameters.Deploy != "list" || p.Kind != Parameters {
		t.Errorf("%+v", p)
	}
	c.deploy(c.Operator, "mine", founders(alice)).Refused(receipt.NotPermitted)
	c.call(bob, "accept", acceptArgs{Proposal: c.propose(alice, "propose_parameters", list)}).Failed("not_approved").
		Because("is to change the chain's parameters: nobody need accept it")
}

// TestPermit: what two thirds permit may be deployed by anybody, with these powers and as they said, once; and taken back until then.
func TestPermit(t *testing.T) {
	alice, bob, carol, dave := four()
	c := newChain(t, alice, bob, carol, dave)
	hash := sdktest.Build(t, ".").Hash
	init, err := wire.Marshal(founders(alice, bob, carol, dave))
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(init)
	permit := func(name string) sdk.Permit {
		return sdk.Permit{Hash: hash[:], Init: digest[:], Name: name, Admin: bob.Address(), Capabilities: abi.Capabilities()}
	}
	c.call(c.stranger, "propose_permit", permit("second")).Failed("not_an_authority")
	c.call(c.stranger, "propose_revoke", revokeArgs{"second"}).Failed("not_an_authority")
	short := permit("second")
	short.Hash = short.Hash[1:]
	c.call(alice, "propose_permit", short).Failed("bad_value").Because("hash has 31 bytes")
	c.call(alice, "propose_revoke", revokeArgs{}).Failed("bad_value")

	decide := func(method string, args any, want Status) *sdktest.Receipt {
		t.Helper()
		n := c.propose(alice, method, args)
		c.approve(bob, n, Open)
		return c.approve(carol, n, want)
	}
	n := c.propose(dave, "propose_revoke", revokeArgs{"second"})
	c.call(dave, "propose_permit", permit("second")).Failed("already_proposed").Because("to take back what is permitted for \"second\"")
	r := decide("propose_permit", permit("second"), Done).Emitted("approved", "permitted", "voided")
	c.expect(n, Void)
	var e permitEvent
	if r.Event("permitted").Decode(&e); e.Name != "second" || string(e.Hash) != string(hash[:]) || string(e.Init) != string(digest[:]) || e.Admin != bob.Address() || len(e.Capabilities) != 4 {
		t.Errorf("%+v", e)
	}
	// Taken back, and permitted again.
	decide("propose_revoke", revokeArgs{"second"}, Done).Emitted("approved", "revoked")
	c.deploy(c.stranger, "second", founders(alice, bob, carol, dave)).Refused(receipt.NotPermitted)
	decide("propose_revoke", revokeArgs{"second"}, Void)
	decide("propose_permit", permit("second"), Done)

	c.deploy(c.Operator, "second", founders(alice)).Refused(receipt.NotPermitted).Because("is kept for code")
	c.deploy(c.stranger, "third", founders(alice, bob, carol, dave)).Refused(receipt.NotPermitted)
	c.deploy(c.stranger, "second", founders(alice, bob, carol, dave)).OK()
	c.Call(bob, "second", "propose_remove", removeArgs{dave.Address()}).OK()
	// Its name is taken: what is decided about it now comes to nothing, and says so.
	n = c.propose(alice, "propose_permit", permit("second"))
	c.approve(bob, n, Open)
	c.approve(carol, n, Void).Emitted("approved", "voided")
	if p := c.proposal(n); p.Reason != "there is a contract of this name already" {
		t.Errorf("%+v", p)
	}
}

// TestPowers: without the capability nothing is proposed that couldn't be carried out, and would end with it whatever is decided
// together; what the contract can't hand out is void.
func TestPowers(t *testing.T) {
	alice := sdktest.Ed25519("alice")
	weak := func(capabilities ...string) *chain {
		c := &chain{t: t, Chain: sdktest.New(t, sdktest.Contract{Dir: ".", Capabilities: capabilities, Init: founders(alice)})}
		c.Open(alice)
		return c
	}
	permit := sdk.Permit{Hash: make([]byte, 32), Name: "new", Capabilities: []string{"parameters"}}
	c := weak("accounts", "authorities")
	c.call(alice, "propose_parameters", sdk.Parameters{Deploy: "open"}).Refused(receipt.NotPermitted).Because("parameters_set needs the capability parameters")
	c.call(alice, "propose_permit", permit).Refused(receipt.NotPermitted).Because("code_withdraw needs the capability code")
	c.call(alice, "propose_revoke", revokeArgs{"new"}).Refused(receipt.NotPermitted)
	c = weak("accounts", "authorities", "code")
	n := c.propose(alice, "propose_permit", permit)
	if p := c.proposal(n); p.Status != Void || p.Reason != "the contract can't hand out a capability that it does not have itself" {
		t.Errorf("%+v", p)
	}
}

// TestPage: a page of the largest proposals that there can be is a result.
func TestPage(t *testing.T) {
	everybody := make([]sdk.Address, maxAuthorities)
	line := strings.Repeat("x", 200)
	all := abi.Capabilities()
	for len(all) < abi.MaxCapabilities {
		all = append(all, strings.Repeat("x", abi.MaxCapability))
	}
	of := func(k Kind) Proposal {
		return Proposal{
			Proposal: 1 << 40, Kind: k, Created: 1 << 40, Expires: 1 << 40, Status: Withdrawn, Decided: 1 << 40, Reason: line, Approvals: everybody,
		}
	}
	add, parameters, permit := of(Add), of(Parameters), of(Permit)
	add.Operator[0], add.OperatorKey, add.Key, add.Name, add.Website = 1, make([]byte, 33), make([]byte, 32), line[:maxName], line[:maxWebsite]
	parameters.Parameters = &sdk.Parameters{Deploy: abi.DeployList, Deployers: make([]sdk.Address, abi.MaxDeployers)}
	permit.Name, permit.Permit = line[:maxName], &sdk.Permit{Hash: make([]byte, 32), Init: make([]byte, 32), Name: line[:maxName], Capabilities: all}
	for _, p := range []Proposal{add, parameters, permit} {
		page := proposalPage{Present: maxAuthorities, Needed: maxAuthorities, Next: make([]byte, 64)}
		for range maxPage {
			page.Proposals = append(page.Proposals, p)
		}
		b, err := wire.Marshal(page)
		if err != nil || len(b) > abi.MaxReturn {
			t.Errorf("a page of %s is %d bytes, limit %d: %v", p.Kind, len(b), abi.MaxReturn, err)
		}
		t.Logf("a page of %s is %d bytes", p.Kind, len(b))
	}
}
