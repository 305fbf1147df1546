package registry

import (
	"fmt"
	"math/bits"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
)

// MaxDepth is how many owners an account may have above it. Giving quota back
// may walk up to the first, in one transaction of a fixed price.
const MaxDepth = 8

// Account is a sender: it owns what its keys do, and the quota that they share.
type Account struct {
	Address      address.Address
	Owner        address.Address // whose quota its own is carved from; zero is none
	QuotaPerHour uint64          // gas
	Carved       uint64          // gas per hour of the quota that is now other accounts'
	Keys         uint64          // that are not retired
	Depth        uint64          // owners above it
	Created      uint64          // height
	bucket       bucket
}

// Capacity returns the gas per hour that is the account's own to use.
func (a *Account) Capacity() uint64 { return a.QuotaPerHour - a.Carved }

// Level returns the gas that was in the bucket at the time at, in unix seconds,
// rounded down.
func (a *Account) Level() (gas uint64, at int64) { return a.bucket.level, a.bucket.at }

// Room returns the gas that the account may use at a time in unix seconds.
func (a *Account) Room(now int64) uint64 {
	b := a.bucket
	b.drain(a.Capacity(), now)
	return b.room(a.Capacity())
}

func (a *Account) encode() []byte {
	b := encoder(9)
	var owner []byte
	if !a.Owner.IsZero() {
		owner = a.Owner[:]
	}
	b = cbor.AppendBytes(b, owner)
	b = cbor.AppendUint(b, a.QuotaPerHour)
	b = cbor.AppendUint(b, a.Carved)
	b = cbor.AppendUint(b, a.Keys)
	b = cbor.AppendUint(b, a.Depth)
	b = cbor.AppendUint(b, a.Created)
	b = cbor.AppendUint(b, a.bucket.level)
	b = cbor.AppendUint(b, a.bucket.rest)
	return cbor.AppendInt(b, a.bucket.at)
}

func (a *Account) fields(d *decoder) {
	if owner := d.bytes(); len(owner) > 0 {
		var err error
		if a.Owner, err = address.FromBytes(owner); err != nil && d.err == nil {
			d.err = err
		}
	}
	a.QuotaPerHour = d.uint()
	a.Carved = d.uint()
	a.Keys = d.uint()
	a.Depth = d.uint()
	a.Created = d.uint()
	a.bucket = bucket{d.uint(), d.uint(), d.int()}
	if d.err == nil && (a.Carved > a.QuotaPerHour || a.bucket.rest >= hour) {
		d.err = fmt.Errorf("%d of %d gas per hour carved, level with %d/3600", a.Carved, a.QuotaPerHour, a.bucket.rest)
	}
}

// Account returns the record of an account.
func (r *Records) Account(addr address.Address) (a Account, found bool, err error) {
	found, err = r.get(accountRows, addr[:], "account", 9, a.fields)
	if !found || err != nil {
		return Account{}, false, err
	}
	a.Address = addr
	return a, true, nil
}

func (r *Records) putAccount(a *Account) error {
	return r.kv.Set(accountRows, a.Address[:], a.encode())
}

// Room returns the gas that an account may use at a time in unix seconds; none
// if there is no such account.
func (r *Records) Room(addr address.Address, now int64) (uint64, error) {
	a, found, err := r.Account(addr)
	if err != nil || !found {
		return 0, err
	}
	return a.Room(now), nil
}

// Charge takes gas from an account's quota, at a time in unix seconds. It does
// not ask for room: what was used is charged. The account must exist.
func (r *Records) Charge(addr address.Address, gas uint64, now int64) error {
	a, found, err := r.Account(addr)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("registry: charge to account %s, which does not exist", addr)
	}
	a.bucket.drain(a.Capacity(), now)
	a.bucket.add(gas)
	return r.putAccount(&a)
}

// Refund takes back the part of a charge that was not used, at the time of that
// charge. It comes out of the account's own bucket: what has since gone to others, with
// quota that the account gave back or carved out, stays charged to them.
func (r *Records) Refund(addr address.Address, gas uint64) error {
	a, found, err := r.Account(addr)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("registry: refund to account %s, which does not exist", addr)
	}
	a.bucket.level -= min(a.bucket.level, gas)
	return r.putAccount(&a)
}

// newAccount makes an account with one key.
func (r *Records) newAccount(addr, owner address.Address, quota, height uint64) (abi.Status, error) {
	if _, found, err := r.Account(addr); err != nil || found {
		return abi.StatusExists, err
	}
	a := Account{Address: addr, Owner: owner, Keys: 1, Created: height}
	if owner.IsZero() {
		a.QuotaPerHour = quota
		return abi.StatusOK, r.putAccount(&a)
	}
	o, found, err := r.Account(owner)
	if err != nil || !found {
		return abi.StatusUnknown, err
	}
	if o.Depth >= MaxDepth || !carve(&o, &a, quota) {
		return abi.StatusNoQuota, nil
	}
	a.Depth = o.Depth + 1
	if err := r.putAccount(&o); err != nil {
		return 0, err
	}
	return abi.StatusOK, r.putAccount(&a)
}

// joinAccount gives an existing account one more key and, unless it is 0, a new
// quota.
func (r *Records) joinAccount(addr, owner address.Address, quota uint64) (abi.Status, error) {
	a, found, err := r.Account(addr)
	if err != nil || !found || !owner.IsZero() && owner != a.Owner {
		return abi.StatusUnknown, err
	}
	a.Keys++
	switch {
	case quota == 0 || quota == a.QuotaPerHour:
	case quota < a.Carved:
		return abi.StatusNoQuota, nil
	case a.Owner.IsZero():
		a.QuotaPerHour = quota
	default:
		o, found, err := r.Account(a.Owner)
		if err != nil {
			return 0, err
		}
		if !found {
			return 0, fmt.Errorf("registry: account %s is owned by %s, which does not exist", addr, a.Owner)
		}
		if quota < a.QuotaPerHour {
			giveBack(&a, &o, a.QuotaPerHour-quota)
		} else if !carve(&o, &a, quota-a.QuotaPerHour) {
			return abi.StatusNoQuota, nil
		}
		if err := r.putAccount(&o); err != nil {
			return 0, err
		}
	}
	return abi.StatusOK, r.putAccount(&a)
}

// leaveAccount counts one key less. An account without keys can use nothing:
// what it has not carved out goes back to its owner, and further up as long as
// the owner has no keys either.
func (r *Records) leaveAccount(addr address.Address) error {
	a, found, err := r.Account(addr)
	if err != nil {
		return err
	}
	if !found || a.Keys == 0 {
		return fmt.Errorf("registry: a key of account %s was retired, which has none", addr)
	}
	a.Keys--
	for a.Keys == 0 && !a.Owner.IsZero() && a.Capacity() > 0 {
		o, found, err := r.Account(a.Owner)
		if err != nil {
			return err
		}
		if !found {
			return fmt.Errorf("registry: account %s is owned by %s, which does not exist", a.Address, a.Owner)
		}
		giveBack(&a, &o, a.Capacity())
		if err := r.putAccount(&a); err != nil {
			return err
		}
		a = o // which is put in the next round, or behind the last
	}
	return r.putAccount(&a)
}

// carve makes quota of an owner a child's, if the owner has that much to itself.
//
// Each bucket stands as of its own last charge, and nothing here knows the time.
// It need not: the owner's level is split as it was then, and both leak since
// then, together at the old rate.
func carve(owner, child *Account, quota uint64) bool {
	if quota > owner.Capacity() {
		return false
	}
	if sum, carry := bits.Add64(child.QuotaPerHour, quota, 0); carry != 0 || sum > MaxQuota {
		return false
	}
	meet(owner, child)
	owner.Carved += quota
	child.QuotaPerHour += quota
	child.bucket.pour(owner.bucket.spill(owner.Capacity()))
	return true
}

// giveBack is carve, backwards. The child must have that much to itself.
func giveBack(child, owner *Account, quota uint64) {
	meet(owner, child)
	owner.Carved -= quota
	child.QuotaPerHour -= quota
	owner.bucket.pour(child.bucket.spill(child.Capacity()))
}

// meet brings both buckets to the later of their times.
func meet(a, b *Account) {
	at := max(a.bucket.at, b.bucket.at)
	a.bucket.drain(a.Capacity(), at)
	b.bucket.drain(b.Capacity(), at)
}
