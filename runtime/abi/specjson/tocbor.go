package specjson

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
)

// ToCBOR returns the canonical CBOR of a JSON document of type t. For a struct
// an empty document is the empty object. For nil, the type of arguments of a
// method that takes none, the document must be empty, null or {}; the result is
// the empty map. Errors are of type *[Error].
func ToCBOR(t *abi.Type, doc []byte) ([]byte, error) {
	if t == nil {
		t = &abi.Type{Kind: abi.KindStruct}
		if strings.TrimSpace(string(doc)) == "null" {
			doc = nil
		}
	}
	if len(doc) == 0 && t.Kind == abi.KindStruct {
		doc = []byte("{}")
	}
	s, err := newScanner(doc)
	if err != nil {
		return nil, err
	}
	return s.value(nil, t)
}

// value appends the CBOR of the next value. The path to what is wrong is put together on the way back: to have it ready for each of
// thousands of items below one long key would take the square of a document's length.
func (s *scanner) value(b []byte, t *abi.Type) ([]byte, error) {
	c := s.peek()
	switch t.Kind {
	case abi.KindList:
		if c != '[' {
			return nil, s.mismatch(t)
		}
		return s.list(b, t)
	case abi.KindMap, abi.KindStruct:
		if c != '{' {
			return nil, s.mismatch(t)
		}
		return s.object(b, t)
	case abi.KindBool:
		switch s.peekLiteral() {
		case "true", "false":
			return cbor.AppendBool(b, s.literal() == "true"), nil
		}
		return nil, s.mismatch(t)
	case abi.KindText, abi.KindBytes, abi.KindAddress:
		if c != '"' {
			return nil, s.mismatch(t)
		}
	default:
		if c != '"' && c != '-' && (c < '0' || c > '9') {
			return nil, s.mismatch(t)
		}
	}
	text := ""
	if c == '"' {
		var err error
		if text, err = s.text(); err != nil {
			return nil, wrong("", "%v", err)
		}
	} else {
		text = s.literal()
	}
	return scalar(b, t, text)
}

func (s *scanner) list(b []byte, t *abi.Type) ([]byte, error) {
	var items []byte
	n := 0
	s.open()
	for s.next() {
		var err error
		if items, err = s.value(items, t.Elem); err != nil {
			return nil, within(at("", n), err)
		}
		n++
	}
	return append(cbor.AppendArray(b, n), items...), nil
}

// member is one pair of a map before it is sorted.
type member struct {
	key   string
	value []byte
}

func (s *scanner) object(b []byte, t *abi.Type) ([]byte, error) {
	var members []member
	seen := map[string]bool{}
	s.open()
	for s.next() {
		key, err := s.key()
		if err != nil {
			return nil, wrong("", "%v", err)
		}
		if seen[key] {
			return nil, wrong("", "%s is there twice", shown(key))
		}
		seen[key] = true
		elem := t.Elem
		if t.Kind == abi.KindStruct {
			f := field(t.Fields, key)
			if f == nil {
				return nil, unknown(key, t.Fields)
			}
			if f.Optional && s.peekLiteral() == "null" {
				s.literal()
				continue
			}
			elem = f.Type
		}
		value, err := s.value(nil, elem)
		if err != nil {
			return nil, within(key, err)
		}
		members = append(members, member{key, value})
	}
	if t.Kind == abi.KindStruct {
		if err := missing(t.Fields, members); err != nil {
			return nil, err
		}
	}
	return appendMembers(b, members), nil
}

// appendMembers appends a map in canonical order.
func appendMembers(b []byte, members []member) []byte {
	slices.SortFunc(members, func(x, y member) int { return cbor.CompareText(x.key, y.key) })
	b = cbor.AppendMap(b, len(members))
	for _, m := range members {
		b = append(cbor.AppendText(b, m.key), m.value...)
	}
	return b
}

func field(fields []abi.Field, name string) *abi.Field {
	for i := range fields {
		if fields[i].Name == name {
			return &fields[i]
		}
	}
	return nil
}

func unknown(name string, fields []abi.Field) error {
	if len(fields) == 0 {
		return wrong("", "unknown field %s: there are none", shown(name))
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return wrong("", "unknown field %s: known are %s", shown(name), strings.Join(names, ", "))
}

func missing(fields []abi.Field, members []member) error {
	var names []string
	for _, f := range fields {
		has := slices.ContainsFunc(members, func(m member) bool { return m.key == f.Name })
		if !has && !f.Optional {
			names = append(names, f.Name+" ("+Hint(f.Type)+")")
		}
	}
	if names == nil {
		return nil
	}
	return wrong("", "missing %s", strings.Join(names, ", "))
}

// peekLiteral returns the next literal without reading it, or "" before anything else.
func (s *scanner) peekLiteral() string {
	switch s.peek() {
	case '"', '{', '[':
		return ""
	}
	ahead := *s
	return ahead.literal()
}

func (s *scanner) mismatch(t *abi.Type) error {
	got := ""
	switch c := s.peek(); {
	case c == '"':
		text, _ := s.text()
		got = "the text " + shown(text)
	case c == '{':
		got = "an object"
	case c == '[':
		got = "an array"
	case c == '-' || '0' <= c && c <= '9':
		got = "the number " + strings.Trim(shown(s.literal()), `"`)
	default:
		got = s.literal()
	}
	return wrong("", "%s, must be %s", got, Hint(t))
}

// scalar appends the CBOR of one value written as text.
func scalar(b []byte, t *abi.Type, text string) ([]byte, error) {
	switch t.Kind {
	case abi.KindBool:
		if text != "true" && text != "false" {
			return nil, wrong("", "%s is not true or false", shown(text))
		}
		return cbor.AppendBool(b, text == "true"), nil
	case abi.KindText:
		if !utf8.ValidString(text) {
			return nil, wrong("", "%s is not UTF-8", shown(text))
		}
		return cbor.AppendText(b, text), nil
	case abi.KindBytes:
		digits, ok := strings.CutPrefix(text, "0x")
		if !ok {
			return nil, wrong("", "%s is not hexadecimal with 0x before it", shown(text))
		}
		v, err := hex.DecodeString(digits)
		if err != nil {
			return nil, wrong("", "%s is not hexadecimal: %v", shown(text), err)
		}
		if err := fitsBytes(t, v); err != nil {
			return nil, wrong("", "%v", err)
		}
		return cbor.AppendBytes(b, v), nil
	case abi.KindAddress:
		a, err := address.Parse(text)
		if err != nil {
			return nil, wrong("", "%v", err)
		}
		return cbor.AppendBytes(b, a[:]), nil
	case abi.KindUint:
		if !integer(text) {
			return nil, wrong("", "%s is not a whole number", shown(text))
		}
		v, err := strconv.ParseUint(text, 10, 64)
		if err != nil || v > t.Uints() {
			return nil, wrong("", "%v", beyond(t, text))
		}
		return cbor.AppendUint(b, v), nil
	case abi.KindInt:
		if !integer(text) {
			return nil, wrong("", "%s is not a whole number", shown(text))
		}
		v, err := strconv.ParseInt(text, 10, 64)
		if least, most := t.Ints(); err != nil || v < least || v > most {
			return nil, wrong("", "%v", beyond(t, text))
		}
		return cbor.AppendInt(b, v), nil
	case abi.KindTime:
		v, err := parseTime(text)
		if err != nil {
			return nil, err
		}
		return cbor.AppendInt(b, v), nil
	case abi.KindDuration:
		v, err := parseDuration(text)
		if err != nil {
			return nil, err
		}
		return cbor.AppendInt(b, v), nil
	}
	panic(fmt.Sprintf("BUG: specjson: kind %v is no scalar", t.Kind))
}

// integer reports whether text is a whole number as JSON writes it.
func integer(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	if digits == "" || len(digits) > 1 && digits[0] == '0' {
		return false
	}
	return strings.Trim(digits, "0123456789") == ""
}

func parseInt(text string) (int64, error) {
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, wrong("", "%v", beyond(&abi.Type{Kind: abi.KindInt}, text))
	}
	return v, nil
}

// beyond is why a whole number is none of an int or uint.
func beyond(t *abi.Type, number string) error {
	least, most := bounds(t)
	if t.Size == 0 {
		return fmt.Errorf("%s is not between %s and %s", number, least, most)
	}
	if strings.HasPrefix(number, "-") {
		return fmt.Errorf("%s does not fit %s, whose smallest value is %s", number, t, least)
	}
	return fmt.Errorf("%s does not fit %s, whose largest value is %s", number, t, most)
}

// bounds are the smallest and the largest value of an int or uint.
func bounds(t *abi.Type) (least, most string) {
	if t.Kind == abi.KindUint {
		return "0", strconv.FormatUint(t.Uints(), 10)
	}
	l, m := t.Ints()
	return strconv.FormatInt(l, 10), strconv.FormatInt(m, 10)
}

// fitsBytes says what is wrong with the number of some bytes.
func fitsBytes(t *abi.Type, v []byte) error {
	if t.Size != 0 && uint64(len(v)) != t.Size {
		return fmt.Errorf("%d bytes, must be %d", len(v), t.Size)
	}
	return nil
}

func parseTime(text string) (int64, error) {
	if integer(text) {
		return parseInt(text)
	}
	v, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, wrong("", "%s is not a time: RFC 3339, as in 2026-03-01T08:00:00Z, or unix seconds", shown(text))
	}
	if v.Nanosecond() != 0 {
		return 0, wrong("", "%s has a fraction of a second", shown(text))
	}
	return v.Unix(), nil
}

func parseDuration(text string) (int64, error) {
	if integer(text) {
		return parseInt(text)
	}
	v, err := time.ParseDuration(text)
	if err != nil {
		return 0, wrong("", "%s is not a duration: seconds, or as in 1h30m", shown(text))
	}
	if v%time.Second != 0 {
		return 0, wrong("", "%s has a fraction of a second", shown(text))
	}
	return int64(v / time.Second), nil
}
