package client

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/sdk/wire"
)

// decode reads what a contract answered into what out points to, by sdk/wire, but passes
// over fields that out doesn't have: a contract may answer more after an upgrade, and a
// program that asks for three fields of twenty shouldn't have to name them all.
func decode(encoded []byte, out any) error {
	t := reflect.TypeOf(out)
	if t == nil || t.Kind() != reflect.Pointer || reflect.ValueOf(out).IsNil() {
		return fmt.Errorf("BUG: decode into %T, not a pointer", out)
	}
	plan := wire.NewPlan(t.Elem())
	r := cbor.NewReader(encoded)
	known, err := prune(nil, r, plan.Type())
	if err == nil {
		err = r.End()
	}
	if err != nil {
		return err
	}
	return plan.Decode(known, out)
}

// prune appends the next item without the fields that t doesn't have. Where an item isn't
// of t's kind it is taken as it is, for the decoder to refuse.
func prune(b []byte, r *cbor.Reader, t *abi.Type) ([]byte, error) {
	kind := r.Kind()
	switch {
	case t.Kind == abi.KindList && kind == cbor.Array:
		n, err := r.Array()
		if err != nil {
			return nil, err
		}
		b = cbor.AppendArray(b, n)
		for range n {
			if b, err = prune(b, r, t.Elem); err != nil {
				return nil, err
			}
		}
		return b, nil
	case (t.Kind == abi.KindMap || t.Kind == abi.KindStruct) && kind == cbor.Map:
		n, err := r.Map()
		if err != nil {
			return nil, err
		}
		var fields []byte
		kept := 0
		for range n {
			name, err := r.Text()
			if err != nil {
				return nil, err
			}
			elem := t.Elem
			if t.Kind == abi.KindStruct {
				at := slices.IndexFunc(t.Fields, func(f abi.Field) bool { return f.Name == name })
				if at < 0 {
					if err := r.Skip(); err != nil {
						return nil, err
					}
					continue
				}
				elem = t.Fields[at].Type
			}
			kept++
			if fields, err = prune(cbor.AppendText(fields, name), r, elem); err != nil {
				return nil, err
			}
		}
		return append(cbor.AppendMap(b, kept), fields...), nil
	}
	raw, err := r.Raw()
	return append(b, raw...), err
}
