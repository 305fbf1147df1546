package sdk

import (
	"iter"
	"strconv"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/sdk/wire"
)

// Bounds of a page.
const (
	// DefaultPage is how many rows a page has if nobody says.
	DefaultPage = 20
	// MaxPage is the most rows of a page, so that one view can't read a whole
	// chain and a result stays below 64 KiB for rows of ordinary size.
	MaxPage = 100
)

// rowsAtOnce is how many rows a walk asks the host for at a time.
const rowsAtOnce = 32

// itemKey is the one key in the collection of an item.
var itemKey = []byte{0}

// collect takes a name for rows. An item or map has a collection to itself, so keys
// of two of them can't collide.
func collect(name string) string {
	if !abi.ValidCollection(name) {
		panic("sdk: " + strconv.Quote(name) + " is not a collection's name")
	}
	for _, other := range declared.collections {
		if other == name {
			panic("sdk: the collection " + name + " is declared twice")
		}
	}
	declared.collections = append(declared.collections, name)
	return name
}

// An Item is one stored value.
type Item[T any] struct {
	collection string
	value      wire.Codec[T]
}

// NewItem declares an item, as a package variable. It lies in the collection of its name
// under the key 00.
func NewItem[T any](name string) Item[T] { return Item[T]{collect(name), wire.New[T]()} }

// Get returns the value; ok is false if there is none, and the value then zero.
func (i Item[T]) Get(_ *Ctx) (value T, ok bool) {
	b, ok := get(i.collection, itemKey)
	if !ok {
		return value, false
	}
	return readRow(i.collection, i.value, b), true
}

// Set stores the value.
func (i Item[T]) Set(_ *Ctx, value T) {
	set(i.collection, itemKey, writeRow(i.collection, i.value, value))
}

// Delete removes the value and reports whether there was one.
func (i Item[T]) Delete(_ *Ctx) bool { return remove(i.collection, itemKey) }

// A Map is stored rows with keys, in the order of the keys (wire.Key). The bytes of a
// key are at most 256, or the call traps: bound the texts that go into one.
type Map[K, V any] struct {
	collection string
	key        wire.Key[K]
	value      wire.Codec[V]
}

// NewMap declares a map, as a package variable. For an index, V is [None].
func NewMap[K, V any](name string) Map[K, V] {
	return Map[K, V]{collect(name), wire.NewKey[K](), wire.New[V]()}
}

// Get returns a row's value; ok is false if there is no such row, and the value then zero.
func (m Map[K, V]) Get(_ *Ctx, key K) (value V, ok bool) {
	b, ok := get(m.collection, m.key.Append(nil, key))
	if !ok {
		return value, false
	}
	return readRow(m.collection, m.value, b), true
}

// Has reports whether there is such a row.
func (m Map[K, V]) Has(_ *Ctx, key K) bool {
	_, ok := get(m.collection, m.key.Append(nil, key))
	return ok
}

// Set stores a row.
func (m Map[K, V]) Set(_ *Ctx, key K, value V) {
	set(m.collection, m.key.Append(nil, key), writeRow(m.collection, m.value, value))
}

// Delete removes a row and reports whether there was one.
func (m Map[K, V]) Delete(_ *Ctx, key K) bool {
	return remove(m.collection, m.key.Append(nil, key))
}

// All is every row.
func (m Map[K, V]) All() Rows[K, V] { return Rows[K, V]{m: m} }

// A Prefix finds the rows of a map by the first parts of their keys.
type Prefix[P, K, V any] struct {
	m     Map[K, V]
	parts wire.Key[P]
}

// By declares a way to find rows by the first parts of their keys, as a package variable:
// P is the type of the first field of K, or a struct of its first few.
func By[P, K, V any](m Map[K, V]) Prefix[P, K, V] {
	parts := wire.NewKey[P]()
	if !wire.Begins(parts, m.key) {
		panic("sdk: the keys of " + m.collection + " do not start with the parts to find rows by")
	}
	return Prefix[P, K, V]{m, parts}
}

// Rows is the rows whose keys start with these parts.
func (p Prefix[P, K, V]) Rows(parts P) Rows[K, V] {
	prefix := p.parts.Append(nil, parts)
	return Rows[K, V]{m: p.m, prefix: prefix, start: prefix, end: wire.After(prefix)}
}

// From is r without the rows whose keys lie before these parts.
func (p Prefix[P, K, V]) From(r Rows[K, V], parts P) Rows[K, V] {
	if start := p.parts.Append(nil, parts); string(start) > string(r.start) {
		r.start = start
	}
	return r
}

// Until is r without the rows whose keys start with these parts or lie behind them.
func (p Prefix[P, K, V]) Until(r Rows[K, V], parts P) Rows[K, V] {
	if end := p.parts.Append(nil, parts); r.end == nil || string(end) < string(r.end) {
		r.end = end
	}
	return r
}

// Rows is a part of a map, in the order of the keys.
type Rows[K, V any] struct {
	m                  Map[K, V]
	prefix, start, end []byte // prefix is what all keys of the part have in common
	reverse            bool
}

// A Row is one row of a map.
type Row[K, V any] struct {
	Key   K
	Value V
}

// Reverse is the same rows, last first.
func (r Rows[K, V]) Reverse() Rows[K, V] {
	r.reverse = !r.reverse
	return r
}

// Each walks over the rows. They may be as many as there are, so break off at a bound. A row
// that the contract writes or deletes meanwhile may come as it was before.
func (r Rows[K, V]) Each(_ *Ctx) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		w := r.walk(nil, rowsAtOnce)
		for {
			key, value, ok := w.next()
			if !ok {
				return
			}
			row := r.row(key, value)
			if !yield(row.Key, row.Value) {
				return
			}
		}
	}
}

// Page returns a page of rows for a view. Limit is how many at most: 0 is DefaultPage,
// and more than MaxPage is MaxPage. After says where the last page ended, nil is the
// start; next is what to give for the page after this one, nil if this was the last.
func (r Rows[K, V]) Page(_ *Ctx, after []byte, limit uint32) (rows []Row[K, V], next []byte) {
	if limit == 0 {
		limit = DefaultPage
	}
	limit = min(limit, MaxPage)
	if len(r.prefix)+len(after) > abi.MaxKey {
		stop(abi.FailBadArguments, "after: "+strconv.Itoa(len(after))+" bytes are not a place in a list")
	}
	w := r.walk(after, limit+1)
	for {
		key, value, ok := w.next()
		if !ok {
			return rows, nil
		}
		if len(rows) == int(limit) {
			return rows, next
		}
		rows = append(rows, r.row(key, value))
		next = append([]byte(nil), key[len(r.prefix):]...)
	}
}

func (r Rows[K, V]) walk(after []byte, batch uint32) *walk {
	w := &walk{collection: r.m.collection, start: r.start, end: r.end, reverse: r.reverse, batch: batch}
	if after == nil {
		return w
	}
	place := append(append([]byte(nil), r.prefix...), after...)
	if r.reverse {
		if w.end == nil || string(place) < string(w.end) {
			w.end = place
		}
	} else if place = append(place, 0); string(place) > string(w.start) {
		w.start = place
	}
	return w
}

func (r Rows[K, V]) row(key, value []byte) Row[K, V] {
	k, err := r.m.key.Decode(key)
	if err != nil {
		panic("sdk: a key of " + r.m.collection + " can't be read: " + err.Error())
	}
	return Row[K, V]{k, readRow(r.m.collection, r.m.value, value)}
}

// readRow decodes a stored value. Only this contract wrote it, so if it can't, the
// type has changed under rows that exist: add fields as optional ones.
func readRow[T any](collection string, codec wire.Codec[T], b []byte) T {
	v, err := codec.Decode(b)
	if err != nil {
		panic("sdk: a row of " + collection + " can't be read: " + err.Error())
	}
	return v
}

func writeRow[T any](collection string, codec wire.Codec[T], v T) []byte {
	b, err := codec.Append(nil, v)
	if err != nil {
		panic("sdk: a row of " + collection + " can't be written: " + err.Error())
	}
	return b
}
