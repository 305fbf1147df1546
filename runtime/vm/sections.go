package vm

import (
	"encoding/binary"
	"math"
)

// Sections of a module that prepare looks into (Wasm spec, 5.5).
const (
	sectionImport = 2
	sectionTable  = 4
)

const header = "\x00asm\x01\x00\x00\x00"

// importKinds are the kinds of what a module imports, by number.
var importKinds = [...]string{"function", "table", "memory", "global", "tag"}

// prepare checks what wazero would not before it allocates, and returns the module to
// compile: the same, but for a largest size of each table, which compilers leave open
// and table.grow could take all memory with. The error is a *Refused. What is
// not looked at here, wazero validates.
func prepare(wasm []byte) ([]byte, error) {
	if len(wasm) < len(header) || string(wasm[:len(header)]) != header {
		return nil, refused("not a WebAssembly module of version 1")
	}
	r := reader{b: wasm, at: len(header)}
	var out []byte
	for r.at < len(wasm) && !r.bad {
		start := r.at
		id := r.byte()
		body := reader{b: r.bytes(r.u32())}
		switch id {
		case sectionImport:
			if err := checkImports(&body); err != nil {
				return nil, err
			}
			r.bad = r.bad || body.bad
		case sectionTable:
			tables, err := boundTables(&body)
			if err != nil {
				return nil, err
			}
			if out != nil {
				return nil, refused("two table sections")
			}
			if !r.bad && !body.bad && body.at == len(body.b) {
				out = append(make([]byte, 0, len(wasm)+len(tables)), wasm[:start]...)
				out = append(out, sectionTable)
				out = binary.AppendUvarint(out, uint64(len(tables)))
				out = append(out, tables...)
				continue
			}
			r.bad = true
		}
		if out != nil {
			out = append(out, wasm[start:r.at]...)
		}
	}
	if r.bad {
		return nil, refused("a section is cut short, too long, or holds a number that is")
	}
	if out != nil {
		return out, nil
	}
	return wasm, nil
}

// checkImports refuses imports of anything but functions.
func checkImports(r *reader) error {
	for n := r.u32(); n > 0 && !r.bad; n-- {
		module, name := string(r.bytes(r.u32())), string(r.bytes(r.u32()))
		kind := r.byte()
		if r.bad {
			break
		}
		if kind != 0 {
			what := "something unknown"
			if int(kind) < len(importKinds) {
				what = "a " + importKinds[kind]
			}
			return refused("import %s.%s: it is %s, only functions can be imported", text(module), text(name), what)
		}
		r.u32() // the function's type
	}
	return nil
}

// boundTables returns a table section whose tables have a largest size.
func boundTables(r *reader) ([]byte, error) {
	count := r.u32()
	if count > MaxTable {
		return nil, refused("%d tables, limit %d entries in all tables together", count, MaxTable)
	}
	out := binary.AppendUvarint(nil, uint64(count))
	total := uint64(0)
	for i := range count {
		kind, flags := r.byte(), r.byte()
		least := r.u32()
		most := uint32(math.MaxUint32)
		if flags == 1 {
			most = r.u32()
		}
		if r.bad {
			break
		}
		// Function and external references, without or with a largest size. Other
		// forms belong to features that are not allowed.
		if kind != 0x70 && kind != 0x6f || flags > 1 {
			return nil, refused("table %d is of a form that is not allowed", i)
		}
		if most < least {
			return nil, refused("table %d starts with %d entries and may have only %d", i, least, most)
		}
		if total += uint64(least); total > MaxTable {
			return nil, refused("tables with %d entries in total, limit %d", total, MaxTable)
		}
		out = append(out, kind, 1)
		out = binary.AppendUvarint(out, uint64(least))
		out = binary.AppendUvarint(out, uint64(min(most, max(least, MaxTable/count))))
	}
	return out, nil
}

// reader reads the parts of a module. After the first that isn't there, bad is set
// and everything is zero.
type reader struct {
	b   []byte
	at  int
	bad bool
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
