package wire

import (
	"errors"
	"math"
	"reflect"
	"strconv"
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
	fields []*KeyPlan
}

// NewKey makes the key codec of K. It panics if K can't be a key.
func NewKey[K any]() Key[K] { return Key[K]{NewKeyPlan(reflect.TypeFor[K]())} }

// NewKeyPlan panics if t can't be a key.
func NewKeyPlan(t reflect.Type) *KeyPlan { return makeKeyPlan(t, label(t)) }

func makeKeyPlan(t reflect.Type, where string) *KeyPlan {
	switch k := t.Kind(); k {
	case reflect.Bool, reflect.String:
		return &KeyPlan{typ: t, kind: k}
	case reflect.Int, reflect.Uint:
		// Their size is the platform's; a key's is not.
		return &KeyPlan{typ: t, kind: k + (reflect.Int64 - reflect.Int), width: 8}
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return &KeyPlan{typ: t, kind: reflect.Int64, width: int(t.Size())}
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &KeyPlan{typ: t, kind: reflect.Uint64, width: int(t.Size())}
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
			p.fields = append(p.fields, makeKeyPlan(f.Type, where+"."+f.Name))
		}
		if len(p.fields) == 0 {
			refuse(where, "is a struct without fields, which can't be a key")
		}
		return p
	}
	refuse(where, "is "+t.String()+", which can't be a key")
	return nil
}

// Append appends the key of v to b.
func (k Key[K]) Append(b []byte, v K) []byte { return k.plan.Append(b, &v) }

// Decode reads exactly one key.
func (k Key[K]) Decode(b []byte) (K, error) {
	var v, zero K
	if err := k.plan.Decode(b, &v); err != nil {
		return zero, err
	}
	return v, nil
}

// Begins reports whether keys of K start with a key of P: whether the parts of P, in
// order, are the first parts of K.
func Begins[P, K any](p Key[P], k Key[K]) bool { return p.plan.Begins(k.plan) }

// Append appends the key of what v, a pointer to the plan's type, points to.
func (p *KeyPlan) Append(b []byte, v any) []byte { return p.append(b, p.target(v)) }

// Decode reads exactly one key into what v, a pointer to the plan's type, points to,
// which must be zero. After an error that may be half a key.
func (p *KeyPlan) Decode(b []byte, v any) error {
	rest, err := p.decode(b, p.target(v))
	if err == nil && len(rest) > 0 {
		err = errors.New("key has " + strconv.Itoa(len(rest)) + " bytes too many")
	}
	return err
}

func (p *KeyPlan) target(v any) reflect.Value {
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Pointer || rv.IsNil() || rv.Type().Elem() != p.typ {
		panic("BUG: wire: a key plan of " + p.typ.String() + " was given something else")
	}
	return rv.Elem()
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

func (p *KeyPlan) append(b []byte, v reflect.Value) []byte {
	switch p.kind {
	case reflect.Bool:
		if v.Bool() {
			return append(b, 1)
		}
		return append(b, 0)
	case reflect.Int64:
		return appendWide(b, uint64(v.Int())^1<<(p.width*8-1), p.width)
	case reflect.Uint64:
		return appendWide(b, v.Uint(), p.width)
	case reflect.Array:
		return append(b, v.Bytes()...)
	case reflect.String:
		return appendEscaped(b, v.String())
	case reflect.Slice:
		return appendEscaped(b, v.Bytes())
	case reflect.Struct:
		for i, f := range p.fields {
			b = f.append(b, v.Field(i))
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

func (p *KeyPlan) decode(b []byte, v reflect.Value) (rest []byte, err error) {
	switch p.kind {
	case reflect.Bool:
		if len(b) < 1 {
			return nil, errShortKey
		}
		if b[0] > 1 {
			return nil, errors.New("key has " + strconv.Itoa(int(b[0])) + " for a bool")
		}
		v.SetBool(b[0] == 1)
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
			if v.OverflowUint(x) {
				return nil, errors.New("key has " + strconv.FormatUint(x, 10) + " for " + v.Type().String())
			}
			v.SetUint(x)
			return b[p.width:], nil
		}
		x ^= 1 << (p.width*8 - 1)
		shift := 64 - p.width*8
		signed := int64(x<<shift) >> shift
		if v.OverflowInt(signed) {
			return nil, errors.New("key has " + strconv.FormatInt(signed, 10) + " for " + v.Type().String())
		}
		v.SetInt(signed)
		return b[p.width:], nil
	case reflect.Array:
		n := v.Len()
		if len(b) < n {
			return nil, errShortKey
		}
		copy(v.Bytes(), b)
		return b[n:], nil
	case reflect.String, reflect.Slice:
		s, rest, err := unescape(b)
		if err != nil {
			return nil, err
		}
		if p.kind == reflect.String {
			v.SetString(string(s))
		} else if len(s) > 0 {
			v.SetBytes(s)
		}
		return rest, nil
	case reflect.Struct:
		for i, f := range p.fields {
			if b, err = f.decode(b, v.Field(i)); err != nil {
				return nil, err
			}
		}
		return b, nil
	}
	panic("BUG: wire: key of kind " + p.kind.String())
}

func unescape(b []byte) (s, rest []byte, err error) {
	s = make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != keyEscape {
			s = append(s, b[i])
			continue
		}
		if i++; i == len(b) {
			break
		}
		switch b[i] {
		case keyEnd:
			return s, b[i+1:], nil
		case keyZero:
			s = append(s, keyEscape)
		default:
			return nil, nil, errors.New("key has 00 followed by " + strconv.Itoa(int(b[i])))
		}
	}
	return nil, nil, errShortKey
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
