package sdk

import (
	"iter"
	"reflect"
	"strconv"
	"unsafe"

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
// types is here: what needs them is compiled anew for each. Pointers are to values of the types of its plans.
type table struct {
	collection string
	key        *wire.KeyPlan // nil: of an item
	value      *wire.Plan
	indexes    []*index
	inPlace    int // how many bytes a key has, if it is written as it lies in memory, else 0
}

// newTable takes a name for rows. An item or map has a collection to itself, so keys
// of two of them can't collide.
func newTable(name string, key, value reflect.Type) *table {
	open("the collection " + name)
	if !abi.ValidCollection(name) {
		panic("sdk: " + strconv.Quote(name) + " is not a collection's name: it is a lower-case letter, then letters, digits, _ and .")
	}
	for _, other := range declared.collections {
		if other == name {
			panic("sdk: the collection " + name + " is declared twice: each item, map, set, index and counter has one to itself")
		}
	}
	declared.collections = append(declared.collections, name)
	t := &table{collection: name, value: wire.NewPlanFor("the rows of "+name, value)}
	if key != nil {
		t.key = wire.NewKeyPlanFor("the keys of "+name, key)
		t.inPlace = t.key.InPlace()
	}
	return t
}

// keyOf is good until the next call of it.
func (t *table) keyOf(key unsafe.Pointer) []byte {
	if t.key == nil {
		return itemKey
	}
	keyRoom = t.key.AppendAt(keyRoom[:0], key)
	return keyRoom
}

func (t *table) get(key, value unsafe.Pointer) bool { return t.getAt(key, t.inPlace, value) }

// getAt reads the row with the key of so many bytes; if that is 0, key is a value that a key stands for. It is written out, because it
// is called most, and in Go's Wasm a call takes as long as to read a field.
func (t *table) getAt(key unsafe.Pointer, size int, value unsafe.Pointer) bool {
	if size == 0 {
		b := t.keyOf(key)
		key, size = unsafe.Pointer(unsafe.SliceData(b)), len(b)
	}
	for {
		n := hostGet(t.collection, key, uint32(size), unsafe.Pointer(unsafe.SliceData(scratch)), uint32(len(scratch)))
		switch {
		case n < 0:
			return false
		case int(n) <= len(scratch):
			if err := t.value.DecodeAt(scratch[:n], value); err != nil {
				t.unreadable(err)
			}
			return true
		}
		scratch = make([]byte, n)
	}
}

// read decodes a stored value. Only this contract wrote it, so if it can't, the type
// has changed under rows that exist: add fields as optional ones.
func (t *table) read(b []byte, value unsafe.Pointer) {
	if err := t.value.DecodeAt(b, value); err != nil {
		t.unreadable(err)
	}
}

func (t *table) unreadable(err error) {
	panic("sdk: a row of " + t.collection + " can't be read: " + err.Error())
}

func (t *table) set(key, value unsafe.Pointer) {
	b, err := t.value.AppendAt(room[:0], value)
	if err != nil {
		panic("sdk: a row of " + t.collection + " can't be written: " + err.Error())
	}
	room = b
	set(t.collection, t.keyOf(key), b)
}

func (t *table) has(key unsafe.Pointer) bool { return exists(t.collection, t.keyOf(key)) }

func (t *table) remove(key unsafe.Pointer) bool { return remove(t.collection, t.keyOf(key)) }

// An Item is one stored value.
type Item[T any] struct{ t *table }

// NewItem declares an item, as a package variable. It lies in the collection of its name
// under the key 00.
func NewItem[T any](name string) Item[T] { return Item[T]{newTable(name, nil, reflect.TypeFor[T]())} }

// Get returns the value; ok is false if there is none, and the value then zero.
func (i Item[T]) Get(_ *Ctx) (value T, ok bool) {
	ok = i.t.get(nil, unsafe.Pointer(&value))
	return value, ok
}

// Set stores the value.
func (i Item[T]) Set(_ *Ctx, value T) { i.t.set(nil, unsafe.Pointer(&value)) }

// Delete removes the value and reports whether there was one.
func (i Item[T]) Delete(_ *Ctx) bool { return i.t.remove(nil) }

// A Map is stored rows with keys, in the order of the keys (wire.Key). The bytes of a
// key are at most 256, or the call traps: bound the texts that go into one.
type Map[K, V any] struct{ t *table }

// NewMap declares a map, as a package variable. It lies in the collection of its name.
func NewMap[K, V any](name string) Map[K, V] {
	return Map[K, V]{newTable(name, reflect.TypeFor[K](), reflect.TypeFor[V]())}
}

// Get returns a row's value; ok is false if there is no such row, and the value then zero.
func (m Map[K, V]) Get(_ *Ctx, key K) (value V, ok bool) {
	ok = m.t.get(unsafe.Pointer(&key), unsafe.Pointer(&value))
	return value, ok
}

// Has reports whether there is such a row.
func (m Map[K, V]) Has(_ *Ctx, key K) bool { return m.t.has(unsafe.Pointer(&key)) }

// Set stores a row. If the map has indexes, they follow, for which the row is read as it was before.
func (m Map[K, V]) Set(_ *Ctx, key K, value V) {
	if len(m.t.indexes) > 0 {
		var old V
		m.t.move(unsafe.Pointer(&key), unsafe.Pointer(&old), unsafe.Pointer(&value))
	}
	m.t.set(unsafe.Pointer(&key), unsafe.Pointer(&value))
}

// Delete removes a row and reports whether there was one. If the map has indexes, they follow.
func (m Map[K, V]) Delete(_ *Ctx, key K) bool {
	if len(m.t.indexes) > 0 {
		var old V
		m.t.move(unsafe.Pointer(&key), unsafe.Pointer(&old), nil)
	}
	return m.t.remove(unsafe.Pointer(&key))
}

// All is every row.
func (m Map[K, V]) All() Rows[K, V] { return Rows[K, V]{span{t: m.t}} }

// A Prefix finds rows by the first parts of their keys.
type Prefix[P, K, V any] struct{ prefix *prefix }

type prefix struct {
	all   span
	parts *wire.KeyPlan
}

// Ordered is what has rows in an order: a [Map], a [Set] in that of its keys, an [Index] in that of what it finds rows by.
type Ordered[K, V any] interface{ All() Rows[K, V] }

// By declares a way to find rows by the first parts of their keys, as a package variable:
// P is the type of the first field of the key, or a struct of its first few. The key of an [Index] is what it finds rows by,
// and behind that the key of the row.
func By[P, K, V any](of Ordered[K, V]) Prefix[P, K, V] {
	return Prefix[P, K, V]{newPrefix(of.All().span, reflect.TypeFor[P]())}
}

func newPrefix(all span, parts reflect.Type) *prefix {
	open("a way to find rows of " + all.t.collection)
	p := &prefix{all, wire.NewKeyPlanFor("the parts to find rows of "+all.t.collection+" by", parts)}
	if !p.parts.Begins(all.t.key) {
		panic("sdk: the keys of " + all.t.collection + " do not start with the parts to find rows by, " + parts.String() +
			": these must be the first field of the key, or a struct of its first fields in their order")
	}
	return p
}

// Rows is the rows whose keys start with these parts.
func (p Prefix[P, K, V]) Rows(parts P) Rows[K, V] {
	return Rows[K, V]{p.prefix.all.below(p.prefix.parts.AppendAt(nil, unsafe.Pointer(&parts)))}
}

// From is r without the rows whose keys lie before these parts.
func (p Prefix[P, K, V]) From(r Rows[K, V], parts P) Rows[K, V] {
	r.span.from(p.prefix.parts.AppendAt(nil, unsafe.Pointer(&parts)))
	return r
}

// Until is r without the rows whose keys start with these parts or lie behind them.
func (p Prefix[P, K, V]) Until(r Rows[K, V], parts P) Rows[K, V] {
	r.span.until(p.prefix.parts.AppendAt(nil, unsafe.Pointer(&parts)))
	return r
}

// Rows is a part of a map, set or index, in its order.
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
		for r.span.next(w, unsafe.Pointer(&row.Key), unsafe.Pointer(&row.Value)) && yield(row.Key, row.Value) {
			row = Row[K, V]{}
		}
	}
}

// Keys is Each of the keys alone, which costs less: of an index, the rows themselves aren't read.
func (r Rows[K, V]) Keys(_ *Ctx) iter.Seq[K] {
	return func(yield func(K) bool) {
		w := r.span.walk(nil, rowsAtOnce)
		var key, zero K
		for r.span.next(w, unsafe.Pointer(&key), nil) && yield(key) {
			key = zero
		}
	}
}

// First returns the first row; ok is false if there is none.
func (r Rows[K, V]) First(_ *Ctx) (row Row[K, V], ok bool) {
	ok = r.span.next(r.span.walk(nil, 1), unsafe.Pointer(&row.Key), unsafe.Pointer(&row.Value))
	return row, ok
}

// Any reports whether there is a row.
func (r Rows[K, V]) Any(_ *Ctx) bool {
	_, _, ok := r.span.walk(nil, 1).next()
	return ok
}

// Page returns a page of rows for a view. Limit is how many at most: 0 is DefaultPage,
// and more than MaxPage is MaxPage. After says where the last page ended, nil is the
// start; next is what to give for the page after this one, nil if this was the last.
func (r Rows[K, V]) Page(_ *Ctx, after []byte, limit uint32) (rows []Row[K, V], next []byte) {
	p := r.span.page(after, limit)
	for {
		var row Row[K, V]
		if !p.next(unsafe.Pointer(&row.Key), unsafe.Pointer(&row.Value)) {
			return rows, p.place
		}
		rows = append(rows, row)
	}
}

// KeyPage is Page of the keys alone.
func (r Rows[K, V]) KeyPage(_ *Ctx, after []byte, limit uint32) (keys []K, next []byte) {
	p := r.span.page(after, limit)
	for {
		var key K
		if !p.next(unsafe.Pointer(&key), nil) {
			return keys, p.place
		}
		keys = append(keys, key)
	}
}

// A page is a walk that stops after a number of rows.
type page struct {
	span  span
	walk  *walk
	left  uint32
	place []byte // behind the last row that next returned; in the end nil if no row is left
}

func (s span) page(after []byte, limit uint32) *page {
	if limit == 0 {
		limit = DefaultPage
	}
	limit = min(limit, MaxPage)
	return &page{span: s, walk: s.walk(after, limit+1), left: limit}
}

func (p *page) next(key, value unsafe.Pointer) bool {
	if p.left == 0 {
		if _, _, ok := p.walk.next(); !ok {
			p.place = nil
		}
		return false
	}
	p.left--
	if !p.span.next(p.walk, key, value) {
		p.place = nil
		return false
	}
	p.place = append([]byte(nil), p.walk.last[len(p.span.common):]...)
	return true
}

// A span is rows of a table with start <= key < end.
type span struct {
	t                  *table
	index              *index // whose rows these are, nil: of none
	common, start, end []byte // common is what all their keys begin with
	reverse            bool
}

// below is the rows whose keys begin with something.
func (s span) below(common []byte) span {
	s.common, s.start, s.end = common, common, wire.After(common)
	return s
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

// next decodes the next row, and reports whether there was one. Nobody wants its value if that is nil.
func (s *span) next(w *walk, key, value unsafe.Pointer) bool {
	for {
		k, v, ok := w.next()
		if !ok {
			return false
		}
		t := s.t
		if s.index != nil {
			t = s.index.of
			row := s.index.rowKey(k)
			if value != nil && !t.getAt(unsafe.Pointer(unsafe.SliceData(row)), len(row), value) {
				s.index.missing(k)
				continue
			}
			k = row
		} else if value != nil {
			t.read(v, value)
		}
		if err := t.key.DecodeAt(k, key); err != nil {
			panic("sdk: a key of " + t.collection + " can't be read: " + err.Error())
		}
		return true
	}
}
