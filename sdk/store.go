package sdk

import (
	"iter"
	"reflect"
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

// A table is the rows of one collection. Everything about items and maps that needs no
// types is here: what needs them is compiled anew for each.
type table struct {
	collection string
	key        *wire.KeyPlan // nil: of an item
	value      *wire.Plan
}

// newTable takes a name for rows. An item or map has a collection to itself, so keys
// of two of them can't collide.
func newTable(name string, key, value reflect.Type) *table {
	if !abi.ValidCollection(name) {
		panic("sdk: " + strconv.Quote(name) + " is not a collection's name")
	}
	for _, other := range declared.collections {
		if other == name {
			panic("sdk: the collection " + name + " is declared twice")
		}
	}
	declared.collections = append(declared.collections, name)
	t := &table{collection: name, value: wire.NewPlan(value)}
	if key != nil {
		t.key = wire.NewKeyPlan(key)
	}
	return t
}

func (t *table) keyOf(key any) []byte {
	if t.key == nil {
		return itemKey
	}
	return t.key.Append(nil, key)
}

func (t *table) get(key, value any) bool {
	b, ok := get(t.collection, t.keyOf(key))
	if ok {
		t.read(b, value)
	}
	return ok
}

// read decodes a stored value. Only this contract wrote it, so if it can't, the type
// has changed under rows that exist: add fields as optional ones.
func (t *table) read(b []byte, value any) {
	if err := t.value.Decode(b, value); err != nil {
		panic("sdk: a row of " + t.collection + " can't be read: " + err.Error())
	}
}

func (t *table) set(key, value any) {
	b, err := t.value.Append(nil, value)
	if err != nil {
		panic("sdk: a row of " + t.collection + " can't be written: " + err.Error())
	}
	set(t.collection, t.keyOf(key), b)
}

func (t *table) has(key any) bool {
	return exists(t.collection, t.keyOf(key))
}

func (t *table) remove(key any) bool { return remove(t.collection, t.keyOf(key)) }

// An Item is one stored value.
type Item[T any] struct{ t *table }

// NewItem declares an item, as a package variable. It lies in the collection of its name
// under the key 00.
func NewItem[T any](name string) Item[T] { return Item[T]{newTable(name, nil, reflect.TypeFor[T]())} }

// Get returns the value; ok is false if there is none, and the value then zero.
func (i Item[T]) Get(_ *Ctx) (value T, ok bool) {
	ok = i.t.get(nil, &value)
	return value, ok
}

// Set stores the value.
func (i Item[T]) Set(_ *Ctx, value T) { i.t.set(nil, &value) }

// Delete removes the value and reports whether there was one.
func (i Item[T]) Delete(_ *Ctx) bool { return i.t.remove(nil) }

// A Map is stored rows with keys, in the order of the keys (wire.Key). The bytes of a
// key are at most 256, or the call traps: bound the texts that go into one.
type Map[K, V any] struct{ t *table }

// NewMap declares a map, as a package variable. For an index, V is [None].
func NewMap[K, V any](name string) Map[K, V] {
	return Map[K, V]{newTable(name, reflect.TypeFor[K](), reflect.TypeFor[V]())}
}

// Get returns a row's value; ok is false if there is no such row, and the value then zero.
func (m Map[K, V]) Get(_ *Ctx, key K) (value V, ok bool) {
	ok = m.t.get(&key, &value)
	return value, ok
}

// Has reports whether there is such a row.
func (m Map[K, V]) Has(_ *Ctx, key K) bool { return m.t.has(&key) }

// Set stores a row.
func (m Map[K, V]) Set(_ *Ctx, key K, value V) { m.t.set(&key, &value) }

// Delete removes a row and reports whether there was one.
func (m Map[K, V]) Delete(_ *Ctx, key K) bool { return m.t.remove(&key) }

// All is every row.
func (m Map[K, V]) All() Rows[K, V] { return Rows[K, V]{span{t: m.t}} }

// A Prefix finds the rows of a map by the first parts of their keys.
type Prefix[P, K, V any] struct{ prefix *prefix }

type prefix struct {
	t     *table
	parts *wire.KeyPlan
}

// By declares a way to find rows by the first parts of their keys, as a package variable:
// P is the type of the first field of K, or a struct of its first few.
func By[P, K, V any](m Map[K, V]) Prefix[P, K, V] {
	return Prefix[P, K, V]{newPrefix(m.t, reflect.TypeFor[P]())}
}

func newPrefix(t *table, parts reflect.Type) *prefix {
	p := &prefix{t, wire.NewKeyPlan(parts)}
	if !p.parts.Begins(t.key) {
		panic("sdk: the keys of " + t.collection + " do not start with the parts to find rows by")
	}
	return p
}

// Rows is the rows whose keys start with these parts.
func (p Prefix[P, K, V]) Rows(parts P) Rows[K, V] {
	common := p.prefix.parts.Append(nil, &parts)
	return Rows[K, V]{span{t: p.prefix.t, common: common, start: common, end: wire.After(common)}}
}

// From is r without the rows whose keys lie before these parts.
func (p Prefix[P, K, V]) From(r Rows[K, V], parts P) Rows[K, V] {
	r.span.from(p.prefix.parts.Append(nil, &parts))
	return r
}

// Until is r without the rows whose keys start with these parts or lie behind them.
func (p Prefix[P, K, V]) Until(r Rows[K, V], parts P) Rows[K, V] {
	r.span.until(p.prefix.parts.Append(nil, &parts))
	return r
}

// Rows is a part of a map, in the order of the keys.
type Rows[K, V any] struct{ span span }

// A Row is one row of a map.
type Row[K, V any] struct {
	Key   K
	Value V
}

// Reverse is the same rows, last first.
func (r Rows[K, V]) Reverse() Rows[K, V] {
	r.span.reverse = !r.span.reverse
	return r
}

// Each walks over the rows. They may be as many as there are, so break off at a bound. A row
// that the contract writes or deletes meanwhile may come as it was before.
func (r Rows[K, V]) Each(_ *Ctx) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		w := r.span.walk(nil, rowsAtOnce)
		var row Row[K, V]
		for r.span.next(w, &row.Key, &row.Value) && yield(row.Key, row.Value) {
			row = Row[K, V]{}
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
	w := r.span.walk(after, limit+1)
	for {
		var row Row[K, V]
		if !r.span.next(w, &row.Key, &row.Value) {
			return rows, nil
		}
		if len(rows) == int(limit) {
			return rows, next
		}
		rows = append(rows, row)
		next = append([]byte(nil), w.last[len(r.span.common):]...)
	}
}

// A span is rows of a table with start <= key < end.
type span struct {
	t                  *table
	common, start, end []byte // common is what all their keys begin with
	reverse            bool
}

func (s *span) from(start []byte) {
	if string(start) > string(s.start) {
		s.start = start
	}
}

func (s *span) until(end []byte) {
	if s.end == nil || string(end) < string(s.end) {
		s.end = end
	}
}

// walk starts behind a place, which is a key without what it has in common.
func (s span) walk(after []byte, batch uint32) *walk {
	if after != nil {
		if len(s.common)+len(after) > abi.MaxKey {
			stop(abi.FailBadArguments, "after: "+strconv.Itoa(len(after))+" bytes are not a place in a list")
		}
		place := append(append([]byte(nil), s.common...), after...)
		if s.reverse {
			s.until(place)
		} else {
			s.from(append(place, 0))
		}
	}
	return &walk{collection: s.t.collection, start: s.start, end: s.end, reverse: s.reverse, batch: batch}
}

// next decodes the next row, and reports whether there was one.
func (s *span) next(w *walk, key, value any) bool {
	k, v, ok := w.next()
	if !ok {
		return false
	}
	if err := s.t.key.Decode(k, key); err != nil {
		panic("sdk: a key of " + s.t.collection + " can't be read: " + err.Error())
	}
	s.t.read(v, value)
	return true
}
