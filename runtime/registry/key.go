package registry

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/tx"
)

// Key is a public key that may sign, or once might.
type Key struct {
	ID      address.Address // kid: the address of Public
	Account address.Address // for which it signs
	Public  []byte
	Scope   []Scope // what it may call, ordered by contract; empty is nothing
	Expires int64   // unix seconds; 0 is never
	State   KeyState
}

// Scope is the methods of one contract that a key may call; none is all.
type Scope = abi.Scope

// KeyState says whether a key may sign.
type KeyState uint8

// The states of a key.
const (
	KeyOpen    KeyState = 0
	KeyShut    KeyState = 1 // for now
	KeyRetired KeyState = 2 // for ever
)

// String returns the state as it reads in a sentence.
func (s KeyState) String() string {
	switch s {
	case KeyOpen:
		return "open"
	case KeyShut:
		return "shut"
	case KeyRetired:
		return "retired"
	}
	return fmt.Sprintf("in the unknown state %d", uint8(s))
}

func (k *Key) encode() []byte {
	b := encoder(5)
	b = cbor.AppendBytes(b, k.Account[:])
	b = cbor.AppendBytes(b, k.Public)
	b = cbor.AppendArray(b, len(k.Scope))
	for _, s := range k.Scope {
		b = cbor.AppendText(cbor.AppendArray(b, 2), s.Contract)
		b = cbor.AppendArray(b, len(s.Methods))
		for _, m := range s.Methods {
			b = cbor.AppendText(b, m)
		}
	}
	b = cbor.AppendInt(b, k.Expires)
	return cbor.AppendUint(b, uint64(k.State))
}

func (k *Key) fields(d *decoder) {
	d.fixed(k.Account[:])
	k.Public = bytes.Clone(d.bytes())
	// Items counts no more than there are bytes, so that what is allocated is bounded.
	k.Scope = make([]Scope, d.items())
	for i := range k.Scope {
		d.array(2)
		k.Scope[i].Contract = d.text()
		if n := d.items(); n > 0 {
			k.Scope[i].Methods = make([]string, n)
		}
		for j := range k.Scope[i].Methods {
			k.Scope[i].Methods[j] = d.text()
		}
	}
	k.Expires = d.int()
	state := d.uint()
	if d.err == nil && state > uint64(KeyRetired) {
		d.err = fmt.Errorf("state %d is not known to this release", state)
	}
	k.State = KeyState(state)
}

// Key returns the record of a key.
func (r *Records) Key(kid address.Address) (k Key, found bool, err error) {
	found, err = r.get(keyRows, kid[:], "key", 5, k.fields)
	if !found || err != nil {
		return Key{}, false, err
	}
	k.ID = kid
	return k, true, nil
}

func (r *Records) putKey(k *Key) error { return r.kv.Set(keyRows, k.ID[:], k.encode()) }

// OpenKey opens a key as o says.
//
// Without an account, the key gets a new one that has its address and the quota;
// with an owner, the quota is carved from the owner's. With an account, which
// must exist, the key becomes another key of it: a quota of 0 leaves the
// account's as it is, any other becomes its new quota, and the difference is
// carved from its owner, if it has one, or given back; an owner that is named
// must be that one.
//
// The answer is StatusExists for a key that was ever opened, and for a new
// account whose address is taken; StatusUnknown for bytes that are no public
// key, for a weak one (tx.PublicKey.Weak), and for an account or owner that does
// not exist; StatusNoQuota if the owner has less left, the quota is above
// MaxQuota, the account has carved more than the new quota out for others, or
// the owner is at MaxDepth. Then nothing has changed. It is an error if the scope
// has a contract twice.
func (r *Records) OpenKey(o *abi.OpenAccount, height uint64) (abi.Status, error) {
	public, err := tx.ParsePublicKey(o.Key)
	if err != nil {
		return abi.StatusUnknown, nil // a key that could never sign would stop the node that looks at its first transaction
	}
	if public.Weak() {
		return abi.StatusUnknown, nil // anybody could sign for it
	}
	k := Key{ID: public.Address(), Public: o.Key, Expires: o.Expires}
	k.Scope = slices.Clone(o.Scope)
	slices.SortFunc(k.Scope, func(a, b Scope) int { return cbor.CompareText(a.Contract, b.Contract) })
	for i := 1; i < len(k.Scope); i++ {
		if k.Scope[i].Contract == k.Scope[i-1].Contract {
			return 0, fmt.Errorf("registry: the scope of key %s has contract %q twice", k.ID, k.Scope[i].Contract)
		}
	}
	if _, found, err := r.Key(k.ID); err != nil || found {
		return abi.StatusExists, err
	}
	if o.Quota > MaxQuota {
		return abi.StatusNoQuota, nil
	}
	owner, err := optional(o.Owner)
	if err != nil {
		return 0, fmt.Errorf("registry: owner: %w", err)
	}
	var status abi.Status
	if o.Account == nil {
		k.Account = k.ID
		status, err = r.newAccount(k.Account, owner, o.Quota, height)
	} else {
		if k.Account, err = address.FromBytes(o.Account); err != nil {
			return 0, fmt.Errorf("registry: account: %w", err)
		}
		status, err = r.joinAccount(k.Account, owner, o.Quota)
	}
	if err != nil || status != abi.StatusOK {
		return status, err
	}
	return abi.StatusOK, r.putKey(&k)
}

// optional reads an address that may be left out.
func optional(b []byte) (address.Address, error) {
	if b == nil {
		return address.Address{}, nil
	}
	return address.FromBytes(b)
}

// ShutKey takes a key's right to sign, until ReopenKey. Shutting a shut key is
// StatusOK.
func (r *Records) ShutKey(kid address.Address) (abi.Status, error) { return r.turn(kid, KeyShut) }

// ReopenKey gives a shut key its right to sign back. Reopening an open key is
// StatusOK.
func (r *Records) ReopenKey(kid address.Address) (abi.Status, error) { return r.turn(kid, KeyOpen) }

// RetireKey takes a key's right to sign for ever. When it was the last key of
// its account, what is left of the account's quota goes back to its owner.
// Retiring a retired key is StatusRetired.
func (r *Records) RetireKey(kid address.Address) (abi.Status, error) { return r.turn(kid, KeyRetired) }

func (r *Records) turn(kid address.Address, to KeyState) (abi.Status, error) {
	k, found, err := r.Key(kid)
	switch {
	case err != nil:
		return 0, err
	case !found:
		return abi.StatusUnknown, nil
	case k.State == KeyRetired:
		return abi.StatusRetired, nil
	case k.State == to:
		return abi.StatusOK, nil
	}
	k.State = to
	if err := r.putKey(&k); err != nil || to != KeyRetired {
		return abi.StatusOK, err
	}
	if err := r.dropWindows(kid); err != nil {
		return 0, err
	}
	return abi.StatusOK, r.leaveAccount(k.Account)
}
