package vm

import (
	"math"
	"unicode/utf8"
)

// The sections of a module (Wasm spec, 5.5).
const (
	sectionCustom = iota
	sectionType
	sectionImport
	sectionFunction
	sectionTable
	sectionMemory
	sectionGlobal
	sectionExport
	sectionStart
	sectionElement
	sectionCode
	sectionData
	sectionDataCount
)

var sectionNames = [...]string{"custom", "type", "import", "function", "table", "memory", "global", "export", "start", "element", "code", "data", "data count"}

const header = "\x00asm\x01\x00\x00\x00"

// maxLocals is the most locals of a function, as browsers have it: an engine
// allocates for each.
const maxLocals = 50_000

// Encodings that are looked at.
const (
	formFunction = 0x60 // of a type

	refFunction = 0x70
	refExternal = 0x6f

	opEnd       = 0x0b
	opGlobalGet = 0x23
	opI32Const  = 0x41
	opI64Const  = 0x42
	opF32Const  = 0x43
	opF64Const  = 0x44
	opRefNull   = 0xd0
	opRefFunc   = 0xd2
)

// importKinds are the kinds of what a module imports or exports, by number.
var importKinds = [...]string{"function", "table", "memory", "global", "tag"}

// checkSection checks that every count and length in a section is of things that are
// there, and refuses what is imported but functions. What the things mean, wazero
// validates.
func checkSection(id byte, section []byte) error {
	if int(id) >= len(sectionNames) {
		return refused("section %d is not known", id)
	}
	r := &reader{b: section}
	switch id {
	case sectionCustom:
		name := r.bytes(r.u32())
		r.bad = r.bad || !utf8.Valid(name)
		r.at = len(section)
	case sectionStart, sectionDataCount:
		r.u32()
	default:
		for n := r.u32(); n > 0 && !r.bad; n-- {
			if err := checkItem(id, r); err != nil {
				return err
			}
		}
	}
	if r.bad || r.at != len(section) {
		return refused("the %s section is malformed", sectionNames[id])
	}
	return nil
}

// checkItem reads one item of a section.
func checkItem(id byte, r *reader) error {
	switch id {
	case sectionType:
		r.want(formFunction)
		r.bytes(r.u32())
		r.bytes(r.u32())
	case sectionImport:
		module, name := r.bytes(r.u32()), r.bytes(r.u32())
		if kind := r.byte(); kind != 0 && !r.bad {
			what := "something unknown"
			if int(kind) < len(importKinds) {
				what = "a " + importKinds[kind]
			}
			return refused("import %s.%s: it is %s, only functions can be imported", text(string(module)), text(string(name)), what)
		}
		r.u32() // its type
	case sectionFunction:
		r.u32() // its type
	case sectionTable:
		r.byte()
		r.limits()
	case sectionMemory:
		r.limits()
	case sectionGlobal:
		r.bytes(2) // type, mutable
		r.constant()
	case sectionExport:
		r.bytes(r.u32())
		r.byte()
		r.u32()
	case sectionElement:
		r.elements()
	case sectionCode:
		body := reader{b: r.bytes(r.u32())}
		total := uint64(0)
		for n := body.u32(); n > 0 && !body.bad; n-- {
			total += uint64(body.u32())
			body.byte()
		}
		if total > maxLocals {
			return refused("a function with %d locals, limit %d", total, maxLocals)
		}
		r.bad = r.bad || body.bad
	case sectionData:
		switch flags := r.u32(); flags {
		case 0:
			r.constant()
		case 1: // passive
		case 2:
			r.u32() // its memory
			r.constant()
		default:
			r.bad = true
		}
		r.bytes(r.u32())
	}
	return nil
}

// reader reads the parts of a module. After the first that isn't there, bad is set
// and everything is zero.
type reader struct {
	b   []byte
	at  int
	bad bool
}

// want reads a byte that can only be b.
func (r *reader) want(b byte) {
	if r.byte() != b {
		r.bad = true
	}
}

// limits reads the limits of a table or memory and returns the least.
func (r *reader) limits() (least uint32) {
	flags := r.byte()
	least = r.u32()
	switch flags {
	case 0:
	case 1:
		r.u32()
	default: // shared, 64 bits
		r.bad = true
	}
	return least
}

// constant reads a constant expression.
func (r *reader) constant() {
	for !r.bad {
		switch r.byte() {
		case opEnd:
			return
		case opI32Const:
			r.i32()
		case opI64Const:
			r.i64()
		case opF32Const:
			r.bytes(4)
		case opF64Const:
			r.bytes(8)
		case opGlobalGet, opRefFunc:
			r.u32()
		case opRefNull:
			r.byte()
		default:
			r.bad = true
		}
	}
}

// elements reads an element segment and returns how many it has. Of its flags, 1 says that it is not active, 2 that a
// table (of an active one) or nothing (of a passive one) is named, 4 that the elements are expressions.
func (r *reader) elements() uint32 {
	flags := r.u32()
	if flags > 7 {
		r.bad = true
		return 0
	}
	if flags&1 == 0 {
		if flags&2 != 0 {
			r.u32() // its table
		}
		r.constant()
	}
	if flags&3 != 0 {
		r.byte() // what the elements are
	}
	count := r.u32()
	for n := count; n > 0 && !r.bad; n-- {
		if flags&4 != 0 {
			r.constant()
		} else {
			r.u32()
		}
	}
	return count
}

func (r *reader) byte() byte {
	if b := r.bytes(1); !r.bad {
		return b[0]
	}
	return 0
}

func (r *reader) bytes(n uint32) []byte {
	if r.bad || uint64(n) > uint64(len(r.b)-r.at) {
		r.bad = true
		return nil
	}
	b := r.b[r.at:][:n]
	r.at += int(n)
	return b
}

// i64 reads a signed LEB128 number of at most 10 bytes.
func (r *reader) i64() int64 {
	var v int64
	for shift := 0; shift < 70; shift += 7 {
		c := r.byte()
		v |= int64(c&0x7f) << shift
		if c < 0x80 {
			if c&0x40 != 0 {
				v |= -1 << (shift + 7)
			}
			return v
		}
	}
	r.bad = true
	return 0
}

// i32 reads a signed LEB128 number of at most 32 bits and 5 bytes.
func (r *reader) i32() int32 {
	start := r.at
	v := r.i64()
	if r.at-start > 5 || v < math.MinInt32 || v > math.MaxInt32 {
		r.bad = true
	}
	if r.bad {
		return 0
	}
	return int32(v)
}

// u32 reads an unsigned LEB128 number of at most 32 bits and 5 bytes.
func (r *reader) u32() uint32 {
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		c := r.byte()
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			if v > math.MaxUint32 {
				r.bad = true
			}
			break
		}
		if shift == 28 {
			r.bad = true
		}
	}
	if r.bad {
		return 0
	}
	return uint32(v)
}
