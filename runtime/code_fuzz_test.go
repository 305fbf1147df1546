package runtime

import (
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/abi/specjson"
	"github.com/wardledger/ward/runtime/cbor"
)

// FuzzCodeArgs: the arguments of each method of code are read or refused, whatever they are; what is read fits the type that the spec
// says they have.
func FuzzCodeArgs(f *testing.F) {
	for _, m := range codeSpec.Methods {
		var all []attribute
		for _, field := range m.Args.Fields {
			switch field.Type.Kind {
			case abi.KindText:
				all = append(all, textOf(field.Name, "thing"))
			case abi.KindBytes:
				all = append(all, bytesOf(field.Name, make([]byte, abi.HashSize)))
			case abi.KindAddress:
				all = append(all, bytesOf(field.Name, make([]byte, abi.AddressSize)))
			case abi.KindBool:
				all = append(all, boolOf(field.Name, true))
			default:
				all = append(all, uintOf(field.Name, 1))
			}
		}
		// Of a deployment init is no CBOR.
		if _, err := decodeCodeArgs(m.Name, document(all...)); err != nil && m.Name != deployMethod {
			f.Errorf("%s: %v", m.Name, err)
		}
		f.Add(document(all...))
		f.Add(document())
	}
	f.Fuzz(func(t *testing.T, args []byte) {
		if cbor.Valid(args) != nil {
			t.Skip("a transaction and a query hold one canonical item")
		}
		for _, m := range codeSpec.Methods {
			if _, err := decodeCodeArgs(m.Name, args); err != nil {
				continue
			}
			if _, err := specjson.ToJSON(m.Args, args); err != nil {
				t.Errorf("%s takes %x, which its spec does not: %v", m.Name, args, err)
			}
		}
	})
}
