package runtime

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/registry"
)

const (
	// MaxDelay is the longest delay of a contract, in seconds: a year. A slip of the finger could otherwise freeze a contract, and who
	// wants that makes nobody its admin.
	MaxDelay = 365 * 24 * 3600
	// AnnouncedFor is how long after its delay an announced change may still happen, in seconds: 30 days. Later, nobody would be
	// watching any more.
	AnnouncedFor = 30 * 24 * 3600
)

// target is an instance of which somebody wants to change code, admin or delay, and what the chain knows of it.
type target struct {
	registry.Instance
	lock   registry.Timelock // as it stands at the block's time
	permit *registry.Permit  // that waits for its name, or nil
}

// targetOf finds an instance, and decides whether an account speaks for its admin. The outcome says why not.
//
// It does if it is the admin. An admin that is a contract sends no transactions: it speaks by a permit, and whoever sends what was permitted
// decides nothing.
func targetOf(r *registry.Records, name string, sender address.Address, now int64) (t target, refused *outcome, err error) {
	no := func(code receipt.Code, format string, args ...any) (target, *outcome, error) {
		out := stopped(code, format, args...)
		return target{}, &out, nil
	}
	if name == CodeContract || name == ChainContract {
		return no(receipt.NotPermitted, "%s is part of the program: it changes with a new one", name)
	}
	var found bool
	if t.Instance, found, err = r.Instance(name); err != nil {
		return t, nil, err
	}
	if !found {
		return no(receipt.UnknownContract, "there is no contract %q", name)
	}
	if t.Admin.IsZero() {
		return no(receipt.NotPermitted, "contract %q is nobody's: its code stays as it is for ever", name)
	}
	if t.permit, err = r.Permit(name); err != nil {
		return t, nil, err
	}
	if t.permit != nil && !permitsCodeOf(&t.permit.Permit, &t.Instance) {
		t.permit = nil // of another admin: that was not what was decided on
	}
	if sender != t.Admin && (t.permit == nil || t.permit.By != t.Admin) {
		return no(receipt.NotPermitted, "contract %q is for its admin %s to change, not for %s", name, t.Admin, sender)
	}
	lock, err := r.Timelock(name)
	t.lock = lock.At(now)
	return t, nil, err
}

// mayBecome reports whether the code with a hash may be this instance's, as far as its powers ask for a permit.
func (t *target) mayBecome(sender address.Address, hash [32]byte) *outcome {
	if len(t.Capabilities) == 0 && sender == t.Admin {
		return nil
	}
	if t.permit != nil && bytes.Equal(t.permit.Hash, hash[:]) {
		return nil
	}
	why := "it has the capabilities " + strings.Join(t.Capabilities, ", ")
	if len(t.Capabilities) == 0 {
		why = "its admin is a contract"
	}
	out := stopped(receipt.NotPermitted, "code %x must be permitted to become that of %q, with its admin %s, by a contract with the capability code: %s", hash, t.Name, t.Admin, why)
	return &out
}

// due reports why a change of code may not happen now. A change that is not announced may happen at once if there is no delay.
func (t *target) due(n registry.Announcement, now int64) *outcome {
	if t.lock.Delay == 0 {
		return nil
	}
	var out outcome
	switch a := t.lock.Announced; {
	case a == nil || a.Hash != n.Hash || a.Rollback != n.Rollback || n.Rollback && a.Version != n.Version:
		out = stopped(receipt.NotPermitted, "changes of the code of %q are announced %d seconds before, and code %x is not announced", t.Name, t.lock.Delay, n.Hash)
	case now < a.Earliest:
		out = stopped(receipt.NotPermitted, "code %x may become that of %q at the time %d, it is %d", n.Hash, t.Name, a.Earliest, now)
	case now > a.Earliest+AnnouncedFor:
		out = stopped(receipt.NotPermitted, "code %x might have become that of %q until the time %d, it is %d: announce it again", n.Hash, t.Name, a.Earliest+AnnouncedFor, now)
	case n.Breaking && !a.Breaking:
		out = stopped(receipt.NotPermitted, "code %x is not announced as one that may break callers of %q", n.Hash, t.Name)
	default:
		return nil
	}
	return &out
}

// version finds a version to roll back to.
func (t *target) version(h *registry.History, version uint64) (registry.Activation, *outcome) {
	if version == t.Version {
		out := stopped(receipt.BadArguments, "contract %q has the code of version %d already", t.Name, version)
		return registry.Activation{}, &out
	}
	a, found := h.Find(version)
	if !found {
		out := stopped(receipt.BadArguments, "version %d is not in the history of %q, which goes back %d changes and ends with version %d", version, t.Name, len(h.Activations), h.Last)
		return a, &out
	}
	return a, nil
}

// changeCode is an upgrade or a rollback.
func (r *Runtime) changeCode(ctx context.Context, c call, a codeArgs) (outcome, error) {
	if !c.meter.Charge(gas.Administer) {
		return noGas(c), nil
	}
	t, refused, err := targetOf(c.records, a.name, c.sender, c.time)
	if refused != nil || err != nil {
		return orZero(refused), err
	}
	history, err := c.records.History(a.name)
	if err != nil {
		return outcome{}, err
	}
	next := registry.Announcement{Version: history.Last + 1, Breaking: a.breaking}
	if a.method == rollbackMethod {
		then, refused := t.version(&history, a.version)
		if refused != nil {
			return *refused, nil
		}
		next.Hash, next.Version, next.Rollback = then.Hash, then.Version, true
		var found bool
		if a.code, found, err = c.records.Code(then.Hash); err != nil {
			return outcome{}, err
		} else if !found {
			return outcome{}, fmt.Errorf("runtime: the history of %q has code %x, the state has not", a.name, then.Hash)
		}
	} else {
		if !c.meter.Charge(gas.DeployByte * uint64(len(a.code))) {
			return noGas(c), nil
		}
		next.Hash = sha256.Sum256(a.code)
		if next.Hash == t.Code {
			return stopped(receipt.BadArguments, "contract %q has this code already, as version %d", a.name, t.Version), nil
		}
	}
	if refused := t.mayBecome(c.sender, next.Hash); refused != nil {
		return *refused, nil
	}
	if refused := t.due(next, c.time); refused != nil {
		return *refused, nil
	}
	spec, refused := readSpec(a.code)
	if refused != nil {
		return *refused, nil
	}
	if !next.Rollback && !next.Breaking { // whoever goes back wants just what was
		old, err := r.specs.of(c.records, t.Code)
		if err != nil {
			return outcome{}, err
		}
		if breaks := abi.Breaks(old, spec); len(breaks) > 0 {
			return stopped(receipt.Breaking, "%s", breaksReason(a.name, breaks)), nil
		}
	}
	work, refused, err := r.activate(c.meter, a.code)
	if refused != nil || err != nil {
		return orZero(refused), err
	}
	return r.replace(ctx, c, t, history, next, a.code, spec, work)
}

// replace gives an instance its new code and runs the hook of that. The caller undoes everything if the outcome is a failure.
func (r *Runtime) replace(ctx context.Context, c call, t target, history registry.History, next registry.Announcement, code []byte, spec *abi.Spec, work uint64) (outcome, error) {
	if _, err := c.records.PutCode(code); err != nil {
		return outcome{}, err
	}
	if t.permit != nil && bytes.Equal(t.permit.Hash, next.Hash[:]) {
		if _, err := c.records.DropPermit(t.Name); err != nil {
			return outcome{}, err
		}
	}
	if t.lock.Announced != nil {
		t.lock.Announced = nil // it happened, or was about code that this is not any more
		if err := c.records.PutTimelock(t.Name, t.lock); err != nil {
			return outcome{}, err
		}
	}
	before, from := t.Code, t.Version
	t.Code, t.Version = next.Hash, next.Version
	if err := c.records.PutInstance(t.Instance); err != nil {
		return outcome{}, err
	}
	history.Add(registry.Activation{Version: t.Version, From: from, Hash: t.Code, Height: c.height, Time: c.time, By: c.sender, Gas: work})
	if err := c.records.PutHistory(t.Name, history); err != nil {
		return outcome{}, err
	}
	name := "upgraded"
	if next.Rollback {
		name = "rolled_back"
	}
	out := outcome{
		result: document(bytesOf("hash", t.Code[:]), uintOf("version", t.Version)),
		events: []receipt.Event{codeEvent(name, textOf("name", t.Name), uintOf("version", t.Version), bytesOf("hash", t.Code[:]),
			uintOf("from", from), bytesOf("before", before[:]), bytesOf("by", c.sender[:]))},
	}
	has := false
	if spec != nil {
		_, has = spec.Method(hookMethod)
	}
	if !has {
		return out, nil
	}
	// Somebody else sent what the admin, a contract, has permitted: see targetOf. An account that is the admin sends by itself.
	c.fromContract = c.sender != t.Admin
	c.sender = t.Admin
	hooked, err := r.hook(ctx, c, t.Instance, spec, hookMethod, document(uintOf("from", from)))
	if err != nil || hooked.Code != receipt.OK {
		return hooked, err
	}
	out.events, out.log = append(out.events, hooked.events...), hooked.log
	return out, nil
}

// breaksReason lists what breaks, as much as fits into a reason.
func breaksReason(name string, breaks []string) string {
	const room = abi.MaxReason - 100 // for the sentence around and the number of the others
	head := fmt.Sprintf("the new code of %q breaks its callers: ", name)
	var list strings.Builder
	for i, b := range breaks {
		if len(head)+list.Len()+len(b) > room && i > 0 {
			fmt.Fprintf(&list, "; and %d more", len(breaks)-i)
			break
		}
		if i > 0 {
			list.WriteString("; ")
		}
		list.WriteString(b)
	}
	return head + list.String()
}

// checkDelay refuses what can't be a delay.
func checkDelay(delay int64) *outcome {
	if 0 <= delay && delay <= MaxDelay {
		return nil
	}
	out := stopped(receipt.BadArguments, "the delay is %d seconds, must be 0 to %d", delay, MaxDelay)
	return &out
}

// administer is what an admin does beside changing the code.
func administer(c call, a codeArgs) (outcome, error) {
	if !c.meter.Charge(gas.Administer) {
		return noGas(c), nil
	}
	t, refused, err := targetOf(c.records, a.name, c.sender, c.time)
	if refused != nil || err != nil {
		return orZero(refused), err
	}
	if c.sender != t.Admin {
		return stopped(receipt.NotPermitted, "the admin of %q is a contract, which can change its code by a permit, and nothing else", a.name), nil
	}
	switch a.method {
	case announceMethod:
		return t.announce(c, a)
	case withdrawMethod:
		n := t.lock.Announced
		if n == nil {
			return stopped(receipt.BadArguments, "nothing is announced for contract %q", a.name), nil
		}
		t.lock.Announced = nil
		return saved(c.records.PutTimelock(a.name, t.lock), nil,
			codeEvent("withdrawn", textOf("name", a.name), uintOf("version", n.Version), bytesOf("hash", n.Hash[:])))
	case delayMethod:
		return t.setDelay(c, a)
	case adminMethod:
		return t.setAdmin(c, a)
	}
	panic("BUG: runtime: no code for code." + a.method)
}

// saved is the outcome of a change that was written, or not.
func saved(err error, result []byte, e receipt.Event) (outcome, error) {
	if err != nil {
		return outcome{}, err
	}
	return outcome{result: result, events: []receipt.Event{e}}, nil
}

func (t *target) announce(c call, a codeArgs) (outcome, error) {
	switch {
	case t.lock.Delay == 0:
		return stopped(receipt.BadArguments, "contract %q has no delay: its code can change at once", a.name), nil
	case (a.hash == nil) == (a.version == 0):
		return stopped(receipt.BadArguments, "announce: either hash, of an upgrade, or to, of a rollback, is needed"), nil
	}
	history, err := c.records.History(a.name)
	if err != nil {
		return outcome{}, err
	}
	n := &registry.Announcement{Version: history.Last + 1, Breaking: a.breaking, Earliest: c.time + t.lock.Delay}
	if a.hash != nil {
		n.Hash = [32]byte(a.hash)
	} else {
		then, refused := t.version(&history, a.version)
		if refused != nil {
			return *refused, nil
		}
		n.Hash, n.Version, n.Rollback = then.Hash, then.Version, true
	}
	t.lock.Announced = n
	return saved(c.records.PutTimelock(a.name, t.lock), document(uintOf("version", n.Version), intOf("earliest", n.Earliest)),
		codeEvent("announced", textOf("name", a.name), uintOf("version", n.Version), bytesOf("hash", n.Hash[:]),
			boolOf("rollback", n.Rollback), boolOf("allow_breaking", n.Breaking), intOf("earliest", n.Earliest)))
}

// setDelay makes the delay longer at once, and shorter when the delay that was promised has passed.
func (t *target) setDelay(c call, a codeArgs) (outcome, error) {
	if refused := checkDelay(a.delay); refused != nil {
		return *refused, nil
	}
	from := c.time
	if a.delay >= t.lock.Delay {
		t.lock.Delay, t.lock.Next, t.lock.From = a.delay, 0, 0
	} else {
		from += t.lock.Delay
		t.lock.Next, t.lock.From = a.delay, from
	}
	return saved(c.records.PutTimelock(a.name, t.lock), document(intOf("from", from)),
		codeEvent("delay_set", textOf("name", a.name), intOf("delay", a.delay), intOf("from", from)))
}

func (t *target) setAdmin(c call, a codeArgs) (outcome, error) {
	before := t.Admin
	t.Admin = address.Address(a.admin)
	if !t.Admin.IsZero() {
		_, known, err := c.records.Account(t.Admin)
		if err != nil {
			return outcome{}, err
		}
		if !known {
			return stopped(receipt.BadArguments, "%s is no account, and could never change anything: an address of zeros makes contract %q nobody's", t.Admin, a.name), nil
		}
	} else if t.lock.Announced != nil || t.lock.Delay != 0 {
		if err := c.records.PutTimelock(a.name, registry.Timelock{}); err != nil {
			return outcome{}, err
		}
	}
	return saved(c.records.PutInstance(t.Instance), nil,
		codeEvent("admin_set", textOf("name", a.name), bytesOf("admin", t.Admin[:]), bytesOf("before", before[:])))
}

// showHistory answers how a contract came to its code.
func showHistory(c call, a codeArgs) (outcome, error) {
	if !c.meter.Charge(gas.Read) {
		return noGas(c), nil
	}
	_, found, err := c.records.Instance(a.name)
	if err != nil {
		return outcome{}, err
	}
	if !found {
		return stopped(receipt.UnknownContract, "there is no contract %q", a.name), nil
	}
	h, err := c.records.History(a.name)
	if err != nil {
		return outcome{}, err
	}
	b := cbor.AppendArray(nil, len(h.Activations))
	for _, x := range h.Activations {
		b = append(b, document(uintOf("version", x.Version), uintOf("from", x.From), bytesOf("hash", x.Hash[:]), uintOf("height", x.Height),
			intOf("time", x.Time), bytesOf("by", x.By[:]), uintOf("gas", x.Gas))...)
	}
	if !c.meter.Charge(gas.ReturnByte * uint64(len(b))) {
		return noGas(c), nil
	}
	return outcome{result: b}, nil
}

func noGas(c call) outcome {
	return stopped(receipt.OutOfGas, "the gas limit of %d is used up", c.meter.Limit())
}
