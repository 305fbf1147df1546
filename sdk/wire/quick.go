package wire

import (
	"encoding/binary"
	"math/bits"
	"runtime"
	"unsafe"
)

// What a contract does most is to read rows. In Go's Wasm each jump goes through a table, each call through two, and each check of a
// bound takes as many instructions as what it guards. So there is one function that reads the fields that most rows are made of,
// whole numbers, texts and arrays of bytes, in a straight line, as long as they are what is expected, and one that writes them; whatever is
// unusual or wrong they leave to decodeFields and encodeFields.

// beyond says that what lies behind the end of an input, in the room of its slice, may be looked at, if not believed. In a contract
// nobody writes there meanwhile, outside somebody may.
var beyond = runtime.GOOS == "wasip1"

// Slack is how much room behind an input, in the capacity of its slice, lets a contract read it faster: quick looks at a key and a head
// before it knows whether they are there. What lies in it doesn't matter.
const Slack = keyBytes + 9 + 7

// keyBytes is how long a key may be that quick compares.
const keyBytes = 16

// heads says for the lower five bits of a head's first byte how its argument is read from the eight bytes behind it:
// (bytes >> shift) & wide | narrow. One that is below least is not in the shortest form, or has no such head.
var heads = func() (t [32]struct {
	shift, wide, narrow, least uint64
	size                       uintptr // of the head
}) {
	for i := range t {
		h := &t[i]
		switch h.size = 1; {
		case i < 24:
			h.narrow = uint64(i)
		case i < 28:
			bytes := 1 << (i - 24)
			h.size += uintptr(bytes)
			h.shift = uint64(64 - 8*bytes)
			h.wide = 1<<(8*bytes) - 1
			if h.least = 24; bytes > 1 {
				h.least = 1 << (4 * bytes)
			}
		default:
			h.least = 1
		}
	}
	return t
}()

// ascii8 has ones where eight bytes are not ASCII, and highBits the same for fewer bytes.
const ascii8 = 0x8080808080808080

var highBits = [8]uint64{0, 0x80, 0x8080, 0x808080, 0x80808080, 0x8080808080, 0x808080808080, 0x80808080808080}

func word(p unsafe.Pointer, at uintptr) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(p, at))[:])
}

func put(p unsafe.Pointer, at uintptr, x uint64) {
	binary.LittleEndian.PutUint64((*[8]byte)(unsafe.Add(p, at))[:], x)
}

// quick reads up to n fields from the i-th on to the struct at v, the key of the first of which is at b[at]. It returns how many it has read
// and where the next one starts. Behind b are Slack bytes.
func (p *Plan) quick(b []byte, start int, v unsafe.Pointer, i, n int) (next, read int) {
	base, at, end := unsafe.Pointer(unsafe.SliceData(b)), uintptr(start), uintptr(len(b))
	fields := p.fields[i:]
	if n < len(fields) {
		fields = fields[:n]
	}
	for j := range fields {
		f := &fields[j]
		if (word(base, at)^f.first)&f.mask|(word(base, at+8)^f.second)&f.mask2 != 0 {
			return int(at), j
		}
		value := at + f.keySize
		c := *(*byte)(unsafe.Add(base, value))
		h := &heads[c&31]
		x := bits.ReverseBytes64(word(base, value+1))>>(h.shift&63)&h.wide | h.narrow
		to := unsafe.Add(v, f.offset)
		value += h.size
		if x < h.least || value > end {
			return int(at), j
		}
		if major := c >> 5; f.common == commonInt {
			if major > majorNegInt || x>>63 != 0 {
				return int(at), j
			}
			*(*uint64)(to) = x ^ -uint64(major) // -1-x if it is negative
		} else if f.common == commonUint {
			if major != majorUint {
				return int(at), j
			}
			*(*uint64)(to) = x
		} else if f.common == commonBool {
			if c&^1 != itemFalse {
				return int(at), j
			}
			*(*bool)(to) = c == itemTrue
		} else if f.common == commonNarrow {
			if major != majorUint || !fitsUint(x, uintptr(f.size)) {
				return int(at), j
			}
			store(to, uintptr(f.size), x)
		} else if x > uint64(end-value) {
			return int(at), j
		} else if f.common == commonArray {
			if major != majorBytes || x != f.size {
				return int(at), j
			}
			// Of 16 to 32 bytes: addresses, keys, hashes.
			last := uintptr(x) - 16
			first, second, third, fourth := word(base, value), word(base, value+8), word(base, value+last), word(base, value+last+8)
			put(to, 0, first)
			put(to, 8, second)
			put(to, last, third)
			put(to, last+8, fourth)
			value += uintptr(x)
		} else {
			if f.common != commonText || major != majorText || x > shortText || textsUsed+uintptr(x) > textRoom-8 {
				return int(at), j
			}
			room, whole, high := unsafe.Add(unsafe.Pointer(texts), textsUsed), uintptr(x)&^7, uint64(0)
			for k := uintptr(0); k < whole; k += 8 {
				w := word(base, value+k)
				put(room, k, w)
				high |= w
			}
			w := word(base, value+whole)
			put(room, whole, w)
			if high&ascii8|w&highBits[x&7] != 0 {
				return int(at), j
			}
			textsUsed += uintptr(x)
			*(*string)(to) = unsafe.String((*byte)(room), int(x))
			value += uintptr(x)
		}
		at = value
	}
	return int(at), len(fields)
}

// lengths says for the number of bits of an argument from 24 on what the lower five bits of a head's first byte are, and how many bytes follow.
var lengths = func() (t [65]struct {
	info  byte
	bytes uintptr
}) {
	for bits := range t {
		l := &t[bits]
		for l.info, l.bytes = 24, 1; int(8*l.bytes) < bits; l.bytes *= 2 {
			l.info++
		}
	}
	return t
}()

// quickAppend appends fields of the struct at v from the i-th on, as long as they are common and there is room. It returns which comes next. What
// lies behind b in its capacity is overwritten further than what is appended.
func (p *Plan) quickAppend(b []byte, v unsafe.Pointer, i int) ([]byte, int) {
	base, at, room := unsafe.Pointer(unsafe.SliceData(b)), uintptr(len(b)), uintptr(cap(b))
	fields := p.fields[i:]
	for j := range fields {
		f := &fields[j]
		if f.common == 0 || f.optional || at+Slack > room {
			return b[:at], i + j
		}
		put(base, at, f.first)
		put(base, at+8, f.second)
		value := at + f.keySize
		from := unsafe.Add(v, f.offset)
		var x uint64 // the argument of the head
		var major byte
		if f.common == commonInt {
			x = *(*uint64)(from)
			sign := uint64(int64(x) >> 63)
			x ^= sign // -1-x if it is negative
			major = byte(sign) & (majorNegInt << 5)
		} else if f.common == commonUint {
			x = *(*uint64)(from)
		} else if f.common == commonBool {
			*(*byte)(unsafe.Add(base, value)) = itemFalse | *(*byte)(from)
			at = value + 1
			continue
		} else if f.common == commonNarrow {
			x = loadUint(from, uintptr(f.size))
		} else if f.common == commonArray {
			x, major = f.size, majorBytes<<5
		} else {
			x, major = uint64(len(*(*string)(from))), majorText<<5
		}
		if x < 24 {
			*(*byte)(unsafe.Add(base, value)) = major | byte(x)
			value++
		} else {
			l := &lengths[bits.Len64(x)]
			*(*byte)(unsafe.Add(base, value)) = major | l.info
			put(base, value+1, bits.ReverseBytes64(x<<(64-8*l.bytes)))
			value += 1 + l.bytes
		}
		if f.common == commonArray {
			if value+32 > room {
				return b[:at], i + j
			}
			last := uintptr(x) - 16
			put(base, value, word(from, 0))
			put(base, value+8, word(from, 8))
			put(base, value+last, word(from, last))
			put(base, value+last+8, word(from, last+8))
			value += uintptr(x)
		} else if f.common == commonText {
			if x > shortText || value+uintptr(x) > room {
				return b[:at], i + j
			}
			text := unsafe.Pointer(unsafe.StringData(*(*string)(from)))
			high := uint64(0)
			if n := uintptr(x); n >= 8 {
				for k := uintptr(0); k < n-8; k += 8 {
					w := word(text, k)
					put(base, value+k, w)
					high |= w
				}
				w := word(text, n-8)
				put(base, value+n-8, w)
				high |= w
			} else {
				for k := uintptr(0); k < n; k++ {
					c := *(*byte)(unsafe.Add(text, k))
					*(*byte)(unsafe.Add(base, value+k)) = c
					high |= uint64(c)
				}
			}
			if high&ascii8 != 0 {
				return b[:at], i + j
			}
			value += uintptr(x)
		}
		at = value
	}
	return b[:at], len(p.fields)
}

// texts is room for the next short texts that a contract reads: one piece of memory for many, because to ask for a piece takes longer than
// to read the rest of a row. What lies in it is never written again.
var (
	texts     = new([textRoom]byte)
	textsUsed uintptr
)

const (
	textRoom  = 4 << 10
	shortText = 128 // a longer one would keep much alive, or be most of the room
)

// text is a copy of b.
func text(b []byte) string {
	if !beyond || len(b) > shortText {
		return string(b)
	}
	if uintptr(len(b)) > textRoom-textsUsed {
		texts, textsUsed = new([textRoom]byte), 0
	}
	room := texts[textsUsed:]
	textsUsed += uintptr(copy(room, b))
	return unsafe.String(unsafe.SliceData(room), len(b))
}
