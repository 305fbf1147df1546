package abi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
)

// callable is a spec with one of everything that somebody can rely on.
func callable() *abi.Spec {
	item := &abi.Type{Kind: abi.KindStruct, Name: "Item", Fields: []abi.Field{
		{Name: "id", Type: kind(abi.KindUint)},
		{Name: "note", Type: kind(abi.KindText), Optional: true},
	}}
	return &abi.Spec{
		ABI: 2, Name: "shop",
		Methods: []abi.Method{
			{Name: "init", Args: &abi.Type{Kind: abi.KindStruct, Fields: []abi.Field{{Name: "owner", Type: kind(abi.KindAddress)}}}},
			{Name: "put", Args: &abi.Type{Kind: abi.KindStruct, Fields: []abi.Field{
				{Name: "item", Type: item},
				{Name: "until", Type: kind(abi.KindTime), Optional: true},
			}}, Result: kind(abi.KindUint)},
			{Name: "clear"},
			{Name: "items", View: true, Result: &abi.Type{Kind: abi.KindList, Elem: item}},
		},
		Events: []abi.EventSpec{{Name: "stored", Fields: []abi.Field{{Name: "id", Type: kind(abi.KindUint)}, {Name: "by", Type: kind(abi.KindAddress)}}}},
		Errors: []abi.ErrorSpec{{Code: 2, Name: "full"}, {Code: 3, Name: "closed"}},
	}
}

// Each line of the doc comment, from both sides: what breaks somebody, and what looks like it and breaks nobody.
func TestBreaks(t *testing.T) {
	method := func(s *abi.Spec, name string) *abi.Method {
		return &s.Methods[slices.IndexFunc(s.Methods, func(m abi.Method) bool { return m.Name == name })]
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

		// The same struct is sent to put and read from items.
		{"a field of both is gone", func(s *abi.Spec) {
			s.Methods[1].Args.Fields[0].Type.Fields = s.Methods[1].Args.Fields[0].Type.Fields[1:]
		},
			[]string{"method put: argument item: field id is gone", "view items: the result[]: field id is gone"}},
		{"one may be missing", func(s *abi.Spec) { s.Methods[1].Args.Fields[0].Type.Fields[0].Optional = true }, []string{"view items: the result[]: field id may be missing now"}},
		{"one is never missing", func(s *abi.Spec) { s.Methods[1].Args.Fields[0].Type.Fields[1].Optional = false }, []string{"method put: argument item: field note must be given now"}},
		{"one more, optional", func(s *abi.Spec) {
			of := s.Methods[1].Args.Fields[0].Type
			of.Fields = append(of.Fields, added(true))
		}, []string{"view items: the result[]: field more is new: contracts that call this refuse an answer with a field that they don't know"}},

		{"an event is gone", func(s *abi.Spec) { s.Events = nil }, []string{"event stored is gone"}},
		{"an attribute is gone", func(s *abi.Spec) { s.Events[0].Fields = s.Events[0].Fields[:1] }, []string{"event stored: attribute by is gone"}},
		{"an attribute is another type", func(s *abi.Spec) { s.Events[0].Fields[0].Type = kind(abi.KindText) }, []string{"event stored: attribute id is text, it was uint"}},
		{"an attribute may be missing", func(s *abi.Spec) { s.Events[0].Fields[0].Optional = true }, []string{"event stored: attribute id may be missing now"}},
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
