package peers

import (
	"bytes"

	"github.com/wardledger/ward/node/db"
)

// floor is the disk store alone: one synced batch per block. Nothing that stands
// on it can be faster.
type floor struct{ db *db.DB }

func openFloor(dir string, _ options) (store, error) {
	d, err := db.Open(dir, db.Options{})
	if err != nil {
		return nil, err
	}
	return floor{d}, nil
}

func (f floor) Write(block []row) error {
	var batch db.Batch
	for _, r := range block {
		batch.Set(r.key, r.value)
	}
	return f.db.Write(&batch, true)
}

func (f floor) Get(key []byte) ([]byte, error) { return f.db.Get(key) }

func (f floor) Scan(start []byte, n int, visit func(key, value []byte)) error {
	return f.db.Scan(start, nil, false, func(key, value []byte) bool {
		visit(bytes.Clone(key), bytes.Clone(value)) // the others' may be kept, too
		n--
		return n > 0
	})
}

func (f floor) Prove([]byte) ([]byte, error) { return nil, errNone }

func (f floor) Close() error { return f.db.Close() }
