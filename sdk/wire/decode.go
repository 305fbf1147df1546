package wire

import (
	"reflect"
	"strconv"

	"github.com/wardledger/ward/runtime/cbor"
)

// An Error says what is wrong with a value and where.
type Error struct {
	// Path leads to the offending value, such as "grants[2].expires"; "" is the
	// value as a whole.
	Path   string
	Reason string // lower case, with the offending value
}

func (e *Error) Error() string {
	if e.Path == "" {
		return e.Reason
	}
	return e.Path + ": " + e.Reason
}

// within puts a step before the path of an error.
func within(step string, err error) error {
	e := asError(err)
	switch {
	case e.Path == "":
		e.Path = step
	case e.Path[0] == '[':
		e.Path = step + e.Path
	default:
		e.Path = step + "." + e.Path
	}
	return e
}

func indexed(i int) string    { return "[" + strconv.Itoa(i) + "]" }
func keyed(key string) string { return "[" + strconv.Quote(key) + "]" }

// asError makes an *Error of what runtime/cbor says; its offset in the bytes stays in the reason.
func asError(err error) *Error {
	if e, ok := err.(*Error); ok {
		return e
	}
	if c, ok := err.(*cbor.Error); ok {
		return &Error{Reason: c.Reason + " (byte " + strconv.Itoa(c.Offset) + ")"}
	}
	return &Error{Reason: err.Error()}
}

// decodeAll reads exactly one value into v, which must be zero and settable.
func (p *Plan) decodeAll(b []byte, v reflect.Value) error {
	r := cbor.NewReader(b)
	if err := p.decode(r, v); err != nil {
		return asError(err)
	}
	if err := r.End(); err != nil {
		return asError(err)
	}
	return nil
}

func (p *Plan) decode(r *cbor.Reader, v reflect.Value) error {
	switch p.shape {
	case shapeBool:
		x, err := r.Bool()
		if err != nil {
			return err
		}
		v.SetBool(x)
	case shapeInt:
		x, err := r.Int()
		if err != nil {
			return err
		}
		if v.OverflowInt(x) {
			return &Error{Reason: strconv.FormatInt(x, 10) + " does not fit in " + p.typ.Kind().String()}
		}
		v.SetInt(x)
	case shapeUint:
		x, err := r.Uint()
		if err != nil {
			return err
		}
		if v.OverflowUint(x) {
			return &Error{Reason: strconv.FormatUint(x, 10) + " does not fit in " + p.typ.Kind().String()}
		}
		v.SetUint(x)
	case shapeText:
		x, err := r.Text()
		if err != nil {
			return err
		}
		v.SetString(x)
	case shapeBytes:
		x, err := r.Bytes()
		if err != nil {
			return err
		}
		if len(x) > 0 {
			v.SetBytes(append([]byte(nil), x...))
		}
	case shapeArray:
		x, err := r.Bytes()
		if err != nil {
			return err
		}
		if len(x) != p.typ.Len() {
			return &Error{Reason: strconv.Itoa(len(x)) + " bytes, must be " + strconv.Itoa(p.typ.Len())}
		}
		copy(v.Bytes(), x)
	case shapeList:
		return p.decodeList(r, v)
	case shapeMap:
		return p.decodeMap(r, v)
	case shapeStruct:
		return p.decodeStruct(r, v)
	}
	return nil
}

// firstRoom is how many items of a list get room before the first was read. A list
// says its own length, so more is given only as items really come.
const firstRoom = 32

func (p *Plan) decodeList(r *cbor.Reader, v reflect.Value) error {
	n, err := r.Array()
	if err != nil {
		return err
	}
	if n == 0 {
		return nil
	}
	v.Grow(min(n, firstRoom))
	for i := range n {
		if i == v.Cap() {
			v.Grow(1)
		}
		v.SetLen(i + 1)
		if err := p.elem.decode(r, v.Index(i)); err != nil {
			return within(indexed(i), err)
		}
	}
	return nil
}

func (p *Plan) decodeMap(r *cbor.Reader, v reflect.Value) error {
	n, err := r.Map()
	if err != nil {
		return err
	}
	v.Set(reflect.MakeMap(p.typ))
	var keys cbor.MapKeys
	key := reflect.New(p.typ.Key()).Elem()
	for range n {
		k, err := keys.Text(r)
		if err != nil {
			return err
		}
		elem := reflect.New(p.elem.typ).Elem()
		if err := p.elem.decode(r, elem); err != nil {
			return within(keyed(k), err)
		}
		key.SetString(k)
		v.SetMapIndex(key, elem)
	}
	return nil
}

func (p *Plan) decodeStruct(r *cbor.Reader, v reflect.Value) error {
	n, err := r.Map()
	if err != nil {
		return err
	}
	// Keys come in the order of the fields, so one walk over both finds what is
	// missing and what is unknown.
	var keys cbor.MapKeys
	next := 0
	for range n {
		key, err := keys.Text(r)
		if err != nil {
			return err
		}
		start := next
		for next < len(p.fields) && cbor.CompareText(p.fields[next].name, key) < 0 {
			next++
		}
		if next == len(p.fields) || p.fields[next].name != key {
			return &Error{Reason: "unknown field " + strconv.Quote(key)}
		}
		if err := p.missing(start, next); err != nil {
			return err
		}
		f := &p.fields[next]
		next++
		if r.Kind() == cbor.Null {
			return within(f.name, &Error{Reason: "null: leave the field out instead"})
		}
		fv := v.Field(f.index)
		if f.pointer {
			fv.Set(reflect.New(f.plan.typ))
			fv = fv.Elem()
		}
		if err := f.plan.decode(r, fv); err != nil {
			return within(f.name, err)
		}
	}
	return p.missing(next, len(p.fields))
}

// missing fails if a field in [from, to), which did not come, had to.
func (p *Plan) missing(from, to int) error {
	for i := from; i < to; i++ {
		if !p.fields[i].optional {
			return &Error{Path: p.fields[i].name, Reason: "missing"}
		}
	}
	return nil
}
