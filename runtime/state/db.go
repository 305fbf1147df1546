package state

// Reader reads ordered rows. Its methods may be called from several goroutines at once.
type Reader interface {
	// Get returns the value under key, or nil if there is none; a present but
	// empty value is not nil. Neither side may modify the result afterwards.
	Get(key []byte) ([]byte, error)

	// Scan visits the rows with start <= key < end in ascending order of their
	// keys, or in descending order if reverse is set, until visit returns false.
	// A nil start is the first row, a nil end is past the last. The visit sees
	// one moment: writes that happen meanwhile, its own included, do not show.
	// Key and value are valid only until visit returns.
	Scan(start, end []byte, reverse bool, visit func(key, value []byte) bool) error
}

// View reads the rows of one moment, whatever is written later.
type View interface {
	Reader

	// Release lets the storage forget what only the view still sees. A read
	// after it fails, or still answers from that moment.
	Release()
}

// DB is the ordered storage that a State owns. Nobody else may write to it.
// All methods may be called from several goroutines at once.
type DB interface {
	Reader

	// Write applies the batch in its order, entirely or not at all, also if the
	// process dies meanwhile. With sync it returns only when the batch would
	// survive a power cut, and so would every batch before it. After an error
	// the batch may or may not be there; a repetition must be harmless.
	Write(b *Batch, sync bool) error

	// View returns a view of this moment. It costs little, and what it fails
	// with its reads say.
	View() View
}

// Batch is an ordered list of writes for [DB.Write]. The zero Batch is empty and
// ready for use.
type Batch struct {
	ops  []op
	size int
}

type op struct {
	key   []byte
	value []byte // nil deletes
}

// Set adds the write of a row. The batch keeps both slices: they must not be
// modified until it has been written.
func (b *Batch) Set(key, value []byte) {
	if value == nil {
		value = []byte{}
	}
	b.ops = append(b.ops, op{key, value})
	b.size += len(key) + len(value)
}

// Delete adds the deletion of a row, which need not exist.
func (b *Batch) Delete(key []byte) {
	b.ops = append(b.ops, op{key, nil})
	b.size += len(key)
}

// Len returns the number of writes.
func (b *Batch) Len() int { return len(b.ops) }

// Size returns the bytes of all keys and values.
func (b *Batch) Size() int { return b.size }

// Each visits the writes in their order; a nil value deletes.
func (b *Batch) Each(visit func(key, value []byte)) {
	for _, o := range b.ops {
		visit(o.key, o.value)
	}
}

// fork returns a batch that starts with the writes of b and leaves b alone.
func (b *Batch) fork() *Batch { return &Batch{ops: b.ops[:len(b.ops):len(b.ops)], size: b.size} }

// append puts the writes of other behind those of b.
func (b *Batch) append(other *Batch) {
	b.ops = append(b.ops, other.ops...)
	b.size += other.size
}
