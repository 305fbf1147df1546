package cbor

import (
	"bytes"
	"math"
	"strconv"
	"unicode/utf8"
)

// Reader reads items of the profile one after another from a byte slice.
//
// It is strict: whatever is not in the profile is an *Error, and a call that fails
// leaves the reader where it was. Lengths and counts are compared with the bytes
// that are left before anybody allocates for them. What Array and Map open is the
// caller's to read; order and uniqueness of map keys are checked by MapKeys, by
// Skip and by Raw, and nesting by Skip and Raw, for what they read. A caller that
// follows untrusted nesting by itself asks Valid first or bounds its own descent.
type Reader struct {
	b   []byte
	off int
}

// NewReader returns a reader at the start of b, which must not change while the
// reader, or anything that Bytes and Raw returned, is in use.
func NewReader(b []byte) *Reader { return &Reader{b: b} }

// Valid reports whether b is exactly one item of the profile, with nothing behind it.
func Valid(b []byte) error {
	next, err := skip(b, 0, 0)
	if err != nil {
		return err
	}
	if next != len(b) {
		return trailing(b, next)
	}
	return nil
}

// Offset is how many bytes have been read.
func (r *Reader) Offset() int { return r.off }

// Kind peeks at the next item.
func (r *Reader) Kind() Kind { return kindAt(r.b, r.off) }

// Uint reads an unsigned integer.
func (r *Reader) Uint() (uint64, error) {
	v, next, err := r.head(Uint)
	if err != nil {
		return 0, err
	}
	r.off = next
	return v, nil
}

// Int reads an integer of either sign that fits in 64 bits with its sign.
func (r *Reader) Int() (int64, error) {
	if r.Kind() == NegInt {
		v, next, err := r.head(NegInt)
		if err != nil {
			return 0, err
		}
		r.off = next
		return -1 - int64(v), nil // readHead has refused v > MaxInt64
	}
	if r.Kind() != Uint {
		return 0, unexpected(r.b, r.off, "an integer")
	}
	v, next, err := r.head(Uint)
	if err != nil {
		return 0, err
	}
	if v > math.MaxInt64 {
		return 0, &Error{r.off, "integer " + strconv.FormatUint(v, 10) + " does not fit in 63 bits and a sign"}
	}
	r.off = next
	return int64(v), nil
}

// Bytes reads a byte string. The result aliases the input and is never nil.
func (r *Reader) Bytes() ([]byte, error) { return r.str(Bytes) }

// Text reads a text string, which is UTF-8.
func (r *Reader) Text() (string, error) {
	start := r.off
	s, err := r.str(Text)
	if err != nil {
		return "", err
	}
	if !utf8.Valid(s) {
		r.off = start
		return "", &Error{start, "text is not UTF-8"}
	}
	return string(s), nil
}

// str reads the body of a string without looking into it.
func (r *Reader) str(k Kind) ([]byte, error) {
	n, next, err := r.head(k)
	if err != nil {
		return nil, err
	}
	end := next + int(n) // readHead has bounded n by the bytes left
	r.off = end
	return r.b[next:end:end], nil
}

// Bool reads false or true.
func (r *Reader) Bool() (bool, error) {
	if r.Kind() != Bool {
		return false, unexpected(r.b, r.off, Bool.String())
	}
	v := r.b[r.off] == byteTrue
	r.off++
	return v, nil
}

// Null reads a null if that is what comes next, and otherwise reports false and
// reads nothing. It fails only at the end of the input.
func (r *Reader) Null() (bool, error) {
	switch r.Kind() {
	case Null:
		r.off++
		return true, nil
	case EOF:
		return false, unexpected(r.b, r.off, Null.String())
	}
	return false, nil
}

// Array reads the head of an array; its n items come next. There are at least n
// bytes left.
func (r *Reader) Array() (n int, err error) { return r.open(Array) }

// Map reads the head of a map; its n keys come next, each followed by its value.
// There are at least 2n bytes left. Read the keys through a MapKeys.
func (r *Reader) Map() (n int, err error) { return r.open(Map) }

func (r *Reader) open(k Kind) (int, error) {
	n, next, err := r.head(k)
	if err != nil {
		return 0, err
	}
	r.off = next
	return int(n), nil
}

// Skip reads one whole item, with everything inside it, and checks it.
func (r *Reader) Skip() error {
	next, err := skip(r.b, r.off, 0)
	if err != nil {
		return err
	}
	r.off = next
	return nil
}

// Raw reads one whole item, checks it and returns its bytes, which alias the input.
func (r *Reader) Raw() ([]byte, error) {
	start := r.off
	if err := r.Skip(); err != nil {
		return nil, err
	}
	return r.b[start:r.off:r.off], nil
}

// End fails if anything is left.
func (r *Reader) End() error {
	if r.off != len(r.b) {
		return trailing(r.b, r.off)
	}
	return nil
}

// head reads the head of the next item, which must be of kind k, without moving.
func (r *Reader) head(k Kind) (v uint64, next int, err error) {
	if kindAt(r.b, r.off) != k {
		return 0, 0, unexpected(r.b, r.off, k.String())
	}
	_, v, next, err = readHead(r.b, r.off)
	return v, next, err
}

// MapKeys checks that the keys of one map ascend strictly, which also makes them
// unique. Its zero value stands before the first key; use a fresh one for each map.
type MapKeys struct{ last []byte }

// Uint reads the next key, an unsigned integer.
func (k *MapKeys) Uint(r *Reader) (uint64, error) {
	start := r.off
	v, err := r.Uint()
	if err != nil {
		return 0, err
	}
	return v, k.follow(r, start)
}

// Text reads the next key, a text string.
func (k *MapKeys) Text(r *Reader) (string, error) {
	start := r.off
	v, err := r.Text()
	if err != nil {
		return "", err
	}
	return v, k.follow(r, start)
}

// Raw reads the next key, of any kind that a key may have, as its encoded bytes.
func (k *MapKeys) Raw(r *Reader) ([]byte, error) {
	start := r.off
	if err := keyKind(r.b, start); err != nil {
		return nil, err
	}
	v, err := r.Raw()
	if err != nil {
		return nil, err
	}
	return v, k.follow(r, start)
}

func (k *MapKeys) follow(r *Reader, start int) error {
	key := r.b[start:r.off]
	if err := ascends(k.last, key, start); err != nil {
		r.off = start
		return err
	}
	k.last = key
	return nil
}

// ascends checks one encoded key against the one before it, nil if there is none.
func ascends(last, key []byte, off int) error {
	if last == nil {
		return nil
	}
	switch bytes.Compare(last, key) {
	case 0:
		return &Error{off, "map key occurs twice"}
	case 1:
		return &Error{off, "map keys are not in ascending order"}
	}
	return nil
}

// keyKind checks that the item at off may be a map key.
func keyKind(b []byte, off int) error {
	switch k := kindAt(b, off); k {
	case Uint, NegInt, Bytes, Text:
		return nil
	case EOF, Invalid:
		_, _, _, err := readHead(b, off)
		return err
	default:
		return &Error{off, "map key is " + k.String() + ", allowed are integers, byte strings and text"}
	}
}

// kindAt judges the item at off by its first byte.
func kindAt(b []byte, off int) Kind {
	if off >= len(b) {
		return EOF
	}
	c := b[off]
	if c>>5 == majorSimple {
		switch c {
		case byteFalse, byteTrue:
			return Bool
		case byteNull:
			return Null
		}
		return Invalid
	}
	if c>>5 == majorTag || c&31 > 27 {
		return Invalid
	}
	return Uint + Kind(c>>5)
}

// readHead reads the head at off: its major type, its argument and where the next
// byte is. It checks everything that a head alone can get wrong: the first byte,
// the shortest form, and a length or count against the bytes that are left.
func readHead(b []byte, off int) (major byte, v uint64, next int, err error) {
	if off >= len(b) {
		return 0, 0, 0, &Error{off, "the input ends where an item should be"}
	}
	c := b[off]
	major, info := c>>5, c&31
	switch {
	case major == majorTag:
		return 0, 0, 0, &Error{off, "tag: the profile has none"}
	case major == majorSimple:
		switch c {
		case byteFalse, byteTrue, byteNull:
			return major, uint64(info), off + 1, nil
		case 0xf9, 0xfa, 0xfb:
			return 0, 0, 0, &Error{off, "floating-point number: the profile has none"}
		case 0xff:
			return 0, 0, 0, &Error{off, "break outside an indefinite length"}
		}
		return 0, 0, 0, &Error{off, "simple value 0x" + strconv.FormatUint(uint64(c), 16) + ": only false, true and null are allowed"}
	case info == 31:
		return 0, 0, 0, &Error{off, "indefinite length"}
	case info > 27:
		return 0, 0, 0, &Error{off, "reserved head 0x" + strconv.FormatUint(uint64(c), 16)}
	}
	next = off + 1
	if info < 24 {
		v = uint64(info)
	} else {
		n := 1 << (info - 24)
		if len(b)-next < n {
			return 0, 0, 0, &Error{off, "the input ends inside a head"}
		}
		for _, d := range b[next : next+n] {
			v = v<<8 | uint64(d)
		}
		next += n
		// The smallest argument that needs this many bytes; for one byte it is 24.
		if least := uint64(1) << (n * 4); n == 1 && v < 24 || n > 1 && v < least {
			return 0, 0, 0, &Error{off, "value " + strconv.FormatUint(v, 10) + " has a head longer than it needs"}
		}
	}
	left := uint64(len(b) - next)
	switch major {
	case majorNegInt:
		if v > math.MaxInt64 {
			return 0, 0, 0, &Error{off, "integer -1-" + strconv.FormatUint(v, 10) + " does not fit in 63 bits and a sign"}
		}
	case majorBytes, majorText:
		if v > left {
			return 0, 0, 0, &Error{off, "string of " + strconv.FormatUint(v, 10) + " bytes, the input has " + strconv.FormatUint(left, 10) + " left"}
		}
	case majorArray:
		if v > left {
			return 0, 0, 0, &Error{off, "array of " + strconv.FormatUint(v, 10) + " items, the input has " + strconv.FormatUint(left, 10) + " bytes left"}
		}
	case majorMap:
		if v > left/2 {
			return 0, 0, 0, &Error{off, "map of " + strconv.FormatUint(v, 10) + " pairs, the input has " + strconv.FormatUint(left, 10) + " bytes left"}
		}
	}
	return major, v, next, nil
}

// skip checks the item at off, which has depth containers around it, and returns
// where the next one starts.
func skip(b []byte, off, depth int) (next int, err error) {
	major, v, next, err := readHead(b, off)
	if err != nil {
		return 0, err
	}
	switch major {
	case majorBytes:
		return next + int(v), nil
	case majorText:
		end := next + int(v)
		if !utf8.Valid(b[next:end]) {
			return 0, &Error{off, "text is not UTF-8"}
		}
		return end, nil
	case majorArray, majorMap:
		if depth == MaxDepth {
			return 0, &Error{off, "nested deeper than " + strconv.Itoa(MaxDepth)}
		}
	}
	switch major {
	case majorArray:
		for range v {
			if next, err = skip(b, next, depth+1); err != nil {
				return 0, err
			}
		}
	case majorMap:
		var last []byte
		for range v {
			start := next
			if err := keyKind(b, start); err != nil {
				return 0, err
			}
			if next, err = skip(b, start, depth+1); err != nil {
				return 0, err
			}
			if err := ascends(last, b[start:next], start); err != nil {
				return 0, err
			}
			last = b[start:next]
			if next, err = skip(b, next, depth+1); err != nil {
				return 0, err
			}
		}
	}
	return next, nil
}

// unexpected describes what stands at off where want should be. A head that the
// profile refuses is reported as such.
func unexpected(b []byte, off int, want string) error {
	got := kindAt(b, off)
	if got == Invalid {
		if _, _, _, err := readHead(b, off); err != nil {
			return err
		}
	}
	return &Error{off, "found " + got.String() + " where " + want + " should be"}
}

func trailing(b []byte, off int) error {
	n := len(b) - off
	if n == 1 {
		return &Error{off, "one byte too many"}
	}
	return &Error{off, strconv.Itoa(n) + " bytes too many"}
}
