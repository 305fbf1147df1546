package wasm_test

import (
	"strings"
	"testing"

	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
	"github.com/wardledger/ward/runtime/wasm"
)

// TestEncodings: a number may have more bytes than it needs, up to what its type has; a type or a reserved zero is one byte.
func TestEncodings(t *testing.T) {
	for _, test := range []struct {
		name string
		code wt.Op
		want string // of the error, or ""
	}{
		{"an index in five bytes", wt.Raw(0x20, 0x80, 0x80, 0x80, 0x80, 0, 0x1a), ""},
		{"an index in six", wt.Raw(0x20, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 0x1a), "an integer of more than 5 bytes"},
		{"an index of 33 bits", wt.Raw(0x20, 0x80, 0x80, 0x80, 0x80, 0x10, 0x1a), "an integer of more than 32 bits"},
		{"a constant of 33 bits", wt.Raw(0x41, 0x80, 0x80, 0x80, 0x80, 0x08, 0x1a), "an integer of more than 32 bits"},
		{"-1 in five bytes", wt.Raw(0x41, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x1a), ""},
		{"what follows a prefix in five bytes", wt.Raw(0x43, 0, 0, 0, 0, 0xfc, 0x80, 0x80, 0x80, 0x80, 0, 0x1a), ""},
		{"no such instruction behind a prefix", wt.Raw(0xfc, 0x80, 0x02), "there is no instruction 0xfc 256"},
		{"the type of a block by its index", wt.Raw(0x02, 0x80, 0x80, 0x80, 0x80, 0, 0x0b), ""},
		{"a block without a type in one byte", wt.Raw(0x02, 0x40, 0x0b), ""},
		{"in two", wt.Raw(0x02, 0xc0, 0x7f, 0x0b), "a type of a block that is not known"},
		{"a block of i32 in two bytes", wt.Raw(0x02, 0xff, 0x7f, 0x41, 0, 0x0b, 0x1a), "a type of a block that is not known"},
		{"how many types a select has in two bytes", wt.Seq(wt.I32(1), wt.I32(2), wt.I32(3), wt.Raw(0x1c, 0x81, 0, 0x7f, 0x1a)), ""},
		{"a memory's index in two bytes", wt.Raw(0x3f, 0x80, 0, 0x1a), "more than one memory is not allowed"},
	} {
		m := wt.New()
		m.Func(nil, nil, 1, test.code)
		decoded, err := wasm.Decode(m.Bytes())
		if err == nil {
			err = decoded.Validate(nil)
		}
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}
