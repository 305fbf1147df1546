package state

import (
	"bytes"
	"errors"
	"fmt"

	ics23 "github.com/cosmos/ics23/go" // the standard format of such proofs, with verifiers in Go, Rust, JavaScript and Solidity

	"github.com/wardledger/ward/runtime/state/merkle"
)

// ProofSpec says to a verifier of ICS23 what proofs of this state look like. In its terms the key is the row's path
// ([Path]) and the value is SHA-256 of the row's, so that the neighbours in a proof of absence tell nothing of their rows.
func ProofSpec() *ics23.ProofSpec {
	return &ics23.ProofSpec{
		LeafSpec: leafOp(),
		InnerSpec: &ics23.InnerSpec{
			ChildOrder: []int32{0, 1}, ChildSize: 32,
			MinPrefixLength: 1, MaxPrefixLength: 1,
			Hash: ics23.HashOp_SHA256,
		},
		MaxDepth: 8 * merkle.PathSize,
	}
}

// leafOp leaves one reading of a leaf's bytes, see package merkle. The order of keys is that of the paths, not of their hashes.
func leafOp() *ics23.LeafOp {
	return &ics23.LeafOp{
		Hash:       ics23.HashOp_SHA256,
		PrehashKey: ics23.HashOp_SHA256, PrehashValue: ics23.HashOp_NO_HASH,
		Length: ics23.LengthOp_REQUIRE_32_BYTES,
		Prefix: []byte{0},
	}
}

// Path returns the 55 bytes under which a row is proven: SHA-256(collection)[:23] || SHA-256(key).
func Path(collection, key []byte) []byte {
	p := merkle.PathOf(collection, key)
	return p[:]
}

// Bounds of proofs of many rows.
const (
	MaxProofs     = 1000
	MaxCollected  = 10_000   // rows of a collection that is proven whole
	maxProofBytes = 16 << 20 // as many rows at 900 bytes each, with room; in memory a proof may take ten times its bytes
)

// ErrNothingThere answers a request for a proof from a state without any row: ICS23 proves by neighbours.
var ErrNothingThere = errors.New("state: there are no rows, and nothing can be proven by them")

// Row names a row.
type Row struct{ Collection, Key []byte }

// Prove proves a row's value, or that there is no such row, against the root of the snapshot's height.
func (s *Snapshot) Prove(collection, key []byte) (*ics23.CommitmentProof, error) {
	if err := checkRow(collection, key); err != nil {
		return nil, err
	}
	return s.at.prove(merkle.PathOf(collection, key))
}

// ProveAll proves several rows, there or not, in one batch whose proofs share their inner nodes. A row that is named twice
// is proven once.
func (s *Snapshot) ProveAll(rows []Row) (*ics23.CommitmentProof, error) {
	if len(rows) == 0 || len(rows) > MaxProofs {
		return nil, fmt.Errorf("%w: proofs of %d rows, must be 1 to %d", ErrBounds, len(rows), MaxProofs)
	}
	proofs := make([]*ics23.CommitmentProof, 0, len(rows))
	seen := make(map[merkle.Path]bool, len(rows))
	for _, r := range rows {
		if err := checkRow(r.Collection, r.Key); err != nil {
			return nil, err
		}
		path := merkle.PathOf(r.Collection, r.Key)
		if seen[path] {
			continue
		}
		seen[path] = true
		p, err := s.at.prove(path)
		if err != nil {
			return nil, err
		}
		proofs = append(proofs, p)
	}
	return ics23.CombineProofs(proofs)
}

// ProveCollection proves which rows a collection has: one batch of existence proofs, of the leaf before the collection
// (if any), of each of its rows in the order of their paths, and of the leaf behind (if any). They are
// neighbours, and so [VerifyCollection] finds a withheld row.
func (s *Snapshot) ProveCollection(collection []byte) (*ics23.CommitmentProof, error) {
	if err := checkCollection(collection); err != nil {
		return nil, err
	}
	if s.at.root.Count == 0 {
		return nil, s.at.nothing()
	}
	prefix := merkle.PrefixOf(collection)
	var low merkle.Path
	copy(low[:], prefix[:])
	var paths []merkle.Path
	count := 0
	err := merkle.Walk(&s.at, s.at.root, low, true, func(leaf *merkle.Node) bool {
		if leaf.Path != low { // which would be a row of the collection
			paths = append(paths, leaf.Path)
		}
		return leaf.Path == low
	})
	if err != nil {
		return nil, fmt.Errorf("state: prove a collection at height %d: %w", s.at.height, err)
	}
	err = merkle.Walk(&s.at, s.at.root, low, false, func(leaf *merkle.Node) bool {
		paths = append(paths, leaf.Path)
		if !bytes.HasPrefix(leaf.Path[:], prefix[:]) {
			return false
		}
		count++
		return count <= MaxCollected
	})
	if err != nil {
		return nil, fmt.Errorf("state: prove a collection at height %d: %w", s.at.height, err)
	}
	if count > MaxCollected {
		return nil, fmt.Errorf("%w: the collection has more than %d rows", ErrBounds, MaxCollected)
	}
	proofs := make([]*ics23.CommitmentProof, len(paths))
	for i, path := range paths {
		exist, err := s.at.exist(path)
		if err != nil {
			return nil, err
		}
		proofs[i] = &ics23.CommitmentProof{Proof: &ics23.CommitmentProof_Exist{Exist: exist}}
	}
	return ics23.CombineProofs(proofs)
}

func (r *reader) nothing() error {
	if r.err != nil {
		return r.err
	}
	return ErrNothingThere
}

func (r *reader) prove(path merkle.Path) (*ics23.CommitmentProof, error) {
	if r.root.Count == 0 {
		return nil, r.nothing()
	}
	_, found, err := merkle.Find(r, r.root, path)
	if err != nil {
		return nil, fmt.Errorf("state: prove at height %d: %w", r.height, err)
	}
	if found {
		exist, err := r.exist(path)
		if err != nil {
			return nil, err
		}
		return &ics23.CommitmentProof{Proof: &ics23.CommitmentProof_Exist{Exist: exist}}, nil
	}
	absent := &ics23.NonExistenceProof{Key: bytes.Clone(path[:])}
	for _, reverse := range []bool{true, false} {
		var neighbour *merkle.Node
		err := merkle.Walk(r, r.root, path, reverse, func(leaf *merkle.Node) bool { neighbour = leaf; return false })
		if err != nil {
			return nil, fmt.Errorf("state: prove at height %d: %w", r.height, err)
		}
		if neighbour == nil {
			continue
		}
		exist, err := r.exist(neighbour.Path)
		if err != nil {
			return nil, err
		}
		if reverse {
			absent.Left = exist
		} else {
			absent.Right = exist
		}
	}
	return &ics23.CommitmentProof{Proof: &ics23.CommitmentProof_Nonexist{Nonexist: absent}}, nil
}

// exist proves the leaf at a path, which must be there.
func (r *reader) exist(path merkle.Path) (*ics23.ExistenceProof, error) {
	leaf, steps, err := merkle.Steps(r, r.root, path)
	if err != nil {
		return nil, fmt.Errorf("state: prove at height %d: %w", r.height, err)
	}
	p := &ics23.ExistenceProof{
		Key: bytes.Clone(leaf.Path[:]), Value: bytes.Clone(leaf.Value[:]), Leaf: leafOp(),
		Path: make([]*ics23.InnerOp, len(steps)),
	}
	for i := range steps {
		op := &ics23.InnerOp{Hash: ics23.HashOp_SHA256}
		if steps[i].Left {
			op.Prefix = append([]byte{1}, steps[i].Sibling[:]...)
		} else {
			op.Prefix, op.Suffix = []byte{1}, bytes.Clone(steps[i].Sibling[:])
		}
		p.Path[i] = op
	}
	return p, nil
}

// VerifyCollection checks with the functions of ICS23 that a proof of [Snapshot.ProveCollection] shows a collection whole
// under a root, and returns the SHA-256 of each row's value by the row's path. Whoever has rows compares them with it: as many, and each
// equal.
func VerifyCollection(root, collection []byte, proof *ics23.CommitmentProof) (map[merkle.Path]merkle.Hash, error) {
	proof, err := decompress(proof)
	if err != nil {
		return nil, err
	}
	batch := proof.GetBatch()
	if batch == nil || len(batch.Entries) == 0 || len(batch.Entries) > MaxCollected+2 {
		return nil, fmt.Errorf("state: not a batch of 1 to %d proofs", MaxCollected+2)
	}
	spec, prefix := ProofSpec(), merkle.PrefixOf(collection)
	rows := make(map[merkle.Path]merkle.Hash, len(batch.Entries))
	leaves := make([]*ics23.ExistenceProof, len(batch.Entries))
	for i, entry := range batch.Entries {
		leaf := entry.GetExist()
		if leaf == nil || len(leaf.Key) != merkle.PathSize || len(leaf.Value) != len(merkle.Hash{}) {
			return nil, fmt.Errorf("state: proof %d is not that of a row", i)
		}
		if err := leaf.Verify(spec, root, leaf.Key, leaf.Value); err != nil {
			return nil, fmt.Errorf("state: proof %d: %w", i, err)
		}
		leaves[i] = leaf
		inside := bytes.HasPrefix(leaf.Key, prefix[:])
		if i > 0 {
			before := leaves[i-1]
			if bytes.Compare(before.Key, leaf.Key) >= 0 {
				return nil, fmt.Errorf("state: proof %d is of a path that is not above the one before", i)
			}
			if !neighbours(spec, before, leaf) {
				return nil, fmt.Errorf("state: proofs %d and %d are not of neighbours: something is left out between them", i-1, i)
			}
		}
		if inside {
			rows[merkle.Path(leaf.Key)] = merkle.Hash(leaf.Value)
		}
	}
	first, last := leaves[0], leaves[len(leaves)-1]
	low := append(bytes.Clone(prefix[:]), make([]byte, merkle.PathSize-merkle.PrefixSize)...)
	if bytes.Compare(first.Key, low) >= 0 && !ics23.IsLeftMost(spec.InnerSpec, first.Path) {
		return nil, errors.New("state: something before the collection's first row is left out")
	}
	if high := behind(prefix[:]); (high == nil || bytes.Compare(last.Key, high) < 0) && !ics23.IsRightMost(spec.InnerSpec, last.Path) {
		return nil, errors.New("state: something behind the collection's last row is left out")
	}
	return rows, nil
}

// neighbours is ics23.IsLeftNeighbor, which takes two different leaves for granted.
func neighbours(spec *ics23.ProofSpec, left, right *ics23.ExistenceProof) bool {
	for i := 1; ; i++ {
		l, r := len(left.Path)-i, len(right.Path)-i
		if l < 0 || r < 0 {
			return false
		}
		a, b := left.Path[l], right.Path[r]
		if bytes.Equal(a.Prefix, b.Prefix) && bytes.Equal(a.Suffix, b.Suffix) {
			continue
		}
		return ics23.IsLeftNeighbor(spec.InnerSpec, left.Path, right.Path)
	}
}

// decompress is ics23.Decompress for a proof from a stranger: that one panics on an index that is out of its list.
func decompress(proof *ics23.CommitmentProof) (*ics23.CommitmentProof, error) {
	if proof == nil {
		return nil, errors.New("state: no proof")
	}
	c := proof.GetCompressed()
	if c == nil {
		return proof, nil
	}
	n := int32(len(c.LookupInners))
	check := func(p *ics23.CompressedExistenceProof) error {
		if len(p.GetPath()) > 8*merkle.PathSize {
			return fmt.Errorf("state: the proof has %d steps, limit %d", len(p.GetPath()), 8*merkle.PathSize)
		}
		for _, i := range p.GetPath() {
			if i < 0 || i >= n {
				return fmt.Errorf("state: the proof names inner node %d of %d", i, n)
			}
		}
		return nil
	}
	for _, op := range c.LookupInners {
		if op == nil {
			return nil, errors.New("state: the proof lacks an inner node")
		}
	}
	for _, e := range c.Entries {
		for _, p := range []*ics23.CompressedExistenceProof{e.GetExist(), e.GetNonexist().GetLeft(), e.GetNonexist().GetRight()} {
			if err := check(p); err != nil {
				return nil, err
			}
		}
		if e.GetExist() == nil && e.GetNonexist() == nil {
			return nil, errors.New("state: the proof has an empty entry")
		}
	}
	return ics23.Decompress(proof), nil
}

// DecodeProof reads a proof's protobuf encoding.
func DecodeProof(b []byte) (*ics23.CommitmentProof, error) {
	if len(b) > maxProofBytes {
		return nil, fmt.Errorf("%w: a proof of %d bytes, limit %d", ErrBounds, len(b), maxProofBytes)
	}
	p := new(ics23.CommitmentProof)
	if err := p.Unmarshal(b); err != nil {
		return nil, fmt.Errorf("state: proof: %w", err)
	}
	return decompress(p)
}
