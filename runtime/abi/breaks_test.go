package abi_test

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/abi/specjson"
)

// callable is a spec with one of everything that somebody can rely on.
func callable() *abi.Spec {
	// item is made anew for each, so that one can change alone.
	item := func() *abi.Type {
		return &abi.Type{Kind: abi.KindStruct, Name: "Item", Fields: []abi.Field{
			{Name: "id", Type: kind(abi.KindUint)},
			{Name: "note", Type: kind(abi.KindText), Optional: true},
			{Name: "level", Type: sizedKind(abi.KindInt, 16)},
			{Name: "raw", Type: kind(abi.KindBytes)},
			{Name: "hash", Type: sizedKind(abi.KindBytes, 32)},
		}}
	}
	return &abi.Spec{
		ABI: 2, Name: "shop",
		Methods: []abi.Method{
			{Name: "init", Args: &abi.Type{Kind: abi.KindStruct, Fields: []abi.Field{{Name: "owner", Type: kind(abi.KindAddress)}}}},
			{Name: "put", Args: &abi.Type{Kind: abi.KindStruct, Fields: []abi.Field{
				{Name: "item", Type: item()},
				{Name: "until", Type: kind(abi.KindTime), Optional: true},
			}}, Result: kind(abi.KindUint)},
			{Name: "clear"},
			{Name: "items", View: true, Result: &abi.Type{Kind: abi.KindList, Elem: item()}},
		},
		Events: []abi.EventSpec{{Name: "stored", Fields: []abi.Field{{Name: "id", Type: kind(abi.KindUint)}, {Name: "by", Type: kind(abi.KindAddress)}, {Name: "box", Type: sizedKind(abi.KindUint, 8)}}}},
		Errors: []abi.ErrorSpec{{Code: 2, Name: "full"}, {Code: 3, Name: "closed"}},
	}
}

// Each line of the doc comment, from both sides: what breaks somebody, and what looks like it and breaks nobody.
func TestBreaks(t *testing.T) {
	method := func(s *abi.Spec, name string) *abi.Method {
		return &s.Methods[slices.IndexFunc(s.Methods, func(m abi.Method) bool { return m.Name == name })]
	}
	item := func(m *abi.Method) *abi.Type { return m.Args.Fields[0].Type }
	both := func(s *abi.Spec, edit func(*abi.Type)) {
		edit(item(method(s, "put")))
		edit(method(s, "items").Result.Elem)
	}
	added := func(optional bool) abi.Field {
		return abi.Field{Name: "more", Type: kind(abi.KindBool), Optional: optional}
	}
	for _, test := range []struct {
		what string
		edit func(s *abi.Spec)
		want []string
	}{
		{"nothing", func(*abi.Spec) {}, nil},

		{"a method is gone", func(s *abi.Spec) { s.Methods = slices.Delete(s.Methods, 1, 2) }, []string{"method put is gone"}},
		{"a view is gone", func(s *abi.Spec) { s.Methods = s.Methods[:3] }, []string{"view items is gone"}},
		{"a view is a method", func(s *abi.Spec) { method(s, "items").View = false }, []string{"view items is no view any more: a query can't call it"}},
		{"a method is a view", func(s *abi.Spec) { method(s, "clear").View = true }, nil},
		{"a method more, in front", func(s *abi.Spec) { s.Methods = slices.Insert(s.Methods, 0, abi.Method{Name: "extra"}) }, nil},
		{"init takes something else", func(s *abi.Spec) { s.Methods[0].Args = nil }, nil},
		{"an upgrade hook", func(s *abi.Spec) { s.Methods = append(s.Methods, abi.Method{Name: "upgrade"}) }, nil},

		{"an argument is gone", func(s *abi.Spec) { method(s, "put").Args.Fields = method(s, "put").Args.Fields[:1] }, []string{"method put: argument until is gone"}},
		{"an argument is another type", func(s *abi.Spec) { method(s, "put").Args.Fields[1].Type = kind(abi.KindUint) }, []string{"method put: argument until is uint, it was time"}},
		{"an argument has fewer values", func(s *abi.Spec) { item(method(s, "put")).Fields[0].Type = sizedKind(abi.KindUint, 8) },
			[]string{"method put: argument item: field id is uint8, it was uint"}},
		{"an argument has more", func(s *abi.Spec) { item(method(s, "put")).Fields[2].Type = sizedKind(abi.KindInt, 32) }, nil},
		{"an argument is of one length", func(s *abi.Spec) { item(method(s, "put")).Fields[3].Type = sizedKind(abi.KindBytes, 32) },
			[]string{"method put: argument item: field raw is bytes[32], it was bytes"}},
		{"an argument is of another length", func(s *abi.Spec) { item(method(s, "put")).Fields[4].Type = sizedKind(abi.KindBytes, 33) },
			[]string{"method put: argument item: field hash is bytes[33], it was bytes[32]"}},
		{"an argument is of any length", func(s *abi.Spec) { item(method(s, "put")).Fields[4].Type = kind(abi.KindBytes) }, nil},
		{"a new one is needed", func(s *abi.Spec) {
			method(s, "put").Args.Fields = append(method(s, "put").Args.Fields, added(false))
		}, []string{"method put: argument more is new and must be given"}},
		{"a new one is optional", func(s *abi.Spec) {
			method(s, "put").Args.Fields = append(method(s, "put").Args.Fields, added(true))
		}, nil},
		{"an optional one is needed", func(s *abi.Spec) { method(s, "put").Args.Fields[1].Optional = false }, []string{"method put: argument until must be given now"}},
		{"a needed one is optional", func(s *abi.Spec) { method(s, "put").Args.Fields[0].Optional = true }, nil},
		{"no arguments any more", func(s *abi.Spec) { method(s, "put").Args = nil }, []string{"method put: argument item is gone", "method put: argument until is gone"}},
		{"arguments where were none", func(s *abi.Spec) {
			method(s, "clear").Args = &abi.Type{Kind: abi.KindStruct, Fields: []abi.Field{added(false)}}
		}, []string{"method clear: argument more is new and must be given"}},
		{"an empty struct for none", func(s *abi.Spec) { method(s, "clear").Args = &abi.Type{Kind: abi.KindStruct} }, nil},
		{"order and names of types", func(s *abi.Spec) {
			slices.Reverse(method(s, "put").Args.Fields)
			method(s, "put").Args.Name = "Put"
			s.Doc, s.Name, s.Toolchain = "new", "store", "go1.27"
		}, nil},

		{"no result any more", func(s *abi.Spec) { method(s, "put").Result = nil }, []string{"method put answers nothing, it answered uint"}},
		{"a result where was none", func(s *abi.Spec) { method(s, "clear").Result = kind(abi.KindBool) }, []string{"method clear answers bool, it answered nothing"}},
		{"another result", func(s *abi.Spec) {
			method(s, "put").Result = &abi.Type{Kind: abi.KindMap, Elem: &abi.Type{Kind: abi.KindList, Elem: kind(abi.KindUint)}}
		}, []string{"method put: the result is map of list of uint, it was uint"}},
		{"an item of a list is another type", func(s *abi.Spec) { method(s, "items").Result.Elem = kind(abi.KindUint) }, []string{"view items: the result[] is uint, it was struct"}},

		{"a result has more values", func(s *abi.Spec) { method(s, "items").Result.Elem.Fields[2].Type = sizedKind(abi.KindInt, 32) },
			[]string{"view items: the result[]: field level is int32, it was int16"}},
		{"a result has fewer", func(s *abi.Spec) { method(s, "items").Result.Elem.Fields[2].Type = sizedKind(abi.KindInt, 8) }, nil},
		{"a result is of any length", func(s *abi.Spec) { method(s, "items").Result.Elem.Fields[4].Type = kind(abi.KindBytes) },
			[]string{"view items: the result[]: field hash is bytes, it was bytes[32]"}},
		{"a result is of one length", func(s *abi.Spec) { method(s, "items").Result.Elem.Fields[3].Type = sizedKind(abi.KindBytes, 32) }, nil},
		{"a result has a sign", func(s *abi.Spec) { method(s, "items").Result.Elem.Fields[2].Type = sizedKind(abi.KindUint, 8) },
			[]string{"view items: the result[]: field level is uint8, it was int16"}},

		// The same struct is sent to put and read from items.
		{"a field of both is gone", func(s *abi.Spec) { both(s, func(t *abi.Type) { t.Fields = t.Fields[1:] }) },
			[]string{"method put: argument item: field id is gone", "view items: the result[]: field id is gone"}},
		{"one may be missing", func(s *abi.Spec) { both(s, func(t *abi.Type) { t.Fields[0].Optional = true }) }, []string{"view items: the result[]: field id may be missing now"}},
		{"one is never missing", func(s *abi.Spec) { both(s, func(t *abi.Type) { t.Fields[1].Optional = false }) }, []string{"method put: argument item: field note must be given now"}},
		{"one more, optional", func(s *abi.Spec) { both(s, func(t *abi.Type) { t.Fields = append(t.Fields, added(true)) }) }, []string{"view items: the result[]: field more is new: contracts that call this refuse an answer with a field that they don't know"}},

		{"an event is gone", func(s *abi.Spec) { s.Events = nil }, []string{"event stored is gone"}},
		{"an attribute is gone", func(s *abi.Spec) { s.Events[0].Fields = slices.Delete(s.Events[0].Fields, 1, 2) }, []string{"event stored: attribute by is gone"}},
		{"an attribute is another type", func(s *abi.Spec) { s.Events[0].Fields[0].Type = kind(abi.KindText) }, []string{"event stored: attribute id is text, it was uint"}},
		{"an attribute may be missing", func(s *abi.Spec) { s.Events[0].Fields[0].Optional = true }, []string{"event stored: attribute id may be missing now"}},
		{"an attribute has more values", func(s *abi.Spec) { s.Events[0].Fields[2].Type = sizedKind(abi.KindUint, 16) },
			[]string{"event stored: attribute box is uint16, it was uint8"}},
		{"an attribute has fewer", func(s *abi.Spec) { s.Events[0].Fields[0].Type = sizedKind(abi.KindUint, 32) }, nil},
		{"an attribute more", func(s *abi.Spec) { s.Events[0].Fields = append(s.Events[0].Fields, added(false)) }, nil},

		{"a number means something else", func(s *abi.Spec) { s.Errors[0].Name = "shut" }, []string{"error 2 is shut, it was full"}},
		{"an error has another number", func(s *abi.Spec) { s.Errors[1].Code = 9 }, []string{"error closed has the number 9, it had 3"}},
		{"two have swapped", func(s *abi.Spec) { s.Errors[0].Name, s.Errors[1].Name = "closed", "full" },
			[]string{"error 2 is closed, it was full", "error full has the number 3, it had 2", "error 3 is full, it was closed", "error closed has the number 2, it had 3"}},
		{"an error is gone", func(s *abi.Spec) { s.Errors = s.Errors[:1] }, nil},
		{"an error more", func(s *abi.Spec) { s.Errors = append(s.Errors, abi.ErrorSpec{Code: 4, Name: "late"}) }, nil},
	} {
		t.Run(test.what, func(t *testing.T) {
			edited := callable()
			test.edit(edited)
			if err := edited.Check(); err != nil {
				t.Fatalf("the edited spec is none: %v", err)
			}
			if got := abi.Breaks(callable(), edited); !slices.Equal(got, test.want) {
				t.Errorf("it breaks\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(test.want, "\n  "))
			}
		})
	}
	if got := abi.Breaks(callable(), nil); len(got) != 1 {
		t.Errorf("no spec any more breaks %q", got)
	}
	if got := abi.Breaks(nil, callable()); got != nil {
		t.Errorf("a spec where was none breaks %q", got)
	}
}

// An argument breaks a caller if something that they could send is refused now, and a result if something comes that could not
// come before. What can be sent and read is what specjson says of the values at the edges of all sizes.
func TestBreaksBySize(t *testing.T) {
	var edges []string
	for _, bits := range []int{8, 16, 32, 64} {
		most := new(big.Int).Lsh(big.NewInt(1), uint(bits))
		half := new(big.Int).Rsh(most, 1)
		for _, edge := range []*big.Int{most, half, new(big.Int).Neg(half)} {
			for by := range int64(3) {
				edges = append(edges, new(big.Int).Add(edge, big.NewInt(by-1)).String())
			}
		}
	}
	for n := range 35 {
		edges = append(edges, `"0x`+strings.Repeat("00", n)+`"`)
	}
	scalar := rapid.Custom(func(t *rapid.T) *abi.Type {
		k := rapid.SampledFrom([]abi.Kind{abi.KindInt, abi.KindUint, abi.KindBytes}).Draw(t, "kind")
		if k == abi.KindBytes {
			return sizedKind(k, rapid.SampledFrom([]uint64{0, 1, 2, 31, 32, 33}).Draw(t, "size"))
		}
		return sizedKind(k, rapid.SampledFrom([]uint64{0, 8, 16, 32}).Draw(t, "size"))
	})
	// covered is whether each value that a writer has is one of a reader.
	covered := func(writer, reader *abi.Type) bool {
		for _, edge := range edges {
			if item, err := specjson.ToCBOR(writer, []byte(edge)); err == nil {
				if _, err := specjson.ToJSON(reader, item); err != nil {
					return false
				}
			}
		}
		return true
	}
	rapid.Check(t, func(t *rapid.T) {
		was, now := scalar.Draw(t, "was"), scalar.Draw(t, "now")
		if was.Kind != now.Kind {
			return // breaks, though 5 is both an int and a uint
		}
		inList := rapid.Bool().Draw(t, "in a list")
		spec := func(of *abi.Type) *abi.Spec {
			if inList {
				of = &abi.Type{Kind: abi.KindList, Elem: of}
			}
			fields := []abi.Field{{Name: "v", Type: of}}
			return &abi.Spec{
				ABI: 1, Name: "a", Events: []abi.EventSpec{{Name: "heard", Fields: fields}},
				Methods: []abi.Method{{Name: "sent", Args: &abi.Type{Kind: abi.KindStruct, Fields: fields}}, {Name: "read", Result: of}},
			}
		}
		breaks := strings.Join(abi.Breaks(spec(was), spec(now)), "\n")
		if sent := strings.Contains(breaks, "method sent"); sent == covered(was, now) {
			t.Errorf("an argument that was %s and is %s breaks %q", was, now, breaks)
		}
		for _, what := range []string{"method read", "event heard"} {
			if strings.Contains(breaks, what) == covered(now, was) {
				t.Errorf("%s, which was %s and is %s, breaks %q", what, was, now, breaks)
			}
		}
	})
}

// The largest specs that there are, with nothing in common.
func BenchmarkBreaks(b *testing.B) {
	large := func(from int) *abi.Spec {
		s := &abi.Spec{ABI: 2, Name: "large"}
		for i := range 23 {
			m := abi.Method{Name: fmt.Sprintf("m%d", i), Args: &abi.Type{Kind: abi.KindStruct}}
			for j := range abi.MaxFields {
				deep := kind(abi.KindUint)
				for range 5 {
					deep = &abi.Type{Kind: abi.KindStruct, Fields: []abi.Field{{Name: "a", Type: deep}}}
				}
				m.Args.Fields = append(m.Args.Fields, abi.Field{Name: fmt.Sprintf("f%d", from+j), Type: deep})
			}
			s.Methods = append(s.Methods, m)
		}
		if n := len(s.Encode()); n > abi.MaxSpec || n < abi.MaxSpec*3/4 {
			b.Fatalf("%d bytes", n)
		}
		return s
	}
	old, other := large(0), large(100)
	for b.Loop() {
		if len(abi.Breaks(old, other)) == 0 {
			b.Fatal("none")
		}
	}
}
