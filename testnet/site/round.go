package site

import (
	"bytes"
	"context"
	"crypto/elliptic"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/sdk/client"
)

// The contracts, and what the site does with them.
const (
	devices = "devices"
	access  = "access"
	door    = "house/front-door"
	open    = "open"
)

const (
	// shortGrant is how long the grant lasts that is watched to its end. Seconds are the
	// finest that block time knows.
	shortGrant = 5 * time.Second
	// longGrant is for whatever is taken back or forgotten before its end.
	longGrant = time.Hour
)

// What the contracts take and answer, as far as the site needs it; each contract's spec has
// the whole.
type (
	enrolArgs struct {
		Key    []byte
		Model  string
		Proof  []byte
		Serial string
	}
	proofArgs struct {
		Device address.Address
		Proof  []byte
	}
	deviceArgs  struct{ Device address.Address }
	registerArg struct{ Name string }
	grantArgs   struct {
		Object     string
		Subject    address.Address
		Relations  []string
		Expires    int64
		Redelegate uint64 `wire:",omitempty"`
		Parent     uint64 `wire:",omitempty"`
	}
	grantID struct {
		ID uint64 `wire:"id"`
	}
	sweepArgs struct{ Grants []uint64 }
	useArgs   struct {
		Object   string
		Relation string
	}
	checkArgs struct {
		Object   string
		Relation string
		Subject  address.Address
	}
)

// opening clears away what an earlier run in the same home has left, if it was stopped in
// the middle of its story, and makes sure that there is a door.
func (s *site) opening(ctx context.Context) error {
	if _, err := s.do(ctx, s.owner, "ends every grant of before", decisionOK, access, "bump_epoch", nil, nil); err != nil {
		return err
	}
	_, err := s.owner.node.Call(ctx, s.owner.key, access, "register", registerArg{door}, client.Options{})
	if refused, ok := errors.AsType[*client.Refused](err); err != nil && (!ok || refused.ContractError != "already_registered") {
		return fmt.Errorf("site: the owner registers the front door: %w", err)
	}
	return nil
}

// round tells the story once.
func (s *site) round(ctx context.Context) error {
	lock, err := s.enrolment(ctx)
	if err != nil {
		return err
	}
	defer lock.close()
	for _, chapter := range []func(context.Context, *party) error{
		s.authentication, s.visit, s.delegation, s.expiry, s.suspension,
	} {
		if err := chapter(ctx, lock); err != nil {
			return err
		}
	}
	for _, lost := range s.dashboard.settle() {
		s.wrong("%s", lost)
	}
	return nil
}

// enrolment: a new lock becomes its owner's.
func (s *site) enrolment(ctx context.Context) (*party, error) {
	key, err := client.GenerateKey(tx.ES256)
	if err != nil {
		return nil, fmt.Errorf("site: the lock's key: %w", err)
	}
	lock := s.party("lock", key)
	_, err = s.enrol(ctx, s.owner, lock, "enrols the lock", LockModel, "FD-")
	return lock, err
}

// enrol makes a device its owner's: it proves that it agrees.
func (s *site) enrol(ctx context.Context, owner, device *party, does, model, serial string) (*client.Receipt, error) {
	chain, err := device.node.Chain(ctx)
	if err != nil {
		return nil, fmt.Errorf("site: %w", err)
	}
	proof, err := client.ProvePossession(device.key, chain, owner.address())
	if err != nil {
		return nil, fmt.Errorf("site: the %s: %w", device.name, err)
	}
	return s.do(ctx, owner, does, decisionOK, devices, "enrol", enrolArgs{
		Key: device.key.Public().Bytes, Model: model, Proof: proof, Serial: serial + device.address().String()[len("ward1"):][:8],
	}, nil)
}

// authentication: the lock shows who it is, by a challenge and by its own transaction; what it
// signed for its owner is worth nothing in other hands, or twice.
func (s *site) authentication(ctx context.Context, lock *party) error {
	answer, err := s.answer(ctx, lock)
	if err != nil {
		return err
	}
	for _, step := range []struct {
		who          *party
		does, wanted string
	}{
		{s.burglar, "shows what the lock signed for its owner", decisionDeny},
		{s.owner, "challenges the lock", decisionAllow},
		{s.owner, "shows the same answer again", decisionDeny},
	} {
		if _, err := s.do(ctx, step.who, step.does, step.wanted, devices, "authenticate", answer, authentic); err != nil {
			return err
		}
	}
	_, err = s.do(ctx, lock, "reports for duty", decisionAllow, devices, "authenticate_self", nil, authentic)
	return err
}

// answer is what the lock answers to a challenge of its owner.
func (s *site) answer(ctx context.Context, lock *party) (proofArgs, error) {
	chain, err := lock.node.Chain(ctx)
	if err != nil {
		return proofArgs{}, fmt.Errorf("site: %w", err)
	}
	challenge, err := client.NewChallenge(chain, lock.address(), s.owner.address(), time.Now(), time.Minute)
	if err != nil {
		return proofArgs{}, fmt.Errorf("site: the owner: %w", err)
	}
	proof, err := challenge.Answer(lock.key)
	if err != nil {
		return proofArgs{}, fmt.Errorf("site: the lock: %w", err)
	}
	return proofArgs{lock.address(), proof}, nil
}

// visit: the guest comes in. The burglar does not, whatever they try.
func (s *site) visit(ctx context.Context, _ *party) error {
	grant, err := s.grant(ctx, s.owner, s.guest, "lets the guest in", in(longGrant), 0, 0)
	if err != nil {
		return err
	}
	visit, err := s.guest.node.Sign(ctx, s.guest.key, access, "use", s.passage(), client.Options{})
	if err != nil {
		return fmt.Errorf("site: the guest signs: %w", err)
	}
	recorded := visit.Encode() // the burglar listens on the line
	if err := s.submit(ctx, s.guest, "opens the front door", decisionAllow, recorded, decided); err != nil {
		return err
	}
	if err := s.try(ctx, s.burglar, "tries the front door", always(decisionDeny)); err != nil {
		return err
	}
	if err := s.submit(ctx, s.burglar, "replays what the guest sent", receipt.Replayed.Name(), recorded, nil); err != nil {
		return err
	}
	if err := s.burglary(ctx); err != nil {
		return err
	}
	return s.revoke(ctx, grant, "takes the guest's grant back", "comes back after the grant was revoked")
}

// burglary: attempts that no contract ever sees.
func (s *site) burglary(ctx context.Context) error {
	// A call of the owner's, and its twin with the other S: the same transaction.
	check, err := s.owner.node.Sign(ctx, s.owner.key, access, "use", s.passage(), client.Options{})
	if err != nil {
		return fmt.Errorf("site: the owner signs: %w", err)
	}
	raw := check.Encode()
	if err := s.submit(ctx, s.owner, "opens the front door", decisionAllow, raw, decided); err != nil {
		return err
	}
	if err := s.submit(ctx, s.burglar, "sends the owner's transaction with the other S", receipt.Replayed.Name(), otherS(raw), nil); err != nil {
		return err
	}
	fresh, err := s.guest.node.Sign(ctx, s.guest.key, access, "use", s.passage(), client.Options{})
	if err != nil {
		return fmt.Errorf("site: the guest signs: %w", err)
	}
	forged := fresh.Encode()
	forged[len(forged)-1] ^= 1
	if err := s.submit(ctx, s.burglar, "forges the guest's signature", receipt.BadSignature.Name(), forged, nil); err != nil {
		return err
	}
	stranger, err := client.GenerateKey(tx.EdDSA)
	if err != nil {
		return fmt.Errorf("site: the burglar's other key: %w", err)
	}
	signed, err := s.burglar.node.Sign(ctx, stranger, access, "use", s.passage(), client.Options{Sequence: 1})
	if err != nil {
		return fmt.Errorf("site: the burglar signs: %w", err)
	}
	return s.submit(ctx, s.burglar, "uses a key that nobody knows", receipt.UnknownKey.Name(), signed.Encode(), nil)
}

// delegation: the guest passes the door on to the cleaner, who can't pass it on further; when
// the owner takes the guest's grant back, the cleaner's is dead with it.
func (s *site) delegation(ctx context.Context, _ *party) error {
	root, err := s.grant(ctx, s.owner, s.guest, "lets the guest in, who may pass it on once", in(longGrant), 1, 0)
	if err != nil {
		return err
	}
	child, err := s.grant(ctx, s.guest, s.cleaner, "passes it on to the cleaner", in(longGrant/2), 0, root)
	if err != nil {
		return err
	}
	if err := s.try(ctx, s.cleaner, "opens the front door", always(decisionAllow)); err != nil {
		return err
	}
	further := grantArgs{Object: s.object(), Subject: s.burglar.address(), Relations: []string{open}, Expires: in(longGrant / 4), Parent: child}
	if _, err := s.do(ctx, s.cleaner, "passes it on to the burglar", "not_within_parent", access, "grant", further, nil); err != nil {
		return err
	}
	if err := s.revoke(ctx, root, "takes the guest's grant back", "finds the front door shut"); err != nil {
		return err
	}
	if err := s.try(ctx, s.cleaner, "finds the front door shut too", always(decisionDeny)); err != nil {
		return err
	}
	// A dead grant that was passed on still stands in the way of a check until somebody sweeps it.
	_, err = s.do(ctx, s.owner, "sweeps the cleaner's dead grant away", decisionOK, access, "sweep", sweepArgs{[]uint64{child}}, nil)
	return err
}

// expiry: a grant ends by itself.
func (s *site) expiry(ctx context.Context, _ *party) error {
	end := in(shortGrant)
	if _, err := s.grant(ctx, s.owner, s.guest, fmt.Sprintf("lets the guest in for %s", shortGrant), end, 0, 0); err != nil {
		return err
	}
	// On a machine that is too slow the guest comes after the end, and is refused: that is no fault of the chain's.
	if err := s.try(ctx, s.guest, "opens the front door in time", until(end)); err != nil {
		return err
	}
	// A block's time may lag the clock by a second, and is cut to seconds.
	select {
	case <-time.After(time.Until(time.Unix(end, 0)) + blockLag):
	case <-ctx.Done():
		return ctx.Err()
	}
	return s.try(ctx, s.guest, "comes too late", always(decisionDeny))
}

// suspension: a suspended lock is nobody, at once and everywhere.
func (s *site) suspension(ctx context.Context, lock *party) error {
	answer, err := s.answer(ctx, lock)
	if err != nil {
		return err
	}
	this := deviceArgs{lock.address()}
	if _, err := s.do(ctx, s.owner, "suspends the lock", decisionOK, devices, "suspend", this, nil); err != nil {
		return err
	}
	if _, err := s.do(ctx, s.owner, "challenges the suspended lock", decisionDeny, devices, "authenticate", answer, authentic); err != nil {
		return err
	}
	if _, err := s.do(ctx, lock, "reports for duty", receipt.KeyShut.Name(), devices, "authenticate_self", nil, authentic); err != nil {
		return err
	}
	if _, err := s.do(ctx, s.owner, "resumes the lock", decisionOK, devices, "resume", this, nil); err != nil {
		return err
	}
	if _, err := s.do(ctx, lock, "reports for duty again", decisionAllow, devices, "authenticate_self", nil, authentic); err != nil {
		return err
	}
	// Each round has a lock of its own; this one's quota goes back to its owner.
	_, err = s.do(ctx, s.owner, "retires the lock", decisionOK, devices, "retire", this, nil)
	return err
}

// object is the front door's name.
func (s *site) object() string { return s.owner.address().String() + "/" + door }

func (s *site) passage() useArgs { return useArgs{s.object(), open} }

// A door says who may come in at a moment, by the clock of whoever decides: a block's, or that of a node that is asked.
type doorAt func(at time.Time) (decision string)

// always is for what does not depend on when.
func always(decision string) doorAt { return func(time.Time) string { return decision } }

// until is for a grant with an end, in unix seconds.
func until(end int64) doorAt {
	return func(at time.Time) string {
		if at.Unix() >= end {
			return decisionDeny
		}
		return decisionAllow
	}
}

// kept tells whether a recorded use came out as the view had promised, or may differ because the moment from which on
// something else is right lies between them.
func (d doorAt) kept(promised string, asked time.Time, said string, used time.Time) bool {
	return promised == said || d(asked) != d(used)
}

// try is somebody at the front door.
func (s *site) try(ctx context.Context, p *party, does string, wanted doorAt) error {
	// The view first: it must not promise what the recorded use then refuses.
	var view decision
	answer, err := s.ask(ctx, p, access, "check", checkArgs{s.object(), open, p.address()})
	if err != nil {
		return err
	}
	if err := json.Unmarshal(answer.Result, &view); err != nil {
		return fmt.Errorf("site: the %s asks: %w", p.name, err)
	}
	r, err := p.node.Call(ctx, p.key, access, "use", s.passage(), client.Options{})
	_, err = s.came(ctx, p, does, func(r *client.Receipt) string {
		if r == nil {
			return wanted(time.Now())
		}
		return wanted(r.Time)
	}, r, err, decided, false)
	if err == nil && r != nil {
		if said, _, _ := decided(r); !wanted.kept(view.word(), answer.Time, said, r.Time) {
			s.wrong("the view told the %s %s (%s), the recorded use %s", p.name, view.word(), view.Reason, said)
		}
	}
	return err
}

// grant gives somebody the front door.
func (s *site) grant(ctx context.Context, from, to *party, does string, expires int64, redelegate, parent uint64) (uint64, error) {
	args := grantArgs{
		Object: s.object(), Subject: to.address(), Relations: []string{open},
		Expires: expires, Redelegate: redelegate, Parent: parent,
	}
	r, err := s.do(ctx, from, does, decisionOK, access, "grant", args, nil)
	if err != nil {
		return 0, err
	}
	if r == nil || r.Err() != nil {
		return 0, fmt.Errorf("site: the %s %s: without this grant the story can't go on", from.name, does)
	}
	var id grantID
	if err := r.Decode(&id); err != nil {
		return 0, fmt.Errorf("site: the %s %s: %w", from.name, does, err)
	}
	return id.ID, nil
}

// revoke takes a grant of the guest's back, who finds out.
func (s *site) revoke(ctx context.Context, id uint64, does, then string) error {
	if _, err := s.do(ctx, s.owner, does, decisionOK, access, "revoke", grantID{id}, nil); err != nil {
		return err
	}
	return s.try(ctx, s.guest, then, always(decisionDeny))
}

// submit sends bytes that were signed before, on somebody's connection.
func (s *site) submit(ctx context.Context, p *party, does, wanted string, raw []byte, v verdict) error {
	id, err := p.node.Submit(ctx, raw)
	var r *client.Receipt
	if err == nil {
		r, err = p.node.Wait(ctx, id)
	}
	_, err = s.came(ctx, p, does, expect(wanted), r, err, v, false)
	return err
}

// answerOf is what devices answers, decision what access does, as far as needed.
type answerOf struct {
	Authentic bool
	Reason    string
}

type decision struct {
	Allowed bool
	Reason  string
}

func (d decision) word() string {
	if d.Allowed {
		return decisionAllow
	}
	return decisionDeny
}

// authentic is the verdict of devices.
func authentic(r *client.Receipt) (string, string, error) {
	var a answerOf
	err := decodeReturn(r, &a)
	return decision{Allowed: a.Authentic}.word(), a.Reason, err
}

// decided is the verdict of access.
func decided(r *client.Receipt) (string, string, error) {
	var d decision
	err := decodeReturn(r, &d)
	return d.word(), d.Reason, err
}

// decodeReturn reads the fields that are asked for out of what a contract returned.
func decodeReturn(r *client.Receipt, out any) error {
	if err := json.Unmarshal(r.Return, out); err != nil {
		return fmt.Errorf("the contract %s returned %s: %w", r.Contract, r.Return, err)
	}
	return nil
}

// in is the moment that is so far ahead, rounded up, in unix seconds.
func in(d time.Duration) int64 { return time.Now().Add(d + time.Second - 1).Unix() }

// otherS is the same ES256 transaction with the other S, which is as valid.
func otherS(raw []byte) []byte {
	half := len(raw) - 32
	s := new(big.Int).Sub(elliptic.P256().Params().N, new(big.Int).SetBytes(raw[half:]))
	return append(bytes.Clone(raw[:half]), s.FillBytes(make([]byte, 32))...)
}
