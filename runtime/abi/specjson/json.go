package specjson

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxJSON is the longest JSON document that is read, in bytes: eight times the
// largest argument document, for escapes and white space.
const MaxJSON = 512 << 10

// An Error says what is wrong with a value and where it is.
type Error struct {
	// Path leads to the value, as in "grant.window[2].from"; it is empty for
	// the whole document.
	Path   string
	Reason string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Path == "" {
		return e.Reason
	}
	return e.Path + ": " + e.Reason
}

func wrong(path, format string, args ...any) error {
	return &Error{path, fmt.Sprintf(format, args...)}
}

// join returns the path of what field, a name or the path of something below,
// leads to from path.
func join(path, field string) string {
	if path == "" || field == "" || field[0] == '[' {
		return path + field
	}
	return path + "." + field
}

func at(path string, index int) string { return path + "[" + strconv.Itoa(index) + "]" }

// within puts path before the path of an error.
func within(path string, err error) error {
	var e *Error
	if path == "" || !errors.As(err, &e) {
		return err
	}
	return &Error{join(path, e.Path), e.Reason}
}

// shown returns a quoted value for an error message, cut to a readable length.
func shown(s string) string {
	const limit = 64
	if len(s) > limit {
		cut := limit
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		return strconv.Quote(s[:cut]) + "..."
	}
	return strconv.Quote(s)
}

// scanner walks a document that json.Valid has accepted, so it only has to look at
// one byte to know what comes next. Unlike json.Decoder it shows repeated keys
// and refuses text that is not Unicode instead of replacing it.
type scanner struct {
	b  []byte
	at int
}

func newScanner(doc []byte) (*scanner, error) {
	if len(doc) > MaxJSON {
		return nil, wrong("", "document is %d bytes, limit %d", len(doc), MaxJSON)
	}
	if !utf8.Valid(doc) {
		return nil, wrong("", "document is not UTF-8")
	}
	if !json.Valid(doc) {
		var v json.RawMessage
		return nil, wrong("", "not JSON: %v", json.Unmarshal(doc, &v))
	}
	return &scanner{b: doc}, nil
}

// peek returns the first byte of the next token.
func (s *scanner) peek() byte {
	for {
		switch c := s.b[s.at]; c {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return c
		}
	}
}

// open enters an object or array; next tells whether there is another member.
func (s *scanner) open() { s.peek(); s.at++ }

func (s *scanner) next() bool {
	switch s.peek() {
	case '}', ']':
		s.at++
		return false
	case ',':
		s.at++
	}
	return true
}

// key reads the name of an object's member and the colon.
func (s *scanner) key() (string, error) {
	name, err := s.text()
	s.peek()
	s.at++
	return name, err
}

// literal reads a number, true, false or null.
func (s *scanner) literal() string {
	s.peek()
	start := s.at
	for s.at < len(s.b) && !strings.ContainsRune(" \t\r\n,]}", rune(s.b[s.at])) {
		s.at++
	}
	return string(s.b[start:s.at])
}

// text reads a string.
func (s *scanner) text() (string, error) {
	s.peek()
	s.at++
	start := s.at
	for s.b[s.at] != '"' && s.b[s.at] != '\\' {
		s.at++
	}
	if s.b[s.at] == '"' {
		s.at++
		return string(s.b[start : s.at-1]), nil
	}
	out := append([]byte(nil), s.b[start:s.at]...)
	for {
		c := s.b[s.at]
		s.at++
		if c == '"' {
			return string(out), nil
		}
		if c != '\\' {
			out = append(out, c)
			continue
		}
		c = s.b[s.at]
		s.at++
		switch c {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r := s.hex4()
			if utf16.IsSurrogate(r) {
				low := rune(-1)
				if s.b[s.at] == '\\' && s.b[s.at+1] == 'u' {
					s.at += 2
					low = s.hex4()
				}
				if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
					return "", errors.New("half a surrogate pair is no text")
				}
			}
			out = utf8.AppendRune(out, r)
		default: // " \ /
			out = append(out, c)
		}
	}
}

func (s *scanner) hex4() rune {
	var b [2]byte
	hex.Decode(b[:], s.b[s.at:s.at+4]) // json.Valid saw the digits
	s.at += 4
	return rune(b[0])<<8 | rune(b[1])
}

// appendString appends s, which is UTF-8, as a JSON string. U+2028 and U+2029 are
// escaped, so that the result is JavaScript too.
func appendString(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c < 0x20 || c == 0x7f:
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		case c == 0xe2 && i+2 < len(s) && s[i+1] == 0x80 && s[i+2]&^1 == 0xa8:
			b = append(b, '\\', 'u', '2', '0', '2', digits[s[i+2]&15])
			i += 2
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// maxSafe is the largest integer that every JSON reader keeps exactly: RFC 7493, 2.2.
const maxSafe = 1<<53 - 1

func appendInt(b []byte, v int64) []byte {
	if v > maxSafe || v < -maxSafe {
		return append(strconv.AppendInt(append(b, '"'), v, 10), '"')
	}
	return strconv.AppendInt(b, v, 10)
}

func appendUint(b []byte, v uint64) []byte {
	if v > maxSafe {
		return append(strconv.AppendUint(append(b, '"'), v, 10), '"')
	}
	return strconv.AppendUint(b, v, 10)
}

func appendHex(b, v []byte) []byte {
	b = append(b, '"', '0', 'x')
	b = hex.AppendEncode(b, v)
	return append(b, '"')
}
