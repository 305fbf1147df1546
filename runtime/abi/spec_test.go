package abi_test

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/cbor"
)

func kind(k abi.Kind) *abi.Type { return &abi.Type{Kind: k} }

func sizedKind(k abi.Kind, size uint64) *abi.Type { return &abi.Type{Kind: k, Size: size} }

func sample() *abi.Spec {
	grant := &abi.Type{Kind: abi.KindStruct, Name: "Grant", Fields: []abi.Field{
		{Name: "object", Doc: "What the grant is for.", Type: kind(abi.KindText)},
		{Name: "subject", Type: kind(abi.KindAddress)},
		{Name: "expires", Type: kind(abi.KindTime), Optional: true},
		{Name: "relations", Type: &abi.Type{Kind: abi.KindList, Elem: kind(abi.KindText)}},
		{Name: "box", Type: sizedKind(abi.KindUint, 8)},
		{Name: "proofs", Type: &abi.Type{Kind: abi.KindMap, Elem: sizedKind(abi.KindBytes, 32)}},
	}}
	return &abi.Spec{
		ABI: 1, Name: "access", Doc: "Who may do what.", Toolchain: "go1.26.8",
		Methods: []abi.Method{
			{Name: "init"},
			{Name: "grant", Doc: "Grants.", Args: grant, Result: kind(abi.KindUint)},
			{Name: "grants", View: true, Args: &abi.Type{Kind: abi.KindStruct}, Result: &abi.Type{Kind: abi.KindMap, Elem: grant}},
		},
		Events: []abi.EventSpec{
			{Name: "granted", Doc: "A grant was given.", Fields: slices.Clone(grant.Fields)},
			{Name: "closed"},
		},
		Errors: []abi.ErrorSpec{{Code: 1, Name: "not_owner", Doc: "Only the owner may."}, {Code: abi.FirstReservedFail - 1, Name: "odd"}},
	}
}

func TestSpecRoundTrip(t *testing.T) {
	for name, spec := range map[string]*abi.Spec{"full": sample(), "smallest": {ABI: 1, Name: "a"}} {
		b := spec.Encode()
		if err := cbor.Valid(b); err != nil {
			t.Fatalf("%s: not canonical: %v", name, err)
		}
		got, err := abi.DecodeSpec(b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !bytes.Equal(got.Encode(), b) {
			t.Errorf("%s: decoded spec encodes differently", name)
		}
	}
	got, _ := abi.DecodeSpec(sample().Encode())
	if want := sample().Methods[1]; !reflect.DeepEqual(got.Methods[1], want) {
		t.Errorf("method grant: got %+v, want %+v", got.Methods[1], want)
	}
}

// nested returns a type of the given depth.
func nested(depth int) *abi.Type {
	t := kind(abi.KindBool)
	for i := 1; i < depth; i++ {
		if i%2 == 0 {
			t = &abi.Type{Kind: abi.KindList, Elem: t}
		} else {
			t = &abi.Type{Kind: abi.KindStruct, Fields: []abi.Field{{Name: "in", Type: t}}}
		}
	}
	return t
}

func TestDeepestTypeRoundTrips(t *testing.T) {
	s := &abi.Spec{ABI: 1, Name: "deep", Methods: []abi.Method{{Name: "m", Result: nested(abi.MaxTypeDepth)}}}
	if _, err := abi.DecodeSpec(s.Encode()); err != nil {
		t.Fatal(err)
	}
}

func TestDecodeSpecRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*abi.Spec)
		want   string
	}{
		{"version 0", func(s *abi.Spec) { s.ABI = 0 }, fmt.Sprintf("made for version 0 of the interface, this release speaks 1 to %d", abi.Version)},
		{"later version", func(s *abi.Spec) { s.ABI = abi.Version + 1 }, fmt.Sprintf("made for version %d of the interface, this release speaks 1 to %d", abi.Version+1, abi.Version)},
		{"no name", func(s *abi.Spec) { s.Name = "" }, `contract "" is not a name`},
		{"bad view name", func(s *abi.Spec) { s.Methods[2].Name = "Grants" }, `view "Grants" is not a name`},
		{"view twice", func(s *abi.Spec) { s.Methods[2].Name = "grant" }, "view grant is there twice"},
		{"a view's result", func(s *abi.Spec) { s.Methods[2].Result = kind(abi.KindList) }, "unknown kind 0"},
		{"a view's arguments", func(s *abi.Spec) { s.Methods[2].Args = sizedKind(abi.KindUint, 8) }, "view grants: arguments are a uint8, not a struct"},
		{"bad method name", func(s *abi.Spec) { s.Methods[1].Name = "Grant" }, `method "Grant" is not a name`},
		{"method twice", func(s *abi.Spec) { s.Methods[1].Name = "init" }, "method init is there twice"},
		{"init as a view", func(s *abi.Spec) { s.Methods[0].View = true }, "method init is a view"},
		{"arguments no struct", func(s *abi.Spec) { s.Methods[1].Args = kind(abi.KindText) }, "method grant: arguments are a text"},
		{"too deep", func(s *abi.Spec) { s.Methods[1].Result = nested(abi.MaxTypeDepth + 1) }, "deeper than 8"},
		{"far too deep", func(s *abi.Spec) { s.Methods[1].Result = nested(4000) }, "deeper than 8"},
		{"unknown kind", func(s *abi.Spec) { s.Methods[1].Result = kind(13) }, "method grant: result: unknown kind 13"},
		{"a size alone", func(s *abi.Spec) { s.Methods[1].Result = kind(12) }, "type ends early"},
		{"a size of a size", func(s *abi.Spec) { s.Methods[1].Result = sizedKind(12, 8) }, "method grant: result: unknown kind 12"},
		{"list of nothing", func(s *abi.Spec) { s.Methods[1].Result = kind(abi.KindList) }, "unknown kind 0"},
		{"field twice", func(s *abi.Spec) { s.Events[0].Fields[1].Name = "object" }, "event granted.object is there twice"},
		{"bad field", func(s *abi.Spec) { s.Events[0].Fields[1].Name = "an object" }, `field "an object" is not a name`},
		{"refused", func(s *abi.Spec) { s.Events[0].Name = "refused" }, "only the runtime"},
		{"event twice", func(s *abi.Spec) { s.Events[0].Name = "closed" }, "event closed is there twice"},
		{"code 0", func(s *abi.Spec) { s.Errors[0].Code = 0 }, "error not_owner has code 0"},
		{"reserved code", func(s *abi.Spec) { s.Errors[0].Code = abi.FailBadArguments }, "error not_owner has code 4294967294, which is reserved"},
		{"code twice", func(s *abi.Spec) { s.Errors[1].Code = 1 }, "error odd has code 1, like not_owner"},
		{"error twice", func(s *abi.Spec) { s.Errors[1].Name = "not_owner" }, "error not_owner is there twice"},
		{"long doc", func(s *abi.Spec) { s.Doc = strings.Repeat("a", 1025) }, "1025 bytes, limit 1024"},
		{"long toolchain", func(s *abi.Spec) { s.Toolchain = strings.Repeat("a", 65) }, "65 bytes, limit 64"},
		{"bad struct name", func(s *abi.Spec) { s.Methods[1].Args.Name = "Page[Grant]" }, "is not a name"},
		{"many methods", func(s *abi.Spec) { s.Methods = make([]abi.Method, 257) }, "257 methods, limit 256"},
		{"many fields", func(s *abi.Spec) { s.Events[0].Fields = make([]abi.Field, 65) }, "65 fields, limit 64"},
		{"too large", func(s *abi.Spec) { s.Doc = strings.Repeat("a", abi.MaxSpec) }, "limit 65536"},
	} {
		s := sample()
		c.change(s)
		_, err := abi.DecodeSpec(s.Encode())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want something with %q", c.name, err, c.want)
		}
	}
}

func TestDecodeSpecRefusesBytes(t *testing.T) {
	good := sample().Encode()
	for i := range good {
		if _, err := abi.DecodeSpec(good[:i]); err == nil {
			t.Fatalf("the first %d of %d bytes are accepted", i, len(good))
		}
	}
	for name, b := range map[string][]byte{
		"trailing byte": append(bytes.Clone(good), 0),
		"array":         {0x80},
		"empty map":     {0xa0},
		"eight keys":    append([]byte{0xa8}, good[1:]...),
		// A count far beyond the input must fail before anything is allocated.
		"many methods": {0xa7, 1, 1, 2, 0x61, 'a', 3, 0x60, 4, 0x60, 5, 0x9a, 0xff, 0xff, 0xff, 0xff},
	} {
		if _, err := abi.DecodeSpec(b); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// A later version may have other parts: it is named all the same, and what begins otherwise is no spec of any version.
func TestCheckVersion(t *testing.T) {
	later := byte(abi.Version + 1)
	want := fmt.Sprintf("made for version %d of the interface, this release speaks 1 to %d", later, abi.Version)
	for name, c := range map[string]struct {
		b     []byte
		later bool
	}{
		"a spec":                      {sample().Encode(), false},
		"a later one":                 {[]byte{0xa2, 1, later, 9, 0x80}, true},
		"a later one, cut short":      {[]byte{0xa7, 1, later}, false},
		"nothing":                     {nil, false},
		"an empty map":                {[]byte{0xa0, 1, later}, false},
		"a list":                      {[]byte{0x82, 1, later}, false},
		"another key first":           {[]byte{0xa1, 2, later}, false},
		"a version that is no number": {[]byte{0xa1, 1, 0x61, '3'}, false},
	} {
		err := abi.CheckVersion(c.b)
		if (err != nil) != c.later || c.later && err.Error() != want {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := abi.DecodeSpec(c.b); c.later && (err == nil || err.Error() != "spec: "+want) {
			t.Errorf("%s: decoding: %v", name, err)
		}
	}
}

func TestLookups(t *testing.T) {
	s := sample()
	if m, ok := s.Method("grant"); !ok || m.Doc != "Grants." {
		t.Errorf("method grant: %+v, %v", m, ok)
	}
	if e, ok := s.Event("closed"); !ok || e.Name != "closed" {
		t.Errorf("event closed: %+v, %v", e, ok)
	}
	if e, ok := s.Error(1); !ok || e.Name != "not_owner" {
		t.Errorf("error 1: %+v, %v", e, ok)
	}
	if _, ok := s.Method("none"); ok {
		t.Error("there is a method none")
	}
	if _, ok := s.Event("none"); ok {
		t.Error("there is an event none")
	}
	if _, ok := s.Error(2); ok {
		t.Error("there is an error 2")
	}
}

// Which sizes there are, and what is said of the others. Of each type there is one encoding.
func TestSizes(t *testing.T) {
	const bits = " bits: 8, 16 and 32 are sizes, and 64 is the one without"
	for _, c := range []struct {
		t    *abi.Type
		name string
		want string // "" is a size that there is
	}{
		{sizedKind(abi.KindInt, 8), "int8", ""},
		{sizedKind(abi.KindInt, 16), "int16", ""},
		{sizedKind(abi.KindInt, 32), "int32", ""},
		{sizedKind(abi.KindUint, 8), "uint8", ""},
		{sizedKind(abi.KindUint, 16), "uint16", ""},
		{sizedKind(abi.KindUint, 32), "uint32", ""},
		{sizedKind(abi.KindBytes, 1), "bytes[1]", ""},
		{sizedKind(abi.KindBytes, 32), "bytes[32]", ""},
		{sizedKind(abi.KindBytes, abi.MaxArgs), "bytes[65536]", ""},
		{&abi.Type{Kind: abi.KindList, Elem: &abi.Type{Kind: abi.KindMap, Elem: sizedKind(abi.KindUint, 8)}}, "list of map of uint8", ""},

		{sizedKind(abi.KindInt, 64), "int64", "result: int of 64" + bits},
		{sizedKind(abi.KindUint, 64), "uint64", "result: uint of 64" + bits},
		{sizedKind(abi.KindUint, 7), "uint7", "result: uint of 7" + bits},
		{sizedKind(abi.KindUint, 1), "uint1", "result: uint of 1" + bits},
		{sizedKind(abi.KindInt, 256), "int256", "result: int of 256" + bits},
		{sizedKind(abi.KindUint, 1<<64-1), "uint18446744073709551615", "result: uint of 18446744073709551615" + bits},
		{sizedKind(abi.KindBytes, abi.MaxArgs+1), "bytes[65537]", "result: exactly 65537 bytes, limit 65536"},
		{sizedKind(abi.KindBytes, 1<<64-1), "bytes[18446744073709551615]", "result: exactly 18446744073709551615 bytes, limit 65536"},
		{sizedKind(abi.KindBool, 8), "bool8", "result: bool of size 8: only int, uint and bytes have one"},
		{sizedKind(abi.KindText, 8), "text8", "result: text of size "},
		{sizedKind(abi.KindAddress, 20), "address20", "result: address of size "},
		{sizedKind(abi.KindTime, 32), "time32", "result: time of size "},
		{sizedKind(abi.KindDuration, 32), "duration32", "result: duration of size "},
		{&abi.Type{Kind: abi.KindList, Size: 8, Elem: kind(abi.KindBool)}, "list of bool", "result: list of size "},
		{&abi.Type{Kind: abi.KindMap, Size: 8, Elem: kind(abi.KindBool)}, "map of bool", "result: map of size "},
		{&abi.Type{Kind: abi.KindStruct, Size: 8}, "struct8", "result: struct of size "},
		{&abi.Type{Kind: abi.KindList, Elem: sizedKind(abi.KindUint, 9)}, "list of uint9", "result[]: uint of 9" + bits},
	} {
		if got := c.t.String(); got != c.name {
			t.Errorf("it is called %s, want %s", got, c.name)
		}
		s := &abi.Spec{ABI: 1, Name: "a", Methods: []abi.Method{{Name: "m", Result: c.t}}}
		if err := cbor.Valid(s.Encode()); err != nil {
			t.Errorf("%s: not canonical: %v", c.name, err)
		}
		got, err := abi.DecodeSpec(s.Encode())
		switch {
		case c.want == "" && (err != nil || !reflect.DeepEqual(got.Methods[0].Result, c.t)):
			t.Errorf("%s: got %v, %v", c.name, got, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: got %v, want something with %q", c.name, err, c.want)
		}
	}
	// The same as bytes: what has no size has one encoding, too, and what had one before there were sizes has it still.
	spec := func(types ...byte) []byte {
		b := []byte{0xa7, 1, 1, 2, 0x61, 'a', 3, 0x60, 4, 0x60, 5, 0x81, 0x85, 0x61, 'm', 0x60, 0xf4, 0xf6}
		return append(append(b, types...), 6, 0x80, 7, 0x80)
	}
	for _, c := range []struct {
		b    []byte
		want string
	}{
		{spec(0x81, 3), ""},
		{spec(0x83, 12, 3, 8), ""},
		{spec(0x84, 9, 12, 3, 8), ""},
		{spec(0x81, 12), "type ends early"},
		{spec(0x82, 12, 3), "type ends early"},
		{spec(0x83, 12, 3, 0), "size 0 of a uint: what has no size is written without one"},
		{spec(0x83, 12, 5, 0), "size 0 of a bytes"},
		{spec(0x83, 12, 3, 0x18, 8), "a head longer than it needs"},
		{spec(0x83, 12, 3, 0x18, 64), "64 bits"},
		{spec(0x83, 12, 3, 0x20), "found a negative"},
		{spec(0x85, 12, 12, 3, 8, 8), "type has 2 items too many"},
		{spec(0x84, 12, 9, 8, 1), "list of size 8"},
		{spec(0x83, 12, 13, 8), "unknown kind 13"},
	} {
		if _, err := abi.DecodeSpec(c.b); (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%x: got %v, want %q", c.b, err, c.want)
		}
	}
}

func TestSizeBounds(t *testing.T) {
	for _, c := range []struct {
		size        uint64
		least, most int64
		large       uint64
	}{
		{8, -128, 127, 255}, {16, -32768, 32767, 65535}, {32, -1 << 31, 1<<31 - 1, 1<<32 - 1}, {0, -1 << 63, 1<<63 - 1, 1<<64 - 1},
	} {
		least, most := sizedKind(abi.KindInt, c.size).Ints()
		if large := sizedKind(abi.KindUint, c.size).Uints(); least != c.least || most != c.most || large != c.large {
			t.Errorf("size %d: %d to %d, and 0 to %d", c.size, least, most, large)
		}
	}
}

func FuzzDecodeSpec(f *testing.F) {
	f.Add(sample().Encode())
	f.Add((&abi.Spec{ABI: 1, Name: "a"}).Encode())
	for _, size := range []uint64{1, 8, 16, 32, 64, 256, abi.MaxArgs, abi.MaxArgs + 1} {
		for k := abi.KindBool; k <= 13; k++ {
			f.Add((&abi.Spec{ABI: 1, Name: "a", Methods: []abi.Method{{Name: "m", Result: sizedKind(k, size)}}}).Encode())
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := abi.DecodeSpec(b)
		if err != nil {
			return
		}
		if again := s.Encode(); !bytes.Equal(again, b) {
			t.Fatalf("decoded\n%x\nencodes to\n%x", b, again)
		}
	})
}
