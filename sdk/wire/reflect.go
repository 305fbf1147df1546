package wire

import (
	"reflect"
	"slices"
	"unsafe"

	"github.com/wardledger/ward/runtime/cbor"
)

// What needs reflection while values are written and read: memory of a type that only the plan knows, for the items of a list
// and for what a pointer points to, and Go's maps.

// firstRoom is how many items of a list get room before the first was read. A list
// says its own length, so more is given only as items really come.
const firstRoom = 32

// A growing is a list that is being read.
type growing struct {
	slice reflect.Value
	list  list
}

// more makes room for items, of which n come in all.
func (g *growing) more(t reflect.Type, n int) {
	room := min(n, max(firstRoom, 2*g.list.cap))
	larger := reflect.MakeSlice(t, room, room)
	if g.list.cap > 0 {
		reflect.Copy(larger, g.slice)
	}
	g.slice, g.list.data, g.list.cap = larger, larger.UnsafePointer(), room
}

// make returns memory for a value.
func (p *Plan) make() unsafe.Pointer { return reflect.New(p.typ).UnsafePointer() }

// goMap is the map that lies at v. (Not reflect.NewAt of v, by which all that is ever written would move to the heap.)
func (p *Plan) goMap(v unsafe.Pointer) reflect.Value {
	m := reflect.New(p.typ)
	*(*unsafe.Pointer)(m.UnsafePointer()) = *(*unsafe.Pointer)(v)
	return m.Elem()
}

func (p *Plan) mapLen(v unsafe.Pointer) int { return p.goMap(v).Len() }

func (p *Plan) encodeMap(b []byte, v unsafe.Pointer) ([]byte, error) {
	m := p.goMap(v)
	// Sorted: Go walks a map in another order each time.
	keys := make([]string, 0, m.Len())
	for it := m.MapRange(); it.Next(); {
		keys = append(keys, it.Key().String())
	}
	slices.SortFunc(keys, cbor.CompareText)
	b = cbor.AppendMap(b, len(keys))
	key := reflect.New(p.typ.Key()).Elem()
	elem := reflect.New(p.elem.typ)
	for _, k := range keys {
		var err error
		if b, err = appendText(b, k); err == nil {
			key.SetString(k)
			elem.Elem().Set(m.MapIndex(key))
			b, err = p.elem.encode(b, elem.UnsafePointer())
		}
		if err != nil {
			return nil, within(keyed(k), err)
		}
	}
	return b, nil
}

func (p *Plan) decodeMap(b []byte, at int, v unsafe.Pointer) (next int, err error) {
	r := cbor.NewReader(b[at:])
	n, err := r.Map()
	if err != nil {
		return 0, shifted(err, at)
	}
	m := reflect.MakeMap(p.typ)
	*(*unsafe.Pointer)(v) = m.UnsafePointer()
	key := reflect.New(p.typ.Key()).Elem()
	at += r.Offset()
	last := ""
	for i := range n {
		r := cbor.NewReader(b[at:])
		k, err := r.Text()
		if err != nil {
			return 0, shifted(err, at)
		}
		if i > 0 && cbor.CompareText(last, k) >= 0 {
			return 0, disordered(last, k, at)
		}
		last = k
		elem := reflect.New(p.elem.typ)
		if at, err = p.elem.decode(b, at+r.Offset(), elem.UnsafePointer()); err != nil {
			return 0, within(keyed(k), err)
		}
		key.SetString(k)
		m.SetMapIndex(key, elem.Elem())
	}
	return at, nil
}
