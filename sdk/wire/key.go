package wire

import (
	"errors"
	"math"
	"reflect"
	"strconv"
	"unsafe"
)

// A Key writes values of one type as storage keys:
//
//   - order: two values compare as their keys do, bytewise; of structs the first
//     field counts most;
//   - prefix-free: no key is the beginning of another, so keys of parts can be put
//     one behind the other, and no two lists of parts give the same bytes;
//   - the key of a struct starts with the keys of its first fields, so rows that
//     agree in them lie together.
//
// A bool is one byte. A number is as wide as its type, most significant byte first,
// with the sign bit flipped if it is signed; int and uint are 8 bytes. A [N]byte is
// itself. A string or []byte ends with 00 01, and each 00 in it is written 00 FF.
// Slices, maps, pointers and floats can't be keys.
type Key[K any] struct{ plan *KeyPlan }

// A KeyPlan is a [Key] for who knows the type only while running.
type KeyPlan struct {
	typ    reflect.Type
	kind   reflect.Kind // Bool, Int64, Uint64, String, Slice (of bytes), Array (of bytes) or Struct
	width  int          // bytes of a number or array
	size   uintptr      // of a number in memory: an int is 8 bytes of a key everywhere
	offset uintptr      // where it lies in the struct around it
	fields []*KeyPlan
}

// NewKey makes the key codec of K. It panics if K can't be a key.
func NewKey[K any]() Key[K] { return Key[K]{NewKeyPlan(reflect.TypeFor[K]())} }

// NewKeyPlan panics if t can't be a key.
func NewKeyPlan(t reflect.Type) *KeyPlan { return NewKeyPlanFor("", t) }

// NewKeyPlanFor is NewKeyPlan of a type whose use is named in the panic.
func NewKeyPlanFor(use string, t reflect.Type) *KeyPlan { return makeKeyPlan(t, used(use, t)) }

func makeKeyPlan(t reflect.Type, where string) *KeyPlan {
	if isNumber(t) {
		return &KeyPlan{typ: t, kind: reflect.Int64, width: 8, size: 8}
	}
	switch k := t.Kind(); k {
	case reflect.Bool, reflect.String:
		return &KeyPlan{typ: t, kind: k}
	case reflect.Int, reflect.Uint:
		// Their size is the platform's; a key's is not.
		return &KeyPlan{typ: t, kind: k + (reflect.Int64 - reflect.Int), width: 8, size: t.Size()}
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return &KeyPlan{typ: t, kind: reflect.Int64, width: int(t.Size()), size: t.Size()}
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &KeyPlan{typ: t, kind: reflect.Uint64, width: int(t.Size()), size: t.Size()}
	case reflect.Array, reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 && t.Size() > 0 {
			p := &KeyPlan{typ: t, kind: k}
			if k == reflect.Array {
				p.width = t.Len()
			}
			return p
		}
	case reflect.Struct:
		p := &KeyPlan{typ: t, kind: k}
		for i := range t.NumField() {
			f := t.Field(i)
			if !f.IsExported() {
				refuse(where+"."+f.Name, "is not exported, so it can't be part of a key")
			}
			part := makeKeyPlan(f.Type, where+"."+f.Name)
			part.offset = f.Offset
			p.fields = append(p.fields, part)
		}
		if len(p.fields) == 0 {
			refuse(where, "is a struct without fields, which can't be a key")
		}
		return p
	}
	refuse(where, "can't be a key: "+t.String()+" is none of bools, integers, strings, bytes and structs of these")
	return nil
}

// Append appends the key of v to b.
func (k Key[K]) Append(b []byte, v K) []byte { return k.plan.append(b, unsafe.Pointer(&v)) }

// Decode reads exactly one key.
func (k Key[K]) Decode(b []byte) (K, error) {
	var v, zero K
	if err := k.plan.DecodeAt(b, unsafe.Pointer(&v)); err != nil {
		return zero, err
	}
	return v, nil
}

// Begins reports whether keys of K start with a key of P: whether the parts of P, in
// order, are the first parts of K.
func Begins[P, K any](p Key[P], k Key[K]) bool { return p.plan.Begins(k.plan) }

// Append appends the key of what v, a pointer to the plan's type, points to.
func (p *KeyPlan) Append(b []byte, v any) []byte { return p.append(b, target(p.typ, v)) }

// Decode reads exactly one key into what v, a pointer to the plan's type, points to,
// which must be zero. After an error that may be half a key.
func (p *KeyPlan) Decode(b []byte, v any) error { return p.DecodeAt(b, target(p.typ, v)) }

// InPlace is how many bytes a key has if these are the bytes of the value in memory, else 0.
func (p *KeyPlan) InPlace() int {
	if p.kind == reflect.Array {
		return p.width
	}
	return 0
}

// AppendAt is Append of the value at an address, as [Plan.AppendAt] takes it.
func (p *KeyPlan) AppendAt(b []byte, v unsafe.Pointer) []byte { return p.append(b, v) }

// DecodeAt is Decode into the value at an address, as [Plan.AppendAt] takes it.
func (p *KeyPlan) DecodeAt(b []byte, v unsafe.Pointer) error {
	rest, err := p.decode(b, v)
	if err == nil && len(rest) > 0 {
		err = errors.New("key has " + strconv.Itoa(len(rest)) + " bytes too many")
	}
	return err
}

// Rest is what stands behind the key that b begins with.
func (p *KeyPlan) Rest(b []byte) ([]byte, error) {
	switch p.kind {
	case reflect.Bool:
		return cut(b, 1)
	case reflect.Int64, reflect.Uint64, reflect.Array:
		return cut(b, p.width)
	case reflect.String, reflect.Slice:
		_, rest, err := escaped(b)
		return rest, err
	}
	for _, f := range p.fields {
		var err error
		if b, err = f.Rest(b); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func cut(b []byte, n int) ([]byte, error) {
	if len(b) < n {
		return nil, errShortKey
	}
	return b[n:], nil
}

// Begins reports whether keys of the other plan start with a key of this one.
func (p *KeyPlan) Begins(other *KeyPlan) bool {
	parts, whole := p.parts(nil), other.parts(nil)
	if len(parts) > len(whole) {
		return false
	}
	for i, part := range parts {
		if part.kind != whole[i].kind || part.width != whole[i].width {
			return false
		}
	}
	return true
}

// parts appends what a key is made of once structs are taken apart.
func (p *KeyPlan) parts(list []*KeyPlan) []*KeyPlan {
	if p.kind != reflect.Struct {
		return append(list, p)
	}
	for _, f := range p.fields {
		list = f.parts(list)
	}
	return list
}

const (
	keyEscape = 0x00
	keyZero   = 0xff // after keyEscape: a zero byte of the value
	keyEnd    = 0x01 // after keyEscape: the end; less than keyZero, so that "a" sorts before "a\x00"
)

func (p *KeyPlan) append(b []byte, v unsafe.Pointer) []byte {
	switch p.kind {
	case reflect.Bool:
		if *(*bool)(v) {
			return append(b, 1)
		}
		return append(b, 0)
	case reflect.Int64:
		return appendWide(b, uint64(loadInt(v, p.size))^1<<(p.width*8-1), p.width)
	case reflect.Uint64:
		return appendWide(b, loadUint(v, p.size), p.width)
	case reflect.Array:
		return append(b, unsafe.Slice((*byte)(v), p.width)...)
	case reflect.String:
		return appendEscaped(b, *(*string)(v))
	case reflect.Slice:
		return appendEscaped(b, *(*[]byte)(v))
	case reflect.Struct:
		for _, f := range p.fields {
			b = f.append(b, unsafe.Add(v, f.offset))
		}
		return b
	}
	panic("BUG: wire: key of kind " + p.kind.String())
}

func appendWide(b []byte, v uint64, width int) []byte {
	for i := width - 1; i >= 0; i-- {
		b = append(b, byte(v>>(i*8)))
	}
	return b
}

func appendEscaped[S string | []byte](b []byte, s S) []byte {
	for i := range len(s) {
		if b = append(b, s[i]); s[i] == keyEscape {
			b = append(b, keyZero)
		}
	}
	return append(b, keyEscape, keyEnd)
}

var errShortKey = errors.New("key ends too early")

func (p *KeyPlan) decode(b []byte, v unsafe.Pointer) (rest []byte, err error) {
	switch p.kind {
	case reflect.Bool:
		if len(b) < 1 {
			return nil, errShortKey
		}
		if b[0] > 1 {
			return nil, errors.New("key has " + strconv.Itoa(int(b[0])) + " for a bool")
		}
		*(*bool)(v) = b[0] == 1
		return b[1:], nil
	case reflect.Int64, reflect.Uint64:
		if len(b) < p.width {
			return nil, errShortKey
		}
		var x uint64
		for _, c := range b[:p.width] {
			x = x<<8 | uint64(c)
		}
		if p.kind == reflect.Uint64 {
			if !fitsUint(x, p.size) {
				return nil, errors.New("key has " + strconv.FormatUint(x, 10) + " for " + p.typ.String())
			}
			store(v, p.size, x)
			return b[p.width:], nil
		}
		x ^= 1 << (p.width*8 - 1)
		shift := 64 - p.width*8
		signed := int64(x<<shift) >> shift
		if !fitsInt(signed, p.size) {
			return nil, errors.New("key has " + strconv.FormatInt(signed, 10) + " for " + p.typ.String())
		}
		store(v, p.size, uint64(signed))
		return b[p.width:], nil
	case reflect.Array:
		if len(b) < p.width {
			return nil, errShortKey
		}
		copy(unsafe.Slice((*byte)(v), p.width), b)
		return b[p.width:], nil
	case reflect.String, reflect.Slice:
		s, rest, err := escaped(b)
		if err != nil {
			return nil, err
		}
		if p.kind == reflect.String {
			*(*string)(v) = string(unescape(s))
		} else if len(s) > 0 {
			*(*[]byte)(v) = unescape(s)
		}
		return rest, nil
	case reflect.Struct:
		for _, f := range p.fields {
			if b, err = f.decode(b, unsafe.Add(v, f.offset)); err != nil {
				return nil, err
			}
		}
		return b, nil
	}
	panic("BUG: wire: key of kind " + p.kind.String())
}

// escaped splits b behind the string that it begins with, which comes as it is written, without its end.
func escaped(b []byte) (s, rest []byte, err error) {
	for i := 0; i < len(b); i++ {
		if b[i] != keyEscape {
			continue
		}
		if i++; i == len(b) {
			break
		}
		switch b[i] {
		case keyEnd:
			return b[:i-1], b[i+1:], nil
		case keyZero:
		default:
			return nil, nil, errors.New("key has 00 followed by " + strconv.Itoa(int(b[i])))
		}
	}
	return nil, nil, errShortKey
}

// unescape returns a copy of s without the marks behind zeros.
func unescape(s []byte) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if out = append(out, s[i]); s[i] == keyEscape {
			i++
		}
	}
	return out
}

// After returns the first key that sorts behind every key that starts with prefix,
// or nil if there is none. The argument is left as it is.
func After(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != math.MaxUint8 {
			end := append([]byte(nil), prefix[:i+1]...)
			end[i]++
			return end
		}
	}
	return nil
}
