package wasm_test

import (
	"encoding/binary"
	"maps"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wardledger/ward/runtime/wasm"
)

// sized is bytes behind their length.
func sized(b ...byte) []byte { return append(binary.AppendUvarint(nil, uint64(len(b))), b...) }

// named is a module with a section "name" that holds such parts.
func named(parts ...[]byte) []byte {
	b := sized([]byte("name")...)
	for _, p := range parts {
		b = append(b, p...)
	}
	return append([]byte(wasm.Header+"\x00"), sized(b...)...)
}

// functions is the part about functions.
func functions(b ...byte) []byte { return append([]byte{1}, sized(b...)...) }

func TestFunctionNames(t *testing.T) {
	pair := func(i byte, name string) []byte { return append([]byte{i}, sized([]byte(name)...)...) }
	two := functions(append(append([]byte{2}, pair(0, "zero")...), pair(7, "main.seven")...)...)
	module := append([]byte{0}, sized(sized([]byte("ward")...)...)...)
	long := strings.Repeat("é", 200)
	for _, test := range []struct {
		name   string
		module []byte
		want   map[uint32]string
	}{
		{"nothing", nil, nil},
		{"no module", []byte("rubbish, but long enough"), nil},
		{"no section", []byte(wasm.Header), nil},
		{"another section", append([]byte(wasm.Header+"\x00"), sized(append(sized([]byte("names")...), two...)...)...), nil},
		{"two names", named(two), map[uint32]string{0: "zero", 7: "main.seven"}},
		{"the module's name first", named(module, two), map[uint32]string{0: "zero", 7: "main.seven"}},
		{"locals behind", named(two, []byte{2, 1, 0}), map[uint32]string{0: "zero", 7: "main.seven"}},
		{"none of those that are asked for", named(functions(append([]byte{1}, pair(9, "nine")...)...)), map[uint32]string{}},
		{"one without characters", named(functions(append([]byte{1}, pair(7, "")...)...)), map[uint32]string{}},
		{"one twice", named(functions(append(append([]byte{2}, pair(7, "a")...), pair(7, "b")...)...)), map[uint32]string{7: "a"}},
		{"a long one", named(functions(append([]byte{1}, pair(7, long)...)...)), map[uint32]string{7: long[:wasm.MaxFunctionName]}},
		{"a long one, cut between characters", named(functions(append([]byte{1}, pair(7, "x"+long)...)...)), map[uint32]string{7: "x" + long[:wasm.MaxFunctionName-2]}},
		{"only the module's", named(module), nil},
		{"not UTF-8, of a function that nobody asks for", named(functions(append([]byte{1}, pair(9, "\xff")...)...)), nil},
		{"more names than there are", named(functions(append([]byte{2}, pair(7, "a")...)...)), nil},
		{"fewer names than there are", named(functions(append(append([]byte{1}, pair(7, "a")...), pair(8, "b")...)...)), nil},
		{"more names than bytes", named(functions(0xff, 0xff, 0xff, 0x7f)), nil},
		{"a name beyond the part", named(functions(1, 7, 9, 'a')), nil},
		{"a part beyond the section", named([]byte{1, 99, 0}), nil},
		{"a section beyond the module", []byte(wasm.Header + "\x00\x7f\x04name"), nil},
		{"an index of more than 32 bits", named(functions(1, 0xff, 0xff, 0xff, 0xff, 0xff, 0)), nil},
	} {
		got := wasm.FunctionNames(test.module, 0, 7)
		if !maps.Equal(got, test.want) || (got == nil) != (test.want == nil) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// FuzzFunctionNames: whatever the bytes, there are names that can be shown, or none; whatever the section, the rest of the module is none of its business.
func FuzzFunctionNames(f *testing.F) {
	f.Add(functions(2, 0, 1, 'a', 7, 2, 'b', 'c'), uint32(7))
	f.Add([]byte{0, 2, 1, 'm', 1, 4, 1, 7, 1, 'x'}, uint32(7))
	f.Add([]byte{1, 0xff, 0xff, 0x7f}, uint32(0))
	f.Fuzz(func(t *testing.T, b []byte, i uint32) {
		for _, module := range [][]byte{named(b), b} {
			names := wasm.FunctionNames(module, i, 0)
			if len(names) > 2 {
				t.Fatalf("two were asked for: %v", names)
			}
			for index, name := range names {
				if index != i && index != 0 || name == "" || len(name) > wasm.MaxFunctionName || !utf8.ValidString(name) {
					t.Fatalf("function %d is %q", index, name)
				}
			}
		}
		if m, err := wasm.Decode(named(b)); err != nil || len(m.Sections) != 1 {
			t.Fatalf("a module with such a section is refused: %v", err)
		}
	})
}
