package peers

import (
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

// prover is what a snapshot with proofs can do.
type prover interface {
	Prove(collection, key []byte) (*ics23.CommitmentProof, error)
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
	return stage.Commit()
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
	p, ok := any(snap).(prover)
	if !ok {
		return nil, errNone
	}
	c, k := split(key)
	proof, err := p.Prove(c, k)
	if err != nil {
		return nil, err
	}
	return proof.Marshal()
}

func (w *ward) Close() error {
	w.release()
	return errors.Join(w.closeState(), w.db.Close())
}

// closeState closes the state if it is of the kind that wants that.
func (w *ward) closeState() error {
	if c, ok := any(w.state).(interface{ Close() error }); ok {
		return c.Close()
	}
	return nil
}
