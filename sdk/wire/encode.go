package wire

import (
	"strconv"
	"unicode/utf8"
	"unsafe"

	"github.com/wardledger/ward/runtime/cbor"
)

// encode appends the value at v, which is of the plan's type. Plans have found out with reflection where everything lies;
// here nothing is looked up any more (maps aside, see reflect.go), because a contract pays for each instruction.
func (p *Plan) encode(b []byte, v unsafe.Pointer) ([]byte, error) {
	switch p.shape {
	case shapeBool:
		return cbor.AppendBool(b, *(*bool)(v)), nil
	case shapeInt:
		return cbor.AppendInt(b, loadInt(v, p.size)), nil
	case shapeUint:
		return cbor.AppendUint(b, loadUint(v, p.size)), nil
	case shapeText:
		return appendText(b, *(*string)(v))
	case shapeBytes:
		return cbor.AppendBytes(b, *(*[]byte)(v)), nil
	case shapeArray:
		return cbor.AppendBytes(b, unsafe.Slice((*byte)(v), p.size)), nil
	case shapeList:
		l := (*list)(v)
		b = cbor.AppendArray(b, l.len)
		for i := range l.len {
			var err error
			if b, err = p.elem.encode(b, l.at(i, p.elem.size)); err != nil {
				return nil, within(indexed(i), err)
			}
		}
		return b, nil
	case shapeMap:
		return p.encodeMap(b, v)
	case shapeStruct:
		return p.encodeStruct(b, v, false)
	}
	panic("BUG: wire: shape " + strconv.Itoa(int(p.shape)) + " is not written")
}

// encodeStruct may use all the room behind b if that is quick.
func (p *Plan) encodeStruct(b []byte, v unsafe.Pointer, quick bool) ([]byte, error) {
	n := len(p.fields)
	if p.some {
		for i := range p.fields {
			if p.fields[i].absent(v) {
				n--
			}
		}
	}
	b = cbor.AppendMap(b, n)
	for i := 0; ; i++ {
		if quick {
			b, i = p.quickAppend(b, v, i)
		}
		if i == len(p.fields) {
			return b, nil
		}
		f := &p.fields[i]
		if f.optional && f.absent(v) {
			continue
		}
		at := unsafe.Add(v, f.offset)
		if f.pointer {
			at = *(*unsafe.Pointer)(at)
		}
		b = append(b, f.key...)
		var err error
		if b, err = f.plan.encode(b, at); err != nil {
			return nil, within(f.name, err)
		}
	}
}

// absent reports whether the field of the struct at v is left out.
func (f *field) absent(v unsafe.Pointer) bool {
	if !f.optional {
		return false
	}
	return f.empty(unsafe.Add(v, f.offset))
}

// empty reports whether the field that lies at v is what a missing one stands for.
func (f *field) empty(v unsafe.Pointer) bool {
	if f.pointer {
		return *(*unsafe.Pointer)(v) == nil
	}
	return f.plan.empty(v)
}

// empty reports whether the value at v is what a missing field stands for. It is not
// reflect's IsZero: an empty slice that is not nil is empty, also inside a struct.
func (p *Plan) empty(v unsafe.Pointer) bool {
	switch p.shape {
	case shapeText:
		return *(*string)(v) == ""
	case shapeBytes, shapeList:
		return (*list)(v).len == 0
	case shapeMap:
		return p.mapLen(v) == 0
	case shapeStruct:
		for i := range p.fields {
			if f := &p.fields[i]; !f.empty(unsafe.Add(v, f.offset)) {
				return false
			}
		}
		return true
	}
	for _, c := range unsafe.Slice((*byte)(v), p.size) {
		if c != 0 {
			return false
		}
	}
	return true
}

func appendText(b []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, &Error{Reason: "text " + strconv.Quote(s) + " is not UTF-8"}
	}
	return cbor.AppendText(b, s), nil
}
