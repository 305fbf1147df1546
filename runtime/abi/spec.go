package abi

import "strconv"

// A Spec says what a contract offers. It is made by the contract itself
// (the export [ExportSpec]) and travels in the section [SectionName] of its module.
//
// Order is the author's: it is the order of help texts. [Spec.Check] says what a
// spec must satisfy; [DecodeSpec] returns only specs that do.
type Spec struct {
	ABI       uint64 // the Version that the contract was built for
	Name      string // the name that the author gave it; instances may have others
	Doc       string
	Toolchain string // what compiled it, such as "go1.26.8"; "" if unknown
	Methods   []Method
	Events    []EventSpec
	Errors    []ErrorSpec
}

// A Method is one thing that can be called.
type Method struct {
	Name, Doc string
	View      bool  // it changes nothing and needs no transaction
	Args      *Type // a KindStruct, or nil: it takes nothing
	Result    *Type // or nil: it answers nothing
}

// An EventSpec is one kind of event that the contract emits.
type EventSpec struct {
	Name, Doc string
	Fields    []Field
}

// An ErrorSpec is one code with which the contract fails.
type ErrorSpec struct {
	Code      uint32 // not 0, below FirstReservedFail
	Name, Doc string
}

// A Kind is the kind of a type. The numbers are part of the encoding and only
// ever appended; 12 is taken, by what comes before a type with a size.
type Kind uint64

// The kinds and what stands for a value in CBOR.
const (
	KindBool     Kind = 1  // true, false
	KindInt      Kind = 2  // int64, or of fewer bits: Size
	KindUint     Kind = 3  // uint64, or of fewer bits: Size
	KindText     Kind = 4  // text
	KindBytes    Kind = 5  // byte string, of any length or of one: Size
	KindAddress  Kind = 6  // byte string of 20 bytes
	KindTime     Kind = 7  // int64, unix seconds, UTC
	KindDuration Kind = 8  // int64, seconds
	KindList     Kind = 9  // array of Elem
	KindMap      Kind = 10 // map from text to Elem
	KindStruct   Kind = 11 // map from the fields' names to their values; an optional field may be missing
)

// String returns the kind's name as documentation writes it.
func (k Kind) String() string {
	switch k {
	case KindBool:
		return "bool"
	case KindInt:
		return "int"
	case KindUint:
		return "uint"
	case KindText:
		return "text"
	case KindBytes:
		return "bytes"
	case KindAddress:
		return "address"
	case KindTime:
		return "time"
	case KindDuration:
		return "duration"
	case KindList:
		return "list"
	case KindMap:
		return "map"
	case KindStruct:
		return "struct"
	}
	return "invalid"
}

// A Type is the type of a value. Types are trees: a type can't contain itself.
type Type struct {
	Kind Kind
	// Size is the width of an int or uint in bits, 8, 16 or 32, and 0 for one of 64; or how many bytes there are, exactly,
	// from 1 to MaxArgs, and 0 for any number of them. Other kinds have none.
	Size   uint64
	Name   string  // of a struct, or ""
	Fields []Field // of a struct
	Elem   *Type   // of a list or map
}

// String names the type as documentation writes it: "uint8", "bytes[32]", "list of text". A struct is "struct", whatever its name is.
func (t *Type) String() string {
	if t == nil {
		return "nothing"
	}
	switch {
	case t.Kind == KindList || t.Kind == KindMap:
		return t.Kind.String() + " of " + t.Elem.String()
	case t.Size == 0:
		return t.Kind.String()
	case t.Kind == KindBytes:
		return t.Kind.String() + "[" + strconv.FormatUint(t.Size, 10) + "]"
	}
	return t.Kind.String() + strconv.FormatUint(t.Size, 10)
}

// Ints returns the smallest and the largest value of an int.
func (t *Type) Ints() (least, most int64) {
	bits := t.bits()
	return -1 << (bits - 1), 1<<(bits-1) - 1
}

// Uints returns the largest value of a uint.
func (t *Type) Uints() (most uint64) { return 1<<t.bits() - 1 }

func (t *Type) bits() uint64 {
	if t.Size == 0 || t.Size > 64 {
		return 64
	}
	return t.Size
}

// A Field is one field of a struct or one attribute of an event.
type Field struct {
	Name, Doc string
	Type      *Type
	Optional  bool // it may be missing
}

// Method returns the method called name.
func (s *Spec) Method(name string) (Method, bool) {
	for _, m := range s.Methods {
		if m.Name == name {
			return m, true
		}
	}
	return Method{}, false
}

// Event returns the event called name.
func (s *Spec) Event(name string) (EventSpec, bool) {
	for _, e := range s.Events {
		if e.Name == name {
			return e, true
		}
	}
	return EventSpec{}, false
}

// Error returns the error with the number code.
func (s *Spec) Error(code uint32) (ErrorSpec, bool) {
	for _, e := range s.Errors {
		if e.Code == code {
			return e, true
		}
	}
	return ErrorSpec{}, false
}

// Refused returns the spec of the event [RefusedEvent], which no contract declares.
func Refused() EventSpec {
	field := func(name string, kind Kind, doc string) Field {
		return Field{Name: name, Doc: doc, Type: &Type{Kind: kind}}
	}
	code := func(name, doc string) Field {
		return Field{Name: name, Doc: doc, Type: &Type{Kind: KindUint, Size: 32}}
	}
	return EventSpec{
		Name: RefusedEvent,
		Doc:  "The transaction was executed and failed; nothing of what the contract wrote or emitted remains.",
		Fields: []Field{
			code("code", "The receipt's code."),
			field("name", KindText, "The code's name."),
			code("contract_code", "The contract's own code, or 0."),
			field("method", KindText, "The method that was called."),
			field("reason", KindText, "Why, for people."),
			field("sender", KindAddress, "The account that called."),
		},
	}
}
