package wire

import (
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/wardledger/ward/runtime/cbor"
)

// encode appends v, which must be addressable and of the plan's type.
func (p *Plan) encode(b []byte, v reflect.Value) ([]byte, error) {
	switch p.shape {
	case shapeBool:
		return cbor.AppendBool(b, v.Bool()), nil
	case shapeInt:
		return cbor.AppendInt(b, v.Int()), nil
	case shapeUint:
		return cbor.AppendUint(b, v.Uint()), nil
	case shapeText:
		return appendText(b, v.String())
	case shapeBytes, shapeArray:
		return cbor.AppendBytes(b, v.Bytes()), nil
	case shapeList:
		n := v.Len()
		b = cbor.AppendArray(b, n)
		for i := range n {
			var err error
			if b, err = p.elem.encode(b, v.Index(i)); err != nil {
				return nil, within(indexed(i), err)
			}
		}
		return b, nil
	case shapeMap:
		return p.encodeMap(b, v)
	case shapeStruct:
		return p.encodeStruct(b, v)
	}
	panic("BUG: wire: shape " + strconv.Itoa(int(p.shape)) + " is not written")
}

func (p *Plan) encodeMap(b []byte, v reflect.Value) ([]byte, error) {
	// Sorted: Go walks a map in another order each time.
	keys := make([]string, 0, v.Len())
	for it := v.MapRange(); it.Next(); {
		keys = append(keys, it.Key().String())
	}
	slices.SortFunc(keys, cbor.CompareText)
	b = cbor.AppendMap(b, len(keys))
	key := reflect.New(p.typ.Key()).Elem()
	elem := reflect.New(p.elem.typ).Elem()
	for _, k := range keys {
		var err error
		if b, err = appendText(b, k); err == nil {
			key.SetString(k)
			elem.Set(v.MapIndex(key))
			b, err = p.elem.encode(b, elem)
		}
		if err != nil {
			return nil, within(keyed(k), err)
		}
	}
	return b, nil
}

func (p *Plan) encodeStruct(b []byte, v reflect.Value) ([]byte, error) {
	n := 0
	for i := range p.fields {
		if f := &p.fields[i]; !f.absent(v) {
			n++
		}
	}
	b = cbor.AppendMap(b, n)
	for i := range p.fields {
		f := &p.fields[i]
		if f.absent(v) {
			continue
		}
		fv := v.Field(f.index)
		if f.pointer {
			fv = fv.Elem()
		}
		b = cbor.AppendText(b, f.name)
		var err error
		if b, err = f.plan.encode(b, fv); err != nil {
			return nil, within(f.name, err)
		}
	}
	return b, nil
}

// absent reports whether the field of the struct v is left out.
func (f *field) absent(v reflect.Value) bool {
	if !f.optional {
		return false
	}
	fv := v.Field(f.index)
	if f.pointer {
		return fv.IsNil()
	}
	return f.plan.empty(fv)
}

// empty reports whether v is what a missing field stands for. It is not
// reflect's IsZero: an empty slice that is not nil is empty, also inside a struct.
func (p *Plan) empty(v reflect.Value) bool {
	switch p.shape {
	case shapeText, shapeBytes, shapeList, shapeMap:
		return v.Len() == 0
	case shapeStruct:
		for i := range p.fields {
			f := &p.fields[i]
			fv := v.Field(f.index)
			if f.pointer {
				if !fv.IsNil() {
					return false
				}
			} else if !f.plan.empty(fv) {
				return false
			}
		}
		return true
	}
	return v.IsZero()
}

func appendText(b []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, &Error{Reason: "text " + strconv.Quote(s) + " is not UTF-8"}
	}
	return cbor.AppendText(b, s), nil
}
