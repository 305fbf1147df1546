package peers

import (
	"errors"

	cosmosdb "github.com/cosmos/cosmos-db"
	"github.com/cosmos/iavl"
	iavldb "github.com/cosmos/iavl/db"
	ics23 "github.com/cosmos/ics23/go"
)

// iavlNodes is how many tree nodes fit the cache, at about 400 bytes each.
const iavlNodes = cacheBytes / 400

// iavlStore is IAVL as the Cosmos SDK uses it, with the ordered copy of the
// latest rows that it calls fast storage.
type iavlStore struct {
	db   *cosmosdb.GoLevelDB
	tree *iavl.MutableTree
	keep int64
	snap *iavl.ImmutableTree // of the latest version, once something was read there
}

func openIAVL(dir string, o options) (store, error) {
	d, err := cosmosdb.NewGoLevelDBWithOpts("iavl", dir, levelDB())
	if err != nil {
		return nil, err
	}
	tree := iavl.NewMutableTree(iavldb.NewWrapper(d), iavlNodes, false, iavl.NewNopLogger(), iavl.SyncOption(o.sync))
	if _, err := tree.Load(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return &iavlStore{db: d, tree: tree, keep: int64(o.keep)}, nil
}

func (s *iavlStore) Write(block []row) error {
	s.snap = nil
	for _, r := range block {
		if _, err := s.tree.Set(r.key, r.value); err != nil {
			return err
		}
	}
	_, version, err := s.tree.SaveVersion()
	if err != nil {
		return err
	}
	if s.keep > 0 && version > s.keep {
		return s.tree.DeleteVersionsTo(version - s.keep)
	}
	return nil
}

func (s *iavlStore) latest() (*iavl.ImmutableTree, error) {
	var err error
	if s.snap == nil {
		s.snap, err = s.tree.GetImmutable(s.tree.Version())
	}
	return s.snap, err
}

func (s *iavlStore) Get(key []byte) ([]byte, error) {
	snap, err := s.latest()
	if err != nil {
		return nil, err
	}
	return snap.Get(key)
}

func (s *iavlStore) Scan(start []byte, n int, visit func(key, value []byte)) error {
	snap, err := s.latest()
	if err != nil {
		return err
	}
	it, err := snap.Iterator(start, nil, true)
	if err != nil {
		return err
	}
	for ; n > 0 && it.Valid(); n-- {
		visit(it.Key(), it.Value())
		it.Next()
	}
	return errors.Join(it.Error(), it.Close())
}

func (s *iavlStore) Prove(key []byte) ([]byte, error) {
	snap, err := s.latest()
	if err != nil {
		return nil, err
	}
	proof, err := snap.GetMembershipProof(key)
	if err != nil {
		return nil, err
	}
	return proof.Marshal()
}

func (s *iavlStore) Verify(key, value, proof []byte) error {
	var p ics23.CommitmentProof
	if err := p.Unmarshal(proof); err != nil {
		return err
	}
	if !ics23.VerifyMembership(ics23.IavlSpec, s.tree.Hash(), &p, key, value) {
		return errors.New("iavl: the proof does not hold")
	}
	return nil
}

func (s *iavlStore) Close() error { return errors.Join(s.tree.Close(), s.db.Close()) }
