package specjson

import (
	"strconv"
	"strings"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/cbor"
)

// FromText returns the canonical CBOR of a value as a person types it on a command
// line: a scalar as in JSON without quotes, a list as a JSON array or, of
// scalars, separated by commas (nothing at all is the empty list), a map or a
// struct as a JSON object.
func FromText(t *abi.Type, text string) ([]byte, error) {
	return fromTexts(t, []string{text})
}

// FromFlags returns the arguments of a method from flags: the fields' names, and
// what was given for each. A list may be given in several flags, which are put
// one after the other; for anything else the flag may be there once. Errors name
// the field.
func FromFlags(t *abi.Type, flags map[string][]string) ([]byte, error) {
	var fields []abi.Field
	if t != nil {
		fields = t.Fields
	}
	for name := range flags {
		if field(fields, name) == nil {
			return nil, unknown(name, fields)
		}
	}
	var members []member
	for _, f := range fields {
		texts, ok := flags[f.Name]
		if !ok {
			continue
		}
		value, err := fromTexts(f.Type, texts)
		if err != nil {
			return nil, within(f.Name, err)
		}
		members = append(members, member{f.Name, value})
	}
	if err := missing(fields, members); err != nil {
		return nil, err
	}
	return appendMembers(nil, members), nil
}

func fromTexts(t *abi.Type, texts []string) ([]byte, error) {
	if t.Kind != abi.KindList {
		if len(texts) != 1 {
			return nil, wrong("", "given %d times", len(texts))
		}
		if t.Kind == abi.KindMap || t.Kind == abi.KindStruct {
			return ToCBOR(t, []byte(texts[0]))
		}
		return scalar(nil, t, texts[0])
	}
	var items []byte
	count := 0
	for _, text := range texts {
		list, n, err := fromList(t, text, count)
		if err != nil {
			return nil, err
		}
		items = append(items, list...)
		count += n
	}
	return append(cbor.AppendArray(nil, count), items...), nil
}

// fromList returns the items of one text without the list's head; first is the
// index of the first.
func fromList(t *abi.Type, text string, first int) (items []byte, n int, err error) {
	if text == "" {
		return nil, 0, nil
	}
	if strings.HasPrefix(text, "[") {
		list, err := ToCBOR(t, []byte(text))
		if err != nil {
			return nil, 0, err
		}
		r := cbor.NewReader(list)
		n, err = r.Array()
		return list[r.Offset():], n, err
	}
	switch t.Elem.Kind {
	case abi.KindList:
		return nil, 0, wrong("", "%s, must be a JSON array of lists", shown(text))
	case abi.KindMap, abi.KindStruct:
		items, err = ToCBOR(t.Elem, []byte(text)) // one object
		return items, 1, within(at("", first), err)
	}
	for part := range strings.SplitSeq(text, ",") {
		if items, err = scalar(items, t.Elem, part); err != nil {
			return nil, 0, within(at("", first+n), err)
		}
		n++
	}
	return items, n, nil
}

// Readable returns a JSON document of type t, as [ToJSON] makes it, for people: times as RFC 3339 and durations as 1h30m, also
// inside lists, maps and structs. [ToCBOR] reads it as it reads the other. What isn't of the type comes back as it is.
func Readable(t *abi.Type, doc []byte) []byte {
	if t == nil {
		return doc
	}
	item, err := ToCBOR(t, doc)
	if err != nil {
		return doc
	}
	readable, err := forPeople.render(nil, cbor.NewReader(item), t)
	if err != nil {
		return doc
	}
	return readable
}

// Hint returns in a few words how a value of the type is written.
func Hint(t *abi.Type) string {
	if t == nil {
		return "nothing"
	}
	switch t.Kind {
	case abi.KindBool:
		return "true or false"
	case abi.KindInt, abi.KindUint:
		least, most := bounds(t)
		switch {
		case t.Size != 0:
			return "whole number from " + least + " to " + most
		case t.Kind == abi.KindUint:
			return "whole number from 0"
		}
		return "whole number"
	case abi.KindBytes:
		if t.Size != 0 {
			return "0x and " + strconv.FormatUint(2*t.Size, 10) + " hexadecimal digits"
		}
		return "0x and hexadecimal digits"
	case abi.KindAddress:
		return "address, ward1..."
	case abi.KindTime:
		return "time, RFC 3339 or unix seconds"
	case abi.KindDuration:
		return "duration, 1h30m or seconds"
	case abi.KindList:
		return "list of " + t.Elem.String()
	case abi.KindMap:
		return "object with " + t.Elem.String() + " values"
	case abi.KindStruct:
		if t.Name != "" {
			return "object " + t.Name
		}
		return "object"
	}
	return t.Kind.String()
}

// Help returns one line about the fields of a struct for a usage text, as in
//
//	object text, expires time (RFC 3339 or unix seconds, optional)
//
// and "nothing" if there are none.
func Help(t *abi.Type) string {
	if t == nil || len(t.Fields) == 0 {
		return "nothing"
	}
	parts := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		var notes []string
		kind := f.Type.String()
		switch f.Type.Kind {
		case abi.KindTime, abi.KindDuration, abi.KindAddress:
			_, note, _ := strings.Cut(Hint(f.Type), ", ")
			notes = append(notes, note)
		case abi.KindText, abi.KindInt, abi.KindUint:
		case abi.KindBytes, abi.KindBool:
			notes = append(notes, Hint(f.Type))
		default:
			kind = Hint(f.Type)
		}
		if f.Optional {
			notes = append(notes, "optional")
		}
		parts[i] = f.Name + " " + kind
		if notes != nil {
			parts[i] += " (" + strings.Join(notes, ", ") + ")"
		}
	}
	return strings.Join(parts, ", ")
}
