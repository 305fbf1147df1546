package abi

import (
	"errors"
	"strconv"
)

// SectionName is the name of the custom section that holds the spec.
const SectionName = "ward_spec"

// ErrNoSpec is the error of a module without a section [SectionName].
var ErrNoSpec = errors.New("module has no " + SectionName + " section: build it with ward contract build")

// SpecOf returns the encoded spec in a Wasm module, aliasing wasm. It fails
// with [ErrNoSpec] if there is none, and otherwise if wasm is not a sequence of
// sections or has two specs. What the sections hold is not looked at, the spec
// included: that is [DecodeSpec].
func SpecOf(wasm []byte) ([]byte, error) {
	var spec []byte
	found := false
	err := sections(wasm, func(id byte, payload []byte) error {
		if id != 0 {
			return nil
		}
		size, n := leb32(payload)
		if n == 0 || uint64(size) > uint64(len(payload)-n) {
			return errors.New("custom section without a name")
		}
		if string(payload[n:n+int(size)]) != SectionName {
			return nil
		}
		if found {
			return errors.New("module has two " + SectionName + " sections")
		}
		found = true
		spec = payload[n+int(size):]
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, ErrNoSpec
	}
	if len(spec) > MaxSpec {
		return nil, tooLarge("spec", len(spec), MaxSpec)
	}
	return spec, nil
}

// AppendSpec returns a copy of a module with the encoded spec in a section at
// its end. It fails if wasm is not a module, or has a spec already.
func AppendSpec(wasm, spec []byte) ([]byte, error) {
	if len(spec) > MaxSpec {
		return nil, tooLarge("spec", len(spec), MaxSpec)
	}
	switch _, err := SpecOf(wasm); err {
	case ErrNoSpec:
	case nil:
		return nil, errors.New("module has a " + SectionName + " section already")
	default:
		return nil, err
	}
	payload := appendLEB32(nil, uint32(len(SectionName)))
	payload = append(payload, SectionName...)
	payload = append(payload, spec...)
	module := make([]byte, 0, len(wasm)+1+5+len(payload))
	module = append(module, wasm...)
	module = append(module, 0)
	module = appendLEB32(module, uint32(len(payload)))
	module = append(module, payload...)
	if len(module) > MaxModule {
		return nil, tooLarge("module", len(module), MaxModule)
	}
	return module, nil
}

// sections calls visit for each section of a module, in order, until visit fails.
func sections(wasm []byte, visit func(id byte, payload []byte) error) error {
	if len(wasm) > MaxModule {
		return tooLarge("module", len(wasm), MaxModule)
	}
	if len(wasm) < 8 || string(wasm[:8]) != "\x00asm\x01\x00\x00\x00" {
		return errors.New("not a Wasm module of version 1")
	}
	for at, count := 8, 0; at < len(wasm); count++ {
		if count == MaxSections {
			return errors.New("module has more than " + strconv.Itoa(MaxSections) + " sections")
		}
		size, n := leb32(wasm[at+1:])
		if n == 0 {
			return errors.New("section at byte " + strconv.Itoa(at) + " has no size")
		}
		start := at + 1 + n
		if uint64(size) > uint64(len(wasm)-start) {
			return errors.New("section at byte " + strconv.Itoa(at) + " is " + strconv.FormatUint(uint64(size), 10) +
				" bytes, the module has " + strconv.Itoa(len(wasm)-start) + " left")
		}
		end := start + int(size)
		if err := visit(wasm[at], wasm[start:end]); err != nil {
			return err
		}
		at = end
	}
	return nil
}

// leb32 reads an unsigned LEB128 number as the Wasm spec has it: at most 5
// bytes, padding allowed. n is 0 if there is none.
func leb32(b []byte) (v uint32, n int) {
	for n = 0; n < 5 && n < len(b); n++ {
		c := b[n]
		if n == 4 && c > 0x0f {
			return 0, 0
		}
		v |= uint32(c&0x7f) << (7 * n)
		if c < 0x80 {
			return v, n + 1
		}
	}
	return 0, 0
}

func appendLEB32(b []byte, v uint32) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

func tooLarge(what string, size, limit int) error {
	return errors.New(what + " is " + strconv.Itoa(size) + " bytes, limit " + strconv.Itoa(limit))
}
