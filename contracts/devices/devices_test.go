package main

import (
	"encoding/hex"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/sdk"
	"github.com/wardledger/ward/sdk/sdktest"
	"github.com/wardledger/ward/sdk/specdoc"
	"github.com/wardledger/ward/sdk/wire"
)

var update = flag.Bool("update", false, "write the tables of README.md")

// site is a chain with the contract, an operator who keeps the profiles, an owner and
// a stranger.
type site struct {
	*sdktest.Chain
	t                         *testing.T
	operator, owner, stranger *sdktest.Key
}

const (
	lockModel = "lock-1"
	lockQuota = 50_000_000_000
)

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, operator: sdktest.Ed25519("operator-of-models")}
	by := s.operator.Address()
	s.Chain = sdktest.New(t, sdktest.Contract{Dir: ".", Capabilities: []string{"accounts"}, Init: initArgs{
		Operator: &by,
		Models: []Model{
			{Model: lockModel, Vendor: "Locks & Co", Quota: lockQuota, Scope: []sdk.Scope{{Contract: "devices", Methods: []string{"authenticate_self", "suspend"}}}},
			{Model: "greedy", Quota: 1 << 62},
		},
	}})
	s.Open(s.operator)
	s.owner, s.stranger = s.Account("owner"), s.Account("stranger")
	return s
}

func nonce(text string) []byte {
	b := make([]byte, minNonce)
	copy(b, text)
	return b
}

// possessed is a device's proof of possession, changed by who wants to break it.
func (s *site) possessed(device *sdktest.Key, owner sdk.Address, change func(*possession)) []byte {
	s.t.Helper()
	p := possession{Chain: sdktest.ID, Contract: "devices", Owner: owner, Device: device.Address(), Nonce: nonce("enrol")}
	if change != nil {
		change(&p)
	}
	return device.Message(s.t, EnrolAAD, p)
}

func (s *site) enrolment(device *sdktest.Key, owner sdk.Address) enrolArgs {
	s.t.Helper()
	return enrolArgs{Owner: &owner, Model: lockModel, Serial: "SN " + device.Name, Key: device.Public(), Proof: s.possessed(device, owner, nil)}
}

// enrol enrols a device for the owner, by the owner.
func (s *site) enrol(device *sdktest.Key) {
	s.t.Helper()
	s.Call(s.owner, "devices", "enrol", s.enrolment(device, s.owner.Address())).OK()
}

// answered is a device's answer to a challenge of an audience, changed by who wants to break it.
func (s *site) answered(device *sdktest.Key, audience sdk.Address, text string, change func(*challenge)) []byte {
	s.t.Helper()
	ch := challenge{Chain: sdktest.ID, Contract: "devices", Device: device.Address(), Audience: audience,
		Nonce: nonce(text), Expires: s.Now().Add(sdk.Minute)}
	if change != nil {
		change(&ch)
	}
	return device.Message(s.t, AuthAAD, ch)
}

// authenticate records an answer, and returns what the contract says of it.
func (s *site) authenticate(by, device *sdktest.Key, proof []byte) Answer {
	s.t.Helper()
	var a Answer
	r := s.Call(by, "devices", "authenticate", authenticateArgs{device.Address(), proof}).OK().Result(&a)
	if want := map[bool]string{true: "authenticated", false: "denied"}[a.Authentic]; len(r.Events) != 1 || r.Events[0].Name != want {
		s.t.Errorf("%s answers authentic = %v", r, a.Authentic)
	}
	return a
}

func (s *site) verify(device *sdktest.Key, audience sdk.Address, proof []byte) Answer {
	s.t.Helper()
	var a Answer
	s.View("devices", "verify", verifyArgs{device.Address(), audience, proof}).OK().Result(&a)
	return a
}

func (s *site) state(device *sdktest.Key) State {
	s.t.Helper()
	var d Device
	s.View("devices", "device", deviceArgs{device.Address()}).OK().Result(&d)
	return d.State
}

// keyState is what the chain thinks of the device's key.
func (s *site) keyState(device *sdktest.Key) string {
	s.t.Helper()
	info, known := s.Key(device.Address())
	if !known {
		return "unknown"
	}
	return info.Key.State.String()
}

func (s *site) expect(device *sdktest.Key, state State, key string) {
	s.t.Helper()
	if got := s.state(device); got != state {
		s.t.Errorf("%s is %s, want %s", device, got, state)
	}
	if got := s.keyState(device); got != key {
		s.t.Errorf("the key of %s is %s, want %s", device, got, key)
	}
}

// agreed is what an owner says to agree to a device as a lock.
func agreed(device *sdktest.Key) activateArgs {
	return activateArgs{Device: device.Address(), Model: lockModel}
}

// TestReadme: the README's tables are the contract's spec, and its examples what the contract reads.
func TestReadme(t *testing.T) {
	if err := specdoc.Check("README.md", sdktest.Build(t, ".").Spec, *update); err != nil {
		t.Error(err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	squeezed := strings.Join(strings.Fields(string(readme)), "")
	var who [3]sdk.Address
	for i := range who {
		for j := range who[i] {
			who[i][j] = byte(0x11 * (i + 1))
		}
	}
	number := make([]byte, 16)
	for i := range number {
		number[i] = byte(i)
	}
	for name, v := range map[string]any{
		"possession": possession{Chain: "ward-dev", Contract: "devices", Owner: who[0], Device: who[1], Nonce: number},
		"challenge":  challenge{Chain: "ward-dev", Contract: "devices", Device: who[1], Audience: who[2], Nonce: number, Expires: 1767600060},
	} {
		b, err := wire.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(squeezed, hex.EncodeToString(b)) {
			t.Errorf("README.md does not have the %s %x", name, b)
		}
	}
}

// TestLife: every state, every way from one to another, what the chain thinks of the
// key meanwhile, and what a device may do in it.
func TestLife(t *testing.T) {
	for _, lock := range []*sdktest.Key{sdktest.P256("lock"), sdktest.Ed25519("lock")} {
		s := newSite(t)
		byInstaller := s.enrolment(lock, s.owner.Address())
		r := s.Call(s.stranger, "devices", "enrol", byInstaller).OK().Emitted("enrolled")
		var e enrolledEvent
		if r.Event("enrolled").Decode(&e); e.Device != lock.Address() || e.Owner != s.owner.Address() || e.By != s.stranger.Address() || e.State != Pending || e.Vendor != "Locks & Co" {
			t.Errorf("%+v", e)
		}
		s.expect(lock, Pending, "unknown")
		s.Call(lock, "devices", "authenticate_self", nil).Refused(receipt.UnknownKey)
		if a := s.authenticate(s.stranger, lock, s.answered(lock, s.stranger.Address(), "pending", nil)); a.Authentic || a.Why != whyPending {
			t.Errorf("%+v", a)
		}
		for _, method := range []string{"suspend", "resume"} {
			s.Call(s.owner, "devices", method, deviceArgs{lock.Address()}).Failed("wrong_state")
		}
		s.Call(s.stranger, "devices", "activate", agreed(lock)).Failed("not_permitted")

		s.Call(s.owner, "devices", "activate", deviceArgs{lock.Address()}).Refused(receipt.BadArguments).Because("model: missing")
		s.Call(s.owner, "devices", "activate", agreed(lock)).OK().Emitted("activated")
		s.expect(lock, Active, "open")
		var answer Answer
		s.Call(lock, "devices", "authenticate_self", nil).OK().Emitted("authenticated").Result(&answer)
		if !answer.Authentic || answer.Assurance != "C" || answer.Device != lock.Address() || *answer.Owner != s.owner.Address() || answer.At != s.Now() {
			t.Errorf("%+v", answer)
		}
		s.Call(lock, "devices", "set_labels", labelsArgs{Device: lock.Address()}).Refused(receipt.OutOfScope)
		for _, method := range []string{"resume", "withdraw"} {
			s.Call(s.owner, "devices", method, deviceArgs{lock.Address()}).Failed("wrong_state")
		}
		s.Call(s.owner, "devices", "activate", agreed(lock)).Failed("wrong_state")

		s.Call(s.stranger, "devices", "suspend", reasonArgs{Device: lock.Address()}).Failed("not_permitted")
		s.Call(s.owner, "devices", "suspend", reasonArgs{lock.Address(), "lost"}).OK().Emitted("suspended")
		s.expect(lock, Suspended, "shut")
		s.Call(lock, "devices", "authenticate_self", nil).Refused(receipt.KeyShut)
		proof := s.answered(lock, s.stranger.Address(), "suspended", nil)
		if a := s.authenticate(s.stranger, lock, proof); a.Authentic || a.Why != whySuspended || !strings.Contains(a.Reason, "lost") || a.Assurance != "" {
			t.Errorf("%+v", a)
		}
		s.Call(s.owner, "devices", "suspend", reasonArgs{Device: lock.Address()}).Failed("wrong_state")

		s.Call(s.stranger, "devices", "resume", deviceArgs{lock.Address()}).Failed("not_permitted")
		s.Call(s.owner, "devices", "resume", deviceArgs{lock.Address()}).OK().Emitted("resumed")
		s.expect(lock, Active, "open")
		s.Call(lock, "devices", "authenticate_self", nil).OK()
		if a := s.authenticate(s.stranger, lock, proof); a.Authentic || a.Why != whyReplayed {
			t.Errorf("an answer that was shown while the lock was suspended is good again: %+v", a)
		}

		// A device may stop itself, not start itself.
		s.Call(lock, "devices", "suspend", reasonArgs{lock.Address(), "opened by force"}).OK()
		s.expect(lock, Suspended, "shut")

		s.Call(s.stranger, "devices", "retire", reasonArgs{Device: lock.Address()}).Failed("not_permitted")
		s.Call(s.owner, "devices", "retire", reasonArgs{lock.Address(), "broken"}).OK().Emitted("retired")
		s.expect(lock, Retired, "retired")
		s.Call(lock, "devices", "authenticate_self", nil).Refused(receipt.KeyShut)
		if a := s.authenticate(s.stranger, lock, s.answered(lock, s.stranger.Address(), "retired", nil)); a.Authentic || a.Why != whyRetired {
			t.Errorf("%+v", a)
		}
		for _, method := range []string{"suspend", "resume", "retire", "withdraw"} {
			s.Call(s.owner, "devices", method, deviceArgs{lock.Address()}).Failed("retired")
		}
		s.Call(s.owner, "devices", "activate", agreed(lock)).Failed("retired")
		for _, by := range []*sdktest.Key{s.owner, s.stranger} {
			again := s.enrolment(lock, by.Address())
			again.Proof = s.possessed(lock, by.Address(), func(p *possession) { p.Nonce = nonce("another") })
			s.Call(by, "devices", "enrol", again).Failed("retired").Because("never enrols again")
		}
	}
}

// TestQuota: a device lives out of its owner's quota, and gives it back in the end.
func TestQuota(t *testing.T) {
	s := newSite(t)
	carved := func() uint64 {
		info, _ := s.Key(s.owner.Address())
		return info.Account.Carved
	}
	lock := sdktest.P256("lock")
	s.enrol(lock)
	if got := carved(); got != lockQuota {
		t.Errorf("%d carved, want %d", got, lockQuota)
	}
	info, _ := s.Key(lock.Address())
	if info.Account.QuotaPerHour != lockQuota || info.Account.Owner != address.Address(s.owner.Address()) {
		t.Errorf("%+v", info.Account)
	}
	if scope := info.Key.Scope; len(scope) != 1 || scope[0].Contract != "devices" || len(scope[0].Methods) != 2 {
		t.Errorf("%+v", scope)
	}
	s.Call(s.owner, "devices", "retire", reasonArgs{Device: lock.Address()}).OK()
	if got := carved(); got != 0 {
		t.Errorf("%d carved after the lock was retired", got)
	}

	greedy := sdktest.P256("greedy")
	e := s.enrolment(greedy, s.owner.Address())
	e.Model = "greedy"
	s.Call(s.owner, "devices", "enrol", e).Failed("no_quota")
	if r := s.View("devices", "device", deviceArgs{greedy.Address()}); r.ErrorName() != "unknown_device" {
		t.Errorf("a refused enrolment left something behind: %s", r)
	}
}

// TestKeyInUse: a key that the chain knows from elsewhere can't become a device's.
func TestKeyInUse(t *testing.T) {
	s := newSite(t)
	person := s.Account("person")
	s.Call(s.owner, "devices", "enrol", s.enrolment(person, s.owner.Address())).Failed("key_in_use")
	// By an installer it shows when the owner activates.
	s.Call(s.stranger, "devices", "enrol", s.enrolment(person, s.owner.Address())).OK()
	s.Call(s.owner, "devices", "activate", agreed(person)).Failed("key_in_use")
	// Retiring the record leaves the person's key alone.
	s.Call(s.owner, "devices", "retire", reasonArgs{Device: person.Address()}).OK()
	if got := s.keyState(person); got != "open" {
		t.Errorf("the person's key is %s", got)
	}
}

// TestUnknownOwner: nobody lives out of an account that is not there.
func TestUnknownOwner(t *testing.T) {
	s := newSite(t)
	lock, ghost := sdktest.P256("lock"), sdktest.Ed25519("ghost")
	s.Call(s.stranger, "devices", "enrol", s.enrolment(lock, ghost.Address())).OK()
	s.expect(lock, Pending, "unknown")
	s.Call(s.stranger, "devices", "activate", agreed(lock)).Failed("not_permitted")
	s.Call(s.stranger, "devices", "withdraw", deviceArgs{lock.Address()}).OK()
}

// TestProofOfPossession: nobody enrols a device that they don't hold.
func TestProofOfPossession(t *testing.T) {
	s := newSite(t)
	lock, other := sdktest.P256("lock"), sdktest.P256("other")
	me := s.owner.Address()
	for _, c := range []struct {
		name   string
		change func(*enrolArgs)
		failed string
		why    string
	}{
		{"signed by another key", func(e *enrolArgs) {
			e.Proof = other.Message(t, EnrolAAD, possession{sdktest.ID, "devices", me, lock.Address(), nonce("n")})
		}, "bad_proof", "not a COSE_Sign1 of the key"},
		{"another device's proof", func(e *enrolArgs) { e.Proof = s.possessed(other, me, nil) }, "bad_proof", "not a COSE_Sign1"},
		{"signed for something else", func(e *enrolArgs) {
			e.Proof = lock.Message(t, AuthAAD, possession{sdktest.ID, "devices", me, lock.Address(), nonce("n")})
		}, "bad_proof", "under ward-enrol-v1"},
		{"for another owner", func(e *enrolArgs) { e.Proof = s.possessed(lock, s.stranger.Address(), nil) }, "bad_proof", "proof: owner is"},
		{"on another chain", func(e *enrolArgs) { e.Proof = s.possessed(lock, me, func(p *possession) { p.Chain = "other" }) }, "bad_proof", `chain is "other"`},
		{"in another contract", func(e *enrolArgs) { e.Proof = s.possessed(lock, me, func(p *possession) { p.Contract = "other" }) }, "bad_proof", `contract is "other"`},
		{"of another device", func(e *enrolArgs) {
			e.Proof = s.possessed(lock, me, func(p *possession) { p.Device = other.Address() })
		}, "bad_proof", "device is"},
		{"with a short nonce", func(e *enrolArgs) { e.Proof = s.possessed(lock, me, func(p *possession) { p.Nonce = p.Nonce[1:] }) }, "bad_proof", "nonce is 15 bytes"},
		{"with a long nonce", func(e *enrolArgs) {
			e.Proof = s.possessed(lock, me, func(p *possession) { p.Nonce = make([]byte, 33) })
		}, "bad_proof", "nonce is 33 bytes"},
		{"of something else", func(e *enrolArgs) { e.Proof = lock.Message(t, EnrolAAD, struct{ Hello uint64 }{1}) }, "bad_proof", "proof: "},
		{"cut off", func(e *enrolArgs) { e.Proof = e.Proof[:len(e.Proof)-1] }, "bad_proof", "not a COSE_Sign1"},
		{"empty", func(e *enrolArgs) { e.Proof = nil }, "bad_proof", "not a COSE_Sign1"},
		{"no key", func(e *enrolArgs) { e.Key = e.Key[1:] }, "bad_value", "key: 32 bytes that are no public key"},
		{"an empty key", func(e *enrolArgs) { e.Key = nil }, "bad_value", "key: 0 bytes"},
		{"unknown model", func(e *enrolArgs) { e.Model = "toaster" }, "unknown_model", `no profile for model "toaster"`},
		{"a model that is none", func(e *enrolArgs) { e.Model = "lock 1" }, "bad_value", "letters, digits and . _ -"},
		{"a long model", func(e *enrolArgs) { e.Model = strings.Repeat("a", 300) }, "bad_value", "model is 300 bytes"},
		{"a long serial", func(e *enrolArgs) { e.Serial = strings.Repeat("1", 49) }, "bad_value", "serial is 49 bytes, limit 48"},
		{"a serial with a line break", func(e *enrolArgs) { e.Serial = "1\n2" }, "bad_value", "control characters"},
		{"a label without a name", func(e *enrolArgs) { e.Labels = map[string]string{"": "x"} }, "bad_value", "its name is 0 bytes"},
		{"a long label", func(e *enrolArgs) { e.Labels = map[string]string{"a": strings.Repeat("x", 65)} }, "bad_value", "label a is 65 bytes"},
		{"two bad labels", func(e *enrolArgs) { e.Labels = map[string]string{"b c": "", "a c": "", "d": ""} }, "bad_value", `"a c"`},
		{"nine labels", func(e *enrolArgs) {
			e.Labels = map[string]string{"1": "", "2": "", "3": "", "4": "", "5": "", "6": "", "7": "", "8": "", "9": ""}
		}, "bad_value", "9 labels, limit 8"},
	} {
		e := s.enrolment(lock, me)
		c.change(&e)
		r := s.Call(s.owner, "devices", "enrol", e)
		if r.ErrorName() != c.failed || !strings.Contains(r.Reason, c.why) {
			t.Errorf("%s: %s, want %s: %s", c.name, r, c.failed, c.why)
		}
	}
	s.enrol(lock)
	s.Call(s.owner, "devices", "enrol", s.enrolment(lock, me)).Failed("already_enrolled")
	s.Call(s.stranger, "devices", "enrol", s.enrolment(lock, s.stranger.Address())).Failed("already_enrolled")
}

// pending lists what waits for an owner.
func (s *site) pending(owner sdk.Address, by *sdk.Address) []Device {
	s.t.Helper()
	var page devicePage
	s.View("devices", "pending", pendingArgs{Owner: owner, By: by}).OK().Result(&page)
	return page.Devices
}

// TestWithdraw: a pending enrolment can be taken back by who made it, and turned down by the owner.
func TestWithdraw(t *testing.T) {
	s := newSite(t)
	lock := sdktest.P256("lock")
	e := s.enrolment(lock, s.owner.Address())
	s.Call(s.stranger, "devices", "enrol", e).OK()
	s.Call(s.operator, "devices", "withdraw", deviceArgs{lock.Address()}).Failed("not_permitted")
	s.Call(s.stranger, "devices", "withdraw", deviceArgs{lock.Address()}).OK().Emitted("withdrawn")
	s.View("devices", "device", deviceArgs{lock.Address()}).Failed("unknown_device")
	s.Call(s.stranger, "devices", "withdraw", deviceArgs{lock.Address()}).Failed("unknown_device")
	s.Call(s.owner, "devices", "activate", agreed(lock)).Failed("unknown_device")

	// The owner turns down one of two, then all that there is.
	s.Call(s.stranger, "devices", "enrol", e).OK()
	s.Call(s.operator, "devices", "enrol", e).OK()
	by := s.stranger.Address()
	s.Call(s.operator, "devices", "withdraw", withdrawArgs{lock.Address(), &by}).Failed("not_permitted")
	s.Call(s.owner, "devices", "withdraw", withdrawArgs{lock.Address(), &by}).OK().Emitted("withdrawn")
	if list := s.pending(s.owner.Address(), nil); len(list) != 1 || list[0].EnrolledBy != s.operator.Address() {
		t.Errorf("%+v", list)
	}
	s.Call(s.stranger, "devices", "enrol", e).OK()
	s.Call(s.owner, "devices", "withdraw", deviceArgs{lock.Address()}).OK().Emitted("withdrawn", "withdrawn")
	s.Call(s.owner, "devices", "withdraw", deviceArgs{lock.Address()}).Failed("unknown_device")
	if list := s.pending(s.owner.Address(), nil); len(list) != 0 {
		t.Errorf("%+v", list)
	}
	// None of that used the proof up for the owner.
	s.Call(s.owner, "devices", "enrol", e).OK()
	s.expect(lock, Active, "open")
}

// TestBurntProof: who copies a proof, enrols the device and takes that back, again and again, keeps
// neither the owner nor the owner's installer from anything.
func TestBurntProof(t *testing.T) {
	s := newSite(t)
	installer := s.Account("installer")
	for i, by := range []*sdktest.Key{s.owner, installer} {
		lock := sdktest.P256("lock " + string(rune('a'+i)))
		mine := s.enrolment(lock, s.owner.Address())
		fake := mine
		fake.Model, fake.Serial = "greedy", "fake"
		s.Call(s.stranger, "devices", "enrol", fake).OK()
		s.Call(s.stranger, "devices", "withdraw", deviceArgs{lock.Address()}).OK()
		s.Call(s.stranger, "devices", "enrol", fake).OK()
		s.Call(by, "devices", "enrol", mine).OK()
		if by == installer {
			// The owner sees both, agrees to the one, and the other is gone.
			if list := s.pending(s.owner.Address(), nil); len(list) != 2 {
				t.Errorf("%+v", list)
			}
			yes := agreed(lock)
			s.Call(s.owner, "devices", "activate", yes).Failed("several_enrolments").Because("with by")
			from := installer.Address()
			yes.By = &from
			s.Call(s.owner, "devices", "activate", yes).OK()
		}
		s.expect(lock, Active, "open")
		if list := s.pending(s.owner.Address(), nil); len(list) != 0 {
			t.Errorf("%+v", list)
		}
		s.Call(s.stranger, "devices", "withdraw", deviceArgs{lock.Address()}).Failed("not_permitted")
		s.Call(s.stranger, "devices", "enrol", fake).Failed("already_enrolled")
		// The proof counted once: nothing brings the device back.
		s.Call(s.owner, "devices", "retire", reasonArgs{Device: lock.Address()}).OK()
		s.Call(by, "devices", "enrol", mine).Failed("retired")
	}
}

// TestPendingForAnother: what waits for one owner does not stand in the way of another, to
// whom the device has agreed as well.
func TestPendingForAnother(t *testing.T) {
	s := newSite(t)
	lock := sdktest.P256("lock")
	shop := s.Account("shop")
	s.Call(s.stranger, "devices", "enrol", s.enrolment(lock, shop.Address())).OK()
	s.Call(s.owner, "devices", "activate", agreed(lock)).Failed("not_permitted")
	s.Call(s.owner, "devices", "retire", reasonArgs{Device: lock.Address()}).Failed("not_permitted")
	s.Call(s.owner, "devices", "enrol", s.enrolment(lock, s.owner.Address())).OK()
	s.expect(lock, Active, "open")
	s.Call(shop, "devices", "activate", agreed(lock)).Failed("not_permitted")
	if list := s.pending(shop.Address(), nil); len(list) != 0 {
		t.Errorf("%+v", list)
	}
}

// TestModelAgreed: an owner agrees to a model by name, so whoever enrolled the device can't have
// its key opened with another's scope.
func TestModelAgreed(t *testing.T) {
	s := newSite(t)
	lock := sdktest.P256("lock")
	e := s.enrolment(lock, s.owner.Address())
	s.Call(s.stranger, "devices", "enrol", e).OK()
	e.Model = "greedy" // after the owner has looked
	s.Call(s.stranger, "devices", "enrol", e).OK()
	s.Call(s.owner, "devices", "activate", agreed(lock)).Failed("other_model").Because(`as a greedy, not as a "lock-1"`)
	s.expect(lock, Pending, "unknown")
	e.Model = lockModel
	s.Call(s.stranger, "devices", "enrol", e).OK()
	// The maker is who the profile names when the owner agrees.
	s.Call(s.operator, "devices", "set_model", Model{Model: lockModel, Vendor: "Bolts & Co", Quota: 5}).OK()
	s.Call(s.owner, "devices", "activate", agreed(lock)).OK()
	var d Device
	if s.View("devices", "device", deviceArgs{lock.Address()}).OK().Result(&d); d.Vendor != "Bolts & Co" || d.EnrolledBy != s.stranger.Address() {
		t.Errorf("%+v", d)
	}
}

// TestJunk: strangers can make as many keys as they like and enrol them for whom they like; that is
// neither among an owner's devices nor between the owner and an installer.
func TestJunk(t *testing.T) {
	s := newSite(t)
	me, installer := s.owner.Address(), s.Account("installer")
	mine := sdktest.P256("mine")
	s.enrol(mine)
	lock := sdktest.P256("lock")
	s.Call(installer, "devices", "enrol", s.enrolment(lock, me)).OK()
	for i := range 25 {
		s.Call(s.stranger, "devices", "enrol", s.enrolment(sdktest.P256("junk "+string(rune('a'+i))), me)).OK()
	}
	var page devicePage
	if s.View("devices", "devices", devicesArgs{Owner: me}).OK().Result(&page); len(page.Devices) != 1 || page.Devices[0].Device != mine.Address() {
		t.Errorf("%+v", page)
	}
	by := installer.Address()
	if list := s.pending(me, &by); len(list) != 1 || list[0].Device != lock.Address() || list[0].State != Pending {
		t.Errorf("%+v", list)
	}
	seen := map[sdk.Address]bool{}
	args := pendingArgs{Owner: me}
	for {
		var page devicePage
		s.View("devices", "pending", args).OK().Result(&page)
		for _, d := range page.Devices {
			seen[d.Device] = true
		}
		if args.After = page.Next; page.Next == nil {
			break
		}
	}
	if len(seen) != 26 {
		t.Errorf("%d are pending, want 26", len(seen))
	}

	// Many who enrol the same device: the owner says whose word counts, and nothing is left for them.
	proof := s.enrolment(lock, me)
	for i := range maxPending + 4 {
		s.Call(s.Account("stranger "+string(rune('a'+i))), "devices", "enrol", proof).OK()
	}
	yes := agreed(lock)
	s.Call(s.owner, "devices", "activate", yes).Failed("several_enrolments")
	yes.By = &by
	s.Call(s.owner, "devices", "activate", yes).OK()
	s.expect(lock, Active, "open")
	page = devicePage{}
	s.View("devices", "pending", pendingArgs{Owner: me, Limit: 32}).OK().Result(&page)
	for _, d := range page.Devices {
		if d.Device == lock.Address() {
			t.Errorf("%+v", d)
		}
	}
}

// TestChallenge: an answer is good once, for the one who asked, here and now.
func TestChallenge(t *testing.T) {
	s := newSite(t)
	lock, other, verifier := sdktest.P256("lock"), sdktest.Ed25519("other"), s.stranger
	s.enrol(lock)
	s.enrol(other)
	to := verifier.Address()

	for i, c := range []struct {
		name  string
		proof []byte
		why   string
	}{
		{"as it should be", s.answered(lock, to, "n0", nil), ""},
		{"another device's", s.answered(other, to, "n1", nil), whySignature},
		{"signed for something else", lock.Message(t, EnrolAAD, challenge{sdktest.ID, "devices", lock.Address(), to, nonce("n"), s.Now() + 9}), whySignature},
		{"garbage", []byte("garbage"), whySignature},
		{"nothing", nil, whySignature},
		{"another chain", s.answered(lock, to, "n2", func(c *challenge) { c.Chain = "other" }), whyChain},
		{"another contract", s.answered(lock, to, "n3", func(c *challenge) { c.Contract = "other" }), whyContract},
		{"in another device's name", s.answered(lock, to, "n4", func(c *challenge) { c.Device = other.Address() }), whyDevice},
		{"for somebody else", s.answered(lock, s.owner.Address(), "n5", nil), whyAudience},
		{"expires now", s.answered(lock, to, "n6", func(c *challenge) { c.Expires = s.Now() }), whyExpired},
		{"expires in a second", s.answered(lock, to, "n7", func(c *challenge) { c.Expires = s.Now() + 1 }), ""},
		{"expires in 300 s", s.answered(lock, to, "n8", func(c *challenge) { c.Expires = s.Now() + 300 }), ""},
		{"expires in 301 s", s.answered(lock, to, "n9", func(c *challenge) { c.Expires = s.Now() + 301 }), whyTooFar},
		{"expires at the end of time", s.answered(lock, to, "n10", func(c *challenge) { c.Expires = 1<<63 - 1 }), whyTooFar},
		{"expired long ago", s.answered(lock, to, "n11", func(c *challenge) { c.Expires = -1 << 63 }), whyExpired},
	} {
		// The view gives the same answer, and uses nothing up.
		for range 2 {
			if a := s.verify(lock, to, c.proof); a.Why != c.why || a.Authentic != (c.why == "") {
				t.Errorf("%d %s: view: %+v, want %q", i, c.name, a, c.why)
			}
		}
		if a := s.authenticate(verifier, lock, c.proof); a.Why != c.why || a.Authentic != (c.why == "") || a.Device != lock.Address() {
			t.Errorf("%d %s: %+v, want %q", i, c.name, a, c.why)
		}
		if c.why == "" {
			c.why = whyReplayed
		}
		if a := s.authenticate(verifier, lock, c.proof); a.Why != c.why || a.Authentic {
			t.Errorf("%d %s, again: %+v, want %q", i, c.name, a, c.why)
		}
		if a := s.verify(lock, to, c.proof); a.Why != c.why || a.Authentic {
			t.Errorf("%d %s, again: view: %+v, want %q", i, c.name, a, c.why)
		}
	}

	if a := s.verify(sdktest.P256("nobody"), to, s.answered(lock, to, "x", nil)); a.Why != whyUnknown || a.Owner != nil {
		t.Errorf("%+v", a)
	}
	// What is signed but malformed is the sender's mistake, not the device's no.
	for _, proof := range [][]byte{
		lock.Message(t, AuthAAD, struct{ Hello uint64 }{1}),
		s.answered(lock, to, "x", func(c *challenge) { c.Nonce = c.Nonce[1:] }),
	} {
		s.Call(verifier, "devices", "authenticate", authenticateArgs{lock.Address(), proof}).Failed("bad_proof")
		s.View("devices", "verify", verifyArgs{lock.Address(), to, proof}).Failed("bad_proof")
	}
}

// TestNoncesAreForgotten: a nonce is kept as long as its challenge could be shown, and not for ever.
func TestNoncesAreForgotten(t *testing.T) {
	s := newSite(t)
	lock := sdktest.P256("lock")
	s.enrol(lock)
	to := s.stranger.Address()
	var old [][]byte
	for i := range 6 {
		proof := s.answered(lock, to, string(rune('a'+i)), nil)
		old = append(old, proof)
		if a := s.authenticate(s.stranger, lock, proof); !a.Authentic {
			t.Fatalf("%+v", a)
		}
	}
	s.Advance(59 * sdk.Second)
	if a := s.authenticate(s.stranger, lock, old[0]); a.Why != whyReplayed {
		t.Errorf("%+v", a)
	}
	s.Advance(2 * sdk.Second)
	// These clear away what has expired, and what has expired stays refused.
	for i := range 3 {
		if a := s.authenticate(s.stranger, lock, s.answered(lock, to, "new"+string(rune('a'+i)), nil)); !a.Authentic {
			t.Errorf("%+v", a)
		}
	}
	for _, proof := range old {
		if a := s.authenticate(s.stranger, lock, proof); a.Why != whyExpired {
			t.Errorf("%+v", a)
		}
	}
	// A nonce whose time is over is free again.
	if a := s.authenticate(s.stranger, lock, s.answered(lock, to, "a", nil)); !a.Authentic {
		t.Errorf("%+v", a)
	}
}

// TestOwnTransaction: the signature of a transaction is a proof as well, but only of
// the account that it is by.
func TestOwnTransaction(t *testing.T) {
	s := newSite(t)
	lock := sdktest.P256("lock")
	s.enrol(lock)
	audience := s.stranger.Address()
	r := s.Call(lock, "devices", "authenticate_self", selfArgs{&audience}).OK()
	var e authenticatedEvent
	if r.Event("authenticated").Decode(&e); e.Device != lock.Address() || *e.Audience != audience || e.How != "transaction" {
		t.Errorf("%+v", e)
	}
	r = s.Call(s.stranger, "devices", "authenticate_self", nil).OK().Emitted("denied")
	var d deniedEvent
	if r.Event("denied").Decode(&d); d.Why != whyUnknown || d.Device != s.stranger.Address() {
		t.Errorf("%+v", d)
	}
	var a Answer
	if s.View("devices", "status", deviceArgs{lock.Address()}).OK().Result(&a); !a.Authentic {
		t.Errorf("%+v", a)
	}
	// A view changes nothing, whatever it is asked.
	s.View("devices", "authenticate_self", nil).Refused(receipt.NotPermitted)
}

// TestModels: the profiles are the operator's.
func TestModels(t *testing.T) {
	s := newSite(t)
	meter := Model{Model: "meter-1", Quota: 5, Scope: []sdk.Scope{{Contract: "energy"}, {Contract: "devices", Methods: []string{"authenticate_self"}}}}
	s.Call(s.owner, "devices", "set_model", meter).Failed("not_permitted")
	r := s.Call(s.operator, "devices", "set_model", meter).OK()
	var e modelEvent
	if r.Event("model_set").Decode(&e); strings.Join(e.Scope, " ") != "energy devices.authenticate_self" {
		t.Errorf("%+v", e)
	}
	var got Model
	if s.View("devices", "model", modelArgs{"meter-1"}).OK().Result(&got); got.Quota != 5 || len(got.Scope) != 2 {
		t.Errorf("%+v", got)
	}
	for name, m := range map[string]Model{
		"model is 0 bytes":             {},
		`"a b"`:                        {Model: "a b"},
		`"Energy" is not a contract's`: {Model: "a", Scope: []sdk.Scope{{Contract: "Energy"}}},
		"energy is there twice":        {Model: "a", Scope: []sdk.Scope{{Contract: "energy"}, {Contract: "energy"}}},
		`"Read" is not a method's`:     {Model: "a", Scope: []sdk.Scope{{Contract: "energy", Methods: []string{"Read"}}}},
		"33 contracts, limit 32":       {Model: "a", Scope: make([]sdk.Scope, 33)},
		"65 methods, limit 64":         {Model: "a", Scope: []sdk.Scope{{Contract: "energy", Methods: make([]string, 65)}}},
		"vendor is 49 bytes":           {Model: "a", Vendor: strings.Repeat("v", 49)},
	} {
		s.Call(s.operator, "devices", "set_model", m).Failed("bad_value").Because(name)
	}
	var page modelPage
	if s.View("devices", "models", pageArgs{Limit: 2}).OK().Result(&page); len(page.Models) != 2 || page.Models[0].Model != "greedy" || page.Next == nil {
		t.Fatalf("%+v", page)
	}
	after := pageArgs{After: page.Next}
	page = modelPage{}
	if s.View("devices", "models", after).OK().Result(&page); len(page.Models) != 1 || page.Models[0].Model != "meter-1" || page.Next != nil {
		t.Fatalf("%+v", page)
	}
	s.View("devices", "models", pageArgs{After: make([]byte, 300)}).Refused(receipt.BadArguments)

	s.Call(s.operator, "devices", "remove_model", modelArgs{lockModel}).OK().Emitted("model_removed")
	s.Call(s.operator, "devices", "remove_model", modelArgs{lockModel}).Failed("unknown_model")
	s.Call(s.owner, "devices", "enrol", s.enrolment(sdktest.P256("lock"), s.owner.Address())).Failed("unknown_model")

	s.Call(s.owner, "devices", "set_operator", operatorArgs{s.owner.Address()}).Failed("not_permitted")
	s.Call(s.operator, "devices", "set_operator", operatorArgs{}).Failed("bad_value")
	s.Call(s.operator, "devices", "set_operator", operatorArgs{s.owner.Address()}).OK().Emitted("operator_set")
	s.Call(s.operator, "devices", "set_model", meter).Failed("not_permitted")
	s.Call(s.owner, "devices", "set_model", meter).OK()
	var by operatorArgs
	if s.View("devices", "operator", nil).OK().Result(&by); by.Operator != s.owner.Address() {
		t.Errorf("%+v", by)
	}
}

// TestInit: who keeps the models if nobody says, and what an init refuses.
func TestInit(t *testing.T) {
	admin := sdktest.Ed25519("admin")
	chain := sdktest.New(t, sdktest.Contract{Dir: ".", Admin: admin, Init: initArgs{}})
	var by operatorArgs
	if chain.View("devices", "operator", nil).OK().Result(&by); by.Operator != admin.Address() {
		t.Errorf("%+v", by)
	}
	for why, args := range map[string]initArgs{
		`model "a" is there twice`: {Models: []Model{{Model: "a"}, {Model: "a"}}},
		"model is 0 bytes":         {Models: []Model{{}}},
		"33 models, limit 32":      {Models: make([]Model, 33)},
	} {
		if _, err := sdktest.Try(t, sdktest.Contract{Dir: ".", Init: args}); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%v, want %q", err, why)
		}
	}
}

// TestBatch: a delivery is enrolled whole or not at all.
func TestBatch(t *testing.T) {
	s := newSite(t)
	var keys []*sdktest.Key
	var list []Enrolment
	for i := range 4 {
		key := sdktest.P256("meter " + string(rune('a'+i)))
		keys = append(keys, key)
		list = append(list, Enrolment{Model: lockModel, Key: key.Public(), Proof: s.possessed(key, s.owner.Address(), nil)})
	}
	broken := append([]Enrolment(nil), list...)
	broken[2].Proof = list[1].Proof
	s.Call(s.owner, "devices", "enrol_batch", batchArgs{Devices: broken}).Failed("bad_proof").Because("devices[2]: proof: ")
	s.View("devices", "device", deviceArgs{keys[0].Address()}).Failed("unknown_device")
	var r batchResult
	s.Call(s.owner, "devices", "enrol_batch", batchArgs{Devices: list}).OK().Result(&r)
	if r.State != Active || len(r.Devices) != 4 || r.Devices[3] != keys[3].Address() {
		t.Errorf("%+v", r)
	}
	s.expect(keys[3], Active, "open")
	s.Call(s.owner, "devices", "enrol_batch", batchArgs{}).Failed("bad_value").Because("0 devices")
	s.Call(s.owner, "devices", "enrol_batch", batchArgs{Devices: make([]Enrolment, 17)}).Failed("bad_value").Because("17 devices")
}

// TestPages: an owner's devices come in pages, all of them and each once, also when
// every record is as large as it can be.
func TestPages(t *testing.T) {
	s := newSite(t)
	want := map[sdk.Address]bool{}
	labels := map[string]string{}
	for i := range maxLabels {
		labels[strings.Repeat(string(rune('a'+i)), maxLabelKey)] = strings.Repeat("x", maxLabelValue)
	}
	const n = 40
	for i := range n {
		key := sdktest.P256("device " + string(rune('0'+i)))
		e := s.enrolment(key, s.owner.Address())
		e.Labels, e.Serial = labels, strings.Repeat("9", maxSerial)
		s.Call(s.owner, "devices", "enrol", e).OK()
		s.Call(s.owner, "devices", "suspend", reasonArgs{key.Address(), strings.Repeat("r", maxReason)}).OK()
		want[key.Address()] = true
	}
	for limit, sizes := range map[uint32][]int{0: {20, 20}, 15: {15, 15, 10}, 1000: {32, 8}} {
		left := map[sdk.Address]bool{}
		for a := range want {
			left[a] = true
		}
		args := devicesArgs{Owner: s.owner.Address(), Limit: limit}
		for i, size := range sizes {
			var page devicePage
			s.View("devices", "devices", args).OK().Result(&page)
			if len(page.Devices) != size || (page.Next == nil) != (i == len(sizes)-1) {
				t.Fatalf("limit %d, page %d: %d devices, want %d", limit, i, len(page.Devices), size)
			}
			for _, d := range page.Devices {
				delete(left, d.Device)
			}
			args.After = page.Next
		}
		if len(left) != 0 {
			t.Errorf("limit %d: %d devices are on no page", limit, len(left))
		}
	}
	var page devicePage
	if s.View("devices", "devices", devicesArgs{Owner: s.stranger.Address()}).OK().Result(&page); len(page.Devices) != 0 {
		t.Errorf("%+v", page)
	}
}

// TestLabels: an owner's notes.
func TestLabels(t *testing.T) {
	s := newSite(t)
	lock := sdktest.P256("lock")
	s.enrol(lock)
	s.Call(s.stranger, "devices", "set_labels", labelsArgs{Device: lock.Address()}).Failed("not_permitted")
	s.Call(s.owner, "devices", "set_labels", labelsArgs{lock.Address(), map[string]string{"place": "front door", "floor": "1"}}).OK().Emitted("labelled")
	var d Device
	if s.View("devices", "device", deviceArgs{lock.Address()}).OK().Result(&d); d.Labels["place"] != "front door" || len(d.Labels) != 2 || d.Algorithm != "ES256" || d.KeyEpoch != 1 {
		t.Errorf("%+v", d)
	}
	s.Call(s.owner, "devices", "set_labels", labelsArgs{Device: lock.Address()}).OK()
	d = Device{}
	if s.View("devices", "device", deviceArgs{lock.Address()}).OK().Result(&d); len(d.Labels) != 0 {
		t.Errorf("%+v", d)
	}
}

// TestCopiedProof: who copies a proof and says what the device is not does not keep the owner
// from enrolling it as what it is.
func TestCopiedProof(t *testing.T) {
	s := newSite(t)
	lock := sdktest.P256("lock")
	mine := s.enrolment(lock, s.owner.Address())
	copied := mine
	copied.Model, copied.Serial = "greedy", "fake"
	s.Call(s.stranger, "devices", "enrol", copied).OK()
	s.Call(s.owner, "devices", "enrol", mine).OK().Emitted("enrolled", "activated")
	s.expect(lock, Active, "open")
	var page devicePage
	s.View("devices", "devices", devicesArgs{Owner: s.owner.Address()}).OK().Result(&page)
	if len(page.Devices) != 1 || page.Devices[0].Model != lockModel || page.Devices[0].Serial != mine.Serial || page.Devices[0].EnrolledBy != s.owner.Address() {
		t.Errorf("%+v", page)
	}
	s.Call(s.stranger, "devices", "withdraw", deviceArgs{lock.Address()}).Failed("not_permitted")
}

// TestOverheardNonce: who has the device answer with the nonce of another's challenge does
// not use that up.
func TestOverheardNonce(t *testing.T) {
	s := newSite(t)
	lock := sdktest.P256("lock")
	s.enrol(lock)
	mine := s.answered(lock, s.owner.Address(), "n", nil)
	if a := s.authenticate(s.stranger, lock, s.answered(lock, s.stranger.Address(), "n", nil)); !a.Authentic {
		t.Errorf("%+v", a)
	}
	if a := s.authenticate(s.owner, lock, mine); !a.Authentic {
		t.Errorf("%+v", a)
	}
	if a := s.authenticate(s.owner, lock, mine); a.Why != whyReplayed {
		t.Errorf("%+v", a)
	}
}

// TestSince: a new label is no new suspension.
func TestSince(t *testing.T) {
	s := newSite(t)
	lock := sdktest.P256("lock")
	s.enrol(lock)
	s.Call(s.owner, "devices", "suspend", reasonArgs{lock.Address(), "lost"}).OK()
	since := s.Height()
	s.Call(s.owner, "devices", "set_labels", labelsArgs{lock.Address(), map[string]string{"room": "12"}}).OK()
	var a Answer
	s.View("devices", "status", deviceArgs{lock.Address()}).OK().Result(&a)
	if want := sdk.Text("since height %d: lost", since); !strings.Contains(a.Reason, want) {
		t.Errorf("%+v, want %s", a, want)
	}
}

// TestLargestModels: a profile at its bound fits in its event, and a page of them in a
// result; what is larger is refused with a code.
func TestLargestModels(t *testing.T) {
	s := newSite(t)
	var scope []sdk.Scope
	for i := range 32 {
		one := sdk.Scope{Contract: "c" + strings.Repeat("x", i/10) + string(rune('a'+i%10))}
		for j := range 20 {
			one.Methods = append(one.Methods, string(rune('a'+j)))
		}
		scope = append(scope, one)
	}
	s.Call(s.operator, "devices", "set_model", Model{Model: "m", Scope: scope}).Failed("bad_value").Because("limit 2500")
	for i := range scope {
		scope[i].Methods = scope[i].Methods[:min(15, 2500/32/(len(scope[i].Contract)+2))]
	}
	for i := range maxModelPage {
		m := Model{Model: strings.Repeat("m", 46) + sdk.Text("%d", i+10), Vendor: strings.Repeat("v", maxName), Scope: scope, Quota: 1 << 62}
		s.Call(s.operator, "devices", "set_model", m).OK().Emitted("model_set")
	}
	var page modelPage
	if s.View("devices", "models", pageArgs{Limit: 1000}).OK().Result(&page); len(page.Models) != maxModelPage || page.Next == nil {
		t.Errorf("%d models", len(page.Models))
	}
}
