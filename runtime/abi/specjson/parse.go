package specjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/wardledger/ward/runtime/abi"
)

// ParseSpec reads what [Spec] writes. Nothing that it has may be unknown; what is missing is empty, and the version of the interface
// then this one. Whether it is a good spec, [abi.DecodeSpec] says of its encoding.
func ParseSpec(doc []byte) (*abi.Spec, error) {
	var d specDoc
	decoder := json.NewDecoder(bytes.NewReader(doc))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		return nil, fmt.Errorf("spec: %w", plain(err, doc))
	}
	if rest := bytes.TrimLeft(doc[decoder.InputOffset():], " \t\r\n"); len(rest) > 0 {
		at := len(doc) - len(rest)
		return nil, fmt.Errorf("spec: %w", &placed{fmt.Sprintf("something stands behind its end, from byte %d on", at), int64(at)})
	}
	s := &abi.Spec{ABI: d.ABI, Name: d.Name, Doc: d.Doc, Toolchain: d.Toolchain}
	if s.ABI == 0 {
		s.ABI = abi.Version
	}
	for _, m := range d.Methods {
		what := "method"
		if m.View {
			what = "view"
		}
		args, err := parseType(m.Args)
		if err != nil {
			return nil, fmt.Errorf("spec: %s %s: arguments: %w", what, m.Name, err)
		}
		result, err := parseType(m.Result)
		if err != nil {
			return nil, fmt.Errorf("spec: %s %s: result: %w", what, m.Name, err)
		}
		s.Methods = append(s.Methods, abi.Method{Name: m.Name, Doc: m.Doc, View: m.View, Args: args, Result: result})
	}
	for _, e := range d.Events {
		fields, err := parseFields(e.Fields)
		if err != nil {
			return nil, fmt.Errorf("spec: event %s: %w", e.Name, err)
		}
		s.Events = append(s.Events, abi.EventSpec{Name: e.Name, Doc: e.Doc, Fields: fields})
	}
	for _, e := range d.Errors {
		s.Errors = append(s.Errors, abi.ErrorSpec(e))
	}
	return s, nil
}

// placed is what is wrong with a document at an offset.
type placed struct {
	reason string
	at     int64
}

func (e *placed) Error() string { return e.reason }

// plain says in the words of a document what encoding/json says in those of Go's types.
func plain(err error, doc []byte) error {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		is, must, where := t.Value, "text", ""
		switch t.Type.Kind() {
		case reflect.Struct:
			must = "an object"
		case reflect.Slice:
			must = "an array"
		case reflect.Bool:
			must = "true or false"
		case reflect.Uint32, reflect.Uint64:
			must = "a number from 0 on, without a fraction,"
		}
		if is == "array" || is == "object" {
			is = "an " + is
		}
		if t.Field != "" {
			where = t.Field + ": "
		}
		return &placed{where + is + " where " + must + " must be", t.Offset}
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &placed{"it ends too early", int64(len(doc))}
	case errors.Is(err, io.EOF):
		return &placed{"it is empty", 0}
	}
	return err
}

// Offset is where in a document an error of [ParseSpec] is, in bytes, if that is known, else 0.
func Offset(err error) int64 {
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return e.Offset
	}
	if e, ok := errors.AsType[*placed](err); ok {
		return e.at
	}
	return 0
}

func parseType(d *typeDoc) (*abi.Type, error) {
	if d == nil {
		return nil, nil
	}
	kind, ok := kindOf(d.Kind)
	if !ok {
		return nil, fmt.Errorf("no kind %q", d.Kind)
	}
	fields, err := parseFields(d.Fields)
	if err != nil {
		return nil, err
	}
	elem, err := parseType(d.Elem)
	return &abi.Type{Kind: kind, Size: d.Size, Name: d.Name, Fields: fields, Elem: elem}, err
}

func parseFields(docs []fieldDoc) (fields []abi.Field, err error) {
	for _, d := range docs {
		t, err := parseType(d.Type)
		if err == nil && t == nil {
			err = errors.New("has no type")
		}
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", d.Name, err)
		}
		fields = append(fields, abi.Field{Name: d.Name, Doc: d.Doc, Type: t, Optional: d.Optional})
	}
	return fields, nil
}

// kindOf is the kind of this name.
func kindOf(name string) (abi.Kind, bool) {
	for k := abi.KindBool; k.String() != abi.Kind(0).String(); k++ {
		if k.String() == name {
			return k, true
		}
	}
	return 0, false
}
