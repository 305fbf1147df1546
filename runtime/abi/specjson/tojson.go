package specjson

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
)

// ToJSON returns the JSON of one canonical CBOR item of type t. An empty
// document, the result of a method that answers nothing, is null. It fails with
// an *[Error] if the item is not of the type or not canonical; [Untyped] renders
// such an item all the same.
func ToJSON(t *abi.Type, item []byte) ([]byte, error) {
	if len(item) == 0 {
		return []byte("null"), nil
	}
	if err := cbor.Valid(item); err != nil {
		return nil, wrong("", "not canonical CBOR: %v", err)
	}
	if t == nil {
		return Untyped(item), nil
	}
	return forPrograms.render(nil, cbor.NewReader(item), t)
}

// A form is for whom times and durations are written.
type form int

const (
	forPrograms form = iota // numbers
	forPeople               // text, where there is one
)

// render appends the JSON of the reader's next item. The item is canonical. The path to what is wrong is put together as in value.
func (f form) render(b []byte, r *cbor.Reader, t *abi.Type) ([]byte, error) {
	var err error
	switch t.Kind {
	case abi.KindBool:
		var v bool
		if v, err = r.Bool(); err == nil {
			b = appendBool(b, v)
		}
	case abi.KindInt, abi.KindTime, abi.KindDuration:
		var v int64
		if v, err = r.Int(); err != nil {
			break
		}
		if least, most := t.Ints(); v < least || v > most {
			err = beyond(t, strconv.FormatInt(v, 10))
		}
		b = f.appendInt(b, t.Kind, v)
	case abi.KindUint:
		var v uint64
		if v, err = r.Uint(); err != nil {
			break
		}
		if v > t.Uints() {
			err = beyond(t, strconv.FormatUint(v, 10))
		}
		b = appendUint(b, v)
	case abi.KindText:
		var v string
		if v, err = r.Text(); err == nil {
			b = appendString(b, v)
		}
	case abi.KindBytes:
		var v []byte
		if v, err = r.Bytes(); err != nil {
			break
		}
		err = fitsBytes(t, v)
		b = appendHex(b, v)
	case abi.KindAddress:
		var v []byte
		if v, err = r.Bytes(); err != nil {
			break
		}
		var a address.Address
		if a, err = address.FromBytes(v); err == nil {
			b = appendString(b, a.String())
		}
	case abi.KindList:
		return f.list(b, r, t)
	case abi.KindMap:
		return f.dict(b, r, t)
	case abi.KindStruct:
		return f.fields(b, r, t.Fields)
	default:
		err = errors.New("type has no kind")
	}
	if err != nil {
		return nil, wrong("", "%v", reason(err))
	}
	return b, nil
}

// appendInt appends an int, a time or a duration. For people too, a time outside the years 0 to 9999 is its number of seconds.
func (f form) appendInt(b []byte, k abi.Kind, v int64) []byte {
	const first, last = -62167219200, 253402300799
	switch {
	case f == forPeople && k == abi.KindTime && first <= v && v <= last:
		return appendString(b, time.Unix(v, 0).UTC().Format(time.RFC3339))
	case f == forPeople && k == abi.KindDuration && v == int64(time.Duration(v)*time.Second/time.Second):
		return appendString(b, durationText(time.Duration(v)*time.Second))
	}
	return appendInt(b, v)
}

// durationText is a duration in hours, minutes and seconds, as it is read: 48h, 1h30m, 0s.
func durationText(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// reason strips the offset, which means nothing to somebody who sees a path.
func reason(err error) string {
	var e *cbor.Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return err.Error()
}

func (f form) list(b []byte, r *cbor.Reader, t *abi.Type) ([]byte, error) {
	n, err := r.Array()
	if err != nil {
		return nil, wrong("", "%s", reason(err))
	}
	b = append(b, '[')
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = f.render(b, r, t.Elem); err != nil {
			return nil, within(at("", i), err)
		}
	}
	return append(b, ']'), nil
}

func (f form) dict(b []byte, r *cbor.Reader, t *abi.Type) ([]byte, error) {
	n, err := r.Map()
	if err != nil {
		return nil, wrong("", "%s", reason(err))
	}
	b = append(b, '{')
	for i := range n {
		key, err := r.Text()
		if err != nil {
			return nil, wrong("", "key: %s", reason(err))
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, key), ':')
		if b, err = f.render(b, r, t.Elem); err != nil {
			return nil, within(key, err)
		}
	}
	return append(b, '}'), nil
}

func (f form) fields(b []byte, r *cbor.Reader, fields []abi.Field) ([]byte, error) {
	n, err := r.Map()
	if err != nil {
		return nil, wrong("", "%s", reason(err))
	}
	// The map is in canonical order; people read the author's.
	var values [abi.MaxFields][]byte
	for range n {
		key, err := r.Text()
		if err != nil {
			return nil, wrong("", "key: %s", reason(err))
		}
		i := 0
		for i < len(fields) && i < len(values) && fields[i].Name != key {
			i++
		}
		if i == len(fields) || i == len(values) {
			return nil, unknown(key, fields)
		}
		if values[i], err = r.Raw(); err != nil {
			return nil, wrong(key, "%s", reason(err))
		}
	}
	b = append(b, '{')
	first := true
	for i, field := range fields {
		if values[i] == nil {
			if !field.Optional {
				return nil, wrong("", "missing %s (%s)", field.Name, Hint(field.Type))
			}
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendString(b, field.Name), ':')
		if b, err = f.render(b, cbor.NewReader(values[i]), field.Type); err != nil {
			return nil, within(field.Name, err)
		}
	}
	return append(b, '}'), nil
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, "true"...)
	}
	return append(b, "false"...)
}

// Untyped returns the JSON of a canonical CBOR item whose type is not known:
// byte strings, addresses among them, are "0x..." text, and a map with other
// keys than text is an array of pairs. What is not canonical CBOR is rendered as
// one byte string; an empty document is null.
func Untyped(item []byte) []byte {
	if len(item) == 0 {
		return []byte("null")
	}
	if cbor.Valid(item) != nil {
		return appendHex(nil, item)
	}
	return untyped(nil, cbor.NewReader(item))
}

// Part returns the JSON of what was kept of a document of size bytes: by the type t if all was kept and fits, which t may be nil, else
// by what it is; the first bytes alone as one byte string.
func Part(t *abi.Type, kept []byte, size int) []byte {
	if len(kept) < size {
		return appendHex(nil, kept)
	}
	if t != nil && size > 0 {
		if doc, err := ToJSON(t, kept); err == nil {
			return doc
		}
	}
	return Untyped(kept)
}

// untyped appends the JSON of the reader's next item, which is canonical, so
// that no read can fail.
func untyped(b []byte, r *cbor.Reader) []byte {
	switch r.Kind() {
	case cbor.Uint:
		v, _ := r.Uint()
		return appendUint(b, v)
	case cbor.NegInt:
		v, _ := r.Int()
		return appendInt(b, v)
	case cbor.Bytes:
		v, _ := r.Bytes()
		return appendHex(b, v)
	case cbor.Text:
		v, _ := r.Text()
		return appendString(b, v)
	case cbor.Bool:
		v, _ := r.Bool()
		return appendBool(b, v)
	case cbor.Array:
		n, _ := r.Array()
		b = append(b, '[')
		for i := range n {
			if i > 0 {
				b = append(b, ',')
			}
			b = untyped(b, r)
		}
		return append(b, ']')
	case cbor.Map:
		return untypedMap(b, r)
	}
	r.Skip()
	return append(b, "null"...)
}

func untypedMap(b []byte, r *cbor.Reader) []byte {
	ahead := *r
	text := true
	n, _ := ahead.Map()
	for range n {
		text = text && ahead.Kind() == cbor.Text
		ahead.Skip()
		ahead.Skip()
	}
	r.Map()
	begin, end := byte('{'), byte('}')
	if !text {
		begin, end = '[', ']'
	}
	b = append(b, begin)
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		if text {
			b = append(untyped(b, r), ':')
			b = untyped(b, r)
		} else {
			b = append(untyped(append(b, '['), r), ',')
			b = append(untyped(b, r), ']')
		}
	}
	return append(b, end)
}

// EventJSON returns the attributes of an event as a JSON object, typed by the
// spec of the contract that emitted it. It always returns something that can be
// read: if spec is nil, doesn't have the event, or the attributes are not what it
// says, they are rendered by [Untyped].
func EventJSON(spec *abi.Spec, name string, attributes []byte) []byte {
	if len(attributes) == 0 {
		attributes = []byte{0xa0}
	}
	var event abi.EventSpec
	known := false
	if name == abi.RefusedEvent {
		event, known = abi.Refused(), true
	} else if spec != nil {
		event, known = spec.Event(name)
	}
	if known {
		t := abi.Type{Kind: abi.KindStruct, Fields: event.Fields}
		if doc, err := ToJSON(&t, attributes); err == nil {
			return doc
		}
	}
	return Untyped(attributes)
}
