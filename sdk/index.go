package sdk

import (
	"reflect"
	"unsafe"

	"github.com/wardledger/ward/sdk/wire"
)

// none is how [None] is stored, in sets and indexes.
var none = []byte{0xa0}

// An Index finds the rows of a map by something else than their keys, in the order of that. The map keeps it in step:
// whoever sets or deletes a row has set or deleted its place in the index.
//
//	devices = sdk.NewMap[sdk.Address, Device]("devices")
//	byOwner = sdk.NewIndex("devices_by_owner", devices, func(_ sdk.Address, d Device) (sdk.Address, bool) { return d.Owner, true })
//
//	for address, device := range byOwner.Of(owner).Each(c) { ... }
//
// Each row has one place in it or none. What a row has several of (labels, members) is a [Set] that the contract keeps.
type Index[I, K, V any] struct{ index *index }

// An entry is the key of a row of an index.
type entry[I, K any] struct {
	By  I
	Key K
}

type index struct {
	t     *table        // its rows: entries, without values
	by    *wire.KeyPlan // the first part of an entry
	of    *table        // what it is an index of
	place func(key, value unsafe.Pointer) (by []byte, ok bool)
}

// NewIndex declares an index of a map, as a package variable. It lies in the collection of its name, whose keys are those of I, each
// followed by that of the row. By says what to find a row by; if it is not ok, the row isn't in the index. It
// must follow from key and value alone, and stay as it is while the name does: rows that are there already have the place that it said then.
// Both keys together are at most 256 bytes, or the call traps.
func NewIndex[I, K, V any](name string, of Map[K, V], by func(key K, value V) (by I, ok bool)) Index[I, K, V] {
	plan := wire.NewKeyPlanFor("what "+name+" finds rows by", reflect.TypeFor[I]())
	return Index[I, K, V]{newIndex(name, of.t, plan, reflect.TypeFor[entry[I, K]](), func(key, value unsafe.Pointer) ([]byte, bool) {
		by, ok := by(*(*K)(key), *(*V)(value))
		if !ok {
			return nil, false
		}
		return plan.AppendAt(nil, unsafe.Pointer(&by)), true
	})}
}

func newIndex(name string, of *table, by *wire.KeyPlan, key reflect.Type, place func(key, value unsafe.Pointer) ([]byte, bool)) *index {
	x := &index{t: newTable(name, key, reflect.TypeFor[None]()), by: by, of: of, place: place}
	of.indexes = append(of.indexes, x)
	return x
}

// All is every row that is in the index, in the order of what it finds them by, and among equals of their keys.
func (x Index[I, K, V]) All() Rows[K, V] {
	return Rows[K, V]{span{t: x.index.t, index: x.index}}
}

// Of is the rows that are found by this, in the order of their keys.
func (x Index[I, K, V]) Of(by I) Rows[K, V] {
	return Rows[K, V]{x.All().span.below(x.index.by.AppendAt(nil, unsafe.Pointer(&by)))}
}

// Fill puts rows into the index that were there before it was: those of one page of the map, as [Rows.Page] counts them. It
// returns what to give for the next page, nil if that was the last. Until then the index lacks rows.
func (x Index[I, K, V]) Fill(c *Ctx, after []byte, limit uint32) (next []byte) {
	rows, next := Rows[K, V]{span{t: x.index.of}}.Page(c, after, limit)
	for i := range rows {
		x.index.add(unsafe.Pointer(&rows[i].Key), unsafe.Pointer(&rows[i].Value))
	}
	return next
}

// add puts a row that is in no place yet, or in the same.
func (x *index) add(key, value unsafe.Pointer) {
	if by, ok := x.place(key, value); ok {
		set(x.t.collection, x.of.key.AppendAt(by, key), none)
	}
}

// move has the indexes follow a row that gets another value, or none, which is nil. Old is room for the value that it had.
func (t *table) move(key, old, value unsafe.Pointer) {
	k := t.key.AppendAt(nil, key)
	had := t.getAt(unsafe.Pointer(unsafe.SliceData(k)), len(k), old)
	for _, x := range t.indexes {
		var from, to []byte
		var was, is bool
		if had {
			from, was = x.place(key, old)
		}
		if value != nil {
			to, is = x.place(key, value)
		}
		if was == is && string(from) == string(to) {
			continue
		}
		if was {
			remove(x.t.collection, append(from, k...))
		}
		if is {
			set(x.t.collection, append(to, k...), none)
		}
	}
}

// rowKey is the key of the row to which an entry leads.
func (x *index) rowKey(entry []byte) []byte {
	key, err := x.by.Rest(entry)
	if err != nil {
		panic("sdk: a key of " + x.t.collection + " can't be read: " + err.Error())
	}
	if len(key) == 0 { // which getAt would take for one that is yet to be made of a value
		panic("sdk: a key of " + x.t.collection + " can't be read: it leads to no row")
	}
	return key
}

// missing is called for an entry whose row is not there. It may have been deleted during the walk that found the entry; else
// somebody wrote to the collection of the map without the map, and an answer would be wrong.
func (x *index) missing(entry []byte) {
	if exists(x.t.collection, entry) {
		panic("sdk: " + x.t.collection + " leads to a row that " + x.of.collection + " does not have")
	}
}

// A Set is stored keys, in their order. Its rows are those of a [Map] with values of [None].
type Set[K any] struct{ t *table }

// NewSet declares a set, as a package variable. It lies in the collection of its name.
func NewSet[K any](name string) Set[K] {
	return Set[K]{newTable(name, reflect.TypeFor[K](), reflect.TypeFor[None]())}
}

// Has reports whether the key is in the set.
func (s Set[K]) Has(_ *Ctx, key K) bool { return s.t.has(unsafe.Pointer(&key)) }

// Add puts a key into the set and reports whether it is new there. One that is not costs no write.
func (s Set[K]) Add(_ *Ctx, key K) bool {
	if s.t.has(unsafe.Pointer(&key)) {
		return false
	}
	set(s.t.collection, s.t.keyOf(unsafe.Pointer(&key)), none)
	return true
}

// Delete takes a key out of the set and reports whether it was there.
func (s Set[K]) Delete(_ *Ctx, key K) bool { return s.t.remove(unsafe.Pointer(&key)) }

// All is every key, as rows without values: see [Rows.Keys] and [Rows.KeyPage].
func (s Set[K]) All() Rows[K, None] { return Rows[K, None]{span{t: s.t}} }

// A Counter is a stored number that counts something, 0 at first. It is stored as an [Item] of a uint64 is.
type Counter struct{ t *table }

// NewCounter declares a counter, as a package variable. It lies in the collection of its name.
func NewCounter(name string) Counter { return Counter{newTable(name, nil, reflect.TypeFor[uint64]())} }

// Get returns how many were counted.
func (n Counter) Get(_ *Ctx) (count uint64) {
	n.t.get(nil, unsafe.Pointer(&count))
	return count
}

// Next counts one more and returns how many there are with it: a number that no other had, from 1 on.
func (n Counter) Next(c *Ctx) uint64 { return n.Add(c, 1) }

// Add counts some more and returns how many there are now. A count beyond what a uint64 holds ends the call as failed.
func (n Counter) Add(c *Ctx, more uint64) uint64 {
	count := n.Get(c) + more
	if count < more {
		stop(unnamed.code, "the counter "+n.t.collection+" is full")
	}
	n.t.set(nil, unsafe.Pointer(&count))
	return count
}

// Sub counts some less and returns how many are left. Less than none ends the call as failed.
func (n Counter) Sub(c *Ctx, less uint64) uint64 {
	count := n.Get(c)
	if less > count {
		stop(unnamed.code, Text("the counter %s is at %d, which is less than the %d to take away", n.t.collection, count, less))
	}
	count -= less
	n.t.set(nil, unsafe.Pointer(&count))
	return count
}
