package peers

import (
	"crypto/sha256"
	"errors"

	ics23 "github.com/cosmos/ics23/go"

	"github.com/wardledger/ward/node/db"
	"github.com/wardledger/ward/runtime/state"
)

// ward is runtime/state as a node uses it. The first 8 bytes of a key are the
// collection.
type ward struct {
	db    *db.DB
	state *state.State
	snap  *state.Snapshot // of the latest height, once something was read there
}

func openWard(dir string, o options) (store, error) {
	d, err := db.Open(dir, db.Options{})
	if err != nil {
		return nil, err
	}
	keep := uint64(o.keep)
	if keep == 0 {
		keep = 1_000_000 // more than any run writes
	}
	s, err := state.Open(d, state.Options{Keep: keep})
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return &ward{db: d, state: s}, nil
}

func split(key []byte) (collection, rest []byte) { return key[:prefixLen], key[prefixLen:] }

func (w *ward) Write(block []row) error {
	w.release() // or nothing would be pruned
	o := w.state.Overlay()
	for _, r := range block {
		c, k := split(r.key)
		if err := o.Set(c, k, r.value); err != nil {
			return err
		}
	}
	stage, err := o.Stage(w.state.Height() + 1)
	if err != nil {
		return err
	}
	if err := stage.Commit(); err != nil {
		return err
	}
	_, err = w.state.Prune(2) // nothing, unless fewer heights are to be kept
	return err
}

func (w *ward) latest() (*state.Snapshot, error) {
	var err error
	if w.snap == nil {
		w.snap, err = w.state.At(0)
	}
	return w.snap, err
}

func (w *ward) release() {
	if w.snap != nil {
		w.snap.Close()
		w.snap = nil
	}
}

func (w *ward) Get(key []byte) ([]byte, error) {
	snap, err := w.latest()
	if err != nil {
		return nil, err
	}
	c, k := split(key)
	return snap.Get(c, k)
}

func (w *ward) Scan(start []byte, n int, visit func(key, value []byte)) error {
	snap, err := w.latest()
	if err != nil {
		return err
	}
	c, k := split(start)
	return snap.Scan(c, k, nil, false, func(key, value []byte) bool {
		visit(key, value)
		n--
		return n > 0
	})
}

func (w *ward) Prove(key []byte) ([]byte, error) {
	snap, err := w.latest()
	if err != nil {
		return nil, err
	}
	c, k := split(key)
	proof, err := snap.Prove(c, k)
	if err != nil {
		return nil, err
	}
	return proof.Marshal()
}

func (w *ward) Verify(key, value, proof []byte) error {
	p, err := state.DecodeProof(proof)
	if err != nil {
		return err
	}
	c, k := split(key)
	hash := sha256.Sum256(value)
	if !ics23.VerifyMembership(state.ProofSpec(), w.state.Root(), p, state.Path(c, k), hash[:]) {
		return errors.New("not proven")
	}
	return nil
}

func (w *ward) Close() error {
	w.release()
	return w.db.Close()
}
