package specjson

import (
	"encoding/json"

	"github.com/wardledger/ward/runtime/abi"
)

// Spec returns a whole spec as JSON, for programs that want to know what a
// contract offers:
//
//	{"abi": 1, "name": ..., "doc": ..., "toolchain": ...,
//	 "methods": [{"name", "doc", "view", "args": type, "result": type}],
//	 "events": [{"name", "doc", "fields": [field]}],
//	 "errors": [{"code", "name", "doc"}]}
//
// where a field is {"name", "doc", "type": type, "optional"} and a type
// {"kind", "size", "name", "fields": [field], "elem": type}. What is empty is left out,
// but for the three lists. A size is that of [abi.Type]: of an int or uint its bits, of bytes how many there are.
func Spec(s *abi.Spec) []byte {
	doc := specDoc{
		ABI: s.ABI, Name: s.Name, Doc: s.Doc, Toolchain: s.Toolchain,
		Methods: []methodDoc{}, Events: []eventDoc{}, Errors: []errorDoc{},
	}
	for _, m := range s.Methods {
		doc.Methods = append(doc.Methods, methodDoc{m.Name, m.Doc, m.View, typeOf(m.Args), typeOf(m.Result)})
	}
	for _, e := range s.Events {
		doc.Events = append(doc.Events, eventDoc{e.Name, e.Doc, fieldsOf(e.Fields)})
	}
	for _, e := range s.Errors {
		doc.Errors = append(doc.Errors, errorDoc(e))
	}
	b, err := json.Marshal(doc)
	if err != nil {
		panic("BUG: specjson: a spec that is no JSON: " + err.Error())
	}
	return b
}

type specDoc struct {
	ABI       uint64      `json:"abi"`
	Name      string      `json:"name"`
	Doc       string      `json:"doc,omitempty"`
	Toolchain string      `json:"toolchain,omitempty"`
	Methods   []methodDoc `json:"methods"`
	Events    []eventDoc  `json:"events"`
	Errors    []errorDoc  `json:"errors"`
}

type methodDoc struct {
	Name   string   `json:"name"`
	Doc    string   `json:"doc,omitempty"`
	View   bool     `json:"view,omitempty"`
	Args   *typeDoc `json:"args,omitempty"`
	Result *typeDoc `json:"result,omitempty"`
}

type eventDoc struct {
	Name   string     `json:"name"`
	Doc    string     `json:"doc,omitempty"`
	Fields []fieldDoc `json:"fields,omitempty"`
}

type errorDoc struct {
	Code uint32 `json:"code"`
	Name string `json:"name"`
	Doc  string `json:"doc,omitempty"`
}

type typeDoc struct {
	Kind   string     `json:"kind"`
	Size   uint64     `json:"size,omitempty"`
	Name   string     `json:"name,omitempty"`
	Fields []fieldDoc `json:"fields,omitempty"`
	Elem   *typeDoc   `json:"elem,omitempty"`
}

type fieldDoc struct {
	Name     string   `json:"name"`
	Doc      string   `json:"doc,omitempty"`
	Type     *typeDoc `json:"type"`
	Optional bool     `json:"optional,omitempty"`
}

func typeOf(t *abi.Type) *typeDoc {
	if t == nil {
		return nil
	}
	return &typeDoc{t.Kind.String(), t.Size, t.Name, fieldsOf(t.Fields), typeOf(t.Elem)}
}

func fieldsOf(fields []abi.Field) []fieldDoc {
	var docs []fieldDoc
	for _, f := range fields {
		docs = append(docs, fieldDoc{f.Name, f.Doc, typeOf(f.Type), f.Optional})
	}
	return docs
}
