package db

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/syndtr/goleveldb/leveldb"
	"github.com/syndtr/goleveldb/leveldb/filter"
	"github.com/syndtr/goleveldb/leveldb/opt"
	"github.com/syndtr/goleveldb/leveldb/storage"
	"github.com/syndtr/goleveldb/leveldb/util"

	"github.com/wardledger/ward/runtime/state"
)

// Options are the choices of whoever opens a DB. The zero value is the default
// of each.
type Options struct {
	// CacheMiB is the memory for blocks of tables, in MiB. Default 128: the rows
	// of half a million grants with their index.
	CacheMiB int

	// BufferMiB is how much is gathered in memory, and in one journal, before it
	// is sorted into a table, in MiB; up to two are held. Default 32: ten full
	// blocks. It also bounds what Open has to replay, which is half a second.
	BufferMiB int

	// Compress has blocks compressed (Snappy): for rows with text in them. Rows of
	// the state are mostly hashes, of which nothing is saved.
	Compress bool

	// ReadOnly leaves every file as it is: for who looks whether a folder is sound. The folder must exist.
	ReadOnly bool
}

const (
	defaultCacheMiB  = 128
	defaultBufferMiB = 32

	// maxMiB bounds either option: 64 GiB is more than a mistake of units leaves
	// plausible.
	maxMiB = 64 << 10

	// blockSize is half of the default, in bytes: most reads want one row, and pay
	// for the block. A get takes a sixth less, a write of the state too.
	blockSize = 2 << 10

	// bloomBits per key keep a look for an absent row from reading a block in 99
	// of 100 tables.
	bloomBits = 10
)

// Validate says which option is out of its range.
func (o Options) Validate() error {
	if o.CacheMiB < 0 || o.CacheMiB > maxMiB {
		return fmt.Errorf("db: cache is %d MiB, must be 0 to %d", o.CacheMiB, maxMiB)
	}
	if o.BufferMiB < 0 || o.BufferMiB > maxMiB {
		return fmt.Errorf("db: buffer is %d MiB, must be 0 to %d", o.BufferMiB, maxMiB)
	}
	return nil
}

var (
	// ErrClosed answers every use after Close.
	ErrClosed = errors.New("db: closed")

	// ErrInUse says that another process, or another DB of this one, has the
	// folder open.
	ErrInUse = errors.New("db: folder is in use")

	// ErrCorrupt says that the folder holds something that was never written, or
	// lacks what was.
	ErrCorrupt = errors.New("db: corrupt")
)

// DB is a folder of ordered rows. Its methods may be called from several
// goroutines at once; writes take turns.
type DB struct {
	dir  string
	file storage.Storage
	ldb  *leveldb.DB

	mu     sync.Mutex // guards what follows and is held while writing
	failed error      // the first failed write
	closed bool
}

var _ state.DB = (*DB)(nil)

// Batch is an ordered list of writes; see [state.Batch].
type Batch = state.Batch

// Open returns the rows in dir, which is made if it does not exist. The caller
// closes the DB. The error is ErrInUse or ErrCorrupt where that is the reason.
func Open(dir string, o Options) (*DB, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.CacheMiB == 0 {
		o.CacheMiB = defaultCacheMiB
	}
	if o.BufferMiB == 0 {
		o.BufferMiB = defaultBufferMiB
	}
	file, err := storage.OpenFile(dir, o.ReadOnly)
	if err != nil {
		if locked(err) {
			return nil, fmt.Errorf("%w: %q: %w", ErrInUse, dir, err)
		}
		return nil, fmt.Errorf("db: open %q: %w", dir, err)
	}
	ldb, err := open(file, o)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("db: open %q: %w", dir, wrap(err))
	}
	return &DB{dir: dir, file: file, ldb: ldb}, nil
}

func open(file storage.Storage, o Options) (*leveldb.DB, error) {
	if err := checkJournals(file); err != nil {
		return nil, err
	}
	compression := opt.NoCompression
	if o.Compress {
		compression = opt.SnappyCompression
	}
	return leveldb.Open(file, &opt.Options{
		ReadOnly:           o.ReadOnly,
		Compression:        compression,
		BlockSize:          blockSize,
		BlockCacheCapacity: o.CacheMiB << 20,
		WriteBuffer:        o.BufferMiB << 20,
		Filter:             filter.NewBloomFilter(bloomBits),
		// A batch larger than the buffer would otherwise go by another way, which
		// keeps the write lock for ever if it fails at its end.
		DisableLargeBatchTransaction: true,
		// Two writes at once would share one record, and one fate.
		NoWriteMerge: true,
		// The default, said aloud: checksums are compared whenever a block is
		// read. Without StrictJournal, because a half record at a journal's end is
		// no damage; checkJournals has looked at the rest.
		Strict: opt.StrictJournalChecksum | opt.StrictBlockChecksum | opt.StrictCompaction | opt.StrictReader,
	})
}

// wrap gives LevelDB's errors the names of this package.
func wrap(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, leveldb.ErrClosed), errors.Is(err, leveldb.ErrIterReleased), errors.Is(err, leveldb.ErrSnapshotReleased):
		return ErrClosed
	case leveldbCorrupt(err):
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return err
}

// Dir returns the folder.
func (d *DB) Dir() string { return filepath.Clean(d.dir) }

// Get implements [state.DB].
func (d *DB) Get(key []byte) ([]byte, error) { return get(d.ldb, key) }

// Scan implements [state.DB].
func (d *DB) Scan(start, end []byte, reverse bool, visit func(key, value []byte) bool) error {
	return scan(d.ldb, start, end, reverse, visit)
}

// View implements [state.DB]. Close ends it.
func (d *DB) View() state.View {
	snapshot, err := d.ldb.GetSnapshot()
	if err != nil {
		return failedView{wrap(err)}
	}
	return view{snapshot}
}

type view struct{ *leveldb.Snapshot }

func (v view) Get(key []byte) ([]byte, error) { return get(v.Snapshot, key) }

func (v view) Scan(start, end []byte, reverse bool, visit func(key, value []byte) bool) error {
	return scan(v.Snapshot, start, end, reverse, visit)
}

// failedView is the view of a folder that is closed.
type failedView struct{ err error }

func (v failedView) Get([]byte) ([]byte, error)                                     { return nil, v.err }
func (v failedView) Scan(_, _ []byte, _ bool, _ func(key, value []byte) bool) error { return v.err }
func (v failedView) Release()                                                       {}

func get(r leveldb.Reader, key []byte) ([]byte, error) {
	value, err := r.Get(key, nil)
	if errors.Is(err, leveldb.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("db: get %x: %w", key, wrap(err))
	}
	return value, nil
}

func scan(r leveldb.Reader, start, end []byte, reverse bool, visit func(key, value []byte) bool) error {
	if end != nil && bytes.Compare(start, end) >= 0 {
		return nil // goleveldb panics on a range that ends before it starts, once there are tables
	}
	it := r.NewIterator(&util.Range{Start: start, Limit: end}, nil)
	defer it.Release()
	first, next := it.First, it.Next
	if reverse {
		first, next = it.Last, it.Prev
	}
	for ok := first(); ok; ok = next() {
		if !visit(it.Key(), it.Value()) {
			return nil
		}
	}
	if err := it.Error(); err != nil {
		return fmt.Errorf("db: scan from %x to %x: %w", start, end, wrap(err))
	}
	return nil
}

// Write implements [state.DB]. After a write that failed all later ones fail
// with the same error.
func (d *DB) Write(b *Batch, sync bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return ErrClosed
	}
	if d.failed != nil {
		return fmt.Errorf("db: an earlier write failed, open the folder again: %w", d.failed)
	}
	batch := leveldb.MakeBatch(b.Size() + 16*b.Len()) // the sizes and kinds of each row with it
	b.Each(func(key, value []byte) {
		if value == nil {
			batch.Delete(key)
		} else {
			batch.Put(key, value)
		}
	})
	if err := d.ldb.Write(batch, &opt.WriteOptions{Sync: sync}); err != nil {
		d.failed = wrap(err)
		return fmt.Errorf("db: write %d rows of %d bytes: %w", b.Len(), b.Size(), d.failed)
	}
	return nil
}

// Stats is what the folder takes.
type Stats struct {
	DiskBytes   int64 // of all tables
	MemoryBytes int64 // of block cache and open iterators' blocks
	Tables      int
}

// Stats returns the present sizes.
func (d *DB) Stats() (Stats, error) {
	var s leveldb.DBStats
	if err := d.ldb.Stats(&s); err != nil {
		return Stats{}, fmt.Errorf("db: stats: %w", wrap(err))
	}
	out := Stats{MemoryBytes: int64(s.BlockCacheSize)}
	for i, size := range s.LevelSizes {
		out.DiskBytes += size
		out.Tables += s.LevelTablesCounts[i]
	}
	return out, nil
}

// Close lets the folder go. It waits for a running write; scans that are still
// running end with ErrClosed. It may be called more than once.
func (d *DB) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	err := d.ldb.Close()
	if ferr := d.file.Close(); err == nil {
		err = ferr
	}
	if err != nil {
		return fmt.Errorf("db: close %q: %w", d.dir, wrap(err))
	}
	return nil
}
