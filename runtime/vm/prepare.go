package vm

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
)

// prepare checks the structure of a module, so that wazero doesn't allocate by numbers
// that nobody has looked at, and returns the module to compile. It means the same,
// but each table has a largest size, which compilers leave open and table.grow could take
// all memory with; neighbouring data segments are one; and the custom
// sections are gone. The error is a *Refused.
func prepare(wasm []byte) ([]byte, error) {
	if len(wasm) < len(header) || string(wasm[:len(header)]) != header {
		return nil, refused("not a WebAssembly module of version 1")
	}
	out := append(make([]byte, 0, len(wasm)), header...)
	r := reader{b: wasm, at: len(header)}
	counted := false // data segments are counted, so that code may name one
	for r.at < len(wasm) {
		id := r.byte()
		body := r.bytes(r.u32())
		if r.bad {
			return nil, refused("a section is cut short")
		}
		if err := checkSection(id, body); err != nil {
			return nil, err
		}
		switch id {
		case sectionCustom:
			continue
		case sectionTable:
			tables, err := boundTables(body)
			if err != nil {
				return nil, err
			}
			body = tables
		case sectionDataCount:
			counted = true
		case sectionData:
			if !counted {
				body = joinData(body)
			}
		}
		out = binary.AppendUvarint(append(out, id), uint64(len(body)))
		out = append(out, body...)
	}
	return out, nil
}

// boundTables returns a table section whose tables have a largest size.
func boundTables(section []byte) ([]byte, error) {
	r := reader{b: section}
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
		// Function and external references, without or with a largest size. Other
		// forms belong to features that are not allowed.
		if kind != refFunction && kind != refExternal {
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

// maxGap is the most zero bytes that joining two data segments may put between them.
// wazero takes longer for a segment than for copying so many bytes. The number is part of
// consensus, because an instance pays for its segments (instancePrice).
const maxGap = 512

// joinData makes one data segment of those that follow each other closely. The linker of
// Go leaves out every 8 zero bytes and so makes 30,000 of them. The section comes back as it
// was if that might change what it means. In a fresh memory zeros between two
// segments change nothing, unless segments overlap.
func joinData(section []byte) []byte {
	type segment struct {
		at   uint64
		data []byte
	}
	r := reader{b: section}
	var joined []segment
	room := len(section) // for zeros, so that no section grows beyond twice its size
	for n := r.u32(); n > 0 && !r.bad; n-- {
		flags, op := r.byte(), r.byte()
		at := uint64(uint32(r.i32()))
		end := r.byte()
		data := r.bytes(r.u32())
		if flags != 0 || op != opI32Const || end != opEnd {
			return section
		}
		if len(joined) > 0 {
			last := &joined[len(joined)-1]
			next := last.at + uint64(len(last.data))
			if gap := at - next; at >= next && gap <= uint64(min(maxGap, room)) {
				room -= int(gap)
				last.data = append(append(last.data, zeros[:gap]...), data...)
				continue
			}
		}
		joined = append(joined, segment{at, append([]byte(nil), data...)})
	}
	if r.bad || r.at != len(section) {
		return section
	}
	ordered := slices.SortedFunc(slices.Values(joined), func(a, b segment) int { return cmp.Compare(a.at, b.at) })
	for i := 1; i < len(ordered); i++ {
		if ordered[i-1].at+uint64(len(ordered[i-1].data)) > ordered[i].at {
			return section
		}
	}
	out := binary.AppendUvarint(make([]byte, 0, len(section)), uint64(len(joined)))
	for _, s := range joined {
		out = appendSigned(append(out, 0, opI32Const), int64(int32(uint32(s.at))))
		out = binary.AppendUvarint(append(out, opEnd), uint64(len(s.data)))
		out = append(out, s.data...)
	}
	return out
}

var zeros [maxGap]byte

// appendSigned appends signed LEB128.
func appendSigned(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}
