package state_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"testing"

	ics23 "github.com/cosmos/ics23/go"
	"pgregory.net/rapid"

	"github.com/wardledger/ward/runtime/state"
)

// proves checks a proof of one row the way a stranger would: with nothing but ICS23, the spec and the root.
func proves(root, collection, key, value []byte, p *ics23.CommitmentProof) bool {
	path := state.Path(collection, key)
	if value == nil {
		return ics23.VerifyNonMembership(state.ProofSpec(), root, p, path)
	}
	hash := sha256.Sum256(value)
	return ics23.VerifyMembership(state.ProofSpec(), root, p, path, hash[:])
}

// Existence and absence at every retained height, with proofs that went over the wire.
func TestProofs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, err := state.Open(state.NewMemory(), state.Options{Keep: 4})
		if err != nil {
			t.Fatal(err)
		}
		now, heights := rows{}, map[uint64]rows{}
		for height := uint64(1); height <= 6; height++ {
			o := s.Overlay()
			for range rapid.IntRange(1, 8).Draw(t, "writes") {
				c, k, v := collections.Draw(t, "collection"), keys.Draw(t, "key"), values.Draw(t, "value")
				if rapid.IntRange(0, 3).Draw(t, "delete") == 0 {
					o.Delete([]byte(c), []byte(k))
					delete(now, [2]string{c, k})
				} else {
					o.Set([]byte(c), []byte(k), []byte(v))
					now[[2]string{c, k}] = v
				}
			}
			stage, err := o.Stage(height)
			if err != nil {
				t.Fatal(err)
			}
			if err := stage.Commit(); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Prune(10); err != nil {
				t.Fatal(err)
			}
			heights[height] = rows{}
			for k, v := range now {
				heights[height][k] = v
			}
		}
		for height := s.Earliest(); height <= s.Height(); height++ {
			snap, err := s.At(height)
			if err != nil {
				t.Fatal(err)
			}
			want := heights[height]
			var asked []state.Row
			for _, c := range []string{"a", "ab", "\x00a", "never"} {
				for _, k := range []string{"", "b", "bc", "oo", "q"} {
					asked = append(asked, state.Row{Collection: []byte(c), Key: []byte(k)})
				}
			}
			if len(want) == 0 {
				if _, err := snap.Prove(asked[0].Collection, asked[0].Key); err != state.ErrNothingThere {
					t.Fatal(err)
				}
				snap.Close()
				continue
			}
			all, err := snap.ProveAll(asked)
			if err != nil {
				t.Fatal(err)
			}
			all = over(t, all)
			for _, r := range asked {
				var value []byte
				if v, ok := want[[2]string{string(r.Collection), string(r.Key)}]; ok {
					value = append([]byte{}, v...)
				}
				one, err := snap.Prove(r.Collection, r.Key)
				if err != nil {
					t.Fatal(err)
				}
				one = over(t, one)
				for what, p := range map[string]*ics23.CommitmentProof{"alone": one, "in a batch": all} {
					if !proves(snap.Root(), r.Collection, r.Key, value, p) {
						t.Fatalf("height %d, row %q %q = %q, %s: no proof", height, r.Collection, r.Key, value, what)
					}
				}
				// It proves nothing else: not another value, not the opposite, not under another root.
				wrong := [][]byte{nil, []byte("forged")}
				if value == nil {
					wrong = [][]byte{{}, []byte("forged")}
				}
				for _, v := range wrong {
					if proves(snap.Root(), r.Collection, r.Key, v, one) {
						t.Fatalf("height %d, row %q %q = %q: proof of %q", height, r.Collection, r.Key, value, v)
					}
				}
				root := snap.Root()
				root[5] ^= 1
				if proves(root, r.Collection, r.Key, value, one) {
					t.Fatal("a proof under another root")
				}
			}
			snap.Close()
		}
	})
}

func over(t *rapid.T, p *ics23.CommitmentProof) *ics23.CommitmentProof {
	b, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if p, err = state.DecodeProof(b); err != nil {
		t.Fatal(err)
	}
	return p
}

// A collection is proven whole, and one with a row withheld, added or exchanged is not.
func TestCollectionProofs(t *testing.T) {
	s := open(t, state.NewMemory(), state.Options{})
	o := s.Overlay()
	sizes := map[string]int{"one": 1, "none": 0, "some": 7, "many": 300}
	for c, n := range sizes {
		for i := range n {
			must(t, o.Set([]byte(c), fmt.Append(nil, i), fmt.Append(nil, "value", i)))
		}
	}
	root := commit(t, s, o)
	snap, err := s.At(0)
	must(t, err)
	defer snap.Close()
	for c, n := range sizes {
		p, err := snap.ProveCollection([]byte(c))
		must(t, err)
		b, err := p.Marshal()
		must(t, err)
		if p, err = state.DecodeProof(b); err != nil {
			t.Fatal(err)
		}
		got, err := state.VerifyCollection(root, []byte(c), p)
		if err != nil || len(got) != n {
			t.Fatalf("%s: %d rows, want %d, %v", c, len(got), n, err)
		}
		for i := range n {
			if h := got[[55]byte(state.Path([]byte(c), fmt.Append(nil, i)))]; h != sha256.Sum256(fmt.Append(nil, "value", i)) {
				t.Fatalf("%s: row %d has the hash %x", c, i, h)
			}
		}
		entries := p.GetBatch().Entries
		for i := range entries {
			less := &ics23.CommitmentProof{Proof: &ics23.CommitmentProof_Batch{Batch: &ics23.BatchProof{Entries: slices.Delete(slices.Clone(entries), i, i+1)}}}
			if got, err := state.VerifyCollection(root, []byte(c), less); err == nil {
				t.Fatalf("%s: proof %d of %d is withheld, and %d rows pass for all", c, i, len(entries), len(got))
			}
			twice := &ics23.CommitmentProof{Proof: &ics23.CommitmentProof_Batch{Batch: &ics23.BatchProof{Entries: slices.Insert(slices.Clone(entries), i, entries[i])}}}
			if _, err := state.VerifyCollection(root, []byte(c), twice); err == nil {
				t.Fatalf("%s: proof %d is there twice", c, i)
			}
		}
		if _, err := state.VerifyCollection(s.Root()[:31], []byte(c), p); err == nil {
			t.Error("a short root")
		}
	}
	for _, p := range []*ics23.CommitmentProof{nil, {}, {Proof: &ics23.CommitmentProof_Batch{}}, {Proof: &ics23.CommitmentProof_Batch{Batch: &ics23.BatchProof{Entries: []*ics23.BatchEntry{nil, {}}}}}} {
		if _, err := state.VerifyCollection(root, []byte("some"), p); err == nil {
			t.Errorf("%v was taken for a proof", p)
		}
	}
}

// What a compressed proof names beyond its lists, or too often, is refused and not looked up.
func TestHostileCompression(t *testing.T) {
	op := &ics23.InnerOp{Hash: ics23.HashOp_SHA256, Prefix: make([]byte, 33)}
	for what, c := range map[string]*ics23.CompressedBatchProof{
		"an index behind the end": {LookupInners: []*ics23.InnerOp{op}, Entries: compressed(1)},
		"a negative index":        {LookupInners: []*ics23.InnerOp{op}, Entries: compressed(-1)},
		"a path of 441 steps":     {LookupInners: []*ics23.InnerOp{op}, Entries: compressed(make([]int32, 441)...)},
		"an empty entry":          {LookupInners: []*ics23.InnerOp{op}, Entries: []*ics23.CompressedBatchEntry{{}}},
	} {
		b, err := (&ics23.CommitmentProof{Proof: &ics23.CommitmentProof_Compressed{Compressed: c}}).Marshal()
		must(t, err)
		if _, err := state.DecodeProof(b); err == nil {
			t.Errorf("%s: taken", what)
		}
	}
	if _, err := state.DecodeProof(make([]byte, 16<<20+1)); !errors.Is(err, state.ErrBounds) {
		t.Errorf("too long: %v", err)
	}
}

func compressed(path ...int32) []*ics23.CompressedBatchEntry {
	return []*ics23.CompressedBatchEntry{{Proof: &ics23.CompressedBatchEntry_Exist{Exist: &ics23.CompressedExistenceProof{Key: []byte("k"), Value: []byte("v"), Path: path}}}}
}

// Whatever bytes come as a proof: no panic, and no proof of what is not so.
func FuzzProof(f *testing.F) {
	s := open(f, state.NewMemory(), state.Options{})
	o := s.Overlay()
	for i := range 40 {
		must(f, o.Set([]byte{'a' + byte(i%3)}, fmt.Append(nil, i), fmt.Append(nil, "value", i)))
	}
	root := commit(f, s, o)
	snap, err := s.At(0)
	must(f, err)
	there, err := snap.Prove([]byte("a"), []byte("0"))
	must(f, err)
	absent, err := snap.Prove([]byte("a"), []byte("nobody"))
	must(f, err)
	whole, err := snap.ProveCollection([]byte("b"))
	must(f, err)
	many, err := snap.ProveAll([]state.Row{{Collection: []byte("a"), Key: []byte("0")}, {Collection: []byte("a"), Key: []byte("x")}})
	must(f, err)
	for _, p := range []*ics23.CommitmentProof{there, absent, whole, many} {
		b, err := p.Marshal()
		must(f, err)
		f.Add(b)
	}
	rows := 13 // of b: 1, 4, ... 37
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := state.DecodeProof(b)
		if err != nil {
			return
		}
		if got, err := state.VerifyCollection(root, []byte("b"), p); err == nil && len(got) != rows {
			t.Fatalf("a proof that b has %d rows, it has %d", len(got), rows)
		}
		if proves(root, []byte("a"), []byte("0"), nil, p) || proves(root, []byte("a"), []byte("0"), []byte("other"), p) || proves(root, []byte("a"), []byte("nobody"), []byte("x"), p) {
			t.Fatal("a proof of what is not so")
		}
	})
}

// The sizes that the README names.
func TestProofSizes(t *testing.T) {
	const n = 20_000
	s := open(t, state.NewMemory(), state.Options{})
	o := s.Overlay()
	for i := range n {
		must(t, o.Set([]byte("c"), benchKey(i), make([]byte, 100)))
	}
	commit(t, s, o)
	snap, err := s.At(0)
	must(t, err)
	defer snap.Close()
	var sizes []int
	for i := range 500 {
		p, err := snap.Prove([]byte("c"), benchKey(i))
		must(t, err)
		sizes = append(sizes, p.Size())
	}
	slices.Sort(sizes)
	t.Logf("%d rows: existence %d bytes in the median, %d at most", n, sizes[250], sizes[499])
	if sizes[250] > 1000 { // about 15 steps of 40 bytes, and the leaf
		t.Errorf("a proof of %d bytes", sizes[250])
	}
}
