package runtime

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/registry"
	"github.com/wardledger/ward/runtime/tx"
)

// ChainContract is under whose name the runtime tells of what concerns the whole chain. There is no
// such contract, and nobody can deploy one.
const ChainContract = "chain"

// authorityDelay is how many blocks after an update the engine runs the new set.
const authorityDelay = 2

// AuthorityUpdate changes the engine's set of authorities.
type AuthorityUpdate struct {
	Key   []byte // Ed25519, 32 bytes
	Power int64  // 1: it is an authority from now on; 0: it is none any more
}

// authorities gives a contract with the capability the wanted set.
type authorities struct{ records *registry.Records }

// SetAuthorities is host.Authorities.
func (a authorities) SetAuthorities(keys abi.AuthoritySet) (abi.Status, error) {
	for _, key := range keys {
		if !goodAuthority(key) {
			return abi.StatusNotASet, nil
		}
	}
	return abi.StatusOK, a.records.SetWantedAuthorities(keys)
}

// goodAuthority reports whether only one can sign for a key.
func goodAuthority(key []byte) bool {
	public, err := tx.ParsePublicKey(key)
	return err == nil && public.Alg() == tx.EdDSA && !public.Weak()
}

// initialAuthorities notes the set with which the engine starts. What the contracts of genesis
// wanted must be the same, or the chain and its engine would disagree from the first block on.
func initialAuthorities(records *registry.Records, keys [][]byte) error {
	set := abi.AuthoritySet(slices.SortedFunc(slices.Values(keys), bytes.Compare))
	wanted, err := records.WantedAuthorities()
	if err != nil {
		return err
	}
	if len(set) == 0 {
		if set = wanted; len(set) == 0 {
			return nil
		}
	}
	if err := set.Check(); err != nil {
		return fmt.Errorf("authorities: %w", err)
	}
	for _, key := range set {
		if !goodAuthority(key) {
			return fmt.Errorf("authorities: %x is no Ed25519 key, or one that anybody can sign for", key)
		}
	}
	if wanted != nil && !slices.EqualFunc(wanted, set, bytes.Equal) {
		return fmt.Errorf("authorities: the engine starts with %d (%x), a contract wants %d (%x)", len(set), set, len(wanted), wanted)
	}
	if err := records.SetWantedAuthorities(set); err != nil {
		return err
	}
	return records.SetHandedAuthorities(set)
}

// handOver compares the wanted authorities with those that the engine has been given, and
// returns what it must be told, with the event that says so. The engine of every node would panic on a key
// twice, on the removal of one that it doesn't know, and on an empty set; a difference of two sets that
// are in order has none of these.
func handOver(records *registry.Records, height uint64) ([]AuthorityUpdate, []receipt.Event, error) {
	wanted, err := records.WantedAuthorities()
	if err != nil {
		return nil, nil, err
	}
	handed, err := records.HandedAuthorities()
	if err != nil {
		return nil, nil, err
	}
	if slices.EqualFunc(wanted, handed, bytes.Equal) {
		return nil, nil, nil
	}
	added, removed := without(wanted, handed), without(handed, wanted)
	var updates []AuthorityUpdate
	for _, key := range added {
		updates = append(updates, AuthorityUpdate{key, 1})
	}
	for _, key := range removed {
		updates = append(updates, AuthorityUpdate{key, 0})
	}
	slices.SortFunc(updates, func(a, b AuthorityUpdate) int { return bytes.Compare(a.Key, b.Key) })

	a := cbor.AppendMap(nil, 4)
	a = append(cbor.AppendText(a, "added"), added.Encode()...)
	a = cbor.AppendUint(cbor.AppendText(a, "count"), uint64(len(wanted)))
	a = append(cbor.AppendText(a, "removed"), removed.Encode()...)
	a = cbor.AppendUint(cbor.AppendText(a, "in_force"), height+authorityDelay)
	event := receipt.Event{Contract: ChainContract, Name: "authorities", Attributes: a}
	return updates, []receipt.Event{event}, records.SetHandedAuthorities(wanted)
}

// without returns the keys of one set that the other lacks.
func without(set, other abi.AuthoritySet) (left abi.AuthoritySet) {
	for _, key := range set {
		if _, found := slices.BinarySearchFunc(other, key, bytes.Compare); !found {
			left = append(left, key)
		}
	}
	return left
}
