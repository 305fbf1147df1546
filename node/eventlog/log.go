package eventlog

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math"
	"runtime"
	"sync"

	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
)

// MaxTxs is the largest number of transactions in one block: far more than fit in a
// block's bytes, and room above it in a cursor's 32 bits.
const MaxTxs = 1 << 24

// Block is what one committed block brought about.
type Block struct {
	Height   uint64 // from 1
	Time     int64  // unix seconds
	Hash     []byte // the engine's hash of the block
	Root     []byte // the state's root after it
	Receipts []receipt.Receipt
	Events   []receipt.Event // those that belong to no transaction, in order
}

// digest covers everything about a block that must be the same when it is appended
// again. Reason is left out: it is for people and may be worded differently by the
// binary that repeats the block after an upgrade.
func (b *Block) digest() [32]byte {
	h := sha256.New()
	var n [8]byte
	number := func(v uint64) {
		binary.BigEndian.PutUint64(n[:], v)
		h.Write(n[:])
	}
	number(uint64(len(b.Receipts)))
	for i := range b.Receipts {
		r := &b.Receipts[i]
		h.Write(r.TxID[:])
		number(uint64(r.Code))
		number(r.GasUsed)
		data := r.Data()
		number(uint64(len(data)))
		h.Write(data)
	}
	root := receipt.EventsRoot(b.Events)
	h.Write(root[:])
	return [32]byte(h.Sum(nil))
}

// Mismatch is the error for another block at a height that the log already holds. One
// of the two is not this chain's: the node must not go on.
type Mismatch struct{ Have, Got Header }

func (m *Mismatch) Error() string {
	h, g := &m.Have, &m.Got
	what := fmt.Sprintf("block %x with root %x", g.Hash, g.Root)
	if bytes.Equal(h.Hash, g.Hash) && bytes.Equal(h.Root, g.Root) {
		what = fmt.Sprintf("the same with other results: time %d and %d, digest %x and %x", h.Time, g.Time, h.digest, g.digest)
	}
	return fmt.Sprintf("event log: height %d holds block %x with root %x, refusing %s", h.Height, h.Hash, h.Root, what)
}

// Tally counts what was published since the log was opened.
type Tally struct {
	Txs    map[receipt.Code]uint64
	Events uint64
}

// Log is an open event log. Append and Raise belong to one writer; everything else may
// be called by any number of goroutines at any time.
type Log struct {
	db state.DB

	// walking has a slot for each long walk along events that runs: hundreds of readers may ask for all of history at once, and whoever
	// executes the next block would have to share a processor with each.
	walking chan struct{}

	appending sync.Mutex
	newest    uint64           // the highest height on disk, 0 if the log is empty
	unraised  map[uint64]Tally // by height, for blocks appended since Open and not yet published

	mu      sync.Mutex
	first   uint64 // the lowest height that the log holds or will hold
	height  uint64 // the highest published height
	raised  chan struct{}
	tally   Tally
	version bool // the version row is on disk
}

// Open opens the log in db, which is the log's alone and stays open until its owner
// closes it after the last use of the log. Nothing is published yet: call Raise with
// the state's height.
func Open(db state.DB) (*Log, error) {
	l := &Log{
		db:       db,
		walking:  make(chan struct{}, 2*runtime.GOMAXPROCS(0)),
		unraised: make(map[uint64]Tally),
		raised:   make(chan struct{}),
		tally:    Tally{Txs: make(map[receipt.Code]uint64)},
	}
	key := []byte{tableVersion}
	value, err := db.Get(key)
	if err != nil {
		return nil, fmt.Errorf("event log: %w", err)
	}
	if value != nil {
		payload, err := open(key, value)
		if err != nil {
			return nil, err
		}
		if len(payload) != 1 || payload[0] != formatVersion {
			return nil, fmt.Errorf("event log: format version is %x, this program knows %d", payload, formatVersion)
		}
		l.version = true
	}
	if l.first, err = l.edge(false); err != nil {
		return nil, err
	}
	if l.newest, err = l.edge(true); err != nil {
		return nil, err
	}
	return l, nil
}

// edge returns the lowest or highest height on disk, 0 if there is none.
func (l *Log) edge(highest bool) (height uint64, err error) {
	scan := l.db.Scan([]byte{tableBlock}, []byte{tableBlock + 1}, highest, func(key, _ []byte) bool {
		if len(key) != 9 {
			err = damaged(key, fmt.Errorf("key of %d bytes, must have 9", len(key)))
			return false
		}
		height = binary.BigEndian.Uint64(key[1:])
		return false
	})
	if scan != nil {
		return 0, fmt.Errorf("event log: %w", scan)
	}
	return height, err
}

// Append writes a block, durably and entirely or not at all, and publishes nothing. The
// block must follow the newest one; the first block may have any height. A block that is
// already there is left as it is and Append succeeds, so that it can be repeated after a
// crash; if what is there is different, the error is a *Mismatch. Block's slices are not
// kept.
func (l *Log) Append(b Block) error {
	l.appending.Lock()
	defer l.appending.Unlock()
	h, err := b.header()
	if err != nil {
		return fmt.Errorf("event log: height %d: %w", b.Height, err)
	}
	have, err := l.header(b.Height)
	switch {
	case err != nil:
		return err
	case have != nil && same(have, h):
		if b.Height > l.Height() { // replayed after a crash: not published, so not counted yet
			l.unraised[b.Height] = b.tally(h)
		}
		return nil
	case have != nil:
		return &Mismatch{Have: *have, Got: *h}
	}
	next := l.newest + 1
	if l.newest == 0 {
		next = b.Height
		if published := l.Height(); published != 0 { // an empty log that was raised: see Raise
			next = published + 1
		}
	}
	if b.Height != next {
		return fmt.Errorf("event log: block %d does not follow: the next is %d", b.Height, next)
	}
	batch, err := l.rows(&b, h)
	if err != nil {
		return err
	}
	if err := l.db.Write(batch, true); err != nil {
		return fmt.Errorf("event log: height %d: %w", b.Height, err)
	}
	l.newest, l.version = b.Height, true
	l.unraised[b.Height] = b.tally(h)
	l.mu.Lock()
	if l.first == 0 {
		l.first = b.Height
	}
	l.mu.Unlock()
	return nil
}

func same(a, b *Header) bool {
	return a.Time == b.Time && a.digest == b.digest && bytes.Equal(a.Hash, b.Hash) && bytes.Equal(a.Root, b.Root)
}

// header checks a block against the log's bounds and makes its row.
func (b *Block) header() (*Header, error) {
	switch {
	case b.Height == 0 || b.Height == math.MaxUint64:
		return nil, errors.New("heights start at 1 and end below 2^64-1")
	case len(b.Hash) > MaxHash || len(b.Root) > MaxHash:
		return nil, fmt.Errorf("hash of %d and root of %d bytes, limit %d", len(b.Hash), len(b.Root), MaxHash)
	case len(b.Receipts) > MaxTxs:
		return nil, fmt.Errorf("%d transactions, limit %d", len(b.Receipts), MaxTxs)
	}
	events := 0
	for i := range b.Receipts {
		n := len(b.Receipts[i].Events)
		if n > receipt.MaxEvents {
			return nil, fmt.Errorf("transaction %d has %d events, limit %d", i, n, receipt.MaxEvents)
		}
		events += n
	}
	events += len(b.Events)
	if len(b.Events) > math.MaxInt32 || uint64(events) > math.MaxUint32 {
		return nil, fmt.Errorf("%d events, limit %d", events, uint32(math.MaxUint32))
	}
	return &Header{
		Height: b.Height, Time: b.Time, Hash: bytes.Clone(b.Hash), Root: bytes.Clone(b.Root),
		Txs: uint32(len(b.Receipts)), Events: uint32(events),
		loose: uint32(len(b.Events)), digest: b.digest(),
	}, nil
}

func (b *Block) tally(h *Header) Tally {
	t := Tally{Txs: make(map[receipt.Code]uint64), Events: uint64(h.Events)}
	for i := range b.Receipts {
		t.Txs[b.Receipts[i].Code]++
	}
	return t
}

// rows makes the batch of a new block.
func (l *Log) rows(b *Block, h *Header) (*state.Batch, error) {
	batch := new(state.Batch)
	set := func(key, payload []byte) { batch.Set(key, seal(key, payload)) }
	if !l.version {
		set([]byte{tableVersion}, []byte{formatVersion})
	}
	set(blockKey(b.Height), h.encode())
	event := func(c receipt.Cursor, tx *[32]byte, e *receipt.Event) error {
		if len(e.Contract) > receipt.MaxName || len(e.Name) > receipt.MaxName {
			return fmt.Errorf("event log: event %s: contract of %d and name of %d bytes, limit %d",
				c, len(e.Contract), len(e.Name), receipt.MaxName)
		}
		set(eventKey(c), encodeEvent(b.Time, tx, *e))
		set(appendCursor(contractPrefix(e.Contract), c), nil)
		set(appendCursor(namePrefix(e.Contract, e.Name), c), nil)
		return nil
	}
	places := make(map[[32]byte]place)
	for i := range b.Receipts {
		r := &b.Receipts[i]
		at := spot{b.Height, uint32(i)}
		set(receiptKey(at.height, at.tx), encodeReceipt(r))
		for j := range r.Events {
			if err := event(receipt.Cursor{Height: b.Height, Tx: at.tx, Index: uint32(j)}, &r.TxID, &r.Events[j]); err != nil {
				return nil, err
			}
		}
		if r.TxID == ([32]byte{}) { // bytes without an id: nobody can ask for it
			continue
		}
		p, known := places[r.TxID]
		if !known {
			var err error
			if p, err = l.place(r.TxID); err != nil {
				return nil, err
			}
		}
		// The first of each kind stays: an id executes once, and a later refusal (a replay, a
		// twin with a broken signature) must not hide what was said first.
		if executed := r.Code.Executed(); executed && p.executed.height == 0 {
			p.executed = at
		} else if !executed && p.refused.height == 0 {
			p.refused = at
		} else {
			continue
		}
		places[r.TxID] = p
	}
	for id, p := range places {
		set(txKey(id), p.encode())
	}
	for j := range b.Events {
		c := receipt.Cursor{Height: b.Height, Tx: uint32(len(b.Receipts)), Index: uint32(j)}
		if err := event(c, nil, &b.Events[j]); err != nil {
			return nil, err
		}
	}
	return batch, nil
}

// Raise publishes every block up to height and wakes whoever waits on Signal. Call it
// after the state has committed that height, and once after Open with the height that the
// state then has. Raising to a published height does nothing. The log must hold the block,
// unless it is empty: a node that got its state without history (from a snapshot) raises
// the empty log to that state's height, and history begins above it.
func (l *Log) Raise(height uint64) error {
	l.appending.Lock()
	defer l.appending.Unlock()
	if height > l.newest && l.newest != 0 {
		return fmt.Errorf("event log: the state is at height %d, the log ends at %d: events are lost", height, l.newest)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first > height && l.newest != 0 && height != 0 {
		return fmt.Errorf("event log: the state is at height %d, the log begins at %d: it is another chain's, or the state's is gone", height, l.first)
	}
	if height <= l.height {
		return nil
	}
	l.height = height
	if l.first == 0 {
		l.first = height + 1
	}
	for h, t := range l.unraised {
		if h > height {
			continue
		}
		for code, n := range t.Txs {
			l.tally.Txs[code] += n
		}
		l.tally.Events += t.Events
		delete(l.unraised, h)
	}
	close(l.raised)
	l.raised = make(chan struct{})
	return nil
}

// Height returns the newest published height, 0 before the first.
func (l *Log) Height() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.height
}

// Signal returns the newest published height and a channel that is closed when there is a
// higher one. Take it before reading, so that nothing is missed in between.
func (l *Log) Signal() (height uint64, raised <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.height, l.raised
}

// First returns the lowest height whose events the log holds, or will hold once it has
// them. It is 1 on a node that was there from the beginning, and before the first block.
func (l *Log) First() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(l.first, 1)
}

// Tally returns what was published since Open, blocks that were on disk before not counted.
func (l *Log) Tally() Tally {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Tally{Txs: maps.Clone(l.tally.Txs), Events: l.tally.Events}
}

// payload reads one row; nil if there is none.
func (l *Log) payload(key []byte) ([]byte, error) {
	value, err := l.db.Get(key)
	if err != nil {
		return nil, fmt.Errorf("event log: %s: %w", rowName(key), err)
	}
	if value == nil {
		return nil, nil
	}
	return open(key, value)
}

// header reads a block's row, published or not; nil if there is none.
func (l *Log) header(height uint64) (*Header, error) {
	key := blockKey(height)
	payload, err := l.payload(key)
	if payload == nil || err != nil {
		return nil, err
	}
	h, err := decodeHeader(height, payload)
	if err != nil {
		return nil, damaged(key, err)
	}
	return h, nil
}

func (l *Log) place(id [32]byte) (place, error) {
	key := txKey(id)
	payload, err := l.payload(key)
	if payload == nil || err != nil {
		return place{}, err
	}
	p, err := decodePlace(payload)
	if err != nil {
		return place{}, damaged(key, err)
	}
	return p, nil
}

// Block returns the header of a published block, nil if the log holds none of this height.
func (l *Log) Block(height uint64) (*Header, error) {
	if height > l.Height() {
		return nil, nil
	}
	return l.header(height)
}

// Record is a receipt and its place in the chain.
type Record struct {
	Height  uint64
	Tx      uint32 // index in the block
	Time    int64  // unix seconds, the block's time
	Receipt receipt.Receipt
}

// Tx returns the published receipt of a transaction with its events, nil if there is none.
// If the id was both refused and executed, it is the execution.
func (l *Log) Tx(id [32]byte) (*Record, error) {
	published := l.Height()
	p, err := l.place(id)
	if err != nil {
		return nil, err
	}
	at := p.executed
	if at.height == 0 || at.height > published {
		at = p.refused
	}
	if at.height == 0 || at.height > published {
		return nil, nil
	}
	h, err := l.header(at.height)
	if err != nil {
		return nil, err
	}
	key := receiptKey(at.height, at.tx)
	payload, err := l.payload(key)
	if err != nil {
		return nil, err
	}
	if h == nil || payload == nil {
		return nil, damaged(key, errMissing)
	}
	r, events, err := decodeReceipt(payload)
	if err != nil {
		return nil, damaged(key, err)
	}
	if r.TxID != id {
		return nil, damaged(key, fmt.Errorf("it is of transaction %s, not %s", hex.EncodeToString(r.TxID[:]), hex.EncodeToString(id[:])))
	}
	rec := &Record{Height: at.height, Tx: at.tx, Time: h.Time, Receipt: r}
	from, to := receipt.Cursor{Height: at.height, Tx: at.tx}, receipt.Cursor{Height: at.height, Tx: at.tx + 1}
	err = l.scan(eventKey(from), eventKey(to), false, func(key, value []byte) (bool, error) {
		e, err := l.entry(key, value)
		if err != nil {
			return false, err
		}
		rec.Receipt.Events = append(rec.Receipt.Events, e.Event)
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	if n := len(rec.Receipt.Events); uint32(n) != events {
		return nil, damaged(key, fmt.Errorf("%d of its %d events are there", n, events))
	}
	return rec, nil
}

// Receipts returns up to limit receipts of a published block, beginning with the
// transaction at index from, without their events and what they returned; none if the log does not hold the block. Those beyond
// the first MaxScanBytes are left for the next call.
func (l *Log) Receipts(height uint64, from uint32, limit int) ([]Record, error) {
	h, err := l.Block(height)
	if h == nil || err != nil || from >= h.Txs || limit <= 0 {
		return nil, err
	}
	to := uint32(min(uint64(from)+uint64(limit), uint64(h.Txs)))
	var records []Record
	size := 0
	err = l.scan(receiptKey(height, from), receiptKey(height, to), false, func(key, value []byte) (bool, error) {
		payload, err := open(key, value)
		if err != nil {
			return false, err
		}
		r, _, err := decodeReceipt(payload)
		if err != nil {
			return false, damaged(key, err)
		}
		at := from + uint32(len(records))
		if want := receiptKey(height, at); !bytes.Equal(key, want) {
			return false, damaged(want, errMissing)
		}
		r.Return = nil // a thousand of them would be 64 MiB, for a list that shows none
		records = append(records, Record{Height: height, Tx: at, Time: h.Time, Receipt: r})
		if size += len(value); size >= MaxScanBytes {
			to = at + 1
		}
		return at+1 < to, nil
	})
	if err != nil {
		return nil, err
	}
	if at := from + uint32(len(records)); at != to {
		return nil, damaged(receiptKey(height, at), errMissing)
	}
	return records, nil
}

// scan is the database's with a visitor that can fail.
func (l *Log) scan(start, end []byte, reverse bool, visit func(key, value []byte) (bool, error)) error {
	var failed error
	err := l.db.Scan(start, end, reverse, func(key, value []byte) bool {
		var more bool
		more, failed = visit(key, value)
		return more && failed == nil
	})
	if failed != nil {
		return failed
	}
	if err != nil {
		return fmt.Errorf("event log: %w", err)
	}
	return nil
}
