package state_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"

	ics23 "github.com/cosmos/ics23/go"

	"github.com/wardledger/ward/runtime/state"
)

// readings are the proofs that a forger makes of an honest one by cutting the leaf's bytes elsewhere: ICS23 says how the
// bytes in front of the key begin and not where they end, so that some of the key's may be counted among them. Each is
// of the same place in the tree, and of a key that nobody wrote.
func readings(t *testing.T, honest *ics23.ExistenceProof) (out []*ics23.ExistenceProof) {
	t.Helper()
	want, err := honest.Leaf.Apply(honest.Key, honest.Value)
	must(t, err)
	length := func(b []byte) []byte {
		if honest.Leaf.Length == ics23.LengthOp_VAR_PROTO {
			return append([]byte{byte(len(b))}, b...)
		}
		return b
	}
	key := honest.Key
	if honest.Leaf.PrehashKey == ics23.HashOp_SHA256 {
		hash := sha256.Sum256(key)
		key = hash[:]
	}
	b := slices.Concat(honest.Leaf.Prefix, length(key), length(honest.Value))
	skip := len(length(nil))
	for i := 1; i < len(b); i++ {
		for j := i + skip + 1; j+skip < len(b); j++ {
			leaf := *honest.Leaf
			leaf.Prefix = b[:i:i]
			p := &ics23.ExistenceProof{Key: b[i+skip : j], Value: b[j+skip:], Leaf: &leaf, Path: honest.Path}
			if got, err := leaf.Apply(p.Key, p.Value); err == nil && bytes.Equal(got, want) && !bytes.Equal(p.Key, honest.Key) {
				out = append(out, p)
			}
		}
	}
	return out
}

// A row that is there can't be proven absent by neighbours that are read otherwise than they were written.
func TestNoForgedAbsence(t *testing.T) {
	const n = 300
	s := open(t, state.NewMemory(), state.Options{})
	o := s.Overlay()
	for i := range n {
		must(t, o.Set([]byte("c"), fmt.Append(nil, i), []byte("v")))
	}
	root := commit(t, s, o)
	snap, err := s.At(0)
	must(t, err)
	defer snap.Close()
	var leaves []*ics23.ExistenceProof
	for i := range n {
		p, err := snap.Prove([]byte("c"), fmt.Append(nil, i))
		must(t, err)
		leaves = append(leaves, p.GetExist())
	}
	slices.SortFunc(leaves, func(a, b *ics23.ExistenceProof) int { return bytes.Compare(a.Key, b.Key) })
	var places [][]*ics23.ExistenceProof // what may be shown of each
	for _, l := range leaves {
		places = append(places, append(readings(t, l), l))
	}
	denied := 0
	for _, there := range leaves {
		key := there.Key
		deny := func(p *ics23.NonExistenceProof) bool {
			return ics23.VerifyNonMembership(state.ProofSpec(), root, &ics23.CommitmentProof{Proof: &ics23.CommitmentProof_Nonexist{Nonexist: p}}, key)
		}
		found := false
		for i, here := range places {
			for _, r := range here {
				found = found || deny(&ics23.NonExistenceProof{Key: key, Right: r}) || deny(&ics23.NonExistenceProof{Key: key, Left: r})
				if i > 0 {
					for _, l := range places[i-1] {
						found = found || deny(&ics23.NonExistenceProof{Key: key, Left: l, Right: r})
					}
				}
			}
		}
		if found {
			denied++
		}
	}
	if denied > 0 {
		t.Errorf("%d of %d rows are proven absent", denied, n)
	}
}

// In small trees, down to one leaf, whatever two leaves are shown as neighbours: only a row that is not there is absent.
func TestAbsenceInSmallTrees(t *testing.T) {
	for n := 1; n <= 9; n++ {
		s := open(t, state.NewMemory(), state.Options{})
		o := s.Overlay()
		for i := range n {
			must(t, o.Set([]byte{byte('a' + i%2)}, fmt.Append(nil, i), nil))
		}
		root := commit(t, s, o)
		snap, err := s.At(0)
		must(t, err)
		shown := []*ics23.ExistenceProof{nil}
		there := map[string]bool{}
		keys := [][]byte{make([]byte, 55), bytes.Repeat([]byte{255}, 55), {1}, bytes.Repeat([]byte{128}, 56)}
		for i := range n {
			p, err := snap.Prove([]byte{byte('a' + i%2)}, fmt.Append(nil, i))
			must(t, err)
			shown = append(shown, p.GetExist())
			key := p.GetExist().Key
			there[string(key)] = true
			before, behind := bytes.Clone(key), bytes.Clone(key)
			before[54]-- // no hash here ends in 00 or ff
			behind[54]++
			keys = append(keys, key, before, behind, key[:54], append(bytes.Clone(key), 0))
		}
		snap.Close()
		for _, key := range keys {
			proofs := 0
			for _, l := range shown {
				for _, r := range shown {
					p := &ics23.CommitmentProof{Proof: &ics23.CommitmentProof_Nonexist{Nonexist: &ics23.NonExistenceProof{Key: key, Left: l, Right: r}}}
					if ics23.VerifyNonMembership(state.ProofSpec(), root, p, key) {
						proofs++
					}
				}
			}
			if want := 1; there[string(key)] && proofs > 0 || !there[string(key)] && proofs != want {
				t.Errorf("%d rows, key %x, there: %v: %d pairs of neighbours prove that it is absent", n, key, there[string(key)], proofs)
			}
		}
	}
}
