package wire

import (
	"reflect"
	"unsafe"

	"github.com/wardledger/ward/runtime/abi"
)

// A Codec writes and reads values of one type. Its zero value is not usable.
type Codec[T any] struct{ plan *Plan }

// New makes the codec of T. It panics if T can't be on the wire.
func New[T any]() Codec[T] { return Codec[T]{NewPlan(reflect.TypeFor[T]())} }

// Type is T as a contract's spec describes it. The caller owns it.
func (c Codec[T]) Type() *abi.Type { return c.plan.schema() }

// Append appends the encoding of v to b. It fails, naming the path, only if a
// string in v is not UTF-8.
func (c Codec[T]) Append(b []byte, v T) ([]byte, error) {
	return c.plan.encode(b, unsafe.Pointer(&v))
}

// Decode reads exactly one value. The result shares no memory with b. An error is
// an *Error; the value is then zero.
func (c Codec[T]) Decode(b []byte) (T, error) {
	var v T
	if err := c.plan.decodeAll(b, unsafe.Pointer(&v)); err != nil {
		var zero T
		return zero, err
	}
	return v, nil
}

// Marshal encodes a value, or what a pointer to one points to. It panics if the
// type can't be on the wire, and fails if a string is not UTF-8. A contract uses
// a Codec instead, whose type is checked when the contract is built.
func Marshal(v any) ([]byte, error) {
	rv := reflect.ValueOf(v)
	if !rv.IsValid() {
		refuse("nil", "has no type, so it can't be on the wire")
	}
	if rv.Kind() == reflect.Pointer {
		if rv.IsNil() {
			refuse(rv.Type().String(), "is nil")
		}
		return NewPlan(rv.Type().Elem()).encode(nil, rv.UnsafePointer())
	}
	at := reflect.New(rv.Type())
	at.Elem().Set(rv)
	return NewPlan(rv.Type()).encode(nil, at.UnsafePointer())
}

// Unmarshal reads exactly one value into what v, a pointer, points to; after an
// error that is what it was. It panics if the type can't be on the wire.
func Unmarshal(b []byte, v any) error {
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Pointer || rv.IsNil() {
		refuse("Unmarshal", "needs a pointer to write to")
	}
	fresh := reflect.New(rv.Type().Elem())
	if err := NewPlan(rv.Type().Elem()).decodeAll(b, fresh.UnsafePointer()); err != nil {
		return err
	}
	rv.Elem().Set(fresh.Elem())
	return nil
}
