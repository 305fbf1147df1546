package wire

import (
	"encoding/binary"
	"strconv"
	"unicode/utf8"
	"unsafe"

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

// decodeAll reads exactly one value to v, where a zero of the plan's type must be.
func (p *Plan) decodeAll(b []byte, v unsafe.Pointer) error {
	var at int
	var err error
	if p.shape == shapeStruct { // most are, and that spares them a call
		if beyond && len(b) > 2*len(p.fields) && int(b[0]) == p.head && cap(b)-len(b) >= Slack {
			read := 0
			if at, read = p.quick(b, 1, v, 0, len(p.fields)); read == len(p.fields) && at == len(b) {
				return nil
			}
			at, err = p.decodeFields(b, at, v, read, len(p.fields)-read)
		} else {
			at, err = p.decodeStruct(b, 0, v)
		}
	} else {
		at, err = p.decode(b, 0, v)
	}
	if err != nil {
		return asError(err)
	}
	if at != len(b) {
		_, err := item(b, at, func(r *cbor.Reader) error { return r.End() })
		return asError(err)
	}
	return nil
}

// Major types of CBOR, the upper three bits of a head.
const (
	majorUint   = 0
	majorNegInt = 1
	majorBytes  = 2
	majorText   = 3
	majorArray  = 4
	majorMap    = 5
)

const (
	itemFalse = 0xf4
	itemTrue  = 0xf5
	itemNull  = 0xf6
)

// decode reads the value that starts at b[at] to v, and returns where the next one starts.
//
// It reads what is right by itself, because a contract pays for each instruction, and leaves it to runtime/cbor to
// say what is wrong.
func (p *Plan) decode(b []byte, at int, v unsafe.Pointer) (next int, err error) {
	switch p.shape {
	case shapeBool:
		if at >= len(b) || b[at]&^1 != itemFalse {
			return p.wrong(b, at)
		}
		*(*bool)(v) = b[at] == itemTrue
		return at + 1, nil
	case shapeInt:
		var x int64
		if at < len(b) && b[at]>>5 == majorNegInt {
			n, next, ok := head(b, at, majorNegInt)
			if x = -1 - int64(n); !ok || x >= 0 {
				return p.wrong(b, at)
			}
			at = next
		} else {
			n, next, ok := head(b, at, majorUint)
			if x = int64(n); !ok || x < 0 {
				return p.wrong(b, at)
			}
			at = next
		}
		if p.size < 8 && !fitsInt(x, p.size) {
			return 0, &Error{Reason: strconv.FormatInt(x, 10) + " does not fit in " + p.typ.Kind().String()}
		}
		store(v, p.size, uint64(x))
		return at, nil
	case shapeUint:
		x, next, ok := head(b, at, majorUint)
		if !ok {
			return p.wrong(b, at)
		}
		if p.size < 8 && !fitsUint(x, p.size) {
			return 0, &Error{Reason: strconv.FormatUint(x, 10) + " does not fit in " + p.typ.Kind().String()}
		}
		store(v, p.size, x)
		return next, nil
	case shapeText:
		n, next, ok := head(b, at, majorText)
		if !ok || n > uint64(len(b)-next) {
			return p.wrong(b, at)
		}
		end := next + int(n)
		if !ascii(b, next, end) && !utf8.Valid(b[next:end]) {
			return p.wrong(b, at)
		}
		if end > next {
			*(*string)(v) = text(b[next:end])
		}
		return end, nil
	case shapeBytes, shapeArray:
		n, next, ok := head(b, at, majorBytes)
		if !ok || n > uint64(len(b)-next) {
			return p.wrong(b, at)
		}
		end := next + int(n)
		x := b[next:end]
		if p.shape == shapeArray {
			if uintptr(len(x)) != p.size {
				return 0, &Error{Reason: strconv.Itoa(len(x)) + " bytes, must be " + strconv.Itoa(p.typ.Len())}
			}
			copy(unsafe.Slice((*byte)(v), p.size), x)
		} else if len(x) > 0 {
			*(*[]byte)(v) = append([]byte(nil), x...)
		}
		return end, nil
	case shapeList:
		return p.decodeList(b, at, v)
	case shapeMap:
		return p.decodeMap(b, at, v)
	case shapeStruct:
		return p.decodeStruct(b, at, v)
	}
	panic("BUG: wire: shape " + strconv.Itoa(int(p.shape)) + " is not read")
}

// ascii reports whether b[from:to] is ASCII. Most texts are, and eight bytes at a time that is seen sooner than UTF-8.
func ascii(b []byte, from, to int) bool {
	for ; from+8 <= to; from += 8 {
		if binary.LittleEndian.Uint64(b[from:])&ascii8 != 0 {
			return false
		}
	}
	left := to - from
	if left == 0 {
		return true
	}
	if to >= 8 { // the last eight bytes before the end, of which those before from are shifted out
		return binary.LittleEndian.Uint64(b[to-8:])>>(64-8*left)&ascii8 == 0
	}
	for _, c := range b[from:to] {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// head reads the head of an item of a major type. It is not ok if that is not what starts at b[at], or not in the
// shortest form. Whether the bytes or items that it announces are there is for the caller to see.
func head(b []byte, at int, major byte) (v uint64, next int, ok bool) {
	if at >= len(b) || b[at]>>5 != major {
		return 0, at, false
	}
	info := b[at] & 31
	at++
	left := len(b) - at
	switch {
	case info < 24:
		return uint64(info), at, true
	case info == 24 && left >= 1:
		v = uint64(b[at])
		return v, at + 1, v >= 24
	case info == 25 && left >= 2:
		v = uint64(binary.BigEndian.Uint16(b[at:]))
		return v, at + 2, v>>8 != 0
	case info == 26 && left >= 4:
		v = uint64(binary.BigEndian.Uint32(b[at:]))
		return v, at + 4, v>>16 != 0
	case info == 27 && left >= 8:
		v = binary.BigEndian.Uint64(b[at:])
		return v, at + 8, v>>32 != 0
	}
	return 0, at, false
}

// wrong is why no value of the plan starts at b[at].
func (p *Plan) wrong(b []byte, at int) (int, error) {
	next, err := item(b, at, func(r *cbor.Reader) (err error) {
		switch p.shape {
		case shapeBool:
			_, err = r.Bool()
		case shapeInt:
			_, err = r.Int()
		case shapeUint:
			_, err = r.Uint()
		case shapeText:
			_, err = r.Text()
		case shapeBytes, shapeArray:
			_, err = r.Bytes()
		case shapeList:
			_, err = r.Array()
		case shapeStruct:
			_, err = r.Map()
		}
		return err
	})
	if err == nil {
		panic("BUG: wire: refused what runtime/cbor reads as " + p.kind.String())
	}
	return next, err
}

// item reads what starts at b[at] by runtime/cbor.
func item(b []byte, at int, read func(*cbor.Reader) error) (next int, err error) {
	r := cbor.NewReader(b[at:])
	err = read(r)
	return at + r.Offset(), shifted(err, at)
}

// shifted is an error of a reader that started at an offset.
func shifted(err error, by int) error {
	if e, ok := err.(*cbor.Error); ok {
		return &cbor.Error{Offset: e.Offset + by, Reason: e.Reason}
	}
	return err
}

// disordered is why a key can't follow the one before it.
func disordered(last, key string, at int) error {
	if last == key {
		return &cbor.Error{Offset: at, Reason: "map key occurs twice"}
	}
	return &cbor.Error{Offset: at, Reason: "map keys are not in ascending order"}
}

func (p *Plan) decodeList(b []byte, at int, v unsafe.Pointer) (next int, err error) {
	n, next, ok := head(b, at, majorArray)
	if !ok || n > uint64(len(b)-next) {
		return p.wrong(b, at)
	}
	at = next
	if n == 0 {
		return at, nil
	}
	var g growing
	for i := range int(n) {
		if i == g.list.cap {
			g.more(p.typ, int(n))
		}
		if at, err = p.elem.decode(b, at, g.list.at(i, p.elem.size)); err != nil {
			return 0, within(indexed(i), err)
		}
	}
	g.list.len = int(n)
	*(*list)(v) = g.list
	return at, nil
}

func (p *Plan) decodeStruct(b []byte, start int, v unsafe.Pointer) (next int, err error) {
	n, at, ok := head(b, start, majorMap)
	if !ok || n > uint64(len(b)-at)/2 {
		return p.wrong(b, start)
	}
	return p.decodeFields(b, at, v, 0, int(n))
}

// decodeFields reads n more fields of the struct at v, from the i-th on. Keys come in the order of the fields, so one walk over both finds
// what is missing and what is unknown.
func (p *Plan) decodeFields(b []byte, at int, v unsafe.Pointer, i, n int) (next int, err error) {
	for {
		if beyond && cap(b)-len(b) >= Slack {
			read := 0
			at, read = p.quick(b, at, v, i, n)
			i += read
			n -= read
		}
		if n == 0 {
			break
		}
		n--
		if i, err = p.find(b, at, i); err != nil {
			return 0, err
		}
		f := &p.fields[i]
		i++
		at += len(f.key)
		if at < len(b) && b[at] == itemNull {
			return 0, within(f.name, &Error{Reason: "null: leave the field out instead"})
		}
		to := unsafe.Add(v, f.offset)
		if f.pointer {
			value := f.plan.make()
			*(*unsafe.Pointer)(to) = value
			to = value
		}
		if at, err = f.plan.decode(b, at, to); err != nil {
			return 0, within(f.name, err)
		}
	}
	for ; i < len(p.fields); i++ {
		if !p.fields[i].optional {
			return 0, missing(p.fields[i].name)
		}
	}
	return at, nil
}

// find returns which field, from i on, has the key at b[at]. It fails if none has, or one before it that is not optional.
func (p *Plan) find(b []byte, at, from int) (int, error) {
	for i := from; i < len(p.fields); i++ {
		f := &p.fields[i]
		if end := at + len(f.key); end <= len(b) && string(b[at:end]) == f.key {
			return i, nil
		}
		if !f.optional {
			break
		}
	}
	return 0, p.strange(b, at, from)
}

// strange is what is wrong with the key at b[at], where the first of the fields that may come is p.fields[from].
func (p *Plan) strange(b []byte, at, from int) error {
	var key string
	if _, err := item(b, at, func(r *cbor.Reader) (err error) { key, err = r.Text(); return err }); err != nil {
		return err
	}
	if from > 0 && cbor.CompareText(p.fields[from-1].name, key) >= 0 {
		return disordered(p.fields[from-1].name, key, at)
	}
	i := from
	for i < len(p.fields) && cbor.CompareText(p.fields[i].name, key) < 0 {
		i++
	}
	if i == len(p.fields) || p.fields[i].name != key {
		return &Error{Reason: "unknown field " + strconv.Quote(key)}
	}
	for from < i && p.fields[from].optional {
		from++
	}
	if from == i {
		panic("BUG: wire: the field " + key + " was not found where it is")
	}
	return missing(p.fields[from].name)
}

func missing(name string) error { return &Error{Path: name, Reason: "missing"} }
