package wasm

import (
	"fmt"
	"math"
	"unicode/utf8"
)

// An Error says what is wrong with a module and where. The same on every node and in every
// release that speaks the same protocol.
type Error struct {
	Section string // as in the specification: "type", "code"...; "" is the module itself
	Index   int    // of the item in the section, or -1
	Offset  int    // bytes from the start of the module, or 0: the item says enough
	Rule    string
}

func (e *Error) Error() string {
	where := "module"
	if e.Section != "" {
		where = e.Section + " section"
		if e.Index >= 0 {
			where = fmt.Sprintf("%s %d", where, e.Index)
		}
	}
	if e.Offset > 0 {
		where = fmt.Sprintf("%s, byte %d", where, e.Offset)
	}
	return where + ": " + e.Rule
}

// reader reads the parts of a module. The first error stays, and from then on everything
// is zero.
type reader struct {
	b       []byte
	at, end int // of b; end bounds the section or body that is being read
	err     *Error
	section string
	index   int
	shift   int      // what is added to at, so that errors say where in the module
	targets []uint32 // of br_table, reused
}

// base says at which byte of the module b begins.
func (r *reader) base(offset int) { r.shift = offset }

func (r *reader) fail(format string, args ...any) {
	r.failAt(r.at, format, args...)
}

func (r *reader) failAt(at int, format string, args ...any) {
	if r.err == nil {
		r.err = &Error{r.section, r.index, at + r.shift, fmt.Sprintf(format, args...)}
		r.at = r.end // ends every loop
	}
}

// left is how many bytes there are still to be read.
func (r *reader) left() int { return r.end - r.at }

func (r *reader) byte() byte {
	if r.err != nil {
		return 0
	}
	if r.at >= r.end {
		r.fail("ends too early")
		return 0
	}
	r.at++
	return r.b[r.at-1]
}

// bytes returns the next n bytes, which alias the module.
func (r *reader) bytes(n uint32) []byte {
	if r.err != nil {
		return nil
	}
	if uint64(n) > uint64(r.left()) {
		r.fail("%d bytes are announced, %d are left", n, r.left())
		return nil
	}
	r.at += int(n)
	return r.b[r.at-int(n) : r.at : r.at]
}

// u32 reads an unsigned LEB128 number of at most 32 bits and 5 bytes.
func (r *reader) u32() uint32 {
	start := r.at
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		c := r.byte()
		if r.err != nil {
			return 0
		}
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			if v > math.MaxUint32 {
				r.failAt(start, "an integer of more than 32 bits")
				return 0
			}
			return uint32(v)
		}
	}
	r.failAt(start, "an integer of more than 5 bytes")
	return 0
}

// signed reads a signed LEB128 number of at most so many bits.
func (r *reader) signed(bits int) int64 {
	start := r.at
	var v int64
	for shift := 0; shift < bits; shift += 7 {
		c := r.byte()
		if r.err != nil {
			return 0
		}
		v |= int64(c&0x7f) << shift
		if c >= 0x80 {
			continue
		}
		if rest := bits - shift; rest < 7 {
			// The last byte has bits to spare: they repeat the sign.
			sign := int8(c<<1) >> rest // arithmetic: all equal to the sign bit and above
			if sign != 0 && sign != -1 {
				r.failAt(start, "an integer of more than %d bits", bits)
				return 0
			}
		}
		if used := shift + 7; used < 64 && c&0x40 != 0 {
			v |= -1 << used
		}
		return v
	}
	r.failAt(start, "an integer of more than %d bytes", (bits+6)/7)
	return 0
}

// name reads a name.
func (r *reader) name() string {
	n := r.u32()
	if r.err == nil && n > MaxName {
		r.fail("a name of %d bytes, limit %d", n, MaxName)
	}
	start := r.at
	b := r.bytes(n)
	if !utf8.Valid(b) {
		r.failAt(start, "a name is not UTF-8")
	}
	return string(b)
}

// count reads how many items follow, each of at least size bytes, and holds it against what
// is there and against a bound.
func (r *reader) count(what string, size, limit int) int {
	start := r.at
	n := r.u32()
	switch {
	case r.err != nil:
		return 0
	case uint64(n) > uint64(limit):
		r.failAt(start, "%d %s, limit %d", n, what, limit)
		return 0
	case uint64(n)*uint64(size) > uint64(r.left()):
		r.failAt(start, "%d %s are announced, %d bytes are left", n, what, r.left())
		return 0
	}
	return int(n)
}
