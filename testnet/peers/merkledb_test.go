package peers

import (
	"bytes"
	"context"
	"errors"

	"github.com/ava-labs/avalanchego/database"
	pb "github.com/ava-labs/avalanchego/proto/pb/sync"
	"github.com/ava-labs/avalanchego/utils/maybe"
	"github.com/ava-labs/avalanchego/x/merkledb"
	"github.com/syndtr/goleveldb/leveldb"
	"github.com/syndtr/goleveldb/leveldb/iterator"
	"github.com/syndtr/goleveldb/leveldb/opt"
	"github.com/syndtr/goleveldb/leveldb/util"
	"google.golang.org/protobuf/proto"
)

// merkleStore is merkledb with its defaults but for caches and buffer. Its last
// 300 heights are in memory only, and there for proofs of changes.
type merkleStore struct {
	base avalancheDB
	tree merkledb.MerkleDB
}

func openMerkleDB(dir string, o options) (store, error) {
	d, err := leveldb.OpenFile(dir, levelDB())
	if err != nil {
		return nil, err
	}
	base := avalancheDB{d, &opt.WriteOptions{Sync: o.sync}}
	c := merkledb.NewConfig()
	c.ValueNodeCacheSize = cacheBytes / 4
	c.IntermediateNodeCacheSize = cacheBytes - cacheBytes/4
	// By default 1 KiB and 256 KiB, with which every inner node is written in its
	// block; with these only what stays changed for a while, in half the time.
	c.IntermediateWriteBufferSize = 32 << 20
	c.IntermediateWriteBatchSize = 4 << 20
	tree, err := merkledb.New(context.Background(), base, c)
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return &merkleStore{base: base, tree: tree}, nil
}

func (s *merkleStore) Write(block []row) error {
	changes := merkledb.ViewChanges{BatchOps: make([]database.BatchOp, len(block)), ConsumeBytes: true}
	for i, r := range block {
		changes.BatchOps[i] = database.BatchOp{Key: r.key, Value: r.value}
	}
	view, err := s.tree.NewView(context.Background(), changes)
	if err != nil {
		return err
	}
	return view.CommitToDB(context.Background())
}

func (s *merkleStore) Get(key []byte) ([]byte, error) {
	value, err := s.tree.Get(key)
	if errors.Is(err, database.ErrNotFound) {
		return nil, nil
	}
	return value, err
}

func (s *merkleStore) Scan(start []byte, n int, visit func(key, value []byte)) error {
	it := s.tree.NewIteratorWithStart(start)
	defer it.Release()
	for ; n > 0 && it.Next(); n-- {
		visit(it.Key(), it.Value())
	}
	return it.Error()
}

func (s *merkleStore) Prove(key []byte) ([]byte, error) {
	proof, err := s.tree.GetProof(context.Background(), key)
	if err != nil {
		return nil, err
	}
	return proto.Marshal(proof.ToProto())
}

func (s *merkleStore) Verify(key, value, proof []byte) error {
	root, err := s.tree.GetMerkleRoot(context.Background())
	if err != nil {
		return err
	}
	var message pb.Proof
	if err := proto.Unmarshal(proof, &message); err != nil {
		return err
	}
	var p merkledb.Proof
	if err := p.UnmarshalProto(&message); err != nil {
		return err
	}
	if p.Key != merkledb.ToKey(key) || !maybe.Equal(p.Value, maybe.Some(value), bytes.Equal) {
		return errors.New("merkledb: the proof is of another row")
	}
	size := merkledb.BranchFactorToTokenSize[merkledb.BranchFactor16]
	return p.Verify(context.Background(), root, size, merkledb.DefaultHasher)
}

func (s *merkleStore) Close() error { return errors.Join(s.tree.Close(), s.base.Close()) }

// avalancheDB is goleveldb as Avalanche wants it. Avalanche's own adapter takes
// neither the options of node/db nor a sync.
type avalancheDB struct {
	ldb   *leveldb.DB
	write *opt.WriteOptions
}

var _ database.Database = avalancheDB{}

func (d avalancheDB) Has(key []byte) (bool, error) { return d.ldb.Has(key, nil) }

func (d avalancheDB) Get(key []byte) ([]byte, error) {
	value, err := d.ldb.Get(key, nil)
	if errors.Is(err, leveldb.ErrNotFound) {
		err = database.ErrNotFound
	}
	return value, err
}

func (d avalancheDB) Put(key, value []byte) error { return d.ldb.Put(key, value, d.write) }
func (d avalancheDB) Delete(key []byte) error     { return d.ldb.Delete(key, d.write) }

func (d avalancheDB) Compact(start, limit []byte) error {
	return d.ldb.CompactRange(util.Range{Start: start, Limit: limit})
}

func (d avalancheDB) HealthCheck(context.Context) (any, error) { return nil, nil }
func (d avalancheDB) Close() error                             { return d.ldb.Close() }

func (d avalancheDB) NewIterator() database.Iterator { return d.scan(&util.Range{}) }

func (d avalancheDB) NewIteratorWithStart(start []byte) database.Iterator {
	return d.scan(&util.Range{Start: start})
}

func (d avalancheDB) NewIteratorWithPrefix(prefix []byte) database.Iterator {
	return d.scan(util.BytesPrefix(prefix))
}

func (d avalancheDB) NewIteratorWithStartAndPrefix(start, prefix []byte) database.Iterator {
	r := util.BytesPrefix(prefix)
	if bytes.Compare(start, prefix) > 0 {
		r.Start = start
	}
	return d.scan(r)
}

func (d avalancheDB) scan(r *util.Range) database.Iterator {
	return avalancheIterator{d.ldb.NewIterator(r, nil)}
}

// avalancheIterator hands out copies: Avalanche keeps what it is given.
type avalancheIterator struct{ iterator.Iterator }

func (i avalancheIterator) Key() []byte   { return bytes.Clone(i.Iterator.Key()) }
func (i avalancheIterator) Value() []byte { return bytes.Clone(i.Iterator.Value()) }

func (d avalancheDB) NewBatch() database.Batch { return &avalancheBatch{db: d} }

type avalancheBatch struct {
	leveldb.Batch
	db   avalancheDB
	size int
}

func (b *avalancheBatch) Put(key, value []byte) error {
	b.Batch.Put(key, value)
	b.size += len(key) + len(value)
	return nil
}

func (b *avalancheBatch) Delete(key []byte) error {
	b.Batch.Delete(key)
	b.size += len(key)
	return nil
}

func (b *avalancheBatch) Size() int             { return b.size }
func (b *avalancheBatch) Write() error          { return b.db.ldb.Write(&b.Batch, b.db.write) }
func (b *avalancheBatch) Reset()                { b.Batch.Reset(); b.size = 0 }
func (b *avalancheBatch) Inner() database.Batch { return b }

func (b *avalancheBatch) Replay(w database.KeyValueWriterDeleter) error {
	r := &replay{to: w}
	return errors.Join(b.Batch.Replay(r), r.err)
}

// replay keeps the first error, for which goleveldb has no place.
type replay struct {
	to  database.KeyValueWriterDeleter
	err error
}

func (r *replay) Put(key, value []byte) {
	if r.err == nil {
		r.err = r.to.Put(key, value)
	}
}

func (r *replay) Delete(key []byte) {
	if r.err == nil {
		r.err = r.to.Delete(key)
	}
}
