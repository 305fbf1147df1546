package wasm

import "unicode/utf8"

// MaxFunctionName is the most bytes of a function's name that [FunctionNames] returns: those of generic Go get long. What is beyond is cut.
const MaxFunctionName = 256

// The custom section that says what things are called, and its part about functions (core specification, appendix 7.4.1).
const (
	nameSection   = "name"
	functionNames = 1
)

// FunctionNames returns what the section "name" of a module calls the functions with these indexes, imported ones counted
// first. It is for people, who have use for what is there: no such section, one that is malformed, or a module that is,
// is nil, and a function without a name is absent. It is never consensus.
func FunctionNames(module []byte, indexes ...uint32) map[uint32]string {
	if len(module) < len(Header) || string(module[:len(Header)]) != Header {
		return nil
	}
	r := &reader{b: module, at: len(Header), end: len(module)}
	for r.err == nil && r.left() > 0 {
		id := r.byte()
		section := r.bytes(r.u32())
		if id != SectionCustom || r.err != nil {
			continue
		}
		s := &reader{b: section, end: len(section)}
		if s.name() == nameSection && s.err == nil {
			return s.functionNames(indexes)
		}
	}
	return nil
}

// functionNames reads the parts of the section. All of them must be sound as far as the one about functions.
func (r *reader) functionNames(indexes []uint32) map[uint32]string {
	for r.err == nil && r.left() > 0 {
		id := r.byte()
		part := r.bytes(r.u32())
		if id == functionNames && r.err == nil {
			p := &reader{b: part, end: len(part)}
			return p.nameMap(indexes)
		}
	}
	return nil
}

// nameMap reads pairs of an index and a name up to the end. Names are taken from the bytes only for the indexes that are asked for.
func (r *reader) nameMap(indexes []uint32) map[uint32]string {
	wanted := make(map[uint32]bool, len(indexes))
	for _, i := range indexes {
		wanted[i] = true
	}
	names := make(map[uint32]string, len(wanted))
	for n := r.count("names", 2, MaxItems); n > 0; n-- {
		index := r.u32()
		name := r.bytes(r.u32())
		if r.err != nil || !utf8.Valid(name) {
			return nil
		}
		if _, twice := names[index]; wanted[index] && !twice && len(name) > 0 {
			names[index] = cut(name)
		}
	}
	if r.err != nil || r.left() > 0 {
		return nil
	}
	return names
}

// cut returns the characters of a name that fit.
func cut(name []byte) string {
	if len(name) <= MaxFunctionName {
		return string(name)
	}
	end := MaxFunctionName
	for !utf8.RuneStart(name[end]) {
		end--
	}
	return string(name[:end])
}
