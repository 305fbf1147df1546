package abi

import "github.com/wardledger/ward/runtime/cbor"

// The encoding of a spec, in canonical CBOR:
//
//	spec   = {1: abi uint, 2: name, 3: doc, 4: toolchain, 5: [method...], 6: [event...], 7: [error...]}
//	method = [name, doc, view bool, args type / null, result type / null]
//	event  = [name, doc, fields]
//	error  = [code uint, name, doc]
//
// A type is one flat array in prefix order, because nested maps would be deeper
// than cbor.MaxDepth long before a type is too deep to be useful:
//
//	scalar = kind                  with a size: 12, kind, size
//	list   = 9, elem...            map = 10, elem...
//	struct = 11, name, fields...
//	fields = count, then for each: name, doc, optional bool, type...
const (
	keyABI = 1 + iota
	keyName
	keyDoc
	keyToolchain
	keyMethods
	keyEvents
	keyErrors
	specKeys = iota
)

// sized comes before the kind of a type that has a size. Types without one are as they were before there were sizes.
const sized = 12

// Encode returns the spec's canonical bytes. It checks nothing: an author's
// mistake is found by [DecodeSpec], with words, when the contract is built.
func (s *Spec) Encode() []byte {
	b := cbor.AppendMap(nil, specKeys)
	b = cbor.AppendUint(cbor.AppendUint(b, keyABI), s.ABI)
	b = cbor.AppendText(cbor.AppendUint(b, keyName), s.Name)
	b = cbor.AppendText(cbor.AppendUint(b, keyDoc), s.Doc)
	b = cbor.AppendText(cbor.AppendUint(b, keyToolchain), s.Toolchain)
	b = cbor.AppendArray(cbor.AppendUint(b, keyMethods), len(s.Methods))
	for _, m := range s.Methods {
		b = cbor.AppendArray(b, 5)
		b = cbor.AppendText(b, m.Name)
		b = cbor.AppendText(b, m.Doc)
		b = cbor.AppendBool(b, m.View)
		b = appendOptionalType(b, m.Args)
		b = appendOptionalType(b, m.Result)
	}
	b = cbor.AppendArray(cbor.AppendUint(b, keyEvents), len(s.Events))
	for _, e := range s.Events {
		b = cbor.AppendArray(b, 3)
		b = cbor.AppendText(b, e.Name)
		b = cbor.AppendText(b, e.Doc)
		b = cbor.AppendArray(b, fieldItems(e.Fields))
		b = appendFields(b, e.Fields)
	}
	b = cbor.AppendArray(cbor.AppendUint(b, keyErrors), len(s.Errors))
	for _, e := range s.Errors {
		b = cbor.AppendArray(b, 3)
		b = cbor.AppendUint(b, uint64(e.Code))
		b = cbor.AppendText(b, e.Name)
		b = cbor.AppendText(b, e.Doc)
	}
	return b
}

func appendOptionalType(b []byte, t *Type) []byte {
	if t == nil {
		return cbor.AppendNull(b)
	}
	return appendType(cbor.AppendArray(b, typeItems(t)), t)
}

func appendType(b []byte, t *Type) []byte {
	if t == nil {
		t = &Type{}
	}
	if t.Size != 0 {
		b = cbor.AppendUint(b, sized)
	}
	b = cbor.AppendUint(b, uint64(t.Kind))
	if t.Size != 0 {
		b = cbor.AppendUint(b, t.Size)
	}
	switch t.Kind {
	case KindList, KindMap:
		b = appendType(b, t.Elem)
	case KindStruct:
		b = cbor.AppendText(b, t.Name)
		b = appendFields(b, t.Fields)
	}
	return b
}

func appendFields(b []byte, fields []Field) []byte {
	b = cbor.AppendUint(b, uint64(len(fields)))
	for _, f := range fields {
		b = cbor.AppendText(b, f.Name)
		b = cbor.AppendText(b, f.Doc)
		b = cbor.AppendBool(b, f.Optional)
		b = appendType(b, f.Type)
	}
	return b
}

// typeItems counts the items that appendType appends.
func typeItems(t *Type) int {
	if t == nil {
		return 1
	}
	n := 1
	if t.Size != 0 {
		n = 3
	}
	switch t.Kind {
	case KindList, KindMap:
		n += typeItems(t.Elem)
	case KindStruct:
		n += 1 + fieldItems(t.Fields)
	}
	return n
}

// fieldItems counts the items that appendFields appends.
func fieldItems(fields []Field) int {
	n := 1
	for _, f := range fields {
		n += 3 + typeItems(f.Type)
	}
	return n
}
